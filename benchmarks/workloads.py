"""The workloads: data, and scalar code that is the same for all peers that run scalar code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Work(NamedTuple):
    """A workload.

    Attributes:
        title: what it is, in a table.
        arrays: the data, rows first.
        sizes: of a network's layers, where it is one.
        flops: for a network, the multiplications and additions a row in its matrix products.
    """

    title: str
    arrays: dict[str, Any]
    sizes: tuple[int, ...] = ()
    flops: int = 0


def _network(title: str, sizes: tuple[int, ...], rows: int) -> Work:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(sizes)]
    biases = [rng.normal(size=m) * 0.1 for m in sizes[1:]]
    arrays = {"x": rng.normal(size=(rows, sizes[0])), "t": np.sign(rng.normal(size=rows))}
    arrays |= {f"w{k}": w for k, w in enumerate(weights)} | {f"b{k}": b for k, b in enumerate(biases)}
    products = [m * n for n, m in pairwise(sizes)]  # forward, for the weights, and for the inputs of all but the first
    return Work(title, arrays, sizes, 2 * (3 * sum(products) - products[0]))


def moons() -> Work:
    """A step of micrograd's moons demo: hinge loss of a 2-16-16-1 network with relu."""
    return _network("moons MLP 2-16-16-1, value and gradient, 4096 rows", (2, 16, 16, 1), 4096)


def mlp30() -> Work:
    """The same for 30-64-32-1."""
    return _network("MLP 30-64-32-1, value and gradient, 4096 rows", (30, 64, 32, 1), 4096)


def bundle() -> Work:
    """Bundle adjustment: residuals and their 2×14 Jacobian (ADBench, ba1)."""
    lines = (Path(__file__).parent / "data" / "adbench_ba1_n49_m7776_p31843.txt").read_text().splitlines()
    rows = 31843
    rng = np.random.default_rng(0)
    camera, point, feature = (np.array(lines[k].split(), dtype=float) for k in (1, 2, 4))

    def around(numbers: Any) -> Any:  # ADBench repeats one camera and point; here no two rows are the same
        return numbers * (1.0 + 1e-3 * rng.normal(size=(rows, len(numbers))))

    arrays = {"camera": around(camera), "point": around(point), "feature": around(feature)}
    return Work("bundle adjustment, residual and 2×14 Jacobian, 31 843 rows", arrays)


def projection(m: Any, camera: Sequence[Any], point: Sequence[Any], feature: Sequence[Any]) -> list[Any]:
    """ADBench's reprojection error: Rodrigues rotation, projection, radial distortion."""
    angle = m.sqrt(camera[0] * camera[0] + camera[1] * camera[1] + camera[2] * camera[2])
    cos, sin = m.cos(angle), m.sin(angle)
    axis = [camera[k] / angle for k in range(3)]
    away = [point[k] - camera[3 + k] for k in range(3)]
    cross = [
        axis[1] * away[2] - axis[2] * away[1],
        axis[2] * away[0] - axis[0] * away[2],
        axis[0] * away[1] - axis[1] * away[0],
    ]
    along = (axis[0] * away[0] + axis[1] * away[1] + axis[2] * away[2]) * (1.0 - cos)
    x, y, z = (away[k] * cos + cross[k] * sin + axis[k] * along for k in range(3))
    u, v = x / z, y / z
    square = u * u + v * v
    bend = 1.0 + camera[9] * square + camera[10] * square * square
    return [
        u * bend * camera[6] + camera[7] - feature[0],
        v * bend * camera[6] + camera[8] - feature[1],
    ]


def options() -> Work:
    """Black-Scholes: price, gradient and Hessian in spot, strike, time, rate and volatility."""
    rng = np.random.default_rng(0)
    columns = [(50, 150), (50, 150), (0.1, 2.0), (0.0, 0.1), (0.1, 0.6)]
    arrays = {"market": np.stack([rng.uniform(*ends, size=50_000) for ends in columns], axis=1)}
    return Work("Black-Scholes, price and Greeks to second order, 50 000 rows", arrays)


