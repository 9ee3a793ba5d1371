"""Losses: functions of outputs and targets that return one Value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd as ag
from autograd import ArgumentError, Value


def half_squared_error(outputs: Sequence[Any], targets: Sequence[Any], *, names: Sequence[str] | None = None) -> Any:
    """½ Σ (target − output)², the tutorials' error.

    Args:
        outputs: n numbers or Values.
        targets: n numbers.
        names: what to call each output's own error (``E_o1`` …).

    Raises:
        ArgumentError: if the lengths differ.

    >>> half_squared_error([ag.Value(3.0), ag.Value(1.0)], [1.0, 1.0]).data
    2.0
    """
    errors = [0.5 * ag.square(t - o) for o, t in _pairs(outputs, targets)]
    for error, name in zip(errors, names or (), strict=False):
        if isinstance(error, Value):
            error.name = name
    return ag.sum(errors)


def _pairs(outputs: Sequence[Any], targets: Sequence[Any]) -> list[tuple[Any, Any]]:
    if len(outputs) != len(targets):
        raise ArgumentError(f"a loss needs one target for each output: {len(outputs)} outputs, {len(targets)} targets")
    if not len(outputs):
        raise ArgumentError("a loss of no outputs has no value; give at least one")
    return list(zip(outputs, targets, strict=True))
