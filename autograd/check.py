"""gradcheck: compares derivatives with extrapolated differences, which estimate their own error."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

from . import context, functions, sweep
from .bars import bar
from .comparing import NEAR, NEAR_OTHERS, Branch, Claim, Comparison, Kink, Line, Verdict, compare
from .derivatives import grad, jvp
from .errors import ArgumentError, AutogradError, DomainError, GraphError, InputError
from .graph import depending, is_at_kink, numbers_of, places, topological
from .language import Message, checked, language, translate, translated
from .naming import Names
from .notation import show
from .ops import Op
from .structure import flatten, leaves
from .text import padded, shown
from .value import Value

MANY = 200  # with more inputs than this, random directions are checked instead of each input
# A random direction misses a wrong gradient only if it is nearly orthogonal to the error, so few suffice.
DIRECTIONS = 20
SECOND_ORDER_DIRECTIONS = 5
PROGRESS_AFTER = 1.0  # seconds
MOST_TOLD = 10  # comparisons that a report shows

# How far numbers may be off by rounding, in units of their last place (Higham, "Accuracy and Stability of Numerical
# Algorithms", chapter 3: errors add up along a computation at most). A value: one for the operation, one for functions
# that C libraries do not round correctly. A partial: its rule computes with up to about eight of these.
EPSILON = 2.0**-52
VALUE_ROUNDING = 2.0 * EPSILON
PARTIAL_ROUNDING = 8.0 * VALUE_ROUNDING


VERDICTS = {"pass": Message("pass"), "fail": Message("fail"), "inconclusive": Message("inconclusive")}


class GradcheckError(AutogradError, AssertionError):
    """A derivative does not agree with the measured one; the text is the report."""


class Report:
    """What gradcheck found: true exactly when everything passed; ``str()`` says what is wrong.

    Attributes:
        comparisons: one for each derivative checked.
        verdict: ``"pass"``, ``"fail"`` if any failed, else ``"inconclusive"``.
        blame: the first edge of the graph whose partial is wrong, as text; empty if none was found.
    """

    def __init__(self, comparisons: Sequence[Comparison], blame: str = "", lang: str | None = None) -> None:
        self.comparisons, self.blame, self._lang = list(comparisons), blame, lang
        verdicts = {c.verdict for c in comparisons}
        self.verdict: Verdict = (
            "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
        )

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    def __str__(self) -> str:
        with language(self._lang):
            return self._text()

    def _repr_html_(self) -> str:
        from .display import report

        with language(self._lang):
            return report(self)

    def summary(self) -> str:
        """One line: the verdict, how many derivatives agree, and how well."""
        total = len(self.comparisons)
        good = sum(1 for c in self.comparisons if c.verdict == "pass")
        told = [
            c.relative for c in self.comparisons if c.verdict == "fail" or (c.verdict == "pass" and c.claimed != 0.0)
        ]
        worst = max((x for x in told if not math.isnan(x)), default=0.0)
        return translate(
            "gradcheck: {verdict}; {good} of {total} derivatives agree, relative error up to {worst:.1e}"
        ).format(verdict=VERDICTS[self.verdict].translated(), good=good, total=total, worst=worst)

    def ranked(self) -> list[Comparison]:
        """All comparisons: first those that did not pass, then those with a note."""
        return sorted(self.comparisons, key=lambda c: 0 if c.verdict != "pass" else 1 if c.note else 2)

    def _text(self) -> str:
        lines = [self.summary()]
        bad = [c for c in self.comparisons if c.verdict != "pass"]
        for c in self.ranked()[:MOST_TOLD]:
            if c.verdict == "pass" and not c.note:
                break
            found = translate("{what}: claimed {claimed}, measured {measured} ± {error:.1e}").format(
                what=translated(c.what), claimed=show(c.claimed, 8), measured=show(c.measured, 8), error=c.error
            )
            if c.note:
                found = translate("{first}; {second}").format(first=found, second=translated(c.note))
            lines.append(f"  {padded(VERDICTS[c.verdict].translated(), 12)} {found}")
        if len(bad) > MOST_TOLD:
            lines.append("  " + translate("and {number} more").format(number=len(bad) - MOST_TOLD))
        if self.blame:
            lines.append(f"  {translated(self.blame)}")
        return "\n".join(lines)

    __repr__ = __str__

    def check(self) -> None:
        """Raise GradcheckError unless everything passed; for tests."""
        if not self:
            with language("en"):
                raise GradcheckError(self._text())

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {"verdict": self.verdict, "blame": self.blame, "comparisons": [c._asdict() for c in self.comparisons]}


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    directions: int | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    seed: int = 0,
    lang: str | None = None,
) -> Report:
    """Check the derivatives of a function against measured ones.

    Each derivative is measured by Ridders' extrapolated differences, which estimate their own error. A derivative
    passes if it lies within that error, fails if it does not, and is inconclusive where the measurement is not
    accurate enough. Steps stay inside the domains of the operations and on one side of kinks. Exactly at a kink the
    slopes from both sides are measured. An infinite slope passes where the measured one grows without bound; the report
    names the first value or slope that is not finite. When a derivative fails, every edge of the graph is checked
    alone, and the first wrong one is named.

    Args:
        f: takes numbers, nested lists, tuples, dicts or NumPy arrays; returns numbers in any structure.
        args: where to check; all of them are varied.
        order: 2 checks the second derivatives as well.
        directions: check that many random directions instead of each input. By default up to 200 inputs are checked one
            by one; for more inputs 20 directions are checked.
        rtol, atol: the relative and absolute error that a derivative may have, beyond the measurement's own error.
        seed: of the random directions.
        lang: the language of the report, ``"en"`` or ``"zh"``; by default the one in force when it is shown.

    Returns:
        a report that is true exactly when all derivatives agree.

    Raises:
        InputError: if ``f`` returns something that is not made of numbers.
        DomainError: if ``f`` has no value at ``args``.

    >>> bool(gradcheck(lambda x, y: functions.sin(x) * y, 1.0, 2.0))
    True
    """
    if not callable(f):
        raise InputError(f"a function is needed, not {shown(f)}: write gradcheck(f, x), not gradcheck(f(x))")
    if not isinstance(order, int) or order not in (1, 2):
        raise ArgumentError(f"order is 1 or 2, not {shown(order)}")
    if directions is not None and (not isinstance(directions, int) or directions < 1):
        raise ArgumentError(f"directions is a whole number from 1 on, not {shown(directions)}")
    lang = None if lang is None else checked(lang)
    probe = _Probe(f, args)
    rng = random.Random(seed)
    outputs = range(probe.output_count)
    first = (c for k in outputs for c in _first_order(probe, k, directions, rtol, atol, rng))
    comparisons = list(_watched(first, probe.output_count * (directions or _count(probe)), translate("gradcheck")))
    blame = _blame(probe, rtol, atol) if any(c.verdict == "fail" for c in comparisons) else ""
    if order == 2:
        second = (c for k in outputs for c in _second_order(probe, k, rtol, atol, rng))
        total = probe.output_count * min(len(probe.point), SECOND_ORDER_DIRECTIONS)
        comparisons += _watched(second, total, translate("gradcheck, second order"))
    return Report(comparisons, blame, lang)


def _watched(comparisons: Iterable[Comparison], total: int, what: str) -> Iterable[Comparison]:
    """The same items, with a progress bar if it takes long."""
    return bar(comparisons, what, total, unit=translate("derivative"), delay=PROGRESS_AFTER)  # type: ignore[no-any-return]


# Evaluating the function ---------------------------------------------------------------------------------------------


class _Probe:
    """The function, evaluated at its arguments moved along a direction."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]) -> None:
        self.f = f
        self.point, self.rebuild = flatten(list(args), "the arguments")
        self.point = [float(x) for x in self.point]
        if not self.point:
            raise ArgumentError("gradcheck needs at least one number to vary")
        self.inputs, self.outputs = self._record(self.point)
        self.output_count = len(self.outputs)
        self.order = topological(*[y for y in self.outputs if isinstance(y, Value)])
        self.names = Names([*self.order, *(x for x in self.inputs if x not in set(self.order))])

    def _record(self, numbers: Sequence[float]) -> tuple[list[Value], list[Any]]:
        inputs = [Value(x, name=f"x{i}") for i, x in enumerate(numbers)]
        with context.Surrounding(recording=True):
            result = self.f(*self.rebuild(iter(inputs)))
        if result is None:
            raise InputError("the function returned None; did it forget to return its result?")
        return inputs, leaves(result, "what the function returned")

    def line(self, k: int, direction: Sequence[float], size: float, of_slope: bool = False) -> Line:
        """Output k along a direction, from a point whose distance from 0 is ``size``.

        ``of_slope`` tells that the function is itself a first derivative, which reasons then mention.
        """

        def at(h: float) -> tuple[float, Branch]:
            _, outputs = self._record([x + h * d for x, d in zip(self.point, direction, strict=True)])
            y = outputs[k]
            return (y.data, branch_of(topological(y))) if isinstance(y, Value) else (float(y), branch_of(()))

        y = self.outputs[k]
        order = topological(y) if isinstance(y, Value) else []
        varied = depending(order, {x for x, d in zip(self.inputs, direction, strict=True) if d != 0.0})
        kinks = [_kink(node, node.op, self.names) for node in order if node in varied and node.op and is_at_kink(node)]
        largest = max(abs(x) for x, d in zip(self.point, direction, strict=True) if d != 0.0)
        return Line(
            at,
            *_scales(size, largest, self.point),
            noise=self.noise(k),
            claim_noise=PARTIAL_ROUNDING * _sum(abs(d) * s for d, s in zip(direction, self.sizes(k), strict=True)),
            kinks=tuple(kinks),
            own=any(node.op is not None and not node.op.shipped for node in order),
            why=lambda: _not_finite(
                _why(order, varied, self.names) if order else Message("the value is {value}", value=show(float(y))),
                of_slope,
            ),
        )

    def sizes(self, k: int) -> list[float]:
        """For each input, the sizes of all paths' products to output k, added up: its derivative is rounded at that."""
        y = self.outputs[k]
        if not isinstance(y, Value):
            return [0.0] * len(self.inputs)
        total = sweep.adjoints(topological(y), absolute=True)
        return [total.get(x, 0.0) for x in self.inputs]

    def gradient(self, k: int) -> list[float]:
        """The claimed gradient of output k."""
        y = self.outputs[k]
        if not isinstance(y, Value):
            return [0.0] * len(self.inputs)
        adjoints = sweep.adjoints(topological(y))
        return [adjoints.get(x, 0.0) for x in self.inputs]

    def noise(self, k: int) -> float:
        """A bound on the rounding error of output k: the error of every node times the adjoint of that node."""
        y = self.outputs[k]
        if not isinstance(y, Value):
            return 0.0
        adjoints = sweep.adjoints(topological(y))
        sizes = [abs(a) * abs(node.data) for node, a in adjoints.items() if a != 0.0]
        return VALUE_ROUNDING * (_sum(s for s in sizes if math.isfinite(s)) + abs(y.data))


