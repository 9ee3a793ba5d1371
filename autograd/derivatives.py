"""Derivatives of Python functions: ``grad`` and its family, forward and reverse, nested to any order.

All of them call the function once on new Values and sweep over what it recorded. They take and return plain numbers
in the structure of the arguments; inside another derivative, or on arguments that are Values, they return Values that
can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, ParamSpec, TypeVar, cast, overload

from . import context, functions, higher, ops, sweep
from .arguments import Argnums, by_position, called, indices, parameters
from .errors import ArgumentError, GraphError, InputError
from .graph import topological
from .structure import Structure, cut, matched, numbers
from .text import shown
from .value import Value, describe, number

Function = Callable[..., Any]
P = ParamSpec("P")  # what the function takes: its derivatives take the same
S = TypeVar("S", bound=Sequence[Any])
R = TypeVar("R")  # what it returns, with numbers in the place of Values


@contextmanager
def _deeper() -> Iterator[list[Value]]:
    """Enter one more nested derivative; yields the list of Values that were converted to plain numbers in it."""
    left: list[Value] = []
    outer = context.state()
    with context.Surrounding(derivatives=outer.derivatives + 1, converted=left, recording=True):
        yield left
    if outer.converted is not None:
        outer.converted += left  # they are lost to the outer derivative too


class _Call:
    """One call of a function on new inputs.

    Attributes:
        f: the function.
        one: whether the derivative is with respect to one argument, not a tuple of several.
        inputs: the new Values that replaced the numbers.
        arguments: the structure of each argument.
        sizes: how many inputs each argument has.
        result: what the function returned.
        left: the Values that were converted to plain numbers during the call.
        nested: whether Values are returned, to be differentiated again.
    """

    f: Function
    one: bool
    inputs: list[Value]
    arguments: list[Structure]
    sizes: list[int]
    result: Any
    left: list[Value]
    nested: bool

    def outputs(self) -> tuple[list[Any], Structure]:
        """The numbers and Values that the function returned, and their structure."""
        if self.result is None:
            raise InputError(f"{called(self.f)} returned None; did it forget to return its result?")
        outputs = numbers(self.result, f"what {called(self.f)} returned")
        self.complain_if_lost()
        return outputs

    def output(self, asked: str) -> Value | float:
        """The one number that the function returned."""
        outputs, structure = self.outputs()
        if structure.shape() != ():
            raise InputError(
                f"{asked} needs a function that returns one number; {called(self.f)} returned "
                f"{type(self.result).__name__} of {len(outputs)}. Use jacobian for several outputs"
            )
        return outputs[0]  # type: ignore[no-any-return]

    def complain_if_lost(self) -> None:
        """Raise an error if a derivative is lost because a Value was converted to a plain number."""
        inputs = set(self.inputs)
        for gone in self.left:
            lost = [x for x in topological(gone) if x in inputs]
            if lost:
                raise GraphError(
                    f"{called(self.f)} turned {describe(gone)} into a plain number on the way, by float(), int() or a "
                    f"function of math; it depends on {describe(lost[0])}, and that part of the derivative is lost. "
                    "Use autograd's functions (autograd.sin for math.sin), or x.data where no derivative is meant"
                )

    def packed(self, derivatives: Sequence[Any]) -> Any:
        """Derivatives with respect to the inputs, in the structure of the arguments."""
        new = iter(derivatives)
        return self._together([argument.rebuild(new) for argument in self.arguments])

    def packed_rows(self, rows: Sequence[Sequence[Any]], outer: Structure) -> Any:
        """The rows of derivatives in the structure of the outputs; a tuple of them for several arguments."""
        parts = [cut(row, self.sizes) for row in rows]
        blocks = []
        for k, argument in enumerate(self.arguments):
            blocks.append(outer.rebuild((argument.rebuild(iter(part[k])) for part in parts), argument.shape()))
        return self._together(blocks)

    def packed_hessian(self, rows: Sequence[Sequence[Any]]) -> Any:
        """A row of second derivatives for each input, in the structure of the arguments."""
        of_each = zip(cut(rows, self.sizes), self.arguments, strict=True)
        return self._together([self.packed_rows(own, argument) for own, argument in of_each])

    def _together(self, parts: Sequence[Any]) -> Any:
        return parts[0] if self.one else tuple(parts)

    def gradient(self, output: Value | float, nested: bool = False, count: int | None = None) -> list[Any]:
        """The derivative of one output with respect to every input, or to the first ones."""
        inputs = self.inputs[:count]
        if not isinstance(output, Value):
            return [0.0] * len(inputs)
        if output in self.inputs:
            return [float(x is output) for x in inputs]
        order = self.order(output)
        if self.nested or nested:
            return higher.reverse(order, inputs)
        adjoints = sweep.adjoints(order)
        return [adjoints.get(x, 0.0) for x in inputs]

    def order(self, *outputs: Value) -> list[Value]:
        """The nodes of this call, without what an outer derivative recorded before it."""
        return topological(*outputs, since=self.inputs if self.nested else ())

    def plain(self, x: Any) -> Any:
        """A result as it is returned: a number, or a Value inside another derivative."""
        return x if self.nested else number(x)


def _call(f: Function, args: Sequence[Any], argnums: Argnums, kwargs: dict[str, Any]) -> _Call:
    """Call a function with new Values instead of the numbers in the arguments that ``argnums`` selects."""
    args, kwargs = by_position(f, args, kwargs)
    try:
        chosen = indices(argnums, len(args), called(f))
    except ArgumentError as error:
        if not kwargs:
            raise
        names = ", ".join(kwargs)
        raise ArgumentError(
            f"{error} that have a position, and with {names} by keyword only; derivatives are taken in the former: "
            f"give a function that has a position for each, such as lambda x: {called(f)}({next(iter(kwargs))}=x)"
        ) from None
    call = _Call()
    call.f, call.one = f, isinstance(chosen, int)
    places = (chosen,) if isinstance(chosen, int) else chosen
    parts = [numbers(args[k], f"argument {k} of {called(f)}") for k in places]
    given = [x for leaves, _ in parts for x in leaves]
    call.arguments = [structure for _, structure in parts]
    call.sizes = [len(leaves) for leaves, _ in parts]
    state = context.state()
    tracer = state.tracer
    call.nested = tracer is not None or state.derivatives > 0 or any(isinstance(x, Value) for x in given)
    if tracer is not None:  # a function is being compiled: the derivative is recorded like everything else
        call.inputs = [tracer(ops.IDENTITY, (x,)) for x in given]
    else:
        call.inputs = [functions.identity(x) if isinstance(x, Value) else Value(x) for x in given]
    _name(call, places)
    new, replaced = iter(call.inputs), list(args)
    for k, argument in zip(places, call.arguments, strict=True):
        replaced[k] = argument.rebuild(new)
    with _deeper() as call.left:
        call.result = f(*replaced, **kwargs)
    return call


def _function(f: Callable[P, R]) -> Callable[P, R]:
    if not callable(f):
        raise InputError(f"a function is needed, not {shown(f)}: write grad(f)(x), not grad(f(x))")
    return f


def _name(call: _Call, places: Sequence[int]) -> None:
    """Name the new inputs after the parameters of the function, for error messages, drawings and explanations."""
    names = parameters(call.f)
    for k, own, argument in zip(places, cut(call.inputs, call.sizes), call.arguments, strict=True):
        if k < len(names):
            if argument.shape() == ():
                own[0].name = names[k]
            else:
                for i, x in enumerate(own):
                    x.name = f"{names[k]}[{i}]"


def _named(derivative: Callable[P, R], what: str, f: Function) -> Callable[P, R]:
    """A derivative of a function, which has the function's parameters."""
    derivative.__name__ = derivative.__qualname__ = f"{what}({called(f)})"
    derivative.__wrapped__ = f  # type: ignore[attr-defined]
    return derivative


