"""Steps of training in native code: one call makes many, each the gradient of a loss and an update of its weights.

The machine code that does it is the same for every loss and every update. It calls the code of the two programs, one
over rows of data and one over weights, and finds all that it works on in a table.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from . import arrays, native
from .assembly import Block, Builder, Loop
from .executable import Entry
from .function import Compiled
from .prepared import Prepared, Question
from .workspace import address

MOST = 30_000_000  # operations in one native call, for whose end Ctrl-C waits

# The table. For both programs it has what their code takes, and how their parameters are packed and checked.
_PROGRAM = (
    *("run", "prepare", "slots", "params", "packed", "accumulators", "calls", "flag", "operands"),
    *("arrays", "packs", "pack", "guards", "guard"),
)
_FIELDS = (
    *(f"{program} {name}" for program in ("loss", "update") for name in _PROGRAM),
    *("batches", "rows", "batch"),  # of a call; rows in a batch, where the last one may have fewer
    *("inputs", "leaves", "leaf"),  # of the loss: its arrays; its leaves, and which weight each is
    *("cleared", "parts", "sum", "source", "sign", "scale"),  # bytes of its accumulators; see ``plan.Part``
    *("results", "result"),  # of the loss: its value, then its slope in each weight
    *("trained", "next", "fixed", "slopes"),  # weights; bytes of a table of arrays; weights not trained, their slopes
    *("limit", "norm of"),  # of the norm of all slopes; where a table of arrays has the new slopes, in bytes
    *("rate", "steps", "total"),  # of the update; where steps are counted; the sum of the losses of the call's rows
)
INFINITE = "0x7FF0000000000000"
NEXT_TO_NOTHING = "1.0e-06"  # is added to the norm, as ``clip_grad_norm`` does
_PLACE = {name: k for k, name in enumerate(_FIELDS)}


def prepared(function: Compiled, kind: str, shapes: Sequence[tuple[int, ...]]) -> Prepared:
    """A function's program for arguments of these shapes."""
    settings, memory = function._settings, function._memory  # noqa: SLF001  (training is a part of the compiler)
    varies = settings.varies(settings.axes(len(shapes)))
    return memory.program(Question(kind, (), tuple(shapes), varies))


def evaluated(function: Compiled, args: Sequence[Any], data: Any) -> Any:
    """A function's values, with these numbers for the leaves that it closes over."""
    return function._run("value", args, (), data=data).result  # noqa: SLF001  (as above)


def can_be_native(loss: Prepared, batch: int) -> bool:
    """Whether native code can make steps with that loss alone: it needs no Python, nor would threads be quicker."""
    return batch <= arrays.RUN and not loss.task.code(batch == 1).in_python


class State:
    """Weights in training, with the slope of each and what an optimiser remembers of it.

    They are kept twice. A step reads one set of arrays and writes the other; counting it makes the other one the
    present set. So what is seen is always the result of a whole number of steps, also after an interrupt.

    Args:
        weights: numbers to begin with, those that are trained first.
        trained: how many are trained.
        memory: arrays with a number for each trained weight.
        steps: how many were made before.
    """

    def __init__(self, weights: Any, trained: int, memory: Sequence[Any], steps: int) -> None:
        self.trained, self.fixed = trained, len(weights) - trained
        self.both = [(np.zeros(len(weights)), np.zeros(trained), [np.zeros(trained) for _ in memory]) for _ in range(2)]
        self.counter = np.zeros(1, dtype=np.int64)
        self.fixed_slopes = np.zeros(max(1, self.fixed))
        self.load(weights, memory, steps)

    def load(self, weights: Any, memory: Sequence[Any], steps: int) -> None:
        """Go on from other numbers; slopes become 0."""
        for own, slopes, remembered in self.both:
            own[:], slopes[:] = weights, 0.0
            for a, given in zip(remembered, memory, strict=True):
                a[:] = given
        self.counter[0] = steps

    @property
    def steps(self) -> int:
        """How many steps were made, also before this training."""
        return int(self.counter[0])

    @property
    def weights(self) -> Any:
        """The weights, those that are trained first."""
        return self.both[self.steps % 2][0]

    @property
    def slopes(self) -> Any:
        """The slopes of the last step in the trained weights."""
        return self.both[self.steps % 2][1]

    @property
    def memory(self) -> list[Any]:
        """What is remembered of the trained weights."""
        return self.both[self.steps % 2][2]

    def commit(self, weights: Any, slopes: Any, memory: Sequence[Any], fixed_slopes: Any) -> None:
        """A step: the new numbers of trained weights, and the slopes in the others, which add up over all steps."""
        own, own_slopes, remembered = self.both[(self.steps + 1) % 2]
        own[: self.trained], own_slopes[:] = weights, slopes
        for a, given in zip(remembered, memory, strict=True):
            a[:] = given
        self.fixed_slopes[: self.fixed] += fixed_slopes
        self.counter[0] += 1

    def take_fixed_slopes(self) -> Any:
        """The slopes in the weights that are not trained, summed over all steps since this was last asked."""
        found = self.fixed_slopes[: self.fixed].copy()
        self.fixed_slopes[:] = 0.0
        return found


