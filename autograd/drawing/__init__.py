"""Draws a recorded computation: graph → DOT → SVG, PNG or PDF."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, GraphError, InputError, LayoutError
from ..files import write_atomically
from ..graph import topological
from ..value import Value
from .dot import to_dot
from .layout import FORMATS, lay_out

__all__ = ["Drawing", "draw"]


class Drawing:
    """A drawn graph: ``.source`` is DOT; ``.svg()`` and ``.save(path)`` lay it out; notebooks show it automatically."""

    def __init__(self, source: str) -> None:
        self.source = source

    def svg(self) -> str:
        """The picture as SVG text."""
        return lay_out(self.source, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, completely or not at all.

        Args:
            path: ends with ``.svg``, ``.png`` or ``.pdf``; ``.dot`` writes the DOT text, which needs no layout engine.

        Returns:
            the path written.

        Raises:
            ArgumentError: for another ending.
            LayoutError: if the graph cannot be laid out.
            OSError: if the file cannot be written.
        """
        path = Path(path)
        ending = path.suffix.lower().lstrip(".")
        if ending not in (*FORMATS, "dot"):
            raise ArgumentError(f"cannot tell what to write from {path.name!r}; end it with .svg, .png, .pdf or .dot")
        write_atomically(path, self.source.encode() if ending == "dot" else lay_out(self.source, ending))
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (LayoutError, OSError) as error:  # a notebook shows the DOT text instead
            return {"text/plain": f"{self.source}\n// not laid out: {error}"}

    def __repr__(self) -> str:
        return f"<Drawing, {len(self.source)} characters of DOT>"


def draw(
    *roots: Value,
    digits: int = 4,
    limit: int = 400,
    tangents: Mapping[Value, float] | None = None,
    gradients: bool | None = None,
) -> Drawing:
    """Draw the graph behind one or several Values.

    A node shows its name, its formula, its value and, once ``backward()`` ran, its gradient; an edge shows its partial
    derivative. Leaves are rounded, results have a thick frame, constants stand inside the formulas, and scopes (layers,
    neurons) become boxes.

    Args:
        roots: the results whose graph is drawn.
        digits: significant digits of the numbers shown.
        limit: how many nodes are drawn at most; a larger picture is not readable.
        tangents: the result of a forward sweep, shown as one more row in each node.
        gradients: whether to show gradients; by default when there are any.

    Raises:
        InputError: if a root is not a Value.
        GraphError: if there are more nodes than ``limit``.

    >>> a, b = Value(2.0, name="a"), Value(1.0, name="b")
    >>> e = (a + b) * (b + 1)
    >>> picture = draw(e)
    >>> "(a + b)·(b + 1)" in picture.source
    True
    """
    if not roots:
        raise ArgumentError("draw needs at least one Value to draw from")
    for root in roots:
        if not isinstance(root, Value):
            raise InputError(f"draw takes Values, not {type(root).__name__}: draw(loss), or draw(*outputs) for a list")
    order = topological(*roots)
    if len(order) > limit:
        raise GraphError(
            f"this graph has {len(order)} nodes, more than the limit of {limit} that a picture can show readably; "
            "draw an intermediate node, use fewer samples, or pass a higher limit="
        )
    if gradients is None:
        gradients = any(node.grad != 0.0 for node in order)
    rows: list[tuple[str, Mapping[Value, float]]] = []
    if tangents is not None:
        rows.append(("tangent", tangents))
    if gradients:
        rows.append(("grad", {node: node.grad for node in order}))
    return Drawing(to_dot(order, roots, rows, digits))
