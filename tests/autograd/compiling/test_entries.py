"""Calls that are made natively, from the third one of a kind on: their results, arguments that differ, and errors."""

import gc
import os
import pickle
import sys
import threading
import time
import weakref
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, DomainError, InputError, Value
from autograd.compiling import objects

X = np.linspace(0.5, 2.0, 12).reshape(4, 3)
W = np.array([0.5, -1.0, 2.0])


def score(x, w):
    return ag.tanh(x[0] * w[0] + x[1] * w[1]) * ag.exp(0.1 * x[2] * w[2])


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def flat(result):
    """A result as a list of types, shapes and bytes."""
    if isinstance(result, np.ndarray):
        return [result.dtype.str, result.shape, result.flags.c_contiguous, result.tobytes()]
    if isinstance(result, float):
        return [type(result), np.float64(result).tobytes()]
    parts = result.values() if isinstance(result, dict) else result
    return [type(result), *(x for part in parts for x in flat(part))]


def is_native(f, method="value"):
    return f._entries.get(method) is not None


def test_native_code_can_read_the_objects_of_this_python():
    # Where this fails all else works too, but each call takes twenty times as long.
    assert objects.layout() is not None


def test_other_layouts_are_noticed(monkeypatch):
    for changed in ("DATA", "SHAPE", "STRIDES", "FLAGS", "AXES", "TYPE", "ITEMS", "KIND_WORD"):
        with monkeypatch.context() as patched:
            patched.setattr(objects, changed, getattr(objects, changed) + 8)
            objects.layout.cache_clear()
            assert objects.layout() is None, changed
    objects.layout.cache_clear()


METHODS = {
    "value": lambda f, *args, **options: f(*args, **options),
    "grad": lambda f, *args, **options: f.grad(*args, argnums=1, **options),
    "value_and_grad": lambda f, *args, **options: f.value_and_grad(*args, argnums=(0, 1), **options),
    "jacobian": lambda f, *args, **options: f.jacobian(*args, **options),
    "value_and_jacobian": lambda f, *args, **options: f.value_and_jacobian(*args, argnums=1, **options),
    "hessian": lambda f, *args, **options: f.hessian(*args, argnums=(0, 1), **options),
    "value_grad_and_hessian": lambda f, *args, **options: f.value_grad_and_hessian(*args, **options),
    "jvp": lambda f, x, w, **options: f.jvp([x, w], [0.1 * x, 0.2 * w], **options),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("in_axes", "reduce", "rows"),
    [((0, None), None, X), ((0, None), "sum", X), ((0, None), "mean", X), (None, None, X[0]), (0, "mean", X)],
)
@pytest.mark.parametrize("options", [{}, {"dtype": "float32"}, {"strict": True}, {"check": True}])
def test_the_results_are_the_same(method, in_axes, reduce, rows, options):
    f = ag.compile(score, in_axes, reduce, **options)
    weights = np.tile(W, (4, 1)) if in_axes == 0 else W
    args = [a.astype(f.dtype) for a in (rows, weights)]
    calls = [METHODS[method](f, *args) for _ in range(4)]
    assert is_native(f, method)
    assert all(flat(result) == flat(calls[0]) for result in calls[1:])
    other = METHODS[method](f, *[1.25 * a for a in args])
    assert flat(other) == flat(
        METHODS[method](ag.compile(score, in_axes, reduce, **options), *[1.25 * a for a in args])
    )


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 9, 31, 33, 100, 4095, 4096, 4097])
@pytest.mark.parametrize("reduce", [None, "mean"])
def test_any_number_of_rows(rows, reduce):
    x = np.random.default_rng(rows).normal(size=(rows, 5))
    f = ag.compile(rosenbrock, reduce=reduce)
    calls = [f.value_and_grad(x) for _ in range(3)]
    assert flat(calls[2]) == flat(calls[0])
    assert is_native(f, "value_and_grad") == (rows <= 4096)


