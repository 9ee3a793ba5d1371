"""scipy.optimize.root with an exact Jacobian: a nonlinear boundary-value problem by finite differences.

u'' + exp(u) = 0 between two walls where u = 0 (Bratu's problem), on a grid; each equation has three unknowns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import root

import autograd as ag

from .common import compared, timed

N = 60
H = 1.0 / (N + 1)


@lambda f: ag.compile(f, in_axes=None)
def equations(u: Any) -> Any:
    """(u[i−1] − 2·u[i] + u[i+1])/h² + exp(u[i]) at each point."""
    walled = [0.0, *u, 0.0]
    return [(a - 2.0 * b + c) / H**2 + ag.exp(b) for a, b, c in zip(walled, walled[1:], walled[2:], strict=False)]


def main() -> Any:
    """Solve with and without the Jacobian, and print what each needs."""
    start = np.zeros(N)
    plain, slow = timed(lambda: root(equations, start))
    exact, quick = timed(lambda: root(equations.value_and_jacobian, start, jac=True))
    lines = {}
    for name, found, seconds in (("finite differences", plain, slow), ("exact Jacobian", exact, quick)):
        lines[name] = (f"{found.nfev:4d} calls, residual {np.abs(found.fun).max():.1e}", seconds)
    compared(lines)
    return exact.x


if __name__ == "__main__":
    main()