class Steps:
    """The native steps of a training.

    Args:
        state: the numbers that they change.
        loss: the program of a loss's mean and gradient over rows ("backward").
        leaves: for each leaf of the loss which of the weights it is.
        update: a program over weights. Its arguments are the weight, its slope, a number for each array of memory and
            of constants, and, the same for all weights, the rate, how many steps were made before, and a factor. It
            returns the new weight, the slope with what the update added, times the factor, and the new memory.
        limit: of the norm of all slopes; the factor brings it down to that (``nn.optim.clip_grad_norm``).
        constants: arrays with a number for each trained weight.
        batch: the number of rows in a batch.
    """

    def __init__(
        self,
        state: State,
        loss: Prepared,
        leaves: Sequence[int],
        update: Prepared,
        constants: Sequence[Any],
        batch: int,
        limit: float,
    ) -> None:
        first, second = loss.task.code(batch == 1).entry(), update.task.code(False).entry()
        self._state, self._batch = state, batch
        work = loss.task.program.operations() * batch + update.task.program.operations() * state.trained
        self._at_once = max(1, MOST // max(1, work)) * batch
        self._table = np.zeros(len(_FIELDS), dtype=np.int64)
        self._numbers = self._table.view(np.float64)
        self._kept: list[Any] = [first, second, *constants]
        for name, entry in (("loss", first), ("update", second)):
            self._program(name, entry)
        self._set("batch", batch)
        self._set("inputs", len(loss.task.row_inputs))
        self._list("leaf", "leaves", np.array(leaves, dtype=np.int64))
        places = np.array([0, *(1 + k for k in leaves)], dtype=np.int64)  # of the loss's sums among the results
        numbers, sources, signs, scales = zip(*first.parts, strict=True)
        self._list("sum", "parts", places[list(numbers)])
        self._list("source", "parts", np.array(sources, dtype=np.int64))
        self._list("sign", "parts", np.array(signs, dtype=np.float64))
        self._list("scale", "parts", np.array(scales, dtype=np.int64))
        self._set("cleared", first.space.accumulators.nbytes)
        results = np.zeros(1 + len(state.weights))
        self._list("result", "results", results)
        self._set("trained", state.trained)
        self._list("slopes", "fixed", state.fixed_slopes, state.fixed)
        tables: list[Any] = []
        for now, after in (state.both, state.both[::-1]):
            tables += [now[0], results[1:], *now[2], *constants, after[0], after[1], *after[2]]
        self._numbers[_PLACE["limit"]] = limit
        self._set("norm of", 16 * (3 + len(state.both[0][2]) + len(constants)))
        pointers = _pointers(tables)
        self._kept.append(pointers)
        self._set("update arrays", address(pointers))
        self._set("next", pointers.nbytes // 2)
        self._set("steps", address(state.counter))
        self._run = _driver(native.host(), first.space.accumulators.shape[1])

    def _set(self, name: str, number: int) -> None:
        self._table[_PLACE[name]] = number

    def _list(self, name: str, count: str, array: Any, length: int | None = None) -> None:
        """An array, and how many numbers it has."""
        self._kept.append(array)
        self._set(name, address(array))
        self._set(count, len(array) if length is None else length)

    def _program(self, name: str, entry: Entry) -> None:
        space = entry.space
        own = (entry.run, entry.prepare, *space.addresses, entry.calls, space.flag_address, entry.operands)
        for key, number in zip(_PROGRAM, own, strict=False):
            self._set(f"{name} {key}", number)
        self._list(f"{name} pack", f"{name} packs", entry.layout.packed.astype(np.int64))
        self._list(f"{name} guard", f"{name} guards", entry.guarded.astype(np.int64))

    def run(self, data: Sequence[Any], order: Any, rate: float) -> tuple[int, float]:
        """Make steps with batches of rows in that order, until there are no more, or a number is not finite.

        The step in which that is so is not made: it is left to Python, which knows what it means.

        Args:
            data: arrays of float64 with a row for each row of data.
            order: which rows are used.
            rate: of the update.

        Returns:
            how many rows were used, and the sum of their losses.
        """
        used, total = 0, 0.0
        data = [a for a in data if a.size]  # native code takes no rows without numbers
        while used < len(order):
            places = order[used : used + self._at_once]
            made, losses = self._call(len(places), [a.take(places, axis=0) for a in data], rate)
            used, total = used + made, total + losses
            if made < len(places):
                break
        return used, total

    def _call(self, rows: int, inputs: Sequence[Any], rate: float) -> tuple[int, float]:
        before, pointers = self._state.steps, _pointers(inputs)
        self._set("loss arrays", address(pointers))
        self._set("batches", -(-rows // self._batch))
        self._set("rows", rows)
        self._numbers[_PLACE["rate"]], self._numbers[_PLACE["total"]] = rate, 0.0
        self._run(address(self._table))
        return min(rows, (self._state.steps - before) * self._batch), float(self._numbers[_PLACE["total"]])


def _pointers(given: Sequence[Any]) -> Any:
    """The table of arrays that native code takes: where each begins, and the bytes from row to row."""
    return np.array([x for a in given for x in (address(a), a.strides[0])], dtype=np.int64)


# The machine code ----------------------------------------------------------------------------------------------------


@cache
def _driver(target: native.Target, lanes: int) -> Any:
    """The function that makes steps with a loss whose accumulators have so many lanes."""
    widest = target.block("double", 1)
    block = Block("double", lanes, 1, widest.registers, widest.lanes)
    machine = native.Loaded([(_Driver(block).text(), 2)], target, ("run",))
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(machine.addresses["run"])
    return _Kept(run, machine)


class _Kept:
    """A native function, with what keeps its code in memory."""

    def __init__(self, run: Any, machine: native.Loaded) -> None:
        self._run, self._machine = run, machine

    def __call__(self, table: int) -> None:
        self._run(table)


class _Driver:
    """Writes that function."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.f = Builder(block, "define void @run(ptr %t)")
        self.end = self.f.label()
        self._steps()

    def text(self) -> str:
        """The module."""
        v = self.block
        declared = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)\n\ndeclare double @llvm.sqrt.f64(double)"
        reduce = f"declare double @llvm.vector.reduce.fadd.{v.suffix}(double, {v.vector})" if v.lanes > 1 else ""
        return "\n\n".join((declared, reduce, self.f.text(), ""))

    # Pieces ----------------------------------------------------------------------------------------------------------

    def field(self, name: str) -> str:
        """A number of the table."""
        return self.f.entry("%t", _PLACE[name])

    def pointer(self, name: str) -> str:
        """A pointer of the table."""
        return self.f.let(f"load ptr, ptr {self.place(name)}")

    def place(self, name: str) -> str:
        """Where the table has it."""
        return self.f.at("%t", 8 * _PLACE[name])

    def number(self, pointer: str, index: str) -> str:
        """Where an array of doubles has a number."""
        return self.f.let(f"getelementptr double, ptr {pointer}, i64 {index}")

    def load(self, pointer: str) -> str:
        """A double."""
        return self.f.let(f"load double, ptr {pointer}")

    @contextmanager
    def each(self, count: str) -> Iterator[Loop]:
        """A loop that may have nothing to do."""
        after = self.f.label()
        self.f.unless(self.f.let(f"icmp ugt i64 {count}, 0"), after)
        with self.f.loop(count) as loop:
            yield loop
        self.f.begin(after)

    def finite_or_end(self, x: str) -> None:
        """End here if a number is not finite: x − x is then nan."""
        rest = self.f.let(f"fsub double {x}, {x}")
        self.f.unless(self.f.let(f"fcmp ord double {rest}, {rest}"), self.end)

    # One step --------------------------------------------------------------------------------------------------------

    def _steps(self) -> None:
        f = self.f
        with f.loop(self.field("batches")) as loop:
            batch, rows = self.field("batch"), self.field("rows")
            left = f.let(f"sub i64 {rows}, {f.let(f'mul i64 {loop.index}, {batch}')}")
            count = f.let(f"select i1 {f.let(f'icmp ult i64 {batch}, {left}')}, i64 {batch}, i64 {left}")
            counter = self.pointer("steps")
            steps = f.entry(counter, 0)
            second = f.let(f"and i64 {steps}, 1")
            tables = f.at(self.pointer("update arrays"), f.let(f"mul i64 {second}, {self.field('next')}"))
            weights, params, leaf = f.let(f"load ptr, ptr {tables}"), self.pointer("loss params"), self.pointer("leaf")
            with self.each(self.field("leaves")) as leaves:
                x = self.load(self.number(weights, f.entry(leaf, leaves.index)))
                f.do(f"store double {x}, ptr {self.number(params, leaves.index)}")
            self.clear(self.pointer("loss accumulators"), self.field("cleared"))
            self.call("loss", count, self.pointer("loss arrays"))
            many = f.let(f"uitofp i64 {count} to double")
            value = self.mean(many)
            params = self.pointer("update params")
            f.do(f"store double {self.load(self.place('rate'))}, ptr {params}")
            f.do(f"store double {f.let(f'uitofp i64 {steps} to double')}, ptr {self.number(params, '1')}")
            self.factor("1.0")
            self.call("update", self.field("trained"), tables)
            self.clip(tables)
            # The step is made.
            slopes, results = self.pointer("slopes"), self.number(self.pointer("result"), "1")
            first = self.field("trained")
            with self.each(self.field("fixed")) as fixed:
                x = self.load(self.number(results, f.let(f"add i64 {first}, {fixed.index}")))
                self.add(self.number(slopes, fixed.index), x)
            self.add(self.place("total"), f.let(f"fmul double {value}, {many}"))
            table = self.pointer("loss arrays")
            with self.each(self.field("inputs")) as inputs:
                entry = f.let(f"getelementptr i64, ptr {table}, i64 {f.let(f'mul i64 {inputs.index}, 2')}")
                stride = f.entry(entry, 1)
                after = f.let(f"add i64 {f.entry(entry, 0)}, {f.let(f'mul i64 {stride}, {batch}')}")
                f.do(f"store i64 {after}, ptr {entry}")
            f.do(f"store i64 {f.let(f'add i64 {steps}, 1')}, ptr {counter}")
        f.begin(self.end)

    def clear(self, pointer: str, size: str) -> None:
        """Set memory to 0."""
        self.f.do(f"call void @llvm.memset.p0.i64(ptr align 8 {pointer}, i8 0, i64 {size}, i1 false)")

    def add(self, pointer: str, x: str) -> None:
        """Add to a number in memory."""
        self.f.do(f"store double {self.f.let(f'fadd double {self.load(pointer)}, {x}')}, ptr {pointer}")

    def call(self, name: str, rows: str, table: str) -> None:
        """Run a program; end if it found a number that is not finite."""
        f = self.f
        own = {key: self.pointer(f"{name} {key}") for key in _PROGRAM[:9]}
        f.do(f"call void {own['prepare']}(ptr {own['params']}, ptr {own['calls']}, ptr {own['operands']})")
        packing = self.pointer(f"{name} pack")
        with self.each(self.field(f"{name} packs")) as loop:
            x = self.load(self.number(own["params"], f.entry(packing, loop.index)))
            f.do(f"store double {x}, ptr {self.number(own['packed'], loop.index)}")
        guards = self.pointer(f"{name} guard")
        with self.each(self.field(f"{name} guards")) as loop:
            self.finite_or_end(self.load(self.number(own["params"], f.entry(guards, loop.index))))
        f.do(f"store i64 0, ptr {own['flag']}")
        taken = [own[key] for key in ("slots", "params", "packed", "accumulators", "calls")]
        taken += [table, own["flag"], own["operands"]]
        f.do(f"call void {own['run']}(i64 {rows}, {', '.join(f'ptr {x}' for x in taken)})")
        f.unless(f.let(f"icmp eq i64 {f.entry(own['flag'], 0)}, 0"), self.end)

    def factor(self, x: str) -> None:
        """Set the factor of all slopes."""
        self.f.do(f"store double {x}, ptr {self.number(self.pointer('update params'), '2')}")

    def clip(self, tables: str) -> None:
        """Update once more, with a factor that brings the norm of the new slopes down to the limit, if it is larger."""
        f, within = self.f, self.f.label()
        limit = self.load(self.place("limit"))
        f.unless(f.let(f"fcmp olt double {limit}, {INFINITE}"), within)
        slopes = f.let(f"load ptr, ptr {f.at(tables, self.field('norm of'))}")
        with f.loop(self.field("trained"), ("double", "0.0")) as loop:
            x = self.load(self.number(slopes, loop.index))
            loop.next = [f.let(f"fadd double {loop.carried[0]}, {f.let(f'fmul double {x}, {x}')}")]
        self.finite_or_end(loop.next[0])
        norm = f.let(f"call double @llvm.sqrt.f64(double {loop.next[0]})")
        factor = f.let(f"fdiv double {limit}, {f.let(f'fadd double {norm}, {NEXT_TO_NOTHING}')}")
        f.unless(f.let(f"fcmp olt double {factor}, 1.0"), within)
        self.factor(factor)
        self.call("update", self.field("trained"), tables)
        f.begin(within)

    def mean(self, rows: str) -> str:
        """The means over the rows, which become the loss's results; returns the first, its value."""
        f, v = self.f, self.block
        results, count = self.pointer("result"), self.field("results")
        self.clear(results, f.let(f"mul i64 {count}, 8"))
        pointers = {name: self.pointer(name) for name in ("sum", "source", "sign", "scale")}
        accumulators, params = self.pointer("loss accumulators"), self.pointer("loss params")
        with self.each(self.field("parts")) as loop:
            source = f.entry(pointers["source"], loop.index)
            known = f.let(f"icmp slt i64 {source}, 0")
            index = f.let(f"select i1 {known}, i64 0, i64 {source}")
            lanes = f.load_vector(f.at(accumulators, f.let(f"mul i64 {index}, {v.vector_bytes}")))
            total = lanes
            if v.lanes > 1:
                total = f.let(
                    f"call reassoc double @llvm.vector.reduce.fadd.{v.suffix}(double -0.0, {v.vector} {lanes})"
                )
            total = f.let(f"select i1 {known}, double {rows}, double {total}")
            total = f.let(f"fmul double {total}, {self.load(self.number(pointers['sign'], loop.index))}")
            scale = f.entry(pointers["scale"], loop.index)
            plain = f.let(f"icmp slt i64 {scale}, 0")
            factor = self.load(self.number(params, f.let(f"select i1 {plain}, i64 0, i64 {scale}")))
            factor = f.let(f"select i1 {plain}, double 1.0, double {factor}")
            place = self.number(results, f.entry(pointers["sum"], loop.index))
            self.add(place, f.let(f"fmul double {total}, {factor}"))
        with f.loop(count, ("double", "0.0")) as loop:
            place = self.number(results, loop.index)
            x = f.let(f"fdiv double {self.load(place)}, {rows}")
            f.do(f"store double {x}, ptr {place}")
            loop.next = [f.let(f"fadd double {loop.carried[0]}, {f.let(f'fsub double {x}, {x}')}")]
        self.finite_or_end(loop.next[0])
        return self.load(results)
