"""Every row at hostile points, against mpmath; the special functions must also return quickly."""

import ast
import math
import random
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd as ag
from autograd import DomainError, Value, grad, ops, ops_special
from autograd.carriers import FLOATS, IEEE, Extended
from autograd.compiling.symbols import Writer
from autograd.rules import Carrier
from autograd.value import record

from ..oracle import REFERENCE

INF = math.inf


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(720):
        yield


def close(got, exact, tolerance=1e-12):
    return abs(mpf(got) - exact) <= tolerance * abs(exact) + mpf(10) ** -305


# Special functions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("x", [-0.4, -7.25, -20.5, -33.7, -1e-9, 0.3, 40.0, 1e12])
def test_polygamma_on_both_sides(n, x):
    with mp.workdps(40):
        assert close(ag.polygamma(n, x), mp.psi(n, mpf(x)))


def test_slopes_of_the_gamma_family_far_to_the_left_end_and_are_right():
    at = -1e8 - 0.5
    assert math.isclose(grad(grad(ag.lgamma))(at), math.pi**2, rel_tol=1e-8)  # ψ′ is nearly π²/sin²πx there
    with mp.workdps(40):  # ψ″(1 − x) − ψ″(x) = π³·cot″, where cot = 1
        assert close(ag.polygamma(2, -1e6 - 0.75), mp.psi(2, mpf(1e6) + 1.75) - 4 * mp.pi**3)
    with pytest.raises(DomainError, match="polygamma has no value"):
        ag.polygamma(3, -1e17)  # a whole number, as every float of that size: a pole


@pytest.mark.parametrize(
    ("n", "x", "expected"),
    [(1e6, 2.0, OverflowError), (1e300, 1.0, OverflowError), (1e300, 1e301, 0.0), (3.0, 1e300, 0.0), (7.0, INF, 0.0)],
)
def test_polygamma_of_huge_orders_ends_at_once(n, x, expected):
    if expected is OverflowError:
        with pytest.raises(DomainError, match="overflows"):
            ag.polygamma(n, x)
    else:
        assert ag.polygamma(n, x) == expected


@pytest.mark.parametrize(("n", "x"), [(300, 120.0), (745, 280.0), (1000, 380.0), (170, 60.0)])
def test_polygamma_of_large_orders(n, x):
    with mp.workdps(30):
        exact = (-1) ** (n + 1) * mp.factorial(n) * mp.nsum(lambda k: (x + k) ** -(n + 1), [0, 400])
        assert close(ag.polygamma(n, x), exact)


def erfcx(x):
    return mp.exp(mpf(x) ** 2) * mp.erfc(mpf(x))


@pytest.mark.parametrize("x", [-20.0, -1.0, 0.0, 0.5, 3.0, 9.9, 10.0, 10.1, 30.0, 200.0])
def test_erfcx_and_its_first_three_derivatives(x):
    with mp.workdps(60):
        f = ag.erfcx
        for order, tolerance in enumerate((1e-14, 1e-12, 1e-10, 1e-7)):
            assert close(f(x), mp.diff(erfcx, x, order), tolerance), order
            f = grad(f)


def test_erfcx_far_out():
    for x in (1e8, 1e12, 1e100):
        assert math.isclose(ag.erfcx(x), 1 / (math.sqrt(math.pi) * x), rel_tol=1e-15)
        assert math.isclose(grad(ag.erfcx)(x), -1 / (math.sqrt(math.pi) * x * x), rel_tol=1e-15)
        assert math.isclose(grad(grad(ag.erfcx))(x), 2 / math.sqrt(math.pi) / x / x / x, rel_tol=1e-14)
    assert [ag.erfcx(1e300), grad(ag.erfcx)(1e300)] == [5.641895835477562e-301, 0.0]
    assert [ag.erfcx(INF), grad(ag.erfcx)(INF), grad(grad(ag.erfcx))(INF)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "y"), [(1e300, 1.0), (1e12, 1.0), (1.0, 1e12), (1e300, 0.5), (3.0, 1e-10), (1e-5, 2.0), (40.0, 7.0), (1e8, 3)]
)
def test_beta_and_its_slopes(x, y):
    assert close(ag.beta(x, y), mp.beta(mpf(x), mpf(y)) if x < 1e100 else mp.gamma(mpf(y)) * mpf(x) ** -mpf(y))
    for position in (0, 1):
        a, b = (x, y) if position == 0 else (y, x)
        slope = grad(lambda v, position=position, b=b: ag.beta(v, b) if position == 0 else ag.beta(b, v))(a)
        with mp.workdps(720):
            fall = mp.digamma(mpf(a)) - mp.digamma(mpf(a) + mpf(b))
            assert close(slope, mpf(ag.beta(x, y)) * fall), position


