"""The operation table: one row is everything the library knows about an operation.

A row holds a name, a formula, the rule for the value, one rule for each partial derivative and how that derivative is
written, the domain, the convention at a kink, sample points for the tests, and all special properties of the
operation: no other file repeats them. Rules are written once for every carrier of numbers:
``lambda m: lambda z, x: …`` is given the carrier's functions ``m`` and returns the rule on its numbers, where ``z`` is
the operation's own result. ``m.where`` computes both its branches. ``m.choose`` computes only the
chosen one, if the carrier knows which that is. Formulas and slopes are Python expressions in the operands' names;
``notation.py`` prints them as text and LaTeX. ``row.py`` explains the columns. Special functions and activations are in
``ops_special.py``. This file does not depend on the graph.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .carriers import FLOATS, IEEE
from .row import NONZERO as NONZERO
from .row import POSITIVE as POSITIVE
from .row import REAL as REAL
from .row import TABLE as TABLE
from .row import UNIT as UNIT
from .row import Interval as Interval
from .row import Op as Op
from .row import lookup as lookup
from .rules import Carrier
from .text import shortened

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_LARGEST = sys.float_info.max

# fmt: off

# The simplest rows: a name, the operands, a formula, the slopes as they are written; then the rule for the value and
# one for each slope. All others follow this pattern.

ADD = Op(
    "add", "x y", "x + y", ("1", "1"),
    lambda m: lambda x, y: x + y,
    lambda m: lambda z, x, y: 1.0,
    lambda m: lambda z, x, y: 1.0,
    symbol="+",
)
MUL = Op(
    "mul", "x y", "x * y", ("y", "x"),
    lambda m: lambda x, y: x * y,
    lambda m: lambda z, x, y: y,
    lambda m: lambda z, x, y: x,
    symbol="×",
)
EXP = Op(
    "exp", "x", "exp(x)", ("z",),
    lambda m: m.exp,
    lambda m: lambda z, x: z,
    note="x ≤ 709.78, beyond which the result overflows", finite=False, saturates=True,
)

# Arithmetic -----------------------------------------------------------------------------------------------------------

SUB = Op(
    "sub", "x y", "x - y", ("1", "-1"),
    lambda m: lambda x, y: x - y,
    lambda m: lambda z, x, y: 1.0,
    lambda m: lambda z, x, y: -1.0,
    symbol="−",
)
DIV = Op(
    "div", "x y", "x / y", ("1 / y", "-z / y"),
    lambda m: lambda x, y: x / y,
    lambda m: lambda z, x, y: 1.0 / y,
    lambda m: lambda z, x, y: -z / y,
    domain=(REAL, NONZERO), symbol="÷",
)
NEG = Op(
    "neg", "x", "-x", ("-1",),
    lambda m: lambda x: -x,
    lambda m: lambda z, x: -1.0,
    symbol="−",
)
IDENTITY = Op(
    "identity", "x", "x", ("1",),
    lambda m: lambda x: x,
    lambda m: lambda z, x: 1.0,
    symbol="=",
)
SQUARE = Op(
    "square", "x", "x ** 2", ("2 * x",),
    lambda m: lambda x: x * x,
    lambda m: lambda z, x: 2.0 * x,
    symbol="x²",
)
RECIPROCAL = Op(
    "reciprocal", "x", "1 / x", ("-(z ** 2)",),
    lambda m: lambda x: 1.0 / x,
    lambda m: lambda z, x: -z * z,
    domain=(NONZERO,), symbol="1/x",
)
FMA = Op(
    "fma", "x y w", "x * y + w", ("y", "x", "1"),
    lambda m: lambda x, y, w: x * y + w,
    lambda m: lambda z, x, y, w: y,
    lambda m: lambda z, x, y, w: x,
    lambda m: lambda z, x, y, w: 1.0,
)

# Powers and roots -----------------------------------------------------------------------------------------------------


def is_zero(x: Any) -> Any:
    """Whether x is 0, on any carrier: not by ==, which compares Values by identity."""
    return (x >= 0) & (x <= 0)


def _pow_slope(m: Carrier) -> Callable[[Any, Any, Any], Any]:
    """y·x^(y−1), computed from z/x where y − 1 would be rounded; x⁰ has slope 0 also where x is 0, inf or nan.

    At x = 0 the exponent is held constant, so that second derivatives keep the convention that 0ʸ has slope 0 in y.
    """

    def by_power(x: Any, y: Any) -> Any:
        return y * m.pow(x, y - 1.0)

    def unusual(x: Any, y: Any) -> Any:
        return m.choose(is_zero(x), lambda: by_power(x, m.detach(y)), lambda: by_power(x, y))

    def slope(z: Any, x: Any, y: Any) -> Any:
        return m.choose(
            (m.abs(x) > 0) & (m.abs(x) <= _LARGEST),
            lambda: m.choose(y >= 0.5, lambda: y * m.pow(x, y - 1.0), lambda: y * z / x),
            lambda: m.choose(is_zero(y), lambda: 0.0, lambda: unusual(x, y)),
        )

    return slope


POW = Op(
    "pow", "x y", "x ** y", ("y * x ** (y - 1)", "z * log(x)"),
    lambda m: lambda x, y: m.pow(x, y),
    _pow_slope,
    lambda m: lambda z, x, y: m.choose(is_zero(x), lambda: 0.0, lambda: z * m.log(x)),
    domain=(POSITIVE, REAL), symbol="^",
    samples=((0.5, 2.0), (2.0, -1.5), (3.0, 0.0), (-2.0, 3.0), (-1.5, -2.0), (1.0, 4.5)),
    note="x > 0; x = 0 with y ≥ 0; x < 0 with a whole y",
    kink=lambda x, y: x if y <= 1 else 1.0,
    convention="x⁰ has slope 0 in x everywhere; at x = 0 the value and all slopes have slope 0 in y",
    finite=lambda x, y: y is not None and y >= 1.0 and y.is_integer(),
)
SQRT = Op(
    "sqrt", "x", "sqrt(x)", ("1 / (2 * z)",),
    lambda m: m.sqrt,
    lambda m: lambda z, x: 0.5 / z,
    domain=(POSITIVE,), symbol="√", note="x ≥ 0", convention="slope inf at 0",
)
CBRT = Op(
    "cbrt", "x", "cbrt(x)", ("1 / (3 * z ** 2)",),
    lambda m: m.cbrt,
    # z/(3x) is more exact than 1/(3z²), but nan at 0 and inf
    lambda m: lambda z, x: m.choose(
        (m.abs(x) > 1e-100) & (m.abs(x) <= _LARGEST), lambda: z / x / 3.0, lambda: 1.0 / (3.0 * z) / z
    ),
    symbol="∛", samples=((-8.0,), (-0.3,), (0.5,), (27.0,)), convention="slope inf at 0",
)


def _share(m: Carrier, z: Any, x: Any, y: Any) -> Any:
    """x/z for z = √(x² + y²). Where |x| > |y| it is ±(1 − y²/(z² + |x|z)), whose own slopes do not cancel."""
    share, other = x / z, y / z
    size, square = m.abs(share), other * other
    return m.where(size * size > square, m.copysign(1.0 - square / (1.0 + size), share), share)


HYPOT = Op(
    "hypot", "x y", "hypot(x, y)", ("x / z", "y / z"),
    lambda m: lambda x, y: m.hypot(x, y),
    lambda m: lambda z, x, y: m.where(is_zero(z), 0.0, _share(m, z, x, y)),
    lambda m: lambda z, x, y: m.where(is_zero(z), 0.0, _share(m, z, y, x)),
    kink=lambda x, y: abs(x) + abs(y), convention="slopes 0 at (0, 0), of every order, as of abs at 0",
)

# Exponentials and logarithms ------------------------------------------------------------------------------------------

EXP2 = Op(
    "exp2", "x", "2 ** x", ("z * log(2)",),
    lambda m: lambda x: m.pow(2.0, x),
    lambda m: lambda z, x: z * _LN2,
    symbol="2ˣ", note="x < 1024, from which on the result overflows", finite=False, saturates=True,
)
EXPM1 = Op(
    "expm1", "x", "expm1(x)", ("exp(x)",),
    lambda m: m.expm1,
    lambda m: lambda z, x: m.exp(x),
    symbol="eˣ−1", note="x ≤ 709.78, beyond which the result overflows", finite=False, saturates=True,
)
LOG = Op(
    "log", "x", "log(x)", ("1 / x",),
    lambda m: m.log,
    lambda m: lambda z, x: 1.0 / x,
    domain=(POSITIVE,), symbol="ln",
)
LOG2 = Op(
    "log2", "x", "log2(x)", ("1 / (x * log(2))",),
    lambda m: m.log2,
    lambda m: lambda z, x: 1.0 / (x * _LN2),
    domain=(POSITIVE,), symbol="log₂",
)
LOG10 = Op(
    "log10", "x", "log10(x)", ("1 / (x * log(10))",),
    lambda m: m.log10,
    lambda m: lambda z, x: 1.0 / (x * _LN10),
    domain=(POSITIVE,), symbol="log₁₀",
)
LOG1P = Op(
    "log1p", "x", "log1p(x)", ("1 / (1 + x)",),
    lambda m: m.log1p,
    lambda m: lambda z, x: 1.0 / (1.0 + x),
    domain=(Interval(low=-1.0),), symbol="ln(1+x)", samples=((-0.9,), (-0.01,), (0.3,), (5.0,)),
)
LOG1MEXP = Op(
    "log1mexp", "x", "log(1 - exp(x))", ("exp(x) / expm1(x)",),
    # Maechler (2012): each form where the other one cancels.
    lambda m: lambda x: m.choose(x > -_LN2, lambda: m.log(-m.expm1(x)), lambda: m.log1p(-m.exp(x))),
    lambda m: lambda z, x: m.exp(x) / m.expm1(x),
    domain=(Interval(high=0.0),), symbol="ln(1−eˣ)", samples=((-20.0,), (-1.0,), (-0.5,), (-0.001,)),
)


def _logaddexp(m: Carrier) -> Callable[[Any, Any], Any]:
    def logaddexp(x: Any, y: Any) -> Any:
        top = m.maximum(x, y)
        return m.choose(is_zero(top - top), lambda: top + m.log1p(m.exp(-m.abs(x - y))), lambda: top)

    return logaddexp


LOGADDEXP = Op(
    "logaddexp", "x y", "log(exp(x) + exp(y))", ("exp(x - z)", "exp(y - z)"),
    _logaddexp,
    lambda m: lambda z, x, y: m.sigmoid(x - y),
    lambda m: lambda z, x, y: m.sigmoid(y - x),
    symbol="ln(eˣ+eʸ)", saturates=True,
)
XLOGY = Op(
    "xlogy", "x y", "x * log(y)", ("log(y)", "x / y"),
    lambda m: lambda x, y: m.choose(is_zero(x), lambda: 0.0, lambda: x * m.log(y)),
    lambda m: lambda z, x, y: m.log(y),
    lambda m: lambda z, x, y: x / y,
    domain=(REAL, POSITIVE), symbol="x·ln y", note="y > 0; x = 0 with any y", convention="0·ln 0 = 0",
)
XLOG1PY = Op(
    "xlog1py", "x y", "x * log1p(y)", ("log1p(y)", "x / (1 + y)"),
    lambda m: lambda x, y: m.choose(is_zero(x), lambda: 0.0, lambda: x * m.log1p(y)),
    lambda m: lambda z, x, y: m.log1p(y),
    lambda m: lambda z, x, y: x / (1.0 + y),
    domain=(REAL, Interval(low=-1.0)), symbol="x·ln(1+y)", note="y > −1; x = 0 with any y",
    samples=((2.0, -0.5), (-1.0, 0.01), (0.0, 3.0)), convention="0·ln 0 = 0",
)

# Trigonometric functions ----------------------------------------------------------------------------------------------

SIN = Op(
    "sin", "x", "sin(x)", ("cos(x)",),
    lambda m: m.sin,
    lambda m: lambda z, x: m.cos(x),
    note="finite x", activation=True,
)
COS = Op(
    "cos", "x", "cos(x)", ("-sin(x)",),
    lambda m: m.cos,
    lambda m: lambda z, x: -m.sin(x),
    note="finite x",
)
TAN = Op(
    "tan", "x", "tan(x)", ("1 + z ** 2",),
    lambda m: m.tan,
    lambda m: lambda z, x: 1.0 + z * z,
    note="finite x",
)
SEC = Op(
    "sec", "x", "sec(x)", ("z * tan(x)",),
    lambda m: lambda x: 1.0 / m.cos(x),
    lambda m: lambda z, x: z * m.tan(x),
    note="finite x",
)
CSC = Op(
    "csc", "x", "csc(x)", ("-z / tan(x)",),
    lambda m: lambda x: 1.0 / m.sin(x),
    lambda m: lambda z, x: -z / m.tan(x),
    domain=(NONZERO,), note="finite x that is no multiple of π", finite=False,
)
COT = Op(
    "cot", "x", "cot(x)", ("-1 - z ** 2",),
    lambda m: lambda x: 1.0 / m.tan(x),
    lambda m: lambda z, x: -1.0 - z * z,
    domain=(NONZERO,), note="finite x that is no multiple of π", finite=False,
)


def _one_minus_square(m: Carrier, x: Any) -> Any:
    """1 − x² without cancellation: near ±1 in itself, near 0 in its slope."""
    return m.choose(m.abs(x) < 0.5, lambda: 1.0 - x * x, lambda: (1.0 - x) * (1.0 + x))


ASIN = Op(
    "asin", "x", "asin(x)", ("1 / sqrt(1 - x ** 2)",),
    lambda m: m.asin,
    lambda m: lambda z, x: 1.0 / m.sqrt(_one_minus_square(m, x)),
    domain=(UNIT,), symbol="arcsin", note="−1 ≤ x ≤ 1", convention="slope inf at ±1",
)
ACOS = Op(
    "acos", "x", "acos(x)", ("-1 / sqrt(1 - x ** 2)",),
    lambda m: m.acos,
    lambda m: lambda z, x: -1.0 / m.sqrt(_one_minus_square(m, x)),
    domain=(UNIT,), symbol="arccos", note="−1 ≤ x ≤ 1", convention="slope −inf at ±1",
)
ATAN = Op(
    "atan", "x", "atan(x)", ("1 / (1 + x ** 2)",),
    lambda m: m.atan,
    lambda m: lambda z, x: 1.0 / (1.0 + x * x),
    symbol="arctan", saturates=True,
)


def _over_square(m: Carrier, x: Any, h: Any) -> Any:
    """x/h², or 0 where h is; in two steps, so that h² need not be a float."""
    return m.choose(is_zero(h), lambda: 0.0, lambda: x / h / h)


ATAN2 = Op(
    "atan2", "y x", "atan2(y, x)", ("x / (x ** 2 + y ** 2)", "-y / (x ** 2 + y ** 2)"),
    lambda m: lambda y, x: m.atan2(y, x),
    lambda m: lambda z, y, x: _over_square(m, x, m.hypot(x, y)),
    lambda m: lambda z, y, x: _over_square(m, -y, m.hypot(x, y)),
    convention="slopes 0 at (0, 0)", note="any y and x; jumps by 2π across y = 0, x < 0",
    kink=lambda y, x: y if x <= 0 else 1.0,
)


def _sinpi(m: Carrier, x: Any) -> Any:
    x = x - 2.0 * m.round(0.5 * x)  # exact; now |x| ≤ 1
    x = m.where(x > 0.5, 1.0 - x, m.where(x < -0.5, -1.0 - x, x))
    return m.sin(math.pi * x)


SINPI = Op(
    "sinpi", "x", "sin(pi * x)", ("pi * cos(pi * x)",),
    lambda m: lambda x: _sinpi(m, x),
    lambda m: lambda z, x: math.pi * m.cospi(x),
    symbol="sin πx", note="finite x",
)
COSPI = Op(
    "cospi", "x", "cos(pi * x)", ("-pi * sin(pi * x)",),
    lambda m: lambda x: _sinpi(m, 0.5 - m.abs(x - 2.0 * m.round(0.5 * x))),
    lambda m: lambda z, x: -math.pi * m.sinpi(x),
    symbol="cos πx", note="finite x",
)
RADIANS = Op(
    "radians", "x", "x * pi / 180", ("pi / 180",),
    lambda m: lambda x: x * (math.pi / 180.0),
    lambda m: lambda z, x: math.pi / 180.0,
    symbol="rad",
)
DEGREES = Op(
    "degrees", "x", "x * 180 / pi", ("180 / pi",),
    lambda m: lambda x: x * (180.0 / math.pi),
    lambda m: lambda z, x: 180.0 / math.pi,
    symbol="deg",
)

# Hyperbolic functions -------------------------------------------------------------------------------------------------

SINH = Op(
    "sinh", "x", "sinh(x)", ("cosh(x)",),
    lambda m: m.sinh,
    lambda m: lambda z, x: m.cosh(x),
    note="|x| ≤ 710.47, beyond which the result overflows", finite=False,
)
COSH = Op(
    "cosh", "x", "cosh(x)", ("sinh(x)",),
    lambda m: m.cosh,
    lambda m: lambda z, x: m.sinh(x),
    note="|x| ≤ 710.47, beyond which the result overflows", finite=False,
)
SECH = Op(
    "sech", "x", "sech(x)", ("-z * tanh(x)",),
    lambda m: lambda x: m.choose(m.abs(x) < 20.0, lambda: 1.0 / m.cosh(x), lambda: 2.0 * m.exp(-m.abs(x))),
    lambda m: lambda z, x: -z * m.tanh(x),
)


def _sech_squared(m: Carrier, x: Any) -> Any:
    e = m.exp(-2.0 * m.abs(x))
    return 4.0 * e / m.square(1.0 + e)


TANH = Op(
    "tanh", "x", "tanh(x)", ("1 - z ** 2",),
    lambda m: m.tanh,
    # 1 − z², also where that would cancel
    lambda m: lambda z, x: m.choose(m.abs(x) < 0.6, lambda: 1.0 - z * z, lambda: _sech_squared(m, x)),
    saturates=True, activation=True,
)
ASINH = Op(
    "asinh", "x", "asinh(x)", ("1 / sqrt(x ** 2 + 1)",),
    lambda m: m.asinh,
    lambda m: lambda z, x: 1.0 / m.hypot(x, 1.0),
    symbol="arsinh",
)
ACOSH = Op(
    "acosh", "x", "acosh(x)", ("1 / sqrt(x ** 2 - 1)",),
    lambda m: m.acosh,
    # Two divisions: at x = 1 all terms of further derivatives are infinite, and so they have the same sign.
    lambda m: lambda z, x: 1.0 / m.sqrt(x - 1.0) / m.sqrt(x + 1.0),
    domain=(Interval(low=1.0),), symbol="arcosh", note="x ≥ 1", convention="slope inf at 1",
    samples=((1.01,), (1.5,), (4.0,), (100.0,)),
)
ATANH = Op(
    "atanh", "x", "atanh(x)", ("1 / (1 - x ** 2)",),
    lambda m: m.atanh,
    lambda m: lambda z, x: 1.0 / _one_minus_square(m, x),
    domain=(UNIT,), symbol="artanh",
)

# Signs and choices ----------------------------------------------------------------------------------------------------

ABS = Op(
    "abs", "x", "abs(x)", ("sign(x)",),
    lambda m: m.abs,
    lambda m: lambda z, x: m.sign(x),
    kink=lambda x: x, convention="slope 0 at 0", symbol="|·|",
)
SIGN = Op(
    "sign", "x", "sign(x)", ("0",),
    lambda m: lambda x: m.where(x > 0, 1.0, m.where(x < 0, -1.0, x)),
    lambda m: lambda z, x: 0.0,
    kink=lambda x: x, convention="sign 0 = 0, slope 0 everywhere", symbol="sgn", stepwise=True,
)
COPYSIGN = Op(
    "copysign", "x y", "copysign(x, y)", ("1 if copysign(x, y) == x else -1", "0"),
    lambda m: lambda x, y: m.copysign(x, y),
    lambda m: lambda z, x, y: m.copysign(1.0, x) * m.copysign(1.0, y),
    lambda m: lambda z, x, y: 0.0,
    samples=((2.0, -3.0), (-2.0, -3.0), (-2.0, 0.5), (1.5, 4.0)),
    kink=lambda x, y: x * y, convention="the sign bit counts, also of zeros; slope 0 in y",
)
MAXIMUM = Op(
    "maximum", "x y", "max(x, y)", ("1 if x > y else 0", "1 if y > x else 0"),
    lambda m: lambda x, y: m.where(x > y, x, m.where(y >= x, y, x + y)),  # x + y: nan if either is
    lambda m: lambda z, x, y: m.where(x > y, 1.0, m.where(x < y, 0.0, 0.5)),
    lambda m: lambda z, x, y: m.where(y > x, 1.0, m.where(y < x, 0.0, 0.5)),
    kink=lambda x, y: x - y, convention="slopes ½ and ½ at a tie", symbol="max", selects=(0, 1),
)
MINIMUM = Op(
    "minimum", "x y", "min(x, y)", ("1 if x < y else 0", "1 if y < x else 0"),
    lambda m: lambda x, y: m.where(x < y, x, m.where(y <= x, y, x + y)),
    lambda m: lambda z, x, y: m.where(x < y, 1.0, m.where(x > y, 0.0, 0.5)),
    lambda m: lambda z, x, y: m.where(y < x, 1.0, m.where(y > x, 0.0, 0.5)),
    kink=lambda x, y: x - y, convention="slopes ½ and ½ at a tie", symbol="min", selects=(0, 1),
)
LESS = Op(
    "less", "x y", "1 if x < y else 0", ("0", "0"),
    lambda m: lambda x, y: m.where(x < y, 1.0, 0.0),
    lambda m: lambda z, x, y: 0.0,
    lambda m: lambda z, x, y: 0.0,
    kink=lambda x, y: x - y, convention="slope 0 everywhere, also at the jump", symbol="<",
    stepwise=True, condition=True,
)
LESS_EQUAL = Op(
    "less_equal", "x y", "1 if x <= y else 0", ("0", "0"),
    lambda m: lambda x, y: m.where(x <= y, 1.0, 0.0),
    lambda m: lambda z, x, y: 0.0,
    lambda m: lambda z, x, y: 0.0,
    kink=lambda x, y: x - y, convention="slope 0 everywhere, also at the jump", symbol="≤",
    stepwise=True, condition=True,
)
WHERE = Op(
    "where", "c x y", "x if c else y", ("0", "1 if c else 0", "0 if c else 1"),
    lambda m: lambda c, x, y: m.where(c > 0, x, y),
    lambda m: lambda z, c, x, y: 0.0,
    lambda m: lambda z, c, x, y: m.where(c > 0, 1.0, 0.0),
    lambda m: lambda z, c, x, y: m.where(c > 0, 0.0, 1.0),
    samples=((1.0, 2.0, 3.0), (0.0, 2.0, 3.0)), selects=(1, 2),
)
CLAMP = Op(
    "clamp", "x low high", "min(max(x, low), high)",
    ("1 if low <= x <= high else 0", "1 if x < low else 0", "1 if x > high else 0"),
    lambda m: lambda x, low, high: m.where(x > high, high, m.where(x < low, low, x)),
    lambda m: lambda z, x, low, high: m.where((x < low) | (x > high), 0.0, 1.0),
    lambda m: lambda z, x, low, high: m.where((x < low) & (low <= high), 1.0, 0.0),
    lambda m: lambda z, x, low, high: m.where(x > high, 1.0, 0.0),
    samples=((-2.0, -1.0, 1.0), (0.5, -1.0, 1.0), (3.0, -1.0, 1.0)),
    kink=lambda x, low, high: min(abs(x - low), abs(x - high)), convention="slope 1 at both ends",
    flat=True, selects=(0, 1, 2),
)


def _smooth_step(m: Carrier, d: Any, eps: Any) -> Any:
    """½(1 + d/h) with h = √(d² + ε²), without cancellation: h − d is ε²/(h + d)."""
    h = m.hypot(d, eps)
    return m.choose(
        d >= 0, lambda: 1.0 - 0.5 * eps / (h + d) * eps / h, lambda: 0.5 * eps / (h - d) * eps / h
    )


def _rounding_off(m: Carrier, d: Any, eps: Any) -> Any:
    """½(h − |d|): the difference between a smooth maximum and the true one."""
    return 0.5 * eps * (eps / (m.hypot(d, eps) + m.abs(d)))


SMOOTH_ABS = Op(
    "smooth_abs", "x eps", "sqrt(x ** 2 + eps ** 2)", ("x / z", "eps / z"),
    lambda m: lambda x, eps: m.hypot(x, eps),
    lambda m: lambda z, x, eps: _share(m, z, x, eps),
    lambda m: lambda z, x, eps: _share(m, z, eps, x),
    domain=(REAL, POSITIVE), symbol="|·|ₛ",
)
SMOOTH_MAXIMUM = Op(
    "smooth_maximum", "x y eps", "(x + y + sqrt((x - y) ** 2 + eps ** 2)) / 2",
    ("(1 + (x - y) / hypot(x - y, eps)) / 2", "(1 - (x - y) / hypot(x - y, eps)) / 2", "eps / hypot(x - y, eps) / 2"),
    lambda m: lambda x, y, eps: m.maximum(x, y) + _rounding_off(m, x - y, eps),
    lambda m: lambda z, x, y, eps: _smooth_step(m, x - y, eps),
    lambda m: lambda z, x, y, eps: _smooth_step(m, y - x, eps),
    lambda m: lambda z, x, y, eps: 0.5 * _share(m, m.hypot(x - y, eps), eps, x - y),
    domain=(REAL, REAL, POSITIVE), symbol="maxₛ",
)
SMOOTH_MINIMUM = Op(
    "smooth_minimum", "x y eps", "(x + y - sqrt((x - y) ** 2 + eps ** 2)) / 2",
    ("(1 - (x - y) / hypot(x - y, eps)) / 2", "(1 + (x - y) / hypot(x - y, eps)) / 2", "-eps / hypot(x - y, eps) / 2"),
    lambda m: lambda x, y, eps: -m.maximum(-x, -y) - _rounding_off(m, x - y, eps),
    lambda m: lambda z, x, y, eps: _smooth_step(m, y - x, eps),
    lambda m: lambda z, x, y, eps: _smooth_step(m, x - y, eps),
    lambda m: lambda z, x, y, eps: -0.5 * _share(m, m.hypot(x - y, eps), eps, x - y),
    domain=(REAL, REAL, POSITIVE), symbol="minₛ",
)

# Whole numbers and remainders -----------------------------------------------------------------------------------------


def _to_integer(x: float) -> float:
    """x minus the nearest whole number; every float from 2⁵² on is a whole number."""
    return x - round(x) if abs(x) < 2.0**52 else 0.0


FLOOR = Op(
    "floor", "x", "floor(x)", ("0",),
    lambda m: m.floor,
    lambda m: lambda z, x: 0.0,
    kink=_to_integer, convention="slope 0 everywhere, also at the jumps", note="finite x",
    stepwise=True, step=math.floor,
)
CEIL = Op(
    "ceil", "x", "ceil(x)", ("0",),
    lambda m: m.ceil,
    lambda m: lambda z, x: 0.0,
    kink=_to_integer, convention="slope 0 everywhere, also at the jumps", note="finite x",
    stepwise=True, step=math.ceil,
)
TRUNC = Op(
    "trunc", "x", "trunc(x)", ("0",),
    lambda m: m.trunc,
    lambda m: lambda z, x: 0.0,
    kink=lambda x: _to_integer(x) if abs(x) >= 0.5 else 1.0,
    convention="slope 0 everywhere, also at the jumps", note="finite x", stepwise=True, step=math.trunc,
)
ROUND = Op(
    "round", "x", "round(x)", ("0",),
    lambda m: m.round,
    lambda m: lambda z, x: 0.0,
    kink=lambda x: _to_integer(x + 0.5), convention="halves go to the even neighbour; slope 0 everywhere",
    note="finite x", stepwise=True, step=round,
)


def _mod_slope(m: Carrier) -> Callable[[Any, Any, Any], Any]:
    """The slope in y: minus the number of times that y was subtracted; −5 mod y is y − 5 for every large y."""

    def slope(z: Any, x: Any, y: Any) -> Any:
        at_infinity = lambda: m.where(m.abs(z) <= _LARGEST, 0.0, 1.0)
        return m.choose(m.abs(y) <= _LARGEST, lambda: -m.round((x - z) / y), at_infinity)

    return slope


MOD = Op(
    "mod", "x y", "x % y", ("1", "-floor(x / y)"),
    lambda m: lambda x, y: x % y,
    lambda m: lambda z, x, y: 1.0,
    _mod_slope,
    domain=(REAL, NONZERO), symbol="mod",
    kink=lambda x, y: _to_integer(x / y), convention="sign of y, as in Python; slope 1 in x also at the jumps",
    step=lambda x, y: x // y,
)
FMOD = Op(
    "fmod", "x y", "fmod(x, y)", ("1", "-trunc(x / y)"),
    lambda m: lambda x, y: m.fmod(x, y),
    lambda m: lambda z, x, y: 1.0,
    _mod_slope,
    domain=(REAL, NONZERO), kink=lambda x, y: _to_integer(x / y) if abs(x / y) >= 0.5 else 1.0,
    convention="sign of x, as in C; slope 1 in x also at the jumps",
    step=lambda x, y: math.copysign(abs(x) // abs(y), x / y),
)

# Over any number of operands ------------------------------------------------------------------------------------------


def _written(parts: Sequence[str], between: str = ", ") -> str:
    return between.join(shortened(parts, 6, "..."))


def _listed(xs: Sequence[Any]) -> tuple[Any, ...]:
    return (tuple(xs),)


SUM = Op(
    "sum", "*xs",
    lambda n: _written([f"x{i}" for i in range(n)], " + ") or "0",
    lambda n, i: "1",
    lambda m: lambda xs: m.sum(xs),
    lambda m: lambda z, xs: (1.0,) * len(xs),
    group=_listed, symbol="Σ", samples=((1.0, 2.0, 4.0), (0.1, -0.3), (5.0,)),
)


def _weighted(operands: Sequence[Any]) -> tuple[Any, ...]:
    n = len(operands) // 2
    bias = operands[-1] if len(operands) % 2 else 0.0
    return tuple(operands[:n]), tuple(operands[n : 2 * n]), bias


DOT = Op(
    "dot", "*ws *xs b",
    lambda n: _written([f"x{i} * x{i + n // 2}" for i in range(n // 2)] + [f"x{n - 1}"] * (n % 2), " + ") or "0",
    lambda n, i: f"x{(i + n // 2) % (n // 2 * 2)}" if i < n // 2 * 2 else "1",
    lambda m: m.dot,
    lambda m: lambda z, ws, xs, b: (*xs, *ws, 1.0),
    group=_weighted, symbol="w·x + b",
    samples=((0.5, -1.0, 2.0, 3.0, 0.25), (1.5, 2.0, -1.0), (2.0, 0.5, 3.0, -1.0), (0.7,)),
)


def shifted(m: Carrier, xs: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The largest operand, held constant, and x − largest of each: their exponentials do not overflow."""
    top = m.largest(list(map(m.detach, xs)))
    return top, [x - top for x in xs]


