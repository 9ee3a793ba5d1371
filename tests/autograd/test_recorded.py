"""The numbers that operations were recorded with, after the numbers of their leaves changed."""

import math

import pytest

import autograd as ag
import nn
from autograd import Value, ops
from autograd.naming import Names
from autograd.recorded import Changed, changed_leaves, operand_numbers
from autograd.value import record


@pytest.mark.parametrize("op", ops.TABLE.values(), ids=lambda op: op.name)
def test_nothing_is_said_to_have_changed_that_has_not(op):
    for operands in op.samples:
        node = record(op, [Value(x) for x in operands])
        assert operand_numbers(node) == (list(operands), set())
        assert changed_leaves(ag.topological(node)) == {}


def test_nor_in_a_network_or_where_numbers_are_not_finite():
    model = nn.MLP(3, [4, 3], "tanh", rng=0)
    outputs = ag.softmax(model([Value(1.0), 2.0, Value(math.nan)]))
    assert changed_leaves(ag.topological(*outputs, ag.sqrt(Value(0.0)), Value(math.inf) * 2)) == {}


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda w, x, b: w * x, [2.0, 3.0]),
        (lambda w, x, b: ag.dot([w], [x], b), [2.0, 3.0, 1.0]),
        (lambda w, x, b: ag.fma(w, x, b), [2.0, 3.0, 1.0]),
        (lambda w, x, b: ag.dot([w, 0.5], [x, b]), [2.0, 0.5, 3.0, 1.0]),
    ],
)
def test_factors_are_read_off_each_others_slopes(f, expected):
    w, x, b = Value(2.0, name="w"), Value(3.0, name="x"), Value(1.0, name="b")
    node = f(w, x, b)
    w.data, x.data = 7.0, -7.0
    assert operand_numbers(node) == (expected, set())
    assert changed_leaves(ag.topological(node)) == {w: Changed([2.0]), x: Changed([3.0])}


def test_a_leaf_used_with_two_numbers_has_both():
    w, x = Value(2.0), Value(3.0)
    first = w * x
    w.data = 5.0
    second = w * x
    assert changed_leaves(ag.topological(first + second)) == {w: Changed([2.0])}
    w.data = 9.0
    assert changed_leaves(ag.topological(first + second)) == {w: Changed([2.0, 5.0])}


def test_what_cannot_be_told_is_named():
    x, y = Value(2.0), Value(3.0)
    node = x + y
    x.data = 9.0
    assert operand_numbers(node) == ([9.0, 3.0], {x, y})
    assert changed_leaves(ag.topological(node)) == {x: Changed(certain=False), y: Changed(certain=False)}
    assert changed_leaves(ag.topological(node * ag.exp(y))) == {x: Changed()}
    log = ag.log(y)
    y.data = -1.0  # outside the domain
    assert changed_leaves([log]) == {y: Changed()}


def test_formulas_and_steps_show_recorded_numbers():
    w, x = Value(2.0, name="w"), Value(3.0, name="x")
    y = w * x
    w.data = 7.0
    assert Names(ag.topological(y)).numbers(y).text == "2·3"
    assert "= 2·3 = 6" in str(ag.steps(y))


def test_operations_of_the_users_are_not_run():
    calls = []
    counted = ag.operation("counted", lambda x: calls.append(x) or x, lambda z, x: 1.0)
    x = Value(2.0)
    node = counted(x)
    before = len(calls)
    assert operand_numbers(node) == ([2.0], set())
    assert len(calls) == before
