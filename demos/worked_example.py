"""0.05/0.10 → 0.01/0.99, from the forward pass to 10 000 steps.

It teaches the whole of backpropagation on one small network: a forward pass, an error, the chain rule for a weight of
the output layer and for one of the hidden layer, where two paths add up, and gradient descent. It also shows where the
figures that tutorial 000 prints after training come from: not from gradient descent, which changes all weights at the
same time, but from a step whose hidden layer uses output weights that have already been changed. The tutorial's code
produces neither, because it trains towards 0.09 where the text says 0.99.

Sources: tutorials 000 and 003; the network is from Matt Mazur, "A Step by Step Backpropagation Example" (2015).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import autograd as ag
import nn
from autograd import Value
from autograd.bars import bar
from autograd.language import translate
from nn import optim

from .common import add_count, figure, heading, paragraph, save, show_steps
from .tutorials import printed

Targets = tuple[float, float]

INPUTS, TARGETS, RATE = (0.05, 0.10), (0.01, 0.99), 0.5

CODE_TARGETS = (0.01, 0.09)  # the targets in the code of tutorial 000


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


def error_of(model: nn.MLP, targets: Targets = TARGETS) -> float:
    """E for the present weights."""
    with ag.no_grad():
        return float(nn.half_squared_error(model(INPUTS), targets))


def simultaneous(model: nn.MLP, targets: Targets = TARGETS) -> Callable[[], None]:
    """A step of gradient descent: all gradients first, then all weights."""
    optimizer = optim.SGD(model.parameters(), lr=RATE)

    def step() -> None:
        optimizer.zero_grad()
        nn.half_squared_error(model(INPUTS), targets).backward()
        optimizer.step()

    return step


def sequential(model: nn.MLP, targets: Targets = TARGETS) -> Callable[[], None]:
    """The step that gives the tutorial's figures: the hidden layer's gradients use output weights already changed."""
    hidden, output = model.layers
    first, second = optim.SGD(hidden.parameters(), lr=RATE), optim.SGD(output.parameters(), lr=RATE)

    def step() -> None:
        second.zero_grad()
        hidden_outputs = hidden(INPUTS)
        outputs = output(hidden_outputs)
        nn.half_squared_error(outputs, targets).backward()
        deltas = [out.inputs[0].grad for out in outputs]  # ∂E/∂net_o1, ∂E/∂net_o2
        second.step()
        first.zero_grad()
        changed = [ag.dot([w.data for w in neuron.weights], hidden_outputs) for neuron in output.neurons]
        ag.dot(deltas, changed).backward()  # the same deltas, with the present weights
        first.step()

    return step


def lessons_of_the_other_order(args: argparse.Namespace) -> None:
    """The step of ``sequential`` as two lessons: first the output layer's weights, then the hidden layer's."""
    model = network(names=True)
    hidden, output = model.layers
    error = recorded(model)
    log = ag.steps(error, optim.SGD(output.parameters(), lr=RATE))
    show_steps(args, log, f"{args.name}_output_first_1")
    nodes = {node.name: node for node in log.order}
    outputs = [nodes[f"out_h{k}"] for k in (1, 2)]
    deltas = [nodes[f"net_o{k}"].grad for k in (1, 2)]
    with ag.scope("output layer, changed"):
        changed = [ag.dot([w.data for w in neuron.weights], outputs) for neuron in output.neurons]
    surrogate = ag.dot(deltas, changed)
    surrogate.name = "δ·net"
    show_steps(args, ag.steps(surrogate, optim.SGD(hidden.parameters(), lr=RATE)), f"{args.name}_output_first_2")


def train(
    order: Callable[[nn.MLP, Targets], Callable[[], None]], iterations: int, targets: Targets = TARGETS
) -> tuple[float, float, list[float]]:
    """Train from the tutorial's weights; returns E after one step, E at the end, and the outputs at the end."""
    model = network()
    step = order(model, targets)
    after_one = error_of(model, targets)
    for k in bar(range(iterations), "  " + translate("training")):
        step()
        if k == 0:
            after_one = error_of(model, targets)
    with ag.no_grad():
        return after_one, error_of(model, targets), [float(out) for out in model(INPUTS)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    add_count(parser, "--iterations", 10_000, translate("training steps"))


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    model = network(names=True)
    error = recorded(model)
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    if args.show:
        show_steps(args, ag.steps(error, optimizer))
        if args.show == "lesson":
            lessons_of_the_other_order(args)
        return
    forward_pass(error)
    error.backward()
    chain_rule(error)
    heading(translate("The graph"))
    save(ag.draw(error, width=880), args.out, "worked_example.svg")
    one_update(optimizer)
    training(args.iterations)


def forward_pass(error: Value) -> None:
    """Print every node of the forward pass and the figures that the tutorials print."""
    nodes = {node.name: node for node in ag.topological(error) if node.name}
    heading(translate("Forward pass and error"))
    for name, text in (
        *(("net_h1", "0.3775"), ("net_h2", None), ("out_h1", "0.593269992"), ("out_h2", "0.596884378")),
        *(("net_o1", "1.105905967"), ("net_o2", None), ("out_o1", "0.75136507"), ("out_o1", "0.75136079")),
        *(("out_o2", "0.772928465"), ("E_o1", "0.274811083"), ("E_o2", "0.023560026"), ("E", "0.298371109")),
    ):
        figure(name, nodes[name].data, None if text is None else printed("000", text))
    print("  " + translate("(0.75136079 is a misprint; the text goes on with 0.75136507)"))

    heading(translate("The same with four digits, some rounded and some cut off"))
    for name, text in (
        *(("net_h1", "0.3775"), ("out_h1", "0.5932"), ("out_h1", "0.5933"), ("out_h2", "0.5968"), ("net_o1", "1.1059")),
        *(("out_o1", "0.7513"), ("out_o2", "0.7729"), ("E_o1", "0.2748"), ("E_o2", "0.0236"), ("E", "0.2984")),
    ):
        figure(name, nodes[name].data, printed("003", text))
    slip = 0.40 * nodes["out_h1"].data + 6.0 * nodes["out_h2"].data + 0.60
    line = translate("(its formula for net_o1 has out_h2*6 where w6 = 0.45 is meant: that would be {value:.4f})")
    print("  " + line.format(value=slip))


def chain_rule(error: Value) -> None:
    """Explain the derivatives that the tutorials calculate by hand, after ``backward``."""
    for name in ("w5", "w1"):
        heading(translate("Chain rule for {name}").format(name=name))
        print(ag.explain(error, wrt=name))
    heading(translate("The factors, as the tutorials print them"))
    nodes = {node.name: node for node in ag.topological(error) if node.name}
    out_o1, net_o1, out_h1 = nodes["out_o1"], nodes["net_o1"], nodes["out_h1"]
    through_o1, through_o2 = net_o1.grad * nodes["w5"].data, nodes["net_o2"].grad * nodes["w7"].data
    for title, x, tutorial, texts in (
        ("∂E/∂out_o1", out_o1.grad, "000", ("0.74136507", "0.741")),
        ("∂E/∂out_o1", out_o1.grad, "003", ("0.7413",)),
        ("∂out_o1/∂net_o1", out_o1.partials[0], "000", ("0.186815602", "0.186")),
        ("∂out_o1/∂net_o1", out_o1.partials[0], "003", ("0.1868",)),
        ("∂E/∂w5", nodes["w5"].grad, "000", ("0.0821670", "0.082167041")),
        ("∂E/∂w5", nodes["w5"].grad, "003", ("0.0822",)),
        ("∂E/∂net_o1", net_o1.grad, "000", ("0.138498562",)),
        ("∂E_o1/∂out_h1", through_o1, "000", ("0.055399425",)),
        ("∂E_o2/∂out_h1", through_o2, "000", ("-0.019049119",)),
        ("∂E/∂out_h1", out_h1.grad, "000", ("0.036350306",)),
        ("∂out_h1/∂net_h1", out_h1.partials[0], "000", ("0.241300709", "0.24130070")),
        ("∂E/∂w1", nodes["w1"].grad, "000", ("0.000438568", "0.00043856")),
    ):
        for text in texts:
            figure(title, x, printed(tutorial, text))
    line = translate(
        "(the tutorial rounds factors before it multiplies them, which changes the last digit of -0.019049119)"
    )
    print(f"  {line}")


def one_update(optimizer: optim.Optimizer) -> None:
    """Print all gradients and the weights after one step."""
    heading(translate("Gradients, and weights after one step with η = {rate}").format(rate=RATE))
    after = {
        "w1": "0.14978071", "w2": "0.19956143", "w3": "0.24975114", "w4": "0.29950229",
        "w5": "0.3589164795", "w6": "0.408666186", "w7": "0.511301270", "w8": "0.561370121",
    }  # fmt: skip
    for update in optimizer.updates():
        name = update.parameter.name or ""
        figure(f"∂E/∂{name}", update.gradient)
        figure(f"{name} ← {name} − η·∂E/∂{name}", update.new, printed("000", after[name]))
    print("  " + translate("(the tutorial computes w5 from the gradient rounded to nine digits)"))


def training(iterations: int) -> None:
    """Train in both update orders and compare the figures with the text; then train as the tutorial's code does."""
    full = iterations == 10_000
    for order, title, text in (
        (
            simultaneous,
            translate("Training, simultaneous update (gradient descent)"),
            translate(
                "All eight gradients are taken at the same point, then all weights move. This is what gradient descent "
                "means, and how the code of tutorial 000 goes about it. Its text prints other figures; they do not "
                "agree."
            ),
        ),
        (
            sequential,
            translate("Training, sequential update (what the text of tutorial 000 prints)"),
            translate(
                "The output weights move first, and the error reaches the hidden layer through the moved weights: not "
                "the gradient of E at any point, though close to it. The figures in the text come from this order."
            ),
        ),
    ):
        heading(title)
        after_one, after_all, outputs = train(order, iterations)
        paragraph(text)
        figure(e_after(1), after_one, printed("000", "0.291027924"))
        figure(e_after(iterations), after_all, printed("000", "0.000035085") if full else None)
        for name, x, shown in zip(("o1", "o2"), outputs, ("0.015912196", "0.984065734"), strict=True):
            figure(translate("output {name}").format(name=name), x, printed("000", shown) if full else None)
    heading(translate("Training, as the code of tutorial 000 does it: towards 0.01 and 0.09"))
    after_one, after_all, outputs = train(simultaneous, iterations, CODE_TARGETS)
    figure(e_after(1), after_one)
    figure(e_after(iterations), after_all)
    for name, x in zip(("o1", "o2"), outputs, strict=True):
        figure(translate("output {name}").format(name=name), x)
    paragraph(translate("The code has 0.09 where the text has 0.99, so none of the text's figures can come out of it."))


def e_after(steps: int) -> str:
    """The name of a figure: the error after that many steps."""
    return translate("E after {count:,} step", "E after {count:,} steps", steps).format(count=steps)
