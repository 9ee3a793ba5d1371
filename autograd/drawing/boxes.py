"""What a picture shows: a box for each node with its texts and its size, in runs, in groups, with the edges between.

A run is a column of operations that only feed the next one; a group is a scope. Leaves stand outside the groups that
use them, once for each place that they are used at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..naming import Names
from ..notation import Piece, piece, printable, render
from ..recorded import Changed, changed_leaves
from ..value import Value
from .writing import Span, fitted, number, spans_width, width, wrapped

NAME, FORMULA, PILL, SCOPE, BLOCK = 13.0, 11.5, 11.0, 12.0, 11.0  # sizes of the fonts
CHIP, NARROW, WIDE = 104.0, 140.0, 232.0  # the width of a leaf, and the widths that an operation may have
SIDE = 10.0  # between a text and the side of its box
HEAD, LINE, STRIP, BARE = 23.0, 14.0, 15.0, 30.0  # heights: name, formula line, band below; a box without bands
PILL_WIDTH, PILL_HEIGHT, PILL_PITCH, PILL_GAP = 48.0, 15.0, 16.0, 5.0
LONG = 8  # a run of more operations continues in another column
LONGEST = 500  # characters of a text beside a picture


@dataclass(eq=False)
class Pill:
    """The partial derivative of one edge, at the left of the row that the edge enters."""

    text: str
    width: float
    x: float = 0.0
    y: float = 0.0


@dataclass(eq=False)
class Box:
    """A node as it is drawn: a leaf, or an operation as a row of a run."""

    number: int
    kind: str  # leaf, op or result
    is_root: bool
    title: list[Span]
    is_named: bool
    value: str
    lines: list[list[Span]]
    strips: list[tuple[str, str, str]]  # bands below: class, label, number
    tip: str
    label: str
    copy: int = 1
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    pills: list[Edge] = field(default_factory=list)  # the edges that enter from the left, downwards
    above: Edge | None = None  # the edge from the row above
    leaving: list[Edge] = field(default_factory=list)  # the edges that leave at the right, downwards
    item: Item = field(init=False)

    @property
    def is_leaf(self) -> bool:
        return self.kind == "leaf"

    @property
    def text_height(self) -> float:
        return HEAD + LINE * len(self.lines)


@dataclass(eq=False)
class Edge:
    """An edge of the graph as it is drawn."""

    number: int
    source: Box
    target: Box
    pill: Pill
    tip: str
    path: list[tuple[float, float, float]] = field(default_factory=list)  # where it runs level: left, right, height


@dataclass(eq=False)
class Item:
    """A part of a group that is placed as a whole: a leaf, a run or a group.

    Attributes:
        column: its place from left to right: even for leaves, odd for the others.
        x, y: its corner, in the coordinates of the group around it.
        entries, exits: how far below its top an edge enters at its left and leaves at its right.
    """

    parent: Group | None = field(default=None, init=False)
    column: int = field(default=0, init=False)
    x: float = field(default=0.0, init=False)
    y: float = field(default=0.0, init=False)
    width: float = field(default=0.0, init=False)
    height: float = field(default=0.0, init=False)
    entries: dict[Edge, float] = field(default_factory=dict, init=False)
    exits: dict[Edge, float] = field(default_factory=dict, init=False)


@dataclass(eq=False)
class Chip(Item):
    """A leaf beside the operations that use it."""

    box: Box


@dataclass(eq=False)
class Run(Item):
    """Operations below each other, each of which is used by the next one only."""

    boxes: list[Box]


@dataclass(eq=False)
class Group(Item):
    """A scope, or the whole picture."""

    scope: tuple[str, ...]
    items: list[Item] = field(default_factory=list)
    columns: list[tuple[float, float]] = field(default_factory=list)  # left and right of each, once laid out

    def add(self, item: Item) -> None:
        item.parent = self
        self.items.append(item)


@dataclass(eq=False)
class Content:
    """Everything that a picture shows, before it has a place."""

    whole: Group
    boxes: list[Box]
    edges: list[Edge]


class Reader:
    """Reads boxes from the nodes of a graph.

    Args:
        order: the nodes in topological order.
        roots: the results.
        rows: further numbers of each node: a label such as ``grad`` and the numbers.
        digits: significant digits.
    """

    def __init__(
        self,
        order: Sequence[Value],
        roots: Iterable[Value],
        rows: Sequence[tuple[str, Mapping[Value, float]]],
        digits: int,
    ) -> None:
        self.order = order
        self.index = {node: k for k, node in enumerate(order)}
        self.roots = set(roots)
        self.names = Names(order, digits)
        self._rows, self._digits = rows, digits
        self._changed = changed_leaves(order)
        self._first: dict[int, int] = {}
        count = 0
        for k, node in enumerate(order):
            self._first[k] = count
            count += len(node.inputs)

    def edge_number(self, node: Value, position: int) -> int:
        """The number of an edge: edges are counted along the order, and along the inputs of each node."""
        return self._first[self.index[node]] + position

    def box(self, node: Value, above: Value | None = None, copy: int = 1) -> Box:
        """A node's box.

        Args:
            node: the node.
            above: the node whose box is right above: in this one's formula it is ``( … )`` if it has no name.
            copy: the how manieth box of a leaf it is.
        """
        named, title = node.name is not None, self.names.label(node).text
        is_formula = self.names.is_formula(node)
        formula = "" if node.op is None else self._formula(node, above)
        if is_formula:
            title, formula = formula, ""
        numbers, remark = self._numbers(node)
        if copy > 1:
            title = f"≡ {title}"
        room = WIDE - 2 * SIDE - 12 - width(numbers, NAME)
        head = fitted(title, max(room, 48.0), NAME, named)
        strips = [
            (what, _STRIPS[what] if node.op is not None else _STRIPS[what][0], self._show(of, node))
            for what, of in self._rows
        ]
        text = self.names.label(node).text
        label = f"{text}, {numbers}" + "".join(f", {what} {shown}" for what, _, shown in strips)
        box = Box(
            number=self.index[node],
            kind="leaf" if node.op is None else "result" if node in self.roots else "op",
            is_root=node in self.roots,
            title=head.parts,
            is_named=named,
            value=numbers,
            lines=[],
            strips=strips,
            tip=self._tip(node),
            label=label if not remark else f"{label}, {remark}",
            copy=copy,
        )
        wide = spans_width(head.parts, NAME, named) + 12 + width(numbers, NAME)
        least = CHIP if node.op is None else NARROW
        for label_text, shown in ((s[1], s[2]) for s in strips):
            wide = max(wide, width(label_text, FORMULA) + 8 + width(shown, FORMULA, bold=True))
        room = max(least - 2 * SIDE, wide)
        if formula:
            room = max(room, _narrowest(formula, room))
            box.lines = [line.parts for line in wrapped(formula, room, FORMULA)]
        if remark:
            room = max(room, width(remark, FORMULA))
            box.lines.append([(remark, False)])
        box.width = math.ceil(room + 2 * SIDE)
        return box

    def _formula(self, node: Value, above: Value | None) -> str:
        names = self.names
        if above is None or not names.is_formula(above) or node.op is None:
            return names.formula(node).text
        count = len(node.operands)
        pieces: list[Piece | float] = [
            x if isinstance(x, float) else Piece("( … )") if x is above else names.label(x) for x in node.operands
        ]
        shown = [piece(x, self._digits) if isinstance(x, float) else x for x in pieces]
        return render(node.op.formula_for(count), dict(zip(node.op.names(count), shown, strict=True))).text

    def _numbers(self, node: Value) -> tuple[str, str]:
        """A node's number when it was used, and a remark if it has changed since."""
        changed: Changed | None = self._changed.get(node)
        now = number(node.data, self._digits)
        if changed is None:
            return now, ""
        if not changed.numbers:
            return now, "changed since" if changed.certain else "changed since?"
        return ", ".join(number(x, self._digits) for x in changed.numbers), f"now {now}"

    def _show(self, of: Mapping[Value, float], node: Value) -> str:
        return number(of.get(node, 0.0), self._digits)

    def _tip(self, node: Value) -> str:
        """The whole text of a node, with all digits."""
        name = self.names.label(node).text if node.name is None else printable(node.name)
        what = "a leaf" if node.op is None else self.names.formula(node).text
        changed = self._changed.get(node)
        numbers = [node.data] if changed is None or not changed.numbers else changed.numbers
        tip = " = ".join(dict.fromkeys((short(name), short(what), ", ".join(map(repr, numbers)))))
        return tip + "".join(f"\n{what} {of.get(node, 0.0)!r}" for what, of in self._rows)

    def edge(self, source: Box, target: Box, node: Value, position: int) -> Edge:
        """The edge to a node from its input at that position."""
        partial = node.partials[position]
        shown = number(partial, self._digits)
        text = f"×{shown}"
        x, z = self.names.label(node.inputs[position]).text, self.names.label(node).text
        pill = Pill(text, max(PILL_WIDTH, math.ceil(width(text, PILL) + 10)))
        return Edge(self.edge_number(node, position), source, target, pill, f"∂({z})/∂({x}) = {partial!r}")


