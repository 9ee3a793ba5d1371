"""The interpreter computes what compiled code does: in strict programs the same bits, for every operation and width."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.compiling import emit_stretches, executable, native

# The same tests, here with programs that are interpreted whatever their length.
from .test_agreement import (  # noqa: F401
    test_a_network_has_eager_gradients,
    test_a_small_workspace_makes_blocks_small,
    test_every_operation,
    test_random_programs,
    test_the_branch_not_taken_contributes_zero,
)
from .test_bits import test_every_operation_bit_for_bit, test_random_programs_bit_for_bit  # noqa: F401

LIMIT = emit_stretches.COMPILED


@pytest.fixture(autouse=True)
def interpreted(monkeypatch):
    monkeypatch.setattr(emit_stretches, "COMPILED", 0)


@pytest.fixture
def codes(monkeypatch):
    """What was made of schedules."""
    made, original = [], executable.emit

    def kept(*arguments):
        made.append(original(*arguments))
        return made[-1]

    monkeypatch.setattr(executable, "emit", kept)
    return made


def mixed(x, count=400, constant=lambda k: 0.1 + 1e-3 * k):
    """Operations on operands in no order that repeats."""
    rng = np.random.default_rng(7)
    nodes = list(x)
    for k in range(count):
        a, b = (nodes[-1 - int(rng.integers(min(len(nodes), 30)))] for _ in range(2))
        results = [
            constant(k) * (a + b),
            a * b,
            a - b * constant(k),
            ag.sin(a),
            ag.tanh(b),
            a / (1.5 + b * b),
            ag.where((a > b) & (b < 0.5) | ag.logical_not(a < -1.0), a, ag.exp(-b * b)),
            ag.dot(nodes[-4:], nodes[-5:-1]) * 0.1,
        ]
        nodes.append(results[int(rng.integers(8))])
    return ag.sum(nodes[-20:])


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rows", [1, 2, 7, 32, 65])
def test_strict_programs_have_the_bits_of_compiled_ones(width, dtype, rows, codes, monkeypatch):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    x = np.random.default_rng(rows).normal(size=(rows, 6)).astype(dtype)
    found = []
    for limit in (0, LIMIT):
        monkeypatch.setattr(emit_stretches, "COMPILED", limit)
        f = ag.compile(mixed, dtype=dtype, strict=True)
        f._target = native.narrowed(width)
        found.append(f.value_and_grad(x))
    assert [bool(code.interpreters) for code in codes] == [True, False]
    for got, wanted in zip(*found, strict=True):
        assert got.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("rows", [1, 40])
def test_other_programs_agree_with_compiled_ones(rows, codes, monkeypatch):
    x = np.random.default_rng(rows).normal(size=(rows, 6))
    found = []
    for limit in (0, LIMIT):
        monkeypatch.setattr(emit_stretches, "COMPILED", limit)
        found.append(ag.compile(mixed).value_and_grad(x))
    assert [bool(code.interpreters) for code in codes] == [True, False]
    for got, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_what_all_rows_share_is_interpreted_as_well(codes):
    x = np.random.default_rng(3).normal(size=6)
    value, slopes = ag.compile(mixed, in_axes=None, strict=True).value_and_grad(x)
    assert [len(code.interpreters) for code in codes] == [1]
    expected = ag.value_and_grad(mixed)(x.tolist())
    assert (value, slopes.tolist()) == (expected[0], list(expected[1]))


def test_leaves_and_their_gradients():
    w = [Value(0.1 * k - 0.3) for k in range(6)]
    rows = np.random.default_rng(5).normal(size=(11, 6))
    total = ag.compile(lambda x: mixed([a * b for a, b in zip(x, w, strict=True)]), reduce="sum").backward(rows)
    found = [leaf.grad for leaf in w]
    for leaf in w:
        leaf.grad = 0.0
    expected = ag.sum([mixed([a * b for a, b in zip(row, w, strict=True)]) for row in rows.tolist()])
    expected.backward()
    assert total == pytest.approx(expected.data, rel=1e-12)
    np.testing.assert_allclose(found, [leaf.grad for leaf in w], rtol=1e-11)


def test_an_operation_of_the_users_own():
    cubed = ag.operation("cubed_in_python", lambda x: math.fsum([x * x * x]), lambda z, x: 3 * x * x)
    value, slope = ag.compile(lambda x: cubed(x) + x).value_and_grad(np.array([2.0, -1.0]))
    assert value.tolist() == [10.0, -2.0]
    assert slope.tolist() == [13.0, 4.0]


def test_reciprocals_that_overflow_are_seen():
    tiny = np.array([5e-324, 1.0])
    value = ag.compile(lambda x: (x * 1e-10) / x + (2.0 * x) / x)(tiny)
    assert value[0] == 2.0


def test_long_programs_are_interpreted_unless_they_repeat(codes, monkeypatch):
    monkeypatch.setattr(emit_stretches, "COMPILED", LIMIT)

    def repeats(x):
        a, b = x[0], x[1]
        for _ in range(1000):
            a, b = b, ag.sin(a * b) + 0.5 * a
        return a + b

    point = np.random.default_rng(0).normal(size=(1, 6))
    ag.compile(repeats).grad(point)
    ag.compile(lambda x: mixed(x, 1500)).grad(point)
    assert [bool(code.interpreters) for code in codes] == [False, True]
    assert all(code.instructions <= LIMIT for code in codes)


def test_equal_calls_have_equal_bits():
    f = ag.compile(mixed)
    x = np.random.default_rng(1).normal(size=(3, 6))
    first = f.value_and_grad(x)
    for _ in range(3):
        for got, wanted in zip(f.value_and_grad(x), first, strict=True):
            assert got.tobytes() == wanted.tobytes()
    again = ag.compile(mixed).value_and_grad(x)
    assert again[1].tobytes() == first[1].tobytes()


@pytest.mark.parametrize("rows", [1, 11])
def test_rounds_of_a_loop_that_differ_in_their_constants_are_compiled_once(rows, codes, monkeypatch):
    monkeypatch.setattr(emit_stretches, "COMPILED", LIMIT)
    constants = np.random.default_rng(0).uniform(0.1, 0.9, size=600).tolist()

    def f(x):
        a, b = x[0], x[1]
        for c in constants:
            a, b = b, ag.where(a < c, ag.sin(a * b) * c, 0.3 / (1.0 + b * b)) + 0.5 * a
        return a + b

    points = np.random.default_rng(rows).normal(size=(rows, 2))
    values, slopes = ag.compile(f, strict=True).value_and_grad(points)
    (code,) = codes
    assert not code.interpreters
    assert code.instructions <= LIMIT
    for point, value, slope in zip(points.tolist(), values, slopes, strict=True):
        expected, gradient = ag.value_and_grad(f)(point)
        assert (value, slope.tolist()) == (expected, list(gradient))
