"""Progress of a long compilation: what takes longer than two seconds says on stderr how far it is.

On a terminal and in a notebook it is a bar for each stage. Elsewhere, as in a log file, it is a line of text, for a
large program only, and another one every ten seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from ..bars import bar, seen

T = TypeVar("T")
DELAY = 2.0  # seconds
AGAIN = 10.0  # seconds between two lines of text
LARGE = 10_000  # operations: smaller programs write no lines of text
MANY = 256  # items that are counted at once where there are more than FEW
FEW = 4096


class Preparation:
    """One preparation: when it began, how many operations it has, and when the last line of text was written."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.said = self.start + DELAY - AGAIN
        self.operations = 0


_current: ContextVar[Preparation | None] = ContextVar("preparation", default=None)


def current() -> Preparation | None:
    """The preparation in progress."""
    return _current.get()


@contextmanager
def preparation(began: Preparation | None = None) -> Iterator[None]:
    """The time of all stages inside the block counts together, and with those of a preparation that began before."""
    if _current.get() is not None:
        yield
        return
    token = _current.set(began or Preparation())
    try:
        yield
    finally:
        _current.reset(token)


class _Stage:
    """What is said of one stage: nothing before the delay is over."""

    def __init__(self, total: int | None, what: str) -> None:
        self._total, self._what, self._done = total, what, 0
        self._preparation = _current.get() or Preparation()
        self._preparation.operations = max(self._preparation.operations, total or 0)
        self._bar: Any = None
        self.done(0)

    def done(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
            return
        now, preparation = time.perf_counter(), self._preparation
        if now - preparation.start < DELAY:
            return
        if seen():
            self._bar = bar(what=self._what, total=self._total, initial=self._done)
        elif now - preparation.said >= AGAIN and sys.stderr is not None:
            size = max(preparation.operations, self._done)
            if size >= LARGE:
                preparation.said = now
                share = "" if self._total is None else f", {100 * self._done // max(1, self._total)} %"
                print(f"compiling {size:,} operations: {self._what}{share}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def over(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, while a line says how many of them are done."""
    stage = _Stage(len(items), what)
    size = 1 if len(items) <= FEW else MANY
    try:
        for start in range(0, len(items), size):
            part = items[start : start + size]
            yield from part
            stage.done(len(part))
    finally:
        stage.close()


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """What is called with the number of further items that are done; nobody knows how many there will be."""
    stage = _Stage(None, what)
    try:
        yield stage.done
    finally:
        stage.close()


@contextmanager
def counter(total: int, what: str) -> Iterator[Callable[[Callable[..., T]], Callable[..., T]]]:
    """What counts the calls of a function, up to a total that is expected."""
    stage = _Stage(total, what)
    size = 1 if total <= FEW else MANY

    def counted(call: Callable[..., T]) -> Callable[..., T]:
        calls = 0

        def and_count(*operands: Any) -> T:
            nonlocal calls
            result = call(*operands)
            calls += 1
            if calls == size:
                calls = 0
                stage.done(size)
            return result

        return and_count

    try:
        yield counted
    finally:
        stage.close()
