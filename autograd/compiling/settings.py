"""The settings of ``compile``, checked at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, InputError
from ..text import shown

Axes = int | tuple[int | None, ...] | None


class Settings(NamedTuple):
    """The settings of a compiled function; see ``compile``."""

    in_axes: Axes
    reduce: str | None
    threads: int | None
    dtype: np.dtype[Any]
    strict: bool
    check: bool

    def axes(self, count: int) -> tuple[int | None, ...]:
        """The axis of the rows for each of so many arguments.

        Raises:
            ArgumentError: if ``in_axes`` is for another number of arguments.
        """
        if not isinstance(self.in_axes, tuple):
            return (self.in_axes,) * count
        if len(self.in_axes) != count:
            raise ArgumentError(f"in_axes is for {len(self.in_axes)} arguments, but {count} were given")
        return self.in_axes

    def varies(self, axes: Sequence[int | None]) -> tuple[bool, ...]:
        """For each argument whether it is compiled as one that differs from row to row.

        Where no argument has rows, all of them together are one row, because code for rows is faster than what is
        computed once a call. With ``reduce`` they stay shared: results are then sums over the rows.
        """
        alone = self.reduce is None and all(axis is None for axis in axes)
        return tuple([alone or axis is not None for axis in axes])

    def rows_first(self) -> bool:
        """Whether the rows of every argument that has any lie along its first axis."""
        listed = self.in_axes if isinstance(self.in_axes, tuple) else (self.in_axes,)
        return all(axis is None or axis == 0 for axis in listed)


def checked(
    f: Callable[..., Any], in_axes: Any, reduce: Any, threads: Any, dtype: Any, strict: Any, check: Any
) -> Settings:
    """The settings, checked and in one form.

    Raises:
        InputError, ArgumentError: if one is invalid; the text says what is valid.
    """
    if not callable(f):
        raise InputError(f"compile takes a function, not {shown(f)}")
    if inspect.iscoroutinefunction(f) or inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f):
        raise InputError("compile takes a function that returns its results; this one is a coroutine or a generator")
    if not (reduce is None or (isinstance(reduce, str) and reduce in ("sum", "mean"))):
        raise ArgumentError(f"reduce is 'sum', 'mean' or None, not {shown(reduce)}")
    for name, flag in (("strict", strict), ("check", check)):
        if not isinstance(flag, bool | np.bool_):
            raise InputError(f"{name} is True or False, not {shown(flag)}")
    return Settings(_axes(in_axes, f), reduce, _threads(threads), _dtype(dtype), bool(strict), bool(check))


def _threads(threads: Any) -> int | None:
    if threads is None:
        return None
    count = _whole(threads)
    if count is None or count < 1:
        raise ArgumentError(
            f"threads is a whole number from 1 on, or None for an automatic choice, not {shown(threads)}"
        )
    return count


def _dtype(dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype if isinstance(dtype, str | type | np.dtype) else "V")
    except (TypeError, ValueError):
        found = np.dtype("V")
    if found not in (np.float64, np.float32):
        raise ArgumentError(f"dtype is 'float64' or 'float32', not {shown(dtype)}")
    return found


def _axes(in_axes: Any, f: Callable[..., Any]) -> Axes:
    if in_axes is None or (axis := _whole(in_axes)) is not None:
        return None if in_axes is None else axis
    listed = isinstance(in_axes, Iterable) and getattr(in_axes, "ndim", 1) > 0
    if not listed or isinstance(in_axes, str | bytes | Mapping | set | frozenset):
        raise ArgumentError(
            f"in_axes is an axis (a whole number), None, or a sequence with one of those for each argument, "
            f"not {shown(in_axes)}"
        )
    found = []
    for given in in_axes:
        axis = _whole(given)
        if axis is None and given is not None:
            raise ArgumentError(f"in_axes holds axes (whole numbers) and None, not {shown(given)}")
        found.append(axis)
    try:
        takes = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # it does not tell its parameters
        return tuple(found)
    positional = [p for p in takes if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in positional)
    most = None if any(p.kind is p.VAR_POSITIONAL for p in takes) else len(positional)
    if len(found) < needed or (most is not None and len(found) > most):
        count = f"{needed}" if most == needed else f"at least {needed}" if most is None else f"{needed} to {most}"
        raise ArgumentError(f"in_axes is for {len(found)} arguments, but the function takes {count}")
    return tuple(found)


def _whole(x: Any) -> int | None:
    """A whole number of any type; None for everything else, also for bool."""
    if isinstance(x, bool | np.bool_):
        return None
    try:
        return index(x)
    except TypeError:
        return None
