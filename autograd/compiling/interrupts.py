"""Work that signals must not interrupt, such as that of llvmlite: an interrupt within it may free memory twice.

Python runs signal handlers, and so raises KeyboardInterrupt, in the main thread only. So the work is done in another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Abandoned(BaseException):
    """Ends work whose caller was interrupted, in the thread that does it; nobody sees it."""


_abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)


def uninterrupted(work: Callable[[], T]) -> T:
    """The result of a function, which is not interrupted itself, even if the caller is while it waits.

    It then runs to its end, or to the next call of ``check``.

    Raises:
        BaseException: what the function raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
    abandoned = threading.Event()

    def run() -> None:
        _abandoned.set(abandoned)
        try:
            done.put((work(), None))
        except BaseException as error:  # noqa: BLE001  (the caller raises it)
            done.put((None, error))

    thread = threading.Thread(target=copy_context().run, args=(run,))
    try:
        thread.start()
    except RuntimeError as broken:  # a second interrupt came while Python left its own lock because of the first
        if isinstance(broken.__context__, KeyboardInterrupt):
            raise broken.__context__ from None
        raise
    try:
        result, error = done.get()  # not Thread.join, which Python 3.11 does not leave in order when it is interrupted
    except BaseException:
        abandoned.set()
        raise
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def check() -> None:
    """Called between pieces of long work: ends it if nobody waits for it any more.

    Raises:
        Abandoned: then.
    """
    abandoned = _abandoned.get()
    if abandoned is not None and abandoned.is_set():
        raise Abandoned
