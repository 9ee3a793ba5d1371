"""Arrays in and out: checked, brought to an order with the rows first, and cut into runs of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, InputError
from ..structure import holds_values, numbers
from ..value import Value, as_float
from .buffers import BUFFERS

_PLAIN = (np.dtype(np.float64), np.dtype(np.float32))
RUN = 4096  # rows that are summed up by themselves, and converted at once
RUNS = 64  # but no more runs than this
WORTH_A_RUN = 2**25  # operations, about a millisecond: with fewer, few rows are one run


class Argument(NamedTuple):
    """One argument of a call.

    Attributes:
        array: rows along the first axis, or for a shared argument the numbers.
        shape: what one row of it holds.
        axis: which axis of what was given the rows are along; None for a shared argument.
    """

    array: Any
    shape: tuple[int, ...]
    axis: int | None


def read_argument(given: Any, axis: int | None, what: str) -> Argument:
    """An argument as an array of numbers, its rows first.

    Raises:
        InputError: if it does not hold real numbers.
        ArgumentError: if it has no such axis.
    """
    if type(given) is np.ndarray and given.dtype in _PLAIN and (axis is None or (axis == 0 and given.ndim)):
        return Argument(given, given.shape if axis is None else given.shape[1:], axis)
    if isinstance(given, float | int) and not isinstance(given, bool):
        array = np.asarray(as_float(given))
    else:
        try:
            array = np.asarray(given)
        except ValueError:
            numbers(given, what)  # raises an error that names the place of anything that is not a number
            raise ArgumentError(
                f"{what} is ragged: its rows differ in length, or it is nested deeper than an array can be"
            ) from None
    if isinstance(given, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array, and masks are not looked at; fill it first, with .filled(...)")
    if array.dtype.kind == "O":
        if holds_values(array):
            raise InputError(f"{what} holds Values; compiled derivatives take arrays of numbers")
        try:
            array = np.array([as_float(x) for x in array.flat]).reshape(array.shape)
        except InputError as error:
            raise InputError(f"{what}: {error}") from None
    if array.dtype.kind not in "fiu":
        hint = "; use .astype(float) if 1.0 and 0.0 are meant" if array.dtype.kind == "b" else ""
        raise InputError(f"{what} holds {array.dtype} where real numbers are needed{hint}")
    if axis is None:
        return Argument(array, array.shape, None)
    if not -array.ndim <= axis < array.ndim:
        raise ArgumentError(
            f"{what} has {array.ndim} dimensions and no axis {axis} for the rows; give an array with a row for each "
            "evaluation, or in_axes=None for an argument that all rows share"
        )
    array = np.moveaxis(array, axis, 0)
    return Argument(array, array.shape[1:], axis)


def assigned(leaves: Sequence[Value], given: Sequence[Any], read: Callable[[Value], float]) -> Any:
    """An array of the numbers of leaves, which may have been assigned to: then ``read`` gives them, or an error."""
    try:
        found = np.array(given)
        if found.dtype == np.float64 and found.ndim == 1:
            return found
    except (TypeError, ValueError, OverflowError):  # read one by one below
        pass
    return np.array([read(leaf) for leaf in leaves])


def zeros_like(given: Any, what: str) -> Any:
    """Zeros in the shape of an argument."""
    return np.zeros(read_argument(given, None, what).shape)


def count_rows(arguments: Sequence[Argument], names: Sequence[str]) -> int:
    """How many rows there are; 1 if no argument has rows."""
    found = [len(a.array) for a in arguments if a.axis is not None]
    if found and found.count(found[0]) != len(found):
        named = [(len(a.array), name) for a, name in zip(arguments, names, strict=True) if a.axis is not None]
        listed = ", ".join(f"{name} has {n}" for n, name in named)
        raise ArgumentError(f"all arguments need the same number of rows: {listed}")
    return found[0] if found else 1


def runs(rows: int, block: int, operations: int) -> list[tuple[int, int]]:
    """The rows in runs that depend only on the program and the number of rows, so that sums do not depend on threads.

    Args:
        rows: how many rows there are.
        block: how many are computed together.
        operations: how many are done for a row.
    """
    long_enough = rows * operations // WORTH_A_RUN
    by_work = min(1 << (long_enough.bit_length() - 1), RUNS) if long_enough else 1
    size = min(max(RUN, -(-rows // RUNS)), -(-rows // by_work))
    size = max(1, -(-size // block)) * block
    return [(start, min(start + size, rows)) for start in range(0, rows, size)] or [(0, 0)]


def pieces(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The rows of a run in pieces that are small enough to be copied."""
    for at in range(start, stop, RUN):
        yield at, min(at + RUN, stop)


def is_plain(array: Any, dtype: Any) -> bool:
    """Whether native code can read the rows where they are: the right numbers, each row in one piece."""
    if array.dtype != dtype or not array.dtype.isnative or not array.flags.aligned:
        return False
    expected = array.itemsize
    for length, stride in zip(reversed(array.shape[1:]), reversed(array.strides[1:]), strict=True):
        if length > 1 and stride != expected:
            return False
        expected *= length
    return True


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array for results, whose numbers are not set."""
    try:
        return BUFFERS.array(shape, dtype)
    except (MemoryError, ValueError):  # too large for this machine, or for any machine
        raise MemoryError(f"a result of shape {shape} does not fit into memory; give a np.memmap as out=") from None


def result_array(given: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The array that was given for a result, checked; a new one for None.

    Raises:
        InputError: if it is no array.
        ArgumentError: if the result cannot be written into it.
    """
    if given is None:
        return empty(shape, dtype)
    if not isinstance(given, np.ndarray):
        raise InputError(f"the result is written into a NumPy array, not {type(given).__name__}")
    if isinstance(given, np.ma.MaskedArray):
        raise InputError("the result is written into a plain array, not a masked one: its mask would stay as it is")
    if given.shape != shape:
        raise ArgumentError(f"the result has shape {shape}, the array given for it {given.shape}")
    if given.dtype.kind not in "fcO" or not np.can_cast(dtype, given.dtype, "same_kind"):  # text would be cut
        raise ArgumentError(f"the result is of {np.dtype(dtype)} and cannot be written into an array of {given.dtype}")
    if not given.flags.writeable:
        raise ArgumentError("the array given for the result is read-only")
    return given
