"""Dropout and Sequential: two small modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, overload

from autograd import ArgumentError, InputError
from autograd.text import shown

from .init import as_rng
from .module import Module
from .text import number, numbers


class Dropout(Module):
    """In training, each input is set to 0 with probability p, else divided by 1 − p; in prediction, it is unchanged.

    Source: Srivastava et al. (2014), in the scaled form that all libraries use.

    Args:
        p: the probability of dropping; tutorials that say "keep 0.8" mean p = 0.2.
        rng: a seed or a random generator.

    >>> drop = Dropout(0.5, rng=0)
    >>> drop.eval()([1.0, 2.0])
    [1.0, 2.0]
    """

    factors: Iterator[Any] | None = None  # used instead of random factors while a network is recorded for compilation

    def __init__(self, p: float = 0.5, *, rng: Any = 0) -> None:
        self.p, self.rng = number("p", p), as_rng(rng)
        if not 0.0 <= self.p < 1.0:
            raise ArgumentError(f"p is a probability from 0 to below 1, not {shown(p)}")

    def forward(self, xs: Iterable[Any]) -> list[Any]:
        """As many outputs as inputs."""
        if not self.training or (self.p == 0.0 and self.factors is None):
            return list(numbers("the inputs of dropout", xs))
        draw = self.draw if self.factors is None else self.factors.__next__
        return [x * draw() for x in numbers("the inputs of dropout", xs)]

    def draw(self) -> float:
        """A factor: 0 with probability p, else 1/(1 − p)."""
        return 1.0 / (1.0 - self.p) if self.rng.random() >= self.p else 0.0

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


class Sequential(Module):
    """Modules one after the other.

    >>> from nn import Linear, Tanh
    >>> model = Sequential(Linear(2, 3, rng=0), Tanh(), Dropout(0.2), Linear(3, 1, rng=1))
    >>> len(model), model[0], len(model([1.0, 2.0]))
    (4, Linear(2, 3), 1)
    """

    def __init__(self, *modules: Module) -> None:
        for module in modules:
            if not isinstance(module, Module):
                raise InputError(f"Sequential takes modules, not {shown(module)}")
        self.layers = list(modules)

    def __len__(self) -> int:
        return len(self.layers)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        """A module, or for a slice those modules one after the other; they are shared, not copied."""
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def forward(self, xs: Iterable[Any]) -> list[Any]:
        """The last module's output."""
        for module in self.layers:
            xs = module(xs)
        return list(xs)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
