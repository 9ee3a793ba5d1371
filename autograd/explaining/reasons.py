"""The reasons why a derivative is zero, tiny, huge or not a number, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..graph import is_at_kink, topological
from ..naming import Names
from ..notation import printable, show
from ..recorded import operand_numbers
from ..sweep import carried
from ..value import Value
from .folding import Between, Edge
from .paths import largest
from .writing import is_rounding

TINY, HUGE = 1e-6, 1e6
LONGEST = 200  # characters of a convention; an operation of the user may have a long one


def reasons(part: Between, adjoints: Mapping[Value, float], size: float, names: Names) -> list[str]:
    """The reasons why a derivative is unusual, one sentence each; none for an ordinary one.

    Args:
        part: the graph between input and output.
        adjoints: the derivative of the output with respect to each node.
        size: the sum of the sizes of all paths' products.
        names: the labels of the nodes.
    """
    said: list[str] = []
    derivative = adjoints[part.wrt]
    if not math.isfinite(part.output.data):
        said += _first_not_finite(part.output, names)
    if not math.isfinite(derivative):
        said += _not_finite(part, adjoints, names)
    elif derivative == 0.0:
        said += _zero(part, adjoints, size, names)
    elif is_rounding(derivative, size):
        said.append(
            f"The paths cancel: their sizes add up to {show(size)}, with their signs {show(derivative)} is left, "
            "which is no more than the rounding errors of the terms. Read it as 0."
        )
    elif size > 0.0 and abs(derivative) < 1e-3 * size:
        said.append(
            f"The paths nearly cancel: their sizes add up to {show(size)}, with their signs only "
            f"{show(derivative)} is left, and with it fewer correct digits."
        )
    elif abs(derivative) < TINY:
        said += _extreme(part, names, "tiny", smallest=True)
    elif abs(derivative) > HUGE:
        said += _extreme(part, names, "huge", smallest=False)
    said += _kinks(part, names)
    return said


def _zero(part: Between, adjoints: Mapping[Value, float], size: float, names: Names) -> list[str]:
    """The reasons for a derivative of 0: the edges whose contribution is 0, found by following all other edges."""
    alive, cuts = {part.wrt}, []
    for node in part.order:
        if node in alive:
            for edge in part.out[node]:
                if edge.partial != 0.0:
                    alive.add(edge.node)
                else:
                    cuts.append(edge)
    if part.output in alive:
        if size > 0.0:
            return [f"The paths cancel exactly: their sizes add up to {show(size)}, with their signs to 0."]
        return list(_underflows(part, adjoints, names))
    said = [f"It is 0 because {_cut(edge, names)}." for edge in cuts[:3]]
    if len(cuts) > 3:
        said.append(f"And {len(cuts) - 3} more {'edge contributes' if len(cuts) == 4 else 'edges contribute'} 0.")
    return said


def _underflows(part: Between, adjoints: Mapping[Value, float], names: Names) -> Iterator[str]:
    """The first place, from the output on, where a product is too small for a float."""
    for node in reversed(part.order):
        for edge in part.out[node]:
            adjoint, partial = adjoints[edge.node], edge.partial
            if adjoint != 0.0 and partial != 0.0 and adjoint * partial == 0.0:
                yield (
                    f"The product of the factors, multiplied from the output on, underflows to 0 at the edge from "
                    f"{names.label(node).text} to {names.label(edge.node).text}: {show(adjoint)} · {show(partial)} is "
                    "too small for a float."
                )
                return


def _cut(edge: Edge, names: Names) -> str:
    """Why one edge contributes 0."""
    node, x = edge.node, edge.input
    assert node.op is not None
    at, what = names.label(x).text, names.label(node).text
    op, place = node.op, edge.place
    numbers, _ = operand_numbers(node)
    value = show(numbers[place])
    if op.stepwise:
        return f"{what} is a step function: its slope is 0 everywhere"
    if is_at_kink(node):
        return f"{what} has its kink at {at} = {value}, where the slope is 0 by convention"
    if op.flat and place == 0:
        return f"{what} is flat where {at} = {value} (a dead {op.name}): the slope there is 0"
    taken = [k for k in op.selects if k != place and numbers[k] == node.data]
    if taken and place in op.selects:
        other = _operand(node.operands[taken[0]], numbers[taken[0]], names)
        return f"{what} takes its other operand, {other}, not {at} = {value}"
    if edge.slope in op.names(len(node.operands)):
        across = op.names(len(node.operands)).index(edge.slope)
        by = _operand(node.operands[across], numbers[across], names)
        return f"{at} is multiplied by {by} in {what}"
    if op.saturates and place == 0:
        return f"{what} is saturated at {at} = {value}: its slope there underflows to 0"
    formula = names.slope(node, edge.position).text
    return f"the slope of {what} with respect to {at} = {value} is " + ("0" if formula == "0" else f"{formula} = 0")


def _operand(x: Value | float, number: float, names: Names) -> str:
    return f"{names.label(x).text} = {show(number)}" if isinstance(x, Value) else f"the constant {show(x)}"


def _extreme(part: Between, names: Names, what: str, smallest: bool) -> list[str]:
    """The factors that make the largest path's product so small or so large."""
    found = largest(part, 1)
    if not found:
        return []
    edges = sorted(found[0].edges, key=lambda e: abs(e.partial), reverse=not smallest)
    beyond = [e for e in edges if (abs(e.partial) < 0.1 if smallest else abs(e.partial) > 10.0)][:3]
    if not beyond:
        return [f"It is {what} because {len(edges)} factors, none of them extreme, multiply up along the path."]
    return [f"It is {what} because " + "; and ".join(_factor(e, names) for e in beyond) + "."]


