"""Forward and reverse on the graph of e = (a + b)·(b + 1).

It teaches that local derivatives belong to edges: multiply along a path, add over paths. A forward sweep answers "how
does everything depend on b", a reverse sweep "how does e depend on everything". With n inputs and one output, n forward
sweeps give the same derivatives as a single reverse sweep; the demo counts the edges that each visits.

Source: tutorial 003; the example is from Christopher Olah, "Calculus on Computational Graphs" (2015).
"""

from __future__ import annotations

import argparse

import autograd as ag
from autograd import Value, forward_sweep, reverse_sweep
from autograd.graph import depending
from autograd.language import translate
from autograd.text import padded

from .common import heading, paragraph, save, show_steps


def recorded() -> dict[str, Value]:
    """The tutorial's graph at a = 2, b = 1, by name."""
    a, b = Value(2.0, name="a"), Value(1.0, name="b")
    c, d = a + b, b + 1
    e = c * d
    c.name, d.name, e.name = "c", "d", "e"
    return {"a": a, "b": b, "c": c, "d": d, "e": e}


def work(n: int) -> tuple[int, int, int]:
    """For a product of sums of n inputs, count the edges of the graph, of n forward sweeps and of one reverse sweep."""
    inputs = [Value(1.0 + k) for k in range(n)]
    output = ag.sum(inputs) * ag.sum([x * x for x in inputs])
    order = ag.topological(output)
    edges = ag.size(output).edges
    forward_edges = 0
    for x in inputs:
        reached = depending(order, {x})  # a forward sweep needs no other nodes
        forward_edges += sum(1 for _ in forward_sweep([node for node in order if node in reached], {x: 1.0}))
    reverse_edges = sum(1 for _ in reverse_sweep(order))
    return edges, forward_edges, reverse_edges


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    nodes = recorded()
    e, b = nodes["e"], nodes["b"]
    if args.show:
        show_steps(args, ag.steps(e))
        return
    order = ag.topological(e)

    heading(translate("1. The graph, with a partial derivative on every edge"))
    for node in order:
        for x, partial in zip(node.inputs, node.partials, strict=True):
            print(f"  ∂{node.name}/∂{x.name} = {partial:g}")
    save(ag.draw(e, gradients=False), args.out, "sweeps_edges.svg")

    heading(translate("2. Forward from b: how everything depends on b"))
    tangents = {b: 1.0}
    for ahead in forward_sweep(order, tangents):
        node, x = ahead.node, ahead.input
        line = translate("the edge {edge}: {derivative} is now {value:g}")
        names = {"edge": f"{x.name} → {node.name}", "derivative": f"∂{node.name}/∂b"}
        print("  " + line.format(value=tangents[node], **names))
    save(ag.draw(e, tangents=tangents, gradients=False), args.out, "sweeps_forward.svg")

    heading(translate("3. Reverse from e: how e depends on everything"))
    for back in reverse_sweep(order):
        node, x = back.node, back.input
        line = translate("the edge {edge}: {derivative} is now {value:g}")
        print("  " + line.format(edge=f"{node.name} → {x.name}", derivative=f"∂e/∂{x.name}", value=x.grad))
    save(ag.draw(e), args.out, "sweeps_reverse.svg")

    heading(translate("{derivative}, explained").format(derivative="∂e/∂b"))
    print(ag.explain(e, wrt=b))

    heading(translate("What it costs: edges visited to get all n derivatives"))
    paragraph(
        translate("For e = (Σx)·(Σx²) with n inputs: a forward sweep for each input, or one reverse sweep for all.")
    )
    print(
        f"\n  {'n':>5} {padded(translate('edges of the graph'), 20, '>')} "
        f"{padded(translate('n forward sweeps'), 18, '>')} {padded(translate('one reverse sweep'), 19, '>')}"
    )
    for n in (1, 10, 100, 1000):
        edges, forwards, one_reverse = work(n)
        print(f"  {n:>5} {edges:>20,} {forwards:>18,} {one_reverse:>19,}")
    print()
    paragraph(
        translate(
            "The forward sweeps skip nodes that their input does not reach, and still look at every operand of the "
            "nodes it does reach: with n operands in a sum, n sweeps visit n² of them. With one input and n outputs "
            "it is the other way round."
        )
    )
