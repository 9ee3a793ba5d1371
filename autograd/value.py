"""Value: a number that records how it was computed. One node of the computation graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from math import isfinite, isinf
from numbers import Real
from sys import float_info
from typing import Any, ClassVar, NoReturn, cast

from . import context, ops, sweep
from .arguments import whole
from .carriers import IEEE, Extended
from .errors import DomainError, InputError
from .graph import numbers_of
from .ops import Op
from .text import shown

MOST_PLACES = 22  # that round keeps: larger powers of ten are no floats


class _Elsewhere:
    """An attribute that other libraries have and a Value has not; asking for it says what it is called here."""

    def __init__(self, advice: str) -> None:
        self._advice = advice

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        raise AttributeError(f"a Value has no {self._name!r}: {self._advice}")

    def __set__(self, instance: Any, given: Any) -> NoReturn:
        raise AttributeError(f"a Value has no {self._name!r}: {self._advice}")


class Value:
    """A scalar that records the operations applied to it.

    A node holds its operation, its inputs, its value and the partial derivative with respect to each input, computed
    when the node is recorded: the derivative lives on the edge. ``backward()`` then needs one multiplication per edge.

    Args:
        data: the number, anything that Python or NumPy counts as real; ``bool``, text and complex are refused.
        name: what to call it in drawings, explanations and error texts.

    Attributes:
        data: the value, a float.
        grad: the derivative of the last ``backward()``'s output with respect to this node; leaves accumulate.
        op: the operation's row of the table, or None for a leaf.
        inputs: the tracked operands, in order; ``x * x`` has two.
        partials: the partial derivative with respect to each input.
        operands: all operands, constants (floats) included.
        scope: the names of the scopes it was recorded in, outermost first.

    Raises:
        InputError: (a TypeError) if ``data`` is not a real number.

    >>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    >>> y = a * b + b ** 2
    >>> y.backward()
    >>> y.data, a.grad, b.grad
    (3.0, -3.0, -4.0)
    """

    # ``op``, ``name``, ``scope`` and ``operands`` are read from one tuple, ``origin``: (op, name, scope, *operands),
    # without the operands if these are the inputs. Nodes of one operation without name, scope and constants share it.
    __slots__ = ("__weakref__", "data", "grad", "inputs", "origin", "partials")

    data: float
    grad: float
    inputs: tuple[Value, ...]
    partials: tuple[float, ...]
    origin: tuple[Any, ...]
    tracer: ClassVar[Any] = None  # records operations on a subclass that stands for many numbers

    def __init__(self, data: Any, name: str | None = None, **unknown: Any) -> None:
        if unknown:
            raise _unknown_argument(next(iter(unknown)))
        self.data = data if type(data) is float else as_float(data)
        self.grad = 0.0
        if name is not None and not isinstance(name, str):
            raise InputError(f"a name is text, not {shown(name)}")
        self.inputs = self.partials = ()
        scope = context.state().scope if context.active else ()
        self.origin = (None, name, scope) if scope or name is not None else _LEAF

    @property
    def op(self) -> Op | None:
        return self.origin[0]  # type: ignore[no-any-return]

    @property
    def name(self) -> str | None:
        return self.origin[1]  # type: ignore[no-any-return]

    @name.setter
    def name(self, name: str | None) -> None:
        label(self, name, self.scope)

    @property
    def scope(self) -> tuple[str, ...]:
        return self.origin[2]  # type: ignore[no-any-return]

    @scope.setter
    def scope(self, scope: tuple[str, ...]) -> None:
        label(self, self.name, scope)

    @property
    def operands(self) -> tuple[Value | float, ...]:
        return self.origin[3:] or self.inputs

    # micrograd's names, and those of PyTorch's tensors that a learner meets first.
    label = _Elsewhere("it is called name")
    _prev = _Elsewhere("what it was computed from is in inputs, and operands")
    _op = _Elsewhere("its operation is op, with the name op.name")
    _backward = _Elsewhere("there are no closures; the slope of each edge is in partials")
    requires_grad = _Elsewhere("every Value has derivatives; detach() and no_grad() leave them out")

    # fmt: off
    # Arithmetic: one line each, in the order of the table.
    def __add__(self, other: Any) -> Value: return binary(ops.ADD, self, other)
    def __radd__(self, other: Any) -> Value: return binary(ops.ADD, other, self)
    def __sub__(self, other: Any) -> Value: return binary(ops.SUB, self, other)
    def __rsub__(self, other: Any) -> Value: return binary(ops.SUB, other, self)
    def __mul__(self, other: Any) -> Value: return binary(ops.MUL, self, other)
    def __rmul__(self, other: Any) -> Value: return binary(ops.MUL, other, self)
    def __truediv__(self, other: Any) -> Value: return binary(ops.DIV, self, other)
    def __rtruediv__(self, other: Any) -> Value: return binary(ops.DIV, other, self)
    def __pow__(self, other: Any) -> Value: return binary(ops.POW, self, other)
    def __rpow__(self, other: Any) -> Value: return binary(ops.POW, other, self)
    def __neg__(self) -> Value: return unary(ops.NEG, self)
    def __pos__(self) -> Value: return self
    def __abs__(self) -> Value: return unary(ops.ABS, self)

    def identity(self) -> Value: return unary(ops.IDENTITY, self)
    def sqrt(self) -> Value: return unary(ops.SQRT, self)
    def cbrt(self) -> Value: return unary(ops.CBRT, self)
    def square(self) -> Value: return unary(ops.SQUARE, self)
    def reciprocal(self) -> Value: return unary(ops.RECIPROCAL, self)
    def sign(self) -> Value: return unary(ops.SIGN, self)
    def exp(self) -> Value: return unary(ops.EXP, self)
    def exp2(self) -> Value: return unary(ops.EXP2, self)
    def expm1(self) -> Value: return unary(ops.EXPM1, self)
    def log(self) -> Value: return unary(ops.LOG, self)
    def log2(self) -> Value: return unary(ops.LOG2, self)
    def log10(self) -> Value: return unary(ops.LOG10, self)
    def log1p(self) -> Value: return unary(ops.LOG1P, self)
    def log1mexp(self) -> Value: return unary(ops.LOG1MEXP, self)
    def sin(self) -> Value: return unary(ops.SIN, self)
    def cos(self) -> Value: return unary(ops.COS, self)
    def tan(self) -> Value: return unary(ops.TAN, self)
    def sec(self) -> Value: return unary(ops.SEC, self)
    def csc(self) -> Value: return unary(ops.CSC, self)
    def cot(self) -> Value: return unary(ops.COT, self)
    def asin(self) -> Value: return unary(ops.ASIN, self)
    def acos(self) -> Value: return unary(ops.ACOS, self)
    def atan(self) -> Value: return unary(ops.ATAN, self)
    def sinpi(self) -> Value: return unary(ops.SINPI, self)
    def cospi(self) -> Value: return unary(ops.COSPI, self)
    def radians(self) -> Value: return unary(ops.RADIANS, self)
    def degrees(self) -> Value: return unary(ops.DEGREES, self)
    def sinh(self) -> Value: return unary(ops.SINH, self)
    def cosh(self) -> Value: return unary(ops.COSH, self)
    def tanh(self) -> Value: return unary(ops.TANH, self)
    def sech(self) -> Value: return unary(ops.SECH, self)
    def asinh(self) -> Value: return unary(ops.ASINH, self)
    def acosh(self) -> Value: return unary(ops.ACOSH, self)
    def atanh(self) -> Value: return unary(ops.ATANH, self)
    def floor(self) -> Value: return unary(ops.FLOOR, self)
    def ceil(self) -> Value: return unary(ops.CEIL, self)
    def trunc(self) -> Value: return unary(ops.TRUNC, self)
    def round(self) -> Value: return unary(ops.ROUND, self)
    def erf(self) -> Value: return unary(ops.ERF, self)
    def erfc(self) -> Value: return unary(ops.ERFC, self)
    def erfcx(self) -> Value: return unary(ops.ERFCX, self)
    def erfinv(self) -> Value: return unary(ops.ERFINV, self)
    def normal_cdf(self) -> Value: return unary(ops.NORMAL_CDF, self)
    def normal_quantile(self) -> Value: return unary(ops.NORMAL_QUANTILE, self)
    def gamma(self) -> Value: return unary(ops.GAMMA, self)
    def lgamma(self) -> Value: return unary(ops.LGAMMA, self)
    def digamma(self) -> Value: return unary(ops.DIGAMMA, self)
    def sigmoid(self) -> Value: return unary(ops.SIGMOID, self)
    def logit(self) -> Value: return unary(ops.LOGIT, self)
    def relu(self) -> Value: return unary(ops.RELU, self)
    def softplus(self) -> Value: return unary(ops.SOFTPLUS, self)
    def log_sigmoid(self) -> Value: return unary(ops.LOG_SIGMOID, self)
    def silu(self) -> Value: return unary(ops.SILU, self)
    def mish(self) -> Value: return unary(ops.MISH, self)
    def gelu(self) -> Value: return unary(ops.GELU, self)
    def selu(self) -> Value: return unary(ops.SELU, self)
    def softsign(self) -> Value: return unary(ops.SOFTSIGN, self)
    def hardtanh(self) -> Value: return unary(ops.HARDTANH, self)
    def hardsigmoid(self) -> Value: return unary(ops.HARDSIGMOID, self)
    def hardswish(self) -> Value: return unary(ops.HARDSWISH, self)

    # The names that NumPy calls on the elements of an object array.
    arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
    fabs, rint, deg2rad, rad2deg, conjugate = __abs__, round, radians, degrees, __pos__
    __floor__, __ceil__, __trunc__ = floor, ceil, trunc

    def arctan2(self, other: Any) -> Value: return binary(ops.ATAN2, self, other)
    def hypot(self, other: Any) -> Value: return binary(ops.HYPOT, self, other)
    def copysign(self, other: Any) -> Value: return binary(ops.COPYSIGN, self, other)
    def fmod(self, other: Any) -> Value: return binary(ops.FMOD, self, other)
    def logaddexp(self, other: Any) -> Value: return binary(ops.LOGADDEXP, self, other)
    def __mod__(self, other: Any) -> Value: return binary(ops.MOD, self, other)
    def __rmod__(self, other: Any) -> Value: return binary(ops.MOD, other, self)
    def __floordiv__(self, other: Any) -> Value: return _floor_divide(self, other)
    def __rfloordiv__(self, other: Any) -> Value: return _floor_divide(other, self)
    def __divmod__(self, other: Any) -> tuple[Value, Value]: return _divmod(self, other)
    def __rdivmod__(self, other: Any) -> tuple[Value, Value]: return _divmod(other, self)
    def __round__(self, digits: Any = None) -> Value:
        if digits is None or whole("the digits of round", digits, least=-MOST_PLACES, most=MOST_PLACES) == 0:
            return unary(ops.ROUND, self)
        return unary(ops.ROUND, self * 10.0 ** int(digits)) / 10.0 ** int(digits)

    # A Value compares and converts as the number it holds; equality and hash stay those of the object.
    def __lt__(self, other: Any) -> Any: return _compare(ops.LESS, self, other)
    def __le__(self, other: Any) -> Any: return _compare(ops.LESS_EQUAL, self, other)
    def __gt__(self, other: Any) -> Any: return _compare(ops.LESS, other, self)
    def __ge__(self, other: Any) -> Any: return _compare(ops.LESS_EQUAL, other, self)
    def __bool__(self) -> bool: return _deciding(self, "bool") != 0.0
    def __float__(self) -> float: return _converted(self, "float")
    def __int__(self) -> int: return int(_converted(self, "int"))
    def item(self) -> float: return _converted(self, "data")
    # fmt: on

    def backward(self, gradient: float = 1.0) -> None:
        """Fill ``grad`` of every node this one depends on: one reverse sweep, one multiplication per edge.

        Leaves accumulate over calls (set ``leaf.grad = 0.0`` to reset it); interior nodes start from 0 each time.

        Args:
            gradient: the adjoint of this node itself, 1 unless it is part of something larger.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        sweep.backward(self, number(gradient))

    def detach(self) -> Value:
        """A leaf with the same value that no derivative flows through."""
        return Value(self.data, self.name)

    def __repr__(self) -> str:
        name = f", name={self.name!r}" if self.name is not None else ""
        op = f", op={self.op.name}" if self.op is not None else ""
        return f"Value(data={self.data!r}, grad={self.grad!r}{name}{op})"

    def _repr_html_(self) -> str:
        from .display import value

        return value(self)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """Apply a NumPy function as to an array of objects, number by number."""
        from numpy import asarray, frompyfunc

        if ufunc.__name__ in ("arctan2", "hypot", "fmod"):  # called as methods of the first operand
            operands = (frompyfunc(lambda x: x if isinstance(x, Value) else Value(x), 1, 1)(operands[0]), *operands[1:])
        arrays = [asarray(x, dtype=object) if isinstance(x, Value) else x for x in operands]
        return getattr(ufunc, method)(*arrays, **options)

    # A copy would lose the derivative. So while a derivative is taken, the copy of a Value is the Value itself.
    def __copy__(self) -> Value:
        return self._copied(lambda x: x)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        from copy import deepcopy

        return self._copied(lambda x: deepcopy(x, memo))

    def _copied(self, take: Callable[[Any], Any]) -> Value:
        if _is_followed():
            return self
        self._refuse_copy_of_node()
        twin = _new(type(self))
        attributes, slots = cast(Any, object.__getstate__(self))
        for name, x in (slots | (attributes or {})).items():
            setattr(twin, name, take(x))
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        if _is_followed():
            raise InputError(
                f"{describe(self)} cannot be pickled while a derivative is taken or a function is compiled: what comes "
                "back would be a number without derivative. Use copy.copy, which keeps it, or pickle x.data"
            )
        self._refuse_copy_of_node()
        return super().__reduce_ex__(max(int(protocol), 2))

    def _refuse_copy_of_node(self) -> None:
        if self.op is not None:
            raise InputError(
                f"{describe(self)} is part of a graph and cannot be copied or pickled; "
                "copy the leaves, or use .detach() for the number alone"
            )


