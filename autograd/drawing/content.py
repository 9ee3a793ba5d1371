"""Reads from a graph what its picture shows: runs and collapsed scopes in groups, leaves beside them, edges between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from ..language import translate
from ..value import Value
from .boxes import Box, Chip, Content, Edge, Group, Item, Reader, Run, Sheet, ancestors, meeting, new_pill
from .grouping import Nodes, runs
from .writing import number

FEW = 4  # so many nodes that others use keep their box in a collapsed scope
NEAR = 3  # so many columns away a leaf is drawn again
MOST = 8  # a row with more inputs shows the largest partials
ASIDE = 8  # if a collapsed scope alone uses more leaves, they are collapsed with it


class Assembly:
    """Puts the parts of a picture together.

    Args:
        reader: reads boxes from nodes.
        nodes: the nodes that are drawn.
        whole: the groups.
        group_of: the innermost group of each operation.
        inside: the collapsed scope of each operation that is in one.
        digits: significant digits.
    """

    def __init__(
        self,
        reader: Reader,
        nodes: Nodes,
        whole: Group,
        group_of: Mapping[int, Group],
        inside: Mapping[int, Sheet],
        digits: int,
    ) -> None:
        self._reader, self._nodes, self._whole = reader, nodes, whole
        self._group_of, self._inside, self._digits = group_of, inside, digits
        self._boxes: dict[int, Box] = {}
        self._above: dict[Box, Box] = {}  # the box above each box of a run
        self._chips: list[Box] = []
        self._edges: list[Edge] = []
        self._merged: dict[tuple[Box | Sheet, Sheet], Edge] = {}

    def content(self) -> Content:
        """Everything that the picture shows."""
        self._add_runs()
        aside = leaves_aside(self._nodes, self._inside)
        self._describe_sheets(aside)
        uses: list[tuple[int, int, int]] = []  # leaf, user, position
        for k in self._nodes.inputs:
            for position, x in enumerate(self._nodes.order[k].inputs):
                j = self._nodes.index[x]
                if j not in self._nodes.users:
                    continue
                if x.op is None:
                    if j not in aside:
                        uses.append((j, k, position))
                elif k not in self._inside or self._inside.get(j) is not self._inside[k]:
                    self._connect(self._boxes.get(j) or self._inside[j], k, position)
        _set_columns(self._whole, self._edges)
        self._add_leaves(uses)
        for box in self._boxes.values():
            _shorten_pills(box)
        edges = sorted(self._edges, key=_by_number)
        return Content(self._whole, [*self._chips, *self._boxes.values()], edges, [])

    def _add_runs(self) -> None:
        order = self._nodes.order
        for run, group in runs(self._nodes, self._group_of, lambda k: k not in self._inside):
            made = Run([])
            above: Value | None = None
            for k in run:
                box = self._reader.box(order[k], above)
                self._boxes[k], box.item, above = box, made, order[k]
                if made.boxes:
                    self._above[box] = made.boxes[-1]
                made.boxes.append(box)
            group.add(made)

    def _describe_sheets(self, aside: Mapping[int, Sheet]) -> None:
        """Count what is in every sheet, and give it the boxes of the nodes that others use."""
        nodes, inside = self._nodes, self._inside
        roots = self._reader.roots
        members: dict[Sheet, list[int]] = {}
        for k, sheet in inside.items():
            members.setdefault(sheet, []).append(k)
        leaves: dict[Sheet, int] = {}
        for sheet in aside.values():
            leaves[sheet] = leaves.get(sheet, 0) + 1
        for sheet, ks in members.items():
            ks.sort()
            edges = sum(len(nodes.order[k].inputs) for k in ks)
            n = translate("{count} node", "{count} nodes", len(ks)).format(count=len(ks))
            m = translate("{count} edge", "{count} edges", edges).format(count=edges)
            sheet.lines.append(f"{n} · {m}")
            if sheet in leaves:
                own = leaves[sheet]
                sheet.lines.append(translate("with {count} leaf", "with {count} leaves", own).format(count=own))
            used = [k for k in ks if nodes.order[k] in roots or any(inside.get(u) is not sheet for u in nodes.users[k])]
            if len(used) <= FEW:
                for k in used:
                    box = self._boxes[k] = self._reader.box(nodes.order[k])
                    box.lines, box.item = [], sheet
                    sheet.boxes.append(box)
            else:
                sheet.lines.append(self._flow([nodes.order[k] for k in used]))

    def _flow(self, outputs: list[Value]) -> str:
        """How many nodes are used outside, and the sum of the gradients that flow in through them."""
        count, text = len(outputs), ""
        if outputs[0].op is not None:
            text = translate("{count} output", "{count} outputs", count).format(count=count)
        if not self._reader.has_gradients:
            return text
        total = sum(abs(node.grad) for node in outputs)
        return f"{text}, Σ|{translate('grad')}| {number(total, self._digits)}".removeprefix(", ")

    def _connect(self, source: Box | Sheet, user: int, position: int) -> None:
        """Draw one edge, or count it with those that lead from the same place into the same collapsed scope."""
        sheet = self._inside.get(user)
        if sheet is not None:
            edge = self._merged.get((source, sheet))
            if edge is not None:
                edge.count += 1
                return
            edge = Edge(f"m{len(self._edges)}", source, sheet, None, "")
            self._merged[source, sheet] = edge
            sheet.arriving.append(edge)
        else:
            target = self._boxes[user]
            edge = self._reader.edge(source, target, self._nodes.order[user], position)
            assert edge.pill is not None
            if self._above.get(target) is source:
                target.above = edge
                self._edges.append(edge)
                return
            target.pills.append(edge.pill)
        source.leaving.append(edge)
        self._edges.append(edge)

    def _add_leaves(self, uses: Iterable[tuple[int, int, int]]) -> None:
        """Put every leaf beside the operations that use it, again where it is used much further on."""
        places: dict[int, list[tuple[int, int, int, Group]]] = {}  # of each leaf: column, user, position, group
        for leaf, user, position in self._gathered(list(uses)):
            item = self._inside[user] if user in self._inside else self._boxes[user].item
            home, part = _home(item)
            places.setdefault(leaf, []).append((part.column, user, position, home))
        for k in self._nodes.shown:
            if self._nodes.order[k].op is None and not self._nodes.users[k]:
                self._add_chip(k, 1, self._whole, 0)
        for k, found in sorted(places.items()):
            chips: list[Chip] = []
            for column, user, position, home in sorted(found, key=lambda place: place[:3]):
                near = [chip for chip in chips if chip.parent is home and column - chip.column <= NEAR]
                if not near:
                    near = [self._add_chip(k, len(chips) + 1, home, column - 1)]
                    chips += near
                self._connect(near[-1].box, user, position)

    def _gathered(self, uses: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Draw the leaves with the smallest partials of a row with very many inputs as one; the uses that remain."""
        order = self._nodes.order
        used: dict[int, int] = {}
        of_row: dict[int, list[tuple[int, int, int]]] = {}
        for use in uses:
            used[use[0]] = used.get(use[0], 0) + 1
            if len(order[use[1]].inputs) > MOST and use[1] in self._boxes and use[1] not in self._inside:
                of_row.setdefault(use[1], []).append(use)
        gathered: set[tuple[int, int, int]] = set()
        for user, own in of_row.items():
            sizes = [abs(partial) for partial in order[user].partials]
            largest = sorted(range(len(sizes)), key=lambda position: -sizes[position])[: MOST - 1]
            small = [use for use in own if use[2] not in largest and used[use[0]] == 1]
            if len(small) < 2:
                continue
            box = self._boxes[user]
            home, part = _home(box.item)
            count = len(small)
            title = translate("{count} leaf", "{count} leaves", count).format(count=count)
            sheet = Sheet(f"s-{box.number}", [], title)
            sheet.lines.append(self._flow([order[leaf] for leaf, _, _ in small]))
            sheet.column = part.column - 1
            home.add(sheet)
            edge = Edge(f"m{len(self._edges)}", sheet, box, new_pill(f"+{count}"), "", -1.0, count)
            assert edge.pill is not None
            edge.pill.edges.append(edge)
            box.pills.append(edge.pill)
            sheet.leaving.append(edge)
            self._edges.append(edge)
            gathered.update(small)
        return [use for use in uses if use not in gathered]

    def _add_chip(self, leaf: int, copy: int, home: Group, column: int) -> Chip:
        chip = Chip(self._reader.box(self._nodes.order[leaf], copy=copy))
        chip.box.item = chip
        chip.column = column
        home.add(chip)
        self._chips.append(chip.box)
        return chip


