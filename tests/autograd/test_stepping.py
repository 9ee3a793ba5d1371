"""The event log and the terminal player."""

import io
import math
import os
import re
import signal
import subprocess
import sys

import pytest

import autograd as ag
from autograd import InputError, Value, steps
from autograd.language import language
from autograd.naming import Names
from autograd.stepping import Backward, Forward, Update
from autograd.stepping.player import page, play
from autograd.stepping.position import Position
from demos.worked_example import RATE, network, recorded
from nn import optim

from ..work import growth


@pytest.fixture
def log():
    model = network(names=True)
    return steps(recorded(model), optim.SGD(model.parameters(), lr=RATE))


def test_the_log_says_what_the_engine_did(log):
    kinds = [type(event) for event in log]
    assert kinds == [Forward] * 15 + [Backward] * 32 + [Update] * 8
    text = str(log)
    for line in (
        "net_h1 = w1·i1 + w2·i2 + b1",
        "= 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775",
        "adjoint 0.741365 × partial 0.186816 = 0.138499",
        "grad of out_h1 is now 0.0363503",
        "w5 ← w5 − η·grad",
        "= 0.4 − 0.5·0.0821670 = 0.358916",
    ):
        assert line in text


def test_running_sums_end_at_the_gradients():
    model = network(names=True)
    error = recorded(model)
    last = {event.input: event.total for event in steps(error) if isinstance(event, Backward)}
    for node in ag.topological(error):
        if node is not error and node.name:
            assert last[node.name] == node.grad
    twin = recorded(network(names=True))
    twin.backward()
    assert [n.grad for n in ag.topological(twin)] == [n.grad for n in ag.topological(error)]


def test_an_input_used_twice_has_two_events():
    x = Value(3.0, name="x")
    events = [e for e in steps(x * x) if isinstance(e, Backward)]
    assert [(e.contribution, e.total) for e in events] == [(3.0, 3.0), (3.0, 6.0)]


def test_a_log_shows_one_sweep_from_zero():
    """Gradients of earlier sweeps do not show in a log, and a second log is the same as the first."""
    x, y = Value(2.0, name="x"), Value(0.5, name="y")
    z = ag.sin(x * y) + x**2
    z.backward()
    once = (x.grad, y.grad)
    first = steps(z)
    assert (x.grad, y.grad) == once
    assert "grad of x is now 4.27015" in str(first)
    assert str(steps(z)) == str(first)
    assert (x.grad, y.grad) == once


def test_contributions_are_those_of_the_sweep():
    x, y = Value(0.0, name="x"), Value(2.0, name="y")
    z = ag.where(x > 0, x.sqrt() * 5, x * y)
    for event in steps(z):
        if isinstance(event, Backward):
            assert not math.isnan(event.contribution)
            assert not math.isnan(event.total)
    assert x.grad == 2.0


def test_a_log_holds_events_only():
    with pytest.raises(InputError, match=r"not 1\.0"):
        ag.Log([1.0])


def test_zero_times_infinity_is_logged_as_the_engine_does_it():
    log = steps(ag.where(False, Value(4.0, name="a"), 1.0) * Value(math.inf, name="k"))
    assert "nan" not in str(log).split("backward")[1]


def test_the_log_is_a_snapshot():
    x = Value(3.0, name="x")
    log = steps(x * x)
    before = str(log)
    x.data = x.grad = 99.0
    assert str(log) == before


def test_golden_text(log, golden):
    golden("worked_example_steps.txt", str(log) + "\n")


def test_without_a_terminal_it_prints_everything_and_ends(log):
    out = io.StringIO()
    play(log, io.StringIO("n\n"), out)
    assert out.getvalue() == str(log) + "\n"


def test_a_leaf_has_no_steps():
    out = io.StringIO()
    log = steps(Value(1.0))
    play(log, io.StringIO(), out)
    assert "nothing was recorded" in out.getvalue()
    with pytest.raises(InputError, match="list"):
        steps([Value(1.0)])


def test_exactly_one_step_is_marked_wherever_the_player_stands(log):
    for at in (0, 1, 7, len(log) - 1):
        position = Position(log)
        position.at = at
        (marked,) = [line for line in page(position) if line.startswith("▶")]
        assert marked == f"▶ {at + 1:>4}  {log[at].lines(6)[0]}"


def test_it_ends_without_an_error_without_a_reader_or_a_keyboard():
    demo = f"{sys.executable} -m demos sweeps --step"
    closed = subprocess.run(["bash", "-c", f"{demo} <&-"], capture_output=True, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")
    assert "e = c·d" in closed.stdout
    head = f"{sys.executable} -m demos worked_example --steps all | true; exit ${{PIPESTATUS[0]}}"
    gone = subprocess.run(
        ["bash", "-c", head], capture_output=True, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert gone.stderr == ""
    assert gone.returncode == 128 + signal.SIGPIPE


def test_a_log_in_chinese(golden):
    log = steps(recorded(network(names=True)))
    english = str(log)
    with language("zh"):
        chinese = str(log)  # made before, shown in the language in force now
    golden("worked_example_steps_zh.txt", chinese + "\n")
    assert str(log) == english
    numbers = re.compile(r"[−\d.]+")
    assert [numbers.findall(x) for x in chinese.splitlines()] == [numbers.findall(x) for x in english.splitlines()]


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_play_in_a_script_ends_quietly_when_its_reader_has_gone(reader):
    leaves = "[ag.Value(float(k)) for k in range(5000)]"  # more text than a pipe holds
    program = f"import autograd as ag; ag.steps(ag.sum({leaves})).play(); print('rest')"
    run = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{program}" </dev/null | {reader}; exit ${{PIPESTATUS[0]}}'],
        capture_output=True, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")


def test_texts_are_made_on_access_only(monkeypatch):
    """Making texts takes far longer than sweeps: a log of a million nodes must not make all of them."""
    written = []
    formula = Names.formula
    monkeypatch.setattr(Names, "formula", lambda self, node, *rest: written.append(node) or formula(self, node, *rest))
    x = Value(0.5, name="x")
    y = x
    for _ in range(100):
        y = y * x + 1.0
    log = steps(y)
    assert len(log) == 200 + 300
    assert not written
    assert log[0].formula == "x·x"
    assert log[-1].sweep == "backward"
    assert list(log[10:13]) == [log[10], log[11], log[12]]


def test_the_work_of_a_log_grows_with_the_number_of_edges():
    def task(n):
        x = y = Value(0.5)
        for _ in range(n):
            y = y * x + 1.0
        return lambda: steps(y)

    assert growth(task, 200) < 2.1


def test_progress_is_shown_on_a_terminal_only(log, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    x = Value(2.0, name="x")
    monkeypatch.setattr("autograd.stepping.progress.PROGRESS_AFTER", 0.0)
    plain = str(steps(x * x))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert str(steps(x * x)) == plain
    shown = sys.stderr.getvalue()
    assert "steps: forward" in shown
    assert "steps: backward" in shown
