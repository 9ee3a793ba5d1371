"""A compiled program written out as source code that stands alone.

Each line is one instruction of the program, with the formula that it computes beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..markup import SIGNED
from ..notation import CHOICE, Piece, piece, render
from ..structure import cut
from ..text import shown
from .instructions import CONDITIONS
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
        ArgumentError: for another language, a program that is too long or has loops, or an operation that the language
            has not.
    """
    kind = LANGUAGES.get(language) if isinstance(language, str) else None
    if kind is None:
        raise ArgumentError(f"source is written in {', '.join(map(repr, LANGUAGES))}, not {shown(language)}")
    target = kind(program)
    needed = program.needed([i for found, _ in signature.results for i in found])
    if program.loops:
        raise ArgumentError(
            "source does not write loops: the program has some, of scan, while_loop or root. Compile the function with "
            "a Python loop instead"
        )
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
    lines, called = _lines(target, needed, shown_as)
    results = [nested([Name(called[i]) for i in found], shape) for found, shape in signature.results]
    return target.whole(signature, names, lines, results)


def _lines(
    target: Language, needed: Sequence[int], inputs: Mapping[tuple[str, int], str]
) -> tuple[list[str], dict[int, str]]:
    """The lines of a program, and what the result of each instruction is called."""
    program = target.program
    called: dict[int, str] = {}
    formulas: dict[int, Piece] = {}
    drafts: list[tuple[str, str]] = []
    for i in needed:
        op, operands, constant = program.code[i]
        if op == "const":
            number = target.number(constant)
            called[i] = f"({number})" if number.startswith("-") else number
            formulas[i] = piece(constant)
            continue
        if op in ("row", "shared"):
            called[i] = inputs[op, operands[0]]
            formulas[i] = Piece(called[i])
            continue
        text = target.written(op, [called[k] for k in operands])
        is_condition = op in CONDITIONS
        called[i] = f"{'c' if is_condition else 't'}{len(drafts) + 1}"
        formulas[i] = _formula(op, [formulas[k] for k in operands])
        pattern = target.condition if is_condition else target.line
        drafts.append((pattern.format(target=called[i], text=text), formulas[i].text))
        if len(formulas[i].text) > WIDE:
            formulas[i] = Piece(called[i])
    width = min(WIDE, max((len(code) for code, _ in drafts), default=0))
    lines = []
    for code, formula in drafts:
        safe = formula.replace("*/", "* /")
        lines.append(f"{code:<{width}}  {target.comment.format(safe)}" if len(formula) <= 2 * WIDE else code)
    return lines, called


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
