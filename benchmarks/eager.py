"""Eager speed and size: micrograd's moons step here and in micrograd, bytes a node, a chain of a million nodes."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from itertools import pairwise

import autograd as ag
import nn
from autograd import Value, forward_sweep
from nn import optim

from .timing import alternate


def moons_step() -> None:
    """One training step on 100 points: MLP 2-16-16-1, hinge loss, forward, backward and update."""
    try:
        from micrograd import nn as their_nn
        from micrograd.engine import Value as TheirValue
    except ImportError:
        print("moons step: needs micrograd for comparison:  pip install micrograd==0.1.0")
        return
    from random import Random

    rng = Random(1)
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(100)]
    labels = [rng.choice((-1.0, 1.0)) for _ in points]
    ours, theirs = nn.MLP(2, [16, 16, 1], rng=0), their_nn.MLP(2, [16, 16, 1])
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        other.data = mine.data
    optimizer = optim.SGD(ours.parameters(), lr=0.01)
    sys.setrecursionlimit(100_000)  # micrograd's sort recurses

    def step() -> float:
        losses = [ag.relu(1 - y * ours(x)[0]) for x, y in zip(points, labels, strict=True)]
        loss = ag.sum(losses) * (1 / len(losses))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss)

    def their_step() -> float:
        scores = [theirs(list(map(TheirValue, x))) for x in points]
        losses = [(1 + -y * s).relu() for s, y in zip(scores, labels, strict=True)]
        loss = sum(losses) * (1.0 / len(losses))
        theirs.zero_grad()
        loss.backward()
        for p in theirs.parameters():
            p.data -= 0.01 * p.grad
        return float(loss.data)

    # The weights of the two nets are listed in the same order, so the losses must agree.
    assert abs(step() - their_step()) < 1e-9, "the two do not compute the same"
    median = alternate({"ours": step, "micrograd": their_step}, 5, {"ours": 30, "micrograd": 3})
    ratio = median["micrograd"] / median["ours"]
    print("moons step, 100 points, MLP 2-16-16-1, medians of 5 rounds in one process:")
    print(f"  ours {median['ours'] * 1e3:.1f} ms, micrograd 0.1.0 {median['micrograd'] * 1e3:.0f} ms: {ratio:.1f}×")


def node_size() -> None:
    """Bytes of memory for a recorded node, its value and tuples included."""
    x, y = Value(1.5), Value(0.75)
    operations: dict[str, Callable[[], Value]] = {
        "x + y": lambda: x + y,
        "x * y": lambda: x * y,
        "x / y": lambda: x / y,
    }
    for name, operation in operations.items():
        kept: list[Value] = [None] * 10_000  # type: ignore[list-item]
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for i in range(len(kept)):
            kept[i] = operation()
        size = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
        tracemalloc.stop()
        print(f"  a node of {name}: {size:.0f} bytes")


def chain(n: int) -> float:
    """Record a chain of n nodes, sweep it in both directions, free it; returns the seconds of each part."""
    times = [time.perf_counter()]
    x = Value(1.0)
    y = x
    for _ in range(n // 2):
        y = y * 1.0000001 + 1e-7
    times.append(time.perf_counter())
    y.backward()
    times.append(time.perf_counter())
    order = ag.topological(y)
    deque(forward_sweep(order, {x: 1.0}), maxlen=0)
    times.append(time.perf_counter())
    del order, y
    times.append(time.perf_counter())
    record, back, ahead, free = (b - a for a, b in pairwise(times))
    print(f"  {n:>9,} nodes: record {record:.2f} s, reverse {back:.2f} s, forward {ahead:.2f} s, free {free:.2f} s")
    return times[-1] - times[0]


def main() -> None:
    """Run all of them."""
    moons_step()
    print("memory:")
    node_size()
    print("a chain:")
    for n in (10_000, 100_000, 1_000_000):
        chain(n)
