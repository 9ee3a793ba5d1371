"""The table's operations as functions, on numbers and Values alike; mirrors Python's ``math``.

A number in gives a float out; a Value among the operands gives a Value. As a module it is also the carrier of Values:
the table's rules, run over it, give derivatives that are Values themselves.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, cast, overload

from . import carriers, ops
from .errors import ArgumentError, InputError
from .ops import Op
from .value import Value, as_float, evaluate, number, record, unary

# fmt: off
__all__ = [  # noqa: RUF022  (in the alphabet's order)
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


carrier = cast("carriers.Carrier", sys.modules[__name__])


# Not public, but parts of a carrier.
def choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """The branch that the condition takes; while compiling both are recorded."""
    if _is_traced(condition):
        return where(condition, then(), otherwise())
    return carriers.choose(condition, then, otherwise)


def detach(x: Any) -> Any:
    """The number of x, which carries no derivative on."""
    return x.detach() if _is_traced(x) else number(x)


def _is_traced(x: Any) -> bool:
    return isinstance(x, Value) and x.tracer is not None


def _one(op: Op, x: Number) -> Number:
    if type(x) is Value:
        return unary(op, x)
    return _any(op, x)  # type: ignore[no-any-return]


def _any(op: Op, *operands: Any) -> Any:
    for x in operands:
        if isinstance(x, Value):
            return record(op, operands)
    return evaluate(op, [as_float(x) for x in operands])


class _Two(Protocol):
    """A function of two operands, for type checkers: floats in, a float out; a Value in, a Value out."""

    @overload
    def __call__(self, x: float, y: float) -> float: ...
    @overload
    def __call__(self, x: Value, y: Value | float) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value) -> Value: ...


class _Activation(Protocol):
    """A function of one operand and a parameter, for type checkers."""

    @overload
    def __call__(self, x: float, a: float = ...) -> float: ...
    @overload
    def __call__(self, x: Value, a: Value | float = ...) -> Value: ...
    @overload
    def __call__(self, x: float, a: Value) -> Value: ...


def _typed_two(function: Callable[[Any, Any], Any]) -> _Two:
    return cast("_Two", function)


def _typed_activation(function: Callable[..., Any]) -> _Activation:
    return cast("_Activation", function)


# One operand ---------------------------------------------------------------------------------------------------------


def identity(x: Number) -> Number:
    """x itself, as a node of its own."""
    return _one(ops.IDENTITY, x)


def neg(x: Number) -> Number:
    """−x."""
    return _one(ops.NEG, x)


def sqrt(x: Number) -> Number:
    """The square root of x."""
    return _one(ops.SQRT, x)


def cbrt(x: Number) -> Number:
    """The cube root of x, negative x included."""
    return _one(ops.CBRT, x)


def square(x: Number) -> Number:
    """x², one node."""
    return _one(ops.SQUARE, x)


def reciprocal(x: Number) -> Number:
    """1/x, one node."""
    return _one(ops.RECIPROCAL, x)


def abs(x: Number) -> Number:
    """The absolute value of x; slope 0 at 0."""
    return _one(ops.ABS, x)


def sign(x: Number) -> Number:
    """−1, 0 or 1; slope 0 everywhere."""
    return _one(ops.SIGN, x)


def exp(x: Number) -> Number:
    """e to the power x."""
    return _one(ops.EXP, x)


def exp2(x: Number) -> Number:
    """2 to the power x."""
    return _one(ops.EXP2, x)


def expm1(x: Number) -> Number:
    """eˣ − 1, accurate near 0."""
    return _one(ops.EXPM1, x)


def log(x: Number) -> Number:
    """The natural logarithm of x > 0."""
    return _one(ops.LOG, x)


def log2(x: Number) -> Number:
    """The logarithm of x > 0 to base 2."""
    return _one(ops.LOG2, x)


def log10(x: Number) -> Number:
    """The logarithm of x > 0 to base 10."""
    return _one(ops.LOG10, x)


def log1p(x: Number) -> Number:
    """ln(1 + x), accurate near 0."""
    return _one(ops.LOG1P, x)


def log1mexp(x: Number) -> Number:
    """ln(1 − eˣ) for x < 0, accurate at both ends (Maechler 2012)."""
    return _one(ops.LOG1MEXP, x)


def sin(x: Number) -> Number:
    """The sine of x radians."""
    return _one(ops.SIN, x)


def cos(x: Number) -> Number:
    """The cosine of x radians."""
    return _one(ops.COS, x)


def tan(x: Number) -> Number:
    """The tangent of x radians."""
    return _one(ops.TAN, x)


def sec(x: Number) -> Number:
    """The secant 1/cos x."""
    return _one(ops.SEC, x)


def csc(x: Number) -> Number:
    """The cosecant 1/sin x."""
    return _one(ops.CSC, x)


def cot(x: Number) -> Number:
    """The cotangent 1/tan x."""
    return _one(ops.COT, x)


def asin(x: Number) -> Number:
    """The angle in [−π/2, π/2] whose sine is x."""
    return _one(ops.ASIN, x)


def acos(x: Number) -> Number:
    """The angle in [0, π] whose cosine is x."""
    return _one(ops.ACOS, x)


def atan(x: Number) -> Number:
    """The angle in (−π/2, π/2) whose tangent is x."""
    return _one(ops.ATAN, x)


def sinpi(x: Number) -> Number:
    """sin πx, exact at whole and half x."""
    return _one(ops.SINPI, x)


def cospi(x: Number) -> Number:
    """cos πx, exact at whole and half x."""
    return _one(ops.COSPI, x)


def radians(x: Number) -> Number:
    """Degrees to radians."""
    return _one(ops.RADIANS, x)


def degrees(x: Number) -> Number:
    """Radians to degrees."""
    return _one(ops.DEGREES, x)


def sinh(x: Number) -> Number:
    """The hyperbolic sine."""
    return _one(ops.SINH, x)


def cosh(x: Number) -> Number:
    """The hyperbolic cosine."""
    return _one(ops.COSH, x)


def tanh(x: Number) -> Number:
    """The hyperbolic tangent."""
    return _one(ops.TANH, x)


def sech(x: Number) -> Number:
    """The hyperbolic secant 1/cosh x, without overflow."""
    return _one(ops.SECH, x)


def asinh(x: Number) -> Number:
    """The inverse hyperbolic sine."""
    return _one(ops.ASINH, x)


def acosh(x: Number) -> Number:
    """The inverse hyperbolic cosine of x ≥ 1."""
    return _one(ops.ACOSH, x)


def atanh(x: Number) -> Number:
    """The inverse hyperbolic tangent of −1 < x < 1."""
    return _one(ops.ATANH, x)


def floor(x: Number) -> Number:
    """The largest whole number ≤ x; slope 0 everywhere."""
    return _one(ops.FLOOR, x)


def ceil(x: Number) -> Number:
    """The smallest whole number ≥ x; slope 0 everywhere."""
    return _one(ops.CEIL, x)


def trunc(x: Number) -> Number:
    """x without its fraction; slope 0 everywhere."""
    return _one(ops.TRUNC, x)


def round(x: Number) -> Number:
    """The nearest whole number, halves to even; slope 0 everywhere."""
    return _one(ops.ROUND, x)


def erf(x: Number) -> Number:
    """The error function."""
    return _one(ops.ERF, x)


def erfc(x: Number) -> Number:
    """1 − erf x, accurate for large x."""
    return _one(ops.ERFC, x)


def erfcx(x: Number) -> Number:
    """exp(x²)·erfc x, without underflow. Needs the extra ``special``."""
    return _one(ops.ERFCX, x)


def erfinv(x: Number) -> Number:
    """The inverse of erf on (−1, 1). Needs the extra ``special``."""
    return _one(ops.ERFINV, x)


def normal_cdf(x: Number) -> Number:
    """Φ, the distribution function of the standard normal."""
    return _one(ops.NORMAL_CDF, x)


def normal_quantile(x: Number) -> Number:
    """Φ⁻¹, its inverse on (0, 1)."""
    return _one(ops.NORMAL_QUANTILE, x)


def gamma(x: Number) -> Number:
    """The gamma function; its slope needs the extra ``special``."""
    return _one(ops.GAMMA, x)


def lgamma(x: Number) -> Number:
    """ln |Γ(x)|; its slope needs the extra ``special``."""
    return _one(ops.LGAMMA, x)


def digamma(x: Number) -> Number:
    """ψ = (ln Γ)′. Needs the extra ``special``."""
    return _one(ops.DIGAMMA, x)


def sigmoid(x: Number) -> Number:
    """The logistic function 1/(1 + e⁻ˣ), without overflow."""
    return _one(ops.SIGMOID, x)


def logit(x: Number) -> Number:
    """The inverse of sigmoid on (0, 1)."""
    return _one(ops.LOGIT, x)


def relu(x: Number) -> Number:
    """x where it is positive, else 0; slope 0 at 0."""
    return _one(ops.RELU, x)


def softplus(x: Number) -> Number:
    """ln(1 + eˣ), without overflow."""
    return _one(ops.SOFTPLUS, x)


def log_sigmoid(x: Number) -> Number:
    """ln sigmoid(x), without underflow."""
    return _one(ops.LOG_SIGMOID, x)


def silu(x: Number) -> Number:
    """x·sigmoid(x), also called swish (Elfwing et al. 2017)."""
    return _one(ops.SILU, x)


def mish(x: Number) -> Number:
    """x·tanh(softplus(x)) (Misra 2019)."""
    return _one(ops.MISH, x)


def gelu(x: Number) -> Number:
    """x·Φ(x), the exact form (Hendrycks & Gimpel 2016)."""
    return _one(ops.GELU, x)


def selu(x: Number) -> Number:
    """The self-normalising unit (Klambauer et al. 2017)."""
    return _one(ops.SELU, x)


def softsign(x: Number) -> Number:
    """x/(1 + |x|)."""
    return _one(ops.SOFTSIGN, x)


def hardtanh(x: Number) -> Number:
    """x clamped to [−1, 1]."""
    return _one(ops.HARDTANH, x)


def hardsigmoid(x: Number) -> Number:
    """(x + 3)/6 clamped to [0, 1]."""
    return _one(ops.HARDSIGMOID, x)


def hardswish(x: Number) -> Number:
    """x·hardsigmoid(x) (Howard et al. 2019)."""
    return _one(ops.HARDSWISH, x)


# Several operands ----------------------------------------------------------------------------------------------------


@_typed_two
def add(x: Any, y: Any) -> Any:
    """x + y."""
    return _any(ops.ADD, x, y)


@_typed_two
def sub(x: Any, y: Any) -> Any:
    """x − y."""
    return _any(ops.SUB, x, y)


@_typed_two
def mul(x: Any, y: Any) -> Any:
    """x · y."""
    return _any(ops.MUL, x, y)


@_typed_two
def div(x: Any, y: Any) -> Any:
    """x / y."""
    return _any(ops.DIV, x, y)


@_typed_two
def pow(x: Any, y: Any) -> Any:
    """x to the power y, either or both Values."""
    return _any(ops.POW, x, y)


@_typed_two
def hypot(x: Any, y: Any) -> Any:
    """√(x² + y²), without overflow; slopes 0 at (0, 0)."""
    return _any(ops.HYPOT, x, y)


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


@_typed_two
def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y."""
    return _any(ops.COPYSIGN, x, y)