def leaves_aside(nodes: Nodes, inside: Mapping[int, Sheet]) -> dict[int, Sheet]:
    """The leaves that are collapsed with the scope that uses them.

    These are those that it alone uses, if there are many; but those that it uses more than once, such as the inputs of
    a layer, only if these are many too.
    """
    own: dict[Sheet, list[int]] = {}
    for k in nodes.shown:
        if nodes.order[k].op is None and nodes.users[k]:
            found = {inside.get(user) for user in nodes.users[k]}
            sheet = found.pop()
            if sheet is not None and not found:
                own.setdefault(sheet, []).append(k)
    aside: dict[int, Sheet] = {}
    for sheet, leaves in own.items():
        if len(leaves) > ASIDE:
            often = [k for k in leaves if len(nodes.users[k]) > 1]
            kept = set(often) if len(often) <= ASIDE else set()
            aside.update({k: sheet for k in leaves if k not in kept})
    return aside


def _by_number(edge: Edge) -> tuple[str, int]:
    return edge.name[0], int(edge.name[1:])


def _shorten_pills(box: Box) -> None:
    """Keep the largest partials of a row with very many inputs."""
    box.pills.sort(key=lambda pill: _by_number(pill.edges[0]))
    if len(box.pills) <= MOST:
        return
    largest = sorted(box.pills, key=lambda pill: -pill.edges[0].size)[: MOST - 1]
    others = [pill for pill in box.pills if pill not in largest]
    rest = new_pill(f"+{sum(edge.count for pill in others for edge in pill.edges)}")
    for pill in others:
        for edge in pill.edges:
            edge.pill = rest
            rest.edges.append(edge)
    box.pills = [*(pill for pill in box.pills if pill in largest), rest]


# Columns -------------------------------------------------------------------------------------------------------------


def _set_columns(whole: Group, edges: Iterable[Edge]) -> None:
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


def _home(item: Item) -> tuple[Group, Item]:
    """The group in which the leaves of an operation stand, and the part of it that contains the operation.

    It is the whole picture, or the innermost group that consists of groups which follow each other.
    """
    chain = ancestors(item)
    home, part = chain[0], chain[1]
    for group, inner in pairwise(chain[1:]):
        assert isinstance(group, Group)
        if len({x.column for x in group.items if isinstance(x, Group | Sheet)}) < 2:
            break
        home, part = group, inner
    assert isinstance(home, Group)
    return home, part
