"""A program as text: one numbered instruction a line, the bodies of loops indented."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..text import shortened
from .instructions import LOOP_INPUTS, OF_LOOPS

if TYPE_CHECKING:
    from .program import Program

_INDENT = " " * 6


def lines(program: Program, needed: Iterable[int]) -> list[str]:
    """The instructions as text, numbered anew without gaps."""
    text = _Text(program, {}, itertools.count(), "")
    text.write(needed)
    for what, where in (("result", program.results), ("sum over rows", program.sums)):
        text.lines += [f"{what} {k}: {text.named(i)}" for k, i in enumerate(where)]
    return text.lines


class _Text:
    """Lines of a program.

    Args:
        program: the program, or the body of a loop.
        number: what the instructions that were written are called.
        counter: gives further numbers.
        indent: goes before each line.
    """

    def __init__(self, program: Program, number: dict[int, str], counter: Iterator[int], indent: str) -> None:
        self.program, self.number, self.counter, self.indent = program, number, counter, indent
        self.lines: list[str] = []

    def named(self, i: int | None) -> str:
        """An operand."""
        if i is None:
            return "…"
        op, _, constant = self.program.code[i]
        return repr(constant) if op == "const" else self.number[i]

    def write(self, needed: Iterable[int]) -> None:
        """Add lines for instructions."""
        program = self.program
        for i in needed:
            op, operands, constant = program.code[i]
            if op == "const" or op in LOOP_INPUTS:
                continue
            if op == "loop":
                self._loop(i)
                continue
            if op in ("row", "shared"):
                said = (program.row_names if op == "row" else program.shared_names)[operands[0]] + f"  ({op})"
            else:
                place = [str(int(constant))] if op in OF_LOOPS or op == "element" else []
                said = " ".join((op, *(self.named(k) for k in shortened(operands, 12, None)), *place))
            self._line(i, said)

    def _line(self, i: int, said: str) -> None:
        self.number[i] = f"%{next(self.counter)}"
        self.lines.append(f"{self.indent}{self.number[i]:>6} = {said}")

    def _loop(self, i: int) -> None:
        _, operands, constant = self.program.code[i]
        loop = self.program.loops[int(constant)]
        names = [self.named(k) for k in operands]
        outer = loop.outer(names)
        steps = f"{names[-1]} steps" if loop.is_counted else f"{loop.length} steps"
        self._line(i, f"loop, {steps}{' backward' if loop.backward else ''}:")
        body, inside = loop.body, self.indent + _INDENT
        text = _Text(body, {}, self.counter, inside)
        for k, (op, place, _) in enumerate(body.code):
            if op == "outer":
                text.number[k] = outer[place[0]]
            elif op == "state":
                text._line(k, f"state {place[0]}, first {names[place[0]]}")
            elif op == "step":
                text._line(k, f"element of {names[loop.states + place[0]]}")
        text.write(body.needed())
        self.lines += text.lines
        if body.active is not None:
            self.lines.append(f"{inside}while {text.named(body.active)}")
        for k, x in enumerate(body.results):
            what = f"next state {k}" if k < loop.states else f"stack {k - loop.states}"
            self.lines.append(f"{inside}{what}: {text.named(x)}")
