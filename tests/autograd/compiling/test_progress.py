"""Long compilations say on a terminal how far they are, and nowhere else."""

import io

import numpy as np
import pytest

import autograd as ag
from autograd.compiling import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def f(x):
    a, b = x[0], x[1]
    for _ in range(200):
        a, b = b, ag.sin(a * b) + 0.5 * a
    return a + b


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)


def test_every_stage_shows_how_far_it_is(at_once, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    ag.compile(f).value_grad_and_hessian(np.ones((3, 2)))
    said = terminal.getvalue()
    for stage in ("deriving:", "deriving again:", "simplifying:", "writing LLVM's language:", "making machine code:"):
        assert stage in said
    assert said.endswith("\r")  # the line is taken away


def test_short_compilations_say_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    ag.compile(lambda x: x * x).grad(np.ones(3))
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["file", "none"])
def test_nothing_is_said_where_there_is_no_terminal(at_once, monkeypatch, stream):
    monkeypatch.setattr("sys.stderr", stream)
    ag.compile(f).grad(np.ones((3, 2)))
    assert stream is None or stream.getvalue() == ""


def test_an_error_takes_the_line_away(at_once, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    def count():
        with progress.counter(10, "counting") as counted:
            return [counted(lambda x: 1 / x)(k) for k in (4, 2, 0)]

    with pytest.raises(ZeroDivisionError):
        count()
    assert "counting:" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
