"""Programs written out as Python, C and JavaScript compute what the compiled function computes."""

import ctypes
import json
import math
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings

import autograd as ag
from autograd import ArgumentError, Value
from tests.expressions import programs, run

# Their values or slopes need functions that C's library does not have.
WITHOUT_C = {"gamma", "lgamma", "digamma", "polygamma", "erfinv", "erfcx", "normal_quantile", "beta"}


def executed(source, name):
    """The function that Python source defines."""
    namespace = {}
    exec(compile(source, name, "exec"), namespace)  # what a user does with it
    return namespace[name]


def in_c(tmp_path, sources):
    """A library of C sources, compiled as strictly as compilers can be told."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    file, library = tmp_path / "f.c", tmp_path / "f.so"
    file.write_text("\n".join(sources))
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", library, file, "-lm"], check=True)
    return ctypes.CDLL(str(library))


def in_node(tmp_path, sources, calls):
    """The results of calls of JavaScript functions."""
    if shutil.which("node") is None:
        pytest.skip("no Node.js")
    file = tmp_path / "f.js"
    lines = [f"console.log(JSON.stringify({call}, (k, x) => typeof x === 'number' ? String(x) : x));" for call in calls]
    file.write_text("\n".join(['"use strict";', *dict.fromkeys(sources), *lines]))
    found = subprocess.run(["node", file], check=True, capture_output=True, text=True)
    return [json.loads(line, parse_int=float) for line in found.stdout.splitlines()]


def of_table():
    """Every operation of the table that takes single numbers, as a compiled function, and where to compute it."""
    for name, op in ag.TABLE.items():
        if op.nary or op.condition or not hasattr(ag, name):
            continue
        names = "xyzabc"[: len(op.operands)]
        yield name, eval(f"lambda {', '.join(names)}: ag.{name}({', '.join(names)})", {"ag": ag}), op.samples


OPERATIONS = list(of_table())


def written(f, language):
    """The source, or None where the language lacks a function."""
    try:
        return f.source(language, argnums=tuple(range(f.function.__code__.co_argcount)))
    except ArgumentError as error:
        if "has no function for" not in str(error):
            raise
        return None


@pytest.mark.parametrize(("name", "function", "samples"), OPERATIONS, ids=[x[0] for x in OPERATIONS])
def test_every_operation_in_python_bit_for_bit(name, function, samples):
    f = ag.compile(function, strict=True)
    source = written(f, "python")
    if source is None:
        assert name in WITHOUT_C
        return
    again = executed(source, "f_value_and_grad")
    every = tuple(range(function.__code__.co_argcount))
    for sample in samples:
        value, slopes = f.value_and_grad(*(np.array([x]) for x in sample), argnums=every)
        assert repr(again(*sample)) == repr((value.item(), tuple(x.item() for x in slopes))), sample


def test_every_operation_in_c_and_javascript(tmp_path):
    c, js, expected, calls = [], [], [], []
    for name, function, samples in OPERATIONS:
        f = ag.compile(function)
        function.__name__ = f"own_{name}"
        in_javascript, every = written(f, "javascript"), tuple(range(function.__code__.co_argcount))
        source = written(f, "c")
        assert (source is None) == (name in WITHOUT_C)
        for sample in samples:
            value, slopes = f.value_and_grad(*(np.array([x]) for x in sample), argnums=every)
            expected.append((name, sample, [value.item(), *(x.item() for x in slopes)], source is not None))
            calls.append((in_javascript is not None, f"own_{name}_value_and_grad({', '.join(map(repr, sample))})"))
        c += [source] if source else []
        js += [in_javascript] if in_javascript else []
    library = in_c(tmp_path, c)
    for name, sample, numbers, known in expected:
        if known:
            out = (ctypes.c_double * len(numbers))()
            getattr(library, f"own_{name}_value_and_grad")(*map(ctypes.c_double, sample), out)
            np.testing.assert_allclose(list(out), numbers, rtol=4 * 2**-52 * 4, atol=1e-300, err_msg=f"{name}{sample}")
    engine = next(x for x in js if "const autograd" in x)
    engine = engine[: engine.index("/** The value and the gradient")]
    found = in_node(tmp_path, [engine, *(x.replace(engine, "") for x in js)], [call for known, call in calls if known])
    for (name, sample, numbers, _), (value, slopes) in zip(
        (x for x, (known, _) in zip(expected, calls, strict=True) if known), found, strict=True
    ):
        got = [float(value), *map(float, slopes)]
        np.testing.assert_allclose(got, numbers, rtol=1e-13, atol=1e-300, err_msg=f"{name}{sample}")


@settings(max_examples=40)
@given(programs(max_nodes=25))
def test_random_programs_in_python_bit_for_bit(program):
    numbers, steps = program
    try:
        f = ag.compile(lambda x: run(x, steps), in_axes=None, strict=True)
        value, slopes = f.value_and_grad(np.array(numbers))
    except ag.TraceError:  # the program looks at its numbers
        return
    again = executed(f.source("python"), "f_value_and_grad")
    assert repr(again(numbers)) == repr((value, slopes.tolist()))


def test_arguments_results_and_leaves_keep_their_structure(tmp_path):
    w = Value(0.5, name="w")

    def model(x, y):
        return {"a": ag.where(x[0][1] > 0, ag.log(x[0][1]) * w, ag.sqrt(-x[1][0])), "b": [y, y * x[1][1]]}

    f = ag.compile(model)
    x, y = np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([7.0])
    expected = {"a": 0.5 * math.log(2.0), "b": [7.0, 28.0]}
    assert executed(f.source("python", x, y, kind="value"), "model")(x[0].tolist(), 7.0) == expected
    f(x, y)  # from now on its shapes are known
    assert executed(f.source("python", kind="value"), "model")(x[0].tolist(), 7.0, 2.0)["a"] == 2.0 * math.log(2.0)
    jacobian = executed(f.source("python", kind="jacobian", argnums=(0, 1)), "model_jacobian")(x[0].tolist(), 7.0)
    assert jacobian == {
        "a": ([[0.0, 0.25], [0.0, 0.0]], 0.0),
        "b": ([[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 7.0]]], [1.0, 4.0]),
    }
    library = in_c(tmp_path, [f.source("c", kind="value")])
    out = (ctypes.c_double * 3)()
    library.model((ctypes.c_double * 4)(1.0, 2.0, 3.0, 4.0), ctypes.c_double(7.0), ctypes.c_double(0.5), out)
    assert list(out) == pytest.approx([expected["a"], 7.0, 28.0], rel=1e-15)
    assert "{'a': out[0], 'b': [out[1], out[2]]}" in f.source("c", kind="value")
    ((found),) = in_node(tmp_path, [f.source("javascript", kind="value")], ["model([[1, 2], [3, 4]], 7)"])
    assert [float(found["a"]), *map(float, found["b"])] == pytest.approx([expected["a"], 7.0, 28.0], rel=1e-15)


def test_a_branch_that_is_not_taken_may_have_no_value():
    f = ag.compile(lambda x: ag.where(x > 0.0, ag.log(x) + ag.sqrt(x) + 1.0 / x, x), strict=True)
    again = executed(f.source("python"), "f_value_and_grad")
    for x in (-2.0, -0.0, 0.0, 3.0):
        value, slope = f.value_and_grad(np.array([x]))
        assert repr(again(x)) == repr((value.item(), slope.item()))


def test_names_that_a_language_does_not_allow(tmp_path):
    f = ag.compile(lambda double, exp, 净值, t1: double * ag.exp(exp) + 净值 - t1)  # noqa: N803
    library = in_c(tmp_path, [f.source("c")])
    out = (ctypes.c_double * 2)()
    library.f_value_and_grad(*map(ctypes.c_double, (2.0, 0.0, 5.0, 1.0)), out)
    assert list(out) == [6.0, 1.0]
    g = ag.compile(lambda function, Math: function * ag.sin(Math))  # noqa: N803
    ((value, slope),) = in_node(tmp_path, [g.source("javascript")], ["f_value_and_grad(2, 1)"])
    assert [float(value), float(slope)] == pytest.approx([2 * math.sin(1.0), math.sin(1.0)], rel=1e-15)
    w = Value(3.0, name="*/ system(); /*")
    h = ag.compile(lambda x: x * w)
    assert in_c(tmp_path, [h.source("c")]).f_value_and_grad is not None


def test_each_line_has_its_formula():
    lines = ag.compile(lambda s, k: ag.log(s / k) ** 2).source("python", kind="value").splitlines()
    assert [line.split("# ")[1] for line in lines if "# " in line] == ["s/k", "log(s/k)", "log(s/k)·log(s/k)"]


def test_what_cannot_be_written_is_said():
    f = ag.compile(lambda x: ag.digamma(x))
    with pytest.raises(ArgumentError, match="C has no function for digamma"):
        f.source("c")
    with pytest.raises(ArgumentError, match="'python', 'c', 'javascript', not 'rust'"):
        f.source("rust")
    with pytest.raises(ArgumentError, match="kind is 'value'"):
        f.source("c", kind="jvp")
    with pytest.raises(ArgumentError):
        f.source("c", argnums=1)


def euler(a, b):
    def step(state, t):
        x, y = state
        return [x + 0.01 * (a * x - x * y), y + 0.01 * (x * y - b * y) + 0.001 * t], x * t

    (x, y), seen = ag.scan(step, [1.0, 0.5], xs=[b * k for k in range(7)])
    return x * y + seen[3]


def swapping(a, b):
    (x, y, _), _ = ag.scan(lambda s, _: ([s[1], s[0] * a, ag.sin(s[2])], None), [a, b, 1.0], length=5)
    return x - y


def nested(a, b):
    def outer(s, _):
        (inner,), seen = ag.scan(lambda r, _: ([ag.sin(r[0]) + b], r[0]), [s], length=3)
        return inner * a, seen[1]

    last, seen = ag.scan(outer, a, length=4)
    return last + seen[2]


def bounded(a, b):
    x, n = ag.while_loop(lambda s: s[0] < 5.0, lambda s: [s[0] * (1.0 + a) + b, s[1] + 1.0], [a, 0.0], max_steps=50)
    return x + n


def solved(a, b):
    return ag.root(lambda x, a, b: x - b * ag.sin(x) - a, 1.0, a, b)  # Kepler's equation


LOOPS = [euler, swapping, nested, bounded, solved]


def ravelled(x):
    return [y for part in x for y in ravelled(part)] if isinstance(x, list | tuple) else [np.asarray(x, dtype=float)]


@pytest.mark.parametrize("function", LOOPS)
@pytest.mark.parametrize("kind", ["value_and_grad", "hessian"])
def test_loops_in_python_bit_for_bit(function, kind):
    f = ag.compile(function, strict=True)
    again = executed(f.source("python", kind=kind, argnums=(0, 1)), f"{function.__name__}_{kind}")
    for a, b in ((0.7, 0.3), (1.1, 0.4)):
        got = getattr(f, kind)(np.array([a]), np.array([b]), argnums=(0, 1))
        assert [x.item().hex() for x in ravelled(again(a, b))] == [x.item().hex() for x in ravelled(got)]


def test_loops_in_c_and_javascript(tmp_path):
    fs = [ag.compile(function) for function in LOOPS]
    library = in_c(tmp_path, [f.source("c", kind="hessian", argnums=(0, 1)) for f in fs])
    calls = [f"{f.__name__}_hessian(0.7, 0.3)" for f in fs]
    found = in_node(tmp_path, [f.source("javascript", kind="hessian", argnums=(0, 1)) for f in fs], calls)
    for f, rows in zip(fs, found, strict=True):
        expected = np.ravel(f.hessian(np.array([0.7]), np.array([0.3]), argnums=(0, 1)))
        out = (ctypes.c_double * 4)()
        getattr(library, f"{f.__name__}_hessian")(ctypes.c_double(0.7), ctypes.c_double(0.3), out)
        np.testing.assert_allclose(list(out), expected, rtol=1e-11, err_msg=f.__name__)
        np.testing.assert_allclose([float(x) for row in rows for x in row], expected, rtol=1e-11, err_msg=f.__name__)
