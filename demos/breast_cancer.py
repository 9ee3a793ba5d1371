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
from autograd.language import translate
from autograd.text import padded
from nn import optim

from .common import add_count, heading, need, paragraph, save_plot, show_steps

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
    parser.add_argument(
        "--optimizer", choices=SETTINGS, default="adam", help=translate("the optimiser (default: adam)")
    )
    add_count(parser, "--epochs", 60, translate("passes over the data; the tutorial's run has 100"))
    parser.add_argument("--bias", action="store_true", help=translate("give every neuron a bias"))
    add_count(parser, "--batch-size", 64, translate("rows in a batch"))


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("matplotlib", "sklearn")
    train_x, test_x, train_y, test_y = data()
    model = network(args.seed, args.bias)
    settings = dict(SETTINGS[args.optimizer])
    batch_size = settings.pop("batch_size", args.batch_size)
    optimizer: Any = optim.by_name(KINDS.get(args.optimizer, args.optimizer))
    if args.show:
        loss = nn.half_squared_error(model(train_x[0].tolist()), [float(train_y[0])])
        show_steps(args, ag.steps(loss, optimizer(model.parameters(), **settings)))
        return
    heading(
        translate("{optimizer}, {epochs} epochs, batches of {batch}, {rows} rows to train on").format(
            optimizer=args.optimizer, epochs=args.epochs, batch=batch_size, rows=len(train_x)
        )
    )
    if args.epochs < 100:
        paragraph(
            translate(
                "The tutorial trains 100 epochs; the default is fewer, to finish within a minute. --epochs 100 runs "
                "all."
            )
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
        line = translate("epoch {epoch:>3}  training loss {training:.5f}  held-out loss {held:.5f}")
        print("  " + line.format(epoch=k + 1, training=history.loss[k], held=history.val_loss[k]))
    for title, rows, targets in (
        (translate("training accuracy {share:.4f}"), train_x, train_y),
        (translate("held-out accuracy {share:.4f}"), test_x, test_y),
    ):
        counts = confusion(model, rows, targets)
        heading(title.format(share=accuracy(counts)))
        malignant, benign = padded(translate("predicted malignant"), 20, ">"), translate("predicted benign")
        print(f"  {'':<16} {malignant} {padded(benign, 18, '>')}")
        for name, row in zip((translate("malignant"), translate("benign")), counts, strict=True):
            print(f"  {padded(name, 16)} {row[0]:>20} {row[1]:>18}")
    axes = nn.plot_history(history)
    axes.set_title(f"breast cancer, 30-64-32-1, {args.optimizer}")
    save_plot(axes, args.out, "breast_cancer.png")
