"""Numerical derivatives with an error estimate: Ridders' extrapolated differences.

Sources: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982),
75-76; Press, Teukolsky, Vetterling, Flannery, "Numerical Recipes", section 5.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

# From one step to the next. Numerical Recipes takes 1.4, numdifftools 2, or 1.6 for higher derivatives.
SHRINK = 1.6
# Steps, at most: from h to h/176. Numerical Recipes takes 10, from h to h/21.
COLUMNS = 12
# An entry that is off by this many times the best error ends the extrapolation: Numerical Recipes takes 2. A larger
# number costs at most a few evaluations, and one bad entry, which noise may cause, ends nothing.
WORSE = 4.0
# An estimate comes from few entries of the table, so the error may be larger: intervals are taken this many times as
# wide. Tests hold the estimate itself to the error, for steps below the scale of the function.
TRUST = 3.0

# First steps, relative to each scale: from a tenth of it, as in Numerical Recipes, past the square root of the
# precision, where rounding outweighs differences of a function that varies on this scale (Gill, Murray, Wright,
# "Practical Optimization", section 4.6), down to 5e-11: for poles and edges of domains that are near. Each is
# extrapolated from h to h/176, so that neighbours overlap widely.
FIRST_STEPS = tuple(0.1 / 6.0**k for k in range(13))


class Slope(NamedTuple):
    """A measured derivative and how far it may be off."""

    value: float
    error: float


class NoValueError(Exception):
    """The function has no value at one of the steps of the measurement."""


def extrapolate(
    difference: Callable[[float], float], h: float, order: int, noise: float, rounding: float = 0.0
) -> Slope:
    """The limit of a difference quotient as the step goes to 0.

    Args:
        difference: the quotient for a step.
        h: the first and largest step.
        order: 2 for central differences, whose error has even powers only; 1 for one-sided ones.
        noise: by how much a function value may be off; its effect grows as the step shrinks.
        rounding: by how much an argument may be off.

    Returns:
        the best entry of the extrapolation table, and its distance to its neighbours plus the rounding.
    """
    best = Slope(math.nan, math.inf)
    previous: list[float] = []
    for _ in range(COLUMNS):
        row = [difference(h)]
        off = 2.0 * (noise + rounding * abs(row[0])) / h
        factor = 1.0
        for k, before in enumerate(previous):
            factor *= SHRINK**order
            row.append((row[k] * factor - before) / (factor - 1.0))
            off *= (factor + 1.0) / (factor - 1.0)
            error = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - before)) + off
            if error < best.error:
                best = Slope(row[k + 1], error)
        if previous and abs(row[-1] - previous[-1]) > WORSE * best.error:
            break  # higher orders only get worse from here
        previous = row
        h /= SHRINK
    return best


def central(f: Callable[[float], float], h: float, noise: float, rounding: float = 0.0) -> Slope:
    """The derivative of f at 0 from both sides."""
    return extrapolate(lambda step: (f(step) - f(-step)) / (2.0 * step), h, 2, noise / 2.0, rounding / 2.0)


def one_sided(f: Callable[[float], float], h: float, noise: float, rounding: float = 0.0) -> Slope:
    """The derivative of f at 0 from the side of h, which may be negative."""
    at_zero = f(0.0)
    side = math.copysign(1.0, h)
    return extrapolate(lambda step: (f(side * step) - at_zero) / (side * step), abs(h), 1, noise, rounding)


def consistent(a: Slope, b: Slope) -> bool:
    """Whether two measurements may be of the same derivative."""
    return abs(a.value - b.value) <= TRUST * (a.error + b.error)


def best_of(
    measure: Callable[[float], Slope], scales: Iterable[float], agrees: Callable[[Slope], bool] = lambda slope: False
) -> Slope | None:
    """The best measurement over first steps of all magnitudes; None if none is reliable.

    A first step may be so large that the function varies unseen between two steps, and the extrapolation may then
    converge by accident. So a measurement counts only if it agrees with the claimed slope, or with another measurement
    made with smaller steps. The one with the smallest error is taken.

    Args:
        measure: takes a first step; raises NoValueError where it cannot be used.
        scales: lengths on which the function may vary.
        agrees: whether a measurement confirms what is claimed; the first that does is returned.
    """
    best: Slope | None = None
    before: Slope | None = None
    for h in sorted({scale * step for scale in scales for step in FIRST_STEPS}, reverse=True):
        try:
            slope = measure(h)
        except (NoValueError, ZeroDivisionError):  # a step may underflow to 0
            continue
        if agrees(slope):
            return slope
        if before is not None:
            better = min(slope, before, key=lambda s: s.error)
            if consistent(slope, before) and (best is None or better.error < best.error):
                best = better
        if best is not None and not consistent(slope, best):
            best = None  # smaller steps contradict what the larger ones agreed on
        before = slope
    return best


# Quotients approach a slope like a + b·h^p. From one step to the next, shorter by SHORTER, their changes shrink by
# SHORTER^p; they stay the same for log h, grow for p < 0, and across a jump grow by SHORTER itself. Steps are powers of
# 2, so that they are added to most arguments without rounding.
SHORTER = 8.0
STEADY = 0.9  # more than this part of the change before: not shrinking, p < 0.05
JUMP = 7.7  # more than this many times the change before: a jump, p < −0.98
GROWING = 5  # changes in a row, none of them shrinking, count as an infinite slope
# Differences are taken while they are this many times the noise: then the changes are right to a few percent.
RESOLVED = 1e4
LONGEST = 33  # steps: far enough where the argument is 0 and nothing is rounded


def limit(f: Callable[[float], float], h: float, noise: float, rounding: float = 0.0) -> Slope | None:
    """The slope of f at 0 on the side of h, where it may be infinite or approached like any power of the step.

    ``extrapolate`` knows whole powers only: it fails for x^1.5 at 0. Here Aitken's process (1926) finds a from any
    three quotients a + b·h^p, for any p.

    Args:
        f: raises NoValueError where it has no value.
        h: the first and largest step, negative for the left side.
        noise: by how much a function value may be off.
        rounding: by how much an argument may be off.

    Returns:
        the slope, inf or −inf if it grows without bound; None if neither can be decided.
    """
    at_zero = f(0.0)
    longest = math.copysign(2.0 ** math.floor(math.log2(abs(h))), h)
    quotients: list[float] = []
    steps: list[float] = []
    for k in range(LONGEST):
        step = longest / SHORTER**k
        try:
            difference = f(step) - at_zero
        except NoValueError:
            quotients, steps = [], []
            continue
        if abs(step) < RESOLVED * rounding or abs(difference) < RESOLVED * noise:
            break
        quotients.append(difference / step)
        steps.append(abs(step))
    changes = [b - a for a, b in pairwise(quotients)]
    ratios = [b / a if a != 0.0 else 0.0 for a, b in pairwise(changes)]
    if (
        len(ratios) >= GROWING
        and all(STEADY <= r < JUMP for r in ratios[-GROWING:])
        and changes[-1] * quotients[-1] > 0
    ):
        return Slope(math.copysign(math.inf, quotients[-1]), 0.0)
    limits = [
        q + d * r / (1.0 - r) if 0.0 <= r < STEADY else math.nan
        for q, d, r in zip(quotients[2:], changes[1:], ratios, strict=True)
    ]
    best: Slope | None = None
    for (before, now), ratio, step in zip(pairwise(limits), ratios[1:], steps[3:], strict=True):
        if math.isfinite(before) and math.isfinite(now):
            error = abs(now - before) + (noise + rounding * abs(now)) / step * 4.0 / (1.0 - ratio) ** 2
            if best is None or error < best.error:
                best = Slope(now, error)
    return best