def _sum(terms: Iterable[float]) -> float:
    """The sum; inf or nan where it overflows or infinities meet."""
    terms = list(terms)
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)


def branch_of(order: Iterable[Value]) -> Branch:
    """The branch that a computation took: its operations, and the smooth piece that each was evaluated on."""
    nodes = [(node, node.op) for node in order if node.op is not None]
    several = ((node, op) for node, op in nodes if op.kink or op.step or op.stepwise)
    pieces = tuple(op.piece(numbers_of(node.operands), node.data) for node, op in several)
    return Branch(tuple(op.name for _, op in nodes), pieces)


def _kink(node: Value, op: Op, names: Names) -> Kink:
    return Kink(names.label(node).text, op.convention, op.step is not None)


def _scales(own: float, largest: float, others: Sequence[float]) -> tuple[tuple[float, ...], float, float]:
    """The length scales of a function near a point, and the size of a step near it.

    Args:
        own: the distance of the point from 0.
        largest: the largest number that varies.
        others: the numbers that the point is made of.

    Returns:
        the lengths on which the function may vary; a step near the point; by how much arguments may be off.
    """
    smallest = min((abs(x) for x in others if x != 0.0), default=0.0)
    sizes = tuple(x for x in (own, smallest) if 0.0 < x < math.inf)
    rounding = EPSILON * largest if math.isfinite(largest) else 0.0
    near = min(NEAR * (own or 1.0), *(NEAR_OTHERS * x for x in sizes), NEAR)
    return (1.0, *sizes), max(near, 8.0 * rounding), rounding


