"""What one call costs: Rosenbrock's function and its gradient for one row, and a training step's gradient.

All contenders run in one process on one processor, in alternating rounds, and their results are compared first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import autograd as ag
import nn

from .gradient import rosenbrock
from .timing import alternate

SIZES = (2, 10, 100, 1000)
ROWS = (32, 4096)
ROUNDS = 50
LIMIT = 0.002  # seconds of one round: short, so that some rounds are not interrupted

Call = Callable[[], Any]


def _ours(x: Any) -> dict[str, Call]:
    row = x[None]
    f, of_row = ag.compile(rosenbrock, in_axes=None), ag.compile(rosenbrock)
    out = np.empty(1), np.empty_like(row)
    c = f.c_address("value_and_grad", x)
    results = np.empty(1 + len(x))
    pointer, addresses = c.pointer, [np.ctypeslib.as_ctypes(a) for a in (x, results)]

    def by_pointer() -> Any:
        pointer(*addresses)
        return results[:1], results[1:]

    return {
        "ours, in_axes=None": partial(f.value_and_grad, x),
        "ours, an array of one row": partial(of_row.value_and_grad, row),
        "ours, out=": partial(of_row.value_and_grad, row, out=out),
        "ours, c_address from ctypes": by_pointer,
    }


def _jax(x: Any) -> dict[str, Call]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    f = jax.jit(jax.value_and_grad(lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)))
    return {"JAX": lambda: jax.block_until_ready(f(x))}


def _of_symbols(x: Any) -> Any:
    """The same for CasADi's symbols."""
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def _casadi(x: Any) -> dict[str, Call]:
    import casadi as ca

    symbols = ca.SX.sym("x", len(x))
    value = _of_symbols(ca.vertsplit(symbols))
    f = ca.Function("f", [symbols], [value, ca.gradient(value, symbols)])
    buffer, trigger = f.buffer()
    results: list[Any] = [np.empty(1), np.empty(len(x))]
    buffer.set_arg(0, memoryview(x))
    for k, array in enumerate(results):
        buffer.set_res(k, memoryview(array))

    def buffered(*kept: Any) -> Any:
        trigger()
        return tuple(results)

    return {"CasADi": partial(f, x), "CasADi, buffers": partial(buffered, f, buffer)}


def _ours_moons(x: Any, t: Any) -> dict[str, Call]:
    model = nn.MLP(2, [16, 16, 1], activation="relu", rng=0)
    f = ag.compile(lambda x, t: ag.relu(1.0 - t * model(x)[0]), reduce="mean", threads=1)
    leaves = model.parameters()

    def backward() -> Any:
        for leaf in leaves:
            leaf.grad = 0.0
        return (f.backward(x, t),)

    return {"ours, .backward": partial(f.backward, x, t), "ours, .backward and grad = 0.0": backward}


def _jax_moons(x: Any, t: Any) -> dict[str, Call]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    model = nn.MLP(2, [16, 16, 1], activation="relu", rng=0)
    parameters = [
        (
            jnp.array([[w.data for w in neuron.weights] for neuron in layer.neurons]),
            jnp.array([neuron.bias.data for neuron in layer.neurons]),
        )
        for layer in model.layers
    ]

    def loss(parameters: Any) -> Any:
        y = x
        for k, (weights, biases) in enumerate(parameters):
            y = y @ weights.T + biases
            if k + 1 < len(parameters):
                y = jax.nn.relu(y)
        return jnp.mean(jax.nn.relu(1.0 - t * y[:, 0]))

    f = jax.jit(jax.value_and_grad(loss))
    return {"JAX": lambda: jax.block_until_ready(f(parameters))}


def _table(title: str, makers: list[Callable[..., dict[str, Call]]], *data: Any) -> None:
    """Time the contenders whose packages are installed, after comparing what they compute."""
    contenders: dict[str, Call] = {}
    for make in makers:
        try:
            contenders |= make(*data)
        except ImportError as error:
            print(f"({error.name} is not installed)")
    expected: Any = None
    for name, call in contenders.items():
        for _ in range(3):
            found = call()
        parts = found if isinstance(found, tuple) else (found,)
        numbers = [np.ravel(np.array(part, dtype=float)) for part in parts if not isinstance(part, list)]
        expected = numbers if expected is None else expected
        for a, b in zip(expected, numbers, strict=False):
            if not np.allclose(a, b, rtol=1e-8):
                raise SystemExit(f"{name} does not compute the same: {b[:4]}, not {a[:4]}")
    seconds = alternate(contenders, 1, dict.fromkeys(contenders, 3))
    repeats = {name: max(1, round(LIMIT / x)) for name, x in seconds.items()}
    seconds = alternate(contenders, ROUNDS, repeats, min)  # calls of microseconds: what others do only adds
    print(title)
    for name, x in seconds.items():
        print(f"  {name:<32} {x * 1e6:8.2f} µs")


def main() -> None:
    """Print the least time of each."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for n in SIZES:
        point = np.array([0.5 + 0.001 * (k % 7) for k in range(n)])
        _table(f"Rosenbrock's function of {n} numbers and its gradient, one row", [_ours, _jax, _casadi], point)
    rng = np.random.default_rng(0)
    for rows in ROWS:
        x = rng.normal(size=(rows, 2))
        t = np.sign(rng.normal(size=rows))
        _table(f"moons MLP 2-16-16-1, value and gradient, {rows} rows", [_ours_moons, _jax_moons], x, t)
