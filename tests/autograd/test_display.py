"""What notebooks show of Values, logs and gradcheck's report."""

import math
import re

import pytest

import autograd as ag
from autograd import LayoutError, Value, draw, gradcheck, steps
from autograd.display import FIRST_LINES, curves
from autograd.language import language
from tests.html import text_of

HOSTILE = "<script>alert('1')</script>&\"\u202e" + "x" * 10_000


def shown(x):
    return text_of(x._repr_html_())


def paths(svg):
    """The numbers of pixels of each curve, as lists of pieces of points."""
    found = re.findall(r'<path d="([^"]+)" fill="none"', svg)
    return [[[tuple(map(float, p.split())) for p in piece.split("L")] for piece in d.split("M")[1:]] for d in found]


def test_a_value_shows_its_name_number_operation_and_gradient():
    x, y = Value(2.0, name="x"), Value(0.5, name="y")
    z = ag.sin(x * y) + x**2
    z.name = "z"
    z.backward()
    assert shown(x) == "x = 2 leaf gradient 4.27015"
    assert shown(z) == "z = 4.84147 0.841471 + 4 gradient 1"
    assert shown(x * y) == "x·y = 1 gradient 0"
    assert shown(Value(-1.5)) == "−1.5 leaf gradient 0"
    assert shown(Value(math.nan, name="w5")) == "w 5 = nan leaf gradient 0"
    assert shown(ag.sum([Value(float(k)) for k in range(50)])) == "sum of 50 operands = 1225 gradient 0"
    with language("zh"):
        assert shown(x) == "x = 2 叶节点 梯度 4.27015"


def test_an_operation_is_shown_with_the_numbers_that_it_was_recorded_with():
    x = Value(2.0)
    product = x * Value(3.0)
    x.data = 7.0
    assert shown(product) == "2·3 = 6 gradient 0"


def test_names_are_escaped_and_shortened():
    x = Value(1.0, name=HOSTILE)
    for value in (x, x * 2.0):
        html = value._repr_html_()
        assert len(html) < 2000
        assert "\u202e" not in html
        assert "<script>alert('1')</script>" in text_of(html)


def test_a_value_on_a_deep_graph_is_shown_at_once():
    y = Value(0.5, name="x")
    for _ in range(20_000):
        y = y * 0.5 + 1.0
    assert shown(y) == "1 + 1 = 2 gradient 0"


def test_a_report_shows_each_verdict_and_the_first_wrong_edge():
    wrong = ag.operation("wrong", math.cos, lambda z, x: math.sin(x))
    report = gradcheck(lambda a, b: wrong(a) * b, 1.0, 2.0)
    text = shown(report)
    assert text.startswith("✗ gradcheck: fail; 1 of 2 derivatives agree")
    assert text.index("✗ fail input 0 (= 1) 1.6829420") < text.index("✓ pass input 1 (= 2)")
    assert "the first wrong edge" in text
    assert "and 20 more" in shown(gradcheck(lambda v: ag.dot(v, v), [1.0] * 30))
    assert shown(gradcheck(ag.exp, 1.0, lang="zh")).startswith("✓ 梯度检验")


def test_a_log_shows_the_lesson():
    x = Value(3.0, name=HOSTILE)
    log = steps(x * x)
    bundle = log._repr_mimebundle_()
    assert bundle["text/plain"] == "<Log, 3 events>"
    assert text_of(bundle["text/html"]) == "The lesson is shown when this notebook is trusted."
    assert bundle["text/html"].startswith("<iframe srcdoc=")


def test_a_log_without_a_layout_is_shown_as_text_with_the_reason(monkeypatch):
    def missing(*args, **settings):
        raise LayoutError("there is no <layout>")

    monkeypatch.setattr("autograd.lesson.picture", missing)
    x = Value(3.0, name="x")
    text = text_of(steps(x * x)._repr_mimebundle_()["text/html"])
    assert text.startswith("The lesson cannot be shown: there is no <layout>")
    assert "adjoint 1 × partial 3 = 3; grad of x is now 6" in text


