"""Compiled functions agree with eager runs: every operation, random programs, any number of rows, narrow machines."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, ops
from autograd.compiling import native
from tests import expressions

FURTHER = ["where", "logsumexp", "dot", "softsign", "mish", "tan", "log", "sqrt", "clamp", "sign", "fmod", "round"]


def applied(name, operands):
    """An operation of the table as people call it."""
    if name in ("sum", "logsumexp"):
        return getattr(ag, name)(operands)
    if name == "dot":
        n = len(operands) // 2
        return ag.dot(operands[:n], operands[n : 2 * n], operands[-1] if len(operands) % 2 else 0.0)
    if name == "cross_entropy":
        n = len(operands) // 2
        return ag.cross_entropy(operands[:n], operands[n:])
    if name == "where":
        return ag.where(operands[0] > 0, *operands[1:])
    return getattr(ag, name)(*operands)


def eager(f, numbers):
    """Value, slopes, and how large the numbers were that these were added up from."""
    leaves = [Value(x) for x in numbers]
    result = f(leaves)
    if not isinstance(result, Value):
        return float(result), [0.0] * len(leaves), 1.0, 1.0
    order = ag.topological(result)
    result.backward()
    size = max(abs(node.data) for node in order)
    flow = max((abs(node.grad * p) for node in order for p in node.partials), default=0.0)
    return result.data, [leaf.grad for leaf in leaves], size, flow


def same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y))


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("op", list(ops.TABLE.values()), ids=lambda op: op.name)
def test_every_operation(op, strict):
    for count in {len(sample) for sample in op.samples}:
        samples = [sample for sample in op.samples if len(sample) == count]
        f = ag.compile(lambda x, name=op.name: applied(name, x), strict=strict)
        values, slopes = f.value_and_grad(np.array(samples))
        for sample, value, row in zip(samples, values, slopes, strict=True):
            expected, gradient, size, _ = eager(lambda x, name=op.name: applied(name, x), sample)
            for got, wanted in zip((value, *row), (expected, *gradient), strict=True):
                if strict:
                    assert same(got, wanted)
                else:  # slopes such as (1 − x/h)/2 are differences of numbers of size 1
                    assert same(got, wanted) or abs(got - wanted) <= 1e-12 * abs(wanted) + 4e-16 * max(1.0, size)


@st.composite
def computations(draw):
    """Steps (operation, places of operands, a constant) and a seed for the rows."""
    count = draw(st.integers(1, 4))
    names = st.sampled_from([*expressions.UNARY, *expressions.BINARY, *FURTHER])
    steps = [
        (
            draw(names),
            [max(0, place - 1 - draw(st.integers(0, 5))) for _ in range(3)],
            draw(st.floats(-2.0, 2.0, width=32)),
        )
        for place in range(count, count + draw(st.integers(1, 40)))
    ]
    return count, steps, draw(st.integers(0, 2**31))


def run(steps, inputs):
    values = list(inputs)
    for name, places, constant in steps:
        x, y, z = (values[k] for k in places)
        if name == "dot":
            values.append(ag.dot([x, y], [y, constant], z))
        elif name == "where":
            values.append(ag.where((x > y) & ag.logical_not(z < constant), z, x * constant))
        elif name == "logsumexp":
            values.append(ag.logsumexp([x, y, z]))
        elif name == "clamp":
            values.append(ag.clamp(x, -1.0, constant))
        elif name == "pow":
            values.append(ag.pow(x, constant))
        elif name in expressions.BINARY or name == "fmod":
            values.append(getattr(ag, name)(x, y))
        else:
            values.append(getattr(ag, name)(x))
    return values[-1]


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@given(computations())
@settings(deadline=None)
def test_random_programs(strict, computation):
    count, steps, seed = computation
    rows = np.random.default_rng(seed).normal(size=(9, count))
    values, slopes = ag.compile(lambda x: run(steps, x), strict=strict).value_and_grad(rows)
    for row, value, gradient in zip(rows, values, slopes, strict=True):
        try:
            expected, leaves, size, flow = eager(lambda x: run(steps, x), row.tolist())
            nearby, others, _, _ = eager(lambda x: run(steps, x), (row * (1.0 + 2.0**-45)).tolist())
        except ag.DomainError:
            continue
        if not size < 1e6:
            continue
        wanted = [(value, expected, nearby, size), *zip(gradient, leaves, others, [flow] * count, strict=True)]
        for got, exact, beside, scale in wanted:
            if strict:
                assert same(got, exact)
            elif not same(got, exact):  # rounding counts against the largest number on the way, and as it is amplified
                assert abs(got - exact) <= 1e-12 * max(abs(exact), scale) + abs(beside - exact)


def rosenbrock(x, y, w):
    return ag.tanh(w * (1 - x)) ** 2 + 10.0 * ag.where(y > x * x, ag.log1p(abs(y - x * x)), ag.exp(y - x * x) - 1.0)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097])
@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_rows_on_any_width_of_vectors(count, width, dtype):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    rng = np.random.default_rng(count)
    x, y = rng.normal(size=(2, count)).astype(dtype)
    w = Value(0.5)
    f = ag.compile(lambda x, y: rosenbrock(x, y, w), dtype=dtype)
    f._target = native.narrowed(width)
    value, (dx, dy) = f.value_and_grad(x, y, argnums=(0, 1))
    total = ag.compile(lambda x, y: rosenbrock(x, y, w), reduce="sum", dtype=dtype)
    total._target = native.narrowed(width)
    w.grad = 0.0
    summed = total.backward(x, y)
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    assert value.dtype == dx.dtype == dy.dtype == np.dtype(dtype)
    assert value.shape == dx.shape == dy.shape == (count,)
    dw = 0.0
    for k in range(0, count, max(1, count // 40)):
        leaves = [Value(float(x[k])), Value(float(y[k])), Value(w.data)]
        result = rosenbrock(*leaves)
        result.backward()
        for got, wanted in zip((value[k], dx[k], dy[k]), (result.data, leaves[0].grad, leaves[1].grad), strict=True):
            assert got == pytest.approx(wanted, rel=tolerance, abs=tolerance)
    a, b = x.astype(float), y.astype(float)
    t = np.tanh(w.data * (1 - a))
    dw = float(np.sum(2 * t * (1 - t * t) * (1 - a)))
    assert summed == pytest.approx(float(value.astype(float).sum()), rel=10 * tolerance, abs=10 * tolerance)
    assert w.grad == pytest.approx(dw, rel=100 * tolerance, abs=100 * tolerance)
    assert b.shape == (count,)


def test_the_branch_not_taken_contributes_zero():
    x = np.array([-1.0, 0.0, 4.0])
    f = ag.compile(lambda x: ag.where(x > 0, ag.sqrt(x) * ag.log(x), 0.0))
    assert np.all(np.isfinite(f.grad(x)))
    assert f.grad(x)[:2].tolist() == [0.0, 0.0]
    g = ag.compile(lambda x: ag.sqrt(ag.relu(x)))
    assert g.grad(x).tolist() == [0.0, 0.0, 0.25]


def test_second_derivatives_and_directions():
    def f(x):
        return ag.exp(x[0]) * ag.sin(x[1]) + ag.dot(x, [x[1], x[2], x[0]]) ** 2

    rows = np.random.default_rng(1).normal(size=(5, 3))
    compiled = ag.compile(f)
    hessians = compiled.hessian(rows)
    assert hessians.shape == (5, 3, 3)
    for row, hessian in zip(rows, hessians, strict=True):
        np.testing.assert_allclose(hessian, ag.hessian(f)(row.tolist()), rtol=1e-12, atol=1e-13)
    tangents = np.ones_like(rows)
    value, tangent = compiled.jvp((rows,), (tangents,))
    np.testing.assert_allclose(value, compiled(rows), rtol=1e-15)
    np.testing.assert_allclose(tangent, compiled.grad(rows).sum(axis=1), rtol=1e-12)


def test_both_ways_of_making_a_jacobian():
    def wide(x):
        return [x[0] * x[1], ag.sin(x[0]), x[1] ** 3]

    rows = np.random.default_rng(2).normal(size=(4, 2))
    jacobian = ag.compile(wide).jacobian(rows)
    assert jacobian.shape == (4, 3, 2)
    for row, found in zip(rows, jacobian, strict=True):
        np.testing.assert_allclose(found, ag.jacobian(wide)(row.tolist()), rtol=1e-12)
    narrow = ag.compile(lambda x: wide(x)[:1])
    np.testing.assert_allclose(narrow.jacobian(rows)[:, 0], jacobian[:, 0], rtol=1e-13)


def test_a_network_has_eager_gradients():
    import nn

    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(50, 5)), np.sign(rng.normal(size=50))
    for activation in ("relu", "tanh", "gelu"):
        model = nn.MLP(5, [9, 7, 1], activation, rng=1)
        loss = ag.compile(lambda x, t, model=model: ag.relu(1.0 - t * model(x)[0]), reduce="mean")
        value = loss.backward(rows, targets)
        found = [p.grad for p in model.parameters()]
        model.zero_grad()
        eager_loss = ag.sum(
            [ag.relu(1.0 - t * model(x)[0]) for x, t in zip(rows.tolist(), targets.tolist(), strict=True)]
        )
        (eager_loss / 50.0).backward()
        assert value == pytest.approx(eager_loss.data / 50.0, rel=1e-13)
        np.testing.assert_allclose(found, [p.grad for p in model.parameters()], rtol=1e-10, atol=1e-13)


# The vector functions that native code calls, and how far from the true value they may be, in units in the last place.
VECTOR_FUNCTIONS = [
    *("exp", "expm1", "exp2", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "cbrt", "hypot"),
]


@pytest.mark.parametrize("name", VECTOR_FUNCTIONS)
def test_vector_functions_are_within_four_units_in_the_last_place(name):
    import random

    from tests import oracle

    op = ops.TABLE[name]
    rng = random.Random(0)
    points = [oracle.random_operands(op, rng) for _ in range(320)]
    values = ag.compile(lambda x: applied(name, x))(np.array(points))
    for point, value in zip(points, values.tolist(), strict=True):
        exact = oracle.exact_value(op, point)
        assert abs(oracle.mpf(value) - exact) <= 4 * math.ulp(float(exact)), point


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("bytes_a_block", [1, 2**14])
def test_a_small_workspace_makes_blocks_small(bytes_a_block, dtype, monkeypatch):
    from autograd.compiling import executable

    layers = [[[Value(0.1 * (i - j)) for i in range(9)] for j in range(7)], [[Value(0.2 * i) for i in range(7)]]]

    def f(x):
        for k, layer in enumerate(layers):
            x = [ag.tanh(ag.dot(w, x, 0.1 * k)) for w in layer]
        return ag.where(x[0] > 0.1, x[0] * x[0], ag.exp(x[0]))

    rows = np.random.default_rng(0).normal(size=(37, 9)).astype(dtype)
    expected = ag.compile(f, dtype=dtype).value_and_grad(rows)
    total = ag.compile(f, reduce="sum", dtype=dtype).leaf_gradients(rows)
    monkeypatch.setattr(executable, "WORKSPACE", bytes_a_block)
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    for found, wanted in zip(ag.compile(f, dtype=dtype).value_and_grad(rows), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
    value, leaves, slopes = ag.compile(f, reduce="sum", dtype=dtype).leaf_gradients(rows)
    assert value == pytest.approx(total[0], rel=tolerance)
    assert leaves == total[1]
    np.testing.assert_allclose(slopes, total[2], rtol=10 * tolerance, atol=10 * tolerance)
