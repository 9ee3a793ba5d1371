"""The rest of the operation table: special functions and activations. The rows are as in ``ops.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from .row import POSITIVE, REAL, UNIT, Interval, Op
from .rules import Carrier

_SQRT_HALF = math.sqrt(0.5)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)

# fmt: off

# Special functions ----------------------------------------------------------------------------------------------------

ERF = Op(
    "erf", "x", "erf(x)", ("2 / sqrt(pi) * exp(-(x ** 2))",),
    lambda m: m.erf,
    lambda m: lambda z, x: _TWO_OVER_SQRT_PI * m.exp(-x * x),
    saturates=True,
)
ERFC = Op(
    "erfc", "x", "erfc(x)", ("-2 / sqrt(pi) * exp(-(x ** 2))",),
    lambda m: m.erfc,
    lambda m: lambda z, x: -_TWO_OVER_SQRT_PI * m.exp(-x * x),
    saturates=True,
)


_ERFCX_TERMS = [math.prod(range(1, 2 * k + 2, 2)) * (-0.5) ** k for k in range(16)]


def _erfcx_slope_far_out(x: Any) -> Any:
    """The asymptotic series of 2x·erfcx(x) − 2/√π, whose two terms cancel; for x ≥ 10 it is exact up to rounding."""
    u = 1.0 / x
    return -0.5 * _TWO_OVER_SQRT_PI * u * u * _polynomial(_ERFCX_TERMS, u * u)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    return reduce(lambda value, c: value * x + c, reversed(coefficients))


ERFCX = Op(
    "erfcx", "x", "exp(x ** 2) * erfc(x)", ("2 * x * z - 2 / sqrt(pi)",),
    lambda m: m.erfcx,
    lambda m: lambda z, x: m.choose(x < 10.0, lambda: 2.0 * x * z - _TWO_OVER_SQRT_PI, lambda: _erfcx_slope_far_out(x)),
    note="x > −26.6, below which the result overflows", samples=((-2.0,), (0.3,), (1.5,), (5.0,)),
    finite=False, saturates=True,
)
ERFINV = Op(
    "erfinv", "x", "erfinv(x)", ("sqrt(pi) / 2 * exp(z ** 2)",),
    lambda m: m.erfinv,
    lambda m: lambda z, x: m.exp(z * z) / _TWO_OVER_SQRT_PI,
    domain=(UNIT,), symbol="erf⁻¹",
)
NORMAL_CDF = Op(
    "normal_cdf", "x", "normal_cdf(x)", ("exp(-(x ** 2) / 2) / sqrt(2 * pi)",),
    lambda m: lambda x: 0.5 * m.erfc(-x * _SQRT_HALF),
    lambda m: lambda z, x: m.exp(-0.5 * x * x) * (0.5 * _TWO_OVER_SQRT_PI * _SQRT_HALF),
    symbol="Φ", saturates=True,
)
NORMAL_QUANTILE = Op(
    "normal_quantile", "x", "normal_quantile(x)", ("sqrt(2 * pi) * exp(z ** 2 / 2)",),
    lambda m: m.normal_quantile,
    lambda m: lambda z, x: m.exp(0.5 * z * z) / (0.5 * _TWO_OVER_SQRT_PI * _SQRT_HALF),
    domain=(Interval(0.0, 1.0),), symbol="Φ⁻¹", samples=((0.001,), (0.2,), (0.5,), (0.93,)),
)
GAMMA = Op(
    "gamma", "x", "gamma(x)", ("z * digamma(x)",),
    lambda m: m.gamma,
    lambda m: lambda z, x: z * m.digamma(x),
    domain=(POSITIVE,), symbol="Γ", note="x < 171.6 that is no integer ≤ 0",
    samples=((0.3,), (1.0,), (2.5,), (9.0,), (-1.5,)), finite=False,
)
LGAMMA = Op(
    "lgamma", "x", "lgamma(x)", ("digamma(x)",),
    lambda m: m.lgamma,
    lambda m: lambda z, x: m.digamma(x),
    domain=(POSITIVE,), symbol="ln|Γ|", note="x that is no integer ≤ 0", finite=False,
)
DIGAMMA = Op(
    "digamma", "x", "digamma(x)", ("polygamma(1, x)",),
    lambda m: m.digamma,
    lambda m: lambda z, x: m.polygamma(1.0, x),
    domain=(POSITIVE,), symbol="ψ", note="x that is no integer ≤ 0", finite=False,
)
POLYGAMMA = Op(
    "polygamma", "n x", "polygamma(n, x)", ("0", "polygamma(n + 1, x)"),
    lambda m: lambda n, x: m.polygamma(n, x),
    lambda m: lambda z, n, x: math.nan * n * x,  # n is a whole number: no derivative, of any order
    lambda m: lambda z, n, x: m.polygamma(n + 1.0, x),
    domain=(POSITIVE, POSITIVE), symbol="ψ⁽ⁿ⁾", note="whole n ≥ 0, x that is no integer ≤ 0",
    samples=((0.0, 0.7), (1.0, 2.5), (2.0, 1.0)), convention="n is a whole number and has no slope (nan)", finite=False,
)


_SHIFT = 12  # from here on the error of the series of ψ is below rounding
_PSI_TERMS = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)  # B₂ₖ/2k


def _digamma_fall(m: Carrier, x: Any, y: Any) -> Any:
    """ψ(x) − ψ(x + y) for positive x and y without cancellation: term by term ψ's recurrence, then its series."""
    steps = [y / (x + y + k) / (x + k) for k in map(float, range(_SHIFT))]
    a, b = x + float(_SHIFT), x + y + float(_SHIFT)
    u, v = 1.0 / a, 1.0 / b
    fall = y * u * v  # u − v
    p, q = u * u, v * v
    series, powers, last = 0.0, 1.0, 1.0  # powers: (pᵏ − qᵏ)/(p − q)
    for c in _PSI_TERMS:
        series = series + c * powers
        last = last * q
        powers = p * powers + last
    return -(m.sum(steps) + m.log1p(y / a) + 0.5 * fall + fall * (u + v) * series)


