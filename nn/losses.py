"""Losses: functions of outputs and targets that return one Value, and penalties on parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import autograd as ag
from autograd import ArgumentError, TraceError, Value

from .text import choose

Loss = Callable[[Sequence[Any], Sequence[Any]], Any]


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


def mse(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean of (output − target)²; PyTorch's MSELoss."""
    return _mean([ag.square(o - t) for o, t in _pairs(outputs, targets)])


def mae(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean of |output − target|; PyTorch's L1Loss."""
    return _mean([abs(o - t) for o, t in _pairs(outputs, targets)])


def huber(outputs: Sequence[Any], targets: Sequence[Any], delta: float = 1.0) -> Any:
    """The mean of ½e² where |e| ≤ δ, else δ(|e| − ½δ) (Huber 1964)."""
    if not delta > 0:
        raise ArgumentError(f"delta must be positive, not {delta!r}")
    errors = [o - t for o, t in _pairs(outputs, targets)]
    return _mean(
        [ag.where(abs(e) <= delta, 0.5 * ag.square(e), delta * (abs(e) - 0.5 * delta)) for e in errors],
    )


def hinge(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean of max(0, 1 − t·o) for targets −1 and 1."""
    for t in targets:
        if _known(t) not in (-1.0, 1.0, None):
            raise ArgumentError(f"the hinge loss takes targets -1 and 1, not {float_of(t):g}")
    return _mean([ag.relu(1.0 - t * o) for o, t in _pairs(outputs, targets)])


def binary_cross_entropy(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """The mean of −t·ln o − (1 − t)·ln(1 − o) for outputs in [0, 1]; PyTorch's BCELoss.

    Outputs are kept 1e-15 away from 0 and 1, where the logarithm ends; there the slope is 0. After a sigmoid, prefer
    ``bce_with_logits``, which loses nothing.
    """
    pairs = _pairs(_probabilities(outputs, "outputs"), _probabilities(targets, "targets"))
    kept = [(ag.clamp(o, 1e-15, 1.0 - 1e-15), t) for o, t in pairs]
    return _mean([-(ag.xlogy(t, o) + ag.xlog1py(1.0 - t, -o)) for o, t in kept])


def bce_with_logits(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Binary cross-entropy of sigmoid(output), without overflow; its slope is sigmoid(output) − t."""
    return _mean([ag.softplus(o) - t * o for o, t in _pairs(outputs, _probabilities(targets, "targets"))])


def softmax_cross_entropy(outputs: Sequence[Any], target: int | Sequence[Any]) -> Any:
    """−Σ t·ln softmax(output), without overflow; its slopes are y − t, with y = softmax(output), in one node.

    Args:
        outputs: n logits.
        target: the index of the class, or n probabilities that add up to 1.

    Raises:
        ArgumentError: if the class does not exist.

    >>> loss = softmax_cross_entropy([ag.Value(1.0), ag.Value(1.0)], 0)
    >>> f"{loss.data:.4f}", loss.partials
    ('0.6931', (-0.5, 0.5))
    """
    n = len(outputs)
    if isinstance(target, Sequence):
        targets = [t for _, t in _pairs(outputs, _probabilities(target, "targets"))]
        known = [_known(t) for t in targets]
        if None not in known and abs((total := sum(map(float_of, targets))) - 1.0) > 1e-6:
            raise ArgumentError(f"target probabilities add up to 1, not to {total:g}")
    else:
        index = int(target)
        if index != target or not 0 <= index < n:
            raise ArgumentError(f"class {target!r} is outside the classes 0 … {n - 1} of {n} outputs")
        targets = [float(k == index) for k in range(n)]
    return ag.cross_entropy(outputs, targets)


LOSSES: dict[str, Loss] = {
    "half_squared_error": half_squared_error,
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "hinge": hinge,
    "binary_cross_entropy": binary_cross_entropy,
    "bce_with_logits": bce_with_logits,
}


def loss_function(loss: str | Loss) -> Loss:
    """A loss by name, or the function given."""
    return loss if callable(loss) else choose("loss", loss, LOSSES | {"softmax_cross_entropy": _of_class_or_shares})


def _of_class_or_shares(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Softmax cross-entropy as ``fit`` calls a loss: a row of one target is the index of a class."""
    return softmax_cross_entropy(outputs, targets[0] if len(targets) == 1 else targets)


def l1(params: Iterable[Value], strength: float) -> Any:
    """strength·Σ|w|."""
    return strength * ag.sum([abs(p) for p in params])


def l2(params: Iterable[Value], strength: float) -> Any:
    """½·strength·Σw², whose slope is strength·w: what weight decay adds to a gradient."""
    params = list(params)
    return 0.5 * strength * ag.dot(params, params)


def float_of(x: Any) -> float:
    """The number in a Value, or the number."""
    return x.data if isinstance(x, Value) else float(x)


def _known(x: Any) -> float | None:
    """The number, or None while a loss is being compiled: x then stands for the numbers of all rows."""
    try:
        return float_of(x)
    except TraceError:
        return None


def _mean(terms: Sequence[Any]) -> Any:
    return terms[0] if len(terms) == 1 else ag.sum(terms) / float(len(terms))


def _probabilities(numbers: Sequence[Any], what: str) -> Sequence[Any]:
    for x in numbers:
        if (known := _known(x)) is not None and not 0.0 <= known <= 1.0:
            raise ArgumentError(f"cross-entropy takes {what} between 0 and 1, not {float_of(x):g}")
    return numbers


def _pairs(outputs: Sequence[Any], targets: Sequence[Any]) -> list[tuple[Any, Any]]:
    if len(outputs) != len(targets):
        raise ArgumentError(f"a loss needs one target for each output: {len(outputs)} outputs, {len(targets)} targets")
    if not len(outputs):
        raise ArgumentError("a loss of no outputs has no value; give at least one")
    return list(zip(outputs, targets, strict=True))
