"""What is known at each event of a training step: values, gradients and updates so far."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate

from .iteration import Iteration


class View:
    """One training step, looked at event by event; nodes are numbers in its order, events count from 0.

    Attributes:
        iteration: the training step.
    """

    def __init__(self, iteration: Iteration) -> None:
        self.iteration = iteration
        self._backward = len(iteration.computed)
        self._update = self._backward + len(iteration.swept)

    @cached_property
    def computed_at(self) -> dict[int, int]:
        """The forward event of each node that is computed."""
        return {node: event for event, node in enumerate(self.iteration.computed)}

    @cached_property
    def leaves(self) -> list[int]:
        """The leaves."""
        return [k for k, node in enumerate(self.iteration.order) if node.op is None]

    @cached_property
    def moved_at(self) -> dict[int | str, int]:
        """The update event of each parameter."""
        return {move.parameter: self._update + k for k, move in enumerate(self.iteration.moves)}

    @cached_property
    def receivers(self) -> array[int]:
        """The node that receives the contribution of each backward event."""
        index, order = self.iteration.graph.index, self.iteration.order
        swept = zip(self.iteration.swept, self.iteration.positions, strict=True)
        return array("q", [index[order[node].inputs[position]] for node, position in swept])

    @cached_property
    def _sorted(self) -> tuple[array[int], array[int]]:
        """The backward events sorted by receiver, and where those of each node begin."""
        counts = array("q", bytes(8 * (len(self.iteration.order) + 1)))
        for node in self.receivers:
            counts[node + 1] += 1
        starts = array("q", accumulate(counts))
        free, events = array("q", starts), array("q", bytes(8 * len(self.receivers)))
        for k, node in enumerate(self.receivers):
            events[free[node]] = self._backward + k
            free[node] += 1
        return events, starts

    @cached_property
    def _first_user(self) -> array[int]:
        """The first node that uses each node; -1 for the result."""
        index = self.iteration.graph.index
        found = array("q", [-1]) * len(self.iteration.order)
        for k in range(len(found) - 1, -1, -1):
            for x in self.iteration.order[k].inputs:
                found[index[x]] = k
        return found

    def user(self, node: int) -> int | None:
        """The first node that uses this one; None for the result."""
        found = self._first_user[node]
        return None if found < 0 else found

    def arrivals(self, node: int) -> array[int]:
        """The backward events whose contributions a node receives, in order."""
        events, starts = self._sorted
        return events[starts[node] : starts[node + 1]]

    @cached_property
    def passes_on_at(self) -> dict[int, int]:
        """The first backward event in which each node passes its gradient on."""
        swept = self.iteration.swept
        return {swept[k]: self._backward + k for k in range(len(swept) - 1, -1, -1)}

    def partials(self, node: int) -> dict[int, float]:
        """The partials of a node that the reverse sweep used, by position; all of them in the first training step."""
        iteration = self.iteration
        if iteration.number == 1:
            return dict(enumerate(iteration.order[node].partials))
        k = self.passes_on_at.get(node, len(iteration)) - self._backward
        found = {}
        while k < len(iteration.swept) and iteration.swept[k] == node:
            found[iteration.positions[k]] = iteration.sweep[4 * k + 1]
            k += 1
        return found

    def gradient(self, node: int, event: int) -> float | None:
        """The gradient of a node after an event; None if nothing has reached it."""
        if node == len(self.iteration.order) - 1:
            return 1.0 if event >= self._backward else None
        events, starts = self._sorted
        at = bisect_right(events, event, starts[node], starts[node + 1]) - 1
        if at < starts[node]:
            return None
        return self.iteration.sweep[4 * (events[at] - self._backward) + 3]

    def value(self, node: int, event: int) -> float | None:
        """The value of a node after an event; None if it is not computed yet."""
        if self.computed_at.get(node, -1) > event:
            return None
        moved = self.moved_at.get(node)
        if moved is not None and moved <= event:
            return self.iteration.moves[moved - self._update].new
        return self.iteration.values[node]

    def moved(self, node: int, event: int) -> bool:
        """Whether the optimiser has moved this parameter by then."""
        return self.moved_at.get(node, event + 1) <= event

    def events_of(self, node: int | str) -> list[int]:
        """The events that compute a node, add to its gradient, or move it."""
        found = [] if isinstance(node, str) else [*self.arrivals(node)]
        if isinstance(node, int) and node in self.computed_at:
            found.insert(0, self.computed_at[node])
        if node in self.moved_at:
            found.append(self.moved_at[node])
        return found

    def sweeps(self) -> list[int]:
        """Where each sweep that has events begins."""
        ends = (self._backward, self._update, len(self.iteration))
        return [start for start, end in zip((0, *ends[:2]), ends, strict=True) if start < end]

    def next_sweep(self, event: int) -> int | None:
        """Where the sweep after an event's sweep begins; None if there is none in this training step."""
        starts = self.sweeps()
        at = bisect_right(starts, event)
        return starts[at] if at < len(starts) else None

    def previous_sweep(self, event: int) -> int | None:
        """Where the sweep before an event's sweep begins; None if there is none in this training step."""
        starts = self.sweeps()
        at = bisect_right(starts, event) - 2
        return starts[at] if at >= 0 else None

    def arrived(self, node: int, event: int) -> int:
        """How many contributions a node has received up to and including an event."""
        return bisect_left(self.arrivals(node), event + 1)
