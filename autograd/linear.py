"""Net inputs of a whole layer: one ``dot`` node for each row of weights, at a fraction of the cost of one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from . import context, ops
from .errors import ArgumentError
from .value import Value, as_float, node, number, record


def affine(rows: Sequence[Sequence[Value | float]], xs: Iterable[Any], biases: Sequence[Value | float]) -> list[Value]:
    """Record ``w·x + b`` for each row of weights: one ``dot`` node a row, the inputs' numbers looked up only once.

    Args:
        rows: m sequences of n weights.
        xs: n inputs, Values or numbers.
        biases: m biases.

    Returns:
        m nodes.

    Raises:
        ArgumentError: if a length does not fit.

    >>> w = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    >>> [float(net) for net in affine(w, [10.0, 1.0], [Value(0.5), Value(0.0)])]
    [12.5, 34.0]
    """
    op = ops.DOT
    xs = tuple(xs)
    n = len(xs)
    if len(rows) != len(biases):
        raise ArgumentError(f"{len(rows)} rows of weights need {len(rows)} biases, not {len(biases)}")
    kinds = set(map(type, xs))
    constant = kinds == {float}
    plain = constant or kinds == {Value}
    if not plain:
        xs = tuple([x if isinstance(x, Value) else as_float(x) for x in xs])
        if any(isinstance(x, Value) and x.tracer is not None for x in xs) and all(len(ws) == n for ws in rows):
            return [record(op, (*ws, *xs, b)) for ws, b in zip(rows, biases, strict=True)]
    x_data = xs if constant else [number(x) for x in xs] if not plain else [x.data for x in xs]
    f, df = op.f, op.df[0]
    silent = bool(context.active) and not context.state().recording
    nodes = []
    for ws, b in zip(rows, biases, strict=True):
        try:  # Values throughout, which is what a layer has; whatever lacks a float as its .data takes the careful way
            w_data = [w.data for w in ws]  # type: ignore[union-attr]
            z = f(w_data, x_data, b.data)  # type: ignore[union-attr]
            quick = plain and len(w_data) == n and type(z) is float
        except (AttributeError, TypeError):
            quick = False
        if not quick:
            if len(ws) != n:
                raise ArgumentError(f"dot needs as many weights as inputs: {len(ws)} weights, {n} inputs")
            nodes.append(record(op, (*ws, *xs, b)))
            continue
        if silent:
            nodes.append(node(op, z, (), (), ()))
            continue
        partials = df(z, w_data, x_data, b.data)  # type: ignore[union-attr]
        operands = (*ws, *xs, b)
        if constant:
            nodes.append(node(op, z, (*ws, b), (*partials[:n], partials[-1]), operands))  # type: ignore[arg-type]
        else:
            nodes.append(node(op, z, operands, partials, operands))
    return nodes
