"""This library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag

from ..workloads import GREEKS, Work, call_price, mixed, predators, projection


def _network(work: Work) -> Callable[[], Any]:
    a = work.arrays
    layers = len(work.sizes) - 1
    parameters = [p for k in range(layers) for p in (a[f"w{k}"], a[f"b{k}"])]

    def loss(x: Any, t: Any, *parameters: Any) -> Any:
        for k in range(layers):
            x = ag.affine(parameters[2 * k], x, parameters[2 * k + 1])
            if k < layers - 1:
                x = [ag.relu(net) for net in x]
        return ag.relu(1.0 - t * x[0])

    f = ag.compile(loss, in_axes=(0, 0, *(None,) * (2 * layers)), reduce="mean", threads=1)
    wanted = tuple(range(2, 2 + 2 * layers))

    def call() -> Any:
        value, gradients = f.value_and_grad(a["x"], a["t"], *parameters, argnums=wanted)
        return [np.array([value]), *gradients]

    return call


moons = mlp30 = _network


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    a = work.arrays
    f = ag.compile(lambda camera, point, feature: projection(ag, camera, point, feature), threads=1)
    n = len(a["camera"])
    values, by_camera, by_point = np.empty((n, 2)), np.empty((n, 2, 11)), np.empty((n, 2, 3))

    def call() -> Any:
        arguments = a["camera"], a["point"], a["feature"]
        f.value_and_jacobian(*arguments, argnums=(0, 1), out=(values, by_camera, by_point))
        return [values, by_camera, by_point]

    return call


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    f = ag.compile(lambda *market: call_price(ag, market), threads=1)
    columns = list(work.arrays.values())
    outs = tuple(np.empty(len(columns[0])) for _ in range(1 + len(GREEKS)))

    def call() -> Any:
        f.value_and_grad(*columns, argnums=GREEKS, out=outs)
        return list(outs)

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    f = ag.compile(lambda market: call_price(ag, market), threads=1)
    market = work.arrays["market"]
    n = len(market)
    outs = np.empty(n), np.empty((n, 5)), np.empty((n, 5, 5))

    def call() -> Any:
        f.value_grad_and_hessian(market, out=outs)
        return list(outs)

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    f = ag.compile(predators, threads=1)
    return lambda: list(f.value_and_grad(work.arrays["rates"]))


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    f = ag.compile(lambda x: mixed(ag, x), threads=1)
    x = work.arrays["x"][None]

    def call() -> Any:
        value, gradient = f.value_and_grad(x)
        return [value, gradient[0]]

    return call


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    a = work.arrays

    def loss(x: Any, t: Any, w: Any) -> Any:
        z = ag.dot(w[:10], x, w[10])
        return ag.softplus(z) - t * z

    f = ag.compile(loss, in_axes=(0, 0, None), reduce="mean", threads=1)

    def call() -> Any:
        value, gradient = f.value_and_grad(a["x"], a["t"], a["w"], argnums=2)
        return [np.array([value]), gradient]

    return call
