"""scipy.optimize.least_squares and curve_fit with exact Jacobians: a decaying oscillation fitted to noisy data.

The residuals and their Jacobian come from one compiled program. ``least_squares`` asks for them in two calls at the
same point, so the first call keeps both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import curve_fit, least_squares

import autograd as ag

from .common import compared, timed

TRUE = np.array([2.0, 0.3, 1.7, 0.4])


def oscillation(t: Any, size: Any, decay: Any, frequency: Any, phase: Any) -> Any:
    """size·exp(−decay·t)·cos(frequency·t + phase)."""
    return size * ag.exp(-decay * t) * ag.cos(frequency * t + phase)


model = ag.compile(oscillation, in_axes=(0, None, None, None, None))


class Residuals:
    """The residuals, and their Jacobian at the same point without a second computation.

    Args:
        t, y: when was measured, and what.
    """

    def __init__(self, t: Any, y: Any) -> None:
        self.t, self.y = t, y
        self.at: Any = None

    def _compute(self, p: Any) -> None:
        if self.at is None or not np.array_equal(p, self.at):
            values, slopes = model.value_and_jacobian(self.t, *p, argnums=(1, 2, 3, 4))
            self.at, self.values, self.jacobian = p.copy(), values - self.y, np.stack(slopes, axis=1)

    def __call__(self, p: Any) -> Any:
        """The residuals."""
        self._compute(p)
        return self.values

    def slopes(self, p: Any) -> Any:
        """The Jacobian: a row for each residual."""
        self._compute(p)
        return self.jacobian


def main() -> Any:
    """Fit in three ways and print what each needs."""
    t = np.linspace(0.0, 10.0, 1000)
    y = model(t, *TRUE) + np.random.default_rng(0).normal(scale=0.1, size=t.shape)
    start = np.array([1.0, 0.1, 1.5, 0.0])
    residuals = Residuals(t, y)
    differences, slow = timed(lambda: least_squares(residuals, start, method="lm"))
    exact, quick = timed(lambda: least_squares(residuals, start, jac=residuals.slopes, method="lm"))

    def jacobian(t: Any, *p: Any) -> Any:
        return np.stack(model.jacobian(t, *p, argnums=(1, 2, 3, 4)), axis=1)

    (fitted, covariance), by_curve_fit = timed(lambda: curve_fit(model, t, y, start, jac=jacobian))
    lines = {
        "least_squares, finite differences": (f"{differences.x.round(3)}", slow),
        "least_squares, exact Jacobian": (f"{exact.x.round(3)}", quick),
        "curve_fit, exact Jacobian": (f"{fitted.round(3)}", by_curve_fit),
    }
    compared(lines)
    print("standard errors:", np.sqrt(np.diag(covariance)).round(5))
    return exact.x, fitted


if __name__ == "__main__":
    main()
