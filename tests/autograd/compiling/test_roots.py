"""root in compiled functions: every row for itself, every kind of derivative, rows without a solution, in any mode."""

import math

import mpmath as mp
import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.compiling import native
from tests.autograd.test_implicit import anomaly, call_price

pytestmark = pytest.mark.filterwarnings("ignore:llvmlite is not installed")
MEAN, E = np.linspace(-3.0, 3.0, 13), np.linspace(0.0, 0.95, 13)
OPTIONS = {"": {}, "strict": {"strict": True}, "float32": {"dtype": "float32"}}


@pytest.fixture(params=["native", "numpy"])
def engine(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(native, "available", lambda: False)


def volatility(price, strike):
    return ag.root(lambda s, p, k: call_price(s, k) - p, 0.3, price, strike, bracket=(1e-3, 5.0))


def freely(price, strike):
    return ag.root(lambda s, p, k: call_price(s, k) - p, 0.3, price, strike)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_keplers_equation(options, engine):
    tolerance = 1e-5 if "dtype" in options else 1e-14
    values, slopes = ag.compile(anomaly, **options).value_and_grad(MEAN, E, argnums=(0, 1))
    with mp.workdps(30):
        for mean, e, value, *found in zip(MEAN, E, values, *slopes, strict=True):
            exact = mp.findroot(lambda x, mean=mean, e=e: x - mp.mpf(e) * mp.sin(x) - mp.mpf(mean), float(value))
            along = 1 / (1 - e * mp.cos(exact))
            error = tolerance * float(along)  # as rounding of the equation is amplified
            assert value == pytest.approx(float(exact), abs=error)
            assert found == pytest.approx([float(along), float(mp.sin(exact) * along)], rel=10.0 * error, abs=error)


@pytest.mark.parametrize("f", [volatility, freely])
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_every_kind_of_derivative(f, strict, engine):
    strikes = np.linspace(60.0, 160.0, 9)
    prices = np.array([call_price(s, k) for s, k in zip(np.linspace(0.25, 0.9, 9), strikes, strict=True)])
    compiled = ag.compile(f, strict=strict)
    values, slopes = compiled.value_and_grad(prices, strikes, argnums=(0, 1))
    hessians = compiled.hessian(prices, strikes, argnums=(0, 1))
    tangents = compiled.jvp((prices, strikes), (np.full(9, 0.5), np.full(9, 2.0)))[1]
    thirds = ag.compile(ag.grad(ag.grad(ag.grad(f))), strict=strict)(prices, strikes)
    products = ag.compile(lambda p, k: ag.hvp(f, (p, k), (0.5, 2.0))[0], strict=strict)(prices, strikes)
    for k, (price, strike) in enumerate(zip(prices.tolist(), strikes.tolist(), strict=True)):
        assert values[k] == pytest.approx(f(price, strike), rel=1e-14)
        wanted = ag.grad(f, (0, 1))(price, strike)
        assert [slopes[0][k], slopes[1][k]] == pytest.approx(wanted, rel=1e-13)
        assert tangents[k] == pytest.approx(0.5 * wanted[0] + 2.0 * wanted[1], rel=1e-12)
        second = ag.hessian(f, (0, 1))(price, strike)
        for i in (0, 1):
            for j in (0, 1):
                assert hessians[i][j][k] == pytest.approx(second[i][j], rel=1e-11)
        assert products[k] == pytest.approx(0.5 * second[0][0] + 2.0 * second[0][1], rel=1e-11)
        assert thirds[k] == pytest.approx(ag.grad(ag.grad(ag.grad(f)))(price, strike), rel=1e-10)


def test_leaves_and_inner_values_that_the_function_closes_over(engine):
    w = Value(3.0, "w")
    inner = w * w
    f = ag.compile(lambda a: ag.root(lambda x: x * x * x - a * inner, 1.0), reduce="sum")
    a = np.array([1.0, 2.0, 3.0])
    solutions = np.cbrt(9.0 * a)
    assert f.backward(a) == pytest.approx(solutions.sum(), rel=1e-14)
    assert w.grad == pytest.approx(np.sum(2.0 * 3.0 * a / (3.0 * solutions**2)), rel=1e-13)
    w.data = 5.0  # read afresh at each call
    g = ag.compile(lambda a: ag.root(lambda x: x * x - a * w, 1.0))
    np.testing.assert_allclose(g(a), np.sqrt(5.0 * a), rtol=1e-15)


def test_a_solution_that_all_rows_share(engine):
    f = ag.compile(lambda x, a: x * ag.root(lambda z, a: z * z - a, 1.0, a), in_axes=(0, None))
    value, (dx, da) = f.value_and_grad(np.array([1.0, 2.0]), 9.0, argnums=(0, 1))
    np.testing.assert_allclose(value, [3.0, 6.0], rtol=1e-15)
    np.testing.assert_allclose(dx, [3.0, 3.0], rtol=1e-15)
    np.testing.assert_allclose(da, [1 / 6, 2 / 6], rtol=1e-14)
    constant = ag.compile(lambda x: x * ag.root(lambda z: z * z - 2.0, 1.0))
    np.testing.assert_allclose(constant(np.array([1.0, 2.0])), np.sqrt(2.0) * np.array([1.0, 2.0]), rtol=1e-15)


def test_structured_parameters_and_a_first_point_for_every_row(engine):
    def f(start, p):
        return ag.root(lambda x, q: q["ab"][0] * x * x - q["ab"][1], start, {"ab": [p[0], p[1]]})

    start = np.array([1.0, -1.0, 5.0])  # the sign chooses the solution
    p = np.array([[1.0, 4.0], [1.0, 9.0], [2.0, 32.0]])
    values, slopes = ag.compile(f).value_and_grad(start, p, argnums=1)
    np.testing.assert_allclose(values, [2.0, -3.0, 4.0], rtol=1e-15)
    np.testing.assert_allclose(slopes[:, 1], 1.0 / (2.0 * p[:, 0] * values), rtol=1e-14)
    assert ag.compile(f).grad(start, p, argnums=0).tolist() == [0.0, 0.0, 0.0]


def test_loops_inside_the_equation_and_equations_inside_loops(engine):
    def shot(target):  # the speed at which a stone, thrown up against drag, is at the target after 20 steps
        def miss(speed, target):
            move = lambda s, _: ((s[0] + 0.05 * s[1], s[1] - 0.05 * (9.81 + 0.1 * s[1] * abs(s[1]))), None)
            return ag.scan(move, (0.0, speed), length=20)[0][0] - target

        return ag.root(miss, 8.0, target)

    def implicit_euler(rate):
        step = lambda y, _: (ag.root(lambda new, y: new - y + 0.1 * rate * new**3, y, y), None)
        return ag.scan(step, 1.0, length=10)[0]

    def nested(a):
        return ag.root(lambda x: x * x - ag.root(lambda y: y * y - a, 1.0), 1.0)

    x = np.array([0.5, 1.0, 2.0])
    for f in (shot, implicit_euler, nested):
        compiled = ag.compile(f)
        values, slopes, curvatures = compiled.value_grad_and_hessian(x)
        tangents = compiled.jvp((x,), (np.ones(3),))[1]
        for k, number in enumerate(x.tolist()):
            assert values[k] == pytest.approx(f(number), rel=1e-13), f
            assert slopes[k] == pytest.approx(ag.grad(f)(number), rel=1e-11), f
            assert tangents[k] == pytest.approx(slopes[k], rel=1e-11), f
            assert curvatures[k] == pytest.approx(ag.hessian(f)(number), rel=1e-9), f


def test_what_carries_no_derivative_stays_part_of_the_equation(engine):
    def f(a, b):  # in b the solution is followed by its number only
        return ag.root(
            lambda x: x * ag.where(a > 0.0, a, -a) - ag.stop_gradient(b) * ag.stop_gradient(x * 0.0 + 1.0), 1.0
        )

    values, (da, db) = ag.compile(f).value_and_grad(np.array([2.0, -4.0]), np.array([6.0, 8.0]), argnums=(0, 1))
    np.testing.assert_allclose(values, [3.0, 2.0], rtol=1e-15)
    np.testing.assert_allclose(da, [-1.5, 0.5], rtol=1e-14)
    assert db.tolist() == [0.0, 0.0]


def test_rows_without_a_solution_are_nan(engine):
    f = ag.compile(lambda a: ag.root(lambda x, a: x * x - a, 1.0, a))
    values, slopes = f.value_and_grad(np.array([4.0, -1.0, 9.0, math.nan, 16.0, math.inf]))
    np.testing.assert_allclose(values, [2.0, math.nan, 3.0, math.nan, 4.0, math.nan], rtol=1e-15)
    np.testing.assert_allclose(slopes, [1 / 4, math.nan, 1 / 6, math.nan, 1 / 8, math.nan], rtol=1e-14)
    bracketed = ag.compile(lambda a: ag.root(lambda x, a: x * x - a, 1.0, a, bracket=(0.0, 3.0)))
    np.testing.assert_allclose(bracketed(np.array([4.0, 16.0, 9.0, 0.0])), [2.0, math.nan, 3.0, 0.0], rtol=1e-15)


def test_the_branch_that_is_not_taken_contributes_zero(engine):
    def f(a):
        return ag.where(a > 0.0, ag.root(lambda x, a: x * x - a, 1.0, a), a * 2.0)

    a = np.array([4.0, -1.0, 9.0, 0.0])
    compiled = ag.compile(f)
    values, slopes, curvatures = compiled.value_grad_and_hessian(a)
    np.testing.assert_allclose(values, [2.0, -2.0, 3.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(slopes, [1 / 4, 2.0, 1 / 6, 2.0], rtol=1e-14)
    np.testing.assert_allclose(curvatures, [-1 / 32, 0.0, -1 / 108, 0.0], rtol=1e-13)
    np.testing.assert_allclose(compiled.jvp((a,), (np.ones(4),))[1], slopes, rtol=1e-14)


def test_a_whole_sequence_as_parameter(engine):
    def f(x):
        _, ys = ag.scan(lambda s, _: (s * x, s), x, length=4)

        def balance(rate):  # the internal rate of return of payments
            return ag.scan(lambda s, y: (s * rate + y, None), 0.0, ys)[0] - 20.0

        return ag.root(balance, 1.0)

    x = np.array([1.5, 2.0])
    values, slopes, curvatures = ag.compile(f).value_grad_and_hessian(x)
    for k, number in enumerate(x.tolist()):
        assert values[k] == pytest.approx(f(number), rel=1e-14)
        assert slopes[k] == pytest.approx(ag.grad(f)(number), rel=1e-12)
        assert curvatures[k] == pytest.approx(ag.hessian(f)(number), rel=1e-11)


def test_the_row_without_a_solution_is_named():
    f = ag.compile(lambda a: ag.root(lambda x, a: x * x - a, 1.0, a), check=True)
    np.testing.assert_allclose(f(np.array([4.0, 9.0])), [2.0, 3.0], rtol=1e-15)
    with pytest.raises(ag.ConvergenceError, match=r"in row 2: root: no solution of <lambda> = 0"):
        f(np.array([4.0, 9.0, -1.0, -2.0]))
    ends = ag.compile(lambda a: ag.root(lambda x, a: x * x - a, 1.0, a, bracket=(0.0, 3.0)), check=True)
    with pytest.raises(ag.ArgumentError, match=r"in row 1: root: .*ends of the bracket"):
        ends(np.array([4.0, 16.0]))
    double = ag.compile(lambda a: ag.root(lambda x, a: (x - a) * (x - 1.0), 1.0, a), check=True)
    with pytest.raises(ag.DomainError, match=r"in row 1: root: the slope"):
        double.grad(np.array([2.0, 1.0]))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 4097])
@pytest.mark.parametrize("width", [16, 32, 64])
def test_any_number_of_rows_on_any_width_of_vectors(count, width):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    rng = np.random.default_rng(count)
    mean, e = rng.uniform(-3.0, 3.0, count), rng.uniform(0.0, 0.9, count)
    f = ag.compile(anomaly)
    f._target = native.narrowed(width)
    value, slope = f.value_and_grad(mean, e)
    np.testing.assert_allclose(value - e * np.sin(value), mean, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(slope, 1.0 / (1.0 - e * np.cos(value)), rtol=1e-13)


def test_a_branch_on_x_is_refused():
    with pytest.raises(ag.TraceError, match="where"):
        ag.compile(lambda a: ag.root(lambda x: x - a if x > 0 else x + a, 1.0))(np.ones(2))


def test_what_is_refused():
    with pytest.raises(ag.InputError, match="must be one number"):
        ag.compile(lambda a: ag.root(lambda x: [x], 1.0))(np.ones(2))
    with pytest.raises(ag.ArgumentError, match="max_steps"):
        ag.compile(lambda a: ag.root(lambda x: x - a, 1.0, max_steps=0))(np.ones(2))