def _factor(edge: Edge, names: Names) -> str:
    node, x = edge.node, edge.input
    assert node.op is not None
    value, slope = f"{names.label(x).text} = {show(_number(edge))}", show(edge.partial)
    if node.op.saturates and abs(edge.partial) < 0.1 and edge.place == 0:
        return f"{names.label(node).text} is saturated at {value}: its slope there is {slope}"
    return f"the slope of {names.label(node).text} at {value} is {slope}"


def _first_not_finite(root: Value, names: Names) -> Iterator[str]:
    """The first number, in forward order, that is not finite."""
    for node in topological(root):
        if not math.isfinite(node.data):
            where = f"{names.label(node).text} = {show(node.data)}"
            if node.op is None:
                yield f"The first number that is not finite is the input {where}."
            else:
                formula, numbers = names.formula(node).text, names.numbers(node).text
                yield f"The first number that is not finite arose in {where}: {formula} = {numbers}."
            return


def _not_finite(part: Between, adjoints: Mapping[Value, float], names: Names) -> Iterator[str]:
    """Find the edge where non-finite adjoints begin: from the input towards the output while they are not finite."""
    node = part.wrt
    while True:
        bad = [e for e in part.out[node] if not math.isfinite(carried(adjoints[e.node], e.partial))]
        if not bad:
            yield f"The sum of what arrives at {names.label(node).text} overflows, though every term is finite."
            return
        edge = next((e for e in bad if math.isnan(carried(adjoints[e.node], e.partial))), bad[0])
        adjoint, partial = adjoints[edge.node], edge.partial
        if math.isnan(adjoints[node]) and not math.isnan(carried(adjoint, partial)):
            yield f"At {names.label(node).text} contributions of ∞ and −∞ meet; their sum is nan."
        if math.isfinite(adjoint):
            break
        if not math.isfinite(partial) and not math.isnan(adjoint):
            yield from _edge_not_finite(edge, names)
        node = edge.node
    if math.isfinite(partial):
        yield (
            f"It begins at the edge from {names.label(node).text} to {names.label(edge.node).text}: "
            f"{show(adjoint)} · {show(partial)} overflows."
        )
    else:
        yield from _edge_not_finite(edge, names)
        if math.isfinite(part.output.data):
            yield from _first_not_finite(edge.node, names)


def _edge_not_finite(edge: Edge, names: Names) -> Iterator[str]:
    node = edge.node
    yield (
        f"It begins at the edge from {names.label(edge.input).text} to {names.label(node).text}: the slope of "
        f"{names.label(node).text} with respect to {names.label(edge.input).text} = {show(_number(edge))} is "
        f"{names.slope(node, edge.position).text} = {show(edge.partial)}."
    )


def _kinks(part: Between, names: Names) -> Iterator[str]:
    found = 0
    for node in part.order:
        if node is not part.wrt and node.op is not None and is_at_kink(node):
            found += 1
            if found <= 3:
                yield (
                    f"{names.label(node).text} is exactly at a kink, where the slope is a convention: "
                    f"{' '.join(printable(node.op.convention).split())[:LONGEST]}."
                )
    if found > 3:
        yield f"And {found - 3} more {'node is' if found == 4 else 'nodes are'} exactly at a kink."


def _number(edge: Edge) -> float:
    """The number of an edge's input when the edge was recorded."""
    return operand_numbers(edge.node)[0][edge.place]
