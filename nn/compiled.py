"""Training on compiled code: ``fit`` uses it instead of eager steps where possible, with the same results.

Parameters, gradients and the state of the optimiser are arrays during training. The model's Values and the optimiser's
state are updated before anything looks at them, and whenever training ends.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import autograd as ag
from autograd import MissingExtraError, TraceError, Value

from .activations import Activation
from .data import Rows
from .dropout import Dropout
from .errors import Diverged
from .layers import ACTIVATIONS, Layer, Neuron
from .losses import LOSSES, Loss, Weighted, binary_cross_entropy, l1, l2, loss_function
from .module import Module
from .optim import OPTIMIZERS, Optimizer, clipping
from .programs import dropouts, loss_program, output_program, penalty_slope, update_program

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
    if isinstance(loss, Weighted):
        return is_known_loss(model, loss.loss)
    if LOSSES.get(loss, loss) is binary_cross_entropy if isinstance(loss, str) else loss is binary_cross_entropy:
        last = [module for module in model.modules() if isinstance(module, Layer)][-1:]
        return bool(last) and last[0].activation in (
            "sigmoid",
            "hardsigmoid",
        )  # other activations may be outside [0, 1]
    return isinstance(loss, str) or loss in LOSSES.values()


class CompiledSteps:
    """Steps of training on arrays; many of them are one native call.

    Steps that native code cannot make are made by NumPy from a compiled gradient: the first one, which an optimiser may
    do in another way; those in which a number is not finite; and all of them if batches are large or something calls
    Python.

    Args:
        model: the model.
        loss_of: the loss of outputs and targets.
        optimizer: an optimiser over the model's parameters.
        penalty: ``l1`` or ``l2`` with its arguments, which is added to each batch's loss.
        rows, targets: the training data.
        held_out: rows and targets for validation; empty without any.
        batch_size: rows in a batch.
        clip_norm: the largest norm of all slopes together; inf for no limit.
        keep: whether the programs may be kept for models of the same structure.
        watched: whether something looks at the model, or changes it, between two epochs.

    Raises:
        TraceError: if the model or the loss cannot be compiled.
    """

    def __init__(
        self,
        model: Module,
        loss_of: Loss,
        optimizer: Optimizer,
        penalty: partial[Any] | None,
        rows: Rows,
        targets: Rows,
        held_out: tuple[Rows, Rows],
        batch_size: int,
        clip_norm: float,
        keep: bool,
        watched: bool,
    ) -> None:
        import numpy as np

        from autograd.compiling.steps import prepared

        self._np = np
        self.model, self.optimizer, self.penalty = model, optimizer, penalty
        self.batch_size, self.clip_norm, self.watched = batch_size, clip_norm, watched
        self.rows, self.targets = np.array(rows), np.array(targets)
        self.held_out = [np.array(part) for part in held_out]
        program = loss_program(model, loss_of, rows[0], keep)
        self.prediction_loss, self.training_loss = program.prediction, program.training
        drops = dropouts(model)
        self.drops = [drops[k] for k in program.dropped]
        self.shapes = [(len(rows[0]),), (len(targets[0]),)]
        self._own = dict(zip(program.values, (value for _, value in model.named_values()), strict=True))
        dropped = [(len(self.drops),)] if self.drops else []
        self._prepared = prepared(self.training_loss, "backward", [*self.shapes, *dropped])
        self._made: Any = None
        self.state: Any = None
        self.native: Any = None
        self._predicting: list[Value] | None = None
        self.strengths: Any = None
        self._written = True

    # The numbers -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Read the parameters and the optimiser's state."""
        from autograd.compiling.steps import State, Steps, can_be_native, prepared

        optimizer, np = self.optimizer, self._np
        strengths = None if self.penalty is None else _strengths(self.penalty, optimizer.params)
        kind = None if self.penalty is None else self.penalty.func
        update = update_program(optimizer, kind) if kind is None or strengths is not None else None
        made = update, strengths, list(map(id, optimizer.params)), list(optimizer.memory)
        if new := self._made != made:
            leaves = [self._own.get(leaf, leaf) for leaf in self._prepared.leaves]
            self._penalised: list[Value] = []
            if kind is not None and strengths is None:
                self._whole_penalty = ag.compile(self.penalty, reduce="sum")  # type: ignore[arg-type]
                self._penalised = prepared(self._whole_penalty, "backward", []).leaves
            self.values = list(dict.fromkeys([*optimizer.params, *leaves, *self._penalised]))
            self.positions = {value: k for k, value in enumerate(self.values)}
            self._places = np.array([self.positions[leaf] for leaf in leaves], dtype=int)
        weights = np.array([value.data for value in self.values], dtype=np.float64)
        memory = [np.array([s[name] for s in optimizer.state], dtype=np.float64) for name in optimizer.memory]
        if not new:
            self.state.load(weights, memory, optimizer.steps)
            return
        self.state = State(weights, len(optimizer.params), memory, optimizer.steps)
        self.strengths, self.native = None, None
        if strengths is not None:
            self.strengths, self._penalty_slope = np.array(strengths), penalty_slope(kind)
        if update is not None and can_be_native(self._prepared, self.batch_size):
            constants = [] if strengths is None else [self.strengths]
            own = prepared(update, "value", [()] * (5 + len(memory) + len(constants)))
            self.native = Steps(
                *(self.state, self._prepared, self._places, own, constants),
                *(self.batch_size, self.clip_norm),
            )
        self._made = made

    def write(self) -> None:
        """Write the parameters and the state back to the model's Values and the optimiser, if they are newer."""
        if self._written:
            return
        state, optimizer = self.state, self.optimizer
        slopes = state.slopes.tolist()
        for value, number, slope in zip(self.values, state.weights.tolist(), slopes, strict=False):
            value.data, value.grad = number, slope
        for value, slope in zip(self.values[state.trained :], state.take_fixed_slopes().tolist(), strict=True):
            value.grad += slope
        names = list(optimizer.memory)
        for s, row in zip(optimizer.state, zip(*(m.tolist() for m in state.memory), strict=True), strict=False):
            s.update(zip(names, row, strict=True))
        optimizer.steps = state.steps
        self._written = True

    def remembered(self) -> Callable[[], None]:
        """What gives the model its present numbers again."""
        if self.state is None:
            self._begin()
        values, numbers = self.values, self.state.weights.tolist()

        def go_back() -> None:
            for value, number in zip(values, numbers, strict=True):
                value.data = number

        return go_back

    def validation_loss(self) -> float:
        """The mean loss over the data that were held out, without dropout."""
        from autograd.compiling.steps import evaluated, prepared

        if self._predicting is None:
            leaves = prepared(self.prediction_loss, "value", self.shapes).leaves
            self._predicting = [self._own.get(leaf, leaf) for leaf in leaves]
        return float(evaluated(self.prediction_loss, self.held_out, self._now(self._predicting)))

    def _now(self, values: Sequence[Value]) -> list[float]:
        """The present numbers of Values."""
        numbers, positions = self.state.weights.tolist(), self.positions
        return [numbers[positions[x]] if x in positions else x.data for x in values]

    # The steps -------------------------------------------------------------------------------------------------------

    def epoch(self, order: Sequence[int]) -> float:
        """One pass over the data in that order; returns the mean loss.

        Raises:
            Diverged: if a loss or a weight is not finite; the weights are then those before the step.
        """
        np = self._np
        if self.watched or self._made is None:
            self._begin()
        places, used, total, alone = np.array(order), 0, 0.0, 1
        data = [self.rows, self.targets]
        if self.drops:
            factors = np.empty((len(places), len(self.drops)))
            factors[places] = [[drop.draw() if drop.p else 1.0 for drop in self.drops] for _ in order]
            data.append(factors)
        self._written = False
        try:
            while used < len(places):
                if self.native is not None and self.state.steps:
                    made, losses = self.native.run(data, places[used:], self.optimizer.lr)
                    used, total, alone = used + made, total + losses, 1 if made else 2 * alone
                for _ in range(alone):  # more and more, if native code gets no further
                    batch = places[used : used + self.batch_size]
                    if len(batch):
                        total += self._step([a[batch] for a in data])
                        used += len(batch)
        finally:
            if self.watched:
                self.write()
                self.model.eval()
        return total / len(places)

    def gradient(self, batch: Sequence[Any]) -> tuple[float, Any]:
        """The mean loss of a batch, and its slopes in all weights, including the penalty's."""
        np, weights = self._np, self.state.weights
        slopes = np.zeros(len(weights))
        loss, _, slopes[self._places] = self.training_loss.leaf_gradients(*batch, data=weights[self._places])
        if self.strengths is not None:
            trained = self.state.trained
            slopes[:trained] += self._penalty_slope.grad(weights[:trained], self.strengths)
        elif self.penalty is not None:
            _, leaves, found = self._whole_penalty.leaf_gradients(data=self._now(self._penalised))
            np.add.at(slopes, [self.positions[leaf] for leaf in leaves], found)
        return loss, slopes

    def _step(self, batch: Sequence[Any]) -> float:
        """One step of the optimiser without native code; returns the sum of the losses of the batch."""
        np, optimizer, state = self._np, self.optimizer, self.state
        loss, slopes = self.gradient(batch)
        if not math.isfinite(loss):
            raise Diverged(f"the loss became {loss}")
        before, own = state.weights[: state.trained], slopes[: state.trained]
        if math.isfinite(self.clip_norm):
            own = own * clipping(math.hypot(*own.tolist()), self.clip_norm)
        memory = dict(zip(optimizer.memory, state.memory, strict=True))
        optimizer.steps = state.steps
        try:
            optimizer.begin()
            with np.errstate(all="ignore"):  # overflow is checked below
                weights, _ = optimizer.rule(before, own + optimizer.weight_decay * before, memory)
        finally:  # Ctrl-C too: a step that was not completed is not counted
            optimizer.steps = state.steps
        finite = np.isfinite(weights)
        if not finite.all():
            raise Diverged(f"a weight became {weights[~finite][0]}")
        state.commit(weights, own, [memory[name] for name in optimizer.memory], slopes[state.trained :])
        return loss * len(batch[0])


