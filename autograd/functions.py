"""The table's operations as functions, on numbers and Values alike; mirrors Python's ``math``.

A number in gives a float out; a Value among the operands gives a Value. As a module it is also the carrier of Values:
the table's rules, run over it, give derivatives that are Values themselves.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, Protocol, TypeVar, cast, overload

from . import carriers, ops
from .errors import ArgumentError, InputError
from .ops import Op
from .rules import Carrier
from .text import shown
from .value import Value, as_float, evaluate, number, record, unary

# fmt: off
__all__ = [  # noqa: RUF022  (in alphabetical order)
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "beta", "cbrt", "ceil", "celu",
    "clamp", "copysign", "cos", "cosh", "cospi", "cot", "cross_entropy", "csc", "degrees", "digamma", "div",
    "dot", "elu", "erf", "erfc", "erfcx", "erfinv", "exp", "exp2", "expm1", "floor", "fma", "fmod", "gamma",
    "gelu", "hardsigmoid", "hardswish", "hardtanh", "hypot", "identity", "leaky_relu", "less", "less_equal",
    "lgamma", "log", "log10", "log1mexp", "log1p", "log2", "log_sigmoid", "log_softmax", "logaddexp",
    "logical_not", "logit", "logsumexp", "maximum", "mean", "minimum", "mish", "mod", "mul", "neg", "normal_cdf",
    "normal_quantile", "polygamma", "pow", "radians", "reciprocal", "relu", "round", "sec", "sech", "selu",
    "sigmoid", "sign", "silu", "sin", "sinh", "sinpi", "smooth_abs", "smooth_maximum", "smooth_minimum",
    "softmax", "softplus", "softsign", "sqrt", "square", "squareplus", "stop_gradient", "sub", "sum", "tan",
    "tanh", "trunc", "where", "xlog1py", "xlogy",
]
# fmt: on

Number = TypeVar("Number", float, Value)


carrier = cast(Carrier, sys.modules[__name__])


# Not public, but parts of a carrier.
def choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """The branch that the condition takes; while compiling both are recorded."""
    if _is_traced(condition):
        return where(condition, then(), otherwise())
    return carriers.choose(condition, then, otherwise)


def detach(x: Any) -> Any:
    """The number of x, with no derivative through it."""
    return x.detach() if _is_traced(x) else number(x)


def largest(xs: Iterable[Any]) -> Any:
    """The largest operand."""
    return reduce(maximum, xs)


def _is_traced(x: Any) -> bool:
    return isinstance(x, Value) and x.tracer is not None


def _any(op: Op, *operands: Any) -> Any:
    for x in operands:
        if isinstance(x, Value):
            return record(op, operands)
    return evaluate(op, [as_float(x) for x in operands])


# For type checkers: floats in, a float out; a Value among the operands, a Value out.
class _Unary(Protocol):
    @overload
    def __call__(self, x: float) -> float: ...
    @overload
    def __call__(self, x: Value) -> Value: ...


class _Binary(Protocol):
    @overload
    def __call__(self, x: float, y: float) -> float: ...
    @overload
    def __call__(self, x: Value, y: Value | float) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value) -> Value: ...


class _Activation(Protocol):
    @overload
    def __call__(self, x: float, a: float = ...) -> float: ...
    @overload
    def __call__(self, x: Value, a: Value | float = ...) -> Value: ...
    @overload
    def __call__(self, x: float, a: Value) -> Value: ...


def _unary(op: Op, what: str) -> _Unary:
    """A row with one operand as a function."""

    def function(x: Any) -> Any:
        return unary(op, x) if type(x) is Value else _any(op, x)

    return cast("_Unary", _named(function, op.name, what))


def _binary(op: Op, what: str) -> _Binary:
    """A row with two operands as a function."""

    def function(x: Any, y: Any) -> Any:
        return _any(op, x, y)

    return cast("_Binary", _named(function, op.name, what))


def _named(function: Any, name: str, what: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = what
    return function


def _typed_activation(function: Callable[..., Any]) -> _Activation:
    return cast("_Activation", function)


# One operand ---------------------------------------------------------------------------------------------------------

identity = _unary(ops.IDENTITY, "x itself, as a node of its own.")
neg = _unary(ops.NEG, "−x.")
sqrt = _unary(ops.SQRT, "The square root of x.")
cbrt = _unary(ops.CBRT, "The cube root of x, negative x included.")
square = _unary(ops.SQUARE, "x², one node.")
reciprocal = _unary(ops.RECIPROCAL, "1/x, one node.")
abs = _unary(ops.ABS, "The absolute value of x; slope 0 at 0.")
sign = _unary(ops.SIGN, "−1, 0 or 1; slope 0 everywhere.")
exp = _unary(ops.EXP, "e to the power x.")
exp2 = _unary(ops.EXP2, "2 to the power x.")
expm1 = _unary(ops.EXPM1, "eˣ − 1, accurate near 0.")
log = _unary(ops.LOG, "The natural logarithm of x > 0.")
log2 = _unary(ops.LOG2, "The logarithm of x > 0 to base 2.")
log10 = _unary(ops.LOG10, "The logarithm of x > 0 to base 10.")
log1p = _unary(ops.LOG1P, "ln(1 + x), accurate near 0.")
log1mexp = _unary(ops.LOG1MEXP, "ln(1 − eˣ) for x < 0, accurate at both ends (Maechler 2012).")
sin = _unary(ops.SIN, "The sine of x radians.")
cos = _unary(ops.COS, "The cosine of x radians.")
tan = _unary(ops.TAN, "The tangent of x radians.")
sec = _unary(ops.SEC, "The secant 1/cos x.")
csc = _unary(ops.CSC, "The cosecant 1/sin x.")
cot = _unary(ops.COT, "The cotangent 1/tan x.")
asin = _unary(ops.ASIN, "The angle in [−π/2, π/2] whose sine is x.")
acos = _unary(ops.ACOS, "The angle in [0, π] whose cosine is x.")
atan = _unary(ops.ATAN, "The angle in (−π/2, π/2) whose tangent is x.")
sinpi = _unary(ops.SINPI, "sin πx, exact at whole and half x.")
cospi = _unary(ops.COSPI, "cos πx, exact at whole and half x.")
radians = _unary(ops.RADIANS, "Degrees to radians.")
degrees = _unary(ops.DEGREES, "Radians to degrees.")
sinh = _unary(ops.SINH, "The hyperbolic sine.")
cosh = _unary(ops.COSH, "The hyperbolic cosine.")
tanh = _unary(ops.TANH, "The hyperbolic tangent.")
sech = _unary(ops.SECH, "The hyperbolic secant 1/cosh x, without overflow.")
asinh = _unary(ops.ASINH, "The inverse hyperbolic sine.")
acosh = _unary(ops.ACOSH, "The inverse hyperbolic cosine of x ≥ 1.")
atanh = _unary(ops.ATANH, "The inverse hyperbolic tangent of −1 < x < 1.")
floor = _unary(ops.FLOOR, "The largest whole number ≤ x; slope 0 everywhere.")
ceil = _unary(ops.CEIL, "The smallest whole number ≥ x; slope 0 everywhere.")
trunc = _unary(ops.TRUNC, "x without its fraction; slope 0 everywhere.")
erf = _unary(ops.ERF, "The error function.")
erfc = _unary(ops.ERFC, "1 − erf x, accurate for large x.")
erfcx = _unary(ops.ERFCX, "exp(x²)·erfc x, without underflow. Needs the extra ``special``.")
erfinv = _unary(ops.ERFINV, "The inverse of erf on (−1, 1). Needs the extra ``special``.")
normal_cdf = _unary(ops.NORMAL_CDF, "Φ, the distribution function of the standard normal.")
normal_quantile = _unary(ops.NORMAL_QUANTILE, "Φ⁻¹, its inverse on (0, 1).")
gamma = _unary(ops.GAMMA, "The gamma function; its slope needs the extra ``special``.")
lgamma = _unary(ops.LGAMMA, "ln |Γ(x)|; its slope needs the extra ``special``.")
digamma = _unary(ops.DIGAMMA, "ψ = (ln Γ)′. Needs the extra ``special``.")
sigmoid = _unary(ops.SIGMOID, "The logistic function 1/(1 + e⁻ˣ), without overflow.")
logit = _unary(ops.LOGIT, "The inverse of sigmoid on (0, 1).")
relu = _unary(ops.RELU, "x where it is positive, else 0; slope 0 at 0.")
softplus = _unary(ops.SOFTPLUS, "ln(1 + eˣ), without overflow.")
log_sigmoid = _unary(ops.LOG_SIGMOID, "ln sigmoid(x), without underflow.")
silu = _unary(ops.SILU, "x·sigmoid(x), also called swish (Elfwing et al. 2017).")
mish = _unary(ops.MISH, "x·tanh(softplus(x)) (Misra 2019).")
gelu = _unary(ops.GELU, "x·Φ(x), the exact form (Hendrycks & Gimpel 2016).")
selu = _unary(ops.SELU, "The self-normalising unit (Klambauer et al. 2017).")
softsign = _unary(ops.SOFTSIGN, "x/(1 + |x|).")
hardtanh = _unary(ops.HARDTANH, "x clamped to [−1, 1].")
hardsigmoid = _unary(ops.HARDSIGMOID, "(x + 3)/6 clamped to [0, 1].")
hardswish = _unary(ops.HARDSWISH, "x·hardsigmoid(x) (Howard et al. 2019).")


@overload
def round(x: float, digits: int | None = None) -> float: ...
@overload
def round(x: Value, digits: int | None = None) -> Value: ...
def round(x: Any, digits: int | None = None) -> Any:
    """The nearest whole number, halves to even, or that many digits after the point; slope 0 everywhere.

    >>> round(2.5), round(0.126, 2)
    (2.0, 0.13)
    """
    if digits is None:
        return unary(ops.ROUND, x) if type(x) is Value else _any(ops.ROUND, x)
    return x.__round__(digits) if isinstance(x, Value) else Value(x).__round__(digits).data


# Several operands ----------------------------------------------------------------------------------------------------

add = _binary(ops.ADD, "x + y.")
sub = _binary(ops.SUB, "x − y.")
mul = _binary(ops.MUL, "x · y.")
div = _binary(ops.DIV, "x / y.")
pow = _binary(ops.POW, "x to the power y, either or both Values.")
hypot = _binary(ops.HYPOT, "√(x² + y²), without overflow; slopes 0 at (0, 0).")
copysign = _binary(ops.COPYSIGN, "|x| with the sign of y.")
logaddexp = _binary(ops.LOGADDEXP, "ln(eˣ + eʸ), without overflow.")
xlogy = _binary(ops.XLOGY, "x·ln y, with 0·ln 0 = 0.")
xlog1py = _binary(ops.XLOG1PY, "x·ln(1 + y), with 0·ln 0 = 0.")
maximum = _binary(ops.MAXIMUM, "The larger of two; slopes ½ and ½ at a tie.")
minimum = _binary(ops.MINIMUM, "The smaller of two; slopes ½ and ½ at a tie.")
mod = _binary(ops.MOD, "x modulo y with the sign of y, as ``%`` in Python.")
fmod = _binary(ops.FMOD, "x modulo y with the sign of x, as in C.")
beta = _binary(ops.BETA, "Γ(x)Γ(y)/Γ(x + y) for positive x and y. Needs the extra ``special``.")
less = _binary(ops.LESS, "1 where x < y, else 0; slope 0 everywhere.")
less_equal = _binary(ops.LESS_EQUAL, "1 where x ≤ y, else 0; slope 0 everywhere.")


@overload
def fma(x: float, y: float, w: float) -> float: ...
@overload
def fma(x: Value, y: Value | float, w: Value | float) -> Value: ...
@overload
def fma(x: float, y: Value, w: Value | float) -> Value: ...
@overload
def fma(x: float, y: float, w: Value) -> Value: ...
def fma(x: Any, y: Any, w: Any) -> Any:
    """x·y + w, one node."""
    return _any(ops.FMA, x, y, w)


@overload
def atan2(y: float, x: float) -> float: ...
@overload
def atan2(y: Value, x: Value | float) -> Value: ...
@overload
def atan2(y: float, x: Value) -> Value: ...
def atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), in (−π, π]."""
    return _any(ops.ATAN2, y, x)


