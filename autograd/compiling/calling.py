"""How a call of a compiled function goes: known by the shapes of its arrays, or read; then run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import by_position, called, indices, parameters
from ..errors import ArgumentError, InputError
from ..text import shown
from ..value import Value
from . import call, checking, native
from .entry import Entry, entry
from .memory import Memory
from .prepared import Prepared, Question
from .settings import Settings

_OF_ARGUMENTS = frozenset(
    {"value_and_grad", "grad", "jacobian", "value_and_jacobian", "hessian", "value_grad_and_hessian"}
)
_PROGRAMS = {"leaf_gradients": "backward"}  # the kind of program, for methods that have none of their own


class Calling:
    """A function with its settings, the programs that were made of it, and what is known of earlier calls."""

    def __init__(self, f: Callable[..., Any], chosen: Settings) -> None:
        self._settings = chosen
        self.in_axes, self.reduce, self.threads, self.dtype, self.strict, self.check = chosen
        self.function = f
        self._names = parameters(f)
        self._keyed = chosen.rows_first()
        self._target: native.Target | None = None
        self._memory = Memory(self._prepare)
        self._last: Prepared | None = None
        self._entries: dict[str, Entry] = {}  # of the last call of each kind

    def _result(
        self,
        kind: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: Any,
        out: Any = None,
        tangents: Sequence[Any] = (),
    ) -> Any:
        if kwargs:
            args = self._positional(args, kwargs)
        given = (*args, *tangents) if tangents else tuple(args)
        found = self._known(kind, given, argnums, out)
        return self._run(kind, args, argnums, out, tangents).result if found is None else found

    def _known(self, variant: str, given: tuple[Any, ...], argnums: Any = (), out: Any = None) -> Any:
        """The result of a call that an entry makes; None for any other call."""
        known = self._entries.get(variant)
        if known is None:
            return None
        if type(out) is list:
            out = tuple(out)
        found = known.run(given, out) if known.argnums is argnums else None
        if found is None:  # it may be known, but not be like the last one
            key = call.key(_PROGRAMS.get(variant, variant), argnums, given)
            other = None if key is None or not self._keyed else self._memory.call(key)
            entry = None if other is None else other.entries.get(variant)
            if entry is None or entry is known:
                return None
            self._entries[variant] = known = entry
            found = known.run(given, out)
            if found is None:
                return None
        self._note(known.prepared)
        return found if known.build is None else known.build(found)

    def _note(self, prepared: Prepared) -> None:
        """The program was used now."""
        if self._last is not prepared:
            self._last = prepared
            self._memory.note(prepared)

    def _run(
        self,
        kind: str,
        args: Sequence[Any],
        argnums: Any,
        out: Any = None,
        tangents: Sequence[Any] = (),
        data: Any = None,
        variant: str = "",
    ) -> call.Outcome:
        """The outcome of any call. The second one of its kind makes an entry, which makes the further ones."""
        given = (*args, *tangents)
        key = call.key(kind, argnums, given) if self._keyed else None
        known = None if key is None else self._memory.call(key)
        arrays: Sequence[Any] = [np.asarray(a) if type(a) is float else a for a in given]
        repeated = known is not None
        if known is None:
            known, arrays = self._read(kind, args, argnums, tangents)
            if key is not None:
                self._memory.keep(key, known)
        self._last = known.prepared
        start = time.perf_counter()
        outcome = call.run(known, arrays, self._settings, out, data)
        seconds = time.perf_counter() - start
        if self.check:
            self._check(known, arrays, outcome, data)
        variant = variant or kind
        if repeated and data is None:
            if variant not in known.entries:
                made = entry(known, argnums, given, outcome, self._settings, variant, seconds)
                known.entries[variant] = made
            if (found := known.entries[variant]) is not None:
                self._entries[variant] = found
        return outcome

    def _read(
        self, kind: str, args: Sequence[Any], argnums: Any, tangents: Sequence[Any]
    ) -> tuple[call.Call, list[Any]]:
        """Read the arguments, and find the program for them or prepare it."""
        chosen = indices(argnums, len(args), called(self.function)) if kind in _OF_ARGUMENTS else ()
        arguments, count = call.read(args, tangents, self._called_by(len(args)), self._settings)
        own = arguments[: len(args)]
        question = Question(kind, chosen, tuple([a.shape for a in own]), self._settings.varies([a.axis for a in own]))
        return call.known(self._memory.program(question), arguments, count, len(args)), [a.array for a in arguments]

    def _question(self, kind: str, args: Sequence[Any], kwargs: dict[str, Any], argnums: Any) -> Question:
        """What a method would compile: for arguments like these, those of the last call, or a number each."""
        if not isinstance(kind, str) or (kind != "value" and kind not in _OF_ARGUMENTS):
            raise ArgumentError(f"kind is 'value' or one of {', '.join(sorted(_OF_ARGUMENTS))}, not {shown(kind)}")
        if kwargs:
            args = self._positional(args, kwargs)
        if args:
            read, _ = call.read(args, (), self._called_by(len(args)), self._settings)
            shapes, varies = tuple([a.shape for a in read]), self._settings.varies([a.axis for a in read])
        elif self._last is not None:
            shapes, varies = self._last.question.shapes, self._last.question.varies
        else:
            axes = self._settings.axes(len(self._names))
            shapes, varies = ((),) * len(axes), self._settings.varies(axes)
        chosen = indices(argnums, len(shapes), called(self.function)) if kind in _OF_ARGUMENTS else ()
        return Question(kind, chosen, shapes, varies)

    def _prepare(self, question: Question) -> Prepared:
        names = self._called_by(len(question.shapes))
        return Prepared(question, self.function, names, self._settings, self._target)

    def _positional(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Sequence[Any]:
        """All arguments by position."""
        placed, rest = by_position(self.function, args, kwargs)
        if rest:
            raise InputError(
                f"{called(self.function)} takes {', '.join(rest)} by keyword only; a compiled function has arrays "
                "for parameters that have a position: bind the others with functools.partial"
            )
        return placed

    def _total(self, args: Sequence[Any], data: Any, variant: str) -> tuple[float, list[Value], Any]:
        if self.reduce is None:
            raise ArgumentError("backward() needs one number: compile the function with reduce='mean' or reduce='sum'")
        outcome = self._run("backward", args, (), data=data, variant=variant)
        value, slopes = outcome.result
        return value, outcome.leaves, slopes

    def _check(self, known: call.Call, arrays: Sequence[Any], outcome: call.Outcome, data: Any) -> None:
        """Raise for the first row with a result that is not finite, from the operation that caused it."""

        def part(lo: int, hi: int) -> call.Outcome:
            some = [a[lo:hi] if k in known.varying else a for k, a in enumerate(arrays)]
            return call.run(call.resized(known, hi - lo), some, self._settings, None, data)

        row = checking.first_bad_row(outcome.arrays, outcome.sums, known.n_rows, part)
        if row is not None:
            count = len(known.axes)
            numbers = [a if axis is None else a[row] for a, axis in zip(arrays, known.axes, strict=False)]
            checking.run_eagerly(self.function, numbers, self._called_by(count), row)

    def _called_by(self, count: int) -> list[str]:
        """The names of that many arguments."""
        return [self._names[k] if k < len(self._names) else f"argument {k}" for k in range(count)]

    def _called(self) -> Prepared:
        if self._last is None:
            raise ArgumentError(
                "the function has not been called yet: what is compiled depends on the arguments' shapes"
            )
        return self._last
