"""From a question about a function to a task: the function is recorded, swept for derivatives, and made a program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import context
from ..structure import cut
from ..value import Value
from . import derive, locks, native
from .settings import Settings
from .simplify import use_reciprocals
from .symbols import write_program
from .task import Task
from .trace import Trace
from .want import Pick, Want


class Question(NamedTuple):
    """A request for values or derivatives of a function: all that its program depends on.

    Attributes:
        kind: the method's name, or ``"value"``.
        argnums: which arguments derivatives are taken in; a single one gives no tuple.
        shapes: for each argument what one row of it holds.
        by_row: for each argument whether it differs from row to row.
    """

    kind: str
    argnums: int | tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    by_row: tuple[bool, ...]


class Prepared:
    """The program for a question, and what its results need.

    Args:
        question: the question.
        function: the function.
        names: the names of its arguments.
        settings: how it is compiled.
        target: the machine to make code for; this one if None.

    Attributes:
        want: the derivatives and sums that were recorded.
        pick: builds the returned structure from arrays.
        task: the program, ready to run.
        leaves: the leaf Values that the function closes over.
        recorded: how many operations were recorded.
        lengths: how many numbers each array of sums holds.
        used: when it was used last, as the number of the call.
    """

    def __init__(
        self,
        question: Question,
        function: Callable[..., Any],
        names: Sequence[str],
        settings: Settings,
        target: native.Target | None,
    ) -> None:
        trace = Trace(function, question.shapes, question.by_row, names, question.kind == "jvp")
        recording = trace.recording
        maker = _Maker(question, trace, settings, target)
        self.want, self.pick, self.task = maker.make(not settings.strict)
        self.leaves: list[Value] = [leaf for _, leaf in trace.closed]
        self.recorded = recording.count - len(recording.rows) - len(recording.shared)
        self.lengths = [len(nodes) for nodes, _ in self.want.sums]
        self.used = 0


class _Maker:
    """Makes tasks of a recorded function: one that speculates (see ``derive``), and one for rows where that failed."""

    def __init__(self, question: Question, trace: Trace, settings: Settings, target: native.Target | None) -> None:
        self.question, self.trace, self.settings, self.target = question, trace, settings, target
        self._lock = threading.RLock()
        locks.renew_after_fork(self)

    def make(self, speculate: bool) -> tuple[Want, Pick, Task]:
        """Sweep for what is wanted, and write its program."""
        question, trace, settings = self.question, self.trace, self.settings
        combine = derive.Combiner(speculate, settings.strict)
        want = Want(trace, question.shapes, question.by_row, settings.reduce is not None, combine)
        with context.Surrounding(recording=True):
            pick = want.ask(question.kind, question.argnums)
        program = write_program(
            want.nodes(),
            want.summed(),
            [n.name or f"x{k}" for k, n in enumerate(trace.recording.rows)],
            [n.name or f"shared {k}" for k, n in enumerate(trace.recording.shared)],
            settings.strict,
        )
        speculated = speculate and (use_reciprocals(program) or combine.speculated)
        results = cut(program.results, [len(array.nodes) for array in want.results])
        arrays = [
            [x.place[1] for x in nodes if x.place]
            for nodes, by_row in zip(trace.inputs + trace.tangents, question.by_row * 2, strict=False)
            if by_row and nodes
        ]
        fallback = self._fallback if speculated else None
        return want, pick, Task(program, arrays, results, settings.dtype, self.target, fallback)

    def _fallback(self) -> Task:
        with self._lock:
            return self.make(False)[2]
