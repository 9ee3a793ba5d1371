"""gradcheck: are the derivatives right? Measured by extrapolated differences that know their own error."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from . import context, functions, sweep
from .derivatives import grad, jvp
from .differences import Slope, central, one_sided
from .errors import ArgumentError, AutogradError, DomainError, GraphError, InputError
from .graph import depending, is_at_kink, numbers_of, places, topological
from .naming import Names
from .notation import show
from .ops import Op
from .structure import flatten
from .value import Value, describe

Verdict = Literal["pass", "fail", "inconclusive"]
Signature = tuple[Any, ...]

MANY = 200  # inputs, from which on random directions are checked instead of each input
DIRECTIONS = 20
SMALLEST = 1e-7  # step, relative to the input, below which a change of course counts as a kink
EPSILON = 2.0**-52
_ELSEWHERE = "the computation takes another course beside this point, however near"


class GradcheckError(AutogradError, AssertionError):
    """A derivative does not agree with the measured one; the text is the report."""


class Comparison(NamedTuple):
    """One derivative, as the engine claims it and as measured."""

    what: str
    claimed: float
    measured: float
    error: float
    verdict: Verdict
    note: str = ""

    @property
    def relative(self) -> float:
        """The difference relative to the larger of the two."""
        size = max(abs(self.claimed), abs(self.measured))
        return abs(self.claimed - self.measured) / size if size else 0.0


class Report:
    """What gradcheck found: true exactly when everything passed; ``str()`` says what is wrong.

    Attributes:
        comparisons: one for each derivative checked.
        verdict: ``"pass"``, ``"fail"`` if any failed, else ``"inconclusive"``.
        blame: the first edge of the graph whose partial is wrong, as text; empty if none was found.
    """

    def __init__(self, comparisons: Sequence[Comparison], blame: str = "") -> None:
        self.comparisons, self.blame = list(comparisons), blame
        verdicts = {c.verdict for c in comparisons}
        self.verdict: Verdict = (
            "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
        )

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    def __str__(self) -> str:
        total = len(self.comparisons)
        good = sum(1 for c in self.comparisons if c.verdict == "pass")
        worst = max((c.relative for c in self.comparisons if c.verdict == "pass"), default=0.0)
        lines = [f"gradcheck: {self.verdict}; {good} of {total} derivatives agree, relative error up to {worst:.1e}"]
        bad = [c for c in self.comparisons if c.verdict != "pass"]
        noted = [c for c in self.comparisons if c.verdict == "pass" and c.note]
        for c in [*bad, *noted][:10]:
            lines.append(
                f"  {c.verdict:<12} {c.what}: claimed {show(c.claimed, 8)}, "
                f"measured {show(c.measured, 8)} ± {c.error:.1e}" + (f"; {c.note}" if c.note else "")
            )
        if len(bad) > 10:
            lines.append(f"  and {len(bad) - 10} more")
        if self.blame:
            lines.append(f"  {self.blame}")
        return "\n".join(lines)

    __repr__ = __str__

    def check(self) -> None:
        """Raise GradcheckError unless everything passed; for tests."""
        if not self:
            raise GradcheckError(str(self))

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
) -> Report:
    """Check the derivatives of a function against measured ones.

    Each derivative is measured by Ridders' extrapolated differences, which know their own error: a derivative passes if
    it lies within that error, fails if it does not, and is inconclusive where the measurement itself is too coarse to
    tell. Steps stay inside the domains of the operations and on one side of kinks; exactly at a kink the slopes from
    both sides are measured. When a derivative fails, every edge of the graph is checked alone, and the first wrong one
    is named.

    Args:
        f: takes numbers, nested lists, tuples, dicts or NumPy arrays; returns numbers in any structure.
        args: where to check; all of them are varied.
        order: 2 checks the second derivatives as well.
        directions: check that many random directions instead of each input; the default is each input up to 200 of
            them, 20 directions beyond.
        rtol, atol: what a derivative may be off, relative and absolute, beyond the measurement's own error.
        seed: of the random directions.

    Returns:
        a report that is true exactly when all derivatives agree.

    Raises:
        InputError: if ``f`` returns something that is not made of numbers.
        DomainError: if ``f`` has no value at ``args``.

    >>> bool(gradcheck(lambda x, y: functions.sin(x) * y, 1.0, 2.0))
    True
    """
    if order not in (1, 2):
        raise ArgumentError(f"order is 1 or 2, not {order!r}")
    if directions is not None and directions < 1:
        raise ArgumentError(f"directions is at least 1, not {directions!r}")
    probe = _Probe(f, args)
    rng = random.Random(seed)
    comparisons: list[Comparison] = []
    for k in range(probe.output_count):
        comparisons += _first_order(probe, k, directions, rtol, atol, rng)
    blame = _blame(probe) if any(c.verdict == "fail" for c in comparisons) else ""
    if order == 2:
        for k in range(probe.output_count):
            comparisons += _second_order(probe, k, rtol, atol, rng)
    return Report(comparisons, blame)


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
        with context.Surrounding(context.recording, True):
            result = self.f(*self.rebuild(iter(inputs)))
        if result is None:
            raise InputError("the function returned None; did it forget to return its result?")
        outputs, _ = flatten(result, "what the function returned")
        return inputs, outputs

    def line(self, k: int, direction: Sequence[float], size: float) -> _Line:
        """Output k along a direction, from a point whose distance from 0 is ``size``."""

        def at(h: float) -> tuple[float, Signature]:
            _, outputs = self._record([x + h * d for x, d in zip(self.point, direction, strict=True)])
            y = outputs[k]
            return (y.data, signature(topological(y))) if isinstance(y, Value) else (float(y), ())

        varied = {x for x, d in zip(self.inputs, direction, strict=True) if d != 0.0}
        order = topological(self.outputs[k]) if isinstance(self.outputs[k], Value) else []
        varied = depending(order, varied)
        kinks = [node for node in order if node in varied and is_at_kink(node)]
        own = any(node.op is not None and not node.op.shipped for node in order)
        claim = 16.0 * EPSILON * math.fsum(abs(d) * s for d, s in zip(direction, self.sizes(k), strict=True))
        return _Line(at, sizes_of(size, *map(abs, self.point)), self.noise(k), claim, kinks, self.names, own)

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
        """How far output k may be off by rounding: every node's own, carried to the output by its adjoint."""
        y = self.outputs[k]
        if not isinstance(y, Value):
            return 0.0
        adjoints = sweep.adjoints(topological(y))
        sizes = [abs(a) * abs(node.data) for node, a in adjoints.items() if a != 0.0]
        total = math.fsum(s for s in sizes if math.isfinite(s)) + abs(y.data)
        return 2.0 * EPSILON * total


