"""A row of the operation table: its columns, and the properties that follow from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .carriers import FLOATS
from .rules import Carrier

Rule = Callable[[Carrier], Callable[..., Any]]  # carrier -> rule on its numbers
Formula = str | Callable[[int], str]  # the formula of an n-ary row for a given number of operands
Slopes = tuple[str, ...] | Callable[[int, int], str]  # … and for the i-th of n operands


class Interval(NamedTuple):
    """The range of an operand; ends are excluded unless ``closed``; ``without`` is a single excluded point."""

    low: float = -math.inf
    high: float = math.inf
    closed: bool = False
    without: float | None = None

    def __contains__(self, x: object) -> bool:
        if not isinstance(x, float | int) or x == self.without:
            return False
        return self.low <= x <= self.high if self.closed else self.low < x < self.high

    def describe(self, name: str) -> str:
        """The interval as a condition, for example ``x > 0``."""
        less = "≤" if self.closed else "<"
        if self.without is not None:
            return f"{name} ≠ {self.without:g}"
        if self.low == -math.inf and self.high == math.inf:
            return f"any {name}"
        if self.high == math.inf:
            return f"{name} {'≥' if self.closed else '>'} {self.low:g}"
        return f"{self.low:g} {less} {name} {less} {self.high:g}"


REAL = Interval()
POSITIVE = Interval(low=0.0)
NONZERO = Interval(without=0.0)
UNIT = Interval(-1.0, 1.0)


class Op:
    """One row of the table.

    Args:
        name: also the name of the function in ``autograd`` and of the rule on a carrier.
        operands: their names, ``"x y"``; ``"*xs"`` in a row over any number of operands.
        formula: the operation as a Python expression in the operands' names.
        slopes: the partials as expressions; ``z`` is the result.
        value: the rule for the value.
        partials: a rule for the partial with respect to each operand, called with the result and the operands; in a row
            over any number of operands a single rule that returns all of them.
        domain: the range of each operand.
        samples: operands for tests; made from the domain if not given.
        symbol: the label of the operation in drawings.
        kink: a function of the operands that is 0 exactly at a kink or jump, and whose sign tells the side.
        convention: in words, which slope is taken at the kink.
        note: the domain in words, if the intervals do not describe it.
        group: splits the operands of an n-ary row into the arguments of its rules.
        finite: whether the value is finite at finite operands inside the domain, except for overflow of a plain sum or
            product; or a function of the operands' numbers (None for unknown ones) that decides it.
        stepwise: whether the value is constant between jumps, so that every slope is 0.
        condition: whether it is a comparison: outside compiled functions Python compares numbers and records no node.
        step: a function of the operands that identifies the piece between two jumps, where there are many jumps.
        flat: whether the value is constant, and its slope in the first operand exactly 0, beyond a kink.
        selects: the positions of the operands, one of which is the result.
        saturates: whether the value only rises or only falls in the first operand and approaches a constant on a side,
            so that a slope near 0 means that this operand is large.
        activation: whether ``nn`` offers it by name as an activation.
        rectifier: whether it is about the identity for positive first operands and stays small for negative ones.

    Attributes:
        f, df: the rules for the value and for the partials, bound to floats; recording calls these.
        unnamed: the origin of the operation's nodes that have no name, scope or constant operand.
        bound: the rules bound to other carriers when they are first needed; kept as long as the row.
    """

    __slots__ = (
        *("name", "operands", "formula", "slopes", "value", "partials", "f", "df"),
        *("domain", "samples", "symbol", "kink", "convention", "note", "group", "finite"),
        *("stepwise", "condition", "step", "flat", "selects", "saturates", "activation", "rectifier"),
        *("bound", "unnamed"),
    )

    def __init__(
        self,
        name: str,
        operands: str,
        formula: Formula,
        slopes: Slopes,
        value: Rule,
        *partials: Rule,
        domain: tuple[Interval, ...] | None = None,
        samples: Sequence[tuple[float, ...]] | None = None,
        symbol: str = "",
        kink: Callable[..., float] | None = None,
        convention: str = "",
        note: str = "",
        group: Callable[[Sequence[Any]], tuple[Any, ...]] | None = None,
        finite: bool | Callable[..., bool] = True,
        stepwise: bool = False,
        condition: bool = False,
        step: Callable[..., float] | None = None,
        flat: bool = False,
        selects: tuple[int, ...] = (),
        saturates: bool = False,
        activation: bool = False,
        rectifier: bool = False,
    ) -> None:
        self.name, self.operands = name, tuple(operands.split())
        self.formula, self.slopes, self.value, self.partials = formula, slopes, value, partials
        self.f: Callable[..., float] = value(FLOATS)
        self.df: tuple[Callable[..., Any], ...] = tuple(rule(FLOATS) for rule in partials)
        self.domain = (REAL,) * len(self.operands) if domain is None else domain
        self.samples = _samples(self.domain) if samples is None else tuple(samples)
        self.symbol, self.kink, self.convention, self.note, self.group = symbol or name, kink, convention, note, group
        self.finite, self.stepwise, self.condition, self.step = finite, stepwise, condition, step
        self.flat, self.selects, self.saturates = flat, selects, saturates
        self.activation, self.rectifier = activation, rectifier
        self.bound: dict[str, Any] = {}
        self.unnamed = (self, None, ())

    @property
    def shipped(self) -> bool:
        """Whether the row is one of this table's; operations that users define are not."""
        return TABLE.get(self.name) is self

    @property
    def nary(self) -> bool:
        """Whether the row takes any number of operands."""
        return self.group is not None

    @property
    def may_vanish(self) -> bool:
        """Whether a choice may make the value exactly 0: of a step, a flat side, a period or the larger operand."""
        compares = len(self.selects) == len(self.operands)  # where() leaves the choice to an operand of its own
        return self.stepwise or self.step is not None or self.flat or compares

    def is_finite(self, known: Sequence[float | None]) -> bool:
        """Whether the value is finite at all finite operands, given the numbers of those that are known."""
        if callable(self.finite):
            return self.finite(*known)
        inside = (interval == REAL or x in interval for interval, x in zip(self.domain, known, strict=False))
        return self.finite and (self.nary or all(inside))

    def piece(self, operands: Sequence[float], value: float) -> float | None:
        """The piece between kinks and jumps that these operands are on; None if there is only one piece."""
        if self.step is None and self.stepwise:
            return value
        tells = self.kink if self.step is None else self.step
        if tells is None:
            return None
        found = tells(*operands) if all(map(math.isfinite, operands)) else math.nan
        return found if self.step is not None else (found > 0) - (found < 0)

    def arguments(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        """The operands in the form that the rules take: ``(ws, xs, bias)`` for ``dot``, one by one for most rows."""
        return tuple(operands) if self.group is None else self.group(operands)

    def names(self, count: int) -> tuple[str, ...]:
        """The operands' names in formula and slopes: ``x, y`` or ``x0, x1, …`` for an n-ary row."""
        return self.operands if self.group is None else tuple(f"x{i}" for i in range(count))

    def formula_for(self, count: int) -> str:
        """The formula for that many operands, as a Python expression in their names."""
        return self.formula if isinstance(self.formula, str) else self.formula(count)

    def slope_for(self, position: int, count: int) -> str:
        """How the partial with respect to one operand is written; ``z`` stands for the result."""
        return self.slopes[position] if isinstance(self.slopes, tuple) else self.slopes(count, position)

    def conditions(self) -> str:
        """The domain in words, for error texts and the docs."""
        parts = [i.describe(n) for i, n in zip(self.domain, self.operands, strict=False) if i != REAL]
        return self.note or " and ".join(parts) or "any operands"

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], Op], tuple[str]]:
        return lookup, (self.name,)


def _samples(domain: Sequence[Interval]) -> tuple[tuple[float, ...], ...]:
    """Points inside the domain; every second operand takes its numbers in the opposite order."""
    columns = [_SAMPLES[interval] for interval in domain]
    return tuple(zip(*(c if k % 2 == 0 else c[::-1] for k, c in enumerate(columns)), strict=False))


_SAMPLES = {
    REAL: (-2.3, -0.6, 0.4, 1.0, 3.1),
    POSITIVE: (0.02, 0.7, 1.0, 2.5, 40.0),
    NONZERO: (-3.0, -0.25, 0.5, 2.0),
    UNIT: (-0.9, -0.3, 0.2, 0.85),
}


TABLE: dict[str, Op] = {}  # filled in ops.py


def lookup(name: str) -> Op:
    """The row of that name."""
    return TABLE[name]