@pytest.mark.parametrize("reduce", [None, "mean"])
def test_rows_that_are_divided_among_threads(reduce):
    x = np.random.default_rng(0).normal(size=(3000, 200))
    f = ag.compile(rosenbrock, reduce=reduce)
    calls = [f.value_and_grad(x) for _ in range(4)]
    assert all(flat(found) == flat(calls[0]) for found in calls)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: {"a": x[0], "b": [x[1], x[2]]},
        lambda x: [[x[0], x[1]], [x[2], 1.0]],
        lambda x: (x[0], (x[1], ())),
        lambda x: (x[0], x[0]),
        lambda x: np.array([x[0], x[1]]),
        lambda x: 2.0,
        lambda x: (x[0], 3.0),
    ],
)
@pytest.mark.parametrize("in_axes", [0, None])
def test_any_structure_of_results(f, in_axes):
    compiled = ag.compile(f, in_axes)
    x = X if in_axes == 0 else X[0]
    assert len({str(flat(compiled(x))) for _ in range(4)}) == 1
    assert len({str(flat(compiled.jacobian(x))) for _ in range(4)}) == 1


@pytest.mark.parametrize("in_axes", [0, None])
def test_a_long_program(in_axes):
    x = 0.5 + 0.001 * (np.arange(1000) % 7)
    f = ag.compile(rosenbrock, in_axes)
    calls = [f.value_and_grad(x if in_axes is None else x[None]) for _ in range(4)]
    assert is_native(f, "value_and_grad")
    assert all(flat(found) == flat(calls[0]) for found in calls)
    slope = -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1.0 - x[:-1])
    np.testing.assert_allclose(np.ravel(calls[3][1])[0], slope[0], rtol=1e-12)


@pytest.mark.parametrize("in_axes", [0, None])
def test_loops(in_axes):
    def f(rate, start):
        return ag.scan(lambda x, _: (x + 0.01 * rate * x * (1.0 - x), x), start, length=50)[0]

    compiled = ag.compile(f, in_axes)
    args = (0.7, 0.1) if in_axes is None else (np.linspace(0.1, 2.0, 9), np.linspace(0.1, 0.9, 9))
    calls = [compiled.value_and_grad(*args, argnums=(0, 1)) for _ in range(4)]
    assert is_native(compiled, "value_and_grad")
    assert all(flat(found) == flat(calls[0]) for found in calls)


def test_floats_as_arguments():
    f = ag.compile(lambda x, y: x * ag.sin(y), in_axes=None)
    first = f.value_and_grad(1.5, 0.25, argnums=(0, 1))
    for _ in range(3):
        assert f.value_and_grad(1.5, 0.25, argnums=(0, 1)) == first
    assert is_native(f, "value_and_grad")
    assert f.value_and_grad(np.array(1.5), 0.25, argnums=(0, 1)) == first
    assert f.value_and_grad(np.float64(1.5), 0.25, argnums=(0, 1)) == first
    assert f.value_and_grad(3, 0, argnums=(0, 1)) == (0.0, (0.0, 3.0))
    with pytest.raises(InputError, match="bool"):
        f.value_and_grad(True, 0.25, argnums=(0, 1))


# Arguments that differ from those of the calls before ----------------------------------------------------------------


@pytest.fixture(scope="module")
def known():
    """A function with a native entry for arrays like X and W."""
    f = ag.compile(score, in_axes=(0, None))
    for _ in range(3):
        f.value_and_grad(X, W)
    assert is_native(f, "value_and_grad")
    return f


@pytest.mark.parametrize(
    "x",
    [
        X.tolist(),
        X.astype(np.float32),
        X.astype(">f8"),
        np.asfortranarray(X),
        np.repeat(X, 2, axis=0)[::2],
        X[::-1].copy()[::-1],
        np.repeat(X, 2, axis=1)[:, ::2],
        np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(float).reshape(4, 3),
        np.broadcast_to(X[0], (4, 3)),
        pickle.loads(pickle.dumps(X)),
        X.view(np.recarray),
        np.rint(X).astype(int),
        X.astype(object),
        np.tile(X, (300, 1)),
        X[:1],
        X[:0],
    ],
    ids=lambda x: f"{type(x).__name__} {getattr(x, 'dtype', '')} {getattr(x, 'strides', '')}",
)
def test_other_kinds_of_arrays(known, x):
    expected = ag.compile(score, in_axes=(0, None)).value_and_grad(np.array(x, dtype=float), W)
    for _ in range(3):
        for a, b in zip(known.value_and_grad(x, W), expected, strict=True):
            np.testing.assert_array_equal(a, b)
    known.value_and_grad(X, W)


