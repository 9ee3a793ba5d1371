"""The event log: what the engine did in the forward pass, the backward sweep and the update.

Nothing is computed a second time here: forward events read the recorded nodes, backward events are the edges of the
sweep itself, update events are the optimiser's own updates.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from .. import sweep
from ..errors import InputError
from ..graph import topological
from ..naming import Names
from ..notation import Piece, label, piece, render
from ..recorded import operand_numbers
from ..value import Value
from .events import Backward, Deferred, Events, Forward, Update
from .player import play

T = TypeVar("T")
PROGRESS_AFTER = 2.0  # seconds


class Updates(Protocol):
    """The interface of an optimiser for the log: it yields each update after making it, as those of ``nn.optim`` do."""

    def updates(self) -> Iterable[Any]:
        """Makes the updates; yields objects with ``parameter``, ``old``, ``gradient``, ``new``, ``formula``, ``terms``.

        ``formula`` is an expression such as ``"w - lr * g"``, ``terms`` the number of each name in it.
        """


class Log(Events):
    """The events of one training step, in the order in which the engine did them.

    ``str(log)`` is all of them as text; ``log.play()`` steps through them in the terminal.
    """

    def play(self) -> None:
        """Step through the events in the terminal: forward, back, to the next node or sweep, to a numbered step."""
        play(self)


def steps(output: Value, optimizer: Updates | None = None, *, digits: int = 6) -> Log:
    """Run ``backward()`` from zero and, with an optimiser, its step, and log everything that happened.

    Earlier gradients are cleared, so that the log shows one sweep, and a second call gives the same log.

    Args:
        output: the result, usually a loss; its forward pass is already recorded.
        optimizer: an object with ``updates()``, such as ``nn.optim.SGD``; it makes its step.
        digits: significant digits of the numbers shown.

    Returns:
        the log: a sequence of Forward, Backward and Update events.

    Raises:
        InputError: if ``output`` is not a Value.

    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> y = a * b
    >>> y.name = "y"
    >>> print(steps(y))
    ── forward ───────────────────────
    1  y = a·b
           = 2·3 = 6
    ── backward ──────────────────────
    2  y → a
           adjoint 1 × partial 3 = 3;  grad of a is now 3
    3  y → b
           adjoint 1 × partial 2 = 2;  grad of b is now 2
    """
    if not isinstance(output, Value):
        raise InputError(f"steps takes the Value that was computed, not {type(output).__name__}")
    order = topological(output)
    names = Names(order, digits)
    events: list[Deferred] = list(_forward(order, names))
    events += _backward(order, names)
    if optimizer is not None:
        events += _update(optimizer, names, digits)
    return Log(events, digits)


def _watched(items: Iterable[T], total: int, what: str) -> Iterable[T]:
    """The same items, with a progress bar on a terminal if it takes long."""
    if sys.stderr is None or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, what, total, leave=False, delay=PROGRESS_AFTER)  # type: ignore[no-any-return]


def _forward(order: Sequence[Value], names: Names) -> Iterator[Deferred]:
    for node in _watched(order, len(order), "steps: forward"):
        if node.op is not None:
            numbers, _ = operand_numbers(node)
            yield partial(_computed, names, node, numbers, node.data)


def _computed(names: Names, node: Value, numbers: Sequence[float], result: float) -> Forward:
    written = names.numbers(node, values=numbers)
    return Forward(names.label(node).text, names.formula(node).text, written.text, result)


def _backward(order: Sequence[Value], names: Names) -> Iterator[Deferred]:
    for node in order:
        node.grad = 0.0  # leaves too: one sweep, from zero
    edges = sum(len(node.inputs) for node in order)
    for step in _watched(sweep.reverse(order), edges, "steps: backward"):
        yield partial(_processed, names, step, step.input.grad)


def _processed(names: Names, step: sweep.ReverseStep, total: float) -> Backward:
    node, x = names.label(step.node).text, names.label(step.input).text
    return Backward(node, x, step.adjoint, step.partial, step.contribution, total)


def _update(optimizer: Updates, names: Names, digits: int) -> Iterator[Update]:
    for number, update in enumerate(optimizer.updates(), 1):
        known = update.parameter in names
        name = names.label(update.parameter) if known else label(update.parameter.name or f"parameter {number}")
        formula = render(update.formula, {"w": name, "lr": Piece("η"), "g": Piece("grad")})
        numbers = render(update.formula, {term: piece(x, digits) for term, x in update.terms.items()})
        yield Update(name.text, update.old, update.gradient, update.new, formula.text, numbers.text)
