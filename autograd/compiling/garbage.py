"""Garbage collection, postponed while millions of objects are made that are all kept."""

from __future__ import annotations

import gc
import os
from threading import RLock
from types import TracebackType

# The collector is one for the whole process, so what follows is common to all threads.
_lock = RLock()
_blocks: set[int] = set()  # those in progress, by id
_was_enabled = False
FEW = 1000  # objects: Python 3.12 freezes some hundreds of its own when it starts


class Postponed:
    """Python searches for no garbage inside the ``with`` block: it would look through every object again and again.

    Afterwards the objects made inside count as old, so that the next small collection does not look through them. An
    interrupt (Ctrl-C) may come at any moment: the block also ends when this object is freed.
    """

    def __enter__(self) -> None:
        global _was_enabled
        with _lock:
            if not _blocks:
                _was_enabled = gc.isenabled()
            _blocks.add(id(self))
            gc.disable()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        with _lock:
            if id(self) not in _blocks:
                return
            if len(_blocks) == 1 and _was_enabled:
                if gc.get_freeze_count() < FEW:  # else the program froze objects of its own, which stay frozen
                    gc.freeze()
                    gc.unfreeze()
                gc.enable()
            _blocks.discard(id(self))


def _renew() -> None:
    """In a child process the blocks of other threads never end."""
    global _lock
    _lock = RLock()
    if _blocks and _was_enabled:
        gc.enable()
    _blocks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
