"""Trainings of breast cancer, 100 epochs: from import to accuracy in a process of its own, and in a running process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROUNDS = 5
HIDDEN, EPOCHS, BATCH, RATE = 16, 100, 64, 1e-3
BATCHES = 32, 200  # in a running process


def _data(path: str) -> Any:
    """Standardised features and classes: 398 rows to train on, 171 held out."""
    import numpy as np

    table = np.load(path)
    x, y = table[:, :-1], table[:, -1].astype(int)
    cut = int(0.7 * len(x))
    x = (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0)
    return x[:cut], y[:cut], x[cut:], y[cut:]


def ours(path: str) -> float:
    """This library's network, loss and optimiser."""
    import numpy as np

    import nn

    x, y, held, wanted = _data(path)
    model = nn.MLP(30, [HIDDEN, 2], rng=0)
    adam = nn.optim.Adam(model.parameters(), RATE)
    nn.fit(model, x, y, loss="softmax_cross_entropy", optimizer=adam, epochs=EPOCHS, batch_size=BATCH, progress=False)
    return float(np.mean(np.argmax(nn.predict(model, held), axis=1) == wanted))


def _estimator(batch: int) -> Any:
    import nn

    return _like(nn.MLPClassifier, batch)


def _like(kind: Any, batch: int) -> Any:
    """A classifier with the settings that are compared; it makes all epochs."""
    import warnings

    warnings.simplefilter("ignore")  # it would like more epochs
    settings = {"learning_rate_init": RATE, "batch_size": batch, "max_iter": EPOCHS, "n_iter_no_change": EPOCHS}
    return kind((HIDDEN,), alpha=0.0, random_state=0, **settings)


def estimator(path: str) -> float:
    """This library's scikit-learn estimator."""
    x, y, held, wanted = _data(path)
    return float(_estimator(BATCH).fit(x, y).score(held, wanted))


def _sklearn(batch: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return _like(MLPClassifier, batch)


def sklearn(path: str) -> float:
    """scikit-learn's own network."""
    x, y, held, wanted = _data(path)
    return float(_sklearn(BATCH).fit(x, y).score(held, wanted))


def _torch(x: Any, y: Any, batch: int) -> Any:
    import torch
    from torch import nn

    x, y = torch.from_numpy(x), torch.from_numpy(y)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)).double()
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    loss_of = nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss_of(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


def torch(path: str) -> float:
    """PyTorch."""
    import torch

    x, y, held, wanted = _data(path)
    found = _torch(x, y, BATCH)(torch.from_numpy(held)).argmax(dim=1).numpy()
    return float((found == wanted).mean())


CONTENDERS: dict[str, Callable[[str], float]] = {f.__name__: f for f in (ours, estimator, sklearn, torch)}


def running(path: str) -> dict[str, list[float]]:
    """Seconds of each fit in one process on one core, contenders in turn: the first one, then all others."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import numpy as np

    parts = _data(path)
    x, y = np.concatenate(parts[::2]), np.concatenate(parts[1::2])
    fits: dict[str, Callable[[int], object]] = {
        "estimator": lambda batch: _estimator(batch).fit(x, y),
        "sklearn": lambda batch: _sklearn(batch).fit(x, y),
    }
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        fits["torch"] = lambda batch: _torch(x, y, batch)
    times: dict[str, list[float]] = {}
    for batch in BATCHES:
        for _ in range(ROUNDS + 1):
            for name, fit in fits.items():
                start = time.perf_counter()
                fit(batch)
                times.setdefault(f"{name}, batches of {batch}", []).append(time.perf_counter() - start)
    return times


def main(parts: list[str] | None = None) -> None:
    """Time the processes in turn, and print a table."""
    from tempfile import TemporaryDirectory

    import numpy as np
    from sklearn.datasets import load_breast_cancer

    names = [n for n in CONTENDERS if n != "torch" or find_spec("torch")]
    times: dict[str, list[float]] = {n: [] for n in names}
    accuracy: dict[str, float] = {}
    later: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npy")
        x, y = load_breast_cancer(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(x))
        np.save(path, np.column_stack([x, y])[order])
        for cached in (False, True):
            cache = str(Path(folder) / "code") if cached else ""
            for number in range(ROUNDS + 1):
                for name in names if not cached else names[:2]:
                    start = time.perf_counter()
                    found = _in_a_process(name, path, cache)
                    label = f"{name}, code in the cache" if cached else name
                    if number:
                        times.setdefault(label, []).append(time.perf_counter() - start)
                    accuracy[label] = found
        later = _in_a_process("running", path, str(Path(folder) / "other code"))
    print(f"breast cancer, 30-{HIDDEN}-2, {EPOCHS} epochs, batches of {BATCH}: whole process, medians of {ROUNDS}")
    print("\n| | seconds | held-out accuracy |\n|---|---:|---:|")
    for label, seconds in times.items():
        print(f"| {label} | {statistics.median(seconds):.2f} | {accuracy[label]:.3f} |")
    print("\nin a running process, one core\n\n| | first fit, s | median of the others, s |\n|---|---:|---:|")
    for label, seconds in later.items():
        print(f"| {label} | {seconds[0]:.3f} | {statistics.median(seconds[1:]):.4f} |")


def _in_a_process(name: str, path: str, cache: str) -> Any:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", name, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AUTOGRAD_CACHE": cache},
    )
    return json.loads(run.stdout)


if __name__ == "__main__":
    print(json.dumps({**CONTENDERS, "running": running}[sys.argv[1]](sys.argv[2])))
