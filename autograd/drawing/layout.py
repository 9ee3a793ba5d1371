"""Places the boxes of a picture: columns from left to right, no box on another, lines short and with few crossings.

Each group is laid out by itself, inner groups first. Its items stand in columns; an edge that passes a column has a
place of its own in it. Items are ordered by the heights that their edges come from, and then moved as near to these as
their neighbours allow.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..bars import bar
from ..language import scope_name
from .boxes import (
    BARE,
    BLOCK,
    FORMULA,
    HEAD,
    LINE,
    NAME,
    NARROW,
    NOTE,
    PILL_GAP,
    PILL_HEIGHT,
    PILL_PITCH,
    SCOPE,
    SIDE,
    STRIP,
    WIDE,
    Box,
    Chip,
    Content,
    Edge,
    Group,
    Item,
    Run,
    Sheet,
    ancestors,
    meeting,
)
from .writing import width

MARGIN = 12.0  # around the whole
STEP = 17.0  # between two rows of a run
PORT = 17.0  # between the lines that leave a box
BETWEEN, LANE = 12.0, 9.0  # between two items of a column; beside a line that passes
NARROWEST, BROADEST = 26.0, 46.0  # between two columns
TAG = 76.0  # at least, where a page shows what arrives along each edge
APART = 4  # more edges from one box run together as long as they have the same way
SWEEPS = 8
MANY, PATIENCE = 500, 2.0  # with fewer boxes no message is prepared; seconds before it appears


@dataclass(eq=False)
class Lane:
    """The place of an edge in a column that it passes."""

    y: float = 0.0
    height: float = 0.0
    order: float = 0.0


Slot = Item | Lane


@dataclass(eq=False)
class Link:
    """A line between two neighbouring columns: what it joins, and how far below their tops."""

    a: Slot
    at_a: float
    b: Slot
    at_b: float

    @property
    def weight(self) -> float:
        return 6.0 if isinstance(self.a, Lane) and isinstance(self.b, Lane) else 1.0


@dataclass(eq=False)
class Passing:
    """What an edge does in one group: where it comes from, where it goes; None is outside."""

    edge: Edge
    a: Item | None
    b: Item | None
    lanes: list[tuple[int, Lane]] = field(default_factory=list)


@dataclass(eq=False)
class Placed:
    """Sizes of a finished layout."""

    width: float
    height: float


def lay_out(content: Content) -> Placed:
    """Give everything in a picture its place; a message on a terminal says so if it takes long."""
    passing = _passing(content)
    with _progress(len(content.boxes)) as tick:
        for last in (False, False, True):
            _place(content, passing, tick)
            _trace(content, passing)
            if not last:
                _sort_ports(content)
    return sized(content)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[], object]]:
    """Give a function to call now and then, which shows that the layout is still at work."""
    if count < MANY:
        yield lambda: None
        return
    shown = f"placing {count:,} boxes, {{elapsed}} (Ctrl-C stops it; collapse= and depth= show less)"
    with bar(bar_format=shown, delay=PATIENCE) as waiting:
        yield waiting.update


def sized(content: Content) -> Placed:
    """The size of the whole with the sentences below it."""
    notes = NOTE * len(content.notes) + 4 if content.notes else 0.0
    return Placed(content.whole.width, content.whole.height + notes)


def _passing(content: Content) -> dict[Group, list[Passing]]:
    found: dict[Group, list[Passing]] = {content.whole: []}
    for edge in content.edges:
        if edge.is_in_run:
            continue
        a, b = ancestors(edge.source.item), ancestors(edge.target.item)
        n = meeting(edge.source.item, edge.target.item)
        for group, inner in zip(a[n:], a[n + 1 :], strict=False):
            assert isinstance(group, Group)
            found.setdefault(group, []).append(Passing(edge, inner, None))
        for group, inner in zip(b[n:], b[n + 1 :], strict=False):
            assert isinstance(group, Group)
            found.setdefault(group, []).append(Passing(edge, None, inner))
        meet = a[n - 1]
        assert isinstance(meet, Group)
        found.setdefault(meet, []).append(Passing(edge, a[n], b[n]))
    return found


def _place(content: Content, passing: dict[Group, list[Passing]], tick: Callable[[], object]) -> None:
    """Lay out every group, inner ones first."""
    groups = [content.whole]
    for group in groups:  # grows
        groups += [item for item in group.items if isinstance(item, Group)]
    for group in reversed(groups):
        for item in group.items:
            if isinstance(item, Run):
                _place_run(item)
            elif isinstance(item, Chip):
                _place_chip(item)
            elif isinstance(item, Sheet):
                _place_sheet(item)
        _place_group(group, passing.get(group, []), content.tags, tick)


# Boxes, relative to their item -------------------------------------------------------------------------------------


def box_height(box: Box) -> float:
    """The height that a box needs for its texts and for the pills beside it."""
    text = HEAD + LINE * len(box.lines) + STRIP * len(box.strips)
    if not box.strips:
        text = BARE if not box.lines else text + 3
    return max(text, PILL_PITCH * len(box.pills) - 2)


def _place_chip(chip: Chip) -> None:
    box = chip.box
    box.x = box.y = 0.0
    box.height = box_height(box)
    chip.width, chip.height = box.width, box.height
    _set_exits(chip, box.leaving, 0.0, box.height)


def _place_sheet(sheet: Sheet) -> None:
    inner = max([NARROW, *(box.width for box in sheet.boxes)])
    texts = [width(sheet.title, NAME, bold=True) + 16, *(width(line, FORMULA) for line in sheet.lines)]
    inner = max(inner, min(max(texts), WIDE))
    y = sheet_head(sheet)
    sheet.entries.clear()
    sheet.exits.clear()
    for box in sheet.boxes:
        box.width, box.height = inner, box_height(box)
        box.x, box.y = SIDE, y
        y += box.height + BETWEEN
        _set_exits(sheet, box.leaving, box.y, box.height)
    sheet.width = inner + 2 * SIDE
    sheet.height = max(y, 14.0 * len(sheet.arriving) + 12, 14.0 * len(sheet.leaving) + 12)
    _set_exits(sheet, sheet.leaving, 0.0, sheet.height)
    _spread(sheet.entries, sheet.arriving, 0.0, sheet.height, PILL_PITCH)


def sheet_head(sheet: Sheet) -> float:
    """Where the boxes in a sheet begin, below its texts."""
    return HEAD + LINE * len(sheet.lines) + 6


def has_block(run: Run) -> bool:
    """Whether a run stands in a block of its own: a run of several operations that is not all there is in a scope."""
    parent = run.parent
    assert parent is not None
    return len(run.boxes) > 1 and (parent.parent is None or len(parent.items) > 1)


def behind(whole: Group) -> Iterator[Group | Sheet | Run]:
    """What stands behind the boxes of a picture: scopes, sheets, and runs that have a block; outer ones first."""
    groups = [whole]
    for group in groups:  # grows
        if group is not whole:
            yield group
        for item in group.items:
            if isinstance(item, Group):
                groups.append(item)
            elif isinstance(item, Sheet) or (isinstance(item, Run) and has_block(item)):
                yield item


def _place_run(run: Run) -> None:
    pills = max((pill.width for box in run.boxes for pill in box.pills), default=0.0)
    left = pills + PILL_GAP if pills else 0.0
    inner = max(box.width for box in run.boxes)
    pad, top = (4.0, 6.0) if has_block(run) else (0.0, 0.0)
    y = top
    run.entries.clear()
    run.exits.clear()
    for box in run.boxes:
        step = STEP + 4 if box.is_root else STEP
        if box is not run.boxes[0]:
            y += step
        box.width, box.height = inner, box_height(box)
        box.x, box.y = pad + left, y
        first = y + (box.height - PILL_PITCH * len(box.pills)) / 2
        for n, pill in enumerate(box.pills):
            pill.x, pill.y = box.x - PILL_GAP - pill.width, first + PILL_PITCH * n + 0.5
            run.entries.update(dict.fromkeys(pill.edges, pill.y + PILL_HEIGHT / 2))
        if box.above is not None and box.above.pill is not None:
            box.above.pill.x, box.above.pill.y = box.x + 32, y - step + (STEP - PILL_HEIGHT) / 2
        _set_exits(run, box.leaving, box.y, box.height)
        y += box.height
    run.width = left + inner + pad + (6.0 if pad else 0.0)
    run.height = y + top


def _set_exits(item: Item, leaving: Sequence[Edge], top: float, height: float) -> None:
    _spread(item.exits, leaving, top, height, PORT)


def _spread(ports: dict[Edge, float], edges: Sequence[Edge], top: float, height: float, most: float) -> None:
    """Give edges places along a side of a box, around its middle."""
    count = len(edges)
    step = min(most, (height - 12) / (count - 1)) if count > 1 else 0.0
    for n, edge in enumerate(edges):
        ports[edge] = top + height / 2 + step * (n - (count - 1) / 2)


# Groups ------------------------------------------------------------------------------------------------------------


def padding(group: Group) -> tuple[float, float, float, float]:
    """The space between the border of a group and its items: left, top, right, bottom."""
    if group.parent is None:
        return MARGIN, MARGIN, MARGIN, MARGIN
    return (4.0, 24.0, 4.0, 5.0) if group.parent.parent is None else (4.0, BLOCK + 7, 6.0, 6.0)


def _place_group(group: Group, passing: Sequence[Passing], tags: bool, tick: Callable[[], object]) -> None:
    numbers = sorted({item.column for item in group.items})
    column_of = {item: numbers.index(item.column) for item in group.items}
    columns: list[list[Slot]] = [[] for _ in numbers]
    for item in group.items:
        columns[column_of[item]].append(item)
    links: list[list[Link]] = [[] for _ in numbers]  # those to the next column
    counts = Counter(p.edge.source for p in passing)
    shared: dict[tuple[Box | Sheet, int], Lane] = {}  # of the edges from a box that many edges leave
    for p in passing:
        first = column_of[p.a] if p.a is not None else -1
        last = column_of[p.b] if p.b is not None else len(numbers)
        slot: Slot | None = p.a
        at = p.a.exits[p.edge] if p.a is not None else 0.0
        p.lanes = []
        for c in range(first + 1, last):
            lane = shared.get((p.edge.source, c))
            if lane is None:
                lane = Lane()
                columns[c].append(lane)
                if counts[p.edge.source] > APART:
                    shared[p.edge.source, c] = lane
                if slot is not None:
                    links[c - 1].append(Link(slot, at, lane, 0.0))
            p.lanes.append((c, lane))
            slot, at = lane, 0.0
        if p.b is not None and slot is not None:
            links[last - 1].append(Link(slot, at, p.b, p.b.entries[p.edge]))
    _order(columns, links, tick)
    _settle(columns, links, tick)
    left, top, right, bottom = padding(group)
    highest = min((slot.y for column in columns for slot in column), default=0.0)
    for column in columns:
        for slot in column:
            slot.y += top - highest
    x = left
    places: list[tuple[float, float]] = []
    for c, column in enumerate(columns):
        items = [slot for slot in column if isinstance(slot, Item)]
        broad = max(item.width for item in items)
        for item in items:
            item.x = x
            if isinstance(item, Chip):
                item.width = item.box.width = broad
        places.append((x, x + broad))
        x += broad
        if c < len(columns) - 1:
            steep = [link for link in links[c] if abs(_above(link)) > 2]
            gap = min(BROADEST, NARROWEST + 4 * len(steep))
            inner = [item for item in items if not isinstance(item, Chip)]  # leaves have room before the pills
            fans = Counter(edge.source for item in inner for edge in item.exits) if tags else Counter()
            x += max(gap, TAG) if any(n > 1 for n in fans.values()) else gap
    title = 0.0 if group.parent is None else 24 + min(WIDE, width(scope_name(group.scope[-1]), SCOPE))
    group.width = max(x + right, title)
    group.height = max((slot.y + slot.height for column in columns for slot in column), default=top) + bottom
    group.entries.clear()
    group.exits.clear()
    for p in passing:
        if p.a is None:
            assert p.b is not None
            group.entries[p.edge] = p.lanes[0][1].y if p.lanes else p.b.y + p.b.entries[p.edge]
        if p.b is None:
            assert p.a is not None
            group.exits[p.edge] = p.lanes[-1][1].y if p.lanes else p.a.y + p.a.exits[p.edge]
    group.columns = places


def _above(link: Link) -> float:
    return link.a.y + link.at_a - link.b.y - link.at_b


def _gap(a: Slot, b: Slot) -> float:
    return BETWEEN if isinstance(a, Item) and isinstance(b, Item) else LANE


def _pack(column: Sequence[Slot]) -> None:
    y = 0.0
    for n, slot in enumerate(column):
        if n:
            y += _gap(column[n - 1], slot)
        slot.y = y
        y += slot.height
    for slot in column:
        slot.y -= y / 2


def _order(columns: list[list[Slot]], links: list[list[Link]], tick: Callable[[], object]) -> None:
    """Order every column so that few lines cross."""
    for column in columns:
        _pack(column)
    if len(columns) < 2:
        return
    best, fewest = [list(column) for column in columns], _crossings(links)
    for sweep in range(SWEEPS):
        tick()
        if fewest == 0:
            break
        if sweep % 2 == 0:
            for c in range(1, len(columns)):
                _sort(columns[c], [(link.b, link.a.y + link.at_a - link.at_b) for link in links[c - 1]])
        else:
            for c in range(len(columns) - 2, -1, -1):
                _sort(columns[c], [(link.a, link.b.y + link.at_b - link.at_a) for link in links[c]])
        crossings = _crossings(links)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    columns[:] = best


def _sort(column: list[Slot], wanted: Sequence[tuple[Slot, float]]) -> None:
    """Sort a column by the mean of the heights that its slots are linked to."""
    sums: dict[Slot, tuple[float, int]] = {}
    for slot, y in wanted:
        total, count = sums.get(slot, (0.0, 0))
        sums[slot] = total + y + slot.height / 2, count + 1
    middle = {slot: sums[slot][0] / sums[slot][1] if slot in sums else slot.y + slot.height / 2 for slot in column}
    column.sort(key=middle.__getitem__)
    _pack(column)


def _crossings(links: Sequence[Sequence[Link]]) -> int:
    """How many pairs of lines cross."""
    count = 0
    for between in links:
        seen: list[float] = []
        for _, end in sorted((link.a.y + link.at_a, link.b.y + link.at_b) for link in between):
            count += len(seen) - bisect_left(seen, end + 1e-9)
            insort(seen, end)
    return count


def _settle(columns: Sequence[list[Slot]], links: Sequence[Sequence[Link]], tick: Callable[[], object]) -> None:
    """Move everything, in this order, to where its lines become short."""
    for column in columns:
        _pack(column)
    room = max((column[-1].y + column[-1].height - column[0].y for column in columns if column), default=0.0)
    count = len(columns)
    for sweep in range(14):
        tick()
        places = range(count) if sweep % 2 == 0 else range(count - 1, -1, -1)
        for c in places:
            wanted: dict[Slot, list[tuple[float, float]]] = {}
            both = sweep >= 4
            if c > 0 and (both or sweep % 2 == 0):
                for link in links[c - 1]:
                    wanted.setdefault(link.b, []).append((link.a.y + link.at_a - link.at_b, link.weight))
            if c < count - 1 and (both or sweep % 2 == 1):
                for link in links[c]:
                    wanted.setdefault(link.a, []).append((link.b.y + link.at_b - link.at_a, link.weight))
            _move(columns[c], wanted, room)


def _move(column: Sequence[Slot], wanted: dict[Slot, list[tuple[float, float]]], room: float) -> None:
    """Move the slots of a column as near to the wanted heights as their order, their gaps and the room allow.

    Least squares: neighbours that would overlap move together to the mean of their wishes (pool adjacent violators).
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, count
    offsets: list[float] = []
    offset = 0.0
    for n, slot in enumerate(column):
        if n:
            offset += column[n - 1].height + _gap(column[n - 1], slot)
        offsets.append(offset)
        wishes = wanted.get(slot, [])
        weight = sum(w for _, w in wishes)
        mean = sum(y * w for y, w in wishes) / weight if weight else slot.y
        mean, weight, size = mean - offset, weight or 0.01, 1
        while blocks and blocks[-1][0] > mean:
            m, w, k = blocks.pop()
            mean, weight, size = (m * w + mean * weight) / (w + weight), w + weight, k + size
        blocks.append((mean, weight, size))
    top, bottom = -room / 2, room / 2 - offset - (column[-1].height if column else 0.0)
    n = 0
    for mean, _, size in blocks:
        for _ in range(size):
            column[n].y = min(max(mean, top), bottom) + offsets[n]
            n += 1


