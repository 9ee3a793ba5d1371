"""gradcheck: it must find deliberate mistakes, and must not report errors in correct derivatives."""

import io
import json
import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import autograd as ag
from autograd import GradcheckError, Value, gradcheck, operation, ops
from autograd.check import Report
from autograd.comparing import Branch, Claim, Comparison, Line, compare
from autograd.differences import Slope
from autograd.language import language

from ..expressions import build, programs, run

sig = lambda x: 1 / (1 + math.exp(-x))

# (what is wrong, the function, where)
MISTAKES = [
    ("MAE's slope as |ŷ − y| (tutorial 001)", operation("mae", lambda y, t: abs(y - t), lambda z, y, t: abs(y - t), lambda z, y, t: -abs(y - t)), (2.5, 0.25)),
    ("MAE's slope without its sign", operation("mae", lambda y, t: abs(y - t), lambda z, y, t: 1.0, lambda z, y, t: -1.0), (0.25, 2.5)),
    ("chain factor of an inner function missing", operation("sin2x", lambda x: math.sin(2 * x), lambda z, x: ag.cos(2 * x)), (0.3,)),
    ("relu′(0) = 1", operation("relu", lambda x: max(x, 0.0), lambda z, x: 1.0 if x >= 0 else 0.0), (0.0,)),
    ("relu that also passes negative slopes", operation("relu", lambda x: max(x, 0.0), lambda z, x: 1.0), (-1.0,)),
    ("sigmoid's slope as out(1 − out) of the net input (tutorial 001)", operation("sg", sig, lambda z, x: x * (1 - x)), (0.7,)),
    ("tanh's slope as 1 − x²", operation("th", math.tanh, lambda z, x: 1 - x * x), (0.7,)),
    ("tanh's slope as 1 − z", operation("th", math.tanh, lambda z, x: 1 - z), (0.7,)),
    ("sign of cos′", operation("cosine", math.cos, lambda z, x: ag.sin(x)), (0.7,)),
    ("factor 2 of a square missing", operation("sq", lambda x: x * x, lambda z, x: x), (3.0,)),
    ("factor ½ missing", operation("half", lambda x: 0.5 * x * x, lambda z, x: 2 * x), (3.0,)),
    ("product rule with swapped operands", operation("times", lambda x, y: x * y, lambda z, x, y: x, lambda z, x, y: y), (2.0, 3.0)),
    ("quotient's second slope without the square", operation("over", lambda x, y: x / y, lambda z, x, y: 1 / y, lambda z, x, y: -x / y), (2.0, 3.0)),
    ("quotient's second slope without its sign", operation("over", lambda x, y: x / y, lambda z, x, y: 1 / y, lambda z, x, y: x / (y * y)), (2.0, 3.0)),
    ("power rule with the exponent not lowered", operation("cube", lambda x: x**3, lambda z, x: 3 * x**3), (2.0,)),
    ("log to base 10 with the natural slope", operation("lg", math.log10, lambda z, x: 1 / x), (2.0,)),
    ("exp's slope as x·exp(x − 1)", operation("ex", math.exp, lambda z, x: x * ag.exp(x - 1)), (0.5,)),
    ("sqrt's slope without ½", operation("root", math.sqrt, lambda z, x: 1 / z), (2.0,)),
    ("an operand forgotten", operation("both", lambda x, y: x * x + y, lambda z, x, y: 2 * x, lambda z, x, y: 0.0), (2.0, 3.0)),
    ("abs′ as 1 everywhere", operation("size", abs, lambda z, x: 1.0), (-2.0,)),
    ("a slope off by one part in a thousand", operation("almost", math.sin, lambda z, x: 1.001 * ag.cos(x)), (0.4,)),
    ("max that gives the loser the slope", operation("larger", max, lambda z, x, y: 0.0 if x > y else 1.0, lambda z, x, y: 1.0 if x > y else 0.0), (2.0, 3.0)),
    ("leaky relu with the slopes swapped", operation("leaky", lambda x: x if x > 0 else 0.1 * x, lambda z, x: 0.1 if x > 0 else 1.0), (2.0,)),
    ("a number that left the graph", lambda x: x.data * x, (2.0,)),
    ("softplus with tanh's slope", operation("sp", lambda x: math.log1p(math.exp(x)), lambda z, x: ag.tanh(x)), (0.5,)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "f", "point"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_every_planted_mistake_is_found(what, f, point):
    report = gradcheck(f, *point)
    assert not report
    assert report.verdict == "fail"
    # … also deep inside a computation
    inner = gradcheck(lambda *xs: ag.sin(f(*[x * 1.0 for x in xs])) + 1, *point)
    assert not inner


def test_there_are_enough_mistakes():
    assert len(MISTAKES) >= 20


def test_the_first_wrong_edge_is_named_with_both_numbers():
    wrong = operation("wrong_tanh", math.tanh, lambda z, x: 1 - x * x, slopes=("1 - x ** 2",))

    def f(x):
        y = wrong(x * 2)
        return ag.exp(y) * y

    report = gradcheck(f, 0.3)
    assert "first wrong edge" in report.blame
    for fragment in ("wrong_tanh", "claimed 0.64, measured 0.71157776;", "1 − "):
        assert fragment in report.blame
    assert report.blame in str(report)


@pytest.mark.parametrize("name", ["mul", "sub", "div", "pow", "atan2", "hypot"])
def test_a_right_edge_before_the_wrong_one_is_not_blamed(name):
    """Each operand is moved by itself; moved together, the operands would give another slope."""
    wrong = operation("wrong", lambda x: x * x, lambda z, x: 3 * x)
    report = gradcheck(lambda x, y: wrong(getattr(ag, name)(x, y)), 1.5, 2.25)
    assert "an edge of wrong at" in report.blame


@pytest.mark.parametrize("far", [1e8, -1e8])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rounding_before_a_cancellation_is_no_mistake(far, sign):
    """√(x² + c²) − |c| is rounded to multiples of 1e-8; too few digits are left to measure its slope of 1.3e-8."""
    report = gradcheck(lambda x: sign * (ag.sqrt(x * x + far * far) - abs(far)), 1.3)
    assert report.verdict == "inconclusive"


def function_of(op, operands):
    """The row as a function of its real-valued operands, and where to call it."""
    if op.name in ("where", "polygamma"):
        return (lambda *rest: getattr(ag, op.name)(operands[0], *rest)), operands[1:]
    if op.name == "pow" and operands[0] < 0:
        return (lambda x: x ** operands[1]), operands[:1]
    return (lambda *xs: getattr(ag, op.name)(*op.arguments(xs))), operands


@pytest.mark.parametrize("op", list(ops.TABLE.values()), ids=lambda op: op.name)
def test_every_shipped_row_passes(op):
    for operands in op.samples:
        gradcheck(*_flat(function_of(op, operands))).check()


def _flat(pair):
    return pair[0], *pair[1]


@pytest.mark.parametrize("op", [op for op in ops.TABLE.values() if op.kink is None], ids=lambda op: op.name)
def test_every_smooth_row_passes_in_second_order(op):
    f, point = function_of(op, op.samples[0])
    gradcheck(f, *point, order=2).check()


# The full 10 000 take two minutes: pytest --hypothesis-profile=full runs them.
@settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking would take minutes
@given(programs())
def test_no_false_alarm_on_random_expressions(program):
    numbers, steps = program
    _, output = build(program)
    if not all(math.isfinite(p) for n in ag.topological(output) for p in n.partials):
        return  # such as 0.0 ** 0.5, which has no finite slope
    report = gradcheck(lambda *xs: run(xs, steps), *numbers)
    assert report.verdict != "fail", report


def test_kinks_are_found_named_and_explained():
    report = gradcheck(lambda x: ag.relu(x) * 2, 0.0)
    assert report
    assert "kink at relu(x0)" in str(report)
    assert "slope 0 from the left, 2 from the right" in str(report)
    assert "convention" in str(report)
    branch = gradcheck(lambda x: x * 1.0 if x > 0 else x * 2.0, 0.0)
    assert branch.verdict == "inconclusive"
    assert "kink" in str(branch)


def test_steps_stay_on_their_side_of_a_kink_nearby_and_inside_domains():
    assert gradcheck(lambda x: abs(x) * x, 1e-5)
    assert gradcheck(lambda x: ag.maximum(x, 0.9999) * x, 1.0)
    assert gradcheck(lambda x: ag.floor(x) * x, 2.001)
    assert gradcheck(ag.log, 1e-9)
    assert gradcheck(ag.sqrt, 1e-9)
    assert gradcheck(lambda x: ag.asin(x) + ag.atanh(x), 0.999999)
    assert gradcheck(lambda x: 1 / x, 1e-4)
    assert gradcheck(lambda x: ag.tan(x), 1.57)


@pytest.mark.parametrize(
    ("slope", "verdict", "reason"),
    [
        (0.25, "pass", "the smallest slope is taken"),
        (1.0, "fail", "the smallest slope would be 0.25"),
        (0.5, "fail", "the smallest slope would be 0.25"),
        (0.0, "fail", "the claimed slope is outside"),
        (1.1, "fail", "the claimed slope is outside"),
    ],
)
def test_own_operations_at_a_kink(slope, verdict, reason):
    report = gradcheck(operation("leaky", lambda x: max(x, 0.25 * x), lambda z, x: slope), 0.0)
    assert report.verdict == verdict
    assert f"slope 0.25 from the left, 1 from the right; {reason}" in str(report).replace(
        "; no convention is declared for it, and", ";"
    )
    # … and mirrored: the smallest slope is on the other side
    mirrored = gradcheck(operation("leaky", lambda x: min(x, 0.25 * x), lambda z, x: slope), 0.0)
    assert mirrored.verdict == verdict
    opposite = gradcheck(operation("leaky", lambda x: -max(x, 0.25 * x), lambda z, x: -slope), 0.0)
    assert opposite.verdict == verdict


def test_zero_is_the_smallest_slope_between_two_signs():
    vee = lambda x: max(x, -0.5 * x)
    for slope, verdict in [(0.0, "pass"), (0.5, "fail"), (-0.25, "fail"), (-0.6, "fail"), (1.1, "fail")]:
        assert gradcheck(operation("vee", vee, lambda z, x: slope), 0.0).verdict == verdict  # noqa: B023


def test_sides_that_differ_by_less_than_their_errors_are_no_kink():
    def judged(noise):
        bent = lambda h: (h if h > 0.0 else 1.0004 * h, Branch((), ()))
        line = Line(bent, (1.0,), 1e-7, 0.0, noise, 0.0, (), True, lambda: "")
        return compare(line, Claim("", 1.01, 1e-6, 1e-9))

    assert judged(1e-9).verdict == "fail"
    assert judged(1e-9).note.startswith("a kink: slope 1.0004")
    assert judged(1e-6).verdict == "inconclusive"
    assert judged(1e-6).note == ""


def test_one_side_confirms_but_does_not_condemn():
    """At the edge of a domain, and beside a jump."""
    edge = lambda x: math.sqrt(x) ** 4
    jump = lambda x: 3.0 * x if x <= 0 else 3.0 * x + 1.0
    for f, right, wrong in [(edge, 0.0, 1.0), (jump, 3.0, 2.0)]:
        for slope, verdict in [(right, "pass"), (wrong, "inconclusive")]:
            report = gradcheck(operation("mine", f, lambda z, x: slope), 0.0)  # noqa: B023
            assert report.verdict == verdict
            assert report.comparisons[0].note == "measured from one side"
            assert report.comparisons[0].measured == pytest.approx(right, abs=1e-9)


def test_a_branch_of_the_program_beside_the_point():
    smooth = gradcheck(lambda x: x * 2.0 if x.data == 0 else x + x, 0.0)
    assert smooth
    wrong = gradcheck(lambda x: x.data * 2.0 if x.data == 0 else x * 2.0, 0.0)
    assert wrong.verdict == "inconclusive"
    assert "another branch beside this point" in str(wrong)


def test_a_kink_at_a_large_number_is_found():
    report = gradcheck(lambda x: ag.maximum(x, 1e12), 1e12)
    assert report
    assert "slope 0 from the left, 1 from the right" in str(report)
    assert gradcheck(lambda x: ag.maximum(x, 1e12), 1.0001e12)


def test_fast_oscillations_and_narrow_peaks_raise_no_false_alarm():
    assert gradcheck(ag.sin, 1000.0)
    assert gradcheck(ag.sin, 1e5)
    assert gradcheck(lambda x: ag.sin(1000 * x), 0.3)
    assert gradcheck(lambda x: ag.exp(-1e4 * x * x), 0.005)
    assert gradcheck(lambda x: 1 / x, 1e-6)
    assert gradcheck(ag.log, 1e-150)
    assert gradcheck(ag.gamma, -1.001)
    assert gradcheck(lambda x: 3 * x, 1e12)


def test_a_jump_elsewhere_hides_nothing():
    wrong = operation("sqw", lambda x: x * x, lambda z, x: 3 * x)
    assert gradcheck(lambda x, y: wrong(x) + ag.floor(y), 1.3, 2.0).verdict == "fail"
    assert gradcheck(lambda x, y: [wrong(x), ag.floor(y)], 1.3, 2.0).verdict == "fail"
    assert gradcheck(lambda x, y: wrong(x) * (1 + ag.trunc(y)), 1.3, 0.0).verdict == "fail"


# (what, the function, where, what gradcheck says of the first derivative and of the second)
EDGES = [
    ("sqrt at 0", ag.sqrt, 0.0, "1/(2·√x0) = ∞"),
    ("cbrt at 0", ag.cbrt, 0.0, "1/(3·cbrt(x0)²) = ∞"),
    ("asin at 1", ag.asin, 1.0, "1/√(1 − x0²) = ∞"),
    ("acos at −1", ag.acos, -1.0, "−1/√(1 − x0²) = −∞"),
    ("acosh at 1", ag.acosh, 1.0, "1/√(x0² − 1) = ∞"),
    ("a power at 0", lambda x: x**0.75, 0.0, " = ∞"),
    ("inside", lambda x: ag.sin(2.0 * ag.sqrt(x - 1.0)), 1.0, "1/(2·√(x0 − 1)) = ∞"),
]


@pytest.mark.parametrize(("f", "x", "why"), [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES])
def test_infinite_slopes_that_are_right_pass_and_say_why(f, x, why):
    report = gradcheck(f, x)
    assert report
    assert math.isinf(report.comparisons[0].measured)
    assert f"{why}; the measured slope grows without bound" in str(report)
    assert json.loads(json.dumps(report.as_dict()))["verdict"] == "pass"


# (what is wrong, the function, the slope claimed, where, the verdict, the reason)
INFINITE_MISTAKES = [
    ("inf for a finite slope", lambda x: x * x, math.inf, 3.0, "fail", "but the measured slope is finite"),
    ("nan for a finite slope", lambda x: x * x, math.nan, 3.0, "fail", "but the measured slope is finite"),
    ("inf at a kink", abs, math.inf, 0.0, "fail", "but the measured slope is finite"),
    ("the wrong infinity", math.sqrt, -math.inf, 0.0, "fail", "of the other sign"),
    ("nan for an infinite slope", math.sqrt, math.nan, 0.0, "inconclusive", "= nan"),
    ("a finite slope for an infinite one", math.cbrt, 0.0, 0.0, "inconclusive", "grows without bound"),
    ("inf at a cusp", lambda x: math.sqrt(abs(x)), math.inf, 0.0, "inconclusive", "= ∞"),
    ("inf at a jump", lambda x: float(x > 0), math.inf, 0.0, "inconclusive", "= ∞"),
    ("inf for a finite slope at an edge", lambda x: math.sqrt(x) ** 3, math.inf, 0.0, "inconclusive", "is finite"),
]


@pytest.mark.parametrize("mistake", INFINITE_MISTAKES, ids=[m[0] for m in INFINITE_MISTAKES])
def test_infinite_slopes_that_are_wrong_do_not_pass(mistake):
    _, f, slope, x, verdict, reason = mistake
    report = gradcheck(operation("mine", f, lambda z, x: slope), x)
    assert report.verdict == verdict
    assert reason in str(report)
    assert ("first wrong edge" in report.blame) == (verdict == "fail")


def test_values_that_are_not_finite_are_named():
    for x, shown in [(math.inf, "∞"), (math.nan, "nan")]:
        report = gradcheck(lambda x: ag.tanh(x) + 2 * x, x)
        assert report.verdict == "inconclusive"
        assert f"the value of x0 is {shown}" in str(report)
    overflow = gradcheck(lambda x: x * 1e300 * 1e9, 1e-5)
    assert overflow.verdict == "inconclusive"
    assert "all values and slopes are finite, but their product overflows" in str(overflow)
    constant = gradcheck(lambda x: math.inf, 1.0)
    assert constant.verdict == "inconclusive"
    assert "the value is ∞" in str(constant)


def test_infinite_slopes_in_random_directions():
    """Their sum may be inf − inf; no error comes of it."""
    report = gradcheck(lambda xs: ag.sum([ag.sqrt(x) for x in xs]), [0.0, 0.0, 0.0], directions=3)
    assert report.verdict == "inconclusive"
    assert "1/(2·√x2) = ∞" in str(report)
    huge = gradcheck(lambda xs: ag.sum([1e308 * x for x in xs]), [0.0] * 30, directions=1)
    assert huge.verdict != "fail"


@pytest.mark.parametrize(("f", "point", "second"), [
    (lambda x: x**1.5, (0.0,), "∞"),
    (lambda x: ag.sqrt(x) * x, (0.0,), "∞"),
    (lambda x: (1.0 - x * x) ** 1.5, (1.0,), "∞"),
    (lambda x: ag.asin(x) * (1.0 - x), (1.0,), "∞"),
    (lambda x, y: x**1.5 * y, (0.0, 1.0), "∞"),
    (lambda x: x**2.5, (0.0,), ""),
    (lambda x: x * abs(x), (0.0,), ""),
    (ag.log1p, (-0.999999999,), ""),
    (ag.atanh, (0.9999999,), ""),
])  # fmt: skip
def test_second_derivatives_at_the_edges_of_domains(f, point, second):
    report = gradcheck(f, *point, order=2)
    assert report
    notes = [c.note for c in report.comparisons if c.what.startswith("second order")]
    assert notes
    for note in notes:
        assert ("not finite: of the first derivative, the " in note) == bool(second)
        assert ("∞; the measured slope grows without bound" in note) == bool(second)


def test_a_product_of_zero_and_infinity_does_not_pass():
    """acos² has slope −2 at 1; the chain rule gives 0 · inf, which contributes 0."""
    report = gradcheck(lambda x: ag.acos(x) ** 2, 1.0)
    assert not report
    assert report.comparisons[0].measured == pytest.approx(-2.0, abs=1e-9)


def test_long_checks_show_progress_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("autograd.check.PROGRESS_AFTER", 0.0)
    shown = {}
    for name, stderr in [("terminal", Terminal()), ("file", io.StringIO()), ("none", None)]:
        monkeypatch.setattr("sys.stderr", stderr)
        assert len(gradcheck(lambda xs: ag.dot(xs, xs), [1.0, 2.0, 3.0], order=2).comparisons) == 6
        shown[name] = stderr and stderr.getvalue()
    assert "gradcheck:" in shown["terminal"]
    assert "gradcheck, second order:" in shown["terminal"]
    assert "/3" in shown["terminal"]
    assert not shown["file"]


def test_it_works_inside_no_grad():
    with ag.no_grad():
        assert gradcheck(lambda x: x * x, 3.0)


def test_structures_many_inputs_and_outputs():
    assert gradcheck(lambda p: p["a"] * p["b"][0], {"a": 2.0, "b": [3.0]})
    assert gradcheck(lambda x: np.dot(x, x), np.array([1.0, 2.0]))
    assert gradcheck(lambda x: [x * x, ag.sin(x)], 2.0)
    many = gradcheck(lambda x: ag.sum([v * v for v in x]), [0.01 * k for k in range(300)])
    assert many
    assert len(many.comparisons) == 20
    few = gradcheck(lambda x: ag.dot(x, x), [1.0, 2.0, 3.0], directions=3)
    assert few
    assert len(few.comparisons) == 3


def test_wrong_second_derivatives_are_found():
    """First order right, second order wrong: a rule that is right on floats only."""
    half = operation("sine", math.sin, lambda z, x: math.cos(float(x)) + 0 * x)
    assert gradcheck(half, 0.4)
    assert not gradcheck(half, 0.4, order=2)


@pytest.mark.parametrize(
    ("claimed", "measured", "error", "verdict"),
    [
        (1.0, 1.0, 1e-9, "pass"),
        (1.0, 1.0 + 9e-7, 0.0, "pass"),  # rtol
        (-1.0, -1.0 + 9e-7, 0.0, "pass"),
        (1.0, 1.0 + 2e-6, 0.0, "fail"),
        (1.0, 1.0 + 2.9e-5, 1e-5, "pass"),  # three errors
        (1.0, 1.0 + 3.3e-5, 1e-5, "fail"),
        (1.0, 1.0, 0.9e-4, "pass"),  # agreement within a larger error is no evidence
        (1.0, 1.0, 1.1e-4, "inconclusive"),
        (1.0, 1.5, 1.4e-5, "fail"),  # nor is disagreement
        (1.0, 1.5, 1.6e-5, "inconclusive"),
        (1.0, -1.0, 0.0, "fail"),
        (0.0, 0.9e-9, 0.0, "pass"),  # atol
        (0.0, 1.1e-9, 0.0, "fail"),
        (0.0, 0.0, 0.9e-7, "pass"),
        (0.0, 0.0, 1.1e-7, "inconclusive"),
        (math.inf, math.inf, 0.0, "inconclusive"),
        (math.inf, 1.0, 0.0, "inconclusive"),
        (math.nan, 1.0, 0.0, "inconclusive"),
        (1.0, math.nan, math.inf, "inconclusive"),
        (1.0, 1.0, math.inf, "inconclusive"),
    ],
)
def test_what_one_measurement_says(claimed, measured, error, verdict):
    claim = Claim("", claimed, 1e-6, 1e-9)
    assert claim.verdict(Slope(measured, error)) == verdict
    assert claim.agrees(Slope(measured, error)) == (verdict == "pass")


def test_how_good_a_measurement_condemns():
    assert Claim("", 1.0, 0.0, 0.0).sharp(Slope(0.5, 1e-5))
    assert not Claim("", 1.0, 0.0, 0.0).sharp(Slope(0.5, 1.1e-5))
    assert Claim("", math.inf, 0.0, 0.0).sharp(Slope(2.0, 2e-5))
    assert not Claim("", math.inf, 0.0, 0.0).sharp(Slope(2.0, 2.1e-5))
    assert Claim("", math.nan, 0.0, 1e-9).sharp(Slope(0.0, 1e-9))
    assert not Claim("", math.nan, 0.0, 1e-9).sharp(Slope(math.nan, math.inf))


def test_relative_differences():
    relative = [
        Comparison("", *pair, 0.0, "pass").relative for pair in [(2.0, 1.0), (-1.0, 1.0), (0.0, 0.0), (0.0, 3.0)]
    ]
    assert relative == [0.5, 2.0, 0.0, 1.0]
    assert Comparison("", math.inf, math.inf, 0.0, "pass").relative == 0.0


def test_rounding_inside_the_function_is_no_mistake():
    """Where large numbers cancel, values are rounded much more coarsely than they are large."""
    assert gradcheck(lambda x: (x + 1e8) - 1e8, 1.0)
    assert gradcheck(lambda x: (x + 1e10) - 1e10, 1.0).verdict != "fail"
    assert gradcheck(lambda x: (x * x + 1e13) - 1e13, 1.0).verdict != "fail"
    assert gradcheck(lambda x: ag.sin(x) * 1e9 - ag.sin(x) * (1e9 - 1.0), 0.5)


def test_a_report_names_at_most_ten():
    wrong = operation("sqw", lambda x: x * x, lambda z, x: 3 * x)
    report = gradcheck(lambda xs: [wrong(x) for x in xs], [float(k) for k in range(1, 5)])
    lines = str(report).splitlines()
    assert lines[0].startswith("gradcheck: fail; 12 of 16 derivatives agree")
    assert sum(line.startswith("  fail ") for line in lines) == 4
    many = str(gradcheck(lambda xs: ag.sum([wrong(x) for x in xs]), [float(k) for k in range(1, 15)]))
    assert many.count("  fail ") == 10
    assert "  and 4 more\n" in many
    assert "output" not in many
    assert "output 1, input 1 (= 2): claimed 6, measured 4" in str(report)


@pytest.mark.parametrize("claimed", [1.0005, -1.0005])
def test_the_tolerances_count_at_a_kink_as_well(claimed):
    """Slopes from −1 to 1 are possible at the kink of |x|; this one is outside by 0.0005."""
    f = operation("about_abs", abs, lambda z, x: claimed, kink=lambda x: x, convention="about 1")
    assert gradcheck(f, 0.0).verdict == "fail"
    assert gradcheck(f, 0.0, atol=1e-3).verdict == "pass"
    assert gradcheck(f, 0.0, rtol=1e-3).verdict == "pass"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_report_says_how_well_derivatives_agree(sign):
    within = [Comparison("x", sign * 2.0, sign * 2.0 * (1 + off), 0.0, "pass") for off in (1e-9, 3e-8, 0.0)]
    assert str(Report(within)) == "gradcheck: pass; 3 of 3 derivatives agree, relative error up to 3.0e-08"
    zero = Comparison("zero", 0.0, 1e-12, 1e-11, "pass")  # relative to 0 every error is large
    assert str(Report([*within, zero])).endswith("4 of 4 derivatives agree, relative error up to 3.0e-08")
    wrong = Comparison("off", sign * 2.0, sign * 4.0, 0.0, "fail")
    first = str(Report([*within, wrong])).splitlines()[0]
    assert first == "gradcheck: fail; 3 of 4 derivatives agree, relative error up to 5.0e-01"


def test_the_report_for_tests_and_for_json():
    bad = gradcheck(operation("sq", lambda x: x * x, lambda z, x: x), 3.0)
    with pytest.raises(GradcheckError, match="claimed 3, measured 6"):
        bad.check()
    assert issubclass(GradcheckError, AssertionError)
    assert json.loads(json.dumps(bad.as_dict()))["verdict"] == "fail"
    good = gradcheck(lambda x: x * x, 3.0)
    good.check()
    assert "1 of 1 derivatives agree" in str(good)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: gradcheck(lambda x: x, 1.0, order=3), "order"),
        (lambda: gradcheck(lambda x: x, 1.0, directions=0), "directions"),
        (lambda: gradcheck(lambda: 1.0), "at least one number"),
        (lambda: gradcheck(lambda x: None, 1.0), "None"),
        (lambda: gradcheck(lambda x: x, "1"), "'1'"),
        (lambda: gradcheck(ag.log, 0.0), "log"),
    ],
)
def test_what_is_refused(call, fragment):
    with pytest.raises(ag.AutogradError, match=fragment):
        call()