def _not_finite(reason: Message, of_slope: bool) -> Message:
    if of_slope:
        return Message("not finite: of the first derivative, {reason}", reason=reason)
    return Message("not finite: {reason}", reason=reason)


def _why(order: Sequence[Value], varied: Container[Value], names: Names) -> Message:
    """Why a derivative of the last node is not finite: the first number of the sweeps that is not."""
    for node in order:
        if not math.isfinite(node.data):
            return Message("the value of {node} is {value}", node=names.label(node).text, value=show(node.data))
    adjoints = sweep.adjoints(order)
    for node in reversed(order):
        for position, (x, partial) in enumerate(zip(node.inputs, node.partials, strict=True)):
            if x in varied and adjoints[node] != 0.0 and not math.isfinite(partial):
                return Message(
                    "the slope of {node} with respect to {x} = {value} is {slope}",
                    node=names.label(node).text,
                    x=names.label(x).text,
                    value=show(x.data),
                    slope=f"{names.slope(node, position).text} = {show(partial)}",
                )
    return Message("all values and slopes are finite, but their product overflows")


# Comparing -----------------------------------------------------------------------------------------------------------


def _count(probe: _Probe) -> int:
    """How many derivatives of an output are checked by default."""
    return n if (n := len(probe.point)) <= MANY else DIRECTIONS


