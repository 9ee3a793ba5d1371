"""Divides the graph between an input and the output into the symbols of a chain rule, as in a textbook.

A symbol ∂t/∂s is the total derivative of t with respect to s, along all paths. So it may be a factor of a product
along one path only if no other path joins the two nodes. Along one edge, when there are other paths, the symbol also
names the operands that are held fixed. If an operation uses the same operand more than once, the symbol has the number
of the occurrence. Folding: edges next to nodes without a name become one symbol together, where this rule allows it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..graph import depending, places
from ..sweep import carried
from ..value import Value

# Limits for a sum, for a product, and for the edges that fold into one symbol.
MOST_TERMS, MOST_FACTORS, MOST_EDGES = 8, 8, 8


class Edge(NamedTuple):
    """One edge of the graph: a node, and the position of one of its inputs among the inputs and among the operands."""

    node: Value
    position: int
    place: int

    @property
    def partial(self) -> float:
        """The partial derivative of the edge."""
        return self.node.partials[self.position]

    @property
    def input(self) -> Value:
        """The input."""
        return self.node.inputs[self.position]

    @property
    def slope(self) -> str:
        """The table's formula for the partial."""
        assert self.node.op is not None
        return self.node.op.slope_for(self.place, len(self.node.operands))

    @property
    def is_one(self) -> bool:
        """Whether the partial is 1 for all numbers, as along an edge of a sum."""
        return self.partial == 1.0 and self.slope == "1"


_new = tuple.__new__  # a NamedTuple's own constructor takes twice as long


@dataclass(slots=True)
class Between:
    """The part of a graph between an input and the output."""

    output: Value
    wrt: Value
    order: list[Value]  # its nodes, in topological order
    out: dict[Value, list[Edge]] = field(default_factory=dict)  # the edges from each node towards the output


def between(order: Sequence[Value], wrt: Value) -> Between:
    """The nodes and edges on the paths from ``wrt`` to the last node of ``order``."""
    depends = depending(order, {wrt})
    part = Between(order[-1], wrt, [node for node in order if node in depends])
    out = part.out = {node: [] for node in part.order}
    for node in part.order:
        if node is not wrt:
            inputs = node.inputs
            where = range(len(inputs)) if node.operands is inputs else places(node)
            for position, (x, place) in enumerate(zip(inputs, where, strict=True)):
                if x in depends:
                    out[x].append(_new(Edge, (node, position, place)))
    return part