@pytest.mark.parametrize(
    ("args", "options", "error"),
    [
        ((X,), {}, ArgumentError),
        ((X, W, W), {}, ArgumentError),
        ((X, W, np.empty(4), np.empty((4, 3))), {}, ArgumentError),
        ((X[:, :2], W), {}, Exception),
        ((X > 1.0, W), {}, InputError),
        ((np.ma.masked_array(X, X > 1.0), W), {}, InputError),
        ((1.0, W), {}, ArgumentError),
        ((None, W), {}, InputError),
        ((X, W), {"argnums": 2}, ArgumentError),
        ((X, W), {"argnums": False}, InputError),
        ((X, W), {"out": np.empty(4)}, ArgumentError),
        ((X, W), {"out": (np.empty(4), np.empty((3, 4)))}, ArgumentError),
        ((X, W), {"out": (np.empty(4), np.empty((4, 3)), None)}, ArgumentError),
        ((X, W), {"out": (np.empty(4), np.broadcast_to(0.0, (4, 3)))}, ArgumentError),
        ((X, W), {"out": "x"}, (ArgumentError, InputError)),
    ],
)
def test_errors_are_the_same_as_at_the_first_call(known, args, options, error):
    with pytest.raises(error) as first:
        ag.compile(score, in_axes=(0, None)).value_and_grad(*args, **options)
    for _ in range(2):
        with pytest.raises(error) as later:
            known.value_and_grad(*args, **options)
        assert (type(later.value), str(later.value)) == (type(first.value), str(first.value))
    known.value_and_grad(X, W)


def test_values_are_recorded_still():
    f = ag.compile(lambda x: x * x, in_axes=None)
    for _ in range(3):
        assert f(3.0) == 9.0
    y = f(Value(3.0))
    assert (y.data, y.op.name) == (9.0, "mul")


def test_shapes_in_turns():
    f = ag.compile(rosenbrock)
    xs = [np.random.default_rng(n).normal(size=(rows, n)) for n in (2, 3, 5) for rows in (1, 4)]
    first = [flat(f.grad(x)) for x in xs]
    for _ in range(4):
        assert [flat(f.grad(x)) for x in xs] == first


def test_argnums_in_turns():
    f = ag.compile(score, in_axes=(0, None))
    for _ in range(4):
        for argnums in (0, 1, (0, 1), (1, 0), [1]):
            found = f.grad(X, W, argnums=argnums)
            shapes = [g.shape for g in found] if isinstance(found, tuple) else found.shape
            of = {0: (4, 3), 1: (4, 3)}
            assert shapes == ([of[k] for k in argnums] if not isinstance(argnums, int) else of[argnums])
    np.testing.assert_array_equal(f.grad(X, W, argnums=(1, 0))[0], f.grad(X, W, argnums=1))


# Arrays for the results ----------------------------------------------------------------------------------------------


def test_results_go_into_the_arrays_that_are_given():
    f = ag.compile(rosenbrock)
    expected = f.value_and_grad(X)
    value, slope = np.empty(4), np.empty((4, 3))
    for out in ((value, slope), [value, slope]) * 3:
        value[:], slope[:] = np.nan, np.nan
        found = f.value_and_grad(X, out=out)
        assert found[0] is value
        assert found[1] is slope
        assert flat(found) == flat(expected)
    assert is_native(f, "value_and_grad")
    mixed = f.value_and_grad(X, out=(None, slope))
    assert mixed[1] is slope
    assert flat(mixed) == flat(expected)


