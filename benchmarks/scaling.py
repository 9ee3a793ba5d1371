"""How compiled functions scale: with rows, operations and threads."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any

from .timing import alternate


def _once(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def rows() -> None:
    """Time of a row for 10² to 10⁷ rows: Black-Scholes with all first-order Greeks."""
    import numpy as np

    import autograd as ag

    from .workloads import call_price

    f = ag.compile(lambda market: call_price(ag, market), threads=1)
    columns = [(50, 150), (50, 150), (0.1, 2.0), (0.0, 0.1), (0.1, 0.6)]
    rng = np.random.default_rng(0)
    print("rows: price and gradient of an option, one thread\n\n| rows | a row |\n|---:|---:|")
    for power in range(2, 8):
        n = 10**power
        market = np.stack([rng.uniform(*ends, size=n) for ends in columns], axis=1)
        outs = np.empty(n), np.empty((n, 5))
        f.value_and_grad(market, out=outs)
        seconds = min(_once(lambda market=market, outs=outs: f.value_and_grad(market, out=outs)) for _ in range(5))
        print(f"| 10^{power} | {seconds / n * 1e9:.1f} ns |")


def operations() -> None:
    """Compile time of an operation for 10² to 10⁶ operations, straight-line, value and gradient."""
    import numpy as np

    import autograd as ag

    def chain(x: Any, count: int) -> Any:
        a, b = x[0], x[1]
        for k in range(count // 4):
            a, b = b, 0.5 * ag.sin(a * b) + (0.1 + 1e-4 * (k % 89)) * a
        return a + b

    os.environ["AUTOGRAD_CACHE"] = ""  # so that nothing is compiled already
    print("\noperations: from function to first result, value and gradient of 4096 rows, nothing in the cache\n")
    print("| operations recorded | done | first result | an operation done | 4096 rows then take |")
    print("|---:|---:|---:|---:|---:|")
    point = np.random.default_rng(0).normal(size=(4096, 2))
    for power in range(2, 7):
        f = ag.compile(lambda x, count=10**power: chain(x, count), threads=1)
        first = _once(lambda f=f: f.value_and_grad(point))
        again = min(_once(lambda f=f: f.value_and_grad(point)) for _ in range(3))
        done = f.stats.operations
        print(
            f"| 10^{power} | {done:,} | {first:.3g} s | {first / done * 1e6:.0f} µs | {again * 1e3:.3g} ms |",
            flush=True,
        )


def threads() -> None:
    """Two threads compared with one, for a workload limited by arithmetic and for one limited by memory."""
    import numpy as np

    import autograd as ag

    from .workloads import predators, projection

    rng = np.random.default_rng(0)
    rates = rng.uniform(0.5, 1.5, size=(65_536, 4))
    camera, point = rng.normal(size=(200_000, 11)), rng.normal(size=(200_000, 3)) + np.array([0.0, 0.0, 5.0])
    feature = rng.normal(size=(200_000, 2))
    print("\nthreads: medians of 7 rounds\n\n| workload | one | two | ratio |\n|---|---:|---:|---:|")

    def contenders(f: Any, method: str, arguments: Any, settings: Any) -> Any:
        made = {str(n): getattr(ag.compile(f, threads=n), method) for n in (1, 2)}
        return {n: partial(call, *arguments, **settings) for n, call in made.items()}

    outs = np.empty((200_000, 2)), np.empty((200_000, 2, 11)), np.empty((200_000, 2, 3))
    for title, made in (
        ("Lotka-Volterra, 65 536 rows", contenders(predators, "value_and_grad", (rates,), {})),
        (
            "bundle adjustment, 200 000 rows",
            contenders(
                lambda c, p, f: projection(ag, c, p, f),
                "value_and_jacobian",
                (camera, point, feature),
                {"argnums": (0, 1), "out": outs},
            ),
        ),
    ):
        median = alternate(made, 7, {"1": 3, "2": 3})
        ratio = median["1"] / median["2"]
        print(f"| {title} | {median['1'] * 1e3:.1f} ms | {median['2'] * 1e3:.1f} ms | {ratio:.2f} |", flush=True)


def first() -> None:
    """The time to the first result of long programs, stage by stage."""
    from .first import main

    main()


def main(parts: list[str] | None = None) -> None:
    """All of them, or those that are named."""
    for part in (rows, operations, first, threads):
        if not parts or part.__name__ in parts:
            part()
