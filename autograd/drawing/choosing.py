"""Chooses what a picture shows: the whole graph or a part of it, and which scopes are collapsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import GraphError
from ..graph import depending
from ..language import translate
from ..value import Value
from .boxes import Content, Group, Reader, Sheet
from .content import Assembly, leaves_aside
from .grouping import MANY, Nodes, by_distance, by_name, groups, holders, put, sheets, to_depth, within

READABLE = 60  # boxes that a picture shows well; a larger graph is collapsed if it has scopes
UNGROUPED = 150  # boxes that it shows if the graph has too few scopes; a larger graph is divided by distance
LIMIT = 400  # boxes that a picture shows at all

Collapse = bool | str | Iterable[str | tuple[str, ...]]


def part(
    order: Sequence[Value],
    index: Mapping[Value, int],
    focus: Value | None,
    radius: int,
    path: tuple[Value, Value] | None,
) -> list[int]:
    """The nodes that were asked for: all, those near a node, or those on the paths between two."""
    chosen = set(range(len(order)))
    for node in [*([focus] if focus is not None else []), *(path or ())]:
        if node not in index:
            raise GraphError(f"{node!r} is not part of the graph that is drawn")
    if path is not None:
        start, end = path
        ahead = depending(order, [start])
        behind = {end}
        for node in reversed(order[: index[end] + 1]):
            if node in behind:
                behind.update(node.inputs)
        chosen = {index[node] for node in ahead & behind}
        if not chosen:
            raise GraphError(f"there is no path from {start!r} to {end!r}: the second does not depend on the first")
    if focus is not None:
        users: dict[int, list[int]] = {}
        for k, node in enumerate(order):
            for x in node.inputs:
                users.setdefault(index[x], []).append(k)
        near = edge = {index[focus]}
        for _ in range(radius):
            edge = {j for k in edge for j in [*users.get(k, []), *(index[x] for x in order[k].inputs)]} - near
            near = near | edge
        chosen &= near
    return sorted(chosen)


def choose(
    reader: Reader,
    shown: Sequence[int],
    collapse: Collapse | None,
    depth: int | None,
    limit: int | None,
    digits: int,
    on_path: bool,
) -> Content:
    """What the picture shows of these nodes.

    Args:
        reader: reads boxes from nodes.
        shown: the nodes.
        collapse: the scopes to collapse: all, none, or these.
        depth: how deep scopes are open.
        limit: how many boxes are drawn at most.
        digits: significant digits.
        on_path: whether the edges are those of paths.
    """
    nodes = Nodes(reader.order, reader.index, shown)
    whole, group_of = groups(nodes)
    if isinstance(collapse, bool):
        depth, collapse = (0 if collapse else None), None if collapse else ()
    if collapse is not None:
        closed = by_name(whole, collapse)
    elif depth is not None:
        closed = to_depth(whole, depth)
    else:
        closed = _fitting(nodes, whole, group_of, READABLE if limit is None else limit)
    found = sheets(nodes, group_of, closed)
    inside = holders(group_of, found)
    count = _boxes(nodes, inside)
    most = LIMIT if limit is None else limit
    if collapse is None and depth is None and count > (UNGROUPED if limit is None else limit):
        for least in (MANY + 1, 1):
            made = by_distance(nodes, least)
            whole, group_of = groups(nodes)
            found = sheets(nodes, group_of, [group for group in within(whole) if group.scope in made])
            inside = holders(group_of, found)
            count = _boxes(nodes, inside)
            if count <= (READABLE if limit is None else limit):
                break
    if count > most:
        raise GraphError(_too_large(len(nodes.shown), count, most, bool(within(whole))))
    put(found)
    content = Assembly(reader, nodes, whole, group_of, inside, digits).content()
    content.on_path = on_path
    if inside:
        shown_nodes = len({box.number for box in content.boxes})
        note = translate("Collapsed to {n} of {m} nodes").format(n=shown_nodes, m=len(nodes.shown))
        content.notes.append(note)
    if len(shown) < len(reader.order):
        note = translate("A part of the graph: {n} of {m} nodes").format(n=len(shown), m=len(reader.order))
        content.notes.append(note)
    return content


def _too_large(count: int, boxes: int, most: int, has_scopes: bool) -> str:
    advice = (
        "draw a part: focus=node with a radius=, or path=(leaf, result); collapse=True or depth=0 collapse its scopes"
        if has_scopes
        else "record its parts inside 'with scope(name):', which are then collapsed, or draw a part: focus=node with a "
        "radius=, or path=(leaf, result)"
    )
    return (
        f"this graph has {count} nodes, and {boxes} boxes are more than the limit of {most} that a picture can show "
        f"readably; {advice}; or pass a higher limit="
    )


def _fitting(nodes: Nodes, whole: Group, group_of: Mapping[int, Group], most: int) -> list[Group]:
    """The scopes to collapse so that the picture is readable: as few as possible."""
    if _boxes(nodes, {}) <= most:
        return []
    scopes = within(whole)
    for depth in range(max((len(group.scope) for group in scopes), default=0) - 1, -1, -1):
        closed = to_depth(whole, depth)
        if _boxes(nodes, holders(group_of, sheets(nodes, group_of, closed))) <= most:
            return closed
    return to_depth(whole, 0)


def _boxes(nodes: Nodes, inside: Mapping[int, Sheet]) -> int:
    """How many boxes a picture has: leaves and operations that are not collapsed, and collapsed scopes."""
    return len(nodes.shown) - len(inside) - len(leaves_aside(nodes, inside)) + len(set(inside.values()))
