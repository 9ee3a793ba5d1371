"""The machine code of a program, and its run over rows: in blocks, or one row at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from . import arrays, native, threads
from .callbacks import Callbacks
from .emit import emit
from .emit_loops import has_gaps
from .loops import BUDGET
from .plan import Schedule
from .program import SHARED
from .record import Field
from .workspace import Layout, Sums, Workspace, address

WORKSPACE = 2**20  # bytes that a block of rows may take: about the size of a core's own cache
AT_ONCE = 2**27  # operations of a native call that cannot be interrupted: some hundredths of a second
THOROUGH = 3000  # up to this many instructions LLVM optimises fully


class Entry(NamedTuple):
    """What other native code needs to call a program, with a workspace of its own.

    Attributes:
        run, prepare, calls, operands: the addresses of its functions and tables.
        space: the workspace.
        layout: the sizes of the workspace.
        guarded: which parameters must be finite; where one is not, speculation failed.
        parts: of its sums: which sum, which accumulator, the sign, and which parameter or −1 (see ``plan.Part``).
        in_python: whether it calls Python's functions.
        owner: keeps all of that in memory.
    """

    run: int
    prepare: int
    calls: int
    operands: int
    space: Workspace
    layout: Layout
    guarded: Any
    parts: list[tuple[int, int, float, int]]
    in_python: bool
    owner: Executable


class Connection(NamedTuple):
    """What an entry needs of machine code.

    Attributes:
        words: of its record.
        kept: what must exist as long as it does.
    """

    words: dict[Field, int]
    kept: tuple[Any, ...]


class Executable:
    """Machine code of a schedule.

    Args:
        plan: the schedule.
        row_inputs: for each array that is given, which row inputs its columns are.
        results: for each output array the instructions it gets.
        dtype: of the numbers.
        one_row: for one row at a time.
        target: the machine to make code for.
        fallback: makes the program for rows where speculation failed, so that a result is not finite; None if the
            program does not speculate.

    Attributes:
        instructions: how many were compiled; outlined stretches count once.
        was_cached: whether the machine code was read from the cache.
        in_python: whether it calls Python's functions.
    """

    def __init__(
        self,
        plan: Schedule,
        row_inputs: Sequence[Sequence[int]],
        results: Sequence[Sequence[int]],
        dtype: Any,
        one_row: bool,
        target: native.Target,
        fallback: Callable[[], Executable] | None,
    ) -> None:
        program, item = plan.program, "double" if dtype.itemsize == 8 else "float"
        block = target.block(item, 4)
        if one_row:
            block = block.scalar()
        else:
            while block.vectors > 1 and (plan.slots - plan.stacked) * block.slot_bytes > WORKSPACE:
                block = target.block(item, block.vectors // 2)
            # Stacks that do not stay in a cache are gone through from one end to the other, without gaps.
            while block.vectors > 1 and plan.slots * block.slot_bytes > (
                WORKSPACE if has_gaps(plan, block) else BUDGET
            ):
                block = target.block(item, block.vectors // 2)
            while block.lanes > 2 and plan.slots * block.slot_bytes > BUDGET:  # of stacks
                block = replace(block, lanes=block.lanes // 2)

        def library(op: str, lanes: int) -> str | None:
            return None if program.strict else native.vector_function_name(op, lanes, item)

        code = emit(plan, block, row_inputs, results, library)
        effort = 2 if code.instructions <= THOROUGH else 0
        modules = [
            *((text, effort) for text in code.texts),
            *((text, 2) for text in (code.kernels, *code.interpreters)),
        ]
        self._machine = native.Machine(modules, target)
        self.instructions, self.was_cached = code.instructions, self._machine.was_cached
        self._dtype, self._block_rows, self._operations = dtype, block.rows, program.operations()
        self._layout = Layout(
            dtype,
            (plan.slots * code.together + code.spare) * block.rows,
            plan.accumulators,
            block.lanes,
            code.parameters,
            code.constants,
            np.array(code.packed, dtype=np.intp),
        )
        self._spare: list[Workspace] = []
        self._sums = Sums(plan, code.shared, block.lanes)
        self._callbacks = Callbacks(code.calls, program)
        self._prepares = bool(plan.prepare)
        self._operands = np.array(code.offsets, dtype=np.int32)
        self._operands_address = address(self._operands)
        self._fallback = fallback
        self._connection: Connection | None = None
        # Native code does not check what all rows share: results, and reciprocals that may overflow.
        level = program.level
        same = [i for wanted in results for i in wanted if level[i] == SHARED]
        same += [i for i in program.reciprocals if level[i] == SHARED and i in code.shared]
        self._guarded = np.array([code.shared[i] for i in same], dtype=np.intp)
        self._parts, self._shared = plan.parts, code.shared
        self.in_python = bool(code.calls)

    def entry(self) -> Entry:
        """What other native code needs to call this program."""
        parts = [
            (part.sum, part.accumulator, part.sign, -1 if part.scale is None else self._shared[part.scale])
            for part in self._parts
        ]
        return Entry(
            self._machine.addresses["run"],
            self._machine.addresses["prepare"],
            self._callbacks.address,
            self._operands_address,
            Workspace(self._layout),
            self._layout,
            self._guarded,
            parts,
            self.in_python,
            self,
        )

    def run(self, inputs: Sequence[Any], shared: Any, count: int, outputs: Sequence[Any], wanted: int | None) -> Any:
        """As ``Task.run``."""
        runs = self.runs(count)
        used = threads.how_many(wanted, len(runs), count * self._operations)
        if not self._sums.count and not self.in_python:
            runs = _merged(runs, used, self._operations)
        sums = np.zeros((len(runs), self._sums.count))

        def work(mine: Iterable[int]) -> None:
            try:
                space = self._spare.pop()
            except IndexError:
                space = Workspace(self._layout)
            try:
                self._callbacks.clear()
                self.prepare(space, shared)
                for k in mine:
                    sums[k] = self._run(space, *runs[k], inputs, outputs, shared)
            finally:
                self._spare.append(space)

        threads.run(work, len(runs), used)
        if len(runs) == 1:
            return sums[0]
        total = np.zeros(self._sums.count)
        for part in sums:  # in order
            total += part
        return total

    def runs(self, count: int) -> list[tuple[int, int]]:
        """The runs of so many rows: the sums of each are computed by themselves, then added in order."""
        return arrays.runs(count, self._block_rows, self._operations)

    def connection(self) -> Connection | None:
        """What entries need, a workspace included; None if the code calls functions of Python, which may raise."""
        if self._connection is None and not self.in_python:
            try:
                space = self._spare.pop()
            except IndexError:
                space = Workspace(self._layout)
            words, kept = self._sums.words()
            busy = np.zeros(1, dtype=np.int64)
            packed, guarded = self._layout.packed.astype(np.int64), self._guarded.astype(np.int64)
            slots, parameters, packed_at, accumulators = space.addresses
            self._connection = Connection(
                {
                    **words,
                    Field.BUSY: address(busy),
                    Field.RUN: self._machine.addresses["run"],
                    Field.PREPARES: self._prepares,
                    Field.PREPARE: self._machine.addresses["prepare"],
                    Field.SLOTS: slots,
                    Field.PARAMETERS: parameters,
                    Field.PACKED: packed_at,
                    Field.ACCUMULATORS: accumulators,
                    Field.CALLS: self._callbacks.address,
                    Field.FLAG: space.flag_address,
                    Field.OPERANDS: self._operands_address,
                    Field.ITEM: self._dtype.itemsize,
                    Field.PACKED_COUNT: len(packed),
                    Field.PACKED_TABLE: address(packed),
                    Field.FINITE: self._fallback is not None,
                    Field.GUARDED_COUNT: len(guarded),
                    Field.GUARDED_TABLE: address(guarded),
                },
                (self._machine, self._callbacks, self._operands, space, kept, busy, packed, guarded),
            )
        return self._connection

    def prepare(self, space: Workspace, shared: Any) -> None:
        """Copy what all rows share into a workspace."""
        if len(shared):
            space.params[: len(shared)] = shared
        if self._prepares:
            self._machine.prepare(space.addresses[1], self._callbacks.address, self._operands_address)
            self._callbacks.reraise()
        space.pack()

    def _run(
        self, space: Workspace, start: int, stop: int, inputs: Sequence[Any], outputs: Sequence[Any], shared: Any
    ) -> Any:
        """Go through a run of rows; returns its sums. Where speculation failed, the fallback runs."""
        dtype = self._dtype
        if space.accumulators.size:
            space.accumulators.fill(0.0)
        space.flag[0] = 0
        plain = all(arrays.is_plain(a, dtype) for a in (*inputs, *outputs))
        for lo, hi in ((start, stop),) if plain else arrays.pieces(start, stop):
            taken = [_plain(a[lo:hi], dtype) for a in inputs]
            given = [a[lo:hi] for a in outputs]
            direct = given if plain else [a if arrays.is_plain(a, dtype) else np.empty(a.shape, dtype) for a in given]
            table: list[int] = []
            for a in (*taken, *direct):
                table += (address(a), a.strides[0])
            starts_and_strides = (ctypes.c_int64 * len(table))(*table)
            self._machine.run(
                hi - lo,
                *space.addresses,
                self._callbacks.address,
                ctypes.addressof(starts_and_strides),
                space.flag_address,
                self._operands_address,
            )
            self._callbacks.reraise()
            if not plain:
                for a, b in zip(given, direct, strict=True):
                    if a is not b:
                        a[...] = b
        sums = self._sums.of(space.accumulators, stop - start, space.params)
        if self._fallback is not None and not (
            space.flag[0] == 0 and _finite(sums) and _finite(space.params[self._guarded])
        ):
            again = self.runs(stop - start)
            if len(again) > 1 and not self._sums.count:  # find those that need it
                for lo, hi in again:
                    self._run(space, start + lo, start + hi, inputs, outputs, shared)
                return sums
            part = [a[start:stop] for a in inputs], shared, stop - start, [a[start:stop] for a in outputs]
            return self._fallback().run(*part, 1)
        return sums


def _merged(runs: Sequence[tuple[int, int]], threads: int, operations: int) -> list[tuple[int, int]]:
    """Neighbouring runs as one, as far as each thread keeps one and none takes so long that Ctrl-C would wait."""
    rows = runs[0][1]
    many = max(1, min(-(-len(runs) // threads), AT_ONCE // max(1, rows * operations)))
    return [(runs[k][0], runs[min(k + many, len(runs)) - 1][1]) for k in range(0, len(runs), many)]


def _finite(numbers: Any) -> bool:
    return len(numbers) == 0 or bool(np.isfinite(numbers).all())


def _plain(a: Any, dtype: Any) -> Any:
    return a if arrays.is_plain(a, dtype) else np.ascontiguousarray(a, dtype=dtype)