def test_gradients_of_leaves_outside_are_left_alone():
    w = Value(2.0)
    gradcheck(lambda x: w * x, 3.0)
    assert w.grad == 0.0


@pytest.mark.parametrize("kink", [None, lambda x: 2 * x - round(2 * x)], ids=["", "with its kinks"])
def test_a_step_operation_of_the_users_passes_between_and_at_its_jumps(kink):
    to_halves = operation("to_halves", lambda x: math.floor(2 * x) / 2, lambda z, x: 0.0, stepwise=True, kink=kink)
    for x in (2.3, 0.49999, 0.5, -1.0, 7.0):
        assert gradcheck(to_halves, x).verdict == "pass", x


def test_a_saw_of_the_users_is_measured_on_its_own_piece():
    """The slope near a jump is measured with steps that stay on the piece, which only the column tells."""
    saw = operation("saw", lambda x: x % 0.001, lambda z, x: 1.0, step=lambda x: math.floor(x / 0.001))
    assert gradcheck(saw, 0.4567).verdict == "pass"
    wrong = operation("saw", lambda x: x % 0.001, lambda z, x: 2.0, step=lambda x: math.floor(x / 0.001))
    assert gradcheck(wrong, 0.4567).verdict == "fail"


def test_a_report_in_chinese_and_an_error_in_english():
    wrong = operation("wrong", lambda x, y: x * y, lambda z, x, y: 1.0, lambda z, x, y: x)
    report = gradcheck(wrong, 200.0, 450.0)
    english = str(report)
    with language("zh"):
        chinese = str(report)  # made before, shown in the language in force now
        with pytest.raises(GradcheckError) as caught:
            report.check()
    assert str(caught.value) == english == str(report)
    assert chinese.splitlines() == [
        "梯度检验：未通过；2 个导数中有 1 个一致，相对误差最大 1.0e+00",
        f"  未通过       输入 0（= 200）：计算值 1，测量值 450 ± {report.comparisons[0].error:.1e}",
        "  第一条错误的边：∂(wrong(x0, x1))/∂(x0)，它是 wrong 在 x0 = 200 处的边：计算值 1，测量值 450；"
        "它的规则是 wrong_xʹ(x0, x1)",
    ]
    assert json.dumps(report.as_dict()).isascii()  # data are in English
    assert str(gradcheck(ag.abs, 0.0, lang="zh")).splitlines()[1].endswith("；按约定：在 0 处斜率为 0")
    with pytest.raises(ag.ArgumentError, match="lang is 'en' or 'zh', not 3"):
        gradcheck(ag.abs, 0.0, lang=3)
