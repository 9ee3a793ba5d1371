"""micrograd, row by row."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from micrograd.engine import Value

from ..workloads import Work
from . import Fewer

sys.setrecursionlimit(1_000_000)  # its sort recurses


def moons(work: Work) -> Fewer:
    """A step of its own demo."""
    a = work.arrays
    rows = 32

    def call() -> Any:
        layers = [([[Value(w) for w in row] for row in a[f"w{k}"]], [Value(b) for b in a[f"b{k}"]]) for k in range(3)]
        losses = []
        for x, t in zip(a["x"][:rows].tolist(), a["t"][:rows].tolist(), strict=True):
            for k, (weights, biases) in enumerate(layers):
                x = [sum((w * v for w, v in zip(ws, x, strict=True)), b) for ws, b in zip(weights, biases, strict=True)]
                if k < 2:
                    x = [v.relu() for v in x]
            losses.append((1.0 - t * x[0]).relu())
        loss = sum(losses) * (1.0 / rows)
        loss.backward()
        gradients = [np.array([[w.grad for w in row] for row in ws]) for ws, _ in layers]
        offsets = [np.array([b.grad for b in bs]) for _, bs in layers]
        return [np.array([loss.data]), *[g for pair in zip(gradients, offsets, strict=True) for g in pair]]

    return Fewer(call, rows)
