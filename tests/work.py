"""Work, counted instead of timed: a busy machine changes how long a test takes, but not how much work it does."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def work(f: Callable[[], Any]) -> int:
    """Run f and count the lines of Python that it runs (each pass of a loop again) and the C functions it calls.

    Work inside one call of C counts as one.
    """
    count = 0

    def traced(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return traced

    def profiled(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(traced)
    sys.setprofile(profiled)
    try:
        f()
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


def growth(task: Callable[[int], Callable[[], Any]], n: int) -> float:
    """How many times the work grows from size n to 2n: 2 where it is linear, 4 where it is quadratic.

    Args:
        task: prepares a task of a size and returns it; only the task itself is counted.
        n: the smaller size.
    """
    task(n)()  # work that is done only once, such as imports and caches, is not counted
    return work(task(2 * n)) / work(task(n))
