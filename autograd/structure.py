"""Structured arguments: nested lists, tuples, dicts and NumPy arrays of numbers, as a flat list and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import ArgumentError, InputError
from .value import Value, as_float

Rebuild = Callable[[Iterator[Any]], Any]


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array; NumPy is not imported to find out."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def flatten(x: Any, what: str) -> tuple[list[Any], Rebuild]:
    """The numbers and Values inside a structure, and a function that puts others into their places.

    Args:
        x: a number, a Value, or a list, tuple, dict or NumPy array of such things.
        what: what it is, for error texts.

    Returns:
        the leaves in order, and ``rebuild(iterator over as many new leaves)``.

    Raises:
        InputError: for anything else, naming where it stands.
    """
    leaves: list[Any] = []
    return leaves, _flatten(x, what, leaves)


def _flatten(x: Any, what: str, leaves: list[Any]) -> Rebuild:
    if isinstance(x, Value):
        leaves.append(x)
        return next
    if isinstance(x, Mapping):
        keys = list(x)
        parts = [_flatten(x[key], f"{what}[{key!r}]", leaves) for key in keys]
        return lambda new: dict(zip(keys, [part(new) for part in parts], strict=True))
    if isinstance(x, list | tuple):
        parts = [_flatten(item, f"{what}[{i}]", leaves) for i, item in enumerate(x)]
        kind: Any = type(x)
        if hasattr(kind, "_fields"):  # a named tuple
            return lambda new: kind(*[part(new) for part in parts])
        return lambda new: kind([part(new) for part in parts])
    if is_array(x) and x.ndim:
        shape, count = x.shape, x.size
        for i, item in enumerate(x.ravel().tolist()):
            _flatten(item, f"{what}.flat[{i}]", leaves)
        return lambda new: _array([next(new) for _ in range(count)], shape)
    if is_array(x) and isinstance(x.item(), Value):  # a 0-d array of objects
        leaves.append(x.item())
        return next
    try:
        leaves.append(as_float(x))
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    return next


def _array(items: list[Any], shape: tuple[int, ...]) -> Any:
    """An array of numbers or Values; of equal arrays or lists of numbers, the array that holds them all."""
    import numpy as np

    shapes = {item.shape if is_array(item) else _shape(item) for item in items}
    inner = shapes.pop() if len(shapes) == 1 else None
    if inner is not None:
        return np.array(items).reshape(shape + inner)
    result = np.empty(len(items), dtype=object)
    result[:] = items
    return result.reshape(shape)


def _shape(item: Any) -> tuple[int, ...] | None:
    """The shape of a number or of nested lists of numbers; None for anything that no array of numbers holds."""
    if isinstance(item, float | int):
        return ()
    if not isinstance(item, list) or not item:
        return None
    inner = {_shape(x) for x in item}
    (one,) = inner if len(inner) == 1 else (None,)
    return None if one is None else (len(item), *one)


def matched(x: Any, like: Any, what: str) -> list[Any]:
    """The leaves of x in the order of a structure that it must match: the same keys, lengths and shapes.

    Raises:
        ArgumentError: where it does not match, naming the place.
    """
    if isinstance(like, Mapping):
        if not isinstance(x, Mapping) or set(x) != set(like):
            raise ArgumentError(f"{what} must be a dict with the keys {list(like)}, as what it belongs to")
        return [leaf for key in like for leaf in matched(x[key], like[key], f"{what}[{key!r}]")]
    if isinstance(like, list | tuple):
        if not isinstance(x, list | tuple) or len(x) != len(like):
            raise ArgumentError(
                f"{what} must be a list or tuple of {len(like)}, as what it belongs to, not {_shown(x)}"
            )
        return [leaf for i, (a, b) in enumerate(zip(x, like, strict=True)) for leaf in matched(a, b, f"{what}[{i}]")]
    if is_array(like) and like.ndim:
        if not is_array(x) or x.shape != like.shape:
            raise ArgumentError(
                f"{what} must be an array of shape {like.shape}, as what it belongs to, not {_shown(x)}"
            )
        return flatten(x, what)[0]
    if isinstance(x, Mapping | list | tuple) or (is_array(x) and x.ndim):
        raise ArgumentError(f"{what} must be one number, as what it belongs to, not {_shown(x)}")
    return flatten(x, what)[0]


def _shown(x: Any) -> str:
    if is_array(x):
        return f"an array of shape {x.shape}"
    return f"{type(x).__name__} of {len(x)}" if isinstance(x, Mapping | list | tuple) else repr(x)
