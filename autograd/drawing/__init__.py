"""Draws a recorded computation: graph → boxes → places → SVG; and as DOT, PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..arguments import whole
from ..errors import ArgumentError, GraphError, InputError
from ..files import as_path, write_atomically
from ..graph import topological
from ..notation import MOST_DIGITS
from ..text import shown
from ..value import Value
from .boxes import Content, Reader, content
from .dot import to_dot
from .layout import Placed, lay_out
from .rendering import FORMATS, render
from .svg import to_svg

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


def picture(
    roots: Sequence[Value],
    digits: int = 4,
    tangents: Mapping[Value, float] | None = None,
    gradients: bool | None = None,
) -> Picture:
    """Lay out the graph behind the roots; for programs that embed the SVG. ``draw`` says what the arguments mean."""
    read, placed, summary = _laid_out(topological(*roots), roots, digits, tangents, gradients)
    return Picture(read, placed, summary)


def _laid_out(
    order: Sequence[Value],
    roots: Sequence[Value],
    digits: int,
    tangents: Mapping[Value, float] | None,
    gradients: bool | None,
) -> tuple[Content, Placed, str]:
    if gradients is None:
        gradients = any(node.grad != 0.0 for node in order)
    rows: list[tuple[str, Mapping[Value, float]]] = []
    if tangents is not None:
        rows.append(("tangent", tangents))
    if gradients:
        rows.append(("grad", {node: node.grad for node in order}))
    read = content(Reader(order, roots, rows, digits))
    edges = sum(len(node.inputs) for node in order)
    return read, lay_out(read), f"computation graph: {len(order)} nodes, {edges} edges"


class Drawing:
    """A drawn graph: ``.svg()`` and ``.save(path)`` give the picture, ``.source`` is DOT; notebooks show it."""

    def __init__(self, picture: Picture, source: str) -> None:
        self._picture = picture
        self.source = source

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
            written = render(self.source, ending)
        else:
            raise ArgumentError(f"cannot tell what to write from {path.name!r}; end it with .svg, .png, .pdf or .dot")
        write_atomically(path, written)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Drawing, {self._picture.width:.0f} × {self._picture.height:.0f}>"


def draw(
    *roots: Value,
    digits: int = 4,
    limit: int = 400,
    tangents: Mapping[Value, float] | None = None,
    gradients: bool | None = None,
) -> Drawing:
    """Draw the graph behind one or several Values.

    A node shows its name, its formula, its value and, once ``backward()`` ran, its gradient; where an edge enters a
    node stands its partial derivative. Leaves are rounded, results have a double frame, constants stand inside the
    formulas, and scopes (layers, neurons) are shaded. A leaf that is used at distant places is drawn at each of them,
    with ``≡`` before its name from the second time on.

    Args:
        roots: the results whose graph is drawn.
        digits: significant digits of the numbers shown.
        limit: how many nodes are drawn at most; a larger picture is not readable.
        tangents: the result of a forward sweep, shown as one more row in each node.
        gradients: whether to show gradients; by default when there are any.

    Raises:
        InputError: if a root is not a Value, or tangents is no dict.
        ArgumentError: if digits or limit is no whole number in its range.
        GraphError: if there are more nodes than ``limit``.

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
    whole("limit", limit)
    if tangents is not None and not isinstance(tangents, Mapping):
        raise InputError(f"tangents is the dict that a forward sweep filled, not {shown(tangents)}")
    order = topological(*roots)
    if len(order) > limit:
        raise GraphError(
            f"this graph has {len(order)} nodes, more than the limit of {limit} that a picture can show readably; "
            "draw an intermediate node, use fewer samples, or pass a higher limit="
        )
    read, placed, summary = _laid_out(order, roots, digits, tangents, gradients)
    return Drawing(Picture(read, placed, summary), to_dot(read))
