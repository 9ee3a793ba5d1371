"""Paths from an input to the output: their number, and the largest products.

Both are found in one pass over the edges, without a list of all paths, whose number grows exponentially.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..sweep import carried
from ..value import Value
from .folding import Between, Edge


class Path(NamedTuple):
    """One path: its nodes from the input to the output, the product of the partials on it, and its edges."""

    nodes: tuple[Value, ...]
    product: float
    edges: tuple[Edge, ...]


def count(part: Between) -> int:
    """The number of paths, exactly."""
    ways: dict[Value, int] = {part.wrt: 1}
    for node in part.order:
        for edge in part.out[node]:
            ways[edge.node] = ways.get(edge.node, 0) + ways[node]
    return ways.get(part.output, 0)


def largest(part: Between, k: int) -> list[Path]:
    """The k paths with the largest products, by size; paths whose product is 0 are left out.

    Products grow from the output on, as in the reverse sweep.
    """
    best: dict[Value, list[_Way]] = {part.output: [_Way(1.0, None, None)]}
    for node in reversed(part.order):
        if node is not part.output:
            longer = _longer(part.out[node], best)
            # A factor that all ways have in common leaves their order as it is.
            best[node] = longer if len(part.out[node]) == 1 else heapq.nlargest(k, longer, key=_size)
    paths = []
    for way in best[part.wrt]:
        edges, rest = [], way
        while rest.first is not None:
            edges.append(rest.first)
            rest = rest.rest
        paths.append(Path((part.wrt, *(edge.node for edge in edges)), way.product, tuple(edges)))
    return paths


class _Way(NamedTuple):
    """A path from a node to the output, as a linked list."""

    product: float
    first: Edge | None
    rest: Any  # the path after the first edge


_new = tuple.__new__  # a NamedTuple's own constructor takes twice as long


def _longer(edges: Iterable[Edge], best: Mapping[Value, list[_Way]]) -> list[_Way]:
    found = []
    for edge in edges:
        partial = edge.node.partials[edge.position]
        for way in best[edge.node]:
            product = carried(way.product, partial)
            if product != 0.0:
                found.append(_new(_Way, (product, edge, way)))
    return found


def _size(way: _Way) -> float:
    return math.inf if math.isnan(way.product) else abs(way.product)