@overload
def polygamma(n: float, x: float) -> float: ...
@overload
def polygamma(n: Value, x: Value | float) -> Value: ...
@overload
def polygamma(n: float, x: Value) -> Value: ...
def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma, n a whole number. Needs the extra ``special``."""
    return _any(ops.POLYGAMMA, n, x)


@overload
def clamp(x: float, low: float = ..., high: float = ...) -> float: ...
@overload
def clamp(x: Value, low: Value | float = ..., high: Value | float = ...) -> Value: ...
@overload
def clamp(x: float, low: Value, high: Value | float = ...) -> Value: ...
@overload
def clamp(x: float, low: float = ..., *, high: Value) -> Value: ...
def clamp(x: Any, low: Any = -math.inf, high: Any = math.inf) -> Any:
    """x kept within [low, high]; slope 1 at both ends, as PyTorch's."""
    return _any(ops.CLAMP, x, low, high)


@overload
def smooth_abs(x: float, eps: float = ...) -> float: ...
@overload
def smooth_abs(x: Value, eps: Value | float = ...) -> Value: ...
@overload
def smooth_abs(x: float, eps: Value) -> Value: ...
def smooth_abs(x: Any, eps: Any = 1e-3) -> Any:
    """√(x² + ε²), a smooth |x|."""
    return _any(ops.SMOOTH_ABS, x, eps)


