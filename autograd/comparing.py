"""Compares one claimed derivative with its measurement: at smooth points, kinks, edges of domains, infinite slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from .differences import TRUST, NoValueError, Slope, best_of, central, limit, one_sided
from .errors import AutogradError
from .language import Message
from .notation import show

Verdict = Literal["pass", "fail", "inconclusive"]


class Branch(NamedTuple):
    """The branch that a computation took."""

    operations: tuple[Any, ...]
    pieces: tuple[Any, ...]  # of each operation: on which side of its kink, or on which of its steps it was


# A measurement whose error is above this part of the slope confirms nothing. Rules go wrong in their leading digits (a
# factor, a sign, another argument), so four digits that agree are evidence; fewer may agree by accident.
COARSE = 1e-4
# A claim fails only against a measurement with one digit more: near a singularity the error estimate is too small.
SHARP = 1e-5
# Across a jump, quotients grow like 1/h and do not converge: the error stays as large as the slope. A one-sided
# measurement with an error above this part of the slope is therefore none.
ACROSS_A_JUMP = 0.1
# How near, relative to the size of the input, another branch counts as one at the point itself: about √ε, below which
# rounding outweighs the difference of a function that varies on the scale of its argument.
NEAR = 1e-7
# … and relative to the other numbers of the point, which may be where kinks are.
NEAR_OTHERS = 1e-3

NOTHING = Slope(math.nan, math.inf)
_NOWHERE = Branch((), ())
_ELSEWHERE = Message("the computation takes another branch beside this point, however near")


class Comparison(NamedTuple):
    """One derivative, as the engine claims it and as measured."""

    what: str
    claimed: float
    measured: float
    error: float
    verdict: Verdict
    note: str = ""

    @property
    def relative(self) -> float:
        """The difference relative to the larger of the two."""
        if self.claimed == self.measured:
            return 0.0
        size = max(abs(self.claimed), abs(self.measured))
        return abs(self.claimed - self.measured) / size if size else math.nan


class Claim(NamedTuple):
    """A derivative to check, and how far it may be off beyond the measurement's own error."""

    what: str
    slope: float
    rtol: float
    atol: float

    def verdict(self, measured: Slope) -> Verdict:
        """What one measurement says about the claim."""
        size = max(abs(self.slope), abs(measured.value))
        if not (math.isfinite(size) and math.isfinite(measured.error)):
            return "inconclusive"
        if abs(self.slope - measured.value) <= TRUST * measured.error + self.rtol * size + self.atol:
            return "pass" if measured.error <= COARSE * size + 100.0 * self.atol else "inconclusive"
        return "fail" if self.sharp(measured) else "inconclusive"

    def agrees(self, measured: Slope) -> bool:
        """Whether a measurement confirms the claim."""
        return self.verdict(measured) == "pass"

    def sharp(self, measured: Slope) -> bool:
        """Whether a measurement is accurate enough to reject a claim."""
        size = max((abs(x) for x in (self.slope, measured.value) if math.isfinite(x)), default=0.0)
        return measured.error <= SHARP * size + self.atol

    def judged(self, measured: Slope, verdict: Verdict, note: str = "") -> Comparison:
        """The result."""
        return Comparison(self.what, self.slope, measured.value, measured.error, verdict, note)


class Kink(NamedTuple):
    """An operation that is exactly at a kink or jump where it is measured."""

    label: str
    convention: str  # which slope its row takes there; may be empty
    jump: bool  # one of many jumps of a step function


class Line(NamedTuple):
    """A function of one variable around 0: what is measured."""

    at: Callable[[float], tuple[float, Branch]]  # its value, and the branch that the computation took
    scales: tuple[float, ...]  # lengths on which it may vary
    near: float  # the smallest useful step to each side of the point
    rounding: float  # by how much an argument may be off
    noise: float  # by how much a value may be off by rounding
    claim_noise: float  # by how much the claimed derivative may be off by rounding
    kinks: tuple[Kink, ...]
    own: bool  # whether operations that users defined take part
    why: Callable[[], str]  # says why a value or derivative is not finite


