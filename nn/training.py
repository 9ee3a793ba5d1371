"""The training loop: mini-batches, validation, early stopping, callbacks, and a history of it all."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import autograd as ag
from autograd import ArgumentError, InputError

from .compiled import likeness
from .compiled import outputs as compiled_outputs
from .compiled import step as compiled_step
from .init import as_rng
from .losses import Loss, float_of, loss_function
from .module import Module
from .optim import Optimizer, Schedule, by_name

Rows = list[list[float]]


@dataclass
class History:
    """What happened in training.

    Attributes:
        loss: the mean loss over the training data of each epoch, as it was while training.
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
    validation_split: float = 0.0,
    validation_data: tuple[Iterable[Any], Iterable[Any]] | None = None,
    early_stopping: int | None = None,
    schedule: Schedule | None = None,
    penalty: Callable[[], Any] | None = None,
    callbacks: Sequence[Callable[[int, History], Any]] = (),
    progress: bool | None = None,
    compiled: bool | None = None,
) -> History:
    """Train a model.

    Where it can, training runs on compiled code (``autograd.compile``), with the same numbers to about 1e-10.

    Args:
        model: takes a row and returns a list of outputs.
        xs: n rows of numbers, equally long.
        ys: n targets: numbers, or rows of numbers as many as the model has outputs.
        loss: a name from ``nn.LOSSES`` or a function of outputs and targets.
        optimizer: an optimiser over the model's parameters, or a name, which stands for its default settings.
        epochs: how often to go through the data.
        batch_size: rows for each step, by default 32 or all if there are fewer; rows are shuffled before every epoch.
        rng: a seed or a random generator, for shuffling and splitting.
        validation_split: the share of the rows that is held out for validation, from 0 to below 1.
        validation_data: rows and targets for validation, instead of a split.
        early_stopping: stop when the validation loss has not decreased for so many epochs, and go back to the best.
        schedule: a learning-rate schedule; goes on after each epoch.
        penalty: a function that returns what is added to each batch's loss, such as ``lambda: nn.l2(ps, 1e-4)``.
        callbacks: called after each epoch with its number and the history; one that returns True ends training.
        progress: show a progress bar; by default only in a terminal.
        compiled: True insists on compiled code, False on eager steps. By default what is all nn's own is compiled;
            losses, activations and modules of your own are on request, because what they do is recorded once.

    Returns:
        the history. Ctrl-C ends training and returns it too; the model then has the weights of the last whole step.

    Raises:
        ArgumentError: for empty or ragged data, numbers that are not finite, or settings outside their range.

    >>> import nn
    >>> model = nn.MLP(1, [1], rng=0)
    >>> history = fit(model, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], optimizer=nn.optim.SGD(model.parameters(), 0.1),
    ...               epochs=200, batch_size=3)
    >>> f"{model([3.0])[0].data:.2f}"
    '7.00'
    """
    rows, targets = table(xs, "xs"), table(ys, "ys")
    _same_length(rows, targets)
    loss_of, rng = loss_function(loss), as_rng(rng)
    if validation_data is not None:
        held = table(validation_data[0], "validation xs"), table(validation_data[1], "validation ys")
        _same_length(*held)
    else:
        rows, targets, held = _split(rows, targets, validation_split, rng)
    if batch_size is None:
        batch_size = min(32, len(rows))
    for what, number in (("epochs", epochs), ("batch_size", batch_size)):
        if not hasattr(number, "__index__") or isinstance(number, bool) or number < 1:
            raise ArgumentError(f"{what} is a whole number from 1 on, not {number!r}")
    if batch_size > len(rows):
        raise ArgumentError(f"a batch of {batch_size} rows is larger than the {len(rows)} rows of training data")
    if early_stopping is not None and (early_stopping < 1 or not held[0]):
        raise ArgumentError("early_stopping is a number of epochs from 1 on and needs validation data")
    chosen: Any = optimizer
    if not isinstance(optimizer, Optimizer):
        chosen = by_name(optimizer)
        chosen = chosen(model.parameters())
    state = set(model.parameters())
    if not state.issuperset(chosen.params):
        raise ArgumentError("the optimiser holds parameters that are not this model's; make it from model.parameters()")
    if schedule is not None and schedule.optimizer is not chosen:
        raise ArgumentError("the schedule belongs to another optimiser; make it from the one that is given")
    outputs = _check_targets(model, rows, targets, loss_of, "ys")
    if held[0]:
        _check_targets(model, *held, loss_of, "the validation ys")

    def steps() -> Any:
        if compiled is False:
            return None
        vectors = _as_vectors(targets, loss, outputs)
        return compiled_step(model, loss, chosen, penalty, rows, vectors, bool(compiled))

    step, made_from = steps(), likeness(model) if callbacks else None
    held_arrays = held[0], _as_vectors(held[1], loss, outputs) if held[1] else held[1]
    if compiled and step is None:
        raise ArgumentError(
            "this training cannot be compiled: it needs the extra compile, one of nn's optimisers, and a penalty that "
            "is a functools.partial of nn.l1 or nn.l2"
        )
    history = History()
    best = (math.inf, model.state_dict())
    bar = _bar(epochs, progress)
    try:
        for epoch in range(epochs):
            order = list(range(len(rows)))
            rng.shuffle(order)
            if callbacks and step is not None and likeness(model) != made_from:  # a callback changed the model
                step, made_from = steps(), likeness(model)
            if step is not None:
                mean = step.epoch(order, batch_size)
                if not math.isfinite(mean):
                    raise _Diverged(mean)
            else:
                mean = _epoch(model, rows, targets, loss_of, chosen, batch_size, order, penalty)
            history.loss.append(mean)
            if held[0]:
                validation = mean_loss(model, *held, loss=loss_of) if step is None else step.mean_loss(*held_arrays)
                history.val_loss.append(validation)
                if history.val_loss[-1] < best[0]:
                    best = (history.val_loss[-1], model.state_dict())
            if schedule is not None:
                schedule.step()
            bar.set_postfix_str(f"loss {history.loss[-1]:.4g}", refresh=False)
            bar.update()
            answers = [callback(epoch, history) for callback in callbacks]
            if any(answer is True for answer in answers):
                history.stopped = "callback"
                break
            if early_stopping is not None and epoch - history.best_epoch >= early_stopping:
                history.stopped = "early"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    except _Diverged as error:
        history.stopped = "diverged"
        warnings.warn(
            f"training stopped in epoch {len(history.loss)}: the loss became {error}. "
            "Try a smaller learning rate, or optim.clip_grad_norm",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        model.eval()
        bar.close()
    if early_stopping is not None and history.val_loss:
        model.load_state_dict(best[1])
    return history


def _epoch(
    model: Module,
    rows: Rows,
    targets: Rows,
    loss_of: Loss,
    optimizer: Optimizer,
    batch_size: int,
    order: Sequence[int],
    penalty: Callable[[], Any] | None,
) -> float:
    """One pass over the data in that order; returns the mean loss."""
    model.train()
    total = 0.0
    try:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = ag.sum([loss_of(model(rows[i]), targets[i]) for i in batch]) / float(len(batch))
            if not math.isfinite(float_of(loss)):
                raise _Diverged(float_of(loss))
            total += float_of(loss) * len(batch)
            if penalty is not None:
                loss = loss + penalty()
            loss.backward()
            before = [p.data for p in optimizer.params]
            try:
                optimizer.step()
            except KeyboardInterrupt:  # no half steps
                for p, x in zip(optimizer.params, before, strict=True):
                    p.data = x
                raise
    finally:
        model.eval()
    return total / len(rows)


class _Diverged(Exception):  # noqa: N818  (never seen outside this file)
    """The loss is not finite any more; the weights are those before the step."""


def _as_vectors(targets: Rows, loss: str | Loss, count: int) -> Rows:
    """Targets as compiled code takes them: a class becomes the probabilities 1 and 0 of each of ``count`` classes."""
    if loss != "softmax_cross_entropy" or len(targets[0]) > 1:
        return targets
    return [[float(k == t) for k in range(count)] for (t,) in targets]


def _check_targets(model: Module, rows: Rows, targets: Rows, loss_of: Loss, what: str) -> int:
    """Refuse targets that the loss cannot take before any weight is changed, naming the row; counts the outputs."""
    first = predict(model, rows[:1])[0]
    loss_of(first, targets[0])  # what the loss thinks of the outputs
    outputs = [0.5] * len(first)
    for i, target in enumerate(targets):
        try:
            loss_of(outputs, target)
        except ArgumentError as error:
            raise ArgumentError(f"row {i} of {what}: {error}") from None
    return len(outputs)


def mean_loss(model: Module, xs: Iterable[Any], ys: Iterable[Any], *, loss: str | Loss = "mse") -> float:
    """The mean loss of a model over data, without dropout and without recording."""
    rows, targets, loss_of = table(xs, "xs"), table(ys, "ys"), loss_function(loss)
    _same_length(rows, targets)
    return math.fsum(
        float_of(loss_of(outputs, t)) for outputs, t in zip(predict(model, rows), targets, strict=True)
    ) / len(rows)


def predict(model: Module, xs: Iterable[Any]) -> Rows:
    """The model's outputs for each row, as numbers; without dropout and without recording."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        rows = table(xs, "xs")
        found = compiled_outputs(model, rows)
        if found is not None:
            return found
        with ag.no_grad():
            return [[float_of(out) for out in model(row)] for row in rows]
    finally:
        for module, mode in modes:
            module.training = mode


def table(data: Iterable[Any], what: str) -> Rows:
    """Data as rows of floats, checked.

    Raises:
        ArgumentError: if it is empty, its rows differ in length, or a number is not finite; names the row.
        InputError: if something is not a number.
    """
    if hasattr(data, "to_numpy"):  # pandas, polars
        data = data.to_numpy()
    if hasattr(data, "tolist"):
        data = data.tolist()
    if not isinstance(data, Iterable) or isinstance(data, str | Mapping):
        raise InputError(f"{what} is a list of rows, not {data!r}")
    rows: Rows = []
    for i, row in enumerate(data):
        if hasattr(row, "tolist"):
            row = row.tolist()
        items = row if isinstance(row, list | tuple) else [row]
        try:
            numbers = [float_of(x) if type(x) is float else ag.Value(x).data for x in items]
        except InputError as error:
            raise InputError(f"row {i} of {what}: {error}") from None
        if rows and len(numbers) != len(rows[0]):
            raise ArgumentError(f"row {i} of {what} has {len(numbers)} numbers, row 0 has {len(rows[0])}")
        for k, x in enumerate(numbers):
            if not math.isfinite(x):
                raise ArgumentError(f"row {i} of {what} has {x} in column {k}; fill or drop what is missing first")
        rows.append(numbers)
    if not rows:
        raise ArgumentError(f"{what} is empty; at least one row is needed")
    return rows


def _same_length(rows: Rows, targets: Rows) -> None:
    if len(rows) != len(targets):
        raise ArgumentError(f"{len(rows)} rows need as many targets, not {len(targets)}")


def _split(rows: Rows, targets: Rows, share: float, rng: Any) -> tuple[Rows, Rows, tuple[Rows, Rows]]:
    if not 0.0 <= share < 1.0:
        raise ArgumentError(f"validation_split is a share from 0 to below 1, not {share!r}")
    count = round(share * len(rows))
    if share and not 0 < count < len(rows):
        raise ArgumentError(f"validation_split={share} of {len(rows)} rows leaves no row on one side")
    order = list(range(len(rows)))
    if count:
        rng.shuffle(order)
    held, kept = sorted(order[:count]), sorted(order[count:])

    def pick(data: Rows, places: list[int]) -> Rows:
        return [data[i] for i in places]

    return pick(rows, kept), pick(targets, kept), (pick(rows, held), pick(targets, held))


def _bar(epochs: int, progress: bool | None) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=epochs, desc="training", unit="epoch", leave=False, disable=None if progress is None else not progress
    )
