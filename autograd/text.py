"""Shortens long lists in texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

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
