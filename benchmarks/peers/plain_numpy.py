"""NumPy with derivatives derived by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..workloads import Work


def _network(work: Work) -> Callable[[], Any]:
    a = work.arrays
    layers = len(work.sizes) - 1

    def call() -> Any:
        xs = [a["x"]]
        for k in range(layers):
            net = xs[-1] @ a[f"w{k}"].T + a[f"b{k}"]
            xs.append(np.maximum(net, 0.0) if k < layers - 1 else net)
        margin = 1.0 - a["t"] * xs[-1][:, 0]
        adjoint = (np.where(margin > 0.0, -a["t"], 0.0) / len(margin))[:, None]
        gradients: list[Any] = []
        for k in range(layers - 1, -1, -1):
            gradients = [adjoint.T @ xs[k], adjoint.sum(axis=0), *gradients]
            if k:
                adjoint = (adjoint @ a[f"w{k}"]) * (xs[k] > 0.0)
        return [np.array([np.maximum(margin, 0.0).mean()]), *gradients]

    return call


moons = mlp30 = _network


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    x, t, w = (work.arrays[k] for k in "xtw")

    def call() -> Any:
        z = x @ w[:10] + w[10]
        e = np.exp(-np.abs(z))
        loss = np.mean(np.maximum(z, 0.0) + np.log1p(e) - t * z)
        slope = (np.where(z >= 0.0, 1.0, e) / (1.0 + e) - t) / len(t)
        return [np.array([loss]), np.append(slope @ x, slope.sum())]

    return call
