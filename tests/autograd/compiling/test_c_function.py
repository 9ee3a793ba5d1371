"""Compiled functions as functions of C: for ctypes, SciPy and Numba, on threads, and after the function is gone."""

import copy
import ctypes
import gc
import math
import pickle
import threading
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, InputError, MissingExtraError, Value
from autograd.compiling import native

pytestmark = pytest.mark.skipif(not native.available(), reason="llvmlite is not installed")

KINDS = ["value", "grad", "value_and_grad", "jacobian", "value_and_jacobian", "hessian", "value_grad_and_hessian"]


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def called(c, *numbers):
    """The outputs of a function of C with the first signature."""
    inputs, outputs = np.array(numbers, dtype=float), np.full(c.outputs + 2, -7.0)
    assert inputs.size == c.inputs
    at = ctypes.POINTER(ctypes.c_double)
    c.pointer(inputs.ctypes.data_as(at), outputs[1:].ctypes.data_as(at))
    assert outputs[0] == outputs[-1] == -7.0
    return outputs[1:-1]


def numbers_of(result):
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, tuple):
        return [x for part in result for x in numbers_of(part)]
    return np.ravel(result).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("argnums", [0, 1, (1, 0)])
def test_it_gives_what_the_method_gives(kind, argnums):
    def f(x, w):
        return ag.exp(x[0] * w) + ag.sin(x[1]) / w

    compiled = ag.compile(f, in_axes=None, strict=True)
    x, w = np.array([0.3, -1.2]), 0.7
    options = {} if kind == "value" else {"argnums": argnums}
    method = compiled if kind == "value" else getattr(compiled, kind)
    expected = numbers_of(method(x, w, **options))
    c = compiled.c_address(kind, **options)
    assert (c.inputs, c.outputs) == (3, len(expected))
    assert called(c, *x, w).tolist() == expected
    fast = ag.compile(f).c_address(kind, [[0.0, 0.0]], [0.0], **options)
    np.testing.assert_allclose(called(fast, *x, w), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 10, 100, 500])
def test_programs_of_any_length(n):
    x = np.random.default_rng(n).normal(size=n)
    f = ag.compile(rosenbrock, reduce="mean", dtype="float32")
    c = f.c_address("value_and_grad", x[None])
    expected = ag.compile(rosenbrock, in_axes=None).value_and_grad(x)
    np.testing.assert_allclose(called(c, *x), numbers_of(expected), rtol=1e-12)


def test_loops_are_loops_in_c_too():
    def f(rate, start):
        return ag.scan(lambda x, _: (x + 0.01 * rate * x * (1.0 - x), x), start, length=50)

    c = ag.compile(f).c_address("value_and_jacobian", argnums=(0, 1))
    expected = ag.compile(f, in_axes=None).value_and_jacobian(0.7, 0.2, argnums=(0, 1))
    np.testing.assert_allclose(called(c, 0.7, 0.2), numbers_of(expected), rtol=1e-12)


def test_structures_of_results_come_one_after_another():
    f = ag.compile(lambda x, y: {"a": [x * y, 2.0], "b": (x - y, [[y]])})
    assert called(f.c_address("value"), 3.0, 5.0).tolist() == [15.0, 2.0, -2.0, 5.0]
    assert called(f.c_address("jacobian", argnums=(0, 1)), 3.0, 5.0).tolist() == [5, 0, 3, 0, 1, -1, 0, 1]


def test_rows_where_quick_code_would_fail_are_right():
    c = ag.compile(lambda x, y: x / y + y / y).c_address("value_and_grad", argnums=(0, 1))
    tiny = 5e-309
    assert called(c, tiny, tiny)[0] == 2.0
    assert called(c, 1.0, 0.0)[0] != called(c, 1.0, 0.0)[0]  # nan, as IEEE 754 says
    assert called(c, 1.0, 4.0).tolist() == [1.25, 0.25, -0.0625]


def test_leaves_keep_the_numbers_that_they_had():
    weight = Value(3.0, name="weight")
    f = ag.compile(lambda x: ag.exp(weight) * x, in_axes=None)
    c = f.c_address("value_and_grad")
    weight.data = 5.0
    assert called(c, 2.0) == pytest.approx([2.0 * math.exp(3.0), math.exp(3.0)], rel=1e-14)
    assert called(f.c_address("value"), 2.0) == pytest.approx([2.0 * math.exp(5.0)], rel=1e-14)
    weight.data = "x"
    with pytest.raises(InputError, match="real number"):
        f.c_address()


def test_each_function_has_numbers_of_its_own():
    made = [ag.compile(lambda x, k=k: k * x, in_axes=None).c_address("value", 1.0) for k in range(1, 6)]
    assert [called(c, 2.0).tolist() for c in made] == [[2.0 * k] for k in range(1, 6)]


