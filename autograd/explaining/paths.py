"""Paths from an input to the output: how many, the largest products, and how much of them cancels.

Never by enumeration: their number grows exponentially, while one pass over the edges answers all of this.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

from ..sweep import carried
from ..value import Value
from .folding import Between


class Path(NamedTuple):
    """One path: its nodes from the input to the output, and the product of the partials on it."""

    nodes: tuple[Value, ...]
    product: float


def count(part: Between) -> int:
    """The number of paths, exactly."""
    ways: dict[Value, int] = {part.wrt: 1}
    for node in part.order:
        for edge in part.out[node]:
            ways[edge.node] = ways.get(edge.node, 0) + ways[node]
    return ways.get(part.output, 0)


def largest(part: Between, k: int) -> list[Path]:
    """The k paths with the largest products, by size; paths that carry nothing are left out."""
    # Each node keeps its k best ways here: (size, product, back pointer); ways are linked, not copied.
    best: dict[Value, list[tuple[float, float, tuple[Value, object] | None]]] = {part.wrt: [(1.0, 1.0, None)]}
    for node in part.order:
        here = heapq.nlargest(k, best.get(node, ()), key=lambda way: way[0])
        best[node] = here
        for edge in part.out[node]:
            there = best.setdefault(edge.node, [])
            for way in here:
                product = carried(way[1], edge.partial)
                if product != 0.0:
                    there.append((abs(product), product, (node, way)))
            if len(there) > 8 * k:
                best[edge.node] = heapq.nlargest(k, there, key=lambda way: way[0])
    paths = []
    for way in best.get(part.output, ()):
        nodes, link = [part.output], way[2]
        while link is not None:
            node, previous = link
            nodes.append(node)
            link = previous[2]  # type: ignore[index]
        paths.append(Path(tuple(reversed(nodes)), way[1]))
    return paths
