"""The tool for GradBench answers every eval rightly: against NumPy, central differences and plain loops."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count, pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gradbench.protocol import EVALS

ROOT = Path(__file__).parents[2]


class Tool:
    """The tool in a process of its own."""

    def __init__(self) -> None:
        self.numbers = count()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "gradbench"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def send(self, **message: Any) -> Any:
        """The response to a message."""
        assert self.process.stdin
        assert self.process.stdout
        number = next(self.numbers)
        print(json.dumps({"id": number, **message}), file=self.process.stdin, flush=True)
        response = json.loads(self.process.stdout.readline())
        assert response["id"] == number
        return response

    def ask(self, module: str, function: str, given: Any) -> Any:
        """The output of a function."""
        response = self.send(kind="evaluate", module=module, function=function, input=given)
        assert response["success"], response["error"]
        return response["output"]


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    found = Tool()
    yield found
    assert found.process.stdin
    assert found.process.stdout
    found.process.stdin.close()
    assert found.process.wait() == 0
    found.process.stdout.close()


def slopes(f: Callable[[Any], Any], x: Any) -> Any:
    """The derivatives by central differences of fourth order: an axis for x after those of f(x)."""
    x = np.asarray(x, dtype=float)
    columns = []
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = 1e-3
        step = step.reshape(x.shape)
        near, far = f(x + step) - f(x - step), f(x + 2 * step) - f(x - 2 * step)
        columns.append((8.0 * near - far) / 12e-3)
    return np.moveaxis(np.array(columns), 0, -1)


def agree(found: Any, expected: Any, tolerance: float = 1e-8) -> None:
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=tolerance, atol=tolerance)


def rng() -> Any:
    return np.random.default_rng(0)


# The protocol --------------------------------------------------------------------------------------------------------


def test_messages_that_ask_for_nothing_are_acknowledged(tool: Tool) -> None:
    assert set(tool.send(kind="start", eval="hello")) == {"id", "tool"}
    assert set(tool.send(kind="analysis", of=0, valid=True)) == {"id"}


@pytest.mark.parametrize("name", EVALS)
def test_every_eval_is_defined(tool: Tool, name: str) -> None:
    assert tool.send(kind="define", module=name)["success"] is True


def test_an_unknown_eval_and_a_failure_are_responses(tool: Tool) -> None:
    unknown = tool.send(kind="define", module="os")
    assert unknown["success"] is False
    assert "no eval 'os'" in unknown["error"]
    missing = tool.send(kind="evaluate", module="hello", function="cube", input=1.0)
    assert missing["success"] is False
    assert "no function 'cube'" in missing["error"]
    wrong = tool.send(kind="evaluate", module="llsq", function="primal", input={"x": [1.0]})
    assert wrong["success"] is False
    assert "KeyError: 'n'" in wrong["error"]


def test_a_call_is_repeated_as_often_as_asked(tool: Tool) -> None:
    given = {"x": [0.5, 1.0], "min_runs": 5, "min_seconds": 0.0}
    timings = tool.send(kind="evaluate", module="lse", function="primal", input=given)["timings"]
    assert [t["name"] for t in timings] == ["prepare"] + ["evaluate"] * 5
    assert all(t["nanoseconds"] > 0 for t in timings)


def test_an_option_that_does_not_exist_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "gradbench", "--fast"], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 1
    assert "--multithreaded" in run.stderr


# The evals -----------------------------------------------------------------------------------------------------------


def test_hello(tool: Tool) -> None:
    assert tool.ask("hello", "square", 3.0) == 9.0
    assert tool.ask("hello", "double", 3.0) == 6.0


def test_llsq(tool: Tool) -> None:
    x, n = rng().normal(size=5), 7

    def value(x: Any) -> Any:
        t = -1.0 + np.arange(n) * 2.0 / (n - 1)
        return 0.5 * np.sum((np.sign(t) - np.polynomial.polynomial.polyval(t, x)) ** 2)

    given = {"x": x.tolist(), "n": n}
    agree(tool.ask("llsq", "primal", given), value(x))
    agree(tool.ask("llsq", "gradient", given), slopes(value, x))


@pytest.mark.parametrize("shift", [0.0, 1e3, -1e3])
def test_lse(tool: Tool, shift: float) -> None:
    x = rng().normal(size=9) + shift
    e = np.exp(x - shift)
    agree(tool.ask("lse", "primal", {"x": x.tolist()}), shift + np.log(e.sum()))
    agree(tool.ask("lse", "gradient", {"x": x.tolist()}), e / e.sum())


def test_ode(tool: Tool) -> None:
    x, steps = rng().uniform(size=5), 6

    def value(x: Any) -> Any:
        def slope(y: Any) -> Any:
            return x * np.concatenate([[1.0], y[:-1]])

        y, h = np.zeros(len(x)), 2.0 / steps
        for _ in range(steps):
            a = slope(y)
            b = slope(y + h / 2 * a)
            c = slope(y + h / 2 * b)
            y = y + h / 6 * (a + 2 * b + 2 * c + slope(y + h * c))
        return y

    given = {"x": x.tolist(), "s": steps}
    agree(tool.ask("ode", "primal", given), value(x))
    agree(tool.ask("ode", "gradient", given), slopes(lambda x: value(x)[-1], x))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_det(tool: Tool, n: int) -> None:
    a = rng().normal(size=(n, n))
    given = {"A": a.ravel().tolist(), "ell": n}
    signs = [(p, (-1) ** sum(p[i] > p[j] for j in range(n) for i in range(j))) for p in permutations(range(n))]
    agree(tool.ask("det", "primal", given), sum(s * math.prod(a[i, p[i]] for i in range(n)) for p, s in signs))
    agree(tool.ask("det", "gradient", given), (np.linalg.det(a) * np.linalg.inv(a).T).ravel())


@pytest.mark.parametrize(("d", "k"), [(1, 2), (3, 2)])
def test_gmm(tool: Tool, d: int, k: int) -> None:
    random, n, m, gamma = rng(), 4, 2, 1.5
    shapes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    x = random.normal(size=(n, d))

    def value(arrays: Any) -> Any:
        inverses = []
        for q, lower in zip(arrays["q"], arrays["l"], strict=True):
            factor = np.diag(np.exp(q))
            factor.T[np.triu_indices(d, 1)] = lower
            inverses.append(factor.T @ factor)
        shares = np.exp(arrays["alpha"]) / np.exp(arrays["alpha"]).sum()
        total = 0.0
        for point in x:
            density = 0.0
            for share, mu, inverse in zip(shares, arrays["mu"], inverses, strict=True):
                square = (point - mu) @ inverse @ (point - mu)
                density += share * np.exp(-square / 2) * np.sqrt(np.linalg.det(inverse) / (2 * np.pi) ** d)
            total += np.log(density)
        freedom = d + m + 1
        for inverse in inverses:  # Wishart, V = I/γ²
            gammas = sum(math.lgamma((freedom - j) / 2) for j in range(d)) + d * (d - 1) / 4 * math.log(math.pi)
            log_v = -2 * d * math.log(gamma)
            total += (freedom - d - 1) / 2 * np.log(np.linalg.det(inverse)) - gamma**2 * np.trace(inverse) / 2
            total -= freedom * d / 2 * math.log(2) + freedom / 2 * log_v + gammas
        return total

    given = {name: a.tolist() for name, a in arrays.items()}
    given |= {"d": d, "k": k, "n": n, "m": m, "gamma": gamma, "x": x.tolist()}
    agree(tool.ask("gmm", "objective", given), value(arrays))
    found = tool.ask("gmm", "jacobian", given)
    assert set(found) == set(arrays)
    for name, a in arrays.items():
        expected = slopes(lambda a, name=name: value(arrays | {name: a}), a)
        agree(found[name], expected.reshape(a.shape) if a.size else np.empty(a.shape), 1e-7)


def test_ba(tool: Tool) -> None:
    camera = [0.01, -0.02, 0.03, -0.4, 0.5, 0.6, 500.0, 320.0, 240.0, 0.1, -0.05]
    point, weight, feature = [0.3, 0.2, 4.0], 0.9, [330.0, 200.0]
    n, m, p = 2, 3, 4

    def errors(parameters: Any) -> Any:
        camera, point, weight = parameters[:11], parameters[11:14], parameters[14]
        angle = np.linalg.norm(camera[:3])
        axis, away = camera[:3] / angle, point - camera[3:6]
        turned = away * np.cos(angle) + np.cross(axis, away) * np.sin(angle)
        turned += axis * (axis @ away) * (1.0 - np.cos(angle))
        flat = turned[:2] / turned[2]
        square = flat @ flat
        seen = flat * (1.0 + camera[9] * square + camera[10] * square**2) * camera[6] + camera[7:9]
        return weight * (seen - np.array(feature))

    given = {"n": n, "m": m, "p": p, "cam": camera, "x": point, "w": weight, "feat": feature}
    all_parameters = np.array([*camera, *point, weight])
    found = tool.ask("ba", "objective", given)
    agree(found["reproj_error"]["elements"], errors(all_parameters))
    agree(found["w_err"]["element"], 1.0 - weight**2)
    assert (found["reproj_error"]["repeated"], found["w_err"]["repeated"]) == (p, p)
    found = tool.ask("ba", "jacobian", given)
    agree(found["vals"], [*slopes(errors, all_parameters).ravel(), -2.0 * weight], 1e-6)
    of_first = [*range(11), *range(11 * n, 11 * n + 3), 11 * n + 3 * m]
    assert found["cols"] == [*of_first, *of_first, 11 * n + 3 * m + p - 1]
    first_rows = [*range(0, 2 * p * 15 + 1, 15), *range(2 * p * 15 + 1, 2 * p * 15 + p + 1)]
    assert found["rows"] == [*first_rows[:30], first_rows[-1]]


def test_kmeans(tool: Tool) -> None:
    random = rng()
    points = random.normal(size=(9, 2))
    centroids = points[-3:] + 0.1
    distances = ((points[:, None] - centroids) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    given = {"points": points.tolist(), "centroids": centroids.tolist()}
    agree(tool.ask("kmeans", "cost", given), distances.min(axis=1).sum())
    agree(tool.ask("kmeans", "dir", given), [c - points[nearest == j].mean(axis=0) for j, c in enumerate(centroids)])


def test_lstm(tool: Tool) -> None:
    random, layers, bits, length = rng(), 2, 3, 4
    main = random.normal(size=(2 * layers, 4 * bits))
    extra, state = random.normal(size=(3, bits)), random.normal(size=(2 * layers, bits))
    sequence = random.integers(0, 2, size=(length, bits)).astype(float)

    def value(main: Any, extra: Any) -> Any:
        hidden, cell = state[::2].copy(), state[1::2].copy()
        total = 0.0
        for now, wanted in pairwise(sequence):
            x = now * extra[0]
            for k in range(layers):
                w, b = main[2 * k].reshape(4, bits), main[2 * k + 1].reshape(4, bits)
                forget, out = (1.0 / (1.0 + np.exp(-(x * w[g] + b[g]))) for g in (0, 2))
                let = 1.0 / (1.0 + np.exp(-(hidden[k] * w[1] + b[1])))
                cell[k] = cell[k] * forget + let * np.tanh(hidden[k] * w[3] + b[3])
                hidden[k] = x = out * np.tanh(cell[k])
            y = x * extra[1] + extra[2]
            total += wanted @ (y - np.log(2.0 + np.exp(y).sum()))
        return -total / (bits * (length - 1))

    arrays = {"main_params": main, "extra_params": extra, "state": state, "sequence": sequence}
    given = {name: a.tolist() for name, a in arrays.items()}
    agree(tool.ask("lstm", "objective", given), value(main, extra))
    expected = [slopes(lambda a: value(a, extra), main).ravel(), slopes(lambda a: value(main, a), extra).ravel()]
    agree(tool.ask("lstm", "jacobian", given), np.concatenate(expected))


@pytest.mark.parametrize("complicated", [True, False], ids=["complicated", "simple"])
def test_ht(tool: Tool, complicated: bool) -> None:
    random, bones, vertices, n = rng(), 22, 6, 3
    parents = [-1, 0, *(0 if k % 4 == 0 else 1 + k for k in range(20))]
    bases, inverses = (np.tile(np.eye(4), (bones, 1, 1)) for _ in range(2))
    bases[:, :3], inverses[:, :3] = (a[:, :3] + 0.3 * random.normal(size=(bones, 3, 4)) for a in (bases, inverses))
    positions = np.hstack([random.normal(size=(vertices, 3)), np.ones((vertices, 1))])
    weights = random.uniform(size=(vertices, bones)) / bones
    triangles, chosen = random.integers(0, vertices, size=(5, 3)), random.integers(0, 5, size=n)
    points, us, theta = random.normal(size=(n, 3)), random.uniform(size=(n, 2)), 0.3 * random.normal(size=26)

    def turn(axis: int, angle: float) -> Any:
        matrix, (i, j) = np.eye(4), [(1, 2), (2, 0), (0, 1)][axis]
        matrix[[i, j, j, i], [i, j, i, j]] = np.cos(angle), np.cos(angle), np.sin(angle), -np.sin(angle)
        return matrix

    def value(theta: Any, us: Any) -> Any:
        angles = np.zeros((bones, 2))
        for finger in range(5):
            own = theta[6 + 4 * finger : 10 + 4 * finger]
            angles[2 + 4 * finger : 5 + 4 * finger] = [own[:2], [own[2], 0.0], [own[3], 0.0]]
        absolute: list[Any] = []
        for base, parent, (x, z) in zip(bases, parents, angles, strict=True):
            local = base @ turn(2, z) @ turn(0, x)
            absolute.append(local if parent < 0 else absolute[parent] @ local)
        transforms = np.array([a @ i for a, i in zip(absolute, inverses, strict=True)])
        skin = np.einsum("vb,bij,vj->vi", weights, transforms, positions)
        angle = np.linalg.norm(theta[:3])
        x, y, z = theta[:3] / angle
        k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        rotation = np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * k @ k
        placed = skin[:, :3] @ rotation.T + theta[3:6]
        if not complicated:
            return (points - placed[chosen]).ravel()
        corners = placed[triangles[chosen]]
        shares = np.column_stack([us, 1.0 - us.sum(axis=1)])
        return (points - np.einsum("nv,nvi->ni", shares, corners)).ravel()

    model = {
        "bone_count": bones,
        "bone_names": [f"bone {k}" for k in range(bones)],
        "parents": parents,
        "base_relatives": bases.tolist(),
        "inverse_base_absolutes": inverses.tolist(),
        "base_positions": positions.tolist(),
        "weights": weights.tolist(),
        "triangles": triangles.tolist(),
        "is_mirrored": False,
    }
    data = {"model": model, "correspondences": chosen.tolist(), "points": points.tolist()}
    given = {"theta": theta.tolist(), "data": data, "us": us.tolist() if complicated else []}
    agree(tool.ask("ht", "objective", given), value(theta, us))
    expected = slopes(lambda theta: value(theta, us), theta)
    if complicated:
        by_us = slopes(lambda us: value(theta, us), us).reshape(n, 3, n, 2)
        expected = np.hstack([np.array([by_us[k, :, k] for k in range(n)]).reshape(-1, 2), expected])
    agree(tool.ask("ht", "jacobian", given), expected)


def descend(f: Callable[[Any], float], slope: Callable[[Any], Any], x: Any) -> Any:
    """GradBench's gradient descent."""
    value, gradient, rate, downwards = f(x), slope(x), 1e-5, 0
    while math.hypot(*gradient) > 1e-5:
        if downwards == 10:
            rate, downwards = 2.0 * rate, 0
        there = x - rate * gradient
        if math.dist(x, there) <= 1e-5:
            break
        if f(there) < value:
            x, value, gradient, downwards = there, f(there), slope(there), downwards + 1
        else:
            rate, downwards = rate / 2.0, 0
    return x


