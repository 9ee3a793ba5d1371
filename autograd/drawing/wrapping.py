"""Breaks a picture that is too wide into lines below each other, as a text is broken."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .boxes import Box, Chip, Content, Edge, Group, Item, Run, Sheet
from .layout import MARGIN, Placed, sized

WIDE = 1400.0  # a picture up to this width is not broken
ALLOWED = 1.3  # times that is still left as it is, so that no line is nearly empty
SHAPE = 1.8  # the width of a broken picture over its height, about
TRACK, BESIDE = 7.0, 12.0  # between two edges that go from one line to the next; between them and the boxes


@dataclass
class _Line:
    """A line of the picture: where it was in the unbroken one, and where it goes."""

    left: float
    right: float
    top: float = math.inf
    bottom: float = -math.inf
    dx: float = 0.0
    dy: float = 0.0
    leaving: list[tuple[Edge, int]] = field(default_factory=list)  # edges to the next line, and the place in their path


def wrap(content: Content, placed: Placed, width: float | None) -> Placed:
    """Break a picture if it is wider than ``width``, or too wide for a page if that is not given."""
    if width is None:
        room = max(WIDE, math.sqrt(SHAPE * placed.width * (placed.height + 60)))
    else:
        room = width - 2 * (MARGIN + BESIDE + TRACK)
    lines = _lines(content.whole, room)
    if len(lines) < 2 or placed.width <= (ALLOWED * room if width is None else width):
        return placed
    starts = [line.left for line in lines]
    _measure(content, lines, starts)
    tracks = TRACK * max(len(line.leaving) for line in lines) + BESIDE
    y, widest = MARGIN, 0.0
    for line in lines:
        line.dx, line.dy = MARGIN + tracks - line.left, y - line.top
        y += line.bottom - line.top + BESIDE + TRACK * len(line.leaving) + BESIDE
        widest = max(widest, line.right - line.left)
    _move(content, lines, starts, MARGIN + tracks, widest)
    content.whole.width, content.whole.height = widest + 2 * (MARGIN + tracks), y - 2 * BESIDE + MARGIN
    return sized(content)


def _lines(whole: Group, room: float) -> list[_Line]:
    """As many columns as fit in each line; leaves stay beside the operations that use them."""
    numbers = sorted({item.column for item in whole.items})
    lines: list[_Line] = []
    for n, (left, right) in zip(numbers, whole.columns, strict=True):
        is_joined = n % 2 == 1 and n - 1 in numbers
        last = whole.columns[numbers.index(n + 1)][1] if n % 2 == 0 and n + 1 in numbers else right
        if lines and (is_joined or last - lines[-1].left <= room):
            lines[-1].right = right
        else:
            lines.append(_Line(left, right))
    return lines


def _measure(content: Content, lines: Sequence[_Line], starts: Sequence[float]) -> None:
    """Find how high every line is, and which edges leave it."""
    for item in content.whole.items:
        line = lines[bisect_right(starts, item.x) - 1]
        line.top, line.bottom = min(line.top, item.y), max(line.bottom, item.y + item.height)
    for edge in content.edges:
        before = -1
        for place, (left, _, height) in enumerate(edge.path):
            n = bisect_right(starts, left) - 1
            lines[n].top, lines[n].bottom = min(lines[n].top, height), max(lines[n].bottom, height)
            if -1 < before < n:
                lines[before].leaving.append((edge, place))
            before = n
    for line in lines:
        line.leaving.sort(key=lambda leaving: leaving[0].path[leaving[1] - 1][2])


def _move(content: Content, lines: Sequence[_Line], starts: Sequence[float], left: float, width: float) -> None:
    """Move everything to its line, and lead edges from the end of a line around to the beginning of the next."""
    around: dict[tuple[Edge, int], list[tuple[float, float, float]]] = {}
    for line, following in pairwise(lines):
        count = len(line.leaving)
        for n, (edge, place) in enumerate(line.leaving):  # the uppermost runs outside at the right, inside at the left
            right = left + width + BESIDE + TRACK * (count - 1 - n)
            between = line.bottom + line.dy + BESIDE + TRACK * (count - 1 - n)
            begin = left - BESIDE - TRACK * n
            y, then = edge.path[place - 1][2] + line.dy, edge.path[place][2] + following.dy
            around[edge, place] = [
                (x, x, h) for x, h in ((right, y), (right, between), (begin, between), (begin, then))
            ]
    for item in content.whole.items:
        line = lines[bisect_right(starts, item.x) - 1]
        _shift(item, line.dx, line.dy)
    for edge in content.edges:
        path: list[tuple[float, float, float]] = []
        for place, (a, b, height) in enumerate(edge.path):
            line = lines[bisect_right(starts, a) - 1]
            path += [*around.get((edge, place), ()), (a + line.dx, b + line.dx, height + line.dy)]
        edge.path = path


def _shift(whole: Item, dx: float, dy: float) -> None:
    """Move an item with everything in it."""
    waiting = [whole]
    for item in waiting:  # grows
        item.x, item.y = item.x + dx, item.y + dy
        boxes: list[Box] = []
        if isinstance(item, Group):
            waiting += item.items
        elif isinstance(item, Run | Sheet):
            boxes = item.boxes
        elif isinstance(item, Chip):
            boxes = [item.box]
        for box in boxes:
            box.x, box.y = box.x + dx, box.y + dy
            above = [box.above.pill] if box.above is not None and box.above.pill is not None else []
            for pill in [*box.pills, *above]:
                pill.x, pill.y = pill.x + dx, pill.y + dy
