"""Nine paths from X to Z, and their sum factored into a product of two sums.

It teaches why a sweep is cheap: the derivative is the sum over all paths of the products along them, and a sweep that
adds up at each node visits every edge once. With three edges from X to Y and three from Y to Z there are nine paths;
with n such stages there are 3ⁿ paths and 3n edges.

Source: tutorial 003, section 4; the example is from Christopher Olah, "Calculus on Computational Graphs" (2015).
"""

from __future__ import annotations

import argparse
from itertools import product
from math import prod

import autograd as ag
from autograd import Value
from autograd.language import translate
from autograd.text import padded

from .common import heading, paragraph, save, show_steps

FIRST, SECOND = {"α": 2.0, "β": 3.0, "γ": 5.0}, {"δ": 7.0, "ε": 11.0, "ζ": 13.0}


def stage(x: Value, edges: dict[str, float]) -> Value:
    """A node with one edge from x for each factor: the sum of factor·x."""
    total: Value = ag.sum([x * factor for factor in edges.values()])
    return total


def recorded() -> tuple[Value, Value]:
    """X and Z of the tutorial's graph; the factors are primes, so that every product identifies its path."""
    x = Value(1.0, name="X")
    y = stage(x, FIRST)
    y.name = "Y"
    z = stage(y, SECOND)
    z.name = "Z"
    return x, z


def paths() -> dict[str, float]:
    """The nine products, each with the names of its edges."""
    return {a + b: prod((FIRST[a], SECOND[b])) for a, b in product(FIRST, SECOND)}


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    x, z = recorded()
    if args.show:
        show_steps(args, ag.steps(z))
        return
    heading(translate("Nine paths"))
    for name, along in paths().items():
        print(f"  {name} = {along:g}")
    print("  " + translate("their sum: {sum:g}").format(sum=sum(paths().values())))
    heading(translate("Factored: (α + β + γ)(δ + ε + ζ)"))
    first, second = sum(FIRST.values()), sum(SECOND.values())
    print(f"  {first:g} · {second:g} = {first * second:g}")
    z.backward()
    print("  " + translate("what one reverse sweep finds: ∂Z/∂X = {gradient:g}").format(gradient=x.grad))
    save(ag.draw(z), args.out, "paths.svg")
    heading(translate("More stages"))
    titles = ((translate("stages"), 8), (translate("paths"), 22), (translate("edges of the graph"), 20), ("∂Z/∂X", 24))
    print("  " + " ".join(padded(title, width, ">") for title, width in titles))
    for n in (1, 2, 10, 30):
        start = node = Value(1.0)
        for _ in range(n):
            node = stage(node, {"a": 1.0, "b": 1.0, "c": 1.0})
        node.backward()
        print(f"  {n:>8} {3**n:>22,} {ag.size(node).edges:>20,} {start.grad:>24,.0f}")
    print()
    paragraph(
        translate("With all factors 1 the derivative counts the paths. The paths of 30 stages are too many to list.")
    )
