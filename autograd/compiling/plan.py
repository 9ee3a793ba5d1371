"""A schedule: its steps, and where their results are stored; with a check for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from .instructions import CONDITIONS, INPUTS
from .order import numeric_operands
from .program import ROW, SHARED, Program

# The steps. They name instructions by their index in the program.


@dataclass
class Straight:
    """A stretch of arithmetic: the instructions ``code``; ``kept`` are those whose results later steps read.

    It ``may_repeat`` if other stretches have the same operations. A loop with its results, and numbers made into a
    stack, are stretches of their own.
    """

    code: list[int]
    kept: list[int] = field(default_factory=list)
    may_repeat: bool = True


@dataclass
class Layer:
    """Dots over the same operands with weights that all rows share: out[j] = Σ weights[j][k]·xs[k]."""

    outs: list[int]
    xs: tuple[int, ...]
    weights: list[tuple[int, ...]]


@dataclass
class Product:
    """A dot whose operands all differ from row to row: out = Σ xs[k]·ys[k]."""

    out: int
    xs: tuple[int, ...]
    ys: tuple[int, ...]


@dataclass
class Outer:
    """Sums over the rows of every a[j]·b[k], in accumulator first + j·len(b) + k."""

    a: list[int]
    b: list[int]
    first: int


@dataclass
class Total:
    """Sums over the rows of every terms[k], in accumulator first + k."""

    terms: list[int]
    first: int


Step = Straight | Layer | Product | Outer | Total


@dataclass
class Part:
    """A part of one of the program's sums: the accumulator's number × sign × scale.

    Attributes:
        sum: which of the sums.
        accumulator: where the rows are added up; −1 stands for the number of rows.
        sign: 1 or −1.
        scale: an instruction that is the same for all rows; None for no such factor.
    """

    sum: int
    accumulator: int
    sign: float
    scale: int | None


@dataclass
class Schedule:
    """A program in steps, from which code is generated.

    Attributes:
        program: the program.
        steps: done for each block of rows, in this order.
        prepare: instructions that are the same for all rows, done once a call.
        slot: for each instruction that is stored, which slot of the workspace holds its results for a block; for a
            stack the first of its slots, one for each element.
        inner: the same for the stacks in the bodies of loops, by the body's ``id`` and the instruction.
        slots: how many slots there are.
        stacked: how many of them stacks have.
        accumulators: how many accumulators there are.
        parts: how the sums that were asked for are computed from accumulators.
        live: the row inputs that something depends on.
    """

    program: Program
    steps: list[Step]
    prepare: list[int]
    slot: dict[int, int]
    inner: dict[tuple[int, int], int]
    slots: int
    stacked: int
    accumulators: int
    parts: list[Part]
    live: list[int]

    def check(self) -> None:
        """Check that every result is computed before it is read, and is still stored then.

        For tests of the stages.

        Raises:
            ValueError: names the first step that is wrong.
        """
        code, level = self.program.code, self.program.level
        ready = set()  # what all rows share
        for i in self.prepare:
            missing = [k for k in numeric_operands(self.program, i) if code[k].op not in INPUTS and k not in ready]
            if level[i] != SHARED or missing:
                raise ValueError(f"prepare: instruction {i} is not for all rows, or before its operands {missing}")
            ready.add(i)
        stacks: set[int] = set()  # that are made; their slots hold nothing else, but perhaps the numbers of a pack
        content = {self.slot[i]: i for i in self.live}  # of each slot: the instruction whose results it holds

        def kept(i: int) -> bool:
            if code[i].op == "element":
                i = code[i].operands[0]
            if code[i].op in ("stack", "pack") and level[i] == ROW:
                return i in stacks
            if level[i] == ROW:
                return i in self.slot and content.get(self.slot[i]) == i
            return code[i].op in INPUTS or i in ready

        for number, step in enumerate(self.steps):
            read = reads(self.program, step)
            gone = [i for i in read if not kept(i)]
            if gone:
                raise ValueError(f"step {number}: the numbers {gone} are not there")
            if isinstance(step, Straight):
                done: set[int] = set()
                for i in step.code:
                    early = [k for k in numeric_operands(self.program, i) if k in step.code and k not in done]
                    if early:
                        raise ValueError(f"step {number}: instruction {i} is before its operands {early}")
                    done.add(i)
            made = step.kept if isinstance(step, Straight) else makes(step)
            stacks.update(i for i in made if code[i].op in ("stack", "pack"))
            made = [i for i in made if i not in stacks]
            slots = [self.slot[i] for i in made]
            if len(set(slots)) != len(slots) or set(slots) & {self.slot[i] for i in read if i in self.slot}:
                raise ValueError(f"step {number} overwrites what it reads, or two results have one slot")
            content.update(zip(slots, made, strict=True))
        for i in (*self.program.results, *(part.scale for part in self.parts if part.scale is not None)):
            if not kept(i):
                raise ValueError(f"result {i} is not there in the end")
        if any(not 0 <= k < self.slots for k in content):
            raise ValueError(f"there are only {self.slots} slots")


def reads(program: Program, step: Step) -> list[int]:
    """The numbers that a step takes from before it, once each."""
    if isinstance(step, Straight):
        code, done = program.code, set(step.code)
        found = []
        for i in step.code:
            for k in code[i].operands:
                if k not in done:
                    if code[k].op in CONDITIONS:
                        found += [j for j in numeric_operands(program, k) if j not in done]
                    else:
                        found.append(k)
    elif isinstance(step, Layer):
        found = list(step.xs)
    elif isinstance(step, Product):
        found = [*step.xs, *step.ys]
    else:
        found = summands(step)
    return list(dict.fromkeys(found))


def summands(step: Outer | Total) -> list[int]:
    """The numbers that a step adds up, or whose products it does."""
    return step.terms if isinstance(step, Total) else [*step.a, *step.b]


def makes(step: Step) -> list[int]:
    """The results of a step."""
    if isinstance(step, Straight):
        return step.code
    if isinstance(step, Layer):
        return step.outs
    return [step.out] if isinstance(step, Product) else []


def height(program: Program, i: int) -> int:
    """How many elements a stack has."""
    op, operands, _ = program.code[i]
    return len(operands) if op == "pack" else program.loops[int(program.code[operands[0]].constant)].length
