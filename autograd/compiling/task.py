"""A task: one program, made ready to run over rows: the code, the workspace, the threads."""

from __future__ import annotations

import ctypes
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from . import locks, native, rows, threads
from .emit import Code, emit
from .program import SHARED, Program
from .replay import python_function, replay
from .schedule import Schedule, schedule

WORKSPACE = 2**20  # bytes that a block of rows may take: about what stays in a core's own cache
THOROUGH = 3000  # up to so many instructions LLVM takes its time


@cache
def _warn_once() -> None:
    warnings.warn(
        "llvmlite is not installed, so compiled functions run on NumPy, several times slower. "
        "Install it with:  pip install 'scalar-autograd[compile]'",
        RuntimeWarning,
        stacklevel=2,
    )


class Task:
    """A program over arrays.

    Args:
        program: the program.
        arrays: for each input array the places of its row inputs.
        results: for each output array the instructions it gets.
        dtype: of the numbers.
        target: the machine to make code for; this one if None.
        careful: makes the task that works out again what is not finite; None if this one is careful itself.

    Attributes:
        seconds: what compiling took.
        was_cached: whether the machine code was there already.
        bytes_a_row: how much workspace a row takes.
    """

    def __init__(
        self,
        program: Program,
        arrays: Sequence[Sequence[int]],
        results: Sequence[Sequence[int]],
        dtype: Any,
        target: native.Target | None,
        careful: Callable[[], Task] | None = None,
    ) -> None:
        self.careful = None if careful is None else cache(careful)
        self.program, self.arrays, self.results = program, arrays, results
        self.dtype = np.dtype(dtype)
        self.seconds, self.was_cached, self.bytes_a_row = 0.0, False, 0
        self._target = target
        self._plan: Schedule | None = None
        self._codes: dict[bool, _Native] = {}
        self._lock = threading.RLock()
        locks.renew_after_fork(self)

    def run(self, inputs: Sequence[Any], shared: Any, count: int, outputs: Sequence[Any], wanted: int | None) -> Any:
        """Go through the rows.

        Args:
            inputs: arrays with ``count`` rows each.
            shared: an array of the shared inputs' numbers.
            count: how many rows.
            outputs: arrays that get the results.
            wanted: how many threads at most; None for as many as are worth it.

        Returns:
            the sums over the rows.
        """
        if not native.available():
            _warn_once()
            task = self if self.careful is None else self.careful()
            return replay(task.program, self.arrays, task.results, inputs, shared, count, outputs, self.dtype)
        return self.code(count == 1).run(inputs, shared, count, outputs, wanted)

    def code(self, one_row: bool) -> _Native:
        """The machine code, made when it is first needed: for one row, or for blocks of them."""
        found = self._codes.get(one_row)
        if found is None:
            with self._lock:
                found = self._codes.get(one_row)
                if found is None:
                    start = time.perf_counter()
                    if self._plan is None:
                        self._plan = schedule(self.program)
                    found = _Native(self, self._plan, one_row, self._target or native.host())
                    self.was_cached = found.machine.was_cached
                    self.bytes_a_row = self._plan.slots * self.dtype.itemsize
                    self.seconds += time.perf_counter() - start
                    self._codes[one_row] = found
        return found


