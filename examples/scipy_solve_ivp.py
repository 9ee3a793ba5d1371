"""scipy.integrate.solve_ivp with an exact Jacobian: Robertson's stiff chemical reactions.

Implicit methods solve equations at every step, and need the Jacobian of the right side for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

import autograd as ag

from .common import compared, timed


@lambda f: ag.compile(f, in_axes=None)
def reactions(t: Any, y: Any) -> Any:
    """The rates of the concentrations of three substances (Robertson 1966)."""
    a, b, c = y
    forth, back, squared = 0.04 * a, 1e4 * b * c, 3e7 * b**2
    return [-forth + back, forth - back - squared, squared]


def main() -> Any:
    """Integrate with and without the Jacobian, and print what each needs."""
    span, start = (0.0, 1e6), np.array([1.0, 0.0, 0.0])
    settings: dict[str, Any] = {"method": "Radau", "rtol": 1e-8, "atol": 1e-12}
    plain, slow = timed(lambda: solve_ivp(reactions, span, start, **settings), rounds=2)

    def jacobian(t: Any, y: Any) -> Any:
        return reactions.jacobian(t, y, argnums=1)

    exact, quick = timed(lambda: solve_ivp(reactions, span, start, jac=jacobian, **settings), rounds=2)
    lines = {}
    for name, found, seconds in (("finite differences", plain, slow), ("exact Jacobian", exact, quick)):
        lines[name] = (f"{found.nfev:5d} calls, total {found.y[:, -1].sum():.15f}", seconds)
    compared(lines)
    return exact.y[:, -1]


if __name__ == "__main__":
    main()
