"""The event log: what the engine did, forward, backward and update, one event at a time.

Nothing is computed a second time here: forward events read the recorded nodes, backward events watch the very sweep
that ``backward()`` exhausts, update events watch the optimiser's own updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, overload

from ..errors import InputError
from ..graph import topological
from ..naming import Names
from ..notation import Piece, label, piece, render, show
from ..sweep import reverse
from ..value import Value


@dataclass(frozen=True, slots=True)
class Forward:
    """A node was computed."""

    sweep: ClassVar[str] = "forward"
    node: str
    formula: str
    numbers: str
    result: float

    def lines(self, digits: int) -> list[str]:
        """The event in words, one line for the formula and one for the numbers."""
        first = self.formula if self.formula == self.node else f"{self.node} = {self.formula}"
        return [first, f"= {self.numbers} = {show(self.result, digits)}"]


@dataclass(frozen=True, slots=True)
class Backward:
    """One edge was worked off: the node's adjoint times the edge's partial was added to the input's gradient."""

    sweep: ClassVar[str] = "backward"
    node: str
    input: str
    adjoint: float
    partial: float
    contribution: float
    total: float

    def lines(self, digits: int) -> list[str]:
        """The event in words."""
        a, p, c, t = (show(x, digits) for x in (self.adjoint, self.partial, self.contribution, self.total))
        return [f"{self.node} → {self.input}", f"adjoint {a} × partial {p} = {c};  grad of {self.input} is now {t}"]


@dataclass(frozen=True, slots=True)
class Update:
    """The optimiser moved a parameter."""

    sweep: ClassVar[str] = "update"
    node: str
    old: float
    gradient: float
    new: float
    formula: str
    numbers: str

    def lines(self, digits: int) -> list[str]:
        """The event in words."""
        return [f"{self.node} ← {self.formula}", f"= {self.numbers} = {show(self.new, digits)}"]


Event = Forward | Backward | Update


class Updates(Protocol):
    """What the log needs of an optimiser: its updates, one by one, as it makes them (``nn.optim`` has them)."""

    def updates(self) -> Iterable[Any]:
        """Makes the updates; yields objects with ``parameter``, ``old``, ``gradient``, ``new``, ``formula``, ``terms``.

        ``formula`` is an expression such as ``"w - lr * g"``, ``terms`` the number of each name in it.
        """


class Log(Sequence[Event]):
    """The events of one step of work, in the order in which the engine did them.

    ``str(log)`` is all of them as text; ``log.play()`` steps through them in the terminal.
    """

    def __init__(self, events: Iterable[Event], digits: int = 6) -> None:
        self._events = tuple(events)
        self.digits = digits

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def text(self) -> Iterator[str]:
        """The whole log, line by line."""
        sweep = ""
        width = len(str(len(self)))
        for number, event in enumerate(self._events, 1):
            if event.sweep != sweep:
                sweep = event.sweep
                yield f"── {sweep} " + "─" * (30 - len(sweep))
            first, *rest = event.lines(self.digits)
            yield f"{number:>{width}}  {first}"
            for line in rest:
                yield " " * (width + 6) + line

    def __str__(self) -> str:
        return "\n".join(self.text())

    def play(self) -> None:
        """Step through the events in the terminal: forward, back, to the next node or sweep, to a numbered step."""
        from .player import play

        play(self)


def steps(output: Value, optimizer: Updates | None = None, *, digits: int = 6) -> Log:
    """Run ``output.backward()`` and, with an optimiser, its step, and log everything that happened.

    Args:
        output: the result, usually a loss; its forward pass is already recorded.
        optimizer: something with ``updates()``, such as ``nn.optim.SGD``; it makes its step.
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
    events: list[Event] = list(_forward(order, names))
    events += _backward(order, names)
    if optimizer is not None:
        events += _update(optimizer, names, digits)
    return Log(events, digits)


def _forward(order: Sequence[Value], names: Names) -> Iterator[Forward]:
    for node in order:
        if node.op is not None:
            yield Forward(names.label(node).text, names.formula(node).text, names.numbers(node).text, node.data)


def _backward(order: Sequence[Value], names: Names) -> Iterator[Backward]:
    edge, last = 0, None
    for node in reverse(order):
        edge = edge + 1 if node is last else 0
        last = node
        x, partial = node.inputs[edge], node.partials[edge]
        contribution = node.grad * partial if partial != 0.0 else 0.0  # as in the sweep
        yield Backward(names.label(node).text, names.label(x).text, node.grad, partial, contribution, x.grad)


def _update(optimizer: Updates, names: Names, digits: int) -> Iterator[Update]:
    for number, update in enumerate(optimizer.updates(), 1):
        known = update.parameter in names
        name = names.label(update.parameter) if known else label(update.parameter.name or f"parameter {number}")
        formula = render(update.formula, {"w": name, "lr": Piece("η"), "g": Piece("grad")})
        numbers = render(update.formula, {term: piece(x, digits) for term, x in update.terms.items()})
        yield Update(name.text, update.old, update.gradient, update.new, formula.text, numbers.text)
