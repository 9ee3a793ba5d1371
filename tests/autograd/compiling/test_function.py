"""compile as people use it: arguments, results, settings, what is refused, and what a hostile caller tries."""

import json
import math
import operator
import pickle
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, InputError, TraceError, Value, operation

X = np.linspace(0.5, 2.0, 7)


# Arguments and results -----------------------------------------------------------------------------------------------


def test_axes_are_like_vmaps():
    f = ag.compile(lambda x, w: ag.dot(w, x), in_axes=(1, None))
    columns, w = np.arange(12.0).reshape(3, 4), np.array([1.0, -1.0, 0.5])
    np.testing.assert_allclose(f(columns, w), w @ columns)
    assert f.grad(columns, w, argnums=1).shape == (4, 3)
    assert ag.compile(lambda x: x[0] * x[1], in_axes=-1)(columns[:2]).tolist() == (columns[0] * columns[1]).tolist()


def test_shared_arguments_alone_are_one_row():
    f = ag.compile(lambda a, b: a * b[0] + b[1], in_axes=None)
    assert f(2.0, [3.0, 4.0]) == 10.0
    assert f.grad(2.0, [3.0, 4.0], argnums=(0, 1))[1].tolist() == [2.0, 1.0]
    assert ag.compile(lambda: 3)() == 3.0


def test_nested_arguments_and_results():
    f = ag.compile(lambda m: {"sum": m[0][0] + m[1][1], "rows": ([m[0][1], m[1][0]], 5)})
    m = np.arange(8.0).reshape(2, 2, 2)
    found = f(m)
    assert found["sum"].tolist() == [3.0, 11.0]
    assert found["rows"][0].tolist() == [[1.0, 2.0], [5.0, 6.0]]
    assert found["rows"][1].tolist() == [5.0, 5.0]
    assert f.jacobian(m)["rows"][0].shape == (2, 2, 2, 2)


@pytest.mark.parametrize(
    "array",
    [
        X.astype(np.float32),
        X.astype(">f8"),
        X[::-1],
        np.repeat(X, 3)[::3],
        np.broadcast_to(1.5, 7),
        np.arange(1, 8),
        X.astype(np.float16),
        X.tolist(),
        np.array(X.tolist(), dtype=object),
        X.astype(np.longdouble),
    ],
    ids=["float32", "big-endian", "reversed", "strided", "broadcast", "int", "half", "list", "objects", "longdouble"],
)
def test_any_array_of_numbers(array):
    expected = np.log(np.asarray(array, dtype=float))
    np.testing.assert_allclose(ag.compile(ag.log)(array), expected, rtol=1e-14)


def test_fortran_order_read_only_and_empty_parts():
    rows = np.asfortranarray(np.random.default_rng(0).normal(size=(5, 2, 3)))
    rows.flags.writeable = False
    f = ag.compile(lambda m: m[0][0] * m[1][2])
    np.testing.assert_allclose(f(rows), rows[:, 0, 0] * rows[:, 1, 2])
    assert ag.compile(lambda a, x: x * 2.0)(np.zeros((5, 0)), np.arange(5.0)).tolist() == [0, 2, 4, 6, 8]
    assert ag.compile(lambda a: [])(np.zeros(3)).shape == (3, 0)


def test_rows_that_overlap():
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(100.0), 3)
    assert ag.compile(lambda w: w[1] * 2.0)(windows).tolist() == (windows[:, 1] * 2.0).tolist()
    assert ag.compile(lambda w: w[0] + w[2])(windows).tolist() == (windows[:, 0] + windows[:, 2]).tolist()


def test_zero_rows():
    f = ag.compile(lambda x: x[0] * x[1])
    empty = np.zeros((0, 2))
    assert f(empty).shape == (0,)
    assert f.grad(empty).shape == (0, 2)
    assert f.hessian(empty).shape == (0, 2, 2)
    w = Value(1.0)
    assert ag.compile(lambda x: w * x, reduce="sum").backward(np.zeros(0)) == 0.0
    with pytest.raises(ArgumentError, match="no rows"):
        ag.compile(lambda x: x, reduce="mean")(np.zeros(0))


METHODS = ["__call__", "grad", "value_and_grad", "jacobian", "value_and_jacobian", "hessian", "value_grad_and_hessian"]
ONE_ROW = {
    "number": (lambda x, w: x * x * w, ()),
    "vector": (lambda x, w: x[0] * x[1] * w, (2,)),
    "matrix": (lambda x, w: x[0][1] * x[1][2] * w, (2, 3)),
}


