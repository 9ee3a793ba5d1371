"""Mathematical functions that are written out in compiled programs: exact to 2 units in the last place, everywhere."""

import math
import random

import mpmath
import numpy as np
import pytest

import autograd as ag
from autograd.compiling import native, task
from autograd.compiling.instructions import CONDITIONS, INPUTS, OPCODES
from autograd.compiling.mathematics import FUNCTIONS, alone
from autograd.compiling.program import ROW, Instruction, Program
from autograd.compiling.task import Task
from benchmarks import accuracy
from tests import coefficients

UNARY = [name for name in FUNCTIONS if name != "atan2"]
DTYPES = {"float64": np.float64, "float32": np.float32}
SPECIAL = [
    *(0.0, 1e-45, 5e-324, 1e-310, 1e-38, 2.2250738585072014e-308, 1e-20, 2.0**-30, 0.25, 0.3465, 0.3466, 0.5, 0.5493),
    *(0.55, 0.75, 1.0, 1.5, 2.0, 3.0, 6.0, 9.1, 17.0, 22.0, 40.0, 87.3, 88.72, 88.73, 103.2, 104.0, 708.3, 709.78),
    *(709.79, 744.4, 745.2, 1e3, 1e5, 1e22, 3.4e38, 1e300, 1.7976931348623157e308, math.inf),
]


def target(width):
    """This machine, or a narrower one that fuses products and sums: the functions are written out on all of them."""
    wide = native.narrowed(max(width, 32))
    return native.Target(wide.cpu, wide.features, width, wide.registers)


def widths():
    host = native.host()
    return [width for width in (16, 32, 64) if width <= host.vector_bytes and host.fuses]


@pytest.fixture(autouse=True)
def every_function_is_written_out(monkeypatch):
    monkeypatch.setattr(native, "_QUICKER_THERE", dict.fromkeys((16, 32, 64), frozenset()))


def compiled(f, dtype, width):
    function = ag.compile(f, dtype=dtype)
    function._target = target(width)
    return function


AT_INFINITY = {  # of −inf and inf
    **{"exp": (0.0, math.inf), "exp2": (0.0, math.inf), "expm1": (-1.0, math.inf), "cosh": (math.inf, math.inf)},
    **{
        "tanh": (-1.0, 1.0),
        "erf": (-1.0, 1.0),
        "erfc": (2.0, 0.0),
        "normal_cdf": (0.0, 1.0),
        "sinh": (-math.inf, math.inf),
    },
    **{"atan": (-math.pi / 2, math.pi / 2)},
    **dict.fromkeys(("log", "log2", "log10", "log1p"), (math.nan, math.inf)),
}
ODD = {"expm1", "log1p", "tanh", "erf", "sin", "tan", "sinh", "atan", "asin"}  # or like an odd function at 0


def exact(name, x):
    """The value to 60 digits, or what IEEE 754 says."""
    if x != x:
        return math.nan
    if math.isinf(x):
        return AT_INFINITY.get(name, (math.nan, math.nan))[x > 0]
    if name.startswith("log") and x <= (end := -1.0 if name == "log1p" else 0.0):
        return -math.inf if x == end else math.nan
    if name in ("asin", "acos") and abs(x) > 1.0:
        return math.nan
    if name in ("erfc", "normal_cdf") and abs(x) > 100.0:
        return AT_INFINITY[name][x > 0]
    with mpmath.workdps(60):
        return (accuracy.IN_MPMATH.get(name) or getattr(mpmath, name))(mpmath.mpf(x))


def errors(name, x, found, dtype):
    """How far each result is from the exact one, in units in the last place of the type; inf if it is another kind."""
    result = []
    for point, y in zip(x.tolist(), found.tolist(), strict=True):
        right = exact(name, point)
        with np.errstate(all="ignore"):
            rounded = dtype(float(right)) if not isinstance(right, float) else dtype(right)
        if not np.isfinite(rounded) or not math.isfinite(y):
            result.append(0.0 if y == rounded or (y != y and rounded != rounded) else math.inf)
            continue
        if y == 0.0 and rounded == 0.0 and name in ODD and point == 0.0:
            result.append(0.0 if math.copysign(1.0, y) == math.copysign(1.0, point) else math.inf)
            continue
        with mpmath.workdps(60):
            result.append(float(abs(mpmath.mpf(y) - right) / mpmath.mpf(float(np.spacing(abs(rounded))))))
    return result


