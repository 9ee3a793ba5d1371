"""The state that recording depends on: ``no_grad``, ``scope``, and the derivatives and traces in progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar, overload
from weakref import ref

from .errors import InputError
from .text import shown

F = TypeVar("F", bound=Callable[..., Any])

# The states in use anywhere in the process, except the default one. Recording first tests whether the set is empty, and
# only if it is not looks up the state of its own thread or task. A state leaves the set when it is freed.
active: set[ref[State]] = set()


class State:
    """How operations are recorded now. It is never changed: a new state replaces it.

    Attributes:
        recording: whether nodes keep their operation and inputs.
        scope: the names of the scopes that new nodes belong to, outermost first.
        derivatives: how many derivatives are being taken, one nested in the other.
        converted: the Values that were converted to plain numbers while a derivative is taken; they lose it.
        extended: whether operations follow IEEE 754 where they have no value, as slopes do, and raise nothing.
        tracer: what records operations while a function is being compiled.
        loops: what records loops meanwhile, see ``loops.Loops``; eagerly None.
        made: if somebody asks for them, the nodes that operations made, in their order.
    """

    __slots__ = (
        *("recording", "scope", "derivatives", "converted", "extended", "tracer", "loops", "made"),
        *("outer", "changes", "owner", "__weakref__"),
    )

    recording: bool
    scope: tuple[str, ...]
    derivatives: int
    converted: list[Any] | None
    extended: bool
    tracer: Callable[..., Any] | None
    loops: Any
    made: list[Any] | None
    outer: State | None  # the state that this one replaced; the changes are the differences from it
    changes: Mapping[str, Any]
    owner: ref[Surrounding] | None  # made this state; None after its block ended (tasks started in it go on)

    def __init__(self, outer: State | None, changes: Mapping[str, Any], owner: ref[Surrounding] | None) -> None:
        self.outer, self.changes, self.owner = outer, changes, owner
        if outer is not None:
            self.recording, self.scope, self.derivatives = outer.recording, outer.scope, outer.derivatives
            self.converted, self.extended = outer.converted, outer.extended
            self.tracer, self.loops, self.made = outer.tracer, outer.loops, outer.made
            active.add(ref(self, active.discard))
        for name, value in changes.items():
            setattr(self, name, value)


_ORDINARY = State(
    None,
    {
        **{"recording": True, "scope": (), "derivatives": 0, "converted": None, "extended": False},
        **{"tracer": None, "loops": None, "made": None},
    },
    None,
)
_current: ContextVar[State] = ContextVar("current", default=_ORDINARY)


def state() -> State:
    """How operations are recorded now, in this thread or task."""
    found = _current.get()
    while (owner := found.owner) is not None and owner() is None:  # its block ended, but leaving it was interrupted
        assert found.outer is not None
        found = found.outer
        _current.set(found)
    return found


class Surrounding:
    """Changes the state for a ``with`` block, in this thread or task only.

    An interrupt (Ctrl-C) may come at any moment, also while the block is entered or left. The state is restored before
    the interrupt is raised further. If it comes before the first line of ``__exit__``, that method does not run at all.
    So a state is valid only while the object that made it exists, and the ``with`` statement has released it by then.
    """

    __slots__ = ("__weakref__", "_changes")

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def _changed(self, state: State) -> Mapping[str, Any]:
        return self._changes

    def __enter__(self) -> None:
        before = state()
        try:
            _current.set(State(before, self._changed(before), ref(self)))
        except BaseException:
            _current.set(before)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._end()
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        """Undo what the block changed, also if other blocks began in it and have not ended."""
        own = _current.get()
        inner = []
        while own.owner is None or own.owner() is not self:
            if own.outer is None:
                return  # done already; or entered in another context, as in a generator that another task closes
            inner.append(own)
            own = own.outer
        assert own.outer is not None
        after = own.outer
        for x in reversed(inner):  # blocks that began in this one and end later
            after = State(after, x.changes, x.owner)
        _current.set(after)
        own.owner = None


class _NoGrad(Surrounding):
    """The block of ``no_grad``; as a decorator, one for each call of the function."""

    __slots__ = ()

    def __call__(self, function: F) -> F:
        from functools import wraps
        from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction

        if not callable(function):
            raise InputError(f"no_grad decorates a function, not {shown(function)}")
        if any(kind(function) for kind in (isgeneratorfunction, iscoroutinefunction, isasyncgenfunction)):
            raise InputError(
                "no_grad decorates functions that run to their end at once; in a generator or a coroutine, write "
                "`with no_grad():` around what records nothing"
            )

        @wraps(function)
        def without_recording(*args: Any, **kwargs: Any) -> Any:
            with _NoGrad(recording=False):
                return function(*args, **kwargs)

        return without_recording  # type: ignore[return-value]


@overload
def no_grad() -> _NoGrad: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: Any = None) -> Any:
    """Record nothing inside the block, or inside a function: results are plain leaves, which take less time and memory.

    Args:
        function: what to decorate; nothing for a ``with`` block. ``@no_grad`` and ``@no_grad()`` are the same.

    Safe in threads and asynchronous code: only the block's own thread or task is affected, and the tasks started in it.
    A generator shares the context of its caller, so do not ``yield`` inside the block.

    >>> from autograd import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.inputs
    (9.0, ())
    >>> @no_grad
    ... def square(x):
    ...     return x * x
    >>> square(x).inputs
    ()
    """
    block = _NoGrad(recording=False)
    return block if function is None else block(function)


class scope(Surrounding):  # noqa: N801  (used like a function)
    """Nodes recorded inside the block belong to this scope; drawings put them into one box. Scopes nest.

    Args:
        name: what the box is called, for example ``"hidden layer"``.

    Raises:
        InputError: if the name is no text.

    >>> from autograd import Value, scope
    >>> with scope("model"), scope("layer"):
    ...     y = Value(2.0) * 3
    >>> y.scope
    ('model', 'layer')
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        if not isinstance(name, str | int):
            raise InputError(f"the name of a scope is text, not {shown(name)}")
        self._name = str(name)

    def _changed(self, state: State) -> Mapping[str, Any]:
        return {"scope": (*state.scope, self._name)}
