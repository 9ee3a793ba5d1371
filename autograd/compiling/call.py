"""One call: reads its arguments, allocates and fills the arrays of results, and builds the returned structure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, InputError
from ..structure import MOST_AXES, cut
from ..value import Value, as_float
from .arrays import Argument, assigned, count_rows, empty, read_argument, result_array
from .prepared import Prepared
from .settings import Settings
from .want import size


class Call(NamedTuple):
    """The common data of calls with arrays of the same shapes.

    Attributes:
        prepared: the program for them.
        n_rows: how many there are.
        has_rows: whether any argument has rows; if none has, results have no axis for them.
        axes: for each argument the axis that its rows were along, or None.
        varying: which of the arrays (tangents after arguments) are compiled as arrays with rows. If there are no rows,
            each of them is one row.
        shared: which of them all rows share.
        shapes: of the arrays of results by row.
        entries: what makes such a call natively, by method; None where that is not possible.
    """

    prepared: Prepared
    n_rows: int
    has_rows: bool
    axes: list[int | None]
    varying: list[int]
    shared: list[int]
    shapes: list[tuple[int, ...]]
    entries: dict[str, Any]


class Outcome(NamedTuple):
    """The results of a call.

    Attributes:
        result: what is returned.
        arrays: the arrays of results by row, rows first.
        sums: the sums over the rows.
        leaves: the leaf Values that the function closes over.
        objects: what the result is made of: arrays or floats, those by row, then sums.
    """

    result: Any
    arrays: list[Any]
    sums: Any
    leaves: list[Value]
    objects: list[Any]


def key(kind: str, argnums: Any, args: Sequence[Any]) -> Hashable:
    """The key of a call with plain arrays of floats, rows first, and floats; None for calls that need conversion."""
    for a in args:
        if type(a) is not float and (type(a) is not np.ndarray or a.dtype.kind != "f"):
            return None
    if type(argnums) is not int and (type(argnums) is not tuple or any(type(k) is not int for k in argnums)):
        return None
    shapes = [None if type(a) is float else a.shape for a in args]
    return kind, argnums, tuple(shapes), tuple([8 if type(a) is float else a.itemsize for a in args])


def read(
    args: Sequence[Any], tangents: Sequence[Any], names: Sequence[str], settings: Settings
) -> tuple[list[Argument], int]:
    """The arguments, and tangents after them, as arrays with their rows first; and how many rows there are.

    Raises:
        InputError, ArgumentError: if they are no numbers, or their shapes do not fit.
    """
    axes = settings.axes(len(args))
    given = [read_argument(a, axis, name) for a, axis, name in zip(args, axes, names, strict=True)]
    along = [
        read_argument(a, axis, f"the tangent of {name}") for a, axis, name in zip(tangents, axes, names, strict=False)
    ]
    for primal, tangent, name in zip(given, along, names, strict=False):
        if tangent.array.shape != primal.array.shape:
            raise ArgumentError(
                f"the tangent of {name} must have its shape {primal.array.shape}, not {tangent.array.shape}"
            )
    count = count_rows(given, names)
    if settings.reduce == "mean" and not count:
        raise ArgumentError("the mean over no rows has no value; give at least one row, or use reduce='sum'")
    return [*given, *along], count


def known(prepared: Prepared, arguments: Sequence[Argument], count: int, primals: int) -> Call:
    """What is known of calls with such arguments, of which so many are no tangents."""
    axes = [a.axis for a in arguments]
    has_rows = any(axis is not None for axis in axes)
    varies = prepared.question.varies * 2  # a tangent as its argument
    most = max((len(shape) for _, shape, _ in prepared.want.results), default=0)
    limit = MOST_AXES if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
    if most >= limit:
        raise ArgumentError(f"a result has {most} axes and one of rows; an array has at most {limit}")
    return Call(
        prepared,
        count,
        has_rows,
        axes[:primals],
        [k for k, a in enumerate(arguments) if varies[k] and size(a.shape)],
        [k for k in range(len(arguments)) if not varies[k]],
        [(count, *shape) if has_rows else shape for _, shape, _ in prepared.want.results],
        {},
    )


def resized(call: Call, n_rows: int) -> Call:
    """The same with another number of rows."""
    return call._replace(n_rows=n_rows, shapes=[(n_rows, *shape[1:]) for shape in call.shapes])


def run(call: Call, arrays: Sequence[Any], settings: Settings, out: Any, data: Any) -> Outcome:
    """Run a task on the arrays of a call.

    Args:
        call: its common data.
        arrays: its arguments, and tangents after them, rows first.
        settings: the function's.
        out: arrays to write results by row into, or None.
        data: numbers for the leaves that the function closes over, instead of their own.
    """
    prepared = call.prepared
    want, count = prepared.want, call.n_rows
    inputs = [arrays[k] if call.has_rows else arrays[k][None] for k in call.varying]
    outputs = [empty(shape, settings.dtype) for shape in call.shapes] if out is None else _given(call, settings, out)
    written = outputs if call.has_rows else [a.reshape(1, *a.shape) for a in outputs]
    direct = written
    if out is not None and any(np.may_share_memory(a, b) for a in written for b in inputs):
        direct = [np.empty(a.shape, settings.dtype) for a in written]
    with np.errstate(all="ignore"):
        sums = prepared.task.run(inputs, _shared(call, arrays, data), count, direct, settings.threads)
    if direct is not written:
        for a, b in zip(written, direct, strict=True):
            a[...] = b
    if settings.reduce == "mean":
        sums = sums / count
        for a, array in zip(written, want.results, strict=True):
            if array.is_slope:
                a /= count
    parts = []
    for sum_, (_, shape) in zip(cut(sums, prepared.lengths), want.sums, strict=True):
        parts.append(sum_.reshape(shape) if shape else float(sum_[0]))
    shown = outputs if call.has_rows or out is not None else [a if a.ndim else float(a) for a in outputs]
    return Outcome(prepared.pick(shown, parts), written, sums, prepared.leaves, [*shown, *parts])


def _shared(call: Call, arrays: Sequence[Any], data: Any) -> Any:
    """The numbers that all rows share, those of the leaves last."""
    numbers = [arrays[k].ravel() for k in call.shared]
    leaves = call.prepared.leaves
    if leaves or data is not None:
        given = data is not None
        own = read_argument(data, None, "data").array if given else leaf_numbers(leaves)
        if own.shape != (len(leaves),):
            raise ArgumentError(f"data needs {len(leaves)} numbers, one for each leaf, not {own.shape}")
        if not numbers:
            return own
        numbers.append(own)
    return np.concatenate(numbers) if numbers else ()  # a copy, because results may overwrite an argument


def leaf_numbers(leaves: Sequence[Value]) -> Any:
    """An array of the leaves' numbers."""
    return assigned(leaves, [x.data for x in leaves], _data)


def _data(leaf: Value) -> float:
    """The number of a leaf that was assigned to."""
    try:
        return as_float(leaf.data)
    except InputError as error:
        raise InputError(f"the data of {'a leaf' if leaf.name is None else repr(leaf.name)}: {error}") from None


def _given(call: Call, settings: Settings, out: Any) -> list[Any]:
    """The arrays that were given for results by row, checked."""
    outs: Sequence[Any] = out if isinstance(out, list | tuple) else (out,)
    if not call.shapes:
        raise ArgumentError("out is for results by row, and here there are none: all are summed over the rows")
    if len(outs) != len(call.shapes):
        raise ArgumentError(
            f"out needs {len(call.shapes)} arrays, one for each array of results by row, not {len(outs)}"
        )
    arrays = [result_array(o, shape, settings.dtype) for o, shape in zip(outs, call.shapes, strict=True)]
    for k, a in enumerate(arrays):
        for b in arrays[:k]:
            if np.may_share_memory(a, b) and np.shares_memory(a, b):
                raise ArgumentError("two of the arrays given as out overlap: each result needs an array of its own")
    return arrays