# The whole ---------------------------------------------------------------------------------------------------------


def _trace(content: Content, passing: dict[Group, list[Passing]]) -> None:
    """Change places inside groups to places in the picture, and write down where each edge runs level."""
    corner: dict[Item, tuple[float, float]] = {content.whole: (0.0, 0.0)}
    groups = [content.whole]
    for group in groups:  # grows
        x, y = corner[group]
        for item in group.items:
            item.x, item.y = item.x + x, item.y + y
            corner[item] = item.x, item.y
            if isinstance(item, Group):
                groups.append(item)
    for box in content.boxes:
        x, y = corner[box.item]
        box.x, box.y = box.x + x, box.y + y
        above = [box.above.pill] if box.above is not None and box.above.pill is not None else []
        for pill in [*box.pills, *above]:
            pill.x, pill.y = pill.x + x, pill.y + y
    for edge in content.edges:
        item = edge.source.item
        edge.path = []
        if not edge.is_in_run:
            right = edge.source.x + edge.source.width
            edge.path.append((right, max(right, item.x + item.width), item.y + item.exits[edge]))
    for group in groups:
        x, y = corner[group]
        places = group.columns
        for p in passing.get(group, []):
            for c, lane in p.lanes:
                p.edge.path.append((x + places[c][0], x + places[c][1], y + lane.y))
    for edge in content.edges:
        if not edge.is_in_run:
            edge.path.sort()
            item = edge.target.item
            left = item.x if edge.pill is None else edge.pill.x
            edge.path.append((left, left, item.y + item.entries[edge]))


def _sort_ports(content: Content) -> None:
    """Order the lines at both ends of every box by where they come from and go to."""
    last: Callable[[Edge], float] = lambda edge: edge.path[-2][2]
    first: Callable[[Edge], float] = lambda edge: edge.path[1][2]
    for box in content.boxes:
        for pill in box.pills:
            pill.edges.sort(key=last)
        box.pills.sort(key=lambda pill: last(pill.edges[0]))
        box.leaving.sort(key=first)
    for sheet in {edge.target for edge in content.edges if isinstance(edge.target, Sheet)}:
        sheet.arriving.sort(key=last)
    for sheet in {edge.source for edge in content.edges if isinstance(edge.source, Sheet)}:
        sheet.leaving.sort(key=first)
