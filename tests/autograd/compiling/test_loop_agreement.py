"""Random programs with loops and roots: eager, native, strict, float32 and NumPy agree, in value and derivatives."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.compiling import native
from tests.autograd.compiling.test_bounds import Guarded
from tests.autograd.test_loops import SCANS, WHILES

OPERATIONS = {
    "add": lambda x, y, c: x + y * c,
    "sub": lambda x, y, c: c - x - y,
    "mul": lambda x, y, c: x * y,
    "div": lambda x, y, c: x / (1.0 + y * y),
    "sin": lambda x, y, c: ag.sin(x * c),
    "exp": lambda x, y, c: ag.exp(ag.tanh(x)) - c,
    "sigmoid": lambda x, y, c: ag.sigmoid(x + c),
    "dot": lambda x, y, c: ag.dot([x, y, c], [y, c, x], c),
    "maximum": lambda x, y, c: ag.maximum(x, y),
    "abs": lambda x, y, c: abs(x - y) + c,
    "where": lambda x, y, c: ag.where((x > y) & (x < 1.0 + c * c), x * c, y),
    "root of what is positive": lambda x, y, c: ag.where(x > 0.0, ag.sqrt(ag.relu(x)), y),
    "logarithm of what is positive": lambda x, y, c: ag.where(x > 0.1, ag.log(abs(x) + 1e-3), y * c),
    "hypot": lambda x, y, c: ag.hypot(x, y + 2.0),
    "step": lambda x, y, c: ag.sign(x) * y,
    "constant": lambda x, y, c: c,
}


@st.composite
def blocks(draw, depth=2, most=4):
    """Steps of a program: an operation, a loop with a block as its body, or an equation; places of operands."""
    kinds = ["operation"] * 4 + ["root"] + ["scan", "scan", "while"] * (depth > 0)
    steps = []
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(kinds))
        places = draw(st.tuples(*[st.integers(0, 9)] * 3))
        constant = draw(st.floats(-2.0, 2.0, width=16))
        what = draw(st.sampled_from(sorted(OPERATIONS))) if kind == "operation" else draw(st.integers(1, 4))
        steps.append((kind, what, places, constant, draw(blocks(depth - 1, 3)) if kind in ("scan", "while") else []))
    return steps


def run(block, pool):
    """All numbers of a program; the operands of a step are found from the end of those before."""
    pool = list(pool)
    for kind, what, places, constant, inner in block:
        x, y, z = (pool[-1 - place % len(pool)] for place in places)
        if kind == "operation":
            pool.append(OPERATIONS[what](x, y, constant))
        elif kind == "scan":
            pool += scanned(inner, what, (x, y), [z, constant, x, 0.5][:what], pool[-3:])
        elif kind == "while":
            pool += repeated(inner, (x, y), 1.0 + ag.tanh(z), what, pool[-3:])
        else:
            pool.append(solution(x, y, z, constant, bracketed=what > 2))
    return pool


def scanned(block, length, state, xs, outer):
    def step(state, x):
        found = run(block, [*outer, *state, x])
        return (ag.tanh(found[-1]), ag.tanh(found[-2] + x)), {"a": found[-1], "b": [state[0], ag.sin(found[-2])]}

    last, ys = ag.scan(step, state, [ag.tanh(x) for x in xs], length=length)
    return [*last, ys["a"][0], ys["a"][length - 1], ys["b"][length // 2][1]]


def repeated(block, state, bound, most, outer):
    """At most 2·most steps; the number differs from row to row."""

    def step(state):
        found = run(block, [*outer, *state[:2]])
        return [ag.tanh(found[-1]), ag.tanh(found[-2]), state[2] + 1.0]

    return ag.while_loop(lambda state: state[2] < most * bound, step, [*state, 0.25], 2 * most + 1)[:2]


def solution(a, b, c, constant, bracketed):
    """Of an increasing function; it closes over c."""

    def f(x, a, b):
        return x * (1.5 + ag.tanh(a) ** 2) + 0.5 * ag.sin(x + constant) - ag.tanh(b) * ag.cos(c)

    return ag.root(f, ag.tanh(a), a, b, bracket=(-3.0, 2.0) if bracketed else None)


def program(block):
    def f(x):
        found = run(block, x)
        return ag.tanh(found[-1]) + ag.sin(found[-2]) * 0.5 + ag.tanh(found[len(found) // 2])

    return f


def eager(f, row):
    """Value, gradient, and the sizes of the numbers that they were added up from."""
    leaves = [Value(x) for x in row]
    result = f(leaves)
    if not isinstance(result, Value):
        return float(result), [0.0] * len(row), 1.0, 1.0
    result.backward()
    order = ag.topological(result)
    flow = max((abs(node.grad * p) for node in order for p in node.partials), default=0.0)
    return result.data, [x.grad for x in leaves], max(abs(node.data) for node in order), flow


def compiled(f, rows, **options):
    values, slopes = ag.compile(f, **options).value_and_grad(rows)
    return np.column_stack([values, slopes])


def without_native_code(f, rows):
    with mock.patch.object(native, "available", return_value=False):
        return compiled(f, rows)


programs = st.tuples(blocks(), st.integers(0, 2**31))
fewer = settings(max_examples=max(25, settings.default.max_examples // 8), deadline=None)


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
@given(programs)
@fewer
def test_random_programs(drawn):
    block, seed = drawn
    f = program(block)
    rows = np.random.default_rng(seed).normal(size=(9, 3))
    by = {
        "native": compiled(f, rows),
        "strict": compiled(f, rows, strict=True),
        "NumPy": without_native_code(f, rows),
    }
    for k, row in enumerate(rows):
        value, gradient, size, flow = eager(f, row.tolist())
        beside, slopes, _, _ = eager(f, (row * (1.0 + 2.0**-45)).tolist())
        before, earlier, _, _ = eager(f, (row * (1.0 - 2.0**-45)).tolist())
        if not flow < 1e6:
            continue
        scales = np.array([size, *[flow] * 3])
        exact = np.array([value, *gradient])
        amplified = np.abs(np.array([beside, *slopes]) - exact) + np.abs(np.array([before, *earlier]) - exact)
        for name, found in by.items():
            np.testing.assert_array_less(
                np.abs(found[k] - exact), 1e-12 * np.maximum(np.abs(exact), scales) + 4.0 * amplified + 1e-300, name
            )


@given(programs)
@fewer
def test_random_programs_in_single_precision(drawn):
    block, seed = drawn
    f = program(block)
    rows = np.random.default_rng(seed).normal(size=(33, 3)).astype(np.float32)
    found = compiled(f, rows, dtype="float32")
    exact = compiled(f, rows.astype(float))
    beside = [compiled(f, rows * (1.0 + h)) for h in (-3e-6, -1e-6, 1e-6, 3e-6)]
    amplified = np.sum([np.abs(x - exact) for x in beside], axis=0)
    steady = (np.abs(exact) < 1e3).all(axis=1) & (amplified < 1e-3).all(axis=1)  # not beside a jump
    assert np.isfinite(found[steady]).all()
    assert (np.abs(found - exact)[steady] <= 2e-3 * (1.0 + np.abs(exact[steady])) + 10.0 * amplified[steady]).all()


@given(programs)
@fewer
def test_further_derivatives_of_random_programs(drawn):
    block, seed = drawn
    f = program(block)
    rows = np.random.default_rng(seed).normal(size=(2, 3))
    fast = ag.compile(f)
    hessians = fast.hessian(rows)
    tangents = fast.jvp((rows,), (np.ones_like(rows),))[1]
    slopes = fast.grad(rows)
    for row, hessian, tangent, slope in zip(rows.tolist(), hessians, tangents, slopes, strict=True):
        scale = 1.0 + np.abs(hessian).max() + np.abs(slope).max() ** 2
        if not scale < 1e8:
            continue
        assert tangent == pytest.approx(slope.sum(), rel=1e-10, abs=1e-11 * scale)
        np.testing.assert_allclose(hessian, ag.hessian(f)(row), rtol=1e-9, atol=1e-10 * scale)


def everything(x):
    """A program with every kind of loop, nested."""
    state, ys = ag.scan(
        lambda s, z: ((ag.tanh(s[0] * x[1] + z), solution(s[0], s[1], z, 0.3, bracketed=True)), s[0] * s[1]),
        (x[0], x[2]),
        [x[1], 0.5, x[2], x[0]],
    )

    def halved(s):
        inner, _ = ag.scan(lambda t, y: (t + ag.sin(y * s[0]) * x[1], None), s[1], ys)
        return s[0] * 0.5, ag.tanh(inner)

    last = ag.while_loop(lambda s: s[0] > 0.2 * (1.0 + x[0] * x[0]), halved, (1.0 + x[2] * x[2], state[1]), 40)
    return last[1] * state[0] + solution(last[0], state[1], x[1], -0.2, bracketed=False)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", [16, 32, 64])
def test_any_number_of_rows_on_any_width_of_vectors(width, dtype):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    rows = np.random.default_rng(4).uniform(-1.0, 1.0, size=(4097, 3)).astype(dtype)
    exact = compiled(everything, rows.astype(float))
    f = ag.compile(everything, dtype=dtype)
    f._target = native.narrowed(width)
    tolerance = 1e-11 if dtype == "float64" else 5e-3
    for count in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097):
        values, slopes = f.value_and_grad(rows[:count])
        assert values.dtype == slopes.dtype == np.dtype(dtype)
        close = np.isclose(np.column_stack([values, slopes]), exact[:count], rtol=tolerance, atol=tolerance)
        # In single precision the condition may hold for one step more or fewer.
        assert np.count_nonzero(~close.all(axis=1)) <= (0 if dtype == "float64" else count / 1000)
    for k in range(0, 4097, 400):
        value, gradient, _, _ = eager(everything, rows[k].astype(float).tolist())
        assert exact[k] == pytest.approx([value, *gradient], rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_loops_stay_inside_their_arrays(dtype, at_the_end):
    f = ag.compile(everything, dtype=dtype)
    for rows in (1, 7, 8, 9, 15, 16, 17, 33):
        x = Guarded(rows * 3, dtype).array((rows, 3), at_the_end)
        values = Guarded(rows, dtype).array((rows,), at_the_end)
        slopes = Guarded(rows * 3, dtype).array((rows, 3), at_the_end)
        x[:] = np.random.default_rng(rows).uniform(-1.0, 1.0, size=(rows, 3))
        f.value_and_grad(x, out=(values, slopes))
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()


SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-300, 1.0, -2.0, 709.0]


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize(
    "body",
    [
        lambda s, k, x: s * x + k,
        lambda s, k, x: ag.where(s < k, ag.exp(s), s / (x + k)),
        lambda s, k, x: ag.maximum(s, x) - ag.minimum(k, s),
        lambda s, k, x: ag.sqrt(abs(s)) * x,
    ],
    ids=["product", "choice", "extremes", "square root"],
)
def test_special_values(body, strict):
    """Loops follow IEEE 754, as a compiled function without loops does."""
    xs = [1.0, -0.5, 2.0]

    def by_scan(x):
        return ag.scan(lambda s, k: (body(s, k, x), None), x, xs)[0]

    def by_while(x):
        step = lambda s: [body(s[0], ag.where(s[1] < 1.0, xs[0], ag.where(s[1] < 2.0, xs[1], xs[2])), x), s[1] + 1.0]
        return ag.while_loop(lambda s: s[1] < 3.0, step, [x, 0.5], 3)[0]

    def written_out(x):
        s = x
        for k in xs:
            s = body(s, k, x)
        return s

    rows = np.array(SPECIAL)
    with np.errstate(all="ignore"):
        exact = ag.compile(written_out, strict=strict).value_and_grad(rows)
        for f in (by_scan, by_while):
            for found, wanted in zip(ag.compile(f, strict=strict).value_and_grad(rows), exact, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-13)
            with mock.patch.object(native, "available", return_value=False):
                replayed = ag.compile(f, strict=strict).value_and_grad(rows)
            for found, wanted in zip(replayed, exact, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-13)


BAD = {**{f"scan: {k}": x for k, x in SCANS.items()}, **{f"while_loop: {k}": x for k, x in WHILES.items()}}
# A comparison is a number there, 1 or 0; a branch and an array of Values need numbers; a Value has no name of its own.
for name in ("scan: state becomes a bool", "scan: y changes", "scan: y vanishes", "scan: y appears"):
    del BAD[name]
for name in ("while_loop: an array as condition", "while_loop: a Value as condition"):
    del BAD[name]


@pytest.mark.parametrize(("call", "kind", "said"), BAD.values(), ids=BAD)
def test_what_is_refused_eagerly_is_refused_in_compiled_functions(call, kind, said):
    with pytest.raises(kind) as raised:
        ag.compile(lambda x: (call(), x)[1])(np.ones(3))
    assert said in str(raised.value)


def test_loops_in_every_kind_of_structure():
    def f(x):
        start = {"a": (x[0], [x[1]]), "b": x[2]}

        def step(state, z):
            (a, (b,)), c = state["a"], state["b"]
            new = {"a": (ag.sin(a * z["u"]), [b + z["v"][0]]), "b": c * z["v"][1]}
            return new, {"row": [a, b], "pair": (c, [[a], [c]])}

        last, ys = ag.scan(step, start, {"u": [x[0], 2.0, x[1]], "v": [[x[2], 1.0], [0.5, x[0]], [1.0, 2.0]]})
        seen, _ = ag.scan(lambda s, y: (s + y["row"][0] * y["pair"][1][1][0], None), 0.0, ys)
        return {"last": last, "rows": list(ys["row"]), "firsts": [y[0] for y in ys["row"]], "seen": seen}

    rows = np.random.default_rng(0).normal(size=(5, 3))
    found = ag.compile(f)(rows)
    slopes = ag.compile(f).jacobian(rows)["seen"]
    for k, row in enumerate(rows.tolist()):
        wanted = f(row)
        assert found["seen"][k] == pytest.approx(wanted["seen"], rel=1e-13)
        assert found["last"]["a"][1][k].tolist() == pytest.approx(wanted["last"]["a"][1], rel=1e-13)
        np.testing.assert_allclose(found["rows"][k], wanted["rows"], rtol=1e-13)
        np.testing.assert_allclose(found["firsts"][k], wanted["firsts"], rtol=1e-13)
        np.testing.assert_allclose(slopes[k], ag.grad(lambda x: f(x)["seen"])(row), rtol=1e-11, atol=1e-13)


def test_ys_are_results_of_compiled_functions():
    rows = np.random.default_rng(0).normal(size=(4, 2))
    f = ag.compile(lambda x: ag.scan(lambda s, k: (s * x[1] + k, (s, [s * k, k])), x[0], [1.0, 2.0, x[0]]))
    last, (firsts, pairs) = f(rows)
    for k, row in enumerate(rows.tolist()):
        end, (first, pair) = ag.scan(lambda s, k, x=row: (s * x[1] + k, (s, [s * k, k])), row[0], [1.0, 2.0, row[0]])
        assert last[k] == pytest.approx(end, rel=1e-13)
        np.testing.assert_allclose(firsts[k], first, rtol=1e-13)
        np.testing.assert_allclose(pairs[k], pair, rtol=1e-13)


def test_slices_of_ys():
    def f(x):
        _, ys = ag.scan(lambda s, _: (s * x, s), x, length=6)
        return ag.sum(ys[1:4]) + ys[-1] * ys[::-2][1] + ag.scan(lambda s, y: (s + y, None), 0.0, ys[2:])[0]

    x = np.array([0.5, -1.5])
    values, slopes = ag.compile(f).value_and_grad(x)
    for k, number in enumerate(x.tolist()):
        wanted, slope = ag.value_and_grad(f)(number)
        assert values[k] == pytest.approx(wanted, rel=1e-13)
        assert slopes[k] == pytest.approx(slope, rel=1e-12)


def test_a_call_of_a_function_beside_a_loop_with_constants():
    """Both are done once for all rows, where calls of one function are looked for."""
    inner = [("operation", "constant", (0, 0, 0), 0.0, []), ("operation", "abs", (0, 0, 0), 0.0, [])]
    f = program([("scan", 1, (0, 0, 0), 0.0, [("scan", 1, (5, 4, 4), 0.0, inner)])])
    rows = np.random.default_rng(0).normal(size=(3, 3))
    for found, row in zip(compiled(f, rows, dtype="float32"), rows.astype("float32").tolist(), strict=True):
        value, gradient, _, _ = eager(f, row)
        assert found == pytest.approx([value, *gradient], rel=1e-5)
