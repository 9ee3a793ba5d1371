"""Lowering: mathematical functions of a program become the instructions that they are made of."""

from __future__ import annotations

import math
from collections.abc import Container

from .instructions import INPUTS, LOOP_INPUTS, OF_LOOPS
from .mathematics import FUNCTIONS, Maker, twice_normal_cdf
from .program import ROW, Program
from .symbols import Symbol

_ROOT_HALF = math.sqrt(0.5)


def lower(program: Program, functions: Container[str], single: bool, wide: bool) -> tuple[Program, list[int]]:
    """The program with some functions written out, where they differ from row to row.

    Args:
        program: the program, not strict.
        functions: the names of those to write out; ``normal_cdf`` is found where erfc is taken of a product with √½.
        single: whether its numbers are float32.
        wide: whether vectors have 64 bytes, so that ``exponent`` and ``significand`` take every number.

    Returns:
        the new program, and for each instruction of the old one its number in the new one.
    """
    maker = Maker(program.row_names, program.shared_names, single, wide)
    made: list[Symbol] = []
    for number, (op, operands, constant) in enumerate(program.code):
        if op == "const":
            symbol = maker.constant(constant)
        elif op in LOOP_INPUTS:
            symbol = maker.placeholder(op, operands[0], program.level[number])
        elif op in INPUTS:
            symbol = maker.input(op, operands[0])
        elif op in OF_LOOPS or op == "element":
            symbol = maker.write_part(op, made[operands[0]], int(constant))
        elif op == "loop":
            loop = program.loops[int(constant)]
            if program.level[number] == ROW:
                loop = loop._replace(body=lower(loop.body, functions, single, wide)[0])
            symbol = maker.loop(loop, [made[k] for k in operands])
        else:
            symbols = [made[k] for k in operands]
            share = _times_root_half(program, operands[0]) if op == "erfc" and "normal_cdf" in functions else None
            if program.level[number] != ROW:
                symbol = maker.write(op, *symbols)
            elif share is not None:
                symbol = twice_normal_cdf(maker, made[share[0]], share[1])
            else:
                symbol = FUNCTIONS[op](maker, *symbols) if op in functions else maker.write(op, *symbols)
        made.append(symbol)
    moved = [symbol.i for symbol in made]
    lowered = maker.program
    lowered.own = program.own
    lowered.reciprocals = {moved[i] for i in program.reciprocals}
    lowered.active = None if program.active is None else moved[program.active]
    lowered.results, lowered.sums = [moved[i] for i in program.results], [moved[i] for i in program.sums]
    return lowered, moved


def _times_root_half(program: Program, i: int) -> tuple[int, bool] | None:
    """The instruction x of x·√½ or −x·√½, and whether erfc of it is 2·Φ(−x), not 2·Φ(x); None for anything else."""
    op, operands, _ = program.code[i]
    negative = op == "neg"
    if negative:
        op, operands, _ = program.code[operands[0]]
    if op == "mul":
        for constant, x in (operands, operands[::-1]):
            if program.code[constant].constant == _ROOT_HALF:
                return x, not negative
    return None
