"""``python -m demos`` lists the demos; ``python -m demos NAME`` runs one."""

from __future__ import annotations

import argparse
import signal
import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import demos
from autograd import ArgumentError, AutogradError
from autograd.language import language, translate
from autograd.text import wrapped

from .common import add_common_options, add_lang, check_writable

NOT_DEMOS = ("__main__", "common", "tutorials")


def names() -> list[str]:
    """The demos, in alphabetical order."""
    return sorted(m.name for m in iter_modules(demos.__path__) if m.name not in NOT_DEMOS)


def paragraphs(module: ModuleType) -> list[str]:
    """What a demo is about: the paragraphs of its docstring, the first of which is one line."""
    written = (" ".join(text.split()) for text in (module.__doc__ or "").strip().split("\n\n"))
    return [translate(paragraph) for paragraph in written]


def main(arguments: list[str] | None = None) -> int:
    """Run one demo; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ∂ shows ? instead
    chosen = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_lang(chosen)
    lang = chosen.parse_known_args(arguments)[0].lang
    try:
        with language(lang):
            return run(arguments)
    except ArgumentError as error:  # no such language
        print(f"demos: {error}", file=sys.stderr)
        return 2


def run(arguments: list[str] | None) -> int:
    """The same, in the language that was chosen."""
    parser = argparse.ArgumentParser(prog="python -m demos", description=translate("Without a name: lists the demos."))
    add_lang(parser)
    commands = parser.add_subparsers(dest="name", metavar="NAME")
    for name in names():
        module = import_module(f"demos.{name}")
        summary, *rest = paragraphs(module)
        command = commands.add_parser(
            name,
            help=summary,
            description="\n\n".join([summary, *(wrapped(text, 100) for text in rest)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_common_options(command)
        if hasattr(module, "add_options"):
            module.add_options(command)
    args = parser.parse_args(arguments)
    if args.name is None:
        for name, command in commands.choices.items():
            print(f"{name:<16} {(command.description or '').splitlines()[0]}")
        usage = "python -m demos NAME [--out DIR] [--seed N] [--html] [--open] [--step | --steps all] [--lang en|zh]"
        print("\n" + translate("Run one with: {command}").format(command=usage))
        return 0
    try:
        with language(args.lang):  # also if it was abbreviated
            demo = import_module(f"demos.{args.name}")
            if args.html or args.open or not (args.step or args.steps):  # which draw nothing
                check_writable(args.out)
            if args.html or args.open:
                args.show = "lesson"
                demo.main(args)
            args.show = "all" if args.steps else "player" if args.step else None
            demo.main(args)
    except KeyboardInterrupt:
        print("\n" + translate("stopped"))
        return 130
    except (AutogradError, OSError) as error:
        print(f"{args.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # the reader has closed the pipe, as with | head -1: end without an error
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