@pytest.mark.parametrize("settings", [{}, {"strict": True}, {"check": True}, {"dtype": "float32"}], ids=str)
@pytest.mark.parametrize("shape", ONE_ROW)
@pytest.mark.parametrize("method", METHODS)
def test_no_rows_have_results_of_the_shapes_of_some_rows(method, shape, settings):
    f, of_row = ONE_ROW[shape]
    argnums = {} if method == "__call__" else {"argnums": (0, 1)}
    for axis in {0, len(of_row)}:
        compiled = ag.compile(f, in_axes=(axis, None), **settings)
        some, none = (getattr(compiled, method)(rows_of(of_row, axis, n), 3.0, **argnums) for n in (5, 0))
        for a, b in zip(parts_of(some), parts_of(none), strict=True):
            assert (b.shape, b.dtype) == ((0, *a.shape[1:]), a.dtype)


@pytest.mark.parametrize("shape", ONE_ROW)
@pytest.mark.parametrize("method", METHODS)
def test_the_sum_over_no_rows_is_zero_and_the_mean_an_error(method, shape):
    f, of_row = ONE_ROW[shape]
    argnums = {} if method == "__call__" else {"argnums": 1}
    empty = rows_of(of_row, 0, 0)
    result = getattr(ag.compile(f, in_axes=(0, None), reduce="sum"), method)(empty, 3.0, **argnums)
    assert all(np.all(part == 0.0) for part in parts_of(result))
    with pytest.raises(ArgumentError, match="the mean over no rows has no value"):
        getattr(ag.compile(f, in_axes=(0, None), reduce="mean"), method)(empty, 3.0, **argnums)


def test_directions_and_leaves_of_no_rows():
    w = Value(2.0)
    f = ag.compile(lambda x: w * x[0] * x[1])
    empty = np.zeros((0, 2))
    assert [part.shape for part in f.jvp([empty], [empty])] == [(0,), (0,)]
    total = ag.compile(f.function, reduce="sum")
    assert total.jvp([empty], [empty]) == (0.0, 0.0)
    assert total.leaf_gradients(empty)[2].tolist() == [0.0]
    for derive in (f.jvp, total.jvp):
        with pytest.raises(ArgumentError, match="jvp needs at least one primal"):
            derive([], [], x=empty)
        with pytest.raises(ArgumentError, match="the tangent of x must have its shape"):
            derive([empty], [np.zeros((1, 2))])


def rows_of(shape, axis, n):
    return np.moveaxis(np.ones((n, *shape)), 0, axis)


def parts_of(result):
    return [part for inner in result for part in parts_of(inner)] if isinstance(result, tuple) else [result]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.array([True]), "bool"),
        (np.array([1j]), "complex"),
        (np.array(["1.5"]), "real numbers"),
        (np.array(["1.5"], dtype=object), "real number"),
        ([[1.0], [2.0, 3.0]], "ragged"),
        (np.ma.masked_array([1.0], [True]), "masked"),
        (1.0, "no axis"),
    ],
)
def test_arguments_that_do_not_do(given, said):
    with pytest.raises((InputError, ArgumentError), match=said):
        ag.compile(lambda x: x)(given)


def test_wrong_counts():
    f = ag.compile(lambda x, y: x * y)
    with pytest.raises(ArgumentError, match="x has 3, y has 4"):
        f(np.ones(3), np.ones(4))
    with pytest.raises(ArgumentError, match="argument 2"):
        f.grad(np.ones(3), np.ones(3), argnums=2)
    with pytest.raises(ArgumentError, match="jacobian"):
        ag.compile(lambda x: [x, x]).grad(X)
    with pytest.raises(ArgumentError, match="reduce"):
        f.backward(X, X)
    with pytest.raises(InputError, match="None"):
        ag.compile(lambda x: None)(X)
    with pytest.raises(InputError, match="tuple"):
        ag.compile(lambda x: [x, [x]])(X)
    with pytest.raises(ArgumentError, match="called yet"):
        _ = f.program
    with pytest.raises(ArgumentError, match="tangent"):
        f.jvp((X, X), (X, X[:3]))


