"""Loops: ``scan`` takes a fixed number of steps, ``while_loop`` as many as a condition asks for.

Both check the structures that the steps take and return, and work on flat lists of numbers inside. Eagerly every step
is recorded, in a scope of its own. While a function is compiled, ``context.State.loops`` records one loop instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple, Protocol, TypeVar

from . import context
from .arguments import called, whole
from .errors import ArgumentError, ConvergenceError, InputError
from .ops import WHERE
from .structure import Container, Steps, Structure, Walk, array_of, is_array, matched, numbers
from .text import shortened, shown
from .value import Value, describe

__all__ = ["scan", "while_loop"]

State = TypeVar("State")
Numbers = list[Any]  # Values and floats
Step = Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]  # state, x -> state, y
Change = Callable[[Numbers], Numbers]  # state -> state
Condition = Callable[[Numbers], Any]


class Loops(Protocol):
    """What carries loops out. The functions that it is given check what the user's functions return."""

    def scan(
        self, step: Step, state: Numbers, xs: Sequence[Sequence[Any]], length: int, checkpoint: int | None
    ) -> tuple[Numbers, Sequence[Sequence[Any]]]:
        """The last state, and for each number of y what the steps returned for it.

        Args:
            step: one step.
            state: the first state.
            xs: for each number of x a sequence of ``length`` of them.
            length: how many steps there are, at least 1.
            checkpoint: how many steps lie between two states that are kept for the reverse sweep, if that is chosen.
        """

    def while_loop(self, condition: Condition, step: Change, state: Numbers, max_steps: int) -> Numbers:
        """The state in which the condition does not hold any more."""


class _Eager:
    """Every step is recorded in a scope of its own."""

    def scan(
        self, step: Step, state: Numbers, xs: Sequence[Sequence[Any]], length: int, checkpoint: int | None
    ) -> tuple[Numbers, Sequence[Sequence[Any]]]:
        rows: list[Numbers] = []
        for k, x in enumerate(zip(*xs, strict=True) if xs else repeat((), length), 1):
            with context.scope(f"step {k}"):
                state, y = step(state, list(x))
            rows.append(y)
        return state, [list(column) for column in zip(*rows, strict=True)]

    def while_loop(self, condition: Condition, step: Change, state: Numbers, max_steps: int) -> Numbers:
        for k in range(1, max_steps + 1):
            if not _is_true(condition(state)):
                return state
            with context.scope(f"step {k}"):
                state = step(state)
        if _is_true(condition(state)):
            listed = ", ".join(shortened([describe(x) for x in state], 6, "…"))
            raise ConvergenceError(
                f"while_loop: the condition still holds after {max_steps} steps, and max_steps allows no more; the "
                f"state is {listed}. Give a larger max_steps, or look at whether the steps lead to where the condition "
                "ends"
            )
        return state


_EAGER = _Eager()


