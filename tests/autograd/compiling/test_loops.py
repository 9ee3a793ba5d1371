"""Compiled loops agree with the same loops run eagerly: values, all derivatives, in every mode and on any rows."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.compiling import loops, native
from autograd.errors import TraceError


def prey(x, n=9):
    """Steps of Lotka and Volterra: a state of two numbers, four parameters from outside."""
    a, b, c, d, u, v = x

    def step(state, _):
        u, v = state
        return (u + 0.05 * (a * u - b * u * v), v + 0.05 * (d * u * v - c * v)), None

    (u, v), _ = ag.scan(step, (u, v), length=n)
    return u + 2.0 * v


def polynomial(x):
    """By Horner's scheme: coefficients are the xs, and the sums of all steps the ys."""
    value, sums = ag.scan(lambda total, k: (total * x[0] + k, total * k), x[1], [x[2], x[3], 0.5, x[4], x[5]])
    return value + sums[1] * sums[3] + ag.sum(list(sums))


def recurrent(x):
    """A state in a dict, xs of two parts, ys of two parts that a second loop goes through."""

    def step(h, z):
        new = {"a": ag.tanh(x[0] * h["a"] + z["p"] - h["b"]), "b": h["a"] * x[1]}
        return new, (new["a"] * 2.0, [h["b"], 1.0])

    h, (ys, zs) = ag.scan(step, {"a": x[2], "b": 0.1}, {"p": [x[3], x[4], x[5], 0.3], "q": [0.0, 1.0, 2.0, 3.0]})
    last, _ = ag.scan(lambda s, y: (s + ag.sin(y) * x[1], None), h["b"], ys)
    return last + h["a"] + zs[2][0] * x[5]


def nested(x):
    """A loop within a loop, which goes through numbers from outside and begins with the outer state."""
    numbers = [x[3], x[4], x[5]]

    def step(s, k):
        inner, ys = ag.scan(lambda t, z: (t * 0.9 + ag.sin(z * s) + k, t * z), s * x[0], numbers)
        return inner + x[1] * ys[1], ag.sum(list(ys))

    s, ys = ag.scan(step, x[2], [0.1, 0.2, x[1], 0.4])
    return s + ys[0] * ys[3]


def divided(x):
    """Several divisions by one number, within the loop and outside."""
    s, _ = ag.scan(lambda s, _: ((s[0] / (1.0 + s[1] * s[1]) + x[0] / x[1], s[1] / (1.0 + s[1] * s[1])), None),
                   (x[2], x[3]), length=5)  # fmt: skip
    return s[0] * s[1] / x[1] + x[4] * x[5]


def choosing(x):
    """Choices in the body, and slopes that are infinite in the branch that is not taken."""
    s, _ = ag.scan(
        lambda s, k: (ag.where(s > x[0], ag.sqrt(ag.relu(s)) - x[1], s * s + k), None), x[2], [x[3], x[4], 0.1, x[5]]
    )
    return s


def stopping(x):
    """Newton's method for a square root: every row takes a number of steps of its own."""
    a = x[0] * x[0] + 0.1 + ag.exp(3.0 * x[1])
    root = ag.while_loop(lambda y: abs(y * y - a) > 1e-5 * a, lambda y: (y + a / y) / 2.0, 1.0 + x[2] * x[2], 40)
    return root * x[3] + x[4] * x[5]


def counting(x):
    """A state of several numbers, one of which the condition looks at; sometimes there is no step at all."""
    s, k = ag.while_loop(
        lambda s: s[1] < 4.0 * x[0], lambda s: (s[0] * x[1] + ag.cos(s[0]), s[1] + 1.0), (x[2], 0.5), 9
    )
    return s * x[3] + k + x[4] * x[5]


FUNCTIONS = [prey, polynomial, recurrent, nested, divided, choosing, stopping, counting]
EVERY = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
ROWS = np.random.default_rng(0).uniform(0.2, 1.2, size=(11, 6))


def close(got, wanted, tolerance=1e-11):
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