@_typed_two
def logaddexp(x: Any, y: Any) -> Any:
    """ln(eˣ + eʸ), without overflow."""
    return _any(ops.LOGADDEXP, x, y)


@_typed_two
def xlogy(x: Any, y: Any) -> Any:
    """x·ln y, with 0·ln 0 = 0."""
    return _any(ops.XLOGY, x, y)


@_typed_two
def xlog1py(x: Any, y: Any) -> Any:
    """x·ln(1 + y), with 0·ln 0 = 0."""
    return _any(ops.XLOG1PY, x, y)


@_typed_two
def atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), in (−π, π]."""
    return _any(ops.ATAN2, y, x)


@_typed_two
def maximum(x: Any, y: Any) -> Any:
    """The larger of two; slopes ½ and ½ at a tie."""
    return _any(ops.MAXIMUM, x, y)


@_typed_two
def minimum(x: Any, y: Any) -> Any:
    """The smaller of two; slopes ½ and ½ at a tie."""
    return _any(ops.MINIMUM, x, y)


@_typed_two
def mod(x: Any, y: Any) -> Any:
    """x modulo y with the sign of y, as ``%`` in Python."""
    return _any(ops.MOD, x, y)


@_typed_two
def fmod(x: Any, y: Any) -> Any:
    """x modulo y with the sign of x, as in C."""
    return _any(ops.FMOD, x, y)


@_typed_two
def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma, n a whole number. Needs the extra ``special``."""
    return _any(ops.POLYGAMMA, n, x)