# The public family ---------------------------------------------------------------------------------------------------


@overload
def grad(f: Callable[P, Any], argnums: int = 0) -> Callable[P, Any]: ...
@overload
def grad(f: Callable[P, Any], argnums: Sequence[int]) -> Callable[P, tuple[Any, ...]]: ...
def grad(f: Callable[P, Any], argnums: Argnums = 0) -> Callable[P, Any]:
    """The gradient of a function that returns one number, by one reverse sweep.

    Args:
        f: takes numbers, nested lists, tuples, dicts or NumPy arrays of numbers; returns one number.
        argnums: with respect to which argument, or several.

    Returns:
        a function of the same arguments that returns the derivative in the structure of the argument (a tuple of them
        for several). It can be differentiated again.

    Raises:
        InputError: if ``f`` returns anything other than one number.
        GraphError: if the derivative is lost because a Value was turned into a plain number on the way.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    >>> grad(lambda w, x: w[0] * x + w[1])([2.0, 1.0], 5.0)
    [5.0, 1.0]
    """
    both: Callable[P, tuple[Any, Any]] = value_and_grad(_function(f), cast(int, argnums))

    def gradient(*args: P.args, **kwargs: P.kwargs) -> Any:
        return both(*args, **kwargs)[1]

    return _named(gradient, "grad", f)