def signature(order: Sequence[Value]) -> Signature:
    """The course of a computation: its operations, and on which side of each kink or on which step it was."""
    course: list[Any] = []
    for node in order:
        if node.op is not None:
            course.append(node.op)
            course.append(node.op.piece(numbers_of(node.operands), node.data))
    return tuple(course)


def sizes_of(own: float, *others: float) -> tuple[float, ...]:
    """A number's own size and the smallest of the others': where a function may have its features."""
    return tuple(x for x in (own, min((x for x in others if x > 0.0), default=0.0)) if 0.0 < x < math.inf)


class _Line(NamedTuple):
    """A function of one variable around 0: what is measured."""

    at: Callable[[float], tuple[float, Signature]]  # its value, and the course that the computation took
    sizes: tuple[float, ...]  # of the numbers that the point is made of, where they are not 0; its own first
    noise: float  # by how much a value may be off by rounding
    claim: float  # by how much the claimed derivative may be off by rounding
    kinks: Sequence[Value]  # the nodes that are exactly at a kink where it is measured
    names: Names
    own: bool  # whether operations that users defined take part


# Comparing -----------------------------------------------------------------------------------------------------------


def _first_order(
    probe: _Probe, k: int, directions: int | None, rtol: float, atol: float, rng: random.Random
) -> Iterator[Comparison]:
    claimed = probe.gradient(k)
    n = len(claimed)
    output = "" if probe.output_count == 1 else f"output {k}, "
    if directions is None and n <= MANY:
        for i in range(n):
            unit = [float(i == j) for j in range(n)]
            what = f"{output}input {i} (= {show(probe.point[i])})"
            yield _compare(probe.line(k, unit, abs(probe.point[i])), claimed[i], what, rtol, atol)
        return
    for number in range(directions or DIRECTIONS):
        direction = [rng.gauss(0.0, 1.0) for _ in range(n)]
        length = math.sqrt(math.fsum(d * d for d in direction))
        direction = [d / length for d in direction]
        along = math.fsum(c * d for c, d in zip(claimed, direction, strict=True))
        yield _compare(probe.line(k, direction, 1.0), along, f"{output}direction {number}", rtol, atol)


