"""Loops of a recording: the body of ``scan`` and ``while_loop`` is recorded once, with placeholders for what changes.

A ``Loop`` has a node in the graph, whose operands are all that the loop reads from outside. Its results are nodes on
that node: the last numbers of the state, and *stacks*, each of which holds what the body computed in every step. The
body consists of ordinary nodes, which depend on the placeholders. What does not depend on them is outside the loop.

Further states, steps and stacks can be added to a loop later: this is how derivatives share the loop with the value
(see ``loop_rules``). Those that nothing needs are left out of the program.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, overload

from .. import context
from ..functions import where
from ..higher import Linear
from .loop_rules import ELEMENT, LOOP, PACK, PART, STACK
from .recording import Recording
from .traced import Traced

BUDGET = 2**28  # bytes that the states which a reverse sweep needs may take
VECTOR = 64  # bytes that one of them takes


class Loop:
    """A loop of a recording.

    Attributes:
        node: stands for the loop in the graph.
        depth: how many loops are around its body, itself included.
        length: how many steps there are, at most.
        backward: whether it begins at the last step.
        counted: tells how many steps are taken: a number, or the node of a loop that takes as many, which is this one
            if it may end early; None for ``length`` steps.
        active: the condition in its body without which it ends before the next step.
        starts, states, nexts: for each number of the state the first one, its placeholder, and the next one.
        sources, steps: the stacks that it goes through, and the placeholder for the element of each at a step.
        outs: the numbers of the body that are stacked.
        reverse: the loop of the reverse sweep, and the nodes of this body's copy there.
    """

    def __init__(
        self, recording: Recording, length: int, backward: bool = False, counted: Traced | None = None
    ) -> None:
        self.recording, self.length, self.backward, self.counted = recording, length, backward, counted
        self.depth = len(recording.open) + 1
        self.active: Traced | None = None
        self.starts: list[Linear] = []
        self.states: list[Traced] = []
        self.nexts: list[Linear] = []
        self.sources: list[Traced] = []
        self.steps: list[Traced] = []
        self.outs: list[Linear] = []
        self.reverse: tuple[Loop, dict[Any, Any]] | None = None
        self._parts: dict[int, Traced] = {}
        self._stacks: dict[int, Traced] = {}
        self._is_recorded = context.state().recording
        self.node = Traced(recording, None, None)
        self.node.origin, self.node.detail = (LOOP, None, ()), self
        recording.has_loops = True

    @contextmanager
    def open(self) -> Iterator[None]:
        """The body is recorded inside this block; after it the loop knows what it reads from outside."""
        self.recording.open.append(self)
        try:
            yield
        finally:
            self.recording.open.pop()
        self._finish()

    def state(self, start: Linear, name: str = "state") -> Traced:
        """A further number of the state; set its ``nexts`` inside the body."""
        placeholder = self._placeholder("state", len(self.states), name)
        self.starts.append(start)
        self.states.append(placeholder)
        self.nexts.append(0.0)
        return placeholder

    def step(self, source: Traced) -> Traced:
        """The element of a stack at a step."""
        for known, placeholder in zip(self.sources, self.steps, strict=True):
            if known is source:
                return placeholder
        placeholder = self._placeholder("step", len(self.steps), "step")
        self.sources.append(source)
        self.steps.append(placeholder)
        return placeholder

    def _placeholder(self, kind: str, number: int, name: str) -> Traced:
        node = Traced(self.recording, (kind, number), name)
        node.within = node.detail = self
        return node

    def out(self, x: Linear) -> int:
        """The number of a stack, in which the loop keeps this number of its body."""
        for k, known in enumerate(self.outs):
            if known is x and type(x) is Traced:
                return k
        self.outs.append(x)
        return len(self.outs) - 1

    def stack(self, x: Linear) -> Traced:
        """The stack of a number of the body; outside it."""
        return self.stacked(self.out(x))

    def part(self, number: int) -> Traced:
        """The last number of the state."""
        return self._result(self._parts, PART, number)

    def stacked(self, number: int) -> Traced:
        """The stack of the out of that number."""
        return self._result(self._stacks, STACK, number)

    def _result(self, known: dict[int, Traced], op: Any, number: int) -> Traced:
        if number not in known:
            known[number] = make(op, (self.node,), number)
        return known[number]

    def _finish(self) -> None:
        counted = [] if self.counted is None or self.counted is self.node else [self.counted]
        read = [*self.starts, *self.sources, *self.body()[1]]
        self.node.origin = (LOOP, None, (), *read, *counted)
        self.node.inputs = tuple([x for x in read if type(x) is Traced]) if self._is_recorded else ()
        self.node.within = deepest((*read, *counted))

    def body(self) -> tuple[list[Traced], list[Traced]]:
        """The nodes of the body, operands first, and the nodes outside that they use."""
        order: list[Traced] = []
        outside: list[Traced] = []
        seen: set[Traced] = set()
        roots = [x for x in (*self.nexts, *self.outs, self.active) if type(x) is Traced]
        stack: list[Traced | None] = [*reversed(roots)]
        while stack:
            node = stack.pop()
            if node is None:
                last = stack.pop()
                assert last is not None
                order.append(last)
            elif node not in seen:
                seen.add(node)
                if node.within is not self:
                    outside.append(node)
                elif node.detail is not self:  # no placeholder
                    stack += (node, None)
                    stack += [x for x in (*reversed(node.operands), node.inlined) if type(x) is Traced]
        return order, outside

    def may_read(self, operands: Sequence[Any]) -> bool:
        """Whether the loop may be given these operands: none depends on it, nor on a loop around which it is not."""
        found, own = deepest(operands), self.node.within
        if found is not None and found is not own and (own is None or found.depth >= own.depth):
            return False
        seen: set[Traced] = set()
        stack = list(operands)
        while stack:
            node = stack.pop()
            if type(node) is not Traced or node in seen:
                continue
            if node is self.node:
                return False
            seen.add(node)
            if node.which_input is not None and node.within is not None:
                stack.append(node.within.node)
            stack += (*node.operands, node.inlined)
        return True

    def copy(self, mapping: dict[Any, Any]) -> Loop:
        """The same loop with other operands, for those that the mapping has.

        The mapping is extended by what is copied. A copy that it has already gets what was added to this loop since.
        """
        if self.node in mapping:
            new: Loop = mapping[self.node].detail
        else:
            new = Loop(self.recording, self.length, self.backward)
            new._is_recorded = self._is_recorded
            mapping[self.node] = new.node
            new.counted = mapped(self.counted, mapping)
        for start, state in zip(self.starts, self.states, strict=True):
            if state not in mapping:
                mapping[state] = new.state(mapped(start, mapping), state.name or "")
        for source, step in zip(self.sources, self.steps, strict=True):
            if step not in mapping:
                mapping[step] = new.step(mapped(source, mapping))
        with new.open():
            copy_nodes(self.body()[0], mapping)
            for state, then in zip(self.states, self.nexts, strict=True):
                new.nexts[number_of(mapping[state])] = mapped(then, mapping)
            for k, out in enumerate(self.outs):
                if (self, k) not in mapping:
                    mapping[self, k] = new.out(mapped(out, mapping))
            new.active = mapped(self.active, mapping)
        return new

    def copied_result(self, node: Traced, mapping: Mapping[Any, Any]) -> Traced:
        """The result of this loop's copy that corresponds to one of its own."""
        new: Loop = mapping[self.node].detail
        if node.op is STACK:
            return new.stacked(mapping[self, node.detail])
        return new.part(number_of(mapping[self.states[node.detail]]))


