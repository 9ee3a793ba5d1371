"""One training step in numbers: the graph, and what the forward pass, the reverse sweep and the update did on it.

The numbers are in arrays; an event, with its texts, is made when it is looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from ..naming import Names
from ..notation import Piece, label, piece, render
from ..recorded import operand_numbers
from ..sweep import ReverseStep
from ..value import Value, number
from .events import Backward, Event, Events, Forward, Update

Entry = tuple[Any, ...]  # an event in numbers, as a log's JSON has it


class Graph:
    """The nodes of a recorded graph and their labels; training steps that record the same graph share one.

    Args:
        order: the nodes, in topological order.
        digits: significant digits of the numbers in labels and formulas.

    Attributes:
        starts: where the operands of each node begin in a list of all operands; one more at the end.
    """

    def __init__(self, order: Sequence[Value], digits: int) -> None:
        self.order = order
        self.names, self.digits = Names(order, digits), digits
        self.starts = array("q", accumulate((len(node.operands) for node in order), initial=0))

    @cached_property
    def index(self) -> dict[Value, int]:
        """The number of each node in the order."""
        return {node: k for k, node in enumerate(self.order)}

    def label(self, k: int) -> str:
        """The label of a node."""
        return self.names.label(self.order[k]).text


def fingerprint(order: Sequence[Value]) -> tuple[Any, ...]:
    """Equal for graphs that differ in numbers only: the same operations, edges, constants, names and scopes."""
    index = {node: k for k, node in enumerate(order)}
    parts: list[Any] = []
    for node in order:
        parts += (node.op, node.name, node.scope)
        parts += [index[x] if isinstance(x, Value) else (x,) for x in node.operands]
    return tuple(parts)


class Move(NamedTuple):
    """What the optimiser did with one parameter.

    Attributes:
        parameter: its number in the order of the nodes, or its label if it is not part of the graph.
        rule: the new value as an expression in the names of ``terms``; empty if it is not known.
        terms: the number of each name in the rule.
    """

    parameter: int | str
    old: float
    gradient: float
    new: float
    rule: str
    terms: dict[str, float]


class Moves:
    """Moves, kept compactly."""

    def __init__(self) -> None:
        self._parameters = array("q")
        self._others: dict[int, str] = {}  # the labels of parameters that are not part of the graph
        self._kinds = array("q")
        self._known_kinds: dict[tuple[str, tuple[str, ...]], int] = {}
        self._starts = array("q")
        self._numbers = array("d")

    def append(self, move: Move) -> None:
        """Add a move."""
        if isinstance(move.parameter, str):
            self._others[len(self)] = move.parameter
        kind = (move.rule, tuple(move.terms))
        self._kinds.append(self._known_kinds.setdefault(kind, len(self._known_kinds)))
        self._starts.append(len(self._numbers))
        self._numbers.extend((move.old, move.gradient, move.new, *move.terms.values()))
        self._parameters.append(-1 if isinstance(move.parameter, str) else move.parameter)

    def __len__(self) -> int:
        return len(self._parameters)

    def __getitem__(self, k: int) -> Move:
        rule, names = list(self._known_kinds)[self._kinds[k]]
        start = self._starts[k]
        old, gradient, new, *rest = self._numbers[start : start + 3 + len(names)]
        parameter = self._others[k] if k in self._others else self._parameters[k]
        return Move(parameter, old, gradient, new, rule, dict(zip(names, rest, strict=True)))

    def __iter__(self) -> Iterator[Move]:
        return map(self.__getitem__, range(len(self)))


class Iteration(Events):
    """One training step: its events, and the numbers that they are made from.

    Attributes:
        graph: the nodes and their labels.
        number: which training step of the run it is, from 1 on.
        values: the value of each node, before the update.
        operands: the numbers of all operands of all nodes, as their operations were recorded with them.
        computed: the nodes with an operation, in the order in which they were computed.
        swept: the node of each edge of the reverse sweep; ``positions`` says which of its inputs.
        sweep: four numbers for each of these edges: adjoint, partial, contribution, running total.
        moves: the optimiser's updates.
    """

    def __init__(self, graph: Graph, number: int) -> None:
        self.graph, self.number = graph, number
        self.values, self.operands = array("d"), array("d")
        self.computed, self.swept, self.positions = array("q"), array("q"), array("q")
        self.sweep = array("d")
        self.moves = Moves()

    # Recording --------------------------------------------------------------------------------------------------------

    def forward(self, order: Iterable[Value]) -> None:
        """Note what the forward pass computed."""
        for k, node in enumerate(order):
            self.values.append(number(node))
            if node.op is not None:
                self.computed.append(k)
                self.operands.extend(operand_numbers(node)[0])

    def backward(self, order: Sequence[Value], steps: Iterable[ReverseStep]) -> None:
        """Note each edge of the reverse sweep along this order, directly after it was processed."""
        k = len(order) - 1
        for step in steps:
            while order[k] is not step.node:
                k -= 1
            self.swept.append(k)
            self.positions.append(step.position)
            self.sweep.extend((step.adjoint, step.partial, step.contribution, step.input.grad))

    def update(self, order: Iterable[Value], updates: Iterable[Any]) -> None:
        """Note each update of the optimiser, directly after it was made."""
        leaves = {node: k for k, node in enumerate(order) if node.op is None}
        for nth, made in enumerate(updates, 1):
            known = leaves.get(made.parameter)
            parameter = label(made.parameter.name or f"parameter {nth}").text if known is None else known
            self.moves.append(Move(parameter, made.old, made.gradient, made.new, made.formula, made.terms))

    # Reading ----------------------------------------------------------------------------------------------------------

    @property
    def order(self) -> Sequence[Value]:
        """The nodes in topological order; where several steps recorded the same graph, those of the first."""
        return self.graph.order

    @property
    def names(self) -> Names:
        """The labels of the nodes."""
        return self.graph.names

    @property
    def loss(self) -> float:
        """The value of the result, before the update."""
        return self.values[-1]

    @property
    def leaves(self) -> dict[str, float]:
        """The value of each leaf, by its label, before the update."""
        leaves = (k for k, node in enumerate(self.order) if node.op is None)
        return {self.graph.label(k): self.values[k] for k in leaves}

    @property
    def events(self) -> Sequence[Event]:
        """The events of this step: itself."""
        return self

    def operands_of(self, k: int) -> array[float]:
        """The numbers that a node was computed from."""
        return self.operands[self.graph.starts[k] : self.graph.starts[k + 1]]

    def __len__(self) -> int:
        return len(self.computed) + len(self.swept) + len(self.moves)

    def sweep_of(self, index: int) -> tuple[str, int]:
        """The sweep that an event belongs to, and which of its events it is, from 0 on."""
        for name, count in (("forward", len(self.computed)), ("backward", len(self.swept))):
            if index < count:
                return name, index
            index -= count
        return "update", index

    def entry(self, index: int) -> Entry:
        """An event in numbers: nodes are numbers in ``order``.

        ``("f", node, result)``, ``("b", node, position, adjoint, partial, contribution, running total)`` or
        ``("u", node, old, gradient, new, rule, terms)``.
        """
        kind, k = self.sweep_of(index)
        if kind == "forward":
            node = self.computed[k]
            return "f", node, self.values[node]
        if kind == "backward":
            return "b", self.swept[k], self.positions[k], *self.sweep[4 * k : 4 * k + 4]
        return "u", *self.moves[k]

    def event(self, index: int) -> Event:
        """The event at an index, with its texts."""
        kind, k, *numbers = self.entry(index)
        graph, names = self.graph, self.graph.names
        if kind == "f":
            node = graph.order[k]
            written = names.numbers(node, values=self.operands_of(k))
            return Forward(graph.label(k), names.formula(node).text, written.text, numbers[0])
        if kind == "b":
            position, *sweep = numbers
            return Backward(graph.label(k), names.label(graph.order[k].inputs[position]).text, *sweep)
        old, gradient, new, rule, terms = numbers
        name = label(k) if isinstance(k, str) else names.label(graph.order[k])
        return Update(name.text, old, gradient, new, *written_update(rule, name, terms, graph.digits))


def written_update(rule: str, name: Piece, terms: Mapping[str, float], digits: int) -> tuple[str, str]:
    """An update's rule with the labels of its terms, and with their numbers."""
    formula = render(rule, {"w": name, "lr": Piece("η"), "g": Piece("grad")})
    return formula.text, render(rule, {term: piece(x, digits) for term, x in terms.items()}).text
