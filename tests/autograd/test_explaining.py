"""Explanations: the equations, path sums, reasons, bounds."""

import io
import math
import random
import re
import sys
from itertools import accumulate
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

import autograd as ag
from autograd import GraphError, InputError, Value, explain, explaining, grad, naming, operation
from autograd.language import language
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


def math_elements(mathml):
    """The elements of MathML, of which only those are used that all browsers draw alike."""
    elements = list(ElementTree.fromstring(mathml).iter())
    assert {e.tag for e in elements} <= {
        *("math", "mi", "mn", "mo", "mrow", "mfrac", "msub", "msup", "msqrt", "mtable", "mtr", "mtd"),
    }
    return elements


def test_a_derivation_in_mathml():
    error = recorded(network(names=True))
    explanation = explain(error, "w1")
    rows = [e for e in math_elements(explanation.mathml()) if e.tag == "mtr"]
    assert len(rows) == explanation.latex().count("&=")  # the same lines as in LaTeX
    assert ["".join(cell.itertext()) for cell in rows[1]] == ["", "=0.0363503·0.241301·0.05"]
    assert "".join(rows[0][0].itertext()) == "∂E∂w1"
    page = ElementTree.fromstring(explanation.html())
    assert [e.text for e in page if e.tag == "h4"] == ["Chain rule", "Local rules", "Paths: 2 from w1 to E", "Cost"]
    assert sum(1 for e in page.iter() if e.tag == "mtr") == len(rows)
    assert "together 0.000438568" in [e.text for e in page.iter() if e.tag == "li"]
    assert explanation._repr_html_() == explanation.html()  # what notebooks show


def test_a_remark_in_mathml_keeps_its_words_apart():
    a = Value(0.1, name="a")
    y = (a * 0.1 + a * 0.2 - a * 0.3) * 2
    y.name = "y"
    rows = [e for e in math_elements(explain(y, a).mathml()) if e.tag == "mtr"]
    left = "≈0\u2003(5.55112×10−17 is left by rounding)"
    assert left.replace(" ", "\u00a0") in ["".join(row.itertext()) for row in rows]


def test_an_explanation_in_chinese(golden):
    explanation = explain(recorded(network(names=True)), "w1")
    english = str(explanation)
    with language("zh"):
        chinese = str(explanation)  # made before, shown in the language in force now
    golden("explain_w1_zh.txt", chinese + "\n")
    assert str(explanation) == english
    chosen = explain(explanation.output, "w1", lang="zh-CN")
    assert str(chosen) == chinese
    assert "链式法则" in chosen.markdown()
    assert "链式法则" in chosen.html()
    assert [line for line in english.splitlines() if "∂" in line] == [x for x in chinese.splitlines() if "∂" in x]
    with pytest.raises(ag.ArgumentError, match="lang is 'en' or 'zh', not 'fr'"):
        explain(explanation.output, "w1", lang="fr")


def test_reasons_in_chinese():
    x = Value(-3.0, name="x")
    explanation = explain(ag.relu(x) * 2, x, lang="zh")
    assert explanation.notes == ["导数为 0，因为 relu(x) 在 x = −3 处是平的（失活的 relu），那里的斜率为 0。"]
    a = Value(0.0, name="a")
    notes = explain(ag.abs(a) + a, a, lang="zh").notes
    assert notes == ["|a| 正好在不可导点（尖点）上，那里的斜率由约定给出：在 0 处斜率为 0。"]
    rounded = explain((x * 0.1 + x * 0.2 - x * 0.3) * 2, x, lang="zh")
    assert re.search(r"\\left\( ?\S+ \\times 10\^\{-\d+\} \\text\{ 是舍入误差\}\\right\)", rounded.latex())


def test_a_convention_of_the_user_is_printed_as_it_is():
    x = Value(0.0, name="x")
    convention = "{slope} 0 at 0 }{"
    odd = operation("odd", lambda x: x, lambda z, x: 1.0, kink=lambda x: x, convention=convention)
    for lang in ("en", "zh"):
        assert convention in explain(odd(x), x, lang=lang).notes[0]


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


