"""Writes a computation graph as DOT: nodes with formula, value and gradient, edges with their partials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..naming import Names
from ..notation import printable, show, tidy
from ..recorded import Changed, changed_leaves
from ..value import Value

if TYPE_CHECKING:
    from graphviz import Digraph

_FONT = "Helvetica,Arial,sans-serif"
# Kinds of nodes differ in shape and line, so that they can be distinguished in black and white; colours are additional.
_LEAF, _INTERIOR, _RESULT = "#eef3fb", "#ffffff", "#fdf3e1"


def to_dot(
    order: Sequence[Value], roots: Sequence[Value], rows: Sequence[tuple[str, Mapping[Value, float]]], digits: int
) -> str:
    """The graph as DOT text.

    Args:
        order: its nodes in topological order; the n-th is drawn with the id ``n<n>``, so ids are reproducible.
        roots: the results.
        rows: the rows of each node below its value: a label such as ``grad`` and each node's number.
        digits: significant digits of all numbers.
    """
    from graphviz import Digraph

    names = Names(order, digits)
    index = {node: i for i, node in enumerate(order)}
    dot = Digraph(
        "computation graph",
        graph_attr={"rankdir": "LR", "nodesep": "0.22", "ranksep": "0.55", "fontname": _FONT, "fontsize": "11"},
        node_attr={"shape": "plain", "fontname": _FONT, "fontsize": "12"},
        edge_attr={"fontname": _FONT, "fontsize": "10", "color": "#555555", "arrowsize": "0.7"},
    )
    changed = changed_leaves(order)
    scopes = _by_scope(order)
    numbers = {scope: number for number, scope in enumerate(scopes)}
    for scope, members in scopes.items():
        boxes = [f"cluster_{numbers[scope[:depth]]}" for depth in range(1, len(scope) + 1)]
        _draw_scope(dot, scope, boxes, members, names, index, set(roots), rows, changed, digits)
    for node in order:
        for x, partial in zip(node.inputs, node.partials, strict=True):
            tip = f"∂({names.label(node).text})/∂({names.label(x).text}) = {show(partial, digits)}"
            dot.edge(f"n{index[x]}", f"n{index[node]}", label=_safe(f" {show(partial, digits)} "), tooltip=_safe(tip))
    return str(dot.source)


def _by_scope(order: Sequence[Value]) -> dict[tuple[str, ...], list[Value]]:
    """The nodes by scope, outer scopes present and before inner ones."""
    scopes: dict[tuple[str, ...], list[Value]] = {}
    for node in order:
        for depth in range(len(node.scope) + 1):
            scopes.setdefault(node.scope[:depth], [])
        scopes[node.scope].append(node)
    return dict(sorted(scopes.items(), key=lambda item: len(item[0])))


def _draw_scope(
    dot: Digraph,
    scope: tuple[str, ...],
    boxes: Sequence[str],
    members: Sequence[Value],
    names: Names,
    index: Mapping[Value, int],
    roots: set[Value],
    rows: Sequence[tuple[str, Mapping[Value, float]]],
    changed: Mapping[Value, Changed],
    digits: int,
) -> None:
    """Draw the nodes of one scope, inside the boxes of all the scopes around it."""
    stack: list[Any] = []
    inner = dot
    for name, label in zip(boxes, scope, strict=True):
        box = inner.subgraph(name=name)
        stack.append(box)
        inner = box.__enter__()
        inner.attr(label=_safe(tidy(label)), style="rounded,dashed", color="#999999", labeljust="l")
    for node in members:
        numbers, remark = _numbers(node, changed.get(node), digits)
        table = _table(node, names, node in roots, numbers, remark, rows, digits)
        inner.node(f"n{index[node]}", label=table, tooltip=_tip(node, names, changed.get(node)))
    while stack:
        stack.pop().__exit__(None, None, None)


def _numbers(node: Value, changed: Changed | None, digits: int) -> tuple[str, str]:
    """A node's number when it was used, and a remark if it has changed since."""
    if changed is None:
        return show(node.data, digits), ""
    if not changed.numbers:
        return show(node.data, digits), "changed since" if changed.certain else "changed since?"
    return ", ".join(show(x, digits) for x in changed.numbers), f"now {show(node.data, digits)}"


def _table(
    node: Value,
    names: Names,
    is_root: bool,
    numbers: str,
    remark: str,
    rows: Sequence[tuple[str, Mapping[Value, float]]],
    digits: int,
) -> str:
    """The node as an HTML-like label."""
    title = names.label(node).text
    formula = names.formula(node).text if node.op is not None else ""
    lines = [f"<B>{_html(title)}</B>" if node.name is not None else _html(title)]
    if formula and formula != title:
        lines.append(f'<FONT POINT-SIZE="10">= {_html(formula)}</FONT>')
    lines.append(_html(numbers))
    small = [remark] if remark else []
    small += [f"{what} {show(of.get(node, 0.0), digits)}" for what, of in rows]
    lines += [f'<FONT POINT-SIZE="10">{_html(line)}</FONT>' for line in small]
    look = f'BGCOLOR="{_RESULT if is_root else _LEAF if node.op is None else _INTERIOR}" COLOR="#333333"'
    look += ' STYLE="ROUNDED"' if node.op is None else ""
    look += ' BORDER="3"' if is_root else ' BORDER="1"'
    body = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    return f'<<TABLE {look} CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{body}</TABLE>>'


def _tip(node: Value, names: Names, changed: Changed | None) -> str:
    what = "a leaf" if node.op is None else names.formula(node).text
    numbers = ", ".join(map(repr, changed.numbers)) if changed is not None and changed.numbers else repr(node.data)
    return _safe(f"{names.label(node).text} = {what} = {numbers}")


def _html(text: str) -> str:
    """Text made safe inside an HTML-like label."""
    text = _literal(text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text or " "


def _safe(text: str) -> str:
    """Text made safe as a quoted DOT attribute: it can neither begin an HTML-like label nor contain an entity."""
    from graphviz import nohtml

    # Not a plain str, because graphviz reads a plain str between < and > as an HTML-like label.
    return nohtml(_literal(text).replace("\\", "\\\\").replace("&", "&amp;"))  # type: ignore[no-any-return]


def _literal(text: str) -> str:
    """Text that can be printed, without escape sequences.

    Graphviz reads a backslash and a letter as an escape sequence in every kind of label. A word joiner, which has no
    width, separates the two.
    """
    return printable(text).replace("\\", "\\\u2060")