def test_a_long_log_is_shown_by_its_first_lines(monkeypatch):
    monkeypatch.setattr("autograd.display.MOST_SHOWN", 240)
    y = x = Value(0.5, name="x")
    for _ in range(60):
        y = y * x
    assert "<iframe" in steps(y.inputs[0])._repr_mimebundle_()["text/html"]  # 60 nodes and 177 events
    html = steps(y)._repr_mimebundle_()["text/html"]
    text = text_of(html)
    assert text.startswith("This log has 180 events, too many for a page in a notebook")
    assert 'log.save("lesson.html")' in text
    assert text.endswith("… of 180 events in all")
    assert html.count("\n") == FIRST_LINES


def test_interactive_drawings_leave_the_graph_alone():
    x, y = Value(2.0, name="x"), Value(3.0, name="y")
    with ag.scope("product"):
        z = x * y
    z.backward(5.0)
    before = {node: (node.data, node.grad, node.name, node.scope) for node in (x, y, z)}
    bundle = draw(z, interactive=True)._repr_mimebundle_()
    assert {node: (node.data, node.grad, node.name, node.scope) for node in (x, y, z)} == before
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert "product" in bundle["text/html"]
    assert "text/html" not in draw(z)._repr_mimebundle_()
    with ag.no_grad():
        assert draw(z, interactive=True)._repr_mimebundle_()["text/html"] == bundle["text/html"]
    with pytest.raises(ag.ArgumentError, match="one result, not of 2"):
        draw(x, y, interactive=True)


def test_a_drawing_of_one_leaf_is_interactive():
    assert "<iframe" in draw(Value(1.0), interactive=True)._repr_mimebundle_()["text/html"]


def test_curves_reach_from_the_largest_to_the_smallest_number():
    (loss,), (held,) = paths(curves([("loss", [4.0, 2.0, 3.0]), ("held out", [4.0, 4.0, 4.0])], "epochs"))
    assert [y for _, y in loss] == [12.0, 108.0, 60.0]
    assert {y for _, y in held} == {12.0}
    assert [x for x, _ in loss] == [66.0, 231.0, 396.0]


def test_curves_over_several_powers_of_ten_are_logarithmic():
    svg = curves([("loss", [100.0, 10.0, 1.0])], "epochs")
    assert [y for _, y in paths(svg)[0][0]] == [12.0, 60.0, 108.0]
    assert "logarithmic scale" in text_of(svg)
    assert "logarithmic" not in text_of(curves([("loss", [100.0, 10.0, -1.0])], "epochs"))


def test_curves_have_gaps_where_numbers_are_not_finite():
    (pieces,) = paths(curves([("loss", [3.0, 2.0, math.nan, 1.0, 2.0, math.inf])], "epochs"))
    assert [len(piece) for piece in pieces] == [2, 2]


def test_long_curves_are_thinned_but_keep_their_extremes():
    numbers = [1.0 + math.sin(k) / 4 for k in range(100_000)]
    numbers[54_321], numbers[77_777], numbers[20_000] = 9.0, 0.5, math.nan
    svg = curves([("loss", numbers)], "epochs")
    (pieces,) = paths(svg)
    heights = [y for piece in pieces for _, y in piece]
    assert (min(heights), max(heights)) == (12.0, 108.0)
    assert len(pieces) == 2
    assert len(svg) < 10_000


@pytest.mark.parametrize("numbers", [[], [1.0], [math.nan, math.inf]])
def test_too_few_numbers_make_no_curve(numbers):
    assert curves([("loss", numbers)], "epochs") == ""


def test_equal_numbers_make_a_level_curve():
    ((points,),) = paths(curves([("loss", [2.0, 2.0, 2.0])], "epochs"))
    assert len({y for _, y in points}) == 1