def scan(
    step: Callable[[State, Any], tuple[State, Any]],
    state: State,
    xs: Any = None,
    length: int | None = None,
    *,
    checkpoint: int | None = None,
) -> tuple[State, Any]:
    """A loop of a fixed number of steps that carries a state along; the same as this, for structures of numbers::

        ys = []
        for x in xs:
            state, y = step(state, x)
            ys.append(y)
        return state, ys

    Eagerly every step is recorded, in the scope ``step 1``, ``step 2`` …. In a compiled function it is one loop over
    one copy of the step, so that the time to the first result does not depend on the number of steps.

    Args:
        step: takes the state and an x, and returns a pair: the next state, and a y or None. It is called with None for
            x if there are no xs.
        state: the first state: a number, a Value, or lists, tuples, dicts, dataclasses or NumPy arrays of them. Every
            step returns the same structure.
        xs: what the steps take one after the other: a list or an array, whose first axis is the steps. Tuples, dicts
            and dataclasses hold several such lists, and x then holds an element of each.
        length: the number of steps, if it does not follow from ``xs``.
        checkpoint: in compiled functions, how many steps lie between two states that are kept for the reverse sweep,
            which takes the steps between once more; chosen by the memory that it needs if not given. It is for loops
            without xs and ys, whose memory grows with the number of steps anyway.

    Returns:
        the last state and ys, which has the form of xs: a list of the ys, where a y is a number, a list or an array;
        for a tuple, a dict or a dataclass, one that holds such lists. None if y is None.

    Raises:
        InputError: if something is no number, or ``step`` does not return a pair.
        ArgumentError: if lengths differ or are 0, or a step changes the structure of the state or of y.

    The arguments and results are those of ``jax.lax.scan``.

    >>> from autograd import grad, scan
    >>> scan(lambda total, x: (total + x, total * x), 0.0, [1.0, 2.0, 3.0])
    (6.0, [0.0, 2.0, 9.0])
    >>> def fall(height, steps=100):  # by the explicit Euler method, for a second
    ...     move = lambda state, _: ((state[0] + state[1] / steps, state[1] - 9.81 / steps), None)
    ...     return scan(move, (height, 0.0), length=steps)[0][0]
    >>> f"{fall(10.0):.4f} {grad(fall)(10.0):.1f}"
    '5.1441 1.0'
    """
    name = called(_function(step, "scan", "step"))
    count = None if length is None else _length(length)
    if checkpoint is not None:
        whole("checkpoint", checkpoint)
    axes, structure = _axes(xs)
    for axis in axes:
        if len(axis) != len(axes[0]):
            raise ArgumentError(
                f"scan: {axis.place} has {len(axis)} steps, but {axes[0].place} has {len(axes[0])}; all xs of a loop "
                "have the same length"
            )
        if count is not None and len(axis) != count:
            raise ArgumentError(
                f"scan: length={count}, but {axis.place} has {len(axis)} steps; give one of them, or the same length"
            )
    if axes:
        count = len(axes[0])
    if count is None:
        raise ArgumentError("scan needs xs or length: how many steps are there?")
    if count == 0:
        raise ArgumentError(
            "scan: there are 0 steps; at least one is needed, because only a step shows what its y is. Where there may "
            "be none, leave out the loop: the state stays as it is"
        )
    columns, forms = _opened(axes)
    states = _Form(state, "the state")
    ys: _Form | None = None
    is_first = True

    def flat_step(state: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
        nonlocal ys, is_first
        new = iter(x)
        parts = iter([form.rebuild(new) for form in forms])
        result = step(states.rebuild(state), None if xs is None else structure.rebuild(parts))
        if not (isinstance(result, tuple) and len(result) == 2):
            raise InputError(
                f"scan: {name} returned {shown(result)}, but a step returns a pair: the next state, and a y or None, "
                "as in  return state, y"
            )
        then, y = result
        if is_first:
            is_first, ys = False, None if y is None else _Form(y, f"the y of {name}")
        elif (y is None) != (ys is None):
            raise InputError(f"scan: {name} returned None as its y in some steps, but not in others; return one kind")
        of_y = [] if ys is None else ys.read(y, f"the y of {name}")
        return states.read(then, f"the state that {name} returned"), of_y

    loops: Loops = context.state().loops or _EAGER
    last, sequences = loops.scan(flat_step, states.leaves, columns, count, checkpoint)
    return states.rebuild(last), None if ys is None else _over_steps(ys, sequences, count, loops is _EAGER)


def while_loop(
    condition: Callable[[State], Any], step: Callable[[State], State], state: State, max_steps: int
) -> State:
    """A loop that goes on while a condition holds; the same as this, for structures of numbers::

        while condition(state):
            state = step(state)
        return state

    Eagerly every step is recorded, in the scope ``step 1``, ``step 2`` …. In a compiled function it is one loop, which
    every row leaves by itself. The number of steps is bounded, so it has derivatives in both modes; they are those of
    the steps that were taken.

    Args:
        condition: takes the state and returns a comparison, such as ``state > 1``. It is not differentiated.
        step: takes the state and returns the next one, of the same structure.
        state: the first state: a number, a Value, or lists, tuples, dicts, dataclasses or NumPy arrays of them.
        max_steps: the most steps that are taken.

    Returns:
        the first state for which the condition does not hold.

    Raises:
        ConvergenceError: if it still holds after ``max_steps`` steps. In a compiled function the state of that row is
            nan instead, unless ``check=True``.
        InputError: if something is no number, or the condition is no comparison.
        ArgumentError: if a step changes the structure of the state.

    The condition and the step are those of ``jax.lax.while_loop``.

    >>> from autograd import grad, while_loop
    >>> def root(a):  # Newton's method for the square root
    ...     return while_loop(lambda x: abs(x * x - a) > 1e-12 * a, lambda x: (x + a / x) / 2, a, 50)
    >>> f"{root(2.0):.6f} {grad(root)(2.0):.6f}"
    '1.414214 0.353553'
    """
    _function(condition, "while_loop", "condition")
    name = called(_function(step, "while_loop", "step"))
    most = whole("max_steps", max_steps)
    states = _Form(state, "the state")

    def flat_condition(state: Numbers) -> Any:
        return _condition(condition(states.rebuild(state)), called(condition))

    def flat_step(state: Numbers) -> Numbers:
        return states.read(step(states.rebuild(state)), f"the state that {name} returned")

    loops: Loops = context.state().loops or _EAGER
    last: State = states.rebuild(loops.while_loop(flat_condition, flat_step, states.leaves, most))
    return last


# Structures ----------------------------------------------------------------------------------------------------------


class _Form:
    """The structure that something keeps from step to step.

    Attributes:
        like: a sample of it.
        leaves: the numbers of the sample.
        structure: how they are put together.
    """

    def __init__(self, like: Any, what: str) -> None:
        self.like = like
        self.leaves, self.structure = numbers(like, what)
        self._is_number = self.structure.shape() == ()
        is_list = type(like) in (list, tuple) and len(like) == len(self.leaves) > 0
        self._kind = type(like) if is_list and all(map(_is_plain, like)) else None

    def rebuild(self, leaves: Numbers) -> Any:
        return leaves[0] if self._is_number else self.structure.rebuild(iter(leaves))

    def read(self, given: Any, what: str) -> Numbers:
        """The numbers of something that must have this structure."""
        if self._is_number and _is_plain(given):
            return [given]
        if type(given) is self._kind and len(given) == len(self.leaves) and all(map(_is_plain, given)):
            return list(given)
        return matched(given, self.like, what, same_kind=True)


def _is_plain(x: Any) -> bool:
    return type(x) is float or isinstance(x, Value)


class _Axis(NamedTuple):
    """A list or array in xs, whose first axis is the steps."""

    items: Sequence[Any]
    place: str

    def __len__(self) -> int:
        return len(self.items)


def _axes(xs: Any) -> tuple[list[_Axis], Structure]:
    """The lists and arrays that xs consists of, and how they are put together."""
    structure = Structure()
    axes: list[_Axis] = []
    if xs is None:
        return axes, structure
    walk = _Outside(xs, "xs")
    for item in walk:
        if type(item) is Container:
            structure.close(item)
            continue
        if not _is_axis(item):
            raise InputError(
                f"scan: {walk.place()} is {shown(item)}, but a list or array is needed, whose first axis is the steps. "
                "Tuples and dicts hold several of them; for one, write a list"
            )
        axes.append(_Axis(item, walk.place()))
        structure.leaf()
    return axes, structure


def _is_axis(x: Any) -> bool:
    if is_array(x):
        return bool(x.ndim)
    return isinstance(x, Sequence) and not isinstance(x, str | bytes | tuple)


class _Outside(Walk):
    """The part of a structure outside its lists and arrays, which are its leaves."""

    def opened(self, x: Any) -> Container | None:
        return None if _is_axis(x) else super().opened(x)


def _opened(axes: Sequence[_Axis]) -> tuple[list[Sequence[Any]], list[Structure]]:
    """For each number of an x the sequence of it; and for each axis, the structure of one of its items."""
    columns: list[Sequence[Any]] = []
    forms = []
    for items, place in axes:
        if isinstance(items, Steps):
            own, form = items.sequences, items.structure
        else:
            own, form = _columns(items if is_array(items) else list(items), place)
        columns += own
        forms.append(form)
    return columns, forms


def _columns(items: Any, place: str) -> tuple[Sequence[Sequence[Any]], Structure]:
    form = numbers(items[0], f"{place}[0]")[1]
    like = form.shape()
    if like is not None and (is_array(items) or not any(map(is_array, items))):
        leaves, structure = numbers(items, place)
        if structure.shape() == (len(items), *like):
            size = len(leaves) // len(items)
            return [leaves[k::size] for k in range(size)], form
    rows = [matched(item, items[0], f"{place}[{k}]", same_kind=True) for k, item in enumerate(items)]
    return list(zip(*rows, strict=True)), form


def _over_steps(ys: _Form, sequences: Sequence[Sequence[Any]], count: int, eager: bool) -> Any:
    """The ys of all steps: each list, array or number of a y becomes one over the steps."""
    structure = Structure()
    parts: list[Any] = []
    left: Iterator[Sequence[Any]] = iter(sequences)
    for item in _Outside(ys.like, "y"):
        if type(item) is Container:
            structure.close(item)
            continue
        structure.leaf()
        leaves, form = numbers(item, "y")
        own = [next(left) for _ in leaves]
        if not eager:
            parts.append(Steps(own, form))
        elif is_array(item) and item.ndim:
            parts.append(array_of([x for row in zip(*own, strict=True) for x in row], (count, *item.shape), ()))
        elif form.shape() == ():
            parts.append(own[0])
        else:
            parts.append([form.rebuild(iter([column[k] for column in own])) for k in range(count)])
    return structure.rebuild(iter(parts))


# Arguments -----------------------------------------------------------------------------------------------------------


def _function(f: Callable[..., Any], where: str, what: str) -> Callable[..., Any]:
    if not callable(f):
        raise InputError(f"{where}: {what} is a function of the state, not {shown(f)}")
    return f


def _length(length: Any) -> int:
    return whole("the length of a scan", length, least=0)


def _condition(found: Any, name: str) -> Any:
    """What a condition returned, if it is a comparison."""
    if isinstance(found, bool) or (isinstance(found, Value) and _is_condition(found)):
        return found
    if type(found).__name__ in ("bool", "bool_") and hasattr(found, "item"):
        return bool(found)
    given = describe(found) if isinstance(found, Value) and found.tracer is None else shown(found)
    raise InputError(f"while_loop: {name} returned {given}, but a condition is a comparison, such as  state < 1")


def _is_condition(x: Value) -> bool:
    """Whether a Value is a comparison, or while compiling a combination of comparisons."""
    left: list[Any] = [x]
    while left:
        x = left.pop()
        if isinstance(x, float) and x in (0.0, 1.0):
            continue
        op = x.op if isinstance(x, Value) else None
        if op is WHERE and x.tracer is not None:
            left += x.operands[1:]
        elif op is None or not op.condition:
            return False
    return True


def _is_true(found: Any) -> bool:
    return found.data != 0.0 if isinstance(found, Value) else bool(found)
