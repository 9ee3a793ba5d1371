"""Tracing: a function is run once on Values without numbers, which record the operations that every row will need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from .. import context, ops
from ..carriers import FLOATS, Extended
from ..errors import TraceError
from ..functions import where
from ..graph import topological
from ..higher import CARRY, Linear
from ..ops import REAL, Op
from ..refusal import refused, refused_part
from ..value import Value, as_float, binary
from . import progress
from .output import Output
from .repetition import line_of_user


class Traced(Value):
    """A node of a recording: an operation on operands, whose number differs from row to row.

    ``inputs`` are the operands that derivatives flow through, as in any graph; ``detach`` has an operand but no input.

    Attributes:
        which_input: ``("row", k)`` or ``("shared", k)`` for the recording's input number k of that kind; else None.
        number: its position in the order of recording: operands come before the nodes that use them.
        may_vanish: it may be exactly 0 because of a choice, as the slope of relu.
        may_be_infinite: it may be inf or nan although all inputs are finite.
        inlined: the recorded operations inside an operation of the user, if they could be recorded.
        within: the innermost loop whose state or step it depends on, see ``loops``; None for none.
        detail: what else a node of ``loops`` holds.
    """

    __slots__ = ("detail", "inlined", "may_be_infinite", "may_vanish", "number", "recording", "which_input", "within")

    recording: Recording
    which_input: tuple[str, int] | None
    number: int
    may_vanish: bool
    may_be_infinite: bool
    inlined: Linear | None
    within: Any
    detail: Any

    def __init__(self, recording: Recording, which_input: tuple[str, int] | None, name: str | None) -> None:
        self.recording, self.which_input = recording, which_input
        self.origin = (None, name, ())
        self.grad = 0.0
        self.inputs = self.partials = ()
        self.may_vanish = self.may_be_infinite = False
        self.inlined = self.within = self.detail = None
        self.number = recording.count
        recording.count += 1

    @property
    def tracer(self) -> Callable[[Op, tuple[Any, ...]], Value]:
        """What records operations on this node."""
        return self.recording.record

    @property
    def data(self) -> float:  # type: ignore[override]
        """There is no number: the node stands for every row."""
        raise self._refused("data")

    def __bool__(self) -> bool:
        raise self._refused("bool")

    def __float__(self) -> float:
        raise self._refused("float")

    def item(self) -> float:
        """There is no number."""
        raise self._refused("data")

    def __int__(self) -> int:
        raise self._refused("int")

    def __index__(self) -> int:
        raise self._refused("index")

    def __copy__(self) -> Traced:
        return self

    def __deepcopy__(self, memo: Any) -> Traced:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise self._refused("pickle")

    # Often expected to be a vector, but it is one number of a row.
    def __getitem__(self, key: Any) -> NoReturn:
        raise refused_part(self._description(), "items")

    def __iter__(self) -> NoReturn:
        raise refused_part(self._description(), "items")

    def __len__(self) -> int:
        raise refused_part(self._description(), "length")

    def __format__(self, spec: str) -> str:
        return repr(self)

    # Comparisons are conditions, which combine with & | ~ and go into where().
    def __and__(self, other: Any) -> Any:
        return where(self, float(other) if isinstance(other, bool) else other, 0.0)

    def __or__(self, other: Any) -> Any:
        return where(self, 1.0, float(other) if isinstance(other, bool) else other)

    def __invert__(self) -> Any:
        return where(self, 0.0, 1.0)

    __rand__, __ror__ = __and__, __or__

    def __eq__(self, other: object) -> bool:
        if hasattr(other, "__float__") and not isinstance(other, Value):
            raise self._refused("equal")
        return self is other

    __hash__ = Value.__hash__

    def backward(self, gradient: float = 1.0) -> None:
        """Not inside a compiled function."""
        raise TraceError(
            "backward() cannot run inside a function that is being compiled: compile the function itself and call "
            "its value_and_grad(), grad() or backward()"
        )

    def detach(self) -> Traced:
        """The same number, with no derivative through it."""
        node = self.recording.record(ops.IDENTITY, (self,))
        node.inputs = ()
        return node

    def __repr__(self) -> str:
        return f"<{self._description()}: a Value without a number, of a function being compiled>"

    def _description(self) -> str:
        if self.name is not None:
            return repr(self.name)
        if self.op is None:
            return "an input"
        return "a condition" if self.op.condition else f"the result of {self.op.name}"

    def refused_outside(self) -> TraceError:
        """The error where a node of a loop's body is used outside of it."""
        return TraceError(
            f"{self._description()} belongs to the steps of a loop and was used outside of them, where it has no one "
            "number. Return it from the step, as part of the state or as y"
        )

    def _refused(self, asked: str) -> TraceError:
        return refused(
            f"{self._description()} stands for every row while the function is compiled, and has no number of its own",
            asked,
        )


