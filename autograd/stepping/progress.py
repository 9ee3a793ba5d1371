"""A progress bar for what takes long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..bars import bar

T = TypeVar("T")
PROGRESS_AFTER = 2.0  # seconds


def watched(items: Iterable[T], total: int, what: str) -> Iterable[T]:
    """The same items, with a progress bar if it takes long."""
    return bar(items, what, total, delay=PROGRESS_AFTER)  # type: ignore[no-any-return]
