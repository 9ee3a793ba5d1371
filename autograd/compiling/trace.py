"""Tracing: a function is run once on Values without numbers, which record the operations that every row will need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import context
from ..errors import TraceError
from ..higher import Linear
from ..value import Value
from . import progress
from .loops import Loops
from .output import Output
from .recording import Recording
from .traced import Traced


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
