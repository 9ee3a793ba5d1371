"""The events of a log, and their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

from ..errors import InputError
from ..notation import show


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
    """One edge was processed: the node's adjoint times the edge's partial was added to the input's gradient."""

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

Deferred = Event | Callable[[], Event]


class Events(Sequence[Event]):
    """Events in the order in which they occurred; ``str()`` gives all of them as text.

    Args:
        events: the events, or functions that make them on access, because making the text takes the most time.
        digits: significant digits of the numbers shown.
    """

    def __init__(self, events: Iterable[Deferred], digits: int = 6) -> None:
        self._events = list(events)
        for event in self._events:
            if not isinstance(event, Event) and not callable(event):
                raise InputError(f"a log holds the events that steps() makes, not {event!r:.60}")
        self.digits = digits

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        event = self._events[index]
        return event if isinstance(event, Event) else event()

    def __len__(self) -> int:
        return len(self._events)

    def text(self) -> Iterator[str]:
        """The whole log, line by line."""
        sweep = ""
        width = len(str(len(self)))
        for number, event in enumerate(self, 1):
            if event.sweep != sweep:
                sweep = event.sweep
                yield f"── {sweep} " + "─" * (30 - len(sweep))
            first, *rest = event.lines(self.digits)
            yield f"{number:>{width}}  {first}"
            for line in rest:
                yield " " * (width + 6) + line

    def __str__(self) -> str:
        return "\n".join(self.text())
