"""Explanations: the equations, path sums, reasons, bounds."""

import math
import random

import pytest
from hypothesis import given, settings

import autograd as ag
from autograd import GraphError, InputError, Value, explain, grad, operation
from demos.worked_example import network, recorded

from ..expressions import build, programs
from ..work import growth


def named(**numbers):
    return [Value(x, name=name) for name, x in numbers.items()]


def test_golden_texts(golden):
    error = recorded(network(names=True))
    for wrt in ("w1", "w5"):
        explanation = explain(error, wrt)
        golden(f"explain_{wrt}.txt", str(explanation) + "\n")
        golden(f"explain_{wrt}.md", explanation.markdown() + "\n")
        golden(f"explain_{wrt}.tex", explanation.latex() + "\n")
    golden("explain_w5_expanded.txt", str(explain(error, "w5", expand=True)) + "\n")


def test_paths_add_up():
    a, b = named(a=2.0, b=1.0)
    c, d = a + b, b + 1
    c.name, d.name = "c", "d"
    e = c * d
    e.name = "e"
    text = str(explain(e, b))
    assert "∂e/∂b = ∂e/∂c · ∂c/∂b + ∂e/∂d · ∂d/∂b = 2 · 1 + 3 · 1 = 2 + 3 = 5" in text
    explanation = explain(e, "b")
    assert explanation.path_count == 2
    assert [p.product for p in explanation.paths] == [3.0, 2.0]
    assert (explanation.reverse_edges, explanation.forward_edges) == (5, 4)


@settings(max_examples=100)
@given(programs(max_nodes=12))
def test_path_sums_are_the_derivative(program):
    _, output = build(program)
    order = ag.topological(output)
    if not all(math.isfinite(p) for n in order for p in n.partials):
        return
    for leaf in ag.leaves(output):
        explanation = explain(output, leaf, paths=5000)
        assert str(explanation)
        assert explanation.latex()
        assert explanation.markdown()
        if explanation.path_count <= 5000:
            products = [p.product for p in explanation.paths]
            scale = max(1.0, math.fsum(map(abs, products)))
            assert math.fsum(products) == pytest.approx(explanation.derivative, abs=1e-9 * scale)
            assert products == sorted(products, key=abs, reverse=True)


def test_paths_are_counted_not_enumerated():
    (x,) = named(x=1.0)
    y = x
    for _ in range(100):
        y = y + y
    assert explain(y, x).path_count == 2**100
    assert f"{2**100:,}" in str(explain(y, x))


def tangled(n):
    """A task: the explanation of n operations on operands not far away, chosen at random."""
    rng = random.Random(0)
    xs = [Value(rng.uniform(-1, 1), name=f"x{i}") for i in range(10)]
    values = list(xs)
    for k in range(n):
        a, b = values[-1 - rng.randrange(min(20, len(values)))], values[-1 - rng.randrange(min(20, len(values)))]
        values.append(ag.tanh(a) if k % 3 == 0 else 0.5 * a + 0.5 if k % 3 == 1 else ag.dot([0.6, 0.3], [a, b]))
    return lambda: str(explain(values[-1], ag.leaves(values[-1])[0]))


def test_a_hundred_thousand_nodes_take_linear_work_and_stay_readable():
    assert growth(tangled, 2000) < 2.5
    text = tangled(100_000)()
    assert len(text.splitlines()) < 120
    assert max(map(len, text.splitlines())) < 2000


@pytest.mark.parametrize("build_long", [
    lambda x, n: _repeat(lambda h: x * h, Value(1.0), n),
    lambda x, n: _repeat(lambda s: s + ag.sin(x), Value(0.0), n),
    lambda x, n: _repeat(lambda y: (y + y) * 0.5, x, n),
])  # fmt: skip
def test_long_recurrences_take_linear_work(build_long):
    def explained(n):
        x = Value(0.99, name="x")
        y = build_long(x, n)
        return lambda: str(explain(y, x))

    assert growth(explained, 1000) < 2.5
    assert len(explained(30_000)()) < 20_000