class _Native:
    """A task's machine code: for blocks of rows, or for one row at a time."""

    def __init__(self, task: Task, plan: Schedule, one_row: bool, target: native.Target) -> None:
        item = "double" if task.dtype.itemsize == 8 else "float"
        block = target.block(item, 4)
        if one_row:
            block = block.scalar()
        else:
            while block.vectors > 1 and plan.slots * block.slot_bytes > WORKSPACE:
                block = target.block(item, block.vectors // 2)
        strict = task.program.strict

        def library(op: str, lanes: int) -> str | None:
            return None if strict else native.vector_function_name(op, lanes, item)

        self.code: Code = emit(plan, block, task.arrays, task.results, library)
        effort = 2 if self.code.instructions <= THOROUGH else 0
        modules = [(text, effort) for text in self.code.texts]
        self.machine = native.Machine([*modules, (self.code.kernels, 2)], target)
        self.code.texts.clear()
        self.dtype = task.dtype
        self._block = block.rows
        self._lanes = block.lanes
        self._space = plan.slots * block.slot_bytes
        self._work = len(task.program.code)
        self._accumulators = plan.accumulators
        self._sums = len(task.program.sums)
        self._pack = np.array(self.code.packed, dtype=np.intp)
        self._task, self._one_row = task, one_row
        level = task.program.level
        same = [i for wanted in task.results for i in wanted if level[i] == SHARED]
        same += [i for i in task.program.reciprocals if level[i] == SHARED and i in self.code.shared]
        self._same = np.array([self.code.shared[i] for i in same], dtype=np.intp)
        self._places = np.array(self.code.offsets, dtype=np.int32)
        self._places_at = _address(self._places)
        self.code.offsets.clear()
        self._ones = np.ones(block.lanes)
        self._prepares = bool(plan.prepare)
        self._errors = _Errors()
        self._calls, self._keep = _pointers(self.code.calls, task.program, self._errors)
        self._shares(plan)
        self._spare: list[_Space] = []

    def _shares(self, plan: Schedule) -> None:
        """How accumulators become sums: kept as arrays, so that this takes no loop."""
        shares = plan.shares
        self._result = np.array([s.result for s in shares], dtype=np.intp)
        self._source = np.array([s.accumulator for s in shares], dtype=np.intp)
        self._sign = np.array([s.sign for s in shares])
        self._signed = any(s.sign != 1.0 for s in shares)
        places = [None if s.scale is None else self.code.shared[s.scale] for s in shares]
        self._scaled = np.array([k for k, p in enumerate(places) if p is not None], dtype=np.intp)
        self._scale = np.array([p for p in places if p is not None], dtype=np.intp)
        self._one_each = len(shares) == self._sums and bool(np.all(self._result == np.arange(self._sums)))

    def run(self, inputs: Sequence[Any], shared: Any, count: int, outputs: Sequence[Any], wanted: int | None) -> Any:
        """As ``Task.run``."""
        pieces = [(0, count)] if count <= rows.RUN else rows.runs(count, self._block)
        workers = threads.workers(wanted, len(pieces), count * self._work)
        sums = np.zeros((len(pieces), self._sums))

        def work(mine: Iterable[int]) -> None:
            try:
                space = self._spare.pop()
            except IndexError:
                space = _Space(self)
            try:
                self._share(space, shared)
                for k in mine:
                    sums[k] = self._run(space, *pieces[k], inputs, outputs, shared)
            finally:
                self._spare.append(space)

        threads.run(work, len(pieces), workers)
        if len(pieces) == 1:
            return sums[0]
        total = np.zeros(self._sums)
        for run in sums:  # in order
            total += run
        return total

    def _share(self, space: _Space, shared: Any) -> None:
        """Bring what all rows share into a workspace."""
        if len(shared):
            space.params[: len(shared)] = shared
        if self._prepares:
            self.machine.prepare(space.params_at, self._calls)
            self._raise()
        if len(self._pack):
            space.params.take(self._pack, out=space.packed, mode="clip")  # "clip" takes no detour over a buffer

    def _run(
        self, space: _Space, start: int, stop: int, inputs: Sequence[Any], outputs: Sequence[Any], shared: Any
    ) -> Any:
        """Go through a run of rows; returns its sums. What is not finite is worked out again with care."""
        dtype = self.dtype
        if self._accumulators:
            space.sums.fill(0.0)
        space.flag[0] = 0
        plain = all(rows.is_plain(a, dtype) for a in (*inputs, *outputs))
        for lo, hi in ((start, stop),) if plain else rows.pieces(start, stop):
            taken = [_rows(a[lo:hi], dtype) for a in inputs]
            given = [a[lo:hi] for a in outputs]
            direct = given if plain else [a if rows.is_plain(a, dtype) else np.empty(a.shape, dtype) for a in given]
            table: list[int] = []
            for a in (*taken, *direct):
                table += (_address(a), a.strides[0])
            arrays = (ctypes.c_int64 * len(table))(*table)
            at = (space.at, space.params_at, space.packed_at, space.sums_at, self._calls)
            self.machine.run(hi - lo, *at, ctypes.addressof(arrays), space.flag_at, self._places_at)
            self._raise()
            if not plain:
                for a, b in zip(given, direct, strict=True):
                    if a is not b:
                        a[...] = b
        sums = self._added(space.sums, stop - start, space.params)
        careful = self._task.careful
        if careful is not None and not (space.flag[0] == 0 and _finite(sums) and _finite(space.params[self._same])):
            part = [a[start:stop] for a in inputs], shared, stop - start, [a[start:stop] for a in outputs]
            return careful().code(self._one_row).run(*part, 1)
        return sums

    def _raise(self) -> None:
        """Raise what a function of Python's raised while native code called it."""
        if self._errors.found:
            error, self._errors.found = self._errors.found[0], []
            raise error

    def _added(self, sums: Any, count: int, params: Any) -> Any:
        """The sums that were asked for, from a run's accumulators."""
        if not self._sums:
            return ()
        every = np.empty(self._accumulators + 1)
        # The sum over the lanes, as a product: five times as quick as sums.sum(axis=1).
        np.dot(sums.astype(np.float64, copy=False), self._ones, out=every[:-1])
        every[-1] = count
        parts = every[self._source]
        if self._signed:
            parts *= self._sign
        if len(self._scaled):
            parts[self._scaled] *= params[self._scale]
        if self._one_each:
            return parts
        result = np.zeros(self._sums)
        np.add.at(result, self._result, parts)
        return result


class _Space:
    """A thread's workspace and accumulators, aligned as vectors are."""

    def __init__(self, code: _Native) -> None:
        size = code.dtype.itemsize
        self._slots = _aligned(max(1, code._space // size), code.dtype)
        self._sums = _aligned(max(1, code._accumulators * code._lanes), code.dtype)
        self.sums = self._sums[: code._accumulators * code._lanes].reshape(code._accumulators, code._lanes)
        self.params = _aligned(max(1, code.code.parameters), code.dtype)
        for place, constant in code.code.constants.items():
            self.params[place] = constant
        self.packed = _aligned(len(code._pack), code.dtype)
        self.flag = np.zeros(1, dtype=np.int64)
        self.at, self.sums_at, self.flag_at = _address(self._slots), _address(self._sums), _address(self.flag)
        self.params_at, self.packed_at = _address(self.params), _address(self.packed)


def _aligned(count: int, dtype: Any) -> Any:
    raw = np.zeros(count * dtype.itemsize + 64, dtype=np.uint8)
    skip = -raw.__array_interface__["data"][0] % 64
    return raw[skip : skip + count * dtype.itemsize].view(dtype)


def _address(array: Any) -> int:
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


def _finite(numbers: Any) -> bool:
    return len(numbers) == 0 or bool(np.isfinite(numbers).all())


def _rows(a: Any, dtype: Any) -> Any:
    return a if rows.is_plain(a, dtype) else np.ascontiguousarray(a, dtype=dtype)


# Python from native code ---------------------------------------------------------------------------------------------


class _Errors(threading.local):
    """What functions of Python's raised in this thread."""

    def __init__(self) -> None:
        self.found: list[BaseException] = []


def _pointers(calls: Sequence[str], program: Program, errors: _Errors) -> tuple[int, Any]:
    """A table of pointers to functions of Python's, and what keeps them alive; ``errors`` gets what they raise."""
    counts = [len(program.opcode(name).operands or ()) for name in calls]
    functions = [
        _callback(python_function(name, program.own), n, errors) for name, n in zip(calls, counts, strict=True)
    ]
    table = (ctypes.c_void_p * max(1, len(functions)))(*[ctypes.cast(f, ctypes.c_void_p) for f in functions])
    return ctypes.addressof(table), (table, functions)


def _callback(function: Callable[..., float], operands: int, errors: _Errors) -> Any:
    def call(*numbers: float) -> float:
        if errors.found:  # the call is going to fail: the remaining rows are passed over
            return math.nan
        try:
            return function(*numbers)
        except BaseException as error:  # native code lies between here and who can handle it
            errors.found.append(error)
            return math.nan

    return ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * operands)(call)
