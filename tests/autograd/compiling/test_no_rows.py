"""Functions none of whose arguments has rows: they are computed as one row, and results have no axis for rows."""

import math
import pickle

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, DomainError, Value
from autograd.compiling import native
from tests.autograd.compiling.test_bits import EDGES, bits, eager

X = np.array([0.5, -1.25, 2.0])
KINDS = {
    "value": lambda f, x, y: f(x, y),
    "grad": lambda f, x, y: f.grad(x, y, argnums=(1, 0)),
    "value_and_grad": lambda f, x, y: f.value_and_grad(x, y),
    "jacobian": lambda f, x, y: f.jacobian(x, y, argnums=(0, 1)),
    "value_and_jacobian": lambda f, x, y: f.value_and_jacobian(x, y, argnums=1),
    "hessian": lambda f, x, y: f.hessian(x, y, argnums=(0, 1)),
    "value_grad_and_hessian": lambda f, x, y: f.value_grad_and_hessian(x, y),
    "jvp": lambda f, x, y: f.jvp([x, y], [0.5 * np.asarray(x), y + y]),
}
OF_ONE_NUMBER = ("grad", "value_and_grad", "hessian", "value_grad_and_hessian")


def number(x, y):
    return ag.tanh(x[0] * y) * ag.exp(x[1]) / (x[2] * x[2] + y)


def several(x, y):
    return {"a": x[0] * y, "b": ([[x[1], x[2] / y]], ag.sin(x[0]))}


def flat(result):
    """The types, shapes and bytes of a result's parts."""
    if isinstance(result, np.ndarray):
        return [(np.ndarray, result.shape, result.dtype, result.tobytes())]
    if isinstance(result, float):
        return [(float, (), np.dtype(float), np.float64(result).tobytes())]
    return [type(result), *(x for part in (result.values() if type(result) is dict else result) for x in flat(part))]


def without_axis(result):
    """A result for one row, without the axis of rows."""
    if isinstance(result, np.ndarray):
        return float(result[0]) if result.ndim == 1 else result[0]
    if isinstance(result, dict):
        return {key: without_axis(part) for key, part in result.items()}
    return tuple(map(without_axis, result))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"strict": True}, {"dtype": "float32"}, {"check": True}])
@pytest.mark.parametrize("f", [number, several])
def test_every_kind_of_result_is_that_of_one_row(kind, options, f):
    if f is several and kind in OF_ONE_NUMBER:
        with pytest.raises(ArgumentError, match="of one number"):
            KINDS[kind](ag.compile(f, None, **options), X, 1.5)
        return
    compiled, of_rows = ag.compile(f, None, **options), ag.compile(f, **options)
    for x, y in ((X, 1.5), (2.0 * X, 0.75)):
        expected = flat(without_axis(KINDS[kind](of_rows, x[None], np.array([y]))))
        for _ in range(4):  # the third and later ones are made natively
            assert flat(KINDS[kind](compiled, x, y)) == expected
        assert flat(KINDS[kind](compiled, x.tolist(), np.array(y))) == expected
        for _ in range(3):
            assert flat(KINDS[kind](compiled, x, np.array(y))) == expected


def test_arguments_are_one_row_and_leaves_are_shared():
    w = Value(3.0, "w")
    f = ag.compile(lambda x, y: w * x[0] * x[1] + y, in_axes=None)
    assert f([2.0, 5.0], 1.0) == 31.0
    assert f.program.row_names == ["x[0]", "x[1]", "y"]
    assert f.program.shared_names == ["w"]
    total = ag.compile(lambda x: w * x, in_axes=None, reduce="sum")
    assert total(2.0) == 6.0
    assert total.program.shared_names == ["x", "w"]


def test_leaves_are_read_afresh():
    w = Value(3.0)
    f = ag.compile(lambda x, y: w * x * y, in_axes=None)
    for k in range(6):
        w.data = float(k)
        assert f.value_and_grad(2.0, 5.0, argnums=(0, 1)) == (10.0 * k, (5.0 * k, 2.0 * k))
        assert f.jvp([2.0, 5.0], [1.0, 0.5]) == (10.0 * k, 6.0 * k)


def test_a_function_without_arguments():
    w = Value(3.0)
    f = ag.compile(lambda: (w * w, 2.0), in_axes=None)
    for k in range(4):
        w.data = float(k)
        assert f() == (k * k, 2.0)


def test_an_argument_without_numbers():
    f = ag.compile(lambda empty, x: x * x + sum(empty), in_axes=None)
    for x in (1.0, 2.0, 3.0, 4.0):
        value, (none, slope) = f.value_and_grad(np.empty(0), x, argnums=(0, 1))
        assert (value, none.shape, slope) == (x * x, (0,), 2.0 * x)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float32),
        lambda x: x.astype(">f8"),
        lambda x: x.astype(np.int64),
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.broadcast_to(x[0], (2, 2)),
        lambda x: np.asfortranarray(x),
        lambda x: np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(x.shape),
    ],
)
def test_arrays_of_any_layout(change):
    f = ag.compile(lambda x: (x[0][0] * x[1][1] - x[0][1] * x[1][0], [x[1][0], x[0][1]]), in_axes=None)
    x = np.array([[2.0, 3.0], [5.0, 7.0]])
    for known in (x, change(x)):
        for _ in range(4):
            for given in (known, x, change(x)):
                a = np.asarray(given, float)
                value, crossed = f(given)
                assert value == a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
                assert crossed.tolist() == [a[1, 0], a[0, 1]]


