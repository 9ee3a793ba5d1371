"""Training on compiled code: ``fit`` uses it instead of eager steps where possible, with the same results.

Parameters, gradients and the state of the optimiser are arrays during an epoch. The model's Values and the optimiser's
state are updated after each epoch, and whenever training ends.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import autograd as ag
from autograd import MissingExtraError, TraceError, Value

from .activations import Activation
from .dropout import Dropout
from .errors import Diverged
from .layers import ACTIVATIONS, Layer, Neuron
from .losses import LOSSES, Loss, binary_cross_entropy, differentiable, l1, l2, loss_function
from .module import Module, outputs
from .optim import OPTIMIZERS, Optimizer

MANY_ROWS = 200  # with fewer rows, compiling a prediction takes longer than it saves

_log = logging.getLogger("nn")
_said: set[str] = set()


def is_known(model: Module) -> bool:
    """Whether the model is made of this package's own modules and activations, which treat every row alike."""
    known = {*ACTIVATIONS.values(), *(getattr(ag, name, None) for name in ACTIVATIONS)}
    return all(
        type(module).__module__.startswith("nn.")
        and (not isinstance(module, Neuron | Layer | Activation) or module.activation_function in known)
        for module in model.modules()
    )


def is_known_loss(model: Module, loss: str | Loss) -> bool:
    """Whether a loss is one of this package's own, and depends on numbers only where it declares so."""
    if LOSSES.get(loss, loss) is binary_cross_entropy if isinstance(loss, str) else loss is binary_cross_entropy:
        last = [module for module in model.modules() if isinstance(module, Layer)][-1:]
        return bool(last) and last[0].activation in (
            "sigmoid",
            "hardsigmoid",
        )  # other activations may be outside [0, 1]
    return isinstance(loss, str) or loss in LOSSES.values()


class CompiledSteps:
    """Steps of training on arrays.

    Args:
        model: the model.
        loss_of: the loss of outputs and targets.
        optimizer: an optimiser over the model's parameters.
        penalty: a term that is added to each batch's loss.
        rows, targets: the training data.

    Raises:
        TraceError: if the model or the loss cannot be compiled.
    """

    def __init__(
        self,
        model: Module,
        loss_of: Loss,
        optimizer: Optimizer,
        penalty: Callable[[], Any] | None,
        rows: Sequence[Sequence[float]],
        targets: Sequence[Sequence[float]],
    ) -> None:
        import numpy as np

        self._np = np
        self.model, self.optimizer = model, optimizer
        self.rows, self.targets = np.array(rows), np.array(targets)
        self.prediction_loss = ag.compile(
            lambda x, t: differentiable(loss_of(outputs(model, x), t)), reduce="mean"
        )  # without dropout
        self.training_loss = self.prediction_loss
        self.drops = _drops(model, rows[0])
        if self.drops:
            self.training_loss = ag.compile(
                lambda x, t, m: differentiable(loss_of(_dropping(model, self.drops, x, m), t)), reduce="mean"
            )
        self.penalty = None if penalty is None else ag.compile(penalty, reduce="sum")
        self.positions: dict[Value, int] = {}
        self._begin()
        self._gradients(
            self.training_loss, self.rows[:1], self.targets[:1], *[np.ones((1, len(self.drops)))][: len(self.drops)]
        )

    def mean_loss(self, rows: Any, targets: Any) -> float:
        """The mean loss over data, from the model's Values."""
        return float(self.prediction_loss(rows, targets))

    def _begin(self) -> None:
        """Read the parameters and the optimiser's state."""
        np, optimizer = self._np, self.optimizer
        self.positions = {p: k for k, p in enumerate(optimizer.params)}
        self.weights = np.array([p.data for p in optimizer.params])
        self.memory = {name: np.array([s[name] for s in optimizer.state]) for name in optimizer.memory}
        self.gradients = np.zeros(len(self.weights))
        self.other_gradients: dict[Value, float] = {}
        self._orders: dict[int, Any] = {}

    def gradient(self, rows: Any, targets: Any) -> tuple[float, Any]:
        """The mean loss of a batch, and the parameters' gradients, including the penalty."""
        factors = [[drop.draw() if drop.p else 1.0 for drop in self.drops] for _ in rows] if self.drops else None
        loss, total = self._gradients(self.training_loss, rows, targets, *([] if factors is None else [factors]))
        if self.penalty is not None:
            total = total + self._gradients(self.penalty)[1]
        return loss, total

    def _gradients(self, function: Any, *args: Any) -> tuple[float, Any]:
        """A compiled function's value and gradients, in the order of the optimiser's parameters."""
        np = self._np
        order = self._orders.get(id(function))
        if order is None:
            value, leaves, found = function.leaf_gradients(*args)
            mine = np.array([k for k, leaf in enumerate(leaves) if leaf in self.positions], dtype=int)
            order = self._orders[id(function)] = (
                np.array([leaf.data for leaf in leaves]),
                mine,
                np.array([self.positions[leaves[k]] for k in mine], dtype=int),
                leaves,
            )
        else:
            data, mine, places, _ = order
            data[mine] = self.weights[places]
            value, _, found = function.leaf_gradients(*args, data=data)
        slopes = np.zeros(len(self.weights))
        slopes[order[2]] = found[order[1]]
        if len(order[1]) < len(found):  # leaves that the optimiser does not have
            for leaf, slope in zip(order[3], found.tolist(), strict=True):
                if leaf not in self.positions:
                    self.other_gradients[leaf] = self.other_gradients.get(leaf, 0.0) + slope
        return value, slopes

    def epoch(self, order: Sequence[int], batch_size: int) -> float:
        """One pass over the data in that order; returns the mean loss.

        Raises:
            Diverged: if a loss or a weight is not finite; the weights are then those before the step.
        """
        places, total = self._np.array(order), 0.0
        self._begin()
        try:
            for start in range(0, len(places), batch_size):
                total += self._step(places[start : start + batch_size])
        finally:
            self._end()
            self.model.eval()
        return total / len(places)

    def _step(self, batch: Any) -> float:
        """One step of the optimiser; returns the sum of the losses of the batch."""
        np, optimizer = self._np, self.optimizer
        loss, slopes = self.gradient(self.rows[batch], self.targets[batch])
        if not math.isfinite(loss):
            raise Diverged(f"the loss became {loss}")
        memory, steps = dict(self.memory), optimizer.steps
        try:
            optimizer.begin()
            with np.errstate(all="ignore"):  # overflow is checked below
                decayed = slopes + optimizer.weight_decay * self.weights
                weights, _ = optimizer.rule(self.weights, decayed, memory)
            finite = np.isfinite(weights)
            if not finite.all():
                raise Diverged(f"a weight became {weights[~finite][0]}")
        except BaseException:  # Ctrl-C too: a step that was not completed is not counted
            optimizer.steps = steps
            raise
        self.weights, self.memory, self.gradients = weights, memory, slopes
        return loss * len(batch)

    def _end(self) -> None:
        """Write the parameters and the state back to the model's Values and the optimiser."""
        params, slopes = self.optimizer.params, self.gradients.tolist()
        for p, number, slope in zip(params, self.weights.tolist(), slopes, strict=True):
            p.data, p.grad = number, slope
        for leaf, slope in self.other_gradients.items():
            leaf.grad += slope
        names = list(self.memory)
        for s, row in zip(
            self.optimizer.state, zip(*(self.memory[n].tolist() for n in names), strict=True), strict=False
        ):
            s.update(zip(names, row, strict=True))


