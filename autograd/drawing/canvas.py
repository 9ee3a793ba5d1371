"""Writes a laid-out picture as DOT text with all positions fixed, from which Graphviz makes PNG and PDF files.

Graphviz lays nothing out here: it draws rectangles, texts and lines where the SVG has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..language import scope_name
from ..notation import tidy
from .boxes import (
    FORMULA,
    LINE,
    NAME,
    NOTE,
    PILL,
    PILL_HEIGHT,
    SCOPE,
    SIDE,
    STRIP,
    Box,
    Content,
    Edge,
    Group,
    Sheet,
)
from .dot import FONT, html, spans_html
from .layout import MARGIN, Placed, behind
from .svg import colours
from .writing import cut


def to_canvas(content: Content, placed: Placed) -> str:
    """The picture as DOT text for ``neato -n2``."""
    canvas = _Canvas(placed.height)
    colour = colours()
    canvas.rectangle(0, 0, placed.width, placed.height, 0, colour["bg"])
    for item in behind(content.whole):
        if isinstance(item, Group):
            _draw_scope(canvas, item, colour)
        elif isinstance(item, Sheet):
            _draw_sheet(canvas, item, colour)
        else:
            canvas.rectangle(item.x, item.y, item.width, item.height, 9, colour["block"])
    for edge in content.edges:
        canvas.line(
            _curve(edge), colour["p1" if content.on_path else "edge"], edge.line_width * (2 if content.on_path else 1)
        )
    for pill in dict.fromkeys(edge.pill for edge in content.edges if edge.pill is not None):
        frame = colour["p1" if content.on_path else "line"]
        canvas.rectangle(pill.x, pill.y, pill.width, PILL_HEIGHT, 7, colour["surface"], frame)
        canvas.text(pill.x, pill.y + 1, pill.width, html(pill.text), PILL, colour["ink3"], "CENTER")
    for box in content.boxes:
        _draw_box(canvas, box, colour)
    for n, note in enumerate(content.notes):
        canvas.text(MARGIN, content.whole.height + NOTE * n - 2, placed.width, html(note), 12, colour["ink2"])
    return canvas.source()


def _draw_scope(canvas: _Canvas, group: Group, colour: dict[str, str]) -> None:
    is_band = group.parent is not None and group.parent.parent is None
    canvas.rectangle(group.x, group.y, group.width, group.height, 9, colour["band" if is_band else "block"])
    title = cut(tidy(scope_name(group.scope[-1])), group.width - 20, SCOPE)
    top, size, ink = (5.0, SCOPE, "ink2") if is_band else (3.0, 11.0, "ink3")
    canvas.text(group.x + (12 if is_band else 9), group.y + top, group.width - 20, html(title), size, colour[ink])


def _draw_sheet(canvas: _Canvas, sheet: Sheet, colour: dict[str, str]) -> None:
    for by, fill in ((8.0, "band"), (4.0, "band"), (0.0, "block")):
        canvas.rectangle(sheet.x + by, sheet.y + by, sheet.width, sheet.height, 9, colour[fill], colour["edge"])
    room = sheet.width - 2 * SIDE
    title = f"▸ <B>{html(cut(tidy(sheet.title), room - 16, NAME, bold=True))}</B>"
    canvas.text(sheet.x + SIDE, sheet.y + 4, room, title, NAME, colour["ink"])
    for n, line in enumerate(sheet.lines):
        top = sheet.y + 7 + LINE * (n + 1)
        canvas.text(sheet.x + SIDE, top, room, html(cut(line, room, FORMULA)), FORMULA, colour["ink2"])


def _draw_box(canvas: _Canvas, box: Box, colour: dict[str, str]) -> None:
    if box.is_root:
        canvas.rectangle(
            box.x - 3.5, box.y - 3.5, box.width + 7, box.height + 7, box.corner + 3.5, "none", colour["edge"]
        )
    fills = [("bwd-fill", "bwd") if kind == "grad" else ("fwd-fill", "fwd") for kind, _, _ in box.strips]
    # The lowest band shares the round corners of the box, so the box has its colour, and the rest is laid upon it.
    lowest = colour[fills[-1][0] if fills else "surface"]
    canvas.rectangle(box.x, box.y, box.width, box.height, box.corner, lowest, colour["edge"])
    if fills:
        rest = box.height - STRIP * len(fills) - 0.5
        canvas.rectangle(box.x + 0.5, box.y + 0.5, box.width - 1, rest, box.corner, colour["surface"])
        canvas.rectangle(box.x + 0.5, box.y + rest / 2, box.width - 1, rest / 2 + 0.5, 0, colour["surface"])
    x, room, top = box.x + SIDE, box.width - 2 * SIDE, box.text_top
    title = spans_html(box.title)
    canvas.text(x, top + 4, room, f"<B>{title}</B>" if box.is_named else title, NAME, colour["ink"])
    canvas.text(x, top + 4, room, html(box.value), NAME, colour["ink"], "RIGHT")
    for n, line in enumerate(box.lines):
        canvas.text(x, top + 7 + LINE * (n + 1), room, spans_html(line), FORMULA, colour["ink2"])
    for n, ((_, label, shown), (fill, ink)) in enumerate(zip(box.strips, fills, strict=True)):
        y = box.y + box.height - STRIP * (len(box.strips) - n)
        if n < len(fills) - 1:
            canvas.rectangle(box.x + 0.5, y, box.width - 1, STRIP, 0, colour[fill])
        canvas.text(x, y + 1, room, html(label), FORMULA, colour[ink])
        canvas.text(x, y + 1, room, f"<B>{html(shown)}</B>", FORMULA, colour[ink], "RIGHT")
    canvas.rectangle(box.x, box.y, box.width, box.height, box.corner, "none", colour["edge"])


def _curve(edge: Edge) -> list[tuple[float, float]]:
    """The line of an edge as cubic Bézier pieces."""
    points = edge.points()
    found = points[:1]
    for (x, y), (right, below) in pairwise(points):
        middle = (x + right) / 2
        found += [(middle, y), (middle, below), (right, below)] if right != x else [(x, y), (x, below), (x, below)]
    return found


class _Canvas:
    """Rectangles, texts and lines as nodes and edges; the origin of Graphviz is at the bottom."""

    def __init__(self, height: float) -> None:
        self._height = height
        self._lines: list[str] = []

    def _at(self, x: float, y: float) -> str:
        return f"{x:.2f},{self._height - y:.2f}"

    def _node(self, x: float, y: float, w: float, h: float, rest: str) -> None:
        name = f"x{len(self._lines)}"
        self._lines.append(
            f'{name} [pos="{self._at(x + w / 2, y + h / 2)}", width={w / 72:.4f}, height={h / 72:.4f}, {rest}]'
        )

    def rectangle(
        self, x: float, y: float, w: float, h: float, corner: float, fill: str, frame: str | None = None
    ) -> None:
        """A rectangle; Graphviz chooses how round its corners are."""
        style = "filled" if corner == 0 else "rounded,filled"
        inside = "transparent" if fill == "none" else fill
        self._node(x, y, w, h, f'label="", style="{style}", fillcolor="{inside}", color="{frame or inside}"')

    def text(self, x: float, y: float, w: float, markup: str, size: float, colour: str, align: str = "LEFT") -> None:
        """A line of text whose top is at y, in a room of width w."""
        height = size * 1.25
        cell = f'<TD FIXEDSIZE="TRUE" WIDTH="{w:.0f}" HEIGHT="{height:.0f}" ALIGN="{align}">'
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cell}{markup}</TD></TR></TABLE>'
        self._node(x, y, w, height, f'shape=plain, fontsize={size}, fontcolor="{colour}", label=<{table}>')

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        """A curve of cubic Bézier pieces."""
        where = " ".join(self._at(x, y) for x, y in points)
        self._lines.append(f'x0 -> x0 [pos="{where}", color="{colour}", penwidth={width:.2f}]')

    def source(self) -> str:
        """The DOT text."""
        head = (
            f'digraph {{ graph [pad=0, margin=0, outputorder=nodesfirst, bgcolor="transparent"] '
            f'node [shape=box, fixedsize=true, penwidth=1, fontname="{FONT}"] edge [arrowhead=none]'
        )
        return "\n".join([head, *self._lines, "}\n"])