BETA = Op(
    "beta", "x y", "beta(x, y)", ("z * (digamma(x) - digamma(x + y))", "z * (digamma(y) - digamma(x + y))"),
    lambda m: lambda x, y: m.beta(x, y),
    lambda m: lambda z, x, y: z * _digamma_fall(m, x, y),
    lambda m: lambda z, x, y: z * _digamma_fall(m, y, x),
    domain=(POSITIVE, POSITIVE), symbol="B", samples=((0.5, 2.0), (3.0, 1.5), (1.0, 1.0)), finite=False,
)


# Activations ----------------------------------------------------------------------------------------------------------


def _sigmoid(m: Carrier) -> Callable[[Any], Any]:
    def sigmoid(x: Any) -> Any:
        e = m.exp(-m.abs(x))  # never above 1: no overflow on either side
        return m.where(x >= 0, 1.0, e) / (1.0 + e)

    return sigmoid


SIGMOID = Op(
    "sigmoid", "x", "sigmoid(x)", ("z * (1 - z)",),
    _sigmoid,
    # z(1 − z), also where 1 − z would cancel
    lambda m: lambda z, x: m.choose(x < 1.225, lambda: z - z * z, lambda: z * m.sigmoid(-x)),
    symbol="σ", saturates=True, activation=True,
)
SOFTPLUS = Op(
    "softplus", "x", "log(1 + exp(x))", ("sigmoid(x)",),
    lambda m: lambda x: m.maximum(x, 0.0) + m.log1p(m.exp(-m.abs(x))),
    lambda m: lambda z, x: m.sigmoid(x),
    symbol="ln(1+eˣ)", saturates=True, activation=True, rectifier=True,
)
LOG_SIGMOID = Op(
    "log_sigmoid", "x", "log(sigmoid(x))", ("sigmoid(-x)",),
    lambda m: lambda x: -m.softplus(-x),
    lambda m: lambda z, x: m.sigmoid(-x),
    symbol="ln σ", saturates=True, activation=True,
)
LOGIT = Op(
    "logit", "x", "log(x / (1 - x))", ("1 / (x * (1 - x))",),
    lambda m: lambda x: m.choose(
        (x > 0.25) & (x < 0.75), lambda: 2.0 * m.atanh(2.0 * x - 1.0), lambda: m.log(x) - m.log1p(-x)
    ),
    # Where 1 − x is rounded to 1, it has no slope: second derivatives would be inf − inf.
    lambda m: lambda z, x: 1.0 / (x * m.where(x > 1e-20, 1.0 - x, 1.0)),
    domain=(Interval(0.0, 1.0),), symbol="σ⁻¹", samples=((0.01,), (0.3,), (0.5,), (0.9,)),
)
RELU = Op(
    "relu", "x", "relu(x)", ("1 if x > 0 else 0",),
    lambda m: lambda x: m.where(x <= 0, 0.0, x),
    lambda m: lambda z, x: m.where(z <= 0, 0.0, 1.0),
    kink=lambda x: x, convention="slope 0 at 0", symbol="relu", flat=True, activation=True, rectifier=True,
)
LEAKY_RELU = Op(
    "leaky_relu", "x a", "x if x > 0 else a * x", ("1 if x > 0 else a", "0 if x > 0 else x"),
    lambda m: lambda x, a: m.where(x > 0, x, a * x),
    lambda m: lambda z, x, a: m.where(x > 0, 1.0, a),
    lambda m: lambda z, x, a: m.where(x > 0, 0.0, x),
    samples=((2.0, 0.01), (-3.0, 0.2)), kink=lambda x, a: x, convention="slope a at 0", symbol="lrelu",
    activation=True, rectifier=True,
)
ELU = Op(
    "elu", "x a", "x if x > 0 else a * expm1(x)", ("1 if x > 0 else a * exp(x)", "0 if x > 0 else expm1(x)"),
    lambda m: lambda x, a: m.choose(x > 0, lambda: x, lambda: a * m.expm1(x)),
    lambda m: lambda z, x, a: m.choose(x > 0, lambda: 1.0, lambda: a * m.exp(x)),
    lambda m: lambda z, x, a: m.choose(x > 0, lambda: 0.0, lambda: m.expm1(x)),
    samples=((2.0, 1.0), (-3.0, 0.7), (-0.1, 1.0)), kink=lambda x, a: x, convention="slope a at 0",
    saturates=True, activation=True, rectifier=True,
)


