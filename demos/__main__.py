"""``python -m demos`` lists the demos; ``python -m demos NAME`` runs one."""

from __future__ import annotations

import argparse
import signal
import sys
from importlib import import_module
from pkgutil import iter_modules

import demos
from autograd import AutogradError

from .common import add_common_options, check_writable

NOT_DEMOS = ("__main__", "common", "tutorials")


def names() -> list[str]:
    """The demos, in alphabetical order."""
    return sorted(m.name for m in iter_modules(demos.__path__) if m.name not in NOT_DEMOS)


def main(arguments: list[str] | None = None) -> int:
    """Run one demo; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ∂ shows ? instead
    parser = argparse.ArgumentParser(prog="python -m demos", description="Without a name: lists the demos.")
    commands = parser.add_subparsers(dest="name", metavar="NAME")
    for name in names():
        module = import_module(f"demos.{name}")
        summary = (module.__doc__ or "").strip().splitlines()[0]
        demo = commands.add_parser(
            name, help=summary, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add_common_options(demo)
        if hasattr(module, "add_options"):
            module.add_options(demo)
    args = parser.parse_args(arguments)
    if args.name is None:
        for name, command in commands.choices.items():
            print(f"{name:<16} {(command.description or '').strip().splitlines()[0]}")
        print("\nRun one with: python -m demos NAME [--out DIR] [--seed N] [--step | --steps all]")
        return 0
    try:
        if not (args.step or args.steps):  # these draw nothing
            check_writable(args.out)
        import_module(f"demos.{args.name}").main(args)
    except KeyboardInterrupt:
        print("\nstopped")
        return 130
    except (AutogradError, OSError) as error:
        print(f"{args.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # the reader has closed the pipe, as with | head -1: end without an error
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
