"""Special functions that Python's math lacks: computed by mpmath to 30 digits and rounded once.

They give inf where the result is too large for a float, and nan where there is none. Each returns quickly for every
operand: where mpmath would sum too many terms, a formula or a bound is used instead.
"""

from __future__ import annotations

import math
from functools import cache, reduce
from typing import Any

from .errors import MissingExtraError


@cache
def _mpmath() -> Any:
    try:
        from mpmath import MPContext
    except ImportError:
        raise MissingExtraError("mpmath", "special", "this special function") from None
    context: Any = MPContext()  # mpmath's global context, with its precision, belongs to the user
    context.dps = 30
    return context


def erfinv(x: float) -> float:
    """The inverse of erf."""
    return float(_mpmath().erfinv(x)) if -1.0 < x < 1.0 else math.inf * x if abs(x) == 1.0 else math.nan


def erfcx(x: float) -> float:
    """exp(x²)·erfc x."""
    mp = _mpmath()
    if x > 1e8:  # the next term of the series is 1/(2x²) times as large
        return float(1.0 / (mp.sqrt(mp.pi) * x))
    if x < -27.0:
        return math.inf
    return float(mp.exp(mp.mpf(x) ** 2) * mp.erfc(x))


def normal_quantile(x: float) -> float:
    """The inverse of the normal distribution function."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(x) if 0.0 < x < 1.0 else math.inf * (x - 0.5) if x in (0.0, 1.0) else math.nan


def digamma(x: float) -> float:
    """ψ, the slope of ln Γ."""
    if not math.isfinite(x):
        return x if x > 0 else math.nan
    return math.nan if _is_pole(x) else float(_mpmath().digamma(x))


def polygamma(n: float, x: float) -> float:
    """The n-th derivative of ψ for a whole n ≥ 0."""
    if not (n >= 0.0 and n.is_integer()) or x != x or x == -math.inf or _is_pole(x):
        return math.nan
    if n == 0.0:
        return digamma(x)
    if x < 0.0:
        return _reflected(int(n), x)
    return float((-1.0) ** (n + 1.0) * _hurwitz(int(n), x))


def _is_pole(x: float) -> bool:
    return x <= 0.0 and x.is_integer()


def _hurwitz(n: int, x: float) -> Any:
    """n!·Σ (x + k)^−(n+1) over all k ≥ 0, for n ≥ 1 and x > 0."""
    if x == math.inf:
        return 0.0
    mp = _mpmath()
    first = mp.loggamma(n + 1) - (n + 1) * mp.log(x)  # ln of the first term; the sum is at most 1 + x/n times it
    if first > 710.0:
        return math.inf
    if first + mp.log1p(mp.mpf(x) / n) < -746.0:
        return 0.0
    if n <= 170:
        return abs(mp.psi(n, x))
    # Here x < n, and each term is at most 1/e of the one before it.
    return mp.factorial(n) * mp.fsum((mp.mpf(x) + k) ** -(n + 1) for k in range(80))


def _reflected(n: int, x: float) -> float:
    """By ψ(1 − x) − ψ(x) = π·cot πx, differentiated n times, for x < 0."""
    mp = _mpmath()
    right = -_hurwitz(n, 1.0 - x)  # (−1)ⁿ·ψ⁽ⁿ⁾(1 − x)
    beside = x - round(x)  # the nearest pole
    if abs(beside) == 0.5 and n % 2 == 0:
        return float(right)  # the derivative of cot is 0 there
    if n > 170:
        return math.inf if n % 2 else math.copysign(math.inf, -beside)
    with mp.workdps(60):
        cot, slope = mp.cospi(beside) / mp.sinpi(beside), [mp.mpf(0), mp.mpf(1)]
        for _ in range(n):  # a polynomial in c = cot: c′ = −(1 + c²)
            down = [k * a for k, a in enumerate(slope)][1:]
            slope = [-(a + b) for a, b in zip([*down, 0, 0], [0, 0, *down], strict=True)]
        return float(right - mp.pi ** (n + 1) * reduce(lambda value, a: value * cot + a, reversed(slope)))


def beta(x: float, y: float) -> float:
    """Γ(x)Γ(y)/Γ(x + y) for positive x and y."""
    if not (x > 0.0 and y > 0.0):
        return math.nan
    if math.inf in (x, y):
        return 0.0
    mp = _mpmath()
    # ln Γ of a large number has many digits before its point, and differences of it lose as many.
    with mp.workdps(45 + int(math.log10(1.0 + max(x, y)))):
        x, y = mp.mpf(x), mp.mpf(y)
        return float(mp.exp(mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y)))


FUNCTIONS = {f.__name__: f for f in (erfinv, erfcx, normal_quantile, digamma, polygamma, beta)}
