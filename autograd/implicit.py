"""``root``: a solution of f(x, …) = 0, with its derivatives by the implicit function theorem.

The iteration that finds the solution leaves nothing in the graph. What is recorded is one node, whose partial with
respect to θ is −f_θ / f_x at the solution. Its rules run on Values too, so it has derivatives of any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import context, functions, higher, newton, sweep
from .arguments import called, whole
from .carriers import FLOATS, Extended
from .errors import ArgumentError, ConvergenceError, DomainError, GraphError, InputError
from .graph import depending
from .higher import Linear
from .newton import Search, advance, begin, begin_within
from .ops import Op
from .structure import apart, number_in
from .text import shown
from .value import Value, evaluate, node, number, record

__all__ = ["root"]

ROUNDING = 2.0**-52  # of a float, in parts of it
Function = Callable[..., Any]
Evaluate = Callable[[Any], tuple[Any, Any]]  # x -> f and its slope


def root(
    f: Function,
    x0: Any,
    *parameters: Any,
    bracket: tuple[Any, Any] | None = None,
    tolerance: float = ROUNDING,
    max_steps: int = 100,
) -> Any:
    """The solution x of f(x, \\*parameters) = 0, by a safeguarded Newton iteration with f's own derivative.

    Derivatives do not go through the iteration. By the implicit function theorem, the derivative of the solution with
    respect to a parameter θ is −(∂f/∂θ) / (∂f/∂x) there; this has derivatives itself, so every order is exact. It holds
    for the parameters, and for all other Values that ``f`` uses. The first point and the bracket have no derivative.

    Args:
        f: takes x and the parameters, and returns a number that is 0 at the solution.
        x0: where the iteration begins.
        parameters: what else ``f`` takes: numbers, Values, or any structure of them.
        bracket: two numbers between which the solution is; f has different signs there. Then it is found with
            certainty, and the iteration begins in the middle if ``x0`` is outside. Else x0 must be near enough.
        tolerance: the error of x, in parts of x; by default that of a float.
        max_steps: the most times that ``f`` is computed in the iteration.

    Returns:
        the solution: a float, or a Value if ``f`` uses Values.

    Raises:
        ConvergenceError: if no solution is found. In a compiled function that row is nan instead, unless
            ``check=True``.
        DomainError: if f has no value at ``x0``, or the solution has no derivative, because ∂f/∂x is 0 there.
        ArgumentError: if f has the same sign at both ends of the bracket.
        GraphError: if ``f`` turns a Value into a plain number, so that its derivative is lost.

    For the theorem see A. Griewank, A. Walther, Evaluating Derivatives, 2nd edition, SIAM 2008, chapter 15, and
    B. Christianson, Reverse accumulation and attractive fixed points, Optimization Methods and Software 3 (1994).

    >>> from autograd import grad, root, sin
    >>> def anomaly(mean, e):  # Kepler's equation
    ...     return root(lambda x, mean, e: x - e * sin(x) - mean, mean, mean, e)
    >>> f"{anomaly(1.0, 0.5):.6f} {grad(anomaly)(1.0, 0.5):.6f} {grad(grad(anomaly))(1.0, 0.5):.6f}"
    '1.498701 1.037362 -0.556713'
    """
    if not callable(f):
        raise InputError(f"root: f is a function of x and the parameters, not {shown(f)}")
    ends = _ends(bracket)
    most = whole("max_steps", max_steps)
    if not isinstance(tolerance, float | int) or isinstance(tolerance, bool) or not 0.0 <= tolerance < 1.0:
        raise ArgumentError(f"tolerance is the error of x in parts of x, from 0 to 1, not {shown(tolerance)}")
    start = number_in(x0, "x0 of root")
    settings = Settings(called(f), ends, float(tolerance), most)
    loops = context.state().loops
    if loops is not None:
        return loops.root(f, start, parameters, settings)
    return _eager(f, number(start), parameters, settings, isinstance(start, Value))


class Settings(NamedTuple):
    """What else was asked for."""

    name: str  # of the function
    bracket: tuple[Any, Any] | None
    tolerance: float
    max_steps: int


def _ends(bracket: Any) -> tuple[Any, Any] | None:
    if bracket is None:
        return None
    if not isinstance(bracket, tuple | list) or len(bracket) != 2:
        raise InputError(f"root: bracket is a pair of numbers, not {shown(bracket)}")
    low, high = [number_in(x, "an end of the bracket of root") for x in bracket]
    return low, high


# One evaluation of f --------------------------------------------------------------------------------------------------


class _Recorded(NamedTuple):
    """f at one point.

    Attributes:
        x: the point.
        result: f there.
        made: the nodes that were recorded, in their order.
    """

    x: Value
    result: Linear
    made: list[Value]

    @property
    def slope(self) -> float:
        """The derivative with respect to x."""
        if not isinstance(self.result, Value):
            return 0.0
        return sweep.tangents(self.made, {self.x: 1.0}).get(self.result, 0.0)


@contextmanager
def _recording() -> Iterator[tuple[list[Value], list[Value]]]:
    """Record operations apart from the graph that is being recorded; what has no value is inf or nan.

    Yields the nodes that were made, and the Values that were converted to plain numbers.
    """
    made: list[Value] = []
    left: list[Value] = []
    deeper = context.state().derivatives + 1  # copies of Values stay in the graph
    with context.Surrounding(recording=True, extended=True, derivatives=deeper, converted=left, made=made):
        yield made, left


def _at(f: Function, x: float, parameters: Sequence[Any]) -> _Recorded:
    point = Value(x, "x")
    with _recording() as (made, left):
        returned = f(point, *parameters)
    result = number_in(returned, f"what {called(f)} returned")
    if left and not depending(made, [point]).isdisjoint(left):
        raise GraphError(
            f"root: {called(f)} turned a Value that depends on x into a plain number, by float(), int() or a function "
            "of math, and that part of its derivative is lost. Use autograd's functions (autograd.sin for math.sin)"
        )
    if (outer := context.state().converted) is not None:
        outer += left
    return _Recorded(point, result, made)


# Eagerly --------------------------------------------------------------------------------------------------------------


def _eager(f: Function, x0: float, parameters: Sequence[Any], settings: Settings, tracked: bool) -> Any:
    last: list[float] = [math.nan, math.nan]

    def evaluated(x: float) -> tuple[float, float]:
        found = _at(f, x, parameters)
        last[:] = number(found.result), found.slope
        return last[0], last[1]

    begun = begin(x0)
    if settings.bracket is not None:
        low, high = map(number, settings.bracket)
        at_low, at_high = number(_at(f, low, parameters).result), number(_at(f, high, parameters).result)
        begun = begin_within(FLOATS.where, x0, low, high, at_low, at_high)
        if math.isnan(begun.x):
            raise ArgumentError(
                f"root: {settings.name} is {at_low} at {low} and {at_high} at {high}, the ends of the bracket; it must "
                "be negative at one and positive at the other, so that a solution lies between"
            )
    found = _searched(evaluated, begun, settings)
    if found.active or math.isnan(found.x):
        raise _not_found(found, begun, last, settings)
    return _node(_at(f, found.x, parameters), parameters, settings, tracked)


def _searched(evaluated: Evaluate, at: Search, settings: Settings) -> Search:
    """The end of the iteration on floats."""
    for _ in range(settings.max_steps):
        if not at.active:
            break
        f, slope = evaluated(at.x)
        at = advance(FLOATS.where, at, f, float(f / Extended(slope)), settings.tolerance)
    return at


def _not_found(at: Search, begun: Search, last: Sequence[float], settings: Settings) -> Exception:
    name = settings.name
    if math.isinf(at.least):
        return DomainError(
            f"root: {name} is {last[0]} at x = {begun.x}, where the iteration begins; begin where it has a value"
        )
    where = f"{name} is {_signed(at, last)} at x = {at.best}"
    if at.active:
        return ConvergenceError(
            f"root: after {settings.max_steps} steps no solution of {name} = 0 is found; {where}. Begin nearer to the "
            "solution, give a bracket=(low, high) between whose ends the sign changes, or a larger max_steps"
        )
    if abs(at.negative) < newton.FAR and abs(at.positive) < newton.FAR:
        return ConvergenceError(
            f"root: {name} changes its sign at x = {at.negative}, but is not 0 there: it has a pole or a jump, or no "
            "value on the way. Begin elsewhere, or give a bracket without such a point"
        )
    return ConvergenceError(
        f"root: no solution of {name} = 0 is found: {where}, and smaller nowhere near it; its slope there leads "
        "nowhere. Begin elsewhere, or give a bracket=(low, high) between whose ends the sign changes"
    )


def _signed(at: Search, last: Sequence[float]) -> str:
    if at.best == at.negative:
        return f"{-at.least}"
    return f"{at.least}" if at.best == at.positive else f"±{at.least}"


def _node(at: _Recorded, parameters: Sequence[Any], settings: Settings, tracked: bool) -> Any:
    """The solution as a node, if f uses Values that are not its own."""
    equation = _Equation(at, parameters, settings)
    z = at.x.data
    if not equation.inputs or not context.state().recording:
        return Value(z) if tracked or equation.inputs else z
    slopes = equation.adjoints()
    along = slopes.get(at.x, 0.0)
    if along == 0.0 or not math.isfinite(along):
        raise DomainError(
            f"root: the slope of {settings.name} is {along} at the solution x = {z}, so the solution has no derivative "
            "there: that is −f_θ / f_x. If only the number is needed, solve inside no_grad()"
        )
    every = [slopes.get(x, 0.0) for x in equation.inputs]
    op = _row(len(every), equation.value, equation.partials, [f"-({d!r}) / ({along!r})" for d in every])
    return node(z, equation.inputs, tuple([-(d / along) for d in every]), op.unnamed)


def _row(count: int, value: Callable[..., Any], partials: Callable[..., Any], slopes: Sequence[str]) -> Op:
    """The row of one solution: its operands are the Values that f uses."""
    names = [f"x{k}" for k in range(count)]
    return Op(
        "root",
        " ".join(names),
        f"root({', '.join(names)})",
        lambda count, k: slopes[k],
        lambda m: value,
        lambda m: partials,
        note="where f(x, …) = 0 has a solution, and the slope of f in x is not 0",
        group=tuple,
        finite=False,
    )


class _Equation:
    """The operations of f at the solution, to be computed again at other operands.

    Attributes:
        inputs: the Values that f uses and did not make itself.
    """

    inputs: tuple[Value, ...]

    def __init__(self, at: _Recorded, parameters: Sequence[Any], settings: Settings) -> None:
        self._at, self._settings = at, settings
        own = set(at.made)
        wanted = {at.result}
        for x in reversed(at.made):
            if x in wanted:
                wanted.update(x.inputs)
        self._made = [x for x in at.made if x in wanted]
        found = dict.fromkeys(x for made in self._made for x in made.inputs if x not in own and x is not at.x)
        if isinstance(at.result, Value) and at.result not in own and at.result is not at.x:
            found[at.result] = None  # f returns a parameter
        given = [x for x in apart(parameters, "the parameters")[0] if isinstance(x, Value) and x in found]
        self.inputs = tuple(dict.fromkeys([*given, *found]))

    def adjoints(self) -> dict[Linear, float]:
        """The derivative of f with respect to x and every input."""
        sums: dict[Linear, float] = {self._at.result: 1.0}
        for made in reversed(self._made):
            adjoint = sums.get(made, 0.0)
            for x, partial in zip(made.inputs, made.partials, strict=True):
                sums[x] = sums.get(x, 0.0) + sweep.carried(adjoint, partial)
        return sums

    def _again(self, x: Linear, operands: Sequence[Linear]) -> tuple[Linear, list[Value]]:
        """f at other operands, and the nodes that were made."""
        found: dict[Linear, Linear] = {self._at.x: x, **dict(zip(self.inputs, operands, strict=True))}
        for made in self._made:
            taken = [y if isinstance(y, float) else found[y] for y in made.operands]
            if made.op is None:  # recorded inside no_grad
                found[made] = made.data
            elif any(isinstance(y, Value) for y in taken):
                found[made] = record(made.op, taken)
            else:
                found[made] = evaluate(made.op, taken)
        order = [y for made in self._made if isinstance(y := found[made], Value)]
        result = self._at.result
        return (found[result] if isinstance(result, Value) else result), order

    def value(self, *operands: Any) -> Any:
        """The value rule: the solution for other operands, from this one on; nan if there is none."""
        if any(isinstance(x, Value) for x in operands):  # of a recording, which then leaves the solution to Python
            raise InputError("the iteration is for numbers")

        def evaluated(x: float) -> tuple[float, float]:
            point = Value(x)
            with _recording():
                result, order = self._again(point, operands)
            return number(result), _Recorded(point, result, order).slope

        found = _searched(evaluated, begin(self._at.x.data), self._settings)
        return math.nan if found.active else found.x

    def partials(self, z: Any, *operands: Any) -> list[Any]:
        """The rule of the partials."""
        if not any(isinstance(x, Value) for x in (z, *operands)):
            with _recording():
                return [number(x) for x in self.partials(Value(z), *operands)]
        x, *inputs = [functions.identity(y) if isinstance(y, Value) else Value(y) for y in (z, *operands)]
        result, order = self._again(x, inputs)
        if not isinstance(result, Value):
            return [math.nan for _ in inputs]
        return _quotients(order, x, inputs)


def _quotients(order: Sequence[Value], x: Value, inputs: Sequence[Value]) -> list[Linear]:
    """−f_θ / f_x for every input, where f is the last node of the order."""
    along, *every = higher.reverse([x, *inputs, *order], [x, *inputs])
    if not isinstance(along, Value):
        along = Extended(along)
    return [-(slope / along) for slope in every]
