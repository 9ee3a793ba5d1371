"""Prints formulas and numbers, as plain text and as LaTeX.

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
from typing import Literal, NamedTuple

Style = Literal["text", "latex"]

# The binding strength (precedence) of a part of a formula.
CHOICE, SUM, PRODUCT, SIGNED, POWER, ATOM = range(6)


class Piece(NamedTuple):
    """A printed part of a formula and its precedence."""

    text: str
    level: int = ATOM

    def within(self, level: int, style: Style) -> str:
        """The piece as a part of a formula with the precedence ``level``, in parentheses if necessary."""
        return self.text if self.level >= level else _parenthesised(self.text, style)


def _parenthesised(text: str, style: Style) -> str:
    return rf"\left({text}\right)" if style == "latex" else f"({text})"


_GLYPHS = {
    "log": ("ln", r"\ln"), "log2": ("log₂", r"\log_2"), "log10": ("log₁₀", r"\log_{10}"),
    "sigmoid": ("σ", r"\sigma"), "normal_cdf": ("Φ", r"\Phi"), "normal_quantile": ("Φ⁻¹", r"\Phi^{-1}"),
    "gamma": ("Γ", r"\Gamma"), "digamma": ("ψ", r"\psi"), "erfinv": ("erf⁻¹", r"\operatorname{erf}^{-1}"),
    "sign": ("sgn", r"\operatorname{sgn}"), "asin": ("arcsin", r"\arcsin"), "acos": ("arccos", r"\arccos"),
    "atan": ("arctan", r"\arctan"), "max": ("max", r"\max"), "min": ("min", r"\min"),
    **{name: (name, rf"\{name}") for name in ("exp", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh")},
}  # fmt: skip
_CONSTANTS = {"pi": ("π", r"\pi")}
_SUPERSCRIPT = {"2": "²", "3": "³"}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<"),
    ast.LtE: ("≤", r"\le"),
    ast.Gt: (">", ">"),
    ast.GtE: ("≥", r"\ge"),
    ast.Eq: ("=", "="),
}


@lru_cache(maxsize=1024)
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def render(formula: str, names: Mapping[str, Piece | float], style: Style = "text", digits: int = 6) -> Piece:
    """Print a formula of the table with its operands' names replaced.

    Args:
        formula: the formula, as a Python expression.
        names: what stands for each operand: a label or number as it is to be printed, or a float, which is a constant
            that the formula is simplified with.
        style: plain text or LaTeX.
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
    return _print(parsed, {name: x for name, x in names.items() if isinstance(x, Piece)}, style, digits)


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


def _print(node: ast.expr, names: Mapping[str, Piece], style: Style, digits: int) -> Piece:
    latex = style == "latex"

    def inner(child: ast.expr, level: int) -> str:
        return _print(child, names, style, digits).within(level, style)

    match node:
        case ast.Name(id=name):
            if name in names:
                return names[name]
            return Piece(_CONSTANTS[name][latex] if name in _CONSTANTS else name)
        case ast.Constant(value=int(value)):
            return Piece(str(value))
        case ast.Constant(value=float(value)):
            return piece(value, digits, style)
        case ast.Constant(value=value) if value is ...:
            return Piece(r"\cdots" if latex else "…")
        case ast.UnaryOp(op=ast.USub(), operand=x):
            return Piece(("-" if latex else "−") + inner(x, POWER), SIGNED)
        case ast.BinOp(left=x, op=ast.Add(), right=y):
            return Piece(f"{inner(x, SUM)} + {_term(inner(y, PRODUCT), style)}", SUM)
        case ast.BinOp(left=x, op=ast.Sub(), right=y):
            return Piece(f"{inner(x, SUM)} {'-' if latex else '−'} {_term(inner(y, PRODUCT), style)}", SUM)
        case ast.BinOp(left=x, op=ast.Mult(), right=y):
            sign = r" \cdot " if latex else "·"
            return Piece(f"{inner(x, PRODUCT)}{sign}{inner(y, POWER)}", PRODUCT)
        case ast.BinOp(left=x, op=ast.Div(), right=y):
            if latex:
                return Piece(rf"\frac{{{inner(x, CHOICE)}}}{{{inner(y, CHOICE)}}}", POWER)
            return Piece(f"{inner(x, PRODUCT)}/{inner(y, POWER)}", PRODUCT)
        case ast.BinOp(left=x, op=ast.Mod(), right=y):
            return Piece(inner(x, PRODUCT) + (r" \bmod " if latex else " mod ") + inner(y, POWER), SUM)
        case ast.BinOp(left=x, op=ast.Pow(), right=y):
            exponent = _print(y, names, style, digits)
            if latex:
                return Piece(f"{inner(x, ATOM)}^{{{exponent.text}}}", POWER)
            if exponent.text in _SUPERSCRIPT:
                return Piece(inner(x, ATOM) + _SUPERSCRIPT[exponent.text], POWER)
            return Piece(f"{inner(x, ATOM)}^{exponent.within(ATOM, style)}", POWER)
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _call(function, [_print(a, names, style, digits) for a in arguments], style)
        case ast.Compare(left=x, ops=comparisons, comparators=others):
            parts = [inner(x, SUM)]
            for comparison, other in zip(comparisons, others, strict=True):
                parts += [_COMPARISONS[type(comparison)][latex], inner(other, SUM)]
            return Piece(" ".join(parts), CHOICE)
        case ast.IfExp(test=test, body=x, orelse=y):
            holds, yes, no = inner(test, CHOICE), inner(x, SUM), inner(y, CHOICE)
            if latex:
                return Piece(rf"\begin{{cases}} {yes} & {holds} \\ {no} & \text{{else}} \end{{cases}}")
            return Piece(f"{yes} if {holds} else {no}", CHOICE)
    raise NotImplementedError(f"no notation for {ast.dump(node)}")