@pytest.mark.parametrize(
    "method", ["grad", "value_and_grad", "jacobian", "value_and_jacobian", "hessian", "value_grad_and_hessian"]
)
def test_derivatives_are_in_the_first_argument_unless_told(method):
    f = ag.compile(lambda x, y: x * x * y * y * y)
    derived = getattr(f, method)
    unless_told, first, second = derived(X, 2.0 * X), derived(X, 2.0 * X, argnums=0), derived(X, 2.0 * X, argnums=1)
    np.testing.assert_array_equal(unless_told, first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("strict", [False, True])
def test_second_derivatives_where_slopes_are_constant(strict):
    f = ag.compile(lambda x: 3.0 * (2.0 * x[0] + 5.0 * x[1]) + x[0] * x[1], strict=strict)
    rows = np.ones((4, 2))
    assert f.hessian(rows).tolist() == [[[0.0, 1.0], [1.0, 0.0]]] * 4
    assert ag.compile(lambda x: 3.0 * (2.0 * x), strict=strict).hessian(X).tolist() == [0.0] * 7


# Conditions ---------------------------------------------------------------------------------------------------------


def test_conditions_combine():
    f = ag.compile(lambda x, y: ag.where((x > 0) & ~(y < 1) | (x < -1), x, y))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 100)) * 2
    np.testing.assert_array_equal(f(x, y), np.where(((x > 0) & ~(y < 1)) | (x < -1), x, y))
    assert ag.compile(lambda x: ag.where((x > 1) & True, x, 0.0))(X).tolist() == np.where(X > 1, X, 0.0).tolist()
    assert ag.compile(lambda x: ag.where((x > 1) | (2 < 1), x, 0.0))(X).tolist() == np.where(X > 1, X, 0.0).tolist()


def test_either_branch_may_have_been_recorded_first():
    doubled = np.where(X > 1, 2.0 * X, X)
    assert ag.compile(lambda x: ag.where(x > 1, 2.0 * x, x))(X).tolist() == doubled.tolist()
    assert ag.compile(lambda x: ag.where(x <= 1, x, 2.0 * x))(X).tolist() == doubled.tolist()
    assert ag.compile(lambda x: ag.where(x > 1, x * x, x * x))(X).tolist() == (X * X).tolist()


def test_leaves_are_read_afresh_also_in_conditions():
    w = Value(1.0)
    f = ag.compile(lambda x: ag.where(w > 0, w * x, -x), reduce="sum")
    assert f(X) == pytest.approx(X.sum())
    w.data = -3.0
    assert f(X) == pytest.approx(-X.sum())
    w.data = 2.0
    assert f.backward(X) == pytest.approx(2 * X.sum())
    assert w.grad == pytest.approx(X.sum())
    f.backward(X)
    assert w.grad == pytest.approx(2 * X.sum())  # accumulates, as leaves do


def test_detach_and_no_grad_stop_derivatives():
    w = Value(2.0)

    def f(x):
        with ag.no_grad():
            a = x * w
        return a * x + x.detach() * x

    x = Value(1.5)
    f(x).backward()
    assert ag.compile(f).grad(np.array([1.5])).tolist() == [x.grad]
    with ag.no_grad():
        assert ag.compile(lambda x: x * x * x).hessian(np.array([2.0])).tolist() == [12.0]


def test_values_given_are_one_row():
    f = ag.compile(lambda x: x * x)
    x = Value(3.0)
    f(x).backward()
    assert x.grad == 6.0
    assert ag.compile(lambda y: f(y) + 1.0)(X).tolist() == (X * X + 1.0).tolist()
    with pytest.raises(InputError, match="reduce"):
        ag.compile(lambda x: x, reduce="sum")(x)
    with pytest.raises(InputError, match="Values"):
        f.grad([Value(1.0)])


def test_a_value_kept_from_another_run_is_refused():
    kept = []
    ag.compile(lambda x: kept.append(x) or x)(X)
    with pytest.raises(TraceError, match="another"):
        ag.compile(lambda a, z: z * kept[0])(X, X)


# Operations of one's own ---------------------------------------------------------------------------------------------


def test_own_operations_recorded_or_called():
    recorded = operation("twice", lambda x: ag.sin(x) * 2.0, lambda z, x: 2.0 * ag.cos(x))
    called = operation("sine", lambda x: math.sin(x), lambda z, x: math.cos(x))
    choosing = operation("chosen", lambda x: x if x > 1 else -x, lambda z, x: 1.0 if x > 1 else -1.0)
    straight = operation("straight", lambda x: float(round(x)), lambda z, x: 1.0)  # a slope that is none
    carry = operation("carry", lambda x: math.exp(x), lambda z, x: z)
    named = operation("my_slope0", lambda x: math.exp(x), lambda z, x: math.exp(x))
    for op in (recorded, called, choosing, straight, carry, named):
        value, slope = ag.compile(lambda x, op=op: op(x) * x).value_and_grad(X)
        for k, number in enumerate(X):
            x = Value(number)
            y = op(x) * x
            y.backward()
            assert value[k] == pytest.approx(y.data, rel=1e-13)
            assert slope[k] == pytest.approx(x.grad, rel=1e-13)
    np.testing.assert_allclose(ag.compile(recorded).hessian(X), -2.0 * np.sin(X), rtol=1e-12)
    with pytest.raises(TraceError, match="autograd's functions"):
        ag.compile(called).hessian(X)


