"""The threads that all compiled functions share: each does some pieces of a call, until one of them fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np

WORTH_THREADS = 200_000  # operations times rows: with fewer, starting other threads takes longer than it saves

_POOL: list[ThreadPoolExecutor] = []
_this_thread = threading.local()  # .in_pool: whether it is one of the pool's, which must not wait for the pool


def how_many(wanted: int | None, pieces: int, operations: int) -> int:
    """How many threads to use.

    Args:
        wanted: how many at most; None for an automatic choice.
        pieces: how many pieces there are.
        operations: how many operations are done in all pieces together.
    """
    if pieces < 2 or getattr(_this_thread, "in_pool", False):
        return 1
    if wanted is None:
        wanted = _processors() if operations > WORTH_THREADS else 1
    return min(wanted, pieces)


def run(work: Callable[[Iterable[int]], None], pieces: int, count: int) -> None:
    """Do pieces 0, 1, 2 … on several threads, including this one: thread k does every piece k, k + count, k + 2·count …

    If one fails, or Ctrl-C is pressed, the others stop after their present piece. Only then is the error
    raised, so that no array is written after it.

    Args:
        work: does the pieces that it is given.
        pieces: how many there are.
        count: on how many threads.
    """
    if count == 1:
        work(range(pieces))
        return
    stop = threading.Event()

    def guarded(mine: range) -> None:
        try:
            with np.errstate(all="ignore"):  # each thread has a state of its own
                work(_until(stop, mine))
        except BaseException:
            stop.set()
            raise

    others: list[Future[None]] = []
    try:
        for k in range(1, count):
            others.append(_pool().submit(guarded, range(k, pieces, count)))
        guarded(range(0, pieces, count))
        wait(others)
    finally:
        stop.set()
        wait(others)
    for other in others:
        other.result()


def _until(stop: threading.Event, pieces: range) -> Iterator[int]:
    for k in pieces:
        if stop.is_set():
            return
        yield k


def _pool() -> ThreadPoolExecutor:
    if not _POOL:
        _POOL.append(ThreadPoolExecutor(_processors(), "autograd", lambda: setattr(_this_thread, "in_pool", True)))
    return _POOL[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.clear)  # a child has none of its parent's threads


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
