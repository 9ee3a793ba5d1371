"""Writes a picture as SVG: a group for each scope, edge, partial and node, with the texts where they were measured."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ..language import scope_name, translate
from ..notation import printable, tidy
from .boxes import (
    FORMULA,
    LINE,
    NAME,
    NOTE,
    PILL_HEIGHT,
    SCOPE,
    SIDE,
    STRIP,
    Box,
    Content,
    Edge,
    Group,
    Pill,
    Sheet,
)
from .layout import MARGIN, Placed, behind
from .writing import Span, cut


def to_svg(content: Content, placed: Placed, summary: str, style: bool) -> str:
    """The picture as SVG text.

    Args:
        content: the boxes and edges, with their places.
        placed: the size of the whole.
        summary: says what the picture shows, for those who do not see it.
        style: whether the stylesheet stands inside; a page that embeds pictures brings it once for all of them.
    """
    w, h = _n(placed.width), _n(placed.height)
    size = f' width="{w}" height="{h}"' if style else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {w} {h}"{size} role="group" '
        f"aria-label={_attribute(summary)}>"
    )
    parts = [head]
    if style:
        parts += [f"<style>\n{stylesheet()}</style>", f'<rect class="ground" width="{w}" height="{h}" rx="9"/>']
    for item in behind(content.whole):
        if isinstance(item, Group):
            parts.append(_scope(item))
        elif isinstance(item, Sheet):
            parts.append(_sheet(item))
        else:
            parts.append(f'<g class="block">{_rect("", item.x, item.y, item.width, item.height, 9)}</g>')
    parts += [_edge(edge, content.on_path) for edge in content.edges]
    pills = dict.fromkeys(edge.pill for edge in content.edges if edge.pill is not None)
    parts += [_pill(pill, content.on_path) for pill in pills]
    parts += [_node(box) for box in content.boxes]
    for n, note in enumerate(content.notes):
        parts.append(_text("note", MARGIN, content.whole.height + NOTE * n + 10, [(note, False)]))
    return "\n".join([*parts, "</svg>\n"])


@cache
def sheet() -> str:
    """The stylesheet as it is written."""
    return (Path(__file__).parent / "picture.css").read_text(encoding="utf-8")


def shapes() -> str:
    """The stylesheet without its colours, for a page that brings its own."""
    return sheet()[sheet().index(".graph text") :]


_TOKENS = re.compile(r"\.graph \{([^}]*)\}")
_RULE = re.compile(r"^(\.graph [^{]+) \{ (.*) \}$", re.M)


def colours(dark: bool = False) -> dict[str, str]:
    """The colours of the stylesheet by their names."""
    light, night = (dict(re.findall(r"--([\w-]+): ([^;]+);", tokens.group(1))) for tokens in _TOKENS.finditer(sheet()))
    return light | night if dark else light


@cache
def stylesheet() -> str:
    """The same for a file of its own, without variables: many programs that show SVG do not know them."""
    text = sheet()
    light, dark = colours(), colours(dark=True)
    lines, other = [], []
    for selector, body in _RULE.findall(text[: text.index("@media print")]):
        lines.append(f"{selector} {{ {_filled(body, light)} }}")
        coloured = "; ".join(x for x in body.rstrip(";").split("; ") if "var(" in x and "font" not in x)
        if coloured:
            other.append(f"  {selector} {{ {_filled(coloured, dark)}; }}")
    return "\n".join(
        [*lines, "@media screen and (prefers-color-scheme: dark) {", *other, "}", text[text.index("@media print") :]]
    )


def _filled(body: str, tokens: dict[str, str]) -> str:
    return re.sub(r"var\(--([\w-]+)\)", lambda m: tokens[m.group(1)], body)


def _n(x: float) -> str:
    """A length with one decimal at most."""
    return f"{x:.1f}".removesuffix(".0")


def _attribute(text: str) -> str:
    return quoteattr(text, {"\n": "&#10;"})


def _rect(kind: str, x: float, y: float, w: float, h: float, r: float) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<rect{named} x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="{_n(r)}"/>'


def _text(kind: str, x: float, y: float, parts: list[Span]) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{_n(x)}" y="{_n(y)}">{_spans(parts)}</text>'


def _spans(parts: list[Span]) -> str:
    """A text with its indices set lower."""
    texts: list[str] = []
    lowered = False
    for text, index in parts:
        if index:
            texts.append(f'<tspan class="sb" dy="3">{escape(text)}</tspan>')
        elif lowered and text:
            texts.append(f'<tspan dy="-3">{escape(text)}</tspan>')
        else:
            texts.append(escape(text))
        lowered = index
    return "".join(texts)


def _scope(group: Group) -> str:
    kind = "band" if group.parent is not None and group.parent.parent is None else "block"
    title = cut(tidy(scope_name(group.scope[-1])), group.width - 20, SCOPE)
    y = group.y + (17 if kind == "band" else 13)
    label = _text("", group.x + (12 if kind == "band" else 9), y, [(title, False)])
    return (
        f'<g class="{kind}" data-scope={_attribute(json.dumps(group.scope))}>'
        f"{_rect('', group.x, group.y, group.width, group.height, 12 if kind == 'band' else 9)}{label}</g>"
    )


def _sheet(sheet: Sheet) -> str:
    """A collapsed scope, as a stack of sheets."""
    scopes = json.dumps(sheet.scopes)
    frames = [_rect("under", sheet.x + by, sheet.y + by, sheet.width, sheet.height, 9) for by in (8, 4)]
    title = cut(tidy(sheet.title), sheet.width - 2 * SIDE - 16, NAME, bold=True)
    x, y = sheet.x + SIDE, sheet.y + 17
    parts = [
        f'<g class="sheet" id="{sheet.name}" data-scopes={_attribute(scopes)} role="img" '
        f"aria-label={_attribute(printable('; '.join([sheet.title, *sheet.lines])))}>"
        f"<title>{escape(printable(sheet.title))}</title>",
        *frames,
        _rect("face", sheet.x, sheet.y, sheet.width, sheet.height, 9),
        f'<path class="chevron" d="M{_n(x)} {_n(y - 9)}l7 4.5l-7 4.5z"/>',
        _text("nm", x + 14, y, [(title, False)]),
    ]
    for n, line in enumerate(sheet.lines):
        shown = cut(line, sheet.width - 2 * SIDE, FORMULA)
        parts.append(_text("fm", x, y + LINE * (n + 1), [(shown, False)]))
    return "".join([*parts, "</g>"])


def _edge(edge: Edge, on_path: bool) -> str:
    line = _line(edge)
    kind, wide = "edge path1" if on_path else "edge", ""
    if edge.count > 1:
        kind, wide = "edge merged", f' style="stroke-width:{_n(edge.line_width)}"'
    ends = [end.name if isinstance(end, Sheet) else f"n{end.number}" for end in (edge.source, edge.target)]
    tip = edge.tip or translate("{count} edge", "{count} edges", edge.count).format(count=edge.count)
    return (
        f'<g class="{kind}" id="{edge.name}" data-from="{ends[0]}" data-to="{ends[1]}">'
        f'<title>{escape(tip)}</title><path class="wire" d="{line}"{wide}/><path class="wire2" d="{line}"/></g>'
    )


def _line(edge: Edge) -> str:
    """The path of an edge: level inside columns, a curve between them."""
    points = edge.points()
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x, y), (right, below) in pairwise(points):
        if abs(below - y) < 0.5:
            parts.append(f"H{_n(right)}")
        elif right == x:
            parts.append(f"V{_n(below)}")
        else:
            middle = (x + right) / 2
            parts.append(f"C{_n(middle)} {_n(y)} {_n(middle)} {_n(below)} {_n(right)} {_n(below)}")
    return "".join(parts)


def _pill(pill: Pill, on_path: bool) -> str:
    names = " ".join(edge.name for edge in pill.edges)
    return (
        f'<g class="pill{" path1" * on_path}" data-edge="{names}">'
        f"{_rect('', pill.x, pill.y, pill.width, PILL_HEIGHT, PILL_HEIGHT / 2)}"
        f"{_text('', pill.x + pill.width / 2, pill.y + 11.5, [(pill.text, False)])}</g>"
    )


def _node(box: Box) -> str:
    x, y, w, h = box.x, box.y, box.width, box.height
    name = f"n{box.number}"
    kinds = ["node", box.kind, *(["short"] if not box.lines and not box.is_leaf else [])]
    parts = [
        f'<g class="{" ".join(kinds)}" id="{name}{f"-{box.copy}" * (box.copy > 1)}" data-node="{name}" role="img" '
        f"aria-label={_attribute(box.label)}><title>{escape(box.tip)}</title>",
        _around("halo", box, 7.5 if box.is_root else 4.0),
        _around("face", box, 0.0),
    ]
    if box.is_root:
        parts.append(_around("face2", box, 3.5))
    below = STRIP * len(box.strips)
    start = box.text_top
    inset = SIDE
    parts.append(_text("nm" if box.is_named else "nm un", x + inset, start + 17, box.title))
    parts.append(_text("val", x + w - inset, start + 17, [(box.value, False)]))
    for n, line in enumerate(box.lines):
        parts.append(_text("fm", x + inset, start + 17 + LINE * (n + 1), line))
    for n, (kind, label, shown) in enumerate(box.strips):
        top = y + h - below + STRIP * n
        is_last = n == len(box.strips) - 1
        strip = [
            _strip(x + 0.5, top, w - 1, STRIP - 0.5 * is_last, (box.corner - 0.5) * is_last),
            _text("gl", x + inset, top + 11.5, [(label, False)]),
            _text("gv", x + w - inset, top + 11.5, [(shown, False)]),
        ]
        parts.append("".join(strip) if kind == "grad" else f'<g class="{kind}">{"".join(strip)}</g>')
    return "".join([*parts, "</g>"])


def _around(kind: str, box: Box, by: float) -> str:
    """A frame at some distance around a box."""
    return _rect(kind, box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by, box.corner + by)


def _strip(x: float, y: float, w: float, h: float, r: float) -> str:
    """A band at the bottom of a box, with the box's lower corners."""
    if r <= 0:
        return _rect("strip", x, y, w, h, 0)
    return (
        f'<path class="strip" d="M{_n(x)} {_n(y)}h{_n(w)}v{_n(h - r)}a{_n(r)} {_n(r)} 0 0 1 {_n(-r)} {_n(r)}'
        f'h{_n(2 * r - w)}a{_n(r)} {_n(r)} 0 0 1 {_n(-r)} {_n(-r)}z"/>'
    )