def test_signatures_of_numbers():
    c = ag.compile(ag.tanh).c_address("value", signature="double (double)")
    assert c.pointer(0.5) == pytest.approx(math.tanh(0.5), rel=1e-14)
    c = ag.compile(lambda x, y, z: x * y - z).c_address("value", signature="double (int, double *)")
    three = (ctypes.c_double * 3)(2.0, 3.0, 1.0)
    assert c.pointer(3, three) == 5.0
    assert all(math.isnan(c.pointer(count, three)) for count in (0, 1, 2, 4, -1))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"signature": "int (int)"}, ArgumentError, "void \\(double \\*, double \\*\\)"),
        ({"signature": None}, ArgumentError, "signature is one of"),
        ({"signature": "double (double)"}, ArgumentError, "takes 2 and gives 2"),
        ({"signature": "double (int, double *)"}, ArgumentError, "takes 2 and gives 2"),
        ({"kind": "value", "signature": "double (double)"}, ArgumentError, "takes 2 and gives 1"),
        ({"kind": "backward"}, ArgumentError, "kind is"),
        ({"kind": 3}, ArgumentError, "kind is"),
        ({"argnums": 2}, ArgumentError, "argument"),
        ({"argnums": "x"}, InputError, "argnums"),
    ],
)
def test_what_cannot_be_made(options, error, said):
    with pytest.raises(error, match=said):
        ag.compile(lambda x, y: x * y).c_address(**options)


def test_functions_that_only_python_can_compute_are_refused():
    own = ag.operation("own_cube", lambda x: math.pow(x, 3), lambda z, x: 3.0 * x * x)
    with pytest.raises(ArgumentError, match="own_cube"):
        ag.compile(lambda x: own(x) + 1.0).c_address()


def test_without_llvmlite_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(native, "available", lambda: False)
    with pytest.raises(MissingExtraError, match="compile"):
        ag.compile(ag.exp).c_address()


# Lifetime and threads ------------------------------------------------------------------------------------------------


def test_the_object_outlives_its_function():
    f = ag.compile(rosenbrock, in_axes=None)
    x = np.array([0.3, 0.7, -0.2])
    expected = numbers_of(f.value_and_grad(x))
    c = f.c_address()
    assert f"{c.address:#x}" in repr(c)
    pointer = c.pointer
    del f
    gc.collect()
    for k in range(30):
        ag.compile(lambda x, k=k: ag.exp(k * x)).c_address("value")  # takes the memory that was freed
    gc.collect()
    np.testing.assert_allclose(called(c, *x), expected, rtol=1e-12)
    del c
    gc.collect()
    at = ctypes.POINTER(ctypes.c_double)
    outputs = np.empty(4)
    pointer(x.ctypes.data_as(at), outputs.ctypes.data_as(at))  # ctypes' function keeps it too
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)


def test_an_address_is_neither_copied_nor_pickled():
    c = ag.compile(ag.exp).c_address()
    for taken in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(InputError, match="pickled"):
            taken(c)


def test_threads_call_it_at_once():
    n = 200  # more than fits on the stack
    c = ag.compile(rosenbrock).c_address("value_and_grad", np.zeros((1, n)))
    points = [np.random.default_rng(k).normal(size=n) for k in range(6)]
    expected = [called(c, *x).tolist() for x in points]
    wrong = []

    def work(k):
        for _ in range(300):
            if called(c, *points[k]).tolist() != expected[k]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Other programs ------------------------------------------------------------------------------------------------------


def test_scipy_integrates_it():
    integrate = pytest.importorskip("scipy.integrate")
    c = ag.compile(lambda x: ag.exp(-x * x)).c_address("value", signature="double (double)")
    area, error = integrate.quad(c.low_level_callable(), -np.inf, np.inf)
    assert area == pytest.approx(math.sqrt(math.pi), rel=1e-12)
    assert error < 1e-7
    slope = ag.compile(lambda x, a: ag.sin(a * x)).c_address("grad", signature="double (int, double *)")
    low = slope.low_level_callable()
    del slope, c
    gc.collect()
    found, _ = integrate.quad(low, 0.0, 2.0, args=(3.0,))
    assert found == pytest.approx(math.sin(6.0), rel=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numba_calls_it():
    numba = pytest.importorskip("numba", reason="numba is not installed: it fixes the version of llvmlite")
    c = ag.compile(rosenbrock).c_address("value_and_grad", np.zeros((1, 4)))
    one = ag.compile(lambda x: ag.exp(-x) * x).c_address("value", signature="double (double)")
    row, number = c.pointer, one.pointer

    @numba.njit
    def descend(x, steps):
        out = np.empty(5)
        for _ in range(steps):
            row(x.ctypes, out.ctypes)
            x -= 1e-3 * out[1:]
        return out[0]

    x = np.zeros(4)
    value = descend(x, 2000)
    expected, y = ag.compile(rosenbrock, in_axes=None), np.zeros(4)
    for _ in range(2000):
        last, slope = expected.value_and_grad(y)
        y -= 1e-3 * slope
    np.testing.assert_allclose(x, y, rtol=1e-9)
    assert value == pytest.approx(last, rel=1e-9)

    @numba.cfunc("float64(float64)")
    def twice(x):
        return 2.0 * number(x)

    assert twice.ctypes(0.5) == pytest.approx(math.exp(-0.5), rel=1e-14)