# Python's operators on a recorded node and another one, or a float, are recorded without further questions.
_PLAIN = frozenset((Traced, float, Extended))


def _add_operator(name: str, op: Op) -> None:
    def forward(x: Traced, y: Any) -> Value:
        return x.recording.record(op, (x, y)) if type(y) in _PLAIN else binary(op, x, y)

    def backward(x: Traced, y: Any) -> Value:
        return x.recording.record(op, (y, x)) if type(y) in _PLAIN else binary(op, y, x)

    setattr(Traced, f"__{name}__", forward)
    setattr(Traced, f"__r{name}__", backward)


for _name, _op in (("add", ops.ADD), ("sub", ops.SUB), ("mul", ops.MUL), ("truediv", ops.DIV), ("pow", ops.POW)):
    _add_operator(_name, _op)

Traced.__name__ = Traced.__qualname__ = "Value"  # in the texts of Python's own errors


# Several carried products, as one node like the dot that an eager sweep records: further sweeps then add up in the same
# order.
CARRY_DOT = Op(
    "carry_dot",
    "*ws *xs b",
    ops.DOT.formula,
    ops.DOT.slopes,
    lambda m: lambda ws, xs, b: m.sum([*map(CARRY.value(m), ws, xs), b]),
    *ops.DOT.partials,
    group=ops.DOT.group,
    samples=(),
    symbol="Σ×",
    finite=False,
)
CARRYING = frozenset((CARRY, CARRY_DOT))


def _of_another_run() -> TraceError:
    return TraceError("a Value from another compiled function's run was kept and used here")


class _Traits:
    """What recording asks of an operation, worked out once.

    Attributes:
        known: whether its rules can be recorded as they are.
        may_vanish: as of the row.
        is_finite: whether its value is finite at all finite operands; None if that depends on constant operands.
    """

    __slots__ = ("is_finite", "known", "may_vanish")

    def __init__(self, op: Op) -> None:
        self.known, self.may_vanish = op.shipped or op in CARRYING, op.may_vanish
        inside = op.nary or all(interval == REAL for interval in op.domain)
        self.is_finite = None if callable(op.finite) or (op.finite and not inside) else op.finite


_new = object.__new__
SOME = 1024  # nodes, after which somebody may look how far recording is


