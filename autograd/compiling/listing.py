"""A recording as text: the operations as they were recorded, before anything is simplified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..higher import Linear
from ..text import shortened
from .liveness import Live
from .loop_rules import LOOP
from .recording import reachable
from .traced import Traced

LONGEST = 400  # lines; the middle of a longer listing is left out
_INDENT = " " * 6


def recorded(roots: Sequence[Linear]) -> str:
    """The recorded operations that results are computed from, numbered, one a line; bodies of loops are indented."""
    if any(isinstance(x, Traced) and x.recording.has_loops for x in roots):
        live = Live(roots)
        listing = _Listing(live)
        listing.write(live.order(roots, None)[0], "")
    else:
        listing = _Listing(None)
        listing.write(reachable(roots), "")
    lines = listing.lines
    return "\n".join(shortened(lines, LONGEST, f"       … {len(lines) - LONGEST + 1} more …"))


class _Listing:
    """Lines of nodes.

    Args:
        live: what is needed of loops, if there are any.
    """

    def __init__(self, live: Live | None) -> None:
        self.live = live
        self.number: dict[Traced, int] = {}
        self.lines: list[str] = []

    def write(self, order: Iterable[Traced], indent: str) -> None:
        """Add lines for nodes, operands first."""
        for node in order:
            if node.op is None:
                self._line(node, f"{node.name}  ({node.which_input[0] if node.which_input else ''})", indent)
            elif node.op is LOOP:
                self._loop(node, indent)
            else:
                operands = [*map(self._named, node.operands), *([] if node.detail is None else [str(node.detail)])]
                self._line(node, " ".join((node.op.name, *shortened(operands, 12, "…"))), indent)

    def _line(self, node: Traced, said: str, indent: str) -> None:
        self.number[node] = len(self.number)
        self.lines.append(f"{indent}{f'%{self.number[node]}':>6} = {said}")

    def _named(self, x: Linear | None) -> str:
        return f"%{self.number[x]}" if isinstance(x, Traced) else repr(x)

    def _loop(self, node: Traced, indent: str) -> None:
        assert self.live is not None
        loop, needed = node.detail, self.live.of(node.detail)
        counted = loop.counted is not None and loop.counted is not node
        steps = f"{self._named(loop.counted)} steps" if counted else f"{loop.length} steps"
        self._line(node, f"loop, {steps}{' backward' if loop.backward else ''}:", indent)
        inside = indent + _INDENT
        for j in needed.states:
            self._line(loop.states[j], f"{loop.states[j].name}, first {self._named(loop.starts[j])}", inside)
        for k in needed.steps:
            self._line(loop.steps[k], f"element of {self._named(loop.sources[k])}", inside)
        self.write(self.live.body(loop)[0], inside)
        if loop.active is not None:
            self.lines.append(f"{inside}while {self._named(loop.active)}")
        for what, found, ends in (("next", needed.states, loop.nexts), ("stack", needed.outs, loop.outs)):
            self.lines += [f"{inside}{what} {k}: {self._named(ends[k])}" for k in found]
