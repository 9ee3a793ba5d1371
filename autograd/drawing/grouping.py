"""Which operations stand together: in a scope, in a collapsed scope, or below each other in a run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ArgumentError
from ..language import scope_name, translate
from ..value import Value
from .boxes import Group, Item, Sheet, ancestors

LONG = 8  # a run of more operations continues in another column
PARTS = 8  # so many scopes are made for a graph that has too few
MANY = 8  # so many collapsed scopes of one kind stand side by side; more become one
Key = tuple[Hashable, ...]


@dataclass
class Nodes:
    """The nodes of a graph that are drawn.

    Attributes:
        order: all nodes of the graph; the others are numbers of this order.
        shown: those that are drawn.
        inputs: of each operation that is drawn, the operations among its inputs.
        users: of each node that is drawn, the operations that use it, once for each edge.
        scopes: the scope of each operation that is drawn.
    """

    order: Sequence[Value]
    index: Mapping[Value, int]
    shown: Sequence[int]
    inputs: dict[int, list[int]] = field(init=False)
    users: dict[int, list[int]] = field(init=False)
    scopes: dict[int, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.users = {k: [] for k in self.shown}
        self.inputs, self.scopes = {}, {}
        for k in self.shown:
            node = self.order[k]
            if node.op is None:
                continue
            self.scopes[k] = node.scope
            own = self.inputs[k] = []
            for x in node.inputs:
                j = self.index[x]
                if j in self.users:
                    self.users[j].append(k)
                    if x.op is not None:
                        own.append(j)


def groups(nodes: Nodes) -> tuple[Group, dict[int, Group]]:
    """The groups of a graph, and the innermost group of each operation.

    A scope that is left and entered again becomes several groups, so that no group both feeds another and uses it.
    """
    whole = Group(())
    group_of: dict[int, Group] = {}
    waiting: list[tuple[Group, list[int]]] = [(whole, list(nodes.inputs))]
    while waiting:
        group, members = waiting.pop()
        depth = len(group.scope)
        keys: dict[int, Key] = {}
        for k in members:
            scope = nodes.scopes[k]
            keys[k] = (scope[depth],) if len(scope) > depth else (None, k)
        inner: dict[Key, tuple[Group, list[int]]] = {}
        for k, key in _without_cycles(nodes, keys).items():
            if key[0] is None:
                group_of[k] = group
                continue
            if key not in inner:
                inner[key] = Group((*group.scope, str(key[0]))), []
                group.add(inner[key][0])
            inner[key][1].append(k)
        waiting += inner.values()
    return whole, group_of


def _without_cycles(nodes: Nodes, keys: dict[int, Key]) -> dict[int, Key]:
    """The same parts of a group, with those that depend on each other divided further."""
    if all(key[0] is None for key in keys.values()):
        return keys
    pairs = [(keys[j], keys[k]) for k in keys for j in nodes.inputs[k] if j in keys]
    free = _free(keys.values(), pairs)
    turns: dict[int, int] = {}  # how often the way to a node went from one part to another
    for k, key in keys.items():
        if key not in free:
            turns[k] = max((turns[j] + (keys[j] != key) for j in nodes.inputs[k] if j in turns), default=0)
    return {k: (*key, turns[k]) if k in turns and key[0] is not None else key for k, key in keys.items()}


def _free(parts: Iterable[Hashable], pairs: Iterable[tuple[Hashable, Hashable]]) -> set[Hashable]:
    """The parts that do not depend on a cycle of parts."""
    follow: dict[Hashable, set[Hashable]] = {part: set() for part in parts}
    waits = dict.fromkeys(follow, 0)
    for a, b in pairs:
        if a != b and b not in follow[a]:
            follow[a].add(b)
            waits[b] += 1
    ready = [part for part, n in waits.items() if n == 0]
    for part in ready:  # grows
        for then in follow[part]:
            waits[then] -= 1
            if waits[then] == 0:
                ready.append(then)
    return set(ready)


# Collapsed scopes ----------------------------------------------------------------------------------------------------


def within(whole: Group) -> list[Group]:
    """The groups inside a group, outer ones first."""
    found = [whole]
    for group in found:  # grows
        found += [item for item in group.items if isinstance(item, Group)]
    return found[1:]


def to_depth(whole: Group, depth: int) -> list[Group]:
    """The groups to collapse so that scopes are open down to a depth; 0 collapses all."""
    return [group for group in within(whole) if len(group.scope) == depth + 1]


def by_distance(nodes: Nodes, least: int) -> set[tuple[str, ...]]:
    """Put operations of about the same depth, counted from the leaves, into scopes, which the user's are parts of.

    Args:
        nodes: the nodes, whose scopes are changed.
        least: how many operations and leaves are worth a scope.

    Returns:
        the scopes made.
    """
    nodes.scopes = {k: nodes.order[k].scope for k in nodes.inputs}
    depth: dict[int, int] = {}
    for k, inputs in nodes.inputs.items():
        depth[k] = 1 + max([depth[j] for j in inputs], default=0)
    deepest = max(depth.values(), default=1)
    size = math.ceil(deepest / PARTS)
    members: dict[int, list[int]] = {}
    for k, n in depth.items():
        members.setdefault((n - 1) // size, []).append(k)
    made: set[tuple[str, ...]] = set()
    for part, ks in members.items():
        if len(ks) + sum(len(nodes.order[k].inputs) - len(nodes.inputs[k]) for k in ks) < least:
            continue
        first, last = part * size + 1, min((part + 1) * size, deepest)
        title = translate("depth {n}").format(n=first)
        if first < last:
            title = translate("depths {n} to {m}").format(n=first, m=last)
        made.add((title,))
        nodes.scopes.update({k: (title, *nodes.scopes[k]) for k in ks})
    return made


def by_name(whole: Group, names: str | Iterable[str | tuple[str, ...]]) -> list[Group]:
    """The groups of these names, or of these tuples of names from the outermost scope on."""
    wanted = {names} if isinstance(names, str) else set(names)
    found = [group for group in within(whole) if group.scope[-1] in wanted or group.scope in wanted]
    missing = wanted - {group.scope[-1] for group in found} - {group.scope for group in found}
    if missing:
        there = list(dict.fromkeys(group.scope[-1] for group in within(whole)))
        raise ArgumentError(
            f"this graph has no scope {min(map(str, missing))!r} to collapse; "
            f"its scopes are {', '.join(map(repr, there[:10]))}{', …' if len(there) > 10 else ''}"
            if there
            else "this graph has no scopes to collapse; record it inside 'with scope(name):'"
        )
    return found


def sheets(nodes: Nodes, group_of: Mapping[int, Group], closed: Iterable[Group]) -> dict[Group, Sheet]:
    """The sheet that each collapsed group is drawn as; many of one kind, such as steps 1 to 50, are one sheet."""
    outer: dict[Group, None] = {}
    for group in closed:
        if not any(x in outer for x in ancestors(group)[:-1]):
            outer[group] = None
    kinds: dict[tuple[Group | None, str], list[Group]] = {}
    for group in outer:
        kinds.setdefault((group.parent, re.sub(r"\d+$", "", group.scope[-1])), []).append(group)
    own: dict[Group, list[int]] = {}
    if any(len(members) > MANY for members in kinds.values()):
        for k, group in group_of.items():
            own.setdefault(group, []).append(k)
    found: dict[Group, Sheet] = {}
    count = 0
    for (parent, _), members in kinds.items():
        folds = parent is not None and len(members) > MANY and _can_fold(nodes, own, parent, set(members))
        for some in [members] if folds else [[group] for group in members]:
            first, last = some[0].scope[-1], some[-1].scope[-1]
            title = scope_name(first) if first == last else f"{scope_name(first)} … {scope_name(last)}"
            found.update(dict.fromkeys(some, Sheet(f"s{count}", [group.scope for group in some], title)))
            count += 1
    return found


def _can_fold(nodes: Nodes, own: Mapping[Group, Sequence[int]], parent: Group, members: set[Group]) -> bool:
    """Whether some parts of a group can be drawn as one: nothing outside both depends on them and is used by them."""
    part: dict[int, Hashable] = {k: k for k in own.get(parent, ())}
    for item in parent.items:
        if isinstance(item, Group):
            for group in [item, *within(item)]:
                part.update(dict.fromkeys(own.get(group, ()), None if item in members else item))
    pairs = [(part[j], part[k]) for k in part for j in nodes.inputs[k] if j in part]
    return len(_free(part.values(), pairs)) == len(set(part.values()))


def put(found: Mapping[Group, Sheet]) -> None:
    """Put sheets in the place of the groups."""
    for parent in {group.parent: None for group in found}:
        assert parent is not None
        items: dict[Item, None] = {}
        for item in parent.items:
            sheet = found.get(item) if isinstance(item, Group) else None
            items[sheet or item] = None
            if sheet is not None:
                sheet.parent = parent
        parent.items = list(items)


def holders(group_of: Mapping[int, Group], found: Mapping[Group, Sheet]) -> dict[int, Sheet]:
    """The sheet of every operation that is inside one."""
    sheet_of: dict[Group, Sheet | None] = {}
    inside: dict[int, Sheet] = {}
    for k, group in group_of.items():
        if group not in sheet_of:
            sheet_of[group] = next((found[x] for x in ancestors(group) if isinstance(x, Group) and x in found), None)
        sheet = sheet_of[group]
        if sheet is not None:
            inside[k] = sheet
    return inside


# Runs ----------------------------------------------------------------------------------------------------------------


def runs(nodes: Nodes, group_of: Mapping[int, Group], is_open: Callable[[int], bool]) -> list[tuple[list[int], Group]]:
    """The operations in runs: a node follows the one input that it alone uses; of several, the longest chain."""
    behind: dict[int, int] = {}
    run_of: dict[int, list[int]] = {}
    found: list[tuple[list[int], Group]] = []
    for k, inputs in nodes.inputs.items():
        if not is_open(k):
            continue
        behind[k] = 1 + max((behind.get(j, 0) for j in inputs), default=0)
        alone = [j for j in inputs if j in run_of and nodes.users[j] == [k] and group_of[j] is group_of[k]]
        longest = max((behind[j] for j in alone), default=0)
        before = [j for j in alone if behind[j] == longest]
        if len(before) == 1:
            run_of[k] = run_of[before[0]]
            run_of[k].append(k)
        else:
            run_of[k] = [k]
            found.append((run_of[k], group_of[k]))
    parts: list[tuple[list[int], Group]] = []
    for run, group in found:
        columns = math.ceil(len(run) / max(LONG, math.isqrt(3 * len(run))))
        size = math.ceil(len(run) / columns)
        parts += [(run[a : a + size], group) for a in range(0, len(run), size)]
    return parts