def test_a_path_says_which_occurrence_of_an_operand_it_takes():
    (x,) = named(x=3.0)
    z = ag.dot([x, 2.0, x], [x, x, 1.0])  # x₁·x₃ + 2·x₄ + x₂·1
    z.name = "z"
    lines = str(explain(z, x)).splitlines()
    at = lines.index("Paths: 4 from x to z")
    assert lines[at + 1 : at + 6] == ["  x₁ → z:  3", "  x₃ → z:  3", "  x₄ → z:  2", "  x₂ → z:  1", "  together 9"]


@pytest.mark.parametrize(
    ("paths", "last"),
    [
        (1, "  this is the one with the largest product"),
        (3, "  these are the 3 with the largest products"),
        (4, "  together 9"),
    ],
)
def test_it_is_said_which_paths_are_listed(paths, last):
    (x,) = named(x=3.0)
    z = ag.dot([x, 2.0, x], [x, x, 1.0])
    lines = str(explain(z, x, paths=paths)).splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("Paths: 4"))
    assert lines[at + 1 + paths] == last


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
        math_elements(explanation.mathml())
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
    first, second = explain(big * x, x).notes
    assert "not finite is the input big" in first
    assert "begins at the edge from x to" in second
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
    lines = [line.strip() for line in str(ag.steps(y)).splitlines()]
    assert "4  y = 3 − (−x·(x − (−1.5)))" in lines
    assert "= 2·(−0.5) = −1" in lines
    assert explain(y, x).derivative == grad(lambda v: 3.0 - (-v) * (v - -1.5))(-2.0)


def test_ones_own_operation_explains_itself():
    cube = operation("cube", lambda x: x**3, lambda z, x: 3 * x * x, formula="x ** 3", slopes=("3 * x ** 2",))
    x = Value(2.0, name="x")
    y = cube(x)
    y.name = "y"
    assert "∂y/∂x = 3·x² = 12" in str(explain(y, x))
    assert "= x³" in ag.draw(y).source
    assert grad(grad(cube))(2.0) == 12.0


def test_a_direct_edge_beside_another_path_names_what_is_held_fixed():
    x = Value(0.7, name="x")
    z = x * ag.exp(x)
    z.name = "z"
    for expand in (False, True):
        explanation = explain(z, x, expand=expand)
        text = str(explanation)
        assert "∂z/∂x = ∂z/∂exp(x) · ∂exp(x)/∂x + (∂z/∂x)|exp(x) = 0.7 · 2.01375 + 2.01375" in text
        assert "(∂z/∂x)|exp(x) = exp(x) = 2.01375" in text
        for written in (explanation.latex(), explanation.markdown()):
            assert (
                r"\frac{\partial z}{\partial \exp\left(x\right)} \cdot \frac{\partial \exp\left(x\right)}{\partial x}"
                r" + \left.\frac{\partial z}{\partial x}\right|_{\exp\left(x\right)}" in written
            )


def test_occurrences_of_a_formula_are_told_apart_in_it():
    x = Value(2.0, name="x")
    text = str(explain(ag.sin(x * x), x))
    assert "∂sin(x·x)/∂x = ∂sin(x·x)/∂(x·x) · ∂(x·x)/∂x" in text
    assert "∂(x·x)/∂x = ∂(x₁·x₂)/∂x₁ + ∂(x₁·x₂)/∂x₂ = 2 + 2 = 4" in text
    assert "x₁ = x₂ = x = 2" in text


def test_an_occurrence_is_not_taken_for_another_node():
    x, x1 = named(x=2.0, x1=5.0)
    y = x * x * x1
    y.name = "y"
    text = str(explain(y, x))
    assert "∂(x·x)/∂x = ∂(x₍₁₎·x₍₂₎)/∂x₍₁₎ + ∂(x₍₁₎·x₍₂₎)/∂x₍₂₎ = 2 + 2 = 4" in text
    assert r"\partial x_{1}" not in explain(y, x).latex()


