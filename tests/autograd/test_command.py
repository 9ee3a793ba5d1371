"""The command line: formulas are read safely, and each command prints what the engine computes."""

import json
import math
import subprocess
import sys

import pytest
from click.testing import CliRunner

import autograd as ag
from autograd import ArgumentError, AutogradError
from autograd.command.app import app
from autograd.command.expression import Expression, ExpressionError


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x*sin(y) + y**2", 2 * math.sin(-0.5) + 0.25),
        ("-x // 3 % 4 - +y", -2.0 // 3 % 4 - 0.5 + 1.0),
        ("where(x > 0, x, -x) + maximum(x, y)", 4.0),
        ("dot([x, y], [1, 2]) + sum([x, y, 3])", 5.5),
        ("leaky_relu(y, a=0.1)", -0.05),
        ("e**x + pi", math.e**2 + math.pi),
        ("x\n  + y", 1.5),
        ("2**-1 * x", 1.0),
    ],
)
def test_formulas_are_computed_as_python_does(text, value):
    assert Expression(text)({"x": 2.0, "y": -0.5}) == pytest.approx(value, rel=1e-15)


def test_a_name_that_is_given_hides_a_constant():
    assert Expression("e*x")({"e": 2.0, "x": 3.0}) == 6.0


@pytest.mark.parametrize(
    "text",
    [
        "x.data", "x[0]", "x.__class__.__bases__", "__import__('os').system('true')", "open('f')", "(lambda: x)()",
        "[x for x in y]", "f'{x}'", "'x'", "b'x'", "3j", "True", "None", "...", "x if y else 2", "x and y", "not x",
        "x @ y", "x | y", "x < y < 2", "x == y", "x is y", "sin", "sin(*x)", "sin(**x)", "sin(x)(y)", "sin.x", "{x}",
        "{1: x}",
        "x := 3", "x = 3", "x; y", "await x", "yield x", "x\x00", "1e400", "10**400", "1/0", "[x] + y", "", "   ",
        "x +", "(" * 10_000 + "x" + ")" * 10_000, "-" * 100_000 + "x", "[" * 300 + "]" * 300, "9" * 5000, "x" * 100_001,
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(ArgumentError):
        Expression(text)({"x": 2.0, "y": 1.0})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x^2 + 1", ["write **", "x^2 + 1\n   ^"]),
        ("1 + sim(x)", ["no function sim", "1 + sim(x)\n      ^^^"]),
        ("3 * max(x, y)", ["did you mean maximum?", "      ^^^"]),
        ("净值 + 利^2", ["write **", "净值 + 利^2\n           ^"]),  # wide characters
        ("2x + 1", ["write *", "2x + 1\n  ^"]),
        ("x * sin(x, y)", ["1 positional argument but 2", "      ^^^^^^^^^"]),
        ("y / (1 - 1)", ["division by zero"]),
    ],
)
def test_errors_point_to_the_place(text, said):
    with pytest.raises(AutogradError) as error:
        Expression(text)(dict.fromkeys(Expression(text).names, 1.0) | {"x": 1.0, "y": 1.0})
    for part in said:
        assert part in str(error.value)


def test_the_place_in_a_long_formula_is_shown_with_what_is_around_it():
    with pytest.raises(ExpressionError) as error:
        Expression("x + " * 1000 + "y^2")
    _, line, marks = str(error.value).splitlines()
    assert len(line) <= 125
    assert line[marks.index("^")] == "^"


def test_the_value_and_its_derivatives():
    code, said = run("grad", "x*sin(y) + y**2", "x=2", "y=1/2", "--second")
    assert code == 0
    lines = dict(line.split(" = ") for line in said.splitlines())
    assert float(lines["∂/∂x"]) == math.sin(0.5)
    assert float(lines["∂/∂y"]) == pytest.approx(2 * math.cos(0.5) + 1.0, rel=1e-15)
    assert float(lines["∂²/∂x∂y"]) == pytest.approx(math.cos(0.5), rel=1e-15)
    assert "∂²/∂y∂x" not in lines


def test_json_has_the_same_numbers():
    found = json.loads(run("grad", "a*b**3", "a=2", "b=-1", "--json", "--second")[1])
    assert found == {
        "value": -2.0,
        "grad": {"a": -1.0, "b": 6.0},
        "hessian": {"a": {"a": 0.0, "b": 3.0}, "b": {"a": 3.0, "b": -12.0}},
    }


