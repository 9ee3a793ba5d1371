"""The estimators beside scikit-learn's own networks: five of its data sets, the same settings, five-fold scores."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

SETTINGS: dict[str, Any] = {"random_state": 0}  # all else is the default, which both have in common


def _data() -> dict[str, tuple[Any, Any, bool]]:
    """Features and targets by name, and whether these are classes."""
    from sklearn import datasets

    classes = {name: getattr(datasets, f"load_{name}") for name in ("iris", "wine", "breast_cancer", "digits")}
    found = {name: (*load(return_X_y=True), True) for name, load in classes.items()}
    return {**found, "diabetes": (*datasets.load_diabetes(return_X_y=True), False)}


def _scores(make: Callable[[], Any], x: Any, y: Any, classes: bool) -> tuple[float, float]:
    """The mean score of five parts held out in turn, and the median time of a fit in seconds."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if classes else KFold
    scores, seconds = [], []
    for train, test in kind(5, shuffle=True, random_state=0).split(x, y):
        model = make()
        start = time.perf_counter()
        model.fit(x[train], y[train])
        seconds.append(time.perf_counter() - start)
        scores.append(model.score(x[test], y[test]))
    return statistics.fmean(scores), statistics.median(seconds)


def _scaled(theirs: Callable[[], Any]) -> Any:
    """Their network with standardised features, as ours has them."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), theirs())


def main() -> None:
    """Print a line for each data set: the scores, and the times of a fit."""
    from sklearn import neural_network

    import nn

    warnings.simplefilter("ignore")  # some data sets would like more epochs
    print(
        f"{'data set':<14} {'ours':>7} {'theirs':>7}   {'ours':>8} {'theirs':>8}   score (accuracy, R²); time of a fit"
    )
    for name, (x, y, classes) in _data().items():
        kind = "MLPClassifier" if classes else "MLPRegressor"
        own = partial(getattr(nn, kind), **SETTINGS)
        theirs = partial(getattr(neural_network, kind), **SETTINGS)
        a, seconds = _scores(own, x, y, classes)
        b, other = _scores(partial(_scaled, theirs), x, y, classes)
        print(f"{name:<14} {a:7.3f} {b:7.3f}   {seconds:7.3f}s {other:7.3f}s   {seconds / other:.2f} of theirs")