def test_a_named_node_is_never_folded_away():
    x = Value(3.0, name="x")
    h = x**2
    h.name = "h"
    loss = (h - 1) ** 2
    loss.name = "L"
    text = str(explain(loss, x))
    for line in ("∂L/∂x = ∂L/∂h · ∂h/∂x = 16 · 6 = 96", "∂h/∂x = 2·x = 6", "∂L/∂h = 2·(h − 1) = 16"):
        assert "  " + line in text.splitlines()
    total = loss + 2.0 * h
    total.name = "T"
    text = str(explain(total, x))
    assert "∂T/∂L" in text


def test_counted_things_are_in_the_singular_where_there_is_one():
    x = Value(2.0, name="x")
    text = str(explain(ag.exp(x), x))
    assert "visits the one edge once and gives the derivatives with respect to the one leaf." in text
    assert "visits 1 edge and gives this one." in text


def test_a_result_of_rounding_alone_is_said_to_be_that():
    a = Value(0.1, name="a")
    y = (a * 0.1 + a * 0.2 - a * 0.3) * 2
    y.name = "y"
    explanation = explain(y, a)
    assert explanation.derivative != 0.0
    assert explanation.is_rounding
    left = "≈ 0 (5.55112e-17 is left by rounding)"
    lines = str(explanation).splitlines()
    assert lines[0] == f"∂y/∂a {left}"
    assert f"= 0.2 + 0.4 + (−0.6) {left}" in [line.strip() for line in lines]
    assert "no more than the rounding errors" in " ".join(explanation.notes)
    assert r"&\approx 0 \quad \left(5.55112 \times 10^{-17} \text{ is left by rounding}\right)" in explanation.latex()
    assert not explain(a * 0.3 - a * 0.299999, a).is_rounding


def test_sizes_that_overflow_are_no_bound_on_rounding():
    x = Value(1e-10, name="x")
    explanation = explain((x * 1e308 - x * 1e308) + x * 1e308, x)
    assert (explanation.derivative, explanation.is_rounding) == (1e308, False)


@pytest.mark.parametrize(("first", "second", "sign"), [(1, 1, ""), (-1, 1, "−"), (1, -1, "−"), (-1, -1, "")])
def test_partial_underflow(first, second, sign):
    x = Value(1e10, name="x")
    explanation = explain(((x * (first * 1e-200)) * (second * 1e-200)) * 1e300, x)
    assert explanation.derivative == pytest.approx(first * second * 1e-100)
    for equation in [*explanation.equations, *explanation.rules]:
        assert math.prod(factor.value for factor in equation.terms[0]) == pytest.approx(equation.value)
    assert f"= {sign}1e-100" in str(explanation)
    assert "left the range" not in str(explanation)


def test_underflow_on_the_way_back():
    x = Value(1e-10, name="x")
    explanation = explain(((x * 1e300) * 1e-200) * 1e-200, x)
    assert explanation.derivative == 0.0  # as in the sweep, which multiplies from the output on
    assert "underflows to 0 at the edge from x·1e300 to x·1e300·1e-200: 1e-200 · 1e-200" in " ".join(explanation.notes)
    assert "cancel" not in " ".join(explanation.notes)


@pytest.mark.parametrize(("kinks", "more"), [(3, None), (4, "1 more node is"), (5, "2 more nodes are")])
def test_many_kinks_are_counted(kinks, more):
    x = Value(0.0, name="x")
    notes = explain(ag.sum([ag.abs(x * k) for k in range(1, kinks + 1)]) + x, x).notes
    assert [f"|x·{k}| is exactly at a kink" in note for k, note in enumerate(notes[:3], 1)] == [True] * 3
    assert notes[3:] == ([] if more is None else [f"And {more} exactly at a kink."])


