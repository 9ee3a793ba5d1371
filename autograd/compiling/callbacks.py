"""Python functions that native code calls through a table of pointers."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

from .program import Program
from .replay import python_function


class Callbacks:
    """A table of pointers to the functions for some operations of a program.

    Attributes:
        address: of the table.
    """

    def __init__(self, operations: Sequence[str], program: Program) -> None:
        self._raised = _Raised()
        functions = []
        for op in operations:
            kind = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * len(program.opcode(op).operands or ()))
            functions.append(kind(self._guarded(python_function(op, program.own))))
        pointers = [ctypes.cast(f, ctypes.c_void_p) for f in functions]
        table = (ctypes.c_void_p * max(1, len(pointers)))(*pointers)
        self.address = ctypes.addressof(table)
        self._kept = table, functions

    def _guarded(self, function: Callable[..., float]) -> Callable[..., float]:
        raised = self._raised

        def call(*numbers: float) -> float:
            if raised.errors:  # the call will fail, so the remaining rows are skipped
                return math.nan
            try:
                return function(*numbers)
            except BaseException as error:  # noqa: BLE001  (native code is between this function and the caller that handles it)
                raised.errors.append(error)
                return math.nan

        return call

    def clear(self) -> None:
        """Delete errors that an interrupted call may have left."""
        if self._raised.errors:
            self._raised.errors = []

    def reraise(self) -> None:
        """Raise the exception that a function raised when native code called it."""
        if self._raised.errors:
            error, self._raised.errors = self._raised.errors[0], []
            raise error


class _Raised(threading.local):
    """The exceptions that functions raised in this thread."""

    def __init__(self) -> None:
        self.errors: list[Any] = []
