"""One peer at one workload, in a process of its own: ``python -m benchmarks.worker PEER WORKLOAD SECONDS [ROWS]``.

It runs on one processor. First it reports how long it took from the function to the first result, which includes all
compiling; then, for every line on its input, the time of one more round of about that many seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any


def main(peer: str, workload: str, seconds: float, rows: int | None) -> None:
    """Run until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import numpy as np

    from .peers import Fewer
    from .workloads import WORKLOADS

    module = import_module(f"benchmarks.peers.{peer}")
    work = WORKLOADS[workload]()
    if rows is not None:
        whole = len(next(iter(work.arrays.values())))
        work = work._replace(arrays={k: a[:rows] if len(a) == whole else a for k, a in work.arrays.items()})
    make = getattr(module, workload, None)
    if make is None:
        _say({"absent": True})
        return
    start = time.perf_counter()
    made = make(work)
    call, fewer = (made.call, made.rows) if isinstance(made, Fewer) else (made, None)
    result = [np.array(x, dtype=float) for x in call()]
    first = time.perf_counter() - start
    _say({"first": first, "rows": fewer, "result": [x.ravel()[:5000].tolist() for x in result]})
    repeats = 1
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    repeats = max(1, round(seconds / once))
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        _say({"seconds": (time.perf_counter() - start) / repeats})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