def as_float(x: Any) -> float:
    """The float of a real number; an InputError that says what was given for everything else."""
    if isinstance(x, Real) and not isinstance(x, bool):
        try:
            return float(x)
        except OverflowError:
            raise InputError("the number is too large for a float; its largest is about 1.8e308") from None
    if getattr(x, "shape", None) == () and hasattr(x, "item") and not isinstance(x.item(), type(x)):
        return as_float(x.item())  # a NumPy scalar or a 0-d array
    if isinstance(x, Value):
        raise InputError(
            f"a number is needed, not {describe(x)}; use v.data for its value or v.detach() for a new leaf"
        )
    hint = {
        bool: "use 1.0 or 0.0 if that is meant",
        str: "convert it with float(...) first",
        complex: "only real numbers can be differentiated here",
        list: "make one Value for each element",
        tuple: "make one Value for each element",
    }.get(type(x), "give an int or a float")
    raise InputError(f"a real number is needed, not {shown(x)} of type {type(x).__name__}; {hint}")


def number(x: Any) -> float:
    """The float of a Value or of a real number; ``data`` of another type is converted to a float and stored."""
    if isinstance(x, Value):
        if type(x.data) is not float:
            x.data = as_float(x.data)
        return x.data
    return x if type(x) is float else as_float(x)


