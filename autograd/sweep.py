"""The chain rule, one multiplication per edge: reverse and forward sweeps over a topological order.

``reverse`` and ``forward`` are generators that yield an event for each edge. ``backward``, ``adjoints`` and
``tangents`` compute the same numbers without events, several times faster; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import ArgumentError, InputError
from .graph import topological
from .text import shown

if TYPE_CHECKING:
    from .value import Value


class ReverseStep(NamedTuple):
    """One edge of a reverse sweep: ``contribution`` was added to the adjoint of the input."""

    node: Value
    position: int  # which of the node's inputs
    adjoint: float  # of the node
    partial: float
    contribution: float

    @property
    def input(self) -> Value:
        """The node at the other end of the edge."""
        return self.node.inputs[self.position]


class ForwardStep(NamedTuple):
    """One edge of a forward sweep: ``contribution`` was added to the tangent of the node."""

    node: Value
    position: int  # which of the node's inputs
    tangent: float  # of the input
    partial: float
    contribution: float

    @property
    def input(self) -> Value:
        """The node at the other end of the edge."""
        return self.node.inputs[self.position]


_new = tuple.__new__  # a NamedTuple's own constructor takes twice as long


def carried(adjoint: float, partial: float) -> float:
    """The contribution of an edge: adjoint · partial, but 0 if either is exactly 0, even if the other is inf or nan.

    So the branch that ``where`` did not take contributes 0, also if its slopes are inf or nan.
    """
    return adjoint * partial if adjoint != 0.0 and partial != 0.0 else 0.0


def reverse(order: Sequence[Value], adjoint: float = 1.0) -> Iterator[ReverseStep]:
    """Sweep from the last node of ``order`` back to the leaves: ``input.grad += node.grad * partial`` on every edge.

    Interior nodes start from zero, leaves from their present ``grad``. Edges of nodes with adjoint zero are skipped.

    Args:
        order: a topological order; its last node is the output.
        adjoint: the adjoint of the output.

    Yields:
        an event for each edge, after it was processed.

    Raises:
        ArgumentError: if the order is empty.
    """
    if not order:
        raise ArgumentError("a reverse sweep needs an order that ends with its output: reverse_sweep(topological(y))")
    return _reverse(order, adjoint)


def gradient_of(leaf: Value) -> float:
    """The gradient of a leaf that was assigned to, as a float."""
    shape: Any = getattr(leaf.grad, "shape", ())
    try:
        if isinstance(leaf.grad, str | bytes) or shape:
            raise TypeError
        return float(leaf.grad)
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"the gradient of {'a leaf' if leaf.name is None else repr(leaf.name)} was set to {shown(leaf.grad)}; "
            "set it to a number, such as 0.0"
        ) from None


def _begin(order: Sequence[Value], adjoint: float) -> None:
    """Set the adjoints that a reverse sweep into ``grad`` begins with."""
    for node in order:
        if node.inputs:
            node.grad = 0.0
        elif type(node.grad) is not float:  # assigned, for example a float32: sums are in double precision
            node.grad = gradient_of(node)
    order[-1].grad += adjoint


def _reverse(order: Sequence[Value], adjoint: float) -> Iterator[ReverseStep]:
    _begin(order, adjoint)
    for node in reversed(order):
        adjoint = node.grad
        if adjoint != 0.0:
            for position, (x, partial) in enumerate(zip(node.inputs, node.partials, strict=True)):
                contribution = carried(adjoint, partial)
                x.grad += contribution
                yield _new(ReverseStep, (node, position, adjoint, partial, contribution))


def forward(order: Sequence[Value], tangents: MutableMapping[Value, float]) -> Iterator[ForwardStep]:
    """Sweep from the leaves to the last node: ``node.tangent += partial * input.tangent`` on every edge.

    Args:
        order: a topological order.
        tangents: the tangent of each input that varies; the sweep adds the tangents of the nodes after them.

    Yields:
        an event for each edge, after it was processed.
    """
    for node in order:
        if node in tangents:
            continue  # the tangent is given
        total = 0.0
        for position, (x, partial) in enumerate(zip(node.inputs, node.partials, strict=True)):
            tangent = tangents.get(x, 0.0)
            contribution = carried(tangent, partial)
            tangents[node] = total = total + contribution
            yield _new(ForwardStep, (node, position, tangent, partial, contribution))


# The same without events; ``carried`` is inlined in the innermost loops. With a finite adjoint, a partial of 0 needs no
# test, because the product is 0.


def backward(root: Value, adjoint: float = 1.0) -> None:
    """The reverse sweep from ``root``, into the ``grad`` of every node."""
    order = topological(root)
    _begin(order, adjoint)
    for node in reversed(order):
        adjoint = node.grad
        if adjoint == 0.0:
            continue
        if adjoint - adjoint == 0.0:
            for x, partial in zip(node.inputs, node.partials):  # noqa: B905  (equal by construction; the innermost loop)
                x.grad += adjoint * partial
        else:  # inf or nan
            for x, partial in zip(node.inputs, node.partials, strict=True):
                x.grad += carried(adjoint, partial)


def adjoints(order: Sequence[Value], *, absolute: bool = False) -> dict[Value, float]:
    """The derivative of the last node with respect to every node, without changing the graph.

    No ``grad`` is read or written, so several threads may do it on graphs that share nodes.

    Args:
        order: a topological order.
        absolute: add up the paths' products without their signs instead. Rounding errors of a derivative are of this
            size; where it is far larger than the derivative, paths cancel.
    """
    sums = dict.fromkeys(order, 0.0)
    sums[order[-1]] = 1.0
    for node in reversed(order):
        adjoint = sums[node]
        if adjoint == 0.0:
            continue
        partials = tuple(map(abs, node.partials)) if absolute else node.partials
        if adjoint - adjoint == 0.0:
            for x, partial in zip(node.inputs, partials):  # noqa: B905  (as above)
                sums[x] += adjoint * partial
        else:  # inf or nan
            for x, partial in zip(node.inputs, partials, strict=True):
                sums[x] += carried(adjoint, partial)
    return sums


def tangents(order: Sequence[Value], given: Mapping[Value, float]) -> dict[Value, float]:
    """The tangent of every node of a topological order, for given tangents of some."""
    found = dict(given)
    known = found.get
    for node in order:
        if node not in found:
            tangent = 0.0
            for x, partial in zip(node.inputs, node.partials):  # noqa: B905  (as above)
                arriving = known(x, 0.0)
                if arriving != 0.0 and partial != 0.0:
                    tangent += arriving * partial
            found[node] = tangent
    return found
