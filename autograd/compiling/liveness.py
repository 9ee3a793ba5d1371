"""Which numbers of the loops of a recording are needed, and the order in which the nodes are written.

Derivatives add states and stacks to loops (see ``loop_rules``); only those that a result depends on are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..higher import Linear
from .loop_rules import LOOP, PART, STACK
from .loops import Loop
from .traced import Traced


@dataclass
class Needed:
    """The needed numbers of a loop: of its state, its steps and its stacks; in the order in which they are written."""

    states: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)


class Live:
    """The loops that results depend on.

    Args:
        roots: the results.
    """

    def __init__(self, roots: Iterable[Linear]) -> None:
        self._needed: dict[Loop, Needed] = {}
        self._bodies: dict[Loop, tuple[list[Traced], list[Traced]]] = {}
        self._find(roots)

    def of(self, loop: Loop) -> Needed:
        """What is needed of a loop."""
        return self._needed[loop]

    def _find(self, roots: Iterable[Linear]) -> None:
        seen: set[Traced] = set()
        stack: list[Any] = list(roots)
        while stack:
            node = stack.pop()
            if type(node) is not Traced or node in seen:
                continue
            seen.add(node)
            if node.op is LOOP:  # needed for its number of steps, or by a result
                self._needed.setdefault(node.detail, Needed())
                stack += [node.detail.active, node.detail.counted]
            elif node.op is PART:
                loop = node.operands[0].detail  # type: ignore[union-attr]
                stack += [loop.node, loop.states[node.detail]]
            elif node.op is STACK:
                loop = node.operands[0].detail  # type: ignore[union-attr]
                self._needed.setdefault(loop, Needed()).outs.append(node.detail)
                stack += [loop.node, loop.outs[node.detail]]
            elif node.within is not None and node.detail is node.within:  # a placeholder
                loop, (kind, place) = node.detail, node.which_input  # type: ignore[misc]
                needed = self._needed.setdefault(loop, Needed())
                if kind == "state":
                    needed.states.append(place)
                    stack += [loop.starts[place], loop.nexts[place]]
                else:
                    needed.steps.append(place)
                    stack.append(loop.sources[place])
            else:
                stack += node.operands if node.inlined is None else (node.inlined,)
        for needed in self._needed.values():
            needed.states.sort()
            needed.steps.sort()
            needed.outs.sort()

    def body(self, loop: Loop) -> tuple[list[Traced], list[Traced]]:
        """The nodes of a loop's body that are needed, operands first, and the nodes outside that they use."""
        found = self._bodies.get(loop)
        if found is None:
            needed = self._needed[loop]
            roots = [*(loop.nexts[j] for j in needed.states), *(loop.outs[k] for k in needed.outs), loop.active]
            found = self._bodies[loop] = self.order(roots, loop)
        return found

    def order(self, roots: Iterable[Any], within: Loop | None) -> tuple[list[Traced], list[Traced]]:
        """The nodes inside a loop, or outside all, that the roots depend on; and those further outside."""
        order: list[Traced] = []
        outside: list[Traced] = []
        seen: set[Traced] = set()
        stack: list[Any] = [*reversed([x for x in roots if type(x) is Traced])]
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                if node.within is not within:
                    outside.append(node)
                elif within is None or node.detail is not within:
                    stack += (node, None)
                    stack += [x for x in reversed(self._operands(node)) if type(x) is Traced and x not in seen]
        return order, outside

    def _operands(self, node: Traced) -> list[Any]:
        if node.op is not LOOP:
            return list(node.operands) if node.inlined is None else [node.inlined]
        loop, needed = node.detail, self._needed[node.detail]
        counted = [] if loop.counted is node else [loop.counted]
        first = [*(loop.starts[j] for j in needed.states), *(loop.sources[k] for k in needed.steps)]
        return [*first, *self.body(loop)[1], *counted]
