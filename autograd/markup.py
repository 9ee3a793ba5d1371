"""How the parts of a formula are written in each style: plain text, LaTeX and MathML.

MathML is written with few elements, which all browsers draw alike: ``mi mn mo mrow mfrac msub msup msqrt``, and
``mtable mtr mtd`` for several lines. A piece of it is one element, or several beside each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import ClassVar, Literal, NamedTuple

Style = Literal["text", "latex", "mathml"]

# The binding strength (precedence) of a part of a formula.
CHOICE, SUM, PRODUCT, SIGNED, POWER, ATOM = range(6)


class Piece(NamedTuple):
    """A printed part of a formula and its precedence."""

    text: str
    level: int = ATOM

    def within(self, level: int, style: Style) -> str:
        """The piece as a part of a formula with the precedence ``level``, in parentheses if necessary."""
        return self.text if self.level >= level else MARKUP[style].parenthesised(self.text)


_JOINERS = "\u200c\u200d"  # invisible, but some scripts cannot be written correctly without them


def printable(text: str) -> str:
    """Text with a space instead of every character that cannot be printed safely in a line of text.

    These are control characters, lone surrogates (which cannot be encoded) and characters that change the direction of
    the surrounding text.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)


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
_OTHER_SCRIPTS = re.compile("[^\x00-\x7f\u0370-\u03ff]+")  # neither ASCII nor Greek


def escape_latex(text: str) -> str:
    """Text made safe for LaTeX's mathematics mode, also where that stands in Markdown or HTML.

    Letters that are no signs of mathematics, such as Chinese ones, are set as text.
    """
    if text.isascii() and text.isalnum():
        return text
    escaped = "".join(_LATEX_ESCAPES.get(c, c) for c in printable(text))
    return _OTHER_SCRIPTS.sub(r"\\text{\g<0>}", escaped)


