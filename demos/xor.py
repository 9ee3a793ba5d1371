"""XOR by a 2-5-1 network of sigmoids, one random pattern a step.

It teaches why a hidden layer is needed, and that gradient descent from random weights does not always succeed: the demo
counts the seeds for which it did. The decision region shows the classes in the plane.

Source: tutorial 000, its second example: weights uniform in [0, 1), one bias a layer that is not trained, learning rate
0.5, 10 000 steps.
"""

from __future__ import annotations

import argparse
import random

import autograd as ag
import nn
from autograd.bars import bar
from autograd.language import translate
from nn import optim

from .common import add_count, heading, need, paragraph, save_plot, show_steps

PATTERNS = [((0.0, 0.0), 0.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), 0.0)]


def train(seed: int, steps: int, rate: float = 0.5, train_bias: bool = False) -> tuple[nn.MLP, list[float]]:
    """Train from one seed; returns the model and the error over all patterns after every hundredth step."""
    rng = random.Random(seed)
    model = nn.MLP(
        2,
        [5, 1],
        "sigmoid",
        output_activation="sigmoid",
        init=lambda r, nin, nout: r.random(),
        biases=[rng.random(), rng.random()],
        share_bias=True,
        train_bias=train_bias,
        rng=rng,
    )
    optimizer = optim.SGD(model.parameters(), lr=rate)
    errors = []
    for step in range(steps):
        x, t = rng.choice(PATTERNS)
        optimizer.zero_grad()
        nn.half_squared_error(model(x), [t]).backward()
        optimizer.step()
        if step % 100 == 99:
            errors.append(total_error(model))
    return model, errors


def total_error(model: nn.MLP) -> float:
    """½Σ(t − o)² over the four patterns."""
    with ag.no_grad():
        return sum(float(nn.half_squared_error(model(x), [t])) for x, t in PATTERNS)


def learned(model: nn.MLP) -> bool:
    """Whether all four patterns are on the right side of ½."""
    with ag.no_grad():
        return all((float(model(x)[0]) > 0.5) == (t > 0.5) for x, t in PATTERNS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    add_count(parser, "--iterations", 10_000, translate("training steps"))
    add_count(parser, "--seeds", 10, translate("how many seeds to try"))
    rate, bias = translate("the learning rate (default: 0.5, the tutorial's)"), translate("train the biases too")
    parser.add_argument("--rate", type=float, default=0.5, help=rate)
    parser.add_argument("--train-bias", action="store_true", help=bias)


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("matplotlib")
    if args.show:
        model, _ = train(args.seed, 0)
        loss = nn.half_squared_error(model(PATTERNS[1][0]), [PATTERNS[1][1]])
        show_steps(args, ag.steps(loss, optim.SGD(model.parameters(), lr=args.rate)))
        return
    heading(translate("XOR, seed {seed}, {steps:,} steps").format(seed=args.seed, steps=args.iterations))
    model, errors = train(args.seed, args.iterations, args.rate, args.train_bias)
    with ag.no_grad():
        for x, t in PATTERNS:
            line = translate("{pattern}   network: {output:.4f}")
            print("  " + line.format(pattern=f"{x[0]:g} xor {x[1]:g} = {t:g}", output=float(model(x)[0])))
    line = translate("error {first:.4f} → {last:.4f}")
    print("  " + line.format(first=errors[0] if errors else total_error(model), last=total_error(model)))
    axes = nn.plot_decision_regions(
        lambda x: float(model(x)[0]), [x for x, _ in PATTERNS], [t for _, t in PATTERNS], level=0.5
    )
    axes.set_title(f"XOR, 2-5-1, seed {args.seed}")
    save_plot(axes, args.out, "xor.png")

    heading(translate("Of {count} seed", "Of {count} seeds", args.seeds).format(count=args.seeds))
    seeds = range(args.seed, args.seed + args.seeds)
    found = [
        learned(train(seed, args.iterations, args.rate, args.train_bias)[0])
        for seed in bar(seeds, "  " + translate("seeds"))
    ]
    print("  " + translate("{good} of {total} learned XOR").format(good=sum(found), total=len(found)))
    paragraph(
        translate(
            "Of the seeds 0 to 99, 98 learn it (--seeds 100). A run that fails has not met a mistake in the gradients: "
            "with one fixed positive bias a layer and all weights starting positive, the hidden units start alike, and "
            "the steps run out before they part. More steps (--iterations 40000) or trained biases (--train-bias) help."
        )
    )
