"""A progress bar for what takes long, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
PROGRESS_AFTER = 2.0  # seconds


def watched(items: Iterable[T], total: int, what: str) -> Iterable[T]:
    """The same items, with a progress bar on a terminal if it takes long."""
    if sys.stderr is None or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, what, total, leave=False, delay=PROGRESS_AFTER)  # type: ignore[no-any-return]