@overload
def value_and_grad(f: Callable[P, R], argnums: int = 0) -> Callable[P, tuple[R, Any]]: ...
@overload
def value_and_grad(f: Callable[P, R], argnums: Sequence[int]) -> Callable[P, tuple[R, tuple[Any, ...]]]: ...
def value_and_grad(f: Callable[P, R], argnums: Argnums = 0) -> Callable[P, tuple[R, Any]]:
    """The function's value and its gradient, from one call; see ``grad``.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    _function(f)

    def value_and_gradient(*args: P.args, **kwargs: P.kwargs) -> tuple[R, Any]:
        call = _call(f, args, argnums, kwargs)
        output = call.output("grad")
        return call.plain(output), call.packed(call.gradient(output))

    return _named(value_and_gradient, "value_and_grad", f)


def jvp(f: Callable[..., R], primals: Sequence[Any], tangents: Sequence[Any], **kwargs: Any) -> tuple[R, R]:
    """A directional derivative, by one forward sweep.

    Args:
        f: any function of numbers and structures of numbers.
        primals: its arguments.
        tangents: the direction, in the structure of ``primals``.
        kwargs: further arguments of ``f``, by keyword; they are held fixed.

    Returns:
        the value of ``f``, and how fast it changes along the direction, in the same structure.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (6.0, 4.0)
    """
    primals = _some(_listed(primals, "primals"), "jvp")
    call = _call(_function(f), primals, range(len(primals)), kwargs)
    directions = matched(_listed(tangents, "tangents"), primals, "tangents")
    outputs, structure = call.outputs()
    moved = _push(call, outputs, directions)
    return structure.rebuild(iter([call.plain(y) for y in outputs])), structure.rebuild(iter(moved))


def vjp(f: Callable[..., R], *primals: Any, **kwargs: Any) -> tuple[R, Callable[[R], tuple[Any, ...]]]:
    """The value, and a function that pulls an output's adjoint back to the arguments by one reverse sweep.

    Args:
        f: any function of numbers and structures of numbers.
        primals: its arguments.
        kwargs: further arguments of ``f``, by keyword; they are held fixed.

    Returns:
        the value of ``f``, and ``pullback``: it takes adjoints in the structure of the value and returns a tuple with
        the adjoint of each argument.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
    >>> value, pullback([1.0, 10.0])
    ([6.0, 5.0], (13.0, 12.0))
    """
    call = _call(_function(f), _some(primals, "vjp"), range(len(primals)), kwargs)
    outputs, structure = call.outputs()

    def pullback(adjoints: R) -> tuple[Any, ...]:
        given = matched(adjoints, call.result, "the adjoints")
        with _deeper():
            total = functions.dot(given, outputs)
        nested = context.state().derivatives > 0 or any(isinstance(a, Value) for a in given)
        return call.packed(call.gradient(total, nested))  # type: ignore[no-any-return]

    return structure.rebuild(iter([call.plain(y) for y in outputs])), pullback


def jacobian(
    f: Callable[P, Any], argnums: Argnums = 0, mode: Literal["auto", "forward", "reverse"] = "auto"
) -> Callable[P, Any]:
    """All derivatives of all outputs.

    Args:
        f: any function of numbers and structures of numbers.
        argnums: with respect to which argument, or several.
        mode: ``"forward"`` makes one sweep for each input, ``"reverse"`` one for each output; ``"auto"`` takes the
            fewer.

    Returns:
        a function of the same arguments: the structure of the result, with the structure of the argument in the place
        of each number. For a NumPy array in and out, an array of shape ``result.shape + argument.shape``.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    _function(f)
    if not isinstance(mode, str) or mode not in ("auto", "forward", "reverse"):
        raise ArgumentError(f"mode is 'auto', 'forward' or 'reverse', not {shown(mode)}")

    def jacobian_of_f(*args: P.args, **kwargs: P.kwargs) -> Any:
        call = _call(f, args, argnums, kwargs)
        outputs, structure = call.outputs()
        forward = mode == "forward" or (mode == "auto" and len(call.inputs) < len(outputs))
        if forward:
            n = len(call.inputs)
            columns = [_push(call, outputs, [float(i == k) for i in range(n)]) for k in range(n)]
            rows = [[column[k] for column in columns] for k in range(len(outputs))]
        else:
            rows = [call.gradient(y) for y in outputs]
        return call.packed_rows(rows, structure)

    return _named(jacobian_of_f, "jacobian", f)


