"""The training loop: mini-batches, validation, early stopping, callbacks, and the history of losses."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import ArgumentError, InputError, bars
from autograd.arguments import flag, whole
from autograd.language import translate
from autograd.notation import show
from autograd.text import shown

from .compiled import CompiledSteps, compiled_steps, composition
from .data import Rows, pairs, shuffled, split, table
from .eager import EagerSteps
from .errors import Diverged
from .init import as_rng
from .losses import Loss, Weighted, float_of, loss_function
from .module import Module, require_module
from .optim import Optimizer, Schedule, at_least_zero, by_name
from .prediction import predict
from .text import function, sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATIENCE = 1.0  # seconds until the progress bar appears


@dataclass(repr=False)
class History:
    """The history of a training.

    Attributes:
        loss: the mean loss over the training data of each epoch, measured during training.
        val_loss: the mean loss over the validation data after each epoch; empty without any.
        best_epoch: the epoch, counted from 0, with the smallest validation loss (training loss without validation).
        stopped: why training ended: ``"epochs"``, ``"early"``, ``"callback"``, ``"interrupted"`` or ``"diverged"``.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    stopped: str = "epochs"

    @property
    def best_epoch(self) -> int:
        """The epoch with the smallest loss."""
        watched = self.val_loss or self.loss
        finite = [k for k, x in enumerate(watched) if math.isfinite(x)]
        return min(finite, key=watched.__getitem__, default=0)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The losses over the epochs, as ``nn.plot_history`` draws them."""
        from .plots import plot_history

        return plot_history(self, ax)

    def __repr__(self) -> str:
        parts = [f"{len(self.loss)} epochs"]
        for what, numbers in (("loss", self.loss), ("val_loss", self.val_loss)):
            if numbers:
                parts.append(f"{what} {show(numbers[0], 4)} → {show(numbers[-1], 4)}")
        return f"<History, {', '.join([*parts, f'stopped: {self.stopped}'])}>"

    def _repr_html_(self) -> str:
        from .display import history

        return history(self)


def fit(
    model: Module,
    xs: Iterable[Any],
    ys: Iterable[Any],
    *,
    loss: str | Loss = "mse",
    optimizer: Optimizer | str = "adam",
    epochs: int = 100,
    batch_size: int | None = None,
    rng: Any = 0,
    sample_weight: Iterable[Any] | None = None,
    validation_split: float | None = None,
    validation_data: tuple[Iterable[Any], Iterable[Any]] | None = None,
    early_stopping: int | None = None,
    tol: float = 0.0,
    schedule: Schedule | None = None,
    penalty: Callable[[], Any] | None = None,
    clip_norm: float | None = None,
    callbacks: Sequence[Callable[[int, History], Any]] | None = None,
    progress: bool | None = None,
    compiled: bool | None = None,
) -> History:
    """Train a model.

    If possible, training runs on compiled code (``autograd.compile``), with the same numbers to about 1e-10. If a
    package for that is missing, or ``autograd.compile`` rejects the model, the logger ``nn`` reports it once.

    Args:
        model: takes a row and returns a list of outputs, or one.
        xs: n rows of numbers, equally long.
        ys: n targets: numbers, or rows of numbers as many as the model has outputs.
        loss: a name from ``nn.LOSSES`` or a function of outputs and targets.
        optimizer: an optimiser over the model's parameters, or the name of one, which gets its default settings.
        epochs: the number of passes over the data.
        batch_size: rows for each step, by default 32 or all if there are fewer; rows are shuffled before every epoch.
        rng: a seed or a random generator, for shuffling and splitting.
        sample_weight: n numbers, by which the loss of each row is multiplied; only their ratios count, because they are
            divided by their mean. Rows held out by ``validation_split`` have theirs too.
        validation_split: the share of the rows that is held out for validation, from 0 to below 1; None for no rows.
        validation_data: rows and targets for validation, instead of a split.
        early_stopping: stop if the validation loss does not decrease for that many epochs, and restore the best
            weights; without validation data stop if the training loss does not decrease, and keep the last weights.
        tol: by how much the loss must decrease to count.
        schedule: a learning-rate schedule; advances after each epoch.
        penalty: a function that returns a term to add to each batch's loss, such as ``lambda: nn.l2(ps, 1e-4)``.
        clip_norm: scale the gradient of each step, penalty included, down to this norm (``optim.clip_grad_norm``).
        callbacks: called after each epoch with its number and the history; one that returns True ends training.
        progress: show a progress bar; by default in a terminal or a notebook.
        compiled: True requires compiled code, False eager steps. By default, training is compiled if model, loss and
            penalty are all from nn. Your own losses, activations and modules are compiled only with True, because
            they are then recorded once, not run at each step.

    Returns:
        the history, also after Ctrl-C, which ends training. The model has the weights of the last complete step, or of
        the best epoch with ``early_stopping``. If the loss or a weight is no longer finite, training stops with a
        RuntimeWarning, and the model has the weights before that step.

    Raises:
        ArgumentError: for empty or ragged data, numbers that are not finite, or settings outside their range.
        InputError: if the model is no Module, the data are not numbers, or a setting is of the wrong type.
        TraceError: with ``compiled=True``, if ``autograd.compile`` rejects the model or the loss.

    >>> import nn
    >>> model = nn.MLP(1, [1], rng=0)
    >>> history = fit(model, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], optimizer=nn.optim.SGD(model.parameters(), 0.1),
    ...               epochs=200, batch_size=3)
    >>> f"{model([3.0])[0].data:.2f}"
    '7.00'
    """
    require_module(model, "fit")
    rng = as_rng(rng)
    callbacks = () if callbacks is None else callbacks
    watchers = [function("a callback", x, "the epoch", "the history") for x in sequence("callbacks", callbacks)]
    for what, choice in (("progress", progress), ("compiled", compiled)):
        if choice is not None:
            flag(what, choice)
    if penalty is not None:
        function("a penalty", penalty)
    limit = math.inf if clip_norm is None else at_least_zero("clip_norm", clip_norm)
    share = 0.0 if validation_split is None else validation_split
    data = _Data.read(xs, ys, sample_weight, share, validation_data, rng)
    weighted: str | Loss = loss if sample_weight is None else Weighted(loss)
    epochs, batch_size = whole("epochs", epochs), _batch_size(batch_size, len(data.rows))
    if early_stopping is not None:
        whole("early_stopping", early_stopping)
    tol = at_least_zero("tol", tol)
    chosen = _optimizer(model, optimizer, schedule)
    watch = bool(watchers) or (schedule is not None and type(schedule).__module__ != Schedule.__module__)
    steps = _Steps(model, weighted, chosen, penalty, data, batch_size, limit, compiled, watch)
    history, best = History(), math.inf
    lowest, waited = math.inf, 0  # the lowest loss so far, and the epochs since it decreased
    go_back = steps.remembered() if early_stopping is not None and data.validation_rows else None
    bar = _bar(epochs, progress)
    try:
        for epoch in range(epochs):
            history.loss.append(steps.epoch(shuffled(len(data.rows), rng)))
            if data.validation_rows:
                history.val_loss.append(steps.validation_loss())
                if go_back is not None and history.val_loss[-1] < best:
                    best, go_back = history.val_loss[-1], steps.remembered()
            if schedule is not None:
                schedule.step()
            bar.set_postfix_str(translate("loss {loss:.4g}").format(loss=history.loss[-1]), refresh=False)
            bar.update()
            answers = [watcher(epoch, history) for watcher in watchers]
            if any(answer is True for answer in answers):
                history.stopped = "callback"
                break
            watched = (history.val_loss or history.loss)[-1]
            waited = 0 if watched < lowest - tol else waited + 1
            lowest = min(lowest, watched)
            if early_stopping is not None and waited >= early_stopping:
                history.stopped = "early"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    except Diverged as error:
        history.stopped = "diverged"
        warnings.warn(
            f"training stopped in epoch {len(history.loss)}: {error}. Try a smaller learning rate, or clip_norm",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        steps.write()
        model.eval()
        bar.close()
    if go_back is not None and history.val_loss:
        go_back()
    return history


@dataclass
class _Data:
    """Rows and targets to train on, and those held out for validation, if any."""

    rows: Rows
    targets: Rows
    validation_rows: Rows
    validation_targets: Rows

    @classmethod
    def read(cls, xs: Any, ys: Any, weights: Any, share: float, given: tuple[Any, Any] | None, rng: Any) -> _Data:
        """Check the data; hold out a share of the rows unless validation data are given.

        If there are weights, each stands behind the targets of its row.
        """
        rows, targets = pairs(xs, ys)
        if weights is not None:
            targets = [[*t, w] for t, w in zip(targets, _weights(weights, len(rows)), strict=True)]
        if given is not None:
            if not isinstance(given, tuple | list) or len(given) != 2:
                raise InputError(f"validation_data is a pair: rows and targets, not {shown(given)}")
            held_rows, held_targets = pairs(*given, "validation ")
            return cls(
                rows, targets, held_rows, [[*t, 1.0] for t in held_targets] if weights is not None else held_targets
            )
        return cls(*split(rows, targets, share, rng))


class _Steps:
    """The steps of one training, compiled if possible, otherwise eager."""

    def __init__(
        self,
        model: Module,
        loss: str | Loss,
        optimizer: Optimizer,
        penalty: Callable[[], Any] | None,
        data: _Data,
        batch_size: int,
        clip_norm: float,
        compiled: bool | None,
        watch: bool,
    ) -> None:
        self.model, self.loss, self.optimizer, self.penalty = model, loss, optimizer, penalty
        self.batch_size, self.clip_norm, self.compiled, self.watch = batch_size, clip_norm, compiled, watch
        loss_of = loss_function(loss)
        count = _check_targets(model, data.rows, data.targets, loss, "ys")
        self.data, self.count = data, count
        if data.validation_rows:
            _check_targets(model, data.validation_rows, data.validation_targets, loss, "the validation ys")
        self.eager = EagerSteps(model, loss_of, optimizer, penalty, data.rows, data.targets, clip_norm)
        self.fast = self._prepared()
        self.made_from = composition(model) if watch else None

    def _prepared(self) -> CompiledSteps | None:
        if self.compiled is False:
            return None
        insist = bool(self.compiled)
        targets = _as_vectors(self.data.targets, self.loss, self.count)
        held_out = self.data.validation_rows, _as_vectors(self.data.validation_targets, self.loss, self.count)
        fast = compiled_steps(
            *(self.model, self.loss, self.optimizer, self.penalty, self.data.rows, targets, held_out),
            *(self.batch_size, self.clip_norm, insist, self.watch),
        )
        if fast is None and insist:
            raise ArgumentError(
                "this training cannot be compiled: that needs one of nn's optimisers, and a penalty that is a "
                "functools.partial of nn.l1 or nn.l2"
            )
        return fast

    def epoch(self, order: Sequence[int]) -> float:
        """One pass over the data in that order; returns the mean loss."""
        if self.watch and self.fast is not None and composition(self.model) != self.made_from:
            self.fast, self.made_from = self._prepared(), composition(self.model)  # which was changed
        return self.eager.epoch(order, self.batch_size) if self.fast is None else self.fast.epoch(order)

    def write(self) -> None:
        """Let the model's Values and the optimiser have the present numbers."""
        if self.fast is not None:
            self.fast.write()

    def validation_loss(self) -> float:
        """The mean loss over the data held out."""
        if self.fast is None:
            return self.eager.mean_loss(self.data.validation_rows, self.data.validation_targets)
        return self.fast.validation_loss()

    def remembered(self) -> Callable[[], None]:
        """What gives the model its present numbers again."""
        if self.fast is not None and not self.watch:
            return self.fast.remembered()
        self.write()
        return partial(self.model.load_state_dict, self.model.state_dict())


