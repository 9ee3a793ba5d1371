"""Writes a picture as DOT text, which any Graphviz reads: a table with ports for each run, a cluster for each scope."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..language import scope_name
from ..notation import printable, tidy
from .boxes import Box, Chip, Content, Group, Item, Run, Sheet
from .writing import Span

FONT = "Helvetica,Arial,sans-serif"
_HEAD = f"""digraph "computation graph" {{
  graph [rankdir=LR, nodesep=0.15, ranksep=0.6, fontname="{FONT}", fontsize=11, bgcolor="#F5F6F8", pad=0.15]
  node [shape=plain, fontname="{FONT}", fontsize=12, fontcolor="#161B22"]
  edge [arrowhead=none, color="#76808D"]
"""
_SURFACE, _BAND, _BLOCK, _EDGE = "#FFFFFF", "#EDF0F4", "#E4E9EF", "#76808D"
_COLOURS = {"grad": ("#FDE7DA", "#B03A06"), "tangent": ("#DCEAFA", "#0B5CAD")}


def to_dot(content: Content) -> str:
    """The graph as DOT text. Node k of the topological order is ``n<k>``, a port of the table that it stands in."""
    lines = [_HEAD]
    tables: dict[Item, str] = {}
    _write(content, tables, lines)
    for edge in content.edges:
        if edge.is_in_run:
            continue
        start, end = tables[edge.source.item], tables[edge.target.item]
        if isinstance(edge.source, Box):
            start += f":n{edge.source.number}"
        if edge.pill is not None:
            end += f":{edge.pill.edges[0].name}"
        wide = f", penwidth={1 + math.log2(edge.count):.1f}" if edge.count > 1 else ""
        lines.append(f'  {start}:e -> {end}:w [tooltip="{_quoted(edge.tip)}"{wide}]')
    lines += [f"  // {_quoted(note)}" for note in content.notes]
    lines.append("}\n")
    return "\n".join(lines)


def _write(content: Content, tables: dict[Item, str], lines: list[str]) -> None:
    waiting: list[Item | str] = [content.whole]
    count = 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            lines.append(item)
        elif isinstance(item, Group):
            if item.parent is not None:
                colour = _BAND if item.parent.parent is None else _BLOCK
                label = _quoted(tidy(scope_name(item.scope[-1])))
                lines.append(
                    f'  subgraph cluster_{count} {{ label="{label}"; labeljust=l; style="rounded,filled"; '
                    f'color="{colour}"; fontcolor="#434C59"'
                )
                count += 1
                waiting.append("  }")
            waiting += reversed(item.items)
        elif isinstance(item, Chip):
            tables[item] = f"n{item.box.number}" if item.box.copy == 1 else f"n{item.box.number}_{item.box.copy}"
            lines.append(_node(tables[item], item.box.tip, f"<TR><TD>{_box(item.box)}</TD></TR>"))
        elif isinstance(item, Run):
            tables[item] = f"n{item.boxes[-1].number}"
            lines.append(_node(tables[item], item.boxes[-1].tip, "".join(_row(box) for box in item.boxes)))
        elif isinstance(item, Sheet):
            tables[item] = item.name
            texts = [f"<B>▸ {html(tidy(item.title))}</B>", *(_font(line, 10, "#434C59") for line in item.lines)]
            rows = [f'<TR><TD ALIGN="LEFT">{text}</TD></TR>' for text in texts]
            rows += [f"<TR><TD>{_box(box)}</TD></TR>" for box in item.boxes]
            table = f'<TABLE BORDER="2" COLOR="{_EDGE}" BGCOLOR="{_BLOCK}" CELLBORDER="0">{"".join(rows)}</TABLE>'
            lines.append(_node(tables[item], item.title, f"<TR><TD>{table}</TD></TR>"))


def _node(name: str, tip: str, rows: str) -> str:
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">{rows}</TABLE>'
    return f'  {name} [label=<{table}>, tooltip="{_quoted(tip)}"]'


def _row(box: Box) -> str:
    above = ""
    if box.above is not None and box.above.pill is not None:
        above = f"<TR><TD></TD><TD>{_font('│ ' + box.above.pill.text, 9, '#586270')}</TD></TR>"
    pills = "".join(
        f'<TR><TD PORT="{pill.edges[0].name}" BGCOLOR="{_SURFACE}" STYLE="ROUNDED" CELLPADDING="2">'
        f"{_font(pill.text, 9, '#586270')}</TD></TR>"
        for pill in box.pills
    )
    docked = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1">{pills}</TABLE>' if pills else ""
    return f"{above}<TR><TD>{docked}</TD><TD>{_box(box)}</TD></TR>"


def _box(box: Box) -> str:
    style = ' STYLE="ROUNDED"' if box.is_leaf else ""
    title = spans_html(box.title)
    rows = [f'<TR><TD ALIGN="LEFT">{f"<B>{title}</B>" if box.is_named else title}</TD>']
    rows.append(f'<TD ALIGN="RIGHT">{html(box.value)}</TD></TR>')
    rows += [
        f'<TR><TD COLSPAN="2" ALIGN="LEFT">{_font_of(spans_html(line), 10, "#434C59")}</TD></TR>' for line in box.lines
    ]
    for kind, label, shown in box.strips:
        back, front = _COLOURS[kind]
        rows.append(
            f'<TR><TD ALIGN="LEFT" BGCOLOR="{back}">{_font(label, 10, front)}</TD>'
            f'<TD ALIGN="RIGHT" BGCOLOR="{back}">{_font(shown, 10, front)}</TD></TR>'
        )
    inner = (
        f'<TABLE PORT="n{box.number}" BORDER="1" COLOR="{_EDGE}" BGCOLOR="{_SURFACE}"{style} CELLBORDER="0" '
        f'CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>'
    )
    if not box.is_root:
        return inner
    frame = f'<TABLE BORDER="1" COLOR="{_EDGE}" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">'
    return f"{frame}<TR><TD>{inner}</TD></TR></TABLE>"


def _font(text: str, size: int, colour: str) -> str:
    return _font_of(html(text), size, colour)


def _font_of(html: str, size: int, colour: str) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{html}</FONT>'


def spans_html(parts: Sequence[Span]) -> str:
    return "".join(f"<SUB>{html(text)}</SUB>" if index else html(text) for text, index in parts if text) or " "


def html(text: str) -> str:
    """Text made safe inside an HTML-like label."""
    text = _literal(text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text or " "


def _quoted(text: str) -> str:
    """Text made safe between quotes: it contains no entity and no escape sequence but those written here."""
    return _literal(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _literal(text: str) -> str:
    """Text that can be printed, without escape sequences.

    Graphviz reads a backslash and a letter as an escape sequence in every kind of label. A word joiner, which has no
    width, separates the two.
    """
    return printable(text).replace("\\", "\\\u2060")