@pytest.fixture(params=["native", "numpy"])
def engine(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(native, "available", lambda: False)


pytestmark = pytest.mark.filterwarnings("ignore:llvmlite is not installed")


@EVERY
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_value_and_gradient(f, strict, engine):
    values, slopes = ag.compile(f, strict=strict).value_and_grad(ROWS)
    for row, value, slope in zip(ROWS.tolist(), values, slopes, strict=True):
        wanted, gradient = ag.value_and_grad(f)(row)
        assert value == wanted if strict else value == pytest.approx(wanted, rel=1e-12)
        close(slope, gradient)


@EVERY
def test_further_derivatives(f, engine):
    compiled = ag.compile(f)
    values, slopes, hessians = compiled.value_grad_and_hessian(ROWS[:3])
    directions = np.cos(ROWS[:3])
    value, tangent = compiled.jvp((ROWS[:3],), (directions,))
    close(value, values, 1e-13)
    close(tangent, (slopes * directions).sum(axis=1))
    for row, hessian in zip(ROWS.tolist(), hessians, strict=False):
        close(hessian, ag.hessian(f)(row), 1e-10)


@EVERY
def test_derivatives_inside_a_compiled_function(f):
    def g(x):
        return ag.hvp(f, (x,), ([x[1], 1.0, x[0], 0.0, 2.0, 1.0],))[1]

    slopes = ag.compile(ag.grad(f))
    products = ag.compile(g)(ROWS[:2])
    both = slopes.jacobian(ROWS[:2])
    for row, product, matrix in zip(ROWS.tolist(), products, both, strict=False):
        close(product, g(row), 1e-10)
        close(matrix, ag.hessian(f)(row), 1e-10)


def test_third_derivatives():
    f = lambda x: prey([x, 0.4, 0.3, 0.2, 1.0, 0.5], 5)
    third = ag.compile(ag.grad(ag.grad(ag.grad(f))))
    for x, found in zip(ROWS[:, 0].tolist(), third(ROWS[:, 0]), strict=True):
        assert found == pytest.approx(ag.grad(ag.grad(ag.grad(f)))(x), rel=1e-10)


@pytest.mark.parametrize("outputs", [2, 8])
def test_jacobians_by_reverse_and_forward_sweeps(outputs, engine):
    def f(x):
        s, ys = ag.scan(lambda s, k: ([s[1] * x[0], s[0] + k], ag.sin(s[0]) * k), [x[1], x[2]], [x[3], x[4], x[5]] * 2)
        return [*s, *ys][:outputs]

    found = ag.compile(f).jacobian(ROWS[:3])
    for row, matrix in zip(ROWS.tolist(), found, strict=False):
        close(matrix, ag.jacobian(f)(row))


@EVERY
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", [16, 32, 64])
def test_any_number_of_rows_on_any_width_of_vectors(f, width, dtype):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    rows = np.random.default_rng(1).uniform(0.2, 1.2, size=(70, 6)).astype(dtype)
    compiled = ag.compile(f, dtype=dtype)
    compiled._target = native.narrowed(width)
    tolerance = 1e-11 if dtype == "float64" else 2e-3
    exact = ag.compile(f).value_and_grad(rows.astype(float))
    for count in (0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 65):
        value, slopes = compiled.value_and_grad(rows[:count])
        assert value.dtype == slopes.dtype == np.dtype(dtype)
        close(value, exact[0][:count], tolerance)
        close(slopes, exact[1][:count], tolerance)


@EVERY
def test_sums_over_rows_in_numbers_that_all_rows_share(f, engine):
    w = [Value(x) for x in (0.3, 0.9, 0.5)]
    total = ag.compile(lambda x, y: f([*w, *x, y]), in_axes=(0, None), reduce="sum")
    value, slope = total.value_and_grad(ROWS[:, :2], 0.7, argnums=1)
    value_again, leaves, slopes = total.leaf_gradients(ROWS[:, :2], 0.7)
    assert value == pytest.approx(value_again, rel=1e-13)
    expected = [ag.value_and_grad(f)([0.3, 0.9, 0.5, *row, 0.7]) for row in ROWS[:, :2].tolist()]
    assert value == pytest.approx(sum(x for x, _ in expected), rel=1e-12)
    assert slope == pytest.approx(sum(g[5] for _, g in expected), rel=1e-10)
    by_leaf = dict(zip(leaves, slopes, strict=True))
    for k, leaf in enumerate(w):
        assert by_leaf[leaf] == pytest.approx(sum(g[k] for _, g in expected), rel=1e-10)


@EVERY
def test_a_loop_that_all_rows_share(f, engine):
    compiled = ag.compile(f, in_axes=None)
    value, slope, hessian = compiled.value_grad_and_hessian(ROWS[0])
    wanted, gradient = ag.value_and_grad(f)(ROWS[0].tolist())
    assert value == pytest.approx(wanted, rel=1e-12)
    close(slope, gradient)
    close(hessian, ag.hessian(f)(ROWS[0].tolist()), 1e-10)
    both = ag.compile(lambda x, y: f(y) * x, in_axes=(0, None))
    close(both(np.array([1.0, 2.0]), ROWS[0]), [wanted, 2.0 * wanted])


def test_threads_agree():
    rows = np.random.default_rng(2).uniform(0.2, 1.2, size=(9000, 6))
    one, two = (ag.compile(prey, threads=k).value_and_grad(rows) for k in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_compiling_does_not_depend_on_the_number_of_steps():
    sizes = []
    for n in (10, 10**6):
        f = ag.compile(lambda x, n=n: prey(x, n))
        f.value_and_grad(ROWS[:1] * 1e-3)
        sizes.append((f.stats.recorded, len(f.explain().splitlines())))
    assert sizes[0] == sizes[1]


def test_long_loops():
    """A million steps of the harmonic oscillator by a method that keeps its energy; sine and cosine are known."""
    n = 10**6

    def f(w, x):
        h = 1.0 / n
        (x, _), _ = ag.scan(
            lambda s, _: ((s[0] + h * s[1], s[1] - h * w * w * (s[0] + h * s[1])), None), (x, 0.0), length=n
        )
        return x

    value, (dw, dx) = ag.compile(f).value_and_grad(np.array([2.0]), np.array([3.0]), argnums=(0, 1))
    assert value[0] == pytest.approx(3.0 * math.cos(2.0), rel=1e-5)
    assert dw[0] == pytest.approx(-3.0 * math.sin(2.0), rel=1e-5)
    assert dx[0] == pytest.approx(math.cos(2.0), rel=1e-5)


def test_rows_that_do_not_stop_are_nan(engine):
    def f(x):
        return ag.while_loop(lambda s: s > 1.0, lambda s: s * x, 100.0, 20)

    x = np.array([0.5, 1.5, 0.7, 0.1, 0.99])
    values, slopes = ag.compile(f).value_and_grad(x)
    stops = np.array([True, False, True, True, False])
    np.testing.assert_array_equal(np.isfinite(values), stops)
    np.testing.assert_array_equal(np.isfinite(slopes), stops)
    for k in np.flatnonzero(stops):
        wanted, slope = ag.value_and_grad(f)(float(x[k]))
        assert values[k] == pytest.approx(wanted, rel=1e-13)
        assert slopes[k] == pytest.approx(slope, rel=1e-12)


def test_the_row_that_does_not_stop_is_named():
    f = ag.compile(lambda x: ag.while_loop(lambda s: s > 1.0, lambda s: s * x, 100.0, 20), check=True)
    f(np.array([0.5, 0.1]))
    with pytest.raises(ag.ConvergenceError, match=r"in row 1: .*20 steps"):
        f(np.array([0.5, 1.5, 0.1, 2.0]))


def test_special_values(engine):
    rows = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300, 1.0, -2.0])

    def f(x):
        return ag.scan(lambda s, k: (ag.where(s < k, s * x, x / s - k), None), x, [1.0, 2.0, 3.0])[0]

    strict, plain = ag.compile(f, strict=True)(rows), ag.compile(f)(rows)
    for x, a, b in zip(rows.tolist(), strict, plain, strict=True):
        try:
            wanted = f(Value(x)).data
        except ag.DomainError:
            continue
        assert (a == wanted and math.copysign(1, a) == math.copysign(1, wanted)) or (
            math.isnan(a) and math.isnan(wanted)
        )
        assert b == pytest.approx(wanted, rel=1e-12, nan_ok=True)


