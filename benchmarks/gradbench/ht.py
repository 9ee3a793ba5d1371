"""ht: a hand's distance from measured points, and the Jacobian in its pose; a row a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled

Matrix = Sequence[Sequence[Any]]
FINGERS = 5


def _product(a: Matrix, b: Matrix) -> list[list[Any]]:
    return [[ag.dot(row, column) for column in zip(*b, strict=True)] for row in a]


def _angles(theta: Any) -> dict[int, list[Any]]:
    """For each bone that turns its angles about x and z: the first joint of a finger has both, the others only x."""
    angles: dict[int, list[Any]] = {}
    for finger in range(FINGERS):
        bone, own = 2 + 4 * finger, theta[6 + 4 * finger : 10 + 4 * finger]
        angles |= {bone: [own[0], own[1]], bone + 1: [own[2], 0.0], bone + 2: [own[3], 0.0]}
    return angles


def _turned(base: Matrix, x: Any, z: Any) -> Matrix:
    """A bone's own transform after its base transform: a rotation about x, then one about z."""
    cx, sx, cz, sz = ag.cos(x), ag.sin(x), ag.cos(z), ag.sin(z)
    turn = [[cz, -sz * cx, sz * sx, 0.0], [sz, cz * cx, -cz * sx, 0.0], [0.0, sx, cx, 0.0], [0.0, 0.0, 0.0, 1.0]]
    return _product(base, turn)


def _rotation(axis: Any) -> Matrix:
    """The rotation about a vector by its length."""
    square = ag.dot(axis, axis)
    small = square < 1e-8
    norm = ag.sqrt(ag.where(small, 1.0, square))
    x, y, z = (a / norm for a in axis)
    s, c = ag.sin(norm), ag.cos(norm)
    matrix = [
        [x * x + (1.0 - x * x) * c, x * y * (1.0 - c) - z * s, x * z * (1.0 - c) + y * s],
        [x * y * (1.0 - c) + z * s, y * y + (1.0 - y * y) * c, y * z * (1.0 - c) - x * s],
        [x * z * (1.0 - c) - y * s, z * y * (1.0 - c) + x * s, z * z + (1.0 - z * z) * c],
    ]
    return [[ag.where(small, float(i == j), matrix[i][j]) for j in range(3)] for i in range(3)]


class _Hand:
    """A problem: the hand's model, and for each measured point the vertices that it belongs to."""

    def __init__(self, given: Any) -> None:
        data, model = given["data"], given["data"]["model"]
        self.parents = model["parents"]
        self.bases, self.inverses = model["base_relatives"], model["inverse_base_absolutes"]
        self.mirrored = model["is_mirrored"]
        self.theta = np.array(given["theta"], dtype=float)
        self.points = np.array(data["points"], dtype=float)
        self.us = np.array(given["us"], dtype=float)
        of_points = np.array(data["correspondences"], dtype=int)
        chosen = np.array(model["triangles"], dtype=int)[of_points] if self.us.size else of_points[:, None]
        self.positions = np.array(model["base_positions"], dtype=float)[chosen]
        self.weights = np.array(model["weights"], dtype=float)[chosen]

    def transforms(self, theta: Any) -> list[Matrix]:
        """For each bone the transform that it gives to vertices."""
        absolutes: list[Matrix] = []
        angles = _angles(theta)
        for bone, (base, parent) in enumerate(zip(self.bases, self.parents, strict=True)):
            own = _turned(base, *angles[bone]) if bone in angles else base
            absolutes.append(own if parent < 0 else _product(absolutes[parent], own))
        return [_product(a, b)[:3] for a, b in zip(absolutes, self.inverses, strict=True)]

    def residual(self, theta: Any, us: Any, point: Any, positions: Any, weights: Any) -> list[Any]:
        """A measured point minus its point of the hand, between three vertices or at one."""
        shares = [us[0], us[1], 1.0 - us[0] - us[1]] if us else [1.0]
        blended = [0.0, 0.0, 0.0]
        for bone, transform in enumerate(self.transforms(theta)):
            scaled = [share * of_vertex[bone] for share, of_vertex in zip(shares, weights, strict=True)]
            place = [ag.dot(scaled, column) for column in zip(*positions, strict=True)]
            blended = [ag.dot(row, place, total) for row, total in zip(transform, blended, strict=True)]
        if self.mirrored:
            blended[0] = -blended[0]
        turned = [ag.dot(row, blended) for row in _rotation(theta[:3])]
        return [p - (x + shift) for p, x, shift in zip(point, turned, theta[3:6], strict=True)]

    def compiled(self, derivatives: bool) -> Callable[[], Any]:
        """The residuals of all points, or their derivatives in theta and us, by forward sweeps."""
        function: Callable[..., Any] = self.residual
        if derivatives:
            wanted = (0, 1) if self.us.size else (0,)
            function = ag.jacobian(function, wanted, mode="forward")
        us = self.us if self.us.size else np.empty((len(self.points), 0))
        arguments = self.theta, us, self.points, self.positions, self.weights
        f = compiled(function, in_axes=(None, 0, 0, 0, 0))
        return lambda: f(*arguments)


def objective(given: Any) -> Call:
    """The residuals, one after the other."""
    run = _Hand(given).compiled(False)
    return lambda: run().ravel()


def jacobian(given: Any) -> Call:
    """A row for each residual: its derivatives in its point's us, then in theta."""
    run = _Hand(given).compiled(True)

    def call() -> Any:
        by_theta, *by_us = run()
        return np.concatenate([*by_us, by_theta], axis=2).reshape(-1, by_theta.shape[2] + 2 * len(by_us))

    return call


FUNCTIONS = {"objective": objective, "jacobian": jacobian}
