"""Module: the base class of objects with parameters, which are found among their attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autograd import ArgumentError, InputError, Value
from autograd.text import shown

from .text import nearest


class Module:
    """Base class of neurons, layers and networks.

    Every leaf Value among the attributes is part of the state, also inside lists and other modules; its dotted path
    (``layers.0.neurons.1.weights.2``) is its name there. Attributes listed in ``fixed`` are state but not trained.
    """

    fixed: frozenset[str] = frozenset()
    training: bool = True

    def forward(self, xs: Any) -> Any:
        """The computation of the module; each subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} needs a forward method")

    def __call__(self, xs: Any) -> Any:
        try:
            return self.forward(xs)
        except RecursionError:
            raise ArgumentError(
                f"the call of {type(self).__name__} is nested too deep in other modules; does one contain itself?"
            ) from None

    def _walk(self) -> Iterator[tuple[str, Value, bool]]:
        """Every Value once: its path, the Value, and whether it is trained."""
        seen: set[Any] = set()  # Values, modules, and the ids of lists, which may contain themselves
        stack: list[tuple[str, Any, bool]] = [("", self, True)]
        while stack:
            path, item, trained = stack.pop()
            dot = f"{path}." if path else ""
            if isinstance(item, Value):
                if item not in seen and not item.inputs:
                    seen.add(item)
                    yield path, item, trained
            elif isinstance(item, Module) and item not in seen:
                seen.add(item)
                stack += reversed([(dot + k, v, trained and k not in item.fixed) for k, v in vars(item).items()])
            elif isinstance(item, list | tuple) and id(item) not in seen:
                seen.add(id(item))
                stack += reversed([(f"{dot}{k}", v, trained) for k, v in enumerate(item)])

    def modules(self) -> Iterator[Module]:
        """This module and every module inside it."""
        seen: set[Any] = set()
        stack: list[Any] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Module) and item not in seen:
                seen.add(item)
                yield item
                stack += [x for x in reversed(vars(item).values()) if isinstance(x, _HOLDERS)]
            elif isinstance(item, list | tuple) and id(item) not in seen:
                seen.add(id(item))
                stack += [x for x in reversed(item) if isinstance(x, _HOLDERS)]

    def children(self) -> Iterator[Module]:
        """The modules among the attributes of this one, also in lists there; not those inside them."""
        for item in vars(self).values():
            yield from (x for x in (item if isinstance(item, list | tuple) else (item,)) if isinstance(x, Module))

    def named_values(self) -> Iterator[tuple[str, Value]]:
        """All Values with their paths, trained or fixed; a Value shared by several neurons appears once."""
        return ((path, value) for path, value, _ in self._walk())

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The trained Values with their paths; a Value shared by several neurons appears once."""
        return ((path, value) for path, value, trained in self._walk() if trained)

    def parameters(self) -> list[Value]:
        """The trained Values."""
        return [value for _, value in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every Value of this module to zero."""
        for _, value in self.named_values():
            value.grad = 0.0

    def train(self, mode: bool = True) -> Module:
        """Switch to training behaviour (dropout drops); returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch to prediction behaviour; returns the module."""
        return self.train(False)

    def state_dict(self) -> dict[str, float]:
        """The numbers of all Values, trained or fixed, by path."""
        return {path: value.data for path, value in self.named_values()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Copy the numbers of a ``state_dict`` into this module; all or none.

        Raises:
            ArgumentError: if a name is missing or unknown, or a number is not one.
        """
        if not isinstance(state, Mapping):
            raise InputError(f"a state is a dict of numbers by name, not {type(state).__name__}")
        values = dict(self.named_values())
        missing, unknown = [k for k in values if k not in state], [k for k in state if k not in values]
        if missing or unknown:
            said = [f"missing: {', '.join(missing[:4])}"] if missing else []
            said += (
                [f"unknown: {', '.join(map(str, unknown[:4]))}{nearest(str(unknown[0]), values)}"] if unknown else []
            )
            raise ArgumentError(
                f"the state does not fit this {type(self).__name__} ({len(missing)} names missing, {len(unknown)} "
                f"unknown); {'; '.join(said)}. Build the model with the same sizes as the saved one"
            )
        numbers = {path: Value(state[path]).data for path in values}
        for path, value in values.items():
            value.data = numbers[path]

    def _repr_html_(self) -> str:
        from .display import module

        return module(self)


_HOLDERS = (Module, list, tuple)  # what may hold modules


def require_module(model: Any, what: str) -> None:
    """Raise an error if this is not a module.

    Raises:
        InputError: the text names the function that was called.
    """
    if not isinstance(model, Module):
        raise InputError(f"{what} takes a Module first, such as nn.MLP, not {shown(model)}")


def outputs(model: Module, xs: Any) -> list[Any]:
    """The output of a model for one row, as a list; a model may return a list or one Value.

    Raises:
        InputError: if it returns anything else.
    """
    found = model(xs)
    if isinstance(found, list):
        return found
    if isinstance(found, Value | int | float):
        return [found]
    try:
        return list(found)
    except TypeError:
        raise InputError(
            f"{type(model).__name__} returned {shown(found)}; a model returns Values in a list, or one"
        ) from None