def _term(text: str, style: Style) -> str:
    """A term after a plus or minus sign: in parentheses if it starts with a minus sign itself."""
    return _parenthesised(text, style) if text[0] in "-−" else text


def _call(function: str, arguments: list[Piece], style: Style) -> Piece:
    latex = style == "latex"
    listed = ", ".join(a.text for a in arguments)
    if function == "abs":
        return Piece(rf"\left|{listed}\right|" if latex else f"|{listed}|")
    if function == "sqrt":
        return Piece(rf"\sqrt{{{listed}}}") if latex else Piece(f"√{arguments[0].within(ATOM, style)}", POWER)
    if function in _GLYPHS:
        glyph = _GLYPHS[function][latex]
    else:
        glyph = rf"\operatorname{{{escape_latex(function)}}}" if latex else function
    return Piece(glyph + _parenthesised(listed, style))


# Numbers and labels --------------------------------------------------------------------------------------------------


def show(x: float, digits: int = 6, style: Style = "text") -> str:
    """A number with that many significant digits; numbers that need fewer are printed as they are.

    >>> show(0.5932699921071872), show(0.05), show(2.0), show(-1e-9)
    ('0.593270', '0.05', '2', '−1e-9')
    """
    if math.isnan(x):
        return r"\mathrm{nan}" if style == "latex" else "nan"
    if math.isinf(x):
        sign = "" if x > 0 else "-" if style == "latex" else "−"
        return sign + (r"\infty" if style == "latex" else "∞")
    x += 0.0  # no −0
    short = format(x, f".{digits}g")
    text = short if float(short) == x else format(x, f"#.{digits}g").rstrip(".")
    mantissa, _, exponent = text.partition("e")
    if exponent:
        power = int(exponent)
        text = rf"{mantissa} \times 10^{{{power}}}" if style == "latex" else f"{mantissa}e{power}"
    return text if style == "latex" else text.replace("-", "−", 1) if x < 0 else text


def piece(x: float, digits: int = 6, style: Style = "text") -> Piece:
    """A number as a part of a formula."""
    text = show(x, digits, style)
    return Piece(text, SIGNED if text[0] in "-−" else PRODUCT if r"\times" in text else ATOM)


def label(name: str, style: Style = "text") -> Piece:
    """A node's label as a part of a formula; in LaTeX escaped, with what follows ``_`` or a digit as its index.

    >>> print(label("net_o1", "latex").text, label("w5", "latex").text)
    \\mathrm{net}_{o1} w_{5}
    """
    name = tidy(name)
    level = ATOM if all(c.isalnum() or c in "_.[]′ʹ" for c in name) else CHOICE  # a name such as a+b needs parentheses
    if style == "text":
        return Piece(name, level)
    head, underscore, index = name.partition("_")
    if not underscore and len(name) > 1 and name[0].isalpha() and name[1:].isdigit():
        head, index = name[0], name[1:]
    head = escape_latex(head)
    shown = head if len(head) == 1 and head.isalpha() else rf"\mathrm{{{head}}}"
    return Piece(f"{shown}_{{{escape_latex(index)}}}" if index else shown, level)


LONGEST = 60  # characters of a name that are shown
_JOINERS = "\u200c\u200d"  # invisible, but some scripts cannot be written correctly without them


def printable(text: str) -> str:
    """Text with a space instead of every character that cannot be printed safely in a line of text.

    These are control characters, lone surrogates (which cannot be encoded) and characters that change the direction of
    the surrounding text.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)


def tidy(name: str) -> str:
    """A name on one line, with an ellipsis in the middle if it is very long."""
    name = " ".join(printable(name).split()) or "''"
    return name if len(name) <= LONGEST else f"{name[: LONGEST * 2 // 3]}…{name[-LONGEST // 3 + 1 :]}"


# LaTeX's special characters, and those that have a meaning in the HTML or Markdown around a formula.
_LATEX_ESCAPES = {
    **{c: "\\" + c for c in "#$%_{}"},
    "&": r"{\&}",
    "\\": r"\backslash ",
    "^": r"\hat{}",
    "~": r"\sim ",
    "<": r"\lt ",
    ">": r"\gt ",
    "[": r"\lbrack ",
    "]": r"\rbrack ",
    "*": r"\ast ",
    "`": "‘",
    "′": "'",
}


def escape_latex(text: str) -> str:
    """Text made safe for LaTeX's mathematics mode, also where that stands in Markdown or HTML."""
    return "".join(_LATEX_ESCAPES.get(c, c) for c in printable(text))
