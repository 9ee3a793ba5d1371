"""ode: a chain of equations by the classical Runge-Kutta method, and the gradient of its last component.

A component's slope depends only on itself and the one before. So the outer loop can go over the components, and the
steps of time be the inner one: a component takes the values that the one before had at every stage of every step.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled

END = 2.0  # of time


@cache
def _components(steps: int) -> ag.Compiled:
    """All components at the end, and the last of them."""
    h = END / steps

    def component(state: Any, x: Any) -> Any:
        before, _ = state
        y: Any = 0.0
        own = []
        for step in range(steps):
            a, b, c, d = (x * z for z in before[4 * step : 4 * step + 4])
            own += [y, y + 0.5 * h * a, y + 0.5 * h * b, y + h * c]
            y = y + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
        return (own, y), y

    def components(x: Any) -> Any:
        first = [1.0] * (4 * steps), 0.0  # before the first one: its slope is x itself
        return ag.scan(component, first, x)

    return compiled(lambda x: components(x)[1])


@cache
def _last(steps: int) -> ag.Compiled:
    every = _components(steps).function
    return compiled(lambda x: every(x)[-1])


def primal(given: Any) -> Call:
    """All components."""
    f, x = _components(given["s"]), np.array([given["x"]], dtype=float)
    return lambda: f(x)[0]


def gradient(given: Any) -> Call:
    """The gradient of the last component in x."""
    f, x = _last(given["s"]), np.array([given["x"]], dtype=float)
    return lambda: f.grad(x)[0]


FUNCTIONS = {"primal": primal, "gradient": gradient}
