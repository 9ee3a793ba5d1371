"""What surrounds recording: ``no_grad``, ``scope`` (where new nodes belong), and the derivatives under way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from threading import Lock, get_ident
from types import TracebackType
from typing import Any, TypeVar

from .errors import no_number

recording: ContextVar[bool] = ContextVar("recording", default=True)
# While a derivative of a function is being taken: how many of them are nested, and the Values that left the graph.
depth: ContextVar[int] = ContextVar("depth", default=0)
departed: ContextVar[list[Any] | None] = ContextVar("departed", default=None)
# Whether operations follow IEEE 754 where they have no value, as slopes do, instead of raising a DomainError.
extended: ContextVar[bool] = ContextVar("extended", default=False)
current_scope: ContextVar[tuple[str, ...]] = ContextVar("current_scope", default=())

# How many surroundings are open anywhere in the process. Recording looks at this one number; only while it is not zero
# does it ask the context variables, which are right for each thread and task.
active = 0
_lock = Lock()


class Surrounding:
    """Sets one context variable for a ``with`` block, in this thread or task only."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable, self._value = variable, value
        self._tokens: dict[int, list[Token[Any]]] = {}  # by thread: one object may be entered in several

    def __enter__(self) -> None:
        global active
        with _lock:
            active += 1
        self._tokens.setdefault(get_ident(), []).append(self._variable.set(self._value))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        global active
        with _lock:
            active -= 1
        tokens = self._tokens.get(get_ident())
        if tokens:
            # A generator closed from another task has nothing to put back there: its own context is gone.
            with suppress(ValueError):
                self._variable.reset(tokens.pop())


# While a function is being compiled: what records the operations that every row will go through.
tracing: ContextVar[Callable[..., Any] | None] = ContextVar("tracing", default=None)

T = TypeVar("T")


def leave(value: T) -> T:
    """Note that a Value is being turned into a plain number, which carries no derivative on; returns the Value."""
    if active and (noted := departed.get()) is not None:
        noted.append(value)
    return settle(value)


def settle(value: T) -> T:
    """The Value itself, unless a function is being compiled: what a number decides then would hold for every row."""
    if active and tracing.get() is not None:
        raise no_number("a Value", ", or is read afresh at each call")
    return value


def no_grad() -> Surrounding:
    """Record nothing inside the block: results are plain leaves, and cost little.

    Safe in threads and asynchronous code: only the block's own thread or task is affected. A generator shares the
    context of whoever runs it, so do not ``yield`` inside the block.

    >>> from autograd import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.inputs
    (9.0, ())
    """
    return Surrounding(recording, False)


class scope(Surrounding):  # noqa: N801  (used like a function)
    """Nodes recorded inside the block belong to this scope; drawings put them into one box. Scopes nest.

    Args:
        name: what the box is called, for example ``"hidden layer"``.

    >>> from autograd import Value, scope
    >>> with scope("model"), scope("layer"):
    ...     y = Value(2.0) * 3
    >>> y.scope
    ('model', 'layer')
    """

    def __init__(self, name: str) -> None:
        super().__init__(current_scope, ())
        self._name = str(name)

    def __enter__(self) -> None:
        self._value = (*current_scope.get(), self._name)
        super().__enter__()
