"""Reads single keys from a terminal, and gives the terminal back as it was."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from types import TracebackType
from typing import TextIO

ESCAPE_WAIT = 0.05  # seconds in which the rest of an arrow key's bytes comes after its first

_SEQUENCE = re.compile(rb"\x1b(?:\[([0-9;]*)([A-Za-z~])|O([A-Za-z]))")
_FINAL = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "M": "enter"}
_NUMBERED = {"1": "home", "4": "end", "5": "pageup", "6": "pagedown", "7": "home", "8": "end"}
_CONTROL = {
    "\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace",
    "\x03": "interrupt", "\x04": "eof", "\x0c": "redraw", "\x15": "clear", "\x1a": "suspend",
}  # fmt: skip


def decoded(waiting: bytearray) -> str | None:
    """Take the next key from the bytes that a terminal sent; None if more bytes are needed.

    A key is a character, or a word such as ``"left"``; with Shift ``"shift left"``. Keys without a name give ``""``.

    >>> decoded(bytearray(b"\\x1b[1;2Cx"))
    'shift right'
    """
    if waiting[:1] == b"\x1b":
        if found := _SEQUENCE.match(bytes(waiting)):
            del waiting[: found.end()]
            numbers, final, other = (part.decode() if part else "" for part in found.groups())
            number, _, modifier = numbers.partition(";")
            key = _NUMBERED.get(number, "") if final == "~" else _FINAL.get(final or other, "")
            return f"shift {key}" if modifier == "2" and key else key
        if re.fullmatch(rb"\x1b(\[[0-9;]*|O)?", waiting):
            return None
        del waiting[:1]
        return "escape"
    if not waiting:
        return None
    length = (
        {0xC: 2, 0xD: 2, 0xE: 3, 0xF: 4}.get(waiting[0] >> 4, 1) if waiting[0] < 0xF8 else 1
    )  # of a UTF-8 character
    if len(waiting) < length:
        return None
    character = bytes(waiting[:length]).decode(errors="replace")
    del waiting[:length]
    return _CONTROL.get(character, character if character.isprintable() else "")


if sys.platform == "win32":
    import msvcrt
    import time

    _WINDOWS = {
        "H": "up",
        "P": "down",
        "K": "left",
        "M": "right",
        "G": "home",
        "O": "end",
        "I": "pageup",
        "Q": "pagedown",
    }

    class Keyboard:
        """The keys of a console; ``with`` is as elsewhere."""

        def __init__(self, stdin: TextIO) -> None:
            pass

        def __enter__(self) -> Keyboard:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
        ) -> None:
            pass

        def read(self, timeout: float) -> str | None:
            """The next key; None if none was pressed in that many seconds."""
            end = time.monotonic() + timeout
            while not msvcrt.kbhit():
                if time.monotonic() > end:
                    return None
                time.sleep(0.01)
            character = msvcrt.getwch()
            if character in "\x00\xe0":
                return _WINDOWS.get(msvcrt.getwch(), "")
            return "escape" if character == "\x1b" else _CONTROL.get(character, character)

else:
    import select
    import termios

    class Keyboard:
        """The keys of a terminal: inside ``with`` they come one by one and are not echoed.

        Raises:
            OSError: if this is no terminal.
        """

        def __init__(self, stdin: TextIO) -> None:
            self._file = stdin.fileno()
            try:
                self._before = termios.tcgetattr(self._file)
            except termios.error as error:
                raise OSError(*error.args) from None
            self._waiting = bytearray()

        def __enter__(self) -> Keyboard:
            own = termios.tcgetattr(self._file)
            own[3] &= ~(termios.ICANON | termios.ECHO)
            own[6][termios.VMIN], own[6][termios.VTIME] = 1, 0
            own[6][termios.VSUSP] = b"\x00"  # Ctrl-Z comes as a key, so that the screen can be given back first
            termios.tcsetattr(self._file, termios.TCSADRAIN, own)
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
        ) -> None:
            with suppress(termios.error):  # a terminal that was closed
                termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

        def read(self, timeout: float) -> str | None:
            """The next key; None if none was pressed in that many seconds, ``"eof"`` at the end of the input."""
            while (key := decoded(self._waiting)) is None:
                wait = ESCAPE_WAIT if self._waiting else timeout
                if not select.select([self._file], [], [], wait)[0]:
                    if not self._waiting:
                        return None
                    self._waiting.clear()  # Escape alone, or the beginning of something that never came
                    return "escape"
                try:
                    more = os.read(self._file, 1024)
                except OSError:  # the terminal was closed
                    more = b""
                if not more:
                    return "eof"
                self._waiting += more
            return key