def number_of(placeholder: Traced) -> int:
    """Which number of the state, or which step, a placeholder stands for."""
    assert placeholder.which_input is not None
    return placeholder.which_input[1]


def mapped(x: Any, mapping: Mapping[Any, Any]) -> Any:
    """What an operand is mapped to; itself if to nothing."""
    return mapping.get(x, x) if type(x) is Traced else x


def copy_nodes(nodes: Iterable[Traced], mapping: dict[Any, Any]) -> None:
    """Record nodes again with other operands; the mapping is extended by them."""
    for node in nodes:
        if node.op is LOOP:
            node.detail.copy(mapping)
            continue
        if node in mapping:
            continue
        operands = [mapped(x, mapping) for x in node.operands]
        if node.op in (PART, STACK) and operands[0] is not node.operands[0]:
            mapping[node] = node.operands[0].detail.copied_result(node, mapping)  # type: ignore[union-attr]
            continue
        new = Traced(node.recording, None, None)
        new.origin = (node.op, None, (), *operands)
        new.inputs = tuple([mapped(x, mapping) for x in node.inputs])
        new.may_vanish, new.may_be_infinite = node.may_vanish, node.may_be_infinite
        new.inlined, new.detail, new.within = mapped(node.inlined, mapping), node.detail, deepest(operands)
        mapping[node] = new


def deepest(operands: Iterable[Any]) -> Loop | None:
    """The innermost loop whose placeholders some operand depends on."""
    found: Loop | None = None
    for x in operands:
        if type(x) is Traced and x.within is not None and (found is None or x.within.depth > found.depth):
            found = x.within
    return found


def make(op: Any, operands: Sequence[Linear], detail: Any = None) -> Traced:
    """A node of one of the operations of ``loop_rules``."""
    first = next(x for x in operands if type(x) is Traced)
    node = Traced(first.recording, None, None)
    node.origin, node.detail, node.within = (op, None, (), *operands), detail, deepest(operands)
    if context.state().recording:
        node.inputs = tuple([x for x in operands if type(x) is Traced])
    return node


# Stacks --------------------------------------------------------------------------------------------------------------


class Elements(Sequence[Any]):
    """The elements of a stack as a sequence of nodes, which are made when they are asked for."""

    def __init__(self, stack: Traced) -> None:
        self.stack, self._made = stack, {}  # type: tuple[Traced, dict[int, Traced]]

    def __len__(self) -> int:
        return height(self.stack)

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Any]: ...
    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return [self[k] for k in range(*key.indices(len(self)))]
        number = range(len(self))[key]
        if number not in self._made:
            self._made[number] = element(self.stack, number)
        return self._made[number]


