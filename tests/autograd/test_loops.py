"""scan and while_loop as they are eagerly: results, structures, derivatives, scopes, and what they refuse."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    ArgumentError,
    AutogradError,
    ConvergenceError,
    InputError,
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    scan,
    while_loop,
)

numbers = st.floats(-2.0, 2.0)


@dataclass
class Body:
    place: float
    speed: float


class Pair(NamedTuple):
    first: float
    second: float


# scan ----------------------------------------------------------------------------------------------------------------


@given(numbers, st.lists(numbers, min_size=1, max_size=12))
def test_a_scan_is_the_python_loop(start, xs):
    def step(state, x):
        total, product = state
        return (total + x, product * x - total), total * product

    state, ys = (start, 1.0), []
    for x in xs:
        state, y = step(state, x)
        ys.append(y)
    assert scan(step, (start, 1.0), xs) == (state, ys)


@given(numbers, st.lists(numbers, min_size=1, max_size=8))
def test_derivatives_are_those_of_the_python_loop(w, xs):
    def step(state, x):
        return ag.sin(state * x) + state, state * state

    def by_scan(w):
        last, ys = scan(step, w, xs)
        return last + ag.sum(ys)

    def by_hand(w):
        last, ys = w, []
        for x in xs:
            last, y = step(last, x)
            ys.append(y)
        return last + ag.sum(ys)

    assert by_scan(w) == by_hand(w)
    assert grad(by_scan)(w) == grad(by_hand)(w)
    assert hessian(by_scan)(w) == hessian(by_hand)(w)
    assert jvp(by_scan, (w,), (1.0,)) == jvp(by_hand, (w,), (1.0,))
    assert hvp(by_scan, (w,), (1.0,)) == hvp(by_hand, (w,), (1.0,))


def test_derivatives_in_xs_and_in_what_the_step_closes_over():
    w = Value(0.5, "w")
    xs = [Value(1.0), Value(2.0), Value(3.0)]
    last, ys = scan(lambda s, x: (s * w + x, s), 0.0, xs)
    assert last.data == 3.0 + 0.5 * (2.0 + 0.5 * 1.0)
    last.backward()
    assert [x.grad for x in xs] == [0.25, 0.5, 1.0]
    assert w.grad == 3.0  # d(3 + 2w + w²)/dw
    assert jacobian(lambda w: scan(lambda s, x: (s * w + x, s), 0.0, [1.0, 2.0, 3.0])[1])(0.5) == [0.0, 0.0, 1.0]
    assert [y.data if isinstance(y, Value) else y for y in ys] == [0.0, 1.0, 2.5]


def test_numbers_stay_numbers_and_nothing_is_recorded_without_grad():
    last, ys = scan(lambda s, x: (s + x, s), 0, [1, 2])
    assert (last, ys) == (3.0, [0.0, 1.0])
    assert {type(x) for x in (last, *ys)} == {float}
    with no_grad():
        last, _ = scan(lambda s, x: (s + x, None), Value(1.0), [1.0, 2.0])
    assert (last.data, last.inputs) == (4.0, ())


def test_structures_of_state_xs_and_ys():
    def step(state, x):
        body = Body(state["body"].place + x.first[0], state["body"].speed * x.second)
        y = {"place": body.place, "both": [body.place, body.speed], "pair": Pair(1.0, x.second)}
        return {"body": body, "rest": (state["rest"][0], [state["rest"][1][0] + 1.0])}, y

    xs = Pair([[1.0, 9.0], [2.0, 9.0]], np.array([3.0, 4.0]))
    last, ys = scan(step, {"body": Body(0.0, 1.0), "rest": (5.0, [6.0])}, xs)
    assert last == {"body": Body(3.0, 12.0), "rest": (5.0, [8.0])}
    assert ys == {"place": [1.0, 3.0], "both": [[1.0, 3.0], [3.0, 12.0]], "pair": Pair([1.0, 1.0], [3.0, 4.0])}


def test_arrays_as_state_xs_and_ys():
    xs = np.arange(6.0).reshape(3, 2)
    last, ys = scan(lambda s, x: (s + x, s * x), np.zeros(2), xs)
    assert isinstance(last, np.ndarray)
    assert last.tolist() == [6.0, 9.0]
    assert isinstance(ys, np.ndarray)
    assert ys.tolist() == [[0.0, 0.0], [0.0, 3.0], [8.0, 20.0]]
    slopes = grad(lambda xs: ag.sum(scan(lambda s, x: (s + x[0] * x[1], None), 0.0, xs)[0:1]))(xs)
    assert slopes.tolist() == [[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]]


def test_ys_can_be_the_xs_of_another_scan():
    for y in (lambda s: s, lambda s: [s, 2.0 * s], lambda s: {"a": s, "b": [s]}, lambda s: (s, [[s, 1.0]])):
        seen = []
        _, ys = scan(lambda s, x, y=y: (s + 1.0, y(s)), 0.0, length=3)
        scan(lambda s, x, seen=seen: (s, seen.append(x)), 0.0, ys)
        assert seen == [y(0.0), y(1.0), y(2.0)]


def test_a_list_of_dicts_is_a_list_of_xs():
    assert scan(lambda s, x: (s + x["a"] * x["b"], None), 0.0, [{"a": 1, "b": 2}, {"b": 3, "a": 4}])[0] == 14.0


def test_xs_of_other_sequences():
    assert scan(lambda s, x: (s + x, None), 0.0, range(5))[0] == 10.0
    assert scan(lambda s, x: (s + x[0], None), 0.0, [np.array([1.0, 2.0]), np.array([3.0, 4.0])])[0] == 4.0


def test_without_xs_the_step_is_given_none():
    assert scan(lambda s, x: (s + 1.0, x), 0.0, length=3) == (3.0, None)
    assert scan(lambda s, x: (s + x, None), 0.0, [1.0, 2.0], length=2)[0] == 3.0


def test_each_step_has_a_scope():
    x = Value(0.5)
    with ag.scope("model"):
        last, _ = scan(lambda s, _: (s * s, None), x, length=3)
    assert last.scope == ("model", "step 3")
    assert last.inputs[0].scope == ("model", "step 2")
    last, _ = scan(lambda s, _: (scan(lambda t, _: (t + s, None), s, length=2)[0], None), x, length=2)
    assert last.scope == ("step 2", "step 2")


def test_a_picture_shows_the_steps():
    last, _ = scan(lambda s, x: (ag.sin(s * x), None), Value(0.3, "s"), [1.0, 2.0, 3.0])
    assert [f"step {k}" in ag.draw(last).svg() for k in range(5)] == [False, True, True, True, False]


def test_long_loops_do_not_recurse():
    last, _ = scan(lambda s, x: (s + x, None), Value(0.0), [1.0] * 20_000)
    last.backward()
    assert last.data == 20_000.0


SCANS = {
    "no pair": (lambda: scan(lambda s, x: s, 0.0, [1.0]), InputError, "returns a pair"),
    "a list as pair": (lambda: scan(lambda s, x: [s, x], 0.0, [1.0]), InputError, "returns a pair"),
    "three": (lambda: scan(lambda s, x: (s, x, x), 0.0, [1.0]), InputError, "returns a pair"),
    "None": (lambda: scan(lambda s, x: None, 0.0, [1.0]), InputError, "returns a pair"),
    "state becomes a list": (lambda: scan(lambda s, x: ([s], x), 0.0, [1.0]), ArgumentError, "one number"),
    "state becomes None": (lambda: scan(lambda s, x: (None, x), 0.0, [1.0]), InputError, "None"),
    "state becomes text": (lambda: scan(lambda s, x: ("a", x), 0.0, [1.0]), InputError, "'a'"),
    "state becomes a bool": (lambda: scan(lambda s, x: (s < 1.0, x), 0.0, [1.0]), InputError, "bool"),
    "list becomes tuple": (lambda: scan(lambda s, x: ((*s,), x), [0.0], [1.0]), ArgumentError, "a list of 1"),
    "tuple becomes list": (lambda: scan(lambda s, x: ([*s], x), (0.0,), [1.0]), ArgumentError, "a tuple of 1"),
    "state grows": (lambda: scan(lambda s, x: ([*s, x], x), [0.0], [1.0]), ArgumentError, "a list of 1"),
    "other keys": (lambda: scan(lambda s, x: ({"b": x}, x), {"a": 0.0}, [1.0]), ArgumentError, "the keys ['a']"),
    "other shape": (
        lambda: scan(lambda s, x: (np.zeros(3), x), np.zeros(2), [1.0]),
        ArgumentError,
        "an array of shape (2,)",
    ),
    "y changes": (lambda: scan(lambda s, x: (s, x if x < 2 else [x]), 0.0, [1.0, 2.0]), ArgumentError, "the y of"),
    "y vanishes": (lambda: scan(lambda s, x: (s, x if x < 2 else None), 0.0, [1.0, 2.0]), InputError, "None as its y"),
    "y appears": (lambda: scan(lambda s, x: (s, None if x < 2 else x), 0.0, [1.0, 2.0]), InputError, "None as its y"),
    "y is text": (lambda: scan(lambda s, x: (s, "y"), 0.0, [1.0]), InputError, "the y of"),
    "lengths differ": (
        lambda: scan(lambda s, x: (s, x), 0.0, {"a": [1.0], "b": [1.0, 2.0]}),
        ArgumentError,
        "xs['b'] has 2 steps, but xs['a'] has 1",
    ),
    "length disagrees": (lambda: scan(lambda s, x: (s, x), 0.0, [1.0], 2), ArgumentError, "length=2, but xs has 1"),
    "no xs": (lambda: scan(lambda s, x: (s, x), 0.0), ArgumentError, "xs or length"),
    "empty xs": (lambda: scan(lambda s, x: (s, x), 0.0, []), ArgumentError, "0 steps"),
    "empty array": (lambda: scan(lambda s, x: (s, x), 0.0, np.zeros((0, 2))), ArgumentError, "0 steps"),
    "length 0": (lambda: scan(lambda s, x: (s, x), 0.0, length=0), ArgumentError, "0 steps"),
    "negative length": (lambda: scan(lambda s, x: (s, x), 0.0, length=-1), ArgumentError, "-1"),
    "length no int": (lambda: scan(lambda s, x: (s, x), 0.0, length=2.5), ArgumentError, "2.5"),
    "length a bool": (lambda: scan(lambda s, x: (s, x), 0.0, length=True), ArgumentError, "True"),
    "checkpoint 0": (lambda: scan(lambda s, x: (s, x), 0.0, length=1, checkpoint=0), ArgumentError, "checkpoint"),
    "a number as xs": (lambda: scan(lambda s, x: (s, x), 0.0, 1.0), InputError, "a list or array is needed"),
    "numbers in a tuple": (lambda: scan(lambda s, x: (s, x), 0.0, (1.0, 2.0)), InputError, "xs[0] is 1.0"),
    "an iterator": (lambda: scan(lambda s, x: (s, x), 0.0, iter([1.0])), InputError, "a list or array is needed"),
    "text as xs": (lambda: scan(lambda s, x: (s, x), 0.0, "ab"), InputError, "'ab'"),
    "text in xs": (lambda: scan(lambda s, x: (s, x), 0.0, [1.0, "b"]), InputError, "xs[1]"),
    "ragged xs": (lambda: scan(lambda s, x: (s, x), 0.0, [[1.0], [2.0, 3.0]]), ArgumentError, "xs[1]"),
    "mixed xs": (lambda: scan(lambda s, x: (s, x), 0.0, [1.0, [2.0]]), ArgumentError, "xs[1] must be one number"),
    "text as state": (lambda: scan(lambda s, x: (s, x), "a", [1.0]), InputError, "the state"),
    "no function": (lambda: scan(1.0, 0.0, [1.0]), InputError, "step is a function"),
}


@pytest.mark.parametrize(("call", "kind", "said"), SCANS.values(), ids=SCANS)
def test_what_scan_refuses(call, kind, said):
    with pytest.raises(kind) as raised:
        call()
    assert said in str(raised.value)
    assert isinstance(raised.value, AutogradError)


def test_a_state_that_contains_itself_is_refused():
    state = [1.0]
    state.append(state)
    with pytest.raises(InputError, match="contains itself"):
        scan(lambda s, x: (s, None), state, length=2)


# while_loop ----------------------------------------------------------------------------------------------------------


def collatz(state):
    n, count = state
    return (n / 2.0 if n % 2.0 < 1.0 else 3.0 * n + 1.0), count + 1.0


@pytest.mark.parametrize(("n", "steps"), [(1.0, 0.0), (2.0, 1.0), (6.0, 8.0), (27.0, 111.0)])
def test_a_loop_goes_on_while_its_condition_holds(n, steps):
    assert while_loop(lambda s: s[0] > 1.0, collatz, (n, 0.0), 111) == (1.0, steps)


@given(st.floats(0.1, 50.0))
def test_derivatives_of_the_steps_that_were_taken(a):
    def by_loop(a):  # halves a until it is below 1, and adds up the squares
        return while_loop(lambda s: s[0] > 1.0, lambda s: [s[0] / 2.0, s[1] + s[0] * s[0]], [a, a], 100)[1]

    halvings = 0 if a <= 1.0 else math.ceil(math.log2(a))
    factor = sum(0.25**k for k in range(halvings))  # by_loop(a) = a + factor·a²
    assert by_loop(a) == pytest.approx(a + factor * a * a, rel=1e-14)
    assert grad(by_loop)(a) == pytest.approx(1.0 + 2.0 * factor * a, rel=1e-14)
    assert hessian(by_loop)(a) == pytest.approx(2.0 * factor, rel=1e-14)


def test_the_state_keeps_its_kind():
    assert while_loop(lambda s: s["n"] < 3, lambda s: {"n": s["n"] + 1}, {"n": 0}, 5) == {"n": 3.0}
    last = while_loop(lambda s: s.sum() < 10.0, lambda s: s * 2.0, np.array([1.0, 2.0]), 5)
    assert isinstance(last, np.ndarray)
    assert last.tolist() == [4.0, 8.0]
    assert while_loop(lambda s: ag.less(s, 3.0), lambda s: s + 1.0, Value(0.0), 5).data == 3.0


def test_steps_of_a_while_loop_have_scopes():
    assert while_loop(lambda s: s < 8.0, lambda s: s * 2.0, Value(1.0), 5).scope == ("step 3",)


def test_a_loop_that_does_not_end():
    with pytest.raises(ConvergenceError) as raised:
        while_loop(lambda s: s[0] > 0.0, lambda s: [s[0] + 1.0, s[1]], [Value(1.0, "n"), 5.0], 10)
    said = str(raised.value)
    assert "after 10 steps" in said
    assert "(= 11.0), 5.0" in said
    assert "max_steps" in said
    assert isinstance(raised.value, AutogradError)
    assert isinstance(raised.value, ArithmeticError)
    assert while_loop(lambda s: s < 10.0, lambda s: s + 1.0, 0.0, 10) == 10.0  # exactly as many as are allowed


WHILES = {
    "a number as condition": (lambda: while_loop(lambda s: s, lambda s: s, 1.0, 5), InputError, "comparison"),
    "None as condition": (lambda: while_loop(lambda s: None, lambda s: s, 1.0, 5), InputError, "comparison"),
    "a Value as condition": (lambda: while_loop(lambda s: s, lambda s: s, Value(1.0, "a"), 5), InputError, "'a'"),
    "text as condition": (lambda: while_loop(lambda s: "yes", lambda s: s, 1.0, 5), InputError, "'yes'"),
    "an array as condition": (
        lambda: while_loop(lambda s: s > 0, lambda s: s, np.ones(2), 5),
        InputError,
        "comparison",
    ),
    "state grows": (
        lambda: while_loop(lambda s: s[0] < 2, lambda s: [*s, 1.0], [1.0], 5),
        ArgumentError,
        "a list of 1",
    ),
    "state becomes text": (lambda: while_loop(lambda s: s < 2.0, lambda s: "a", 1.0, 5), InputError, "'a'"),
    "max_steps 0": (lambda: while_loop(lambda s: True, lambda s: s, 1.0, 0), ArgumentError, "max_steps"),
    "negative max_steps": (lambda: while_loop(lambda s: True, lambda s: s, 1.0, -3), ArgumentError, "-3"),
    "max_steps no int": (lambda: while_loop(lambda s: True, lambda s: s, 1.0, 2.5), ArgumentError, "2.5"),
    "no function": (lambda: while_loop(True, lambda s: s, 1.0, 5), InputError, "condition is a function"),
    "no step": (lambda: while_loop(lambda s: True, None, 1.0, 5), InputError, "step is a function"),
}


@pytest.mark.parametrize(("call", "kind", "said"), WHILES.values(), ids=WHILES)
def test_what_while_loop_refuses(call, kind, said):
    with pytest.raises(kind) as raised:
        call()
    assert said in str(raised.value)
