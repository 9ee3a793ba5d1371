"""grad and its family: values, structures, nesting, and errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd as ag
from autograd import (
    ArgumentError,
    DomainError,
    GraphError,
    InputError,
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    ops,
    sweep,
    topological,
    value_and_grad,
    vjp,
)

from ..expressions import programs, run
from ..oracle import REFERENCE
from ..work import growth


def test_any_order():
    f = lambda x: ag.exp(ag.sin(x) * x)
    with mp.workdps(40):
        for n in range(5):
            want = mp.diff(lambda x: mp.exp(mp.sin(x) * x), mpf(1.3), n)
            assert f(1.3) == pytest.approx(float(want), rel=1e-11)
            f = grad(f)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.5, 0.0])
def test_a_constant_factor_scales_derivatives_of_any_order(factor):
    for scaled in (lambda x: factor * ag.sin(x), lambda x: ag.sin(x) * factor):
        for want in (math.cos(1.3), -math.sin(1.3), -math.cos(1.3), math.sin(1.3)):
            scaled = grad(scaled)
            assert scaled(1.3) == pytest.approx(factor * want, rel=1e-14)


def test_perturbations_never_mix():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(2.0) == 4.0
    assert grad(lambda x: grad(lambda y: x * y)(x))(3.0) == 1.0
    assert grad(lambda x: jvp(lambda y: x * y * y, (x,), (1.0,))[1])(3.0) == 12.0
    assert jvp(lambda x: grad(lambda y: x * x * y)(x), (3.0,), (1.0,)) == (9.0, 6.0)
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (2.0,), (1.0,)) == (2.0, 1.0)


def test_structures_come_back_as_they_went_in():
    f = lambda p: p["w"][0] * p["x"] + p["w"][1] ** 2
    assert grad(f)({"w": (2.0, 3.0), "x": 5.0}) == {"w": (5.0, 6.0), "x": 2.0}
    assert grad(lambda a, b: a * b[0], argnums=(0, 1))(2.0, [3.0]) == (3.0, [2.0])
    assert grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0) == 2.0
    assert value_and_grad(lambda x, scale: x * scale)(2.0, scale=4.0) == (8.0, 4.0)
    array = grad(lambda x: np.sum(x * x))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert isinstance(array, np.ndarray)
    assert array.dtype == float
    assert array.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_jacobian_and_hessian_shapes():
    f = lambda x: np.array([x[0] * x[1], x[1] ** 2, x[0]])
    want = [[2.0, 1.0], [0.0, 4.0], [1.0, 0.0]]
    for mode in ("auto", "forward", "reverse"):
        got = jacobian(f, mode=mode)(np.array([1.0, 2.0]))
        assert got.shape == (3, 2)
        assert got.tolist() == want
    assert jacobian(lambda x: {"a": [x[0], 2 * x[1]]})([1.0, 2.0]) == {"a": [[1.0, 0.0], [0.0, 2.0]]}
    h = hessian(lambda x: np.dot(x, x) * x[0])(np.array([1.0, 2.0]))
    assert h.tolist() == [[6.0, 4.0], [4.0, 2.0]]
    assert hessian(lambda x, y: x**2 * y, (0, 1))(2.0, 3.0) == ((6.0, 4.0), (4.0, 0.0))


def _powers(x, n):
    powers = [x]
    while len(powers) < n:
        powers.append(powers[-1] * x)
    return powers


@pytest.mark.parametrize(
    ("f", "arguments", "sparing", "wasteful"),
    [
        (lambda xs: ag.sum([x * x for x in xs]), lambda n: ([0.5] * n,), "reverse", "forward"),
        (_powers, lambda n: (0.5, n), "forward", "reverse"),
    ],
    ids=["many inputs", "many outputs"],
)
def test_the_mode_of_a_jacobian_is_the_number_of_its_sweeps(f, arguments, sparing, wasteful):
    """Work grows with n where the mode makes one sweep, with n² where it makes n; by default it is one."""
    work = {
        mode: growth(lambda n, mode=mode: lambda: jacobian(f, mode=mode)(*arguments(n)), 40)
        for mode in ("auto", "forward", "reverse")
    }
    assert work["auto"] < 2.3
    assert work[sparing] < 2.3
    assert work[wasteful] > 3.0


def test_jvp_vjp_hvp():
    assert jvp(lambda x, y: [x * y, x], (2.0, 3.0), (1.0, 0.5)) == ([6.0, 2.0], [4.0, 1.0])
    value, pullback = vjp(lambda x, y: (x * y, x + y), 2.0, 3.0)
    assert value == (6.0, 5.0)
    assert pullback((1.0, 0.0)) == (3.0, 2.0)
    assert pullback((0.0, 1.0)) == (1.0, 1.0)
    f = lambda x: ag.sin(x[0]) * x[1] ** 3
    direction = [0.3, -0.7]
    full = hessian(f)([0.5, 1.5])
    want = [sum(a * b for a, b in zip(row, direction, strict=True)) for row in full]
    assert hvp(f, ([0.5, 1.5],), (direction,)) == pytest.approx(want, rel=1e-14)


def test_dicts_are_matched_by_key_not_by_order():
    f = lambda d: d["a"] + 100 * d["b"]
    assert jvp(f, ({"a": 1.0, "b": 2.0},), ({"b": 0.0, "a": 1.0},)) == (201.0, 1.0)
    assert vjp(lambda x: {"a": x, "b": 100 * x}, 1.0)[1]({"b": 0.0, "a": 1.0}) == (1.0,)


def test_shapes_of_mixed_structures():
    f = lambda x: np.array([x[0] * x[1], x[0]])
    assert jacobian(f)([1.0, 2.0]).tolist() == [[2.0, 1.0], [1.0, 0.0]]
    blocks = jacobian(lambda x, y: x * y, (0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert [b.tolist() for b in blocks] == [[[3.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]]
    h = hessian(lambda x, y: np.dot(x, y), (0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert [[b.tolist() for b in row] for row in h] == [
        [[[0, 0], [0, 0]], [[1, 0], [0, 1]]],
        [[[1, 0], [0, 1]], [[0, 0], [0, 0]]],
    ]
    assert jacobian(lambda x: [1.0, 2.0])([]) == [[], []]
    assert grad(lambda x: np.where(x > 0, x * x, -x))(3.0) == 6.0


def test_infinite_slopes_survive_nesting():
    assert grad(ag.sqrt)(0.0) == math.inf
    assert grad(lambda a: a * grad(ag.sqrt)(0.0))(1.0) == math.inf
    n = Value(3.0)
    assert grad(grad(lambda x: x**n))(-2.0) == -12.0


def test_a_pullback_stays_plain_after_nested_use():
    _, pullback = vjp(lambda x: x * x, 3.0)
    grad(lambda a: pullback(a)[0])(2.0)
    assert pullback(1.0) == (6.0,)
    assert type(pullback(1.0)[0]) is float


def test_threads_may_share_leaves():
    from threading import Thread

    w = Value(0.7)
    found = []

    def work():
        for _ in range(30):
            y = w
            for _ in range(100):
                y = ag.sin(y)
            found.append(ag.explain(y, w).derivative)
            found.append(grad(lambda x, y=y: x * y)(2.0) - y.data)

    threads = [Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(found)) == 2
    assert w.grad == 0.0


def test_functions_of_constants_have_zero_derivatives():
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert hessian(lambda x: 3.0 * x)(2.0) == 0.0
    assert jacobian(lambda x: [1.0, x])(2.0) == [0.0, 1.0]


def test_gradients_of_leaves_outside_are_left_alone():
    w = Value(3.0)
    w.grad = 7.0
    assert grad(lambda x: w * x)(2.0) == 3.0
    assert w.grad == 7.0


def test_values_as_arguments_give_values_that_can_be_derived_again():
    x = Value(3.0)
    slope = grad(lambda y: y**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)


def test_grad_works_inside_no_grad():
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0


def test_zero_adjoints_with_a_slope_are_not_dropped_in_second_order():
    assert hessian(lambda x: x * x)(0.0) == 2.0
    assert grad(grad(lambda x: x**3))(0.0) == 0.0
    assert grad(grad(grad(lambda x: x**3)))(0.0) == 6.0
    assert grad(grad(grad(ag.tanh)))(0.0) == -2.0
    assert grad(grad(grad(ag.sigmoid)))(0.0) == pytest.approx(-0.125)


SMOOTH_AT = {name: op.samples[0] for name, op in ops.TABLE.items() if op.kink is None and not op.nary}


@pytest.mark.parametrize("name", [n for n in SMOOTH_AT if n not in ("where", "polygamma")])
def test_second_derivatives_of_every_row(name):
    """hessian against mpmath, to 1e-10; special functions included."""
    point = SMOOTH_AT[name]
    got = hessian(getattr(ag, name), tuple(range(len(point))))(*point)
    rows = got if isinstance(got, tuple) else (got,)
    with mp.workdps(40):
        for i, row in enumerate(rows):
            for j, x in enumerate(row if isinstance(row, tuple) else (row,)):
                order = [0] * len(point)
                order[i] += 1
                order[j] += 1
                exact, at = REFERENCE[name], tuple(map(mpf, point))
                want = mp.diff(exact, at, tuple(order)) if len(point) > 1 else mp.diff(exact, at[0], 2)
                assert x == pytest.approx(float(want), rel=1e-10, abs=1e-10), (name, i, j)


def second_order_sizes(f, numbers):
    """For each pair of inputs the sum of |second derivatives| along all paths: rounding errors grow with it."""
    inputs = [Value(x) for x in numbers]
    rows = []
    for slope in grad(f)(inputs):
        sizes = sweep.adjoints(topological(slope), absolute=True) if isinstance(slope, Value) else {}
        rows.append([sizes.get(x, 0.0) for x in inputs])
    return rows


@settings(max_examples=150, deadline=None)
@given(programs(max_nodes=15, max_inputs=3), st.randoms(use_true_random=False))
def test_both_halves_of_the_hessian_and_hvp_agree(program, random):
    numbers, steps = program
    f = lambda x: run(x, steps)
    half, full, sizes = hessian(f)(numbers), jacobian(grad(f))(numbers), second_order_sizes(f, numbers)
    if not all(math.isfinite(x) and abs(x) < 1e12 for row in full for x in row):
        return
    size = max(1.0, *[abs(x) for row in full for x in row])
    off = (1e-7 * size + 1e-13 * (np.array(sizes) + np.transpose(sizes))).tolist()
    for i in range(len(numbers)):
        for j in range(len(numbers)):
            assert abs(half[i][j] - full[i][j]) <= off[i][j]
    direction = [random.uniform(-1, 1) for _ in numbers]
    product = hvp(f, (numbers,), (direction,))
    for row, got, allowed in zip(full, product, off, strict=True):
        assert abs(sum(a * b for a, b in zip(row, direction, strict=True)) - got) <= sum(allowed)


# Moré, Garbow & Hillstrom, "Testing Unconstrained Optimization Software" (1981): functions and starting points as
# published; gradient and Hessian by mpmath's differentiation of the same formula.
def _rosenbrock(x, m):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def _beale(x, m):
    return sum((y - x[0] * (1 - x[1] ** k)) ** 2 for k, y in ((1, 1.5), (2, 2.25), (3, 2.625)))


def _powell(x, m):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def _wood(x, m):
    return (
        100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + 90 * (x[3] - x[2] ** 2) ** 2 + (1 - x[2]) ** 2
        + 10 * (x[1] + x[3] - 2) ** 2 + (x[1] - x[3]) ** 2 / 10
    )  # fmt: skip


def _helical_valley(x, m):
    theta = m.atan2(x[1], x[0]) / (2 * math.pi)
    return 100 * (x[2] - 10 * theta) ** 2 + 100 * (m.hypot(x[0], x[1]) - 1) ** 2 + x[2] ** 2


def _brown_badly_scaled(x, m):
    return (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2) ** 2


def _box(x, m):
    return sum(
        (m.exp(-k / 10 * x[0]) - m.exp(-k / 10 * x[1]) - x[2] * (math.exp(-k / 10) - math.exp(-k))) ** 2
        for k in range(1, 11)
    )


def _trigonometric(x, m):
    n = len(x)
    total = sum(m.cos(v) for v in x)
    return sum((n - total + (i + 1) * (1 - m.cos(v)) - m.sin(v)) ** 2 for i, v in enumerate(x))


@pytest.mark.parametrize(
    ("f", "start"),
    [
        (_rosenbrock, [-1.2, 1.0]), (_beale, [1.0, 1.0]), (_powell, [3.0, -1.0, 0.0, 1.0]),
        (_wood, [-3.0, -1.0, -3.0, -1.0]), (_helical_valley, [-1.0, 0.1, 0.0]), (_brown_badly_scaled, [1.0, 1.0]),
        (_box, [0.0, 10.0, 20.0]), (_trigonometric, [0.2, 0.2, 0.2, 0.2, 0.2]),
    ],
)  # fmt: skip
def test_published_test_functions(f, start):
    gradient, second = grad(lambda x: f(x, ag))(start), hessian(lambda x: f(x, ag))(start)
    n = len(start)
    with mp.workdps(40):
        exact = lambda *x: f(x, mp)
        point = tuple(map(mpf, start))
        for i in range(n):
            first = float(mp.diff(exact, point, tuple(int(k == i) for k in range(n))))
            assert gradient[i] == pytest.approx(first, rel=1e-11, abs=1e-9)
            for j in range(n):
                want = float(mp.diff(exact, point, tuple(int(k == i) + int(k == j) for k in range(n))))
                assert second[i][j] == pytest.approx(want, rel=1e-10, abs=1e-7)


def test_rosenbrock_in_closed_form():
    x, y = -1.2, 1.0
    assert grad(lambda v: _rosenbrock(v, ag))([x, y]) == pytest.approx(
        [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
    )
    assert hessian(lambda v: _rosenbrock(v, ag))([x, y]) == [
        [pytest.approx(1200 * x * x - 400 * y + 2), pytest.approx(-400 * x)],
        [pytest.approx(-400 * x), pytest.approx(200.0)],
    ]


# The first derivative is right; in the second, the rule for the slope turns its operand into a plain number.
SINE = ag.operation("sine", math.sin, lambda z, x: math.cos(float(x)))


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: grad(lambda x: None)(1.0), InputError, ["None", "return"]),
        (lambda: grad(lambda x: "text")(1.0), InputError, ["returned", "'text'"]),
        (lambda: grad(lambda x: [x, x])(1.0), InputError, ["jacobian", "list"]),
        (lambda: grad(lambda x: np.array([x]))(1.0), InputError, ["jacobian"]),
        (lambda: grad(2.0), InputError, ["function", "grad(f)(x)"]),
        (lambda: grad(lambda x: x)("1"), InputError, ["argument 0", "'1'"]),
        (lambda: grad(lambda x: x[0])([1.0, None]), InputError, ["argument 0", "[1]", "None"]),
        (lambda: grad(lambda x: x, argnums=1)(1.0), ArgumentError, ["argnums=1", "1 arguments"]),
        (lambda: grad(lambda x: x, argnums=())(1.0), ArgumentError, ["argnums"]),
        (lambda: grad(lambda x: x, argnums=(0, 0))(1.0), ArgumentError, ["twice"]),
        (lambda: grad(lambda x: x, argnums="x")(1.0), InputError, ["argnums"]),
        (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), ArgumentError, ["tangents", "of 1"]),
        (lambda: jvp(lambda x: x, 1.0, 1.0), InputError, ["tuple"]),
        (lambda: vjp(lambda x: [x, x], 1.0)[1]([1.0]), ArgumentError, ["adjoints", "of 2"]),
        (lambda: jacobian(lambda x: x, mode="sideways"), ArgumentError, ["sideways", "forward"]),
        (lambda: grad(lambda x: math.sin(x))(1.0), GraphError, ["plain number", "autograd.sin", "'x'"]),
        (lambda: grad(lambda x: x * int(x))(1.5), GraphError, ["plain number", "int()"]),
        (lambda: grad(lambda x: x * math.sin(x))(1.0), GraphError, ["plain number"]),
        (lambda: grad(lambda x: grad(lambda y: y * math.sin(x))(1.0))(2.0), GraphError, ["plain number"]),
        (lambda: jvp(lambda d: d["a"], ({"a": 1.0},), ({"b": 1.0},)), ArgumentError, ["keys", "'a'"]),
        (lambda: jvp(lambda a, b: b, ([1.0, 2.0], 3.0), (1.0, [0.0, 0.0])), ArgumentError, ["tangents[0]", "list"]),
        (lambda: jvp(lambda a: a[0], (np.ones(2),), (np.ones(3),)), ArgumentError, ["shape (2,)"]),
        (lambda: jvp(lambda x: x, (1.0,), ([1.0, 2.0],)), ArgumentError, ["tangents[0]", "one number", "list of 2"]),
        (lambda: grad(lambda x, y: y * math.exp(x), (0, 1))(1.0, 2.0), GraphError, ["lost"]),
        (lambda: hessian(SINE)(0.4), GraphError, ["lost", "sine"]),
        (lambda: hvp(SINE, (0.4,), (1.0,)), GraphError, ["lost", "sine"]),
        (lambda: grad(lambda rate: ag.log(rate))(0.0), DomainError, ["'rate'", "log"]),
        (lambda: grad(lambda p: ag.log(p[1]))([1.0, 0.0]), DomainError, ["'p[1]'"]),
    ],
)
def test_what_is_refused_and_how(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)


def test_the_first_argument_is_meant_unless_another_is_named():
    f = lambda x, y: x**3 * y
    assert grad(f)(2.0, 5.0) == 60.0
    assert value_and_grad(f)(2.0, 5.0) == (40.0, 60.0)
    assert jacobian(f)(2.0, 5.0) == 60.0
    assert hessian(f)(2.0, 5.0) == 60.0


def test_constants_have_no_derivatives():
    assert grad(lambda x: 5.0)(2.0) == 0.0
    assert hessian(lambda x: 5.0)(2.0) == 0.0
    assert hessian(lambda x: 5.0)([2.0, 3.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert hvp(lambda x: 5.0, (2.0,), (1.0,)) == 0.0
    assert jvp(lambda x: 5.0, (2.0,), (1.0,)) == (5.0, 0.0)
    assert jvp(lambda x: [5.0, 6.0], (2.0,), (1.0,)) == ([5.0, 6.0], [0.0, 0.0])
    assert jvp(lambda x: [5.0, x], (2.0,), (3.0,)) == ([5.0, 2.0], [0.0, 3.0])
    assert jacobian(lambda x: [5.0, 6.0])(2.0) == [0.0, 0.0]


@pytest.mark.parametrize("inner", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]], ids=["grad", "jvp"])
def test_derivatives_inside_a_derivative_do_not_traverse_what_was_recorded_before(inner):
    slope = inner(lambda x: x * x)

    def chain(n):
        def f(x):
            for _ in range(n):
                x = x - 0.1 * slope(x)
            return x

        return lambda: grad(f)(1.0)

    assert chain(3)() == pytest.approx(0.8**3)
    assert growth(chain, 40) < 2.3


def test_an_input_that_is_returned_has_derivatives_at_every_level():
    assert grad(lambda x: grad(lambda y: y)(x) * x)(2.0) == 1.0
    assert grad(lambda x: x * jacobian(lambda y: [y[1], y[0], y[0] * y[1]])([x, 3.0 * x])[2][1])(2.0) == 4.0
    assert hessian(lambda x: x[0])([2.0, 3.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert jvp(lambda x: jvp(lambda y: y, (x,), (x,))[1], (2.0,), (3.0,)) == (2.0, 3.0)