def describe(x: Value | float) -> str:
    """A node in a few words for error texts: its name or operation, and its value."""
    if not isinstance(x, Value):
        return f"{x!r}"
    what = repr(x.name) if x.name is not None else "a leaf" if x.op is None else f"the result of {x.op.name}"
    return f"{what} (= {x.data!r})"


# Recording -----------------------------------------------------------------------------------------------------------

# The types of the operands decide which function records an operation: ``unary`` and ``binary`` record plain Values and
# floats directly. For all other types they call ``record``, which first looks for a tracer (``tracer_of``), as
# comparisons do.

_new = object.__new__
_MATH_ERRORS = (ArithmeticError, ValueError)
_PLAIN = frozenset((Value, float))
_FLOAT = frozenset((float,))
_LARGEST = float_info.max


def _unknown_argument(name: str) -> InputError:
    """The error for a keyword argument that Value does not have."""
    advice = {"label": "; what it is called is name='x'", "requires_grad": "; every Value has derivatives"}
    return InputError(f"Value() takes a number and a name, but no {name!r}{advice.get(name, '')}")


_LEAF = (None, None, ())  # the origin of a leaf without name and scope


def node(data: float, inputs: tuple[Value, ...], partials: tuple[float, ...], origin: tuple[Any, ...]) -> Value:
    """A new node of the graph; inside ``no_grad`` a leaf."""
    self: Value = _new(Value)
    self.data = data
    self.grad = 0.0
    self.inputs = inputs
    self.partials = partials
    self.origin = origin
    if context.active:
        _surround(self)
    return self