@overload
def hessian(f: Callable[P, Any], argnums: int = 0) -> Callable[P, Any]: ...
@overload
def hessian(f: Callable[P, Any], argnums: Sequence[int]) -> Callable[P, tuple[tuple[Any, ...], ...]]: ...
def hessian(f: Callable[P, Any], argnums: Argnums = 0) -> Callable[P, Any]:
    """All second derivatives of a function that returns one number.

    The gradient is recorded as a graph; one reverse sweep over it gives each row.

    Returns:
        a function of the same arguments: the structure of the argument, with the same structure in the place of each
        number. For a NumPy array of shape s, an array of shape s + s.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """

    _function(f)

    def hessian_of_f(*args: P.args, **kwargs: P.kwargs) -> Any:
        call = _call(f, args, argnums, kwargs)
        half = [call.gradient(g, count=i + 1) for i, g in enumerate(_gradient_graph(call, "hessian"))]
        n = len(half)  # one half is taken for both, as in compiled functions: the whole is symmetric to the last bit
        return call.packed_hessian([[half[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)])

    return _named(hessian_of_f, "hessian", f)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], **kwargs: Any) -> Any:
    """The Hessian of a function that returns one number times a direction, without the Hessian: two reverse sweeps.

    Args:
        f: returns one number.
        primals: its arguments.
        tangents: the direction, in the structure of ``primals``.
        kwargs: further arguments of ``f``, by keyword; they are held fixed.

    Returns:
        the product, in the structure of ``primals``; for one argument, in the structure of that argument.

    >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    primals = _some(_listed(primals, "primals"), "hvp")
    argnums: Argnums = 0 if len(primals) == 1 else range(len(primals))
    call = _call(_function(f), primals, argnums, kwargs)
    directions = matched(_listed(tangents, "tangents"), primals, "tangents")
    gradient = _gradient_graph(call, "hvp")
    with _deeper():
        along = functions.dot(gradient, directions)
    return call.packed(call.gradient(along))


def _listed(xs: Any, what: str) -> list[Any]:
    if not isinstance(xs, list | tuple):
        raise InputError(f"{what} is a tuple with one entry for each argument, not {type(xs).__name__}")
    return list(xs)


def _some(primals: S, asked: str) -> S:
    if not primals:
        raise ArgumentError(f"{asked} needs at least one primal: the arguments in which the derivative is taken")
    return primals


def _gradient_graph(call: _Call, asked: str) -> list[Any]:
    """The gradient as Values on the same inputs."""
    output = call.output(asked)
    if not isinstance(output, Value):
        return [0.0] * len(call.inputs)
    with _deeper() as call.left:
        gradient = call.gradient(output, nested=True)
    call.complain_if_lost()
    return gradient


def _push(call: _Call, outputs: Sequence[Any], directions: Sequence[Any]) -> list[Any]:
    """The tangents of the outputs for one direction of the inputs."""
    tracked = [y for y in outputs if isinstance(y, Value)]
    if not tracked:
        return [0.0] * len(outputs)
    order = call.order(*tracked)
    if call.nested or any(isinstance(d, Value) for d in directions):
        moved: dict[Value, Any] = dict(higher.forward(order, dict(zip(call.inputs, directions, strict=True))))
    else:
        moved = sweep.tangents(order, dict(zip(call.inputs, directions, strict=True)))
    return [moved.get(y, 0.0) if isinstance(y, Value) else 0.0 for y in outputs]
