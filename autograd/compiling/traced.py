"""Values without numbers, which record the operations that every row will need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from .. import ops
from ..carriers import Extended
from ..errors import TraceError
from ..functions import where
from ..higher import Linear
from ..ops import Op
from ..refusal import refused, refused_part
from ..value import Value, binary

if TYPE_CHECKING:
    from .recording import Recording


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
