"""Folds the graph between an input and an output into stations and factors, as one writes a chain rule by hand.

Stations are the nodes worth writing down: those with a name, and those where paths part. Everything between two
stations is one factor, the product of the partials on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..value import Value


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of the graph: the node that used an input, and which of its inputs that is."""

    node: Value
    position: int

    @property
    def partial(self) -> float:
        """The partial derivative that lives on the edge."""
        return self.node.partials[self.position]

    @property
    def input(self) -> Value:
        """The input."""
        return self.node.inputs[self.position]

    @property
    def slope(self) -> str:
        """The table's formula for the partial."""
        assert self.node.op is not None
        places = [k for k, x in enumerate(self.node.operands) if isinstance(x, Value)]
        return self.node.op.slope_for(places[self.position], len(self.node.operands))


@dataclass(frozen=True, slots=True)
class Factor:
    """∂target/∂source along one way without branches: the edges passed, and the product of their partials."""

    source: Value
    target: Value
    edges: tuple[Edge, ...]
    product: float


@dataclass(slots=True)
class Between:
    """The part of a graph that lies between an input and the output."""

    output: Value
    wrt: Value
    order: list[Value]  # its nodes, in topological order
    out: dict[Value, list[Edge]] = field(default_factory=dict)  # the edges that lead on from each


def between(order: Sequence[Value], wrt: Value) -> Between:
    """The nodes and edges on the paths from ``wrt`` to the last node of ``order``."""
    output = order[-1]
    depends = {wrt}
    for node in order:
        if node is not wrt and not depends.isdisjoint(node.inputs):
            depends.add(node)
    part = Between(output, wrt, [node for node in order if node in depends])
    for node in part.order:
        part.out[node] = []
    for node in part.order:
        if node is not wrt:
            for position, x in enumerate(node.inputs):
                if x in depends:
                    part.out[x].append(Edge(node, position))
    return part


class Folded:
    """The factors that lead on from each station.

    Args:
        part: the graph between input and output.
        expand: make every node a station, so that every edge is a factor of its own.
    """

    def __init__(self, part: Between, expand: bool = False) -> None:
        self.part, self.expand = part, expand

    def is_station(self, node: Value) -> bool:
        """Whether the node is written down."""
        part = self.part
        if self.expand or node is part.wrt or node is part.output:
            return True
        ways = part.out[node]
        if len(ways) != 1:
            return True
        # A named term of a sum is not worth a factor: its slope is 1 by the sum rule.
        return node.name is not None and ways[0].slope != "1"

    def factors(self, station: Value) -> list[Factor]:
        """One factor for each edge that leads on from a station, up to the next station."""
        result = []
        for first in self.part.out[station]:
            edges, product, node = [first], first.partial, first.node
            while not self.is_station(node):
                edge = self.part.out[node][0]
                edges.append(edge)
                product = times(product, edge.partial)
                node = edge.node
            result.append(Factor(station, node, tuple(edges), product))
        return result

    def chain(self, station: Value) -> tuple[list[Factor], Value]:
        """The factors from a station up to the output or to the next station where paths part, and that station."""
        factors = []
        while station is not self.part.output and len(self.part.out[station]) == 1:
            (factor,) = self.factors(station)
            factors.append(factor)
            station = factor.target
        return factors, station


def times(x: float, y: float) -> float:
    """x·y, where an exact zero stays zero, as in the sweeps."""
    return x * y if x != 0.0 and y != 0.0 else 0.0
