"""Derivatives of a trace: sweeps over its nodes, which record the derivative as more nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import higher
from ..graph import topological
from ..higher import CARRY, Linear
from .trace import Traced


class Combiner:
    """Adds up adjoints times partials: plain products where nothing can go wrong, else carried ones.

    Args:
        careful: carry every product, not only those where a choice may have made one factor 0 and the other may be
            inf or nan.

    Attributes:
        dared: whether a product was left plain that is nan where one factor happens to be 0 and the other is not
            finite. Where a result is nan, it has to be worked out again with care.
    """

    def __init__(self, careful: bool) -> None:
        self.careful, self.dared = careful, False

    def __call__(self, factors: Sequence[Linear], others: Sequence[Linear]) -> Linear:
        """Σ factor·other."""
        pairs: list[tuple[Linear, Linear]] = []
        for x, y in zip(factors, others, strict=True):
            if higher.is_plainly(x, 0.0) or higher.is_plainly(y, 0.0):
                continue
            if isinstance(x, Traced) and isinstance(y, Traced):
                chosen = (x.may_vanish and y.may_be_infinite) or (y.may_vanish and x.may_be_infinite)
                if self.careful or chosen:
                    pairs.append((x.recording.record(CARRY, (x, y)), 1.0))
                    continue
                self.dared = True
            pairs.append((x, y))
        return higher.total(pairs)


def gradient(output: Linear, wrt: Sequence[Traced], combine: Combiner) -> list[Linear]:
    """The derivative of one output with respect to each input, by one reverse sweep."""
    if not isinstance(output, Traced):
        return [0.0] * len(wrt)
    return higher.reverse(topological(output), wrt, 1.0, combine)


def jacobian(outputs: Sequence[Linear], wrt: Sequence[Traced], combine: Combiner) -> list[list[Linear]]:
    """For each output its derivatives: by reverse sweeps, or forward sweeps if there are fewer inputs than outputs."""
    if len(outputs) <= len(wrt):
        return [gradient(output, wrt, combine) for output in outputs]
    columns = [tangents(outputs, {x: 1.0}, combine) for x in wrt]
    return [list(line) for line in zip(*columns, strict=True)]


def hessian(output: Linear, wrt: Sequence[Traced], combine: Combiner) -> list[list[Linear]]:
    """The second derivatives: the gradient's own gradients; only one half is worked out, the other mirrors it."""
    first = gradient(output, wrt, combine)
    half = [gradient(slope, wrt[: i + 1], combine) for i, slope in enumerate(first)]
    n = len(wrt)
    return [[half[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)]


def tangents(outputs: Sequence[Linear], seeds: Mapping[Traced, Linear], combine: Combiner) -> list[Linear]:
    """The derivative of the outputs in the direction of the seeds, by one forward sweep."""
    order = topological(*[x for x in outputs if isinstance(x, Traced)])
    found = higher.forward(order, seeds, combine)  # type: ignore[arg-type]
    return [found.get(x, 0.0) if isinstance(x, Traced) else 0.0 for x in outputs]
