"""The programs of training and prediction, which models of the same structure share: only the first one compiles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import copy, deepcopy
from functools import lru_cache
from typing import Any, TypeVar

import autograd as ag
from autograd import Value

from .dropout import Dropout
from .losses import Loss, differentiable
from .module import Module, outputs
from .optim import OPTIMIZERS, Optimizer

KEPT = 16  # programs; each takes a few megabytes
LARGEST = 10_000  # Values and modules of a model whose programs are kept

_kept: dict[Hashable, Any] = {}
_T = TypeVar("_T")


class LossProgram:
    """The mean loss over rows, with dropout for training and without, as functions to be compiled.

    Args:
        model: the model; it is recorded, and its Values are the functions' leaves.
        loss_of: the loss of outputs and targets.
        row: numbers as long as a row, to see which factors dropout draws.

    Attributes:
        values: all Values of the model.
        dropped: which of the model's dropout modules draws each factor for one row, in the order of drawing.
        prediction, training: the functions; the latter takes the factors as a third argument if there are any.
    """

    def __init__(self, model: Module, loss_of: Loss, row: Sequence[float]) -> None:
        from autograd.compiling import locks

        self.model, self.loss_of = model, loss_of
        self.values = [value for _, value in model.named_values()]
        drops = dropouts(model)
        self.dropped = [drops.index(drop) for drop in _drawn(model, row)]
        self._lock = threading.RLock()  # recording changes the mode of the model
        locks.renew_after_fork(self)
        self.prediction = self.training = ag.compile(self._predicting, reduce="mean")
        if self.dropped:
            self.training = ag.compile(self._dropping, reduce="mean")

    def _predicting(self, x: Any, t: Any) -> Value:
        with self._lock:
            return differentiable(self.loss_of(_in_mode(self.model, False, x), t))

    def _dropping(self, x: Any, t: Any, factors: Any) -> Value:
        with self._lock:
            given = iter(factors)
            return differentiable(self.loss_of(_with_factors(self.model, lambda drop: given, x), t))


class OutputProgram:
    """The outputs of a model, as a function to be compiled.

    Args:
        model: the model; it is recorded, and its Values are the function's leaves.

    Attributes:
        values: all Values of the model.
        function: the function.
    """

    def __init__(self, model: Module) -> None:
        self.values = [value for _, value in model.named_values()]
        self.function = ag.compile(lambda x: _in_mode(model, False, x))


def loss_program(model: Module, loss_of: Loss, row: Sequence[float], keep: bool) -> LossProgram:
    """The program of a model's loss.

    Args:
        model, loss_of, row: as ``LossProgram`` takes them.
        keep: whether model and loss depend on nothing but the structure of the model, so that the program can be of
            another model with the same structure.
    """
    if not keep:
        return LossProgram(model, loss_of, row)
    return _of_structure(model, (loss_of, len(row)), lambda own: LossProgram(own, loss_of, row))


def output_program(model: Module) -> OutputProgram:
    """The program of a model's outputs, which depend on nothing but its structure and its numbers."""
    return _of_structure(model, (), OutputProgram)


def _of_structure(model: Module, kind: Hashable, make: Callable[[Module], _T]) -> _T:
    """What is made from a model, and kept for models of the same structure; the most recently used ones are kept."""
    own = structure(model)
    if own is None:
        return make(model)
    found = _kept.pop((own, kind), None)
    if found is None:
        found = make(deepcopy(model))  # a copy, which nobody changes
    _kept[own, kind] = found  # as the newest
    for old in list(_kept)[:-KEPT]:
        _kept.pop(old, None)
    return found  # type: ignore[no-any-return]


def structure(model: Module) -> Hashable | None:
    """All that a model's computation depends on, except its numbers; None if that is not known, or the model large."""
    numbers: dict[Any, int] = {}  # of each Value and module

    def of(item: Any) -> Hashable:
        if isinstance(item, Value | Module):
            if item in numbers:
                return ("again", numbers[item])
            numbers[item] = len(numbers)
            if isinstance(item, Value):
                if item.inputs or len(numbers) > LARGEST:
                    raise _UnknownError
                return "leaf"
            parts = [(name, of(x)) for name, x in vars(item).items() if name not in ("training", "rng")]
            return (type(item), *parts)
        if isinstance(item, list | tuple):
            return (type(item), *map(of, item))
        if item is None or isinstance(item, str | int | float | bool) or callable(item):
            return (type(item), item)
        if isinstance(item, frozenset):
            return item
        raise _UnknownError

    try:
        return of(model)
    except (_UnknownError, RecursionError):
        return None


