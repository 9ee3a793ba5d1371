"""Neurons, layers, networks, losses and optimisers, built on the engine.

>>> import nn
>>> from nn import optim
>>> model = nn.MLP(2, [4, 1], activation="tanh", rng=0)
>>> opt = optim.SGD(model.parameters(), lr=0.1)
>>> loss = nn.half_squared_error(model([1.0, -1.0]), [0.5])
>>> loss.backward()
>>> opt.step()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import autograd

if not hasattr(autograd, "TABLE"):
    raise ImportError(
        f"{autograd.__file__} is not the autograd of scalar-autograd: HIPS autograd has the same import name and has "
        "replaced it. Keep one:  pip uninstall autograd scalar-autograd  and install one of them again"
    )

from . import activations, init, losses, optim
from .dropout import Dropout, Sequential
from .layers import ACTIVATIONS, MLP, Layer, Linear, Neuron
from .losses import (
    LOSSES,
    bce_with_logits,
    binary_cross_entropy,
    half_squared_error,
    hinge,
    huber,
    l1,
    l2,
    mae,
    mse,
    softmax_cross_entropy,
)
from .module import Module

if TYPE_CHECKING:
    from .estimators import MLPClassifier as MLPClassifier
    from .estimators import MLPRegressor as MLPRegressor
    from .files import load as load
    from .files import save as save
    from .plots import plot_decision_regions as plot_decision_regions
    from .plots import plot_history as plot_history
    from .prediction import mean_loss as mean_loss
    from .prediction import predict as predict
    from .training import History as History
    from .training import fit as fit

_LAZY = {
    **dict.fromkeys(("fit", "History"), "training"),
    **dict.fromkeys(("predict", "mean_loss"), "prediction"),
    **dict.fromkeys(("save", "load"), "files"),
    **dict.fromkeys(("plot_history", "plot_decision_regions"), "plots"),
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), "estimators"),
}

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MLP",
    "Dropout",
    "Layer",
    "Linear",
    "Module",
    "Neuron",
    "Sequential",
    "bce_with_logits",
    "binary_cross_entropy",
    "half_squared_error",
    "hinge",
    "huber",
    "init",
    "l1",
    "l2",
    "losses",
    "mae",
    "mse",
    "optim",
    "softmax_cross_entropy",
    *activations.MODULES,
    *(name for name, module in _LAZY.items() if module != "estimators"),  # those need scikit-learn when imported
]

globals().update(activations.MODULES)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