def test_a_number_goes_into_an_array_that_is_given():
    f = ag.compile(rosenbrock, in_axes=None)
    out = np.empty(())
    for _ in range(4):
        out[()] = np.nan
        assert f(X[0], out=out) is out
        assert out == f(X[0])
    assert is_native(f)


def test_a_result_may_overwrite_an_argument():
    f = ag.compile(lambda x, y: (x + y, x - y))
    for _ in range(4):
        x, y = X[:, 0].copy(), X[:, 1].copy()
        f(x, y, out=(y, x))
        np.testing.assert_array_equal(y, X[:, 0] + X[:, 1])
        np.testing.assert_array_equal(x, X[:, 0] - X[:, 1])
    for _ in range(3):
        both = np.empty(7)
        with pytest.raises(ArgumentError, match="overlap"):
            f(X[:, 0], X[:, 1], out=(both[:4], both[3:]))
    backwards = np.arange(8.0)
    g = ag.compile(lambda x: 2.0 * x)
    for _ in range(4):
        g(np.arange(4.0), out=np.empty(4))
    g(backwards[3::-1], out=backwards[:4])
    np.testing.assert_array_equal(backwards, [6.0, 4.0, 2.0, 0.0, 4.0, 5.0, 6.0, 7.0])


# Leaves --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def model():
    """A compiled loss, and its leaves."""
    leaves = [Value(0.1 * k - 0.3, name=f"w{k}") for k in range(6)]

    def loss(x, t):
        hidden = [ag.tanh(leaves[k] * x[0] + leaves[3 + k] * x[1]) for k in range(3)]
        return (ag.sum(hidden) - t) ** 2

    f = ag.compile(loss, reduce="mean")
    t = np.array([0.0, 1.0, 0.5, -1.0])
    for _ in range(3):
        f.backward(X[:, :2].copy(), t)
    assert is_native(f, "backward")
    for leaf in leaves:
        leaf.grad = 0.0
    return f, leaves, (X[:, :2].copy(), t)


def eagerly(f, leaves, args):
    """The loss and the gradients without compiling."""
    copies = [leaf.grad for leaf in leaves]
    rows = [f.function(x, t) for x, t in zip(args[0].tolist(), args[1].tolist(), strict=True)]
    mean = ag.sum(rows) / len(rows)
    mean.backward()
    found = [leaf.grad - before for leaf, before in zip(leaves, copies, strict=True)]
    for leaf, before in zip(leaves, copies, strict=True):
        leaf.grad = before
    return mean.data, found


def test_leaves_are_read_afresh_and_gradients_accumulate(model):
    f, leaves, args = model
    for k in range(4):
        leaves[k].data = 0.7 - 0.1 * k
        value, slopes = eagerly(f, leaves, args)
        before = [leaf.grad for leaf in leaves]
        assert f.backward(*args) == pytest.approx(value, rel=1e-12)
        after = [leaf.grad for leaf in leaves]
        np.testing.assert_allclose(np.subtract(after, before), slopes, rtol=1e-9, atol=1e-12)
        found = f.leaf_gradients(*args)
        assert found[0] == pytest.approx(value, rel=1e-12)
        by_leaf = dict(zip(found[1], found[2].tolist(), strict=True))
        np.testing.assert_allclose([by_leaf[leaf] for leaf in leaves], slopes, rtol=1e-9)
    assert is_native(f, "leaf_gradients")
    data = np.linspace(-1.0, 1.0, 6)
    given = f.leaf_gradients(*args, data=data)
    for leaf, x in zip(given[1], data.tolist(), strict=True):
        leaf.data = x
    assert flat(given[2]) == flat(f.leaf_gradients(*args)[2])


