"""root: solutions to the accuracy of a float, derivatives of every order against mpmath, and what it refuses."""

import gc
import math
import weakref
from typing import Any

import mpmath as mp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    ArgumentError,
    AutogradError,
    ConvergenceError,
    DomainError,
    GraphError,
    InputError,
    Value,
    draw,
    explain,
    grad,
    gradcheck,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    root,
    scan,
    steps,
    value_and_grad,
)

ULP = 2.0**-52


def anomaly(mean: Any, e: Any) -> Any:
    """Kepler's equation: the eccentric anomaly for a mean anomaly and an eccentricity."""
    return root(lambda x, mean, e: x - e * ag.sin(x) - mean, mean, mean, e)


def call_price(sigma: Any, strike: Any, rate: float = 0.03, m: Any = ag) -> Any:
    """The price after Black and Scholes of a call on a share of 100 in two years."""
    spread = sigma * math.sqrt(2.0)
    d = (m.log(100.0 / strike) + (rate + sigma * sigma / 2.0) * 2.0) / spread
    cdf = mp.ncdf if m is mp else ag.normal_cdf
    return 100.0 * cdf(d) - strike * m.exp(-2.0 * rate) * cdf(d - spread)


def volatility(price: Any, strike: Any) -> Any:
    return root(lambda s, p, k: call_price(s, k) - p, 0.3, price, strike, bracket=(1e-3, 5.0))


# Solutions -----------------------------------------------------------------------------------------------------------


@given(st.floats(-3.0, 3.0), st.floats(0.0, 0.99))
def test_keplers_equation(mean, e):
    with mp.workdps(40):
        exact = mp.findroot(lambda x: x - mp.mpf(e) * mp.sin(x) - mp.mpf(mean), anomaly(mean, e))
    # what rounding of the equation itself makes of x
    rounding = ULP * (abs(exact) + abs(mean)) / (1.0 - e * math.cos(exact))
    assert anomaly(mean, e) == pytest.approx(float(exact), abs=2.0 * float(rounding) + 1e-300)


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e2))
def test_cube_roots_from_anywhere(a, x0):
    assert root(lambda x: x**3 - a, x0) == pytest.approx(math.cbrt(a), rel=4.0 * ULP)


@given(st.floats(0.01, 2.0), st.floats(50.0, 200.0))
def test_implied_volatility(sigma, strike):
    price = call_price(sigma, strike)
    vega = grad(call_price)(sigma, strike)
    rounding = 1e-13 / abs(vega) if vega else math.inf
    if rounding < 1e-3:  # else the price hardly depends on the volatility
        assert volatility(price, strike) == pytest.approx(sigma, rel=1e-12, abs=10.0 * rounding)


@pytest.mark.parametrize(
    ("f", "x0", "bracket", "solution"),
    [
        (lambda x: ag.atan(x - 1.0), 30.0, None, 1.0),  # Newton's method alone diverges
        (lambda x: ag.tanh(50.0 * (x - 1.0)), 7.0, (0.0, 10.0), 1.0),  # flat at both ends
        (lambda x: ag.log(x), 50.0, None, 1.0),  # the first step of Newton's has no value
        (lambda x: ag.sqrt(x) - 3.0, 1e-9, None, 9.0),
        (lambda x: x * x - 4.0, 5.0, (-1.0, 3.0), 2.0),  # x0 outside: it begins in the middle
        (lambda x: x - 2.0, 0.0, (2.0, 3.0), 2.0),  # at an end of the bracket
        (lambda x: x - 3.0, 0.0, (2.0, 3.0), 3.0),
        (lambda x: 3.0 - x, 0.0, (10.0, 2.0), 3.0),  # the ends in either order
        (lambda x: ag.where(x < 2.0, x - 2.0, (x - 2.0) * 1e6), 0.0, None, 2.0),
        (lambda x: ag.exp(x) - 1e300, 1.0, (0.0, 709.0), math.log(1e300)),
        (lambda x: x, 5.0, None, 0.0),
        (lambda x: (x - 1.0) ** 3, 2.0, (0.0, 3.0), 1.0),
    ],
)
def test_solutions_that_need_safeguards(f, x0, bracket, solution):
    assert root(f, x0, bracket=bracket) == pytest.approx(solution, rel=4.0 * ULP)


