"""GradBench's protocol: a message on each line of the input, a response on each line of the output, both in JSON."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TextIO

import autograd as ag

EVALS = ("hello", "llsq", "lse", "ode", "particle", "saddle", "det", "gmm", "ba", "kmeans", "lstm", "ht")

Call = Callable[[], Any]  # runs once and returns the output, computed anew
_threads: list[int | None] = [1]


def compiled(f: Callable[..., Any], in_axes: Any = 0, reduce: str | None = None) -> ag.Compiled:
    """``autograd.compile`` with the number of threads that was chosen on the command line."""
    return ag.compile(f, in_axes, reduce, _threads[0])


def main(options: Sequence[str] = ()) -> None:
    """Answer every message; ``--multithreaded`` uses all processors instead of one."""
    if set(options) - {"--multithreaded"}:
        sys.exit("python -m benchmarks gradbench takes no option except --multithreaded")
    _threads[0] = None if options else 1
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever else prints must not come between the responses
    try:
        respond(sys.stdin, answers)
    finally:
        sys.stdout = answers


def respond(messages: TextIO, answers: TextIO) -> None:
    """Answer messages until their end."""
    for line in messages:
        message = json.loads(line)
        response = {"id": message["id"]}
        if message["kind"] == "start":
            response["tool"] = "scalar-autograd"
        elif message["kind"] == "define":
            response |= _guarded(lambda m: {"success": bool(_module(m["module"]))}, message)
        elif message["kind"] == "evaluate":
            response |= _guarded(_evaluated, message)
        print(json.dumps(response, default=_plain), file=answers, flush=True)


def _module(name: str) -> Any:
    if name not in EVALS:
        raise ValueError(f"there is no eval {name!r}; there are: {', '.join(EVALS)}")
    return import_module(f"{__package__}.{name}")


def _guarded(answer: Callable[[Any], dict[str, Any]], message: Any) -> dict[str, Any]:
    """What ``answer`` returns, or its error: one eval that fails must not end the others."""
    try:
        return answer(message)
    except Exception:  # noqa: BLE001  (reported to the eval)
        return {"success": False, "error": traceback.format_exc()}


def _evaluated(message: Any) -> dict[str, Any]:
    """Prepare a call, compile it by a first run, and repeat it as often and as long as the eval asks for."""
    given = message["input"]
    times = given if isinstance(given, dict) else {}
    make, finish = _function(message)
    start = time.perf_counter_ns()
    call: Call = make(given)
    output = call()
    timings = [("prepare", time.perf_counter_ns() - start)]
    total = runs = 0
    while runs < times.get("min_runs", 1) or total < times.get("min_seconds", 0.0) * 1e9:
        start = time.perf_counter_ns()
        output = call()
        timings.append(("evaluate", time.perf_counter_ns() - start))
        total += timings[-1][1]
        runs += 1
    named = [{"name": name, "nanoseconds": count} for name, count in timings]
    return {"success": True, "output": finish(output), "timings": named}


def _function(message: Any) -> tuple[Callable[[Any], Call], Callable[[Any], Any]]:
    """What prepares a call of an eval's function, and what makes its result into the eval's output."""
    found = _module(message["module"]).FUNCTIONS.get(message["function"])
    if found is None:
        raise ValueError(f"the eval {message['module']!r} has no function {message['function']!r} here")
    return found if isinstance(found, tuple) else (found, lambda output: output)


def _plain(x: Any) -> Any:
    """NumPy's arrays and numbers as JSON."""
    return x.tolist()
