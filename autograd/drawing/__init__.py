"""Draws a recorded computation: graph → boxes → places → SVG; and as DOT, PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import flag, whole
from ..display import lesson, replayed
from ..errors import ArgumentError, InputError
from ..files import as_path, write_atomically
from ..graph import topological
from ..language import translate
from ..notation import MOST_DIGITS
from ..text import shown
from ..value import Value
from .boxes import Content, Reader
from .canvas import to_canvas
from .choosing import Collapse, choose, part
from .dot import to_dot
from .layout import Placed, lay_out
from .rendering import FORMATS, render
from .svg import to_svg
from .wrapping import wrap

if TYPE_CHECKING:
    from ..stepping import Log

__all__ = ["Drawing", "Picture", "draw", "picture"]


class Picture:
    """A graph with a place for everything in it.

    Attributes:
        width, height: its size in pixels.
    """

    def __init__(self, content: Content, placed: Placed, summary: str) -> None:
        self._content, self._placed, self._summary = content, placed, summary
        self.width, self.height = placed.width, placed.height

    def svg(self, style: bool = True) -> str:
        """The picture as SVG text; ``style=False`` leaves out the stylesheet, for a page that has it."""
        return to_svg(self._content, self._placed, self._summary, style)

    def canvas(self) -> str:
        """The same as DOT text with all positions, for PNG and PDF."""
        return to_canvas(self._content, self._placed)

    def dot(self) -> str:
        """The same boxes and edges as DOT text, for other programs to lay out."""
        return to_dot(self._content)


def picture(
    roots: Sequence[Value],
    digits: int = 4,
    limit: int | None = None,
    tangents: Mapping[Value, float] | None = None,
    gradients: bool | None = None,
    collapse: Collapse | None = None,
    depth: int | None = None,
    focus: Value | None = None,
    radius: int = 2,
    path: tuple[Value, Value] | None = None,
    width: float | None = None,
    tags: bool = False,
) -> Picture:
    """Lay out the graph behind the roots; for programs that embed the SVG. ``draw`` says what the arguments mean.

    With ``tags`` there is room at the right of each box that several edges leave, for numbers that a page puts there.
    """
    order = topological(*roots)
    if gradients is None:
        gradients = any(node.grad != 0.0 for node in order)
    gradients = flag("gradients", gradients)
    rows: list[tuple[str, Mapping[Value, float]]] = []
    if tangents is not None:
        rows.append(("tangent", tangents))
    if gradients:
        rows.append(("grad", {node: node.grad for node in order}))
    reader = Reader(order, roots, rows, digits)
    read = choose(
        reader, part(order, reader.index, focus, radius, path), collapse, depth, limit, digits, path is not None
    )
    read.tags = tags
    count = sum(len(node.inputs) for node in order)
    nodes = translate("{count} node", "{count} nodes", len(order)).format(count=len(order))
    summary = translate("Computation graph: {nodes}, {edges}").format(
        nodes=nodes, edges=translate("{count} edge", "{count} edges", count).format(count=count)
    )
    return Picture(read, wrap(read, lay_out(read), width), ". ".join([summary, *read.notes]))


class Drawing:
    """A drawn graph: ``.svg()`` and ``.save(path)`` give the picture, ``.source`` is DOT; notebooks show it."""

    def __init__(self, picture: Picture, log: Log | None = None) -> None:
        self._picture, self._log = picture, log
        self.source = picture.dot()

    def svg(self) -> str:
        """The picture as SVG text."""
        return self._picture.svg()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, completely or not at all.

        Args:
            path: ends with ``.svg``, ``.png`` or ``.pdf``; ``.dot`` writes the DOT text, for other programs.

        Returns:
            the path written.

        Raises:
            ArgumentError: for another ending.
            LayoutError: if there is no program that writes PNG and PDF, or it fails.
            OSError: if the file cannot be written.
        """
        path = as_path(path)
        ending = path.suffix.lower().lstrip(".")
        if ending == "svg":
            written = self.svg().encode()
        elif ending == "dot":
            written = self.source.encode()
        elif ending in FORMATS:
            written = render(self._picture.canvas(), ending)
        else:
            raise ArgumentError(f"cannot tell what to write from {path.name!r}; end it with .svg, .png, .pdf or .dot")
        write_atomically(path, written)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        if self._log is not None:
            shown["text/html"] = lesson(self._log)
        return shown

    def __repr__(self) -> str:
        return f"<Drawing, {self._picture.width:.0f} × {self._picture.height:.0f}>"


