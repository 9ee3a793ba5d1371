"""Writes the reference of all operations from the table: ``python -m autograd.catalogue > docs/operations.md``."""

from __future__ import annotations

from . import functions
from .notation import Piece, render
from .ops import TABLE, Op


def catalogue() -> str:
    """The operation table as a Markdown document."""
    lines = [
        "# Operations",
        "",
        "Made from the table in `autograd/ops.py` by `python -m autograd.catalogue`. `z` is the result itself.",
        "",
        "| function | formula | slopes | defined for | at a kink |",
        "|---|---|---|---|---|",
    ]
    for op in TABLE.values():
        cells = [f"`{op.name}`", _formula(op), _slopes(op), op.conditions(), op.convention]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    lines += ["", "## What they do", ""]
    composed = [name for name in functions.__all__ if name not in TABLE]
    for name in (*TABLE, *composed):
        first = (getattr(functions, name).__doc__ or "").strip().splitlines()[0]
        lines.append(f"- `{name}`: {first}")
    return "\n".join(lines) + "\n"


def _count(op: Op) -> int:
    return len(op.samples[0]) if op.nary else len(op.operands)


def _formula(op: Op) -> str:
    return render(op.formula_for(_count(op)), {name: Piece(name) for name in op.names(_count(op))}).text


def _slopes(op: Op) -> str:
    names = {name: Piece(name) for name in (*op.names(_count(op)), "z")}
    return "; ".join(render(op.slope_for(i, _count(op)), names).text for i in range(_count(op)))


if __name__ == "__main__":
    print(catalogue(), end="")
