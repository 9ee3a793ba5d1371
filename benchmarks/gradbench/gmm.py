"""gmm: the log posterior of a Gaussian mixture, and its gradient; a row a point, and a call for each component."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _term(x: Any, parameters: Any) -> Any:
    """The logarithm of a component's weighted density at a point, without its constants.

    Its parameters stand one after the other: alpha, mu, q and l.
    """
    d = len(x)
    alpha, mu, q, lower = parameters[0], parameters[1 : d + 1], parameters[d + 1 : 2 * d + 1], parameters[2 * d + 1 :]
    centred = [a - b for a, b in zip(x, mu, strict=True)]
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


_terms = compiled(_term, in_axes=(0, None))
_likelihood = compiled(ag.logsumexp, in_axes=1, reduce="sum")  # of the terms: components × points
_priors = compiled(_prior, in_axes=(0, 0, None, None), reduce="sum")
_norm = compiled(ag.logsumexp, in_axes=None)
# A reverse sweep goes from the likelihood to the terms, whose adjoints then multiply every term.
_weighted = compiled(lambda adjoint, x, own: adjoint * _term(x, own), in_axes=(0, 0, None), reduce="sum")


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
        self.parameters = np.hstack([self.alpha[:, None], self.mu, self.q, self.lower])
        self.room = np.empty((self.k, self.n))

    def terms(self) -> Any:
        """The logarithms of the components' weighted densities: components × points."""
        for own, room in zip(self.parameters, self.room, strict=True):
            _terms(self.x, own, out=room)
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
    d = mixture.d

    def call() -> dict[str, Any]:
        adjoints = np.ascontiguousarray(_likelihood.grad(mixture.terms()).T)  # components × points
        slopes = [
            _weighted.grad(adjoint, mixture.x, own, argnums=2)
            for adjoint, own in zip(adjoints, mixture.parameters, strict=True)
        ]
        alpha, mu, q, lower = np.split(np.array(slopes), [1, d + 1, 2 * d + 1], axis=1)
        by_q, by_lower = _priors.grad(mixture.q, mixture.lower, mixture.gamma, mixture.m, argnums=(0, 1))
        by_alpha = mixture.n * _norm.grad(mixture.alpha)
        return {"alpha": alpha[:, 0] - by_alpha, "mu": mu, "q": q + by_q, "l": lower + by_lower}

    return call


FUNCTIONS = {"objective": objective, "jacobian": jacobian}
