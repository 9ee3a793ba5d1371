"""HIPS autograd, which is also imported as ``autograd`` and so has an environment of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.scipy.special import erf

import autograd

from ..workloads import GREEKS, Work, call_price, mixed, predators


class _Functions:
    sqrt, cos, sin, exp, log = np.sqrt, np.cos, np.sin, np.exp, np.log
    erf = staticmethod(erf)


def _network(work: Work) -> Callable[[], Any]:
    a = work.arrays
    layers = len(work.sizes) - 1
    parameters = [a[f"{kind}{k}"] for k in range(layers) for kind in "wb"]

    def loss(parameters: Any) -> Any:
        x = a["x"]
        for k in range(layers):
            x = np.dot(x, parameters[2 * k].T) + parameters[2 * k + 1]
            if k < layers - 1:
                x = np.maximum(x, 0.0)
        return np.mean(np.maximum(1.0 - a["t"] * x[:, 0], 0.0))

    f = autograd.value_and_grad(loss)

    def call() -> Any:
        value, gradients = f(parameters)
        return [np.array([value]), *gradients]

    return call


moons = mlp30 = _network


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    columns = list(work.arrays.values())
    f = autograd.value_and_grad(
        lambda wanted: np.sum(call_price(_Functions, [wanted[0], columns[1], wanted[1], columns[3], wanted[2]]))
    )

    def call() -> Any:
        _, slopes = f(tuple(columns[k] for k in GREEKS))
        return [call_price(_Functions, columns), *slopes]

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian by elementwise derivatives."""
    columns = [work.arrays["market"][:, k] for k in range(5)]
    price = lambda *columns: call_price(_Functions, columns)
    first = [autograd.elementwise_grad(price, k) for k in range(5)]
    second = [[autograd.elementwise_grad(first[i], j) for j in range(5)] for i in range(5)]

    def call() -> Any:
        gradient = np.stack([g(*columns) for g in first], axis=1)
        half = {(i, j): second[i][j](*columns) for i in range(5) for j in range(i + 1)}
        whole = np.stack([np.stack([half[max(i, j), min(i, j)] for j in range(5)], axis=1) for i in range(5)], axis=1)
        return [price(*columns), gradient, whole]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    f = autograd.value_and_grad(lambda rates: np.sum(predators(rates)))
    rates = work.arrays["rates"].T

    def call() -> Any:
        _, gradient = f(rates)
        return [predators(rates), gradient.T]

    return call


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    f = autograd.value_and_grad(lambda x: mixed(_Functions, [x[k] for k in range(len(x))]))

    def call() -> Any:
        value, gradient = f(work.arrays["x"])
        return [np.array([value]), gradient]

    return call


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    x, t = work.arrays["x"], work.arrays["t"]

    def loss(w: Any) -> Any:
        z = np.dot(x, w[:10]) + w[10]
        return np.mean(np.logaddexp(0.0, z) - t * z)

    f = autograd.value_and_grad(loss)

    def call() -> Any:
        value, gradient = f(work.arrays["w"])
        return [np.array([value]), gradient]

    return call
