"""The reasons why a derivative is zero, tiny, huge or not a number, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..graph import is_at_kink, topological
from ..language import Message
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


def reasons(part: Between, adjoints: Mapping[Value, float], size: float, names: Names) -> list[Message]:
    """The reasons why a derivative is unusual, one sentence each; none for an ordinary one.

    Args:
        part: the graph between input and output.
        adjoints: the derivative of the output with respect to each node.
        size: the sum of the sizes of all paths' products.
        names: the labels of the nodes.
    """
    said: list[Message] = []
    derivative = adjoints[part.wrt]
    if not math.isfinite(part.output.data):
        said += _first_not_finite(part.output, names)
    if not math.isfinite(derivative):
        said += _not_finite(part, adjoints, names)
    elif derivative == 0.0:
        said += _zero(part, adjoints, size, names)
    elif is_rounding(derivative, size):
        said.append(
            Message(
                "The paths cancel: their sizes add up to {size}, with their signs {sum} is left, which is no more than "
                "the rounding errors of the terms. Read it as 0.",
                size=show(size),
                sum=show(derivative),
            )
        )
    elif size > 0.0 and abs(derivative) < 1e-3 * size:
        said.append(
            Message(
                "The paths nearly cancel: their sizes add up to {size}, with their signs only {sum} is left, and with "
                "it fewer correct digits.",
                size=show(size),
                sum=show(derivative),
            )
        )
    elif abs(derivative) < TINY:
        said += _extreme(part, names, smallest=True)
    elif abs(derivative) > HUGE:
        said += _extreme(part, names, smallest=False)
    said += _kinks(part, names)
    return said


def _zero(part: Between, adjoints: Mapping[Value, float], size: float, names: Names) -> list[Message]:
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
            return [
                Message(
                    "The paths cancel exactly: their sizes add up to {size}, with their signs to 0.", size=show(size)
                )
            ]
        return list(_underflows(part, adjoints, names))
    said = [_cut(edge, names) for edge in cuts[:3]]
    if len(cuts) > 3:
        more = len(cuts) - 3
        said.append(Message("And {count} more edge contributes 0.", "And {count} more edges contribute 0.", count=more))
    return said


def _underflows(part: Between, adjoints: Mapping[Value, float], names: Names) -> Iterator[Message]:
    """The first place, from the output on, where a product is too small for a float."""
    for node in reversed(part.order):
        for edge in part.out[node]:
            adjoint, partial = adjoints[edge.node], edge.partial
            if adjoint != 0.0 and partial != 0.0 and adjoint * partial == 0.0:
                yield Message(
                    "The product of the factors, multiplied from the output on, underflows to 0 at the edge from {x} "
                    "to {node}: {product} is too small for a float.",
                    x=names.label(node).text,
                    node=names.label(edge.node).text,
                    product=f"{show(adjoint)} · {show(partial)}",
                )
                return


def _cut(edge: Edge, names: Names) -> Message:
    """Why one edge contributes 0."""
    node, x = edge.node, edge.input
    assert node.op is not None
    op, place = node.op, edge.place
    numbers, _ = operand_numbers(node)
    here = {"x": names.label(x).text, "node": names.label(node).text, "value": show(numbers[place])}
    if op.stepwise:
        return Message("It is 0 because {node} is a step function: its slope is 0 everywhere.", node=here["node"])
    if is_at_kink(node):
        return Message(
            "It is 0 because {node} has its kink at {x} = {value}, where the slope is 0 by convention.", **here
        )
    if op.flat and place == 0:
        return Message(
            "It is 0 because {node} is flat where {x} = {value} (a dead {op}): the slope there is 0.",
            op=op.name,
            **here,
        )
    taken = [k for k in op.selects if k != place and numbers[k] == node.data]
    if taken and place in op.selects:
        other, number = node.operands[taken[0]], show(numbers[taken[0]])
        if isinstance(other, Value):
            return Message(
                "It is 0 because {node} takes its other operand, {other} = {number}, not {x} = {value}.",
                other=names.label(other).text,
                number=number,
                **here,
            )
        return Message(
            "It is 0 because {node} takes its other operand, the constant {number}, not {x} = {value}.",
            number=number,
            **here,
        )
    if edge.slope in op.names(len(node.operands)):
        across = op.names(len(node.operands)).index(edge.slope)
        by, number = node.operands[across], show(numbers[across])
        if isinstance(by, Value):
            return Message(
                "It is 0 because {x} is multiplied by {by} = {number} in {node}.",
                x=here["x"],
                by=names.label(by).text,
                number=number,
                node=here["node"],
            )
        return Message(
            "It is 0 because {x} is multiplied by the constant {number} in {node}.",
            x=here["x"],
            number=number,
            node=here["node"],
        )
    if op.saturates and place == 0:
        return Message("It is 0 because {node} is saturated at {x} = {value}: its slope there underflows to 0.", **here)
    formula = names.slope(node, edge.position).text
    slope = formula if formula == "0" else f"{formula} = 0"
    return Message("It is 0 because the slope of {node} with respect to {x} = {value} is {slope}.", slope=slope, **here)


def _extreme(part: Between, names: Names, smallest: bool) -> list[Message]:
    """The factors that make the largest path's product so small or so large."""
    found = largest(part, 1)
    if not found:
        return []
    edges = sorted(found[0].edges, key=lambda e: abs(e.partial), reverse=not smallest)
    beyond = [e for e in edges if (abs(e.partial) < 0.1 if smallest else abs(e.partial) > 10.0)][:3]
    if beyond:
        return [_factor(edge, names, smallest) for edge in beyond]
    if smallest:
        return [
            Message(
                "It is tiny because {factors} factors, none of them extreme, multiply up along the path.",
                factors=len(edges),
            )
        ]
    return [
        Message(
            "It is huge because {factors} factors, none of them extreme, multiply up along the path.",
            factors=len(edges),
        )
    ]