def _repeat(f, y, n):
    for _ in range(n):
        y = f(y)
    return y


def test_occurrences_of_an_operand_are_told_apart():
    x = Value(3.0, name="x")
    y = x * x
    y.name = "y"
    text = str(explain(y, x))
    for line in ("∂y/∂x = 6", "∂y/∂x = ∂y/∂x₁ + ∂y/∂x₂ = 3 + 3 = 6", "∂y/∂x₁ = x₂ = 3", "∂y/∂x₂ = x₁ = 3"):
        assert line in text.replace("  ", "").splitlines()
    assert "y = x₁·x₂ = 9" in text
    assert explain(y, x).path_count == 2
    assert r"\frac{\partial y}{\partial x_{1}} + \frac{\partial y}{\partial x_{2}}" in explain(y, x).latex()


def test_the_culprit_of_a_zero_in_a_dot_is_the_operand_across():
    w1, w2, x1, x2, b = named(w1=0.0, w2=2.0, x1=1.0, x2=0.0, b=0.0)
    net = ag.dot([w1, w2], [x1, x2], b)
    assert "multiplied by x2 = 0" in " ".join(explain(net, w2).notes)
    assert "multiplied by w1 = 0" in " ".join(explain(net, x1).notes)


def test_a_deep_chain_does_not_recurse():
    (x,) = named(x=1.0)
    y = x
    for _ in range(50_000):
        y = ag.sin(y)
    assert "1 path" not in str(explain(y, x, expand=True))


