"""gmm: the log posterior of a Gaussian mixture, and its gradient; a row a point, and a call for each component."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _term(x: Any, alpha: Any, mu: Any, q: Any, lower: Any) -> Any:
    """The logarithm of a component's weighted density at a point, without its constants."""
    centred = [a - b for a, b in zip(x, mu, strict=True)]
    d = len(q)
    column = [i * (2 * d - i - 1) // 2 for i in range(d)]  # where the i-th column of the triangle begins
    whitened = []
    for j in range(d):
        row = [lower[column[i] + j - i - 1] for i in range(j)]
        whitened.append(ag.dot([*row, ag.exp(q[j])], centred[: j + 1]))
    return alpha + ag.sum(q) - 0.5 * ag.dot(whitened, whitened)


def _prior(q: Any, lower: Any, gamma: Any, m: Any) -> Any:
    """The logarithm of a component's Wishart density, without its constants."""
    diagonal = [ag.exp(x) for x in q]
    frobenius = ag.dot(diagonal, diagonal) + (ag.dot(lower, lower) if lower else 0.0)
    return m * ag.sum(q) - 0.5 * gamma * gamma * frobenius


_terms = compiled(_term, in_axes=(0, None, None, None, None))
_likelihood = compiled(ag.logsumexp, in_axes=1, reduce="sum")  # of the terms: components × points
_priors = compiled(_prior, in_axes=(0, 0, None, None), reduce="sum")
_norm = compiled(ag.logsumexp, in_axes=None)
# A reverse sweep goes from the likelihood to the terms, whose adjoints then multiply every term.
_weighted = compiled(
    lambda adjoint, *of_term: adjoint * _term(*of_term), in_axes=(0, 0, None, None, None, None), reduce="sum"
)


class _Mixture:
    """The arrays of a problem."""

    def __init__(self, given: Any) -> None:
        self.x, self.alpha, self.mu, self.q = (np.array(given[name], dtype=float) for name in ("x", "alpha", "mu", "q"))
        self.n, self.d, self.k = given["n"], given["d"], given["k"]
        self.lower = np.array(given["l"], dtype=float).reshape(self.k, -1)
        self.gamma, self.m = float(given["gamma"]), float(given["m"])
        freedom = self.d + self.m + 1.0
        gammas = sum(math.lgamma(0.5 * (freedom - j)) for j in range(self.d))
        wishart = freedom * self.d * (math.log(self.gamma) - 0.5 * math.log(2.0)) - (
            0.25 * self.d * (self.d - 1) * math.log(math.pi) + gammas
        )
        self.constant = self.k * wishart - 0.5 * self.n * self.d * math.log(2.0 * math.pi)
        self.room = np.empty((self.k, self.n))

    def terms(self) -> Any:
        """The logarithms of the components' weighted densities: components × points."""
        for k, own in enumerate(zip(self.alpha, self.mu, self.q, self.lower, strict=True)):
            _terms(self.x, *own, out=self.room[k])
        return self.room


def objective(given: Any) -> Call:
    """The log posterior."""
    mixture = _Mixture(given)

    def call() -> Any:
        priors = _priors(mixture.q, mixture.lower, mixture.gamma, mixture.m)
        return mixture.constant + _likelihood(mixture.terms()) - mixture.n * _norm(mixture.alpha) + priors

    return call


def jacobian(given: Any) -> Call:
    """Its gradient in alpha, mu, q and l."""
    mixture = _Mixture(given)
    mu, lower = np.empty_like(mixture.mu), np.empty_like(mixture.lower)

    def call() -> dict[str, Any]:
        adjoints = _likelihood.grad(mixture.terms())  # points × components
        q, of_lower = _priors.grad(mixture.q, mixture.lower, mixture.gamma, mixture.m, argnums=(0, 1))
        alpha = -mixture.n * _norm.grad(mixture.alpha)
        for k, own in enumerate(zip(mixture.alpha, mixture.mu, mixture.q, mixture.lower, strict=True)):
            by_alpha, mu[k], by_q, lower[k] = _weighted.grad(adjoints[:, k], mixture.x, *own, argnums=(2, 3, 4, 5))
            alpha[k] += by_alpha
            q[k] += by_q
        return {"alpha": alpha, "mu": mu, "q": q, "l": lower + of_lower}

    return call


FUNCTIONS = {"objective": objective, "jacobian": jacobian}