def height(stack: Traced) -> int:
    """How many elements a stack has."""
    return len(stack.operands) if stack.op is PACK else stack.operands[0].detail.length  # type: ignore[union-attr]


def element(stack: Traced, number: int) -> Any:
    """One element of a stack."""
    return stack.operands[number] if stack.op is PACK else make(ELEMENT, (stack,), number)


def pack(recording: Recording, numbers: Sequence[Any]) -> Traced:
    """The stack of these numbers."""
    if isinstance(numbers, Elements):
        return numbers.stack
    taken = [recording.taken(x) for x in numbers]
    first: Any = taken[0]
    if type(first) is Traced and first.op is ELEMENT:
        stack: Any = first.operands[0]
        if len(taken) == height(stack) and all(
            type(x) is Traced and x.op is ELEMENT and x.operands[0] is stack and x.detail == k
            for k, x in enumerate(taken)
        ):
            return stack  # type: ignore[no-any-return]
    return packed(recording, taken)


def packed(recording: Recording, numbers: Sequence[Linear]) -> Traced:
    """A new stack of numbers of the recording."""
    node = Traced(recording, None, None)
    node.origin, node.within = (PACK, None, (), *numbers), deepest(numbers)
    if context.state().recording:
        node.inputs = tuple([x for x in numbers if type(x) is Traced])
    return node


# Checkpoints ---------------------------------------------------------------------------------------------------------


def _between(states: int, length: int) -> int:
    """How many steps lie between two states that are kept for the reverse sweep."""
    return length if states * length * VECTOR <= BUDGET else math.isqrt(length - 1) + 1


def in_segments(loop: Loop, every: int) -> Loop:
    """A loop over segments of so many steps, in which a loop takes the steps: instead of one without xs and ys.

    Its reverse sweep keeps the state before each segment, takes the steps of one segment after the other once more, and
    keeps the states of that one only.
    """
    recording = loop.recording
    segments, rest = divmod(loop.length, every)
    counts = None
    if rest:
        counts = packed(recording, [float(every)] * segments + [float(rest)])
        segments += 1
    outer = Loop(recording, segments)
    states = [outer.state(start) for start in loop.starts]
    count = None if counts is None else outer.step(counts)
    mapping: dict[Any, Any] = {}
    with outer.open():
        inner = Loop(recording, every, counted=count)
        for own, state in zip(loop.states, states, strict=True):
            mapping[own] = inner.state(state)
        with inner.open():
            copy_nodes(loop.body()[0], mapping)
            inner.nexts = [mapped(x, mapping) for x in loop.nexts]
        outer.nexts = [inner.part(k) for k in range(len(states))]
    return outer


# What users call -----------------------------------------------------------------------------------------------------


class Loops:
    """Records loops; see ``autograd.loops``."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def scan(
        self,
        step: Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]],
        state: Sequence[Any],
        xs: Sequence[Sequence[Any]],
        length: int,
        checkpoint: int | None,
    ) -> tuple[list[Any], Sequence[Sequence[Any]]]:
        """The last state, and for each number of y its stack."""
        taken = self.recording.taken
        loop = Loop(self.recording, length)
        states = [loop.state(taken(x)) for x in state]
        steps = [loop.step(pack(self.recording, x)) for x in xs]
        with loop.open():
            then, y = step(list(states), list(steps))
            loop.nexts = [taken(x) for x in then]
            loop.outs = [taken(x) for x in y]
        every = _between(len(states), length) if checkpoint is None else checkpoint
        if every < length and not (xs or y):
            loop = in_segments(loop, every)
        return [loop.part(k) for k in range(len(states))], [Elements(loop.stacked(k)) for k in range(len(y))]

    def while_loop(
        self,
        condition: Callable[[list[Any]], Any],
        step: Callable[[list[Any]], list[Any]],
        state: Sequence[Any],
        max_steps: int,
    ) -> list[Any]:
        """The state in which the condition does not hold any more; nan if it holds after all steps."""
        taken = self.recording.taken
        loop = Loop(self.recording, max_steps)
        states = [loop.state(taken(x)) for x in state]
        with loop.open():
            active = condition(list(states))
            if not isinstance(active, Traced):  # the same for every state
                return [math.nan] * len(states) if active else list(state)
            loop.active, loop.counted = active, loop.node
            taken(active)
            then = step(list(states))
            loop.nexts = [
                taken(x) if x is old else taken(where(active, x, old)) for x, old in zip(then, states, strict=True)
            ]
        last = [loop.part(k) for k in range(len(states))]
        goes_on = condition(list(last))
        return [x * where(goes_on, math.nan, 1.0) for x in last]

    def root(self, f: Callable[..., Any], x0: Any, parameters: Sequence[Any], settings: Any) -> Any:
        """The solution of f(x, …) = 0; see ``roots``."""
        from .roots import root

        return root(self.recording, f, x0, parameters, settings)
