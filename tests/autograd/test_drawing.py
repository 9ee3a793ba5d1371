"""Drawings: what they show, that they are safe, the same everywhere, and there without a system Graphviz."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import autograd as ag
from autograd import ArgumentError, GraphError, InputError, LayoutError, Value, draw
from autograd.drawing import layout
from demos.worked_example import network, recorded

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
]


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture
def no_system_dot(monkeypatch):
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)


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
    shown = texts(draw(e).svg())
    for text in ("a", "= a + b", "= b + 1", "= c·d", "6", "grad 5", "sums"):
        assert text in shown
    assert shown.count("grad 2") == 2  # c and a
    assert sorted(t.strip() for t in shown if t.strip() in ("2", "3")).count("3") >= 2


def test_before_backward_it_shows_no_gradients_and_a_forward_sweep_its_tangents():
    _, b, c, _, e = example()
    assert "grad" not in draw(e).source
    assert "tangent 5" in draw(e, tangents={b: 1.0, c: 1.0, e: 5.0}).source


def test_leaves_results_and_constants_look_different():
    *_, e = example()
    source = draw(e).source
    assert source.count("ROUNDED") == 2
    assert source.count('BORDER="3"') == 1
    assert "b + 1" in source  # the constant stands in the formula, it is no node
    assert len(re.findall(r"^\s*n\d+ \[", source, re.M)) == 5


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_escaped(name):
    x = Value(1.0, name=name)
    y = ag.exp(x) * x
    y.name = name
    with ag.scope(name):
        z = y + 1
    svg = draw(z).svg()
    ET.fromstring(svg)
    shown = " ".join(texts(svg))
    for part in "".join(c if c.isprintable() else " " for c in name).split():
        assert part in shown.replace("\xa0", " ").replace("\u2060", ""), shown


def test_the_dot_text_is_the_same_everywhere(golden):
    model = network(names=True)
    error = recorded(model)
    error.backward()
    golden("worked_example.dot", draw(error).source)


def test_the_committed_picture_is_true():
    """README's picture shows what is drawn now, whatever Graphviz version laid it out."""
    model = network(names=True)
    error = recorded(model)
    error.backward()
    committed = (ROOT / "docs" / "worked_example.svg").read_text(encoding="utf-8")
    assert sorted(texts(committed)) == sorted(texts(draw(error).svg()))


def test_it_draws_without_a_system_graphviz(no_system_dot, tmp_path, capfd):
    *_, e = example()
    for ending, magic in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = draw(e).save(tmp_path / f"g.{ending}")
        assert path.read_bytes().startswith(magic)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_said_on_stderr_on_a_machine_without_fonts(no_system_dot, monkeypatch, capfd, tmp_path):
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    *_, e = example()
    assert "c·d" in draw(e).svg()
    assert capfd.readouterr() == ("", "")


def test_a_missing_layout_engine_is_named(no_system_dot, monkeypatch, tmp_path):
    missing = layout._IN_PROCESS.replace("from pygraphviz", "sys.path.clear()\nfrom pygraphviz")
    monkeypatch.setattr(layout, "_IN_PROCESS", missing)
    *_, e = example()
    drawing = draw(e)
    with pytest.raises(LayoutError, match=r"pygraphviz.*pip install"):
        drawing.svg()
    with pytest.raises(LayoutError):
        drawing.save(tmp_path / "g.svg")
    assert list(tmp_path.iterdir()) == []
    assert "not laid out" in drawing._repr_mimebundle_()["text/plain"]
    assert drawing.save(tmp_path / "g.dot").read_text().startswith("digraph")


def test_notebooks_get_an_svg():
    *_, e = example()
    assert draw(e)._repr_mimebundle_()["image/svg+xml"].startswith("<?xml")


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
        draw(y)
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
    assert "n10000" in draw(y, limit=20_000).source


def test_import_of_the_package_needs_no_graphviz():
    program = "import sys; sys.modules['graphviz'] = None; import autograd; print(autograd.Value(2.0) * 3)"
    assert "6.0" in subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