def _second_order(probe: _Probe, k: int, rtol: float, atol: float, rng: random.Random) -> Iterator[Comparison]:
    """Check the derivative of the gradient along random directions."""
    n = len(probe.point)

    def output(*args: Any) -> Any:
        return flatten(probe.f(*args), "what the function returned")[0][k]

    every = tuple(range(len(probe.rebuild(iter(probe.point)))))
    for number in range(min(n, 5)):
        u, v = ([rng.gauss(0.0, 1.0) for _ in range(n)] for _ in range(2))

        def projected(*numbers: Any, u: Sequence[float] = u) -> Any:
            gradient, _ = flatten(grad(output, every)(*probe.rebuild(iter(numbers))), "the gradient")
            return functions.dot(u, gradient)

        what = f"second order, direction {number}"
        try:
            _, claimed = jvp(projected, probe.point, v)
            line = _Probe(projected, probe.point).line(0, v, 1.0)
        except DomainError as error:
            yield Comparison(what, math.nan, math.nan, math.inf, "inconclusive", str(error))
            continue
        except GraphError as error:
            yield Comparison(what, math.nan, math.nan, math.inf, "fail", str(error))
            continue
        yield _compare(line._replace(noise=100.0 * probe.noise(k)), claimed, what, rtol, atol)


def _compare(line: _Line, claimed: float, what: str, rtol: float, atol: float) -> Comparison:
    """Measure a derivative and hold the claimed one against it."""
    atol += line.claim if math.isfinite(line.claim) else 0.0
    here, course = line.at(0.0)
    if not math.isfinite(here) or not math.isfinite(claimed):
        note = "the value or the derivative is not finite"
        return Comparison(what, claimed, math.nan, math.inf, "inconclusive", note)
    values: dict[float, tuple[float, Signature]] = {0.0: (here, course)}

    def on_course(h: float, course: Signature) -> float:
        if h not in values:
            values[h] = line.at(h)
        y, now = values[h]
        if (h != 0.0 and now != course) or not math.isfinite(y):
            raise _LeftTheCourse
        return y

    def agrees(slope: Slope) -> bool:
        return _verdict(claimed, slope, rtol, atol) == "pass"

    slope = _measured(lambda h: central(lambda x: on_course(x, course), h, line.noise), line.sizes, agrees)
    if slope is not None and agrees(slope):
        return Comparison(what, claimed, slope.value, slope.error, "pass")
    if any(node.op is not None and node.op.step is not None for node in line.kinks):
        at = line.names.label(line.kinks[0]).text
        note = f"a jump at {at}: no slope can be measured, {show(claimed)} is taken by convention"
        return Comparison(what, claimed, claimed, 0.0, "pass", note)
    # Not smooth on both sides, or not in agreement: look at each side by itself.
    sides, elsewhere = [], False
    for side in (-1.0, 1.0):
        try:
            beside = line.at(side * min(SMALLEST, *(1e-3 * size for size in line.sizes), SMALLEST))[1]
        except (AutogradError, ArithmeticError, ValueError):
            continue  # outside the domain
        elsewhere = elsewhere or _operations(beside) != _operations(course)
        quotient = lambda h, side=side, beside=beside: one_sided(lambda x: on_course(x, beside), side * h, line.noise)
        found = _measured(quotient, line.sizes)
        if found is not None:
            sides.append(found)
    result = _judge_sides(line, claimed, slope, sides, what, rtol, atol, elsewhere)
    if result.verdict == "fail" and line.kinks and not line.own:
        # What conventions make of each other at a kink need not be any slope: no reason to condemn the rules.
        return result._replace(verdict="inconclusive", note=result.note or "exactly at a kink")
    return result


def _operations(course: Signature) -> list[Op]:
    return [step for step in course if isinstance(step, Op)]


class _LeftTheCourse(Exception):  # noqa: N818  (never seen outside this file)
    """A step was so large that the computation took another course."""


def _measured(
    measure: Callable[[float], Slope], sizes: Sequence[float], agrees: Callable[[Slope], bool] = lambda slope: False
) -> Slope | None:
    """The best measurement over first steps of all magnitudes; None if there is none to trust.

    A first step may be so large that it jumps over what happens in between, and the extrapolation may then agree with
    itself by accident. So a measurement counts if it agrees with the claimed slope, or with another one made with
    smaller steps; of those, the one with the smallest error is taken.
    """
    scales = {1.0, *sizes}
    steps = sorted({0.1 * scale / 6.0**k for scale in scales for k in range(9)}, reverse=True)
    best: Slope | None = None
    before: Slope | None = None
    for h in steps:
        try:
            slope = measure(h)
        except (_LeftTheCourse, AutogradError, ArithmeticError, ValueError):
            continue
        if agrees(slope):
            return slope
        if before is not None:
            better = min(slope, before, key=lambda s: s.error)
            if _consistent(slope, before) and (best is None or better.error < best.error):
                best = better
        if best is not None and not _consistent(slope, best):
            best = None  # what larger steps agreed on does not hold close by
        before = slope
    return best


def _consistent(a: Slope, b: Slope) -> bool:
    return abs(a.value - b.value) <= 3.0 * (a.error + b.error)


