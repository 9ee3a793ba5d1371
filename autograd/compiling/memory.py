"""The programs that a compiled function keeps between calls: a bounded number, the most recently used ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from itertools import count

from . import locks, progress
from .call import Call
from .garbage import Postponed
from .prepared import Prepared, Question

PROGRAMS = 64  # of one compiled function; each takes about a megabyte
CALLS = 1000  # shapes of arrays that are known


class Memory:
    """Calls by the shapes of their arrays, and programs by question.

    Args:
        prepare: prepares the program for a question.
    """

    def __init__(self, prepare: Callable[[Question], Prepared]) -> None:
        self._prepare = prepare
        self._calls: dict[Hashable, Call] = {}
        self._programs: dict[Question, Prepared] = {}
        self._clock = count(1)
        self._seconds = 0.0
        self._lock = threading.RLock()
        locks.renew_after_fork(self)

    def call(self, key: Hashable) -> Call | None:
        """The common data of calls with that key, marked as used now."""
        found = self._calls.get(key)
        if found is not None:
            found.prepared.used = next(self._clock)
        return found

    def note(self, prepared: Prepared) -> None:
        """The program was used now."""
        prepared.used = next(self._clock)

    def keep(self, key: Hashable, call: Call) -> None:
        """Remember the common data of a call."""
        if len(self._calls) >= CALLS:
            self._calls.clear()
        self._calls[key] = call

    def program(self, question: Question) -> Prepared:
        """The program for a question, prepared if it is new; then the least recently used one is removed."""
        found = self._programs.get(question)
        if found is None:
            with self._lock:
                found = self._programs.get(question)
                if found is None:
                    found = self._new(question)
        found.used = next(self._clock)
        return found

    def _new(self, question: Question) -> Prepared:
        start = time.perf_counter()
        with Postponed(), progress.preparation():
            new = self._prepare(question)
        self._seconds += time.perf_counter() - start
        while len(self._programs) >= PROGRAMS:
            oldest = min(self._programs, key=lambda known: self._programs[known].used)
            self._seconds += self._programs.pop(oldest).task.seconds
            self._calls.clear()  # some of them lead to it
        self._programs[question] = new
        return new

    def seconds(self) -> float:
        """What recording and compiling took in all calls so far."""
        return self._seconds + sum(prepared.task.seconds for prepared in list(self._programs.values()))