def _drops(model: Module, row: Sequence[float]) -> list[Dropout]:
    """The dropout module of each factor for one row, in the order in which the factors are drawn."""
    drawn: list[Dropout] = []

    def factors(drop: Dropout) -> Iterator[float]:
        while True:
            drawn.append(drop)
            yield 1.0

    _with_factors(model, factors, row)
    return drawn


def _dropping(model: Module, drops: Sequence[Dropout], xs: Sequence[Any], factors: Sequence[Any]) -> list[Any]:
    """The outputs of a model in training, with these dropout factors instead of random ones."""
    given = iter(factors)
    return _with_factors(model, lambda drop: given, xs)


def _with_factors(model: Module, factors: Callable[[Dropout], Iterator[Any]], xs: Sequence[Any]) -> list[Any]:
    drops = [module for module in model.modules() if isinstance(module, Dropout)]
    mode = model.training
    model.train()
    for drop in drops:
        drop.factors = factors(drop)
    try:
        return outputs(model, xs)
    finally:
        for drop in drops:
            del drop.factors
        model.train(mode)


def compiled_steps(
    model: Module,
    loss: str | Loss,
    optimizer: Optimizer,
    penalty: Callable[[], Any] | None,
    rows: Sequence[Sequence[float]],
    targets: Sequence[Sequence[float]],
    insist: bool,
) -> CompiledSteps | None:
    """Compiled steps, or None if only eager steps are possible.

    A loss, an activation or a module of the user may do something different at each call, so it is compiled only on
    request: ``insist``. If a package is missing, or ``autograd.compile`` rejects the model, the logger ``nn`` reports
    it once; any other error is raised.
    """
    known = is_known(model) and is_known_loss(model, loss)
    pure = penalty is None or (isinstance(penalty, partial) and penalty.func in (l1, l2))
    if type(optimizer) not in OPTIMIZERS.values() or not pure or not (known or insist):
        return None
    try:
        _require_extra("compiled training")
        return CompiledSteps(model, loss_function(loss), optimizer, penalty, rows, targets)
    except (TraceError, MissingExtraError) as error:
        if insist:
            raise
        _say_once(f"training runs without compiled code, which is slower: {error}")
        return None


def composition(model: Module) -> list[Any]:
    """The settings that compiled steps depend on; a callback may change them."""
    values = [id(value) for _, value in model.named_values()]
    return [*values, *(module.p for module in model.modules() if isinstance(module, Dropout))]


def compiled_outputs(model: Module, rows: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """The model's outputs for many rows, or None if only an eager run is possible."""
    if len(rows) < MANY_ROWS or not is_known(model):
        return None
    try:
        _require_extra("compiled prediction")
        import numpy as np

        return ag.compile(lambda x: outputs(model, x))(np.array(rows)).tolist()  # type: ignore[no-any-return]
    except (TraceError, MissingExtraError) as error:
        _say_once(f"predictions are made without compiled code, which is slower: {error}")
        return None


def _require_extra(purpose: str) -> None:
    for package in ("numpy", "llvmlite"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "compile", purpose)


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        _log.warning(text)