def _factor(edge: Edge, names: Names, smallest: bool) -> Message:
    """Why one factor makes the product so small or so large."""
    node, x = edge.node, edge.input
    assert node.op is not None
    here = {
        **{"node": names.label(node).text, "x": names.label(x).text},
        **{"value": show(_number(edge)), "slope": show(edge.partial)},
    }
    if not smallest:
        return Message("It is huge because the slope of {node} at {x} = {value} is {slope}.", **here)
    if node.op.saturates and edge.place == 0:
        return Message("It is tiny because {node} is saturated at {x} = {value}: its slope there is {slope}.", **here)
    return Message("It is tiny because the slope of {node} at {x} = {value} is {slope}.", **here)


def _first_not_finite(root: Value, names: Names) -> Iterator[Message]:
    """The first number, in forward order, that is not finite."""
    for node in topological(root):
        if not math.isfinite(node.data):
            here = {"node": names.label(node).text, "value": show(node.data)}
            if node.op is None:
                yield Message("The first number that is not finite is the input {node} = {value}.", **here)
            else:
                yield Message(
                    "The first number that is not finite arose in {node} = {value}: {formula} = {numbers}.",
                    formula=names.formula(node).text,
                    numbers=names.numbers(node).text,
                    **here,
                )
            return


def _not_finite(part: Between, adjoints: Mapping[Value, float], names: Names) -> Iterator[Message]:
    """Find the edge where non-finite adjoints begin: from the input towards the output while they are not finite."""
    node = part.wrt
    while True:
        bad = [e for e in part.out[node] if not math.isfinite(carried(adjoints[e.node], e.partial))]
        if not bad:
            yield Message(
                "The sum of what arrives at {node} overflows, though every term is finite.",
                node=names.label(node).text,
            )
            return
        edge = next((e for e in bad if math.isnan(carried(adjoints[e.node], e.partial))), bad[0])
        adjoint, partial = adjoints[edge.node], edge.partial
        if math.isnan(adjoints[node]) and not math.isnan(carried(adjoint, partial)):
            yield Message("At {node} contributions of ∞ and −∞ meet; their sum is nan.", node=names.label(node).text)
        if math.isfinite(adjoint):
            break
        if not math.isfinite(partial) and not math.isnan(adjoint):
            yield from _edge_not_finite(edge, names)
        node = edge.node
    if math.isfinite(partial):
        yield Message(
            "It begins at the edge from {x} to {node}: {product} overflows.",
            x=names.label(node).text,
            node=names.label(edge.node).text,
            product=f"{show(adjoint)} · {show(partial)}",
        )
    else:
        yield from _edge_not_finite(edge, names)
        if math.isfinite(part.output.data):
            yield from _first_not_finite(edge.node, names)


def _edge_not_finite(edge: Edge, names: Names) -> Iterator[Message]:
    node = edge.node
    yield Message(
        "It begins at the edge from {x} to {node}: the slope of {node} with respect to {x} = {value} is {slope}.",
        x=names.label(edge.input).text,
        node=names.label(node).text,
        value=show(_number(edge)),
        slope=f"{names.slope(node, edge.position).text} = {show(edge.partial)}",
    )


def _kinks(part: Between, names: Names) -> Iterator[Message]:
    found = 0
    for node in part.order:
        if node is not part.wrt and node.op is not None and is_at_kink(node):
            found += 1
            if found <= 3:
                convention = " ".join(printable(node.op.convention).split())[:LONGEST]
                yield Message(
                    "{node} is exactly at a kink, where the slope is a convention: {convention}.",
                    node=names.label(node).text,
                    convention=Message(convention),
                )
    if found > 3:
        yield Message(
            "And {count} more node is exactly at a kink.",
            "And {count} more nodes are exactly at a kink.",
            count=found - 3,
        )


def _number(edge: Edge) -> float:
    """The number of an edge's input when the edge was recorded."""
    return operand_numbers(edge.node)[0][edge.place]
