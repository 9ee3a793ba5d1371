"""SymEngine: symbolic derivatives with common subexpressions found, compiled with LLVM, a row after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import symengine as se

from ..workloads import GREEKS, Work, call_price, projection


def _call(outputs: list[Any], variables: list[Any], rows: Any) -> tuple[Callable[[], Any], Any]:
    """What fills an array (rows first) from an array of the variables' rows."""
    f = se.Lambdify(variables, outputs, backend="llvm", cse=True)
    inputs = np.ascontiguousarray(rows)
    filled = np.empty((len(inputs), len(outputs)))
    return lambda: f(inputs, out=filled), filled


def _variables(count: int) -> list[Any]:
    return [se.Symbol(f"x{k}") for k in range(count)]


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    market = _variables(5)
    price = call_price(se, market)
    outputs = [price, *(se.diff(price, market[k]) for k in GREEKS)]
    run, filled = _call(outputs, market, np.stack(list(work.arrays.values()), axis=1))

    def call() -> Any:
        run()
        return list(filled.T)

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    market = _variables(5)
    price = call_price(se, market)
    first = [se.diff(price, x) for x in market]
    run, filled = _call([price, *first, *(se.diff(g, x) for g in first for x in market)], market, work.arrays["market"])

    def call() -> Any:
        run()
        return [filled[:, 0], filled[:, 1:6], filled[:, 6:].reshape(-1, 5, 5)]

    return call


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    x = _variables(16)
    errors = projection(se, x[:11], x[11:14], x[14:])
    rows = np.hstack([work.arrays[k] for k in ("camera", "point", "feature")])
    run, filled = _call([*errors, *(se.diff(e, v) for e in errors for v in x[:14])], x, rows)

    def call() -> Any:
        run()
        jacobian = filled[:, 2:].reshape(-1, 2, 14)
        return [filled[:, :2], jacobian[:, :, :11], jacobian[:, :, 11:]]

    return call