def _strengths(penalty: partial[Any], params: Sequence[Value]) -> list[float] | None:
    """The strength with which each parameter is penalised; None if it differs from step to step, or others are too."""
    given = {**dict(zip(("params", "strength"), penalty.args, strict=False)), **penalty.keywords}
    penalised: Any = given.get("params")
    strength: Any = given.get("strength")
    places = {p: k for k, p in enumerate(params)}
    if type(penalised) not in (list, tuple) or type(strength) not in (int, float) or len(given) != 2:
        return None
    strengths = [0.0] * len(params)
    for p in penalised:
        if not isinstance(p, Value) or p not in places:
            return None
        strengths[places[p]] += float(strength)
    return strengths


def compiled_steps(
    model: Module,
    loss: str | Loss,
    optimizer: Optimizer,
    penalty: Callable[[], Any] | None,
    rows: Rows,
    targets: Rows,
    held_out: tuple[Rows, Rows],
    batch_size: int,
    clip_norm: float,
    insist: bool,
    watched: bool,
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
        own = penalty if isinstance(penalty, partial) else None
        return CompiledSteps(
            *(model, loss_function(loss), optimizer, own, rows, targets, held_out),
            *(batch_size, clip_norm, known, watched),
        )
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

        from autograd.compiling.steps import evaluated, prepared

        program = output_program(model)
        own = dict(zip(program.values, (value for _, value in model.named_values()), strict=True))
        leaves = prepared(program.function, "value", [(len(rows[0]),)]).leaves
        numbers = [own.get(leaf, leaf).data for leaf in leaves]
        return evaluated(program.function, (np.array(rows),), numbers).tolist()  # type: ignore[no-any-return]
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
