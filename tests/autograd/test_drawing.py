"""Drawings: their content, safety and reproducibility, also without an installed Graphviz."""

import io
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import autograd as ag
from autograd import ArgumentError, GraphError, InputError, LayoutError, Value, draw
from autograd.drawing import layout
from autograd.notation import tidy
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


def hostile(names):
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
    return draw(*roots)


def check_is_a_picture(svg):
    """The parts of an SVG that contains only text, lines and tooltips, and no script."""
    for element in ET.fromstring(svg).iter():
        space, _, tag = element.tag.removeprefix("{").partition("}")
        assert space == "http://www.w3.org/2000/svg"
        assert tag in ("svg", "g", "title", "a", "text", "polygon", "path", "ellipse", "polyline"), tag
        for attribute, value in element.attrib.items():
            name = attribute.rpartition("}")[2].lower()
            assert name != "href"
            assert not name.startswith("on")
            assert "javascript" not in value.lower() or name == "title"  # a tooltip


def test_names_are_escaped():
    svg = hostile(HOSTILE).svg()
    check_is_a_picture(svg)
    shown = [text.replace("\xa0", " ").replace("\u2060", "") for text in texts(svg)]
    for name in HOSTILE:
        assert shown.count(tidy(name)) >= 2, name  # the leaf and the scope


def test_names_that_cannot_be_shown_are_left_out_or_cut():
    drawing = hostile(UNPRINTABLE)
    svg = drawing.svg()
    check_is_a_picture(svg)
    drawing.source.encode()
    assert all(c.isprintable() or c == "\u2060" for text in texts(svg) for c in text)
    assert max(map(len, texts(svg))) < 400


def test_the_picture_shows_recorded_numbers():
    w, x, b = (Value(v, name=n) for v, n in ((2.0, "w"), (3.0, "x"), (1.0, "b")))
    y = ag.dot([w], [x], b)
    y.backward()
    before = texts(draw(y).svg())
    w.data, x.data = 7.0, 8.0
    after = texts(draw(y).svg())
    assert sorted(after) == sorted([*before, "now 7", "now 8"])
    assert "w = a leaf = 2.0" in draw(y).source


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
    assert shown.count("180") == 1
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
    """README's picture shows the present drawing, for any version of Graphviz."""
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


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """Replaces the program dot by a test program."""

    def install(body):
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setattr(layout.shutil, "which", lambda name: str(program))

    return install


@pytest.mark.parametrize(
    ("ending", "options"), [("svg", "-Tsvg"), ("pdf", "-Tpdf"), ("png", "-Tpng -Gdpi=144"), ("PNG", "-Tpng -Gdpi=144")]
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
        drawing.svg()
    with pytest.raises(LayoutError):
        drawing.save(tmp_path / "g.png")
    assert not (tmp_path / "g.png").exists()


def test_a_dot_that_warns_has_drawn(fake_dot):
    fake_dot("print('<svg/>'); print('Warning: no font', file=sys.stderr)")
    *_, e = example()
    assert draw(e).svg() == "<svg/>\n"


def test_a_dot_that_cannot_be_started_is_named(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("no program")
    monkeypatch.setattr(layout.shutil, "which", lambda name: str(program))
    *_, e = example()
    with pytest.raises(LayoutError, match=r"could not be started.*dot"):
        draw(e).svg()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "told"), [(Terminal, True), (io.StringIO, False)])
def test_a_slow_layout_is_told_in_a_terminal_only(fake_dot, monkeypatch, stream, told):
    fake_dot("import time; time.sleep(1.2); print('<svg/>')")
    monkeypatch.setattr(layout, "PATIENCE", 0.1)
    monkeypatch.setattr(sys, "stderr", stream())
    *_, e = example()
    assert draw(e).svg() == "<svg/>\n"
    assert ("laying out 5 edges with dot" in sys.stderr.getvalue()) == told
    assert ("Ctrl-C" in sys.stderr.getvalue()) == told


def test_an_interrupted_layout_ends_its_program(fake_dot, tmp_path, monkeypatch):
    fake_dot(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    *_, e = example()

    def interrupted(process, text):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(layout.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw(e).svg()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


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
