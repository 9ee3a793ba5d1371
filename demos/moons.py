"""Two moons classified by a 2-16-16-1 network with a margin.

It teaches classification with a hinge loss and an L2 penalty: only points inside the margin have an influence on the
boundary. The picture shows the boundary after training.

Source: the demo notebook of Andrej Karpathy's micrograd (2020).
"""

from __future__ import annotations

import argparse
import math
import random

import autograd as ag
import nn
from autograd.bars import bar
from autograd.language import translate
from nn import optim

from .common import add_count, heading, need, save_plot, show_steps


def points(n: int, noise: float, seed: int) -> tuple[list[list[float]], list[float]]:
    """n points on two interleaved half circles, and their classes −1 and 1."""
    rng = random.Random(seed)
    rows, labels = [], []
    for k in range(n):
        angle, upper = math.pi * rng.random(), k % 2 == 0
        x, y = (math.cos(angle), math.sin(angle)) if upper else (1.0 - math.cos(angle), 0.5 - math.sin(angle))
        rows.append([x + rng.gauss(0.0, noise), y + rng.gauss(0.0, noise)])
        labels.append(-1.0 if upper else 1.0)
    return rows, labels


def accuracy(model: nn.Module, rows: list[list[float]], labels: list[float]) -> float:
    """The share of points on the right side."""
    return sum((out[0] > 0) == (t > 0) for out, t in zip(nn.predict(model, rows), labels, strict=True)) / len(rows)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    add_count(parser, "--iterations", 100, translate("full-batch steps"))


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("matplotlib")
    rows, labels = points(100, 0.1, args.seed)
    model = nn.MLP(2, [16, 16, 1], rng=args.seed)
    parameters = model.parameters()
    optimizer = optim.SGD(parameters, lr=1.0)
    if args.show:
        show_steps(args, ag.steps(nn.hinge(model(rows[0]), [labels[0]]), optimizer))
        return
    heading(
        translate("{model}, {parameters} parameters, {steps} steps on all {points} points").format(
            model=model, parameters=len(parameters), steps=args.iterations, points=len(rows)
        )
    )
    for k in bar(range(args.iterations), "  " + translate("training")):
        optimizer.lr = 1.0 - 0.9 * k / args.iterations  # as the notebook does
        losses = [nn.hinge(model(x), [t]) for x, t in zip(rows, labels, strict=True)]
        loss = ag.sum(losses) / float(len(losses)) + nn.l2(parameters, 2e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if k % max(args.iterations // 5, 1) == 0 or k == args.iterations - 1:
            line = translate("step {step:>3}  loss {loss:.4f}  accuracy {share:.0%}")
            print("  " + line.format(step=k, loss=loss.data, share=accuracy(model, rows, labels)))
    axes = nn.plot_decision_regions(lambda x: float(model(x)[0]), rows, labels)
    axes.set_title(f"two moons, 2-16-16-1, accuracy {accuracy(model, rows, labels):.0%}")
    save_plot(axes, args.out, "moons.png")
