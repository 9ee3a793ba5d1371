"""kmeans: each point's squared distance from the nearest centroid, summed, and a Newton step; a row a point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _nearest(point: Any, centroids: Any) -> Any:
    def step(closest: Any, centroid: Any) -> Any:
        return ag.minimum(closest, ag.sum([(a - b) ** 2 for a, b in zip(point, centroid, strict=True)])), None

    return ag.scan(step, math.inf, centroids)[0]


_cost = compiled(_nearest, in_axes=(0, None), reduce="sum")


def _slopes(point: Any, centroids: Any) -> Any:
    """The gradient, and its derivative in the direction of ones: the Hessian is diagonal."""
    ones = [[1.0] * len(c) for c in centroids]
    return ag.jvp(lambda cs: ag.grad(_nearest, 1)(point, cs), (centroids,), (ones,))


_newton = compiled(_slopes, in_axes=(0, None), reduce="sum")


def _arguments(given: Any) -> tuple[Any, Any]:
    return np.array(given["points"], dtype=float), np.array(given["centroids"], dtype=float)


def cost(given: Any) -> Call:
    """The sum of the distances."""
    points, centroids = _arguments(given)
    return lambda: _cost(points, centroids)


def direction(given: Any) -> Call:
    """The gradient over the Hessian's diagonal."""
    points, centroids = _arguments(given)

    def call() -> Any:
        gradient, curvature = _newton(points, centroids)
        return gradient / curvature

    return call


FUNCTIONS = {"cost": cost, "dir": direction}
