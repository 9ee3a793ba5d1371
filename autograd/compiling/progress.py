"""Progress of a long compilation: a line for each stage that takes longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ..bars import bar, seen

T = TypeVar("T")
DELAY = 1.0  # seconds


class _Bar:
    """A progress line that appears at the first update after the delay."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what, self._done = total, what, 0
        self._start = time.perf_counter()
        self._shown: Any = None

    def tick(self) -> None:
        """One more is done."""
        self._done += 1
        if self._shown is not None:
            self._shown.update()
        elif time.perf_counter() - self._start >= DELAY:
            self._shown = bar(what=self._what, total=self._total, initial=self._done)

    def close(self) -> None:
        """Remove the line."""
        if self._shown is not None:
            self._shown.close()


def over(items: Sequence[T], what: str) -> Iterable[T]:
    """The items; if somebody looks, a line says how many of them are done."""
    return _watched(items, what) if seen() else items


def _watched(items: Sequence[T], what: str) -> Iterator[T]:
    bar = _Bar(len(items), what)
    try:
        for x in items:
            yield x
            bar.tick()
    finally:
        bar.close()


@contextmanager
def counter(total: int, what: str) -> Iterator[Callable[[Callable[..., T]], Callable[..., T]]]:
    """What counts the calls of a function, up to a total that is expected."""
    if not seen():
        yield lambda call: call
        return
    bar = _Bar(total, what)

    def counted(call: Callable[..., T]) -> Callable[..., T]:
        def and_tick(*operands: Any) -> T:
            result = call(*operands)
            bar.tick()
            return result

        return and_tick

    try:
        yield counted
    finally:
        bar.close()
