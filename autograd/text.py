"""Shortens long lists in texts, pads texts to columns, and shows any object in a few characters."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

T = TypeVar("T")
M = TypeVar("M")


def shortened(items: Sequence[T], most: int, mark: M) -> tuple[T | M, ...]:
    """The items, or if there are more than ``most`` the first and the last of them with a mark in between.

    >>> shortened("abcdefgh", 6, "…")
    ('a', 'b', 'c', '…', 'g', 'h')
    """
    if len(items) <= most:
        return tuple(items)
    first = most // 2
    return (*items[:first], mark, *items[len(items) - (most - first - 1) :])


def columns(text: str) -> int:
    """The width of a text in columns of a terminal, of which a Chinese character takes two.

    >>> columns("abc"), columns("梯度 g")
    (3, 6)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, width: int, side: Literal["<", ">"] = "<") -> str:
    """The text with spaces at its right (or at its left, for numbers) up to that many columns.

    >>> padded("梯度", 6) + "|", padded("梯度", 6, ">") + "|"
    ('梯度  |', '  梯度|')
    """
    space = " " * (width - columns(text))
    return text + space if side == "<" else space + text


# A word or a Chinese character, with the punctuation that must stay beside it; and whether a space comes before.
_WORDS = (
    r"(\s*)(?=\S)([（“《]*(?:[\u3400-\u9fff]|[^\s\u3400-\u9fff（“《，。：；！？、）”》…]+)?[，。：；！？、）”》…]*)"
)


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most that many columns; Chinese may break between any two characters.

    >>> print(wrapped("梯度 grad 沿路径相乘，再求和。", 14))
    梯度 grad 沿路
    径相乘，再求
    和。
    """
    pieces = re.findall(_WORDS, text)
    lines, line = [], ""
    for space, piece in pieces:
        longer = line + (" " if space and line else "") + piece
        if line and columns(longer) > width:
            lines.append(line)
            longer = piece
        line = longer
    return "\n".join([*lines, line])


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(x: Any) -> str:
    """``repr(x)`` for an error text: at most 60 characters, however long or deep x is, and whatever its repr does.

    >>> shown([1.0, "a"])
    "[1.0, 'a']"
    """
    try:
        text = _SHORT.repr(x)
    except ValueError:  # an int of more digits than Python writes
        text = f"<{type(x).__name__}>"
    return text if len(text) <= 60 else text[:57] + "..."