_STRIPS = {"grad": "◂ grad", "tangent": "▸ tangent"}


def short(text: str) -> str:
    """A text of bearable length."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _narrowest(formula: str, room: float) -> float:
    """The room that a formula needs in two lines, at most that of the widest box."""
    while room < WIDE - 2 * SIDE and any(line.is_cut for line in wrapped(formula, room, FORMULA)):
        room += 8
    return min(room, WIDE - 2 * SIDE)


def content(reader: Reader) -> Content:
    """Boxes, runs, groups and edges of a graph."""
    order, index = reader.order, reader.index
    users: list[list[int]] = [[] for _ in order]  # one entry for each edge
    for k, node in enumerate(order):
        for x in node.inputs:
            users[index[x]].append(k)
    whole, group_of = _groups(order, index)
    boxes: dict[int, Box] = {}
    item_of: dict[int, Item] = {}
    edges: list[Edge] = []
    for run, group in _runs(order, index, users, group_of):
        made = Run([])
        above: Value | None = None
        for k in run:
            box = reader.box(order[k], above)
            boxes[k], item_of[k], box.item, above = box, made, made, order[k]
            made.boxes.append(box)
        group.add(made)
    for k, node in enumerate(order):
        for position, x in enumerate(node.inputs):
            if x.op is None:
                continue
            source, target = boxes[index[x]], boxes[k]
            edge = reader.edge(source, target, node, position)
            edges.append(edge)
            place = target.item.boxes.index(target) if isinstance(target.item, Run) else 0
            if place and isinstance(target.item, Run) and target.item.boxes[place - 1] is source:
                target.above = edge
            else:
                target.pills.append(edge)
                source.leaving.append(edge)
    _set_columns(whole, edges)
    leaves = _add_leaves(reader, whole, boxes, edges)
    edges.sort(key=lambda edge: edge.number)
    for box in boxes.values():
        box.pills.sort(key=lambda edge: edge.number)
    return Content(whole, [*leaves, *boxes.values()], edges)


def ancestors(item: Item) -> list[Item]:
    """An item and the groups around it, the whole first."""
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return chain[::-1]


def meeting(a: Item, b: Item) -> int:
    """How many of the first ancestors of two items are the same."""
    common = 0
    for x, y in zip(ancestors(a), ancestors(b), strict=False):
        if x is not y:
            break
        common += 1
    return common


def _groups(order: Sequence[Value], index: Mapping[Value, int]) -> tuple[Group, dict[int, Group]]:
    """The groups of a graph, and the innermost group of each operation.

    A scope that is left and entered again becomes several groups, so that no group both feeds another and uses it.
    """
    whole = Group(())
    group_of: dict[int, Group] = {}
    waiting: list[tuple[Group, list[int]]] = [(whole, [k for k, node in enumerate(order) if node.op is not None])]
    while waiting:
        group, members = waiting.pop()
        depth = len(group.scope)
        keys: dict[int, tuple[object, ...]] = {
            k: (order[k].scope[depth],) if len(order[k].scope) > depth else (None, k) for k in members
        }
        keys = _without_cycles(order, index, members, keys)
        inner: dict[tuple[object, ...], tuple[Group, list[int]]] = {}
        for k in members:
            key = keys[k]
            if key[0] is None:
                group_of[k] = group
                continue
            if key not in inner:
                inner[key] = Group((*group.scope, str(key[0]))), []
                group.add(inner[key][0])
            inner[key][1].append(k)
        waiting += inner.values()
    return whole, group_of


def _without_cycles(
    order: Sequence[Value], index: Mapping[Value, int], members: Sequence[int], keys: dict[int, tuple[object, ...]]
) -> dict[int, tuple[object, ...]]:
    """The same parts, with those that depend on each other divided further."""
    if all(key[0] is None for key in keys.values()):
        return keys
    follow: dict[tuple[object, ...], set[tuple[object, ...]]] = {key: set() for key in keys.values()}
    for k in members:
        for x in order[k].inputs:
            if keys.get(index[x], keys[k]) != keys[k]:
                follow[keys[index[x]]].add(keys[k])
    waits = dict.fromkeys(follow, 0)
    for after in follow.values():
        for key in after:
            waits[key] += 1
    ready = [key for key, n in waits.items() if n == 0]
    for key in ready:  # grows
        for then in follow[key]:
            waits[then] -= 1
            if waits[then] == 0:
                ready.append(then)
    if len(ready) == len(follow):
        return keys
    free = set(ready)
    turns: dict[int, int] = {}  # how often the way to a node went from one part to another
    for k in members:
        if keys[k] not in free:
            before = [(index[x], keys[index[x]] != keys[k]) for x in order[k].inputs if index[x] in turns]
            turns[k] = max((turns[j] + changes for j, changes in before), default=0)
    return {k: (*key, turns[k]) if k in turns and key[0] is not None else key for k, key in keys.items()}


def _runs(
    order: Sequence[Value], index: Mapping[Value, int], users: Sequence[Sequence[int]], group_of: Mapping[int, Group]
) -> list[tuple[list[int], Group]]:
    """The operations in runs: a node follows the one input that it alone uses; of several, the longest chain."""
    behind: dict[int, int] = {}
    run_of: dict[int, list[int]] = {}
    runs: list[tuple[list[int], Group]] = []
    for k, node in enumerate(order):
        if node.op is None:
            continue
        inputs = [index[x] for x in node.inputs if x.op is not None]
        behind[k] = 1 + max((behind[j] for j in inputs), default=0)
        alone = [j for j in inputs if users[j] == [k] and group_of[j] is group_of[k]]
        longest = max((behind[j] for j in alone), default=0)
        before = [j for j in alone if behind[j] == longest]
        if len(before) == 1:
            run_of[k] = run_of[before[0]]
            run_of[k].append(k)
        else:
            run_of[k] = [k]
            runs.append((run_of[k], group_of[k]))
    parts: list[tuple[list[int], Group]] = []
    for run, group in runs:
        if len(run) <= LONG:
            parts.append((run, group))
            continue
        columns = math.ceil(len(run) / max(LONG, math.isqrt(2 * len(run))))
        size = math.ceil(len(run) / columns)
        parts += [(run[a : a + size], group) for a in range(0, len(run), size)]
    return parts


def _set_columns(whole: Group, edges: Sequence[Edge]) -> None:
    """Give each item of each group its column: the next after those that it uses, or just before those that use it."""
    before: dict[Item, set[Item]] = {}
    for edge in edges:
        a, b = ancestors(edge.source.item), ancestors(edge.target.item)
        n = meeting(edge.source.item, edge.target.item)
        if n < len(a) and n < len(b):
            before.setdefault(b[n], set()).add(a[n])
    waiting: list[Group] = [whole]
    while waiting:
        group = waiting.pop()
        waiting += [item for item in group.items if isinstance(item, Group)]
        _set_columns_of(group, before)


def _set_columns_of(group: Group, before: Mapping[Item, set[Item]]) -> None:
    place = {item: n for n, item in enumerate(group.items)}
    after: dict[Item, list[Item]] = {item: [] for item in group.items}
    waits = {}
    for item in group.items:
        waits[item] = len(before.get(item, ()))
        for x in before.get(item, ()):
            after[x].append(item)
    ready = [item for item in group.items if waits[item] == 0]
    for item in ready:  # grows
        item.column = 1 + max((x.column + 1 for x in before.get(item, ())), default=0)
        for x in sorted(after[item], key=place.__getitem__):
            waits[x] -= 1
            if waits[x] == 0:
                ready.append(x)
    for item in reversed(ready):
        if not before.get(item) and after[item]:
            item.column = min(x.column for x in after[item]) - 2


def _add_leaves(reader: Reader, whole: Group, boxes: Mapping[int, Box], edges: list[Edge]) -> list[Box]:
    """Put every leaf beside the operations that use it, again where it is used much further on."""
    order, index = reader.order, reader.index
    uses: dict[int, list[tuple[int, int, int, Group]]] = {}  # of each leaf: column, user, position, group
    for k, node in enumerate(order):
        if node.op is None:
            uses.setdefault(k, [])
            continue
        for position, x in enumerate(node.inputs):
            if x.op is None:
                home, item = _home(boxes[k].item)
                uses.setdefault(index[x], []).append((item.column, k, position, home))
    made: list[Box] = []
    for k, places in uses.items():
        chips: list[Chip] = []
        for column, user, position, home in sorted(places, key=lambda place: place[:3]):
            near = [chip for chip in chips if chip.parent is home and column - chip.column <= NEAR]
            if near:
                chip = near[-1]
            else:
                chip = _chip(reader, order[k], len(chips) + 1, home, column - 1)
                chips.append(chip)
            edge = reader.edge(chip.box, boxes[user], order[user], position)
            boxes[user].pills.append(edge)
            chip.box.leaving.append(edge)
            edges.append(edge)
        if not places:
            chips.append(_chip(reader, order[k], 1, whole, 0))
        made += [chip.box for chip in chips]
    return made


NEAR = 3  # so many columns away a leaf is drawn again


def _chip(reader: Reader, leaf: Value, copy: int, home: Group, column: int) -> Chip:
    chip = Chip(reader.box(leaf, copy=copy))
    chip.box.item = chip
    chip.column = column
    home.add(chip)
    return chip


def _home(item: Item) -> tuple[Group, Item]:
    """The group in which the leaves of an operation stand, and the part of it that contains the operation.

    It is the whole picture, or the innermost group that consists of groups which follow each other.
    """
    chain = ancestors(item)
    home, part = chain[0], chain[1]
    for group, inner in pairwise(chain[1:]):
        assert isinstance(group, Group)
        if len({x.column for x in group.items if isinstance(x, Group)}) < 2:
            break
        home, part = group, inner
    assert isinstance(home, Group)
    return home, part
