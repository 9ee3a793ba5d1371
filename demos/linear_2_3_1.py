"""A linear 2-3-1 net worked out by hand, and a misspelt variable.

It teaches backpropagation without any activation in the way: every gradient is a product of three numbers. The
tutorial's version with functions has a misspelt variable, so its first layer never learns; both versions run here side
by side, and the same training in PyTorch where it is installed.

Source: tutorial 002.
"""

from __future__ import annotations

import argparse

import autograd as ag
import nn
from autograd import Value
from nn import optim

from .common import figure, heading, paragraph, save, show_steps

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


def in_pytorch(steps: int = STEPS) -> list[float] | None:
    """The same training in PyTorch; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    first = torch.full((3, 2), 0.5, dtype=torch.float64, requires_grad=True)
    second = torch.ones(1, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([first, second], lr=RATE)
    x = torch.tensor(INPUTS, dtype=torch.float64)
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
    if args.step or args.steps:
        show_steps(args, ag.steps(loss, optimizer))
        return
    loss.backward()

    heading("By hand, and here")
    nodes = {node.name: node for node in ag.topological(loss)}
    for k in (1, 2, 3):
        figure(f"z{k}", nodes[f"net_h{k}"].data, "60")
    figure("prediction", output.data, "180")
    figure("loss", loss.data, "7200")
    for k in (1, 2, 3):
        figure(f"∂L/∂w''{k}1", nodes[f"w{6 + k}"].grad, "7200")
        figure(f"∂L/∂w'1{k}", nodes[f"w{2 * k - 1}"].grad, "4800")
        figure(f"∂L/∂w'2{k}", nodes[f"w{2 * k}"].grad, "9600")
    optimizer.step()
    for name, w, printed in (("w''", "w7", "0.928"), ("w'1", "w1", "0.452"), ("w'2", "w2", "0.404")):
        figure(f"{name} after one step", nodes[w].data, printed)
    heading("∂L/∂w1, explained")
    print(ag.explain(loss, "w1"))
    heading("The graph")
    save(ag.draw(loss), args.out, "linear_2_3_1.svg")

    heading(f"{STEPS} steps")
    right, wrong, torch = trajectory(), trajectory(first_layer_learns=False), in_pytorch()
    print(
        f"  {'updates':>8} {'prediction':>20} {'with the misspelt name':>24}" + (f" {'PyTorch':>20}" if torch else "")
    )
    for k in (0, 1, 2, 5, 10, 20, 50, 100):
        print(f"  {k:>8} {right[k]:>20.13g} {wrong[k]:>24.13g}" + (f" {torch[k]:>20.13g}" if torch else ""))
    print()
    paragraph(
        "In the tutorial's version with functions the updated first layer is kept under one name and passed on under "
        "another, so only the second layer learns: it still comes close to 60, by a different way. No error is raised "
        "anywhere; a trajectory beside one that is known to be right is what shows it."
    )
    if torch is None:
        print("  (PyTorch is not installed here; with it, a third column shows the same figures)")
    else:
        apart = max(abs(a - b) / abs(b) for a, b in zip(right, torch, strict=True))
        print(f"  largest relative difference to PyTorch: {apart:.1e}")
    figure("after 100 updates", right[-1], "60.000000585837824")
