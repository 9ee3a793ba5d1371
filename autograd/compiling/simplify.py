"""Simplification of a whole program: many divisions by one number become one division and products.

What can be seen operation by operation is simplified where it is written, in ``symbols``.
"""

from __future__ import annotations

from collections import Counter

from .instructions import INPUTS
from .program import CONST, Instruction, Program


def share_divisions(program: Program) -> bool:
    """Replace x/y, z/y, … by products with 1/y; returns whether there were any.

    A product is off by a unit in the last place or two, and wrong where y is so small (below 1e-308) that 1/y
    overflows though x/y does not: where a reciprocal is not finite, the program is to be run without this.
    """
    divisors = Counter(i.operands[1] for i in program.code if i.op == "div")
    shared = {y for y, count in divisors.items() if count > 1 and program.level[y] != CONST}
    if not shared:
        return False
    old, levels = program.code, program.level
    code: list[Instruction] = []
    level: list[int] = []
    place: list[int] = []  # where each old instruction is now
    reciprocal: dict[int, int] = {}

    def put(instruction: Instruction, what: int) -> int:
        code.append(instruction)
        level.append(what)
        return len(code) - 1

    for number, (op, operands, constant) in enumerate(old):
        if op in INPUTS:
            place.append(put(old[number], levels[number]))
            continue
        moved = tuple([place[k] for k in operands])
        if op == "div" and operands[1] in shared:
            y = operands[1]
            if y not in reciprocal:
                one = put(Instruction("const", (), 1.0), CONST)
                reciprocal[y] = put(Instruction("div", (one, place[y])), levels[y])
                program.reciprocals.add(reciprocal[y])
            x = operands[0]
            if old[x].op == "const" and old[x].constant == 1.0:
                place.append(reciprocal[y])
            else:
                place.append(put(Instruction("mul", (moved[0], reciprocal[y])), levels[number]))
            continue
        place.append(put(Instruction(op, moved, constant), levels[number]))
    program.code, program.level = code, level
    program.results = [place[i] for i in program.results]
    program.sums = [place[i] for i in program.sums]
    return True
