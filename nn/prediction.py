"""Predictions of a model for rows of data, and their mean loss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import autograd as ag

from .compiled import compiled_outputs
from .data import Rows, pairs, table
from .losses import Loss, float_of, loss_function
from .module import Module, outputs, require_module


def predict(model: Module, xs: Iterable[Any]) -> Rows:
    """The model's outputs for each row, as numbers; without dropout and without recording.

    Args:
        model: takes a row and returns a list of outputs, or one.
        xs: n rows of numbers, equally long.

    Returns:
        n lists with one number for each output of the model.

    Raises:
        ArgumentError: for empty or ragged data, or numbers that are not finite.
        InputError: if the model is no Module, or the data are not numbers.

    >>> import nn
    >>> predict(nn.MLP(2, [1], weights=[[[1.0, -1.0]]]), [[3.0, 1.0], [0.0, 0.5]])
    [[2.0], [-0.5]]
    """
    require_module(model, "predict")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        rows = table(xs, "xs")
        found = compiled_outputs(model, rows)
        if found is not None:
            return found
        what = f"an output of {type(model).__name__}"
        with ag.no_grad():
            return [[float_of(out, what) for out in outputs(model, row)] for row in rows]
    finally:
        for module, mode in modes:
            module.training = mode


def mean_loss(model: Module, xs: Iterable[Any], ys: Iterable[Any], *, loss: str | Loss = "mse") -> float:
    """The mean loss of a model over data, without dropout and without recording.

    Args:
        model: takes a row and returns a list of outputs, or one.
        xs: n rows of numbers, equally long.
        ys: n targets: numbers, or rows of numbers.
        loss: a name from ``nn.LOSSES`` or a function of outputs and targets.

    Raises:
        ArgumentError, InputError: as ``predict``, or for targets that the loss rejects.

    >>> import nn
    >>> mean_loss(nn.MLP(1, [1], weights=[[[2.0]]]), [1.0, 2.0], [2.0, 5.0])
    0.5
    """
    rows, targets = pairs(xs, ys)
    loss_of = loss_function(loss)
    losses = [
        float_of(loss_of(out, t), "what the loss returned")
        for out, t in zip(predict(model, rows), targets, strict=True)
    ]
    return math.fsum(losses) / len(rows)