def test_numbers_of_the_body_stay_there():
    kept = []

    def f(x):
        last, _ = ag.scan(lambda s, _: (kept.append(s * 2.0) or s * x, None), x, length=3)
        return last + kept[-1]

    with pytest.raises(TraceError, match="outside of them"):
        ag.compile(f)(np.ones(3))
    with pytest.raises(TraceError, match="outside of them"):
        ag.compile(lambda x: (ag.scan(lambda s, _: (kept.append(s) or s, None), x, length=3), kept[-1])[1])(np.ones(3))


def test_branches_in_the_body_are_refused():
    with pytest.raises(TraceError, match="where"):
        ag.compile(lambda x: ag.scan(lambda s, _: (s * x if s > 0 else s, None), x, length=3)[0])(np.ones(3))


def test_what_does_not_change_is_done_once():
    f = ag.compile(lambda x, y: ag.scan(lambda s, _: (s + ag.exp(y) * x, None), x, length=5)[0])
    f(np.ones(3), np.ones(3))
    program = f.program
    assert [i.op for i in program.code if i.op == "exp"] == ["exp"]
    assert [i.op for i in program.loops[0].body.code if i.op not in ("state", "outer")] == ["add"]


def test_only_what_is_needed_is_done():
    def f(x):
        (_, _, c), _ = ag.scan(lambda s, _: ((s[0] * x, s[1] + ag.exp(s[1]), s[2] + s[0]), s[1]), (x, x, x), length=5)
        return c

    compiled = ag.compile(f)
    compiled(np.ones(3))
    (loop,) = compiled.program.loops
    assert (loop.states, loop.outs) == (2, 0)
    assert "exp" not in {i.op for i in loop.body.code}


