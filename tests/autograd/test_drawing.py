"""Drawings: their content, safety and reproducibility, also without an installed Graphviz."""

import io
import json
import math
import os
import random
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from pathlib import Path

import pytest

import autograd as ag
import nn
from autograd import ArgumentError, GraphError, InputError, LayoutError, Value, draw
from autograd.drawing import rendering
from autograd.drawing.writing import number, spans
from autograd.graph import topological
from autograd.language import language
from autograd.notation import printable
from demos.worked_example import network, recorded
from tests.work import growth

ROOT = Path(__file__).parents[2]
HOSTILE = [
    '"',
    "<b>&amp;",
    "a|b",
    "two\nlines",
    "back\\slash \\N \\G \\l",
    "漢字",
    "{x}",
    "'",
    "<",
    "a -> b; c",
    "\x00\x1b",
    "]]>",
    '<<TABLE HREF="javascript:alert(1)"><TR><TD>click</TD></TR></TABLE>>',
    "<<script>alert(1)</script>>",
    "<b>bold</b>",
    "<b>",
    "<>",
    '" href="javascript:alert(1)',
    '" onload="alert(1)',
    "\\",
    '\\"',
    '\\\\" HREF="x',
    "&lt;script&gt; &#60;b&#62;",
    "%s ${x} $(id)",
    "subgraph",
    "-1.5",
]
UNPRINTABLE = ["\ud800", "a\udfffb", "\u202eabc\u202c", "\u2066abc\u2069", "\u2028", "\x85", "y" * 10_000, "<" * 10_000]


SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """Every text of a picture, with its indices."""
    return ["".join(t.itertext()) for t in ET.fromstring(svg).iter(f"{SVG}text")]


def named(svg: str, kind: str) -> list[ET.Element]:
    """The groups of a picture that have a class."""
    return [g for g in ET.fromstring(svg).iter(f"{SVG}g") if kind in g.get("class", "").split()]


@pytest.fixture
def no_system_dot(monkeypatch):
    monkeypatch.setattr(rendering.shutil, "which", lambda name: None)


def example():
    a, b = Value(2.0, name="a"), Value(1.0, name="b")
    with ag.scope("sums"):
        c, d = a + b, b + 1
    c.name, d.name = "c", "d"
    e = c * d
    e.name = "e"
    return a, b, c, d, e


def test_it_shows_names_formulas_values_gradients_and_partials():
    *_, e = example()
    e.backward()
    svg = draw(e).svg()
    shown = texts(svg)
    for text in ("a", "a + b", "b + 1", "c·d", "6", "5", "sums"):
        assert text in shown
    assert shown.count("◂ grad") == 3
    assert shown.count("◂") == 2
    assert sorted("".join(pill.itertext()) for pill in named(svg, "pill")) == ["×1", "×1", "×1", "×2", "×3"]


def test_before_backward_it_shows_no_gradients_and_a_forward_sweep_its_tangents():
    _, b, c, _, e = example()
    assert "grad" not in draw(e).svg()
    shown = texts(draw(e, tangents={b: 1.0, c: 1.0, e: 5.0}).svg())
    assert shown[shown.index("▸ tangent", shown.index("c·d")) + 1] == "5"


def test_leaves_results_and_constants_look_different():
    *_, e = example()
    svg = draw(e).svg()
    assert [g.get("id") for g in named(svg, "leaf")] == ["n0", "n1"]
    assert [g.get("id") for g in named(svg, "result")] == ["n4"]
    assert len(named(svg, "node")) == 5  # the constant stands in the formula, it is no node
    assert len([r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == "face2"]) == 1