class Recording:
    """One run of a function: its inputs, and the nodes in the order in which they were recorded.

    Attributes:
        row_inputs: those that differ from row to row.
        shared_inputs: those that all rows share: first numbers of arguments and tangents, then the leaf Values that the
            function closes over.
        leaves: for each shared input its leaf, or None if it is an argument's.
        count: how many nodes there are.
        progressed: is called with the number of further nodes, from time to time.
        open: the loops whose bodies are being recorded, outermost first.
        has_loops: whether there are loops.
        lines: for some nodes, by their number, the user's line that recorded them.
    """

    def __init__(self) -> None:
        self.row_inputs: list[Traced] = []
        self.shared_inputs: list[Traced] = []
        self.leaves: list[Value | None] = []
        self.count = 0
        self.progressed: Callable[[int], None] | None = None
        self.open: list[Any] = []
        self.has_loops = False
        self.lines: dict[int, str] = {}
        self._adopted: dict[Value, Traced] = {}

    def input(self, kind: str, name: str | None, leaf: Value | None = None) -> Traced:
        """A new input, of kind ``"row"`` or ``"shared"``."""
        inputs = self.row_inputs if kind == "row" else self.shared_inputs
        node = Traced(self, (kind, len(inputs)), name)
        inputs.append(node)
        if kind == "shared":
            self.leaves.append(leaf)
        return node

    def record(self, op: Op, operands: Iterable[Any]) -> Traced:
        """Record an operation."""
        traits = op.bound.get("traced")
        if traits is None:
            op.bound["traced"] = traits = _Traits(op)
        taken: list[Linear] = []
        inputs: list[Traced] = []
        within = None
        infinite, vanishes = traits.is_finite is False, traits.may_vanish
        for x in operands:
            if type(x) is not Traced:
                # Constants follow IEEE 754, as native code does.
                x = self.adopt(x) if isinstance(x, Value) else Extended(x if type(x) is float else as_float(x))
            elif x.recording is not self:
                raise _of_another_run()
            if type(x) is Traced:
                inputs.append(x)
                if x.within is not None:
                    within = self.deeper(within, x)
                infinite = infinite or x.may_be_infinite
                if x.may_vanish and not vanishes:
                    vanishes = not op.selects or len(taken) in op.selects
            elif x - x != 0.0:
                infinite = True
            elif x == 0.0 and op.selects:
                vanishes = vanishes or len(taken) in op.selects
            taken.append(x)
        inlined = None if traits.known else _inline(op, taken)
        node = _new(Traced)
        node.recording = self
        node.which_input = None
        node.origin = (op if traits.known or op.nary else _adapted(op), None, (), *taken)
        node.grad = 0.0
        node.inputs = tuple(inputs) if not op.condition and context.state().recording else ()
        node.partials = ()
        if not infinite and traits.is_finite is None:
            infinite = not op.is_finite([x if isinstance(x, float) else None for x in taken])
        node.may_be_infinite, node.may_vanish, node.inlined = infinite, vanishes, inlined
        node.within, node.detail = within, None
        node.number = self.count
        self.count += 1
        if not self.count % SOME and self.progressed is not None:
            self.progressed(SOME)
            if (line := line_of_user()) is not None:
                self.lines[node.number] = line
        return node

    def deeper(self, within: Any, x: Traced) -> Any:
        """The deeper one of a loop and the loop that a node depends on, whose body must be in progress."""
        if x.within not in self.open:
            raise x.refused_outside()
        return x.within if within is None or x.within.depth > within.depth else within

    def adopt(self, root: Value) -> Traced:
        """The recording's own node for an ordinary Value: a shared input for a leaf, its operations for the others."""
        if type(root) is Traced:
            if root.recording is not self:
                raise _of_another_run()
            return root
        for node in topological(root):
            if node not in self._adopted:
                if node.op is None:
                    self._adopted[node] = self.input("shared", node.name, node)
                else:
                    own = [self._adopted[x] if isinstance(x, Value) else x for x in node.operands]
                    self._adopted[node] = self.record(node.op, own)
        return self._adopted[root]

    def taken(self, x: Any) -> Linear:
        """A result: a node of the recording, or a float."""
        if not isinstance(x, Value):
            return as_float(x)
        node = self.adopt(x)
        if node.within is not None:
            self.deeper(None, node)
        return node


# What a rule for numbers raises when it is given a Value without a number, or a constant outside its domain. Where the
# rule itself is wrong, it raises the same again when native code calls it with numbers.
_NOT_FOR_VALUES = (TypeError, AttributeError, ArithmeticError, ValueError)


def _inline(op: Op, operands: Sequence[Linear]) -> Linear | None:
    """The recorded operations inside an operation of the user, or None if its rule is for numbers only."""
    try:
        result = op.value(FLOATS)(*operands)
        return result if isinstance(result, Value) else float(result)
    except _NOT_FOR_VALUES:
        return None


def _adapted(op: Op) -> Op:
    """The row of ``_with_recorded_slopes``, made once and kept as long as the operation."""
    found = op.bound.get("adapted")
    if found is None:
        op.bound["adapted"] = found = _with_recorded_slopes(op)
    return found


