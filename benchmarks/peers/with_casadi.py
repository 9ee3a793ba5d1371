"""CasADi's virtual machine, mapped over the rows; ``casadi_jit`` compiles the same functions with gcc."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

import casadi as ca
import numpy as np

from ..workloads import Work, call_price, mixed, predators, projection

JIT = False


def _mapped(inputs: list[Any], outputs: list[Any], rows: int) -> Callable[..., Any]:
    if JIT:
        os.chdir(tempfile.mkdtemp())  # where it leaves its C files
        options = {"jit": True, "compiler": "shell", "jit_options": {"flags": ["-O3", "-march=native", "-ffast-math"]}}
        f = ca.Function("f", inputs, outputs, options)
    else:
        f = ca.Function("f", inputs, outputs)
    return f if rows == 1 else f.map(rows)  # type: ignore[no-any-return]


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    a = {k: np.asfortranarray(v.T) for k, v in work.arrays.items()}
    camera, point, feature = ca.SX.sym("camera", 11), ca.SX.sym("point", 3), ca.SX.sym("feature", 2)
    value = ca.vertcat(*projection(ca, ca.vertsplit(camera), ca.vertsplit(point), ca.vertsplit(feature)))
    jacobians = [ca.densify(ca.jacobian(value, x)) for x in (camera, point)]
    n = a["camera"].shape[1]
    f = _mapped([camera, point, feature], [value, *[ca.vec(j.T) for j in jacobians]], n)

    def call() -> Any:
        r, c, p = f(a["camera"], a["point"], a["feature"])
        return [np.asarray(r).T, np.asarray(c).T.reshape(n, 2, 11), np.asarray(p).T.reshape(n, 2, 3)]

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    market = np.asfortranarray(work.arrays["market"].T)
    x = ca.SX.sym("x", 5)
    price = call_price(ca, ca.vertsplit(x))
    second, first = ca.hessian(price, x)
    n = market.shape[1]
    f = _mapped([x], [price, first, ca.vec(ca.densify(second))], n)

    def call() -> Any:
        p, g, h = f(market)
        return [np.asarray(p).ravel(), np.asarray(g).T, np.asarray(h).T.reshape(n, 5, 5)]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    rates = np.asfortranarray(work.arrays["rates"].T)
    x = ca.SX.sym("x", 4)
    value = predators(ca.vertsplit(x))
    f = _mapped([x], [value, ca.gradient(value, x)], rates.shape[1])

    def call() -> Any:
        v, g = f(rates)
        return [np.asarray(v).ravel(), np.asarray(g).T]

    return call


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    numbers = work.arrays["x"]
    x = ca.SX.sym("x", len(numbers))
    value = mixed(ca, ca.vertsplit(x))
    f = _mapped([x], [value, ca.gradient(value, x)], 1)

    def call() -> Any:
        v, g = f(numbers)
        return [np.asarray(v).ravel(), np.asarray(g).ravel()]

    return call
