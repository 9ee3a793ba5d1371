"""Handwritten digits by a two-layer net, its gradients checked.

It teaches the layers-and-loss view of backpropagation, and the use of a gradient check: the mean absolute
difference between the two gradients is printed for W1, b1, W2 and b2, as the tutorial intends.

Source: tutorial 004 (784-50-10, ReLU, softmax with cross-entropy, weights 0.1 × standard normal, zero biases). With
``--data DIR`` it reads MNIST's idx files from there; without, it uses scikit-learn's bundled 8×8 digits (64-50-10).
"""

from __future__ import annotations

import argparse
import gzip
import random
import zlib
from pathlib import Path
from typing import Any

import autograd as ag
import nn
from autograd import ArgumentError, Value
from autograd.bars import bar
from autograd.language import translate
from nn import optim

from .common import add_count, heading, need, paragraph, save_plot, show_steps

Data = tuple[list[list[float]], list[int]]
MAGIC = {2051: "images", 2049: "labels"}


def read_idx(path: Path) -> tuple[tuple[int, ...], bytes]:
    """An idx file's sizes and bytes, checked.

    Raises:
        ArgumentError: if the magic number or the length is not right.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArgumentError(f"{path} is damaged: {error}") from None
    magic = int.from_bytes(raw[:4], "big")
    if magic not in MAGIC:
        raise ArgumentError(f"{path} starts with {magic}, which is no idx file of images (2051) or labels (2049)")
    dimensions = magic % 256
    sizes = tuple(int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(dimensions))
    expected = 4 + 4 * dimensions
    start = expected
    for_all = 1
    for size in sizes:
        for_all *= size
    if len(raw) != expected + for_all:
        raise ArgumentError(
            f"{path} says {' × '.join(map(str, sizes))} bytes and holds {len(raw) - start}; is it whole?"
        )
    return sizes, raw[start:]


def read_mnist(directory: Path, part: str, most: int) -> Data:
    """At most that many images, as rows of numbers in [0, 1], and their labels."""
    found = []
    for kind, dimensions in (("images", 3), ("labels", 1)):
        stem = f"{part}-{kind}-idx{dimensions}-ubyte"
        paths = [p for p in (directory / stem, directory / f"{stem}.gz") if p.exists()]
        if not paths:
            raise ArgumentError(f"{directory} has neither {stem} nor {stem}.gz; the four files of MNIST belong there")
        sizes, raw = read_idx(paths[0])
        if len(sizes) != dimensions:
            raise ArgumentError(f"{paths[0]} holds {MAGIC[2048 + len(sizes)]}, not {kind}")
        found.append((sizes, raw))
    (images, pixels), (labels, classes) = found
    if images[0] != labels[0]:
        raise ArgumentError(f"{images[0]} images but {labels[0]} labels in {directory}")
    size = images[1] * images[2]
    count = min(most, images[0])
    rows = [[b / 255.0 for b in pixels[i * size : (i + 1) * size]] for i in range(count)]
    return rows, list(classes[:count])


def digits(seed: int) -> tuple[Data, Data]:
    """scikit-learn's 1797 digits of 8×8 pixels in [0, 1], a fifth of them held out."""
    need("sklearn")
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = list(range(len(x)))
    random.Random(seed).shuffle(order)
    held = len(order) // 5
    rows, labels = (x / 16.0).tolist(), y.tolist()

    def pick(places: list[int]) -> Data:
        return [rows[i] for i in places], [labels[i] for i in places]

    return pick(order[held:]), pick(order[:held])


def network(inputs: int, seed: int) -> nn.MLP:
    """inputs-50-10 with weights of 0.1 × standard normal and zero biases."""
    return nn.MLP(inputs, [50, 10], "relu", init=nn.init.normal(0.1), rng=seed)


def accuracy(model: nn.Module, data: Data) -> float:
    """The share of rows whose largest output is the label."""
    best = [max(range(len(out)), key=out.__getitem__) for out in nn.predict(model, data[0])]
    return sum(b == t for b, t in zip(best, data[1], strict=True)) / len(best)


def parts(model: nn.MLP) -> dict[str, list[Value]]:
    """The parameters as the tutorial groups them."""
    result = {}
    for k, layer in enumerate(model.layers, 1):
        result[f"W{k}"] = [w for neuron in layer.neurons for w in neuron.weights]
        result[f"b{k}"] = [neuron.bias for neuron in layer.neurons]
    return result


def check_gradients(model: nn.MLP, data: Data, most: int, seed: int) -> dict[str, float]:
    """The mean absolute difference between the gradient and central differences (h = 1e-4), for each group."""

    def loss() -> Any:
        losses = [nn.softmax_cross_entropy(model(x), t) for x, t in zip(*data, strict=True)]
        return ag.sum(losses) / float(len(losses))

    model.zero_grad()
    loss().backward()
    rng, differences = random.Random(seed), {}
    for name, values in parts(model).items():
        chosen = values if len(values) <= most else rng.sample(values, most)
        total = 0.0
        title = "  " + translate("checking {name}").format(name=name)
        for value in bar(chosen, title):
            keep = value.data
            with ag.no_grad():
                value.data = keep + 1e-4
                above = float(loss())
                value.data = keep - 1e-4
                below = float(loss())
            value.data = keep
            total += abs(value.grad - (above - below) / 2e-4)
        differences[name] = total / len(chosen)
    return differences


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this demo alone."""
    parser.add_argument("--data", type=Path, metavar="DIR", help=translate("a directory with MNIST's idx files"))
    add_count(parser, "--epochs", 15, translate("passes over the images"))
    add_count(parser, "--limit", 1000, translate("MNIST images to train on"))
    add_count(parser, "--check", 500, translate("weights of a group to check"))


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    need("matplotlib")
    if args.data is not None:
        train, held = read_mnist(args.data, "train", args.limit), read_mnist(args.data, "t10k", args.limit)
    else:
        train, held = digits(args.seed)
    size = len(train[0][0])
    model = network(size, args.seed)
    if args.show:
        loss = nn.softmax_cross_entropy(model(train[0][0]), train[1][0])
        show_steps(args, ag.steps(loss, optim.SGD(model.parameters(), lr=0.1)))
        return
    heading(
        translate("Gradient check on 3 images, {network}: mean absolute difference to central differences").format(
            network=f"{size}-50-10"
        )
    )
    for name, difference in check_gradients(model, (train[0][:3], train[1][:3]), args.check, args.seed).items():
        print(f"  {name}: {difference:.3e}")
    if args.check < 50 * size:
        paragraph(
            translate("(of W1 and W2 {number} weights each, chosen at random; --check {all} checks all)").format(
                number=args.check, all=50 * size
            )
        )
    heading(
        translate("Training on {images} images, {epochs} epochs, batches of 32").format(
            images=len(train[0]), epochs=args.epochs
        )
    )
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = nn.fit(
        model, *train, loss="softmax_cross_entropy", optimizer=optimizer, epochs=args.epochs,
        batch_size=min(32, len(train[0])), rng=args.seed,
    )  # fmt: skip
    if history.loss:
        line = translate("loss {first:.4f} → {last:.4f}")
        print("  " + line.format(first=history.loss[0], last=history.loss[-1]))
    line = translate("accuracy: training {training:.1%}, held out {held:.1%}")
    print("  " + line.format(training=accuracy(model, train), held=accuracy(model, held)))
    axes = nn.plot_history(history)
    axes.set_title(f"digits, {size}-50-10")
    save_plot(axes, args.out, "two_layer_net.png")
