"""What a picture consists of: boxes with their texts and sizes, runs of boxes, groups, collapsed groups, edges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..language import translate
from ..naming import Names
from ..notation import CHOICE, Piece, piece, printable, render
from ..recorded import Changed, changed_leaves
from ..value import Value
from .writing import Span, fitted, number, spans_width, width, wrapped

NAME, FORMULA, PILL, SCOPE, BLOCK = 13.0, 11.5, 11.0, 12.0, 11.0  # sizes of the fonts
CHIP, NARROW, WIDE = 104.0, 140.0, 232.0  # the width of a leaf, and the widths that an operation may have
SIDE = 10.0  # between a text and the side of its box
HEAD, LINE, STRIP, BARE = 23.0, 14.0, 15.0, 30.0  # heights: name, formula line, band below; a box without bands
NOTE = 20.0  # height of a sentence below the picture
PILL_WIDTH, PILL_HEIGHT, PILL_PITCH, PILL_GAP = 48.0, 15.0, 16.0, 5.0
LONGEST = 500  # characters of a text beside a picture


@dataclass(eq=False)
class Pill:
    """The partial derivative of an edge, at the left of the row that the edge enters, or how many more edges do."""

    text: str
    width: float
    edges: list[Edge] = field(default_factory=list)
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
    pills: list[Pill] = field(default_factory=list)  # where edges enter from the left, downwards
    above: Edge | None = None  # the edge from the row above
    leaving: list[Edge] = field(default_factory=list)  # the edges that leave at the right, downwards
    item: Item = field(init=False)

    @property
    def is_leaf(self) -> bool:
        return self.kind == "leaf"

    @property
    def text_top(self) -> float:
        """Where the texts begin: at the top, or in the middle if there are few."""
        used = HEAD + LINE * len(self.lines)
        if self.lines and self.strips:
            return self.y
        return self.y + max(0.0, (self.height - STRIP * len(self.strips) - used) / 2)

    @property
    def corner(self) -> float:
        """The radius of its corners."""
        return 10.0 if self.is_leaf else 6.0


@dataclass(eq=False)
class Edge:
    """An edge of the graph as it is drawn, or several edges that a collapsed scope makes into one line.

    Attributes:
        name: ``e`` and its number along the order; ``m`` and a number for several edges.
        pill: where it enters its target; None if that is a sheet.
        size: how large the partial is.
        count: how many edges it stands for.
        path: where it runs level: left, right, height.
    """

    name: str
    source: Box | Sheet
    target: Box | Sheet
    pill: Pill | None
    tip: str
    size: float = 0.0
    count: int = 1
    path: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def line_width(self) -> float:
        """How thick its line is: thicker for many edges, at most 4."""
        return min(4.0, 1.25 + 0.4 * math.log2(self.count))

    def points(self) -> list[tuple[float, float]]:
        """The corners of its line: from each to the next it runs level, straight down, or in a curve."""
        if self.is_in_run:
            x = self.target.x + 22
            return [(x, self.source.y + self.source.height), (x, self.target.y)]
        found: list[tuple[float, float]] = []
        for left, right, height in self.path:
            found += [(left, height)] if left == right else [(left, height), (right, height)]
        return found

    @property
    def is_in_run(self) -> bool:
        """Whether it leads to the next row of a run."""
        return isinstance(self.target, Box) and self.target.above is self


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
class Sheet(Item):
    """A scope that is collapsed, or several of the same kind, with what the rest of the picture uses of it.

    Attributes:
        name: ``s`` and a number.
        scopes: the scopes.
        title, lines: its name, and what it contains in numbers.
        boxes: the nodes that others use; empty if they are many.
        leaving: the edges that leave the sheet itself.
    """

    name: str
    scopes: list[tuple[str, ...]]
    title: str
    lines: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arriving: list[Edge] = field(default_factory=list)
    leaving: list[Edge] = field(default_factory=list)

    @property
    def item(self) -> Item:
        return self


@dataclass(eq=False)
class Content:
    """Everything that a picture shows, before it has a place.

    Attributes:
        whole: the items in groups.
        boxes: all boxes, leaves first.
        edges: all edges.
        notes: sentences below the picture.
        on_path: whether the edges are marked, because they are those of paths that were asked for.
        tags: whether there is room for a number at the right of a box for each edge that leaves it.
    """

    whole: Group
    boxes: list[Box]
    edges: list[Edge]
    notes: list[str]
    on_path: bool = False
    tags: bool = False


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
        self.has_gradients = any(what == "grad" for what, _ in rows)
        self._changed = changed_leaves(order)
        self._first: list[int] = []  # of the edges into each node; edges are counted along the order
        count = 0
        for node in order:
            self._first.append(count)
            count += len(node.inputs)

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
            (what, _SIGNS[what] if node.op is None else f"{_SIGNS[what]} {_words(what)}", self._show(of, node))
            for what, of in self._rows
        ]
        text = self.names.label(node).text
        label = f"{text}, {numbers}" + "".join(f", {_words(what)} {shown}" for what, _, shown in strips)
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
            x if isinstance(x, float) else Piece(" … ", CHOICE) if x is above else names.label(x) for x in node.operands
        ]
        shown = [piece(x, self._digits) if isinstance(x, float) else x for x in pieces]
        text = render(node.op.formula_for(count), dict(zip(node.op.names(count), shown, strict=True))).text
        return f"( {text.strip()} )" if text.strip() == "…" else text

    def _numbers(self, node: Value) -> tuple[str, str]:
        """A node's number when it was used, and a remark if it has changed since."""
        changed: Changed | None = self._changed.get(node)
        now = number(node.data, self._digits)
        if changed is None:
            return now, ""
        if not changed.numbers:
            return now, translate("changed since") if changed.certain else translate("changed since?")
        return ", ".join(number(x, self._digits) for x in changed.numbers), translate("now {number}").format(number=now)

    def _show(self, of: Mapping[Value, float], node: Value) -> str:
        return number(of.get(node, 0.0), self._digits)

    def _tip(self, node: Value) -> str:
        """The whole text of a node, with all digits."""
        name = self.names.label(node).text if node.name is None else printable(node.name)
        what = translate("a leaf") if node.op is None else self.names.formula(node).text
        changed = self._changed.get(node)
        numbers = [node.data] if changed is None or not changed.numbers else changed.numbers
        tip = " = ".join(dict.fromkeys((short(name), short(what), ", ".join(map(repr, numbers)))))
        return tip + "".join(f"\n{_words(what)} {of.get(node, 0.0)!r}" for what, of in self._rows)

    def edge(self, source: Box | Sheet, target: Box, node: Value, position: int) -> Edge:
        """The edge to a node from its input at that position."""
        partial = node.partials[position]
        shown = number(partial, self._digits)
        text = f"×{shown}"
        x, z = self.names.label(node.inputs[position]).text, self.names.label(node).text
        number_ = self._first[self.index[node]] + position
        edge = Edge(f"e{number_}", source, target, new_pill(text), f"∂({z})/∂({x}) = {partial!r}", abs(partial))
        assert edge.pill is not None
        edge.pill.edges.append(edge)
        return edge


def new_pill(text: str) -> Pill:
    """A pill as wide as its text needs."""
    return Pill(text, max(PILL_WIDTH, math.ceil(width(text, PILL) + 10)))


_SIGNS = {"grad": "◂", "tangent": "▸"}


def _words(what: str) -> str:
    return translate("grad") if what == "grad" else translate("tangent")


def short(text: str) -> str:
    """A text of bearable length."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _narrowest(formula: str, room: float) -> float:
    """The room that a formula needs in two lines, at most that of the widest box."""
    while room < WIDE - 2 * SIDE and any(line.is_cut for line in wrapped(formula, room, FORMULA)):
        room += 8
    return min(room, WIDE - 2 * SIDE)


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