INFINITE = [
    ("the slope itself", lambda x: ag.sqrt(x) * 2, 0.0, ["from x to √x", "with respect to x = 0 is 1/(2·√x) = ∞"]),
    ("behind finite factors", lambda x: ag.exp(ag.sqrt(x * 3) * 2), 0.0, ["from x·3 to √(x·3)", "= ∞"]),
    ("two infinities", lambda x: ag.sqrt(x) - ag.sqrt(x) * 3, 0.0, ["contributions of ∞ and −∞ meet", "from x to √x"]),
    ("an overflow", lambda x: ag.square(x * 1e200) * 1e-300 * 1e300, 1.0, ["overflow"]),
    ("an infinite operand", lambda x: x * math.inf, 2.0, ["arose in x·∞ = ∞", "is ∞ = ∞"]),
    ("at two nodes", lambda x: ag.log(ag.sqrt(x) + 1) + ag.cbrt(x), 0.0, ["begins at the edge from x to "]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "f", "at", "fragments"), INFINITE, ids=[r[0] for r in INFINITE])
def test_where_an_infinite_derivative_begins(what, f, at, fragments):
    x = Value(at, name="x")
    y = f(x)
    explanation = explain(y, x)
    assert not math.isfinite(explanation.derivative) or not math.isfinite(y.data)
    for fragment in fragments:
        assert fragment in " ".join(explanation.notes)
    assert "the numbers written give" not in str(explanation)  # they agree: they are not finite either


def test_zero_times_infinity_is_explained():
    x = Value(0.0, name="x")
    text = str(explain(ag.sqrt(x) * 0.0 + x, x))
    assert "0 · 1/(2·√x) = 0 · ∞ = 0" in text
    assert "A product with a factor that is exactly 0 is 0 here" in text


def test_large_sums_are_cut_and_still_add_up():
    x = Value(1.0, name="x")
    y = ag.sum([x] * 20)
    y.name = "y"
    (equation,) = explain(y, x).equations
    assert len(equation.terms) == 8
    assert (equation.rest, equation.value) == (12.0, 20.0)
    assert "+ ∂y/∂x₈ + …\n        = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 12 = 20" in str(explain(y, x))


def test_fan_out_takes_linear_work():
    def task(build_wide):
        def prepared(n):
            x = Value(0.5, name="x")
            y = build_wide(x, n)
            return lambda: str(explain(y, x))

        return prepared

    for build_wide in (
        lambda x, n: ag.sum([x] * n),
        lambda x, n: ag.dot([x] * n, [Value(1.0)] * n),
        lambda x, n: ag.sum([ag.sin(x * k) for k in range(n)]),
        lambda x, n: _repeat(lambda y: x * y * 0.999, Value(1.0), n),
        lambda x, n: _repeat(lambda y: y + ag.sin(x), Value(0.0), n),
    ):
        assert growth(task(build_wide), 500) < 2.3


def test_recorded_numbers_are_explained_also_after_an_update():
    w, x = named(w=2.0, x=0.0)
    loss = ag.sin(w * x)
    w.data = 9.0
    said = " ".join(explain(ag.relu(loss - 1.0), w).notes)
    assert "9" not in said
    square = x * x
    x.data = 7.0
    assert "x₁ = x₂ = x = 0" in str(explain(square, x))


