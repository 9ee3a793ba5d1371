"""A price computed from apples and oranges, and its gradients.

It teaches that in the backward pass a multiplication swaps its inputs while an addition passes the adjoint on, and how
to read a gradient: the price rises by 2.2 if an apple costs 1 more, and by 110 for one more apple.

Source: tutorial 004, which gives the prices and prints no result. Its AddLayer multiplies by mistake; the demo shows
what that does. The example is from Koki Saitoh, "Deep Learning from Scratch" (2016).
"""

from __future__ import annotations

import argparse
import operator
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd import Value
from autograd.language import translate

from .common import figure, heading, paragraph, save, show_steps

# The tutorial's AddLayer: its value is a product, its slopes are those of a sum.
add_layer = ag.operation("add_layer", lambda x, y: x * y, lambda z, x, y: 1.0, lambda z, x, y: 1.0)


def recorded(add: Callable[[Any, Any], Any] = operator.add) -> Value:
    """2 apples at 100 and 3 oranges at 150, times the tax factor 1.1; ``add`` adds the two prices."""
    apple, apples = Value(100.0, name="apple"), Value(2.0, name="apples")
    orange, oranges = Value(150.0, name="orange"), Value(3.0, name="oranges")
    tax = Value(1.1, name="tax")
    apple_price, orange_price = apple * apples, orange * oranges
    apple_price.name, orange_price.name = "apple_price", "orange_price"
    total = add(apple_price, orange_price)
    total.name = "total"
    price: Value = total * tax
    price.name = "price"
    return price


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    price = recorded()
    if args.show:
        show_steps(args, ag.steps(price))
        return
    heading(translate("Forward and backward, step by step"))
    print(ag.steps(price))
    heading(translate("The price and its five gradients"))
    show(price)
    heading(translate("{derivative}, explained").format(derivative="∂price/∂apples"))
    print(ag.explain(price, "apples"))
    heading(translate("The graph"))
    save(ag.draw(price), args.out, "apples.svg")

    heading(translate("With the tutorial's AddLayer"))
    slip = recorded(add_layer)
    slip.backward()
    show(slip)
    paragraph(
        translate(
            "It multiplies the two prices and passes the adjoint on as an addition does, so the price and ∂price/∂tax "
            "are wrong. The gradients of the four leaves below it are right for a sum, but not for the price that it "
            "computes. A gradient check compares a slope with the value, so it finds this:"
        )
    )
    print(ag.gradcheck(lambda x, y: add_layer(x, y), 200.0, 450.0))


def show(price: Value) -> None:
    """Print the price and its gradients, after ``backward``."""
    figure("price", price.data)
    for leaf in ag.leaves(price):
        figure(f"∂price/∂{leaf.name}", leaf.grad)
