"""The schedule: which instructions run together, in which order, and where their results are stored.

The rows are processed in blocks, and the steps of a schedule are done for each block. Arithmetic is divided into short
stretches of straight-line code, done vector by vector. A dot over many operands is a separate loop over the whole
block. Dots over the same operands, such as the neurons of a layer, share one loop. The last steps add the numbers of
one or several blocks to the accumulators, from which the sums over the rows are computed after the last block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from .instructions import CONDITIONS, INPUTS, OF_LOOPS
from .order import close_together, numeric_operands, stages
from .program import ROW, SHARED, Program

STRETCH = 96  # instructions of one stretch: longer ones run out of registers, shorter ones store and load more
LONG = 3000  # from this many instructions on, stretches are cut so that some repeat
SHORTEST, LONGEST = 128, 320  # instructions of one of those
COMPILED = 6000  # instructions that LLVM compiles at most, repeated ones once; the rest is interpreted
INTERPRETED = 2048  # instructions of one stretch that is interpreted: more would not stay in the core's own cache


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


class Term(NamedTuple):
    """A term of what is summed over the rows: sign·a·b·scale, without the factors that are None.

    a and b differ from row to row, scale is the same for all rows.
    """

    a: int | None
    b: int | None
    sign: float
    scale: int | None


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
            read = _reads(self.program, step)
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
            made = step.kept if isinstance(step, Straight) else _makes(step)
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


def schedule(program: Program) -> Schedule:
    """Put a program's instructions into steps."""
    parts, outers, totals, accumulators = _sums(program)
    summing: list[Step] = [*outers, *totals]
    roots = [*program.results, *(i for step in summing for i in _reads(program, step))]
    scales = [part.scale for part in parts if part.scale is not None]
    needed = program.needed([*roots, *scales])
    prepare = [i for i in needed if program.level[i] == SHARED and program.code[i].op not in INPUTS | CONDITIONS]
    steps = [*_arranged(program, [i for i in needed if program.level[i] == ROW], roots), *summing]
    live = [i for i in needed if program.code[i].op == "row"]
    slot, slots = _slots(program, steps, live)
    stacked = sum(height(program, i) for i in slot if program.code[i].op in ("stack", "pack"))
    inner: dict[tuple[int, int], int] = {}
    for i, loop in program.own_loops():
        if i in needed and program.level[i] == ROW:
            stacked -= slots
            slots = place_stacks(loop.body, slots, inner)
            stacked += slots
    return Schedule(program, steps, prepare, slot, inner, slots, stacked, accumulators, parts, live)


def height(program: Program, i: int) -> int:
    """How many elements a stack has."""
    op, operands, _ = program.code[i]
    return len(operands) if op == "pack" else program.loops[int(program.code[operands[0]].constant)].length


def place_stacks(body: Program, first: int, found: dict[tuple[int, int], int]) -> int:
    """Give the stacks in a loop's body slots, from the first one on; returns the number of the next."""
    if not (body.loops or any(i.op == "pack" for i in body.code)):
        return first
    for i in body.needed():
        op = body.code[i].op
        if op in ("stack", "pack"):
            found[id(body), i] = first
            first += height(body, i)
        elif op == "loop":
            first = place_stacks(body.loops[int(body.code[i].constant)].body, first, found)
    return first


# Sums over the rows --------------------------------------------------------------------------------------------------


