"""A recording: the inputs of one run of a function, and the operations on them in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import context, ops
from ..carriers import Extended
from ..errors import TraceError
from ..graph import topological
from ..higher import CARRY, Linear
from ..ops import REAL, Op
from ..value import Value, as_float
from . import adapted
from .repetition import line_of_user
from .traced import Traced

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
        inlined = None if traits.known else adapted.inlined(op, taken)
        node = _new(Traced)
        node.recording = self
        node.which_input = None
        node.origin = (op if traits.known or op.nary else adapted.adapted(op), None, (), *taken)
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
