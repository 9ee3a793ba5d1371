"""Operations that users define: results, errors, and that they are freed."""

import gc
import math
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, InputError, Value, compile, grad, hessian, operation


def cubed():
    return operation("cubed", lambda x: x * x * x, lambda z, x: 3.0 * x * x)


def test_derivatives_of_any_order():
    f = cubed()
    assert f(2.0) == 8.0
    assert (grad(f)(2.0), hessian(f)(2.0), grad(grad(grad(f)))(2.0)) == (12.0, 12.0, 6.0)
    assert compile(f).hessian(np.array([2.0])).tolist() == [12.0]
    scaled = operation("scaled", lambda x, a: x * a, lambda z, x, a: a, lambda z, x, a: x)
    assert hessian(scaled, (0, 1))(2.0, 3.0) == ((0.0, 1.0), (1.0, 0.0))


def test_slopes_follow_ieee_in_higher_derivatives():
    root = operation("root", lambda x: x**0.5, lambda z, x: 0.5 / z)
    assert (grad(root)(0.0), grad(grad(root))(0.0)) == (math.inf, -math.inf)


def test_a_builtin_function_as_value():
    f = operation("hypotenuse", math.hypot, lambda z, x, y: x / z, lambda z, x, y: y / z)
    assert grad(f, (0, 1))(3.0, 4.0) == (0.6, 0.8)


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: operation(3, lambda x: x, lambda z, x: 1.0), ArgumentError, "identifier"),
        (lambda: operation("lambda", lambda x: x, lambda z, x: 1.0), ArgumentError, "identifier"),
        (lambda: operation("f", 3.0, lambda z, x: 1.0), InputError, "functions"),
        (lambda: operation("f", lambda x: x), ArgumentError, "partial rule for each"),
        (lambda: operation("f", lambda: 1.0), ArgumentError, "0 operands"),
        (lambda: operation("f", lambda x: x, lambda x: 1.0), ArgumentError, "lambda z, x:"),
        (lambda: operation("f", lambda x: x, lambda z, x, y: 1.0), ArgumentError, "lambda z, x:"),
        (lambda: operation("f", lambda z: z, lambda y, z: 1.0), ArgumentError, "called z"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, slopes="1"), InputError, "sequence"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, slopes=[1]), InputError, "sequence"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, slopes=["1", "2"]), ArgumentError, "as many slopes"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, formula="x +"), ArgumentError, "no formula"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, formula=3), InputError, "formula is text"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, kink=0.0), InputError, "kink"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, step="x"), InputError, "step"),
        (lambda: operation("f", lambda x: x, lambda z, x: 1.0, domain=3), InputError, "domain"),
        (lambda: cubed()(1.0, 2.0), ArgumentError, "1 operands"),
        (lambda: cubed()("1"), InputError, "'1'"),
    ],
)
def test_what_is_refused(make, kind, said):
    with pytest.raises(kind, match=said):
        make()


def test_an_operation_that_is_not_used_any_more_is_freed():
    """Rules bound to Values and to traced Values are kept as long as the operation, not longer."""

    def used():
        f = cubed()
        hessian(f)(2.0)
        compile(f).grad(np.array([1.0]))
        compile(grad(f))(np.array([1.0]))
        return weakref.ref(f(Value(2.0)).op.value)

    rule = used()
    gc.collect()
    assert rule() is None


def test_kinks_and_conventions_are_reported():
    f = operation("bend", abs, lambda z, x: ag.sign(x), kink=lambda x: x, convention="slope 0 at 0")
    x = Value(0.0, "x")
    assert "slope 0 at 0" in str(ag.explain(f(x), x))
    assert ag.gradcheck(f, 0.0).comparisons[0].verdict == "pass"