_CELU_TERMS = [(k - 1.0) / math.factorial(k) for k in range(2, 22)]


def _celu_slope(m: Carrier, u: Any) -> Any:
    """expm1(u) − u·exp(u) for u ≤ 0; near 0, where its terms cancel, by its series."""
    return m.choose(
        u > -1.0, lambda: -u * u * _polynomial(_CELU_TERMS, u), lambda: m.expm1(u) - u * m.exp(u)
    )


CELU = Op(
    "celu", "x a", "x if x > 0 else a * expm1(x / a)",
    ("1 if x > 0 else exp(x / a)", "0 if x > 0 else expm1(x / a) - x / a * exp(x / a)"),
    lambda m: lambda x, a: m.choose(x > 0, lambda: x, lambda: a * m.expm1(x / a)),
    lambda m: lambda z, x, a: m.choose(x > 0, lambda: 1.0, lambda: m.exp(x / a)),
    lambda m: lambda z, x, a: m.choose(x > 0, lambda: 0.0, lambda: _celu_slope(m, x / a)),
    domain=(REAL, POSITIVE), samples=((2.0, 1.0), (-3.0, 0.7), (-0.1, 2.0)),
    saturates=True, activation=True, rectifier=True,
)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. (2017)


SELU = Op(
    "selu", "x", "selu(x)", ("s if x > 0 else s * a * exp(x)",),
    lambda m: lambda x: _SELU_SCALE * m.choose(x > 0, lambda: x, lambda: _SELU_ALPHA * m.expm1(x)),
    lambda m: lambda z, x: _SELU_SCALE * m.choose(x > 0, lambda: 1.0, lambda: _SELU_ALPHA * m.exp(x)),
    kink=lambda x: x, convention="the slope from the left at 0; s = 1.0507, a = 1.6733",
    saturates=True, activation=True, rectifier=True,
)
SILU = Op(
    "silu", "x", "x * sigmoid(x)", ("sigmoid(x) * (1 + x * sigmoid(-x))",),
    lambda m: lambda x: x * m.sigmoid(x),
    lambda m: lambda z, x: m.sigmoid(x) * (1.0 + x * m.sigmoid(-x)),
    activation=True, rectifier=True,
)
MISH = Op(
    "mish", "x", "x * tanh(log(1 + exp(x)))",
    ("tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x)) ** 2)",),
    lambda m: lambda x: x * m.tanh(m.softplus(x)),
    lambda m: lambda z, x: m.tanh(m.softplus(x)) + x * m.sigmoid(x) * m.square(m.sech(m.softplus(x))),
    activation=True, rectifier=True,
)
GELU = Op(
    "gelu", "x", "x * normal_cdf(x)", ("normal_cdf(x) + x * exp(-(x ** 2) / 2) / sqrt(2 * pi)",),
    lambda m: lambda x: x * m.normal_cdf(x),
    lambda m: lambda z, x: m.normal_cdf(x) + x * m.exp(-0.5 * x * x) * (0.5 * _TWO_OVER_SQRT_PI * _SQRT_HALF),
    activation=True, rectifier=True,
)
SOFTSIGN = Op(
    "softsign", "x", "x / (1 + abs(x))", ("1 / (1 + abs(x)) ** 2",),
    lambda m: lambda x: x / (1.0 + m.abs(x)),
    lambda m: lambda z, x: m.square(1.0 / (1.0 + m.abs(x))),
    saturates=True, activation=True,
)