def test_beta_is_for_positive_numbers_and_symmetric():
    assert ag.beta(1e300, 1e300) == 0.0
    for x, y in ((-0.5, 2.0), (0.0, 1.0)):
        with pytest.raises(DomainError, match="x > 0"):
            ag.beta(x, y)
    assert ag.beta(2.5, 7.0) == ag.beta(7.0, 2.5)


@pytest.mark.parametrize("x", [INF, -INF, 2.0, -1.0, 0.0, 1.0])
def test_logit_outside_its_domain_is_an_error(x):
    with pytest.raises(DomainError, match="0 < x < 1"):
        ag.logit(Value(x))


@pytest.mark.parametrize("name", ["asin", "acos", "atanh"])
@pytest.mark.parametrize("x", [1e-300, 1e-12, -1e-12, 1e-5, 0.3, 0.7, -0.999, 1 - 2.0**-53])
def test_second_derivatives_of_inverse_functions(name, x):
    x, sign = mpf(x), {"asin": 1, "acos": -1}.get(name, 0)
    exact = sign * x / mp.sqrt(1 - x * x) ** 3 if sign else 2 * x / (1 - x * x) ** 2
    assert close(grad(grad(getattr(ag, name)))(float(x)), exact, 1e-14)


@pytest.mark.parametrize("x", [1.7e308, 1e300, 1e-300, 5e-324, -8.0, 2.0])
def test_cbrt_slope(x):
    assert close(grad(ag.cbrt)(x), mp.cbrt(abs(mpf(x))) / (3 * abs(mpf(x))), 1e-14)


def test_cbrt_at_the_ends():
    assert [grad(ag.cbrt)(INF), grad(ag.cbrt)(0.0), grad(grad(ag.cbrt))(1e-300)] == [0.0, INF, -INF]


@pytest.mark.parametrize(("x", "y"), [(-1e8, 0.0), (0.0, -1e8), (3.0, 3.0), (1e300, -1e300), (2.0, 2.5), (1e16, 1.0)])
@pytest.mark.parametrize("name", ["smooth_maximum", "smooth_minimum"])
def test_smooth_choice_with_operands_far_apart(name, x, y):
    x_, y_ = mpf(x), mpf(y)
    sign = 1 if name == "smooth_maximum" else -1
    h = mp.sqrt((x_ - y_) ** 2 + 1)
    f = getattr(ag, name)
    assert close(f(x, y, 1.0), (x_ + y_ + sign * h) / 2, 1e-15)
    a, b, eps = Value(x), Value(y), Value(1.0)
    f(a, b, eps).backward()
    assert close(a.grad, (1 + sign * (x_ - y_) / h) / 2, 1e-14)
    assert close(b.grad, (1 - sign * (x_ - y_) / h) / 2, 1e-14)
    second = grad(grad(lambda x: f(x, y, 1.0)))(x)
    assert abs(second - sign / h**3 / 2) <= 1e-14 * h**-3 + 1e-300


def test_remainders_of_infinite_and_tiny_divisors():
    for name, x, y, value, slopes in [
        ("mod", -5.0, INF, INF, (1.0, 1.0)),
        ("mod", 5.0, INF, 5.0, (1.0, 0.0)),
        ("mod", 5.0, -INF, -INF, (1.0, 1.0)),
        ("fmod", -5.0, INF, -5.0, (1.0, 0.0)),
        ("mod", -5.0, 3.0, 1.0, (1.0, 2.0)),
        ("fmod", -5.0, 3.0, -2.0, (1.0, 1.0)),
        ("fmod", 0.0, 3.0, 0.0, (1.0, 0.0)),
    ]:
        node = record(ops.TABLE[name], [Value(x), Value(y)])
        assert (node.data, node.partials) == (value, slopes), (name, x, y)
    tiny = record(ops.MOD, [Value(1e300), Value(1e-300)])
    assert tiny.partials == (1.0, -INF)
    assert ag.explain(tiny, tiny.inputs[0])  # and looking for its kinks raises no error


# Softmax and its family ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 1e9, 1e16, 1e300, -1e300])
def test_softmax_does_not_depend_on_a_shift(size):
    assert ag.softmax([size, size]) == [0.5, 0.5]
    assert ag.log_softmax([size, size]) == [-math.log(2.0)] * 2
    assert ag.cross_entropy([size, size], [0.5, 0.5]) == math.log(2.0)
    step = math.ulp(size) if size else 1.0
    assert ag.softmax([size, size + step]) == ag.softmax([0.0, step])
    logits = [Value(size), Value(size)]
    assert ag.cross_entropy(logits, [0.25, 0.75]).partials == (0.25, -0.25)
    ag.log_softmax(logits)[0].backward()
    assert [z.grad for z in logits] == [0.5, -0.5]


