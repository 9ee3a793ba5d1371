"""Work that signals must not interrupt, such as that of llvmlite: an interrupt within it may free memory twice.

Python runs signal handlers, and so raises KeyboardInterrupt, in the main thread only. So the work is done in another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def uninterrupted(work: Callable[[], T]) -> T:
    """The result of a function, which runs to its end even if the caller is interrupted while it waits.

    Raises:
        BaseException: what the function raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    done: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:  # noqa: BLE001  (the caller raises it)
            done.put((None, error))

    threading.Thread(target=copy_context().run, args=(run,)).start()
    result, error = done.get()  # not Thread.join, which Python 3.11 does not leave in order when it is interrupted
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
