"""ba: bundle adjustment, the errors of all observations and their sparse Jacobian; a row an observation."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag

from ..workloads import projection
from .protocol import Call, compiled

CAMERA, POINT = 11, 3
COLUMNS = CAMERA + POINT + 1


def _error(parameters: Any, feature: Any) -> list[Any]:
    camera, point, weight = parameters[:CAMERA], parameters[CAMERA:-1], parameters[-1]
    return [weight * error for error in projection(ag, camera, point, feature)]


_errors = compiled(_error)
_weight_errors = compiled(lambda weight: 1.0 - weight * weight)


class _Problem:
    """The arrays of a problem, and the observations' parameters gathered from them."""

    def __init__(self, given: Any) -> None:
        self.n, self.m, self.p = given["n"], given["m"], given["p"]
        self.cameras = np.tile(np.array(given["cam"], dtype=float), (self.n, 1))
        self.points = np.tile(np.array(given["x"], dtype=float), (self.m, 1))
        self.weights = np.full(self.p, float(given["w"]))
        self.features = np.tile(np.array(given["feat"], dtype=float), (self.p, 1))
        number = np.arange(self.p, dtype=np.int32)
        self.camera_of, self.point_of = number % self.n, number % self.m
        self.values = np.empty(self.p * (2 * COLUMNS + 1))  # of the Jacobian, which every call fills anew
        self.columns = np.empty(len(self.values), np.int32)
        self.gathered = np.empty((self.p, COLUMNS))

    def parameters(self) -> Any:
        """For each observation its camera, its point and its weight."""
        self.gathered[:, :CAMERA] = self.cameras[self.camera_of]
        self.gathered[:, CAMERA:-1] = self.points[self.point_of]
        self.gathered[:, -1] = self.weights
        return self.gathered


def objective(given: Any) -> Call:
    """The errors of the observations and of their weights."""
    problem = _Problem(given)
    return lambda: (_errors(problem.parameters(), problem.features), _weight_errors(problem.weights))


def jacobian(given: Any) -> Call:
    """The Jacobian in compressed rows: where each row starts, and the column and value of each entry."""
    problem = _Problem(given)

    def call() -> tuple[Any, Any, Any]:
        p, n = problem.p, problem.n
        split = p * 2 * COLUMNS
        _errors.jacobian(problem.parameters(), problem.features, out=problem.values[:split].reshape(p, 2, COLUMNS))
        _weight_errors.grad(problem.weights, out=problem.values[split:])
        starts = np.concatenate(
            [np.arange(2 * p + 1, dtype=np.int32) * COLUMNS, np.arange(1, p + 1, dtype=np.int32) + split]
        )
        of_weight = np.arange(p, dtype=np.int32) + (CAMERA * n + POINT * problem.m)
        columns = problem.columns[:split].reshape(p, 2, COLUMNS)
        columns[:, :, :CAMERA] = (CAMERA * problem.camera_of)[:, None, None] + np.arange(CAMERA, dtype=np.int32)
        columns[:, :, CAMERA:-1] = (POINT * problem.point_of)[:, None, None] + np.arange(POINT, dtype=np.int32)
        columns[:, :, CAMERA:-1] += CAMERA * n
        columns[:, :, -1] = of_weight[:, None]
        problem.columns[split:] = of_weight
        return starts, problem.columns, problem.values

    return call


def _short_objective(output: Any) -> Any:
    """The eval repeats one observation, and expects the errors of the first."""
    errors, of_weights = output
    return {
        "reproj_error": {"elements": errors[0], "repeated": len(errors)},
        "w_err": {"element": of_weights[0], "repeated": len(of_weights)},
    }


def _short_jacobian(output: Any) -> Any:
    """The entries of the first observation, and the last entry."""
    names = ("rows", "cols", "vals")
    return {name: [*x[: 2 * COLUMNS].tolist(), x[-1].item()] for name, x in zip(names, output, strict=True)}


FUNCTIONS = {"objective": (objective, _short_objective), "jacobian": (jacobian, _short_jacobian)}
