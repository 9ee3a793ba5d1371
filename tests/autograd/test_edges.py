"""First and second derivatives at edges of domains and at kinks, where slopes are infinite, nan or a convention.

Eager runs, compiled functions and compiled functions with ``strict`` agree, for every row of the table.
"""

import itertools
import math
from math import inf, nan

import numpy as np
import pytest
from mpmath import mp

import autograd as ag
from autograd import DomainError, grad, hessian, hvp, jacobian, jvp, ops

COMPOSED = {
    "pow_third": lambda x: x ** (1 / 3),
    "pow_half": lambda x: x**0.5,
    "pow_three_halves": lambda x: x**1.5,
    "pow_four": lambda x: x**4.0,
    "x_sqrt": lambda x: x * ag.sqrt(x),
    "log_of_sqrt": lambda x: ag.log1p(ag.sqrt(x)),
    "sqrt_of_square": lambda x: ag.sqrt(x * x),
    "sqrt_of_squares": lambda x, y: ag.sqrt(x * x + y * y),
    "sqrt_of_product": lambda x, y: ag.sqrt(x * y),
    "cbrt_of_product": lambda x, y: ag.cbrt(x * y),
    "sqrt_not_taken": lambda x: ag.where(x > 0, ag.sqrt(x) * 5.0, x * x),
}

# Gradient, and the lower half of the Hessian row by row: PyTorch 2.13.0 (CPU, float64), torch.autograd.grad twice. An
# entry of the Hessian is the derivative of the slope in the later operand with respect to the earlier one.
TORCH = [
    ("sqrt", (0.0,), (inf,), (-inf,)),
    ("pow_third", (0.0,), (inf,), (-inf,)),
    ("pow_half", (0.0,), (inf,), (-inf,)),
    ("pow_three_halves", (0.0,), (0.0,), (inf,)),
    ("pow_four", (0.0,), (0.0,), (0.0,)),
    ("log_of_sqrt", (0.0,), (inf,), (-inf,)),
    ("sqrt_of_squares", (0.0, 1.0), (0.0, 1.0), (1.0, 0.0, 0.0)),
    ("asin", (-1.0,), (inf,), (-inf,)),
    ("asin", (1.0,), (inf,), (inf,)),
    ("acos", (-1.0,), (-inf,), (inf,)),
    ("acos", (1.0,), (-inf,), (-inf,)),
    ("acosh", (1.0,), (inf,), (-inf,)),
    ("pow", (-2.0, 2.0), (-4.0, nan), (2.0, nan, nan)),
    ("pow", (-1.0, 0.0), (0.0, nan), (0.0, -1.0, nan)),
    ("pow", (-1.0, 1.0), (1.0, nan), (0.0, nan, nan)),
    ("abs", (0.0,), (0.0,), (0.0,)),
    ("copysign", (-1.0, 0.0), (-1.0, 0.0), (0.0, 0.0, 0.0)),
    ("maximum", (0.0, 0.0), (0.5, 0.5), (0.0, 0.0, 0.0)),
    ("maximum", (1.0, 1.0), (0.5, 0.5), (0.0, 0.0, 0.0)),
    ("minimum", (0.0, 0.0), (0.5, 0.5), (0.0, 0.0, 0.0)),
    ("minimum", (1.0, 1.0), (0.5, 0.5), (0.0, 0.0, 0.0)),
    ("clamp", (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0,) * 6),
    ("clamp", (1.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0,) * 6),
    ("mod", (-1.0, 1.0), (1.0, 1.0), (0.0, 0.0, 0.0)),
    ("mod", (0.0, 1.0), (1.0, 0.0), (0.0, 0.0, 0.0)),
    ("mod", (1.0, 1.0), (1.0, -1.0), (0.0, 0.0, 0.0)),
    ("fmod", (-1.0, 1.0), (1.0, 1.0), (0.0, 0.0, 0.0)),
    ("fmod", (1.0, 1.0), (1.0, -1.0), (0.0, 0.0, 0.0)),
    ("relu", (0.0,), (0.0,), (0.0,)),
    ("leaky_relu", (0.0, 0.5), (0.5, 0.0), (0.0, 1.0, 0.0)),
    ("hardtanh", (-1.0,), (0.0,), (0.0,)),
    ("hardtanh", (1.0,), (0.0,), (0.0,)),
    ("hardswish", (-3.0,), (0.0,), (0.0,)),
    ("hardswish", (3.0,), (1.0,), (0.0,)),
]

