"""saddle: min over x of max over y of a function, by one gradient descent inside the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .descent import MODES, Slopes, maximize, minimize
from .protocol import Call, compiled


def _height(x: list[Any], y: list[Any]) -> Any:
    return x[0] * x[0] + x[1] * x[1] - (y[0] * y[0] + y[1] * y[1])


def _saddle(start: list[Any], outer: Slopes, inner: Slopes) -> list[Any]:
    def highest(x: list[Any]) -> Any:
        return _height(x, maximize(partial(_height, x), start, inner))

    x = minimize(highest, start, outer)
    return [*x, *maximize(partial(_height, x), start, inner)]


def _named(modes: str) -> Callable[[Any], Call]:
    """The variant with these modes of the outer and of the inner derivative."""
    outer, inner = (MODES[mode] for mode in modes)
    f = compiled(lambda start: _saddle(start, outer, inner))

    def prepare(given: Any) -> Call:
        start = np.array([given["start"]], dtype=float)  # one row
        return lambda: f(start)[0]

    return prepare


FUNCTIONS = {modes: _named(modes) for modes in ("ff", "fr", "rf", "rr")}
