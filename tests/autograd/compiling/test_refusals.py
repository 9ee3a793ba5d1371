"""What cannot be compiled: the error names what was done, in which line of the user's, and what to write instead."""

import copy
import gc
import inspect
import math
import os
import pickle
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import TraceError, Value, operation, refusal
from autograd.ops import Op

X = np.linspace(0.5, 2.0, 7)
W = Value(2.0, name="w")


def an_if(x):
    if x > 1:  # here
        return x
    return -x


def an_elif(x):
    if len(X) > 100:
        return x
    elif x > 1:  # here
        return 2.0 * x
    return -x


def a_while(x):
    while x > 1:  # here
        x = x - 1.0
    return x


def an_assert(x):
    assert x > 0, "positive"  # here
    return ag.log(x)


def a_chain(x):
    if 0 < x < 1:  # here
        return x
    return -x


def several_lines(x):
    return x + math.exp(  # here
        2.0 * x
    )


def helper(x):
    return math.sqrt(x)  # here


def through_a_helper(x):
    return 2.0 * helper(x)


CASES = [
    (an_if, "An `if` needs to know whether it is true", r"where\(condition, a, b\)"),
    (an_elif, "An `if`", r"where\(condition, a, b\)"),
    (lambda x: x if x > 1 else -x, "An `if`", r"where\(condition, a, b\)"),
    (lambda x: x if W > 1 else -x, "An `if`", r"where\(condition, a, b\)"),
    (a_while, "A `while`", "a `for` over a constant range"),
    (an_assert, "An `assert`", "check=True"),
    (a_chain, "A comparison of three or more", r"combine conditions with & \| ~"),
    (lambda x: x if x > 0 and x < 1 else -x, "`and`", r"combine conditions with & \| ~"),
    (lambda x: x if x < 0 or x > 1 else -x, "`or`", r"combine conditions with & \| ~"),
    (lambda x: ag.where(not x > 1, x, 0.0), "`not`", r"ombine conditions with & \| ~"),
    (lambda x: ag.sum([v for v in [x, 2.0 * x] if v > 1]), "The `if` of a comprehension", "keep all, with where"),
    (lambda x: bool(x), r"`bool\(…\)`", r"where\(condition, a, b\)"),
    (lambda x: any([x > 1, x < 0]) * x, r"`any\(…\)`", r"ombine conditions with & \| ~"),
    (lambda x: max(x, 1.0), r"`max\(…\)`", r"Use  autograd\.maximum$"),
    (lambda x: min(x, 1.0), r"`min\(…\)`", r"Use  autograd\.minimum$"),
    (lambda x: sorted([x, 2.0 * x])[0], r"`sorted\(…\)`", "sort the arrays before the call"),
    (lambda x: math.sin(x), r"`math\.sin\(…\)` needs its number", r"Use  autograd\.sin$"),
    (lambda x: math.fabs(x), r"`math\.fabs\(…\)`", r"Use  autograd\.abs$"),
    (lambda x: math.pow(x, 2.0), r"`math\.pow\(…\)`", r"Use  x \*\* y$"),
    (lambda x: math.nextafter(x, 9.0), r"`math\.nextafter\(…\)`", "Use the Value itself"),
    (lambda x: np.maximum(x, 1.0), r"`np\.maximum\(…\)`", r"Use  autograd\.maximum$"),
    (lambda x: np.where(x > 1, x, 0.0) * x, r"`np\.where\(…\)`", r"where\(condition, a, b\)"),
    (lambda x: np.array([x], dtype=float), r"`np\.array\(…\)`", "Use the Value itself"),
    (lambda x: np.float64(x), r"`np\.float64\(…\)`", "Use the Value itself"),
    (lambda x: float(x), r"`float\(…\)`", "Use the Value itself"),
    (lambda x: int(x), r"`int\(…\)` needs a whole number", "trunc, floor, ceil or round"),
    (lambda x: [1.0, 2.0][x] * x, "An index needs a whole number", "to choose by row"),
    (lambda x: sum(x for _ in range(x)), r"`range\(…\)`", "use a constant"),
    (lambda x: x.data * x, r"`x\.data`", r"x\.detach\(\)"),
    (lambda x: x.item() * x, r"`x\.item\(…\)`", r"x\.detach\(\)"),
    (lambda x: x * 2 if x == 1.0 else x, r"`x == 1\.0` needs to know whether it equals a number", "where"),
    (lambda x: x * 2 if x != 1.0 else x, r"`x != 1\.0`", r"where\(\(x >= 1\) & \(x <= 1\), a, b\)"),
    (lambda x: x * (x in [1.0, 2.0]), r"`x in \[1\.0, 2\.0\]`", r"where\(\(x >= 1\) & \(x <= 1\), a, b\)"),
    (lambda x: pickle.loads(pickle.dumps(x)) * x, r"`pickle\.dumps\(…\)`", "can be copied, but not pickled"),
    (lambda x: x * float(W), r"`float\(…\)`", "Use the Value itself"),
    (lambda x: x * math.exp(W), r"`math\.exp\(…\)`", r"Use  autograd\.exp$"),
    (lambda x: x * W.item(), r"`W\.item\(…\)`", r"detach\(\)"),
    (several_lines, r"`math\.exp\(…\)`", r"Use  autograd\.exp$"),
    (through_a_helper, r"`math\.sqrt\(…\)`", r"Use  autograd\.sqrt$"),
]


