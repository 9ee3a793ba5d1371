"""Renders a DOT text as PNG or PDF: by the program ``dot`` if it is installed, else by the package pygraphviz."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from subprocess import PIPE, Popen, TimeoutExpired

from ..bars import bar, seen
from ..errors import ArgumentError, LayoutError

FORMATS = ("png", "pdf")
PATIENCE = 2.0  # seconds before a message appears on a terminal

# Runs in a separate process, because the Graphviz libraries write warnings about fonts to stderr. Redirecting stderr in
# this process would affect its other threads.
_IN_PROCESS = """
import sys
from pygraphviz import AGraph
dot = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(AGraph(string=dot).draw(format=sys.argv[1], prog="nop2", args=sys.argv[2]))
"""


def render(source: str, fmt: str) -> bytes:
    """The picture of a DOT text.

    Args:
        source: the DOT text, with all positions.
        fmt: ``"png"`` or ``"pdf"``.

    Raises:
        ArgumentError: for another format.
        LayoutError: if neither is installed, or it fails.
    """
    if fmt not in FORMATS:
        raise ArgumentError(f"a drawing can be {', '.join(FORMATS)}, not {fmt!r}")
    options = ["-Gdpi=144"] if fmt == "png" else []
    dot = shutil.which("dot")
    if dot is not None:
        command = [dot, "-Knop2", f"-T{fmt}", *options]
    elif sys.executable:
        command = [sys.executable, "-P", "-c", _IN_PROCESS, fmt, " ".join(options)]
    else:
        raise LayoutError(
            "this Python cannot start a process of its own to make PNG and PDF; install Graphviz, or save an .svg file"
        )
    engine = "dot" if dot else "pygraphviz"
    try:
        code, picture, errors = _run(command, source.encode(), f"drawing {source.count(' -> '):,} edges with {engine}")
    except OSError as error:
        raise LayoutError(f"the program {command[0]!r} could not be started: {error}") from error
    if code == 0 and picture:
        return picture
    said = errors.decode(errors="replace").strip().splitlines()
    last = said[-1] if said else f"exit code {code}, no message" if code else "it ended without a picture or a message"
    if "No module named 'pygraphviz'" in last:
        raise LayoutError(
            "PNG and PDF need the program 'dot' or the package pygraphviz, and neither is there. "
            "Install one of them:  pip install 'pygraphviz>=2.0'  (includes Graphviz)  or your system's graphviz; "
            "or save an .svg file, which needs neither"
        )
    raise LayoutError(f"{engine} could not draw this graph: {last}")


def _run(command: Sequence[str], text: bytes, what: str) -> tuple[int, bytes, bytes]:
    """Run a program on a text; show a message on a terminal if it takes long.

    Returns:
        its exit code, and what it wrote to stdout and stderr.
    """
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        try:
            if not seen():
                picture, errors = process.communicate(text)
            else:
                picture, errors = _watched(process, text, what)
        except BaseException:  # also Ctrl-C: the program must not continue
            process.kill()
            raise
    return process.returncode, picture, errors


def _watched(process: Popen[bytes], text: bytes, what: str) -> tuple[bytes, bytes]:
    rest: bytes | None = text
    shown = f"{what}, {{elapsed}} (Ctrl-C stops it; a .dot file needs no layout)"
    with bar(bar_format=shown, delay=PATIENCE) as waiting:
        while True:
            try:
                return process.communicate(rest, timeout=0.5)
            except TimeoutExpired:
                rest = None  # it has been sent
                waiting.update()
