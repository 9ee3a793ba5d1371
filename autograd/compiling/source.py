"""A compiled program written out as source code that stands alone.

Each line is one instruction of the program, with the formula that it computes beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..markup import SIGNED
from ..notation import CHOICE, Piece, piece, render
from ..structure import cut
from ..text import shown
from .instructions import CONDITIONS, INPUTS, OF_LOOPS
from .languages import LANGUAGES, Language, Name, Signature, nested
from .program import Program
from .want import size

if TYPE_CHECKING:
    from .prepared import Prepared

MOST = 100_000  # instructions
WIDE = 60  # characters of a formula; longer ones are written with the names of their parts

_FORMULAS = {
    **{"add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y", "neg": "-x", "fma": "x * y + z"},
    **{
        "lt": "x < y",
        "le": "x <= y",
        "pow": "x ** y",
        "sqrt": "sqrt(x)",
        "abs": "abs(x)",
    },
}


_WORDS = {"eq": "{} = {}", "and": "{} and {}", "or": "{} or {}", "not": "not {}"}


def source(language: str, program: Program, signature: Signature) -> str:
    """The program in a language.

    Raises:
        ArgumentError: for another language, a program that is too long, or an operation that the language has not.
    """
    kind = LANGUAGES.get(language) if isinstance(language, str) else None
    if kind is None:
        raise ArgumentError(f"source is written in {', '.join(map(repr, LANGUAGES))}, not {shown(language)}")
    target = kind(program)
    needed = program.needed([i for found, _ in signature.results for i in found])
    if len(needed) > MOST:
        raise ArgumentError(
            f"a program of {len(needed):,} instructions is too long to be written out; at most {MOST:,} are"
        )
    taken: set[str] = set()
    signature = signature._replace(name=target.name_of(signature.name, taken))
    given = [*signature.arguments, *((name or "leaf", ()) for name, _ in signature.leaves)]
    names = [target.name_of(name, taken) for name, _ in given]
    shown_as: dict[tuple[str, int], str] = {}
    for name, (_, shape), inputs in zip(names, given, signature.inputs, strict=True):
        shown_as.update(zip(inputs, target.shaped(name, shape), strict=True))
    text = _Text(target, program, itertools.count(1), 0)
    text.write(needed, shown_as)
    results = [nested([Name(text.called[i]) for i in found], shape) for found, shape in signature.results]
    return target.whole(signature, names, [*text.aligned(), *text.end()], results)


class _Text:
    """The lines of a program, or of the body of a loop.

    Args:
        target: how they are spelled.
        program: the program, or the body.
        counter: numbers the variables.
        depth: how many loops are around it.
    """

    def __init__(self, target: Language, program: Program, counter: Iterator[int], depth: int) -> None:
        self.target, self.program, self.counter, self.depth = target, program, counter, depth
        self.called: dict[int, str] = {}  # the result of each instruction; of a loop its number of steps
        self.formulas: dict[int, Piece] = {}
        self.results: dict[tuple[int, str, int], str] = {}  # of loops: the last state, and the stacks
        self.drafts: list[tuple[str, str]] = []
        self.stacks: list[str] = []

    def write(self, needed: Sequence[int], inputs: Mapping[tuple[str, int], str]) -> None:
        """Add lines for instructions.

        Args:
            needed: which.
            inputs: what the inputs are called, by their kind and number.
        """
        target, called, formulas = self.target, self.called, self.formulas
        for i in needed:
            op, operands, constant = self.program.code[i]
            if op == "const":
                number = target.number(constant)
                called[i] = f"({number})" if number.startswith("-") else number
                formulas[i] = piece(constant)
            elif op in INPUTS:
                called[i] = inputs[op, operands[0]]
                formulas[i] = Piece(called[i])
            elif op == "loop":
                self._loop(i, needed)
            elif op in OF_LOOPS:
                called[i] = self.results[operands[0], op, int(constant)]
                formulas[i] = Piece(called[i])
            elif op == "pack":
                called[i] = self._variable("k")
                self.lines(target.packed(called[i], [called[k] for k in operands]))
            elif op == "element":
                called[i] = f"{called[operands[0]]}[{int(constant)}]"
                formulas[i] = Piece(called[i])
            else:
                self._instruction(i)

    def _variable(self, letter: str) -> str:
        return f"{letter}{next(self.counter)}"

    def lines(self, lines: Iterable[str], indent: int = 0) -> None:
        """Add lines without a formula."""
        self.drafts += [(self.target.indented(line, self.depth + indent), "") for line in lines]

    def _instruction(self, i: int) -> None:
        op, operands, _ = self.program.code[i]
        target = self.target
        text = target.written(op, [self.called[k] for k in operands])
        is_condition = op in CONDITIONS
        self.called[i] = self._variable("c" if is_condition else "t")
        formula = _formula(op, [self.formulas[k] for k in operands])
        pattern = target.condition if is_condition else target.line
        code = target.indented(pattern.format(target=self.called[i], text=text), self.depth)
        self.drafts.append((code, formula.text))
        self.formulas[i] = formula if len(formula.text) <= WIDE else Piece(self.called[i])

    def _loop(self, i: int, needed: Sequence[int]) -> None:
        _, operands, constant = self.program.code[i]
        loop = self.program.loops[int(constant)]
        target, names = self.target, [self.called[k] for k in operands]
        states = [self._variable("s") for _ in range(loop.states)]
        stacks = [self._variable("k") for _ in range(loop.outs)]
        is_counted = any(self.program.code[k].op == "count" and self.program.code[k].operands[0] == i for k in needed)
        count, at = self._variable("n") if is_counted else "", self._variable("i")
        for name, first in zip(states, names, strict=False):
            self.lines([target.mutable.format(target=name, text=first)])
        for name in stacks:
            self.lines(target.stack(name, loop.length))
        if is_counted:
            self.lines([target.counter.format(target=count, text="0")])
        self.lines(target.loop(at, names[-1] if loop.is_counted else str(loop.length), loop.backward))
        body = _Text(target, loop.body, self.counter, self.depth + 1)
        inputs = {("outer", k): x for k, x in enumerate(loop.outer(names))}
        inputs |= {("state", k): x for k, x in enumerate(states)}
        inputs |= {("step", k): f"{names[loop.states + k]}[{at}]" for k in range(loop.steps)}
        body.write(loop.body.needed(), inputs)
        if loop.body.active is not None:
            body.lines(target.leaves(body.called[loop.body.active], body.stacks))
        nexts = [body.called[k] for k in loop.body.results]
        body.lines(
            target.statement.format(text=f"{k}[{at}] = {x}") for k, x in zip(stacks, nexts[loop.states :], strict=True)
        )
        moved = [(s, x) for s, x in zip(states, nexts, strict=False) if s != x]
        body.lines(target.together([s for s, _ in moved], [x for _, x in moved]))
        if is_counted:
            body.lines([target.statement.format(text=f"{count} += 1")])
        self.drafts += [*body.drafts, *((line, "") for line in body.end())]
        self.lines(target.loop_end)
        self.stacks += [name for name in stacks if loop.length > 0]
        self.results |= {(i, "last", k): x for k, x in enumerate(states)}
        self.results |= {(i, "stack", k): x for k, x in enumerate(stacks)}
        self.results[i, "count", 0] = count

    def end(self) -> list[str]:
        """The lines that free what was allocated."""
        return [self.target.indented(line, self.depth) for line in self.target.freed(self.stacks)]

    def aligned(self) -> list[str]:
        """The lines, with the formulas of neighbouring ones below each other."""
        width = min(WIDE, max((len(code) for code, formula in self.drafts if formula), default=0))
        lines = []
        for code, formula in self.drafts:
            safe = formula.replace("*/", "* /")
            beside = safe and len(safe) <= 2 * WIDE
            lines.append(f"{code:<{width}}  {self.target.comment.format(safe)}" if beside else code)
        return lines


def _formula(op: str, operands: Sequence[Piece]) -> Piece:
    """What an instruction computes, as text."""
    if op == "select":
        return Piece(f"{operands[1].text} if {operands[0].text} else {operands[2].text}", CHOICE)
    if op in _WORDS:
        return Piece(_WORDS[op].format(*(x.within(SIGNED, "text") for x in operands)), CHOICE)
    if op in _FORMULAS:
        return render(_FORMULAS[op], dict(zip("xyz", operands, strict=False)))
    listed = ", ".join(x.text for x in operands)
    return Piece(f"{op}({listed})")


_ABOUT = {
    "value": "The value",
    "grad": "The gradient",
    "value_and_grad": "The value and the gradient",
    "jacobian": "The Jacobian",
    "value_and_jacobian": "The value and the Jacobian",
    "hessian": "The second derivatives",
    "value_grad_and_hessian": "The value, the gradient and the second derivatives",
}


def of_compiled(language: str, prepared: Prepared, name: str, names: Sequence[str]) -> str:
    """The program for a question as source code.

    Args:
        language: ``"python"``, ``"c"`` or ``"javascript"``.
        prepared: the program.
        name: of the function.
        names: of its parameters.
    """
    want, question, program = prepared.want, prepared.question, prepared.task.program
    shapes = [array.shape for array in want.results] + [array.shape for array in want.sums]
    found = cut([*program.results, *program.sums], map(size, shapes))
    count = len(want.results)
    chosen = (question.argnums,) if isinstance(question.argnums, int) else question.argnums
    called = name if name.isidentifier() else "f"
    in_what = f" in {', '.join(names[k] for k in chosen)}" if chosen else ""
    leaves = [(leaf.name, leaf.data) for leaf in prepared.leaves]
    given = sum(map(len, prepared.inputs)) - sum(1 for own in prepared.inputs for kind, _ in own if kind == "row")
    return source(
        language,
        program,
        Signature(
            called if question.kind == "value" else f"{called}_{question.kind}",
            list(zip(names, question.shapes, strict=False)),
            leaves,
            [*prepared.inputs, *([("shared", given + k)] for k in range(len(leaves)))],
            lambda arrays: prepared.pick(arrays[:count], arrays[count:]),
            list(zip(found, shapes, strict=True)),
            f"{_ABOUT[question.kind]} of {called}{in_what}, written by scalar-autograd.",
        ),
    )
