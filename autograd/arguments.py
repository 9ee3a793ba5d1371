"""The arguments of a function: which ones ``argnums`` selects, their names, those given by keyword, and settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from operator import index
from types import FunctionType, MethodType
from typing import Any

from .errors import ArgumentError, InputError
from .text import shown

Argnums = int | Sequence[int]


def called(f: Callable[..., Any]) -> str:
    """The name of a function in error messages."""
    return getattr(f, "__name__", None) or type(f).__name__


def indices(argnums: Any, count: int, name: str) -> int | tuple[int, ...]:
    """``argnums`` checked, as an index from 0 or several: negative ones count from the end.

    Args:
        argnums: anything that Python takes as an index, or several.
        count: how many arguments the function was called with.
        name: the name of the function.

    Raises:
        InputError: if one of them is not a whole number.
        ArgumentError: if there is no such argument, one is named twice, or none at all.

    >>> indices((0, -1), 3, "f")
    (0, 2)
    """
    try:
        return _index(argnums, argnums, count, name)
    except InputError:
        if not isinstance(argnums, Iterable) or getattr(argnums, "ndim", 1) == 0:
            raise
        if isinstance(argnums, str | bytes | Mapping | Set | Iterator):  # no order, or gone after one call
            raise
    found = tuple([_index(k, argnums, count, name) for k in argnums])
    if not found:
        raise ArgumentError("argnums names no argument; give an index such as 0, or several such as (0, 1)")
    if len(set(found)) != len(found):
        raise ArgumentError(f"argnums={shown(argnums)} names an argument twice")
    return found


def _index(k: Any, argnums: Any, count: int, name: str) -> int:
    try:
        if isinstance(k, bool):
            raise TypeError
        i = index(k)
    except TypeError:
        raise InputError(f"argnums are indices of arguments (0, 1 …), not {shown(k)}") from None
    if not -count <= i < count:
        raise ArgumentError(
            f"argnums={shown(argnums)} names argument {shown(i)}, but {name} was called with {count} arguments"
        )
    return i % count


def whole(what: str, n: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number of Python or NumPy, checked against its limits.

    Raises:
        ArgumentError: for anything else; a bool is not a number here.
    """
    is_index = hasattr(type(n), "__index__") and not isinstance(n, bool) and not hasattr(n, "__len__")
    found = index(n) if is_index else None
    if found is None or found < least or (most is not None and found > most):
        limits = f"from {least} on" if most is None else f"from {least} to {most}"
        raise ArgumentError(f"{what} is a whole number {limits}, not {shown(n)}")
    return found


def flag(what: str, x: Any) -> bool:
    """True or False, of Python or NumPy.

    Raises:
        InputError: for anything else.
    """
    numpy = sys.modules.get("numpy")
    if not (isinstance(x, bool) or (numpy is not None and isinstance(x, numpy.bool_))):
        raise InputError(f"{what} is True or False, not {shown(x)}")
    return bool(x)


def parameters(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that can be given by position; empty where they are not known."""
    while (inner := getattr(f, "__wrapped__", None)) is not None and not hasattr(f, "__signature__"):
        f = inner
    skipped = 0
    if isinstance(f, MethodType):
        f, skipped = f.__func__, 1  # self
    if isinstance(f, FunctionType) and not hasattr(f, "__signature__"):
        return f.__code__.co_varnames[skipped : f.__code__.co_argcount]
    from inspect import signature

    try:
        listed = signature(f).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in listed if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))[skipped:]


def takes(f: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with that many arguments by position.

    Where this is not known it is true for functions, and false for types, such as ``int`` and ``dict``.
    """
    from inspect import signature

    try:
        signature(f).bind(*(None,) * count)
    except ValueError:
        return not isinstance(f, type)
    except TypeError:
        return False
    return True


def by_position(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call's arguments, with each keyword argument moved to the position of its parameter.

    Earlier parameters that are not given take their defaults. Keyword-only arguments stay keywords.

    Raises:
        InputError: if the function cannot be called with these arguments.

    >>> by_position(lambda x, y=1.0, z=2.0: x, (5.0,), {"z": 3.0})
    ((5.0, 1.0, 3.0), {})
    """
    if not kwargs:
        return tuple(args), kwargs
    from inspect import signature

    try:
        described = signature(f)
        described.bind(*args, **kwargs)
    except ValueError:  # a builtin function without a signature
        return tuple(args), kwargs
    except TypeError as error:
        raise InputError(f"{called(f)}: {error}") from None
    placed, rest = list(args), dict(kwargs)
    listed = list(described.parameters.values())[len(args) :]
    last = max((k for k, p in enumerate(listed) if p.kind is p.POSITIONAL_OR_KEYWORD and p.name in rest), default=-1)
    for p in listed[: last + 1]:
        placed.append(p.default if p.kind is p.POSITIONAL_ONLY else rest.pop(p.name, p.default))
    return tuple(placed), rest