def test_what_a_python_function_raises_is_raised():
    broken = operation("broken", lambda x: [][int(x)], lambda z, x: 1.0)
    with pytest.raises(IndexError):
        ag.compile(lambda x: broken(x))(X)
    inner = ag.compile(lambda x: ag.sin(x), reduce="sum", threads=2)
    many = np.ones(10_000)
    nested = operation("nested", lambda x: float(inner(many * float(x))), lambda z, x: 1.0)
    found = ag.compile(lambda x: nested(x), threads=2)(np.ones(8200))
    assert found[0] == pytest.approx(10_000 * math.sin(1.0))


# Numbers that are easy to get wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_zero_times_infinity_contributes_zero(strict):
    f = ag.compile(lambda x, y: (ag.relu(y) * x) * x, strict=strict)
    assert [g.tolist() for g in f.grad(np.array([1e200]), np.array([-1.0]), argnums=(0, 1))] == [[0.0], [0.0]]
    g = ag.compile(lambda x: ag.sqrt(ag.square(x - x)), strict=strict)
    assert g.grad(X).tolist() == [0.0] * 7
    h = ag.compile(lambda x, w: ag.sqrt(x * x) * w, in_axes=(0, None), reduce="sum", strict=strict)
    assert h.grad(np.array([0.0, 3.0]), 2.0).tolist() == [0.0, 2.0]


def test_divisions_share_a_reciprocal_only_where_it_is_finite():
    f = ag.compile(lambda x, y: [x / y, 2.0 * x / y])
    tiny = np.array([3e-310, 1.0])
    np.testing.assert_allclose(f(tiny, tiny), [[1.0, 2.0]] * 2, rtol=1e-12)
    hidden = ag.compile(lambda a, b: ag.atan(a / (a + b)) + ag.atan(b / (a + b)))  # which swallows infinities
    small = np.full(3, 1e-309)
    np.testing.assert_allclose(hidden(small, small), np.full(3, 2.0 * math.atan(0.5)), rtol=1e-12)
    assert ag.compile(lambda p: [p[1] / p[2], p[1] / p[0], p[2] / p[0]], in_axes=None)(
        np.array([0.0, 6.0, 3.0]), out=(out := np.zeros(3))
    ).tolist() == [2.0, math.inf, math.inf]
    assert out[0] == 2.0


def test_results_may_be_written_over_a_shared_argument():
    f = ag.compile(lambda p: [p[1] / p[2], p[1] / p[0], p[2] / p[0]], in_axes=None)
    numbers = np.array([0.0, 6.0, 3.0])
    assert f(numbers, out=numbers).tolist() == [2.0, math.inf, math.inf]


def test_errors_of_python_functions_stay_in_their_thread():
    def value(x):
        if x < 0:
            raise KeyError(x)
        return 2.0 * x

    op = operation("picky", lambda x: value(float(x)), lambda z, x: 2.0)
    f = ag.compile(lambda x: op(x) + 0.0, threads=1)
    good, bad = np.ones(300), np.full(300, -1.0)
    assert f(good).sum() == 600.0
    outcome = {"good": 0, "bad": 0}

    def call(kind, rows):
        for _ in range(30):
            try:
                f(rows)
                outcome[kind] += 1
            except KeyError:
                outcome[kind] -= 1

    threads = [threading.Thread(target=call, args=pair) for pair in (("good", good), ("bad", bad))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert outcome == {"good": 30, "bad": -30}


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1.0), np.int64(1), np.array(1.0)])
def test_equality_with_a_number_is_refused(one):
    with pytest.raises(TraceError, match="where"):
        ag.compile(lambda x: x if x == one else -x)(X)


@pytest.mark.filterwarnings("ignore:Bitwise inversion:DeprecationWarning")  # ~ of a bool, from Python 3.12 on
@pytest.mark.parametrize("opposite", [ag.logical_not, lambda condition: ~condition], ids=["logical_not", "~"])
def test_opposite_conditions_mean_the_same_eagerly(opposite):
    def f(x):
        return ag.where(opposite(x < 1), 5.0 * x, 7.0)

    assert [float(f(Value(x))) for x in (0.0, 2.0)] == ag.compile(f)(np.array([0.0, 2.0])).tolist() == [7.0, 10.0]