ZERO = "an exact zero contributes 0"
CONVENTION = "the convention column of the table"
FORMULA = "the derivative's own formula, without PyTorch's mask"
# Where PyTorch differs: the reason, PyTorch's numbers, and this library's.
OTHERWISE = [
    ("pow", (0.0, 0.0), CONVENTION, (0.0, 0.0), (nan, nan, nan), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("pow", (0.0, 0.5), CONVENTION, (inf, 0.0), (-inf, nan, nan), (inf, 0.0), (-inf, 0.0, 0.0)),
    ("pow", (0.0, 1.0), CONVENTION, (1.0, 0.0), (0.0, nan, nan), (1.0, 0.0), (0.0, 0.0, 0.0)),
    ("pow", (0.0, 1.5), CONVENTION, (0.0, 0.0), (inf, nan, nan), (0.0, 0.0), (inf, 0.0, 0.0)),
    ("pow", (0.0, 2.0), CONVENTION, (0.0, 0.0), (2.0, nan, nan), (0.0, 0.0), (2.0, 0.0, 0.0)),
    ("hypot", (0.0, 0.0), CONVENTION, (nan, nan), (nan, nan, nan), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("copysign", (0.0, 1.0), CONVENTION, (0.0, 0.0), (nan, 0.0, 0.0), (1.0, 0.0), (0.0, 0.0, 0.0)),
    ("atan2", (0.0, 0.0), CONVENTION, (0.0, 0.0), (nan, nan, nan), (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("selu", (0.0,), CONVENTION, (1.758099340847377,), (0.0,), (1.758099340847377,), (1.758099340847377,)),
    ("xlogy", (0.0, 0.0), FORMULA, (0.0, nan), (0.0, inf, nan), (-inf, nan), (0.0, inf, nan)),
    ("xlog1py", (0.0, -1.0), FORMULA, (0.0, nan), (0.0, inf, nan), (-inf, nan), (0.0, inf, nan)),
    ("sqrt_of_squares", (0.0, 0.0), ZERO, (nan, nan), (nan, nan, nan), (0.0, 0.0), (inf, 0.0, inf)),
    ("sqrt_of_square", (0.0,), ZERO, (nan,), (nan,), (0.0,), (inf,)),
    ("x_sqrt", (0.0,), ZERO, (nan,), (nan,), (0.0,), (inf,)),
    ("sqrt_of_product", (0.0, 1.0), ZERO, (inf, nan), (-inf, nan, nan), (inf, 0.0), (-inf, inf, 0.0)),
    ("sqrt_of_product", (0.0, 0.0), ZERO, (nan, nan), (nan, nan, nan), (0.0, 0.0), (0.0, inf, 0.0)),
    ("sqrt_not_taken", (0.0,), ZERO, (nan,), (nan,), (0.0,), (2.0,)),
]
# PyTorch has no cbrt; these agree with its x ** (1/3).
CUBE_ROOTS = [
    ("cbrt", (0.0,), (inf,), (-inf,)),
    ("cbrt_of_product", (0.0, 1.0), (inf, 0.0), (-inf, inf, 0.0)),
]


def function(name):
    """An operation of the table on separate operands, or a composed function."""
    if name in COMPOSED:
        return COMPOSED[name]
    if name in ("sum", "logsumexp"):
        return lambda *xs: getattr(ag, name)(xs)
    if name == "dot":
        return lambda *xs: ag.dot(
            xs[: len(xs) // 2], xs[len(xs) // 2 : len(xs) // 2 * 2], xs[-1] if len(xs) % 2 else 0.0
        )
    if name == "cross_entropy":
        return lambda *xs: ag.cross_entropy(xs[: len(xs) // 2], xs[len(xs) // 2 :])
    if name == "where":
        return lambda c, x, y: ag.where(c > 0, x, y)
    return getattr(ag, name)


def lower(matrix):
    return tuple(x for i, row in enumerate(matrix) for x in row[: i + 1])


def eager(f, point):
    every = tuple(range(len(point)))
    return grad(f, every)(*point), lower(hessian(f, every)(*point))


def compiled(f, point, strict):
    f, every = ag.compile(f, strict=strict), tuple(range(len(point)))
    _, slopes, rows = f.value_grad_and_hessian(*[np.array([x]) for x in point], argnums=every)
    return [float(x[0]) for x in slopes], lower([[float(x[0]) for x in row] for row in rows])


def check(name, point, gradient, second):
    check_with(function(name), point, gradient, second)


def check_with(f, point, gradient, second):
    for way, got in (
        ("eager", eager(f, point)),
        ("compiled", compiled(f, point, False)),
        ("strict", compiled(f, point, True)),
    ):
        np.testing.assert_allclose(got[0], gradient, rtol=1e-14, err_msg=f"gradient, {way}")
        np.testing.assert_allclose(got[1], second, rtol=1e-14, err_msg=f"Hessian, {way}")


@pytest.mark.parametrize(("name", "point", "gradient", "second"), TORCH + CUBE_ROOTS)
def test_as_pytorch(name, point, gradient, second):
    check(name, point, gradient, second)


@pytest.mark.parametrize(("name", "point", "why", "theirs", "their_second", "gradient", "second"), OTHERWISE)
def test_where_pytorch_says_something_else(name, point, why, theirs, their_second, gradient, second):
    check(name, point, gradient, second)
    if why is CONVENTION:
        assert ops.TABLE[name].convention


def points(op):
    """Samples, the ends of the domain with what lies beside them, and common kinks."""
    if op.nary:
        return [sample for sample in op.samples if len(sample) == len(op.samples[0])]
    ends = []
    for interval in op.domain:
        single = [] if interval.without is None else [interval.without]
        edges = [x for x in (interval.low, interval.high, *single) if math.isfinite(x)]
        ends.append(sorted({*edges, 0.0, 1.0, -1.0, 0.5, *((3.0, -3.0) if len(op.domain) == 1 else ())}))
    return sorted({*op.samples[:2], *itertools.product(*ends)})


def eager_or_nothing(name, point):
    try:
        function(name)(*point)
    except DomainError:
        return None
    return eager(function(name), point)


@pytest.mark.parametrize("name", ops.TABLE)
def test_eager_and_compiled_say_the_same_at_every_edge(name):
    wanted = [(p, w) for p in points(ops.TABLE[name]) if (w := eager_or_nothing(name, p)) is not None]
    columns = [np.array(column) for column in zip(*[point for point, _ in wanted], strict=True)]
    every = tuple(range(len(columns)))
    for strict in (False, True):
        f = ag.compile(function(name), strict=strict)
        _, slopes, rows = f.value_grad_and_hessian(*columns, argnums=every)
        for k, (point, (gradient, second)) in enumerate(wanted):
            got = [float(x[k]) for x in slopes], lower([[float(x[k]) for x in row] for row in rows])
            np.testing.assert_allclose(got[0], gradient, rtol=1e-11, atol=1e-15, err_msg=f"{point}")
            np.testing.assert_allclose(got[1], second, rtol=1e-11, atol=1e-15, err_msg=f"{point}")


def test_forward_mode_and_products_agree():
    assert grad(grad(ag.sqrt))(0.0) == -inf
    assert grad(grad(grad(ag.sqrt)))(0.0) == inf
    assert jvp(grad(ag.sqrt), (0.0,), (1.0,)) == (inf, -inf)
    assert jvp(lambda x: jvp(ag.sqrt, (x,), (1.0,))[1], (0.0,), (1.0,)) == (inf, -inf)
    assert jacobian(grad(ag.asin), mode="forward")(1.0) == inf
    assert hvp(ag.acosh, (1.0,), (1.0,)) == -inf
    assert hvp(COMPOSED["sqrt_of_squares"], (0.0, 0.0), (1.0, 0.0)) == (inf, 0.0)


def second_derivatives(f, point):
    """The matrix of second derivatives by all ways that there are; [i][j]: first in i, then in j."""
    n = len(point)
    unit = lambda k: tuple(float(i == k) for i in range(n))
    columns = [np.array([x]) for x in point]
    yield "hessian", hessian(f, tuple(range(n)))(*point)
    yield "grad of grad", [[grad(grad(f, i), j)(*point) for j in range(n)] for i in range(n)]
    yield "hvp", np.reshape([hvp(f, point, unit(i)) for i in range(n)], (n, n))
    twice = lambda i, j: jvp(lambda *xs: jvp(f, xs, unit(i))[1], point, unit(j))[1]
    yield "jvp of jvp", [[twice(i, j) for j in range(n)] for i in range(n)]
    for strict in (False, True):
        compiled = lambda i, j, strict=strict: ag.compile(grad(grad(f, i), j), strict=strict)(*columns)[0]
        yield f"compiled, strict={strict}", [[compiled(i, j) for j in range(n)] for i in range(n)]


@pytest.mark.parametrize(
    ("name", "point", "second"),
    [
        # 0 to the power y is 0 or 1 or, its slope, infinite: constant in y on each side of a jump
        ("pow", (0.0, 0.0), ((0.0, 0.0), (0.0, 0.0))),
        ("pow", (0.0, 0.3), ((-inf, 0.0), (0.0, 0.0))),
        ("pow", (0.0, 1.0), ((0.0, 0.0), (0.0, 0.0))),
        ("pow", (-0.0, 1.0), ((0.0, 0.0), (0.0, 0.0))),
        ("pow", (0.0, 1.5), ((inf, 0.0), (0.0, 0.0))),
        ("pow", (0.0, 2.0), ((2.0, 0.0), (0.0, 0.0))),
        ("hypot", (0.0, 0.0), ((0.0, 0.0), (0.0, 0.0))),
        # the true values overflow
        ("logit", (1e-200,), ((-inf,),)),
        ("pow_half", (1e-250,), ((-inf,),)),
    ],
)
def test_every_way_to_second_derivatives_agrees(name, point, second):
    for way, got in second_derivatives(function(name), point):
        np.testing.assert_array_equal(got, second, err_msg=way)


@pytest.mark.parametrize("point", [(inf, inf), (inf, 2.0), (-inf, 2.0), (2.0, -inf), (nan, 2.0), (1e308, 1e-10)])
def test_floor_division_is_a_step_also_where_it_is_not_finite(point):
    divide = lambda x, y: x // y
    check_with(divide, point, (0.0, 0.0), (0.0, 0.0, 0.0))
    np.testing.assert_equal(float(divide(*map(ag.Value, point))), divide(*point))


def test_floor_division_of_infinity_by_itself():
    check_with(lambda x: x // x, (inf,), (0.0,), (0.0,))


def test_higher_derivatives_of_acosh_at_1():
    f = ag.acosh
    for want in (inf, -inf, inf, -inf):
        f = grad(f)
        assert f(1.0) == want
        for strict in (False, True):
            assert ag.compile(f, strict=strict)(np.array([1.0]))[0] == want


def of_a_root(x, y):
    """The second derivatives of h = √(x² + y²), row by row."""
    h = mp.sqrt(x * x + y * y)
    return (y * y / h**3, -x * y / h**3, x * x / h**3)


def of_squareplus(x, b):
    h = mp.sqrt(x * x + b)
    return (b / h**3 / 2, -x / h**3 / 4, -1 / h**3 / 8)


def of_smooth_maximum(x, y, eps):
    dd, de, ee = of_a_root(x - y, eps)
    return (dd / 2, -dd / 2, dd / 2, de / 2, -de / 2, ee / 2)


def of_celu(x, a):
    e = mp.exp(x / a)
    return (e / a, -x * e / a**2, x * x * e / a**3)


def of_power(x, y):
    z, r = x**y, mp.log(x)
    return (y * (y - 1) * z / x**2, (1 + y * r) * z / x, z * r * r)


# Points where the terms of a second derivative nearly cancel, if it is computed from the plain quotient.
CANCELLING = {
    "hypot": (of_a_root, [(3e4, 1e-3), (-3e4, 1e-3), (1e-5, -700.0), (1.0, 1.0), (-2.0, 3.0), (1e150, 1e120)]),
    "smooth_abs": (of_a_root, [(100.0, 1e-4), (-3000.0, 1e-3), (1e-6, 5.0), (0.7, 0.7)]),
    "smooth_maximum": (of_smooth_maximum, [(3.0, 3.001, 50.0), (5.0, -4.0, 1e-4), (-5.0, 4.0, 1e-4)]),
    "squareplus": (of_squareplus, [(5000.0, 1e-6), (-5000.0, 1e-6), (0.3, 2.0), (-0.3, 2.0)]),
    "celu": (of_celu, [(-1e-6, 1.5), (-1e-3, 0.7), (-0.8, 0.8), (-0.81, 0.8), (-5.0, 0.7)]),
    "pow": (of_power, [(0.3, 1.0 - 1e-9), (7.0, 1.0 - 1e-5), (7.0, 0.6), (7.0, 0.4), (0.3, 1.0 + 1e-9)]),
}


@pytest.mark.parametrize(("name", "point"), [(name, point) for name, (_, ps) in CANCELLING.items() for point in ps])
def test_second_derivatives_keep_their_digits(name, point):
    with mp.workdps(60):
        want = [float(x) for x in CANCELLING[name][0](*map(mp.mpf, point))]
    f = function(name)
    for got in (eager(f, point), compiled(f, point, False), compiled(f, point, True)):
        np.testing.assert_allclose(got[1], want, rtol=1e-14)


def test_the_slope_of_celu_in_its_scale_keeps_its_digits():
    for u in (-1e-9, -1e-3, -0.5, -0.999, -1.0, -1.001, -20.0):
        got = grad(ag.celu, 1)(u, 1.0)
        with mp.workdps(60):
            assert got == pytest.approx(float(mp.expm1(u) - u * mp.exp(u)), rel=2e-15)


def test_the_function_itself_still_raises():
    """Only slopes follow IEEE 754: an operation of the function that has no value is still an error."""
    for f, x in ((lambda x: ag.log(x), 0.0), (lambda x: 1.0 / x, 0.0), (lambda x: ag.exp(x), 1000.0)):
        for ask in (grad(f), hessian(f), grad(grad(f)), grad(grad(grad(f)))):
            with pytest.raises(DomainError):
                ask(x)


def test_it_is_said_why():
    x = ag.Value(0.0, "x")
    assert "finite" in str(ag.explain(grad(ag.sqrt)(x), x))
    report = ag.gradcheck(ag.sqrt, 0.0, order=2)
    assert report.verdict == "inconclusive"
    assert "not finite" in report.comparisons[1].note


def test_hessians_are_symmetric_to_the_last_bit():
    f = lambda x: ag.exp(x[0] * x[1]) / ag.sin(x[1] + x[2]) * x[2] ** 3
    h = np.array(hessian(f)([0.3, 0.7, 1.1]))
    assert (h == h.T).all()


def test_a_power_of_minus_zero_just_above_minus_one_is_positive():
    """−0.9999999999999999 % 2 is rounded to 1, but it is no odd number."""
    assert ag.carriers.IEEE.pow(-0.0, -0.9999999999999999) == inf
    assert ag.carriers.IEEE.pow(-0.0, -1.0) == -inf
    assert grad(lambda x: x**1e-16)(-0.0) == inf
