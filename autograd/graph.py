"""The graph behind a Value: its topological order, found without recursion, and what is counted along it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import InputError
from .text import shown

if TYPE_CHECKING:
    from .value import Value


def topological(*roots: Value, since: Iterable[Value] = ()) -> list[Value]:
    """Every node the roots depend on, inputs before the nodes that use them; the last root comes last.

    The nodes ``since`` come first, whatever they depend on, which is left out.

    A depth-first search with its own stack, so the depth is not limited: a node is added to the order once all its
    inputs are. The order is needed because in ``b = a + a; c = b * b`` the adjoint of ``b`` must be complete before it
    is passed on to ``a``.

    The order depends only on the graph, not on memory addresses, so numbers assigned along it are reproducible.

    Raises:
        InputError: if a root is not a Value.
    """
    for root in roots:
        if not hasattr(root, "partials"):
            raise _no_graph(root)
    order: list[Value] = [*since]
    done = order.append
    seen = set(order)
    is_seen, all_seen = seen.__contains__, seen.issuperset
    stack: list[Value | None] = [*reversed(roots)]
    pop, push = stack.pop, stack.append
    while stack:
        node = pop()
        if node is None:  # the mark below: by now all inputs of the next node are in the order
            done(pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            inputs = node.inputs
            if all_seen(inputs):  # and done: a node that is seen but not done would be part of a cycle
                done(node)
            else:
                push(node)
                push(None)
                stack.extend(filterfalse(is_seen, reversed(inputs)))
    return order


def _no_graph(root: Any) -> InputError:
    hint = "; put a star before it: (*values)" if isinstance(root, list | tuple) else ""
    return InputError(f"a graph begins at Values, not at {shown(root)} of type {type(root).__name__}{hint}")


def leaves(*roots: Value) -> list[Value]:
    """The leaves that the roots depend on, in topological order.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(1.0, "b")
    >>> [leaf.name for leaf in leaves((a + b) * (b + 1))]
    ['a', 'b']
    """
    return [node for node in topological(*roots) if not node.inputs]


class Size(NamedTuple):
    """How large a graph is."""

    nodes: int
    edges: int
    leaves: int


def size(*roots: Value) -> Size:
    """Count nodes, edges and leaves.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> size(x * x)
    Size(nodes=2, edges=2, leaves=1)
    """
    order = topological(*roots)
    return Size(len(order), sum(len(n.inputs) for n in order), sum(1 for n in order if not n.inputs))


def depending(order: Iterable[Value], sources: Iterable[Value]) -> set[Value]:
    """The sources, and every node of a topological order that depends on one of them."""
    depends = set(sources)
    for node in order:
        if not depends.isdisjoint(node.inputs):
            depends.add(node)
    return depends


def numbers_of(operands: Iterable[Value | float]) -> list[float]:
    """The numbers of a node's operands, constants included."""
    return [x if isinstance(x, float) else x.data for x in operands]


def places(node: Value) -> list[int]:
    """The position of each of a node's inputs among all its operands."""
    return [k for k, x in enumerate(node.operands) if not isinstance(x, float)]


def is_at_kink(node: Value) -> bool:
    """Whether a node is exactly at a kink or jump of its operation, where its slope is a convention."""
    op = node.op
    if op is None or op.kink is None:
        return False
    operands = numbers_of(node.operands)
    return all(map(math.isfinite, operands)) and op.kink(*operands) == 0.0