def test_numbers_in_a_number_out_and_values_in_a_value_out():
    assert type(root(lambda x: x * x - 2.0, 1)) is float
    assert isinstance(root(lambda x, a: x * x - a, 1.0, Value(2.0)), Value)
    assert isinstance(root(lambda x: x * x - 2.0, Value(1.0)), Value)
    with no_grad():
        z = root(lambda x, a: x * x - a, 1.0, Value(4.0))
    assert (z.data, z.inputs) == (2.0, ())


def test_a_function_with_branches():
    def f(x, a):
        return x - a if x < 1.0 else x * x - a

    assert grad(lambda a: root(f, 0.0, a))(0.5) == 1.0
    assert grad(lambda a: root(f, 0.0, a))(4.0) == 0.25


# Derivatives ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mean", "e"), [(1.0, 0.5), (-2.5, 0.1), (0.3, 0.95)])
def test_derivatives_of_keplers_equation(mean, e):
    def exact(m, e):
        return mp.findroot(lambda x: x - e * mp.sin(x) - m, anomaly(float(m), float(e)))

    with mp.workdps(50):
        for order in ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1)):
            by_grad = anomaly
            for argnum, times in enumerate(order):
                for _ in range(times):
                    by_grad = grad(by_grad, argnum)
            expected = mp.diff(exact, (mp.mpf(mean), mp.mpf(e)), order)
            assert by_grad(mean, e) == pytest.approx(float(expected), rel=1e-11), order


def test_derivatives_of_implied_volatility():
    sigma, strike = 0.25, 110.0
    with mp.workdps(40):
        price = call_price(mp.mpf(sigma), mp.mpf(strike), m=mp)
        p1, p2, p3 = (mp.diff(lambda s: call_price(s, mp.mpf(strike), m=mp), mp.mpf(sigma), k) for k in (1, 2, 3))
        k1 = mp.diff(lambda k: call_price(mp.mpf(sigma), k, m=mp), mp.mpf(strike))
        expected = [1 / p1, -p2 / p1**3, (3 * p2**2 - p1 * p3) / p1**5]
    price = float(price)
    assert volatility(price, strike) == pytest.approx(sigma, rel=1e-13)
    assert grad(volatility)(price, strike) == pytest.approx(float(expected[0]), rel=1e-12)
    assert grad(grad(volatility))(price, strike) == pytest.approx(float(expected[1]), rel=1e-11)
    assert grad(grad(grad(volatility)))(price, strike) == pytest.approx(float(expected[2]), rel=1e-10)
    assert grad(volatility, 1)(price, strike) == pytest.approx(float(-k1 / p1), rel=1e-12)


def test_every_kind_of_derivative():
    def cube(a):  # a^(1/3)
        return root(lambda x, a: x**3 - a, 1.0, a)

    first, second = 1 / 12, -1 / 144
    assert value_and_grad(cube)(8.0) == pytest.approx((2.0, first), rel=1e-15)
    assert jacobian(cube, mode="forward")(8.0) == pytest.approx(first, rel=1e-15)
    assert jvp(cube, (8.0,), (2.0,)) == pytest.approx((2.0, 2.0 * first), rel=1e-15)
    assert hessian(cube)(8.0) == pytest.approx(second, rel=1e-14)
    assert hvp(cube, (8.0,), (2.0,)) == pytest.approx(2.0 * second, rel=1e-14)
    fourth = grad(grad(grad(grad(cube))))(8.0)
    assert fourth == pytest.approx(-80 / 81 * 8.0 ** (-11 / 3), rel=1e-12)


def test_values_that_the_function_closes_over():
    w = Value(3.0, "w")
    inner = w * w
    z = root(lambda x: x * x - inner, 1.0)
    z.backward()
    assert z.inputs == (inner,)
    assert w.grad == pytest.approx(1.0, rel=1e-15)  # z = w
    assert hessian(lambda w: root(lambda x: x**3 - w * w, 1.0))(8.0) == pytest.approx(-1 / 72, rel=1e-13)


