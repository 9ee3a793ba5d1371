"""A recording as text: the operations as they were recorded, before anything is simplified."""

from __future__ import annotations

from collections.abc import Sequence

from ..higher import Linear
from ..text import shortened
from .trace import Traced, reachable

LONGEST = 400  # lines; the middle of a longer listing is left out


def recorded(roots: Sequence[Linear]) -> str:
    """The recorded operations that results are computed from, numbered, one a line."""
    number: dict[Traced, int] = {}
    lines = []
    for node in reachable(roots):
        number[node] = len(number)
        if node.op is None:
            said = f"{node.name}  ({node.which_input[0] if node.which_input else ''})"
        else:
            operands = [f"%{number[x]}" if isinstance(x, Traced) else repr(x) for x in node.operands]
            said = " ".join((node.op.name, *shortened(operands, 12, "…")))
        lines.append(f"{f'%{number[node]}':>6} = {said}")
    return "\n".join(shortened(lines, LONGEST, f"       … {len(lines) - LONGEST + 1} more …"))
