"""The time to the first result of a long program, stage by stage: ``python -m benchmarks scaling first``."""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STAGES = ("recording", "sweeps", "writing", "simplifying", "order", "code", "LLVM")


def loop(m: Any, x: Any, operations: int) -> Any:
    """An unrolled loop: the same five operations again and again."""
    a, b = x[0], x[1]
    for k in range(operations // 5):
        a, b = b, 0.5 * m.sin(a * b) + (0.1 + 1e-4 * (k % 89)) * a
    return a + b


def tangle(m: Any, x: Any, operations: int) -> Any:
    """Operations on operands in an order that never repeats."""
    rng = random.Random(1)
    nodes = list(x)
    count = 0
    while count < operations:
        a, b = (nodes[-1 - rng.randrange(min(len(nodes), 60))] for _ in range(2))
        kind = rng.randrange(10)
        if kind < 3:
            nodes.append(0.5 * (a + b))
        elif kind < 6:
            nodes.append(a * b)
        elif kind < 7:
            nodes.append(a - b)
        elif kind < 8:
            nodes.append(m.sin(a))
        elif kind < 9:
            nodes.append(m.tanh(a))
        else:
            nodes.append(a / (1.5 + b * b))
        count += 2 if kind < 3 else 3 if kind == 9 else 1
    return m.sum(nodes[-60:])


PROGRAMS: dict[str, tuple[str, Callable[[Any, Any, int], Any]]] = {
    "loop": ("an unrolled loop", loop),
    "tangle": ("operations that never repeat", tangle),
}


def _timed(module: Any, name: str, stage: str, found: dict[str, float]) -> None:
    """Add the processor time of a function to a stage; not of calls inside it."""
    function, inside = getattr(module, name), [False]

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        if inside[0]:
            return function(*arguments, **options)
        start, inside[0] = time.process_time(), True
        try:
            return function(*arguments, **options)
        finally:
            inside[0] = False
            found[stage] += time.process_time() - start

    setattr(module, name, run)


def measure(kind: str, operations: int) -> dict[str, Any]:
    """Processor time of each stage, and of a later call, for the gradient of one row."""
    import resource

    import numpy as np

    import autograd as ag
    from autograd.compiling import derive, executable, native, prepared, task, trace

    found = dict.fromkeys(STAGES, 0.0)
    for module, name, stage in (
        (trace.Trace, "__init__", "recording"),
        (derive, "gradient", "sweeps"),
        (prepared, "write_program", "writing"),
        (prepared, "use_reciprocals", "simplifying"),
        (task, "schedule", "order"),
        (executable, "emit", "code"),
        (native.Machine, "__init__", "LLVM"),
    ):
        _timed(module, name, stage, found)
    point = np.random.default_rng(0).uniform(0.1, 0.9, size=(1, 10))
    _, program = PROGRAMS[kind]
    warm = ag.compile(lambda x: x[0] * x[1])
    warm.grad(point)
    found.update(dict.fromkeys(STAGES, 0.0))
    f = ag.compile(lambda x: program(ag, x, operations), threads=1)
    start = time.process_time()
    f.value_and_grad(point)
    total = time.process_time() - start
    again = []
    for _ in range(5):
        start = time.perf_counter()
        f.value_and_grad(point)
        again.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"stages": found, "total": total, "done": f.stats.operations, "again": min(again), "memory": memory}


def main(largest: int = 6) -> None:
    """Both programs from 10² operations on, each in a process of its own, with nothing in the cache."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    environment = os.environ | {"AUTOGRAD_CACHE": "", "PYTHONPATH": str(Path(__file__).parent.parent)}
    for kind, (title, _) in PROGRAMS.items():
        print(
            f"\nfirst result: {title}, gradient of one row, µs of processor time for each operation of the function\n"
        )
        print(f"| operations | {' | '.join(STAGES)} | all | an operation done | seconds | memory | a later call |")
        print("|---:" * (len(STAGES) + 6) + "|")
        for power in range(2, largest + 1):
            if power > 5 and memory < 12:
                break
            n = 10**power
            command = [sys.executable, "-m", "benchmarks.first", kind, str(n)]
            said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
            one = json.loads(said.splitlines()[-1])
            parts = [one["stages"][stage] / n * 1e6 for stage in STAGES]
            each = " | ".join(f"{x:.1f}" for x in (*parts, one["total"] / n * 1e6, one["total"] / one["done"] * 1e6))
            rest = f"{one['total']:.2f} | {one['memory']:.0f} MB | {one['again'] * 1e3:.3g} ms"
            print(f"| 10^{power} | {each} | {rest} |", flush=True)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