@pytest.mark.parametrize(("f", "done", "advice"), CASES, ids=lambda x: "" if callable(x) else re.sub(r"\\", "", x))
def test_a_refusal_names_what_was_done_and_what_to_write(f, done, advice):
    with pytest.raises(TraceError) as caught:
        ag.compile(f)(X)
    text = str(caught.value)
    _, place, said = text.split("\n")
    assert re.match(done, said)
    assert re.search(advice, said)
    assert "Traced" not in text
    file, line = re.match(r"  (.*), line (\d+):  ", place).groups()
    assert file == __file__
    lines, start = inspect.getsourcelines(helper if f is through_a_helper else f)
    here = [start + k for k, one in enumerate(lines) if "# here" in one]
    assert int(line) == (here[0] if here else f.__code__.co_firstlineno)
    assert (Value(1.0) > 0.5) is True  # nothing is left behind


def test_the_line_is_shown():
    with pytest.raises(TraceError, match=r"line \d+:  while x > 1:  # here\n"):
        ag.compile(a_while)(X)
    with pytest.raises(TraceError, match=r"^'x' stands for every row while the function is compiled"):
        ag.compile(lambda x: float(x))(X)
    with pytest.raises(TraceError, match=r"^the result of sin stands for every row"):
        ag.compile(lambda x: float(ag.sin(x)))(X)


def test_functions_that_are_advised_exist():
    names = [n for n in (*dir(math), *dir(np)) if refusal._ALSO.get(n, n) in refusal.TABLE and n != "pow"]
    assert len(names) > 60
    for name in names:
        assert callable(getattr(ag, refusal._ALSO.get(name, name))), name


def test_a_function_without_source():
    space = {}
    exec("def f(x):\n    return 1.0 if x > 1 else 2.0", space)
    with pytest.raises(TraceError, match=r"<string>, line 2:  \(its source cannot be read\)\n.*where\(condition"):
        ag.compile(space["f"])(X)


def test_a_long_expression_is_shortened():
    def f(x):
        return (x + 1.0 + x * 2.0 + x * 3.0 + x * 4.0 + x * 5.0 + x * 6.0 + x * 7.0 + x * 8.0).data

    with pytest.raises(TraceError, match=r"\n`\(x \+ 1\.0 \+ x \* 2\.0 [^`]*…` needs its number") as caught:
        ag.compile(f)(X)
    (expression,) = re.findall("`(.*)`", str(caught.value))
    assert len(expression) == 60


