"""A program: arithmetic in the order it is done, one numbered instruction a line, each with earlier ones as operands.

It is straight-line code for one row. Native code and NumPy's replay are both made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..ops import Op
from ..text import shortened
from .instructions import INPUTS, NUMBER, OPCODES, Opcode

CONST, SHARED, ROW = 0, 1, 2  # what an instruction's result varies with: nothing, the call, the row


class Instruction(NamedTuple):
    """One step: the operation, and the numbers of the instructions it works on.

    An input's operand is its number among the inputs; a constant has none, but ``constant``. ``dot`` has its n weights,
    then its n others.
    """

    op: str
    operands: tuple[int, ...]
    constant: float = 0.0


class Program:
    """Instructions, and which of them are results.

    Attributes:
        code: the instructions.
        level: for each what it varies with: CONST, SHARED or ROW.
        results: the instructions that are written out for each row.
        sums: the instructions that are added up over the rows.
        own: operations of the user that only Python can compute, by their name in the code.
        reciprocals: instructions that may overflow where the program without them would not; these are checked.
        row_names, shared_names: of the inputs.
        strict: whether every operation is rounded as in an eager run.
    """

    def __init__(self, row_names: Sequence[str], shared_names: Sequence[str], strict: bool) -> None:
        self.code: list[Instruction] = []
        self.level: list[int] = []
        self.results: list[int] = []
        self.sums: list[int] = []
        self.reciprocals: set[int] = set()
        self.own: dict[str, Op] = {}
        self.row_names, self.shared_names, self.strict = list(row_names), list(shared_names), strict

    def opcode(self, op: str) -> Opcode:
        """The row of the instruction set; an operation of the user gets a similar one."""
        own = self.own.get(op)
        return OPCODES[op] if own is None else Opcode(op, (NUMBER,) * len(own.operands))

    def check(self) -> None:
        """Check the invariants of a program that every stage must keep; for tests of the stages.

        Raises:
            ValueError: names the first instruction that is wrong, and what is wrong with it.
        """
        if len(self.level) != len(self.code):
            raise ValueError(f"{len(self.code)} instructions have {len(self.level)} levels")
        for i in range(len(self.code)):
            wrong = self._wrong(i)
            if wrong:
                raise ValueError(f"instruction {i}, {self.code[i]}: {wrong}")
        for what, numbers in (("result", self.results), ("sum", self.sums)):
            for i in numbers:
                if not 0 <= i < len(self.code):
                    raise ValueError(f"{what} {i}: there is no such instruction")
                if self.opcode(self.code[i].op).result != NUMBER:
                    raise ValueError(f"{what} {i} is a condition, not a number")
        for i in self.reciprocals:
            if not 0 <= i < len(self.code) or self.code[i].op != "div":
                raise ValueError(f"reciprocal {i} is no division")

    def _wrong(self, i: int) -> str:
        """What is wrong with an instruction; nothing if it is right."""
        (op, operands, constant), level = self.code[i], self.level[i]
        if op not in OPCODES and op not in self.own:
            return "there is no such operation"
        if op == "const":
            return "a constant has no operands and level CONST" if operands or level != CONST else ""
        if constant:
            return "only a constant has a number"
        if op in INPUTS:
            names, expected = (self.row_names, ROW) if op == "row" else (self.shared_names, SHARED)
            if len(operands) != 1 or not 0 <= operands[0] < len(names):
                return f"there are {len(names)} such inputs"
            return "" if level == expected else f"its level is {level}, not {expected}"
        kinds = self.opcode(op).operands
        if kinds is None:  # pairs
            kinds = (NUMBER, NUMBER) * max(1, (len(operands) + 1) // 2)
        if len(operands) != len(kinds):
            return f"it takes {len(kinds)} operands, not {len(operands)}"
        for k, kind in zip(operands, kinds, strict=True):
            if not 0 <= k < i:
                return f"operand {k} is not computed before it"
            found = self.opcode(self.code[k].op).result
            if found != kind:
                return f"operand {k} is a {found}, not a {kind}"
        levels = [self.level[k] for k in operands]
        if level != max(levels):
            return f"its level is {level}, that of its operands {max(levels)}"
        if level == CONST:
            return "it works on constants only and was not worked out"
        if op == "dot":
            n = len(operands) // 2
            for half in (levels[:n], levels[n:]):
                if len({x == ROW for x in half}) > 1:
                    return "some of its weights, or of the others, differ from row to row and some do not"
        return ""

    def needed(self, roots: Iterable[int] | None = None) -> list[int]:
        """The instructions that the roots depend on, in order; by default those that some result depends on."""
        wanted = bytearray(len(self.code))
        for i in (*self.results, *self.sums) if roots is None else roots:
            wanted[i] = 1
        for i in range(len(self.code) - 1, -1, -1):
            if wanted[i] and self.code[i].op not in INPUTS:
                for k in self.code[i].operands:
                    wanted[k] = 1
        return [i for i, x in enumerate(wanted) if x]

    def operations(self) -> int:
        """How many operations are done: inputs and constants are not counted, a dot of n as n."""
        count = 0
        for i in self.needed():
            op, operands, _ = self.code[i]
            if op not in INPUTS:
                count += len(operands) // 2 if op == "dot" else 1
        return count

    def __str__(self) -> str:
        return "\n".join(self.lines(self.needed()))

    def lines(self, needed: Iterable[int]) -> list[str]:
        """The instructions as text, numbered anew without gaps."""
        number: dict[int, int] = {}
        lines = []
        for i in needed:
            op, operands, _ = self.code[i]
            if op == "const":
                continue
            number[i] = len(number)
            if op in ("row", "shared"):
                said = (self.row_names if op == "row" else self.shared_names)[operands[0]] + f"  ({op})"
            else:
                said = " ".join((op, *(self._named(k, number) for k in shortened(operands, 12, None))))
            lines.append(f"{f'%{number[i]}':>6} = {said}")
        for what, where in (("result", self.results), ("sum over rows", self.sums)):
            lines += [f"{what} {k}: {self._named(i, number)}" for k, i in enumerate(where)]
        return lines

    def _named(self, i: int | None, number: dict[int, int]) -> str:
        if i is None:
            return "…"
        return f"{self.code[i].constant!r}" if self.code[i].op == "const" else f"%{number[i]}"
