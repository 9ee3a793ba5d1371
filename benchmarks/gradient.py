"""Griewank's cheap-gradient bound: the time of a gradient of n inputs over that of the recorded forward pass."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import autograd as ag
from autograd import Value

from .timing import alternate


def rosenbrock(x: list[Any]) -> Any:
    """The chained Rosenbrock function of n variables (Moré, Garbow & Hillstrom 1981, number 21, chained)."""
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def main() -> None:
    """For n = 10 … 10⁴: the time of grad over the time of a forward pass that records."""
    print("grad of the chained Rosenbrock function over its recorded forward pass (medians, one process):")
    gradient = ag.grad(rosenbrock)
    for n in (10, 100, 1000, 10_000):
        point = [0.5 + 0.001 * (k % 7) for k in range(n)]
        repeats = max(1, 3000 // n)
        contenders = {
            "forward": partial(lambda point: rosenbrock([Value(v) for v in point]), point),
            "grad": partial(gradient, point),
        }
        median = alternate(contenders, 5, dict.fromkeys(contenders, repeats))
        print(f"  n = {n:>6,}: {median['grad'] / median['forward']:.2f}×  ({median['grad'] * 1e3:.2f} ms)")