class _UnknownError(Exception):
    """Something in a model that is neither its structure nor a number to train."""


# Dropout -------------------------------------------------------------------------------------------------------------


def dropouts(model: Module) -> list[Dropout]:
    """The dropout modules of a model."""
    return [module for module in model.modules() if isinstance(module, Dropout)]


def _drawn(model: Module, row: Sequence[float]) -> list[Dropout]:
    """The dropout module of each factor for one row, in the order in which the factors are drawn."""
    drawn: list[Dropout] = []

    def factors(drop: Dropout) -> Iterator[float]:
        while True:
            drawn.append(drop)
            yield 1.0

    _with_factors(model, factors, row)
    return drawn


def _with_factors(model: Module, factors: Callable[[Dropout], Iterator[Any]], xs: Sequence[Any]) -> list[Any]:
    """The outputs of a model in training, with these dropout factors instead of random ones."""
    drops = dropouts(model)
    for drop in drops:
        drop.factors = factors(drop)
    try:
        return _in_mode(model, True, xs)
    finally:
        for drop in drops:
            del drop.factors


def _in_mode(model: Module, training: bool, xs: Sequence[Any]) -> list[Any]:
    """The outputs of a model in training or prediction."""
    mode = model.training
    model.train(training)
    try:
        return outputs(model, xs)
    finally:
        model.train(mode)


# Updates -------------------------------------------------------------------------------------------------------------


def update_program(optimizer: Optimizer, penalty: Callable[..., Any] | None) -> Any:
    """An optimiser's step from the second one on, for one weight, as a function to be compiled.

    Its arguments are the weight, its slope, what is remembered of it, with a penalty the strength of that, the rate,
    how many steps were made before, and a factor. It returns the new weight, the slope with the penalty's, times the
    factor, and the new memory.

    Args:
        optimizer: the optimiser; settings other than its rate become constants.
        penalty: ``l1`` or ``l2``, or None.

    Returns:
        the function; None if the optimiser is not as its class defines it.
    """
    settings = optimizer.settings()
    kinds = (float, bool, list)  # lists of numbers, such as betas
    if type(optimizer) not in OPTIMIZERS.values() or any(type(x) not in kinds for x in settings.values()):
        return None
    key = tuple([(name, tuple(x) if type(x) is list else x) for name, x in settings.items()])
    return _update(type(optimizer).__name__.lower(), key, tuple(optimizer.memory), penalty)


@lru_cache(64)
def _update(kind: str, settings: Any, memory: tuple[str, ...], penalty: Callable[..., Any] | None) -> Any:
    plain = OPTIMIZERS[kind]([Value(0.0)], 0.0)
    plain.apply_settings(dict(settings))

    def update(w: Any, g: Any, *others: Any) -> tuple[Any, ...]:
        *numbers, rate, steps, factor = others
        state = dict(zip(memory, numbers, strict=False))
        if penalty is not None:
            g = g + ag.grad(lambda w: penalty([w], numbers[-1]))(w)
        g = g * factor
        optimizer = copy(plain)
        optimizer.lr, optimizer.steps = rate, _Later(steps)  # type: ignore[assignment]
        optimizer.begin()
        new, _ = optimizer.rule(w, g + optimizer.weight_decay * w, state)
        return (new, g, *[state[name] for name in memory])

    rows = [0] * (2 + len(memory) + (penalty is not None))
    return ag.compile(update, in_axes=[*rows, None, None, None], strict=True)


@lru_cache(8)
def penalty_slope(penalty: Callable[..., Any]) -> Any:
    """A penalty of one weight, given the weight and the strength, as a compiled function; its ``grad`` is wanted."""
    return ag.compile(lambda w, strength: penalty([w], strength))


class _Later:
    """The number of a step that is not the first one, while a rule is recorded."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def __add__(self, x: Any) -> _Later:
        return _Later(self.number + x)

    def __sub__(self, x: Any) -> Any:
        return self.number - x

    def __rpow__(self, x: Any) -> Any:
        return x**self.number

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]
