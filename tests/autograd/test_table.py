"""The operation table against an independent oracle, and against everything that is made from it."""

import ast
import inspect
import math
import random

import pytest
from mpmath import mp

import autograd as ag
from autograd import Value, functions, ops
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
    assert public == set(ops.TABLE) - {"where"} | {"where", "softmax"}
    for name in public - {"softmax"}:
        assert getattr(ag, name).__doc__, name
    for op in ROWS:
        if len(op.operands) == 1 and not op.nary and op.name not in ("neg", "abs"):
            x = op.samples[0][0]
            assert getattr(Value(x), op.name)().data == getattr(ag, op.name)(x) == op.f(x), op.name
            assert getattr(Value(x), op.name)().op is op


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
    """PyTorch's, as DESIGN decides; the one column of the table that no limit can tell."""
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
