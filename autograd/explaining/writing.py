"""Writes a derivative's equations, in plain text or LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..naming import Names
from ..notation import ATOM, PRODUCT, SIGNED, SUM, Piece, Style, piece, show
from ..sweep import carried
from ..value import Value
from .folding import Factor, Folded, Step

T = TypeVar("T")
MOST_FACTORS, MOST_TERMS = 8, 8  # of a product or sum that are written out


@dataclass(frozen=True, slots=True)
class Equation:
    """Sides of a chain of equal things: the left side first, the result last."""

    sides: tuple[str, ...]

    def text(self, width: int = 120) -> list[str]:
        """On one line where it fits, else one line a side."""
        line = " = ".join(self.sides)
        if len(line) <= width:
            return [line]
        first, *rest = self.sides
        indent = " " * min(len(first), 12)
        if len(rest) > 2:
            rest[-2:] = [f"{rest[-2]} = {rest[-1]}"]
        return [f"{first} = {rest[0]}", *[f"{indent} = {side}" for side in rest[1:]]]

    def latex(self) -> str:
        """As rows of an ``align``."""
        first, *rest = self.sides
        return f"{first} &= " + " \\\\\n&= ".join(rest)


class Writer:
    """Writes equations about ∂output/∂… in one style.

    Args:
        folded: stations and factors.
        adjoints: the derivative of the output with respect to each node.
        names: what to call the nodes.
        style: plain text or LaTeX.
        digits: significant digits.
    """

    def __init__(
        self, folded: Folded, adjoints: Mapping[Value, float], names: Names, style: Style, digits: int
    ) -> None:
        self.folded, self.adjoints, self.names, self.style, self.digits = folded, adjoints, names, style, digits
        self.output = folded.part.output

    def d(self, target: Value, source: Value) -> str:
        """∂target/∂source."""
        if self.style == "latex":
            over, under = self.names.atom(target, "latex"), self.names.atom(source, "latex")
            return rf"\frac{{\partial {over}}}{{\partial {under}}}"
        return f"∂{self.names.atom(target)}/∂{self.names.atom(source)}"

    def number(self, x: float) -> Piece:
        """A number as a part of a product or sum."""
        return piece(x, self.digits, self.style)

    def product(self, factors: Sequence[T], write: Callable[[T], str]) -> str:
        """Factors in a row, with the middle left out where there are many."""
        sign = r" \cdot " if self.style == "latex" else " · "
        if len(factors) <= MOST_FACTORS:
            return sign.join(map(write, factors))
        gap = r"\cdots" if self.style == "latex" else "…"
        return sign.join([*map(write, factors[:4]), gap, *map(write, factors[-3:])])

    def chain(self, station: Value, first: Factor | None = None) -> tuple[str, str, float]:
        """The product that leads from a station to the output: in symbols, in numbers, and its value."""
        factors, last = self.folded.chain(station)
        if first is not None:
            factors = [first, *factors]
        sides = [(f.target, f.source, f.product) for f in reversed(factors)]
        if last is not self.output:
            sides.insert(0, (self.output, last, self.adjoints[last]))
        value = self.adjoints[last]
        for factor in reversed(factors):
            value = carried(value, factor.product)
        symbols = self.product(sides, lambda side: self.d(side[0], side[1]))
        numbers = self.product(sides, lambda side: self.number(side[2]).within(ATOM, self.style))
        return symbols, numbers, value

    def equation(self, station: Value) -> Equation:
        """The equation for ∂output/∂station: a product, or a sum over the ways that lead on."""
        left, result = self.d(self.output, station), self.adjoints[station]
        factors = self.folded.factors(station, most=MOST_TERMS + 1)
        if not factors:
            return Equation((left, show(1.0)))
        if len(factors) == 1:
            symbols, numbers, _ = self.chain(station)
            sides = [left, *([symbols] if symbols != left else []), numbers]
            value = show(result, self.digits, self.style)
            return Equation((*sides, *([value] if value != numbers else [])))
        terms = [self.chain(f.target, f) for f in factors[:MOST_TERMS]]
        more = " + …" if self.style == "text" else r" + \cdots"
        tail = more if len(factors) > MOST_TERMS else ""
        shown = [self._term(value, [t[2] for t in terms] + [result]) for _, _, value in terms]
        symbols = " + ".join(t[0] for t in terms) + tail
        numbers = " + ".join(t[1] for t in terms) + tail
        added = " + ".join(t.within(PRODUCT + 1, self.style) for t in shown) + tail
        total = self._term(result, [t[2] for t in terms] + [result]).text
        sides = [left, symbols, numbers, *([added] if added != numbers else []), total]
        return Equation(tuple(sides))

    def _term(self, x: float, others: Sequence[float]) -> Piece:
        """A term of a sum: all terms to the same decimal place, as one adds by hand, where that keeps them readable."""
        exact = show(x, self.digits, self.style)
        if all(t == 0.0 or 10.0 ** (3 - self.digits) <= abs(t) < 1e4 for t in others) and len(exact) >= self.digits:
            fixed = f"{abs(x):.{self.digits}f}"
            minus = "-" if self.style == "latex" else "−"
            return Piece(fixed, ATOM) if x >= 0 else Piece(minus + fixed, PRODUCT)
        return self.number(x)

    def rule(self, factor: Factor) -> Equation:
        """The local rule behind a factor: the table's formulas along its edges."""
        steep = [step for step in reversed(factor.steps) if not step.is_one]
        written = self.product(steep, lambda step: self._slope(step, alone=len(steep) == 1)) or "1"
        numbers = self.product(steep, lambda step: self.number(step.partial).within(ATOM, self.style))
        result = show(factor.product, self.digits, self.style)
        sides = [self.d(factor.target, factor.source), written]
        if len(steep) > 1 and numbers != written:
            sides.append(numbers)
        if result != sides[-1]:
            sides.append(result)
        return Equation(tuple(sides))

    def _slope(self, step: Step, alone: bool) -> str:
        slopes = [self.names.slope(edge.node, edge.position, self.style) for edge in step.edges]
        level = SUM if alone else ATOM
        if len(slopes) > 1:
            return Piece(" + ".join(s.within(PRODUCT, self.style) for s in slopes), SUM).within(level, self.style)
        return slopes[0].within(level if alone or slopes[0].level == SIGNED else PRODUCT, self.style)
