"""Carriers: the number types that the rules of the operation table compute with.

A rule is written once, for a carrier ``m`` that offers ``exp``, ``log``, ``where`` … on its numbers. This file holds
the two carriers made of floats: FLOATS, which raises where Python's ``math`` raises, and IEEE, which returns inf or nan
there. Two more live where they are used: Values in ``functions.py``, and the symbols of compiled programs in
``compiling/symbols.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from . import special
from .rules import Carrier


def _where(condition: Any, x: float, y: float) -> float:
    return x if condition else y


def choose(condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """The branch that the condition takes; the other one is not computed."""
    return then() if condition else otherwise()


def _total(xs: Sequence[float]) -> float:
    # A plain left-to-right sum: from Python 3.12 the builtin compensates rounding errors, and results must not differ.
    total = 0.0
    for x in xs:
        total += x
    return total


def _largest(xs: Sequence[float]) -> float:
    top = xs[0]
    for x in xs:
        top = top if top > x else x if x >= top else top + x  # nan if one is
    return top


def _dot(xs: Sequence[float], ys: Sequence[float], bias: float) -> float:
    total = 0.0
    for x, y in zip(xs, ys):  # noqa: B905  (lengths are checked where a dot is recorded)
        total += x * y
    return total + bias


def _raising(function: Callable[..., float]) -> Callable[..., float]:
    """A special function that raises as Python's math does."""

    def special(*operands: float) -> float:
        result = function(*operands)
        if result - result != 0.0 and all(map(math.isfinite, operands)):
            raise ValueError("no value") if result != result else OverflowError("too large")
        return result

    return special


_floats = SimpleNamespace(
    where=_where,
    choose=choose,
    detach=lambda x: x,
    sum=_total,
    largest=_largest,
    dot=_dot,
    **{
        name: getattr(math, name)
        for name in (
            *("pow", "sqrt", "cbrt", "hypot", "copysign", "fmod"),
            *("exp", "expm1", "log", "log2", "log10", "log1p"),
            *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
            *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
            *("erf", "erfc", "gamma", "lgamma"),
        )
    },
    abs=math.fabs,
    # Python's functions return an int, which has no −0.
    floor=lambda x: math.copysign(math.floor(x), x),
    ceil=lambda x: math.copysign(math.ceil(x), x),
    trunc=lambda x: math.copysign(math.trunc(x), x),
    round=lambda x: math.copysign(round(x), x),
    **{name: _raising(function) for name, function in special.FUNCTIONS.items()},
)
FLOATS = cast(Carrier, _floats)


class Extended(float):
    """A float whose arithmetic follows IEEE 754: 1/0 is inf and 0/0 is nan, where Python raises.

    >>> Extended(1.0) / Extended(0.0)
    inf
    """

    __slots__ = ()

    # Every other type, such as Value, handles the Extended itself.
    def __add__(self, y: Any) -> Any:
        return Extended(float(self) + y) if isinstance(y, float | int) else NotImplemented

    def __sub__(self, y: Any) -> Any:
        return Extended(float(self) - y) if isinstance(y, float | int) else NotImplemented

    def __rsub__(self, y: Any) -> Any:
        return Extended(y - float(self)) if isinstance(y, float | int) else NotImplemented

    def __mul__(self, y: Any) -> Any:
        return Extended(float(self) * y) if isinstance(y, float | int) else NotImplemented

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Extended:
        return Extended(-float(self))

    def __truediv__(self, y: Any) -> Any:
        if not isinstance(y, float | int):
            return NotImplemented
        x = float(self)
        if y != 0.0:
            return Extended(x / float(y))
        if x == 0.0 or x != x:
            return Extended(math.nan)
        return Extended(math.copysign(math.inf, x) * math.copysign(1.0, y))

    def __rtruediv__(self, x: Any) -> Any:
        return Extended(x) / self if isinstance(x, float | int) else NotImplemented


def _ieee_log(x: float) -> float:
    return -math.inf if x == 0.0 else math.nan


def _ieee_pow(x: float, y: float) -> float:
    odd = math.fabs(math.fmod(y, 2.0)) == 1.0  # exact; y % 2.0 is rounded where y is just above −1
    if x == 0.0 and y < 0.0:
        return math.copysign(math.inf, x) if odd else math.inf
    if x < 0.0 and not y.is_integer():
        return math.nan
    return -math.inf if x < 0.0 and odd else math.inf  # overflow


def _nan(*operands: float) -> float:
    return math.nan


# What IEEE 754 says where Python's math raises; a function that is not named here is nan there.
_BEYOND: dict[str, Callable[..., float]] = {
    "exp": lambda x: math.inf,
    "expm1": lambda x: math.inf,
    "log": _ieee_log,
    "log2": _ieee_log,
    "log10": _ieee_log,
    "log1p": lambda x: _ieee_log(1.0 + x),
    "pow": _ieee_pow,
    "atanh": lambda x: math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan,
    "sinh": lambda x: math.copysign(math.inf, x),
    "cosh": lambda x: math.inf,
    "gamma": lambda x: math.inf if x > 0.0 else math.nan,
    "lgamma": lambda x: math.inf,
    **dict.fromkeys(("floor", "ceil", "trunc", "round"), lambda x: x),  # inf and nan
    **special.FUNCTIONS,
}


def _extended(name: str, function: Callable[..., float]) -> Callable[..., Any]:
    beyond = _BEYOND.get(name, _nan)

    def on_extended(*operands: Any) -> Any:
        try:
            result = function(*operands)
        except (ArithmeticError, ValueError):
            result = beyond(*operands)
        return Extended(result)

    return on_extended


IEEE = cast(Carrier, SimpleNamespace(**{name: _extended(name, f) for name, f in vars(_floats).items()}))
setattr(IEEE, "choose", choose)  # noqa: B010  (its branches are functions, not numbers)
