"""A price computed from apples and oranges, and its gradients.

It teaches how a multiplication swaps its inputs on the way back while an addition passes the adjoint on, and how to
read a gradient: the price rises by 2.2 for each unit that an apple gets dearer, by 110 for each apple more.

Source: tutorial 004, whose AddLayer multiplies by mistake; the example goes back to Koki Saitoh, "Deep Learning from
Scratch" (2016).
"""

from __future__ import annotations

import argparse

import autograd as ag
from autograd import Value

from .common import figure, heading, save, show_steps

PRINTED = {"apple": "2.2", "apples": "110", "orange": "3.3", "oranges": "165", "tax": "650"}


def recorded() -> Value:
    """2 apples at 100 and 3 oranges at 150, taxed by the factor 1.1."""
    apple, apples = Value(100.0, name="apple"), Value(2.0, name="apples")
    orange, oranges = Value(150.0, name="orange"), Value(3.0, name="oranges")
    tax = Value(1.1, name="tax")
    apple_price, orange_price = apple * apples, orange * oranges
    apple_price.name, orange_price.name = "apple_price", "orange_price"
    total = apple_price + orange_price
    total.name = "total"
    price = total * tax
    price.name = "price"
    return price


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    price = recorded()
    if args.step or args.steps:
        show_steps(args, ag.steps(price))
        return
    heading("Forward and backward, step by step")
    print(ag.steps(price))
    heading("The price and its five gradients")
    figure("price", price.data, "715")
    for leaf in ag.leaves(price):
        figure(f"∂price/∂{leaf.name}", leaf.grad, PRINTED[leaf.name or ""])
    heading("∂price/∂apples, explained")
    print(ag.explain(price, "apples"))
    heading("The graph")
    save(ag.draw(price), args.out, "apples.svg")