def _weights(given: Any, rows: int) -> list[float]:
    """The weights of so many rows, divided by their mean."""
    weights = [w for row in table(given, "sample_weight") for w in row]
    if len(weights) != rows:
        raise ArgumentError(f"{rows} rows need as many weights, not {len(weights)}")
    if min(weights) < 0.0 or not any(weights):
        raise ArgumentError("sample_weight holds numbers from 0 on, and at least one above it")
    mean = math.fsum(weights) / rows
    return [w / mean for w in weights]


def _batch_size(given: int | None, rows: int) -> int:
    size = min(32, rows) if given is None else whole("batch_size", given)
    if size > rows:
        raise ArgumentError(f"a batch of {size} rows is larger than the {rows} rows of training data")
    return size


def _optimizer(model: Module, given: Optimizer | str, schedule: Schedule | None) -> Optimizer:
    """The optimiser, created if it was given by name; it and the schedule must belong to the model."""
    kind: Any = None if isinstance(given, Optimizer) else by_name(given)  # each kind has a default rate
    chosen: Optimizer = given if isinstance(given, Optimizer) else kind(model.parameters())
    if not set(model.parameters()).issuperset(chosen.params):
        raise ArgumentError("the optimiser holds parameters that are not this model's; make it from model.parameters()")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise InputError(f"a schedule is one of nn.optim's, such as StepLR(optimizer, 10), not {shown(schedule)}")
    if schedule is not None and schedule.optimizer is not chosen:
        raise ArgumentError("the schedule belongs to another optimiser; make it from the one that is given")
    return chosen