def label(node: Value, name: str | None, scope: tuple[str, ...]) -> None:
    """Set the name and the scope of a node together, which is faster than one after the other."""
    origin = node.origin
    node.origin = (origin[0], name, scope) + origin[3:]  # noqa: RUF005  (half the time of unpacking)


def _surround(node: Value) -> None:
    """Apply the state of the context to a new node."""
    state = context.state()
    if not state.recording:
        node.origin = _LEAF
        node.inputs = node.partials = ()
    if state.scope:
        node.scope = state.scope
    if state.made is not None:
        state.made.append(node)


def unary(op: Op, x: Value) -> Value:
    """Record an operation on one Value."""
    if type(x) is Value and type(a := x.data) is float:
        try:
            z = op.f(a)
            partial = op.df[0](z, a)
        except _MATH_ERRORS:  # outside the domain, or an infinite slope
            return record(op, (x,))
        self: Value = _new(Value)  # as in ``node``, inlined to save a call
        self.data = z
        self.grad = 0.0
        self.inputs = (x,)
        self.partials = (partial,)
        self.origin = op.unnamed
        if context.active:
            _surround(self)
        return self
    return record(op, (x,))


def binary(op: Op, x: Any, y: Any) -> Value:
    """Record an operation on two operands, at least one a Value. Python's operators call this.

    For other types it returns NotImplemented, so that they can handle the Value.
    """
    dx, dy = op.df
    try:
        if type(y) is Value:
            if type(b := y.data) is float:
                if type(x) is Value:
                    if type(a := x.data) is float:
                        z = op.f(a, b)
                        return node(z, (x, y), (dx(z, a, b), dy(z, a, b)), op.unnamed)
                elif type(x) is float:
                    z = op.f(x, b)
                    return node(z, (y,), (dy(z, x, b),), (op, None, (), x, y))
        elif type(y) is float and type(x) is Value and type(a := x.data) is float:
            z = op.f(a, y)
            return node(z, (x,), (dx(z, a, y),), (op, None, (), x, y))
    except _MATH_ERRORS:  # outside the domain, or an infinite slope
        return record(op, (x, y))
    if type(y) is int:
        return binary(op, x, as_float(y))
    if type(x) is int:
        return binary(op, as_float(x), y)
    if not (_is_number(x) and _is_number(y)):
        return NotImplemented  # type: ignore[no-any-return]
    return record(op, (x, y))


