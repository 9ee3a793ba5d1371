"""Arguments of the wrong kind: autograd answers with errors of its own that name the argument."""

import builtins
import math

import numpy as np
import pytest

import autograd as ag
from autograd import (
    ArgumentError,
    InputError,
    Log,
    Value,
    draw,
    explain,
    grad,
    gradcheck,
    hvp,
    jacobian,
    jvp,
    scope,
    steps,
    structure,
    vjp,
)

from ..work import work


def keyword_only(*, x):
    return x * x


def deep(depth=100_000):
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


def backward_with(gradient):
    x = Value(3.0, name="w1")
    x.grad = gradient
    (x * x).backward()
    return x.grad


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: Log(None), InputError, ["steps(loss)", "None"]),
        (lambda: Log([3]), InputError, ["training steps", "3"]),
        (lambda: steps(Value(1.0) * 2, 3), InputError, ["updates()", "3"]),
        (lambda: steps(Value(1.0) * 2, digits="x"), ArgumentError, ["digits", "1 to 100", "'x'"]),
        (lambda: draw(Value(1.0), digits=0), ArgumentError, ["digits", "1 to 100", "0"]),
        (lambda: draw(Value(1.0), limit="x"), ArgumentError, ["limit", "'x'"]),
        (lambda: draw(Value(1.0), tangents=3), InputError, ["tangents", "3"]),
        (lambda: draw(Value(1.0)).save(3), InputError, ["path", "3"]),
        (lambda: explain(Value(1.0), Value(1.0), digits=None), ArgumentError, ["digits", "None"]),
        (lambda: explain(Value(1.0), Value(1.0), paths="x"), ArgumentError, ["paths", "'x'"]),
        (lambda: Log.load(None), InputError, ["path", "None"]),
        (lambda: builtins.round(Value(1.5), "x"), ArgumentError, ["digits", "'x'"]),
        (lambda: builtins.round(Value(1.5), 400), ArgumentError, ["digits", "400"]),
        (lambda: ag.round(1.5, 0.5), ArgumentError, ["digits", "0.5"]),
        (lambda: scope(["h"]), InputError, ["scope", "text", "['h']"]),
        (lambda: scope(None), InputError, ["scope", "None"]),
        (lambda: backward_with("x"), InputError, ["'w1'", "'x'", "0.0"]),
        (lambda: backward_with("1.0"), InputError, ["'1.0'"]),
        (lambda: backward_with(None), InputError, ["None"]),
        (lambda: grad(keyword_only)(x=1.0), ArgumentError, ["x by keyword only", "lambda x: keyword_only(x=x)"]),
        (lambda: grad(lambda x: x, np.array(None))(1.0), InputError, ["argnums"]),
        (lambda: jacobian(lambda x: x, mode=np.array([])), ArgumentError, ["mode"]),
        (lambda: jvp(lambda x: x, None, (1.0,)), InputError, ["primals"]),
        (lambda: hvp(lambda x: x, None, (1.0,)), InputError, ["primals"]),
        (lambda: jvp(lambda x: x, (1.0,), (1.0,), y=2.0), InputError, ["'y'"]),
        (lambda: grad(lambda x: x, {0})(1.0), InputError, ["argnums", "{0}"]),
        (lambda: grad(lambda x: x, {0: 0})(1.0), InputError, ["argnums"]),
        (lambda: grad(lambda x: x, iter([0]))(1.0), InputError, ["argnums"]),
        (lambda: jvp(lambda: 1.0, (), ()), ArgumentError, ["jvp needs at least one primal"]),
        (lambda: vjp(lambda: 1.0), ArgumentError, ["vjp needs at least one primal"]),
        (lambda: hvp(lambda: 1.0, (), ()), ArgumentError, ["hvp needs at least one primal"]),
        (lambda: draw(Value(1.0), gradients=np.array([])), InputError, ["gradients is True or False"]),
        (lambda: draw(Value(1.0), gradients=1), InputError, ["gradients is True or False, not 1"]),
        (lambda: gradcheck(None, 1.0), InputError, ["function", "None"]),
        (lambda: gradcheck(lambda x: x, 1.0, order=np.array([])), ArgumentError, ["order"]),
    ],
)
def test_what_is_refused_and_how(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_scope_of_any_depth_is_refused_without_recursion():
    name = deep()
    with pytest.raises(InputError, match="scope"):
        scope(name)
    while name:  # Python frees nested lists by recursion
        name = name.pop()


def test_gradcheck_of_deep_results_walks_through_them_once():
    point = deep(2000)
    inner = point
    while inner[0]:
        inner = inner[0]
    inner[0] = 2.0
    walk = work(lambda: structure.numbers(point, "it"))
    found = []
    assert work(lambda: found.append(gradcheck(lambda x: x, point))) < 15 * walk
    assert found[0].verdict == "pass"
    inner[0] = point
    with pytest.raises(InputError, match="contains itself"):
        gradcheck(lambda x: point, 1.0)
    inner.clear()


def test_leaves_are_those_of_any_structure():
    x = Value(1.0)
    for given in (
        [],
        2,
        [x, (2.0, [3.0, 4])],
        {"a": [x, 5]},
        np.array([[1.0, 2.0]]),
        [np.array([x]), (1.0,)],
        (([x],),),
    ):
        assert structure.leaves(given, "it") == structure.numbers(given, "it")[0]


@pytest.mark.parametrize("digits", [None, 0, 1, 2, -1, np.int64(1)])
@pytest.mark.parametrize("x", [2.5, 0.126, -13.77, 1234.5])
def test_round_takes_digits_as_python_does(x, digits):
    whole = builtins.round(x, None if digits is None else int(digits))
    for rounded in (builtins.round(Value(x), digits), ag.round(Value(x), digits), Value(ag.round(x, digits))):
        assert math.isclose(rounded.data, whole, rel_tol=1e-15)
    v = Value(x)
    y = v * ag.round(v, digits)
    y.backward()
    assert v.grad == ag.round(x, digits)


def product(x, y, z=2.0, *, w=1.0):
    return x * x * y * z * w


def test_further_arguments_by_keyword_are_held_fixed():
    for kwargs, factor in (({"y": 3.0}, 6.0), ({"y": 3.0, "z": 5.0}, 15.0), ({"y": 3.0, "w": 7.0}, 42.0)):
        assert jvp(product, (2.0,), (1.0,), **kwargs) == (4.0 * factor, 4.0 * factor)
        value, pullback = vjp(product, 2.0, **kwargs)
        assert (value, pullback(1.0)) == (4.0 * factor, (4.0 * factor,))
        assert hvp(product, (2.0,), (1.0,), **kwargs) == 2.0 * factor
    assert jvp(product, (2.0, 3.0), (0.0, 1.0), z=5.0) == (60.0, 20.0)
    assert hvp(product, (2.0, 3.0), (0.0, 1.0), z=5.0) == (20.0, 0.0)


def test_a_compiled_jvp_holds_them_fixed_too():
    rows, shared = np.array([2.0, 4.0]), np.array([3.0, 5.0])
    compiled = ag.compile(lambda x, y, z: x * x * y[0] * y[1] * z, in_axes=(0, None, None))
    for kwargs, factor in (
        ({"y": shared, "z": 2.0}, 30.0),
        ({"y": shared, "z": 1.0}, 15.0),
        ({"z": 4.0, "y": [3.0, 5.0]}, 60.0),
    ):
        value, tangent = compiled.jvp([rows], [np.array([1.0, 10.0])], **kwargs)
        np.testing.assert_allclose(value, factor * rows**2)
        np.testing.assert_allclose(tangent, 2.0 * factor * rows * [1.0, 10.0])
        eager = [jvp(compiled.function, (x,), (t,), **kwargs) for x, t in zip(rows, [1.0, 10.0], strict=True)]
        np.testing.assert_allclose(np.transpose(eager), [value, tangent])


def test_a_report_of_failures_tells_how_far_off_they_are():
    wrong = ag.operation("wrong", lambda x: x * x, lambda z, x: 3.0 * x)
    report = gradcheck(wrong, 2.0)
    assert report.verdict == "fail"
    assert "0 of 1 derivatives agree, relative error up to 3.3e-01" in str(report)
