"""Newton's method for a root, safeguarded: one step of it, on floats and on Values that stand for many rows alike.

A step that leaves the bracket (two points where f has different signs) or that becomes hardly smaller is replaced by a
bisection. Before a bracket is found, a step after which |f| is not smaller is halved. The iteration ends where rounding
ends it: a step does not change x by more than the tolerance, no number lies between the ends of the bracket, or a short
step makes |f| no smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Where = Callable[[Any, Any, Any], Any]
FAR = math.inf  # a side of the bracket that is not known
ROUNDED = 2.0**-46  # a step, in parts of x: if |f| is not smaller after it, rounding of f is reached
SHORT = 1e-8  # a step, in parts of x: halved to this length without a smaller |f|, the iteration has ended
NEAR = 1e-3  # Newton's own step, in parts of x: where it is longer, the place with the least |f| is no root


class Search(NamedTuple):
    """Where an iteration is.

    Attributes:
        x: the next point; at the end the root, or nan if none was found.
        best, least: the point with the smallest |f| so far, and that |f|.
        move: the length of the last step of Newton's that was not halved; FAR after a bisection.
        negative, positive: the ends of the bracket, where f is negative and positive; FAR where not known.
        active: 1 while it goes on, then 0.
    """

    x: Any
    best: Any
    least: Any
    move: Any
    negative: Any
    positive: Any
    active: Any


def begin(x: Any) -> Search:
    """An iteration from a point."""
    return Search(x, x, math.inf, math.inf, FAR, FAR, 1.0)


def begin_within(where: Where, x: Any, low: Any, high: Any, at_low: Any, at_high: Any) -> Search:
    """An iteration in a bracket, from x or else from the middle; ended if f has the same sign at both ends.

    Args:
        where: chooses between two numbers.
        x: the first point.
        low, high: the ends of the bracket.
        at_low, at_high: f there.
    """
    rises = (at_low < 0.0) & (at_high > 0.0)
    valid = rises | ((at_low > 0.0) & (at_high < 0.0))
    x = where((low < x) & (x < high), x, 0.5 * low + 0.5 * high)
    x = where(_is_zero(at_low), low, where(_is_zero(at_high), high, where(valid, x, math.nan)))
    return Search(x, x, math.inf, high - low, where(rises, low, high), where(rises, high, low), where(valid, 1.0, 0.0))


def advance(where: Where, at: Search, f: Any, change: Any, tolerance: float) -> Search:
    """The iteration after one step.

    Args:
        where: chooses between two numbers.
        at: where it is.
        f: the value at its next point.
        change: f divided by its slope there; inf or nan if the slope is 0.
        tolerance: of x, in parts of x.
    """
    x = at.x
    size = abs(f)
    improved = size < at.least
    best, least = where(improved, x, at.best), where(improved, size, at.least)
    negative, positive = where(f < 0.0, x, at.negative), where(f > 0.0, x, at.positive)
    bracketed = (abs(negative) < FAR) & (abs(positive) < FAR)
    newton = x - change
    step = abs(newton - x)

    middle = 0.5 * negative + 0.5 * positive
    inside = ((negative < newton) & (newton < positive)) | ((positive < newton) & (newton < negative))
    fast = inside & (step <= 0.5 * at.move)
    then = where(bracketed, where(fast, newton, middle), where(improved, newton, 0.5 * best + 0.5 * x))
    move = where(bracketed, where(fast, step, FAR), where(improved, step, at.move))

    is_root = _is_zero(f)
    settled = improved & (step <= tolerance * abs(newton)) & (step < FAR)
    narrow = (abs(positive - negative) <= tolerance * abs(middle)) | _is_zero(middle - negative)
    narrow = narrow | _is_zero(middle - positive)
    worse = _not(where, improved)
    rounded = worse & (at.move <= ROUNDED * abs(best)) & (abs(x - best) <= ROUNDED * abs(best))
    stalled = worse & (abs(x - best) <= SHORT * abs(best))
    stuck = _is_zero(then - x) | _not(where, abs(then) < FAR)
    ended = is_root | settled | rounded | _either(where, bracketed, narrow, stalled) | stuck
    # A change of sign without a small |f| is a pole; a small |f| without a short step of Newton's is a minimum.
    found = where(bracketed, abs(best - middle) - NEAR * abs(middle), move - NEAR * abs(best)) <= 0.0
    answer = where(is_root, x, where(settled, newton, where(rounded | found, best, math.nan)))
    return Search(where(ended, answer, then), best, least, move, negative, positive, where(ended, 0.0, 1.0))


def _is_zero(x: Any) -> Any:
    return (x <= 0.0) & (x >= 0.0)


def _not(where: Where, condition: Any) -> Any:
    return where(condition, 0.0, 1.0) > 0.0


def _either(where: Where, condition: Any, x: Any, y: Any) -> Any:
    """The condition x where a condition holds, else the condition y."""
    return (condition & x) | (_not(where, condition) & y)
