"""The numbers that an operation was recorded with, also if the ``data`` of a leaf was changed later.

A node keeps no copies of its operands' numbers. Its value shows whether they are still the same, and its partials
contain those that are the slope of another operand: in ``w·x`` the slope of x is w.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from .graph import numbers_of, places
from .value import Value


@dataclass(slots=True)
class Changed:
    """A leaf whose number has changed since an operation used it.

    Attributes:
        numbers: the earlier numbers, as far as they are known.
        certain: whether it is this leaf that changed; if not, another operand of the same operation may have changed.
    """

    numbers: list[float] = field(default_factory=list)
    certain: bool = True


def operand_numbers(node: Value) -> tuple[list[float], set[Value]]:
    """The numbers of a node's operands when it was recorded, and the leaves whose earlier numbers are unknown.

    For those, the list contains the present numbers.
    """
    numbers = numbers_of(node.operands)
    if _agrees(node, numbers):
        return numbers, set()
    op, count = node.op, len(node.operands)
    assert op is not None
    place_of = {name: k for k, name in enumerate(op.names(count))}
    known: set[int] = set()
    for partial, place in zip(node.partials, places(node), strict=True):
        across = place_of.get(op.slope_for(place, count))
        if across is not None:
            numbers[across] = partial
            known.add(across)
    if _agrees(node, numbers):
        return numbers, set()
    unknown = {x for k, x in enumerate(node.operands) if k not in known and isinstance(x, Value) and x.op is None}
    return numbers, unknown


def _agrees(node: Value, numbers: list[float]) -> bool:
    """Whether a node's value is that of its operation on these numbers."""
    op = node.op
    if op is None or not op.shipped or not any(isinstance(x, Value) and x.op is None for x in node.operands):
        return True  # only the data of leaves changes; an operation of the user is not run for this
    try:
        value = op.f(*op.arguments(numbers))
    except (ArithmeticError, ValueError):
        return False
    return _same(value, node.data)


def _same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


def changed_leaves(order: Iterable[Value]) -> dict[Value, Changed]:
    """The leaves of a graph whose numbers changed since they were used."""
    found: dict[Value, Changed] = {}
    doubtful: list[set[Value]] = []
    unchanged: set[Value] = set()
    for node in order:
        if all(x.op is not None for x in node.inputs):
            continue
        numbers, unknown = operand_numbers(node)
        doubtful.append(unknown)
        for x, number in zip(node.operands, numbers, strict=True):
            if isinstance(x, Value) and x.op is None and x not in unknown:
                if _same(number, x.data):
                    unchanged.add(x)
                else:
                    numbers_had = found.setdefault(x, Changed()).numbers
                    if number not in numbers_had:
                        numbers_had.append(number)
    for unknown in doubtful:
        if unknown.isdisjoint(found):
            suspects = unknown - unchanged
            for x in suspects or unknown:
                found[x] = Changed(certain=len(suspects) == 1)
    return found
