"""lse: log Σ exp(xᵢ), and its gradient; a row a number."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled

# The function is a logarithm of a sum over rows. A reverse sweep through both goes from the logarithm to the sum, whose
# adjoint then multiplies every term. The shift is a constant: the function does not depend on it.
_terms = compiled(lambda x, shift, adjoint: adjoint * ag.exp(x - shift), in_axes=(0, None, None), reduce="sum")
_slope = ag.grad(ag.log)


def primal(given: Any) -> Call:
    """The value."""
    x = np.array(given["x"], dtype=float)

    def call() -> Any:
        shift = float(x.max())
        return shift + ag.log(_terms(x, shift, 1.0))

    return call


def gradient(given: Any) -> Call:
    """The gradient in x."""
    x = np.array(given["x"], dtype=float)

    def call() -> Any:
        shift = float(x.max())
        total = _terms(x, shift, 1.0)
        return _terms.grad(x, shift, _slope(total))

    return call


FUNCTIONS = {"primal": primal, "gradient": gradient}
