"""From a question about a function to a task: the function is recorded, swept for derivatives, and made a program."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import context
from ..structure import cut
from ..value import Value
from . import derive, locks, native
from .recording import reachable
from .repetition import remark
from .settings import Settings
from .simplify import use_reciprocals
from .task import Task
from .trace import Trace
from .traced import Traced
from .want import Pick, Want
from .write import write_program


class Question(NamedTuple):
    """A request for values or derivatives of a function: all that its program depends on.

    Attributes:
        kind: the method's name, or ``"value"``.
        argnums: which arguments derivatives are taken in; a single one gives no tuple.
        shapes: for each argument what one row of it holds.
        varies: for each argument whether it differs from row to row; see ``Settings.varies``.
    """

    kind: str
    argnums: int | tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    varies: tuple[bool, ...]


class Prepared:
    """The program for a question, and what its results need.

    Args:
        question: the question.
        function: the function.
        names: the names of its arguments.
        settings: how it is compiled.
        target: the machine to make code for; this one if None.
        speculate: whether the program may speculate (see ``derive``).

    Attributes:
        question: the question.
        inputs: for each argument the inputs of the program that its numbers are.
        want: the derivatives and sums that were recorded.
        pick: builds the returned structure from the computed arrays and sums.
        task: the program, ready to run.
        leaves: the leaf Values that the function closes over.
        recorded: how many operations were recorded.
        lengths: how many numbers each array of sums holds.
        used: the number of the call that used it last.
    """

    def __init__(
        self,
        question: Question,
        function: Callable[..., Any],
        names: Sequence[str],
        settings: Settings,
        target: native.Target | None,
        speculate: bool = True,
    ) -> None:
        trace = Trace(function, question.shapes, question.varies, names, question.kind == "jvp")
        recording = trace.recording
        tasks = _Tasks(question, trace, settings, target)
        self.want, self.pick, self.task = tasks.make(speculate and not settings.strict)
        self.question = question
        self.inputs = [[x.which_input for x in own if x.which_input] for own in trace.inputs]
        self.leaves: list[Value] = [leaf for _, leaf in trace.closed]
        self.recorded = recording.count - len(recording.row_inputs) - len(recording.shared_inputs)
        self.lengths = [len(nodes) for nodes, _ in self.want.sums]
        self.used = 0

    def remarks(self) -> list[str]:
        """What is said of the recording of the function itself."""
        trace = self.want.trace
        nodes = [node for node in reachable(trace.outputs) if node.op is not None]
        lines = {bisect_left(nodes, number, key=_number): line for number, line in trace.recording.lines.items()}
        said = remark([node.op.name for node in nodes if node.op is not None], lines)
        return ["", said] if said else []


def _number(node: Traced) -> int:
    return node.number


class _Tasks:
    """Makes the tasks for a question: one that may speculate (see ``derive``), and one for rows where that failed."""

    def __init__(self, question: Question, trace: Trace, settings: Settings, target: native.Target | None) -> None:
        self.question, self.trace, self.settings, self.target = question, trace, settings, target
        self._lock = threading.RLock()
        locks.renew_after_fork(self)

    def make(self, speculate: bool) -> tuple[Want, Pick, Task]:
        """Sweep for the derivatives that are wanted, and write the program for them."""
        question, trace, settings = self.question, self.trace, self.settings
        recording = trace.recording
        combine = derive.Combiner(speculate, settings.strict)
        want = Want(trace, question.shapes, question.varies, settings.reduce is not None, combine)
        with context.Surrounding(recording=True):
            pick = want.ask(question.kind, question.argnums)
        program = write_program(
            want.nodes(),
            want.summed(),
            [x.name or f"x{k}" for k, x in enumerate(recording.row_inputs)],
            [x.name or f"shared {k}" for k, x in enumerate(recording.shared_inputs)],
            settings.strict,
        )
        speculated = speculate and (use_reciprocals(program) or combine.speculated)
        results = cut(program.results, [len(array.nodes) for array in want.results])
        # A call gives an array for each argument with rows, then one for each of their tangents; no empty ones.
        row_inputs = [
            [x.which_input[1] for x in inputs if x.which_input]
            for inputs, varies in zip(trace.inputs + trace.tangents, question.varies * 2, strict=False)
            if varies and inputs
        ]
        fallback = self._fallback if speculated else None
        return want, pick, Task(program, row_inputs, results, settings.dtype, self.target, fallback)

    def _fallback(self) -> Task:
        with self._lock:
            return self.make(speculate=False)[2]