def test_two_conditions_on_the_same_operands():
    """Two of them may come down to one, such as x ≤ y and y ≤ x to x = y; ties and nan tell which."""
    compared = [operator.lt, operator.le, operator.gt, operator.ge]
    joined = [operator.and_, operator.or_]
    cases = [(join, one, other) for join in joined for one in compared for other in compared]
    x, y = (a.ravel() for a in np.meshgrid([-1.0, 0.0, 2.0, np.inf, np.nan], [-1.0, -0.0, 2.0, np.inf, np.nan]))

    @ag.compile
    def f(x, y):
        return [
            ag.where(join(one(x, y), other(*pair)), 1.0, 0.0) for join, one, other in cases for pair in ((x, y), (y, x))
        ]

    expected = [join(one(x, y), other(*pair)) for join, one, other in cases for pair in ((x, y), (y, x))]
    np.testing.assert_array_equal(f(x, y), np.stack(expected, axis=1))


def test_constants_do_not_overflow_together():
    assert ag.compile(lambda x: x * 1e200 * 1e200)(np.array([1e-300])) == pytest.approx(1e100)
    assert ag.compile(lambda x: x / 1e-200 / 1e-200)(np.array([1e-300])) == pytest.approx(1e100)
    found = ag.compile(lambda x: x * 1e30 * 1e30, dtype="float32")(np.array([1e-30]))
    assert found == pytest.approx(1e30, rel=1e-6)


def test_sums_keep_small_differences():
    x = 1e9 + np.linspace(0.0, 1e-3, 1000)
    f = ag.compile(lambda x: x - 1e9, reduce="sum")
    assert f(x) == pytest.approx(float((x - 1e9).sum()), rel=1e-12)
    large = np.full(10, 1e308)
    assert ag.compile(lambda a, b: a - b, reduce="sum")(large, large) == 0.0


def test_sums_keep_small_differences_of_products():
    x = 1e8 + np.linspace(0.0, 1e3, 1000)
    y = x * x + np.linspace(-1.0, 2.0, 1000)
    f = ag.compile(lambda x, y: ag.dot([x], [x], -ag.abs(y)), reduce="sum")
    exact = sum(Fraction(a) ** 2 - Fraction(b) for a, b in zip(x.tolist(), y.tolist(), strict=True))
    assert f(x, y) == pytest.approx(float(exact), rel=1e-12)


def test_what_all_rows_share_counts_once_for_every_row():
    v, w = Value(0.5), Value(-2.0)
    for count in (1, 7, 10_000):
        rows = np.linspace(0.0, 1.0, count)
        f = ag.compile(lambda x: x * w + v, reduce="sum")
        v.grad = w.grad = 0.0
        assert f.backward(rows) == pytest.approx(-2.0 * rows.sum() + 0.5 * count, rel=1e-12)
        assert (v.grad, w.grad) == (count, pytest.approx(rows.sum(), rel=1e-12))
        g = ag.compile(lambda x, p: 3.0 * p, in_axes=(0, None), reduce="sum")
        assert (g(rows, 2.5), g.grad(rows, 2.5, argnums=1)) == (7.5 * count, 3.0 * count)
        mean = ag.compile(lambda x, p: 3.0 * p, in_axes=(0, None), reduce="mean")
        assert (mean(rows, 2.5), mean.grad(rows, 2.5, argnums=1)) == (7.5, 3.0)


def test_sums_of_shared_subexpressions_take_no_time():
    def f(x):
        y, z = x * x, x
        for _ in range(300):
            y, z = z, 0.5 * (y + z)
        return y

    assert ag.compile(f, reduce="sum")(np.ones(4)) == pytest.approx(4.0)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 8, 13, 40, 100])
