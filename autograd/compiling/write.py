"""A recording written as a program: its nodes, operands first, and for each loop a program of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import ops
from ..carriers import IEEE, Extended
from ..higher import Compound, Linear
from . import progress
from .liveness import Live
from .loop_rules import ELEMENT, LOOP, PACK, PART
from .loops import Loop
from .program import ROW, LoopCode, Program
from .recording import CARRYING, reachable
from .symbols import Symbol, Writer
from .traced import Traced


def write_program(
    results: Sequence[Linear],
    sums: Sequence[Linear],
    row_names: Sequence[str],
    shared_names: Sequence[str],
    strict: bool,
) -> Program:
    """The program of traced results.

    Args:
        results: what each row gives.
        sums: what is added up over the rows.
        row_names, shared_names: names of the recording's inputs.
        strict: keep every operation as an eager run would do it.
    """
    writer = Writer(row_names, shared_names, strict)
    roots = (*results, *sums)
    if any(type(x) is Traced and x.recording.has_loops for x in roots):
        live = Live(roots)
        region = _Region(writer, live)
        order = live.order(roots, None)[0]
    else:
        region, order = _Region(writer, None), reachable(roots)
    region.write(progress.over(order, "simplifying"))
    program = writer.program
    for where, found in ((program.results, results), (program.sums, sums)):
        where += [region.number(x) for x in found]
    return program


class _Region:
    """Writes the nodes of a recording that are outside all loops, or those of one loop's body.

    Args:
        writer: writes the program.
        live: which numbers of loops are needed; None if there are no loops.
    """

    def __init__(self, writer: Writer, live: Live | None) -> None:
        self.writer, self.live = writer, live
        self.done: dict[Linear, Any] = {}
        self.counts: dict[Traced, Symbol] = {}  # of the steps of loops outside

    def _count(self, node: Traced) -> Symbol:
        """The number of steps that a loop took."""
        return self.counts[node] if node in self.counts else self.writer.write_part("count", self.symbol(node), 0)

    def symbol(self, x: Linear) -> Any:
        """What stands for a node that was written."""
        return self.done[x] if type(x) is Traced else float(x)

    def number(self, x: Linear) -> int:
        """The instruction that computes it."""
        s = self.symbol(x)
        return s.i if type(s) is Symbol else self.writer.constant(s).i

    def write(self, order: Iterable[Traced]) -> None:
        """Write nodes, operands first."""
        writer, done, symbol = self.writer, self.done, self.symbol
        rules: dict[ops.Op, Callable[..., Any] | None] = {}  # None for operations of the user's own
        for node in order:
            op = node.op
            if op is None:
                assert node.which_input is not None
                done[node] = writer.input(*node.which_input)
            elif node.inlined is not None:
                done[node] = symbol(node.inlined)
            elif isinstance(op, Compound):
                self._compound(op, node)
            else:
                if op not in rules:
                    rules[op] = writer.rule(op) if op.shipped or op in CARRYING else None
                rule = rules[op]
                operands = [done[x] if type(x) is Traced else float(x) for x in node.operands]
                if rule is None:
                    done[node] = _in_python(writer, op, operands)
                elif Symbol not in map(type, operands):  # arithmetic that follows IEEE 754, as native code does
                    done[node] = float(op.value(IEEE)(*op.arguments([Extended(x) for x in operands])))
                else:
                    try:
                        done[node] = rule(*(operands if op.group is None else op.group(operands)))
                    except ArithmeticError:  # of constants among the operands
                        extended = [Extended(x) if type(x) is float else x for x in operands]
                        done[node] = rule(*op.arguments(extended))

    def _compound(self, op: Compound, node: Traced) -> None:
        writer, done = self.writer, self.done
        if op is LOOP:
            done[node] = self._loop(node.detail)
        elif op is PACK:
            done[node] = writer.write("pack", *map(self.symbol, node.operands))
        elif op is ELEMENT:
            done[node] = writer.write_part("element", self.symbol(node.operands[0]), node.detail)
        else:
            assert self.live is not None
            live = self.live.of(node.operands[0].detail)  # type: ignore[union-attr]
            place = (live.states if op is PART else live.outs).index(node.detail)
            name = "last" if op is PART else "stack"
            done[node] = writer.write_part(name, self.symbol(node.operands[0]), place)

    def _loop(self, loop: Loop) -> Symbol:
        """A loop as one instruction, whose code is a program of its own."""
        assert self.live is not None
        writer, live = self.writer, self.live.of(loop)
        order, outside = self.live.body(loop)
        inner = Writer([], [], writer.strict)
        inner.program.own = writer.program.own
        body = _Region(inner, self.live)
        operands: list[Any] = [self.symbol(loop.starts[j]) for j in live.states]
        operands += [self.symbol(loop.sources[k]) for k in live.steps]
        for kind, placeholders, places in (("state", loop.states, live.states), ("step", loop.steps, live.steps)):
            for number, place in enumerate(places):
                body.done[placeholders[place]] = inner.placeholder(kind, number, ROW)
        first = len(operands)
        for x in outside:
            known = self._count(x) if x.op is LOOP else self.done[x]
            if type(known) is Symbol:
                (body.counts if x.op is LOOP else body.done)[x] = inner.placeholder(
                    "outer", len(operands) - first, writer.program.level[known.i]
                )
                operands.append(known)
            else:
                body.done[x] = known
        body.write(order)
        program = inner.program
        program.results = [body.number(loop.nexts[j]) for j in live.states]
        program.results += [body.number(loop.outs[k]) for k in live.outs]
        if loop.active is not None:
            active = inner.compare("lt", 0.0, body.symbol(loop.active))
            program.active = active.i if type(active) is Symbol else None
        counted = loop.counted
        is_counted = counted is not None and counted is not loop.node
        if counted is not None and is_counted:
            operands.append(self._count(counted) if counted.op is LOOP else self.symbol(counted))
        sizes = len(live.states), len(live.steps), len(live.outs)
        return writer.loop(LoopCode(program, loop.length, loop.backward, *sizes, is_counted), operands)


def _in_python(writer: Writer, op: ops.Op, operands: Sequence[Any]) -> Any:
    """An operation of the user's own that is written with math's functions: Python computes it, number by number."""
    name = f"{op.name}#{len(writer.program.own)}"
    known = [k for k, function in writer.program.own.items() if function is op]
    if known:
        name = known[0]
    writer.program.own[name] = op
    return writer.write(name, *operands)
