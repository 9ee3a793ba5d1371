"""What ``check=True`` does: find the first row whose result is not finite, and run it again eagerly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DomainError
from ..structure import apart, numbers
from ..sweep import backward
from ..value import Value
from .rows import pieces


def arrays_in(result: Any) -> list[Any]:
    """The arrays and numbers inside a result."""
    return [np.asarray(x) for x in apart(result, "the result", (np.ndarray,))[0]]


def first_bad_row(arrays: Sequence[Any], count: int) -> int | None:
    """The first row in which one of the arrays holds inf or nan."""
    for lo, hi in pieces(0, count):
        bad = np.zeros(hi - lo, dtype=bool)
        for a in arrays:
            bad |= ~np.isfinite(a[lo:hi].reshape(hi - lo, -1)).all(axis=1)
        if bad.any():
            return lo + int(np.argmax(bad))
    return None


def run_eagerly(f: Callable[..., Any], arguments: Sequence[Any], names: Sequence[str], row: int) -> None:
    """Run a function on one row's numbers, under the arguments' names.

    Raises:
        DomainError: from the operation that has no value there, named by the arguments that it got; with a note of the
            row. Nothing is raised if the row runs: numbers that are not finite may have come in as data.
    """
    values = [_values(np.asarray(a).tolist(), name) for a, name in zip(arguments, names, strict=True)]
    try:
        result = f(*values)
        for x in numbers(result, "the result")[0]:
            if isinstance(x, Value):
                backward(x, 0.0)
    except DomainError as error:
        raise DomainError(f"in row {row}: {error}") from None


def _values(x: Any, name: str) -> Any:
    return [_values(item, f"{name}[{i}]") for i, item in enumerate(x)] if isinstance(x, list) else Value(x, name)
