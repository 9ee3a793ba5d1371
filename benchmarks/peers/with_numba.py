"""numba with derivatives derived by hand, with fast-math and one thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from ..workloads import Work

_compiled = numba.njit(fastmath=True, error_model="numpy")


@_compiled
def _step(x: Any, t: Any, w0: Any, w1: Any, w2: Any, b0: Any, b1: Any, b2: Any) -> Any:
    """Matrix products by BLAS, as NumPy's; everything between them in loops."""
    x1 = _active(np.dot(x, w0.T), b0)
    x2 = _active(np.dot(x1, w1.T), b1)
    x3 = np.dot(x2, w2.T)
    n, loss = len(t), 0.0
    a3 = np.zeros((n, 1))
    for r in range(n):
        margin = 1.0 - t[r] * (x3[r, 0] + b2[0])
        if margin > 0.0:
            loss += margin
            a3[r, 0] = -t[r] / n
    a2 = _passed(np.dot(a3, w2), x2)
    a1 = _passed(np.dot(a2, w1), x1)
    first = np.dot(a1.T, x), _total(a1), np.dot(a2.T, x1)
    return loss / n, (*first, _total(a2), np.dot(a3.T, x2), _total(a3))


@_compiled
def _active(net: Any, b: Any) -> Any:
    for r in range(len(net)):
        for k in range(len(b)):
            net[r, k] = max(net[r, k] + b[k], 0.0)
    return net


@_compiled
def _passed(adjoint: Any, x: Any) -> Any:
    for r in range(len(x)):
        for k in range(x.shape[1]):
            adjoint[r, k] = adjoint[r, k] if x[r, k] > 0.0 else 0.0
    return adjoint


@_compiled
def _total(adjoint: Any) -> Any:
    total = np.zeros(adjoint.shape[1])
    for r in range(len(adjoint)):
        for k in range(len(total)):
            total[k] += adjoint[r, k]
    return total


def _network(work: Work) -> Callable[[], Any]:
    a = work.arrays
    parameters = [a[f"{kind}{k}"] for kind in "wb" for k in range(3)]

    def call() -> Any:
        value, slopes = _step(a["x"], a["t"], *parameters)
        return [np.array([value]), *slopes]

    return call


moons = mlp30 = _network


@_compiled
def _greeks(spot: Any, strike: Any, time: Any, rate: Any, volatility: Any, out: Any) -> None:
    for k in range(len(spot)):
        s, x, t, r, v = spot[k], strike[k], time[k], rate[k], volatility[k]
        root = math.sqrt(t)
        d1 = (math.log(s / x) + (r + 0.5 * v * v) * t) / (v * root)
        d2 = d1 - v * root
        n1 = 0.5 + 0.5 * math.erf(d1 * 0.7071067811865476)
        n2 = 0.5 + 0.5 * math.erf(d2 * 0.7071067811865476)
        density = 0.3989422804014327 * math.exp(-0.5 * d1 * d1)
        paid = x * math.exp(-r * t)
        out[0, k] = s * n1 - paid * n2
        out[1, k] = n1
        out[2, k] = s * density * v / (2.0 * root) + r * paid * n2
        out[3, k] = s * density * root


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    columns = list(work.arrays.values())
    out = np.empty((4, len(columns[0])))

    def call() -> Any:
        _greeks(*columns, out)
        return list(out)

    return call


@_compiled
def _logistic(x: Any, t: Any, w: Any, gradient: Any) -> float:
    n, loss = len(t), 0.0
    for r in range(n):
        z = w[10]
        for k in range(10):
            z += w[k] * x[r, k]
        e = math.exp(-abs(z))
        s = ((1.0 if z >= 0.0 else e) / (1.0 + e) - t[r]) / n
        loss += max(z, 0.0) + math.log(1.0 + e) - t[r] * z
        for k in range(10):
            gradient[k] += s * x[r, k]
        gradient[10] += s
    return loss / n


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    x, t, w = (work.arrays[k] for k in "xtw")

    def call() -> Any:
        gradient = np.zeros(11)
        value = _logistic(x, t, w, gradient)
        return [np.array([value]), gradient]

    return call
