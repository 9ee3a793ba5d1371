"""An entry: a function of Python that makes one known call of a compiled function, all of it in native code.

A call is known by the types and shapes of its arguments. The entry checks that they are as they were, reads their
numbers, runs the program and makes the results. Where anything differs it returns None and has changed nothing: another
type or shape, arrays that overlap, leaves without floats, a result that is not finite, a call in progress.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..value import Value
from . import entry_code, native, objects
from .call import Call, Outcome
from .prepared import Prepared
from .record import ANY, Argument, Field, Leaf, Result, Word
from .settings import Settings
from .want import size
from .workspace import address

RELEASED = 1e-4  # seconds: in shorter calls other threads of Python wait
_FASTCALL = 0x80  # Python's METH_FASTCALL


class Entry(NamedTuple):
    """How a known call is made.

    Attributes:
        prepared: the program.
        argnums: the arguments that derivatives are taken in, the very object.
        run: takes a tuple of arguments (tangents last), and None, an array or a tuple of arrays for results by row.
        build: makes what is to be returned of what ``run`` returns; None if that is it.
    """

    prepared: Prepared
    argnums: Any
    run: Callable[[tuple[Any, ...], Any], Any]
    build: Callable[[Any], Any] | None


def entry(
    call: Call, argnums: Any, args: Sequence[Any], outcome: Outcome, settings: Settings, variant: str, seconds: float
) -> Entry | None:
    """The entry for calls like one that was made; None if there can be none.

    Args:
        call: the call's common data.
        argnums: the arguments that derivatives are taken in.
        args: its arguments, and tangents after them.
        outcome: its results.
        settings: the function's.
        variant: the method's name. If it is ``backward``, the entry adds to the leaves' grad and returns the value.
        seconds: what the call took.
    """
    prepared, rows, backward = call.prepared, call.n_rows, variant == "backward"
    results = [size(shape) for shape in call.shapes] + [size(shape) for _, shape in prepared.want.sums]
    if not rows or not results or not all(results) or not all(map(_has_slots, prepared.leaves)):
        return None
    make, code = _maker(), prepared.task.code(rows == 1) if native.available() else None
    found = None if code is None or make is None or len(code.runs(rows)) > 1 else code.connection()
    layout = objects.layout()
    if make is None or found is None or layout is None:
        return None
    tables = _Tables(found.kept)
    steps = [0] if backward else _steps(outcome.result, outcome.objects)
    build: Callable[[Any], Any] | None = None
    if variant == "leaf_gradients":
        build = lambda found: (found[0], prepared.leaves, found[1])
    elif steps is None:
        by_row = len(call.shapes)
        build = lambda found: prepared.pick(list(found[:by_row]), list(found[by_row:]))
    if steps is None:
        steps = [*range(len(outcome.objects)), -len(outcome.objects)]
    arguments, shared, arrays = _arguments(call, args, settings, tables, found.words[Field.PARAMETERS])
    record = {
        **found.words,
        Field.NONE: id(None),
        Field.FLOAT: id(float),
        Field.NDARRAY: id(np.ndarray),
        Field.TUPLE: id(tuple),
        Field.DATA: layout.data,
        Field.GRAD: layout.grad,
        Field.ROWS: rows,
        Field.ARGUMENTS: len(arguments),
        Field.ARGUMENT_TABLE: tables.rows(Argument, arguments),
        Field.ARRAYS: tables.words(arrays),
        Field.STEPS: len(steps),
        Field.STEP_TABLE: tables.words(steps),
        Field.STACK: tables.room(len(steps) + 1),
        Field.LEAVES: len(prepared.leaves),
        Field.LEAF_TABLE: tables.rows(Leaf, [{Leaf.VALUE: id(leaf)} for leaf in prepared.leaves]),
        Field.LEAF_PARAMETER: shared,
        Field.BACKWARD: backward,
        Field.RELEASES: seconds > RELEASED,
        Field.MEAN: settings.reduce == "mean",
    }
    record[Field.FINITE] |= settings.check
    shown = _results(call, settings, record, tables)
    shown = shown[:1] if backward else shown
    record |= {
        Field.BY_ROW: len(call.shapes),
        Field.RESULTS: len(shown),
        Field.RESULT_TABLE: tables.rows(Result, shown),
        Field.FOUND: tables.room(len(shown)),
    }
    kept = (tables.array([record.get(field, 0) for field in Field]), tables.kept, tuple(prepared.leaves))
    return Entry(prepared, argnums, make(kept), build)


class _Tables:
    """Makes tables in memory, and keeps them."""

    def __init__(self, kept: Sequence[Any]) -> None:
        self.kept = list(kept)

    def array(self, words: Sequence[int]) -> Any:
        """A table, as an array."""
        array = np.array([*words, 0], dtype=np.int64)
        self.kept.append(array)
        return array

    def words(self, words: Sequence[int]) -> int:
        """Where a table is."""
        return address(self.array(words))

    def room(self, words: int) -> int:
        """Memory for so many words."""
        return self.words([0] * words)

    def rows(self, kind: type[Word], rows: Sequence[Mapping[Any, int]]) -> int:
        """Where a table with such rows is; words that are not given are 0."""
        return self.words([row.get(word, 0) for row in rows for word in kind])

    def lengths(self, shape: Sequence[int], item: int, by_row: bool) -> int:
        """Where the lengths of the axes and their strides are: each row in one piece."""
        strides, stride = [], item
        for length in reversed(shape):
            strides.append(ANY if length == 1 else stride)
            stride *= length
        strides.reverse()
        if by_row:
            strides[0] = ANY
        return self.words([*shape, *strides])


def _arguments(
    call: Call, args: Sequence[Any], settings: Settings, tables: _Tables, parameters: int
) -> tuple[list[dict[Argument, int]], int, list[int]]:
    """The rows of the table of arguments, how many parameters they take, and the table of arrays.

    That table has for each array where it begins, which a call sets unless it is a float, and the bytes from row to
    row. ``parameters`` is where the first parameter is.
    """
    rows, parameter = [], 0
    kind = settings.dtype
    scratch = tables.room(len(args))
    arrays = [0] * (2 * (len(call.varying) + len(call.shapes)))
    for k, given in enumerate(args):
        is_shared = k in call.shared
        row = {
            Argument.PARAMETER: parameter if is_shared else -1,
            Argument.ARRAY: call.varying.index(k) if k in call.varying else -1,
            Argument.HAS_ROWS: call.has_rows and not is_shared,
        }
        if type(given) is float:
            row[Argument.NUMBER] = parameters + parameter * kind.itemsize if is_shared else scratch + 8 * k
            if not is_shared:
                arrays[2 * row[Argument.ARRAY]] = row[Argument.NUMBER]
        else:
            row |= {
                Argument.KIND: objects.kind_of(kind),
                Argument.AXES: given.ndim,
                Argument.LENGTHS: tables.lengths(given.shape, kind.itemsize, bool(row[Argument.HAS_ROWS])),
                Argument.BYTES: kind.itemsize * size(given.shape[1:] if row[Argument.HAS_ROWS] else given.shape),
            }
        parameter += (1 if type(given) is float else given.size) if is_shared else 0
        rows.append(row)
    return rows, parameter, arrays


def _results(call: Call, settings: Settings, record: dict[Field, int], tables: _Tables) -> list[dict[Result, int]]:
    """The rows of the table of results: by row, then sums."""
    rows, place = [], 0
    kind, double = settings.dtype, np.dtype(np.float64)
    tables.kept += [kind, double]
    scratch = tables.room(len(call.shapes))
    want = call.prepared.want
    for k, (shape, by_row) in enumerate(zip(call.shapes, want.results, strict=True)):
        stride = size(by_row.shape) * kind.itemsize
        rows.append(
            {
                Result.KIND: objects.kind_of(kind),
                Result.DTYPE: id(kind),
                Result.AXES: len(shape),
                Result.LENGTHS: tables.lengths(shape, kind.itemsize, False),
                Result.IS_FLOAT: not shape,
                Result.NUMBERS: scratch + 8 * k,
                Result.ITEM: kind.itemsize,
                Result.BYTES: size(shape) * kind.itemsize,
                Result.ARRAY: len(call.varying) + k,
                Result.STRIDE: stride,
                Result.SHARE: size(shape) if by_row.is_slope else 0,
            }
        )
    for nodes, shape in want.sums:
        rows.append(
            {
                Result.DTYPE: id(double),
                Result.AXES: len(shape),
                Result.LENGTHS: tables.lengths(shape, 8, False),
                Result.IS_FLOAT: not shape,
                Result.NUMBERS: record[Field.SUMS] + 8 * place,
                Result.ITEM: 8,
                Result.BYTES: size(shape) * 8,
            }
        )
        place += len(nodes)
    return rows


def _steps(result: Any, objects: Sequence[Any]) -> list[int] | None:
    """How a result is made of objects in tuples, each object once; None if it is made in another way."""
    number = {id(x): k for k, x in enumerate(objects)}
    steps: list[int] = []
    open_ = [(result, False)]
    while open_:
        x, is_done = open_.pop()
        if is_done:
            steps.append(-len(x))
        elif id(x) in number:
            steps.append(number.pop(id(x)))
        elif type(x) is tuple and x:
            open_.append((x, True))
            open_ += [(part, False) for part in reversed(x)]
        else:
            return None
    return None if number else steps


def _has_slots(leaf: Value) -> bool:
    """Whether the numbers of a leaf are where a Value has them."""
    kind = type(leaf)
    return all(getattr(kind, name) is getattr(Value, name) for name in ("data", "grad"))


# Making one ----------------------------------------------------------------------------------------------------------


class _Definition(ctypes.Structure):
    """Python's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@cache
def _maker() -> Callable[[tuple[Any, ...]], Callable[..., Any]] | None:
    """What makes an entry of a tuple that begins with a record; None where native code cannot read Python's objects."""
    layout = objects.layout()
    if layout is None:
        return None
    native.make_known(layout.functions)
    code = native.Loaded([(entry_code.text(), 2)], native.host(), ("entry",))
    definition = _Definition(b"entry", code.addresses["entry"], _FASTCALL, None)
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    make = kind(("PyCFunction_NewEx", ctypes.pythonapi))
    where = ctypes.addressof(definition)
    return lambda kept: make(where, (*kept, code, definition), None)
