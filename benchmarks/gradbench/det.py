"""det: a determinant by expansion along its rows, and its gradient.

Each minor is recorded once and shared by all that contain it, as a recursion with a cache does: 2ⁿ minors instead of n!
products. Nothing else about the expansion differs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _determinant(a: Any) -> Any:
    n = len(a)

    @cache
    def minor(row: int, columns: tuple[int, ...]) -> Any:
        """The determinant of the rows from ``row`` on in these columns."""
        if len(columns) == 1:
            return a[row][columns[0]]
        signed = [a[row][j] if k % 2 == 0 else -a[row][j] for k, j in enumerate(columns)]
        return ag.dot(signed, [minor(row + 1, columns[:k] + columns[k + 1 :]) for k in range(len(columns))])

    return minor(0, tuple(range(n)))


_determinants = compiled(_determinant)


def _matrices(given: Any) -> Any:
    """One row: the matrix."""
    return np.array(given["A"], dtype=float).reshape(1, given["ell"], given["ell"])


def primal(given: Any) -> Call:
    """The determinant."""
    a = _matrices(given)
    return lambda: _determinants(a)[0]


def gradient(given: Any) -> Call:
    """Its gradient, row by row."""
    a = _matrices(given)
    return lambda: _determinants.grad(a).ravel()


FUNCTIONS = {"primal": primal, "gradient": gradient}
