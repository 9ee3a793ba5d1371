"""Finds loops of Python that were unrolled: the same operations, recorded again and again."""

from __future__ import annotations

import os
import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

MANY = 10_000  # operations of a loop that is worth a remark
_SAMPLES = (64, 512, 4096)  # operations that are searched for again
_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Repetition(NamedTuple):
    """Operations that repeat.

    Attributes:
        first: the position of the first one.
        period: how many operations are repeated.
        times: how often they are done.
    """

    first: int
    period: int
    times: int


def repetition(operations: Sequence[str]) -> Repetition | None:
    """The longest repetition of at least ``MANY`` operations; None if there is none."""
    known = {name: k for k, name in enumerate(dict.fromkeys(operations))}
    if len(operations) < MANY or len(known) > 256:
        return None
    codes = bytes([known[name] for name in operations])
    numbers = np.frombuffer(codes, dtype=np.uint8)
    best: Repetition | None = None
    for size in _SAMPLES:
        for middle in (len(codes) // 2, len(codes) // 4, 3 * len(codes) // 4):
            period = codes.find(codes[middle : middle + size], middle + 1) - middle
            if period <= 0:
                continue
            differs = np.flatnonzero(numbers[:-period] != numbers[period:])
            after = int(np.searchsorted(differs, middle))
            first = int(differs[after - 1]) + 1 if after else 0
            end = (int(differs[after]) if after < len(differs) else len(codes) - period) + period
            found = Repetition(first, period, (end - first) // period)
            if best is None or found.period * found.times > best.period * best.times:
                best = found
    return best if best is not None and best.times > 2 and best.period * best.times >= MANY else None


def line_of_user() -> str | None:
    """The file and line of the first caller outside this library."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back  # type: ignore[assignment]
    return None if frame is None else f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def remark(operations: Sequence[str], lines: Mapping[int, str]) -> str:
    """What is said of a repetition in a recording; nothing if there is none.

    Args:
        operations: the names of the recorded operations, in order.
        lines: for some operations, by their position, the line that did them.
    """
    found = repetition(operations)
    if found is None:
        return ""
    positions = sorted(lines)
    k = bisect_left(positions, found.first + found.period)  # the first rounds may be those of something else
    inside = k < len(positions) and positions[k] < found.first + found.period * found.times
    where = f" ({lines[positions[k]]})" if inside else ""
    return (
        f"unrolled: the same {found.period:,} operations were recorded {found.times:,} times{where}; autograd.scan "
        "records and compiles the body of such a loop once"
    )
