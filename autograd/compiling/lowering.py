"""Lowering: mathematical functions of a program become the instructions that they are made of."""

from __future__ import annotations

from collections.abc import Container

from .instructions import INPUTS, LOOP_INPUTS, OF_LOOPS
from .mathematics import FUNCTIONS, Maker
from .program import ROW, Program
from .symbols import Symbol


def lower(program: Program, functions: Container[str], single: bool, wide: bool) -> tuple[Program, list[int]]:
    """The program with some functions written out, where they differ from row to row.

    Args:
        program: the program, not strict.
        functions: the names of those to write out.
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
            written = program.level[number] == ROW and op in functions
            symbol = FUNCTIONS[op](maker, *symbols) if written else maker.write(op, *symbols)
        made.append(symbol)
    moved = [symbol.i for symbol in made]
    lowered = maker.program
    lowered.own = program.own
    lowered.reciprocals = {moved[i] for i in program.reciprocals}
    lowered.active = None if program.active is None else moved[program.active]
    lowered.results, lowered.sums = [moved[i] for i in program.results], [moved[i] for i in program.sums]
    return lowered, moved
