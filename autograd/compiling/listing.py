"""A recording as text: the operations as they were recorded, before anything is simplified."""

from __future__ import annotations

from collections.abc import Sequence

from ..higher import Linear
from .trace import Traced, reachable

LONGEST = 400  # lines; the middle of a longer listing is left out


def recorded(roots: Sequence[Linear]) -> str:
    """The recorded operations that results are computed from, numbered, one a line."""
    number: dict[Traced, int] = {}
    lines = []
    for node in reachable(roots):
        number[node] = len(number)
        if node.op is None:
            said = f"{node.name}  ({node.place[0] if node.place else ''})"
        else:
            operands = [f"%{number[x]}" if isinstance(x, Traced) else repr(x) for x in node.operands]
            shown = operands if len(operands) <= 12 else [*operands[:6], "…", *operands[-3:]]
            said = " ".join((node.op.name, *shown))
        lines.append(f"{f'%{number[node]}':>6} = {said}")
    if len(lines) > LONGEST:
        left_out = len(lines) - LONGEST
        lines = [*lines[: LONGEST // 2], f"       … {left_out} more …", *lines[-LONGEST // 2 :]]
    return "\n".join(lines)
