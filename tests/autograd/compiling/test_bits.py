"""Strict programs agree with eager runs bit for bit: values, gradients, Hessians, directions; on native code and NumPy.

Only where an eager run raises there is nothing to compare with.
"""

import itertools
import math
import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, ops
from autograd.compiling import native
from tests.autograd.compiling.test_agreement import applied, computations, run

EDGES = [
    *(0.0, -0.0, 5e-324, 1e-300, -1e-300, 1e-8, 0.3, 0.5, 1.0, -1.0, 2.0, -2.5),
    *(3.0, 30.0, 1e8, -1e8, 1e300, -1e300, math.inf, -math.inf, math.nan),
]
IN_PYTHON = {"gamma", "lgamma", "digamma", "polygamma", "beta", "erfcx", "erfinv", "normal_quantile"}


def bits(numbers):
    """Numbers as bytes, so that −0.0 differs from 0.0; nan is nan whatever its bytes are."""
    return [b"nan" if x != x else struct.pack(">d", x) for x in map(float, numbers)]


def eager(f, row):
    """Value, gradient and Hessian; None for what raises."""
    try:
        leaves = [Value(x) for x in row]
        result = f(leaves)
        if not isinstance(result, Value):
            return [result], [0.0] * len(row), [0.0] * len(row) ** 2
        value, gradient = ag.value_and_grad(f)(row)
    except ag.DomainError:
        return None, None, None
    try:
        hessian = [x for line in ag.hessian(f)(row) for x in line]
    except ag.DomainError:
        hessian = None
    return [value], gradient, hessian


def compare(f, rows, hessian=True):
    """Compare every row; returns how many numbers were compared."""
    compiled = ag.compile(f, strict=True)
    found = (compiled.value_grad_and_hessian if hessian else compiled.value_and_grad)(np.array(rows))
    count = 0
    for k, row in enumerate(rows):
        for got, wanted in zip(found, eager(f, list(row))[: len(found)], strict=True):
            if wanted is not None:
                assert bits(np.ravel(got[k])) == bits(wanted), (row, got[k].tolist(), wanted)
                count += len(wanted)
    return count


@pytest.mark.parametrize("op", list(ops.TABLE.values()), ids=lambda op: op.name)
def test_every_operation_bit_for_bit(op):
    for count in {len(sample) for sample in op.samples}:
        points = [sample for sample in op.samples if len(sample) == count]
        if op.name not in IN_PYTHON:
            every = itertools.product(EDGES, repeat=count) if count < 3 else None
            draw = random.Random(op.name + str(count))
            points += list(every) if every else [tuple(draw.choices(EDGES, k=count)) for _ in range(300)]
        assert compare(lambda x: applied(op.name, x), points) > len(points) / 4


EDGE = st.sampled_from(EDGES) | st.floats(-3.0, 3.0)


@given(computations(), st.data())
@settings(max_examples=100)
def test_random_programs_bit_for_bit(computation, data):
    count, steps, _ = computation
    rows = data.draw(st.lists(st.tuples(*[EDGE] * count), min_size=1, max_size=5))
    # Where a slope is selected from several formulas, an eager Hessian records one of them and a compiled one all, so
    # that the order of its sums differs.
    compare(lambda x: run(steps, x), rows, hessian=False)


@pytest.mark.parametrize("name", ["sign", "floor", "ceil", "trunc", "round"])
def test_the_order_of_sums_behind_a_step_bit_for_bit(name):
    def f(x):
        u, v = ag.sin(x[0]), ag.sin(x[0])
        return getattr(ag, name)(ag.sin(u)) + ag.sin(ag.sin(ag.logsumexp([ag.sin(v), u, x[0]])))

    compare(f, [(x,) for x in np.random.default_rng(0).normal(size=200).tolist()], hessian=False)


