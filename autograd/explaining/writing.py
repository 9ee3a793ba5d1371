"""Writes a derivative's equations, in plain text or LaTeX: first as symbols and numbers, then as lines."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..language import translate
from ..markup import ATOM, MARKUP, PRODUCT, SIGNED, Style, Text
from ..naming import Names
from ..notation import piece, show
from ..recorded import operand_numbers
from ..sweep import carried
from ..value import Value
from .folding import Expansion, Symbol

ROUNDING = 8 * sys.float_info.epsilon  # relative to the sum of the terms' sizes
MOST_HELD = 3  # operands held fixed that a symbol names


class Factor(NamedTuple):
    """A factor of a product: its text and its number."""

    written: str
    value: float


@dataclass(frozen=True, slots=True)
class Equation:
    """A sum of products with its numbers, from which the text is made.

    Attributes:
        left: the left side.
        terms: the factors of each term on the right.
        value: the value of both sides.
        rest: the sum of the terms that are left out; None if all are written.
        is_rounding: whether the value is no larger than the rounding errors of the terms.
        style, digits: how it is printed.
    """

    left: str
    terms: tuple[tuple[Factor, ...], ...]
    value: float
    rest: float | None = None
    is_rounding: bool = False
    style: Style = "text"
    digits: int = 6

    @property
    def sides(self) -> list[str]:
        """All equal expressions, from the left side to the number; each except the first starts with its sign."""
        marks = MARKUP[self.style]
        equal = marks.relation("=")
        products = [_product(term) for term in self.terms]
        sides = [self._sum([self._times([f.written for f in term]) for term in self.terms])]
        parts = [*products, *([] if self.rest is None else [self.rest])]
        if self.rest is None and sum(map(len, self.terms)) > 1:
            sides.append(self._sum([self._times([self._within(f.value) for f in term]) for term in self.terms]))
        if (any(len(term) > 1 for term in self.terms) and len(parts) > 1) or self.rest is not None:
            alike = [*parts, self.value]
            sides.append(marks.infix["+"].join(_in_sum(self._term(x, alike), marks) for x in parts))
            result = self._term(self.value, alike)
        else:
            result = show(self.value, self.digits, self.style)
        sides = [side for k, side in enumerate(sides) if side and side not in (*sides[:k], self.left)]
        lines = [self.left, *(equal + side for side in sides)]
        if self.is_rounding:
            lines.append(nearly_zero(self.value, self.digits, self.style))
        elif _differ(parts, self.value):
            lines.append(equal + result + self._lost(math.fsum(parts)))
        elif not sides or result != sides[-1]:
            lines.append(equal + result)
        return lines

    @property
    def drops_infinity(self) -> bool:
        """Whether a factor 0 meets one that is not finite."""
        numbers = [[factor.value for factor in term] for term in self.terms]
        return any(0.0 in term and not all(map(math.isfinite, term)) for term in numbers)

    def text(self, width: int = 120) -> list[str]:
        """On one line if it fits, else one line for each side."""
        sides = self.sides
        line = " ".join(sides)
        if len(line) <= width:
            return [line]
        first, *rest = sides
        if len(rest) > 2:
            rest[-2:] = [f"{rest[-2]} {rest[-1]}"]
        indent = " " * min(len(first), 12)
        return [f"{first} {rest[0]}", *[f"{indent} {side}" for side in rest[1:]]]

    def latex(self) -> str:
        """As rows of an ``align``."""
        return " \\\\\n".join([" ".join(self.sides[:2]), *self.sides[2:]])

    def mathml(self) -> list[tuple[str, str]]:
        """As rows of a table with two cells, the left side and one of the others."""
        first, *rest = self.sides
        return [("" if k else first, side) for k, side in enumerate(rest)]

    def _times(self, factors: Sequence[str]) -> str:
        return MARKUP[self.style].infix["factor"].join(factors)

    def _sum(self, terms: Sequence[str]) -> str:
        marks = MARKUP[self.style]
        return marks.infix["+"].join([*terms, *([] if self.rest is None else [marks.dots])])

    def _within(self, x: float) -> str:
        return piece(x, self.digits, self.style).within(ATOM, self.style)

    def _term(self, x: float, others: Sequence[float]) -> str:
        """A term of a sum: all terms to the same decimal place, if that is readable."""
        marks = MARKUP[self.style]
        is_short = len(show(x, self.digits)) < self.digits
        if is_short or not all(t == 0.0 or 10.0 ** (3 - self.digits) <= abs(t) < 1e4 for t in others):
            return show(x, self.digits, self.style)
        fixed = marks.number(f"{abs(x):.{self.digits}f}", None)
        return fixed if x >= 0 else marks.negative(fixed)

    def _lost(self, total: float) -> str:
        """A remark for the case that the written numbers give another result than the sweep."""
        sentence = translate("the numbers written give {number}; the sweep left the range of floats on its way")
        return MARKUP[self.style].remark(sentence, number=show(total, self.digits, self.style))


def _in_sum(number: str, marks: Text) -> str:
    return marks.parenthesised(number) if marks.starts_with_minus(number) else number


def _product(factors: Sequence[Factor]) -> float:
    result = 1.0
    for factor in factors:
        result = carried(result, factor.value)
    return result


def _differ(parts: Sequence[float], value: float) -> bool:
    """Whether numbers do not add up to a value, though they should up to rounding."""
    total = sum(parts)
    if not parts or not math.isfinite(total) or not math.isfinite(value):
        return False
    return abs(total - value) > 1e-6 * max(map(abs, [*parts, value]))


def is_rounding(x: float, size: float) -> bool:
    """Whether a sum is no larger than the rounding errors of its terms.

    Args:
        x: the sum.
        size: the sum of the terms' sizes.
    """
    return x != 0.0 and abs(x) <= ROUNDING * size < math.inf


def nearly_zero(x: float, digits: int, style: Style) -> str:
    """The text for a sum that is only rounding error."""
    marks = MARKUP[style]
    remark = marks.remark(translate("{number} is left by rounding"), number=show(x, digits, style))
    return marks.relation("≈") + marks.number("0", None) + remark


class Writer:
    """Writes equations in one style.

    Args:
        names: the labels of the nodes.
        style: plain text, LaTeX or MathML.
        digits: significant digits.
    """

    def __init__(self, names: Names, style: Style, digits: int) -> None:
        self.names, self.style, self.digits = names, style, digits

    def symbol(self, symbol: Symbol) -> str:
        """∂target/∂source, with the operands held fixed or the number of the occurrence."""
        over, under = self.names.atom(symbol.target, self.style), self.names.atom(symbol.source, self.style)
        if symbol.nth:
            under = self.names.occurrence(symbol.source, symbol.nth, self.style).text
            if self.names.is_formula(symbol.target):
                over = self.names.formula(symbol.target, self.style, symbol.source).within(ATOM, self.style)
        held = [self.names.atom(x, self.style) for x in symbol.held[:MOST_HELD]]
        if len(symbol.held) > MOST_HELD:
            held.append(MARKUP[self.style].more)
        return MARKUP[self.style].derivative(over, under, held)

    def equation(self, expansion: Expansion) -> Equation:
        """An expansion, written."""
        value = expansion.left.value
        terms = tuple(tuple(Factor(self.symbol(s), s.value) for s in term) for term in expansion.terms)
        rounding = is_rounding(value, expansion.size)
        return self._equation(self.symbol(expansion.left), terms, value, expansion.rest, rounding)

    def rule(self, symbol: Symbol) -> Equation:
        """The local rule behind a symbol: the table's formulas along its edges."""
        assert symbol.edges is not None
        apart = symbol.source if symbol.nth else None
        slopes = [self.names.slope(e.node, e.position, self.style, apart) for e in reversed(symbol.edges)]
        if len(slopes) == 1:
            written = [slopes[0].text]
        else:
            written = [s.within(ATOM if s.level == SIGNED else PRODUCT, self.style) for s in slopes] or [
                MARKUP[self.style].number("1", None)
            ]
        partials = [e.partial for e in reversed(symbol.edges)] or [1.0]
        factors = tuple(map(Factor, written, partials))
        return self._equation(self.symbol(symbol), (factors,), symbol.value)

    def definition(self, node: Value, apart: Value | None = None) -> Equation:
        """The definition of a node by its formula."""
        formula = self.names.formula(node, self.style, apart).text
        return self._equation(self.names.label(node, self.style).text, ((Factor(formula, node.data),),), node.data)

    def occurrences(self, last: Symbol) -> Equation:
        """x₁ = x₂ = x: the occurrences of one node, up to the one of the given symbol."""
        assert last.edges
        node, (edge,) = last.source, last.edges
        number = operand_numbers(edge.node)[0][edge.place]
        first, *others = [self.names.occurrence(node, nth, self.style).text for nth in range(1, last.nth + 1)]
        written = MARKUP[self.style].infix["="].join([*others, self.names.label(node, self.style).text])
        return self._equation(first, ((Factor(written, number),),), number)

    def _equation(
        self,
        left: str,
        terms: tuple[tuple[Factor, ...], ...],
        value: float,
        rest: float | None = None,
        rounding: bool = False,
    ) -> Equation:
        return Equation(left, terms, value, rest, rounding, self.style, self.digits)