def test_structured_parameters():
    def solution(p):
        return root(lambda x, q: q["a"] * x * x + q["bc"][0] * x + q["bc"][1], 3.0, p)

    slopes = grad(solution)({"a": 1.0, "bc": [-3.0, 2.0]})  # (x − 1)(x − 2), x = 2: −(x², x, 1) / (2x − 3)
    assert slopes == {"a": pytest.approx(-4.0, rel=1e-14), "bc": pytest.approx([-2.0, -1.0], rel=1e-14)}


def test_a_root_of_a_derivative_and_a_root_inside_a_root():
    def lowest(a):  # of x⁴/4 − a·x, at x = a^(1/3)
        return root(lambda x: grad(lambda y: y**4 / 4.0 - a * y)(x), 1.0)

    assert value_and_grad(lowest)(8.0) == pytest.approx((2.0, 1 / 12), rel=1e-14)
    assert hessian(lowest)(8.0) == pytest.approx(-1 / 144, rel=1e-13)

    def nested(a):  # the square root of the square root
        return root(lambda x: x * x - root(lambda y: y * y - a, 1.0), 1.0)

    assert value_and_grad(nested)(16.0) == pytest.approx((2.0, 1 / 32), rel=1e-14)
    assert hessian(nested)(16.0) == pytest.approx(-3 / 16 * 16.0**-1.75, rel=1e-13)


def test_roots_in_a_scan():
    def implicit_euler(rate):  # y' = −rate·y
        def step(y, _):
            return root(lambda new, y: new - y + 0.1 * rate * new, y, y), None

        return scan(step, 1.0, length=10)[0]

    exact = (1.0 + 0.1 * 2.0) ** -10
    assert value_and_grad(implicit_euler)(2.0) == pytest.approx((exact, -exact / 1.2), rel=1e-13)


def test_the_derivative_in_x0_and_in_the_bracket_is_zero():
    assert grad(lambda s: root(lambda x: x * x - 2.0, s))(1.0) == 0.0
    assert grad(lambda s: root(lambda x: x * x - 2.0, 1.0, bracket=(s, 2.0 + s)))(0.5) == 0.0


def test_a_value_that_does_not_reach_the_equation():
    assert grad(lambda a, b: root(lambda x, a, b: x - a, 0.0, a, b), 1)(2.0, 3.0) == 0.0


def test_a_parameter_that_is_returned_has_no_solution():
    with pytest.raises(ConvergenceError):
        root(lambda x, a: a, 0.0, Value(2.0))


# What people see -----------------------------------------------------------------------------------------------------


def test_the_solution_is_one_node():
    mean, e = Value(1.0, "M"), Value(0.5, "e")
    z = anomaly(mean, e)
    assert ag.size(z) == (3, 2, 2)
    assert z.inputs == (mean, e)
    assert "root(M, e)" in draw(z).svg()
    assert "∂root(M, e)/∂M = −(−1)/0.963984 = 1.03736" in str(explain(z, wrt=mean))
    assert steps(z).verify()
    report = gradcheck(anomaly, 1.0, 0.5, order=2)
    assert report, report
    with ag.scope("orbit"):
        assert anomaly(mean, e).scope == ("orbit",)


def test_the_work_does_not_depend_on_what_came_before():
    a = Value(2.0)
    for _ in range(20_000):
        a = a + 0.0
    made = []
    with ag.context.Surrounding(made=made):
        z = root(lambda x, a: x * x - a, 1.0, a)
    assert z.inputs == (a,)
    assert len(made) == 1


def test_solutions_are_freed():
    a = Value(2.0)
    z = root(lambda x, a: x * x - a, 1.0, a)
    gone = weakref.ref(z)
    gc.disable()
    try:
        del z
        assert gone() is None
    finally:
        gc.enable()


# What is refused -----------------------------------------------------------------------------------------------------