def test_long_dots_of_any_operands(count):
    rng = np.random.default_rng(count)
    rows, shared, leaves = (
        rng.normal(size=(5, count)),
        rng.normal(size=count),
        [Value(v) for v in rng.normal(size=count)],
    )
    kinds = rng.integers(4, size=(2, count))

    def mixed(x, s, k):
        return [(x[i], s[i], leaves[i], 0.5)[kinds[k, i]] for i in range(count)]

    def f(x, s):
        return ag.dot(mixed(x, s, 0), mixed(x, s, 1), s[0]) + ag.sum(mixed(x, s, 0)) + ag.logsumexp(mixed(x, s, 1))

    value, (dx, ds) = ag.compile(f, in_axes=(0, None)).value_and_grad(rows, shared, argnums=(0, 1))
    for k in range(5):
        x, s = [Value(v) for v in rows[k]], [Value(v) for v in shared]
        result = f(x, s)
        result.backward()
        assert value[k] == pytest.approx(result.data, rel=1e-12)
        np.testing.assert_allclose(dx[k], [v.grad for v in x], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(ds[k], [v.grad for v in s], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("bias", "first"), [(0.0, "mul %0 %1"), (2.0, "fma %0 %1 2.0"), (-2.0, "fma %0 %1 -2.0")])
def test_short_dots_with_a_constant(bias, first):
    f = ag.compile(lambda x, y: ag.dot([x, 3.0], [y, x], bias))
    value, slopes = f.value_and_grad(X, 1.0 - X, argnums=(0, 1))
    np.testing.assert_allclose(value, X * (1.0 - X) + 3.0 * X + bias, rtol=1e-14)
    np.testing.assert_allclose(slopes, [1.0 - X + 3.0, X], rtol=1e-14)
    f(X, X)
    assert str(f.program).splitlines()[2:] == [f"    %2 = {first}", "    %3 = fma 3.0 %0 %2", "result 0: %3"]


def test_sums_over_rows_of_every_kind():
    w, v = Value(0.7), Value(-1.2)
    rows = np.random.default_rng(4).normal(size=(100, 3))

    def f(x):
        return ag.exp(w) * x[0] * x[1] - v * v * x[2] + ag.tanh(w * x[0] + v) + 3.0 * w

    for reduce in ("sum", "mean"):
        compiled = ag.compile(f, reduce=reduce)
        w.grad = v.grad = 0.0
        value = compiled.backward(rows)
        found = w.grad, v.grad
        w.grad = v.grad = 0.0
        total = ag.sum([f(row) for row in rows.tolist()]) / (100.0 if reduce == "mean" else 1.0)
        total.backward()
        assert value == pytest.approx(total.data, rel=1e-12)
        assert found == pytest.approx((w.grad, v.grad), rel=1e-12)
        by_row = compiled.grad(rows)
        assert by_row.shape == (100, 3)
        assert compiled.jvp((rows,), (np.ones_like(rows),))[1] == pytest.approx(by_row.sum(), rel=1e-10)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 5), (2, 3), (5, 1), (6, 4), (13, 9)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
def test_sums_of_all_products_of_two_vectors(m, n, dtype, tolerance):
    """As the gradient of a layer's weights is: adjoints times inputs."""
    rng = np.random.default_rng(m * n)
    f = ag.compile(lambda a, b: [[x * y for y in b] for x in a], reduce="sum", dtype=dtype)
    for count in (1, 3, 77):
        a, b = rng.uniform(0.5, 1.5, size=(count, m)), rng.uniform(0.5, 1.5, size=(count, n))
        np.testing.assert_allclose(f(a, b), a.T @ b, rtol=tolerance)


def test_leaf_numbers_must_fit():
    w = Value(1.0)
    f = ag.compile(lambda x: w * x, reduce="sum")
    assert f.leaf_gradients(X, data=[3.0])[0] == pytest.approx(3.0 * X.sum())
    with pytest.raises(ArgumentError, match="one for each leaf"):
        f.leaf_gradients(X, data=[1.0, 2.0])
    for wrong in ("x", [None], [1j], [[1.0], [1.0, 2.0]]):
        with pytest.raises((InputError, ArgumentError), match=r"^data"):
            f.leaf_gradients(X, data=wrong)
    for wrong in ("x", 3.0, [1.0], [[]]):  # no leaf
        with pytest.raises((InputError, ArgumentError), match=r"^data"):
            ag.compile(lambda x: x, reduce="sum").leaf_gradients(X, data=wrong)
    assert ag.compile(lambda x: x, reduce="sum").leaf_gradients(X, data=[])[1] == []
    v = Value(2.0)
    g = ag.compile(lambda x: w * x + v, reduce="sum")
    assert [leaf.data for leaf in g.leaf_gradients(X)[1]] == [1.0, 2.0]
    for wrong in (1.0, [], [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]):
        with pytest.raises(ArgumentError, match="data needs 2 numbers, one for each leaf"):
            g.leaf_gradients(X, data=wrong)