def test_python_without_the_columns_of_expressions(tmp_path):
    """With ``-X no_debug_ranges`` only the line is known."""
    script = tmp_path / "script.py"
    script.write_text(
        "import autograd as ag\n"
        "def f(x):\n"
        "    return x if x > 1 else -x\n"
        "try:\n"
        "    ag.compile(f, in_axes=None)(2.0)\n"
        "except ag.TraceError as error:\n"
        "    print(error)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-X", "no_debug_ranges", "-X", "utf8", str(script)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8").stdout
    assert "script.py, line 3:  return x if x > 1 else -x\nThis line needs to know whether it is true." in printed
    assert "where(condition, a, b)" in printed


@pytest.mark.parametrize("f", [lambda x: x * float(W)])
def test_a_function_inside_a_decorator(f):
    with pytest.raises(TraceError, match=r"`float\(…\)` needs its number"):
        ag.compile(f)(X)


def test_a_function_that_is_not_written_in_python():
    with pytest.raises(TraceError, match=r"no number of its own\.\nThe function needs its number\."):
        ag.compile(math.sin)(X)


def rosen(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


@pytest.mark.parametrize(
    "f", [rosen, lambda x: x[0], lambda x: len(x) * x, lambda x: ag.sum(x), lambda x: list(x), lambda x: x[0] * x[1]]
)
def test_a_vector_given_where_rows_are_expected(f):
    x0 = np.array([1.0, 2.0, 3.0])
    with pytest.raises(TraceError, match=r"^'x' is one number in each row.*\n.*\n.*in_axes=None; for many vectors"):
        ag.compile(lambda x: f(x))(x0)


def test_rosen_with_what_is_advised():
    x0 = np.array([1.0, 2.0, 3.0])
    assert ag.compile(rosen, in_axes=None)(x0) == ag.compile(rosen)(x0[None])[0] == 201.0


def test_a_value_without_a_number_says_what_it_is():
    shown = []
    ag.compile(lambda x: shown.append((repr(x), f"{x:.3f}", str(ag.sin(x)), type(x).__name__)) or x)(X)
    assert shown == [
        (
            "<'x': a Value without a number, of a function being compiled>",
            "<'x': a Value without a number, of a function being compiled>",
            "<the result of sin: a Value without a number, of a function being compiled>",
            "Value",
        )
    ]
    with pytest.raises(TypeError, match="'Value' and 'str'"):
        ag.compile(lambda x: x + "a")(X)


def test_numpy_takes_it_as_one_number():
    f = ag.compile(lambda x: np.dot(np.array([x, 2.0 * x]), np.array([x, 1.0])) + np.sum([x, x]) + np.sin(x))
    np.testing.assert_allclose(f(X), X * X + 4.0 * X + np.sin(X))


def test_a_text_of_it_is_no_error():
    seen = []
    assert ag.compile(lambda x: seen.append(f"{x}") or x * 2.0)(X).tolist() == (2.0 * X).tolist()
    assert len(seen) == 1


# Operations of the user's own ----------------------------------------------------------------------------------------


def test_mistakes_in_a_rule_are_not_taken_for_numbers_rules():
    calls = []
    missing = operation("missing", lambda x: calls.append(x) or undefined_name, lambda z, x: 1.0)  # noqa: F821
    with pytest.raises(NameError, match="undefined_name"):
        ag.compile(lambda x: missing(x))(X)
    assert len(calls) == 1  # while it was recorded
    slope = operation("missing_slope", lambda x: math.sin(x), lambda z, x: undefined_name)  # noqa: F821
    with pytest.raises(NameError, match="undefined_name"):
        ag.compile(lambda x: slope(x)).grad(X)


def test_own_operations_are_not_kept_alive():
    def count():
        gc.collect()
        return sum(type(x) is Op and x.name.startswith("passing") for x in gc.get_objects())

    op = operation("passing", lambda x: float(round(float(x))), lambda z, x: float(x))
    f = ag.compile(lambda x, op=op: op(x) * x)
    f.value_and_grad(X)
    assert count() > 1
    del f, op
    assert count() == 0


def test_copies_are_the_value_itself():
    f = ag.compile(lambda x: copy.copy(x) * copy.deepcopy({"w": [x]})["w"][0])
    assert f.grad(X).tolist() == (2.0 * X).tolist()