def inputs(name, dtype, count):
    """Special numbers of both signs, and random ones: of every size, and where functions change their form."""
    rng = random.Random(name)
    sizes = (-300, 300) if dtype is np.float64 else (-40, 38)
    found = [sign * x for x in SPECIAL for sign in (1.0, -1.0)] + [math.nan]
    found += [rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(*sizes) for _ in range(count)]
    for low, high in ((-1.0, 1.0), (-0.4, 0.4), (0.3, 0.6), (0.7, 1.6), (-6.0, 6.0), (-110.0, 90.0), (-746.0, 710.0)):
        found += [rng.uniform(low, high) for _ in range(count)]
    with np.errstate(all="ignore"):
        return np.array(found).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_results_are_within_two_units_in_the_last_place(name, dtype):
    x = inputs(name, DTYPES[dtype], 150)
    results = [compiled(getattr(ag, name), dtype, width)(x) for width in widths()]
    found = errors(name, x, results[0], DTYPES[dtype])
    k = int(np.argmax(found))
    assert found[k] <= 2.0, (x[k], results[0][k])
    for other in results[1:]:  # and the same on vectors of every width
        assert np.array_equal(other, results[0], equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in UNARY if name in OPCODES])
def test_a_function_of_its_own_gives_the_same_results(name, dtype, monkeypatch):
    x = inputs(name, DTYPES[dtype], 20)
    width = widths()[-1]
    expected = compiled(getattr(ag, name), dtype, width)(x)
    monkeypatch.setattr(task, "THOROUGH", 0)  # as if the program were long
    monkeypatch.setattr(native, "vector_function_name", lambda *what: None)
    assert np.array_equal(compiled(getattr(ag, name), dtype, width)(x), expected, equal_nan=True)


