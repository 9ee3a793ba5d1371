"""The sweeps through loops: each derivative of a loop is a loop.

Forward: the loop gets a further number of its state for each tangent of its state, so that value and tangent are
computed together. Reverse: a second loop goes through the steps in the opposite order. Its body is a copy of the body,
on the states before each step, which the loop stacks for it, and the reverse sweep through that copy. Its state is the
adjoint of the state, and for each number from outside the sum of what arrives there. It is made once for a loop:
further sweeps add to it what they need.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..graph import depending
from ..higher import Combine, Compound, Linear, forward, is_plainly, reverse
from .traced import Traced

if TYPE_CHECKING:
    from .loops import Loop


class _Stack(Compound):
    """A stack: its adjoint is a list of stacks and of adjoints of single elements."""

    __slots__ = ()

    def __init__(self, name: str, is_number: bool = False) -> None:
        super().__init__(name, "*xs", "", (), lambda m: _no_rule, group=lambda operands: (operands,), samples=())
        self.is_number = is_number


def _no_rule(*operands: Any) -> Any:
    raise TypeError("a loop is no operation on numbers")


class _Part(_Stack):
    """The last number of the state of a loop, or one element of a stack: ``detail`` tells which."""

    __slots__ = ()

    def pull(self, node: Any, adjoints: Any, keys: Any, depends: Any, combine: Any) -> Iterable[tuple[Any, Any, Any]]:
        if not is_plainly(adjoints[0], 0.0):
            yield node.operands[0], adjoints[0], node.detail

    def push(self, node: Any, tangents: Mapping[Any, Any], combine: Combine) -> Any:
        from .loops import element

        found = tangents[node.operands[0]]
        if node.op is PART:
            return found.last(node.detail, tangents)
        return 0.0 if found is None else element(found, node.detail)


class _Pack(_Stack):
    """Numbers made into a stack."""

    __slots__ = ()

    def pull(self, node: Any, adjoints: Any, keys: Any, depends: Any, combine: Any) -> Iterable[tuple[Any, Any, Any]]:
        from .loops import element

        for adjoint, key in zip(adjoints, keys, strict=True):
            for k, x in enumerate(node.operands):
                if type(x) is Traced and x in depends and key in (None, k):
                    found = element(adjoint, k) if key is None else adjoint
                    if not is_plainly(found, 0.0):
                        yield x, found, 1.0

    def push(self, node: Any, tangents: Mapping[Any, Any], combine: Combine) -> Any:
        from .loops import packed

        return packed(node.recording, [tangents.get(x, 0.0) if type(x) is Traced else 0.0 for x in node.operands])


class _Stacked(_Stack):
    """What a loop stacks. Adjoints of single elements become one stack."""

    __slots__ = ()

    def pull(self, node: Any, adjoints: Any, keys: Any, depends: Any, combine: Any) -> Iterable[tuple[Any, Any, Any]]:
        for stack in whole_stacks(node, adjoints, keys, combine):
            yield node.operands[0], stack, ("stack", node.detail)

    def push(self, node: Any, tangents: Mapping[Any, Any], combine: Combine) -> Any:
        return tangents[node.operands[0]].stack(node.detail, tangents)


def whole_stacks(stack: Traced, adjoints: Sequence[Any], keys: Sequence[Any], combine: Combine) -> list[Traced]:
    """The adjoints of a stack, as stacks."""
    from .loops import height, packed

    found = [adjoint for adjoint, key in zip(adjoints, keys, strict=True) if key is None]
    single: dict[int, list[Any]] = {}
    for adjoint, key in zip(adjoints, keys, strict=True):
        if key is not None:
            single.setdefault(key, []).append(adjoint)
    if single:
        parts = [combine(single[k], [1.0] * len(single[k])) if k in single else 0.0 for k in range(height(stack))]
        found.append(packed(stack.recording, parts))
    return found


class _Loop(_Stack):
    """A loop."""

    __slots__ = ()

    def pull(
        self, node: Any, adjoints: list[Any], keys: list[Any], depends: Container[Any], combine: Combine
    ) -> Iterable[tuple[Any, Any, Any]]:
        from .loops import Loop, copy_nodes, element, height, packed

        loop: Loop = node.detail
        last = {key: x for x, key in zip(adjoints, keys, strict=True) if type(key) is int}
        stacks: dict[int, list[Traced]] = {}
        for x, key in zip(adjoints, keys, strict=True):
            if type(key) is tuple:
                stacks.setdefault(key[1], []).append(x)
        body, outside = loop.body()
        varying = _varying(loop, body, _sources(loop, outside, depends))
        arriving = _reached(loop, last, stacks)
        # The loop in the opposite direction: of an earlier sweep, if nothing here depends on it.
        arrived = [*last.values(), *(x for own in stacks.values() for x in own)]
        if loop.reverse is None or not loop.reverse[0].may_read(arrived):
            loop.reverse = Loop(loop.recording, loop.length, not loop.backward, loop.counted), {}
        back, copied = loop.reverse
        states = [j for j, x in enumerate(loop.states) if x in varying and j in arriving]
        numbers = [x for x in outside if x in varying and not _is_stack(x)]
        outer_stacks = [x for x in outside if x in varying and _is_stack(x)]
        for state in loop.states:
            if state not in copied:
                copied[state] = back.step(loop.stack(state))
        for source, step in zip(loop.sources, loop.steps, strict=True):
            if step not in copied:
                copied[step] = back.step(source)
        seeds: dict[Any, tuple[list[Any], list[Any]]] = {}

        def arrive(x: Any, adjoint: Any) -> None:
            seeds.setdefault(x, ([], []))[0].append(adjoint)
            seeds[x][1].append(1.0)

        first = {j: len(back.states) + k for k, j in enumerate(states)}
        for j in states:
            back.state(last.get(j, 0.0), "adjoint")
        sums = {x: len(back.states) + k for k, x in enumerate(numbers)}
        for x in numbers:
            arrive(x, back.state(0.0, "sum"))
        sums_of_stacks = {}
        for x in outer_stacks:
            sums_of_stacks[x] = range(len(back.states), len(back.states) + height(x))
            for k in range(height(x)):
                back.state(0.0, f"sum {k}")
        steps = {k: [back.step(x) for x in own] for k, own in stacks.items()}
        with back.open():
            copy_nodes(body, copied)
            for j, number in first.items():
                if type(loop.nexts[j]) is Traced:
                    arrive(copied.get(loop.nexts[j], loop.nexts[j]), back.states[number])
            for k, own in steps.items():
                if type(loop.outs[k]) is Traced:
                    for x in own:
                        arrive(copied.get(loop.outs[k], loop.outs[k]), x)
            wanted = [copied[loop.states[j]] for j in states]
            sources = [k for k, x in enumerate(loop.steps) if x in varying]
            wanted_steps = [copied[loop.steps[k]] for k in sources]
            order = [*outside, *map(copied.__getitem__, (*loop.states, *loop.steps, *body))]
            wrt = [*wanted, *wanted_steps, *numbers, *outer_stacks]
            found: list[Any] = reverse(order, wrt, combine=combine, seeds=seeds)
            parts = iter(found)
            for j in states:
                back.nexts[first[j]] = next(parts)
            outs = [next(parts) for _ in sources]
            for x in numbers:
                back.nexts[sums[x]] = next(parts)
            for x in outer_stacks:
                of_stack = next(parts)
                own = whole_stacks(x, of_stack[0], of_stack[1], combine) if isinstance(of_stack, tuple) else []
                for k, number in enumerate(sums_of_stacks[x]):
                    terms = [back.states[number], *(element(stack, k) for stack in own)]
                    back.nexts[number] = combine(terms, [1.0] * len(terms))
            made = [back.out(x) for x in outs]
        for j in states:
            if type(loop.starts[j]) is Traced and loop.starts[j] in depends:
                yield loop.starts[j], back.part(first[j]), 1.0
        for k, number in zip(sources, made, strict=True):
            yield loop.sources[k], back.stacked(number), None
        for x in numbers:
            yield x, back.part(sums[x]), 1.0
        for x in outer_stacks:
            yield x, packed(loop.recording, [back.part(number) for number in sums_of_stacks[x]]), None

    def push(self, node: Any, tangents: Mapping[Any, Any], combine: Combine) -> Any:
        return _Tangents(node.detail, combine)


class _Tangents:
    """The tangents of a loop's results: added to the loop when they are asked for.

    Args:
        loop: the loop.
        combine: adds up tangents times partials.
    """

    def __init__(self, loop: Loop, combine: Combine) -> None:
        self._own, self._combine = loop, combine
        self._known: dict[Any, Any] = {}  # the tangents of what the loop reads
        self._begin(loop)

    def _begin(self, loop: Loop) -> None:
        self._loop = loop
        self._numbers: dict[int, int] = {}  # for each number of the state, which one its tangent is
        self._inside: dict[Any, Any] = {}  # the tangents of the body's nodes

    def last(self, number: int, tangents: Mapping[Any, Any]) -> Any:
        """The tangent of the last number of the state, given those of all that it depends on."""
        self._add([number], [], tangents)
        found = self._numbers.get(number)
        return 0.0 if found is None else self._loop.part(found)

    def stack(self, number: int, tangents: Mapping[Any, Any]) -> Any:
        """The tangent of a stack; None if it does not vary."""
        self._add([], [number], tangents)
        found = _known(self._inside, self._loop.outs[number])
        return None if found is None or is_plainly(found, 0.0) else self._loop.stack(found)

    def _add(self, last: Sequence[int], stacks: Sequence[int], tangents: Mapping[Any, Any]) -> None:
        self._known.update((x, tangents[x]) for x in self._own.node.operands if _moves(x, tangents))
        if not self._loop.may_read(list(self._known.values())):
            self._begin(self._own.copy({}))
        loop = self._loop
        self._inside.update(self._known)
        body, outside = loop.body()
        varying = _varying(loop, body, _sources(loop, outside, self._known))
        reached = _reached(loop, last, stacks)
        fresh = [j for j, x in enumerate(loop.states) if j in reached and x in varying and j not in self._numbers]
        for j in fresh:
            self._numbers[j] = len(loop.states)
            self._inside[loop.states[j]] = loop.state(self._known.get(loop.starts[j], 0.0), "tangent")
        for source, step in list(zip(loop.sources, loop.steps, strict=True)):
            if source in self._known and step not in self._inside:
                self._inside[step] = loop.step(self._known[source])
        used = _used(loop, reached, stacks)
        with loop.open():
            self._inside = forward([x for x in body if x in used], self._inside, self._combine)
            for j in fresh:
                moved = _known(self._inside, loop.nexts[j])
                loop.nexts[self._numbers[j]] = 0.0 if moved is None else moved


def _is_stack(x: Traced) -> bool:
    return x.op in (PACK, STACK)


def _known(found: Mapping[Any, Any], x: Linear) -> Any:
    return found.get(x) if type(x) is Traced else None


def _moves(x: Linear, tangents: Mapping[Any, Any]) -> bool:
    found = _known(tangents, x)
    return found is not None and not is_plainly(found, 0.0) and not isinstance(found, _Tangents)


def _sources(loop: Loop, outside: Sequence[Traced], given: Container[Any]) -> list[Traced]:
    """What varies in the first step with the given nodes: placeholders, and nodes from outside."""
    first = [*zip(loop.starts, loop.states, strict=True), *zip(loop.sources, loop.steps, strict=True)]
    found = [x for start, x in first if type(start) is Traced and start in given]
    return found + [x for x in outside if x in given and x.op is not LOOP]


def _varying(loop: Loop, body: Sequence[Traced], sources: Sequence[Traced]) -> set[Any]:
    """The nodes that vary with the sources, in some step."""
    found = set(sources)
    while True:
        every: set[Any] = depending(body, found)
        pairs = zip(loop.states, loop.nexts, strict=True)
        more = [x for x, then in pairs if type(then) is Traced and then in every and x not in every]
        if not more:
            return every
        found.update(more)


def _reached(loop: Loop, last: Iterable[int], stacks: Iterable[int]) -> set[int]:
    """The numbers of the state on which some last numbers of the state, or some stacks, depend in some step."""
    found, stacks = set(last), list(stacks)
    while True:
        used = _used(loop, found, stacks)
        more = {j for j, x in enumerate(loop.states) if x in used} - found
        if not more:
            return found
        found |= more


def _used(loop: Loop, states: Iterable[int], stacks: Iterable[int]) -> set[Any]:
    """The nodes on which the next numbers of the state, or stacks, depend in one step.

    What has been added to loops inside this one for other sweeps is left out.
    """
    stack: list[Any] = [*(loop.nexts[j] for j in states), *(loop.outs[k] for k in stacks)]
    used: set[Any] = set()
    while stack:
        node = stack.pop()
        if type(node) is not Traced or node in used or node.within is None or node.within.depth < loop.depth:
            continue
        used.add(node)
        own = node.within
        if node.op in (PART, STACK):
            inner = node.operands[0].detail  # type: ignore[union-attr]
            used.add(inner.node)
            stack.append((inner.states if node.op is PART else inner.outs)[node.detail])
        elif node.detail is not own:
            stack += node.operands
        elif own is not loop:
            kind, number = node.which_input  # type: ignore[misc]
            stack += (own.starts[number], own.nexts[number]) if kind == "state" else (own.sources[number],)
    return used


LOOP, PART, ELEMENT = _Loop("loop"), _Part("last", True), _Part("element", True)
STACK, PACK = _Stacked("stack"), _Pack("pack")
