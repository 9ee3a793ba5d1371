"""Numerical derivatives with an error estimate: Ridders' extrapolated differences.

Source: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

SHRINK = 1.6  # from one step to the next
COLUMNS = 12


class Slope(NamedTuple):
    """A measured derivative and how far it may be off."""

    value: float
    error: float


def extrapolate(difference: Callable[[float], float], h: float, order: int, noise: float) -> Slope:
    """The limit of a difference quotient for ever smaller steps.

    Args:
        difference: the quotient for a step.
        h: the first and largest step.
        order: 2 for central differences, whose error has even powers only; 1 for one-sided ones.
        noise: by how much a function value may be off by rounding; it weighs more the smaller the step.

    Returns:
        the best entry of the extrapolation table, and its distance to its neighbours plus the rounding.
    """
    best = Slope(math.nan, math.inf)
    previous: list[float] = []
    for _ in range(COLUMNS):
        row = [difference(h)]
        rounding = 2.0 * noise / h
        factor = 1.0
        for k, before in enumerate(previous):
            factor *= SHRINK**order
            row.append((row[k] * factor - before) / (factor - 1.0))
            rounding *= (factor + 1.0) / (factor - 1.0)
            error = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - before)) + rounding
            if error < best.error:
                best = Slope(row[k + 1], error)
        if previous and abs(row[-1] - previous[-1]) > 4.0 * best.error:
            break  # higher orders only get worse from here
        previous = row
        h /= SHRINK
    return best


def central(f: Callable[[float], float], h: float, noise: float) -> Slope:
    """The derivative of f at 0 from both sides."""
    return extrapolate(lambda step: (f(step) - f(-step)) / (2.0 * step), h, 2, noise / 2.0)


def one_sided(f: Callable[[float], float], h: float, noise: float) -> Slope:
    """The derivative of f at 0 from the side of h, which may be negative."""
    at_zero = f(0.0)
    side = math.copysign(1.0, h)
    return extrapolate(lambda step: (f(side * step) - at_zero) / (side * step), abs(h), 1, noise)
