"""Sweeps over Values: the table's rules run on Values, so a derivative is itself a graph with derivatives.

The adjoint of a node is the dot product of its consumers' adjoints with the partials of the edges between: one node.

A slope may be inf or nan where the function has a value, as that of sqrt at 0. What is recorded here follows IEEE 754
instead of raising an error, as compiled code does: inf and nan are numbers with a graph behind them, and derivatives
beyond them come out as inf or nan, never as a silent 0.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from . import context, functions
from .carriers import Extended
from .graph import depending
from .ops import Op, is_zero
from .value import Value, number, record

Combine = Callable[[Sequence["Linear"], Sequence["Linear"]], "Linear"]
Linear = Value | float  # a tangent or adjoint: a plain 0.0 or 1.0 where nothing needs to be recorded


# An adjoint times a partial as a node: 0 where either is exactly 0, also against inf or nan, as ``sweep.carried`` with
# numbers. So the branch that where() did not take contributes 0. In further derivatives the zero may still vary.
CARRY = Op(
    "carry",
    "x y",
    "x * y",
    ("y", "x"),
    lambda m: lambda x, y: m.where(is_zero(x) | is_zero(y), 0.0, x * y),
    lambda m: lambda z, x, y: y,
    lambda m: lambda z, x, y: x,
    symbol="×",
    finite=False,
)


class Compound(Op):
    """An operation whose node is no number, or a part of one that is none: recorded loops. It has its own sweeps."""

    __slots__ = ("is_number",)

    is_number: bool

    def pull(
        self, node: Value, adjoints: list[Any], keys: list[Any], depends: Container[Value], combine: Combine
    ) -> Iterable[tuple[Value, Any, Any]]:
        """The reverse sweep through a node.

        Args:
            node: the node.
            adjoints: what has arrived; of a number its adjoint alone.
            keys: for each what it belongs to.
            depends: the nodes whose adjoints are wanted.
            combine: adds up adjoints times partials.

        Returns:
            for some inputs what arrives there: the input, the adjoint, and the partial or the key.
        """
        raise NotImplementedError

    def push(self, node: Value, tangents: Mapping[Value, Any], combine: Combine) -> Any:
        """The tangent of a node, from those of its inputs."""
        raise NotImplementedError


def _rules(op: Op) -> tuple[Callable[..., Any], ...]:
    """The partial rules of a row, bound to Values."""
    rules = op.bound.get("values")
    if rules is None:
        op.bound["values"] = rules = tuple(rule(functions.carrier) for rule in op.partials)
    return rules


def partials(node: Value, wanted: Container[Value]) -> list[Linear]:
    """The partials of a node with respect to its inputs, as Values that depend on the node's operands.

    Only those of the wanted inputs are computed; the others are 0.
    """
    op = node.op
    assert op is not None
    rules, operands = op.bound.get("values") or _rules(op), node.operands
    arguments = operands if op.group is None else op.arguments(operands)
    if op.group is not None:
        every = rules[0](node, *arguments)
        return [p for p, x in zip(every, operands, strict=False) if isinstance(x, Value)]
    result: list[Linear] = []
    for rule, x in zip(rules, operands, strict=True):
        if isinstance(x, Value):
            if x not in wanted:
                result.append(0.0)
                continue
            try:
                result.append(rule(node, *arguments))
            except ArithmeticError:  # between constants, which Python divides: they follow IEEE 754 as well
                constants = [y if isinstance(y, Value) else Extended(y) for y in arguments]
                result.append(rule(node, *constants))
    return result


def combine(factors: Sequence[Linear], others: Sequence[Linear]) -> Linear:
    """Σ factor·other without the terms that have a constant factor 0."""
    pairs: list[tuple[Linear, Linear]] = []
    for x, y in zip(factors, others, strict=True):
        if is_plainly(x, 0.0) or is_plainly(y, 0.0):
            continue
        if _is_product(x, y):
            pairs.append((x, y))
        else:
            pairs.append((record(CARRY, (x, y)), 1.0))
    return total(pairs)


def _is_product(x: Linear, y: Linear) -> bool:
    """Whether the contribution of an edge is the plain product x·y; not if an exact zero meets inf or nan."""
    if isinstance(x, Value) and x.tracer is not None:  # each row has a number of its own
        return isinstance(y, float) and y - y == 0.0
    if isinstance(y, Value) and y.tracer is not None:
        return isinstance(x, float) and x - x == 0.0
    a, b = number(x), number(y)
    return not ((a == 0.0 and b - b != 0.0) or (b == 0.0 and a - a != 0.0))


def total(pairs: Sequence[tuple[Linear, Linear]]) -> Linear:
    """Σ x·y, without recording products with a constant factor 1."""
    if not pairs:
        return 0.0
    if len(pairs) == 1:
        (x, y) = pairs[0]
        return x if is_plainly(y, 1.0) else y if is_plainly(x, 1.0) else x * y
    if all(is_plainly(y, 1.0) for _, y in pairs):
        return functions.sum([x for x, _ in pairs])
    return functions.dot([x for x, _ in pairs], [y for _, y in pairs])


def is_plainly(x: Linear, number: float) -> bool:
    return isinstance(x, float) and x == number


def reverse(
    order: Sequence[Value],
    wrt: Sequence[Value],
    adjoint: Linear = 1.0,
    combine: Combine = combine,
    seeds: Mapping[Value, tuple[list[Any], list[Any]]] | None = None,
) -> list[Linear]:
    """The derivative of the last node with respect to each of ``wrt``, as Values where they depend on anything.

    The sweep stops at ``wrt``, whether they are leaves or not. ``combine`` adds up adjoints times partials. It may
    begin at several nodes: ``seeds`` then holds adjoints and partials that arrive at them from outside.
    """
    stop = set(wrt)
    depends = depending(order, stop)
    incoming: dict[Value, tuple[list[Any], list[Any]]]
    incoming = {order[-1]: ([adjoint], [1.0])} if seeds is None else dict(seeds)
    found: dict[Value, Any] = {}
    with context.Surrounding(extended=True):
        for node in reversed(order):
            if node not in incoming:
                continue
            own = node.op
            if isinstance(own, Compound):
                arrived, keys = incoming.pop(node)
                if own.is_number:
                    arrived, keys = [combine(arrived, keys)], [1.0]
                if node in stop:
                    found[node] = arrived[0] if own.is_number else (arrived, keys)
                elif not depends.isdisjoint(node.inputs):
                    for x, adjoint, slope in own.pull(node, arrived, keys, depends, combine):
                        adjoints, slopes = incoming.setdefault(x, ([], []))
                        adjoints.append(adjoint)
                        slopes.append(slope)
                continue
            arriving = combine(*incoming.pop(node))
            if node in stop:
                found[node] = arriving
                continue
            if not node.inputs or node not in depends or is_plainly(arriving, 0.0):
                continue
            for x, partial in zip(node.inputs, partials(node, depends), strict=True):
                if x in depends:
                    adjoints, slopes = incoming.setdefault(x, ([], []))
                    adjoints.append(arriving)
                    slopes.append(partial)
    return [found.get(x, 0.0) for x in wrt]


def forward(
    order: Sequence[Value], tangents: Mapping[Value, Linear], combine: Combine = combine
) -> dict[Value, Linear]:
    """The tangent of every node that varies with the given ones, as Values where they depend on anything."""
    result = dict(tangents)
    with context.Surrounding(extended=True):
        for node in order:
            if node in result or not node.inputs or result.keys().isdisjoint(node.inputs):
                continue
            if isinstance(node.op, Compound):
                result[node] = node.op.push(node, result, combine)
                continue
            slopes = partials(node, result)
            result[node] = combine([result.get(x, 0.0) for x in node.inputs], slopes)
    return result
