"""Derivatives inside compiled functions, and compiled derivatives: the numbers of eager runs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

import autograd as ag
from autograd import DomainError, Value, compile, grad, hessian, hvp, jacobian, jvp, operation, value_and_grad, vjp
from autograd.errors import TraceError

from .test_agreement import computations, run

ROWS = np.array([-2.0, -0.5, 0.0, 0.3, 1.0, 1.7])
BOTH = pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])


def smooth(x):
    return ag.exp(ag.sin(x)) * x**3


def branching(x):
    return ag.where(x > 0, ag.sqrt(x * x + 1.0) * x, x * x) + ag.maximum(x, 1.0) * ag.relu(x - 0.3) + abs(x)


def guarded(x):
    """The branch that is not taken has an infinite slope at 0."""
    return ag.where(x > 0, ag.sqrt(ag.maximum(x, 0.0)), x * x * x)


def agree(f, rows=ROWS, strict=False):
    """The compiled function against eager runs row by row; results may be structures of numbers."""
    got = compile(f, strict=strict)(rows)
    for k, x in enumerate(rows.tolist()):
        for a, b in zip(_flat(got), _flat(f(x)), strict=True):
            np.testing.assert_allclose(a[k], b, rtol=1e-12, atol=1e-13, err_msg=f"at {x}")


def _flat(x):
    if isinstance(x, tuple | dict):
        return [leaf for part in (x.values() if isinstance(x, dict) else x) for leaf in _flat(part)]
    return [x]


@BOTH
@pytest.mark.parametrize("f", [smooth, branching, guarded])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_compiled_derivatives_of_any_order(f, order, strict):
    for _ in range(order):
        f = grad(f)
    agree(f, strict=strict)


@BOTH
@pytest.mark.parametrize("f", [smooth, branching, guarded])
def test_the_family_inside_a_compiled_function(f, strict):
    agree(lambda x: x * grad(f)(x) + f(x), strict=strict)
    agree(lambda x: x * hessian(f)(x), strict=strict)
    agree(lambda x: value_and_grad(lambda y: f(y) * x)(x), strict=strict)
    agree(lambda x: jvp(f, (x,), (x * x,)), strict=strict)
    agree(lambda x: vjp(f, x)[1](ag.cos(x)), strict=strict)
    agree(lambda x: hvp(lambda v: f(v[0]) * v[1] ** 2, ([x, 2.0],), ([1.0, x],)), strict=strict)
    agree(lambda x: jacobian(lambda v: [f(v[0]) * v[1], v[1] ** 3])([x, x + 1.0]), strict=strict)
    agree(lambda x: jacobian(lambda v: [f(v), v, x], mode="forward")(x), strict=strict)


def test_compiled_derivatives_of_compiled_derivatives():
    slope = compile(grad(smooth))
    for k, x in enumerate(ROWS.tolist()):
        assert slope.grad(ROWS)[k] == pytest.approx(grad(grad(smooth))(x), rel=1e-12, abs=1e-13)
        assert slope.hessian(ROWS)[k] == pytest.approx(grad(grad(grad(smooth)))(x), rel=1e-12, abs=1e-13)
        assert grad(compile(grad(smooth)))(x) == pytest.approx(grad(grad(smooth))(x), rel=1e-12, abs=1e-13)
        assert grad(compile(smooth))(x) == grad(smooth)(x)


def test_infinite_slopes():
    assert compile(grad(ag.sqrt))(np.array([0.0, 4.0])).tolist() == [math.inf, 0.25]
    assert compile(grad(grad(ag.sqrt)))(np.array([0.0])).tolist() == [-math.inf]
    assert compile(grad(grad(guarded)))(np.array([0.0])).tolist() == [0.0]
    agree(hessian(lambda x: ag.sqrt(x * x)), np.array([0.0, 1.0]))


def test_perturbations_never_mix():
    agree(lambda x: x * grad(lambda y: x + y)(1.0))
    agree(lambda x: x * grad(lambda y: x * y)(1.0))
    agree(grad(lambda x: x * grad(lambda y: x * y * y)(2.0)))
    agree(lambda x: grad(lambda y: grad(lambda z: x * y * z)(3.0) * y)(x))
    agree(lambda x: grad(lambda y: 3.0 * x)(1.0) + x)


def test_structures_and_several_arguments():
    f = lambda w, x: w["a"] * x**2 + w["b"][0] * x * w["b"][1]
    g = lambda a, b, c, x: grad(f, (0, 1))({"a": a, "b": [b, c]}, x)
    columns = [np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.array([3.0, 0.0]), np.array([2.0, -2.0])]
    (inner, dx) = compile(g)(*columns)
    for k in range(2):
        wanted, wanted_dx = g(*[float(c[k]) for c in columns])
        assert inner["a"][k] == wanted["a"]
        assert inner["b"][k].tolist() == wanted["b"]
        assert dx[k] == wanted_dx
    both = compile(grad(lambda x, y: ag.sin(x) * y, argnums=(0, 1)))(ROWS, ROWS + 1.0)
    assert both[1].tolist() == pytest.approx(np.sin(ROWS).tolist())
    vectors = np.array([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]])
    rows = compile(hessian(lambda v: v[0] * v[1] * v[2]))(vectors)
    assert rows.shape == (2, 3, 3)
    assert rows[0].tolist() == [[0.0, 3.0, 2.0], [3.0, 0.0, 1.0], [2.0, 1.0, 0.0]]


def test_leaves_that_the_function_closes_over():
    w = Value(2.0, "w")
    f = compile(lambda x: grad(lambda y: w * y**2)(x), reduce="sum")
    assert f(np.array([1.0, 2.0])) == 12.0
    assert f.backward(np.array([1.0, 2.0])) == 12.0
    assert w.grad == 6.0
    w.data = 3.0  # read afresh at each call
    assert f(np.array([1.0, 2.0])) == 18.0
    at_leaf = compile(lambda x: grad(lambda v: v**2 * x)(w))
    assert at_leaf(np.array([1.0, 2.0])).tolist() == [6.0, 12.0]
    w.data = 5.0
    assert at_leaf(np.array([1.0, 2.0])).tolist() == [10.0, 20.0]


def test_operations_of_the_users_own():
    swish = operation(
        "swish", lambda x: x * ag.sigmoid(x), lambda z, x: ag.sigmoid(x) + x * ag.sigmoid(x) * ag.sigmoid(-x)
    )
    agree(grad(swish))
    agree(grad(grad(swish)))
    in_python = operation("third", lambda x: math.pow(abs(x), 3.0), lambda z, x: 3.0 * x * abs(float(x)))
    agree(grad(in_python))


def test_newtons_method_in_a_compiled_function():
    """Three steps from 1 towards the root of x² = a, with derivatives on the way; and how the root varies with a."""

    def root(a):
        x = 1.0
        for _ in range(6):
            g = lambda y: y * y - a
            x = x - g(x) / grad(g)(x)
        return x

    a = np.array([2.0, 3.0, 4.5])
    np.testing.assert_allclose(compile(root)(a), np.sqrt(a), rtol=1e-9)
    np.testing.assert_allclose(compile(root).grad(a), 0.5 / np.sqrt(a), rtol=1e-6)


def test_branching_on_a_number_is_still_refused():
    with pytest.raises(TraceError, match="where"):
        compile(grad(lambda x: x if x > 0 else -x))(ROWS)


@settings(max_examples=40, deadline=None)
@given(computations())
def test_random_programs(computation):
    count, steps, seed = computation
    f = grad(lambda x: run(steps, x))
    rows = np.random.default_rng(seed).normal(size=(5, count))
    slopes = compile(f, strict=True)(rows)
    for row, got in zip(rows, slopes, strict=True):
        try:
            wanted, nearby = f(row.tolist()), f((row * (1.0 + 2.0**-45)).tolist())
        except DomainError:
            continue
        size = max(1.0, *map(abs, wanted))
        if size < 1e6:
            for a, b, beside in zip(got.tolist(), wanted, nearby, strict=True):
                if math.isnan(b):  # a slope that is not defined, such as that of √(x − x)
                    assert math.isnan(a)
                else:
                    assert abs(a - b) <= 1e-12 * size + abs(b - beside)
