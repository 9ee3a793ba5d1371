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
from typing import Any, NamedTuple

from . import report
from .peak import peak
from .peers import PEERS
from .workloads import WORKLOADS

HERE = Path(__file__).parent


class Effort(NamedTuple):
    """How long is measured.

    Attributes:
        rounds: how many there are.
        seconds: the length of a round.
        limit: the seconds in which a peer must have its first result.
    """

    rounds: int
    seconds: float
    limit: float


FULL, QUICK = Effort(7, 0.4, 300.0), Effort(2, 0.02, 30.0)


class _Worker:
    """A peer's process."""

    def __init__(self, peer: str, workload: str, seconds: float, rows: int | None = None) -> None:
        python = sys.executable
        path = str(HERE.parent)
        if peer == "with_hips":  # its package has the same name: this project must not be on its path
            python, path = os.environ.get("HIPS_PYTHON", ""), _apart()
        self.peer = peer
        arguments = [python, "-m", "benchmarks.worker", peer, workload, str(seconds), *([str(rows)] if rows else [])]
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


def measure(workload: str, peers: list[str], effort: Effort = FULL) -> dict[str, Any]:
    """First results and medians of the peers at one workload."""
    import numpy as np

    workers: dict[str, _Worker] = {}
    found: dict[str, Any] = {}
    reference: dict[int | None, Any] = {}
    for peer in peers:
        if peer == "with_hips" and not os.environ.get("HIPS_PYTHON"):
            continue
        worker = _Worker(peer, workload, effort.seconds)
        said = _within(worker, effort.limit)
        if "result" not in said:
            worker.kill()
            worker.end()
            if "ModuleNotFoundError" in said.get("failed", ""):
                print(f"  {PEERS[peer]} is not installed: {said['failed']}", file=sys.stderr)
            elif "failed" in said:
                found[peer] = {"failed": said["failed"]}
                print(f"  {PEERS[peer]}: {said['failed']}", file=sys.stderr)
            continue
        rows = said["rows"]
        if rows not in reference:
            if peer == "ours":
                reference[rows] = said["result"]
            else:
                ours = _Worker("ours", workload, effort.seconds, rows)
                reference[rows] = ours.hear()["result"]
                ours.end()
        for mine, theirs in zip(reference[rows], said["result"], strict=True):
            a, b = np.array(mine), np.array(theirs)
            if not np.allclose(a, b, rtol=1e-7, atol=1e-9 * max(1.0, float(np.abs(a).max()))):
                raise SystemExit(f"{PEERS[peer]} does not compute the same at {workload}: {a[:4]} and {b[:4]}")
        workers[peer] = worker
        found[peer] = {"first": said["first"], "rows": rows, "rounds": []}
    for number in range(effort.rounds + 1):
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
    result: dict[str, Any] = {"title": work.title, "peers": found}
    if work.flops:
        result |= {"flops": work.flops, "peak": peak()}
    return result


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


def main(parts: list[str] | None = None) -> None:
    """Measure all workloads and peers, or those that are named; print the table, and save numbers, tables and chart.

    Args:
        parts: names of workloads and of peers. With ``--quick`` each is run for a moment only and nothing is saved.
    """
    parts = parts or []
    quick = "--quick" in parts
    unknown = set(parts) - {*WORKLOADS, *PEERS, "--quick"}
    if unknown:
        raise SystemExit(
            f"unknown: {', '.join(sorted(unknown))}; there are the workloads {', '.join(WORKLOADS)}, "
            f"the peers {', '.join(PEERS)}, and --quick"
        )
    peers = [p for p in PEERS if p in parts or p == "ours"] if set(parts) & set(PEERS) else list(PEERS)
    results = {}
    for workload in [w for w in WORKLOADS if w in parts] or WORKLOADS:
        print(f"{workload} …", file=sys.stderr)
        results[workload] = measure(workload, peers, QUICK if quick else FULL)
        print(report.table({workload: results[workload]}), "\n", flush=True)
    if not quick:
        _save(results, whole=len(peers) == len(PEERS))


def _save(results: dict[str, Any], whole: bool) -> None:
    """Put results beside those that were kept; where only some peers ran, nothing can be compared with the others."""
    if not whole:
        print("not saved: only some of the peers ran", file=sys.stderr)
        return
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    kept = folder / "compiled.json"
    every = json.loads(kept.read_text()) if kept.exists() else {}
    every |= results
    every = {name: every[name] for name in WORKLOADS if name in every}
    kept.write_text(json.dumps(every, indent=1) + "\n")
    (folder / "compiled.md").write_text(report.table(every) + "\n")
    report.plot(every, folder / "compiled.png")
    report.into_readme(every)
