"""The operation table, compared with an independent oracle and with everything that is made from it."""

import ast
import contextlib
import inspect
import itertools
import math
import random

import pytest
from mpmath import mp

import autograd as ag
from autograd import Value, functions, ops
from autograd.graph import is_at_kink, numbers_of
from autograd.value import record

from ..oracle import REFERENCE, exact_partial, exact_value, random_operands

ROWS = list(ops.TABLE.values())
SPECIAL = {
    *("erf", "erfc", "erfcx", "erfinv", "normal_cdf", "normal_quantile", "gamma", "lgamma", "digamma", "polygamma"),
    *("beta", "gelu"),
}
# Sums of terms of both signs: their error is measured against the largest term, as for any sum.
TERMS = {
    "sum": lambda *xs: max(map(abs, xs)),
    "dot": lambda *xs: max(map(abs, [*(a * b for a, b in zip(xs, xs[len(xs) // 2 :], strict=False)), xs[-1]])),
    "fma": lambda x, y, w: max(abs(x * y), abs(w)),
    "logaddexp": lambda x, y: max(abs(x), abs(y), 1),
    "logsumexp": lambda *xs: max(1, *map(abs, xs)),
    "smooth_minimum": lambda x, y, e: max(abs(x), abs(y)),
    "smooth_maximum": lambda x, y, e: max(abs(x), abs(y)),
    "lgamma": lambda x: 1,
    "cross_entropy": lambda *xs: max(1, *map(abs, xs)),
}
SLOPE_TERMS = {  # partials that pass through zero between terms of about this size
    **dict.fromkeys(("silu", "mish", "gelu", "smooth_minimum", "smooth_maximum", "digamma", "lgamma"), 1.0),
    **{"celu": 1.0, "gamma": None, "beta": None, "erfcx": 1.2, "hardswish": 0.5, "cross_entropy": 1.0},
}
COMPOSED = {"softmax", "log_softmax", "mean", "logical_not", "stop_gradient"}  # functions without a row of their own
NO_SLOPE = {("polygamma", 0), ("where", 0)}


def ulps(got, exact, scale=0.0):
    """The error in units of the last place of the exact result, or of the scale if that is larger."""
    size = max(abs(float(exact)), float(scale), 5e-308)
    return abs(float(mp.mpf(got) - exact)) / math.ulp(size)


def allowed(op):
    return 1e-13 / 2.2e-16 if op.name in SPECIAL else 4.0


def check(op, operands):
    node = record(op, [Value(x) for x in operands])
    scale = TERMS.get(op.name, lambda *_: 0)(*operands)
    error = ulps(node.data, exact_value(op, operands), scale)
    assert error <= allowed(op), f"{op.name}{operands} = {node.data!r}: {error:.1f} ulp off"
    if op.kink is not None and op.kink(*operands) == 0:
        return  # the slope there is a convention, which test_every_convention_at_a_kink pins
    # A slope that is the exponential of a difference inherits the rounding of the difference: half an ulp of it.
    more = max(operands) - min(operands) if op.name in ("logaddexp", "logsumexp", "cross_entropy") else 0.0
    for position, partial in enumerate(node.partials):
        if (op.name, position) in NO_SLOPE or math.isnan(partial):
            continue  # nan: the slope of a power in its exponent, at a negative base
        exact = exact_partial(op, operands, position)
        scale = SLOPE_TERMS.get(op.name, 0.0)
        scale = abs(node.data) * 5 if scale is None else scale
        error = ulps(partial, exact, scale)
        assert error <= allowed(op) + more, (
            f"slope {position} of {op.name}{operands} = {partial!r}: {error:.1f} ulp off"
        )


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_samples_agree_with_the_oracle(op):
    assert op.samples
    for operands in op.samples:
        check(op, operands)


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_random_points_agree_with_the_oracle(op):
    rng = random.Random(op.name)
    for _ in range(1000 if op.name not in SPECIAL else 200):
        check(op, random_operands(op, rng))


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_written_slopes_are_the_partials(op):
    """The formula that explanations print for a partial has its value."""
    known = {name: REFERENCE[name] for name in REFERENCE} | {"max": max, "min": min, "pi": mp.pi}
    known |= {"s": 1.0507009873554805, "a": 1.6732632423543772} if op.name == "selu" else {}
    for operands in op.samples:
        node = record(op, [Value(x) for x in operands])
        if op.name == "cross_entropy":
            continue  # written in y = softmax(z), which test_losses checks
        names = dict(zip(op.names(len(operands)), map(mp.mpf, operands), strict=True)) | {"z": mp.mpf(node.data)}
        formula = compile(ast.parse(op.formula_for(len(operands)), mode="eval"), op.name, "eval")
        assert ulps(node.data, mp.mpf(eval(formula, known, names)), 1.0) < 1e4
        for position, partial in enumerate(node.partials):
            if (op.name, position) in NO_SLOPE or (op.kink is not None and op.kink(*operands) == 0):
                continue
            if math.isnan(partial):
                continue
            slope = compile(ast.parse(op.slope_for(position, len(operands)), mode="eval"), op.name, "eval")
            assert abs(partial - eval(slope, known, names)) < 1e-9 * max(1.0, abs(partial)), op.name


def test_the_oracle_knows_every_row_and_no_other():
    assert set(REFERENCE) == set(ops.TABLE)


def test_table_functions_and_methods_agree():
    public = set(functions.__all__)
    assert public == set(ops.TABLE) | COMPOSED
    for name in public:
        assert getattr(ag, name).__doc__, name
    for op in ROWS:
        if len(op.operands) == 1 and not op.nary and op.name not in ("neg", "abs"):
            x = op.samples[0][0]
            assert getattr(Value(x), op.name)().data == getattr(ag, op.name)(x) == op.f(x), op.name
            assert getattr(Value(x), op.name)().op is op


def test_every_method_of_a_value_has_its_line_of_the_table():
    inherited = set(dir(object)) | {"__hash__"}
    methods = [name for name, x in vars(Value).items() if inspect.isroutine(x) and name not in inherited]
    missing = [
        name
        for name in methods
        if not (name.startswith("_") and not name.endswith("__")) and not vars(Value)[name].__doc__
    ]
    assert missing == []
    assert Value.sigmoid.__doc__ == "sigmoid(x); slope z * (1 - z), z the result; for any operands."
    assert Value.log.__doc__ == "log(x); slope 1 / x; for x > 0."
    assert Value.relu.__doc__ == "relu(x); slope 1 if x > 0 else 0; for any operands; slope 0 at 0."
    assert Value.__truediv__.__doc__ == "x / y; slopes 1 / y and -z / y, z the result; for y ≠ 0."


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_functions_take_numbers_values_and_both(op):
    function = getattr(ag, op.name)
    operands = op.samples[0]
    arguments = op.arguments(operands)
    plain = function(*arguments)
    assert type(plain) is float
    tracked = op.arguments([Value(x) for x in operands])
    assert function(*tracked).data == plain
    if op.name != "where":
        parameters = list(inspect.signature(function).parameters.values())
        assert len([p for p in parameters if p.default is p.empty]) <= len(arguments)


def test_every_convention_at_a_kink():
    """The same as PyTorch's; the one column of the table that no limit determines."""
    for name, operands, slopes in [
        ("relu", (0.0,), (0.0,)),
        ("abs", (0.0,), (0.0,)),
        ("maximum", (2.0, 2.0), (0.5, 0.5)),
        ("minimum", (2.0, 2.0), (0.5, 0.5)),
        ("clamp", (1.0, -1.0, 1.0), (1.0, 0.0, 0.0)),
        ("hardtanh", (1.0,), (0.0,)),
        ("pow", (0.0, 0.0), (0.0, 0.0)),
        ("pow", (0.0, 1.0), (1.0, 0.0)),
        ("pow", (0.0, 2.0), (0.0, 0.0)),
        ("sqrt", (0.0,), (math.inf,)),
        ("hypot", (0.0, 0.0), (0.0, 0.0)),
        ("atan2", (0.0, 0.0), (0.0, 0.0)),
        ("floor", (2.0,), (0.0,)),
        ("leaky_relu", (0.0, 0.1), (0.1, 0.0)),
    ]:
        node = record(ops.TABLE[name], [Value(x) for x in operands])
        assert node.partials == slopes, (name, node.partials)


# What a row says about itself, against its numbers -------------------------------------------------------------------


def moderate(op, rng):
    """Operands of moderate size anywhere in the row's domain, kinks and ends of no matter."""
    if op.nary:
        return tuple(rng.uniform(-30, 30) for _ in range(2 * rng.randrange(1, 5)))
    ends = [(max(i.low, -30.0) + 1e-3, min(i.high, 30.0) - 1e-3) for i in op.domain]
    return tuple(rng.choice((rng.uniform(*e), float(round(rng.uniform(*e))))) for e in ends)


def inside(op, operands):
    return op.nary or all(x in interval for x, interval in zip(operands, op.domain, strict=True))


@pytest.mark.parametrize("op", [op for op in ROWS if op.finite is True], ids=lambda op: op.name)
def test_what_is_called_finite_is_finite(op):
    rng = random.Random(op.name)
    for _ in range(2000):
        operands = moderate(op, rng)
        if inside(op, operands):
            assert math.isfinite(op.f(*op.arguments(operands))), operands


INFINITE = {  # where the other rows overflow, or leave what is finite although all operands are finite
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh", "gamma"), (1000.0,)),
    **{"exp2": (1024.0,), "pow": (10.0, 400.0), "erfcx": (-30.0,), "csc": (0.0,), "cot": (0.0,)},
    **{"lgamma": (0.0,), "digamma": (0.0,), "polygamma": (1.0, 0.0), "beta": (0.0, 1.0)},
}


@pytest.mark.parametrize("op", [op for op in ROWS if op.finite is not True], ids=lambda op: op.name)
def test_what_is_not_called_finite_overflows_somewhere(op):
    with pytest.raises((ArithmeticError, ValueError)):
        op.f(*INFINITE[op.name])


def test_powers_are_finite_for_a_known_whole_exponent_only():
    assert [ops.POW.is_finite((None, y)) for y in (2.0, 1.0, 0.5, 0.0, -1.0, None)] == [True, True, *[False] * 4]
    assert ops.DIV.is_finite((None, 2.0))
    assert not ops.DIV.is_finite((None, 0.0))
    assert not ops.DIV.is_finite((2.0, None))


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_a_step_is_flat_and_what_is_flat_everywhere_is_a_step(op):
    rng = random.Random(op.name)
    points = [random_operands(op, rng) for _ in range(300)]
    nodes = [record(op, [Value(x) for x in operands]) for operands in points]
    assert op.stepwise == all(p == 0.0 for node in nodes for p in node.partials)
    if op.stepwise:
        for operands, node in zip(points, nodes, strict=True):
            if op.kink(*operands) and abs(op.kink(*operands)) > 1e-6:
                assert {op.f(*[x + s * 1e-9 for x in operands]) for s in (-1, 1)} == {node.data}


@pytest.mark.parametrize("op", [op for op in ROWS if op.step], ids=lambda op: op.name)
def test_a_piece_ends_at_a_jump(op):
    """Between two points on one piece the value changes no faster than its slope says; else there was a jump."""
    rng = random.Random(op.name)
    pieces = set()
    for _ in range(1000):
        x, *rest = random_operands(op, rng)
        y = x + rng.uniform(-1.0, 1.0)
        a, b = (record(op, [Value(v), *rest]) for v in (x, y))
        on_one = op.piece((x, *rest), a.data) == op.piece((y, *rest), b.data)
        pieces.add(op.piece((x, *rest), a.data))
        assert on_one == (abs(b.data - a.data - a.partials[0] * (y - x)) < 1e-9), (x, y, rest)
    assert len(pieces) > 2


@pytest.mark.parametrize("op", [op for op in ROWS if op.name not in SPECIAL and not op.nary], ids=lambda op: op.name)
def test_flat_means_a_whole_side_without_slope(op):
    rest = op.samples[0][1:] if op.name != "clamp" else (-1.0, 1.0)
    if op.domain[0] != ops.REAL or op.stepwise or op.name in ("where", "copysign"):
        assert not op.flat
        return
    if op.selects and not op.flat:
        return  # which operand is taken depends on the other one
    slopes = [record(op, [Value(s * x), *rest]).partials[0] for s in (-1, 1) for x in (5.1, 7.3, 11.2)]
    assert op.flat == (slopes[:3] == [0.0] * 3 or slopes[3:] == [0.0] * 3), slopes


@pytest.mark.parametrize("op", [op for op in ROWS if op.selects], ids=lambda op: op.name)
def test_what_selects_returns_one_of_its_operands(op):
    rng = random.Random(op.name)
    taken = set()
    for _ in range(300):
        operands = random_operands(op, rng)
        value = op.f(*operands)
        places = [k for k in op.selects if operands[k] == value]
        assert places
        taken.update(places)
    assert taken == set(op.selects)


@pytest.mark.parametrize("op", [op for op in ROWS if op.domain[0] == ops.REAL and not op.nary], ids=lambda op: op.name)
def test_what_saturates_is_monotone_and_levels_off(op):
    rest = {"clamp": (-1.0, 1.0)}.get(op.name, op.samples[-1][1:])
    nodes = [record(op, [Value(k / 8.0), *rest]) for k in range(-160, 161)]
    rises, falls = (all(s * (b.data - a.data) >= 0 for a, b in itertools.pairwise(nodes)) for s in (1, -1))
    slopes = [node.partials[0] for node in nodes[120:200] if op.kink is None or op.kink(*numbers_of(node.operands))]
    levels_off = False
    for side in (-1, 1):
        with contextlib.suppress(ag.DomainError):  # the other side may overflow
            near, far = (record(op, [Value(side * x), *rest]) for x in (600.0, 1200.0))
            levels_off = levels_off or (abs(far.data - near.data) < 1e-2 and abs(near.partials[0]) < 1e-3)
    assert op.saturates == ((rises or falls) and 0.0 not in slopes and levels_off)


@pytest.mark.parametrize("op", [op for op in ROWS if op.activation], ids=lambda op: op.name)
def test_a_rectifier_passes_one_side(op):
    function = getattr(ag, op.name)
    slopes = []
    for x in (-20.0, 20.0):
        leaf = Value(x)
        function(leaf).backward()
        slopes.append(leaf.grad)
    assert op.rectifier == (abs(slopes[0]) <= 0.05 and 0.9 < slopes[1] < 1.1)


def test_texts_of_the_table_do_not_change_programs(monkeypatch):
    """Notes and conventions are for readers: with other words, every program stays the same."""

    def programs():
        found = []
        for op in ROWS:
            f = ag.compile(lambda x, op=op: ag.relu(apply(op, x)) * ag.exp(x[0]) * ag.sin(x[-1]), in_axes=None)
            f.grad(list(op.samples[0]))
            found.append(str(f.program))
        return found

    before = programs()
    for op in ROWS:
        for column in ("note", "convention", "symbol"):
            monkeypatch.setattr(op, column, "reworded")
    assert programs() == before


def apply(op, xs):
    return getattr(ag, op.name)(*op.arguments(xs)) if op.name != "where" else ag.where(xs[0] > 0, *xs[1:])


def test_the_slopes_of_cross_entropy_as_written():
    """They are written with the shares y = softmax(z), which no other row has."""
    for operands in ops.TABLE["cross_entropy"].samples:
        node = ag.cross_entropy(*(list(map(Value, half)) for half in halves(operands)))
        n = len(operands)
        known = {f"x{i}": x for i, x in enumerate(operands)}
        known |= {f"y{i + 1}": share.data for i, share in enumerate(ag.softmax(list(map(Value, halves(operands)[0]))))}
        for i, partial in enumerate(node.partials):
            assert eval(node.op.slope_for(i, n), {"log": math.log}, known) == pytest.approx(partial, rel=1e-12)


def halves(xs):
    return xs[: len(xs) // 2], xs[len(xs) // 2 :]


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round"])
def test_where_steps_are(name):
    """Numbers from 2⁵² on are whole; there every step is a single float."""
    half = 0.5 if name == "round" else 0.0
    step = lambda x: is_at_kink(getattr(ag, name)(Value(x)))
    assert [step(x + half) for x in (2.0, -3.0, 2.0**40)] == [True] * 3
    assert [step(x) for x in (2.25, -0.25, 2.0**40 + 0.25, 1e-300)] == [False] * 4
    assert [step(x) for x in (2.0**52, -(2.0**53), 1e300)] == [True] * 3
