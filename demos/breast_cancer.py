"""Malignant or benign: 30-64-32-1, with any of eight optimisers.

It teaches a whole training run: scaling, a held-out test set, mini-batches, dropout, a loss curve, a confusion matrix,
and how much the choice of the optimiser matters.

Source: tutorial 001: min-max scaling, 70/30 split, dense 64 sigmoid, 32 relu, dropout keep 0.8, one sigmoid output, no
biases, batches of 64, 100 epochs, Adam(0.05, 0.9, 0.99), ½ sum of squares. Its text prints no result. The demo
formulas shows its mistakes, which are not repeated here. The optimisers follow the papers, with PyTorch's defaults.
"""

from __future__ import annotations

import argparse
from typing import Any

import autograd as ag
import nn
from nn import optim

from .common import at_least_one, heading, need, paragraph, save_plot, show_steps

# PyTorch's defaults where they suit this network. mini-batch SGD is SGD in batches; "adam-tutorial" has its settings.
SETTINGS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.5, "batch_size": 1},
    "minibatch": {"lr": 0.5},
    "momentum": {"lr": 0.1, "momentum": 0.9},
    "adagrad": {"lr": 0.05},
    "adadelta": {},
    "rmsprop": {"lr": 0.005},
    "adam": {},
    "adam-tutorial": {"lr": 0.05, "betas": (0.9, 0.99)},
    "adamax": {"lr": 0.01},
}
KINDS = {"minibatch": "sgd", "momentum": "sgd", "adam-tutorial": "adam"}


def data() -> tuple[Any, Any, Any, Any]:
    """Training rows, test rows, training targets, test targets; features scaled to [0, 1]."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import MinMaxScaler

    x, y = load_breast_cancer(return_X_y=True)
    split: tuple[Any, Any, Any, Any] = train_test_split(
        MinMaxScaler().fit_transform(x), y, test_size=0.3, random_state=101
    )
    return split


def network(seed: int, bias: bool = False) -> nn.Sequential:
    """30-64-32-1 with dropout before the output; without biases, as the tutorial's."""
    biases: Any = 0.0 if bias else False
    return nn.Sequential(
        nn.Layer(30, 64, "sigmoid", biases=biases, rng=seed),
        nn.Layer(64, 32, "relu", biases=biases, rng=seed + 1),
        nn.Dropout(0.2, rng=seed + 2),
        nn.Layer(32, 1, "sigmoid", biases=biases, rng=seed + 3),
    )


def confusion(model: nn.Module, rows: Any, targets: Any) -> list[list[int]]:
    """Counts of [true class][predicted class]."""
    counts = [[0, 0], [0, 0]]
    for (out,), t in zip(nn.predict(model, rows), targets, strict=True):
        counts[int(t)][int(out > 0.5)] += 1
    return counts


def accuracy(counts: list[list[int]]) -> float:
    """The share of the counts on the diagonal."""
    return (counts[0][0] + counts[1][1]) / sum(map(sum, counts))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    parser.add_argument("--optimizer", choices=SETTINGS, default="adam", help="default: adam")
    parser.add_argument(
        "--epochs", type=at_least_one, default=60, metavar="N", help="default: 60; the tutorial's run has 100"
    )
    parser.add_argument("--bias", action="store_true", help="give every neuron a bias, unlike the tutorial")
    parser.add_argument("--batch-size", type=at_least_one, default=64, metavar="N", help="default: 64")


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("matplotlib", "sklearn")
    train_x, test_x, train_y, test_y = data()
    model = network(args.seed, args.bias)
    settings = dict(SETTINGS[args.optimizer])
    batch_size = settings.pop("batch_size", args.batch_size)
    optimizer: Any = optim.by_name(KINDS.get(args.optimizer, args.optimizer))
    if args.step or args.steps:
        loss = nn.half_squared_error(model(train_x[0].tolist()), [float(train_y[0])])
        show_steps(args, ag.steps(loss, optimizer(model.parameters(), **settings)))
        return
    heading(f"{args.optimizer}, {args.epochs} epochs, batches of {batch_size}, {len(train_x)} rows to train on")
    if args.epochs < 100:
        paragraph(
            "The tutorial trains 100 epochs; the default is fewer, to finish within a minute. --epochs 100 runs all."
        )
    history = nn.fit(
        model,
        train_x,
        train_y,
        loss="half_squared_error",
        optimizer=optimizer(model.parameters(), **settings),
        epochs=args.epochs,
        batch_size=batch_size,
        rng=args.seed,
        validation_data=(test_x, test_y),
    )
    last = len(history.loss)
    for k in sorted({0, *range(9, last, 10), last - 1}) if last else ():
        print(f"  epoch {k + 1:>3}  training loss {history.loss[k]:.5f}  held-out loss {history.val_loss[k]:.5f}")
    for what, rows, targets in (("training", train_x, train_y), ("held-out", test_x, test_y)):
        counts = confusion(model, rows, targets)
        heading(f"{what} accuracy {accuracy(counts):.4f}")
        print("                    predicted malignant   predicted benign")
        for name, row in zip(("malignant", "benign"), counts, strict=True):
            print(f"  {name:<16} {row[0]:>20} {row[1]:>18}")
    axes = nn.plot_history(history)
    axes.set_title(f"breast cancer, 30-64-32-1, {args.optimizer}")
    save_plot(axes, args.out, "breast_cancer.png")
