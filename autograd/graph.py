"""The graph behind a Value: one iterative topological order for everybody, and what can be counted along it."""

from __future__ import annotations

from itertools import filterfalse
from typing import NamedTuple

from .value import Value


def topological(*roots: Value) -> list[Value]:
    """Every node the roots depend on, inputs before the nodes that use them; the last root comes last.

    A depth-first search with its own stack, so depth is no limit: a node is put into the order once all its inputs are.
    Why an order at all: in ``b = a + a; c = b * b`` the adjoint of ``b`` must be complete before it is passed on to
    ``a``, or ``a`` gets part of it twice and part of it never.

    The order depends only on the graph, never on addresses, so everything numbered by it is reproducible.
    """
    order: list[Value] = []
    done = order.append
    seen: set[Value] = set()
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
            if all_seen(inputs):  # and done, for a seen node that is not done would be part of a cycle
                done(node)
            else:
                push(node)
                push(None)
                stack.extend(filterfalse(is_seen, reversed(inputs)))
    return order


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
