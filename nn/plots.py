"""Plots by matplotlib, returned as Axes: loss curves and decision regions of two features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from autograd import ArgumentError, InputError, MissingExtraError
from autograd.arguments import whole
from autograd.text import shown

from .data import pairs
from .losses import float_of
from .text import function, number
from .training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_axes() -> Axes:
    """Axes of a new figure that is not shown in a window."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plots", "a plot") from None
    return Figure(figsize=(6, 4.5), layout="constrained").add_subplot()


def _axes(given: Any) -> Any:
    """The axes to draw on; new ones for None."""
    if given is None:
        return new_axes()
    if not hasattr(given, "contourf"):
        raise InputError(f"ax is the Axes of a matplotlib figure, not {shown(given)}")
    return given


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """The training and validation loss over the epochs, on a logarithmic scale where all are positive.

    Args:
        history: what ``nn.fit`` returned.
        ax: where to draw; a new figure if not given (``ax.figure.savefig("loss.png")`` saves it).

    Raises:
        InputError: if that is no History.
        MissingExtraError: without matplotlib (the extra ``plots``).
    """
    if not isinstance(history, History):
        raise InputError(f"plot_history takes the History that nn.fit returned, not {shown(history)}")
    ax = _axes(ax)
    epochs = range(1, len(history.loss) + 1)
    ax.plot(epochs, history.loss, label="training")
    if history.val_loss:
        ax.plot(range(1, len(history.val_loss) + 1), history.val_loss, "--", label="validation")
        ax.legend()
    if all(x > 0 for x in (*history.loss, *history.val_loss)):
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel="loss")
    return ax


def plot_decision_regions(
    decide: Callable[[Sequence[float]], float],
    xs: Iterable[Any],
    ys: Iterable[Any],
    ax: Axes | None = None,
    *,
    level: float = 0.0,
    points: int = 60,
) -> Axes:
    """The decisions of a model over the plane of two features, with the data.

    Args:
        decide: gives a number for a point (x1, x2); its sign against ``level`` is the class.
        xs: n rows of two numbers.
        ys: n labels.
        ax: where to draw; a new figure if not given.
        level: the number between the classes: 0 for a margin or logit, 0.5 for a probability.
        points: the number of grid points in each direction, from 2 on.

    Raises:
        ArgumentError, InputError: if the data, or a setting, are not of this kind.
        MissingExtraError: without matplotlib (the extra ``plots``).
    """
    rows, targets = pairs(xs, ys)
    labels = [y[0] for y in targets]
    if len(rows[0]) != 2:
        raise ArgumentError(f"decision regions are drawn over two features, not {len(rows[0])}")
    function("decide", decide, "a point (x1, x2)")
    level, points = number("level", level), whole("points", points, least=2, most=10_000)
    if not math.isfinite(level):
        raise ArgumentError(f"level is a finite number, not {level}")
    ax = _axes(ax)
    spans = []
    for k in (0, 1):
        low, high = min(row[k] for row in rows), max(row[k] for row in rows)
        margin = 0.15 * ((high - low) or 1.0)
        spans.append([low - margin + (high - low + 2 * margin) * i / (points - 1) for i in range(points)])
    heights = [[float_of(decide((x, y)), "what decide returned") for x in spans[0]] for y in spans[1]]
    top = max(max(map(max, heights)), level + 1e-9)
    bottom = min(min(map(min, heights)), level - 1e-9)
    ax.contourf(spans[0], spans[1], heights, levels=[bottom, level, top], colors=["#cfe0f5", "#fbe3c8"])
    if (
        bottom < level < top
        and any(h < level for row in heights for h in row)
        and any(h > level for r in heights for h in r)
    ):
        ax.contour(spans[0], spans[1], heights, levels=[level], colors="#333333", linewidths=1.2)
    looks = zip(cycle("os^vD"), cycle(("#1f4e8c", "#b5651d", "#2e7d32", "#6a1b9a")), strict=False)  # 20 different ones
    for label, (marker, colour) in zip(sorted(set(labels)), looks, strict=False):
        chosen = [row for row, y in zip(rows, labels, strict=True) if y == label]
        x, y = [row[0] for row in chosen], [row[1] for row in chosen]
        ax.scatter(x, y, marker=marker, c=colour, edgecolors="white", label=f"{label:g}")
    ax.legend(title="class")
    ax.set(xlabel="x1", ylabel="x2")
    return ax
