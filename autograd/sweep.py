"""Reverse and forward sweeps: the chain rule, one multiplication per edge, as generators that can be watched.

Both yield a node once for each of its edges, just after the edge was worked off. ``backward`` exhausts the reverse
sweep; the event log watches the very same one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, MutableMapping, Sequence

from .graph import topological
from .value import Value


def reverse(order: Sequence[Value], adjoint: float = 1.0) -> Iterator[Value]:
    """Sweep from the last node of ``order`` back to the leaves: ``input.grad += node.grad * partial`` on every edge.

    Interior nodes start from zero, leaves from what they hold. A factor that is exactly zero carries nothing, whatever
    stands on the other side (also inf or nan), so the branch that ``where`` did not take stays silent.

    Args:
        order: a topological order; its last node is the output.
        adjoint: the derivative of what is wanted with respect to the output.

    Yields:
        the node whose edge was just worked off; its edges come in the order of its inputs.
    """
    for node in order:
        if node.inputs:
            node.grad = 0.0
    order[-1].grad += adjoint
    for node in reversed(order):
        adjoint = node.grad
        if adjoint == 0.0:
            continue
        partials = node.partials
        if adjoint - adjoint != 0.0:  # inf or nan: times an exact zero it would become nan
            for x, partial in zip(node.inputs, partials, strict=True):
                x.grad += adjoint * partial if partial != 0.0 else 0.0
                yield node
            continue
        for x, partial in zip(node.inputs, partials):  # noqa: B905  (equal by construction; the innermost loop)
            x.grad += adjoint * partial
            yield node


def forward(order: Sequence[Value], tangents: MutableMapping[Value, float]) -> Iterator[Value]:
    """Sweep from the leaves to the last node: ``node.tangent += partial * input.tangent`` on every edge.

    Args:
        order: a topological order.
        tangents: the tangent of each input that varies; the sweep adds the tangents of the nodes after them.

    Yields:
        the node whose edge was just worked off.
    """
    for node in order:
        if node in tangents:
            continue  # given: an input of the question
        tangent = 0.0
        for x, partial in zip(node.inputs, node.partials, strict=True):
            incoming = tangents.get(x, 0.0)
            if incoming != 0.0 and partial != 0.0:
                tangent += partial * incoming
            tangents[node] = tangent
            yield node


def backward(root: Value, adjoint: float = 1.0) -> None:
    """Exhaust the reverse sweep from ``root``."""
    deque(reverse(topological(root), adjoint), maxlen=0)


def adjoints(order: Sequence[Value]) -> dict[Value, float]:
    """The derivative of the last node with respect to every node: the reverse sweep, with its sums beside the graph.

    No ``grad`` is read or written, so several threads may do it on graphs that share nodes.
    """
    sums = dict.fromkeys(order, 0.0)
    sums[order[-1]] = 1.0
    for node in reversed(order):
        adjoint = sums[node]
        if adjoint == 0.0:
            continue
        finite = adjoint - adjoint == 0.0
        for x, partial in zip(node.inputs, node.partials, strict=True):
            if finite or partial != 0.0:
                sums[x] += adjoint * partial
    return sums
