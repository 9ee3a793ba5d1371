"""``root`` in a recording: the iteration is a loop, and the solution a node with sweeps of its own.

The node holds the recorded operations of f between x and its result. They are recorded again at the solution, and swept
through there: by the implicit function theorem the partial with respect to θ is −f_θ / f_x, and the tangent of the
solution −t / f_x, where t is the tangent of f with x held fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from ..carriers import Extended
from ..functions import where
from ..higher import Combine, Compound, Linear, forward, is_plainly, reverse, total
from ..newton import Search, advance, begin, begin_within
from ..structure import number_in
from .loop_rules import PACK, STACK
from .loops import Loops, copy_nodes, make
from .recording import Recording
from .traced import Traced

if TYPE_CHECKING:
    from ..implicit import Settings


class Equation:
    """The recorded operations of f.

    Attributes:
        x: where f was computed.
        result: f there.
        nodes: all nodes from x on that the result is computed from, in their order.
        outside: the nodes before that they use.
    """

    def __init__(self, x: Traced, result: Traced) -> None:
        self.x, self.result = x, result
        found: set[Traced] = set()
        outside: dict[Traced, None] = {}
        left: list[Any] = [result]
        while left:
            node = left.pop()
            if type(node) is not Traced or node in found or node is x:
                continue
            if node.number < x.number or node.which_input is not None:
                outside[node] = None
            else:
                found.add(node)
                left += (*node.operands, node.inlined)
        self.nodes = sorted(found, key=lambda node: node.number)
        self.outside = sorted(outside, key=lambda node: node.number)

    def at(self, x: Linear, outside: Sequence[Any]) -> tuple[Any, list[Any]]:
        """f with other operands, and the nodes of a sweep through it."""
        mapping: dict[Any, Any] = {self.x: x, **dict(zip(self.outside, outside, strict=True))}
        copy_nodes(self.nodes, mapping)
        return mapping[self.result], [mapping[node] for node in self.nodes]


class _Root(Compound):
    """A solution: its operands are what f uses, its detail is the equation."""

    __slots__ = ()

    def pull(
        self, node: Any, adjoints: list[Any], keys: list[Any], depends: Container[Any], combine: Combine
    ) -> Iterable[tuple[Any, Any, Any]]:
        result, order, along = _at_solution(node, combine)
        order = [*node.operands, *order]
        numbers = [x for x in node.operands if x in depends and x.op not in (PACK, STACK)]
        for x, slope in zip(numbers, reverse(order, numbers, combine=combine, seeds=_seed(result, 1.0)), strict=True):
            if not is_plainly(slope, 0.0):
                yield x, adjoints[0], -(slope / along)
        stacks = [x for x in node.operands if x in depends and x.op in (PACK, STACK)]
        if stacks:
            arriving = combine(adjoints, [-(1.0 / along)])
            found: list[Any] = reverse(order, stacks, combine=combine, seeds=_seed(result, arriving))
            for x, adjoint in zip(stacks, found, strict=True):
                for part, key in zip(*adjoint, strict=True) if isinstance(adjoint, tuple) else ():
                    yield x, part, key

    def push(self, node: Any, tangents: Mapping[Any, Any], combine: Combine) -> Any:
        result, order, along = _at_solution(node, combine)
        known = {x: tangents[x] for x in node.operands if x in tangents}
        return combine([forward(order, known, combine).get(result, 0.0)], [-(1.0 / along)])


def _at_solution(node: Any, combine: Combine) -> tuple[Any, list[Any], Any]:
    """f, recorded at the solution; the nodes of a sweep through it; and its slope there."""
    result, order = node.detail.at(node, node.operands)
    along = forward(order, {node: 1.0}, combine).get(result, 0.0)
    return result, order, Extended(along) if isinstance(along, float) else along


def _seed(result: Any, adjoint: Any) -> dict[Any, tuple[list[Any], list[Any]]]:
    return {result: ([adjoint], [1.0])}


def _no_rule(*operands: Any) -> Any:
    raise TypeError("the rows of a solution are found by a loop")


ROOT = _Root("root", "*xs", "", (), lambda m: _no_rule, group=tuple, samples=())
ROOT.is_number = True


def root(recording: Recording, f: Callable[..., Any], x0: Any, parameters: Sequence[Any], settings: Settings) -> Any:
    """The solution for every row; nan where there is none. See ``autograd.implicit``."""

    def at(x: Any) -> Any:
        found = number_in(f(x, *parameters), f"what {settings.name} returned")
        return recording.record(ops.IDENTITY, (found,))

    def start(x: Any) -> Any:
        return recording.record(ops.IDENTITY, (x,)).detach()

    at(start(x0))  # what f closes over joins the recording
    first = start(x0)
    equation = Equation(first, at(first))
    begun = begin(first)
    if settings.bracket is not None:
        low, high = map(start, settings.bracket)
        begun = begin_within(_where, first, low, high, at(low), at(high))

    def step(state: Sequence[Any]) -> list[Any]:
        here = Search(*state)
        result, order = equation.at(here.x, equation.outside)
        slope = forward(order, {here.x: 1.0}, _plainly).get(result, 0.0)
        return list(advance(_where, here, result, result / slope, settings.tolerance))

    loop = Loops(recording)
    found = Search(*loop.while_loop(lambda state: Search(*state).active > 0.0, step, list(begun), settings.max_steps)).x
    if not equation.outside:
        return found.detach()
    z = make(ROOT, equation.outside, equation)
    z.inlined = found
    return z


def _where(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, bool):
        return x if condition else y
    return where(condition, x, y)


def _plainly(factors: Sequence[Linear], others: Sequence[Linear]) -> Linear:
    """Σ factor·other, without looking whether 0 meets inf: the iteration goes on from a slope of nan by itself."""
    pairs = zip(factors, others, strict=True)
    return total([(x, y) for x, y in pairs if not (is_plainly(x, 0.0) or is_plainly(y, 0.0))])
