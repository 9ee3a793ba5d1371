"""Pictures and the lesson page: the time to draw graphs of all sizes, and the time of a step in the browser."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd as ag
import nn
from autograd import Value

# Times 40 steps forward, each until the browser has laid the page out.
STEPS = """(count) => {
    const times = [];
    const first = Math.floor(lesson.run.events.length / 2);
    lesson.go(first);
    for (let k = 1; k <= count; k++) {
        const start = performance.now();
        lesson.go(first + k);
        document.body.getBoundingClientRect();
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
}"""


def newton(steps: int) -> Value:
    """Newton's steps towards the cube root of a leaf that all of them share."""
    a, x = Value(1.2, name="a"), Value(0.5, name="x")
    for k in range(1, steps + 1):
        with ag.scope(f"step {k}"):
            x = x - (x * x * x - a) / (3 * x * x)
    return x


def mlp(sizes: list[int]) -> Value:
    """A network's loss on one row."""
    model = nn.MLP(sizes[0], sizes[1:], activation="tanh", rng=0, names=True)
    loss: Value = nn.half_squared_error(model([0.1 * k for k in range(sizes[0])]), [0.0] * sizes[-1])
    return loss


def chain(steps: int, scopes: bool) -> Value:
    """Four operations a step, with one leaf that all steps share."""
    x, y = Value(1.1, name="x"), Value(0.1)
    for k in range(steps):
        if scopes:
            with ag.scope(f"step {k + 1}"):
                y = (y * x).tanh() + x * 0.5
        else:
            y = (y * x).tanh() + x * 0.5
    return y


def main() -> None:
    """Draw each graph; open the lesson of the largest one that is drawn whole."""
    print("time to draw as SVG (seconds, one run each):")
    for name, root in {
        "Newton's loop of 50 steps, collapsed": newton(50),
        "MLP 4-16-16-3, collapsed": mlp([4, 16, 16, 3]),
        "25 000 steps in scopes, 100 000 nodes": chain(25_000, scopes=True),
    }.items():
        drawn, seconds = timed(lambda root=root: ag.draw(root))  # type: ignore[misc]
        size = f"{drawn!r}".removeprefix("<Drawing, ").removesuffix(">")
        print(f"  {name:<42} {seconds:6.2f}   {len(ag.topological(root)):>7,} nodes, {size}")
    root = newton(50)
    drawn, seconds = timed(lambda: ag.draw(root, collapse=False))
    print(f"  {'Newton’s loop of 50 steps, whole':<42} {seconds:6.2f}")
    lesson(chain(490, scopes=False))


def lesson(root: Value) -> None:
    """The time of a step of the lesson in Chromium."""
    from playwright.sync_api import sync_playwright

    log = ag.steps(root)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path, seconds = timed(lambda: log.save(Path(folder, "lesson.html")))
        print(f"lesson of {len(log.order):,} nodes: written in {seconds:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        _, seconds = timed(lambda: page.goto(path.as_uri()))
        times = page.evaluate(STEPS, 40)
        print(f"  opened in {seconds:.1f} s; a step: median {times[20]:.1f} ms, slowest of 40 {times[-1]:.1f} ms")
        browser.close()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of some work, and its seconds."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
