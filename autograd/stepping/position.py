"""The position in a log, and the commands that move it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..language import Message, translate
from .view import View

if TYPE_CHECKING:
    from .log import Log

HELP = Message(
    "Enter next · b back · n next node · p previous node · s next sweep · S previous sweep · "
    "a number or a name goes there · /text searches · h help · q quit"
)
_WORDS = {
    "": "next", "next": "next", ">": "next",
    "b": "back", "back": "back", "<": "back",
    "n": "node", "node": "node",
    "p": "previous node",
    "s": "sweep", "sweep": "sweep",
    "S": "previous sweep",
    "home": "first", "first": "first", "end": "last", "last": "last",
    "q": "quit", "quit": "quit", "exit": "quit",
    "h": "help", "help": "help", "?": "help",
}  # fmt: skip


def meaning(command: str) -> str | None:
    """What a command does; None if there is no such word."""
    command = command.strip()
    return _WORDS.get(command) or _WORDS.get(command.lower())


class Position:
    """The position in the log, and the commands that move it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.at = 0
        self._views: dict[int, View] = {}
        self._labels: dict[int, list[str]] = {}
        self._sought = ""

    def obey(self, command: str) -> str:
        """Do one command; returns a message for the user, which may be empty."""
        command = command.strip()
        word = meaning(command)
        if word == "help":
            return HELP.translated()
        if word is not None and word != "quit":
            return self.move(word)
        if command.startswith("/"):
            return self.search(command[1:])
        goes = re.fullmatch(r"g(?:\s+(.+)|(\d+))", command, re.ASCII)
        where = goes[1] or goes[2] if goes else command
        if where.isascii() and where.isdigit():
            return self.go_to_step(where)
        if goes or where in self._labels_of(self.view):
            return self.search(where)
        return f"{command!r}: {HELP.translated()}"

    def move(self, word: str) -> str:
        """Move as a word such as ``"next"`` or ``"previous sweep"`` says."""
        moves: dict[str, Callable[[], int]] = {
            "next": lambda: self.at + 1,
            "back": lambda: self.at - 1,
            "node": self._next_node,
            "previous node": self._previous_node,
            "sweep": self._next_sweep,
            "previous sweep": self._previous_sweep,
            "first": lambda: 0,
            "last": lambda: len(self.log) - 1,
        }
        return self._go(moves[word]())

    def go_to_step(self, digits: str) -> str:
        """Go to a step by its number, which may have any number of digits."""
        # int() rejects thousands of digits; a number of 20 digits is beyond the end of every log.
        return self._go(int(digits) - 1 if len(digits) < 20 else len(self.log))

    def search(self, text: str) -> str:
        """Go to the next event of a node with this name, or else with a name that begins with or contains the text.

        An empty text searches for the same as before.
        """
        self._sought = text = text.strip() or self._sought
        if not text:
            return translate("Search for the name of a node, or a part of it.")
        fits = self.fitting(text)
        if not fits:
            return translate("No node has {text} in its name.").format(text=repr(text))
        iterations = self.log.updates
        here = self.log.which(self.at)
        for turn in range(len(iterations) + 1):  # the present step a second time last: its events up to here
            which = (here + turn) % len(iterations)
            view = self._view(which)
            found = [self.log.first(which) + k for k in self._events(view, text)]
            later = [k for k in found if turn or k > self.at]
            if later:
                self.at = later[0]
                return ""
        return translate("No event concerns {text}.").format(text=repr(text))

    def _events(self, view: View, text: str) -> list[int]:
        labels = self._labels_of(view)
        events: set[int] = set()
        for k in _best(labels, text):
            events.update(view.events_of(k))
        return sorted(events)

    def fitting(self, text: str) -> list[str]:
        """The names that a search finds."""
        labels = self._labels_of(self.view)
        return [labels[k] for k in _best(labels, text)]

    @property
    def event(self) -> int:
        """Which event of its training step the present one is."""
        return self.log.located(self.at)[1]

    @property
    def view(self) -> View:
        """The training step that the present event belongs to, with what is known in it."""
        return self._view(self.log.which(self.at))

    def _view(self, which: int) -> View:
        if which not in self._views:
            if len(self._views) > 3:
                self._views.clear()
            self._views[which] = View(self.log.updates[which])
        return self._views[which]

    def _labels_of(self, view: View) -> list[str]:
        graph = view.iteration.graph
        if id(graph) not in self._labels:
            self._labels[id(graph)] = [graph.label(k) for k in range(len(graph.order))]
        return self._labels[id(graph)]

    def _node(self, at: int) -> object:
        iteration, k = self.log.located(at)
        return (id(iteration), iteration.sweep_of(k)[0], iteration.entry(k)[1])

    def _next_node(self) -> int:
        here = self._node(self.at)
        return next((k for k in range(self.at + 1, len(self.log)) if self._node(k) != here), len(self.log))

    def _previous_node(self) -> int:
        at = self._first_of_node(self.at)
        return self._first_of_node(at - 1) if at else -1

    def _first_of_node(self, at: int) -> int:
        node = self._node(at)
        while at and self._node(at - 1) == node:
            at -= 1
        return at

    def _next_sweep(self) -> int:
        start = self.at - self.event
        to = self.view.next_sweep(self.event)
        return start + len(self.view.iteration) if to is None else start + to

    def _previous_sweep(self) -> int:
        start = self.at - self.event
        to = self.view.previous_sweep(self.event)
        if to is not None:
            return start + to
        if not start:
            return -1
        before = self.log.which(start - 1)
        return self.log.first(before) + self._view(before).sweeps()[-1]

    def _go(self, to: int) -> str:
        self.at = min(max(to, 0), len(self.log) - 1)
        if to == self.at:
            return ""
        return translate("this is the first step") if to < 0 else translate("this is the last step")


def _best(labels: list[str], text: str) -> list[int]:
    """The labels that are the text, or else begin with it, or else contain it, whatever the case."""
    small = text.casefold()
    tests: tuple[Callable[[str], bool], ...] = (
        lambda x: x == text,
        lambda x: x.casefold() == small,
        lambda x: x.casefold().startswith(small),
        lambda x: small in x.casefold(),
    )
    for fits in tests:
        found = [k for k, x in enumerate(labels) if fits(x)]
        if found:
            return found
    return []
