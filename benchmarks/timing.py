"""Timing: alternating rounds after a warm-up, medians, garbage collection between contenders."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def alternate(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    repeats: Mapping[str, int],
    of: Callable[[list[float]], float] = statistics.median,
) -> dict[str, float]:
    """The median time of one call of each contender, in seconds, or what else is wanted of its rounds.

    Each round runs every contender ``repeats[name]`` times in a row, as in a training loop, so its time includes the
    collection of its own garbage. Between contenders, garbage is collected outside the measurement.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, call in contenders.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            if number:  # the first round warms up
                times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: of(found) for name, found in times.items()}
