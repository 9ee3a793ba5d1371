"""What every demo shares: its options, headings, figures beside the tutorial's, and where pictures go."""

from __future__ import annotations

import argparse
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd import Drawing, Log, MissingExtraError


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """``--out``, ``--seed``, ``--step`` and ``--steps``, which all demos take."""
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where pictures go (default: out)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of everything random (default: 0)")
    parser.add_argument("--step", action="store_true", help="step through forward, backward and update")
    parser.add_argument("--steps", choices=["all"], help="print every step instead, for pipes")


def at_least_one(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return number


def heading(text: str) -> None:
    """A section's title."""
    print(f"\n{text}\n{'─' * len(text)}")


def paragraph(text: str) -> None:
    """Prose, wrapped for a terminal of 80 columns."""
    import textwrap

    print(textwrap.fill(" ".join(text.split()), 79))


def agrees(x: float, printed: str) -> str:
    """A mark whether a figure agrees with a printed one in every printed digit: ✓ rounded, ✓ cut off, or ✗."""
    exact, shown = Decimal(x), Decimal(printed)
    place = Decimal(1).scaleb(shown.as_tuple().exponent)  # type: ignore[arg-type]
    if exact.quantize(place, ROUND_HALF_EVEN) == shown:
        return "✓"
    return "✓ (cut off, not rounded)" if exact.quantize(place, ROUND_DOWN) == shown else "✗"


def figure(name: str, x: float, printed: str | None = None) -> None:
    """One figure, with the tutorial's beside it."""
    beside = f"   tutorial: {printed:<13} {agrees(x, printed)}" if printed is not None else ""
    print(f"  {name:<26} {x!s:<23}{beside}")


def save(drawing: Drawing, out: Path, name: str) -> None:
    """Save a picture and say where."""
    out.mkdir(parents=True, exist_ok=True)
    print(f"  picture: {drawing.save(out / name)}")


def save_plot(axes: Any, out: Path, name: str) -> None:
    """Save a plot and say where."""
    out.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(out / name, dpi=120)
    print(f"  picture: {out / name}")


def need(*modules: str) -> None:
    """Say what to install, before any work is done, where what a demo needs is missing."""
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(module, "demos", "this demo")


def show_steps(args: argparse.Namespace, log: Log) -> None:
    """Print the steps for ``--steps all``, play them for ``--step``."""
    if args.steps:
        print(log)
    else:
        log.play()