def _as_vectors(targets: Rows, loss: str | Loss, count: int) -> Rows:
    """Targets in the form for compiled code: a class becomes the probabilities 1 and 0 of each of ``count`` classes."""
    if isinstance(loss, Weighted):
        own = _as_vectors([t[:-1] for t in targets], loss.loss, count)
        return [[*vector, t[-1]] for vector, t in zip(own, targets, strict=True)]
    if loss != "softmax_cross_entropy" or not targets or len(targets[0]) > 1:
        return targets
    return [[float(k == t) for k in range(count)] for (t,) in targets]


def _check_targets(model: Module, rows: Rows, targets: Rows, loss: str | Loss, what: str) -> int:
    """Reject targets that the loss cannot take, before any weight changes; returns the number of outputs."""
    if isinstance(loss, Weighted):
        loss, targets = loss.loss, [t[:-1] for t in targets]
    loss_of = loss_function(loss)
    first = predict(model, rows[:1])[0]
    float_of(
        loss_of(first, targets[0]), "what the loss returned"
    )  # raises an error also if the loss rejects the outputs
    outputs = [0.5] * len(first)
    seen: set[tuple[float, ...]] = set()  # what is equal is checked once, because classes often are
    for i, target in enumerate(targets):
        if (key := tuple(target)) in seen:
            continue
        seen.add(key)
        try:
            loss_of(outputs, target)
        except ArgumentError as error:
            raise ArgumentError(f"row {i} of {what}: {error}") from None
    return len(outputs)


def _bar(epochs: int, progress: bool | None) -> Any:
    disable = None if progress is None else not progress
    delay = 0.0 if progress else PATIENCE
    return bars.bar(what=translate("training"), total=epochs, unit=translate("epoch"), disable=disable, delay=delay)
