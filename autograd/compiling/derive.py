"""Derivatives of a trace: sweeps over its nodes, which record the derivative as more nodes.

Speculation: in an eager sweep a product with an exact zero is 0, even if the other factor is inf or nan. A program
would need a comparison for each product to do the same. It speculates instead that no partial is inf or nan where an
adjoint happens to be 0, and uses plain products. The guard is cheap: if the speculation fails, a result is nan. Native
code raises a flag where a result is not finite, and those rows run again through a second program, which compares (see
``executable``). Reciprocals, by which ``simplify`` replaces divisions, are speculation too, with the same guard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .. import higher, ops
from ..graph import topological
from ..higher import CARRY, Linear
from ..value import Value
from . import progress
from .liveness import Live
from .recording import CARRY_DOT
from .traced import Traced


class Combiner:
    """Adds up adjoints times partials.

    Args:
        speculate: multiply plainly except where a choice may have made one factor 0 while the other may be inf or nan;
            else compare every factor with 0.
        strict: add them up as an eager sweep does: from 0.0 on, in order. This makes −0.0 into 0.0.

    Attributes:
        speculated: whether some product is nan where one factor happens to be 0 and the other is not finite.
    """

    def __init__(self, speculate: bool, strict: bool) -> None:
        self.speculate, self.strict, self.speculated = speculate, strict, False

    def __call__(self, factors: Sequence[Linear], others: Sequence[Linear]) -> Linear:
        """Σ factor·other."""
        pairs: list[tuple[Linear, Linear]] = []
        for x, y in zip(factors, others, strict=True):
            if higher.is_plainly(x, 0.0) or higher.is_plainly(y, 0.0):
                continue
            carried = self._carried(x, y)
            pairs.append((x, y) if carried is None else (carried, 1.0))
        if not self.strict:
            return higher.total(pairs)
        terms = [higher.total([pair]) for pair in pairs]
        for x in terms:
            if isinstance(x, Traced):
                return x.recording.record(ops.SUM, terms)
        return sum(terms, 0.0)

    def _carried(self, x: Linear, y: Linear) -> Traced | None:
        """The product by comparison with 0, or None where a plain product is enough."""
        if not isinstance(x, Traced):
            x, y = y, x
        if not isinstance(x, Traced):
            return None
        if isinstance(y, Traced):
            chosen = (x.may_vanish and y.may_be_infinite) or (y.may_vanish and x.may_be_infinite)
            if self.speculate and not chosen:
                self.speculated = True
                return None
        elif y - y == 0.0:
            return None
        return x.recording.record(CARRY, (x, y))


def _products(factors: Sequence[Linear], others: Sequence[Linear]) -> Linear:
    """Σ factor·other as the nodes that an eager sweep records, so that further derivatives add up in the same order."""
    pairs = [pair for pair in zip(factors, others, strict=True) if 0.0 not in map(_plain, pair)]
    known = [x for pair in pairs for x in pair if isinstance(x, Traced)]
    if not known or all(_plain(y) == 1.0 for _, y in pairs) or (len(pairs) == 1 and _plain(pairs[0][0]) == 1.0):
        return higher.total(pairs)
    if len(pairs) == 1:
        return known[0].recording.record(CARRY, pairs[0])
    return known[0].recording.record(CARRY_DOT, [x for side in zip(*pairs, strict=True) for x in side])


def _plain(x: Linear) -> float:
    return x if isinstance(x, float) else math.nan


def gradient(output: Linear, wrt: Sequence[Traced], combine: higher.Combine) -> list[Linear]:
    """The derivative of one output with respect to each input, by one reverse sweep."""
    if not isinstance(output, Traced):
        return [0.0] * len(wrt)
    order = topological(output)
    with progress.counter(len(order), "deriving") as counted:
        return higher.reverse(order, wrt, 1.0, counted(combine))


def jacobian(outputs: Sequence[Linear], wrt: Sequence[Traced], combine: Combiner) -> list[list[Linear]]:
    """For each output its derivatives: by reverse sweeps, or forward sweeps if there are fewer inputs than outputs."""
    if len(outputs) <= len(wrt):
        return [gradient(output, wrt, combine) for output in outputs]
    columns = [tangents(outputs, {x: 1.0}, combine) for x in wrt]
    return [list(line) for line in zip(*columns, strict=True)]


def hessian(output: Linear, wrt: Sequence[Traced], combine: Combiner) -> list[list[Linear]]:
    """The second derivatives; one half is computed, because the matrix is symmetric.

    They are gradients of the gradient; through loops its tangents, which are computed in the loops of the gradient.
    """
    first = gradient(output, wrt, _products if combine.strict else combine)
    n = len(wrt)
    if isinstance(output, Traced) and output.recording.has_loops:
        columns = [tangents(first[j:], {x: 1.0}, combine) for j, x in enumerate(wrt)]
        half = [[columns[j][i - j] for j in range(i + 1)] for i in range(n)]
    else:
        every = progress.over(first, "deriving again")
        half = [gradient(slope, wrt[: i + 1], combine) for i, slope in enumerate(every)]
    return [[half[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)]


def tangents(outputs: Sequence[Linear], seeds: Mapping[Traced, Linear], combine: Combiner) -> list[Linear]:
    """The derivative of the outputs in the direction of the seeds, by one forward sweep."""
    nodes = [x for x in outputs if isinstance(x, Traced)]
    if nodes and nodes[0].recording.has_loops:  # without what was added to loops for other directions
        order: Sequence[Value] = Live(nodes).order(nodes, None)[0]
    else:
        order = topological(*nodes)
    found = higher.forward(order, seeds, combine)  # type: ignore[arg-type]
    return [found.get(x, 0.0) if isinstance(x, Traced) else 0.0 for x in outputs]