@overload
def smooth_maximum(x: float, y: float, eps: float = ...) -> float: ...
@overload
def smooth_maximum(x: Value, y: Value | float, eps: Value | float = ...) -> Value: ...
@overload
def smooth_maximum(x: float, y: Value, eps: Value | float = ...) -> Value: ...
@overload
def smooth_maximum(x: float, y: float, *, eps: Value) -> Value: ...
def smooth_maximum(x: Any, y: Any, eps: Any = 1e-3) -> Any:
    """A smooth maximum, above the true one by at most ε/2."""
    return _any(ops.SMOOTH_MAXIMUM, x, y, eps)


@overload
def smooth_minimum(x: float, y: float, eps: float = ...) -> float: ...
@overload
def smooth_minimum(x: Value, y: Value | float, eps: Value | float = ...) -> Value: ...
@overload
def smooth_minimum(x: float, y: Value, eps: Value | float = ...) -> Value: ...
@overload
def smooth_minimum(x: float, y: float, *, eps: Value) -> Value: ...
def smooth_minimum(x: Any, y: Any, eps: Any = 1e-3) -> Any:
    """A smooth minimum, below the true one by at most ε/2."""
    return _any(ops.SMOOTH_MINIMUM, x, y, eps)


@_typed_activation
def leaky_relu(x: Any, a: Any = 0.01) -> Any:
    """x where it is positive, else a·x."""
    return _any(ops.LEAKY_RELU, x, a)


