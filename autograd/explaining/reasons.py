"""Why a derivative is zero, tiny, huge or not a number: the cause, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..graph import is_at_kink, places
from ..naming import Names
from ..notation import show
from ..value import Value, number
from .folding import Between, Edge

TINY, HUGE = 1e-6, 1e6


def reasons(order: Sequence[Value], part: Between, derivative: float, absolute: float, names: Names) -> list[str]:
    """What is remarkable about a derivative, one sentence each; nothing for an ordinary one.

    Args:
        order: the whole graph, in topological order.
        part: the graph between input and output.
        derivative: its value.
        absolute: the sum of the sizes of all paths' products.
        names: what to call the nodes.
    """
    said: list[str] = []
    if not math.isfinite(derivative) or not math.isfinite(part.output.data):
        said += _not_finite(order, part, names)
    elif derivative == 0.0:
        said += _zero(part, absolute, names)
    elif absolute > 0.0 and abs(derivative) < 1e-3 * absolute:
        said.append(
            f"The paths nearly cancel: their sizes add up to {show(absolute)}, with their signs only "
            f"{show(derivative)} is left, and with it fewer correct digits."
        )
    elif abs(derivative) < TINY:
        said += _extreme(part, names, "tiny", smallest=True)
    elif abs(derivative) > HUGE:
        said += _extreme(part, names, "huge", smallest=False)
    said += _kinks(part, names)
    return said


def _zero(part: Between, absolute: float, names: Names) -> list[str]:
    """Follow every edge that carries something; the edges that carry nothing are where it stops."""
    alive, cuts = {part.wrt}, []
    for node in part.order:
        if node in alive:
            for edge in part.out[node]:
                if edge.partial != 0.0:
                    alive.add(edge.node)
                else:
                    cuts.append(edge)
    if part.output in alive:
        if absolute > 0.0:
            return [f"The paths cancel exactly: their sizes add up to {show(absolute)}, with their signs to 0."]
        return ["The product of the factors is too small for a float: it underflows to 0."]
    said = [f"It is 0 because {_cut(edge, names)}." for edge in cuts[:3]]
    if len(cuts) > 3:
        said.append(f"And {len(cuts) - 3} more edges carry nothing.")
    return said


def _cut(edge: Edge, names: Names) -> str:
    """Why one edge carries nothing."""
    node, x = edge.node, edge.input
    assert node.op is not None
    at, what = names.label(x).text, names.label(node).text
    value = show(x.data)
    op, place = node.op, places(node)[edge.position]
    if op.stepwise:
        return f"{what} is a step function: its slope is 0 everywhere"
    if is_at_kink(node):
        return f"{what} has its kink at {at} = {value}, where the slope is 0 by convention"
    if op.flat and place == 0:
        return f"{what} is flat where {at} = {value} (a dead {op.name}): the slope there is 0"
    taken = [x for x in (node.operands[k] for k in op.selects if k != place) if number(x) == node.data]
    if taken and place in op.selects:
        return f"{what} takes its other operand, {_operand(taken[0], names)}, not {at} = {value}"
    if edge.slope in op.names(len(node.operands)):
        by = _operand(node.operands[op.names(len(node.operands)).index(edge.slope)], names)
        return f"{at} is multiplied by {by} in {what}"
    if op.saturates and place == 0:
        return f"{what} is saturated at {at} = {value}: its slope there underflows to 0"
    formula = names.slope(node, edge.position).text
    return f"the slope of {what} with respect to {at} = {value} is " + ("0" if formula == "0" else f"{formula} = 0")


def _operand(x: Value | float, names: Names) -> str:
    return f"{names.label(x).text} = {show(x.data)}" if isinstance(x, Value) else f"the constant {show(x)}"


def _extreme(part: Between, names: Names, what: str, smallest: bool) -> list[str]:
    """The factors that make the largest path's product so small or so large."""
    from .paths import largest

    found = largest(part, 1)
    if not found:
        return []
    edges = []
    for x, node in zip(found[0].nodes, found[0].nodes[1:], strict=False):
        edges.append(max((e for e in part.out[x] if e.node is node), key=lambda e: abs(e.partial)))
    edges.sort(key=lambda e: abs(e.partial), reverse=not smallest)
    beyond = [e for e in edges if (abs(e.partial) < 0.1 if smallest else abs(e.partial) > 10.0)][:3]
    if not beyond:
        return [f"It is {what} because {len(edges)} factors, none of them extreme, multiply up along the path."]
    return [f"It is {what} because " + "; and ".join(_factor(e, names) for e in beyond) + "."]


def _factor(edge: Edge, names: Names) -> str:
    node, x = edge.node, edge.input
    assert node.op is not None
    value, slope = f"{names.label(x).text} = {show(x.data)}", show(edge.partial)
    if node.op.saturates and abs(edge.partial) < 0.1 and places(node)[edge.position] == 0:
        return f"{names.label(node).text} is saturated at {value}: its slope there is {slope}"
    return f"the slope of {names.label(node).text} at {value} is {slope}"


def _not_finite(order: Sequence[Value], part: Between, names: Names) -> list[str]:
    """The first place, in forward order, where a number stopped being finite."""
    for node in order:
        if not math.isfinite(node.data):
            where = f"{names.label(node).text} = {show(node.data)}"
            if node.op is None:
                return [f"The first number that is not finite is the input {where}."]
            return [
                f"The first number that is not finite arose in {where}: "
                f"{names.formula(node).text} = {names.numbers(node).text}."
            ]
    for node in part.order:
        for edge in part.out[node]:
            if not math.isfinite(edge.partial):
                formula = names.slope(edge.node, edge.position).text
                return [
                    f"All values are finite, but the slope of {names.label(edge.node).text} with respect to "
                    f"{names.label(edge.input).text} = {show(edge.input.data)} is {formula} = {show(edge.partial)}."
                ]
    return ["All values and slopes are finite, but their product overflows."]


def _kinks(part: Between, names: Names) -> Iterator[str]:
    found = 0
    for node in part.order:
        if node is not part.wrt and node.op is not None and is_at_kink(node):
            found += 1
            if found <= 3:
                yield (
                    f"{names.label(node).text} is exactly at a kink, where the slope is a convention: "
                    f"{node.op.convention}."
                )
    if found > 3:
        yield f"And {found - 3} more nodes are exactly at a kink."