@dataclass(frozen=True, slots=True)
class Symbol:
    """∂target/∂source: the whole derivative, or what one edge contributes to it.

    Attributes:
        target, source: the two nodes.
        value: the derivative.
        edges: the edges that its local rule multiplies, from the source on; None if an equation defines the symbol.
        nth: which occurrence of the source among the target's operands is meant; 0 for all of them.
        held: the operands of the target that are held fixed though they depend on the source.
    """

    target: Value
    source: Value
    value: float
    edges: tuple[Edge, ...] | None = None
    nth: int = 0
    held: tuple[Value, ...] = ()

    @property
    def key(self) -> tuple[Value, Value, int, bool]:
        """The identity of the symbol: symbols with the same key are printed alike and have the same value."""
        return self.target, self.source, self.nth, bool(self.held)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A derivative as a sum of products.

    Attributes:
        left: the derivative.
        terms: the factors of each term, outermost first.
        rest: the sum of the terms that are left out; None if all are written.
        size: the sum of the absolute values of the products along all paths.
    """

    left: Symbol
    terms: tuple[tuple[Symbol, ...], ...]
    rest: float | None
    size: float

    @property
    def says_nothing(self) -> bool:
        """Whether both sides are the same symbol."""
        return len(self.terms) == 1 and [s.key for s in self.terms[0]] == [self.left.key]


class Folded:
    """Symbols and expansions for one derivative.

    Args:
        part: the graph between input and output.
        adjoints: the derivative of the output with respect to each node.
        sizes: the same without the signs of the paths.
        expand: fold nothing, so that every edge is a factor of its own.
    """

    def __init__(
        self, part: Between, adjoints: Mapping[Value, float], sizes: Mapping[Value, float], expand: bool = False
    ) -> None:
        self.part, self.expand = part, expand
        self._adjoints, self._sizes = adjoints, sizes
        self._ends: dict[Value, Value] | None = None

    def expansions(self) -> Iterator[Expansion]:
        """Every equation that is needed, first that of the wanted derivative, then those of the symbols in it."""
        seen: set[tuple[Value, Value, int, bool]] = set()
        queue = [self.whole(self.part.wrt)]
        for symbol in queue:  # grows during the loop
            if symbol.key not in seen:
                seen.add(symbol.key)
                expansion = self._expansion(symbol)
                yield expansion
                queue += [s for term in expansion.terms for s in term if s.edges is None]

    def whole(self, node: Value) -> Symbol:
        """The derivative of the output with respect to a node."""
        return Symbol(self.part.output, node, self._adjoints[node])

    def ends_symbol(self, node: Value) -> bool:
        """Whether folding stops at a node."""
        part = self.part
        return (
            self.expand
            or node.name is not None
            or len(part.out[node]) != 1
            or node is part.wrt  # also where it is the output
        )

    def _expansion(self, symbol: Symbol) -> Expansion:
        node, output = symbol.source, self.part.output
        edges = self.part.out[node]
        if symbol.target is not output:  # all edges of the node lead to the target
            return self._occurrences(symbol, edges)
        size = self._sizes[node]
        if not edges:
            return Expansion(symbol, (), None, size)
        if all(edge.node is edges[0].node for edge in edges):
            if len(edges) > 1 and edges[0].node is output:
                return self._occurrences(symbol, edges)
            return Expansion(symbol, (self._chain(node, ()),), None, size)
        depends = depending(self.part.order, {node})
        terms = []
        for edge in edges[:MOST_TERMS]:
            first = self._first(edge, depends)
            terms.append(self._chain(first.target, (first,)))
        return Expansion(symbol, tuple(terms), self._rest(edges), size)

    def _rest(self, edges: Sequence[Edge]) -> float | None:
        if len(edges) <= MOST_TERMS:
            return None
        return math.fsum(carried(self._adjoints[edge.node], edge.partial) for edge in edges[MOST_TERMS:])

    def _occurrences(self, symbol: Symbol, edges: Sequence[Edge]) -> Expansion:
        """The derivative of an operation with respect to an operand that it uses more than once."""
        terms = tuple((self._occurrence(edge),) for edge in edges[:MOST_TERMS])
        rest = math.fsum(edge.partial for edge in edges[MOST_TERMS:]) if len(edges) > MOST_TERMS else None
        return Expansion(symbol, terms, rest, math.fsum(abs(edge.partial) for edge in edges))

    def _occurrence(self, edge: Edge) -> Symbol:
        nth = sum(1 for x in edge.node.inputs[: edge.position + 1] if x is edge.input)
        return Symbol(edge.node, edge.input, edge.partial, (edge,), nth=nth)

    def _first(self, edge: Edge, depends: Collection[Value]) -> Symbol:
        """The first factor of a path that begins with this edge, if other paths begin at the same node."""
        others = [x for k, x in enumerate(edge.node.inputs) if k != edge.position and x in depends]
        if edge.input in others:
            return self._occurrence(edge)
        if others:
            return Symbol(edge.node, edge.input, edge.partial, (edge,), held=tuple(dict.fromkeys(others)))
        return self._fold(edge, depends)

    def _chain(self, node: Value, first: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
        """The factors from the output down to ``first``; after the next node where paths separate, one factor."""
        factors = list(first)
        output = self.part.output
        while node is not output:
            edges = self.part.out[node]
            if len(edges) == 1:
                symbol = self._fold(edges[0])
            elif all(edge.node is edges[0].node for edge in edges):
                target = edges[0].node
                value = self._adjoints[node] if target is output else math.fsum(edge.partial for edge in edges)
                symbol = Symbol(target, node, value)
            else:
                break
            if len(factors) == MOST_FACTORS - 1:
                break
            if self._is_term_of_output(symbol) and len(factors) > 1:
                node = factors.pop().source
                break
            factors.append(symbol)
            node = symbol.target
        if node is not output:
            factors.append(self.whole(node))
        return tuple(reversed(factors))

    def _is_term_of_output(self, symbol: Symbol) -> bool:
        """Whether a symbol leads from a term with a name to the output that is their sum.

        It has an equation of its own, but is no factor in earlier equations: one writes ∂E/∂out, not ∂E/∂E₁ · ∂E₁/∂out.
        """
        return symbol.target is self.part.output and symbol.edges == () and not self.expand

    def _fold(self, edge: Edge, depends: Collection[Value] = ()) -> Symbol:
        """The derivative along a path without branches, from the input of an edge to the end of the folding.

        Args:
            edge: the first edge.
            depends: the nodes that depend on its input, if other paths begin there too; the symbol ends before they
                join this path.
        """
        source, product, edges = edge.input, 1.0, []
        while True:
            product = carried(edge.partial, product)
            if not edge.is_one:
                edges.append(edge)
            target = edge.node if depends else self._past_ones(edge.node)
            if self.ends_symbol(target) or len(edges) == MOST_EDGES:
                break
            (edge,) = self.part.out[target]
            if _leaves_range(edge.partial, product):
                break
            if depends and any(x in depends for k, x in enumerate(edge.node.inputs) if k != edge.position):
                break
        value = self._adjoints[source] if target is self.part.output else product
        return Symbol(target, source, value, tuple(edges))

    def _past_ones(self, node: Value) -> Value:
        """The last node that is reached from a node along edges with slope 1 that may be folded."""
        if self._ends is None:
            self._ends = {}
            for start in reversed(self.part.order):
                if not self.ends_symbol(start) and (edge := self.part.out[start][0]).is_one:
                    self._ends[start] = self._ends.get(edge.node, edge.node)
        return self._ends.get(node, node)


def _leaves_range(x: float, y: float) -> bool:
    """Whether a product overflows or underflows though its factors are ordinary numbers."""
    if x == 0.0 or y == 0.0 or not math.isfinite(x) or not math.isfinite(y):
        return False
    return not sys.float_info.min <= abs(x * y) <= sys.float_info.max
