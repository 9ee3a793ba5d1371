"""A task: one program, made ready to run over rows, with native code or on NumPy."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from . import emit_stretches, locks, native, progress
from .executable import THOROUGH, Executable
from .garbage import Postponed
from .lowering import lower
from .plan import Schedule
from .program import Program
from .replay import replay
from .schedule import schedule


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
        row_inputs: for each array that is given, which row inputs its columns are.
        results: for each output array the instructions it gets.
        dtype: of the numbers.
        target: the machine to make code for; this one if None.
        fallback: makes the task for rows where speculation failed (see ``derive``), so that a result is not finite;
            None if the program does not speculate.

    Attributes:
        seconds: what compiling took.
        was_cached: whether the machine code was there already.
        bytes_a_row: how much workspace a row takes.
    """

    def __init__(
        self,
        program: Program,
        row_inputs: Sequence[Sequence[int]],
        results: Sequence[Sequence[int]],
        dtype: Any,
        target: native.Target | None,
        fallback: Callable[[], Task] | None = None,
    ) -> None:
        self._fallback = None if fallback is None else cache(fallback)
        self.program, self.row_inputs, self.results = program, row_inputs, results
        self.dtype = np.dtype(dtype)
        self.seconds, self.was_cached, self.bytes_a_row = 0.0, False, 0
        self._target = target
        self._plan: Schedule | None = None
        self._codes: dict[bool, Executable] = {}
        self._preparation = progress.current()
        self._lock = threading.RLock()
        locks.renew_after_fork(self)

    def run(self, inputs: Sequence[Any], shared: Any, count: int, outputs: Sequence[Any], wanted: int | None) -> Any:
        """Go through the rows.

        Args:
            inputs: arrays with ``count`` rows each.
            shared: an array of the shared inputs' numbers.
            count: how many rows.
            outputs: arrays for the results.
            wanted: how many threads at most; None for an automatic choice.

        Returns:
            the sums over the rows.
        """
        if not native.available():
            _warn_once()
            task = self if self._fallback is None else self._fallback()
            return replay(task.program, self.row_inputs, task.results, inputs, shared, count, outputs, self.dtype)
        return self.code(count == 1).run(inputs, shared, count, outputs, wanted)

    def code(self, one_row: bool) -> Executable:
        """The machine code, made when it is first needed: for one row, or for blocks of them."""
        found = self._codes.get(one_row)
        if found is None:
            with self._lock:
                found = self._codes.get(one_row)
                if found is None:
                    start = time.perf_counter()
                    began, self._preparation = self._preparation, None
                    with Postponed(), progress.preparation(began):
                        found = self._made(one_row)
                    self.seconds += time.perf_counter() - start
                    self._codes[one_row] = found
        return found

    def _made(self, one_row: bool) -> Executable:
        target, again = self._target or native.host(), self._fallback
        plan, results = self._scheduled(target, one_row)
        fallback = None if again is None else lambda: again().code(one_row)
        made = Executable(plan, self.row_inputs, results, self.dtype, one_row, target, fallback)
        self.was_cached = made.was_cached
        self.bytes_a_row = plan.slots * self.dtype.itemsize
        return made

    def _scheduled(self, target: native.Target, one_row: bool) -> tuple[Schedule, Sequence[Sequence[int]]]:
        """The schedule, and the results by its numbers. Functions are written out where that is quicker than a call.

        A program that is interpreted, or would become too long for LLVM to optimise, calls them.
        """
        longest = min(THOROUGH, emit_stretches.COMPILED)
        if not one_row and len(self.program.code) <= longest:
            single = self.dtype.itemsize == 4
            functions = native.written_out(self.program, target, "float" if single else "double")
            if functions:
                lowered, moved = lower(self.program, functions, single, target.vector_bytes == 64)
                if len(lowered.code) <= longest:
                    return schedule(lowered), [[moved[i] for i in wanted] for wanted in self.results]
        if self._plan is None:
            self._plan = schedule(self.program)
        return self._plan, self.results