def _sums(program: Program) -> tuple[list[Part], list[Outer], list[Total], int]:
    """Take sums apart into sums of products of two numbers each; what all rows share is multiplied in afterwards.

    Returns:
        the parts of the sums, the steps that add up products and single numbers, and the number of accumulators.
    """
    if not program.sums:
        return [], [], [], 0
    needed = program.needed()
    uses = Counter(k for i in needed if program.code[i].op not in INPUTS for k in program.code[i].operands)
    uses.update(program.results)
    terms = [(k, term) for k, root in enumerate(program.sums) for term in _terms(program, root, uses)]
    negative = _negatives(program, [i for _, term in terms for i in (term.a, term.b) if i is not None])
    parts: list[Part] = []
    wanted: dict[tuple[int, int | None], list[Part]] = {}  # the parts that need the sum of a·b, or of a alone
    for number, (a, b, sign, scale) in terms:
        if a in negative:
            a, sign = negative[a], -sign
        if b in negative:
            b, sign = negative[b], -sign
        part = Part(number, -1, sign, scale)
        parts.append(part)
        if a is not None:
            wanted.setdefault((a, b), []).append(part)
    factors: dict[int, list[int]] = {}  # for each a, every b
    alone: list[int] = []
    for a, b in wanted:
        if b is None:
            alone.append(a)
        else:
            factors.setdefault(a, []).append(b)
    same_factors: dict[tuple[int, ...], list[int]] = {}  # one Outer for all a that have the same b
    for a, bs in factors.items():
        same_factors.setdefault(tuple(bs), []).append(a)
    outers, count = [], 0
    for every_b, every_a in same_factors.items():
        outers.append(Outer(every_a, list(every_b), count))
        for j, a in enumerate(every_a):
            for k, b in enumerate(every_b):
                for part in wanted[a, b]:
                    part.accumulator = count + j * len(every_b) + k
        count += len(every_a) * len(every_b)
    totals = [Total(alone, count)] if alone else []
    for k, a in enumerate(alone):
        for part in wanted[a, None]:
            part.accumulator = count + k
    return parts, outers, totals, count + len(alone)


def _negatives(program: Program, factors: Sequence[int]) -> dict[int | None, int]:
    """For each factor whose negative is computed too, that negative, so that only one of both is stored."""
    needed = program.needed([*program.results, *factors])
    return {program.code[i].operands[0]: i for i in needed if program.code[i].op == "neg" and program.level[i] == ROW}


def _terms(program: Program, root: int, uses: Counter[int]) -> list[Term]:
    """The terms of a sum; one that is the same for all rows has neither a nor b.

    Only sums of products are taken apart, and only if nothing else uses them. The difference of two sums of large
    numbers would have larger rounding errors than the sum of small differences.
    """
    code, level = program.code, program.level
    if level[root] != ROW:
        return [Term(None, None, 1.0, root)]
    whole = [Term(root, None, 1.0, None)]
    if program.strict:
        return whole
    terms: list[Term] = []
    stack: list[tuple[int, float, int | None]] = [(root, 1.0, None)]
    while stack:
        i, sign, scale = stack.pop()
        op, operands, _ = code[i]
        if level[i] != ROW:
            return whole
        if uses[i] > (i != root):  # computed anyway
            terms.append(Term(i, None, sign, scale))
        elif op == "neg":
            stack.append((operands[0], -sign, scale))
        elif op in ("mul", "dot", "fma"):
            if op == "fma":
                stack.append((operands[2], sign, scale))
                operands = operands[:2]
            n = len(operands) // 2
            for a, b in zip(reversed(operands[:n]), reversed(operands[n:]), strict=True):
                if level[a] == ROW and level[b] == ROW:
                    terms.append(Term(max(a, b), min(a, b), sign, scale))
                    continue
                factor, varying = (a, b) if level[a] != ROW else (b, a)
                if scale is not None or level[varying] != ROW:
                    return whole
                stack.append((varying, sign, factor))
        elif i == root or scale is not None:
            terms.append(Term(i, None, sign, scale))
        else:  # something else among the products
            return whole
    return terms


# Order ---------------------------------------------------------------------------------------------------------------


def _arranged(program: Program, needed: Sequence[int], read_last: Sequence[int]) -> list[Step]:
    """Stretches and loops, stage by stage."""
    code = program.code
    results: dict[int, list[int]] = {}  # of loops
    for i in needed:
        if code[i].op in OF_LOOPS:
            results.setdefault(code[i].operands[0], []).append(i)
    steps: list[Step] = []
    for number, own in stages(program, needed, read_last).items():
        if number % 2:
            steps.extend(_loops(program, [i for i in own if code[i].op == "dot"]))
            others = [i for i in own if code[i].op != "dot"]
            steps.extend(Straight([i, *results.get(i, ())], may_repeat=False) for i in others)
        else:
            steps.extend(_stretches(program, own))
    return steps


