"""The common parts of all demos: options, headings, comparison of figures with a tutorial's, saving of pictures."""

from __future__ import annotations

import argparse
import webbrowser
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd import Drawing, Log, MissingExtraError
from autograd.language import translate
from autograd.text import columns, padded, wrapped

from .tutorials import Printed


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """``--out``, ``--seed``, ``--html``, ``--open``, ``--step``, ``--steps`` and ``--lang``, which all demos take."""
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help=translate("folder for pictures (default: out)")
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help=translate("seed of everything random (default: 0)")
    )
    parser.add_argument(
        "--html", action="store_true", help=translate("save the lesson too, a page that moves through the computation")
    )
    parser.add_argument("--open", action="store_true", help=translate("save the lesson and open it in the browser"))
    parser.add_argument("--step", action="store_true", help=translate("step through forward, backward and update"))
    parser.add_argument("--steps", choices=["all"], help=translate("print every step instead, for pipes"))
    add_lang(parser)


def add_lang(parser: argparse.ArgumentParser) -> None:
    """``--lang``, which is read before the other options, because their help is in that language."""
    parser.add_argument("--lang", metavar="LANG", help=translate("language of the texts: en or zh"))


def add_count(parser: argparse.ArgumentParser, name: str, default: int, meaning: str) -> None:
    """An option that takes a whole number from 1 on."""
    shown = translate("{meaning} (default: {value})").format(meaning=meaning, value=default)
    parser.add_argument(name, type=at_least_one, default=default, metavar="N", help=shown)


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
    print(f"\n{text}\n{'─' * columns(text)}")


def paragraph(text: str) -> None:
    """Prose, wrapped for a terminal of 80 columns."""
    print(wrapped(text, 79))


def agrees(x: float, printed: str) -> str:
    """A mark that says whether a figure agrees with a printed one in all printed digits: ✓ rounded, ✓ cut off, or ✗."""
    exact, shown = Decimal(x), Decimal(printed)
    place = Decimal(1).scaleb(shown.as_tuple().exponent)  # type: ignore[arg-type]
    if exact.quantize(place, ROUND_HALF_EVEN) == shown:
        return "✓"
    return translate("✓ (cut off, not rounded)") if exact.quantize(place, ROUND_DOWN) == shown else "✗"


def figure(name: str, x: float, claim: Printed | None = None) -> None:
    """Print one figure, and the tutorial's figure beside it."""
    beside = ""
    if claim is not None:
        beside = translate("tutorial {tutorial}: {figure} {mark}").format(
            tutorial=claim.tutorial, figure=f"{claim.text:<13}", mark=agrees(x, claim.text)
        )
    print(f"  {padded(name, 26)} {x!s:<23}{'   ' * bool(beside)}{beside}")


def check_writable(out: Path) -> None:
    """Make the directory for pictures and check that a file can be written there, before any work is done.

    Raises:
        OSError: if not.
    """
    from tempfile import TemporaryFile

    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise OSError(f"pictures cannot be saved in {out}: {error.strerror}; name another folder with --out") from None


def save(drawing: Drawing, out: Path, name: str) -> None:
    """Save a picture and print its path."""
    _say_where(drawing.save(out / name))


def save_plot(axes: Any, out: Path, name: str) -> None:
    """Save a plot and print its path."""
    axes.figure.savefig(out / name, dpi=120)
    _say_where(out / name)


def _say_where(path: Path) -> None:
    print("  " + translate("picture: {path}").format(path=path))


def need(*modules: str) -> None:
    """If a package that a demo needs is missing, say before any work what to install."""
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(module, "demos", "this demo")


def show_steps(args: argparse.Namespace, log: Log, name: str | None = None) -> None:
    """Save the lesson, print the steps or play them, as ``args.show`` says.

    Args:
        args: the demo's options.
        log: the steps.
        name: of the lesson's file; by default that of the demo.
    """
    if args.show == "lesson":
        log.source = Path(__file__).with_name(f"{args.name}.py").read_text(encoding="utf-8")
        path = log.save(args.out / f"{name or args.name}.html")
        print("  " + translate("lesson: {path}").format(path=path))
        if args.open:
            webbrowser.open(path.resolve().as_uri())
    elif args.show == "all":
        print(log)
    else:
        log.play()
