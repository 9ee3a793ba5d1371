"""A whole training, from import to accuracy, each in a process of its own: breast cancer, 100 epochs, batches of 64."""

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


def estimator(path: str) -> float:
    """This library's scikit-learn estimator."""
    import nn

    x, y, held, wanted = _data(path)
    model = nn.MLPClassifier(
        (HIDDEN,), learning_rate_init=RATE, batch_size=BATCH, max_iter=EPOCHS, alpha=0.0, random_state=0
    )
    return float(model.fit(x, y).score(held, wanted))


def sklearn(path: str) -> float:
    """scikit-learn's own network."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # it would like more epochs
    x, y, held, wanted = _data(path)
    model = MLPClassifier(
        (HIDDEN,),
        learning_rate_init=RATE,
        batch_size=BATCH,
        max_iter=EPOCHS,
        alpha=0.0,
        random_state=0,
        n_iter_no_change=EPOCHS,
    )
    return float(model.fit(x, y).score(held, wanted))


def torch(path: str) -> float:
    """PyTorch."""
    import torch
    from torch import nn

    x, y, held, wanted = map(torch.from_numpy, _data(path))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)).double()
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    loss_of = nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            optimizer.zero_grad()
            loss_of(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return float((model(held).argmax(dim=1) == wanted).double().mean())


CONTENDERS: dict[str, Callable[[str], float]] = {f.__name__: f for f in (ours, estimator, sklearn, torch)}


def main(parts: list[str] | None = None) -> None:
    """Time the processes in turn, and print a table."""
    from tempfile import TemporaryDirectory

    import numpy as np
    from sklearn.datasets import load_breast_cancer

    names = [n for n in CONTENDERS if n != "torch" or find_spec("torch")]
    times: dict[str, list[float]] = {n: [] for n in names}
    accuracy: dict[str, float] = {}
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
                    run = subprocess.run(
                        [sys.executable, "-m", "benchmarks.training", name, path],
                        capture_output=True,
                        text=True,
                        check=True,
                        env={**os.environ, "AUTOGRAD_CACHE": cache},
                    )
                    label = f"{name}, code in the cache" if cached else name
                    if number:
                        times.setdefault(label, []).append(time.perf_counter() - start)
                    accuracy[label] = json.loads(run.stdout)
    print(f"breast cancer, 30-{HIDDEN}-2, {EPOCHS} epochs, batches of {BATCH}: whole process, medians of {ROUNDS}")
    print("\n| | seconds | held-out accuracy |\n|---|---:|---:|")
    for label, found in times.items():
        print(f"| {label} | {statistics.median(found):.2f} | {accuracy[label]:.3f} |")


if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](sys.argv[2])))
