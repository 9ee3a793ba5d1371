"""The label of each node of a graph, and its formula with the labels or with the numbers of its operands.

The label of a named node is its name. The label of another node is its formula if that is short and unique, else v and
a number in topological order. Labels are unique. Drawings, steps and explanations use the same labels.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from .graph import places
from .notation import ATOM, CHOICE, MARKUP, Piece, Style, label, piece, render, tidy
from .recorded import operand_numbers
from .value import Value

SHORT = 22  # a formula up to this many characters stands for its node
LARGE = 5000  # in a graph of more nodes only if every operand in it has a name or formula itself
_DIGITS = "0123456789₀₁₂₃₄₅₆₇₈₉"


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
        self._taken = {tidy(node.name) for node in order if node.name is not None}
        # Names that also occur with an index, such as x if there is also x1.
        self._indexed = {name.rstrip(_DIGITS).rstrip("_") for name in self._taken if name[-1] in _DIGITS}
        free = self._taken.copy()
        number = 0
        for node in order:
            if node.name is None:
                number += 1
                while f"v{number}" in self._taken:
                    number += 1
                self._plain[node] = f"v{number}"
                continue
            plain = name = tidy(node.name)
            if name in free:
                free.remove(name)
            else:  # a name that several nodes have gets a mark from the second node on
                nth = 2
                while (plain := f"{name}′{nth}") in self._taken:
                    nth += 1
                self._taken.add(plain)
            self._plain[node] = plain

    def _pieces_in(self, style: Style) -> dict[Value, Piece]:
        """Labels in a style, made when one is first needed; inputs first, because formulas use their labels.

        In a large graph only those that are no numbers: most nodes have a number, and few labels are asked for.
        """
        if style not in self._pieces:
            if style != "text":
                self._pieces_in("text")
            pieces = self._pieces[style] = {}
            used = set(self._taken) if style == "text" else set()
            is_large = style == "text" and len(self._order) > LARGE
            for node in self._order:
                if is_large and node.name is None and not all(x in pieces for x in node.inputs):
                    continue  # an operand has a number for its label, so this node has one too
                piece = self._name(node, style, used)
                if is_large and node.inputs and node.name is None and piece.text == self._plain[node]:
                    continue
                if style != "text" and piece.text in used:  # w1 and w_1 look the same where indices are set
                    piece = Piece(MARKUP[style].whole_name(self._plain[node]), piece.level)
                used.add(piece.text)
                pieces[node] = piece
        return self._pieces[style]

    def _name(self, node: Value, style: Style, used: Container[str]) -> Piece:
        plain = label(self._plain[node], style)
        if node.name is not None or not node.inputs or len(node.operands) > 4:
            return plain
        if style != "text" and not self.is_formula(node):
            return plain
        formula = self.formula(node, style)
        if style != "text":
            return formula
        is_handy = len(formula.text) <= SHORT and formula.level > CHOICE  # no "a if x > 0 else b"
        return formula if is_handy and formula.text not in used else plain

    def numbered(self, node: Value) -> Iterator[Value]:
        """The nodes, other than leaves, that appear in a node's label by number: itself, or some in its formula."""
        stack = [node]
        while stack:
            x = stack.pop()
            if self._is_numbered(x):
                yield x
            elif self.is_formula(x):
                stack += x.inputs

    def _is_numbered(self, node: Value) -> bool:
        return node.name is None and bool(node.inputs) and not self.is_formula(node)

    def is_formula(self, node: Value) -> bool:
        """Whether the label of the node is its formula."""
        return node.name is None and self.label(node).text != self._plain[node]

    def __contains__(self, node: Value) -> bool:
        return node in self._plain

    def label(self, node: Value, style: Style = "text") -> Piece:
        """The label of the node."""
        piece = self._pieces_in(style).get(node)
        return label(self._plain[node], style) if piece is None else piece

    def atom(self, node: Value, style: Style = "text") -> str:
        """The label of the node, in parentheses if it is a formula of several parts."""
        return self.label(node, style).within(ATOM, style)

    def formula(self, node: Value, style: Style = "text", apart: Value | None = None) -> Piece:
        """The node's operation on its operands' labels, for example ``w1·i1 + w2·i2 + b1``.

        Args:
            node: the node.
            style: plain text, LaTeX or MathML.
            apart: an input whose occurrences are numbered: ``x₁·x₂`` instead of ``x·x``.
        """
        pieces = [self._number(x, style) if isinstance(x, float) else x for x in self._labels(node, style, apart)]
        return self._written(node, pieces, style)

    def numbers(self, node: Value, style: Style = "text", values: Sequence[float] | None = None) -> Piece:
        """The same with the operands' recorded values (looked up if not given): ``0.15·0.05 + 0.2·0.1 + 0.35``."""
        if values is None:
            values, _ = operand_numbers(node)
        return self._written(node, [self._number(x, style) for x in values], style)

    def slope(self, node: Value, position: int, style: Style = "text", apart: Value | None = None) -> Piece:
        """The local rule of one edge: the partial with respect to the input at that position, as a formula."""
        assert node.op is not None
        count = len(node.operands)
        names = dict(zip(node.op.names(count), self._labels(node, style, apart), strict=True))
        formula = node.op.slope_for(places(node)[position], count)
        return render(formula, names | {"z": self.label(node, style)}, style, self._digits)

    def occurrence(self, x: Value, nth: int, style: Style = "text") -> Piece:
        """One of several occurrences of an input in the same node: x₁, x₂ …"""
        index = f"({nth})" if self._plain[x] in self._indexed else str(nth)
        return Piece(MARKUP[style].index(self.atom(x, style), index))

    def _labels(self, node: Value, style: Style, apart: Value | None = None) -> list[Piece | float]:
        """The operands' labels; constants as they are."""
        labels: list[Piece | float] = []
        nth = 0
        for x in node.operands:
            if x is apart and isinstance(x, Value):
                nth += 1
                labels.append(self.occurrence(x, nth, style))
            else:
                labels.append(self.label(x, style) if isinstance(x, Value) else x)
        return labels

    def _number(self, x: float, style: Style) -> Piece:
        return piece(x, self._digits, style)

    def _written(self, node: Value, pieces: Sequence[Piece], style: Style) -> Piece:
        if node.op is None:
            return self.label(node, style)
        return render(
            node.op.formula_for(len(pieces)), dict(zip(node.op.names(len(pieces)), pieces, strict=True)), style
        )
