"""Gradient descent as GradBench's particle and saddle prescribe it, with derivatives in either mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd as ag

Function = Callable[[list[Any]], Any]
Slopes = Callable[[Function, list[Any]], tuple[Any, list[Any]]]  # a function's value at a point, and its gradient

PRECISION = 1e-5
MOST_STEPS = 1000


def reverse(f: Function, x: list[Any]) -> tuple[Any, list[Any]]:
    """Value and gradient by a reverse sweep."""
    return ag.value_and_grad(f)(x)


def forward(f: Function, x: list[Any]) -> tuple[Any, list[Any]]:
    """Value and gradient by a forward sweep for each number of x."""
    both = [ag.jvp(f, (x,), ([float(i == k) for i in range(len(x))],)) for k in range(len(x))]
    return both[0][0], [slope for _, slope in both]


MODES: dict[str, Slopes] = {"f": forward, "r": reverse}


def minimize(f: Function, start: list[Any], slopes: Slopes) -> list[Any]:
    """Where f is least: a step size that doubles after ten steps downwards, and halves where a step leads upwards."""

    def faster(rate: Any, downwards: Any) -> tuple[Any, Any]:
        is_tenth = downwards > 9.5
        return ag.where(is_tenth, 2.0 * rate, rate), ag.where(is_tenth, 0.0, downwards)

    def far(state: Any) -> Any:
        _, _, gradient, rate, downwards = state
        rate, _ = faster(rate, downwards)
        length = ag.sqrt(ag.sum([g * g for g in gradient]))
        return (length > PRECISION) & (rate * length > PRECISION)

    def step(state: Any) -> Any:
        x, value, gradient, rate, downwards = state
        rate, downwards = faster(rate, downwards)
        there = [a - rate * g for a, g in zip(x, gradient, strict=True)]
        its_value, its_gradient = slopes(f, there)
        is_lower = its_value < value

        def chosen(new: Any, old: Any) -> Any:
            return ag.where(is_lower, new, old)

        return (
            [*map(chosen, there, x)],
            chosen(its_value, value),
            [*map(chosen, its_gradient, gradient)],
            chosen(rate, 0.5 * rate),
            chosen(downwards + 1.0, 0.0),
        )

    value, gradient = slopes(f, start)
    return ag.while_loop(far, step, (start, value, gradient, 1e-5, 0.0), MOST_STEPS)[0]


def maximize(f: Function, start: list[Any], slopes: Slopes) -> list[Any]:
    """Where f is greatest."""
    return minimize(lambda x: -f(x), start, slopes)