class _Curve:
    """The values along a line, each computed once."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.values: dict[float, tuple[float, Branch]] = {}

    def at(self, h: float) -> tuple[float, Branch]:
        """Value and branch; the value is nan where there is none."""
        if h not in self.values:
            try:
                self.values[h] = self.line.at(h)
            except (AutogradError, ArithmeticError, ValueError):  # outside the domain
                self.values[h] = math.nan, _NOWHERE
        return self.values[h]

    def on(self, branch: Branch) -> Callable[[float], float]:
        """The function as far as the computation takes that branch; the point itself belongs to every branch."""

        def f(h: float) -> float:
            y, now = self.at(h)
            if (h != 0.0 and now != branch) or not math.isfinite(y):
                raise NoValueError
            return y

        return f


class _Side(NamedTuple):
    """One side of the point, where the function has values."""

    slope: Slope | None  # None if it cannot be measured
    operations_differ: bool  # from those at the point itself


def compare(line: Line, claim: Claim) -> Comparison:
    """Measure a derivative and compare the claimed one with it."""
    if math.isfinite(line.claim_noise):
        claim = claim._replace(atol=claim.atol + line.claim_noise)
    curve = _Curve(line)
    here, branch = curve.at(0.0)
    if not math.isfinite(here):
        return claim.judged(NOTHING, "inconclusive", line.why())
    f = curve.on(branch)
    both = best_of(lambda h: central(f, h, line.noise, line.rounding), line.scales, claim.agrees)
    if both is not None and claim.agrees(both):
        return claim.judged(both, "pass")
    if any(kink.jump for kink in line.kinks) and math.isfinite(claim.slope):
        note = Message(
            "a jump at {node}: no slope can be measured, {slope} is taken by convention",
            node=line.kinks[0].label,
            slope=show(claim.slope),
        )
        return claim.judged(Slope(claim.slope, 0.0), "pass", note)
    # Not smooth on both sides, or not in agreement: look at each side by itself.
    sides = [side for h in (-line.near, line.near) if (side := _side(curve, h, branch)) is not None]
    result = (_finite if math.isfinite(claim.slope) else _not_finite)(line, claim, both, sides)
    if result.verdict == "fail" and line.kinks and not line.own:
        # Several conventions combined at a kink may give a number that is no slope; the rules are not wrong then.
        return result._replace(verdict="inconclusive", note=result.note or Message("exactly at a kink"))
    return result


def _side(curve: _Curve, h: float, branch: Branch) -> _Side | None:
    """Measure on the side of h."""
    line = curve.line
    value, beside = curve.at(h)
    if math.isnan(value):
        return None
    f, direction = curve.on(beside), math.copysign(1.0, h)
    found = [
        best_of(lambda step: one_sided(f, direction * step, line.noise, line.rounding), line.scales),
        limit(f, direction * max(line.scales), line.noise, line.rounding),
    ]
    slope = min((slope for slope in found if slope is not None), key=lambda slope: slope.error, default=None)
    return _Side(slope, beside.operations != branch.operations)


def _finite(line: Line, claim: Claim, both: Slope | None, sides: list[_Side]) -> Comparison:
    """Judge a finite claim that the measurement from both sides did not confirm."""

    def good(slope: Slope | None) -> bool:
        bound = math.sqrt(claim.atol)  # half of the digits of what counts as 0
        return slope is not None and slope.error <= ACROSS_A_JUMP * abs(slope.value) + bound

    both = both if good(both) else None
    slopes = [side.slope for side in sides if side.slope is not None and good(side.slope)]
    if any(math.isinf(slope.value) for slope in slopes):
        return claim.judged(slopes[0], "inconclusive", Message("the measured slope grows without bound"))
    declared = next((kink for kink in line.kinks if kink.convention), None)
    if len(slopes) < 2:
        measured = both or (slopes[0] if slopes else NOTHING)
        verdict, note = claim.verdict(measured), ""
        if slopes:  # the other side is outside the domain or across a jump: not enough to reject the claim
            verdict, note = "inconclusive" if verdict == "fail" else verdict, Message("measured from one side")
        if verdict != "pass" and declared:
            verdict = "pass"
            note = Message(
                "at the edge of {node}; by convention: {convention}",
                node=line.kinks[0].label,
                convention=Message(declared.convention),
            )
        if measured is NOTHING and not note:
            note = Message("difference quotients settle on no slope here")
        return claim.judged(measured, verdict, note)
    left, right = slopes
    error = left.error + right.error
    size = max(abs(left.value), abs(right.value))
    if abs(left.value - right.value) <= TRUST * error + COARSE * size + claim.atol:
        measured = both or min(slopes, key=lambda s: s.error)
        verdict = claim.verdict(measured)
        if verdict == "fail" and both is None:
            return claim.judged(measured, "inconclusive", _ELSEWHERE)
        return claim.judged(measured, verdict)
    low, high = sorted((left.value, right.value))
    note = _kink_note(line, show(left.value), show(right.value))
    slack = TRUST * error + claim.rtol * size + claim.atol
    between = Slope(0.5 * (low + high), error)
    if any(side.operations_differ for side in sides):
        return claim.judged(between, "inconclusive", _ELSEWHERE)
    if not low - slack <= claim.slope <= high + slack:
        return claim.judged(between, "fail", _both(note, Message("the claimed slope is outside")))
    if declared:
        note = _both(note, Message("by convention: {convention}", convention=Message(declared.convention)))
        return claim.judged(Slope(claim.slope, error), "pass", note)
    smallest = 0.0 if low <= 0.0 <= high else min(low, high, key=abs)
    if abs(claim.slope - smallest) <= slack:
        return claim.judged(Slope(claim.slope, error), "pass", _both(note, Message("the smallest slope is taken")))
    undeclared = Message(
        "no convention is declared for it, and the smallest slope would be {slope}", slope=show(smallest)
    )
    return claim.judged(Slope(smallest, error), "fail" if line.own else "inconclusive", _both(note, undeclared))


def _kink_note(line: Line, left: str, right: str) -> Message:
    if not line.kinks:
        return Message("a kink: slope {left} from the left, {right} from the right", left=left, right=right)
    return Message(
        "a kink at {node}: slope {left} from the left, {right} from the right",
        node=line.kinks[0].label,
        left=left,
        right=right,
    )


def _both(first: str, second: str) -> Message:
    """Two remarks, one after the other."""
    return Message("{first}; {second}", first=first, second=second)


def _not_finite(line: Line, claim: Claim, both: Slope | None, sides: list[_Side]) -> Comparison:
    """Judge a claim that is infinite or nan: right only where the quotients grow without bound."""
    why = line.why()
    slopes = [side.slope for side in sides if side.slope]
    if {slope.value for slope in slopes} == {claim.slope}:
        return claim.judged(slopes[0], "pass", _both(why, Message("the measured slope grows without bound")))
    if {slope.value for slope in slopes} == {-claim.slope}:
        return claim.judged(slopes[0], "fail", _both(why, Message("the measured slope is of the other sign")))
    if any(math.isinf(slope.value) for slope in slopes):  # of one sign on each side, or on one side only
        return claim.judged(NOTHING, "inconclusive", why)
    found = [both] if both else slopes
    if found and all(math.isfinite(slope.value) and claim.sharp(slope) for slope in found):
        verdict: Verdict = "fail" if both or len(slopes) == 2 else "inconclusive"  # one side is not enough to reject
        return claim.judged(found[0], verdict, _both(why, Message("but the measured slope is finite")))
    return claim.judged(NOTHING, "inconclusive", why)
