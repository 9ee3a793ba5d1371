"""Locks and ``fork``: a child has only the thread that forked, so locks of other threads would never be released."""

from __future__ import annotations

import os
from threading import RLock
from typing import Any, Protocol
from weakref import WeakSet


class Holder(Protocol):
    """An object with a lock."""

    _lock: Any


_holders: WeakSet[Any] = WeakSet()

# LLVM's own state is consistent only between calls, and llvmlite has its own lock. Every call of them holds this lock,
# and a fork waits for it.
llvm = RLock()


def renew_after_fork(holder: Holder) -> None:
    """Give the object a new ``_lock`` in a child process: the thread that held the old one does not exist there."""
    _holders.add(holder)


def _renew() -> None:
    llvm.release()
    for holder in list(_holders):
        holder._lock = RLock()  # noqa: SLF001  (the holder asked for it)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=llvm.acquire, after_in_parent=llvm.release, after_in_child=_renew)
