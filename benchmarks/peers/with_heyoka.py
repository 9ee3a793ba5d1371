"""heyoka.py: expressions, differentiated symbolically and compiled with LLVM for batches of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import heyoka as hy
import numpy as np

from ..workloads import GREEKS, Work, call_price, predators, projection


class _Functions:
    sqrt, cos, sin, exp, log, erf = hy.sqrt, hy.cos, hy.sin, hy.exp, hy.log, hy.erf


def _call(outputs: list[Any], variables: list[Any], rows: Any) -> tuple[Callable[[], Any], Any]:
    """What fills an array (outputs first, then rows) from an array of the variables' rows."""
    f = hy.cfunc(outputs, vars=variables)
    inputs = np.ascontiguousarray(rows)
    filled = np.empty((len(outputs), inputs.shape[1]))
    return lambda: f(inputs, outputs=filled), filled


def _variables(count: int) -> list[Any]:
    return [hy.expression(f"x{k:02}") for k in range(count)]


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    market = _variables(5)
    price = call_price(_Functions, market)
    tensors = hy.diff_tensors([price], diff_args=[market[k] for k in GREEKS], diff_order=1)
    run, filled = _call([price, *tensors.gradient], market, np.stack(list(work.arrays.values())))

    def call() -> Any:
        run()
        return list(filled)

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    market = _variables(5)
    price = call_price(_Functions, market)
    tensors = hy.diff_tensors([price], diff_args=market, diff_order=2)
    run, filled = _call([price, *tensors.gradient, *np.ravel(tensors.hessian(0))], market, work.arrays["market"].T)

    def call() -> Any:
        run()
        return [filled[0], filled[1:6].T, filled[6:].reshape(5, 5, -1).transpose(2, 0, 1)]

    return call


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    x = _variables(16)
    errors = projection(_Functions, x[:11], x[11:14], x[14:])
    tensors = hy.diff_tensors(errors, diff_args=x[:14], diff_order=1)
    rows = np.hstack([work.arrays[k] for k in ("camera", "point", "feature")]).T
    run, filled = _call([*errors, *np.ravel(tensors.jacobian)], x, rows)

    def call() -> Any:
        run()
        jacobian = filled[2:].reshape(2, 14, -1).transpose(2, 0, 1)
        return [filled[:2].T, jacobian[:, :, :11], jacobian[:, :, 11:]]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    rates = _variables(4)
    value = predators(rates)
    tensors = hy.diff_tensors([value], diff_args=rates, diff_order=1)
    run, filled = _call([value, *tensors.gradient], rates, work.arrays["rates"].T)

    def call() -> Any:
        run()
        return [filled[0], filled[1:].T]

    return call
