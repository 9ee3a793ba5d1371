"""Losses: functions of outputs and targets that return one Value, and penalties on parameters.

Every loss takes n outputs, numbers or Values, and n targets. For Values it returns a Value, whose ``backward`` gives
the slopes; for numbers it returns a number. Each raises an ArgumentError if the lengths differ or there is no output,
and an InputError for anything that is not a list of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import autograd as ag
from autograd import ArgumentError, InputError, TraceError, Value
from autograd.text import shown

from .text import choose, function, number, numbers, sequence

Loss = Callable[[Sequence[Any], Sequence[Any]], Any]
Number = TypeVar("Number", float, Value)


def half_squared_error(
    outputs: Sequence[Number], targets: Sequence[Any], *, names: Sequence[str] | None = None
) -> Number:
    """½ Σ (target − output)², the tutorials' error.

    Args:
        outputs: n numbers or Values.
        targets: n numbers.
        names: the names of the error of each output (``E_o1`` …).

    Raises:
        ArgumentError: if the lengths differ, or there is no output.

    >>> half_squared_error([ag.Value(3.0), ag.Value(1.0)], [1.0, 1.0]).data
    2.0
    """
    errors = [0.5 * ag.square(t - o) for o, t in _pairs(outputs, targets)]
    for error, name in zip(errors, () if names is None else sequence("names", names), strict=False):
        if isinstance(error, Value):
            error.name = name
    total: Number = errors[0] if len(errors) == 1 else ag.sum(errors)
    return total


def mse(outputs: Sequence[Number], targets: Sequence[Any]) -> Number:
    """The mean of (output − target)²; PyTorch's MSELoss.

    >>> mse([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    terms: list[Number] = [ag.square(o - t) for o, t in _pairs(outputs, targets)]
    return _mean(terms)


def mae(outputs: Sequence[Number], targets: Sequence[Any]) -> Number:
    """The mean of |output − target|; PyTorch's L1Loss.

    >>> mae([1.0, 4.0], [1.0, 2.0])
    1.0
    """
    terms: list[Number] = [abs(o - t) for o, t in _pairs(outputs, targets)]
    return _mean(terms)


def huber(outputs: Sequence[Number], targets: Sequence[Any], delta: float = 1.0) -> Number:
    """The mean of ½e² where |e| ≤ δ, else δ(|e| − ½δ), with e = output − target (Huber 1964).

    Args:
        outputs: n numbers or Values.
        targets: n numbers.
        delta: where the parabola ends, in the unit of the outputs; above 0.

    Raises:
        ArgumentError: if delta is not above 0, the lengths differ, or there is no output.

    >>> huber([0.5, 4.0], [0.0, 2.0])
    0.8125
    """
    if not float_of(delta, "delta") > 0:
        raise ArgumentError(f"delta must be positive, not {shown(delta)}")
    errors = [o - t for o, t in _pairs(outputs, targets)]
    terms: list[Number] = [
        ag.where(abs(e) <= delta, 0.5 * ag.square(e), delta * (abs(e) - 0.5 * delta)) for e in errors
    ]
    return _mean(terms)


def hinge(outputs: Sequence[Number], targets: Sequence[Any]) -> Number:
    """The mean of max(0, 1 − target·output) for targets −1 and 1.

    Raises:
        ArgumentError: for another target, or if the lengths differ.

    >>> hinge([0.5, 3.0], [1, 1])
    0.25
    """
    pairs = _pairs(outputs, targets)
    for _, t in pairs:
        if _known(t) not in (-1.0, 1.0, None):
            raise ArgumentError(f"the hinge loss takes targets -1 and 1, not {float_of(t):g}")
    terms: list[Number] = [ag.relu(1.0 - t * o) for o, t in pairs]
    return _mean(terms)


def binary_cross_entropy(outputs: Sequence[Number], targets: Sequence[Any]) -> Number:
    """The mean of −t·ln o − (1 − t)·ln(1 − o); PyTorch's BCELoss.

    Outputs are kept 1e-15 away from 0 and 1, where the logarithm is infinite; there the slope is 0. After a sigmoid,
    prefer ``bce_with_logits``, which is exact there.

    Args:
        outputs: n probabilities.
        targets: n probabilities, often 0 or 1.

    Raises:
        ArgumentError: if a number is outside [0, 1], or the lengths differ.

    >>> f"{binary_cross_entropy([0.5], [1.0]):.4f}"
    '0.6931'
    """
    pairs = _pairs(outputs, targets)
    _check_probabilities([o for o, _ in pairs], "outputs")
    _check_probabilities([t for _, t in pairs], "targets")
    kept = [(ag.clamp(o, 1e-15, 1.0 - 1e-15), t) for o, t in pairs]
    terms: list[Number] = [-(ag.xlogy(t, o) + ag.xlog1py(1.0 - t, -o)) for o, t in kept]
    return _mean(terms)


def bce_with_logits(outputs: Sequence[Number], targets: Sequence[Any]) -> Number:
    """Binary cross-entropy of sigmoid(output), without overflow; its slope is sigmoid(output) − target.

    PyTorch's BCEWithLogitsLoss.

    Raises:
        ArgumentError: if a target is outside [0, 1], or the lengths differ.

    >>> bce_with_logits([1000.0], [0.0])
    1000.0
    """
    pairs = _pairs(outputs, targets)
    _check_probabilities([t for _, t in pairs], "targets")
    terms: list[Number] = [ag.softplus(o) - t * o for o, t in pairs]
    return _mean(terms)


def softmax_cross_entropy(outputs: Sequence[Number], target: int | Sequence[Any]) -> Number:
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
    outputs = numbers("outputs", outputs)
    if isinstance(target, Iterable):
        targets = [t for _, t in _pairs(outputs, target)]
        _check_probabilities(targets, "targets")
        known = [_known(t) for t in targets]
        if None not in known and abs((total := sum(map(float_of, targets))) - 1.0) > 1e-6:
            raise ArgumentError(f"target probabilities add up to 1, not to {total:g}")
    else:
        n, index = len(outputs), float_of(target, "the class")
        if not (index.is_integer() and 0 <= index < n):
            raise ArgumentError(f"class {shown(target)} is outside the classes 0 … {n - 1} of {n} outputs")
        targets = [float(k == index) for k in range(n)]
    loss: Number = ag.cross_entropy(outputs, targets)
    return loss


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
    if callable(loss):
        return function("a loss", loss, "outputs", "targets")
    return choose("loss", loss, LOSSES | {"softmax_cross_entropy": _of_class_or_shares})


@dataclass(frozen=True)
class Weighted:
    """A loss times the weight of its row, which stands behind the targets.

    Args:
        loss: a loss or its name.
    """

    loss: str | Loss

    def __call__(self, outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
        *own, weight = targets
        return weight * loss_function(self.loss)(outputs, own)


def _of_class_or_shares(outputs: Sequence[Any], targets: Sequence[Any]) -> Any:
    """Softmax cross-entropy as ``fit`` calls a loss: a row of one target is the index of a class."""
    return softmax_cross_entropy(outputs, targets[0] if len(targets) == 1 else targets)


def l1(params: Iterable[Value], strength: float) -> Value:
    """strength·Σ|w|: a penalty that makes many weights exactly 0.

    >>> l1([Value(2.0), Value(-3.0)], 0.1).data
    0.5
    """
    penalty: Value = _strength(strength) * ag.sum([abs(p) for p in numbers("params", params)])
    return penalty


def l2(params: Iterable[Value], strength: float) -> Value:
    """½·strength·Σw², whose slope is strength·w: what weight decay adds to a gradient.

    >>> w = Value(3.0)
    >>> l2([w], 0.1).backward()
    >>> f"{w.grad:.1f}"
    '0.3'
    """
    params = numbers("params", params)
    penalty: Value = 0.5 * _strength(strength) * ag.dot(params, params)
    return penalty


def _strength(x: Any) -> Any:
    return x if isinstance(x, Value) else number("the strength of a penalty", x)


def float_of(x: Any, what: str = "a number") -> float:
    """The number in a Value, or the number.

    Raises:
        InputError: for anything else; ``what`` describes it.
    """
    return x.data if isinstance(x, Value) else x if type(x) is float else number(what, x)


def differentiable(loss: Any) -> Value:
    """The loss that a model is trained on, which must be a Value.

    Raises:
        InputError: for a plain number, which has no derivative, and for anything that is no number.
    """
    if not isinstance(loss, Value):
        raise InputError(
            f"the loss is the plain number {shown(float_of(loss, 'the loss'))}, which has no derivative: compute it "
            "from the outputs with Python's operators and autograd's functions"
        )
    return loss


def _known(x: Any) -> float | None:
    """The number, or None while a loss is being compiled: x then stands for the numbers of all rows."""
    try:
        return float_of(x)
    except TraceError:
        return None


def _mean(terms: Sequence[Number]) -> Number:
    if len(terms) == 1:
        return terms[0]
    total: Number = ag.sum(terms)
    return total / float(len(terms))


def _check_probabilities(xs: Iterable[Any], what: str) -> None:
    for x in xs:
        if (known := _known(x)) is not None and not 0.0 <= known <= 1.0:
            raise ArgumentError(f"cross-entropy takes {what} between 0 and 1, not {float_of(x):g}")


def _pairs(outputs: Any, targets: Any) -> list[tuple[Any, Any]]:
    outputs, targets = numbers("outputs", outputs), numbers("targets", targets)
    if len(outputs) != len(targets):
        raise ArgumentError(f"a loss needs one target for each output: {len(outputs)} outputs, {len(targets)} targets")
    if not outputs:
        raise ArgumentError("a loss of no outputs has no value; give at least one")
    return list(zip(outputs, targets))  # noqa: B905  (strict takes time)
