"""Layers with a forward and a backward method, and the effect of mistakes in them.

It teaches the backward pass of a framework's layers: an addition passes the adjoint on, a multiplication swaps its
inputs, ReLU passes the adjoint on if its input was positive, and the gradient of a bias is the sum over the rows of a
batch. Every slope here is computed by the engine, so no layer needs a backward method that could be wrong.

Source: tutorial 004: (x + y)², the layers ReLU, Sigmoid, Affine and SoftmaxWithLoss, and the mistakes in their code.
"""

from __future__ import annotations

import argparse

import autograd as ag
from autograd import Value
from autograd.language import Message, translate
from autograd.text import padded

from .common import figure, heading, paragraph, save, show_steps
from .tutorials import printed

X = [[1.0, -0.5], [-2.0, 3.0]]  # the tutorial's array for the mask
ADJOINTS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]  # its dY of a batch of two rows

SLIPS = (
    Message("AddLayer.forward multiplies (see the demo apples)."),
    Message("ReLU.forward and ReLU.backward return 0, instead of the computed array."),
    Message("Sigmoid.forward does not keep its result, so backward computes 1 - None: a TypeError."),
    Message("Affine.backward returns nothing, so the layer before it gets None."),
    Message("SoftmaxWithLoss.forward keeps softmax(x) as self.x, reads self.y, which is None, and returns nothing."),
    Message('The gradient check prints the word "key" instead of each parameter\'s name.'),
)


def square_of_sum() -> Value:
    """z = (x + y)² at x = 1, y = 2."""
    t = Value(1.0, name="x") + Value(2.0, name="y")
    t.name = "t"
    z = t**2
    z.name = "z"
    return z


def relu_mask() -> tuple[list[list[bool]], list[list[float]], list[list[float]]]:
    """Where the mask x ≤ 0 is true, ReLU's values, and its slopes."""
    inputs = [[Value(x) for x in row] for row in X]
    outputs = [[ag.relu(x) for x in row] for row in inputs]
    ag.sum([out for row in outputs for out in row]).backward()
    mask = [[x <= 0.0 for x in row] for row in inputs]
    return mask, [[out.data for out in row] for row in outputs], [[x.grad for x in row] for row in inputs]


def bias_gradient() -> list[float]:
    """The gradient of a bias that is added to each row of a batch, when dY arrives from above."""
    bias = [Value(0.0) for _ in ADJOINTS[0]]
    outputs = [1.0 + b for _ in ADJOINTS for b in bias]
    ag.dot(outputs, [adjoint for row in ADJOINTS for adjoint in row]).backward()
    return [b.grad for b in bias]


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    z = square_of_sum()
    if args.show:
        show_steps(args, ag.steps(z))
        return
    heading(translate("z = (x + y)², backward"))
    z.backward()
    print(ag.explain(z, "x"))
    save(ag.draw(z), args.out, "layers.svg")

    heading(translate("ReLU's mask"))
    mask, values, slopes = relu_mask()
    for title, rows in (
        *(("x", X), (translate("mask: x ≤ 0"), mask)),
        *((translate("value"), values), (translate("slope"), slopes)),
    ):
        print(f"  {padded(title, 12)} {rows}")

    heading(translate("A bias of a batch: the sum of the columns of dY"))
    for k, gradient in enumerate(bias_gradient()):
        figure(f"dB[{k}]", gradient, printed("004", f"{gradient:g}"))

    heading(translate("Slips in the tutorial's layers"))
    for slip in SLIPS:
        print(f"  {slip.translated()}")
    print()
    paragraph(
        translate(
            "With these the tutorial's gradient check of a two-layer net cannot run. The demo two_layer_net runs it on "
            "this engine, where a layer has no backward method of its own."
        )
    )