def escape_xml(text: str) -> str:
    """Text made safe inside an element or attribute of XML or HTML."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


_SUPERSCRIPT = {"2": "²", "3": "³"}
_UPRIGHT = ("exp", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "max", "min")


class Text:
    """Plain text, with the signs of mathematics that Unicode has."""

    style: Style = "text"
    minus = "−"
    gap = " "  # before a remark
    dots, more = "…", "…"  # among terms; in a list
    infinity, nan = "∞", "nan"
    scientific = ATOM  # the precedence of a number with a power of ten
    # A sign with the space around it, where it stands between two operands.
    infix: ClassVar[Mapping[str, str]] = {
        **{"+": " + ", "-": " − ", "*": "·", "factor": " · ", "mod": " mod ", ",": ", ", "held": ","},
        **{"<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ", "=": " = ", "≈": " ≈ "},
    }
    glyphs: ClassVar[Mapping[str, str]] = {
        **{"pi": "π", "log": "ln", "log2": "log₂", "log10": "log₁₀", "sigmoid": "σ", "normal_cdf": "Φ"},
        **{"normal_quantile": "Φ⁻¹", "gamma": "Γ", "digamma": "ψ", "erfinv": "erf⁻¹", "sign": "sgn"},
        **{"asin": "arcsin", "acos": "arccos", "atan": "arctan"},
    }

    def parenthesised(self, text: str) -> str:
        """The text in parentheses."""
        return f"({text})"

    def starts_with_minus(self, text: str) -> bool:
        """Whether the text cannot follow another sign without parentheses."""
        return text.startswith(self.minus)

    def negative(self, text: str) -> str:
        """Minus the text."""
        return self.minus + text

    def number(self, mantissa: str, power: int | None) -> str:
        """A number that is not negative, times a power of ten."""
        return mantissa if power is None else f"{mantissa}e{power}"

    def name(self, name: str) -> str:
        """A name, with its index set as one if the style has that."""
        return name

    def whole_name(self, name: str) -> str:
        """A name without an index."""
        return name

    def glyph(self, name: str) -> str:
        """A function or constant."""
        return self.glyphs.get(name, name)

    def index(self, text: str, index: str) -> str:
        """The text with an index, of digits or digits in parentheses."""
        return text + index.translate(str.maketrans("0123456789()", "₀₁₂₃₄₅₆₇₈₉₍₎"))

    def quotient(self, x: Piece, y: Piece) -> Piece:
        """x divided by y."""
        return Piece(f"{x.within(PRODUCT, self.style)}/{y.within(POWER, self.style)}", PRODUCT)

    def power(self, x: Piece, y: Piece) -> Piece:
        """x to the power y."""
        base = x.within(ATOM, self.style)
        return Piece(base + (_SUPERSCRIPT.get(y.text) or f"^{y.within(ATOM, self.style)}"), POWER)

    def root(self, x: Piece) -> Piece:
        """The square root of x."""
        return Piece(f"√{x.within(ATOM, self.style)}", POWER)

    def absolute(self, text: str) -> Piece:
        """The absolute value."""
        return Piece(f"|{text}|")

    def choice(self, yes: str, test: str, no: str) -> Piece:
        """One formula or the other."""
        return Piece(f"{yes} if {test} else {no}", CHOICE)

    def derivative(self, over: str, under: str, held: Sequence[str] = ()) -> str:
        """∂over/∂under, with the operands that are held fixed."""
        return f"(∂{over}/∂{under})|{self.infix['held'].join(held)}" if held else f"∂{over}/∂{under}"

    def relation(self, sign: str) -> str:
        """The sign at the beginning of a side of an equation."""
        return self.infix[sign].lstrip()

    def words(self, text: str) -> str:
        """Words beside formulas."""
        return text

    def remark(self, sentence: str, **formulas: str) -> str:
        """A sentence in parentheses after a formula, with formulas in place of its named fields."""
        parts = Formatter().parse(sentence)
        return self.gap + self.parenthesised(
            "".join(self.words(words) + formulas.get(field or "", "") for words, field, *_ in parts)
        )


class Latex(Text):
    """LaTeX's mathematics mode."""

    style: Style = "latex"
    minus = "-"
    gap = r" \quad "
    dots, more = r"\cdots", r"\ldots"
    infinity, nan = r"\infty", r"\mathrm{nan}"
    scientific = PRODUCT
    infix: ClassVar[Mapping[str, str]] = {
        **Text.infix,
        **{"-": " - ", "*": r" \cdot ", "factor": r" \cdot ", "mod": r" \bmod ", "held": ", "},
        **{"<=": r" \le ", ">=": r" \ge ", "≈": r" \approx "},
    }
    glyphs: ClassVar[Mapping[str, str]] = {
        **{"pi": r"\pi", "log": r"\ln", "log2": r"\log_2", "log10": r"\log_{10}", "sigmoid": r"\sigma"},
        **{"normal_cdf": r"\Phi", "normal_quantile": r"\Phi^{-1}", "gamma": r"\Gamma", "digamma": r"\psi"},
        **{"erfinv": r"\operatorname{erf}^{-1}", "sign": r"\operatorname{sgn}"},
        **{"asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan"},
        **{name: rf"\{name}" for name in _UPRIGHT},
    }

    def parenthesised(self, text: str) -> str:
        return rf"\left({text}\right)"

    def number(self, mantissa: str, power: int | None) -> str:
        return mantissa if power is None else rf"{mantissa} \times 10^{{{power}}}"

    def name(self, name: str) -> str:
        head, index = indexed(name)
        escaped = escape_latex(head)
        is_letter = len(escaped) == 1 and escaped.isalpha()
        shown = escaped if is_letter or _OTHER_SCRIPTS.fullmatch(head) else rf"\mathrm{{{escaped}}}"
        return f"{shown}_{{{escape_latex(index)}}}" if index else shown

    def whole_name(self, name: str) -> str:
        return rf"\mathrm{{{escape_latex(name)}}}"

    def glyph(self, name: str) -> str:
        return self.glyphs.get(name) or rf"\operatorname{{{escape_latex(name)}}}"

    def index(self, text: str, index: str) -> str:
        return f"{{{text}}}_{{{index}}}" if "_" in text else f"{text}_{{{index}}}"

    def quotient(self, x: Piece, y: Piece) -> Piece:
        return Piece(rf"\frac{{{x.text}}}{{{y.text}}}", POWER)

    def power(self, x: Piece, y: Piece) -> Piece:
        return Piece(f"{x.within(ATOM, self.style)}^{{{y.text}}}", POWER)

    def root(self, x: Piece) -> Piece:
        return Piece(rf"\sqrt{{{x.text}}}")

    def absolute(self, text: str) -> Piece:
        return Piece(rf"\left|{text}\right|")

    def choice(self, yes: str, test: str, no: str) -> Piece:
        return Piece(rf"\begin{{cases}} {yes} & {test} \\ {no} & \text{{else}} \end{{cases}}")

    def derivative(self, over: str, under: str, held: Sequence[str] = ()) -> str:
        fraction = rf"\frac{{\partial {over}}}{{\partial {under}}}"
        return rf"\left.{fraction}\right|_{{{self.infix['held'].join(held)}}}" if held else fraction

    def relation(self, sign: str) -> str:
        return f"&{self.infix[sign].lstrip()}"  # where the lines of an ``align`` are aligned

    def words(self, text: str) -> str:
        return rf" \text{{{text}}}" if text else ""


def _element(name: str, *content: str) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def _row(*parts: str) -> str:
    """Elements as one element."""
    text = "".join(parts)
    return text if _SINGLE.fullmatch(text) else _element("mrow", text)


# Text that is surely one element: without one in it, or a row around everything.
_SINGLE = re.compile(r"<(m[ino])[^>]*>[^<]*</\1>")


def operator(sign: str) -> str:
    """An operator; parentheses and bars do not grow with what they enclose."""
    return f'<mo stretchy="false">{escape_xml(sign)}</mo>'