REFUSED = {
    "no real solution": (lambda: root(lambda x: x * x + 1.0, 0.7), ConvergenceError, "bracket"),
    "a slope of 0": (lambda: root(lambda x: x * x - 2.0, 0.0), ConvergenceError, "is -2.0 at x = 0.0"),
    "too few steps": (lambda: root(lambda x: x * x - 2.0, 1.0, max_steps=2), ConvergenceError, "after 2 steps"),
    "towards infinity": (lambda: root(lambda x: ag.exp(-x), 1.0), ConvergenceError, "after 100 steps"),
    "a constant": (lambda: root(lambda x: 1.0, 1.0), ConvergenceError, "1.0"),
    "a pole": (lambda: root(lambda x: 1.0 / (x - 0.3), 0.9, bracket=(0.0, 1.0)), ConvergenceError, "pole"),
    "a jump": (
        lambda: root(lambda x: ag.where(x < 0.3, -1.0, 2.0), 0.9, bracket=(0.0, 1.0)),
        ConvergenceError,
        "jump",
    ),
    "one sign": (lambda: root(lambda x: x * x - 2.0, 0.0, bracket=(2.0, 3.0)), ArgumentError, "2.0 at 2.0 and 7.0"),
    "no value at an end": (lambda: root(ag.log, 0.5, bracket=(-1.0, 3.0)), ArgumentError, "nan at -1.0"),
    "no value at x0": (lambda: root(ag.log, -1.0), DomainError, "nan at x = -1.0"),
    "nan as x0": (lambda: root(lambda x: x - 1.0, math.nan), DomainError, "nan"),
    "nan as parameter": (lambda: root(lambda x, a: x - a, 0.0, math.nan), DomainError, "nan"),
    "a double solution": (
        lambda: root(lambda x, a: (x - a) ** 2, 2.0, Value(2.0)),
        DomainError,
        "slope of <lambda> is 0.0 at the solution x = 2.0",
    ),
    "a lost derivative": (lambda: root(lambda x: math.sin(x) - 0.5, 1.0), GraphError, "autograd.sin"),
    "a list": (lambda: root(lambda x: [x], 1.0), InputError, "must be one number"),
    "None": (lambda: root(lambda x: None, 1.0), InputError, "None"),
    "text": (lambda: root(lambda x: "0", 1.0), InputError, "'0'"),
    "x0 a list": (lambda: root(lambda x: x, [1.0]), InputError, "x0"),
    "x0 text": (lambda: root(lambda x: x, "1"), InputError, "x0"),
    "no function": (lambda: root(1.0, 1.0), InputError, "function"),
    "no pair": (lambda: root(lambda x: x, 1.0, bracket=1.0), InputError, "pair"),
    "three ends": (lambda: root(lambda x: x, 1.0, bracket=(1.0, 2.0, 3.0)), InputError, "pair"),
    "text as end": (lambda: root(lambda x: x, 1.0, bracket=("a", 2.0)), InputError, "bracket"),
    "no steps": (lambda: root(lambda x: x, 1.0, max_steps=0), ArgumentError, "max_steps"),
    "negative tolerance": (lambda: root(lambda x: x, 1.0, tolerance=-1e-9), ArgumentError, "tolerance"),
    "tolerance nan": (lambda: root(lambda x: x, 1.0, tolerance=math.nan), ArgumentError, "tolerance"),
    "tolerance text": (lambda: root(lambda x: x, 1.0, tolerance="a"), ArgumentError, "tolerance"),
}


@pytest.mark.parametrize(("call", "kind", "said"), REFUSED.values(), ids=REFUSED)
def test_what_root_refuses(call, kind, said):
    with pytest.raises(kind) as raised:
        call()
    assert said in str(raised.value)
    assert isinstance(raised.value, AutogradError)


def test_errors_of_the_function_are_its_own():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        root(broken, 1.0)


def test_the_derivative_lost_in_a_parameter():
    with pytest.raises(GraphError, match="plain number"):
        grad(lambda a: root(lambda x, a: x * x - float(a), 1.0, a))(2.0)