def test_nodes_and_edges_are_numbered_along_the_order():
    model = network(names=True)
    error = recorded(model)
    svg = draw(error).svg()
    order = topological(error)
    assert {g.get("data-node") for g in named(svg, "node")} == {f"n{k}" for k in range(len(order))}
    index = {node: k for k, node in enumerate(order)}
    wanted = [(f"n{index[x]}", f"n{k}") for k, node in enumerate(order) for x in node.inputs]
    edges = named(svg, "edge")
    assert [edge.get("id") for edge in edges] == [f"e{n}" for n in range(len(wanted))]
    assert [(edge.get("data-from"), edge.get("data-to")) for edge in edges] == wanted
    pills = {pill.get("data-edge"): "".join(pill.itertext()) for pill in named(svg, "pill")}
    partials = [partial for node in order for partial in node.partials]
    assert pills == {f"e{n}": f"×{number(partial)}" for n, partial in enumerate(partials)}


def boxes(svg):
    """The rectangle of every node: left, top, right, bottom."""
    found = {}
    for g in named(svg, "node"):
        face = next(r for r in g.iter(f"{SVG}rect") if r.get("class") == "face")
        x, y, w, h = (float(face.get(key)) for key in ("x", "y", "width", "height"))
        found[g.get("id")] = (x, y, x + w, y + h)
    return found


def test_no_box_lies_on_another_and_all_lie_in_the_picture():
    model = nn.MLP(3, [4, 3, 1], activation="tanh", rng=1)
    outputs = [model([0.1 * k, 0.2, -0.3])[0] for k in range(3)]
    loss = ag.sum([(y - k) ** 2 for k, y in enumerate(outputs)])
    drawing = draw(loss)
    placed = list(boxes(drawing.svg()).values())
    *_, w, h = (float(x) for x in ET.fromstring(drawing.svg()).get("viewBox").split())
    for n, (left, top, right, bottom) in enumerate(placed):
        assert 0 < left < right < w
        assert 0 < top < bottom < h
        for a, b, c, d in placed[:n]:
            assert right < a or c < left or bottom < b or d < top


def random_graph(seed):
    """Operations on random earlier nodes in random scopes, which are left and entered again."""
    r = random.Random(seed)
    nodes = [Value(r.uniform(-1.0, 1.0), name=f"x{k}") for k in range(3)]
    for _ in range(r.choice([8, 25, 60])):
        with ExitStack() as scopes:
            for _ in range(r.randint(0, 3)):
                scopes.enter_context(ag.scope(r.choice(["p", "q", "step 1", "step 2"])))
            xs = r.choices(nodes[-8:], k=r.choice([1, 1, 2, 3, 12]))
            nodes.append(ag.tanh(xs[0]) if len(xs) == 1 else xs[0] * xs[1] if len(xs) == 2 else ag.sum(xs) * 0.1)
    nodes[-1].backward()
    return nodes[-1], r.choice(nodes)


