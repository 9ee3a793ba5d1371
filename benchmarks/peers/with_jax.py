"""JAX on one processor, compiled by jit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

from ..workloads import GREEKS, STEPS, Work, advance, call_price, mixed, projection

jax.config.update("jax_enable_x64", True)


class _Functions:
    sqrt, cos, sin, exp, log = jnp.sqrt, jnp.cos, jnp.sin, jnp.exp, jnp.log
    erf = staticmethod(erf)


def _ready(result: Any) -> list[Any]:
    return [np.asarray(x) for x in jax.block_until_ready(result)]


def _network(work: Work) -> Callable[[], Any]:
    a = {k: jnp.asarray(v) for k, v in work.arrays.items()}
    layers = len(work.sizes) - 1

    def loss(parameters: Any, x: Any, t: Any) -> Any:
        for k in range(layers):
            x = x @ parameters[2 * k].T + parameters[2 * k + 1]
            if k < layers - 1:
                x = jax.nn.relu(x)
        return jnp.mean(jax.nn.relu(1.0 - t * x[:, 0]))

    parameters = [p for k in range(layers) for p in (a[f"w{k}"], a[f"b{k}"])]
    f = jax.jit(jax.value_and_grad(loss))

    def call() -> Any:
        value, gradients = f(parameters, a["x"], a["t"])
        return _ready([value[None], *gradients])

    return call


moons = mlp30 = _network


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian, by forward mode, which is faster here than reverse mode."""
    a = {k: jnp.asarray(v) for k, v in work.arrays.items()}

    def residual(camera: Any, point: Any, feature: Any) -> Any:
        r = jnp.stack(projection(_Functions, camera, point, feature))
        return r, r

    both = jax.jacfwd(residual, argnums=(0, 1), has_aux=True)

    @jax.jit
    @partial(jax.vmap, in_axes=(0, 0, 0))
    def f(camera: Any, point: Any, feature: Any) -> Any:
        (by_camera, by_point), value = both(camera, point, feature)
        return value, by_camera, by_point

    return lambda: _ready(f(a["camera"], a["point"], a["feature"]))


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    columns = [jnp.asarray(x) for x in work.arrays.values()]

    @jax.jit
    @jax.vmap
    def f(*market: Any) -> Any:
        value, slopes = jax.value_and_grad(lambda *m: call_price(_Functions, m), GREEKS)(*market)
        return value, *slopes

    return lambda: _ready(f(*columns))


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    market = jnp.asarray(work.arrays["market"])

    def price(row: Any) -> Any:
        return call_price(_Functions, row)

    f = jax.jit(jax.vmap(lambda row: (*jax.value_and_grad(price)(row), jax.hessian(price)(row))))
    return lambda: _ready(f(market))


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient, the steps as a loop that JAX compiles."""
    rates = jnp.asarray(work.arrays["rates"])

    def predators(row: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            return advance(row, *state), None

        (x, y), _ = jax.lax.scan(step, (jnp.asarray(1.0), jnp.asarray(0.5)), None, length=STEPS)
        return x + y

    f = jax.jit(jax.vmap(jax.value_and_grad(predators)))
    return lambda: _ready(f(rates))


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    x = jnp.asarray(work.arrays["x"])
    f = jax.jit(jax.value_and_grad(lambda x: mixed(_Functions, list(x))))

    def call() -> Any:
        value, gradient = f(x)
        return _ready([value[None], gradient])

    return call


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    a = {k: jnp.asarray(v) for k, v in work.arrays.items()}

    def loss(w: Any, x: Any, t: Any) -> Any:
        z = x @ w[:10] + w[10]
        return jnp.mean(jax.nn.softplus(z) - t * z)

    f = jax.jit(jax.value_and_grad(loss))

    def call() -> Any:
        value, gradient = f(a["w"], a["x"], a["t"])
        return _ready([value[None], gradient])

    return call
