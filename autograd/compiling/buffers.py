"""Memory for large results, used again as soon as no array refers to it.

The system gives new memory page by page, which takes longer than to compute a cheap function. So the memory of earlier
results is kept, within limits.
"""

from __future__ import annotations

import math
import sys
from threading import RLock
from typing import Any

import numpy as np

from . import locks

LARGE = 2**16  # bytes: for smaller results the allocator itself keeps memory
MOST = 2**26  # bytes that are kept
ALIGNED = 64  # bytes: a vector never extends over two lines of a cache


class Buffers:
    """Pieces of memory, each with the arrays that refer to it counted by Python."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []  # the one that was used last is the last
        self._lock = RLock()
        locks.renew_after_fork(self)

    def array(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array whose numbers are not set."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if not LARGE <= size <= MOST // 4 or not _COUNTED:
            return np.empty(shape, dtype)
        with self._lock:
            piece = self._taken(size)
        start = -piece.__array_interface__["data"][0] % ALIGNED
        return piece[start : start + size].view(dtype).reshape(shape)

    def _taken(self, size: int) -> Any:
        pieces = self._pieces
        for k in range(len(pieces)):
            if pieces[k].nbytes == size + ALIGNED and _references(pieces, k) == _UNUSED:
                piece = pieces.pop(k)
                break
        else:
            piece = np.empty(size + ALIGNED, np.uint8)
        pieces.append(piece)
        while sum(other.nbytes for other in pieces) > MOST:
            del pieces[0]
        return piece


def _references(pieces: list[Any], k: int) -> int:
    return sys.getrefcount(pieces[k])


_COUNTED = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
_UNUSED = _references([np.empty(1)], 0) if _COUNTED else -1
BUFFERS = Buffers()