def test_a_large_graph_is_announced_in_a_terminal_only(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    x = Value(0.5, name="x")
    y = _repeat(ag.sin, x, 200)
    for stream, nodes, announced in ((Terminal, 200, True), (Terminal, 201 + 1, False), (io.StringIO, 200, False)):
        monkeypatch.setattr(explaining, "LARGE", nodes)
        monkeypatch.setattr(explaining, "PATIENCE", 0.0)
        monkeypatch.setattr(sys, "stderr", stream())
        explain(y, x)
        assert ("explaining 201 nodes" in sys.stderr.getvalue()) == announced
        for written in (
            str,
            explaining.Explanation.latex,
            explaining.Explanation.markdown,
            explaining.Explanation.html,
        ):
            explanation = explain(y, x)
            monkeypatch.setattr(sys, "stderr", stream())
            plain = written(explanation)
            assert ("explaining 201 nodes" in sys.stderr.getvalue()) == announced
            assert "201 nodes" not in plain


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda e, x: explain(e, "w55"), GraphError, ["'E'", "'w55'", "did you mean 'w5'"]),
        (lambda e, x: explain(e, "zzz"), GraphError, ["no node called", "w1"]),
        (lambda e, x: explain(e, x), GraphError, ["does not depend", "'x'", "detach"]),
        (lambda e, x: explain(1.0, x), InputError, ["float"]),
        (lambda e, x: explain(e, 3), InputError, ["wrt", "3"]),
        (lambda e, x: explain(e, "w1", paths=0), ag.ArgumentError, ["paths", "from 1 on", "0"]),
    ],
)
def test_what_is_refused(call, kind, fragments):
    with pytest.raises(kind) as error:
        call(recorded(network(names=True)), Value(1.0, name="x"))
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_name_of_several_nodes_is_refused():
    a, b = Value(1.0, name="w"), Value(2.0, name="w")
    with pytest.raises(GraphError, match="2 nodes are called"):
        explain(a * b, "w")
    assert "∂(w·w′2)/∂w′2 = w = 1" in str(explain(a * b, b))


HOSTILE = [
    "a_b%$#{}\\",
    "$$",
    "\\end{aligned}$$<script>alert(1)</script>$$\\begin{aligned}",
    "\\end{align*}\\input{secret}",
    "<img src=x onerror=alert(1)>",
    "[link](javascript:alert(1))",
    "![image](https://example.org/x.png)",
    "`code` *bold* ~~struck~~ | cell",
    "\x00\x07\x1b[31mred",
    "\ud800 \udfff",
    "\u202eevil\u202c \u2066hidden\u2069",
    "two\nlines\r\n\n# heading\n- item",
    "&lt;script&gt;",
    "y" * 10_000,
    " ",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out(name):
    x = Value(2.0, name=name)
    h = x * ag.exp(x) * x
    h.name = name
    cube = operation("cube", lambda x: x**3, lambda z, x: 3 * x * x, kink=lambda x: 0.0, convention=name)
    y = cube(h * 1.0)
    y.name = name + "y"
    explanation = explain(y, x)
    plain, latex, markdown = str(explanation), explanation.latex(), explanation.markdown()
    for mathml in (explanation.mathml(), explanation.html()):
        mathml.encode()
        ElementTree.fromstring(mathml)
        assert mathml.isprintable()
    for text in (plain, latex, markdown, repr(explanation)):
        text.encode()
        assert all(c.isprintable() or c == "\n" for c in text)
        assert max(map(len, text.splitlines())) < 2500
    # Markdown: nothing is read as HTML, as a link or as the end of a formula.
    assert "<" not in markdown
    bare = re.sub(r"\\[^\w\s]", "", markdown)
    assert "](" not in bare
    formulas = bare.split("$$")[1::2]
    assert "$" not in bare.replace("$$", "")
    assert len(formulas) == bare.count("$$\\begin{aligned}") == bare.count("\\end{aligned}$$")
    # LaTeX: braces are balanced, and the only environment is ours.
    for formula in (*formulas, re.sub(r"\\[^\w\s]", "", latex)):
        depths = list(accumulate((c == "{") - (c == "}") for c in formula))
        assert min(depths) >= 0
        assert depths[-1] == 0
        assert formula.count("\\begin{") == formula.count("\\end{") == 1
        assert "\\input" not in formula
        assert "%" not in formula


def test_numbers_of_nodes_are_not_printed_before_they_are_asked_for(monkeypatch):
    x = y = Value(0.5, name="x")
    for k in range(naming.LARGE + 1000):
        y = ag.sin(y) if k % 2 else y * 1.0001
    printed = []
    plain = naming.label
    monkeypatch.setattr(naming, "label", lambda name, style: printed.append(name) or plain(name, style))
    assert explain(y, x).title.startswith(f"∂v{naming.LARGE + 1000}/∂x = ")
    assert len(printed) < 50