@_typed_two
def beta(x: Any, y: Any) -> Any:
    """Γ(x)Γ(y)/Γ(x + y) for positive x and y. Needs the extra ``special``."""
    return _any(ops.BETA, x, y)


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


@_typed_two
def less(x: Any, y: Any) -> Any:
    """1 where x < y, else 0; slope 0 everywhere."""
    return _any(ops.LESS, x, y)


@_typed_two
def less_equal(x: Any, y: Any) -> Any:
    """1 where x ≤ y, else 0; slope 0 everywhere."""
    return _any(ops.LESS_EQUAL, x, y)


@overload
def logical_not(condition: bool) -> bool: ...
@overload
def logical_not(condition: Any) -> Any: ...
def logical_not(condition: Any) -> Any:
    """The opposite of a condition: what ``not`` says, also while a function is being compiled.

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
        raise InputError(f"{who} takes a list of numbers or Values, not {xs!r}")
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


# What help(Value.sigmoid) says ---------------------------------------------------------------------------------------

_OPERATORS = {
    "add": ops.ADD, "sub": ops.SUB, "mul": ops.MUL, "truediv": ops.DIV, "pow": ops.POW, "mod": ops.MOD,
    "neg": ops.NEG, "abs": ops.ABS,
}  # fmt: skip
_OTHERS = {
    "__pos__": "The Value itself.",
    "__lt__": "Whether x < y, compared as numbers; while a function is compiled, a condition for where().",
    "__le__": "Whether x <= y, compared as numbers; while a function is compiled, a condition for where().",
    "__gt__": "Whether x > y, compared as numbers; while a function is compiled, a condition for where().",
    "__ge__": "Whether x >= y, compared as numbers; while a function is compiled, a condition for where().",
    "__floordiv__": "x // y: the largest whole number that is at most x / y; slope 0.",
    "__rfloordiv__": "y // x: the largest whole number that is at most y / x; slope 0.",
    "__round__": "x rounded to that many decimal places, halves to the even neighbour; slope 0.",
    "__bool__": "Whether the number is not 0.",
    "__float__": "The number; no derivative passes through it.",
    "__int__": "The number without its fraction; no derivative passes through it.",
    "item": "The number as a float; no derivative passes through it.",
}


def _summary(op: Op, formula: Any) -> str:
    """A row of the table in a line: formula, slopes, domain, convention."""
    slopes = " and ".join(op.slopes) if isinstance(op.slopes, tuple) else ""
    result = ", z the result" if re.search(r"\bz\b", slopes) else ""
    several = "s" if len(op.operands) > 1 else ""
    convention = f"; {op.convention}" if op.convention else ""
    return f"{formula}; slope{several} {slopes}{result}; for {op.conditions()}{convention}."


def _document() -> None:
    """Give Value's methods their docstrings: facts about an operation stand in its row only."""
    rows = {**ops.TABLE, "arctan2": ops.ATAN2, **{f"__{name}__": op for name, op in _OPERATORS.items()}}
    texts = {name: _summary(op, op.formula) for name, op in rows.items() if name in vars(Value)}
    for name, op in _OPERATORS.items():
        if f"__r{name}__" in vars(Value):
            texts[f"__r{name}__"] = f"y {op.symbol} x for a number y; see __{name}__."
    for name, text in {**texts, **_OTHERS}.items():
        method: Any = vars(Value).get(name)
        if method is not None and not method.__doc__:
            method.__doc__ = text


_document()