def _with_recorded_slopes(op: Op) -> Op:
    """An operation of the user's own whose slopes can be recorded: what is written for numbers is left to Python."""

    def slope(k: int) -> Callable[[Any], Callable[..., Any]]:
        rule = op.df[k]
        in_python = _like(
            op, f"{op.name}_slope{k}", ("z", *op.operands), rule, [_no_slope(op)] * (1 + len(op.operands))
        )

        def on_any(*operands: Any) -> Any:
            try:
                return rule(*operands)
            except _NoSlopeError:
                raise
            except _NOT_FOR_VALUES:
                traced = [x for x in operands if isinstance(x, Traced)]
                if not traced:
                    raise
                return traced[0].recording.record(in_python, operands)

        return lambda m: on_any

    return _like(op, op.name, op.operands, op.f, [slope(k) for k in range(len(op.operands))])


def _like(
    op: Op,
    name: str,
    operands: tuple[str, ...],
    value: Callable[..., Any],
    partials: Sequence[Callable[[Any], Callable[..., Any]]],
) -> Op:
    return Op(
        name,
        " ".join(operands),
        op.formula,
        (),
        lambda m: value,
        *partials,
        kink=op.kink,
        convention=op.convention,
        note=op.note,
        finite=op.finite,
    )


class _NoSlopeError(TraceError):
    """These slopes cannot be differentiated."""


def _no_slope(op: Op) -> Callable[[Any], Callable[..., Any]]:
    def rule(*operands: Any) -> NoReturn:
        raise _NoSlopeError(
            f"the slopes of the operation {op.name!r} are written for numbers, so they have no derivatives themselves; "
            "write its rules with autograd's functions instead of math's"
        )

    return lambda m: rule


class Trace:
    """A function recorded once.

    Args:
        function: of scalars, or nested lists of scalars.
        shapes: for each argument the shape of what one row of it holds.
        varies: for each argument whether it differs from row to row.
        names: what to call the arguments.
        with_tangents: whether each argument has a tangent.

    Attributes:
        inputs: for each argument its inputs of the recording, one for each number.
        tangents: for each argument as many inputs for its tangent, or nothing without tangents.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        shapes: Sequence[tuple[int, ...]],
        varies: Sequence[bool],
        names: Sequence[str],
        with_tangents: bool = False,
    ) -> None:
        self.recording = Recording()
        self.inputs: list[list[Traced]] = []
        self.tangents: list[list[Traced]] = []
        arguments = []
        kinds = ["row" if differs else "shared" for differs in varies]
        for shape, kind, name in zip(shapes, kinds, names, strict=True):
            own: list[Traced] = []
            arguments.append(self._argument(shape, kind, name, own))
            self.inputs.append(own)
        if with_tangents:  # before the function runs: leaves that it closes over come after all arguments
            for own, kind, name in zip(self.inputs, kinds, names, strict=True):
                self.tangents.append([self.recording.input(kind, f"d{x.name or name}") for x in own])
        from .loops import Loops

        with (
            progress.counting("recording") as self.recording.progressed,
            context.Surrounding(tracer=self.recording.record, recording=True, loops=Loops(self.recording)),
        ):
            result = _run_recorded(function, arguments)
        self.recording.progressed = None
        self.output = Output(result)
        self.outputs: list[Linear] = [self.recording.taken(x) for x in self.output.nodes]

    def _argument(self, shape: tuple[int, ...], kind: str, name: str, own: list[Traced]) -> Any:
        if not shape:
            own.append(self.recording.input(kind, name))
            return own[-1]
        return [self._argument(shape[1:], kind, f"{name}[{i}]", own) for i in range(shape[0])]

    @property
    def closed(self) -> list[tuple[Traced, Value]]:
        """The leaf Values that the function closes over: the recording's node and the leaf itself."""
        pairs = zip(self.recording.shared_inputs, self.recording.leaves, strict=True)
        return [(node, leaf) for node, leaf in pairs if leaf is not None]


def _run_recorded(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What the function returns; a TraceError inside an error of NumPy is raised itself."""
    try:
        return function(*arguments)
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, TraceError):
            raise error.__cause__ from None
        raise


def reachable(roots: Iterable[Linear]) -> list[Traced]:
    """Every node that the roots are computed from, in the order of recording."""
    seen: set[Traced] = set()
    stack: list[Any] = list(roots)
    while stack:
        node = stack.pop()
        if type(node) is Traced and node not in seen:
            seen.add(node)
            stack.extend(node.operands if node.inlined is None else (node.inlined,))
    return sorted(seen, key=_number)


def _number(node: Traced) -> int:
    return node.number