def _first_order(
    probe: _Probe, k: int, directions: int | None, rtol: float, atol: float, rng: random.Random
) -> Iterator[Comparison]:
    claimed = probe.gradient(k)
    n = len(claimed)
    if directions is None and _count(probe) == n:
        for i in range(n):
            unit = [float(i == j) for j in range(n)]
            what = _of_output(probe, k, Message("input {number} (= {value})", number=i, value=show(probe.point[i])))
            yield compare(probe.line(k, unit, abs(probe.point[i])), Claim(what, claimed[i], rtol, atol))
        return
    for number in range(directions or _count(probe)):
        direction = [rng.gauss(0.0, 1.0) for _ in range(n)]
        length = math.sqrt(math.fsum(d * d for d in direction))
        direction = [d / length for d in direction]
        along = _sum(c * d for c, d in zip(claimed, direction, strict=True))
        what = _of_output(probe, k, Message("direction {number}", number=number))
        yield compare(probe.line(k, direction, 1.0), Claim(what, along, rtol, atol))


def _of_output(probe: _Probe, k: int, what: Message) -> Message:
    """What is checked, with the number of the output if there are several."""
    return what if probe.output_count == 1 else Message("output {number}, {what}", number=k, what=what)


def _second_order(probe: _Probe, k: int, rtol: float, atol: float, rng: random.Random) -> Iterator[Comparison]:
    """Check the derivative of the gradient along random directions."""
    n = len(probe.point)

    def output(*args: Any) -> Any:
        return leaves(probe.f(*args), "what the function returned")[k]

    every = tuple(range(len(probe.rebuild(iter(probe.point)))))
    for number in range(min(n, SECOND_ORDER_DIRECTIONS)):
        u, v = ([rng.gauss(0.0, 1.0) for _ in range(n)] for _ in range(2))

        def projected(*numbers: Any, u: Sequence[float] = u) -> Any:
            gradient = grad(output, every)(*probe.rebuild(iter(numbers)))
            return functions.dot(u, leaves(gradient, "the gradient"))

        what = Message("second order, direction {number}", number=number)
        try:
            _, claimed = jvp(projected, probe.point, v)
            line = _Probe(projected, probe.point).line(0, v, 1.0, of_slope=True)
        except DomainError as error:
            yield Comparison(what, math.nan, math.nan, math.inf, "inconclusive", str(error))
            continue
        except GraphError as error:
            yield Comparison(what, math.nan, math.nan, math.inf, "fail", str(error))
            continue
        yield compare(line, Claim(what, claimed, rtol, atol))


# Blaming an edge -----------------------------------------------------------------------------------------------------


def _blame(probe: _Probe, rtol: float, atol: float) -> str:
    """The first edge, in topological order, whose partial is not the slope of its operation."""
    for node in probe.order:
        op = node.op
        if op is None or (is_at_kink(node) and op.convention):
            continue
        for position, place in enumerate(places(node)):
            partial = node.partials[position]
            found = compare(_edge(probe, node, op, place, partial), Claim("", partial, rtol, atol))
            if found.verdict == "fail":
                x = node.inputs[position]
                wrong = Message(
                    "the first wrong edge: {edge}, an edge of {op} at {x} = {value}: claimed {claimed}, measured "
                    "{measured}",
                    edge=f"∂({probe.names.label(node).text})/∂({probe.names.label(x).text})",
                    op=op.name,
                    x=probe.names.label(x).text,
                    value=show(x.data, 8),
                    claimed=show(found.claimed, 8),
                    measured=show(found.measured, 8),
                )
                if found.note:
                    wrong = Message("{first}; {second}", first=wrong, second=found.note)
                rule = Message("its rule says {slope}", slope=probe.names.slope(node, position).text)
                return Message("{first}; {second}", first=wrong, second=rule)
    return Message("every edge is right by itself: a number left the graph on the way, for example by .data or float()")


def _edge(probe: _Probe, node: Value, op: Op, place: int, partial: float) -> Line:
    """One operation by itself, as a function of one operand."""
    operands = numbers_of(node.operands)

    def at(h: float) -> tuple[float, Branch]:
        moved = [v + h if i == place else v for i, v in enumerate(operands)]
        y = float(op.f(*op.arguments(moved)))
        return y, Branch((op,), (op.piece(moved, y),))

    size = abs(operands[place])
    return Line(
        at,
        *_scales(size, size, operands),
        noise=2.0 * VALUE_ROUNDING * (abs(node.data) + (abs(partial * size) if math.isfinite(partial) else 0.0)),
        claim_noise=0.0,
        kinks=(_kink(node, op, probe.names),) if is_at_kink(node) else (),
        own=not op.shipped,
        why=lambda: Message("its slope is claimed to be {slope}", slope=show(partial)),
    )
