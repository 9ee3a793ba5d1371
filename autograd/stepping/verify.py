"""Works every event of a log out again from the operation table alone, and reports each difference."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..context import Surrounding
from ..errors import ArgumentError
from ..language import Message, translate, translated
from ..sweep import carried
from ..text import shown
from ..value import Value, record
from .iteration import Graph, Iteration
from .progress import watched

if TYPE_CHECKING:
    from .log import Log

ROUNDING = 16 * 2.0**-52  # of an update: an optimiser may compute its formula in another order
SHOWN = 20  # differences that a report lists
TOGETHER = 1000  # nodes that are recorded again in one context


class Difference(NamedTuple):
    """A number, or a text, that is not what it should be.

    Attributes:
        event: which event of the log, from 1 on; None if it belongs to no event.
        what: what it is, for example ``"out_o1 → net_o1: the partial"``.
        recorded: what the log has.
        expected: what it should be.
    """

    event: int | None
    what: str
    recorded: Any
    expected: Any

    def __str__(self) -> str:
        said = translate("{what} is recorded as {recorded}, but should be {expected}").format(
            what=translated(self.what), recorded=_text(self.recorded), expected=_text(self.expected)
        )
        if self.event is None:
            return said
        return translate("event {number}, {difference}").format(number=self.event, difference=said)


def _text(x: Any) -> str:
    return repr(x) if isinstance(x, float) else translated(x) if isinstance(x, str) else str(x)


class Verification:
    """What ``Log.verify`` found; true if there is no difference.

    Attributes:
        events: how many events were worked out again.
        differences: each number that is not what it should be.
    """

    def __init__(self, events: int, differences: Sequence[Difference]) -> None:
        self.events, self.differences = events, tuple(differences)

    def __bool__(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        if self:
            return translate("verified: all {number} events agree with the operation table").format(number=self.events)
        count = len(self.differences)
        lines = [
            translate(
                "not verified: {count} difference in {events} events",
                "not verified: {count} differences in {events} events",
                count,
            ).format(count=count, events=self.events)
        ]
        lines += [f"  {x}" for x in self.differences[:SHOWN]]
        if count > SHOWN:
            lines.append("  " + translate("and {number} more").format(number=count - SHOWN))
        return "\n".join(lines)

    __repr__ = __str__


def verify(log: Log, relative: float = 0.0) -> Verification:
    """Work out every event again; ``Log.verify`` describes it."""
    if isinstance(relative, bool) or not isinstance(relative, int | float) or not 0.0 <= relative < 1.0:
        raise ArgumentError(f"relative is a number from 0 to below 1, not {shown(relative)}")
    found: list[Difference] = []
    first = 0
    seen: set[Graph] = set()
    for iteration in log.updates:
        found += _Check(iteration, first, relative, iteration.graph not in seen)
        seen.add(iteration.graph)
        first += len(iteration)
    blamed = {x.event for x in found if x.event is not None}
    found += [x for x in log.doubts if x.event not in blamed]
    return Verification(len(log), found)


def same(x: float, y: float, relative: float = 0.0) -> bool:
    """Whether two numbers are the same: to the last bit and in their sign, or up to a relative difference."""
    if x == y:
        return relative > 0.0 or math.copysign(1.0, x) == math.copysign(1.0, y)
    return (math.isnan(x) and math.isnan(y)) or abs(x - y) <= relative * max(abs(x), abs(y)) < math.inf


class _Check:
    """The differences of one training step."""

    def __init__(self, iteration: Iteration, first: int, relative: float, is_new: bool) -> None:
        self._iteration, self._first, self._relative = iteration, first, relative
        self._is_new = is_new  # whether the partials of the nodes are those of this step
        self._order, self._label = iteration.order, iteration.graph.label
        self._index = {node: k for k, node in enumerate(self._order)}
        self._partials: list[tuple[float, ...]] = [()] * len(self._order)
        # The value and the adjoint of each node that follow from what is recorded before. Where a number is wrong,
        # numbers that were computed from it may follow from the right one or from the wrong one.
        self._values: dict[int, float] = {}
        self._totals: dict[int, tuple[float, float]] = {len(self._order) - 1: (1.0, 1.0)}

    def __iter__(self) -> Iterator[Difference]:
        yield from self._forward()
        yield from self._backward()
        yield from self._update()

    def _same(self, x: float, y: float) -> bool:
        return same(x, y, self._relative)

    def _differing(self, event: int, what: str, recorded: float, *expected: float) -> Iterator[Difference]:
        if not any(self._same(recorded, x) for x in expected):
            yield Difference(self._first + event + 1, what, recorded, expected[0])

    def _forward(self) -> Iterator[Difference]:
        done: set[int] = {k for k, node in enumerate(self._order) if node.op is None}
        count = len(self._iteration.computed)
        for event, (k, numbers, again) in enumerate(watched(_recorded_again(self._iteration), count, "log: forward")):
            node, name = self._order[k], self._label(k)
            for x, operand in zip(node.operands, numbers, strict=True):
                if not isinstance(x, Value) or x.op is None:
                    continue
                at = self._index[x]
                if at not in done:
                    yield Difference(
                        self._first + event + 1,
                        Message("{name}: the place", name=name),
                        Message("here"),
                        Message("after {node}", node=self._label(at)),
                    )
                if not 0.0 != operand == self._iteration.values[at]:
                    expected = (self._iteration.values[at], self._values.get(at, math.nan))
                    yield from self._differing(
                        event,
                        Message("{name}: the operand {operand}", name=name, operand=self._label(at)),
                        operand,
                        *expected,
                    )
            done.add(k)
            if again is None:
                yield Difference(
                    self._first + event + 1,
                    Message("{name}: the result", name=name),
                    self._iteration.values[k],
                    Message("undefined"),
                )
                self._partials[k] = node.partials
                continue
            self._values[k], self._partials[k] = again.data, again.partials
            value = self._iteration.values[k]
            if not 0.0 != value == again.data:
                yield from self._differing(event, Message("{name}: the result", name=name), value, again.data)
            for x, partial, slope in zip(node.inputs, node.partials, again.partials, strict=True):
                if self._is_new and not 0.0 != partial == slope:
                    what = Message("{name}: the partial with respect to {x}", name=name, x=self._label(self._index[x]))
                    yield from self._differing(event, what, partial, slope)

    def _backward(self) -> Iterator[Difference]:
        iteration, totals = self._iteration, self._totals
        processed: dict[int, dict[int, int]] = {}
        sweep = iteration.sweep
        edges = zip(iteration.swept, iteration.positions, strict=True)
        for k, (at, position) in enumerate(watched(edges, len(iteration.swept), "log: backward")):
            event = len(iteration.computed) + k
            adjoint, partial, contribution, total = sweep[4 * k : 4 * k + 4]
            x = self._index[self._order[at].inputs[position]]
            name = f"{self._label(at)} → {self._label(x)}"
            earlier = processed.setdefault(at, {}).setdefault(position, event)
            if earlier != event:  # one of the two names the wrong edge
                for one in (earlier, event):
                    yield Difference(
                        self._first + one + 1,
                        Message("{name}: the edge", name=name),
                        Message("processed twice"),
                        Message("processed once"),
                    )
            if x in processed:
                yield Difference(
                    self._first + event + 1,
                    Message("{name}: the place", name=name),
                    Message("here"),
                    Message("before {node}", node=f"{self._label(x)} → …"),
                )
            arrived, right = totals.get(at, (0.0, 0.0))
            slope = self._partials[at][position]
            before, right_before = totals.get(x, (0.0, 0.0))
            usual = carried(arrived if self._same(adjoint, arrived) else right, slope)
            usual_sum = before + usual
            totals[x] = (total, usual_sum)
            if (adjoint, partial, contribution, total) == (arrived, slope, usual, usual_sum) and contribution and total:
                continue  # the ordinary case; −0 and nan are compared below
            yield from self._differing(event, Message("{name}: the adjoint", name=name), adjoint, arrived, right)
            yield from self._differing(event, Message("{name}: the partial", name=name), partial, slope)
            yield from self._differing(
                event, Message("{name}: the contribution", name=name), contribution, usual, carried(adjoint, partial)
            )
            sums = (right_before + usual, before + contribution, right_before + contribution)
            yield from self._differing(event, Message("{name}: the running total", name=name), total, usual_sum, *sums)
        for at, (total, _) in totals.items():
            count, reached = len(self._order[at].inputs), len(processed.get(at, ()))
            if reached < count and total != 0.0:
                what = Message("{name}: the number of inputs that its gradient reaches", name=self._label(at))
                yield Difference(None, what, reached, count)

    def _update(self) -> Iterator[Difference]:
        iteration = self._iteration
        for k, move in enumerate(iteration.moves):
            event = len(iteration.computed) + len(iteration.swept) + k
            at = move.parameter
            name = at if isinstance(at, str) else self._label(at)
            if not isinstance(at, str):
                yield from self._differing(
                    event, Message("{name}: the value before", name=name), move.old, iteration.values[at]
                )
                gradients = self._totals.get(at, (0.0, 0.0))
                yield from self._differing(event, Message("{name}: the gradient", name=name), move.gradient, *gradients)
            new = worked_out(move.rule, move.terms)
            allowed = ROUNDING * max(abs(move.old), abs(move.new), abs(move.old - move.new))
            if new is not None and not self._same(move.new, new) and not abs(move.new - new) <= allowed:
                yield Difference(self._first + event + 1, Message("{name}: the new value", name=name), move.new, new)


def _recorded_again(iteration: Iteration) -> Iterator[tuple[int, Sequence[float], Value | None]]:
    """Each node that was computed, its operands, and its operation recorded on them; None if it has no value there."""
    computed = iteration.computed
    for start in range(0, len(computed), TOGETHER):
        found = []
        with Surrounding(
            recording=True, scope=(), derivatives=0, converted=None, tracer=None, loops=None, extended=False
        ):
            for k in computed[start : start + TOGETHER]:
                numbers = iteration.operands_of(k)
                found.append((k, numbers, _node_again(iteration.order[k], numbers)))
        yield from found


def _node_again(node: Value, numbers: Sequence[float]) -> Value | None:
    operands = [Value(x) if isinstance(old, Value) else x for old, x in zip(node.operands, numbers, strict=True)]
    assert node.op is not None
    try:
        return record(node.op, operands)
    except (ArithmeticError, ValueError):
        with Surrounding(extended=True):  # the operation of a derivative may follow the rules of IEEE 754
            try:
                return record(node.op, operands)
            except (ArithmeticError, ValueError):
                return None


# Formulas of updates --------------------------------------------------------------------------------------------------

_FUNCTIONS: dict[str, Callable[..., float]] = {
    **{"sqrt": math.sqrt, "exp": math.exp, "log": math.log},
    **{"abs": abs, "max": max, "min": min},
}


def worked_out(rule: str, terms: Mapping[str, float]) -> float | None:
    """The value of an optimiser's formula; None if it cannot be worked out from its terms."""
    try:
        return _value(ast.parse(rule, mode="eval").body, terms)
    except (SyntaxError, ArithmeticError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _value(node: ast.expr, terms: Mapping[str, float]) -> float:
    match node:
        case ast.Name(id=name):
            return terms[name]
        case ast.Constant(value=int() | float() as x):
            return float(x)
        case ast.UnaryOp(op=ast.USub(), operand=x):
            return -_value(x, terms)
        case ast.BinOp(left=left, op=operation, right=right):
            x, y = _value(left, terms), _value(right, terms)
            match operation:
                case ast.Add():
                    return x + y
                case ast.Sub():
                    return x - y
                case ast.Mult():
                    return x * y
                case ast.Div():
                    return x / y
                case ast.Pow():
                    return math.pow(x, y)
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _FUNCTIONS[function](*[_value(x, terms) for x in arguments])
    raise ValueError("no formula of numbers")