@pytest.mark.parametrize("seed", range(12))
def test_pictures_of_random_graphs(seed):
    """Whatever is collapsed or left out: no box lies on another, every id is there once, and it is always the same."""
    y, x = random_graph(seed)
    for how in ({}, {"collapse": False}, {"depth": 0}, {"depth": 1}, {"width": 700}, {"limit": 30}, {"focus": x}):
        if how.get("focus") is not None and x not in topological(y):
            continue
        svg = draw(y, **how).svg()
        assert draw(y, **how).svg() == svg
        ids = [element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        width, height = size(svg)
        placed = list(boxes(svg).values())
        for n, (left, top, right, bottom) in enumerate(placed):
            assert 0 < left < right < width
            assert 0 < top < bottom < height
            assert all(right < a or c < left or bottom < b or d < top for a, b, c, d in placed[:n])


def test_operations_that_feed_only_the_next_stand_below_each_other():
    x = Value(2.0, name="x")
    y = ag.exp(ag.sin(x) * 3 + 1)
    place = boxes(draw(y).svg())
    lefts = {place[f"n{k}"][0] for k in (1, 2, 3, 4)}
    tops = [place[f"n{k}"][1] for k in (1, 2, 3, 4)]
    assert len(lefts) == 1
    assert tops == sorted(tops)


def test_a_long_chain_continues_in_another_column():
    y = Value(1.5, name="x")
    for _ in range(60):
        y = ag.sin(y)
    svg = draw(y).svg()
    width, height = size(svg)
    assert 0.7 < width / height < 3
    assert len({left for left, *_ in boxes(svg).values()}) > 4


def size(svg):
    return [float(x) for x in ET.fromstring(svg).get("viewBox").split()[2:]]


def test_a_wide_picture_continues_below():
    model = network(names=True)
    error = recorded(model)
    error.backward()
    whole, broken = draw(error).svg(), draw(error, width=880).svg()
    assert size(whole)[0] > 1200
    assert size(broken)[0] <= 880
    assert size(broken)[1] > 1.5 * size(whole)[1]
    assert sorted(texts(broken)) == sorted(texts(whole))
    place = boxes(broken)
    width, height = size(broken)
    for n, (left, top, right, bottom) in enumerate(place.values()):
        assert 0 < left < right < width
        assert 0 < top < bottom < height
        for a, b, c, d in list(place.values())[:n]:
            assert right < a or c < left or bottom < b or d < top
    lines = [path.get("d") for path in ET.fromstring(broken).iter(f"{SVG}path") if path.get("class") == "wire"]
    around = [line for line in lines if line.count("V") >= 2]
    assert len(around) == 2  # from out_o1 and out_o2 to the next line
    for steps in (5, 30):
        width, height = size(draw(newton(steps)[1], limit=1000).svg())
        assert 0.8 < width / height < 2.5
    with pytest.raises(ArgumentError, match="number of pixels"):
        draw(error, width="wide")


def test_every_edge_begins_at_its_source_and_ends_at_its_target():
    model = network(names=True)
    error = recorded(model)
    svg = draw(error, width=880).svg()
    place = boxes(svg)
    pills = {}
    for pill in named(svg, "pill"):
        frame = next(pill.iter(f"{SVG}rect"))
        pills[pill.get("data-edge")] = [float(frame.get(key)) for key in ("x", "y", "height")]
    for edge in named(svg, "edge"):
        line = next(edge.iter(f"{SVG}path")).get("d")
        numbers = [float(x) for x in re.findall(r"[-\d.]+", line)]
        left, top, right, bottom = place[edge.get("data-from")]
        if line.startswith("M") and "V" in line and "H" not in line and "C" not in line:  # to the next row of a run
            assert left < numbers[0] < right
            assert numbers[1] == pytest.approx(bottom, abs=0.2)
            assert numbers[2] == pytest.approx(place[edge.get("data-to")][1], abs=0.2)
        else:
            assert numbers[0] == pytest.approx(right, abs=0.2)
            assert top < numbers[1] < bottom
            x, y, height = pills[edge.get("id")]
            end = [numbers[-1], y + height / 2] if re.search(r"H[\d.]+$", line) else numbers[-2:]
            assert end == pytest.approx([x, y + height / 2], abs=0.6)


def test_a_leaf_that_is_used_far_away_is_drawn_again():
    a = Value(2.0, name="a")
    x = Value(1.0, name="x")
    for k in range(5):
        with ag.scope(f"step {k + 1}"):
            x = (x + a / x) * 0.5
    svg = draw(x).svg()
    copies = [g for g in named(svg, "leaf") if g.get("data-node") == named(svg, "leaf")[1].get("data-node")]
    assert len(copies) > 1
    name = copies[0].get("id")
    assert [g.get("id") for g in copies] == [name, *(f"{name}-{n}" for n in range(2, len(copies) + 1))]
    assert [texts(ET.tostring(g, encoding="unicode"))[0] for g in copies] == ["a", *["≡ a"] * (len(copies) - 1)]


def test_a_scope_that_is_entered_again_does_not_feed_what_it_uses():
    x = Value(1.0, name="x")
    with ag.scope("p"):
        u = ag.sin(x)
    with ag.scope("q"):
        v = ag.cos(u)
    with ag.scope("p"):
        w = ag.exp(v) * u
    bands = [g.get("data-scope") for g in named(draw(w).svg(), "band")]
    assert sorted(bands) == ['["p"]', '["p"]', '["q"]']
    with ag.scope("p"):
        first, second = ag.sin(x), ag.tan(x)
    with ag.scope("q"):
        third, fourth = ag.cos(first), ag.exp(x)
    with ag.scope("p"):
        fifth = fourth * 2
    assert draw(third, second, fifth).svg()  # p uses q and q uses p, though no node depends on itself


def newton(steps):
    """The square root of a by Newton's method, a scope for each step."""
    a = Value(2.0, name="a")
    x = Value(1.0, name="x0")
    for k in range(steps):
        with ag.scope(f"step {k + 1}"):
            x = x - (x * x - a) / (2 * x)
            x.name = f"x{k + 1}"
    x.backward()
    return a, x


def titles(svg):
    """The first line of every collapsed scope."""
    return [texts(ET.tostring(sheet, encoding="unicode"))[0] for sheet in named(svg, "sheet")]


def test_a_graph_that_is_too_large_is_collapsed_and_says_so():
    _, x = newton(50)
    svg = draw(x).svg()
    assert titles(svg) == ["step 1 … step 50"]
    shown = texts(svg)
    assert "250 nodes · 450 edges" in shown
    assert "Collapsed to 3 of 252 nodes" in shown
    assert sorted(g.get("data-node") for g in named(svg, "node")) == ["n0", "n2", "n251"]
    assert len(named(svg, "edge")) == 2
    assert "Collapsed" not in draw(newton(5)[1]).svg()


def test_scopes_are_collapsed_by_name_and_by_depth():
    model = network(names=True)
    error = recorded(model)
    error.backward()
    svg = draw(error, collapse="hidden layer").svg()
    assert titles(svg) == ["hidden layer"]
    assert "4 nodes · 12 edges" in texts(svg)
    kept = {title.text.split(" = ")[0] for title in ET.fromstring(svg).iter(f"{SVG}title")}
    assert {"out_h1", "out_h2", "net_o1", "w1"} < kept
    assert "net_h1" not in kept
    assert titles(draw(error, collapse=["h1", ("output layer", "o2")]).svg()) == ["h1", "o2"]
    assert titles(draw(error, depth=0).svg()) == ["hidden layer", "output layer"]
    assert titles(draw(error, depth=1).svg()) == ["h1", "h2", "o1", "o2"]
    assert titles(draw(error, collapse=True).svg()) == ["hidden layer", "output layer"]
    assert titles(draw(error, collapse=False).svg()) == []
    with pytest.raises(ArgumentError, match=r"no scope 'hidden'.*'hidden layer', 'output layer', 'h1'"):
        draw(error, collapse="hidden")


def test_a_collapsed_scope_adds_up_what_flows_and_hides_leaves_that_are_its_own():
    model = nn.MLP(4, [16, 16, 3], rng=0, names=True)
    loss = ag.sum([y**2 for y in model([0.1, 0.2, 0.3, 0.4])])
    loss.backward()
    svg = draw(loss, depth=0).svg()
    assert titles(svg) == ["hidden layer 1", "hidden layer 2", "output layer"]
    outputs = [node for node in topological(loss) if (node.name or "").startswith("out_h1_")]
    total = number(sum(abs(node.grad) for node in outputs))
    shown = texts(svg)
    assert f"16 outputs, Σ|grad| {total}" in shown
    assert "with 80 leaves" in shown  # 64 weights and 16 biases; the inputs are constants
    widths = [path.get("style") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("style")]
    assert widths
    assert all(float(width.removeprefix("stroke-width:")) <= 4 for width in widths)


def test_a_large_graph_without_scopes_is_divided_by_depth():
    model = nn.MLP(4, [16, 16, 3], rng=0)
    inputs = [Value(0.1 * k, name=f"i{k}") for k in range(1, 5)]
    loss = ag.sum([y**2 for y in model(inputs)])
    loss.backward()
    svg = draw(loss).svg()
    assert titles(svg) == [f"depth {n}" for n in range(1, 6)]
    shown = texts(svg)
    assert shown.count("with 80 leaves") == 1  # the weights and biases of the first layer; its inputs are drawn
    assert {"i1", "i2", "i3", "i4"} < set(shown)
    assert len(boxes(svg)) == 4 + 3 + 3 + 1
    assert "Collapsed to 11 of 478 nodes" in shown
    y = Value(1.0, name="x")
    for _ in range(505):
        y = y + 1.5
    assert titles(draw(y).svg())[:2] == ["depths 1 to 64", "depths 65 to 128"]
    assert len(boxes(draw(y, limit=505 + 1).svg())) == 506


def test_the_neighbourhood_of_a_node_and_the_paths_between_two_are_drawn_alone():
    model = network(names=True)
    error = recorded(model)
    error.backward()
    order = topological(error)
    by_name = {node.name: node for node in order if node.name}

    def names(svg):
        return {order[int(g.get("data-node")[1:])].name for g in named(svg, "node")}

    near = draw(error, focus=by_name["out_h1"], radius=1).svg()
    assert names(near) == {"net_h1", "out_h1", "net_o1", "net_o2"}
    assert "A part of the graph: 4 of 27 nodes" in texts(near)
    assert names(draw(error, focus=by_name["w5"], radius=0).svg()) == {"w5"}
    along = draw(error, path=(by_name["w1"], error)).svg()
    on_paths = "w1 net_h1 out_h1 net_o1 net_o2 out_o1 out_o2 E_o1 E_o2 E"
    assert names(along) - {None} == set(on_paths.split())
    assert len(named(along, "path1")) == len(named(along, "edge")) + len(named(along, "pill")) > 0
    with pytest.raises(GraphError, match=r"no path from .*w5.* to .*out_h1"):
        draw(error, path=(by_name["w5"], by_name["out_h1"]))
    with pytest.raises(GraphError, match="not part of the graph"):
        draw(error, focus=Value(1.0, name="elsewhere"))


def test_a_row_with_many_inputs_shows_the_largest_partials():
    weights = [Value(0.1 * k, name=f"w{k}") for k in range(1, 31)]
    y = ag.dot(weights, [float(k) for k in range(1, 31)])
    y.backward()
    svg = draw(y).svg()
    pills = ["".join(pill.itertext()) for pill in named(svg, "pill")]
    assert sorted(pills) == sorted([*(f"×{k}" for k in range(24, 31)), "+23"])
    assert len(named(svg, "leaf")) == 7
    assert "23 leaves" in texts(svg)
    assert f"Σ|grad| {sum(range(1, 24))}" in texts(svg)


def test_drawing_a_large_graph_collapsed_is_linear_in_its_size():
    def task(steps):
        x = Value(0.5, name="x")
        for k in range(steps):
            with ag.scope(f"step {k + 1}"):
                for _ in range(5):
                    x = ag.sin(x) * 1.01
        return lambda: draw(x).svg()

    assert growth(task, 100) < 2.2


def test_numbers_have_the_same_number_of_digits():
    assert number(715.0000000000001) == "715"
    assert number(0.39249999999999996) == "0.3925"
    assert number(0.0380984) == "0.03810"
    assert number(-0.7414) == "−0.7414"
    assert number(-8.77123e-5) == "−8.771×10⁻⁵"
    assert number(2.5e6) == "2.5×10⁶"
    assert number(0.99999) == "1.000"
    assert number(-0.0) == "0"
    assert [number(x) for x in (math.nan, math.inf, -math.inf)] == ["nan", "∞", "−∞"]
    assert number(1 / 3, 6) == "0.333333"


def test_indices_are_set_lower():
    assert spans("net_h1") == [("net", False), ("h1", True)]
    assert spans("w1") == spans("w_1") == [("w", False), ("1", True)]
    for text in ("log1p(x1x)", "atan2(a, b)", "f_2(x)", "out", "漢字", "3", ""):
        assert spans(text) == [(text, False)]
    assert "".join(t for t, _ in spans("w1·out_h1 + x² − b_2")) == "w1·outh1 + x² − b2"


def hostile(names, collapse=False):
    """A drawing with each name in every place where a name can occur."""
    roots = []
    for name in names:
        x = Value(1.0, name=name)
        y = ag.exp(x) * x
        y.name = name
        with ag.scope(name), ag.scope(name + "2"):
            z = y + 1
        z.name = name
        z.backward()
        x.data = 5.0  # so that a remark stands in the node too
        roots.append(z)
    return draw(*roots, collapse=collapse)


def check_is_a_picture(svg, tags):
    """The parts of an SVG that contains only text, lines and tooltips, and no script."""
    for element in ET.fromstring(svg).iter():
        space, _, tag = element.tag.removeprefix("{").partition("}")
        assert space == "http://www.w3.org/2000/svg"
        assert tag in tags, tag
        for attribute, value in element.attrib.items():
            name = attribute.rpartition("}")[2].lower()
            assert name != "href"
            assert not name.startswith("on")
            assert "javascript" not in value.lower() or name in ("title", "aria-label", "data-scope", "data-scopes")


OURS = ("svg", "style", "g", "title", "text", "tspan", "rect", "path")
GRAPHVIZ = ("svg", "g", "title", "a", "text", "polygon", "path", "ellipse", "polyline")


def graphviz(source, engine="dot"):
    """What Graphviz makes of a DOT text."""
    from pygraphviz import AGraph

    return AGraph(string=source).draw(format="svg", prog=engine).decode()


def test_names_are_escaped():
    drawing = hostile(HOSTILE)
    svg = drawing.svg()
    check_is_a_picture(svg, OURS)
    titles = [title.text for title in ET.fromstring(svg).iter(f"{SVG}title")]
    scopes = [json.loads(g.get("data-scope")) for g in named(svg, "band")]
    for name in HOSTILE:
        assert [title for title in titles if title.startswith(f"{printable(name)} = a leaf = 1.0")], name
        assert [name] in scopes
    check_is_a_picture(graphviz(drawing.source), GRAPHVIZ)
    collapsed = hostile(HOSTILE, collapse=True)
    check_is_a_picture(collapsed.svg(), OURS)
    check_is_a_picture(graphviz(collapsed.source), GRAPHVIZ)
    found = [json.loads(g.get("data-scopes")) for g in named(collapsed.svg(), "sheet")]
    assert [[[name]] in found for name in HOSTILE] == [True] * len(HOSTILE)


def test_names_that_cannot_be_shown_are_left_out_or_cut():
    drawing = hostile(UNPRINTABLE)
    svg = drawing.svg()
    svg.encode()
    drawing.source.encode()
    check_is_a_picture(svg, OURS)
    check_is_a_picture(graphviz(drawing.source), GRAPHVIZ)
    assert all(c.isprintable() for text in texts(svg) for c in text)
    assert max(map(len, texts(svg))) < 100
    assert len(svg) < 400_000
    assert max(right - left for left, _, right, _ in boxes(svg).values()) < 300


def test_the_picture_shows_recorded_numbers():
    w, x, b = (Value(v, name=n) for v, n in ((2.0, "w"), (3.0, "x"), (1.0, "b")))
    y = ag.dot([w], [x], b)
    y.backward()
    before = texts(draw(y).svg())
    w.data, x.data = 7.0, 8.0
    after = texts(draw(y).svg())
    assert sorted(after) == sorted([*before, "now 7", "now 8"])
    assert "w = a leaf = 2.0" in draw(y).svg()


def test_a_leaf_whose_number_cannot_be_told_is_marked():
    x = Value(1.0, name="x")
    y = ag.sin(x)
    assert "changed" not in draw(y).source
    x.data = 2.0
    assert "changed since" in texts(draw(y).svg())
    a, b = Value(1.0, name="a"), Value(2.0, name="b")
    s = a + b
    a.data = 5.0
    assert texts(draw(s).svg()).count("changed since?") == 2
    t = s * b  # tells that b is what it was
    assert texts(draw(t).svg()).count("changed since") == 1


def test_the_demos_picture_shows_the_weights_that_made_its_numbers(tmp_path):
    svg = linear_picture(tmp_path)
    assert "0.928" not in svg
    shown = texts(svg)
    assert [t.text for t in ET.fromstring(svg).iter(f"{SVG}text") if t.get("class") == "val"].count("180") == 1
    assert not [text for text in shown if text.startswith(("now", "changed"))]


def linear_picture(folder):
    """What the demo draws."""
    done = subprocess.run(
        [sys.executable, "-m", "demos", "linear_2_3_1", "--out", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "0.928" in done.stdout
    return (folder / "linear_2_3_1.svg").read_text(encoding="utf-8")


def test_the_dot_text_is_the_same_everywhere(golden):
    model = network(names=True)
    error = recorded(model)
    error.backward()
    golden("worked_example.dot", draw(error).source)


def test_the_committed_picture_is_true():
    """README's picture is what ``python -m demos worked_example --out docs`` draws."""
    model = network(names=True)
    error = recorded(model)
    error.backward()
    assert (ROOT / "docs" / "worked_example.svg").read_text(encoding="utf-8") == draw(error, width=880).svg()


def test_it_draws_without_a_system_graphviz(no_system_dot, tmp_path, capfd):
    *_, e = example()
    for ending, magic in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = draw(e).save(tmp_path / f"g.{ending}")
        assert path.read_bytes().startswith(magic)
    assert capfd.readouterr() == ("", "")


def test_png_and_pdf_show_what_the_svg_shows():
    model = network(names=True)
    error = recorded(model)
    error.backward()
    for drawing in (draw(error), draw(error, depth=0), draw(error, tangents={error: 1.0}), hostile(HOSTILE)):
        canvas = graphviz(drawing._picture.canvas(), "nop2")
        check_is_a_picture(canvas, GRAPHVIZ)
        strip = lambda shown: sorted("".join("".join(shown).replace("\u2060", "").replace("▸", "").split()))
        assert strip(texts(canvas)) == strip(texts(drawing.svg()))
        width, height = size(drawing.svg())
        drawn = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', canvas).groups()
        assert [float(x) for x in drawn] == pytest.approx([width, height], abs=10)


def test_nothing_is_said_on_stderr_on_a_machine_without_fonts(no_system_dot, monkeypatch, capfd, tmp_path):
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    *_, e = example()
    assert draw(e).save(tmp_path / "g.png").stat().st_size > 1000
    assert capfd.readouterr() == ("", "")


def test_a_missing_layout_engine_is_named(no_system_dot, monkeypatch, tmp_path):
    missing = rendering._IN_PROCESS.replace("from pygraphviz", "sys.path.clear()\nfrom pygraphviz")
    monkeypatch.setattr(rendering, "_IN_PROCESS", missing)
    *_, e = example()
    drawing = draw(e)
    with pytest.raises(LayoutError, match=r"pygraphviz.*pip install"):
        drawing.save(tmp_path / "g.png")
    assert list(tmp_path.iterdir()) == []
    assert drawing.save(tmp_path / "g.svg").read_text(encoding="utf-8") == drawing.svg()  # needs none
    assert drawing.save(tmp_path / "g.dot").read_text().startswith("digraph")


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """Replaces the program dot by a test program."""

    def install(body):
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setattr(rendering.shutil, "which", lambda name: str(program))

    return install


@pytest.mark.parametrize(
    ("ending", "options"),
    [("pdf", "-Knop2 -Tpdf"), ("png", "-Knop2 -Tpng -Gdpi=144"), ("PNG", "-Knop2 -Tpng -Gdpi=144")],
)
def test_each_format_has_its_options(fake_dot, tmp_path, ending, options):
    fake_dot("print(*sys.argv[1:], sys.stdin.read().startswith('digraph'))")
    *_, e = example()
    assert draw(e).save(tmp_path / f"g.{ending}").read_text() == f"{options} True\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "print('<svg'); print('out of memory', file=sys.stderr); sys.exit(1)",
            "could not draw this graph: out of memory",
        ),
        ("print('<svg'); sys.exit(3)", "exit code 3, no message"),
        ("sys.stdin.read()", "it ended without a picture or a message"),
        ("print('Warning: no font', file=sys.stderr)", "Warning: no font"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
    ],
)
def test_a_dot_that_fails_is_an_error_whatever_it_wrote(fake_dot, tmp_path, body, said):
    fake_dot(body)
    *_, e = example()
    drawing = draw(e)
    with pytest.raises(LayoutError, match=re.escape(said)):
        drawing.save(tmp_path / "g.png")
    assert not (tmp_path / "g.png").exists()


def test_a_dot_that_warns_has_drawn(fake_dot, tmp_path):
    fake_dot("print('drawn'); print('Warning: no font', file=sys.stderr)")
    *_, e = example()
    assert draw(e).save(tmp_path / "g.png").read_text() == "drawn\n"


def test_a_dot_that_cannot_be_started_is_named(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("no program")
    monkeypatch.setattr(rendering.shutil, "which", lambda name: str(program))
    *_, e = example()
    with pytest.raises(LayoutError, match=r"could not be started.*dot"):
        draw(e).save(tmp_path / "g.png")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "told"), [(Terminal, True), (io.StringIO, False)])