@_typed_activation
def elu(x: Any, a: Any = 1.0) -> Any:
    """x where it is positive, else a·(eˣ − 1) (Clevert et al. 2015)."""
    return _any(ops.ELU, x, a)


@_typed_activation
def celu(x: Any, a: Any = 1.0) -> Any:
    """x where it is positive, else a·(exp(x/a) − 1) (Barron 2017)."""
    return _any(ops.CELU, x, a)


@overload
def squareplus(x: float, b: float = ...) -> float: ...
@overload
def squareplus(x: Value, b: Value | float = ...) -> Value: ...
@overload
def squareplus(x: float, b: Value) -> Value: ...
def squareplus(x: Any, b: Any = 4.0) -> Any:
    """(x + √(x² + b))/2, an algebraic softplus (Barron 2021)."""
    return _any(ops.SQUAREPLUS, x, b)


@overload
def where(condition: bool, x: float, y: float) -> float: ...
@overload
def where(condition: Any, x: Value, y: Value | float) -> Value: ...
@overload
def where(condition: Any, x: float, y: Value) -> Value: ...
@overload
def where(condition: Any, x: float, y: float) -> Value | float: ...
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; the branch not taken gets no derivative, also if it is nan or inf.

    Both branches are computed before the choice is made, so keep them inside their domains.

    >>> t = Value(-4.0)
    >>> where(t > 0, t, 0.5 * t).data
    -2.0
    """
    if type(condition) is int and condition < 0:  # in Python ~False is −1 and ~True is −2
        condition = condition == -1
    return _any(ops.WHERE, condition if _is_traced(condition) else 1.0 if condition else 0.0, x, y)


@overload
def logical_not(condition: bool) -> bool: ...
@overload
def logical_not(condition: Any) -> Any: ...
def logical_not(condition: Any) -> Any:
    """The negation of a condition, as ``not``, also while a function is being compiled.

    >>> logical_not(Value(1.0) < 2)
    False
    """
    return where(condition, 0.0, 1.0) if _is_traced(condition) else not condition


def stop_gradient(x: Number) -> Number:
    """The same number, with no derivative through it.

    >>> x = Value(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    3.0
    """
    return x.detach() if isinstance(x, Value) else as_float(x)


# Any number of operands ----------------------------------------------------------------------------------------------


def _several(xs: Any, who: str) -> tuple[Any, ...]:
    if not isinstance(xs, Iterable):
        raise InputError(f"{who} takes a list of numbers or Values, not {shown(xs)}")
    return tuple(xs)


def _at_least_one(xs: Any, who: str) -> tuple[Any, ...]:
    several = _several(xs, who)
    if not several:
        raise ArgumentError(f"{who} of nothing has no value; give at least one operand")
    return several


@overload
def sum(xs: Iterable[float]) -> float: ...
@overload
def sum(xs: Iterable[Value]) -> Value: ...
@overload
def sum(xs: Iterable[Value | float]) -> Value | float: ...
def sum(xs: Iterable[Any]) -> Any:
    """The sum of any number of operands, one node.

    >>> sum([Value(1.0), 2.0, Value(4.0)]).data
    7.0
    """
    return _any(ops.SUM, *_several(xs, "sum"))


@overload
def dot(ws: Iterable[float], xs: Iterable[float], bias: float = ...) -> float: ...
@overload
def dot(ws: Iterable[Value], xs: Iterable[Value | float], bias: Value | float = ...) -> Value: ...
@overload
def dot(ws: Iterable[float], xs: Iterable[Value], bias: Value | float = ...) -> Value: ...
@overload
def dot(ws: Iterable[Value | float], xs: Iterable[Value | float], bias: Value | float = ...) -> Value | float: ...
def dot(ws: Iterable[Any], xs: Iterable[Any], bias: Any = 0.0) -> Any:
    """w·x + bias, one node: what a neuron computes before its activation.

    Args:
        ws: n weights.
        xs: n inputs.
        bias: added last.

    Returns:
        a node, or a float if all operands are numbers.

    Raises:
        ArgumentError: if the lengths differ.

    >>> w, x = [Value(2.0), Value(-1.0)], [3.0, 5.0]
    >>> net = dot(w, x, 0.5)
    >>> net.data, net.partials
    (1.5, (3.0, 5.0))
    """
    ws, xs = _several(ws, "dot"), _several(xs, "dot")
    if len(ws) != len(xs):
        raise ArgumentError(f"dot needs as many weights as inputs: {len(ws)} weights, {len(xs)} inputs")
    if isinstance(bias, Value) or bias != 0:
        return _any(ops.DOT, *ws, *xs, bias)
    return _any(ops.DOT, *ws, *xs)


@overload
def mean(xs: Iterable[float]) -> float: ...
@overload
def mean(xs: Iterable[Value]) -> Value: ...
@overload
def mean(xs: Iterable[Value | float]) -> Value | float: ...
def mean(xs: Iterable[Any]) -> Any:
    """The mean of at least one operand.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    xs = _at_least_one(xs, "mean")
    return sum(xs) / len(xs)


@overload
def logsumexp(xs: Iterable[float]) -> float: ...
@overload
def logsumexp(xs: Iterable[Value]) -> Value: ...
@overload
def logsumexp(xs: Iterable[Value | float]) -> Value | float: ...
def logsumexp(xs: Iterable[Any]) -> Any:
    """ln Σ exp x over at least one operand, without overflow; one node.

    >>> logsumexp([1000.0, 1000.0])
    1000.6931471805599
    """
    return _any(ops.LOGSUMEXP, *_at_least_one(xs, "logsumexp"))


@overload
def softmax(xs: Iterable[float]) -> list[float]: ...
@overload
def softmax(xs: Iterable[Value]) -> list[Value]: ...
@overload
def softmax(xs: Iterable[Value | float]) -> list[Value | float]: ...
def softmax(xs: Iterable[Any]) -> list[Any]:
    """exp x / Σ exp x for each of the operands, without overflow.

    >>> softmax([1.0, 1.0, 1000.0])
    [0.0, 0.0, 1.0]
    """
    return list(ops.softmax(carrier, _at_least_one(xs, "softmax")))


@overload
def log_softmax(xs: Iterable[float]) -> list[float]: ...
@overload
def log_softmax(xs: Iterable[Value]) -> list[Value]: ...
@overload
def log_softmax(xs: Iterable[Value | float]) -> list[Value | float]: ...
def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """ln softmax of each of the operands, without overflow.

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    _, below = ops.shifted(carrier, _at_least_one(xs, "log_softmax"))
    total = logsumexp(below)
    return [x - total for x in below]


@overload
def cross_entropy(zs: Iterable[float], ts: Iterable[float]) -> float: ...
@overload
def cross_entropy(zs: Iterable[Value], ts: Iterable[Value | float]) -> Value: ...
@overload
def cross_entropy(zs: Iterable[Value | float], ts: Iterable[Value | float]) -> Value | float: ...
def cross_entropy(zs: Iterable[Any], ts: Iterable[Any]) -> Any:
    """−Σ t·ln softmax(z), without overflow, one node; the slopes in the logits z are softmax(z) − t.

    Args:
        zs: n logits.
        ts: n target probabilities that add up to 1.

    Raises:
        ArgumentError: if the lengths differ, or there are none.
    """
    zs, ts = _several(zs, "cross_entropy"), _several(ts, "cross_entropy")
    if len(zs) != len(ts) or not zs:
        raise ArgumentError(f"cross_entropy needs as many targets as logits, at least one: {len(zs)}, {len(ts)}")
    return _any(ops.CROSS_ENTROPY, *zs, *ts)
