"""For ``check=True``: finds the first row whose result is not finite, and runs it again eagerly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, ConvergenceError, DomainError
from ..graph import topological
from ..structure import numbers
from ..value import Value, describe
from .arrays import pieces
from .call import Outcome


def first_bad_row(arrays: Sequence[Any], sums: Any, count: int, part: Callable[[int, int], Outcome]) -> int | None:
    """The first row that gives inf or nan.

    Args:
        arrays: results by row.
        sums: results summed over the rows.
        count: how many rows there are.
        part: calls the function on a range of the rows.

    Raises:
        DomainError: if a sum is not finite although what is summed is.
    """
    for lo, hi in pieces(0, count):
        bad = np.zeros(hi - lo, dtype=bool)
        for a in arrays:
            bad |= ~np.isfinite(a[lo:hi].reshape(hi - lo, -1)).all(axis=1)
        if bad.any():
            return lo + int(np.argmax(bad))
    if np.all(np.isfinite(sums)):
        return None
    lo, hi = 0, count
    while hi - lo > 1:
        middle = (lo + hi) // 2
        if not np.all(np.isfinite(part(lo, middle).sums)):
            hi = middle
        elif not np.all(np.isfinite(part(middle, hi).sums)):
            lo = middle
        else:
            raise DomainError(f"the sum over rows {lo} to {hi - 1} overflows, although it is finite over each half")
    return lo if count else None


def run_eagerly(f: Callable[..., Any], arguments: Sequence[Any], names: Sequence[str], row: int) -> None:
    """Run a function on one row's numbers, under the arguments' names.

    Raises:
        ArgumentError: from an equation whose bracket holds no solution.
        ConvergenceError: from a loop that does not end, or an equation without a solution.
        DomainError: from the operation that has no value there, named with its arguments, or for a slope
            that is infinite; with a note of the row. Nothing is raised if a number that came in is not finite itself.
    """
    values = [_values(np.asarray(a).tolist(), name) for a, name in zip(arguments, names, strict=True)]
    try:
        result = f(*values)
    except (ArgumentError, ConvergenceError, DomainError) as error:
        raise type(error)(f"in row {row}: {error}") from None
    order = topological(*[x for x in numbers(result, "the result")[0] if isinstance(x, Value)])
    given = [x.data for x in numbers(values, "the arguments")[0]] + [x.data for x in order if x.op is None]
    if not all(map(math.isfinite, given)):
        return
    for node in order:
        name = "" if node.op is None else node.op.name
        if not math.isfinite(node.data):
            raise DomainError(f"in row {row}: {name} of {', '.join(map(describe, node.operands))} is {node.data}")
        for x, partial in zip(node.inputs, node.partials, strict=True):
            if not math.isfinite(partial):
                raise DomainError(f"in row {row}: the slope of {name} at {describe(x)} is {partial}")
    raise DomainError(
        f"in row {row}: a result is not finite although every operation and its slopes are: a product of slopes "
        "overflows, a second derivative is infinite, or single precision does not reach so far"
    )


def _values(x: Any, name: str) -> Any:
    return [_values(item, f"{name}[{i}]") for i, item in enumerate(x)] if isinstance(x, list) else Value(x, name)
