"""A program: arithmetic in the order it is done, one numbered instruction a line, each with earlier ones as operands.

It is straight-line code for one row. Native code and NumPy's replay are both made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from ..ops import Op
from .instructions import CONDITION, INPUTS, NO_ARITHMETIC, NUMBER, OF_LOOPS, OPCODES, STACK, Kind, Opcode
from .program_text import lines

CONST, SHARED, ROW = 0, 1, 2  # what an instruction's result varies with: nothing, the call, the row


T = TypeVar("T")


class Instruction(NamedTuple):
    """One step: the operation, and the numbers of the instructions it works on.

    An input's operand is its number among the inputs; a constant has none, but ``constant``. ``dot`` has its n weights,
    then its n others. A loop has what its state begins with, the stacks that it goes through, what else its body reads
    from outside, and the number of steps if it is counted; ``constant`` is its number among the program's loops. For a
    result of a loop, or an element of a stack, it is the number of that.
    """

    op: str
    operands: tuple[int, ...]
    constant: float = 0.0


class LoopCode(NamedTuple):
    """A loop of a program.

    Attributes:
        body: its code; the results are the next numbers of the state, then what is stacked.
        length: how many steps there are, at most.
        backward: whether it begins at the last step.
        states, steps, outs: how many numbers its state has, through how many stacks it goes, and how many it makes.
        is_counted: whether its last operand is the number of steps.
    """

    body: Program
    length: int
    backward: bool
    states: int
    steps: int
    outs: int
    is_counted: bool

    def outer(self, operands: Sequence[T]) -> Sequence[T]:
        """Those operands that the body reads as ``outer``."""
        return operands[self.states + self.steps : len(operands) - self.is_counted]


class Program:
    """Instructions, and which of them are results.

    Attributes:
        code: the instructions.
        level: for each what it varies with: CONST, SHARED or ROW.
        results: the instructions that are written out for each row.
        sums: the instructions that are added up over the rows.
        active: in a loop's body the condition without which the loop ends before the next step, if it may end early.
        loops: the loops.
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
        self.active: int | None = None
        self.loops: list[LoopCode] = []
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
        if self.active is not None and self.opcode(self.code[self.active].op).result != CONDITION:
            raise ValueError(f"the loop goes on by {self.active}, which is no condition")
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
        if constant and op not in OF_LOOPS and op not in ("loop", "element"):
            return "only a constant has a number"
        if op in ("state", "step", "outer"):
            return "" if len(operands) == 1 else "it is one of a loop's inputs"
        if op in INPUTS:
            names, expected = (self.row_names, ROW) if op == "row" else (self.shared_names, SHARED)
            if len(operands) != 1 or not 0 <= operands[0] < len(names):
                return f"there are {len(names)} such inputs"
            return "" if level == expected else f"its level is {level}, not {expected}"
        kinds = self.opcode(op).operands
        if op == "loop":
            kinds = self._kinds_of_loop(self.loops[int(constant)], operands)
        elif op == "pack":
            kinds = (NUMBER,) * len(operands)
        elif kinds is None:  # pairs
            kinds = (NUMBER, NUMBER) * max(1, (len(operands) + 1) // 2)
        if len(operands) != len(kinds):
            return f"it takes {len(kinds)} operands, not {len(operands)}"
        for k, kind in zip(operands, kinds, strict=True):
            if not 0 <= k < i:
                return f"operand {k} is not computed before it"
            found = self.opcode(self.code[k].op).result
            if found != kind and self.code[k].op != "outer":
                return f"operand {k} is a {found}, not a {kind}"
        levels = [self.level[k] for k in operands]
        if op in ("loop", "pack"):
            levels.append(SHARED)
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

    def _kinds_of_loop(self, loop: LoopCode, operands: Sequence[int]) -> tuple[Kind, ...]:
        """The kinds that a loop's operands must have; its body is checked as well."""
        loop.body.check()
        if len(loop.body.results) != loop.states + loop.outs:
            raise ValueError(f"a loop with {loop.states} numbers and {loop.outs} stacks has another number of results")
        sizes = {"state": loop.states, "step": loop.steps, "outer": len(loop.outer(operands))}
        for i in loop.body.code:
            if i.op in sizes and not 0 <= i.operands[0] < sizes[i.op]:
                raise ValueError(f"{i}: the loop has {sizes[i.op]} such inputs")
        outer = [self.opcode(self.code[k].op).result for k in loop.outer(operands)]
        return (NUMBER,) * loop.states + (STACK,) * loop.steps + tuple(outer) + (NUMBER,) * loop.is_counted

    def operations_used(self) -> set[str]:
        """The names of the operations in the program and in the bodies of its loops."""
        return {x.op for x in self.code}.union(*(loop.body.operations_used() for loop in self.loops))

    def own_loops(self) -> list[tuple[int, LoopCode]]:
        """The instructions that are loops, and their code."""
        if not self.loops:
            return []
        return [(i, self.loops[int(x.constant)]) for i, x in enumerate(self.code) if x.op == "loop"]

    def results_of(self, loop: int, op: str) -> dict[int, int]:
        """The instructions that are results of a loop, by their numbers: ``last``, ``stack`` or ``count``."""
        found = enumerate(self.code)
        return {int(constant): i for i, (name, operands, constant) in found if name == op and operands == (loop,)}

    def needed(self, roots: Iterable[int] | None = None) -> list[int]:
        """The instructions that the roots depend on, in order; by default those that some result depends on."""
        wanted = bytearray(len(self.code))
        for i in (*self.results, *self.sums) if roots is None else roots:
            wanted[i] = 1
        if self.active is not None:
            wanted[self.active] = 1
        for i in range(len(self.code) - 1, -1, -1):
            if wanted[i] and self.code[i].op not in INPUTS:
                for k in self.code[i].operands:
                    wanted[k] = 1
        return [i for i, x in enumerate(wanted) if x]

    def operations(self) -> int:
        """How many operations are done: inputs and constants are not counted, a dot of n as n, a loop as its steps."""
        count = 0
        for i in self.needed():
            op, operands, constant = self.code[i]
            if op == "loop":
                loop = self.loops[int(constant)]
                count += loop.length * loop.body.operations()
            elif op not in NO_ARITHMETIC:
                count += len(operands) // 2 if op == "dot" else 1
        return count

    def __str__(self) -> str:
        return "\n".join(lines(self, self.needed()))