def _verdict(claimed: float, slope: Slope, rtol: float, atol: float) -> Verdict:
    size = max(abs(claimed), abs(slope.value))
    if not math.isfinite(slope.value) or not math.isfinite(slope.error):
        return "inconclusive"
    if abs(claimed - slope.value) <= 3.0 * slope.error + rtol * size + atol:
        # Agreement within a large error says little.
        return "pass" if slope.error <= 1e-4 * size + 100.0 * atol else "inconclusive"
    # Only a sharp measurement condemns: near a singularity the error estimate itself is too small.
    return "fail" if slope.error <= 1e-5 * size + atol else "inconclusive"


def _judge_sides(
    line: _Line,
    claimed: float,
    slope: Slope | None,
    sides: list[Slope],
    what: str,
    rtol: float,
    atol: float,
    elsewhere: bool,
) -> Comparison:
    sides = [side for side in sides if side.error <= 0.1 * abs(side.value) + math.sqrt(atol)]  # not across a jump
    where = line.names.label(line.kinks[0]).text if line.kinks else ""
    declared = next((node.op.convention for node in line.kinks if node.op is not None and node.op.convention), "")
    if len(sides) < 2:
        if slope is None:
            slope = sides[0] if sides else Slope(math.nan, math.inf)
        verdict = _verdict(claimed, slope, rtol, atol)
        note = ""
        if sides:  # the other side is outside the domain or across a jump: too little to condemn
            verdict, note = "inconclusive" if verdict == "fail" else verdict, "measured from one side"
        if verdict != "pass" and declared:
            verdict, note = "pass", f"at the edge of {where}; by convention: {declared}"
        return Comparison(what, claimed, slope.value, slope.error, verdict, note)
    left, right = sides
    error = left.error + right.error
    size = max(abs(left.value), abs(right.value))
    if abs(left.value - right.value) <= 3.0 * error + 1e-4 * size + atol:
        slope_beside, slope = slope, slope or min(sides, key=lambda s: s.error)
        verdict = _verdict(claimed, slope, rtol, atol)
        note = ""
        if verdict == "fail" and slope_beside is None:
            verdict, note = "inconclusive", _ELSEWHERE
        return Comparison(what, claimed, slope.value, slope.error, verdict, note)
    low, high = sorted((left.value, right.value))
    at = f" at {where}" if where else ""
    note = f"a kink{at}: slope {show(left.value)} from the left, {show(right.value)} from the right"
    slack = 3.0 * error + rtol * size + atol
    if elsewhere:
        return Comparison(what, claimed, 0.5 * (low + high), error, "inconclusive", _ELSEWHERE)
    if not low - slack <= claimed <= high + slack:
        return Comparison(what, claimed, 0.5 * (low + high), error, "fail", note + "; the claimed slope is outside")
    if declared:
        return Comparison(what, claimed, claimed, error, "pass", f"{note}; by convention: {declared}")
    smallest = 0.0 if low <= 0.0 <= high else min(low, high, key=abs)
    if abs(claimed - smallest) <= slack:
        return Comparison(what, claimed, claimed, error, "pass", f"{note}; the smallest slope is taken")
    note += f"; no convention is declared for it, and the smallest slope would be {show(smallest)}"
    return Comparison(what, claimed, smallest, error, "fail" if line.own else "inconclusive", note)


# Blaming an edge -----------------------------------------------------------------------------------------------------


def _blame(probe: _Probe) -> str:
    """The first edge, in topological order, whose partial is not the slope of its operation."""
    for node in probe.order:
        op = node.op
        if op is None or (is_at_kink(node) and op.convention):
            continue
        for position, place in enumerate(places(node)):
            found = _compare(
                _edge(probe, node, op, place, node.partials[position]), node.partials[position], "", 1e-6, 1e-9
            )
            if found.verdict == "fail":
                x = node.inputs[position]
                return (
                    f"the first wrong edge: ∂({probe.names.label(node).text})/∂({probe.names.label(x).text}), an edge "
                    f"of {op.name} at {describe(x)}: claimed {show(found.claimed, 8)}, "
                    f"measured {show(found.measured, 8)}{'; ' if found.note else ''}{found.note}; "
                    f"its rule says {probe.names.slope(node, position).text}"
                )
    return "every edge is right by itself: a number left the graph on the way, for example by .data or float()"


def _edge(probe: _Probe, node: Value, op: Op, place: int, partial: float) -> _Line:
    """One operation by itself, as a function of one operand."""
    operands = numbers_of(node.operands)

    def at(h: float) -> tuple[float, Signature]:
        moved = [v + h if i == place else v for i, v in enumerate(operands)]
        y = float(op.f(*op.arguments(moved)))
        return y, (op.piece(moved, y),)

    size = abs(operands[place])
    noise = 4.0 * EPSILON * (abs(node.data) + abs(partial * size))
    kinks = [node] if is_at_kink(node) else []
    return _Line(at, sizes_of(size, *map(abs, operands)), noise, 0.0, kinks, probe.names, not op.shipped)