def draw(
    *roots: Value,
    digits: int = 4,
    limit: int | None = None,
    tangents: Mapping[Value, float] | None = None,
    gradients: bool | None = None,
    collapse: Collapse | None = None,
    depth: int | None = None,
    focus: Value | None = None,
    radius: int = 2,
    path: tuple[Value, Value] | None = None,
    width: float | None = None,
    interactive: bool = False,
) -> Drawing:
    """Draw the graph behind one or several Values.

    A node shows its name, its formula, its value and, once ``backward()`` ran, its gradient; where an edge enters a
    node stands its partial derivative. Leaves are rounded, results have a double frame, constants stand inside the
    formulas, and scopes (layers, neurons) are shaded. A leaf that is used at distant places is drawn at each of them,
    with ``≡`` before its name from the second time on.

    A graph of more than about 60 boxes is collapsed as far as its scopes allow: a collapsed scope shows how much is in
    it, and the nodes that others use or the sum of what flows through them. More than eight scopes of one kind, such as
    ``step 1`` to ``step 50``, are drawn as one. A large graph without scopes is divided by the distance from the
    leaves. The picture says what is collapsed.

    Args:
        roots: the results whose graph is drawn.
        digits: significant digits of the numbers shown.
        limit: how many boxes are drawn before parts are collapsed; if there are more even then, it is an error.
        tangents: the result of a forward sweep, shown as one more row in each node.
        gradients: whether to show gradients; by default when there are any.
        collapse: the scopes to collapse: a name or several, True for all, False for none.
        depth: how deep scopes are open: 0 collapses the outermost, 1 those inside them.
        focus: draw only what is near this node.
        radius: how many edges away from it.
        path: two Values; draw only the paths from the first to the second.
        width: pixels; a wider picture continues in another line below, as a text does. By default a picture is broken
            if it is very wide.
        interactive: notebooks show the lesson of the whole graph, as for ``steps``; no gradient is changed. It needs
            one root.

    Raises:
        InputError: if a root, focus or path is not what it must be, or tangents is no dict.
        ArgumentError: if there is no scope of a name in ``collapse``, or a number is no whole number in its range, or
            ``interactive`` is asked for with several roots.
        GraphError: if there are more boxes than ``limit`` (400 if it is not given), or a node is not in the graph.

    >>> a, b = Value(2.0, name="a"), Value(1.0, name="b")
    >>> e = (a + b) * (b + 1)
    >>> picture = draw(e)
    >>> "(a + b)·(b + 1)" in picture.svg()
    True
    """
    if not roots:
        raise ArgumentError("draw needs at least one Value to draw from")
    for root in roots:
        if not isinstance(root, Value):
            raise InputError(f"draw takes Values, not {type(root).__name__}: draw(loss), or draw(*outputs) for a list")
    whole("digits", digits, most=MOST_DIGITS)
    for what, n in (("limit", limit), ("depth", depth), ("radius", radius)):
        if n is not None:
            whole(what, n, least=0 if what != "limit" else 1)
    if width is not None and (isinstance(width, bool) or not isinstance(width, int | float) or not width > 0):
        raise ArgumentError(f"width is a number of pixels, not {shown(width)}")
    if tangents is not None and not isinstance(tangents, Mapping):
        raise InputError(f"tangents is the dict that a forward sweep filled, not {shown(tangents)}")
    for node in [focus, *path] if isinstance(path, tuple) else [focus]:
        if node is not None and not isinstance(node, Value):
            raise InputError(f"focus is a Value and path two of them, not {shown(node)}")
    if path is not None and (not isinstance(path, tuple) or len(path) != 2):
        raise InputError(f"path takes two Values, path=(a, y), not {shown(path)}")
    if interactive and len(roots) > 1:
        raise ArgumentError(
            f"interactive shows the lesson of one result, not of {len(roots)}: draw one after the other"
        )
    drawn = picture(roots, digits, limit, tangents, gradients, collapse, depth, focus, radius, path, width)
    return Drawing(drawn, replayed(roots[0], digits) if interactive else None)
