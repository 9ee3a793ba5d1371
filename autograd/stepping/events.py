"""The events of a log, and their text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

from ..language import Message, translate
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
        numbers = translate(
            "adjoint {adjoint} × partial {partial} = {contribution};  grad of {node} is now {total}"
        ).format(
            adjoint=show(self.adjoint, digits),
            partial=show(self.partial, digits),
            contribution=show(self.contribution, digits),
            node=self.input,
            total=show(self.total, digits),
        )
        return [f"{self.node} → {self.input}", numbers]


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
    """Events that are made when they are looked at."""

    @abstractmethod
    def event(self, index: int) -> Event:
        """The event at an index, which is at least 0 and in range."""

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return [self.event(k) for k in range(len(self))[index]]
        return self.event(range(len(self))[index])


# What a sweep is called where people read it.
SWEEPS = {"forward": Message("forward"), "backward": Message("backward"), "update": Message("update")}