LOGITS = [
    [1e16, 1e16],
    [1e9, 1e9],
    [1e9, 1e9 + 1.0],
    [-INF, 1.0],
    [1e8, INF],
    [-INF, -INF],
    [-1e300, 1e300],
    [800.0, 1.0],
]


def _family(zs):
    return [ag.logsumexp(zs), *ag.softmax(zs), *ag.log_softmax(zs), ag.cross_entropy(zs, [0.0, 1.0])]


@pytest.mark.parametrize("zs", LOGITS, ids=str)
def test_softmax_family_eager_and_compiled_agree_also_at_infinity(zs):
    eager = _family(zs)
    tracked = [node.data for node in _family([Value(z) for z in zs])]
    with np.errstate(invalid="ignore"):
        compiled = ag.compile(_family, in_axes=None)(zs)
        strict = ag.compile(_family, in_axes=None, strict=True)(zs)
    np.testing.assert_array_equal(tracked, eager)
    np.testing.assert_array_equal(strict, eager)
    np.testing.assert_allclose(compiled, eager, rtol=1e-15)


def test_softmax_family_at_infinite_logits():
    assert ag.logsumexp([1e8, INF]) == INF
    assert ag.logsumexp([-INF, -INF]) == -INF
    assert ag.softmax([-INF, 1.0]) == [0.0, 1.0]
    assert ag.log_softmax([-INF, 1.0]) == [-INF, 0.0]
    zs = [Value(-INF), Value(1.0)]
    loss = ag.cross_entropy(zs, [0.0, 1.0])
    assert (loss.data, loss.partials) == (0.0, (0.0, 0.0))
    assert ag.cross_entropy([-INF, 1.0], [1.0, 0.0]) == INF
    assert all(map(math.isnan, ag.softmax([1e8, INF])))  # as PyTorch: inf − inf


@pytest.mark.parametrize("f", [ag.softmax, ag.log_softmax, ag.logsumexp, ag.mean], ids=lambda f: f.__name__)
def test_nothing_has_no_softmax_and_no_mean(f):
    with pytest.raises(ag.ArgumentError, match=f"{f.__name__} of nothing"):
        f([])
    with pytest.raises(ag.InputError, match="takes a list"):
        f(3.0)


def test_mean_not_and_stop_gradient_eager_and_compiled():
    def f(xs):
        x, y = xs
        apart = ag.where(ag.logical_not(x < y), x, y)
        return ag.mean([x, y, 4.0]) + apart * ag.stop_gradient(x)

    for x, y in ((3.0, 1.0), (1.0, 3.0)):
        larger = max(x, y)
        slopes = (1 / 3 + (x if x > y else 0.0), 1 / 3 + (x if x < y else 0.0))
        expected = ((x + y + 4) / 3 + larger * x, *slopes)
        for both in (ag.value_and_grad(f), ag.compile(f, in_axes=None).value_and_grad):
            value, slopes = both([x, y])
            assert (value, *slopes) == pytest.approx(expected)
    assert ag.logical_not(False) is True
    assert ag.logical_not(Value(2.0) > 1) is False
    assert type(ag.stop_gradient(2)) is float
    assert ag.mean([1, 2.0]) == 1.5
    assert not ag.stop_gradient(Value(2.0) * 3).inputs


# Carriers ------------------------------------------------------------------------------------------------------------

NAMES = [name for name in vars(Carrier) if not name.startswith("_")]


def test_every_carrier_offers_what_rules_may_use():
    writer = Writer(["x"], [], strict=False).carrier
    for carrier in (FLOATS, IEEE, ag.functions.carrier, writer):
        assert [name for name in NAMES if not callable(getattr(carrier, name, None))] == []


def test_rules_use_nothing_else():
    """mypy says so too: ``"Carrier" has no attribute "sqrtt"``."""
    trees = [ast.parse(Path(module.__file__).read_text(encoding="utf-8")) for module in (ops, ops_special)]
    attributes = [x for tree in trees for x in ast.walk(tree) if isinstance(x, ast.Attribute)]
    used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "m"}
    assert used <= set(NAMES)
    assert len(used) > 50


NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.0,
    2.5,
    -1.5,
    3.0,
    -3.0,
    1e300,
    -1e300,
    1e-310,
    710.0,
    -750.0,
    INF,
    -INF,
    math.nan,
]
NUMPY = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "hypot")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil", "trunc")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2")},
    **{"pow": np.power, "abs": np.abs, "fmod": np.fmod, "copysign": np.copysign, "round": np.rint},
}


@pytest.mark.parametrize("name", NUMPY)
def test_the_ieee_carrier_agrees_with_numpy(name):
    function, ours = NUMPY[name], getattr(IEEE, name)
    pairs = [(x, y) for x in NUMBERS for y in NUMBERS] if function.nin == 2 else [(x,) for x in NUMBERS]
    pairs = [(x, y) for x, y in pairs if name != "pow" or y != 0.5] if function.nin == 2 else pairs  # NumPy takes sqrt
    with np.errstate(all="ignore"):
        for operands in pairs:
            got, expected = float(ours(*map(Extended, operands))), float(function(*operands))
            assert got == pytest.approx(expected, rel=1e-14, nan_ok=True), (operands, got, expected)
            if expected == 0.0:
                assert math.copysign(1.0, got) == math.copysign(1.0, expected), operands