TO_HALVES = ag.operation("to_halves", lambda x: math.floor(2 * x) / 2, lambda z, x: 0.0, stepwise=True)
REASONS = [
    ("a dead relu", lambda x: ag.relu(x - 5) * 2, ["dead relu", "−4"]),
    ("multiplied by a zero", lambda x: x * ag.identity(x - 1), None),
    ("multiplied by the constant 0", lambda x: x * 0.0 + 1, ["multiplied by the constant 0"]),
    ("the loser of max", lambda x: ag.maximum(x, 3.0), ["takes its other operand, the constant 3, not x = 1"]),
    ("the branch not taken", lambda x: ag.where(x > 5, x * 2, 1.0), ["takes its other operand, the constant 1"]),
    ("a step function", lambda x: ag.floor(x * 1.5), ["step function"]),
    ("a step function of the user's", lambda x: TO_HALVES(x * 1.5), ["step function"]),
    ("an operand without influence", lambda x: ag.copysign(3.0, x), ["with respect to x = 1 is 0."]),
    ("the kink of abs", lambda x: ag.abs(x - 1), ["kink", "x − 1 = 0"]),
    ("exp far to the left", lambda x: ag.exp(x * -800.0), ["saturated", "underflows"]),
    ("softsign far out", lambda x: ag.softsign(x * 1e8), ["tiny", "saturated"]),
    ("saturated to nothing", lambda x: ag.sigmoid(x * -800.0), ["saturated", "underflows"]),
    ("paths that cancel", lambda x: x * 2 - x * 2, ["cancel exactly", "4"]),
    ("clamped", lambda x: ag.clamp(x * 5, 0.0, 2.0), ["flat", "clamp"]),
    ("a tiny slope of a saturated sigmoid", lambda x: ag.sigmoid(x * 20.0), ["tiny", "saturated", "2.06115e-9"]),
    ("a huge slope", lambda x: 1 / (x - 0.9999), ["huge"]),
    ("a kink", lambda x: ag.relu(x - 1) + x, ["kink", "slope 0 at 0"]),
    ("nearly cancelling paths", lambda x: x * 1000.0 - x * 999.5, ["nearly cancel"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "f", "fragments"), REASONS, ids=[r[0] for r in REASONS])
def test_why(what, f, fragments):
    x = Value(1.0, name="x")
    explanation = explain(f(x), x)
    if fragments is None:  # x·(x − 1) at 1: an ordinary derivative needs no reason
        assert explanation.notes == []
        return
    said = " ".join(explanation.notes)
    for fragment in fragments:
        assert fragment in said
    assert "Why" in str(explanation)


def test_a_zero_that_is_another_nodes_value_is_named():
    x, w = named(x=2.0, w=0.0)
    assert "multiplied by w = 0" in " ".join(explain(w * x, x).notes)


def test_where_a_nan_or_an_infinity_arose():
    x = Value(0.0, name="x")
    y = ag.sqrt(x)
    y.name = "y"
    said = " ".join(explain(y * 2, x).notes)
    assert "slope of y with respect to x = 0" in said
    assert "∞" in said
    big = Value(math.inf, name="big")
    product = big * x
    assert "not finite is the input big" in " ".join(explain(product, x).notes)
    small = Value(1e200, name="s")
    square = small * small
    square.name = "q"
    assert "arose in q = ∞: s·s" in " ".join(explain(square * 1.0, small).notes)


def test_an_ordinary_derivative_needs_no_reason():
    assert explain(recorded(network(names=True)), "w1").notes == []


def test_unnamed_nodes_fold_and_expand():
    x = Value(2.0, name="x")
    y = ag.exp(ag.sin(x * 3.0))
    y.name = "y"
    assert "∂y/∂x = " in str(explain(y, x))
    assert "∂sin(x·3)/∂(x·3)" in str(explain(y, x, expand=True))


def test_signs_and_parentheses():
    x = Value(-2.0, name="x")
    y = 3.0 - (-x) * (x - -1.5)
    y.name = "y"
    text = str(ag.steps(y))
    assert "3 − (−x)·(x − (−1.5))" in text.replace("y = ", "") or "(−1.5)" in text
    assert explain(y, x).derivative == grad(lambda v: 3.0 - (-v) * (v - -1.5))(-2.0)


def test_ones_own_operation_explains_itself():
    cube = operation("cube", lambda x: x**3, lambda z, x: 3 * x * x, formula="x ** 3", slopes=("3 * x ** 2",))
    x = Value(2.0, name="x")
    y = cube(x)
    y.name = "y"
    assert "∂y/∂x = 3·x² = 12" in str(explain(y, x))
    assert "= x³" in ag.draw(y).source
    assert grad(grad(cube))(2.0) == 12.0


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda e, x: explain(e, "w55"), GraphError, ["'w55'", "did you mean 'w5'"]),
        (lambda e, x: explain(e, "zzz"), GraphError, ["no node called", "w1"]),
        (lambda e, x: explain(e, x), GraphError, ["does not depend", "'x'", "detach"]),
        (lambda e, x: explain(1.0, x), InputError, ["float"]),
        (lambda e, x: explain(e, 3), InputError, ["wrt", "3"]),
        (lambda e, x: explain(e, "w1", paths=0), ag.ArgumentError, ["at least 1"]),
    ],
)
def test_what_is_refused(call, kind, fragments):
    with pytest.raises(kind) as error:
        call(recorded(network(names=True)), Value(1.0, name="x"))
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_name_that_several_nodes_carry_is_refused():
    a, b = Value(1.0, name="w"), Value(2.0, name="w")
    with pytest.raises(GraphError, match="2 nodes are called"):
        explain(a * b, "w")
    assert "∂v1/∂w′2" in str(explain(a * b + ag.exp(a * b * b), b)) or "w′2" in str(explain(a * b, b))


def test_latex_is_escaped():
    x = Value(2.0, name="a_b%$#{}\\")
    latex = explain(ag.exp(x), x).latex()
    assert "\\%" in latex
    assert "\\$" in latex
    assert latex.count("{") == latex.count("}")
