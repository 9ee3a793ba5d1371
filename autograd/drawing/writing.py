"""Texts of a picture: numbers, names with indices, how wide they are, and how they are made to fit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from unicodedata import category, east_asian_width

from ..markup import indexed

# Widths in 1/1000 em of the characters from space to ~: Helvetica, Arial and Liberation Sans have the same.
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
# Other characters often seen here, for both weights; some come from another font of the stack.
_OTHERS = {
    **dict.fromkeys("·′ʹ’", 333),
    **dict.fromkeys("−×±≡≠≤≥", 600),
    **dict.fromkeys("²³¹⁰⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉₍₎", 420),
    **dict.fromkeys("αβγδεζηθικλμνξοπρστυχ", 640),
    **dict.fromkeys("φψω", 845),
    "∂": 560, "√": 640, "∞": 850, "Γ": 640, "◂": 640, "▸": 640, "⚠": 1000,
}  # fmt: skip
_SAFETY = 1.04  # other fonts of the stack are a little wider
SMALL = 0.78  # an index beside the text that it belongs to

Span = tuple[str, bool]  # a part of a text, and whether it is an index


def width(text: str, size: float, bold: bool = False) -> float:
    """At most how wide a text is in the fonts that pictures are shown with."""
    table = _BOLD if bold else _REGULAR
    total = 0
    for c in text:
        code = ord(c)
        total += table[code - 32] if 32 <= code < 127 else _other(c)
    return total * size * _SAFETY / 1000


@lru_cache(maxsize=4096)
def _other(c: str) -> int:
    if c in _OTHERS:
        return _OTHERS[c]
    if category(c) in ("Mn", "Me", "Cf"):
        return 0
    if ord(c) >= 0x1F000 or category(c) == "So":
        return 1450  # emoji and signs, whose fonts are wide
    if east_asian_width(c) in "WF":
        return 1000
    return 900


def spans_width(spans: Sequence[Span], size: float, bold: bool = False) -> float:
    """The same for a text with indices."""
    return sum(width(text, size * SMALL if index else size, bold) for text, index in spans)


# Names and formulas --------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W²³¹⁰⁴-⁹₀-₉]+")


def spans(text: str) -> list[Span]:
    """A name or formula in parts: what follows ``_``, or the digits after one letter, is an index.

    >>> spans("w5·out_h1")
    [('w', False), ('5', True), ('·out', False), ('h1', True)]
    """
    parts: list[Span] = []
    done = 0
    for word in _WORD.finditer(text):
        name = word.group()
        head, index = indexed(name)
        if index and not head.isdigit() and text[word.end() : word.end() + 1] != "(":  # not a function's name
            parts += [(text[done : word.start()] + head, False), (index, True)]
            done = word.end()
    if done < len(text) or not parts:
        parts.append((text[done:], False))
    return parts


class Fitted(NamedTuple):
    """A line of text that fits, and whether something was left out."""

    parts: list[Span]
    is_cut: bool


def fitted(text: str, room: float, size: float, bold: bool = False) -> Fitted:
    """The text with its indices, cut if it does not fit."""
    parts = spans(text)
    if spans_width(parts, size, bold) <= room:
        return Fitted(parts, False)
    return Fitted(spans(cut(text, room, size, bold)), True)


def cut(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text if it fits, else its beginning and its end with an ellipsis in between."""
    if width(text, size, bold) <= room:
        return text
    room -= width("…", size, bold)
    first, last = _fitting(text, room * 0.65, size, bold), _fitting(text[::-1], room * 0.35, size, bold)
    return f"{text[:first].rstrip()}…{text[len(text) - last :].lstrip()}"


def _fitting(text: str, room: float, size: float, bold: bool) -> int:
    """How many characters of a text fit."""
    for n, c in enumerate(text):
        room -= width(c, size, bold)
        if room < 0:
            return n
    return len(text)


_BREAK = re.compile(r" (?=[+−=] )|(?<=, )|(?<=·)|(?<=/)| (?=if |else )")


def wrapped(text: str, room: float, size: float, most: int = 2) -> list[Fitted]:
    """A formula in lines, broken before an operator; the last line is cut if there are more than ``most``."""
    cuts = [0, *(m.end() for m in _BREAK.finditer(text)), len(text)]
    pieces = [text[a:b] for a, b in pairwise(cuts) if a < b]
    lines: list[str] = []
    for piece in pieces:
        joined = lines[-1] + piece if lines else piece
        if lines and (len(lines) == most or spans_width(spans(joined.rstrip()), size) <= room):
            lines[-1] = joined
        else:
            lines.append(piece)
    return [fitted(line.strip(), room, size) for line in lines]


# Numbers -------------------------------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(x: float, digits: int = 4) -> str:
    """A number with that many significant digits; shorter if that is what it is but for rounding errors.

    >>> [number(x) for x in (715.0000000000001, 0.1 + 0.2, 0.0381, 0.03809841, -8.77123e-5, 1e6, 12345.6)]
    ['715', '0.3', '0.0381', '0.03810', '−8.771×10⁻⁵', '10⁶', '12346']
    """
    if math.isnan(x):
        return "nan"
    sign = "−" if x < 0 else ""
    if math.isinf(x):
        return sign + "∞"
    size = abs(x)
    if size == 0.0:
        return "0"
    rounded = float(f"{size:.{digits - 1}e}")
    is_short = abs(rounded - size) <= 4 * math.ulp(size)
    mantissa, _, power = f"{rounded if is_short else size:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if 1e-4 <= rounded < 1e6:
        text = f"{size:.{max(0, digits - 1 - exponent)}f}"
        return sign + (_bare(text) if is_short else text)
    mantissa = _bare(mantissa) if is_short else mantissa
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return sign + (power if mantissa == "1" else f"{mantissa}×{power}")


def _bare(text: str) -> str:
    """A decimal without zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text