@pytest.mark.parametrize("modes", ["ff", "fr", "rf", "rr"])
def test_saddle(tool: Tool, modes: str) -> None:
    start = [0.300015, 0.40002]  # where the first steps are hardly longer than those that end the descent
    end = descend(lambda x: float(x @ x), lambda x: 2.0 * x, np.array(start))
    assert not np.array_equal(end, start)
    agree(tool.ask("saddle", modes, {"start": start}), [*end, *end], 1e-10)


@pytest.mark.parametrize("modes", ["ff", "fr", "rf", "rr"])
def test_particle(tool: Tool, modes: str) -> None:
    def landing(w: Any) -> float:
        charges = np.array([[10.0, 10.0 - w[0]], [10.0, 0.0]])
        x, speed = np.array([0.0, 8.0]), np.array([0.75, 0.0])
        while True:
            away = x - charges
            force = (away / (away**2).sum(axis=1, keepdims=True) ** 1.5).sum(axis=0)
            x = x + 0.1 * speed
            if x[1] <= 0.0:
                return float((x[0] - x[1] / speed[1] * speed[0]) ** 2)
            speed = speed + 0.1 * force

    start = 0.20345  # from here the descent takes one step
    (end,) = descend(landing, lambda w: slopes(landing, w), np.array([start]))
    assert end != start
    agree(tool.ask("particle", modes, {"w": start}), end, 1e-7)
