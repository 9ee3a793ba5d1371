"""A linear 2-3-1 net calculated by hand, and two misspelt variables.

It teaches backpropagation without activation functions: every gradient is a product of three numbers. The
tutorial's simple version writes z_1 three times where it means z_1, z_2 and z_3; its version with functions has a
misspelt name, so the first layer never learns; its PyTorch version computes in single precision. All run here beside
the correct version, the last one in PyTorch too if that is installed.

Source: tutorial 002.
"""

from __future__ import annotations

import argparse
import struct

import autograd as ag
import nn
from autograd import Value
from autograd.language import translate
from autograd.text import padded
from nn import optim

from .common import figure, heading, paragraph, save, show_steps
from .tutorials import printed

INPUTS, TARGET, RATE, STEPS = (40.0, 80.0), 60.0, 1e-5, 100


def network(names: bool = False) -> nn.MLP:
    """All first-layer weights 0.5, all second-layer weights 1, no biases."""
    return nn.MLP(
        2, [3, 1], "none", weights=[[[0.5, 0.5]] * 3, [[1.0] * 3]], biases=[False, False], train_bias=False, names=names
    )


def trajectory(steps: int = STEPS, first_layer_learns: bool = True) -> list[float]:
    """The prediction before each step and after the last."""
    model = network()
    learning = model if first_layer_learns else model.layers[1]
    optimizer = optim.SGD(learning.parameters(), lr=RATE)
    predictions = []
    for _ in range(steps):
        model.zero_grad()
        (output,) = model(INPUTS)
        predictions.append(output.data)
        nn.half_squared_error([output], [TARGET]).backward()
        optimizer.step()
    return [*predictions, model(INPUTS)[0].data]


def overwritten(model: nn.MLP) -> float:
    """The tutorial's last prediction: a new z_1 of the changed weights, z_2 and z_3 as they were before."""
    hidden, output = model.layers
    old = [neuron(INPUTS).data for neuron in network().layers[0].neurons]
    new = [neuron(INPUTS).data for neuron in hidden.neurons]
    (prediction,) = output([new[2], old[1], old[2]])
    return float(prediction)


def single(x: float) -> float:
    """x rounded to single precision, PyTorch's float32."""
    rounded: float = struct.unpack("f", struct.pack("f", x))[0]
    return rounded


def in_single_precision(steps: int = STEPS) -> list[float]:
    """The right training with every weight, net input, prediction and gradient rounded to single precision."""
    w, v, rate = [single(0.5), single(0.5)], single(1.0), single(RATE)  # the three hidden neurons stay equal
    predictions = []
    for _ in range(steps + 1):
        z = single(single(INPUTS[0] * w[0]) + single(INPUTS[1] * w[1]))
        prediction = single(single(single(z * v) + single(z * v)) + single(z * v))
        predictions.append(prediction)
        slope = single(prediction - TARGET)
        slopes = [single(single(slope * v) * x) for x in INPUTS]
        v = single(v - single(rate * single(slope * z)))
        w = [single(x - single(rate * g)) for x, g in zip(w, slopes, strict=True)]
    return predictions


def in_pytorch(steps: int = STEPS, dtype: str = "float32") -> list[float] | None:
    """The same training in PyTorch, which computes in float32 by default; None if it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    kind = getattr(torch, dtype)
    first = torch.full((3, 2), 0.5, dtype=kind, requires_grad=True)
    second = torch.ones(1, 3, dtype=kind, requires_grad=True)
    optimizer = torch.optim.SGD([first, second], lr=RATE)
    x = torch.tensor(INPUTS, dtype=kind)
    predictions = []
    for _ in range(steps):
        optimizer.zero_grad()
        output = second @ (first @ x)
        predictions.append(output.item())
        (0.5 * (TARGET - output) ** 2).sum().backward()
        optimizer.step()
    return [*predictions, (second @ (first @ x)).item()]


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    model = network(names=True)
    (output,) = model([Value(x, name=f"x{k}") for k, x in enumerate(INPUTS, 1)])
    loss = nn.half_squared_error([output], [TARGET])
    loss.name = "L"
    optimizer = optim.SGD(model.parameters(), lr=RATE)
    if args.show:
        show_steps(args, ag.steps(loss, optimizer))
        return
    loss.backward()

    heading(translate("By hand, and here"))
    nodes = {node.name: node for node in ag.topological(loss)}
    for k in (1, 2, 3):
        figure(f"z{k}", nodes[f"net_h{k}"].data, printed("002", "60"))
    figure(translate("prediction"), output.data, printed("002", "180"))
    figure(translate("loss"), loss.data, printed("002", "7200"))
    for k in (1, 2, 3):
        figure(f"∂L/∂w''{k}1", nodes[f"w{6 + k}"].grad, printed("002", "7200"))
        figure(f"∂L/∂w'1{k}", nodes[f"w{2 * k - 1}"].grad, printed("002", "4800"))
        figure(f"∂L/∂w'2{k}", nodes[f"w{2 * k}"].grad, printed("002", "9600"))
    heading(translate("{derivative}, explained").format(derivative="∂L/∂w1"))
    print(ag.explain(loss, "w1"))
    heading(translate("The graph, before the step"))
    save(ag.draw(loss), args.out, "linear_2_3_1.svg")

    heading(translate("One step"))
    optimizer.step()
    for name, w, text in (("w''", "w7", "0.928"), ("w'1", "w1", "0.452"), ("w'2", "w2", "0.404")):
        figure(translate("{name} after one step").format(name=name), nodes[w].data, printed("002", text))
    figure(translate("prediction after one step"), float(model(INPUTS)[0]))
    figure("  " + translate("with z_1 three times"), overwritten(model))
    print(
        "  "
        + translate(
            "(the simple version computes all three new net inputs into z_1 and predicts from the old z_2 and z_3)"
        )
    )

    heading(translate("{count} steps").format(count=STEPS))
    right = trajectory()
    columns = {
        translate("prediction"): right,
        translate("with the misspelt name"): trajectory(first_layer_learns=False),
        translate("single precision"): in_single_precision(),
        "PyTorch": in_pytorch(),
    }
    shown = {title: column for title, column in columns.items() if column is not None}
    print("  " + " ".join([padded(translate("updates"), 8, ">"), *(padded(title, 22, ">") for title in shown)]))
    for k in (0, 1, 2, 5, 10, 20, 50, 100):
        print(f"  {k:>8}" + "".join(f" {column[k]:>22.13g}" for column in shown.values()))
    print()
    paragraph(
        translate(
            "In the tutorial's version with functions the updated first layer is kept under one name and passed on "
            "under another, so only the second layer learns: it still comes close to 60, by a different way. No error "
            "is raised anywhere; a trajectory beside one that is known to be right is what shows it."
        )
    )
    paragraph(
        translate(
            "PyTorch's float32 keeps 24 binary digits, about seven decimal ones. In single precision the prediction "
            "stops at 60.0000114: from there a step is too small to change a weight."
        )
    )
    double = in_pytorch(dtype="float64")
    if double is None:
        print("  " + translate("(PyTorch is not installed here; with it, a column shows its figures)"))
    else:
        apart = max(abs(a - b) / abs(b) for a, b in zip(right, double, strict=True))
        print("  " + translate("largest relative difference to PyTorch in float64: {size:.1e}").format(size=apart))