def _logsumexp(m: Carrier) -> Callable[[Sequence[Any]], Any]:
    def logsumexp(xs: Sequence[Any]) -> Any:
        top, below = shifted(m, xs)
        return m.choose(is_zero(top - top), lambda: top + m.log(m.sum([m.exp(x) for x in below])), lambda: top)

    return logsumexp


def softmax(m: Carrier, xs: Sequence[Any]) -> tuple[Any, ...]:
    """exp x / Σ exp x for each x."""
    terms = [m.exp(x) for x in shifted(m, xs)[1]]
    total = m.sum(terms)
    return tuple([term / total for term in terms])


LOGSUMEXP = Op(
    "logsumexp", "*xs",
    lambda n: "log(" + _written([f"exp(x{i})" for i in range(n)], " + ") + ")",
    lambda n, i: f"exp(x{i} - z)",
    _logsumexp,
    lambda m: lambda z, xs: softmax(m, xs),
    group=_listed, symbol="ln Σeˣ", samples=((1.0, 2.0, 4.0), (0.1, -0.3), (5.0,), (800.0, 800.5)),
    note="at least one operand",
)


def _halves(operands: Sequence[Any]) -> tuple[Any, ...]:
    n = len(operands) // 2
    return tuple(operands[:n]), tuple(operands[n:])