def _compare(op: Op, x: Any, y: Any) -> Any:
    """A comparison of the numbers; while a function is being compiled, a condition for each row."""
    a = x.data if type(x) is Value else x
    b = y.data if type(y) is Value else y
    if not (type(a) is float and type(b) is float) or (context.active and context.state().tracer is not None):
        if not (_is_number(x) and _is_number(y)):
            return NotImplemented
        tracer = tracer_of((x, y)) or context.state().tracer
        if tracer is not None:
            return tracer(op, (x, y))
        a, b = number(x), number(y)
    return a < b if op is ops.LESS else a <= b


def _floor_divide(x: Any, y: Any) -> Value:
    """x // y as in Python, computed from the remainder, so that it is exact. Its slopes are 0 everywhere."""
    try:
        remainder = binary(ops.MOD, x, y)
    except DomainError as error:
        raise DomainError(f"floor division x // y: {error}") from None
    if remainder is NotImplemented:
        return NotImplemented  # type: ignore[no-any-return]
    quotient = binary(ops.DIV, binary(ops.SUB, x, remainder), y)
    # The remainder is infinite where y is and has the other sign; the quotient is −1 there.
    if remainder.tracer is not None:
        return record(ops.WHERE, (_compare(ops.LESS, _LARGEST, abs(remainder)), -1.0, quotient.round()))
    if isinf(remainder.data):
        return record(ops.WHERE, (1.0, -1.0, remainder))
    if isfinite(quotient.data):
        return quotient.round()
    return record(ops.WHERE, (1.0, quotient.data, quotient))  # its slope is 0 as well, as that of every step


def _divmod(x: Any, y: Any) -> tuple[Value, Value]:
    quotient = _floor_divide(x, y)
    return NotImplemented if quotient is NotImplemented else (quotient, binary(ops.MOD, x, y))


def _is_followed() -> bool:
    """Whether a derivative is being taken or a function compiled, so that Values must stay in the graph."""
    state = context.state() if context.active else None
    return state is not None and (state.derivatives > 0 or state.tracer is not None)