def test_a_slow_program_is_told_in_a_terminal_only(fake_dot, monkeypatch, tmp_path, stream, told):
    fake_dot("import time; time.sleep(1.2); print('drawn')")
    monkeypatch.setattr(rendering, "PATIENCE", 0.1)
    monkeypatch.setattr(sys, "stderr", stream())
    *_, e = example()
    assert draw(e).save(tmp_path / "g.png").read_text() == "drawn\n"
    assert ("drawing 5 edges with dot" in sys.stderr.getvalue()) == told
    assert ("Ctrl-C" in sys.stderr.getvalue()) == told


def test_an_interrupted_layout_ends_its_program(fake_dot, tmp_path, monkeypatch):
    fake_dot(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    *_, e = example()

    def interrupted(process, text):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(rendering.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw(e).save(tmp_path / "g.png")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_notebooks_get_an_svg():
    *_, e = example()
    assert draw(e)._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


def test_what_is_refused(tmp_path):
    *_, e = example()
    with pytest.raises(ArgumentError, match=r"\.svg, \.png"):
        draw(e).save(tmp_path / "g.bmp")
    with pytest.raises(OSError, match="none"):
        draw(e).save(tmp_path / "none" / "g.dot")
    with pytest.raises(InputError, match=r"draw\(\*outputs\)"):
        draw([e])
    with pytest.raises(ArgumentError, match="at least one"):
        draw()
    y = e
    for _ in range(500):
        y = y + 1.5
    with pytest.raises(GraphError, match="505 nodes"):
        draw(y, collapse=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_whole_or_untouched(tmp_path, monkeypatch):
    *_, e = example()
    path = tmp_path / "g.dot"
    path.write_text("before")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        draw(e).save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_drawing_does_not_recurse():
    y = Value(1.0)
    for _ in range(5000):
        y = y * 1.01 + 0.5
    assert 'id="n10000"' in draw(y, limit=20_000).svg()


def test_pictures_need_no_other_package():
    program = (
        "import sys; sys.modules['graphviz'] = sys.modules['pygraphviz'] = sys.modules['tqdm'] = None; "
        "import autograd; drawing = autograd.draw(autograd.Value(2.0) * 3); print(drawing.svg(), drawing.source)"
    )
    assert (
        ">6</text>"
        in subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    )


def test_a_picture_in_chinese():
    error = recorded(network(names=True))
    error.backward()
    english = draw(error).svg()
    with language("zh"):
        chinese = draw(error).svg()
        collapsed = draw(error, depth=0).svg()
    texts = [e.text for e in ET.fromstring(chinese).iter() if e.text and not e.tag.endswith("style")]
    assert {"隐藏层", "输出层", "◂ 梯度"} <= set(texts)
    for text in texts:
        assert not re.search(r"\b(grad|leaf|layer|nodes?|edges?)\b", text), text
    assert """data-scope='["hidden layer"]'""" in chinese.replace("&quot;", '"')  # for programs
    assert re.findall(r' id="[^"]*"', chinese) == re.findall(r' id="[^"]*"', english)
    assert "隐藏层" in collapsed
    assert "个节点" in collapsed
