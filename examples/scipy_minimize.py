"""scipy.optimize.minimize with exact gradients, Hessians and Hessian-vector products of the Rosenbrock function.

``value_and_grad`` of a compiled function is what ``jac=True`` expects; ``hess`` takes ``hessian`` as it is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize

import autograd as ag

from .common import compared, timed

N = 30


@lambda f: ag.compile(f, in_axes=None)
def rosenbrock(x: Any) -> Any:
    """Σ 100·(x[i+1] − x[i]²)² + (1 − x[i])², whose minimum is 0 at (1, …, 1)."""
    return ag.sum([100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def product(x: Any, v: Any) -> Any:
    """The Hessian at x times v, for methods that need no more than that."""
    return direction.grad(x, v)


# The derivative of the gradient in a direction is the gradient of the derivative in that direction.
direction = ag.compile(lambda x, v: ag.jvp(rosenbrock.function, (x,), (v,))[1], in_axes=None)


def main() -> dict[str, Any]:
    """Minimise in four ways and print what each needs."""
    start = np.full(N, -1.2)
    ways: dict[str, dict[str, Any]] = {
        "BFGS, finite differences": {"fun": rosenbrock, "method": "BFGS"},
        "BFGS, exact gradient": {"fun": rosenbrock.value_and_grad, "jac": True, "method": "BFGS"},
        "Newton-CG, Hessian times vector": {
            **{"fun": rosenbrock.value_and_grad, "jac": True, "hessp": product, "method": "Newton-CG"}
        },
        "trust-exact, Hessian": {
            **{"fun": rosenbrock.value_and_grad, "jac": True, "hess": rosenbrock.hessian, "method": "trust-exact"}
        },
    }
    found, lines = {}, {}
    for name, way in ways.items():
        result, seconds = timed(lambda way=way: minimize(x0=start, options={"maxiter": 5000}, **way))  # type: ignore[misc]
        found[name] = result
        error = np.abs(result.x - 1.0).max()
        lines[name] = (f"{result.nfev:5d} calls, {result.nit:3d} iterations, error {error:.1e}", seconds)
    compared(lines)
    return found


if __name__ == "__main__":
    main()
