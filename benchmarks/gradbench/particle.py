"""particle: the charge that makes a particle's path cross the axis at the origin, by descent through the whole path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag

from .descent import MODES, MOST_STEPS, Slopes, minimize
from .protocol import Call, compiled

STEP = 0.1  # of time


def _landing(w: Any, slopes: Slopes) -> Any:
    """The square of where the path crosses the axis: Euler steps, then a straight line."""
    charges = (10.0, 10.0 - w), (10.0, 0.0)

    def potential(x: list[Any]) -> Any:
        distances = [ag.sqrt((a - x[0]) ** 2 + (b - x[1]) ** 2) for a, b in charges]
        return ag.sum([1.0 / distance for distance in distances])

    def moved(x: list[Any], speed: list[Any]) -> list[Any]:
        return [a + STEP * v for a, v in zip(x, speed, strict=True)]

    def step(state: Any) -> Any:
        x, speed = state
        _, force = slopes(potential, x)
        return moved(x, speed), [v - STEP * f for v, f in zip(speed, force, strict=True)]

    def above(state: Any) -> Any:
        return moved(*state)[1] > 0.0

    x, speed = ag.while_loop(above, step, ([0.0, 8.0], [0.75, 0.0]), MOST_STEPS)
    x = moved(x, speed)
    return (x[0] - x[1] / speed[1] * speed[0]) ** 2


def _named(modes: str) -> Callable[[Any], Call]:
    """The variant with these modes of the outer and of the inner derivative."""
    outer, inner = (MODES[mode] for mode in modes)
    f = compiled(lambda w: minimize(lambda w: _landing(w[0], inner), [w], outer)[0])

    def prepare(given: Any) -> Call:
        w = np.array([given["w"]], dtype=float)  # one row
        return lambda: f(w)[0]

    return prepare


FUNCTIONS = {modes: _named(modes) for modes in ("ff", "fr", "rf", "rr")}
