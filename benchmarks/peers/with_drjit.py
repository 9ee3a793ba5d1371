"""Dr.Jit on one processor: functions that it records once (``@dr.freeze``) and then starts as compiled kernels.

Its derivatives are of first order. It needs LLVM as a shared library; DRJIT_LIBLLVM_PATH says where.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import drjit as dr
import numpy as np
from drjit.llvm.ad import Float64

from ..workloads import GREEKS, STEPS, Work, advance, call_price, projection

dr.set_thread_count(0)


class _Functions:
    sqrt, cos, sin, exp, log, erf = dr.sqrt, dr.cos, dr.sin, dr.exp, dr.log, dr.erf


def _columns(array: Any) -> list[Any]:
    return [Float64(np.ascontiguousarray(column)) for column in array.T]


def _ready(result: Any) -> Any:
    dr.eval(result)
    dr.sync_thread()
    return result


def _call(f: Callable[..., Any], inputs: Any, convert: Callable[..., Any]) -> Callable[[], Any]:
    """The result stays in Dr.Jit's arrays until it is compared, as in other libraries with arrays of their own."""
    frozen = dr.freeze(f)
    return lambda: _Lazy(_ready(frozen(inputs)), convert)


class _Lazy:
    """Arrays that are converted when they are looked at."""

    def __init__(self, result: Any, convert: Callable[..., Any]) -> None:
        self.result, self.convert = result, convert

    def __iter__(self) -> Any:
        return iter(self.convert(*[np.array(x) for x in self.result]))


def _differentiable(xs: Any, wanted: Any = None) -> list[Any]:
    """Copies of arrays, in which derivatives are taken."""
    copies = [Float64(x) for x in xs]
    dr.enable_grad([copies[k] for k in wanted] if wanted else copies)
    return copies


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""

    def f(market: Any) -> Any:
        market = _differentiable(market, GREEKS)
        price = call_price(_Functions, market)
        dr.backward(price)
        return [dr.detach(price), *(dr.grad(market[k]) for k in GREEKS)]

    return _call(f, [Float64(x) for x in work.arrays.values()], lambda *arrays: arrays)


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian, by a reverse sweep for each of the two residuals."""

    def f(arrays: Any) -> Any:
        camera, point, feature = arrays
        rows = []
        for k in range(2):
            own = _differentiable([*camera, *point])
            errors = projection(_Functions, own[:11], own[11:], feature)
            dr.backward(errors[k])
            rows += [dr.detach(errors[k]), *map(dr.grad, own)]
        return rows

    def convert(*rows: Any) -> Any:
        both = np.array(rows).reshape(2, 15, -1)
        return [both[:, 0].T, both[:, 1:12].transpose(2, 0, 1), both[:, 12:].transpose(2, 0, 1)]

    return _call(f, [_columns(work.arrays[k]) for k in ("camera", "point", "feature")], convert)


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient; the steps are unrolled, because its loops have no reverse mode in general."""

    def f(rates: Any) -> Any:
        rates = _differentiable(rates)
        x: Any = 1.0
        y: Any = 0.5
        for _ in range(STEPS):
            x, y = advance(rates, x, y)
        value = x + y
        dr.backward(value)
        return [dr.detach(value), *map(dr.grad, rates)]

    return _call(f, _columns(work.arrays["rates"]), lambda value, *by: [value, np.stack(by, axis=1)])


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    rows = len(work.arrays["t"])

    def f(arrays: Any) -> Any:
        columns, t, w = arrays
        w = _differentiable(w)
        z = w[10]
        for x, weight in zip(columns, w[:10], strict=True):
            z = dr.fma(weight, x, z)
        loss = dr.mean(dr.maximum(z, 0.0) + dr.log(1.0 + dr.exp(-dr.abs(z))) - t * z)
        dr.backward(loss)
        return [dr.detach(loss), *map(dr.grad, w)]

    w = [dr.opaque(Float64, float(x)) for x in work.arrays["w"]]
    inputs = _columns(work.arrays["x"]), Float64(work.arrays["t"]), w
    assert rows == len(inputs[1])
    return _call(f, inputs, lambda loss, *by: [loss, np.concatenate(by)])
