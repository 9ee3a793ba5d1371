"""Reads and checks training data as rows of floats, and splits it into training and validation rows."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from random import Random
from typing import Any

from autograd import ArgumentError
from autograd.text import shown

from .text import number, sequence

Rows = list[list[float]]


def table(data: Iterable[Any], what: str) -> Rows:
    """Data as rows of floats, checked.

    Args:
        data: n numbers or n rows of numbers, in lists, arrays or a data frame.
        what: a description for error messages.

    Returns:
        n rows, equally long; a number becomes a row of one.

    Raises:
        ArgumentError: if it is empty, its rows differ in length, or a number is not finite; names the row.
        InputError: if something is not a number.
    """
    if hasattr(data, "to_numpy"):  # pandas, polars
        data = data.to_numpy()
    if hasattr(data, "tolist"):
        if (found := _of_array(data)) is not None:
            return found
        data = data.tolist()
    rows: Rows = []
    for i, row in enumerate(sequence(what, data)):
        if hasattr(row, "tolist"):
            row = row.tolist()
        items = row if isinstance(row, list | tuple) else [row]
        numbers = [x if type(x) is float else number(f"row {i} of {what}", x) for x in items]
        if rows and len(numbers) != len(rows[0]):
            raise ArgumentError(f"row {i} of {what} has {len(numbers)} numbers, row 0 has {len(rows[0])}")
        for k, x in enumerate(numbers):
            if not math.isfinite(x):
                raise ArgumentError(f"row {i} of {what} has {x} in column {k}; fill or drop what is missing first")
        rows.append(numbers)
    if not rows:
        raise ArgumentError(f"{what} is empty; at least one row is needed")
    return rows


def _of_array(data: Any) -> Rows | None:
    """The rows of an ordinary array of finite numbers, which is quick; None for all other data."""
    np: Any = sys.modules.get("numpy")
    if np is None or type(data) is not np.ndarray or data.dtype.kind not in "fiu" or data.dtype.itemsize > 8:
        return None
    if data.ndim not in (1, 2) or not data.size or not np.isfinite(data).all():
        return None
    return data.astype(np.float64).reshape(len(data), -1).tolist()  # type: ignore[no-any-return]


def pairs(xs: Iterable[Any], ys: Iterable[Any], what: str = "") -> tuple[Rows, Rows]:
    """Rows and as many targets; ``what`` describes them in error messages.

    Raises:
        ArgumentError: as ``table``, or if their numbers differ.
        InputError: as ``table``.
    """
    rows, targets = table(xs, f"{what}xs"), table(ys, f"{what}ys")
    if len(rows) != len(targets):
        raise ArgumentError(f"{len(rows)} rows need as many targets, not {len(targets)}")
    return rows, targets


def shuffled(count: int, rng: Random) -> list[int]:
    """The numbers below ``count`` in the order in which ``rng.shuffle`` brings them, in a third of its time."""
    order = list(range(count))
    if type(rng) is not Random:  # a class of its own may shuffle in its own way
        rng.shuffle(order)
        return order
    bits, last = rng.getrandbits, count - 1
    while last > 0:
        width = (last + 1).bit_length()  # the same for many places, each of which draws until it gets a place up to it
        next_last = (1 << (width - 1)) - 2
        for i in range(last, next_last, -1):
            j = bits(width)
            while j > i:
                j = bits(width)
            order[i], order[j] = order[j], order[i]
        last = next_last
    return order


def split(rows: Rows, targets: Rows, share: float, rng: Any) -> tuple[Rows, Rows, Rows, Rows]:
    """Training rows and targets, validation rows and targets; the rows are chosen at random and keep their order.

    Raises:
        ArgumentError: if the share is outside [0, 1), or leaves no row on one side.
        InputError: if it is not a number.
    """
    if not 0.0 <= number("validation_split", share) < 1.0:
        raise ArgumentError(f"validation_split is a share from 0 to below 1, not {shown(share)}")
    count = round(share * len(rows))
    if share and not 0 < count < len(rows):
        raise ArgumentError(f"validation_split={share} of {len(rows)} rows leaves no row on one side")
    order = shuffled(len(rows), rng) if count else list(range(len(rows)))
    validation, training = sorted(order[:count]), sorted(order[count:])

    def pick(data: Rows, places: list[int]) -> Rows:
        return [data[i] for i in places]

    return pick(rows, training), pick(targets, training), pick(rows, validation), pick(targets, validation)
