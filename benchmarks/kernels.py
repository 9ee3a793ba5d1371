"""Where the time of dense programs goes: each step of a block by itself, and its share of the core's peak."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from autograd.compiling import executable
from autograd.compiling.executable import Executable
from autograd.compiling.plan import Layer, Outer, Product, Schedule, Step, Straight, Total
from autograd.compiling.workspace import address

from .peak import peak
from .workloads import WORKLOADS

DENSE = ("moons", "mlp30")
SECONDS = 0.2  # for each step


def described(step: Step) -> tuple[str, int]:
    """What a step does, and how many additions and multiplications in dots and sums it needs for a row."""
    if isinstance(step, Layer):
        return f"layer: {len(step.outs)} dots of {len(step.xs)}", 2 * len(step.outs) * len(step.xs)
    if isinstance(step, Outer):
        return f"sums of {len(step.a)} × {len(step.b)} products", 2 * len(step.a) * len(step.b)
    if isinstance(step, Total):
        return f"sums of {len(step.terms)} numbers", len(step.terms)
    if isinstance(step, Product):
        return f"a dot of {len(step.xs)}", 2 * len(step.xs)
    assert isinstance(step, Straight)
    return f"{len(step.code)} instructions, {len(step.kept)} results stored", 0


def best(call: Callable[[], object], rows: int) -> float:
    """The shortest time of a call, in seconds a row."""
    found, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        found = min(found, time.perf_counter() - start)
    return found / rows


class Native:
    """The native code of a workload, in which steps can be left out.

    Args:
        workload: its name.
    """

    def __init__(self, workload: str) -> None:
        work = WORKLOADS[workload]()
        self.title, self.rows = work.title, len(next(iter(work.arrays.values())))
        made: list[tuple[Any, ...]] = []
        whole = Executable.__init__

        def noted(*arguments: Any) -> None:
            made.append(arguments[1:])
            whole(*arguments)

        executable.Executable.__init__ = noted  # type: ignore[method-assign, assignment]
        try:
            self.call = getattr(import_module("benchmarks.peers.ours"), workload)(work)
            self.call()
        finally:
            executable.Executable.__init__ = whole  # type: ignore[method-assign]
        self.plan: Schedule = made[0][0]
        self._row_inputs, self._results, self._dtype, self._one_row, self._target = made[0][1:6]

    def seconds(self, plan: Schedule, store: bool) -> float:
        """Of a row in native code with only these steps and inputs, on random numbers."""
        rng = np.random.default_rng(0)
        results = self._results if store else [[] for _ in self._results]
        given = (self._row_inputs, results, self._dtype, self._one_row, self._target, None)
        code = Executable(plan, *given).entry()
        space = code.space
        space.params[:] = rng.uniform(0.1, 1.0, size=space.params.shape)
        space.pack()
        arrays = [rng.normal(size=(self.rows, max(1, len(x)))) for x in (*self._row_inputs, *self._results)]
        table = [number for a in arrays for number in (address(a), a.strides[0])]
        pointers = (ctypes.c_int64 * len(table))(*table)
        run = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 8)(code.run)
        rest = (code.calls, ctypes.addressof(pointers), space.flag_address, code.operands)
        return best(lambda: run(self.rows, *space.addresses, *rest), self.rows)


def table(workload: str) -> str:
    """The time of every step, in Markdown."""
    native = Native(workload)
    plan, highest = native.plan, peak()
    none = replace(plan, steps=[], live=[])
    empty = native.seconds(none, store=False)
    whole = native.seconds(plan, store=True)
    lines = [
        f"**{native.title}** (peak of this core: {highest * 1e-9:.0f} GFlop/s)",
        "",
        "| step | ns a row | operations | of the peak |",
        "|---|---:|---:|---:|",
    ]

    def line(what: str, seconds: float, operations: int) -> None:
        share = f"{operations / seconds / highest:.0%}" if operations else ""
        lines.append(f"| {what} | {seconds * 1e9:.2f} | {operations or ''} | {share} |")

    inputs = native.seconds(replace(none, live=plan.live), store=False)
    line(f"{len(plan.live)} numbers are read", inputs - empty, 0)
    total = 0
    for step in plan.steps:
        what, operations = described(step)
        total += operations
        line(what, native.seconds(replace(none, steps=[step]), store=False) - empty, operations)
    line("all together, in native code", whole, total)
    line("a whole call", best(native.call, native.rows), total)
    return "\n".join(lines)


def main(workloads: Sequence[str] = DENSE) -> None:
    """Print the tables of the named workloads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for workload in workloads:
        if workload not in WORKLOADS:
            sys.exit(f"unknown workload {workload!r}; there are: {', '.join(WORKLOADS)}")
        print(table(workload), end="\n\n", flush=True)
