"""Activations as modules: ``Tanh()``, ``ReLU()`` and one for every other activation of the operation table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import autograd as ag

from .layers import ACTIVATIONS
from .module import Module
from .text import numbers

_SPELLED = {"relu": "ReLU", "elu": "ELU", "celu": "CELU", "selu": "SELU", "gelu": "GELU", "silu": "SiLU"}


class Activation(Module):
    """A function of each input.

    >>> Tanh()([0.0, 1.0])[1]
    0.7615941559557649
    """

    activation: str

    def forward(self, xs: Iterable[Any]) -> list[Any]:
        """As many outputs as inputs."""
        function = getattr(ag, self.activation)
        return [function(x) for x in numbers(f"the inputs of {self.activation}", xs)]

    @property
    def activation_function(self) -> Any:
        """The function."""
        return ACTIVATIONS[self.activation]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _module(name: str) -> type[Activation]:
    """The class of an activation, named as in PyTorch."""
    spelled = "".join(_SPELLED.get(part, part.capitalize()) for part in name.split("_"))
    op = ag.TABLE[name]
    doc = f"{spelled}()(xs) is {name} of each input: {op.formula_for(len(op.operands))}."
    return type(spelled, (Activation,), {"activation": name, "__doc__": doc, "__module__": __name__})


MODULES = {made.__name__: made for made in map(_module, (name for name, op in ag.TABLE.items() if op.activation))}
globals().update(MODULES)
__all__ = ["MODULES", "Activation", *MODULES]