def test_arithmetic_of_extended_floats_is_ieee():
    for name, function in {
        "__add__": np.add,
        "__sub__": np.subtract,
        "__mul__": np.multiply,
        "__truediv__": np.divide,
    }.items():
        for x in NUMBERS:
            for y in NUMBERS:
                with np.errstate(all="ignore"):
                    expected = float(function(x, y))
                for got in (getattr(Extended(x), name)(y), getattr(Extended(x), name)(Extended(y))):
                    assert type(got) is Extended
                    assert float(got).hex() == expected.hex(), (x, name, y)


# Every row -----------------------------------------------------------------------------------------------------------

HUGE_AND_TINY = [
    0.0,
    1e-300,
    1e-20,
    1e-12,
    1e-8,
    0.3,
    1.0,
    1.0 + 1e-9,
    2.0,
    9.5,
    26.0,
    40.0,
    700.0,
    1e8,
    1e16,
    1e100,
    1e300,
]
PERIODIC = ("sin", "cos", "tan", "sec", "csc", "cot", "sinpi", "cospi")
GAUSSIAN = ("erf", "erfc", "erfcx", "erfinv", "normal_cdf", "normal_quantile", "gelu")  # exp(x²) of a rounded x²
UNARY = [op for op in ops.TABLE.values() if len(op.operands) == 1 and not op.nary]


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_value_and_slope_at_huge_and_tiny_numbers(op):
    reference = REFERENCE[op.name]
    for x in [s * x for x in HUGE_AND_TINY for s in (1.0, -1.0)]:
        if x not in op.domain[0] or (op.name in PERIODIC and abs(x) > 1e16):
            continue
        try:
            node = record(op, [Value(x)])
        except DomainError:
            assert op.finite is not True
            continue
        h = abs(mpf(x)) * mpf(10) ** -40 if x else mpf(10) ** -40
        try:
            below, exact, above = (reference(mpf(x) + k * h) for k in (-1, 0, 1))
        except OverflowError:  # mpmath's erfc has a bound
            continue
        wanted = [(node.data, exact)]
        if op.kink is None or op.kink(x) != 0:
            wanted.append((node.partials[0], (above - below) / (2 * h)))
        for got, number in wanted:
            if abs(number) > 1.7e308 or (x == 0 and abs(number) > 1e20):  # the difference quotient of cbrt at 0
                assert got == math.copysign(INF, number), x
            else:
                scale = max(abs(number), 1.0 if op.name == "lgamma" else 0.0)
                tolerance = 1e-12 if op.name in GAUSSIAN else 1e-13
                assert abs(got - number) <= tolerance * scale + mpf(10) ** -305, (x, got, float(number))


@pytest.mark.parametrize("op", [op for op in UNARY if op.domain[0] == ops.REAL], ids=lambda op: op.name)
def test_at_infinity_a_value_is_the_limit_and_nothing_else_than_a_domain_error_is_raised(op):
    for x in (INF, -INF, math.nan):
        try:
            node = record(op, [Value(x)])
        except DomainError:
            assert "finite" in op.note or op.name == "gamma", x  # what has no limit there
            continue
        if math.isnan(x):
            assert math.isnan(node.data) or op.stepwise
        elif op.saturates and math.isfinite(node.data):
            assert node.data == pytest.approx(op.f(math.copysign(1e9, x)), abs=1e-8)


def test_random_operands_of_every_size_raise_nothing_but_domain_errors():
    """Value, slopes and second slopes of all rows end for numbers of every size, and raise only expected errors."""
    rng = random.Random(5)
    sizes = [0.0, 5e-324, 1e-300, 1e-8, 0.5, 1.0, 2.0, 3.5, 171.0, 1e3, 1e8 + 0.5, 1e17, 1e154, 1e300, 1.7e308, INF]
    with _alarm(20):
        for op in ops.TABLE.values():
            for _ in range(60):
                count = 2 * rng.randrange(1, 3) if op.nary else len(op.operands)
                at = [rng.choice((-1.0, 1.0)) * rng.choice(sizes) for _ in range(count)]
                try:
                    node = record(op, [Value(x) for x in at])
                except DomainError:
                    continue
                assert type(node.data) is float
                assert all(type(p) is float for p in node.partials)


@contextmanager
def _alarm(seconds):
    """Stops functions that would run for ever; the others take a small part of this time."""

    def ring(*_):
        raise TimeoutError("something does not end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
