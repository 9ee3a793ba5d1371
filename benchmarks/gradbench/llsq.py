"""llsq: a polynomial's squared distance from the sign function, and its gradient in the coefficients; a row a point."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _square(i: Any, n: Any, x: Any) -> Any:
    t = -1.0 + i * 2.0 / (n - 1.0)
    powers = [1.0]
    for _ in x[1:]:
        powers.append(powers[-1] * t)
    return 0.5 * (ag.sign(t) - ag.dot(powers, x)) ** 2


_squares = compiled(_square, in_axes=(0, None, None), reduce="sum")


def _arguments(given: Any) -> tuple[Any, Any, Any]:
    return np.arange(given["n"], dtype=float), float(given["n"]), np.array(given["x"], dtype=float)


def primal(given: Any) -> Call:
    """The sum."""
    arguments = _arguments(given)
    return lambda: _squares(*arguments)


def gradient(given: Any) -> Call:
    """Its gradient in x."""
    arguments = _arguments(given)
    return lambda: _squares.grad(*arguments, argnums=2)


FUNCTIONS = {"primal": primal, "gradient": gradient}
