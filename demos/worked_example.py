"""0.05/0.10 → 0.01/0.99, from the forward pass to 10 000 steps.

It teaches the whole of backpropagation on one small network: a forward pass, an error, the chain rule for a weight of
the output layer and for one of the hidden layer, where two paths add up, and gradient descent. It also shows that two
different algorithms hide in the tutorials' figures: one changes all weights at the same time, the other lets the hidden
layer see output weights that have already been changed.

Sources: tutorials 000 and 003; the network goes back to Matt Mazur, "A Step by Step Backpropagation Example" (2015).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tqdm import tqdm

import autograd as ag
import nn
from autograd import Value
from nn import optim

from .common import at_least_one, figure, heading, paragraph, save, show_steps

INPUTS, TARGETS, RATE = (0.05, 0.10), (0.01, 0.99), 0.5

PRINTED_GRADIENTS = {"w1": "0.000438568", "w5": "0.082167041"}
PRINTED_WEIGHTS = {
    "w1": "0.14978071", "w2": "0.19956143", "w3": "0.24975114", "w4": "0.29950229",
    "w5": "0.3589164795", "w6": "0.408666186", "w7": "0.511301270", "w8": "0.561370121",
}  # fmt: skip


def network(names: bool = False) -> nn.MLP:
    """The tutorial's 2-2-2 network with its weights; one bias a layer, which is not trained."""
    return nn.MLP(
        2,
        [2, 2],
        activation="sigmoid",
        output_activation="sigmoid",
        weights=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]],
        biases=[0.35, 0.60],
        share_bias=True,
        train_bias=False,
        names=names,
    )


def recorded(model: nn.MLP) -> Value:
    """The forward pass and the error E, with the tutorial's names on everything."""
    inputs = [Value(x, name=f"i{k}") for k, x in enumerate(INPUTS, 1)]
    error: Value = nn.half_squared_error(model(inputs), TARGETS, names=["E_o1", "E_o2"])
    error.name = "E"
    return error


def error_of(model: nn.MLP) -> float:
    """E for the present weights."""
    with ag.no_grad():
        return float(nn.half_squared_error(model(INPUTS), TARGETS))


def simultaneous(model: nn.MLP) -> Callable[[], None]:
    """A step of gradient descent: all gradients first, then all weights."""
    optimizer = optim.SGD(model.parameters(), lr=RATE)

    def step() -> None:
        optimizer.zero_grad()
        nn.half_squared_error(model(INPUTS), TARGETS).backward()
        optimizer.step()

    return step


def sequential(model: nn.MLP) -> Callable[[], None]:
    """The step behind the tutorial's figures: the error goes on to the hidden layer through weights already changed."""
    hidden, output = model.layers
    first, second = optim.SGD(hidden.parameters(), lr=RATE), optim.SGD(output.parameters(), lr=RATE)

    def step() -> None:
        second.zero_grad()
        hidden_outputs = hidden(INPUTS)
        outputs = output(hidden_outputs)
        nn.half_squared_error(outputs, TARGETS).backward()
        deltas = [out.inputs[0].grad for out in outputs]  # ∂E/∂net_o1, ∂E/∂net_o2
        second.step()
        first.zero_grad()
        changed = [ag.dot([w.data for w in neuron.weights], hidden_outputs) for neuron in output.neurons]
        ag.dot(deltas, changed).backward()  # the same deltas, through the weights as they are now
        first.step()

    return step


def train(order: Callable[[nn.MLP], Callable[[], None]], iterations: int) -> tuple[float, float, list[float]]:
    """Train from the tutorial's weights; returns E after one step, E at the end, and the outputs at the end."""
    model = network()
    step = order(model)
    after_one = error_of(model)
    for k in tqdm(range(iterations), desc=f"  {order.__name__}", leave=False, disable=None):
        step()
        if k == 0:
            after_one = error_of(model)
    with ag.no_grad():
        return after_one, error_of(model), [float(out) for out in model(INPUTS)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    parser.add_argument(
        "--iterations", type=at_least_one, default=10_000, metavar="N", help="training steps (default: 10000)"
    )


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    model = network(names=True)
    error = recorded(model)
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    if args.step or args.steps:
        show_steps(args, ag.steps(error, optimizer))
        return
    forward_pass(error)
    error.backward()
    chain_rule(error)
    heading("The graph")
    save(ag.draw(error), args.out, "worked_example.svg")
    one_update(optimizer)
    training(args.iterations)


def forward_pass(error: Value) -> None:
    """Print every node of the forward pass and the figures that the tutorial prints."""
    heading("Forward pass and error")
    nodes = {node.name: node for node in ag.topological(error) if node.name}
    for name, printed in (
        *(("net_h1", "0.3775"), ("net_h2", None), ("out_h1", "0.593269992"), ("out_h2", "0.596884378")),
        *(("net_o1", "1.105905967"), ("net_o2", None), ("out_o1", "0.75136507"), ("out_o2", "0.772928465")),
        *(("E_o1", "0.274811083"), ("E_o2", "0.023560026"), ("E", "0.298371109")),
    ):
        figure(name, nodes[name].data, printed)
    print("  (one place of tutorial 000 misprints out_o1 as 0.75136079)")


def chain_rule(error: Value) -> None:
    """Explain the derivatives that the tutorial works out by hand."""
    for name in ("w5", "w1"):
        heading(f"Chain rule for {name}")
        print(ag.explain(error, wrt=name))


def one_update(optimizer: optim.Optimizer) -> None:
    """Print all gradients and the weights after one step."""
    heading(f"Gradients, and weights after one step with η = {RATE}")
    for update in optimizer.updates():
        name = update.parameter.name or ""
        figure(f"∂E/∂{name}", update.gradient, PRINTED_GRADIENTS.get(name))
        figure(f"{name} ← {name} − η·∂E/∂{name}", update.new, PRINTED_WEIGHTS[name])
    print("  (the tutorial computes w5 from the gradient rounded to nine digits)")


def training(iterations: int) -> None:
    """Train in both update orders and hold the figures against the tutorial's."""
    full = iterations == 10_000
    for order, title, text in (
        (
            simultaneous,
            "Training, simultaneous update (gradient descent)",
            "All eight gradients are taken at the same point, then all weights move. This is what gradient descent "
            "means and what the tutorial's own code does; its text prints other figures, so they do not agree.",
        ),
        (
            sequential,
            "Training, sequential update (what the tutorial's text prints)",
            "The output weights move first, and the error reaches the hidden layer through the moved weights: not the "
            "gradient of E at any point, though close to it. The tutorial's figures come from this order.",
        ),
    ):
        heading(title)
        after_one, after_all, outputs = train(order, iterations)
        paragraph(text)
        figure("E after 1 step", after_one, "0.291027924")
        figure(f"E after {iterations:,} steps", after_all, "0.000035085" if full else None)
        for name, x, printed in zip(("o1", "o2"), outputs, ("0.015912196", "0.984065734"), strict=True):
            figure(f"output {name}", x, printed if full else None)
