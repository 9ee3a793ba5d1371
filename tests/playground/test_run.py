"""What the playground's Python makes of a program; in the page it runs in a browser."""

import json

import pytest

import autograd as ag
from playground import run
from playground.build import HERE

EXAMPLES = sorted((HERE / "examples").glob("*.py"))


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "FOLDER", tmp_path / "work")
    monkeypatch.setitem(run.sys.modules, "__main__", run.sys.modules["__main__"])
    monkeypatch.chdir(tmp_path)
    return run.Program()


def ran(program, *lines, lang="en"):
    return json.loads(program.run("\n".join(lines), lang))


HEAD = 'from autograd import *; x = Value(2.0, name="x"); y = Value(3.0, name="y")'


@pytest.mark.parametrize(
    ("lines", "name", "line"),
    [
        (["x * y"], "x·y", None),
        (["z = x * y"], "x·y", 2),
        (["z = x * y", "z.name = 'z'", "5"], "z", 2),
        (["z = x * y", "t = 1.0", "print('end')"], "x·y", 2),
        (["for k in range(2):", "    x = x * y"], "x·y·y", 3),
        (["with scope('s'):", "    z = x + y", "x - y"], "x − y", None),
        (["a, b = x + 1, y + 1"], "y + 1", 2),
        (["z = x * y", "def f():", "    w = x + y", "f()"], "x·y", 2),
        (["z = x * y", "[w for w in [x + y]]"], "x·y", 2),
        (["z = x * y", "log = steps(x + y)"], "x + y", 3),
        (["z = x + y", "z *= x"], "(x + y)·x", 3),
        (["if (z := x * y): pass"], "x·y", 2),
    ],
)
def test_shown_is_the_last_expression_else_what_was_assigned_last(program, lines, name, line):
    told = ran(program, HEAD, *lines)
    assert (told["error"], told["name"], told["line"]) == (None, name, line)


def test_without_a_value_nothing_is_shown(program, capsys):
    told = ran(program, "import autograd", "1 + 1")
    assert (told["error"], told["lesson"], told["leaves"], told["last"]) == (None, None, [], "none")
    assert capsys.readouterr().out == "2\n"
    assert json.loads(program.check("en")) is None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_has_a_title_and_something_to_see(program, path):
    source = path.read_text(encoding="utf-8")
    assert source.startswith("# ")
    told = json.loads(program.run(source, "en"))
    assert told["error"] is None
    assert told["lesson"] or told["last"] == "report"
    report = json.loads(program.check("en"))
    assert report["verdict"] == ("fail" if "gradcheck" in path.stem else "pass")


def test_only_the_lines_of_the_program_are_in_a_traceback(program):
    told = ran(program, "import autograd as ag", "def f(x):", "    return ag.log(x)", "", "f(ag.Value(-1.0))")
    assert told["error"]["line"] == 3
    text = told["error"]["text"].splitlines()
    assert [line.strip() for line in text if "File" in line] == [
        'File "program.py", line 5, in <module>',
        'File "program.py", line 3, in f',
    ]
    assert text[-1].startswith("autograd.errors.DomainError: log has no value")


@pytest.mark.parametrize(
    ("source", "line", "end"),
    [
        ("x = 1\ny = (", 2, "SyntaxError: '(' was never closed"),
        ("def f():\n    f()\nf()", 2, "RecursionError: maximum recursion depth exceeded"),
        ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"),
        ("x = 1\0", None, "source code string cannot contain null bytes"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('so') from e", 4, "ValueError: so"),
    ],
)
def test_whatever_a_program_raises_is_told(program, source, line, end):
    told = json.loads(program.run(source, "en"))
    assert told["error"]["line"] == line
    assert end in told["error"]["text"].splitlines()[-1]
    assert run.__file__ not in told["error"]["text"]


def test_an_exit_is_the_end_of_the_program(program):
    assert ran(program, "import sys", "sys.exit(3)")["error"] is None


def test_explanations_are_those_of_the_library(program):
    told = ran(program, HEAD, "z = x * x + y", "z.name = 'z'")
    leaf = {leaf["label"]: leaf["node"] for leaf in told["leaves"]}
    x, y = ag.Value(2.0, name="x"), ag.Value(3.0, name="y")
    z = x * x + y
    z.name = "z"
    assert program.explain(leaf["x"], "en") == ag.explain(z, x).html()
    assert program.explain(leaf["y"], "zh") == ag.explain(z, y, lang="zh").html()
    told = ran(program, HEAD, "explain(x * y, wrt=y)")
    assert told["last"] == "explanation"
    assert program.explain(-1, "en") == ag.explain(x * y, y).html()


def test_the_check_measures_what_was_recorded(program):
    ran(program, HEAD, "z = sin(x) * y + 5 * x ** 2")
    report = json.loads(program.check("en"))
    assert report["verdict"] == "pass"
    assert [row["what"] for row in report["rows"]] == ["x", "y"]
    assert float(report["rows"][1]["claimed"]) == pytest.approx(0.9092974268, rel=1e-7)
    ran(program, HEAD, "sq = operation('sq', lambda a: a * a, lambda z, a: 3 * a)", "z = sq(x) * y")
    report = json.loads(program.check("en"))
    assert [row["verdict"] for row in report["rows"]] == ["fail", "pass"]
    assert "sq" in report["blame"]


def test_the_graph_that_is_checked_is_the_one_before_the_update(program):
    lines = "import nn", "z = (x - y) ** 2", "steps(z, nn.optim.SGD([x, y], lr=0.25))"
    ran(program, HEAD, *lines)
    report = json.loads(program.check("en"))
    assert [row["claimed"] for row in report["rows"]] == ["−2", "2"]


def test_files_are_named_and_a_run_begins_with_an_empty_folder(program):
    told = ran(program, HEAD, "draw(x * y).save('z.svg')", "import pathlib", "pathlib.Path('a').mkdir()")
    assert [file["name"] for file in told["files"]] == ["z.svg"]
    assert ran(program, "1")["files"] == []


def test_texts_are_in_the_language(program):
    assert "反向传播" in ran(program, HEAD, "x * y", lang="zh")["lesson"]
    assert json.loads(program.describe("en"))["lesson"].count("How x·y was computed")
    assert json.dumps("x * y")[1:-1] in program.shown.log.source
