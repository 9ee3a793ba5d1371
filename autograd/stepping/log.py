"""The event log: what the engine did in the forward pass, the backward sweep and the update, for one step or several.

Nothing is computed a second time here: forward events read the recorded nodes, backward events are the edges of the
sweep itself, update events are the optimiser's own updates.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import sweep
from ..arguments import whole
from ..errors import ArgumentError, InputError
from ..graph import topological
from ..language import current, language, translate
from ..naming import Names
from ..notation import MOST_DIGITS, show
from ..text import columns, shortened, shown
from ..value import Value
from ..value import number as as_number
from .events import SWEEPS, Event, Events
from .iteration import Graph, Iteration, fingerprint
from .player import play
from .progress import watched

if TYPE_CHECKING:
    from .verify import Difference, Verification

MOST_EVENTS = 10**6  # that the log of several training steps keeps


class Updates(Protocol):
    """The interface of an optimiser for the log: it yields each update after making it, as those of ``nn.optim`` do."""

    def updates(self) -> Iterable[Any]:
        """Makes the updates; yields objects with ``parameter``, ``old``, ``gradient``, ``new``, ``formula``, ``terms``.

        ``formula`` is an expression such as ``"w - lr * g"``, ``terms`` the number of each name in it.
        """


class Trainer(NamedTuple):
    """An optimiser as it was before the first training step, so that more steps can be made from there.

    Attributes:
        optimizer: a copy of it, which the optimiser's further steps do not change.
        state: what it remembered of each parameter.
    """

    optimizer: Any
    state: list[dict[str, float]]


class Log(Events):
    """The events of one training step or several, in the order in which the engine did them.

    ``str(log)`` is all of them as text; ``log.play()`` steps through them in the terminal; ``log.save("run.json")``
    writes them to a file, ``log.save("lesson.html")`` a page that shows them moving. Notebooks show that page.

    Args:
        updates: the training steps; ``steps`` and ``Log.load`` make them.
        digits: significant digits of the numbers shown.
        optimizer: the kind of the optimiser and its settings.
        losses: the loss of every training step, also of those that are not kept.

    Attributes:
        updates: the training steps that are kept; each has its own ``events``, ``loss`` and ``leaves``.
        losses: the loss before each training step.
        optimizer: ``{"kind": "SGD", "lr": 0.5, …}``, as it was before the first step; None without an optimiser.
        digits: significant digits of the numbers shown.
    """

    def __init__(
        self,
        updates: Iterable[Iteration],
        digits: int = 6,
        optimizer: Mapping[str, Any] | None = None,
        losses: Iterable[float] | None = None,
    ) -> None:
        if not isinstance(updates, Iterable):
            raise InputError(f"a log is made of training steps, as steps(loss) does it; not of {shown(updates)}")
        self.updates = tuple(updates)
        for x in self.updates:
            if not isinstance(x, Iteration):
                raise InputError(f"a log holds the training steps that steps() records, not {shown(x)}")
        if not self.updates:
            raise ArgumentError("a log needs at least one training step")
        self.digits = digits
        self.optimizer = None if optimizer is None else dict(optimizer)
        self.losses = array("d", [x.loss for x in self.updates] if losses is None else losses)
        self._starts = list(accumulate((len(x) for x in self.updates), initial=0))
        self.trainer: Trainer | None = None  # of a log that was recorded, not loaded
        self.source: str | None = None  # the Python code that recorded it, where somebody says it
        self.doubts: list[Difference] = []  # what a file says twice, but not in the same way

    @property
    def order(self) -> Sequence[Value]:
        """The nodes of the first training step, in topological order; the result is the last."""
        return self.updates[0].order

    @property
    def names(self) -> Names:
        """The labels of the nodes of the first training step."""
        return self.updates[0].names

    def which(self, index: int) -> int:
        """The training step that an event belongs to, as an index into ``updates``."""
        return bisect_right(self._starts, index) - 1

    def first(self, which: int) -> int:
        """The first event of a training step."""
        return self._starts[which]

    def located(self, index: int) -> tuple[Iteration, int]:
        """The training step that an event belongs to, and which of its events it is."""
        which = self.which(index)
        return self.updates[which], index - self._starts[which]

    def event(self, index: int) -> Event:
        """The event at an index, which is at least 0 and in range."""
        iteration, k = self.located(index)
        return iteration.event(k)

    def __len__(self) -> int:
        return self._starts[-1]

    def text(self) -> Iterator[str]:
        """The whole log, line by line."""
        width = len(str(len(self)))
        several = len(self.losses) > 1
        number = 0
        if len(self.updates) < len(self.losses):
            listed = ", ".join(map(str, shortened([x.number for x in self.updates], 8, "…")))
            yield translate("kept of {number} updates: {listed}").format(number=len(self.losses), listed=listed)
        for iteration in self.updates:
            if several:
                heading = translate("update {number} of {total} · loss {loss}").format(
                    number=iteration.number, total=len(self.losses), loss=show(iteration.loss, self.digits)
                )
                yield f"══ {heading}"
            sweep = ""
            for event in map(iteration.event, range(len(iteration))):
                number += 1
                if event.sweep != sweep:
                    sweep = event.sweep
                    title = SWEEPS[sweep].translated()
                    yield f"── {title} " + "─" * (30 - columns(title))
                first, *rest = event.lines(self.digits)
                yield f"{number:>{width}}  {first}"
                for line in rest:
                    yield " " * (width + 6) + line

    def __str__(self) -> str:
        with language(current()):  # found once, not for each line
            return "\n".join(watched(self.text(), 2 * len(self), "log: lines"))

    def __repr__(self) -> str:
        updates = f" of {len(self.updates)} training steps" if len(self.updates) > 1 else ""
        return f"<Log, {len(self)} events{updates}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ..display import lesson

        return {"text/html": lesson(self), "text/plain": repr(self)}

    def play(self) -> None:
        """Step through the events in the terminal: forward, back, to the next node or sweep, to a numbered step."""
        play(self)

    def save(self, path: str | os.PathLike[str], *, lang: str | None = None) -> Path:
        """Write the log to a file.

        Args:
            path: ends with ``.html`` for the lesson, a page that steps through the log on the graph, answers questions
                and computes again; or with ``.json`` for the graph, every event with all digits, and the settings.
            lang: the language in which the lesson starts, ``"en"`` or ``"zh"``.

        Returns:
            the path written. A reader sees the old file or the new one, never an incomplete one.

        Raises:
            ArgumentError: for another ending or language, or a log that is too large for a file.
            OSError: if the file cannot be written.
        """
        from .record import save

        if Path(path).suffix.lower() == ".html":
            from ..lesson import write

            return write(self, path, lang)
        return save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Log:
        """Read a log that ``save`` wrote. Its numbers are those of the file; ``verify`` works them out again.

        Raises:
            ArgumentError: if the file is damaged, too large, or of another format or version; the text says where.
            OSError: if it cannot be read.
        """
        from .record import load

        return load(path)

    def verify(self, relative: float = 0.0) -> Verification:
        """Work out every event again from the operation table alone, and report each difference.

        Args:
            relative: the relative difference that is allowed; 0 asks for the same number to the last bit. A trace
                that was written by hand with four digits needs about ``1e-3``.

        Returns:
            a report that is true if there is no difference; ``str()`` names each event that differs, the number that
            is recorded and the number that it should be.

        >>> from autograd import Value
        >>> x = Value(3.0, name="x")
        >>> print(steps(x * x).verify())
        verified: all 3 events agree with the operation table
        """
        from .verify import verify

        return verify(self, relative)


def steps(
    output: Value | Callable[[], Value], optimizer: Updates | None = None, *, updates: int = 1, digits: int = 6
) -> Log:
    """Run ``backward()`` from zero and, with an optimiser, its step, and log everything that happened.

    Earlier gradients are cleared, so that the log shows one sweep, and a second call gives the same log.

    Args:
        output: the result, usually a loss, whose forward pass is already recorded; or a function without arguments
            that records and returns it.
        optimizer: an object with ``updates()``, such as ``nn.optim.SGD``; it makes its step.
        updates: how many training steps to make; more than one need a function, which is called before each. The log
            keeps at most about a million events: of a longer run it keeps every second, every fourth … step and the
            last, and the losses of all.
        digits: significant digits of the numbers shown.

    Returns:
        the log: a sequence of Forward, Backward and Update events.

    Raises:
        InputError: if ``output`` is neither a Value nor a function that returns one, or the optimiser is none.
        ArgumentError: if a number is outside its range, or several updates are asked for without a function, or
            without an optimiser.

    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> y = a * b
    >>> y.name = "y"
    >>> print(steps(y))
    ── forward ───────────────────────
    1  y = a·b
           = 2·3 = 6
    ── backward ──────────────────────
    2  y → a
           adjoint 1 × partial 3 = 3;  grad of a is now 3
    3  y → b
           adjoint 1 × partial 2 = 2;  grad of b is now 2
    """
    updates = whole("updates", updates)
    whole("digits", digits, most=MOST_DIGITS)
    if optimizer is not None and not callable(getattr(optimizer, "updates", None)):
        raise InputError(
            f"the optimiser of steps has a method updates(), as those of nn.optim; {shown(optimizer)} has none"
        )
    if updates > 1 and isinstance(output, Value):
        raise ArgumentError(
            f"{updates} updates need a function that records the loss again before each: "
            "steps(lambda: loss_of(model), optimizer, updates=…); a Value is the result of one forward pass"
        )
    if updates > 1 and optimizer is None:
        raise ArgumentError(f"{updates} updates need an optimiser: steps(f, optimizer, updates={updates})")
    if not isinstance(output, Value) and not callable(output):
        raise InputError(
            f"steps takes the Value that was computed, or a function that records it, not {type(output).__name__}"
        )
    summary = None if optimizer is None else _summary(optimizer)
    trainer = _trainer(optimizer)
    run = _Run(optimizer, updates, digits)
    for number in watched(range(1, updates + 1), updates, "steps: updates") if updates > 1 else (1,):
        run.step(number, output if isinstance(output, Value) else _returned(output))
    log = Log(run.kept, digits, summary, run.losses)
    log.trainer = trainer
    return log


def _trainer(optimizer: Any) -> Trainer | None:
    """None without an optimiser, and for one that does not keep its state as those of ``nn.optim`` do."""
    state = getattr(optimizer, "state", None)
    if not isinstance(state, list) or not all(isinstance(x, dict) for x in state):
        return None
    return Trainer(copy(optimizer), [dict(x) for x in state])


def _returned(f: Callable[[], Value]) -> Value:
    output = f()
    if not isinstance(output, Value):
        raise InputError(f"the function given to steps must return the Value that it computed, not {shown(output)}")
    return output


def _summary(optimizer: Updates) -> dict[str, Any]:
    """The kind of an optimiser and its settings: the numbers among its attributes."""
    settings = {name: list(x) if isinstance(x, tuple) else x for name, x in vars(optimizer).items() if _is_setting(x)}
    return {"kind": type(optimizer).__name__} | {k: x for k, x in settings.items() if not k.startswith("_")}


def _is_setting(x: Any) -> bool:
    return isinstance(x, bool | int | float) or (isinstance(x, tuple) and all(isinstance(y, int | float) for y in x))


class _Run:
    """Makes training steps and keeps what they did, thinned so that at most ``MOST_EVENTS`` events are kept."""

    def __init__(self, optimizer: Updates | None, updates: int, digits: int) -> None:
        self.kept: list[Iteration] = []
        self.losses = array("d")
        self._optimizer, self._updates, self._digits = optimizer, updates, digits
        self._graphs: dict[Any, Graph] = {}
        self._stride = 1  # every step whose number minus 1 is a multiple of it is kept
        self._leaves: list[Value] = []  # of the step before

    def step(self, number: int, output: Value) -> None:
        """One training step."""
        order = topological(output)
        self._clear(order)
        self.losses.append(as_number(output))
        if (number - 1) % self._stride and number != self._updates:
            sweep.backward(output)
            if self._optimizer is not None:
                for _ in self._optimizer.updates():
                    pass
            return
        iteration = Iteration(self._graph(order), number)
        swept: Iterable[sweep.ReverseStep] = sweep.reverse(order)
        if self._updates == 1:
            iteration.forward(watched(order, len(order), "steps: forward"))
            swept = watched(swept, len(iteration.operands), "steps: backward")
        else:
            iteration.forward(order)
        iteration.backward(order, swept)
        if self._optimizer is not None:
            iteration.update(order, self._optimizer.updates())
        self.kept.append(iteration)
        self._thin()

    def _graph(self, order: Sequence[Value]) -> Graph:
        if self._updates == 1:
            return Graph(order, self._digits)
        key = fingerprint(order)
        if key not in self._graphs:
            self._graphs[key] = Graph(order, self._digits)
        return self._graphs[key]

    def _clear(self, order: Sequence[Value]) -> None:
        """Set the gradients of all leaves to zero, also of those that only an earlier step used."""
        for leaf in self._leaves:
            leaf.grad = 0.0
        for node in order:
            node.grad = 0.0
        if self._updates > 1:
            self._leaves = [node for node in order if node.op is None]

    def _thin(self) -> None:
        while len(self.kept) > 2 and sum(map(len, self.kept)) > MOST_EVENTS:
            self._stride *= 2
            self.kept = [x for x in self.kept if (x.number - 1) % self._stride == 0 or x.number == self._updates]
            used = {id(x.graph) for x in self.kept}
            self._graphs = {key: graph for key, graph in self._graphs.items() if id(graph) in used}
