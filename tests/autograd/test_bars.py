"""Progress bars: who sees them, and in which form."""

import io
import sys
from types import SimpleNamespace

import pytest

from autograd import bars


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def kernel(monkeypatch):
    """As in the kernel of a notebook."""
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    return shell


def test_a_bar_runs_over_the_items_and_is_taken_away(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(bars.bar(iter("abc"), "letters", 3)) == ["a", "b", "c"]
    assert "letters: " in sys.stderr.getvalue()
    assert "/3" in sys.stderr.getvalue()
    assert sys.stderr.getvalue().endswith("\r")


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["file", "none"])
def test_items_are_left_alone_where_nobody_looks(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    items = [1, 2]
    assert bars.bar(items, "numbers") is items
    with bars.bar(what="numbers", total=2) as numbers:
        numbers.update()
    assert stream is None or stream.getvalue() == ""


def test_a_notebook_without_widgets_shows_a_line(kernel, monkeypatch):
    monkeypatch.setattr(bars, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert bars.seen()
    assert list(bars.bar([1, 2], "numbers")) == [1, 2]
    assert "numbers: " in sys.stderr.getvalue()


def test_a_notebook_with_widgets_shows_one(kernel, monkeypatch):
    asked = []
    monkeypatch.setattr(bars, "find_spec", lambda name: name == "ipywidgets")
    monkeypatch.setitem(
        sys.modules, "tqdm.auto", SimpleNamespace(tqdm=lambda *items, **settings: asked.append((items, settings)))
    )
    bars.bar([1, 2], "numbers", delay=1.0)
    assert asked == [(([1, 2], "numbers", None), {"leave": False, "disable": False, "delay": 1.0})]


def test_ipython_in_a_terminal_is_no_notebook(kernel, monkeypatch):
    kernel.config = {"TerminalIPythonApp": {}}
    assert not bars.seen()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    assert not bars.seen()
