"""The terminal player: steps through an event log, forward and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from .events import Event

if TYPE_CHECKING:
    from rich.console import Console

    from .log import Log

HELP = "Enter next · b back · n next node · s next sweep · a number goes there · h help · q quit"
_WORDS = {
    "": "next", "next": "next", ">": "next",
    "b": "back", "back": "back", "<": "back",
    "n": "node", "node": "node",
    "s": "sweep", "sweep": "sweep",
    "q": "quit", "quit": "quit", "exit": "quit",
    "h": "help", "help": "help", "?": "help",
}  # fmt: skip


class Position:
    """The position in the log, and the commands that move it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.at = 0

    def obey(self, command: str) -> str:
        """Do one command; returns a message for the user, which may be empty."""
        command = command.strip().lower()
        where = command.removeprefix("g").strip()
        if where.isascii() and where.isdigit():
            # int() rejects thousands of digits; a number of 20 digits is beyond the end of every log.
            return self._go(int(where) - 1 if len(where) < 20 else len(self.log))
        match _WORDS.get(command):
            case "next":
                return self._go(self.at + 1)
            case "back":
                return self._go(self.at - 1)
            case "node":
                return self._go(self._following(lambda here, there: here.node != there.node))
            case "sweep":
                return self._go(self._following(lambda here, there: here.sweep != there.sweep))
            case "help":
                return HELP
        return f"{command!r} is no command. {HELP}"

    def _following(self, differs: Callable[[Event, Event], bool]) -> int:
        here = self.log[self.at]
        for i in range(self.at + 1, len(self.log)):
            if differs(here, self.log[i]):
                return i
        return len(self.log)

    def _go(self, to: int) -> str:
        self.at = min(max(to, 0), len(self.log) - 1)
        return "" if to == self.at else "this is the first step" if to < 0 else "this is the last step"


def play(log: Log, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
    """Step through a log in the terminal; without a terminal, print all of it.

    Args:
        log: what ``steps`` returned.
        stdin: where commands are read, one a line.
        stdout: where the player is drawn.
    """
    stdin, stdout = stdin or sys.stdin, stdout or sys.stdout  # sys.stdin is None where it was closed
    if not len(log):
        print("nothing was recorded: the result is a leaf", file=stdout)
        return
    if stdin is None or stdin.closed or not stdin.isatty():
        for line in log.text():
            print(line, file=stdout)
        return
    from rich.console import Console

    console = Console(file=stdout, highlight=False, soft_wrap=False)
    position, message = Position(log), HELP
    while True:
        _draw(console, position, message)
        print("> ", end="", file=stdout, flush=True)
        command = stdin.readline()
        if not command or _WORDS.get(command.strip().lower()) == "quit":
            return
        message = position.obey(command)


def _draw(console: Console, position: Position, message: str) -> None:
    from rich.markup import escape
    from rich.panel import Panel
    from rich.text import Text

    log, at = position.log, position.at
    if console.is_terminal and not console.is_dumb_terminal:
        console.clear()
    event = log[at]
    body = Text()
    for i in range(max(at - 3, 0), min(at + 4, len(log))):
        here = log[i]
        mark = "▶" if i == at else " "
        lines = here.lines(log.digits)
        for k, line in enumerate(lines if i == at else lines[:1]):
            head = f"{mark} {i + 1:>4}  " if k == 0 else " " * 9
            body.append(head + line + "\n", style="bold" if i == at else "dim")
    body.rstrip()
    title = f"step {at + 1} of {len(log)} · {event.sweep}"
    console.print(Panel(body, title=escape(title), title_align="left", width=min(console.width, 100)))
    if message and message != HELP:
        console.print(escape(message), style="italic")
    console.print(escape(HELP), style="dim")