def test_value_and_derivatives_share_their_loops():
    compiled = ag.compile(prey)
    compiled.value_and_grad(ROWS)
    assert [loop.backward for loop in compiled.program.loops] == [False, True]
    compiled.jvp((ROWS,), (ROWS,))
    assert [loop.states for loop in compiled.program.loops] == [4]
    compiled.value_grad_and_hessian(ROWS)
    assert [loop.backward for loop in compiled.program.loops] == [False, True]


def test_the_program_as_text():
    compiled = ag.compile(lambda x: ag.scan(lambda s, k: (s * k, s), x, [x, 2.0, 3.0])[0])
    compiled(np.ones(3))
    assert str(compiled.program).splitlines() == [
        "    %0 = x  (row)",
        "    %1 = pack %0 2.0 3.0",
        "    %2 = loop, 3 steps:",
        "          %3 = state 0, first %0",
        "          %4 = element of %1",
        "          %5 = mul %3 %4",
        "      next state 0: %5",
        "    %6 = last %2 0",
        "result 0: %6",
    ]
    assert compiled.stats.operations == 3
    text = compiled.explain()
    assert "loop, 3 steps:" in text.split("program:")[0]


# Checkpoints ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checkpoint", [1, 2, 3, 4, 7, 8, 9, 20])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_checkpoints_change_no_result(checkpoint, dtype, engine):
    def f(x, checkpoint=None):
        def step(s, _):
            return [s[0] + 0.1 * x[0] * ag.sin(s[1]) / x[1], s[1] - 0.1 * s[0] / x[1]], None

        s, _ = ag.scan(step, [x[2], x[3]], length=9, checkpoint=checkpoint)
        return s[0] * s[1] + x[4] * x[5]

    kept = ag.compile(lambda x: f(x, checkpoint), dtype=dtype)
    rows = ROWS.astype(dtype)
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    for got, wanted in zip(
        kept.value_grad_and_hessian(rows), ag.compile(f).value_grad_and_hessian(rows.astype(float)), strict=True
    ):
        close(got, wanted, tolerance)
    both = kept.jvp((rows,), (rows,)), ag.compile(f).jvp((rows.astype(float),), (rows.astype(float),))
    close(both[0], both[1], tolerance)
    strict = ag.compile(lambda x: f(x, checkpoint), strict=True)(ROWS)
    assert strict.tolist() == [f([Value(x) for x in row]).data for row in ROWS.tolist()]


def test_checkpoints_bound_the_memory():
    n = 10**6
    sizes = {}
    for checkpoint in (None, 1000):

        def f(w, x, checkpoint=checkpoint):
            h = 1.0 / n
            step = lambda s, _: ((s[0] + h * s[1], s[1] - h * w * w * (s[0] + h * s[1])), None)
            return ag.scan(step, (x, 0.0), length=n, checkpoint=checkpoint)[0][0]

        compiled = ag.compile(f)
        value, (dw, dx) = compiled.value_and_grad(np.array([2.0]), np.array([3.0]), argnums=(0, 1))
        assert value[0] == pytest.approx(3.0 * math.cos(2.0), rel=1e-5)
        assert dw[0] == pytest.approx(-3.0 * math.sin(2.0), rel=1e-5)
        assert dx[0] == pytest.approx(math.cos(2.0), rel=1e-5)
        sizes[checkpoint] = compiled.stats.bytes_a_row, compiled.stats.operations
    assert sizes[None][0] > 8 * n
    assert sizes[1000][0] < 8 * 5000
    assert sizes[1000][1] < 2 * sizes[None][1]


def test_a_loop_that_would_need_too_much_memory_has_checkpoints(monkeypatch):
    monkeypatch.setattr(loops, "BUDGET", 64 * 2 * 30)
    compiled = ag.compile(lambda x: prey(x, 30))
    compiled.value_and_grad(ROWS)
    assert [loop.length for loop in compiled.program.loops] == [30, 30]
    compiled = ag.compile(lambda x: prey(x, 31))
    values, slopes = compiled.value_and_grad(ROWS)
    assert [loop.length for loop in compiled.program.loops] == [6, 6]
    for row, value, slope in zip(ROWS.tolist(), values, slopes, strict=True):
        wanted, gradient = ag.value_and_grad(lambda x: prey(x, 31))(row)
        assert value == pytest.approx(wanted, rel=1e-12)
        close(slope, gradient)


