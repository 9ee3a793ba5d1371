"""An independent oracle: every operation in mpmath's own functions, to 40 digits; slopes by mpmath's ``diff``."""

import math
import random

from mpmath import mp, mpf

import autograd.ops as ops

mp.dps = 40


def _clamp(x, low, high):
    return max(min(x, high), low)


def _log_sum(xs):
    return mp.log(sum(mp.exp(x) for x in xs))


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x))


REFERENCE = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "identity": lambda x: x,
    "neg": lambda x: -x,
    "pow": lambda x, y: x**y if x > 0 else x ** int(y),
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "fma": lambda x, y, w: x * y + w,
    "abs": abs,
    "sign": mp.sign,
    "copysign": lambda x, y: abs(x) * (1 if y >= 0 else -1),
    "exp": mp.exp,
    "exp2": lambda x: mpf(2) ** x,
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "log1p": mp.log1p,
    "log1mexp": lambda x: mp.log(1 - mp.exp(x)),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "xlogy": lambda x, y: x * mp.log(y),
    "xlog1py": lambda x, y: x * mp.log(1 + y),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "sec": mp.sec,
    "csc": mp.csc,
    "cot": mp.cot,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinpi": mp.sinpi,
    "cospi": mp.cospi,
    "radians": mp.radians,
    "degrees": mp.degrees,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sech": mp.sech,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "maximum": max,
    "minimum": min,
    "less": lambda x, y: mpf(x < y),
    "less_equal": lambda x, y: mpf(x <= y),
    "where": lambda c, x, y: x if c else y,
    "clamp": _clamp,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "round": mp.nint,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "fmod": lambda x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y)),
    "smooth_abs": lambda x, e: mp.sqrt(x * x + e * e),
    "smooth_maximum": lambda x, y, e: (x + y + mp.sqrt((x - y) ** 2 + e * e)) / 2,
    "smooth_minimum": lambda x, y, e: (x + y - mp.sqrt((x - y) ** 2 + e * e)) / 2,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "erfinv": mp.erfinv,
    "normal_cdf": mp.ncdf,
    "normal_quantile": lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1),
    "gamma": mp.gamma,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
    "digamma": mp.digamma,
    "polygamma": lambda n, x: mp.psi(int(n), x),
    "beta": mp.beta,
    "sigmoid": _sigmoid,
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, a: x if x > 0 else a * x,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "gelu": lambda x: x * mp.ncdf(x),
    "elu": lambda x, a: x if x > 0 else a * mp.expm1(x),
    "celu": lambda x, a: x if x > 0 else a * mp.expm1(x / a),
    "selu": lambda x: (
        mpf("1.0507009873554804934193349852946")
        * (x if x > 0 else mpf("1.6732632423543772848170429916717") * mp.expm1(x))
    ),
    "softsign": lambda x: x / (1 + abs(x)),
    "squareplus": lambda x, b: (x + mp.sqrt(x * x + b)) / 2,
    "hardtanh": lambda x: _clamp(x, mpf(-1), mpf(1)),
    "hardsigmoid": lambda x: _clamp(x / 6 + mpf(1) / 2, mpf(0), mpf(1)),
    "hardswish": lambda x: x * _clamp(x / 6 + mpf(1) / 2, mpf(0), mpf(1)),
    "sum": lambda *xs: sum(xs),
    "dot": lambda *xs: (
        sum(a * b for a, b in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=False))
        + (xs[-1] if len(xs) % 2 else 0)
    ),
    "logsumexp": lambda *xs: _log_sum(xs),
    "cross_entropy": lambda *xs: sum(
        t * (_log_sum(xs[: len(xs) // 2]) - z) for z, t in zip(xs, xs[len(xs) // 2 :], strict=False)
    ),
}

# The range of random points where an operand's domain is unbounded.
REACH = {"exp": 700.0, "sinh": 700.0, "cosh": 700.0, "expm1": 700.0, "exp2": 1000.0, "sigmoid": 700.0, "tanh": 300.0}


def random_operands(op: ops.Op, rng: random.Random) -> tuple[float, ...]:
    """A point inside the operation's domain, away from exact kinks."""
    reach = REACH.get(op.name, 10.0) if rng.random() < 0.3 else min(REACH.get(op.name, 4.0), 4.0)
    if op.name == "cross_entropy":
        n = rng.randrange(1, 5)
        ts = [rng.random() + 0.1 for _ in range(n)]
        rest = 1.0 - math.fsum(t / math.fsum(ts) for t in ts[1:])
        return (*[rng.uniform(-reach, reach) for _ in range(n)], rest, *[t / math.fsum(ts) for t in ts[1:]])
    if op.nary:
        return tuple(rng.uniform(-reach, reach) for _ in range(rng.randrange(1, 8)))
    if op.name == "where":
        return (float(rng.random() < 0.5), rng.uniform(-reach, reach), rng.uniform(-reach, reach))
    if op.name == "polygamma":
        return (float(rng.randrange(0, 4)), rng.uniform(0.01, reach))
    if op.name == "clamp":
        low, high = sorted((rng.uniform(-2, 2), rng.uniform(-2, 2)))
        return (rng.uniform(-reach, reach), low, high)
    point = []
    for interval in op.domain:
        low, high = (
            max(interval.low, -reach),
            min(interval.high, reach if interval.low == -math.inf else interval.low + reach),
        )
        x = rng.uniform(low, high)
        while x not in interval:
            x = rng.uniform(low, high)
        point.append(x)
    return tuple(point)


def exact_value(op: ops.Op, operands: tuple[float, ...]) -> mpf:
    """The value, to 40 digits."""
    return mpf(REFERENCE[op.name](*map(mpf, operands)))


# Where the value is flat to 40 digits, differences find no slope; these are the closed forms.
SLOPES = {
    "tanh": lambda x: mp.sech(x) ** 2,
    "sigmoid": lambda x: _sigmoid(x) * _sigmoid(-x),
    "expm1": mp.exp,
    "erf": lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
    "erfc": lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
}


def exact_partial(op: ops.Op, operands: tuple[float, ...], position: int) -> mpf:
    """One partial derivative, to at least 20 digits."""

    if op.name in SLOPES:
        return mpf(SLOPES[op.name](mpf(operands[0])))

    def along(x):
        return REFERENCE[op.name](*(x if k == position else mpf(v) for k, v in enumerate(operands)))

    return mpf(mp.diff(along, mpf(operands[position])))
