"""What to call each node of a graph, and its formula in those words or with its numbers.

A named node goes by its name; a node without one by its formula while that is short, else by a number in topological
order. Drawings, steps and explanations all read their words here.
"""

from __future__ import annotations

from collections.abc import Sequence

from .graph import numbers_of, places
from .notation import ATOM, Piece, Style, label, piece, render
from .value import Value

SHORT = 22  # a formula up to this many characters stands for its node


class Names:
    """The labels of the nodes of one graph.

    Args:
        order: the nodes, in topological order.
        digits: significant digits of the numbers in formulas.

    >>> from autograd.graph import topological
    >>> a, b = Value(2.0, "a"), Value(1.0, "b")
    >>> e = (a + b) * (b + 1)
    >>> names = Names(topological(e))
    >>> print(names.formula(e).text, "=", names.numbers(e).text)
    (a + b)·(b + 1) = 3·2
    """

    def __init__(self, order: Sequence[Value], digits: int = 6) -> None:
        self._digits = digits
        self._order = order
        self._pieces: dict[Style, dict[Value, Piece]] = {}
        self._plain: dict[Value, str] = {}
        times: dict[str, int] = {}
        taken = {node.name for node in order if node.name is not None}
        number = 0
        for node in order:
            if node.name is None:
                number += 1
                while f"v{number}" in taken:
                    number += 1
                self._plain[node] = f"v{number}"
            else:
                times[node.name] = nth = times.get(node.name, 0) + 1
                # A name that several nodes carry is told apart from its second node on.
                self._plain[node] = node.name if nth == 1 else f"{node.name}′{nth}"

    def _pieces_in(self, style: Style) -> dict[Value, Piece]:
        """All labels in a style, made when the first of them is asked for; inputs first, so each finds theirs there."""
        if style not in self._pieces:
            self._pieces[style] = {}
            for node in self._order:
                self._pieces[style][node] = self._name(node, style)
        return self._pieces[style]

    def _name(self, node: Value, style: Style) -> Piece:
        plain = label(self._plain[node], style)
        if node.name is not None or not node.inputs or len(node.operands) > 4:
            return plain
        if style == "latex" and self.label(node).text == self._plain[node]:
            return plain
        formula = self.formula(node, style)
        return formula if style == "latex" or len(formula.text) <= SHORT else plain

    def __contains__(self, node: Value) -> bool:
        return node in self._plain

    def label(self, node: Value, style: Style = "text") -> Piece:
        """What the node is called."""
        return self._pieces_in(style)[node]

    def atom(self, node: Value, style: Style = "text") -> str:
        """What the node is called, in parentheses if that is a formula of several parts."""
        return self.label(node, style).within(ATOM, style)

    def formula(self, node: Value, style: Style = "text") -> Piece:
        """The node's operation on its operands' labels, for example ``w1·i1 + w2·i2 + b1``."""
        pieces = [self.label(x, style) if isinstance(x, Value) else self._number(x, style) for x in node.operands]
        return self._written(node, pieces, style)

    def numbers(self, node: Value, style: Style = "text") -> Piece:
        """The same with the operands' present values, for example ``0.15·0.05 + 0.2·0.1 + 0.35``."""
        values = numbers_of(node.operands)
        return self._written(node, [self._number(x, style) for x in values], style)

    def slope(self, node: Value, position: int, style: Style = "text") -> Piece:
        """The local rule of one edge: the partial with respect to the input at that position, as a formula."""
        pieces = [self.label(x, style) if isinstance(x, Value) else self._number(x, style) for x in node.operands]
        assert node.op is not None
        formula = node.op.slope_for(places(node)[position], len(node.operands))
        return render(formula, self._operands(node, pieces) | {"z": self.label(node, style)}, style)

    def _number(self, x: float, style: Style) -> Piece:
        return piece(x, self._digits, style)

    def _operands(self, node: Value, pieces: Sequence[Piece]) -> dict[str, Piece]:
        assert node.op is not None
        return dict(zip(node.op.names(len(pieces)), pieces, strict=True))

    def _written(self, node: Value, pieces: Sequence[Piece], style: Style) -> Piece:
        if node.op is None:
            return self.label(node, style)
        return render(node.op.formula_for(len(pieces)), self._operands(node, pieces), style)