def _squareplus_slope(m: Carrier, x: Any, b: Any) -> Any:
    """½(1 + x/h) with h = √(x² + b), without cancellation: h − x is b/(h + x)."""
    h = m.hypot(x, m.sqrt(b))
    smaller = 0.5 * b / (h + m.abs(x)) / h
    return m.where(x >= 0, 1.0 - smaller, smaller)


SQUAREPLUS = Op(
    "squareplus", "x b", "(x + sqrt(x ** 2 + b)) / 2", ("(1 + x / sqrt(x ** 2 + b)) / 2", "1 / (4 * sqrt(x ** 2 + b))"),
    lambda m: lambda x, b: m.choose(
        x >= 0, lambda: 0.5 * (x + m.hypot(x, m.sqrt(b))), lambda: 0.5 * b / (m.hypot(x, m.sqrt(b)) - x)
    ),
    lambda m: lambda z, x, b: _squareplus_slope(m, x, b),
    lambda m: lambda z, x, b: 0.25 / m.hypot(x, m.sqrt(b)),
    domain=(REAL, POSITIVE), saturates=True, activation=True, rectifier=True,
)
HARDTANH = Op(
    "hardtanh", "x", "min(max(x, -1), 1)", ("1 if -1 < x < 1 else 0",),
    lambda m: lambda x: m.clamp(x, -1.0, 1.0),
    lambda m: lambda z, x: m.where((x <= -1) | (x >= 1), 0.0, 1.0),
    kink=lambda x: abs(x) - 1.0, convention="slope 0 at ±1", flat=True, activation=True,
)
HARDSIGMOID = Op(
    "hardsigmoid", "x", "min(max((x + 3) / 6, 0), 1)", ("1 / 6 if -3 < x < 3 else 0",),
    lambda m: lambda x: m.clamp((x + 3.0) / 6.0, 0.0, 1.0),
    lambda m: lambda z, x: m.where((x <= -3) | (x >= 3), 0.0, 1.0 / 6.0),
    kink=lambda x: abs(x) - 3.0, convention="slope 0 at ±3", flat=True, activation=True,
)
HARDSWISH = Op(
    "hardswish", "x", "x * min(max((x + 3) / 6, 0), 1)", ("0 if x <= -3 else 1 if x >= 3 else (x + 3 / 2) / 3",),
    lambda m: lambda x: x * m.hardsigmoid(x),
    lambda m: lambda z, x: m.where(x <= -3, 0.0, m.where(x >= 3, 1.0, (x + 1.5) / 3.0)),
    kink=lambda x: abs(x) - 3.0, convention="slope 0 at −3 and 1 at 3", flat=True, activation=True, rectifier=True,
)
# fmt: on
