"""XAD's Python bindings: a tape of scalars, recorded anew for every row, as its documentation shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xad.adj_1st as xadj
from xad import math as xm

from ..workloads import Work, mixed, predators
from . import Fewer


def _gradient(f: Callable[[Any], Any], numbers: Any) -> tuple[float, list[float]]:
    with xadj.Tape() as tape:
        inputs = [xadj.Real(float(x)) for x in numbers]
        for x in inputs:
            tape.registerInput(x)
        tape.newRecording()
        value = f(inputs)
        tape.registerOutput(value)
        value.setDerivative(1.0)
        tape.computeAdjoints()
        return value.getValue(), [x.getDerivative() for x in inputs]


def lotka(work: Work) -> Fewer:
    """Value and gradient."""
    rates = work.arrays["rates"][:64]

    def call() -> Any:
        found = [_gradient(predators, row) for row in rates]
        return [np.array([v for v, _ in found]), np.array([g for _, g in found])]

    return Fewer(call, len(rates))


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""

    def call() -> Any:
        value, gradient = _gradient(lambda x: mixed(xm, x), work.arrays["x"])
        return [np.array([value]), np.array(gradient)]

    return call
