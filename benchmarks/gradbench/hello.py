"""hello: the square of a number, and its derivative."""

from __future__ import annotations

import autograd as ag

from .protocol import Call


def _square(x: float) -> float:
    return x * x


_double = ag.grad(_square)


def square(x: float) -> Call:
    """x²."""
    return lambda: _square(x)


def double(x: float) -> Call:
    """2x, as the derivative of x²: eager, because one operation does not repay compiling."""
    return lambda: _double(x)


FUNCTIONS = {"square": square, "double": double}
