"""Net inputs of a whole layer: one ``dot`` node for each row of weights, recorded together, which is faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from . import context, ops
from .errors import ArgumentError
from .value import Value, node, number, record

_FLOATS, _VALUES = frozenset((float,)), frozenset((Value,))


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
    constant = _FLOATS.issuperset(map(type, xs))
    state = context.state() if context.active else None
    plain = (constant or _VALUES.issuperset(map(type, xs))) and (state is None or state.tracer is None)
    silent = state is not None and not state.recording
    x_data = xs if constant else [number(x) for x in xs] if plain else ()
    f, df = op.f, op.df[0]
    nodes = []
    for ws, b in zip(rows, biases, strict=True):
        if len(ws) != n:
            raise ArgumentError(f"dot needs as many weights as inputs: {len(ws)} weights, {n} inputs")
        operands = (*ws, *xs, b)
        z = None
        if plain:
            try:  # all weights are Values, as in a layer; a plain number among them has no .data
                w_data = [w.data for w in ws]  # type: ignore[union-attr]
                z = f(w_data, x_data, b.data)  # type: ignore[union-attr]
            except (AttributeError, TypeError):
                pass
        if type(z) is not float:
            nodes.append(record(op, operands))
        elif silent:
            nodes.append(node(z, (), (), op.unnamed))
        elif constant:
            partials = df(z, w_data, x_data, b.data)  # type: ignore[union-attr]
            origin = (op, None, (), *operands)
            nodes.append(node(z, (*ws, b), (*partials[:n], partials[-1]), origin))  # type: ignore[arg-type]
        else:
            nodes.append(node(z, operands, df(z, w_data, x_data, b.data), op.unnamed))  # type: ignore[union-attr]
    return nodes