def test_explanations_in_two_languages():
    assert "Local rules" in run("explain", "x*y", "x=2", "y=3", "--wrt", "y", "--lang", "en")[1]
    said = run("explain", "x*y", "x=2", "y=3", "--lang", "zh")[1]
    assert "局部偏导数" in said
    assert "∂(x·y)/∂x" in said
    assert "∂(x·y)/∂y" in said
    assert run("explain", "x*y", "x=2", "y=3", "--as", "latex")[1].count(r"\partial") > 2
    code, said = run("explain", "x*y", "x=2", "y=3", "--wrt", "z")
    assert (code, "has no z" in said) == (1, True)
    assert run("grad", "x", "x=1", "--lang", "xx")[0] == 2


def test_steps_are_the_log():
    x, y = ag.Value(2.0, name="x"), ag.Value(-1.0, name="y")
    assert run("steps", "x*y", "x=2", "y=-1", "--lang", "en")[1].splitlines() == list(ag.steps(x * y).text())
    assert json.loads(run("steps", "x*y", "x=2", "y=-1", "--json")[1])["format"] == "autograd-log"


def test_pictures_and_lessons_are_files(tmp_path):
    picture, lesson = tmp_path / "g.svg", tmp_path / "l.html"
    assert run("draw", "x*y", "x=2", "y=3", "-o", picture, "--html", lesson) == (0, f"{picture}\n{lesson}\n")
    assert picture.read_text().startswith("<svg")
    assert "<!doctype html>" in lesson.read_text().lower()
    code, said = run("draw", "x*y", "x=2", "y=3", "-o", tmp_path / "g.gif")
    assert (code, ".svg, .png" in said) == (1, True)


def test_the_check_fails_where_a_derivative_is_wrong(tmp_path):
    assert run("check", "x**3", "x=-0.5")[0] == 0
    file = tmp_path / "mine.py"
    file.write_text(
        "from autograd import operation\nwrong = operation('wrong', lambda x: x * x, lambda z, x: x)\n"
        "def f(x):\n    return wrong(x)\ndef mean(w, scale=2.0):\n    return scale * sum(w) / len(w)\nnumber = 3\n"
    )
    code, said = run("check", f"{file}:f", "x=3")
    assert (code, "fail" in said) == (1, True)
    assert json.loads(run("grad", f"{file}:mean", "w=[1, 2]", "--json")[1]) == {
        "value": 3.0,
        "grad": {"w[0]": 1.0, "w[1]": 1.0},
    }
    assert json.loads(run("grad", f"{file}:mean", "w=[1, 2]", "scale=4", "--json")[1])["grad"]["scale"] == 1.5
    for arguments, part in (
        ([f"{file}:g", "x=1"], "no function g"),
        ([f"{file}:number"], "no function number"),
        ([f"{tmp_path}/none.py:f", "x=1"], "no file"),
        ([f"{file}:mean", "scale=1"], "add w="),
        ([f"{file}:mean", "v=1"], "has no v"),
    ):
        code, said = run("grad", *arguments)
        assert (code, part in said) == (1, True), said


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["x*y", "x=1"], "add y="),
        (["x", "x=1", "x=2"], "twice"),
        (["x", "x=1", "z=2"], "has no z"),
        (["x", "x"], "write NAME=NUMBER"),
        (["x", "x=y"], "depends on y"),
        (["x", "x=[1,2]"], "is a list"),
        (["3"], "depends on none"),
        (["x > 1", "x=2"], "True"),
        (["log(x)", "x=0"], "log has no value"),
        (["softmax([x, y])", "x=1", "y=2"], "no number"),
    ],
)
def test_wrong_arguments_are_said_in_one_line(arguments, part):
    code, said = run("grad", *arguments)
    assert code == 1
    assert part in said
    assert "Traceback" not in said


def test_functions_and_completion_are_listed():
    assert "leaky_relu" in run("functions")[1]
    assert "_AUTOGRAD_COMPLETE" in run("completion", "zsh")[1]


def test_it_runs_as_a_module():
    found = subprocess.run(
        [sys.executable, "-m", "autograd", "grad", "--", "-x*x", "x=3"], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == ["-x*x = -9.0", "∂/∂x = -6.0"]


def test_source_is_written_for_the_variables(tmp_path):
    code, said = run("export", "x*sin(y)", "--wrt", "y", "--kind", "grad")
    assert code == 0
    namespace = {}
    exec(said, namespace)
    assert namespace["f_grad"](2.0, 0.5) == (pytest.approx(2.0 * math.cos(0.5), rel=1e-15),)
    assert run("export", "x*sin(y)", "--to", "c")[1].startswith("#include <math.h>")
    file = tmp_path / "mine.py"
    file.write_text("def cube(x):\n    return x**3\n")
    assert "function cube(x)" in run("export", f"{file}:cube", "--to", "javascript", "--kind", "value")[1]
    for arguments, part in ((["x*y", "--wrt", "z"], "has no z"), (["3"], "no variables"), (["x^2"], "write **")):
        code, said = run("export", *arguments)
        assert (code, part in said) == (1, True)