def test_a_workspace_that_does_not_fit_is_an_error():
    f = ag.compile(lambda x: ag.while_loop(lambda s: s < 1.0, lambda s: s + x, 0.0, 2**50))
    assert f(np.array([0.3])) == pytest.approx([1.2])  # the value alone keeps nothing
    with pytest.raises(MemoryError, match="max_steps"):
        f.grad(np.array([0.3]))


# Loops in loops ------------------------------------------------------------------------------------------------------


def solving(x):
    """A while loop in every step of a scan."""

    def step(s, k):
        a = s * s + x[0]
        root = ag.while_loop(lambda y: abs(y * y - a) > 1e-9, lambda y: (y + a / y) / 2.0, s + 1.0, 30)
        return root * x[1] + k, root

    s, roots = ag.scan(step, x[2], [x[3], x[4], x[5]])
    return s + ag.sum(list(roots)) * x[0]


def halving(x):
    """A scan in every step of a while loop."""

    def step(s):
        last, _ = ag.scan(lambda t, k: (t * x[0] + ag.sin(k * s[0]), None), s[0], [x[1], x[2], 0.3])
        return [last * 0.5, s[1] + 1.0]

    return ag.while_loop(lambda s: s[1] < 1.0 + 5.0 * x[3], step, [x[4], 0.0], 12)[0] * x[5]


def threefold(x):
    def outer(s, k):
        def middle(t, _):
            u, us = ag.scan(lambda u, m: (u * 0.8 + ag.sin(m * t) * s, u), t * k, [x[0], x[1]])
            return u + us[1], None

        t, _ = ag.scan(middle, s, length=2)
        return t, t * k

    s, ys = ag.scan(outer, x[2], [x[3], x[4], x[5]])
    return s * ys[1]


def shared_numbers(x):
    """Loops, one in the other, that go through the same numbers; and lists of ys, through which another one goes."""
    numbers = [x[0], x[1], x[2]]

    def step(s, k):
        t, ys = ag.scan(lambda t, m: (t + m * s, m * t), k, numbers)
        return t * 0.3, ys

    s, ys = ag.scan(step, x[3], numbers)
    u, _ = ag.scan(lambda u, y: (u + y[0] * y[2], None), x[4], ys)
    return s + u * x[5]


def chained(x):
    """Each loop reads what the one before computed."""
    a, _ = ag.scan(lambda s, _: (ag.sin(s * x[0]), None), x[1], length=4)
    b, _ = ag.scan(lambda s, _: (ag.sin(s * x[2]) * a, None), x[3], length=4)
    return ag.scan(lambda s, _: (ag.sin(s * x[4]) + b * s, None), x[5], length=4)[0]


def shifted(x):
    """The numbers of the state change places; one of ys is a constant, one comes from outside."""
    s, ys = ag.scan(lambda s, k: ((s[1], s[0] * x[0], s[0]), [1.5, x[4], k]), (x[1], x[2], x[3]), [x[5], 2.0, 1.0])
    return s[0] + s[1] * s[2] + ys[0][0] * ys[1][1] + ys[1][2] * ys[0][2]


@pytest.mark.parametrize("f", [solving, halving, threefold, shared_numbers, chained, shifted], ids=lambda f: f.__name__)
def test_loops_in_loops(f, engine):
    wanted = [ag.value_and_grad(f)(row) for row in ROWS.tolist()]
    for strict in (False, True):
        values, slopes, hessians = ag.compile(f, strict=strict).value_grad_and_hessian(ROWS)
        close(values, [value for value, _ in wanted], 0.0 if strict else 1e-12)
        close(slopes, [slope for _, slope in wanted])
        close(hessians[0], ag.hessian(f)(ROWS[0].tolist()), 1e-9)
    for order in ("reverse", "forward"):
        found = ag.compile(ag.jacobian(lambda x: [f(x), x[0] * x[1]], mode=order))(ROWS)
        close(np.array(found)[:, 0] if isinstance(found, np.ndarray) else found[0], slopes)
    shared = ag.compile(f, in_axes=None).value_grad_and_hessian(ROWS[0])
    for got, expected in zip(shared, (values[0], slopes[0], hessians[0]), strict=True):
        close(got, expected, 1e-9)
