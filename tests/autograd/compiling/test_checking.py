"""check=True: the first row whose result is not finite, and the operation that gave it."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import DomainError, Value

X = np.linspace(0.5, 2.0, 7)


def test_check_names_the_first_bad_row():
    f = ag.compile(lambda x: 1.0 + ag.log(x), check=True)
    assert np.isfinite(f(X)).all()
    bad = np.array([1.0, 2.0, -3.0, -4.0])
    with pytest.raises(DomainError, match=r"in row 2: log has no value at x = 'x' \(= -3.0\)"):
        f(bad)
    with pytest.raises(DomainError, match="row 2"):
        f.jvp([bad], [bad])
    total = ag.compile(lambda x, w: w[0] * x + w[1] * ag.log(x), in_axes=(0, None), reduce="mean", check=True)
    with pytest.raises(DomainError, match="row 0"):
        total.grad(np.array([-1.0, 2.0]), np.ones(2), argnums=1)
    assert math.isnan(f(np.array([math.nan]))[0])  # came in as data


@pytest.mark.parametrize("count", [1, 2, 3, 5000])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_the_first_bad_row_of_a_sum(count, reduce):
    f = ag.compile(lambda x, w: w * ag.log(x), in_axes=(0, None), reduce=reduce, check=True)
    for first in {0, count // 2, count - 1}:
        rows = np.ones(count)
        rows[first:] = 0.0
        with pytest.raises(DomainError, match=f"in row {first}: log has no value"):
            f(rows, 2.0)
        with pytest.raises(DomainError, match=f"in row {first}: log has no value"):
            f.grad(rows, 2.0, argnums=1)


def test_backward_of_leaves_is_checked():
    w = Value(1.0, name="w")
    f = ag.compile(lambda x: ag.sqrt(x - w), reduce="sum", check=True)
    with pytest.raises(DomainError, match=r"in row 1: sqrt has no value"):
        f.backward(np.array([2.0, -1.0]))
    assert w.grad == 0.0
    with pytest.raises(DomainError, match=r"in row 2: the slope of sqrt at .* is inf"):
        f.backward(np.array([2.0, 3.0, 1.0]))


def test_an_infinite_slope_is_said():
    f = ag.compile(ag.sqrt, check=True)
    zeros = np.array([1.0, 0.0])
    with pytest.raises(DomainError, match=r"in row 1: the slope of sqrt at 'x' \(= 0.0\) is inf"):
        f.grad(zeros)


def test_what_overflows_only_together_is_said():
    f = ag.compile(lambda x: x, reduce="sum", check=True)
    with pytest.raises(DomainError, match="the sum over rows 0 to 1 overflows"):
        f(np.array([1e308, 1e308, -1.0, 1e308]))
    g = ag.compile(lambda x: (x * x) * (x * x), check=True)
    with pytest.raises(DomainError, match=r"in row 1: mul of .* is inf"):
        g(np.array([1.0, 1e100, 1.0]))


def test_single_precision_that_does_not_reach():
    f = ag.compile(lambda x: x * x, dtype="float32", check=True)
    with pytest.raises(DomainError, match=r"in row 1: .*single precision"):
        f(np.array([1.0, 1e30]))


def test_what_came_in_as_data_is_let_through():
    f = ag.compile(lambda x, w: x * w, in_axes=(0, None), check=True)
    assert math.isnan(f(np.array([1.0, math.nan]), 2.0)[1])
    assert f(np.array([1.0]), math.inf)[0] == math.inf
    w = Value(math.inf)
    assert ag.compile(lambda x: x * w, check=True)(np.array([1.0]))[0] == math.inf


def test_shared_arguments_alone():
    f = ag.compile(lambda p: ag.log(p[0]) * p[1], in_axes=None, check=True)
    assert f([1.0, 2.0]) == 0.0
    with pytest.raises(DomainError, match=r"in row 0: log has no value at x = 'p\[0\]'"):
        f([-1.0, 2.0])