@pytest.mark.parametrize("wrong", [None, "1.0", "x", 10**400, 1j, [1.0], np.array([1.0]), object()])
def test_what_was_assigned_to_a_leaf_must_be_a_number(wrong):
    w, v = Value(1.0, name="w"), Value(2.0, name="v")
    f = ag.compile(lambda x: w * x * v, reduce="sum")
    f.backward(X)
    v.grad, before = wrong, w.grad
    with pytest.raises(InputError, match="gradient of 'v'"):
        f.backward(X)
    assert w.grad == before
    v.grad, v.data = 0.0, wrong
    for call in (f, ag.compile(f.function)):
        with pytest.raises(InputError, match="the data of 'v'"):
            call(X)


def test_numbers_of_any_type_may_be_assigned_to_a_leaf():
    w = Value(1.0)
    f = ag.compile(lambda x: w * x, reduce="sum")
    w.data, w.grad = np.float32(3.0), np.float32(0.5)
    assert f.backward(X) == pytest.approx(3.0 * X.sum())
    assert w.grad == 0.5 + X.sum()
    assert type(w.grad) is float
    w.data = 2
    assert f(X) == pytest.approx(2.0 * X.sum())
    w.data = True
    with pytest.raises(InputError, match=r"the data of a leaf: .*bool"):
        f(X)


def test_an_array_of_too_many_axes_is_refused():
    most = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
    deep = np.ones((1,) * (most * 5 // 8))
    for f in (lambda x: x, lambda x: [x]):
        with pytest.raises(ArgumentError, match="axes"):
            ag.compile(f, in_axes=None).jacobian(deep)
        with pytest.raises(ArgumentError, match="axes"):
            ag.compile(f).jacobian(deep)
    with pytest.raises(ArgumentError, match=f"{most} axes"):
        ag.compile(lambda x: x, in_axes=None)(np.ones((1,) * most))


# Threads, processes, files -------------------------------------------------------------------------------------------


def test_called_from_many_threads_at_once():
    f = ag.compile(lambda x: ag.exp(-x * x) * ag.sin(x))
    rows = np.random.default_rng(0).normal(size=20_000)
    expected = np.exp(-rows * rows) * np.sin(rows)
    found = []
    threads = [threading.Thread(target=lambda: found.append(f(rows))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 8
    for result in found:
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-15)


def test_other_threads_run_meanwhile():
    f = ag.compile(lambda x: ag.sin(ag.exp(ag.sin(x))), threads=1)
    rows = np.random.default_rng(0).normal(size=6_000_000)
    out = np.empty_like(rows)
    f(rows[:100])
    # A call that kept the interpreter's lock would never let this thread see a result that is written in part.
    for _ in range(20):
        out.fill(math.nan)
        worker = threading.Thread(target=f, args=(rows,), kwargs={"out": out})
        worker.start()
        in_part = False
        while worker.is_alive() and not in_part:
            in_part = bool(not math.isnan(out[0]) and math.isnan(out[-1]))
        worker.join()
        if in_part:
            break
    assert in_part


def cubed(x):
    return x**3


@ag.compile
def decorated(x):
    """Doubles."""
    return 2.0 * x


def test_it_can_be_pickled():
    f = pickle.loads(pickle.dumps(ag.compile(cubed, reduce="sum", strict=True)))
    assert f.strict
    assert f(np.array([1.0, 2.0])) == 9.0
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert decorated(X).tolist() == (2 * X).tolist()
    assert decorated.__doc__ == "Doubles."


def test_other_processes_can_run_it():
    from concurrent.futures import ProcessPoolExecutor

    f = ag.compile(cubed)
    f(np.ones(10_000))
    with ProcessPoolExecutor(2) as pool:
        assert list(pool.map(f, [np.full(3, 2.0), np.full(3, 3.0)]))[1].tolist() == [27.0] * 3


CHILD = """
import sys, json
if sys.argv[1] == "bare": sys.modules["llvmlite"] = None
import warnings, numpy as np, autograd as ag
warnings.simplefilter("error" if sys.argv[1] != "bare" else "always")
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    w = ag.Value(0.5)
    f = ag.compile(lambda x: ag.where(x[0] > 0, ag.tanh(w * x[1]), ag.dot([w] * 8, [x[0], *[x[1]] * 7])))
    x = np.linspace(-1, 1, 20).reshape(10, 2)
    value, slopes = f.value_and_grad(x)
    loss = ag.compile(lambda x: f(x) ** 2, reduce="mean")
    total = loss.backward(x)
print(json.dumps([value.tolist(), slopes.tolist(), total, w.grad, f.stats.was_cached, [str(s.message) for s in seen]]))
"""


def child(mode, cache):
    import os

    environment = {**os.environ, "AUTOGRAD_CACHE": str(cache)}
    run = subprocess.run(
        [sys.executable, "-c", CHILD, mode], capture_output=True, text=True, env=environment, check=True
    )
    return json.loads(run.stdout)


def test_without_llvmlite_numpy_runs_the_same_program(tmp_path):
    bare, native = child("bare", ""), child("", "")
    assert len(bare[5]) == 1
    assert "[compile]" in bare[5][0]
    np.testing.assert_allclose(bare[0], native[0], rtol=1e-13)
    np.testing.assert_allclose(bare[1], native[1], rtol=1e-12)
    assert bare[2:4] == pytest.approx(native[2:4], rel=1e-12)


# Size and description ------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_operations():
    def f(x):
        for _ in range(50_000):
            x = 0.999 * x + 0.001
        return x

    value, slope = ag.compile(f).value_and_grad(np.array([2.0, 3.0]))
    assert slope[0] == pytest.approx(0.999**50_000, rel=1e-9)
    assert value[0] == pytest.approx(1.0 + 0.999**50_000, rel=1e-12)


def test_the_program_can_be_read():
    f = ag.compile(lambda x, y: (x * 1.0 + y) * (x + y))
    f(X, X)
    assert str(f.program).splitlines() == [
        "    %0 = x  (row)",
        "    %1 = y  (row)",
        "    %2 = add %0 %1",
        "    %3 = mul %2 %2",
        "result 0: %3",
    ]
    text = f.explain()
    assert "recorded: 4 operations" in text
    assert "program: 2 operations a row" in text
    stats = f.stats
    assert (stats.recorded, stats.operations) == (4, 2)
    assert stats.seconds > 0.0
    assert stats.bytes_a_row == 24


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 9, 20])
def test_one_row_calls_functions_side_by_side(count):
    def f(x):
        es = [ag.exp(v) for v in x]
        return ag.sum([ag.tanh(e) * ag.sin(v) for e, v in zip(es, x, strict=True)]) + ag.exp(ag.exp(x[0]))

    row = np.random.default_rng(count).normal(size=(1, count))
    for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-5)):
        one = ag.compile(f, dtype=dtype).value_and_grad(row)
        two = ag.compile(f).value_and_grad(np.vstack([row, row]))
        np.testing.assert_allclose(one[0], two[0][:1], rtol=tolerance)
        np.testing.assert_allclose(one[1], two[1][:1], rtol=tolerance, atol=tolerance)


