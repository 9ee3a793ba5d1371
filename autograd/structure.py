"""Structured arguments: nested lists, tuples, dicts and NumPy arrays of numbers, as a flat list and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    try:
        leaves.append(as_float(x))
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    return next


def _array(items: list[Any], shape: tuple[int, ...]) -> Any:
    import numpy as np

    inner = items[0].shape if items and is_array(items[0]) else ()
    numeric = not any(isinstance(item, Value | list | tuple | dict) for item in items)
    if numeric and all((item.shape if is_array(item) else ()) == inner for item in items):
        return np.array(items).reshape(shape + inner)
    result = np.empty(len(items), dtype=object)
    result[:] = items
    return result.reshape(shape)


def same_leaves(x: Any, like: Sequence[Any], what: str) -> list[Any]:
    """The leaves of x, checked to be as many as those of the structure it belongs to."""
    leaves, _ = flatten(x, what)
    if len(leaves) != len(like):
        raise ArgumentError(f"{what} must match what it belongs to: {len(like)} numbers are needed, not {len(leaves)}")
    return leaves