@pytest.mark.parametrize("name", ["data", "grad"])
@pytest.mark.parametrize("number", [2, np.float32(0.5), np.float64(0.25), np.array(1.5)])
def test_leaves_that_were_assigned_other_numbers(model, name, number):
    f, leaves, args = model
    setattr(leaves[3], name, float(number))
    expected = f.backward(*args), [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = 0.0
    setattr(leaves[3], name, number)
    assert (f.backward(*args), [leaf.grad for leaf in leaves]) == expected
    assert all(type(leaf.grad) is float for leaf in leaves)


@pytest.mark.parametrize("name", ["data", "grad"])
@pytest.mark.parametrize("wrong", [None, "x", np.zeros(2)])
def test_leaves_that_are_no_numbers(model, name, wrong):
    f, leaves, args = model
    setattr(leaves[5], name, wrong)
    before = [leaf.grad for leaf in leaves[:5]]
    with pytest.raises(InputError, match="w5"):
        f.backward(*args)
    assert [leaf.grad for leaf in leaves[:5]] == before
    setattr(leaves[5], name, 0.0)
    f.backward(*args)


def test_a_deleted_grad_is_an_error_and_no_crash(model):
    f, leaves, args = model
    del leaves[2].grad
    with pytest.raises(AttributeError):
        f.backward(*args)
    leaves[2].grad = 0.0
    f.backward(*args)


def test_the_leaves_outlive_the_list_that_was_returned(model):
    f, leaves, args = model
    expected = f.backward(*args)
    f.leaf_gradients(*args)[1].clear()
    leaves.clear()
    gc.collect()
    junk = [Value(float(k)) for k in range(1000)]
    assert f._entries["backward"].run(args, None) == expected
    assert len(junk) == 1000


# Speculation, errors of the mathematics ------------------------------------------------------------------------------


def test_rows_where_speculation_fails_are_right():
    def f(x):
        return x[0] / x[1] + x[2] / x[1]

    fast, exact = ag.compile(f), ag.compile(f, strict=True)
    for _ in range(3):
        fast.value_and_grad(X)
    assert is_native(fast, "value_and_grad")
    tiny = X.copy()
    tiny[2] = 5e-309, 5e-309, 1e-309
    for _ in range(2):
        for a, b in zip(fast.value_and_grad(tiny), exact.value_and_grad(tiny), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_array_equal(fast(np.full((4, 3), np.inf)), np.full(4, np.nan))


@pytest.mark.parametrize("in_axes", [0, None])
@pytest.mark.parametrize("reduce", [None, "sum"])
def test_check_names_the_operation(in_axes, reduce):
    f = ag.compile(lambda x: ag.log(x[0]) * x[1], in_axes, reduce, check=True)
    x = X if in_axes == 0 else X[0]
    for _ in range(3):
        f.value_and_grad(x)
    assert is_native(f, "value_and_grad")
    wrong = x.copy()
    wrong[..., 0] = -1.0
    for _ in range(2):
        with pytest.raises(DomainError, match="log"):
            f.value_and_grad(wrong)
    f.value_and_grad(x)


def test_functions_of_python_are_called_and_may_raise():
    class RefusedError(Exception):
        pass

    def own(x):
        if x > 10.0:
            raise RefusedError
        return x * x

    square = ag.operation("own_square", own, lambda z, x: 2.0 * x)
    f = ag.compile(lambda x: square(x) + 1.0, in_axes=None)
    for _ in range(4):
        assert f.value_and_grad(3.0) == (10.0, 6.0)
    with pytest.raises(RefusedError):
        f.value_and_grad(11.0)


# Memory, threads, processes ------------------------------------------------------------------------------------------


def test_no_reference_is_lost_or_kept(model):
    f, leaves, args = model
    g = ag.compile(rosenbrock)
    h = ag.compile(rosenbrock, in_axes=None)
    out = np.empty(4), np.empty((4, 3))
    overlapping = np.zeros((4, 3))
    point, infinite = X[0].copy(), np.full((4, 3), np.inf)
    kept = [*args, X, *out, point, infinite, np.dtype(float), np.ndarray, overlapping, float, tuple]
    for _ in range(3):
        f.leaf_gradients(*args)
        g.value_and_grad(X)
        h.value_and_grad(point)

    def work():  # natively, whether it goes well or not
        for _ in range(5):
            f.backward(*args)
            f.leaf_gradients(*args)
            g.value_and_grad(X)
            g.value_and_grad(X, out=out)
            h.value_and_grad(point)
            for given in ((overlapping, (out[0], overlapping)), (X, (*out, out[0])), (X, out[0]), (X.T, None)):
                assert g._entries["value_and_grad"].run((given[0],), given[1]) is None
            leaves[5].grad = None
            assert f._entries["backward"].run(args, None) is None
            leaves[5].grad = 0.0
            q._entries["value"].run((infinite,), None)

    q = ag.compile(lambda x: x[0] / x[1] + x[2] / x[1])
    for _ in range(3):
        q(X)
    work()
    gc.collect()
    before = [sys.getrefcount(x) for x in kept], sys.getallocatedblocks()
    for _ in range(100):
        work()
    gc.collect()
    after = [sys.getrefcount(x) for x in kept], sys.getallocatedblocks()
    assert after[0] == before[0]
    assert after[1] - before[1] < 300  # of 500 calls of each kind
    assert all(sys.getrefcount(leaf.grad) <= 3 for leaf in leaves[:5])


def test_machine_code_goes_with_its_function():
    f = ag.compile(rosenbrock)
    for _ in range(4):
        f.value_and_grad(X)
    assert is_native(f, "value_and_grad")
    code = weakref.ref(f._last.task.code(False))
    machine = weakref.ref(code()._machine)
    gc.disable()
    try:
        f._entries.clear()
        f._memory._calls.clear()
        f._memory._programs.clear()
        f._last = None
        for _ in range(1000):  # the thread that compiled it may not have ended yet
            if machine() is None:
                break
            time.sleep(0.01)
        assert machine() is None
    finally:
        gc.enable()


def test_threads_share_a_function():
    f = ag.compile(rosenbrock)
    points = [np.random.default_rng(k).normal(size=(1 + 700 * (k % 2), 20)) for k in range(8)]
    expected = [flat(f.value_and_grad(x)) for x in points]
    wrong = []

    def work(k):
        for _ in range(200):
            if flat(f.value_and_grad(points[k])) != expected[k]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_call_within_a_call():
    # The garbage collection that making a tuple may cause runs finalizers, which may call the same function.
    f = ag.compile(rosenbrock)
    expected = flat(f.value_and_grad(X))
    for _ in range(3):
        f.value_and_grad(X)
    inner = []

    class Finalized:
        def __init__(self):
            self.itself = self

        def __del__(self):
            inner.append(flat(f.value_and_grad(X)) == expected)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(300):
            Finalized()
            assert flat(f.value_and_grad(X)) == expected
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(inner) == 300
    assert all(inner)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_calls_it_too():
    f = ag.compile(rosenbrock)
    expected = next(flat(f.value_and_grad(X)) for _ in range(3))
    f.value_and_grad(X)
    f.value_and_grad(X)
    child = os.fork()
    if child == 0:
        os._exit(0 if flat(f.value_and_grad(X)) == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_copies_and_many_shapes(monkeypatch):
    f = ag.compile(rosenbrock)
    for n in range(2, 90):
        x = np.full((1, n), 0.5)
        for _ in range(3):
            value, slope = f.value_and_grad(x)
        assert value == pytest.approx((n - 1) * (100.0 * 0.0625 + 0.25))
        assert slope.shape == (1, n)
    assert len(f._memory._programs) <= 64
    assert f.value_and_grad(np.full((1, 2), 0.5))[0] == pytest.approx(6.5)


def test_without_the_layout_every_call_works(monkeypatch, model):
    from autograd.compiling import entry

    _, leaves, _ = model
    monkeypatch.setattr(objects, "layout", lambda: None)
    entry._maker.cache_clear()
    f = ag.compile(lambda x: rosenbrock(x) * leaves[0], reduce="sum")
    first = [flat(f.value_and_grad(X)) for _ in range(4)]
    assert len(set(map(str, first))) == 1
    for _ in range(3):
        f.backward(X)
    assert not any(map(bool, f._entries.values()))
    monkeypatch.undo()
    entry._maker.cache_clear()
