"""The terminal player: steps through an event log, forward and back, by single keys or by lines."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TextIO

from ..language import translate
from ..notation import show
from .position import HELP, Position, meaning

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from .keys import Keyboard
    from .log import Log

WAIT = 0.2  # seconds between two looks at the size of the terminal
AROUND = 3  # events that are shown before and after the present one, in lines
_KEYS = {
    "right": "next", "enter": "next", " ": "next", "left": "back", "b": "back", "backspace": "back",
    "down": "node", "n": "node", "up": "previous node", "p": "previous node",
    "s": "sweep", "shift right": "sweep", "pagedown": "sweep",
    "S": "previous sweep", "shift left": "previous sweep", "pageup": "previous sweep",
    "home": "first", "end": "last",
}  # fmt: skip


def play(log: Log, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
    """Step through a log in the terminal; without a terminal, print all of it.

    Args:
        log: what ``steps`` returned.
        stdin: where keys, or commands, one a line, are read.
        stdout: where the player is drawn.
    """
    stdin, stdout = stdin or sys.stdin, stdout or sys.stdout  # None where it was closed
    if stdout is None:
        return
    try:
        _play(log, stdin, stdout)
        stdout.flush()
    except BrokenPipeError:  # the reader has gone, as with | head -1; what else is written goes nowhere
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout.fileno())
        os.close(nowhere)


def _play(log: Log, stdin: TextIO | None, stdout: TextIO) -> None:
    if not len(log):
        print(translate("nothing was recorded: the result is a leaf"), file=stdout)
    elif stdin is None or stdin.closed or not stdin.isatty() or not stdout.isatty():
        for line in log.text():
            print(line, file=stdout)
    else:
        keyboard = _keyboard(stdin)
        if keyboard is None:
            _by_lines(log, stdin, stdout)
        else:
            Player(log, stdout).run(keyboard)


def _keyboard(stdin: TextIO) -> Keyboard | None:
    """The keys of the terminal; None if it gives lines only."""
    if sys.platform != "win32" and os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        return None
    from .keys import Keyboard

    try:
        return Keyboard(stdin)
    except OSError:  # a terminal only by name
        return None


# By lines -------------------------------------------------------------------------------------------------------------


def _by_lines(log: Log, stdin: TextIO, stdout: TextIO) -> None:
    position, message = Position(log), HELP.translated()
    while True:
        for line in page(position):
            print(line, file=stdout)
        if message:
            print(message, file=stdout)
        print("> ", end="", file=stdout, flush=True)
        command = stdin.readline()
        if not command or meaning(command) == "quit":
            return
        message = position.obey(command)


def page(position: Position) -> list[str]:
    """The present event between those before and after it, as plain text."""
    log, at = position.log, position.at
    iteration, event = log.located(at)
    from .screen import SHAPES, sweep_name

    sweep = iteration.sweep_of(event)[0]
    head = translate("Step {k} / {n}").format(k=at + 1, n=len(log))
    if len(log.losses) > 1:
        update = translate("update {number} of {total} · loss {loss}").format(
            number=iteration.number, total=len(log.losses), loss=show(iteration.loss, log.digits)
        )
        head = f"{update} · {head}"
    lines = ["", f"── {head} · {SHAPES[sweep]} {sweep_name(sweep)}"]
    for k in range(max(at - AROUND, 0), min(at + AROUND + 1, len(log))):
        texts = log[k].lines(log.digits)
        for nth, text in enumerate(texts if k == at else texts[:1]):
            mark = "▶" if k == at else " "
            lines.append((f"{mark} {k + 1:>4}  " if nth == 0 else " " * 8) + text)
    return lines


# By keys --------------------------------------------------------------------------------------------------------------


class Player:
    """Shows a log on the whole screen and obeys single keys.

    Args:
        log: the log.
        stdout: the terminal.
    """

    def __init__(self, log: Log, stdout: TextIO) -> None:
        from rich.console import Console

        from .screen import Screen

        self.position = Position(log)
        self._stdout = stdout
        self._console: Console = Console(file=stdout, highlight=False, force_terminal=True)
        self._screen = Screen(self._console, self.position)
        self._message = ""
        self._prompt: str | None = None  # what is typed after / or g, with that character first
        self._with_help = False

    def run(self, keyboard: Keyboard) -> None:
        """Show the log until a key or the end of the input quits."""
        while self._shown(keyboard):
            os.kill(os.getpid(), signal.SIGTSTP)  # Ctrl-Z: the terminal is as before until the program goes on

    def _shown(self, keyboard: Keyboard) -> bool:
        """Show the log; whether the player is only suspended."""
        with ExitStack() as stack:
            stack.callback(self._leave)
            self._console.set_alt_screen(True)
            self._console.show_cursor(False)
            stack.enter_context(keyboard)
            drawn: Any = None
            while True:
                size = self._size()
                if drawn != size:
                    self._draw(*size)
                    drawn = size
                key = keyboard.read(WAIT)
                if key is None:
                    continue
                drawn = None
                if key == "interrupt":
                    raise KeyboardInterrupt
                if key == "eof":
                    return False
                if key == "suspend":
                    return hasattr(signal, "SIGTSTP")
                if not self.press(key):
                    return False

    def _leave(self) -> None:
        with suppress(OSError):  # a terminal that was closed
            self._console.clear()  # some terminals keep a part of it if they were resized
            self._console.show_cursor(True)
            self._console.set_alt_screen(False)

    def _size(self) -> tuple[int, int]:
        with suppress(OSError, ValueError):
            width, height = os.get_terminal_size(self._stdout.fileno())
            if width and height:
                return width, height
        return shutil.get_terminal_size()

    def _draw(self, width: int, height: int) -> None:
        self._console.size = (width, height)
        lines = self._screen.lines(width, height, self._footer(width), self._with_help)
        with self._console:  # everything in one write, so that nothing flickers
            self._console.control(_home())
            for line in lines:
                self._console.print(line, end="" if line is lines[-1] else "\n", no_wrap=True, crop=True)

    def _footer(self, width: int) -> Text:
        from rich.text import Text

        if self._prompt is not None:
            line = Text(f" {self._prompt}", "bold").append("█", "blink")
            text = self._prompt[1:].strip()
            if text and not text.isdigit():
                found = self.position.fitting(text)
                line.append("   " + (", ".join(found[:5]) + (" …" if len(found) > 5 else "")), "dim")
            return line
        if self._message:
            return Text(f" {self._message}", "bold")
        long = translate("→ next  ← back  ↓ ↑ node  s sweep  / search  g go to  h help  q quit")
        return Text(" " + long, "dim")

    def press(self, key: str) -> bool:
        """Do what a key asks for; false if it quits."""
        self._message = ""
        if self._prompt is not None:
            self._type(key)
            return True
        if self._with_help:
            self._with_help = False
            if key in ("h", "?", "escape", "enter", "q"):
                return True
        if key == "q":
            return False
        if key in _KEYS:
            self._message = self.position.move(_KEYS[key])
        elif key in ("h", "?"):
            self._with_help = True
        elif key in ("/", "g"):
            self._prompt = key
        elif key.isascii() and key.isdigit():
            self._prompt = "g" + key
        elif len(key) == 1:
            self._message = translate("{key} does nothing here; h lists the keys.").format(key=repr(key))
        return True

    def _type(self, key: str) -> None:
        """A key at the prompt."""
        assert self._prompt is not None
        if key == "enter":
            text, self._prompt = self._prompt[1:].strip(), None
            number = text.isascii() and text.isdigit()
            self._message = self.position.go_to_step(text) if number else self.position.search(text)
        elif key == "escape":
            self._prompt = None
        elif key == "clear":
            self._prompt = self._prompt[:1]
        elif key == "backspace":
            self._prompt = self._prompt[:-1] or None
        elif len(key) == 1:
            self._prompt += key


def _home() -> Any:
    from rich.control import Control

    return Control.home()