def test_results_are_written_into_arrays_that_are_given():
    f = ag.compile(lambda x: ([x[1], x[0]], x[0] * x[1]), in_axes=None)
    for pair in (np.empty(2), np.empty(4)[::2], np.empty(2, np.float32)):
        for _ in range(4):
            one = np.empty(())
            found = f(np.array([3.0, 4.0]), out=(pair, one))
            assert found[0] is pair
            assert found[1] is one
            assert (pair.tolist(), float(one)) == ([4.0, 3.0], 12.0)
    swap = ag.compile(lambda x, y: (y[0] + x[0], [x[1], x[0]]), in_axes=None)
    for _ in range(4):
        x, y = np.array([1.0, 2.0]), np.array([10.0])
        swap(x, y, out=(y.reshape(()), x))
        assert (x.tolist(), y.tolist()) == ([2.0, 1.0], [11.0])


def test_where_speculation_fails_the_result_is_right():
    def f(p):
        return [p[1] / p[2], p[1] / p[0], p[2] / p[0], ag.where(p[0] > 0.0, ag.sqrt(p[0]), 0.0)]

    fast, strict = ag.compile(f, in_axes=None), ag.compile(f, in_axes=None, strict=True)
    for p in ([4.0, 6.0, 3.0], [0.0, 6.0, 3.0], [1e-310, 1e-310, 3.0], [4.0, 6.0, 3.0]):
        for _ in range(4):
            np.testing.assert_allclose(fast(np.array(p)), strict(np.array(p)), rtol=1e-15)
            np.testing.assert_allclose(fast.jacobian(np.array(p)), strict.jacobian(np.array(p)), rtol=1e-12)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "sin", "gamma", "atan", "abs", "reciprocal"])
def test_strict_bits_are_those_of_an_eager_run(name):
    def f(x):
        a, b = x
        y = 1.0 / a if name == "reciprocal" else abs(a) if name == "abs" else getattr(ag, name)(a)
        return y * b + a / (b + 1.5)

    compiled = ag.compile(f, in_axes=None, strict=True)
    compared = 0
    for a in EDGES:
        for b in (0.75, -0.0):
            value, gradient, hessian = eager(f, [a, b])
            found = compiled.value_grad_and_hessian(np.array([a, b]))
            for got, wanted in zip(found, (value, gradient, hessian), strict=True):
                if wanted is not None:
                    assert bits(np.ravel(got)) == bits(wanted), (a, b)
                    compared += 1
    assert compared > 40


def test_check_names_the_argument_at_every_call():
    f = ag.compile(lambda x, scale: scale * ag.log(x[1]) + x[0], in_axes=None, check=True)
    for _ in range(4):
        assert f.value_and_grad([1.0, 1.0], 2.0)[0] == 1.0
        assert f.value_and_grad(np.array([1.0, 1.0]), 2.0)[0] == 1.0
        with pytest.raises(DomainError, match=r"in row 0: log has no value at x = 'x\[1\]'"):
            f.value_and_grad(np.array([1.0, -1.0]), 2.0)
    assert math.isnan(f(np.array([math.nan, 1.0]), 2.0))  # it came in


def test_source_and_functions_of_c_are_those_of_one_row():
    compiled, of_rows = ag.compile(number, None), ag.compile(number)
    for language in ("python", "c", "javascript"):
        assert compiled.source(language, X, 1.5) == of_rows.source(language, X[None], np.ones(1))
    space = {}
    exec(compiled.source("python", X, 1.5), space)
    value, slope = compiled.value_and_grad(X, 1.5)
    found = space["number_value_and_grad"](list(X), 1.5)
    np.testing.assert_allclose(np.hstack([found[0], *found[1:]]), np.hstack([value, slope]), rtol=1e-13)
    c = compiled.c_address("value_and_grad", X, 1.5)
    inputs, outputs = np.array([*X, 1.5]), np.empty(4)
    c.pointer(*map(np.ctypeslib.as_ctypes, (inputs, outputs)))
    np.testing.assert_allclose(outputs, np.hstack([value, slope]), rtol=1e-13)
    assert (c.inputs, c.outputs) == (4, 4)


def test_a_copy_by_pickle_gives_the_same():
    f = ag.compile(number, in_axes=None)
    expected = flat(f.value_and_grad(X, 1.5))
    again = pickle.loads(pickle.dumps(f))
    for _ in range(4):
        assert flat(again.value_and_grad(X, 1.5)) == expected


@pytest.mark.parametrize("steps", [10, 3000])
def test_long_programs_and_loops(steps):
    def unrolled(x, rate):
        for k in range(steps):
            x = x + 0.001 * rate * ag.sin(x) * (1.0 + k % 3)
        return x

    def looped(x, rate):
        return ag.scan(lambda s, k: (s + 0.001 * rate * ag.sin(s) * k, None), x, [1.0 + k % 3 for k in range(steps)])[0]

    expected = ag.value_and_grad(unrolled, argnums=(0, 1))(0.3, 0.1)
    for f in (unrolled, looped):
        compiled = ag.compile(f, in_axes=None)
        for _ in range(4):
            value, slopes = compiled.value_and_grad(0.3, 0.1, argnums=(0, 1))
            np.testing.assert_allclose([value, *slopes], [expected[0], *expected[1]], rtol=1e-10)


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_without_native_code(monkeypatch):
    expected = {kind: ask(ag.compile(number, None), X, 1.5) for kind, ask in KINDS.items()}
    monkeypatch.setattr(native, "available", lambda: False)
    for kind, ask in KINDS.items():
        f = ag.compile(number, None)
        for _ in range(4):
            found = ask(f, X, 1.5)
            assert [x[:3] for x in flat(found) if type(x) is tuple] == [
                x[:3] for x in flat(expected[kind]) if type(x) is tuple
            ]
            first, second = (
                [np.frombuffer(x[3]) for x in flat(r) if type(x) is tuple] for r in (found, expected[kind])
            )
            for a, b in zip(first, second, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12)
