"""Optimisers: each is its update rule; names, formulas and defaults are PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from autograd import ArgumentError, InputError, Value


class Update(NamedTuple):
    """One parameter's move: ``formula`` over the numbers in ``terms`` (``w`` the old value, ``g`` the gradient)."""

    parameter: Value
    old: float
    gradient: float
    new: float
    formula: str
    terms: dict[str, float]


class Optimizer:
    """Base class: holds the parameters and walks over them.

    Args:
        params: the leaf Values to train, usually ``model.parameters()``.
        lr: the learning rate η.

    Raises:
        ArgumentError: if there are no parameters, or a setting is outside its range.
        InputError: if a parameter is not a leaf Value.
    """

    def __init__(self, params: Iterable[Value], lr: float) -> None:
        if not isinstance(params, Iterable):
            raise InputError(f"an optimiser takes a list of leaf Values, not {params!r}")
        self.params = list(params)
        if not self.params:
            raise ArgumentError("an optimiser needs at least one parameter; was model.parameters() already used up?")
        for p in self.params:
            if not isinstance(p, Value) or p.inputs:
                raise InputError(f"an optimiser trains leaf Values, not {p!r}")
        if len(set(self.params)) != len(self.params):
            raise ArgumentError("a parameter is listed twice; each would be updated twice a step")
        self.lr = at_least_zero("lr", lr)

    def updates(self) -> Iterator[Update]:
        """Move the parameters one by one, and say what was done to each."""
        for index, parameter in enumerate(self.params):
            old, gradient = parameter.data, parameter.grad
            formula, terms, new = self.rule(index, old, gradient)
            parameter.data = new
            yield Update(parameter, old, gradient, new, formula, terms)

    def rule(self, index: int, w: float, g: float) -> tuple[str, dict[str, float], float]:
        """The update of the index-th parameter: its formula, the numbers in it, the new value."""
        raise NotImplementedError(f"{type(self).__name__} needs a rule method")

    def step(self) -> None:
        """Move every parameter once along its gradient."""
        for _ in self.updates():
            pass

    def zero_grad(self) -> None:
        """Set every parameter's gradient to zero."""
        for parameter in self.params:
            parameter.grad = 0.0


def at_least_zero(what: str, x: Any) -> float:
    """A finite number that is not negative."""
    number = Value(x).data
    if not (number >= 0.0 and math.isfinite(number)):
        raise ArgumentError(f"{what} must be a finite number that is not negative, not {x!r}")
    return number


class SGD(Optimizer):
    """Gradient descent: w ← w − η·g.

    >>> w = Value(1.0)
    >>> opt = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> opt.step()
    >>> w.data
    0.8
    """

    def __init__(self, params: Iterable[Value], lr: float = 1e-3) -> None:
        super().__init__(params, lr)

    def rule(self, index: int, w: float, g: float) -> tuple[str, dict[str, float], float]:
        """w − η·g."""
        return "w - lr * g", {"w": w, "lr": self.lr, "g": g}, w - self.lr * g
