"""Mathematical functions as programs: range reduction and polynomials, in instructions that every processor has.

Each function is given a ``Maker`` and symbols, and writes instructions; what two functions compute of the same operand
is written once. Results are within 2 units in the last place of the true ones, special values included. Coefficients
come from ``tests/coefficients.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .coefficients import DOUBLE, SINGLE
from .program import Program
from .symbols import Symbol, Writer

_INF = math.inf


class Maker(Writer):
    """Writes instructions that round as they say: sums are never fused with products, and nothing is simplified.

    Args:
        single: for float32.
        wide: ``exponent`` and ``significand`` take every number.

    Attributes:
        table: the coefficients.
        bits: of a significand.
        largest: the exponent from which on numbers overflow.
    """

    def __init__(self, row_names: Sequence[str], shared_names: Sequence[str], single: bool, wide: bool) -> None:
        super().__init__(row_names, shared_names, strict=False)
        self.wide = wide
        self.table = SINGLE if single else DOUBLE
        self.single = single
        self.bits, self.largest = (24, 128) if single else (53, 1024)
        self.whole = 1.5 * 2.0 ** (self.bits - 1)  # added to a number, it rounds that to a whole one

    # fmt: off
    def add(self, x: Any, y: Any) -> Any: return self.write("add_unfused", x, y)
    def sub(self, x: Any, y: Any) -> Any: return self.write("sub_unfused", x, y)
    def mul(self, x: Any, y: Any) -> Any: return self.write("mul", x, y)
    def div(self, x: Any, y: Any) -> Any: return self.write("div", x, y)
    def neg(self, x: Any) -> Any: return self.write("neg", x)
    def abs(self, x: Any) -> Any: return self.write("abs", x)
    def copysign(self, x: Any, y: Any) -> Any: return self.write("copysign", x, y)
    def compare(self, op: str, x: Any, y: Any) -> Any: return self.write(op, x, y)
    def both(self, x: Any, y: Any) -> Any: return self.write("and", x, y)
    def either(self, x: Any, y: Any) -> Any: return self.write("or", x, y)
    def select(self, condition: Any, x: Any, y: Any) -> Any: return self.write("select", condition, x, y)
    def fma(self, x: Any, y: Any, z: Any) -> Any: return self.write("fma", x, y, z)
    def sqrt(self, x: Any) -> Any: return self.write("sqrt", x)
    def scale(self, x: Any, k: Any) -> Any: return self.write("scale", x, k)
    # fmt: on

    def choose(self, in_double: float, in_single: float) -> float:
        """A number that depends on the type."""
        return in_single if self.single else in_double

    def at_most(self, x: Any, bound: float) -> Any:
        """The smaller one; nan stays nan."""
        return self.select(bound < x, bound, x)

    def at_least(self, x: Any, bound: float) -> Any:
        """The larger one; nan stays nan."""
        return self.select(x < bound, bound, x)

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """The lowest coefficient first. Even and odd powers are two chains, so that processors do them side by side."""
        if len(coefficients) < 5:
            return self.horner(x, coefficients)
        square = x * x
        even, odd = self.horner(square, coefficients[::2]), self.horner(square, coefficients[1::2])
        return self.fma(odd, x, even)

    def horner(self, x: Any, coefficients: Sequence[float]) -> Any:
        """The same as one chain, which is more exact where even and odd powers cancel."""
        total: Any = coefficients[-1]
        for c in coefficients[-2::-1]:
            total = self.fma(total, x, c)
        return total


# Exponentials --------------------------------------------------------------------------------------------------------


def _reduced(m: Maker, x: Any) -> tuple[Any, Any, Any, Any]:
    """exp(x) = 2^k·exp(r): k; the larger part of r; r; (exp(r) − 1 − r)/r². Huge x count as ones that also overflow."""
    limit = m.choose(1000.0, 150.0)
    x = m.at_least(m.at_most(x, limit), -limit)
    (log2_e, _), (ln2, rest) = m.table.log2_e, m.table.ln2
    k = m.fma(x, log2_e, m.whole) - m.whole
    near = m.fma(k, -ln2, x)
    r = m.fma(k, -rest, near)
    return k, near, r, m.polynomial(r, m.table.exp)


def exp(m: Maker, x: Any) -> Any:
    """The exponential."""
    k, _, r, q = _reduced(m, x)
    return m.scale(m.fma(r * r, q, r) + 1.0, k)


def expm1(m: Maker, x: Any) -> Any:
    """exp(x) − 1 = 2^k·(p + (1 − 2^−k)) for p = exp(r) − 1, in which r counts with both its parts."""
    k, near, r, q = _reduced(m, x)
    p = near + m.fma(r * r, q, k * -m.table.ln2[1])
    result = m.scale(p + (1.0 - m.scale(1.0, -k)), k)
    return m.copysign(m.select(x < m.choose(-50.0, -25.0), -1.0, result), x)


def exp2(m: Maker, x: Any) -> Any:
    """2^x = 2^k·exp(r) for r = (x − k)·ln 2."""
    limit = m.choose(1100.0, 160.0)
    x = m.at_least(m.at_most(x, limit), -limit)
    k = (x + m.whole) - m.whole
    r = (x - k) * m.table.ln2[0]
    return m.scale(m.fma(r * r, m.polynomial(r, m.table.exp), r) + 1.0, k)


def _half_exp(m: Maker, x: Any) -> Any:
    """exp(x)/2, which overflows later than exp(x)."""
    k, _, r, q = _reduced(m, x)
    return m.scale(m.fma(r * r, q, r) + 1.0, k - 1.0)


def sinh(m: Maker, x: Any) -> Any:
    """A polynomial near 0; farther out e − 1/(4e) for e = exp(|x|)/2."""
    size, square = m.abs(x), x * x
    e = _half_exp(m, size)
    near = m.fma(size * square, m.polynomial(square, m.table.sinh), size)
    return m.copysign(m.select(size < 1.0, near, e - 0.25 / e), x)


def cosh(m: Maker, x: Any) -> Any:
    """e + 1/(4e) for e = exp(|x|)/2."""
    e = _half_exp(m, m.abs(x))
    return e + 0.25 / e


def tanh(m: Maker, x: Any) -> Any:
    """A polynomial near 0; farther out 1 − 2e/(1 + e) for e = exp(−2|x|)."""
    size, square = m.abs(x), x * x
    e = exp(m, size * -2.0)
    far = 1.0 - (e + e) / (e + 1.0)
    near = m.fma(size * square, m.polynomial(square, m.table.tanh), size)
    return m.copysign(m.select(size < 0.55, near, far), x)


# Logarithms ----------------------------------------------------------------------------------------------------------


def _normal(m: Maker, x: Any) -> tuple[Any, Any]:
    """Exponent and significand, also of numbers below the smallest normal one."""
    if m.wide:
        return m.write("exponent", x), m.write("significand", x)
    small = x < 2.0 ** (2 - m.largest)
    x = m.select(small, x * 2.0**m.bits, x)
    return m.write("exponent", x) - m.select(small, float(m.bits), 0.0), m.write("significand", x)


def _log_near(m: Maker, f: Any) -> tuple[Any, Any]:
    """ln(1 + f) = f − rest for f from −0.25 to 0.5: the rest in two parts, of which the second is small."""
    s = f / (f + 2.0)
    z = s * s
    half = f * 0.5 * f
    return half, s * m.fma(z, m.polynomial(z, m.table.log), half)


def _log_special(m: Maker, x: Any, result: Any) -> Any:
    """The result for ordinary x > 0, and what logarithms are for all others."""
    if m.wide:
        return result
    result = m.select(x < _INF, result, x)
    return m.select(m.compare("le", x, 0.0), m.select(x < 0.0, math.nan, -_INF), result)


def _log_sum(m: Maker, k: Any, f: Any) -> Any:
    half, small = _log_near(m, f)
    ln2, rest = m.table.ln2_short
    return m.fma(k, ln2, f - (half - m.fma(k, rest, small)))


def log(m: Maker, x: Any) -> Any:
    """The natural logarithm."""
    k, s = _normal(m, x)
    return _log_special(m, x, _log_sum(m, k, s - 1.0))


def log1p(m: Maker, x: Any) -> Any:
    """ln(1 + x), where 1 + x is computed with its rounding error."""
    u = x + 1.0
    large = x > 1.0
    error = m.select(large, 1.0 - (u - x), x - (u - 1.0))
    k, s = m.write("exponent", u), m.write("significand", u)
    f = (s - 1.0) + m.scale(error, m.at_most(-k, float(m.largest)))
    return m.copysign(_log_special(m, u, _log_sum(m, k, f)), x)


def _log_parts(m: Maker, x: Any) -> tuple[Any, Any, Any]:
    """ln x = k·ln 2 + y for whole k: k, y and its rounding error."""
    k, s = _normal(m, x)
    f = s - 1.0
    half, small = _log_near(m, f)
    less = half - small
    y = f - less
    return k, y, (f - y) - less


def log2(m: Maker, x: Any) -> Any:
    """k + y/ln 2."""
    k, y, low = _log_parts(m, x)
    factor, rest = m.table.log2_e
    return _log_special(m, x, m.fma(y, factor, k) + m.fma(low, factor, y * rest))


def log10(m: Maker, x: Any) -> Any:
    """(k·ln 2 + y)/ln 10."""
    k, y, low = _log_parts(m, x)
    (factor, rest), (step, step_rest) = m.table.log10_e, m.table.log10_2
    below = m.fma(k, step_rest, m.fma(low, factor, y * rest))
    return _log_special(m, x, m.fma(k, step, m.fma(y, factor, below)))


# Trigonometric functions ---------------------------------------------------------------------------------------------


def _quarter(m: Maker, x: Any) -> tuple[Any, tuple[Any, Any], tuple[Any, Any]]:
    """x = k·π/2 + r: k; sine and cosine of r, each as a sum of a number and a small one.

    π/2 has three parts, of which the first leaves no rounding error in the rest.
    """
    first, second, third = m.table.half_pi
    k = m.fma(x, m.table.two_over_pi[0], m.whole) - m.whole
    exact = m.fma(k, -first, x)
    step = k * second
    r = exact - step
    back = exact - r
    error = (exact - (r + back)) + (back - step)
    less = m.fma(k, third, m.fma(k, second, -step) - error)  # what r is too large by
    z = r * r
    sine = m.fma(r * z, m.polynomial(z, [-c for c in m.table.sin]), less)
    half = z * 0.5
    near = 1.0 - half
    rest = m.fma(z * z, m.polynomial(z, m.table.cos), (1.0 - near) - half)
    # The square's own rounding error counts too.
    return k, (r, -sine), (near, m.fma(r, less, m.fma(m.fma(r, r, -z), -0.5, rest)))


def _rounded(m: Maker, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """A sum of a number and a smaller one, rounded, and its rounding error (Dekker, 1971)."""
    total = pair[0] + pair[1]
    return total, (pair[0] - total) + pair[1]


def sin(m: Maker, x: Any) -> Any:
    """Sine or cosine of r, with a sign."""
    k, (r, s), (c, d) = _quarter(m, x)
    near = m.write("turn", m.select(m.write("odd", k), c + d, r + s), k)
    return m.write("sin_far", x, m.select(m.compare("eq", x, 0.0), x, near))


def cos(m: Maker, x: Any) -> Any:
    """The sine of x + π/2."""
    k, (r, s), (c, d) = _quarter(m, x)
    return m.write("cos_far", x, m.write("turn", m.select(m.write("odd", k), r + s, c + d), k + 1.0))


def tan(m: Maker, x: Any) -> Any:
    """sin r/cos r or −cos r/sin r, whose rounding errors count."""
    k, one, other = _quarter(m, x)
    (sine, s), (cosine, c) = _rounded(m, one), _rounded(m, other)
    odd = m.write("odd", k)
    below, b = m.select(odd, sine, cosine), m.select(odd, s, c)
    above, a = m.select(odd, -cosine, sine), m.select(odd, -c, s)
    inverse = 1.0 / below
    quotient = above * inverse
    rest = m.fma(-quotient, below, above) + m.fma(-quotient, b, a)
    return m.write("tan_far", x, m.select(m.compare("eq", x, 0.0), x, m.fma(rest, inverse, quotient)))


def atan(m: Maker, x: Any) -> Any:
    """A polynomial up to 1; beyond, π/2 − atan(1/x), where the rounding error of 1/x counts."""
    size = m.at_most(m.abs(x), 2.0 ** (m.bits + 7))
    large = size > 1.0
    inverse = 1.0 / size
    y = m.select(large, inverse, size)
    square = y * y
    rest = (y * square) * m.horner(square, m.table.atan)
    half_pi, low, _ = m.table.half_pi
    far = (half_pi - y) + (m.fma(m.fma(size, y, -1.0), y, low) - rest)
    return m.copysign(m.select(large, far, y + rest), x)


def atan2(m: Maker, y: Any, x: Any) -> Any:
    """The angle of (x, y): atan of the smaller one by the larger one, from the nearest axis on."""
    a, b = m.abs(y), m.abs(x)
    steep, left = b < a, m.copysign(1.0, x) < 0.0
    above, below = m.select(steep, b, a), m.select(steep, a, b)
    same = m.compare("eq", above, below)  # 0/0 counts as 0, inf/inf as 1
    q = m.select(same, m.select(m.compare("eq", below, 0.0), 0.0, 1.0), above / below)
    square = q * q
    error = m.select(below < _INF, m.fma(-q, below, above) / below, 0.0)  # of q
    error = m.select(same, 0.0, error)
    rest = m.fma(q * square, m.horner(square, m.table.atan), error)
    half_pi, low, _ = m.table.half_pi
    minus, one = m.select(left, -1.0, 1.0), m.select(left, 1.0, -1.0)
    sign = m.select(steep, one, minus)
    axis = m.select(steep, half_pi, m.select(left, 2.0 * half_pi, 0.0))
    axis_low = m.select(steep, low, m.select(left, 2.0 * low, 0.0))
    return m.copysign(m.fma(q, sign, axis) + m.fma(rest, sign, axis_low), y)


def _asin_parts(m: Maker, x: Any) -> tuple[Any, Any, Any]:
    """Whether |x| < 0.5; y and rest: asin(y) = y + rest for y = |x| there, else for y = √((1 − |x|)/2)."""
    size = m.abs(x)
    small = size < 0.5
    square = m.select(small, size * size, (1.0 - size) * 0.5)
    root = m.sqrt(square)
    y = m.select(small, size, root)
    error = m.select(small, 0.0, m.fma(-root, root, square) * (0.5 / root))
    error = m.select(m.compare("eq", size, 1.0), 0.0, error)
    return small, y, m.fma(y * square, m.polynomial(square, m.table.asin), error)


def asin(m: Maker, x: Any) -> Any:
    """Near ±1, π/2 − 2·asin(√((1 − |x|)/2))."""
    small, y, rest = _asin_parts(m, x)
    half_pi, low, _ = m.table.half_pi
    twice = y + y
    near = half_pi - twice
    far = near + (((half_pi - near) - twice) + (low - (rest + rest)))
    return m.copysign(m.select(small, y + rest, far), x)


def acos(m: Maker, x: Any) -> Any:
    """π/2 − asin(x), near 1 and −1 by the square root."""
    small, y, rest = _asin_parts(m, x)
    half_pi, low, _ = m.table.half_pi
    middle = half_pi - (m.copysign(y, x) - (low - m.copysign(rest, x)))
    twice = y + y
    right = twice + (rest + rest)
    left = 2.0 * half_pi - (twice - (2.0 * low - (rest + rest)))
    return m.select(small, middle, m.select(x < 0.0, left, right))


# The error function --------------------------------------------------------------------------------------------------


def erf(m: Maker, x: Any) -> Any:
    """A polynomial near 0; farther out 1 − exp(−x²)·erfcx(|x|), where erfcx is one in t = (|x| − 3)/(|x| + 3)."""
    square, size = x * x, m.at_most(m.abs(x), m.choose(6.0, 4.0))
    near = m.fma(x, m.polynomial(square, m.table.erf), x)
    share = 1.0 / (size + 3.0)
    erfcx = m.polynomial(m.fma(share, -6.0, 1.0), m.table.erfcx) * share
    far = m.copysign(m.fma(exp(m, -square), -erfcx, 1.0), x)
    return m.select(m.abs(x) < 1.0, near, far)


def _gaussian_tail(
    m: Maker, size: Any, square: Any, low: Any, slope: float, middle: float, coefficients: Sequence[float]
) -> Any:
    """exp(square + low)·(1 + P(t))/(1 + slope·size) for t = (size − middle)/(size + middle).

    The factors are multiplied with their rounding errors.
    """
    k, first, r, q = _reduced(m, square)
    e, rest = _rounded(m, (1.0, first))
    rest = rest + m.fma(r * r, q, k * -m.table.ln2[1])
    rest = m.fma(low, e + rest, rest)
    p = m.polynomial(m.fma(size + size, 1.0 / (size + middle), -1.0), coefficients)
    rest = m.fma(p, e + rest, rest)
    d = m.fma(size, slope, 1.0)
    inverse = 1.0 / d
    error = m.fma(m.fma(size, slope, 1.0 - d), -inverse, m.fma(-d, inverse, 1.0))
    result = m.fma(e, inverse, m.fma(rest, inverse, (e + rest) * (inverse * error)))
    return m.select(size < 8.0 * middle, m.scale(result, k), m.select(m.compare("eq", size, size), 0.0, size))


def erfc(m: Maker, x: Any) -> Any:
    """The complementary error function."""
    square = x * x
    tail = _gaussian_tail(m, m.abs(x), -square, m.fma(-x, x, square), 1.75, 3.5, m.table.erfc)
    return m.select(x < 0.0, 2.0 - tail, tail)


def twice_normal_cdf(m: Maker, x: Any, negative: bool) -> Any:
    """2·Φ(x), or 2·Φ(−x), which is erfc(x/√2) without the rounding error of x/√2. Φ's slope has exp(−x²/2) too."""
    half = x * -0.5
    square = half * x
    tail = _gaussian_tail(m, m.abs(x), square, m.fma(half, x, -square), 1.25, 5.0, m.table.normal)
    other = 2.0 - tail
    return m.select(x < 0.0, other, tail) if negative else m.select(x < 0.0, tail, other)


def normal_cdf(m: Maker, x: Any) -> Any:
    """Φ(x)."""
    return twice_normal_cdf(m, x, negative=False) * 0.5


def alone(name: str, count: int, single: bool, wide: bool) -> Program:
    """The program of one function; its operands are the row inputs."""
    maker = Maker([f"x{k}" for k in range(count)], [], single, wide)
    result = FUNCTIONS[name](maker, *[maker.input("row", k) for k in range(count)])
    maker.program.results.append(result.i)
    return maker.program


FUNCTIONS: dict[str, Callable[..., Symbol]] = {
    "exp": exp,
    "expm1": expm1,
    "tanh": tanh,
    "log": log,
    "log1p": log1p,
    "erf": erf,
    "erfc": erfc,
    "normal_cdf": normal_cdf,
    "exp2": exp2,
    "sinh": sinh,
    "cosh": cosh,
    "log2": log2,
    "log10": log10,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "atan": atan,
    "atan2": atan2,
    "asin": asin,
    "acos": acos,
}
