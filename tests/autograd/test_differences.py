"""Numerical derivatives: their error is within their own estimate, with noise, at any step, from each side."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.differences import (
    TRUST,
    NoValueError,
    Slope,
    best_of,
    central,
    consistent,
    extrapolate,
    limit,
    one_sided,
)

EPSILON = 2.0**-52
# Functions that vary on a scale of 1 or more around 0, and their slopes at 0.
SMOOTH = {
    "exp": (math.exp, 1.0),
    "sin": (lambda x: math.sin(x + 0.7), math.cos(0.7)),
    "cubic": (lambda x: (x + 1.0) ** 3, 3.0),
    "log": (lambda x: math.log(1.0 + x), 1.0),
    "pole": (lambda x: 1.0 / (1.5 + x), -1.0 / 2.25),
    "atan": (lambda x: math.atan(x + 0.2), 1.0 / 1.04),
    "constant": (lambda x: 5.0, 0.0),
    "line": (lambda x: 2.0 * x, 2.0),
}


def noisy(f, noise, seed):
    """The function with noise of that size, the same for every call at the same point."""
    rng, known = random.Random(seed), {}

    def g(x):
        if x not in known:
            known[x] = f(x) + rng.uniform(-noise, noise)
        return known[x]

    return g


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("measure", [central, one_sided, lambda f, h, noise: one_sided(f, -h, noise)])
@given(exponent=st.floats(-6.0, 0.0), size=st.floats(-15.0, -3.0), seed=st.integers(0, 999))
def test_the_error_is_within_its_own_estimate(name, measure, exponent, size, seed):
    f, true = SMOOTH[name]
    h, noise = 0.2 * 10.0**exponent, 10.0**size
    found = measure(noisy(f, noise, seed), h, noise + 8.0 * EPSILON)
    assert abs(found.value - true) <= found.error
    # … and the estimate is of use: about what noise does to a quotient at this step or at the best one.
    assert found.error <= 200.0 * (noise + 8.0 * EPSILON) / h + 10.0 * math.sqrt(noise)


def test_without_noise_all_digits_are_right():
    for f, true in SMOOTH.values():
        found = central(f, 0.1, EPSILON)
        assert found.value == pytest.approx(true, rel=1e-12, abs=1e-12)
        assert found.error < 1e-11


def test_central_differences_gain_two_powers_in_each_column():
    """x + x³ + x⁵: two columns leave nothing, if the powers are right."""
    quotients = iter([1.0 + h**2 + h**4 for h in (0.1 / 1.6**k for k in range(3))])
    asked = []

    def difference(h):
        asked.append(h)
        try:
            return next(quotients)
        except StopIteration:
            raise NoValueError from None

    with pytest.raises(NoValueError):
        extrapolate(difference, 0.1, 2, 0.0)
    assert asked == pytest.approx([0.1 / 1.6**k for k in range(4)])
    assert central(lambda x: x + x**3 + x**5, 0.1, 0.0).value == pytest.approx(1.0, abs=1e-15)
    assert one_sided(lambda x: x + x**2 + x**3, 0.1, 0.0).value == pytest.approx(1.0, abs=1e-15)


def test_extrapolation_ends_where_it_only_gets_worse():
    asked = []

    def difference(h):
        asked.append(h)
        return 1.0 + (1e-3 if len(asked) == 5 else 0.0)

    assert extrapolate(difference, 0.1, 2, 1e-18).value == 1.0
    assert len(asked) == 5


def test_twelve_steps_at_most():
    asked = []

    def difference(h):
        asked.append(h)
        return 2.0

    assert extrapolate(difference, 1.0, 2, 1e-9).value == 2.0
    assert len(asked) == 12
    assert asked[-1] == pytest.approx(1.6**-11)


def test_rounding_of_the_argument_counts():
    exact, rounded = (central(math.exp, 1e-3, 1e-16, rounding) for rounding in (0.0, 1e-9))
    assert rounded.error >= 1e-7 > exact.error


@pytest.mark.parametrize("power", [1.1, 1.25, 1.5, 1.75, 2.5])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_slopes_approached_like_a_fractional_power(power, side):
    found = limit(lambda x: 3.0 * x + abs(x) ** power, side, 1e-17, 0.0)
    assert abs(found.value - 3.0) <= TRUST * found.error
    assert found.error < 1e-3
    assert limit(lambda x: abs(x) ** power, side, 0.0).value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("power", [1.2, 1.5, 2.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_slope_is_finite_however_much_noise_there_is(power, sign):
    """Noise ends the steps early; few quotients that still grow are no infinite slope."""
    rng = random.Random(0)
    for exponent in range(32, 128):
        noise = 10.0 ** (-exponent / 8.0)
        f = lambda x, noise=noise: 3.0 * x + sign * abs(x) ** power + noise * rng.choice((-1.0, 1.0))
        found = limit(f, 1.0, 2.0 * noise)
        assert found is None or abs(found.value - 3.0) <= TRUST * found.error < math.inf


@pytest.mark.parametrize("f", [
    lambda x: math.copysign(math.sqrt(abs(x)), x), lambda x: math.cbrt(x), lambda x: math.copysign(abs(x) ** 0.9, x),
    lambda x: -x * math.log(abs(x)) if x else 0.0,
])  # fmt: skip
def test_infinite_slopes_have_a_sign(f):
    for side in (1.0, -1.0):
        assert limit(f, side, 0.0) == (math.inf, 0.0)
        assert limit(lambda x: -f(x), side, 0.0) == (-math.inf, 0.0)
    # … also beside a number, where steps end early
    shifted = limit(lambda x: f((1.0 + x) - 1.0), 0.5, 2.0 * EPSILON, EPSILON)
    assert shifted == (math.inf, 0.0)


def test_the_size_of_a_function_does_not_matter():
    assert limit(lambda x: 1e-30 * math.sqrt(x), 1.0, 0.0) == (math.inf, 0.0)
    assert limit(lambda x: 3e-30 * x, 1.0, 0.0) == (3e-30, 0.0)


def test_quotients_that_still_have_the_other_sign_are_ignored():
    found = limit(lambda x: 1e9 * x - math.sqrt(x), 1.0, 0.0, 1e-20)
    assert found is None or math.isfinite(found.value)


def test_jumps_and_steep_slopes_are_not_infinite_slopes():
    for jump in (1.0, -1e-3):
        found = limit(lambda x: jump if x > 0.0 else 0.0, 1.0, 1e-16)  # noqa: B023
        assert found is None or not math.isinf(found.value)
    steep = limit(lambda x: math.sqrt(x + 1e-12) - 1e-6, 1.0, 0.0)
    assert steep.value == pytest.approx(5e5, rel=1e-6)


@pytest.mark.parametrize("quotients", [[0.0, -3.0, -6.0, -9.0], [0.0, 1.0, 3.0, 1e200], [1.0, 2.0, 1.0, 2.0], [1.0]])
def test_quotients_that_do_not_converge_tell_nothing(quotients):
    known = {8.0**-k: q * 8.0**-k for k, q in enumerate(quotients)}
    assert limit(lambda x: known.get(x, 0.0), 1.0, 0.0, 1.01e-4 * 8.0 ** -len(quotients)) is None


def test_steps_outside_the_domain_are_left_out():
    def f(x):
        if abs(x) > 1e-4:
            raise NoValueError
        return math.sqrt(x)

    assert limit(f, 1.0, 0.0) == (math.inf, 0.0)
    assert limit(lambda x: f(x) if x == 0.0 else f(1.0), 1.0, 0.0) is None


def test_the_best_of_several_first_steps():
    """A wave that steps of 0.1 and more do not see: only results that smaller steps confirm count."""
    wave = lambda x: math.sin(1e4 * x) * 1e-4
    best = best_of(lambda h: central(wave, h, 1e-19), [1.0])
    assert best.value == pytest.approx(1.0, rel=1e-9)
    first = best_of(lambda h: Slope(h, 1e-3), [1.0], agrees=lambda slope: slope.value < 1e-3)
    assert first.value == pytest.approx(0.1 / 6.0**3)
    assert best_of(lambda h: Slope(1.0 / h, 0.0), [1.0]) is None  # no two agree


def test_what_belongs_together():
    assert consistent(Slope(1.0, 0.1), Slope(1.5, 0.1))
    assert not consistent(Slope(1.0, 0.1), Slope(1.7, 0.1))