def _is_number(x: Any) -> bool:
    return isinstance(x, Value | Real) and not isinstance(x, bool)


def tracer_of(operands: Iterable[Any]) -> Callable[[Op, tuple[Any, ...]], Any] | None:
    """The tracer of an operand that belongs to a function being compiled; None if there is none."""
    for x in operands:
        if isinstance(x, Value) and x.tracer is not None:
            return x.tracer  # type: ignore[no-any-return]
    return None


def _deciding(x: Value, asked: str) -> float:
    """The number of a Value, for a decision such as a branch; an error while compiling, when there is no number."""
    if context.active and context.state().tracer is not None:
        from .refusal import refused  # imported here because only errors need it

        what = "a Value" if x.name is None else repr(x.name)
        raise refused(f"{what} is read afresh at each call, so it has no number while the function is compiled", asked)
    return x.data


def _converted(x: Value, asked: str) -> float:
    """The number of a Value. While a derivative is taken, the conversion is noted, because it loses the derivative."""
    if context.active:
        if (noted := context.state().converted) is not None:
            noted.append(x)
        return _deciding(x, asked)
    return x.data


def record(op: Op, operands: Iterable[Any]) -> Value:
    """Record an operation on any operands.

    Raises:
        InputError: if an operand is not a number.
        DomainError: if the operation has no value there; the text names it and its operands.
    """
    operands = tuple(operands)
    if not _PLAIN.issuperset(map(type, operands)):
        if (tracer := tracer_of(operands)) is not None:
            return tracer(op, operands)  # type: ignore[no-any-return]
        operands = tuple([x if isinstance(x, Value) else as_float(x) for x in operands])
    numbers = [x.data if isinstance(x, Value) else x for x in operands]
    if not _FLOAT.issuperset(map(type, numbers)):
        numbers = [number(x) for x in operands]
    tracked = [isinstance(x, Value) for x in operands]
    arguments = op.arguments(numbers)
    z = _evaluated(op, operands, arguments)
    try:
        partials = _partials(op.df, op.nary, z, arguments, tracked)
    except _MATH_ERRORS:  # a finite value with an infinite partial, such as sqrt at 0
        rules = tuple(rule(IEEE) for rule in op.partials)
        extended = op.arguments([Extended(x) for x in numbers])
        partials = _partials(rules, op.nary, Extended(z), extended, tracked)
    if all(tracked):
        return node(z, operands, tuple(map(float, partials)), op.unnamed)
    return node(z, tuple(compress(operands, tracked)), tuple(map(float, partials)), (op, None, (), *operands))


def evaluate(op: Op, operands: Sequence[Value | float]) -> float:
    """The value rule on the operands' numbers.

    Raises:
        DomainError: where Python's ``math`` raises.
    """
    return _evaluated(op, operands, op.arguments(numbers_of(operands)))


def _evaluated(op: Op, operands: Sequence[Value | float], arguments: Sequence[Any]) -> float:
    try:
        result = op.f(*arguments)
    except _MATH_ERRORS as error:
        if not (context.active and context.state().extended):
            raise _domain_error(op, operands, error) from None
        result = op.value(IEEE)(*op.arguments([Extended(x) for x in numbers_of(operands)]))
    return result if type(result) is float else as_float(result)


def _partials(
    rules: Sequence[Callable[..., Any]], nary: bool, z: float, arguments: Sequence[Any], tracked: Sequence[bool]
) -> tuple[float, ...]:
    if nary:
        return tuple(compress(rules[0](z, *arguments), tracked))
    return tuple([rule(z, *arguments) for rule, is_tracked in zip(rules, tracked, strict=True) if is_tracked])


def _domain_error(op: Op, operands: Sequence[Value | float], error: Exception) -> DomainError:
    listed = ", ".join(f"{name} = {describe(x)}" for name, x in zip(op.names(len(operands)), operands, strict=True))
    what = "overflows" if isinstance(error, OverflowError) else "has no value"
    return DomainError(domain_sentence(op, what, listed))


def domain_sentence(op: Op, what: str, listed: str) -> str:
    """The text of a DomainError: what the operation does at the operands that are listed."""
    return (
        f"{op.name} {what} at {listed}. It is defined for: {op.conditions()}. "
        "Keep its operand inside, for example with where() or maximum(), or look at how the operand was computed"
    )