def test_stretches_that_repeat_share_their_code(monkeypatch):
    from autograd.compiling import emit_stretches, schedule

    def f(x):
        a, b, c = x[0], x[1], 0.1
        for k in range(60):
            a, b = ag.sin(a) + b * x[2], ag.where(a > b, a * 0.5, b - 0.25 * k)
            c = ag.tanh(a * b) / (1.0 + c * c)
        return a + b * c

    rows = np.random.default_rng(0).normal(size=(37, 3))
    expected = ag.compile(f).value_and_grad(rows)
    expected_one = ag.compile(f).value_and_grad(rows[:1])
    monkeypatch.setattr(schedule, "LONG", 100)
    monkeypatch.setattr(schedule, "SHORTEST", 32)
    monkeypatch.setattr(schedule, "LONGEST", 160)
    monkeypatch.setattr(emit_stretches, "FEW", 1)
    shared = ag.compile(f)
    for found, wanted in zip(shared.value_and_grad(rows), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13)
    for found, wanted in zip(shared.value_and_grad(rows[:1]), expected_one, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13)
    code = shared._last.task.code(False)
    assert code.instructions < 0.6 * shared.stats.operations


def test_what_all_rows_share_is_guarded_too():
    def f(x, w):
        return [x, ag.sqrt(w * w) * w]  # the adjoint of the root is 0 at w = 0, where its slope is inf

    slopes = ag.compile(f, in_axes=(0, None)).jacobian(X, np.array(0.0), argnums=1)
    assert slopes.tolist() == [[0.0, 0.0]] * len(X)
    g = ag.compile(lambda x, v, w: [x, v / w, 3.0 * v / w, 5.0 * v / w], in_axes=(0, None, None))
    quotients = g(X, np.array(1e-310), np.array(5e-310))  # 1/w is no float, the quotients are
    np.testing.assert_allclose(quotients[:, 1:], [[0.2, 0.6, 1.0]] * len(X), rtol=1e-12)


def test_one_row_calls_depend_on_each_other():
    def f(x):
        for _ in range(5):
            x = ag.tanh(x)
        return x

    found = ag.compile(f)(np.array([0.7]))
    assert found[0] == pytest.approx(f(0.7), rel=1e-14)
