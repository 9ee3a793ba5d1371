"""Long compilations say how far they are: by a bar on a terminal, by a few lines of text elsewhere."""

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
    stages = "recording:", "deriving:", "deriving again:", "simplifying:", "writing LLVM's language:"
    for stage in (*stages, "making machine code:"):
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


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def five_stages(clock, seconds, total=20_000):
    with progress.preparation():
        for number in range(5):
            with progress.counting(f"stage {number}") as done:
                clock.now += seconds
                done(total)


def test_the_times_of_all_stages_count_together(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    five_stages(clock, 0.3)
    assert terminal.getvalue() == ""
    five_stages(clock, 0.6)
    assert "stage 3:" in terminal.getvalue()
    assert "stage 2:" not in terminal.getvalue()


def test_compiling_continues_the_time_of_recording(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress.preparation():
        begun = progress.current()
        clock.now += 1.9
    with progress.preparation(begun), progress.counting("machine code") as done:
        done(1)
        assert terminal.getvalue() == ""
        clock.now += 0.2
        done(1)
    assert "machine code:" in terminal.getvalue()


def test_a_log_gets_a_line_after_two_seconds_and_then_one_in_ten(clock, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    five_stages(clock, 3.0)
    assert log.getvalue() == "compiling 20,000 operations: stage 0\ncompiling 20,000 operations: stage 4\n"


def test_a_log_says_nothing_of_small_programs(clock, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    five_stages(clock, 3.0, total=1000)
    assert log.getvalue() == ""


def test_the_share_that_is_done_is_said(clock, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with progress.preparation():
        clock.now += 1.0
        for _ in progress.over(range(10_000), "counting"):
            clock.now += 2.5e-4
    assert log.getvalue() == "compiling 10,000 operations: counting, 40 %\n"