def _word(word: str) -> str:
    """A name, upright as in the drawings, also if it has one letter."""
    return f'<mi mathvariant="normal">{escape_xml(word)}</mi>'


class MathML(Text):
    """MathML Core."""

    style: Style = "mathml"
    minus = operator("−")
    gap = '<mi mathvariant="normal">&#8195;</mi>'
    dots, more = operator("…"), operator("…")
    infinity, nan = _word("∞"), _word("nan")
    scientific = PRODUCT
    infix: ClassVar[Mapping[str, str]] = {key: operator(sign.strip()) for key, sign in Text.infix.items()}
    glyphs: ClassVar[Mapping[str, str]] = {
        **{name: _word(glyph) for name, glyph in Text.glyphs.items()},
        "log2": _element("msub", _word("log"), "<mn>2</mn>"),
        "log10": _element("msub", _word("log"), "<mn>10</mn>"),
        "normal_quantile": _element("msup", _word("Φ"), _element("mrow", minus, "<mn>1</mn>")),
        "erfinv": _element("msup", _word("erf"), _element("mrow", minus, "<mn>1</mn>")),
    }

    def parenthesised(self, text: str) -> str:
        return _element("mrow", operator("("), text, operator(")"))

    def starts_with_minus(self, text: str) -> bool:
        return text.startswith(("<mrow>" + self.minus, self.minus))

    def negative(self, text: str) -> str:
        return _element("mrow", self.minus, text)  # in a row of its own, so that the sign is no subtraction

    def number(self, mantissa: str, power: int | None) -> str:
        if power is None:
            return _element("mn", mantissa)
        size = _element("mn", str(abs(power)))
        exponent = self.negative(size) if power < 0 else size
        return _element("mn", mantissa) + operator("×") + _element("msup", "<mn>10</mn>", exponent)

    def name(self, name: str) -> str:
        head, index = indexed(name)
        if not index:
            return _word(head)
        return self.index(_word(head), index)

    def whole_name(self, name: str) -> str:
        return _word(name)

    def glyph(self, name: str) -> str:
        return self.glyphs.get(name) or _word(name)

    def index(self, text: str, index: str) -> str:
        return _element("msub", _row(text), _element("mn", index) if index.isdecimal() else _word(index))

    def quotient(self, x: Piece, y: Piece) -> Piece:
        return Piece(_element("mfrac", _row(x.text), _row(y.text)), POWER)

    def power(self, x: Piece, y: Piece) -> Piece:
        return Piece(_element("msup", _row(x.within(ATOM, self.style)), _row(y.text)), POWER)

    def root(self, x: Piece) -> Piece:
        return Piece(_element("msqrt", x.text))

    def absolute(self, text: str) -> Piece:
        return Piece(_element("mrow", operator("|"), text, operator("|")))

    def choice(self, yes: str, test: str, no: str) -> Piece:
        return Piece(yes + operator("if") + test + operator("else") + no, CHOICE)

    def derivative(self, over: str, under: str, held: Sequence[str] = ()) -> str:
        d = _word("∂")
        fraction = _element("mfrac", _element("mrow", d, over), _element("mrow", d, under))
        if not held:
            return fraction
        return _element("msub", _element("mrow", fraction, operator("|")), _row(self.infix["held"].join(held)))

    def words(self, text: str) -> str:
        # A space at an end would be dropped.
        return f'<mi mathvariant="normal">{escape_xml(text).replace(" ", "&#160;")}</mi>' if text else ""


MARKUP: dict[Style, Text] = {"text": Text(), "latex": Latex(), "mathml": MathML()}


def indexed(name: str) -> tuple[str, str]:
    """A name as its head and its index: what follows ``_``, or the digits after one letter."""
    head, underscore, index = name.partition("_")
    if head and index:
        return head, index
    if not underscore and len(name) > 1 and name[0].isalpha() and name[1:].isdecimal():
        return name[0], name[1:]
    return name, ""


def table(rows: Iterable[Sequence[str]]) -> str:
    """Lines of formulas as a table of MathML: the first column is aligned at its right, the others at their left.

    >>> table([["<mi>x</mi>", "<mo>=</mo><mn>2</mn>"]])
    '<mtable displaystyle="true"><mtr><mtd style="text-align:right;padding-right:0"><mi>x</mi></mtd>\
<mtd style="text-align:left;padding-left:0"><mo>=</mo><mn>2</mn></mtd></mtr></mtable>'
    """
    first, others = "text-align:right;padding-right:0", "text-align:left;padding-left:0"
    written = (
        "".join(f'<mtd style="{others if k else first}">{cell}</mtd>' for k, cell in enumerate(row)) for row in rows
    )
    return f'<mtable displaystyle="true">{"".join(_element("mtr", row) for row in written)}</mtable>'


def math(content: str) -> str:
    """A whole formula of MathML, for HTML.

    >>> math(MathML().name("w5"))
    '<math><msub><mi mathvariant="normal">w</mi><mn>5</mn></msub></math>'
    """
    return _element("math", content)
