"""The numbers that an operation was recorded with, also where a leaf's ``data`` was assigned to since.

A node keeps no copies of its operands' numbers. Its value tells whether they are still the same, and its partials hold
those that are the slope of another operand: in ``w·x`` the slope of x is w.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from .value import Value, numbers_of, places


def operand_numbers(node: Value) -> tuple[list[float], bool]:
    """The numbers of a node's operands when it was recorded, and whether they are known to be those.

    Where a leaf changed since and its number cannot be read off the node, its present number stands in the list.
    """
    numbers = numbers_of(node.operands)
    if _agrees(node, numbers):
        return numbers, True
    op, count = node.op, len(node.operands)
    assert op is not None
    place_of = {name: k for k, name in enumerate(op.names(count))}
    for partial, place in zip(node.partials, places(node), strict=True):
        across = place_of.get(op.slope_for(place, count))
        if across is not None:
            numbers[across] = partial
    return numbers, _agrees(node, numbers)


def _agrees(node: Value, numbers: list[float]) -> bool:
    """Whether a node's value is that of its operation on these numbers."""
    op = node.op
    if op is None or not op.shipped or not any(isinstance(x, Value) and x.op is None for x in node.operands):
        return True  # only leaves are assigned to; an operation of the user's is not run for this
    try:
        value = op.f(*op.arguments(numbers))
    except (ArithmeticError, ValueError):
        return False
    return value == node.data or (math.isnan(value) and math.isnan(node.data))


def leaf_numbers(order: Iterable[Value]) -> dict[Value, list[float]]:
    """The leaves that changed since they were used: the numbers they had, as far as they are known."""
    had: dict[Value, list[float]] = {}
    unknown: set[Value] = set()
    sure: set[Value] = set()
    for node in order:
        if all(x.op is not None for x in node.inputs):
            continue
        numbers, known = operand_numbers(node)
        for x, number in zip(node.operands, numbers, strict=True):
            if isinstance(x, Value) and x.op is None:
                if number != x.data and not (math.isnan(number) and math.isnan(x.data)):
                    if number not in had.setdefault(x, []):
                        had[x].append(number)
                elif known:
                    sure.add(x)
                else:
                    unknown.add(x)
    return had | {x: [] for x in unknown - sure if x not in had}
