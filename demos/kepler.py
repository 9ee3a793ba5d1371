"""Kepler's equation: a solution that no formula gives, and its derivatives, which one does.

It teaches the implicit function theorem. The place of a planet follows from E − e·sin(E) = M, which is solved for E by
Newton's method. The derivatives of E do not go through its steps: at the solution, ∂E/∂θ = −f_θ / f_E, where f is the
difference of the two sides. So ``root`` records one node, however many steps were needed.

Source: Johannes Kepler, Astronomia nova (1609), chapter 60; A. Griewank, A. Walther, Evaluating Derivatives (2008),
chapter 15.
"""

from __future__ import annotations

import argparse
from typing import Any

import autograd as ag
from autograd import Value
from autograd.language import translate
from autograd.text import padded

from .common import figure, heading, paragraph, save, show_steps

ORBITS = {"Earth": 0.0167, "Mercury": 0.2056, "Halley": 0.9671}


def equation(x: Any, mean: Any, e: Any) -> Any:
    """What is 0 at the solution."""
    return x - e * ag.sin(x) - mean


def anomaly(mean: Any, e: Any) -> Any:
    """The eccentric anomaly E of a planet with mean anomaly M, on an orbit of eccentricity e."""
    return ag.root(equation, mean, mean, e, bracket=(mean - 1.0, mean + 1.0))


def by_steps(mean: Any, e: Any) -> Any:
    """The same by Newton's method as a recorded loop."""
    return ag.while_loop(
        lambda x: abs(equation(x, mean, e)) > 1e-15,
        lambda x: x - equation(x, mean, e) / (1.0 - e * ag.cos(x)),
        mean + e * ag.sin(mean),
        50,
    )


def recorded() -> tuple[Value, Value, Value]:
    """M, e and E of the example."""
    mean, e = Value(1.0, name="M"), Value(0.5, name="e")
    z = anomaly(mean, e)
    z.name = "E"
    return mean, e, z


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    mean, e, z = recorded()
    if args.show:
        show_steps(args, ag.steps(z))
        return
    heading(translate("The solution and its derivatives"))
    z.backward()
    figure("E", z.data)
    figure("∂E/∂M", mean.grad)
    figure("∂E/∂e", e.grad)
    figure("∂²E/∂M²", ag.hessian(anomaly)(mean.data, e.data))
    print()
    print(ag.explain(z, wrt=mean))
    save(ag.draw(z), args.out, "kepler.svg")
    heading(translate("The same through the steps of the iteration"))
    long = by_steps(mean, e)
    figure("∂E/∂M", ag.grad(by_steps)(mean.data, e.data))
    counted = translate("{count} nodes are recorded, where root records one")
    print("  " + counted.format(count=ag.size(long).nodes - 2))
    heading(translate("A quarter of a revolution after the nearest point"))
    titles = (("e", 8), ("E", 20), ("∂E/∂M", 20), ("∂E/∂e", 20))
    print("  " + padded("", 8) + "".join(padded(title, width, ">") for title, width in titles))
    for name, own in ORBITS.items():
        found, (by_mean, by_e) = ag.value_and_grad(anomaly, (0, 1))(1.5708, own)
        print(f"  {name:<8}{own:>8}{found:>20.12f}{by_mean:>20.12f}{by_e:>20.12f}")
    print()
    paragraph(translate("The derivatives are as exact as the solution: no tolerance of the iteration is in them."))
