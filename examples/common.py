"""What the recipes share: how long a call takes, and how a comparison is printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def timed(f: Callable[[], Any], rounds: int = 5) -> tuple[Any, float]:
    """The result of a function, and the shortest time of several calls in seconds; the first call compiles."""
    result = f()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        result = f()
        best = min(best, time.perf_counter() - start)
    return result, best


def compared(rows: dict[str, tuple[str, float]]) -> None:
    """Print a line for each way: its name, what it found, and its time."""
    width = max(map(len, rows))
    for name, (found, seconds) in rows.items():
        print(f"{name:<{width}}  {found}  {1e3 * seconds:8.2f} ms")
