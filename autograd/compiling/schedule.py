"""The schedule: which instructions run together, in which order, and where their results are stored.

The rows are processed in blocks, and the steps of a schedule are done for each block. Arithmetic is divided into short
stretches of straight-line code, done vector by vector. A dot over many operands is a separate loop over the whole
block. Dots over the same operands, such as the neurons of a layer, share one loop. The last steps add the numbers of
one or several blocks to the accumulators, from which the sums over the rows are computed after the last block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

from .instructions import CONDITIONS, INPUTS, OF_LOOPS
from .order import close_together, stages, sums_soon
from .plan import Layer, Product, Schedule, Step, Straight, height, makes, reads
from .program import ROW, SHARED, Program
from .sums import sums_of_products

STRETCH = 96  # instructions of one stretch: longer ones run out of registers, shorter ones store and load more
LONG = 3000  # from this many instructions on, stretches are cut so that some repeat
SHORTEST, LONGEST = 128, 320  # instructions of one of those
COMPILED = 6000  # instructions that LLVM compiles at most, repeated ones once; the rest is interpreted
INTERPRETED = 2048  # instructions of one stretch that is interpreted: more would not stay in the core's own cache


def schedule(program: Program) -> Schedule:
    """Put a program's instructions into steps."""
    parts, outers, totals, accumulators = sums_of_products(program)
    summing: list[Step] = [*outers, *totals]
    roots = [*program.results, *(i for step in summing for i in reads(program, step))]
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
    own = sums_soon(program, own)  # the best order of all would take too long to find
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


def _slots(program: Program, steps: Sequence[Step], live: Sequence[int]) -> tuple[dict[int, int], int]:
    """Give a slot to every result that later steps read, and reuse a slot when its content is no longer read."""
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for i in reads(program, step):
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
        kept = [i for i in makes(step) if i in last]
        if isinstance(step, Straight):
            step.kept = kept
        for i in kept:
            take(i)
            if program.code[i].op not in ("stack", "pack"):
                ends.setdefault(last[i], []).append(i)
        free.extend(slot[i] for i in ends.get(number, ()))
    return slot, count
