"""The events of a log: what the engine did, one thing at a time, and how that reads as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


class Events(Sequence[Event]):
    """Events in the order in which they happened; ``str()`` is all of them as text."""

    def __init__(self, events: Iterable[Event], digits: int = 6) -> None:
        self._events = tuple(events)
        for event in self._events:
            if not isinstance(event, Event):
                raise InputError(f"a log holds the events that steps() makes, not {event!r:.60}")
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
