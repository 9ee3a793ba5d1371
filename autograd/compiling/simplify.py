"""Simplification of a whole program: many divisions by one number become one division and products.

Single operations are simplified when they are written, in ``symbols``.
"""

from __future__ import annotations

from collections import Counter

from .instructions import INPUTS
from .program import CONST, ROW, Instruction, Program


def use_reciprocals(program: Program) -> bool:
    """Replace x/y, z/y, … by products with 1/y; returns whether any was replaced.

    A product is off by a unit in the last place or two, and wrong where y is so small (below 1e-308) that 1/y
    overflows though x/y does not: this is speculation (see ``derive``), and its guard is that reciprocals are finite.
    """
    # Not in loops where some rows go on after they have ended, or where native code does not look at reciprocals.
    several = [
        use_reciprocals(loop.body)
        for i, loop in program.own_loops()
        if program.level[i] == ROW and loop.body.active is None and not loop.is_counted
    ]
    divisors = Counter(i.operands[1] for i in program.code if i.op == "div")
    frequent = {y for y, count in divisors.items() if count > 1 and program.level[y] != CONST}
    if not frequent:
        return any(several)
    old, levels = program.code, program.level
    code: list[Instruction] = []
    level: list[int] = []
    moved: list[int] = []  # the new number of each old instruction
    reciprocal: dict[int, int] = {}

    def put(instruction: Instruction, what: int) -> int:
        code.append(instruction)
        level.append(what)
        return len(code) - 1

    for number, (op, operands, constant) in enumerate(old):
        if op in INPUTS:
            moved.append(put(old[number], levels[number]))
            continue
        now = tuple([moved[k] for k in operands])
        if op == "div" and operands[1] in frequent:
            y = operands[1]
            if y not in reciprocal:
                one = put(Instruction("const", (), 1.0), CONST)
                reciprocal[y] = put(Instruction("div", (one, moved[y])), levels[y])
                program.reciprocals.add(reciprocal[y])
            x = operands[0]
            if old[x].op == "const" and old[x].constant == 1.0:
                moved.append(reciprocal[y])
            else:
                moved.append(put(Instruction("mul", (now[0], reciprocal[y])), levels[number]))
            continue
        moved.append(put(Instruction(op, now, constant), levels[number]))
    program.code, program.level = code, level
    program.results = [moved[i] for i in program.results]
    program.sums = [moved[i] for i in program.sums]
    if program.active is not None:
        program.active = moved[program.active]
    return True
