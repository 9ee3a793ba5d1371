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
    decide: Callable[[Sequence[float]], Any],
    xs: Iterable[Any],
    ys: Iterable[Any],
    ax: Axes | None = None,
    *,
    level: float = 0.0,
    points: int = 60,
) -> Axes:
    """The decisions of a model over the plane of two features, with the data.

    Args:
        decide: gives a number for a point (x1, x2), whose sign against ``level`` is the class; or a list with a score
            for each class, the largest of which is the class. Classes are the labels in rising order.
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
    decided = [[decide((x, y)) for x in spans[0]] for y in spans[1]]
    if hasattr(decided[0][0], "__len__"):
        _many(ax, spans, decided, len(set(labels)))
    else:
        _two(ax, spans, decided, level)
    looks = zip(cycle("os^vD"), cycle(_DARK), strict=False)  # different ones for 40 classes
    for label, (marker, colour) in zip(sorted(set(labels)), looks, strict=False):
        chosen = [row for row, y in zip(rows, labels, strict=True) if y == label]
        x, y = [row[0] for row in chosen], [row[1] for row in chosen]
        ax.scatter(x, y, marker=marker, c=colour, edgecolors="white", label=f"{label:g}")
    ax.legend(title="class")
    ax.set(xlabel="x1", ylabel="x2")
    return ax


_DARK = ("#1f4e8c", "#b5651d", "#2e7d32", "#6a1b9a", "#a3262a", "#00796b", "#8a6d00", "#5d4037")  # of the points
_PALE = ("#cfe0f5", "#fbe3c8", "#d3ecd5", "#e7d5ef", "#f5d3d4", "#cdeae6", "#f3eac2", "#e4dbd7")  # of their regions


def _many(ax: Any, spans: Sequence[Sequence[float]], decided: Sequence[Sequence[Any]], classes: int) -> None:
    """Regions of the largest of several scores."""
    found: list[list[int]] = []
    for line in decided:
        found.append([])
        for scores in line:
            numbers = [float_of(x, "a score that decide returned") for x in scores]
            if len(numbers) != classes:
                raise ArgumentError(
                    f"decide returned {len(numbers)} scores for a point, but the data have {classes} classes"
                )
            found[-1].append(numbers.index(max(numbers)))
    for k in range(classes):
        inside = [[float(c == k) for c in line] for line in found]
        if any(map(any, inside)):
            ax.contourf(*spans, inside, levels=[0.5, 1.5], colors=[_PALE[k % len(_PALE)]])
            if not all(map(all, inside)):
                ax.contour(*spans, inside, levels=[0.5], colors="#333333", linewidths=0.8)


def _two(ax: Any, spans: Sequence[Sequence[float]], decided: Sequence[Sequence[Any]], level: float) -> None:
    """Regions on both sides of a level."""
    heights = [[float_of(x, "what decide returned") for x in line] for line in decided]
    top = max(max(map(max, heights)), level + 1e-9)
    bottom = min(min(map(min, heights)), level - 1e-9)
    ax.contourf(spans[0], spans[1], heights, levels=[bottom, level, top], colors=_PALE[:2])
    if (
        bottom < level < top
        and any(h < level for row in heights for h in row)
        and any(h > level for r in heights for h in r)
    ):
        ax.contour(spans[0], spans[1], heights, levels=[level], colors="#333333", linewidths=1.2)