def _stretches(program: Program, own: Sequence[int]) -> list[Straight]:
    """Cut arithmetic into stretches: of equal length, or in a long program repeated ones.

    A long program is mostly an unrolled loop. Where it is cut depends only on the operations around the cut, so
    that every round of the loop is cut in the same places and its stretches can share their code. What does not repeat
    and is too much for LLVM is put together again, to be interpreted.
    """
    if len(own) < LONG:
        own = close_together(program, own)
        count = -(-len(own) // STRETCH)
        size = -(-len(own) // count)
        return [Straight(list(own[k : k + size])) for k in range(0, len(own), size)]
    code = program.code
    known = {op: k for k, op in enumerate(sorted({code[i].op for i in own}))}
    codes = bytes([known[code[i].op] % 256 for i in own])
    marks = [crc32(codes[k : k + 8]) for k in range(len(codes))]
    ends, start = [], 0
    while len(own) - start > LONGEST:
        part = marks[start + SHORTEST : start + LONGEST]
        start += SHORTEST + part.index(min(part))
        ends.append(start)
    pieces = list(pairwise((0, *ends, len(own))))
    count_of = Counter(codes[a:b] for a, b in pieces)
    if sum(map(len, count_of)) <= COMPILED:
        return [Straight(list(own[a:b])) for a, b in pieces]
    found: list[Straight] = []
    for a, b in pieces:
        repeats = count_of[codes[a:b]] > 1
        if not repeats and found and not found[-1].may_repeat and len(found[-1].code) + b - a <= INTERPRETED:
            found[-1].code.extend(own[a:b])
        else:
            found.append(Straight(list(own[a:b]), may_repeat=repeats))
    return found


def _loops(program: Program, dots: Sequence[int]) -> list[Step]:
    layers: dict[tuple[int, ...], Layer] = {}
    steps: list[Step] = []
    for i in dots:
        operands = program.code[i].operands
        n = len(operands) // 2
        ws, xs = operands[:n], operands[n:]
        if program.level[ws[0]] == ROW:
            steps.append(Product(i, ws, xs))
        elif xs in layers:
            layers[xs].outs.append(i)
            layers[xs].weights.append(ws)
        else:
            layers[xs] = Layer([i], xs, [ws])
            steps.append(layers[xs])
    return steps


# Slots ---------------------------------------------------------------------------------------------------------------


def _reads(program: Program, step: Step) -> list[int]:
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


def _makes(step: Step) -> list[int]:
    """The results of a step."""
    if isinstance(step, Straight):
        return step.code
    if isinstance(step, Layer):
        return step.outs
    return [step.out] if isinstance(step, Product) else []


def _slots(program: Program, steps: Sequence[Step], live: Sequence[int]) -> tuple[dict[int, int], int]:
    """Give a slot to every result that later steps read, and reuse a slot when its content is no longer read."""
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for i in _reads(program, step):
            last[i] = number
    for i in program.results:
        last[i] = len(steps)
    slot: dict[int, int] = {}
    free: list[int] = []
    count = 0
    elements: dict[int, list[int]] = {}
    packed: set[int] = set()  # inputs that are where the stack of them is
    for i in list(last):
        if program.code[i].op == "element":
            (stack,) = program.code[i].operands
            elements.setdefault(stack, []).append(i)
            last.setdefault(stack, last[i])

    def take(i: int) -> None:
        nonlocal count
        if program.code[i].op in ("stack", "pack"):  # kept to the end
            if i not in slot:
                slot[i] = count
                count += height(program, i)
            for k in elements.get(i, ()):
                slot[k] = slot[i] + int(program.code[k].constant)
        elif free:
            slot[i] = free.pop()
        else:
            slot[i] = count
            count += 1

    inputs = set(live)
    for step in steps:
        for i in step.code if isinstance(step, Straight) else ():
            operands = program.code[i].operands
            are_inputs = program.code[i].op == "pack" and len(inputs.intersection(operands)) == len(operands)
            if are_inputs and packed.isdisjoint(operands):
                packed.update(operands)
                take(i)
                slot.update(zip(operands, range(slot[i], count), strict=True))
    rest = [i for i in live if i not in packed]
    for i in rest:
        take(i)
    ends: dict[int, list[int]] = {}
    for i in rest:
        ends.setdefault(last.get(i, -1), []).append(i)
    for number, step in enumerate(steps):
        kept = [i for i in _makes(step) if i in last]
        if isinstance(step, Straight):
            step.kept = kept
        for i in kept:
            take(i)
            if program.code[i].op not in ("stack", "pack"):
                ends.setdefault(last[i], []).append(i)
        free.extend(slot[i] for i in ends.get(number, ()))
    return slot, count