def _surprises(m: Carrier, zs: Sequence[Any]) -> list[Any]:
    """−ln softmax(z) of each logit z."""
    below = shifted(m, zs)[1]
    total = m.log(m.sum([m.exp(x) for x in below]))
    return [total - x for x in below]


def _cross_entropy(m: Carrier) -> Callable[..., Any]:
    def weighted(t: Any, surprise: Any) -> Any:
        return m.choose(is_zero(t), lambda: 0.0, lambda: t * surprise)

    def cross_entropy(zs: Sequence[Any], ts: Sequence[Any]) -> Any:
        return m.sum(list(map(weighted, ts, _surprises(m, zs))))

    return cross_entropy


def _cross_entropy_slopes(m: Carrier) -> Callable[..., tuple[Any, ...]]:
    def slopes(h: Any, zs: Sequence[Any], ts: Sequence[Any]) -> tuple[Any, ...]:
        return (*[y - t for y, t in zip(softmax(m, zs), ts, strict=True)], *_surprises(m, zs))

    return slopes


CROSS_ENTROPY = Op(
    "cross_entropy", "*zs *ts",
    lambda n: "cross_entropy(softmax(" + _written([f"x{i}" for i in range(n // 2)]) + "), "
    + _written([f"x{i}" for i in range(n // 2, n)]) + ")",
    lambda n, i: f"y{i + 1} - x{i + n // 2}" if i < n // 2 else f"-log(y{i + 1 - n // 2})",
    _cross_entropy,
    _cross_entropy_slopes,
    group=_halves, symbol="H(t, softmax z)", samples=((1.0, 2.0, -0.5, 0.0, 1.0, 0.0), (0.3, -0.2, 0.5, 0.5)),
    note="as many logits as targets; targets add up to 1; y = softmax(z)",
)
# fmt: on

from .ops_special import *  # noqa: E402, F403  (the rest of the table)

TABLE.update({row.name: row for row in list(globals().values()) if isinstance(row, Op)})

for _row in TABLE.values():
    for _carrier in (FLOATS, IEEE):
        if not hasattr(_carrier, _row.name):  # a rule may use the rule of another row: m.sigmoid
            setattr(_carrier, _row.name, _row.value(_carrier))
