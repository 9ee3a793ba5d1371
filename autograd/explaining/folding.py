"""Folds the graph between an input and an output into stations and factors, as one writes a chain rule by hand.

Stations are the nodes worth writing down: those with a name, and those where paths part. Everything between two
stations is one factor, the product of the partials on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..graph import depending, places
from ..sweep import carried
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
        return self.node.op.slope_for(places(self.node)[self.position], len(self.node.operands))


@dataclass(frozen=True, slots=True)
class Step:
    """From one node to the next: one edge, or several where the node uses the same input more than once."""

    edges: tuple[Edge, ...]

    @property
    def node(self) -> Value:
        """Where the step leads."""
        return self.edges[0].node

    @property
    def partial(self) -> float:
        """The derivative along the step: the sum over its edges."""
        return sum(edge.partial for edge in self.edges)

    @property
    def is_one(self) -> bool:
        """Whether the derivative is 1 whatever the numbers are, as along an edge of a sum."""
        return len(self.edges) == 1 and self.edges[0].slope == "1"


@dataclass(frozen=True, slots=True)
class Factor:
    """∂target/∂source along one way without branches: the steps, and the product of their partials."""

    source: Value
    target: Value
    steps: tuple[Step, ...]
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
    depends = depending(order, {wrt})
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
        self._found: dict[tuple[Value, int | None], list[Factor]] = {}
        self._chains: dict[Value, tuple[list[Factor], Value]] = {}

    def ways(self, node: Value) -> list[Step]:
        """The steps that lead on from a node."""
        grouped: dict[Value, list[Edge]] = {}
        for edge in self.part.out[node]:
            grouped.setdefault(edge.node, []).append(edge)
        return [Step(tuple(edges)) for edges in grouped.values()]

    def is_station(self, node: Value) -> bool:
        """Whether the node is written down."""
        part = self.part
        if self.expand or node is part.wrt or node is part.output:
            return True
        if any(edge.node is not part.out[node][0].node for edge in part.out[node]):
            return True
        # A named term of a sum is not worth a factor: its slope is 1 by the sum rule.
        return node.name is not None and not self.ways(node)[0].is_one

    def factors(self, station: Value, most: int | None = None) -> list[Factor]:
        """One factor for each way that leads on from a station, up to the next station; the first ``most`` of them."""
        if (station, most) in self._found:
            return self._found[station, most]
        result = self._found[station, most] = []
        for first in self.ways(station)[:most]:
            steps, product, node = [first], first.partial, first.node
            while not self.is_station(node):
                (step,) = self.ways(node)
                steps.append(step)
                product = carried(product, step.partial)
                node = step.node
            result.append(Factor(station, node, tuple(steps), product))
        return result

    def chain(self, station: Value) -> tuple[list[Factor], Value]:
        """The factors from a station up to the output or to the next station where paths part, and that station."""
        if station not in self._chains:
            factors, last = [], station
            while last is not self.part.output:
                found = self.factors(last, most=2)
                if len(found) > 1:
                    break
                factors.append(found[0])
                last = found[0].target
            self._chains[station] = factors, last
        return self._chains[station]
