"""Hares and lynxes: 1000 steps of Euler's method, and what each of four rates does to the last one.

It teaches loops. ``scan`` carries a state through steps and gives every step a scope, so that pictures show the loop
and one reverse sweep gives the derivatives through all steps. Compiled, the same function is one loop over one copy of
the step: it takes the same time to compile for a thousand steps and for a hundred thousand.

Source: A. J. Lotka, Elements of Physical Biology (1925); V. Volterra, Fluctuations in the abundance of a species
considered mathematically, Nature 118 (1926).
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import autograd as ag
from autograd import Value
from autograd.language import translate

from .common import figure, heading, need, paragraph, save, show_steps

RATES = {"α": 1.1, "β": 0.4, "γ": 0.4, "δ": 0.1}  # births of hares, their deaths by lynxes, deaths and births of lynxes
START = (10.0, 10.0)


def animals(rates: Any, steps: int, years: float) -> Any:
    """Hares and lynxes after that many steps."""
    birth, caught, death, fed = rates
    h = years / steps

    def step(state: Any, _: None) -> Any:
        hares, lynxes = state
        met = hares * lynxes
        return (hares + h * (birth * hares - caught * met), lynxes + h * (fed * met - death * lynxes)), None

    return ag.scan(step, START, length=steps)[0]


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("numpy")
    rates = [Value(x, name=name) for name, x in RATES.items()]
    hares, lynxes = animals(rates, 3, 0.375)
    hares.name, lynxes.name = translate("hares"), translate("lynxes")
    if args.show:
        show_steps(args, ag.steps(hares))
        return
    heading(translate("After ten years, 1000 steps"))
    hares, lynxes = animals(list(RATES.values()), 1000, 10.0)
    figure(translate("hares"), hares)
    figure(translate("lynxes"), lynxes)
    slopes = ag.grad(lambda rates: animals(rates, 1000, 10.0)[0])(list(RATES.values()))
    for name, slope in zip(RATES, slopes, strict=True):
        figure(f"∂{translate('hares')}/∂{name}", slope)
    save(ag.draw(animals(rates, 3, 0.375)[0]), args.out, "lotka_volterra.svg")
    compiled(list(RATES.values()))


def compiled(rates: list[float]) -> None:
    """The same in native code, for many more steps."""
    import numpy as np

    heading(translate("Compiled"))
    for steps in (1000, 100_000):
        f = ag.compile(lambda rates, steps=steps: animals(rates, steps, 10.0)[0])
        row = np.array([rates])
        begun = time.perf_counter()
        value, slopes = f.value_and_grad(row)
        first = time.perf_counter() - begun
        begun = time.perf_counter()
        f.value_and_grad(row)
        again = time.perf_counter() - begun
        told = translate("{steps} steps: {hares:.6f} hares; first call {first:.2f} s, then {again:.1f} ms")
        print("  " + told.format(steps=f"{steps:>7,}", hares=value[0], first=first, again=again * 1e3))
        print("  " + " ".join(f"∂/∂{name} {slope:.6f}" for name, slope in zip(RATES, slopes[0], strict=True)))
    print()
    paragraph(
        translate("More steps are more exact: the explicit Euler method has an error in proportion to the step size.")
    )