GREEKS = 0, 2, 4  # the positions of spot, time and volatility


def greeks() -> Work:
    """Black-Scholes: price, and first derivatives in spot, time and volatility; the market as one array each."""
    market = options().arrays["market"].T
    names = ("spot", "strike", "time", "rate", "volatility")
    arrays = {name: np.ascontiguousarray(column) for name, column in zip(names, market, strict=True)}
    return Work("Black-Scholes, price and 3 first derivatives, 50 000 rows", arrays)


def call_price(m: Any, market: Sequence[Any]) -> Any:
    """The price of a European call."""
    spot, strike, time, rate, volatility = (market[k] for k in range(5))
    spread = volatility * m.sqrt(time)
    d1 = (m.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / spread

    def phi(x: Any) -> Any:
        return 0.5 + 0.5 * m.erf(x * 0.7071067811865476)

    return spot * phi(d1) - strike * m.exp(-rate * time) * phi(d1 - spread)


def lotka() -> Work:
    """Lotka-Volterra: 100 Runge-Kutta steps, and the gradient in the four rates."""
    rng = np.random.default_rng(0)
    return Work(
        "Lotka-Volterra, 100 Runge-Kutta steps, value and gradient, 4096 rows",
        {"rates": rng.uniform(0.5, 1.5, size=(4096, 4))},
    )


STEPS, STEP = 100, 0.02


def slopes(rates: Sequence[Any], x: Any, y: Any) -> tuple[Any, Any]:
    """The right-hand side of the equations."""
    return rates[0] * x - rates[1] * x * y, rates[2] * x * y - rates[3] * y


def advance(rates: Sequence[Any], x: Any, y: Any) -> tuple[Any, Any]:
    """One step of the classical Runge-Kutta method."""
    h = STEP
    a, b = slopes(rates, x, y)
    c, d = slopes(rates, x + 0.5 * h * a, y + 0.5 * h * b)
    e, f = slopes(rates, x + 0.5 * h * c, y + 0.5 * h * d)
    g, k = slopes(rates, x + h * e, y + h * f)
    return x + h / 6.0 * (a + 2.0 * c + 2.0 * e + g), y + h / 6.0 * (b + 2.0 * d + 2.0 * f + k)


def predators(rates: Sequence[Any]) -> Any:
    """The sum of both populations in the end."""
    x: Any = 1.0
    y: Any = 0.5
    for _ in range(STEPS):
        x, y = advance(rates, x, y)
    return x + y


def west() -> Work:
    """ "Fastest Autograd in the West" (Rogozhnikov 2023): a graph of 10 000 operations, run for one row."""
    return Work("10 000 mixed operations, value and gradient, one row", {"x": np.arange(100) * 0.01})


def mixed(m: Any, inputs: Sequence[Any], operations: int = 10_000) -> Any:
    """softplus, sums, products and softmax of earlier nodes, in turn."""
    nodes = list(inputs)
    for k in range(operations):
        if k % 4 == 0:
            nodes.append(m.log(1.0 + m.exp(nodes[-10])))
        elif k % 4 == 1:
            a, b, c, d = nodes[-30:-10:5]
            nodes.append(a + b + c + d)
        elif k % 4 == 2:
            nodes.append(nodes[-20] * nodes[-10])
        else:
            es = [m.exp(x) for x in nodes[-4:]]
            total = es[0] + es[1] + es[2] + es[3]
            nodes.extend(e / total for e in es)
    return nodes[-1]


def logistic(rows: int = 1_000_000) -> Work:
    """Logistic regression: the mean loss over a million rows of 10 features, and its gradient."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 10))
    w = rng.normal(size=11)
    t = (x @ w[:10] + w[10] + rng.normal(size=rows) > 0).astype(float)
    return Work("logistic regression, loss and gradient, 1 000 000 rows", {"x": x, "t": t, "w": w * 0.5})


WORKLOADS: dict[str, Callable[[], Work]] = {
    f.__name__: f for f in (moons, mlp30, bundle, greeks, options, lotka, west, logistic)
}