@given(computations(), st.data())
@settings(max_examples=50)
def test_directions_bit_for_bit(computation, data):
    count, steps, _ = computation
    row = [data.draw(EDGE) for _ in range(count)]
    tangent = [data.draw(EDGE) for _ in range(count)]

    def f(x):
        return run(steps, x)

    try:
        wanted = ag.jvp(f, (row,), (tangent,))
    except ag.DomainError:
        return
    found = ag.compile(f, strict=True).jvp(([row],), ([tangent],))
    assert [bits(x) for x in found] == [bits([x]) for x in wanted]


def test_jacobians_bit_for_bit():
    rows = [(-0.0, 1.5), (2.0, -0.0), (1e-300, 1e300), (0.1, 0.7)]
    for outputs in (2, 3):  # by reverse and by forward sweeps

        def f(x, outputs=outputs):
            return [x[0] * x[1], ag.sin(x[0]) / (1.0 + x[1] * x[1]), x[0] * 0.1 - x[1] / 3.0][:outputs]

        found = ag.compile(f, strict=True).jacobian(np.array(rows))
        for row, got in zip(rows, found, strict=True):
            assert bits(got.ravel()) == bits(x for line in ag.jacobian(f)(list(row)) for x in line)


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_adding_zero_keeps_the_sign_that_ieee_754_gives(strict):
    def f(x):
        return [x + 0.0, 0.0 + x, x + -0.0, -0.0 + x, x - 0.0, x - -0.0, 0.0 - x, -0.0 - x]

    rows = np.array([-0.0, 0.0, -1.0, math.inf])
    for count in (1, 4):  # one row, and blocks of them
        found = ag.compile(f, strict=strict)(rows[:count])
        for x, got in zip(rows[:count].tolist(), found, strict=True):
            assert bits(got) == bits(y.data for y in f(Value(x)))


# Without native code -------------------------------------------------------------------------------------------------


@pytest.fixture
def without_llvm(monkeypatch):
    monkeypatch.setattr(native, "available", lambda: False)


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
@pytest.mark.parametrize("op", list(ops.TABLE.values()), ids=lambda op: op.name)
def test_every_operation_on_numpy(op, without_llvm, stages):
    for count in {len(sample) for sample in op.samples}:
        points = [sample for sample in op.samples if len(sample) == count]
        assert compare(lambda x: applied(op.name, x), points) > 0
        plain = ag.compile(lambda x: applied(op.name, x))
        values, slopes = plain.value_and_grad(np.array(points))
        for point, value, slope in zip(points, values, slopes, strict=True):
            expected, gradient, _ = eager(lambda x: applied(op.name, x), list(point))
            assert value == pytest.approx(expected[0], rel=1e-12, abs=1e-15, nan_ok=True)
            assert slope == pytest.approx(gradient, rel=1e-12, abs=1e-15, nan_ok=True)
    assert "emit" not in stages


# Single precision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numpy", [False, True], ids=["native", "numpy"])
@pytest.mark.parametrize("op", list(ops.TABLE.values()), ids=lambda op: op.name)
@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_every_operation_in_single_precision(op, numpy, monkeypatch):
    if numpy:
        monkeypatch.setattr(native, "available", lambda: False)
    tolerance = 2e-4 if op.name in ("sinpi", "cospi", "tan", "logit") else 4e-5
    for count in {len(sample) for sample in op.samples}:
        points = [[float(np.float32(x)) for x in sample] for sample in op.samples if len(sample) == count]
        compiled = ag.compile(lambda x: applied(op.name, x), dtype="float32")
        values, slopes = compiled.value_and_grad(np.array(points, dtype=np.float32))
        assert values.dtype == slopes.dtype == np.float32
        for point, value, slope in zip(points, values, slopes, strict=True):
            expected, gradient, _ = eager(lambda x: applied(op.name, x), point)
            assert value == pytest.approx(expected[0], rel=tolerance, abs=1e-6, nan_ok=True)
            assert slope == pytest.approx(gradient, rel=tolerance, abs=1e-5, nan_ok=True)
