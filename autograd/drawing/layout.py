"""Lays a DOT text out as SVG, PNG or PDF: by the system's ``dot`` where there is one, else by pygraphviz's wheels."""

from __future__ import annotations

import shutil
import subprocess
import sys

from ..errors import ArgumentError, LayoutError

FORMATS = ("svg", "png", "pdf")

# Runs in a process of its own: the Graphviz libraries write what they think of the machine's fonts to stderr, and no
# thread of ours should have its stderr taken away to silence them.
_IN_PROCESS = """
import sys
from pygraphviz import AGraph
dot = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(AGraph(string=dot).draw(format=sys.argv[1], prog="dot", args=sys.argv[2]))
"""


def lay_out(source: str, fmt: str) -> bytes:
    """The picture of a DOT text.

    Args:
        source: the DOT text.
        fmt: ``"svg"``, ``"png"`` or ``"pdf"``.

    Raises:
        ArgumentError: for another format.
        LayoutError: if there is no layout engine, or it fails.
    """
    if fmt not in FORMATS:
        raise ArgumentError(f"a drawing can be {', '.join(FORMATS)}, not {fmt!r}")
    options = ["-Gdpi=144"] if fmt == "png" else []
    dot = shutil.which("dot")
    if dot is not None:
        command = [dot, f"-T{fmt}", *options]
    elif sys.executable:
        command = [sys.executable, "-P", "-c", _IN_PROCESS, fmt, " ".join(options)]
    else:
        raise LayoutError("this Python cannot start a process of its own to lay out the drawing; install Graphviz")
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip().splitlines()
    last = said[-1] if said else f"exit code {done.returncode}, no message"
    if "No module named 'pygraphviz'" in last:
        raise LayoutError(
            "no layout engine found: neither the program 'dot' nor the package pygraphviz. "
            "Install one of them:  pip install 'pygraphviz>=2.0'  (brings Graphviz along)  or your system's graphviz. "
            "The drawing's .source is DOT text that any Graphviz viewer opens"
        )
    raise LayoutError(f"the layout engine {'dot' if dot else 'pygraphviz'} could not draw this graph: {last}")