def fused(x, y, z):
    """x·y + z, rounded once."""
    dtype = np.result_type(x, y, z)

    def one(a, b, c):
        if not all(map(math.isfinite, (a, b, c))):
            return a * b + c
        with mpmath.workdps(700):
            total = mpmath.mpf(a) * mpmath.mpf(b) + mpmath.mpf(c)
        if total == 0:
            return a * b + c
        with mpmath.workprec(53 if dtype == np.float64 else 24):
            return float(+total)

    lined = np.broadcast_arrays(x, y, z)
    return np.array([one(*map(float, each)) for each in zip(*lined, strict=True)], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_numpy_gives_the_same_results_instruction_by_instruction(name, dtype):
    kind = DTYPES[dtype]
    x = np.random.default_rng(0).uniform(0.01, 5.0, 40).astype(kind)
    program = alone(name, 1, kind is np.float32, wide=False)
    program.check()
    numbers = {}
    for i in program.needed():  # as replay does
        op, operands, constant = program.code[i]
        if op in INPUTS:
            numbers[i] = x if op == "row" else kind(constant)
        else:
            function = fused if op == "fma" else OPCODES[op].numpy
            with np.errstate(invalid="ignore"):
                numbers[i] = function(*[numbers[k] for k in operands])
    expected = numbers[program.results[0]]
    for width in widths():
        assert np.array_equal(compiled(getattr(ag, name), dtype, width)(x), expected, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_angle_of_every_pair_of_numbers(dtype):
    kind, rng = DTYPES[dtype], np.random.default_rng(0)
    special = [sign * x for x in (0.0, 1e-40, 0.5, 1.0, 2.0, 1e30, math.inf) for sign in (1.0, -1.0)] + [math.nan]
    pairs = [(a, b) for a in special for b in special]
    pairs += rng.normal(size=(400, 2)).tolist()
    pairs += [(a * (1.0 + d), a) for a, d in zip(rng.normal(size=200), rng.normal(0.0, 0.01, 200), strict=True)]
    pairs += (10.0 ** rng.uniform(-30, 30, (200, 2)) * rng.choice((-1.0, 1.0), (200, 2))).tolist()
    y, x = np.array(pairs).astype(kind).T
    results = [compiled(ag.atan2, dtype, width)(y, x) for width in widths()]
    for other in results[1:]:
        assert np.array_equal(other, results[0], equal_nan=True)
    for a, b, found in zip(y.tolist(), x.tolist(), results[0].tolist(), strict=True):
        known = math.atan2(a, b)
        if math.isnan(known) or known == 0.0:
            assert math.isnan(found) if math.isnan(known) else (found == 0.0)
            assert math.isnan(known) or math.copysign(1.0, found) == math.copysign(1.0, known)
            continue
        with mpmath.workdps(60):
            right = mpmath.mpf(known) if math.inf in (abs(a), abs(b)) or 0.0 in (a, b) else mpmath.atan2(a, b)
            assert abs(found - right) <= 2 * mpmath.mpf(float(np.spacing(abs(kind(known))))), (a, b)


BITWISE = ["exponent", "significand", "scale", "turn", "odd", "add_unfused", "sub_unfused"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BITWISE)
def test_numpy_and_native_code_do_the_same_with_bits(name, dtype):
    kind = DTYPES[dtype]
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(-60, 60, 500)).astype(kind)
    x[:8] = [0.75, 1.0, 1.5, 2.0, 3.0, np.nextafter(kind(0.75), kind(0)), np.nextafter(kind(1.5), kind(0)), 0.5]
    k = rng.integers(-130, 130, 500).astype(kind)
    if name == "scale":
        x = np.exp(rng.uniform(-1, 1, 500)).astype(kind)
    first, second = (k, None) if name == "odd" else (x, k)
    operands = [first, second][: len(OPCODES[name].operands)]
    with np.errstate(over="ignore"):
        expected = OPCODES[name].numpy(*operands)
    program = Program([f"x{j}" for j in range(len(operands))], [], strict=False)
    for j in range(len(operands)):
        program.code.append(Instruction("row", (j,)))
    program.code.append(Instruction(name, tuple(range(len(operands)))))
    program.level = [ROW] * len(program.code)
    if name in CONDITIONS:
        expected = np.where(expected, x, k)
        program = Program(["x", "k"], [], strict=False)
        program.code += [Instruction("row", (0,)), Instruction("row", (1,)), Instruction(name, (1,))]
        program.code.append(Instruction("select", (2, 0, 1)))
        program.level = [ROW] * 4
        operands = [x, k]
    program.results = [len(program.code) - 1]
    program.check()
    for width in widths():
        out = np.empty(len(x), kind)
        made = Task(program, [[j] for j in range(len(operands))], [program.results], kind, target(width))
        made.run(operands, np.zeros(0), len(x), [out], 1)
        assert out.tolist() == expected.tolist()


def test_functions_of_one_operand_share_their_work():
    def count(f):
        function = compiled(f, "float64", widths()[-1])
        function(np.ones(100))
        plan, _ = function._last.task._scheduled(target(widths()[-1]), False)
        return sum(len(step.code) for step in plan.steps)

    for f, g in ((ag.exp, ag.expm1), (ag.sin, ag.cos), (ag.asin, ag.acos)):
        assert count(lambda x, f=f, g=g: [f(x), g(x)]) < 0.75 * (count(f) + count(g))


def test_machines_without_fused_products_call_the_library():
    without = native.narrowed(16)
    if "avx" not in native.host().features:
        pytest.skip("this processor has no other instructions than the narrowest")
    assert not without.fuses
    program = alone("exp", 1, single=False, wide=False)
    program.code.append(Instruction("exp", (0,)))
    program.code.append(Instruction("erfc", (0,)))
    assert native.written_out(program, without, "double") == frozenset()
    assert native.written_out(program, native.narrowed(32), "double") == {"exp", "erfc", "normal_cdf"}


def test_strict_programs_are_not_written_out():
    f = ag.compile(ag.exp, strict=True)
    f._target = target(widths()[-1])
    x = np.linspace(-3.0, 3.0, 50)
    assert f(x).tolist() == [math.exp(y) for y in x.tolist()]


def test_coefficients_are_what_the_script_derives(capsys):
    from pathlib import Path

    import autograd.compiling.coefficients as module

    coefficients.main()
    assert capsys.readouterr().out == Path(module.__file__).read_text(encoding="utf-8")


def test_the_benchmark_of_accuracy_agrees(capsys):
    if np.finfo(np.longdouble).nmant != 63:
        pytest.skip("the C library has no numbers of 80 bits here")
    assert set(accuracy.RANGES) == set(UNARY)
    accuracy.main(["exp"], 2000)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert len(lines) == 4
    for line in lines:
        _, _, _, _, largest, _, again, _ = line.split("|")
        assert 0.3 < float(largest) <= 1.5
        assert float(again) <= 1.5
