"""Compiled functions and all peers: the same work, one processor, interleaved processes, results compared first."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from textwrap import fill
from typing import Any

from .peers import PEERS
from .workloads import WORKLOADS

ROUNDS = 7
LIMIT = 300  # seconds in which a peer must have its first result
HERE = Path(__file__).parent


class _Worker:
    """A peer's process."""

    def __init__(self, peer: str, workload: str, rows: int | None = None) -> None:
        python = sys.executable
        path = str(HERE.parent)
        if peer == "with_hips":  # its package has the same name: this project must not be on its path
            python, path = os.environ.get("HIPS_PYTHON", ""), _apart()
        self.peer = peer
        arguments = [python, "-m", "benchmarks.worker", peer, workload, *([str(rows)] if rows else [])]
        surroundings = {
            **os.environ,
            "PYTHONPATH": path,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
            "JAX_PLATFORMS": "cpu",
            "AUTOGRAD_CACHE": "",  # the first call includes compiling
        }
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed by end)
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=surroundings,
            cwd=path,
            start_new_session=True,
        )

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            said = self.log.read().strip().splitlines()
            return {"failed": said[-1] if said else "ended"}
        return json.loads(line)  # type: ignore[no-any-return]

    def round(self) -> float:
        """Seconds of one call, in one more round."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.hear()["seconds"])

    def kill(self) -> None:
        """End the process, and a compiler that it may have started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Let the process continue."""
        self.process.stdin and self.process.stdin.close()
        self.process.wait()
        self.log.close()


def _apart() -> str:
    """A folder that holds the benchmarks and nothing else of this project."""
    folder = Path(tempfile.gettempdir()) / "autograd-benchmarks-apart"
    folder.mkdir(exist_ok=True)
    link = folder / "benchmarks"
    if not link.exists():
        link.symlink_to(HERE)
    return str(folder)


def measure(workload: str, peers: list[str]) -> dict[str, Any]:
    """First results and medians of the peers at one workload."""
    import numpy as np

    workers: dict[str, _Worker] = {}
    found: dict[str, Any] = {}
    reference: dict[int | None, Any] = {}
    for peer in peers:
        if peer == "with_hips" and not os.environ.get("HIPS_PYTHON"):
            continue
        worker = _Worker(peer, workload)
        said = _within(worker, LIMIT)
        if "result" not in said:
            worker.kill()
            worker.end()
            if "failed" in said:
                found[peer] = {"failed": said["failed"]}
                print(f"  {PEERS[peer]}: {said['failed']}", file=sys.stderr)
            continue
        rows = said["rows"]
        if rows not in reference:
            if peer == "ours":
                reference[rows] = said["result"]
            else:
                ours = _Worker("ours", workload, rows)
                reference[rows] = ours.hear()["result"]
                ours.end()
        for mine, theirs in zip(reference[rows], said["result"], strict=True):
            a, b = np.array(mine), np.array(theirs)
            if not np.allclose(a, b, rtol=1e-7, atol=1e-9 * max(1.0, float(np.abs(a).max()))):
                raise SystemExit(f"{PEERS[peer]} does not compute the same at {workload}: {a[:4]} and {b[:4]}")
        workers[peer] = worker
        found[peer] = {"first": said["first"], "rows": rows, "rounds": []}
    for number in range(ROUNDS + 1):
        for peer, worker in workers.items():
            seconds = worker.round()
            if number:
                found[peer]["rounds"].append(seconds)
    for worker in workers.values():
        worker.end()
    work = WORKLOADS[workload]()
    whole = 1 if workload == "west" else len(next(iter(work.arrays.values())))
    for entry in found.values():
        if "rounds" in entry:
            entry["seconds"] = statistics.median(entry.pop("rounds"))
            entry["row"] = entry["seconds"] / (entry["rows"] or whole)
    return {"title": work.title, "peers": found}


def _within(worker: _Worker, seconds: float) -> dict[str, Any]:
    from threading import Timer

    timer = Timer(seconds, worker.kill)
    timer.start()
    try:
        said = worker.hear()
    finally:
        timer.cancel()
    if "failed" in said and worker.process.poll() == -9:
        said["failed"] = f"no result within {seconds:.0f} s"
    return said


def table(results: dict[str, Any]) -> str:
    """The results as a table in Markdown: nanoseconds a row, how many times ours, and the time to the first result."""
    lines = []
    for result in results.values():
        ours = result["peers"]["ours"]
        lines += ["", f"**{result['title']}**", "", "| | a row | of ours | first result |", "|---|---:|---:|---:|"]
        for peer, entry in result["peers"].items():
            if "row" not in entry:
                lines.append(f"| {PEERS[peer]} | {entry['failed']} | | |")
                continue
            ratio = entry["row"] / ours["row"]
            lines.append(f"| {PEERS[peer]} | {_time(entry['row'])} | {ratio:.2f} | {_time(entry['first'])} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def plot(results: dict[str, Any], path: Path) -> None:
    """Bars: each peer's time as a multiple of ours, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(15, 6), constrained_layout=True)
    for axis in axes.flat[len(results) :]:
        axis.remove()
    for axis, result in zip(axes.flat, results.values(), strict=False):
        ours = result["peers"]["ours"]["row"]
        bars = {PEERS[p]: e["row"] / ours for p, e in result["peers"].items() if "row" in e}
        names = sorted(bars, key=bars.__getitem__)
        colours = ["#d1495b" if n == "ours" else "#b0b7bd" if n == PEERS["plain_c"] else "#4f7cac" for n in names]
        axis.barh(names, [bars[n] for n in names], color=colours)
        axis.set_xscale("log")
        axis.set_xlim(min(bars.values()) * 0.5, max(bars.values()) ** 1.25 * 2.0)
        axis.xaxis.set_visible(False)
        axis.invert_yaxis()
        title = result["title"].split(", ")
        axis.set_title(title[0] + "\n" + fill(", ".join(title[1:]), 36), fontsize=9, loc="left")
        axis.tick_params(axis="y", labelsize=9, length=0)
        for k, n in enumerate(names):
            times = f"{bars[n]:,.0f}×" if bars[n] >= 10 else f"{bars[n]:.1f}×" if n != "ours" else ""
            axis.text(bars[n], k, f" {_time(result['peers'][_peer(n)]['row'])}  {times}", va="center", fontsize=8)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
    figure.suptitle("Time of a row, and how many times ours: one processor, float64, logarithmic (shorter is faster)")
    figure.savefig(path, dpi=110)


def _peer(title: str) -> str:
    return next(peer for peer, name in PEERS.items() if name == title)


def main(workloads: list[str] | None = None) -> None:
    """Measure the named workloads, by default all; print the table and save table, numbers and plot."""
    results = {}
    for workload in workloads or WORKLOADS:
        print(f"{workload} …", file=sys.stderr)
        results[workload] = measure(workload, list(PEERS))
        print(table({workload: results[workload]}), flush=True)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    kept = folder / "compiled.json"
    every = json.loads(kept.read_text()) if kept.exists() else {}
    every |= results
    every = {name: every[name] for name in WORKLOADS if name in every}
    kept.write_text(json.dumps(every, indent=1) + "\n")
    (folder / "compiled.md").write_text(table(every).strip() + "\n")
    plot(every, folder / "compiled.png")
