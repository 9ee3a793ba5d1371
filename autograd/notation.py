"""Prints formulas and numbers, as plain text, LaTeX or MathML.

The operation table writes a formula once, as a Python expression in the operands' names; here it is given the operands'
labels or numbers and printed with the signs of mathematics and only the parentheses it needs. An operand given as a
float is a constant of the formula: ``y * x ** (y - 1)`` with y = 2 is printed as ``2·x``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache

from .markup import ATOM as ATOM
from .markup import CHOICE as CHOICE
from .markup import MARKUP as MARKUP
from .markup import POWER, PRODUCT, SIGNED, SUM, Text
from .markup import Piece as Piece
from .markup import Style as Style
from .markup import printable as printable

MOST_DIGITS = 100  # of a number; a float has up to 17 that differ from those of its neighbours


@lru_cache(maxsize=1024)
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def render(formula: str, names: Mapping[str, Piece | float], style: Style = "text", digits: int = 6) -> Piece:
    """Print a formula of the table with its operands' names replaced.

    Args:
        formula: the formula, as a Python expression.
        names: what stands for each operand: a label or number as it is to be printed, or a float, which is a constant
            that the formula is simplified with.
        style: plain text, LaTeX or MathML.
        digits: significant digits of the constants.

    >>> names = {"x": Piece("a + b", SUM), "y": piece(-0.5)}
    >>> render("x * y", names).text
    '(a + b)·(−0.5)'
    >>> render("y * x ** (y - 1)", {"x": Piece("a + b", SUM), "y": 3.0}).text
    '3·(a + b)²'
    >>> print(render("x / y", {"x": label("w5", "latex"), "y": piece(-0.5, style="latex")}, "latex").text)
    \\frac{w_{5}}{-0.5}
    """
    parsed = _parsed(formula)
    constants = {name: float(x) for name, x in names.items() if not isinstance(x, Piece)}
    if constants:
        parsed = _Simplified(constants).visit(deepcopy(parsed))
    return _print(parsed, {name: x for name, x in names.items() if isinstance(x, Piece)}, MARKUP[style], digits)


class _Simplified(ast.NodeTransformer):
    """Puts constants into a formula and simplifies: 2 − 1, the exponents 0 and 1, a factor 0 or 1, a divisor 1."""

    def __init__(self, constants: Mapping[str, float]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self._constants[node.id]) if node.id in self._constants else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        x: ast.expr = self.visit(node.left)
        y: ast.expr = self.visit(node.right)
        node.left, node.right = x, y
        a, b = _number(x), _number(y)
        match node.op:
            case ast.Add() if a is not None and b is not None:
                return ast.Constant(a + b)
            case ast.Sub() if a is not None and b is not None:
                return ast.Constant(a - b)
            case ast.Mult() if a == 0.0 or b == 1.0:
                return x
            case ast.Mult() if b == 0.0 or a == 1.0:
                return y
            case ast.Pow() if b == 0.0:
                return ast.Constant(1.0)
            case ast.Pow() | ast.Div() if b == 1.0:
                return x
        return node


def _number(node: ast.expr) -> float | None:
    return float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


_OPERATORS: dict[type[ast.operator | ast.cmpop], str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Mod: "mod"},
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "="},
}


def _print(node: ast.expr, names: Mapping[str, Piece], marks: Text, digits: int) -> Piece:
    def inner(child: ast.expr, level: int) -> str:
        text, own = _print(child, names, marks, digits)
        return text if own >= level else marks.parenthesised(text)

    match node:
        case ast.Name(id=name):
            return names[name] if name in names else Piece(marks.glyph(name) if name == "pi" else marks.name(name))
        case ast.Constant(value=int(value)):
            return Piece(marks.number(str(value), None))
        case ast.Constant(value=float(value)):
            return piece(value, digits, marks.style)
        case ast.Constant(value=value) if value is ...:
            return Piece(marks.dots)
        case ast.UnaryOp(op=ast.USub(), operand=x):
            return Piece(marks.negative(inner(x, POWER)), SIGNED)
        case ast.BinOp(left=x, op=(ast.Add() | ast.Sub()) as sign, right=y):
            return Piece(inner(x, SUM) + marks.infix[_OPERATORS[type(sign)]] + _term(inner(y, PRODUCT), marks), SUM)
        case ast.BinOp(left=x, op=ast.Mult(), right=y):
            return Piece(inner(x, PRODUCT) + marks.infix["*"] + inner(y, POWER), PRODUCT)
        case ast.BinOp(left=x, op=ast.Div(), right=y):
            return marks.quotient(_print(x, names, marks, digits), _print(y, names, marks, digits))
        case ast.BinOp(left=x, op=ast.Mod(), right=y):
            return Piece(inner(x, PRODUCT) + marks.infix["mod"] + inner(y, POWER), SUM)
        case ast.BinOp(left=x, op=ast.Pow(), right=y):
            return marks.power(_print(x, names, marks, digits), _print(y, names, marks, digits))
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _call(function, [_print(a, names, marks, digits) for a in arguments], marks)
        case ast.Compare(left=x, ops=comparisons, comparators=others):
            text = inner(x, SUM)
            for comparison, other in zip(comparisons, others, strict=True):
                text += marks.infix[_OPERATORS[type(comparison)]] + inner(other, SUM)
            return Piece(text, CHOICE)
        case ast.IfExp(test=test, body=x, orelse=y):
            return marks.choice(inner(x, SUM), inner(test, CHOICE), inner(y, CHOICE))
    raise NotImplementedError(f"no notation for {ast.dump(node)}")


def _term(text: str, marks: Text) -> str:
    """A term after a plus or minus sign: in parentheses if it starts with a minus sign itself."""
    return marks.parenthesised(text) if marks.starts_with_minus(text) else text


def _call(function: str, arguments: list[Piece], marks: Text) -> Piece:
    listed = marks.infix[","].join(a.text for a in arguments)
    if function == "abs":
        return marks.absolute(listed)
    if function == "sqrt":
        return marks.root(arguments[0])
    return Piece(marks.glyph(function) + marks.parenthesised(listed))


# Numbers and labels --------------------------------------------------------------------------------------------------


def show(x: float, digits: int = 6, style: Style = "text") -> str:
    """A number with that many significant digits; numbers that need fewer are printed as they are.

    >>> show(0.5932699921071872), show(0.05), show(2.0), show(-1e-9)
    ('0.593270', '0.05', '2', '−1e-9')
    """
    return piece(x, digits, style).text


def piece(x: float, digits: int = 6, style: Style = "text") -> Piece:
    """A number as a part of a formula."""
    return Piece(MARKUP[style].nan) if math.isnan(x) else _number_piece(x + 0.0, digits, style)  # no −0


@lru_cache(maxsize=4096)  # in a log every number stands several times
def _number_piece(x: float, digits: int, style: Style) -> Piece:
    marks = MARKUP[style]
    size, level = abs(x), ATOM
    if math.isinf(x):
        text = marks.infinity
    else:
        short = format(size, f".{digits}g")
        exact = short if float(short) == size else format(size, f"#.{digits}g").rstrip(".")
        mantissa, _, exponent = exact.partition("e")
        text = marks.number(mantissa, int(exponent) if exponent else None)
        level = marks.scientific if exponent else ATOM
    return Piece(marks.negative(text), SIGNED) if x < 0 else Piece(text, level)


@lru_cache(maxsize=4096)
def label(name: str, style: Style = "text") -> Piece:
    """A node's label as a part of a formula; in LaTeX and MathML with what follows ``_`` or a letter as its index.

    >>> print(label("net_o1", "latex").text, label("w5", "latex").text, label("权重_1", "latex").text)
    \\mathrm{net}_{o1} w_{5} \\text{权重}_{1}
    """
    name = tidy(name)
    # A name such as a+b needs parentheses.
    return Piece(MARKUP[style].name(name), ATOM if all(c.isalnum() or c in "_.[]′ʹ" for c in name) else CHOICE)


LONGEST = 60  # characters of a name that are shown


def tidy(name: str) -> str:
    """A name on one line, with an ellipsis in the middle if it is very long."""
    name = " ".join(printable(name).split()) or "''"
    return name if len(name) <= LONGEST else f"{name[: LONGEST * 2 // 3]}…{name[-LONGEST // 3 + 1 :]}"
