"""CasADi's virtual machine, mapped over the rows; ``casadi_jit`` compiles the same functions with gcc.

Both are called through buffers, CasADi's fastest interface: nothing is copied or converted.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import casadi as ca
import numpy as np

from ..workloads import GREEKS, Work, call_price, mixed, predators, projection

JIT = False


def _buffered(inputs: list[Any], outputs: list[Any], arrays: list[Any], shapes: list[tuple[int, ...]]) -> Any:
    """A call on arrays (rows first) that fills arrays of these shapes, a row each."""
    options = {}
    if JIT:
        os.chdir(tempfile.mkdtemp())  # the folder of its C files
        options = {"jit": True, "compiler": "shell", "jit_options": {"flags": ["-O3", "-march=native", "-ffast-math"]}}
    rows = len(arrays[0])
    f = ca.Function("f", inputs, [ca.densify(x) for x in outputs], options)
    mapped = f if rows == 1 else f.map(rows)
    results = [np.empty((rows, *shape)) for shape in shapes]
    buffer, trigger = mapped.buffer()
    for k, array in enumerate(arrays):
        buffer.set_arg(k, memoryview(np.ascontiguousarray(array)))
    for k, array in enumerate(results):
        buffer.set_res(k, memoryview(array))

    def call() -> Any:
        trigger()
        return results

    call.kept = mapped, buffer
    return call


def bundle(work: Work) -> Any:
    """Residual and Jacobian."""
    camera, point, feature = ca.SX.sym("camera", 11), ca.SX.sym("point", 3), ca.SX.sym("feature", 2)
    value = ca.vertcat(*projection(ca, ca.vertsplit(camera), ca.vertsplit(point), ca.vertsplit(feature)))
    jacobians = [ca.vec(ca.densify(ca.jacobian(value, x)).T) for x in (camera, point)]
    arrays = [work.arrays[k] for k in ("camera", "point", "feature")]
    return _buffered([camera, point, feature], [value, *jacobians], arrays, [(2,), (2, 11), (2, 3)])


def greeks(work: Work) -> Any:
    """Price and first derivatives."""
    x = [ca.SX.sym(name) for name in work.arrays]
    price = call_price(ca, x)
    slopes = [ca.gradient(price, x[k]) for k in GREEKS]
    return _buffered(x, [price, *slopes], list(work.arrays.values()), [()] * (1 + len(GREEKS)))


def options(work: Work) -> Any:
    """Price, gradient, Hessian."""
    x = ca.SX.sym("x", 5)
    price = call_price(ca, ca.vertsplit(x))
    second, first = ca.hessian(price, x)
    return _buffered([x], [price, first, ca.vec(ca.densify(second))], [work.arrays["market"]], [(), (5,), (5, 5)])


def lotka(work: Work) -> Any:
    """Value and gradient."""
    x = ca.SX.sym("x", 4)
    value = predators(ca.vertsplit(x))
    return _buffered([x], [value, ca.gradient(value, x)], [work.arrays["rates"]], [(), (4,)])


def west(work: Work) -> Any:
    """Value and gradient of one row."""
    x = ca.SX.sym("x", len(work.arrays["x"]))
    value = mixed(ca, ca.vertsplit(x))
    call = _buffered([x], [value, ca.gradient(value, x)], [work.arrays["x"][None]], [(), (100,)])
    return lambda: [x.ravel() for x in call()]
