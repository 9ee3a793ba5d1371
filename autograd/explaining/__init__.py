"""Explains a derivative: the chain rule with its numbers, the sum over paths, and why it is what it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cached_property, wraps
from itertools import islice
from typing import Any, TypeVar

from ..arguments import whole
from ..bars import bar, seen
from ..errors import GraphError, InputError
from ..graph import topological
from ..language import Message, checked, language, translate
from ..markup import Style, escape_xml, printable, table
from ..markup import math as math_of
from ..naming import Names
from ..notation import MOST_DIGITS, show, tidy
from ..sweep import adjoints
from ..text import shown
from ..value import Value, describe
from .folding import Between, Expansion, Folded, Symbol, between
from .paths import Path, count, largest
from .reasons import reasons
from .writing import MOST_HELD, Equation, Writer, is_rounding, nearly_zero

__all__ = ["Explanation", "Path", "explain"]

T = TypeVar("T")

MOST_EQUATIONS = 12  # of a section that are written out
LARGE, PATIENCE = 20_000, 2.0  # nodes and seconds from which a progress bar is shown on a terminal


def _in_its_language(method: Callable[[Explanation], T]) -> Callable[[Explanation], T]:
    """A method whose texts are in the language that was asked for, else in the one in force."""

    @wraps(method)
    def translated(self: Explanation) -> T:
        with language(self._lang):
            return method(self)

    return translated


class Explanation:
    """The explanation of one derivative; ``str()`` gives it as plain text.

    Attributes:
        output, wrt: the nodes; the derivative is ∂output/∂wrt.
        derivative: its value.
        is_rounding: whether the value is no larger than the rounding errors of the terms of its sum.
        path_count: how many paths lead from wrt to output.
        reverse_edges: the edges that a reverse sweep visits; it gives the derivative for all leaves at once.
        forward_edges: the edges that a forward sweep from wrt visits; it gives this derivative only.
        notes: reasons why the derivative is unusual, one sentence each; empty for an ordinary one.
    """

    def __init__(
        self,
        output: Value,
        wrt: Value,
        order: list[Value],
        expand: bool,
        digits: int,
        paths: int,
        lang: str | None = None,
    ) -> None:
        self.output, self.wrt, self._digits, self._most_paths, self._lang = output, wrt, digits, paths, lang
        self._order = order
        with _progress(len(order), total=6) as advance:
            self._part: Between = advance(between(order, wrt))
            self._names: Names = advance(Names(order, digits))
            found: dict[Value, float] = advance(adjoints(order))
            sizes: dict[Value, float] = advance(adjoints(order, absolute=True))
            self._folded = Folded(self._part, found, sizes, expand)
            self.derivative = found[wrt]
            self.is_rounding = is_rounding(self.derivative, sizes[wrt])
            self.path_count: int = advance(count(self._part))
            self.reverse_edges = sum(len(node.inputs) for node in order)
            self.forward_edges = sum(len(edges) for edges in self._part.out.values())
            self._notes: list[Message] = advance(reasons(self._part, found, sizes[wrt], self._names))

    @property
    @_in_its_language
    def notes(self) -> list[str]:
        """The reasons why the derivative is unusual."""
        return [note.translated() for note in self._notes]

    @cached_property
    def paths(self) -> list[Path]:
        """The paths with the largest products, largest first."""
        return largest(self._part, self._most_paths)

    @property
    def equations(self) -> list[Equation]:
        """The chain rule as data: symbols and numbers, from which the text is made."""
        writer = self._writer("text")
        return [writer.equation(e) for e in self._written if not e.says_nothing]

    @property
    def rules(self) -> list[Equation]:
        """The local rules as data: formulas and numbers, from which the text is made."""
        writer = self._writer("text")
        return [writer.rule(s) for s in self._explained[:MOST_EQUATIONS]]

    def _writer(self, style: Style) -> Writer:
        return Writer(self._names, style, self._digits)

    @cached_property
    def _expansions(self) -> list[Expansion]:
        """The equations, with one more than are written out if there are more."""
        return list(islice(self._folded.expansions(), MOST_EQUATIONS + 1))

    @property
    def _written(self) -> list[Expansion]:
        return self._expansions[:MOST_EQUATIONS]

    @cached_property
    def _explained(self) -> list[Symbol]:
        """The symbols of the equations that have a local rule, each once, in the order from wrt to the output."""
        found: dict[object, Symbol] = {}
        for expansion in self._written:
            for term in expansion.terms:
                for symbol in reversed(term):
                    if symbol.edges is not None:
                        found.setdefault(symbol.key, symbol)
        return list(found.values())

    def _definitions(self, writer: Writer) -> Iterator[Equation]:
        """The definitions of symbols that are neither a node's name nor its formula."""
        occurrences: dict[Value, Symbol] = {}
        numbered: dict[Value, Value | None] = {}
        rules = self._explained[:MOST_EQUATIONS]
        for symbol in [*(e.left for e in self._written), *(s for e in self._written for t in e.terms for s in t)]:
            for node in (symbol.source, symbol.target, *symbol.held[:MOST_HELD]):
                for part in self._names.numbered(node):
                    numbered.setdefault(part, None)
            if symbol.nth and symbol in rules:
                if symbol.source not in occurrences or occurrences[symbol.source].nth < symbol.nth:
                    occurrences[symbol.source] = symbol
                if not self._names.is_formula(symbol.target):
                    numbered[symbol.target] = symbol.source
        for node, apart in islice(numbered.items(), MOST_EQUATIONS):
            yield writer.definition(node, apart)
        for last in islice(occurrences.values(), MOST_EQUATIONS):
            yield writer.occurrences(last)

    def _sections(self, style: Style) -> list[tuple[str, list[Equation | str]]]:
        with _progress(len(self._order), total=7) as advance:
            advance(self.title)
            return [advance(section) for section in self._parts(style)]

    def _parts(self, style: Style) -> Iterator[tuple[str, list[Equation | str]]]:
        writer = self._writer(style)
        chain: list[Equation | str] = [writer.equation(e) for e in self._written if not e.says_nothing]
        if len(self._expansions) > MOST_EQUATIONS:
            chain.append(translate("… and more sums; name fewer nodes, or explain a node in between."))
        yield translate("Chain rule"), chain
        rules: list[Equation | str] = [writer.rule(s) for s in self._explained[:MOST_EQUATIONS]]
        if len(self._explained) > MOST_EQUATIONS:
            rules.append(translate("… and more rules; name fewer nodes, or explain a node in between."))
        yield translate("Local rules"), rules
        yield translate("Where"), list(self._definitions(writer))
        if self.path_count != 1:
            heading = translate("Paths: {number} from {x} to {output}").format(
                number=_order_of_size(self.path_count), x=self._label(self.wrt), output=self._label(self.output)
            )
            yield heading, self._path_lines()
        why: list[Equation | str] = list(self.notes)
        if any(item.drops_infinity for item in (*chain, *rules) if isinstance(item, Equation)):
            why.append(
                translate("A product with a factor that is exactly 0 is 0 here, even if another factor is ∞ or nan.")
            )
        yield translate("Why"), why
        yield translate("Cost"), [self._reverse_cost(), self._forward_cost()]

    def _reverse_cost(self) -> str:
        leaves = sum(1 for node in self._order if not node.inputs)
        if self.reverse_edges == 1:
            return translate(
                "A reverse sweep visits the one edge once and gives the derivatives with respect to the one leaf."
            )
        return translate(
            "A reverse sweep visits each of the {edges:,} edges once and gives the derivatives with respect to the one "
            "leaf.",
            "A reverse sweep visits each of the {edges:,} edges once and gives the derivatives with respect to all "
            "{count:,} leaves.",
            leaves,
        ).format(edges=self.reverse_edges, count=leaves)

    def _forward_cost(self) -> str:
        return translate(
            "A forward sweep from {x} visits {count:,} edge and gives this one.",
            "A forward sweep from {x} visits {count:,} edges and gives this one.",
            self.forward_edges,
        ).format(x=self._label(self.wrt), count=self.forward_edges)

    def _path_lines(self) -> list[Equation | str]:
        lines: list[Equation | str] = []
        for path in self.paths:
            shown = [self._place(path, k) for k, n in enumerate(path.nodes) if self._is_shown(path, n)]
            if len(shown) > 10:
                shown = [*shown[:5], "…", *shown[-4:]]
            lines.append(f"{' → '.join(shown)}:  {show(path.product, self._digits)}")
        if not self.paths:
            lines.append(translate("the product along each of them is 0"))
        elif self.path_count > len(self.paths):
            listed = translate(
                "this is the one with the largest product",
                "these are the {count} with the largest products",
                len(self.paths),
            )
            lines.append(listed.format(count=len(self.paths)))
        else:
            result = show(self.derivative, self._digits)
            if self.is_rounding:
                lines.append(translate("together {number}, which is rounding error").format(number=result))
            else:
                lines.append(translate("together {number}").format(number=result))
        return lines

    def _is_shown(self, path: Path, node: Value) -> bool:
        """Short paths are shown with every node, long ones with those where folding stops."""
        return len(path.nodes) <= 8 or self._folded.ends_symbol(node)

    def _place(self, path: Path, k: int) -> str:
        """A node on a path; with the number of its occurrence where the next node uses it more than once."""
        node = path.nodes[k]
        if k < len(path.edges):
            inputs, position = path.edges[k].node.inputs, path.edges[k].position
            if sum(1 for x in inputs if x is node) > 1:
                return self._names.occurrence(node, sum(1 for x in inputs[: position + 1] if x is node)).text
        return self._label(node)

    def _label(self, node: Value) -> str:
        return self._names.label(node).text

    @property
    @_in_its_language
    def title(self) -> str:
        """One line: what is derived with respect to what, and the result."""
        d = f"∂{self._names.atom(self.output)}/∂{self._names.atom(self.wrt)}"
        if self.is_rounding:
            return f"{d} {nearly_zero(self.derivative, self._digits, 'text')}"
        return f"{d} = {show(self.derivative, self._digits)}"

    @_in_its_language
    def __str__(self) -> str:
        sections = self._sections("text")
        lines = [self.title]
        for heading, content in sections:
            if content:
                lines += ["", heading]
            for item in content:
                lines += ["  " + line for line in (item.text() if isinstance(item, Equation) else [item])]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation: {self.title}>"

    @_in_its_language
    def latex(self) -> str:
        """The equations as a LaTeX ``align*`` environment."""
        rows = [
            item.latex() for _, content in self._sections("latex") for item in content if isinstance(item, Equation)
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    @_in_its_language
    def markdown(self) -> str:
        """Headings, equations between ``$$`` and lists, for notebooks and web pages."""
        sections = self._sections("latex")
        lines = [f"### {_escaped(self.title)}"]
        for heading, content in sections:
            if content:
                lines += ["", f"**{_escaped(heading)}**", ""]
            for item in content:
                if isinstance(item, Equation):
                    lines += ["$$\\begin{aligned}", item.latex(), "\\end{aligned}$$", ""]
                else:
                    lines.append(f"- {_escaped(item)}")
        return "\n".join(lines)

    @_in_its_language
    def mathml(self) -> str:
        """The equations as a MathML element ``math``, which browsers show without a script."""
        return _table([item for _, content in self._sections("mathml") for item in content])

    @_in_its_language
    def html(self) -> str:
        """Headings, equations in MathML and lists, as a part of a web page."""
        sections = self._sections("mathml")
        parts = [f"<h3>{escape_xml(self.title)}</h3>"]
        for heading, content in sections:
            if content:
                parts.append(f"<h4>{escape_xml(heading)}</h4>")
            if any(isinstance(item, Equation) for item in content):
                parts.append(f'<div style="overflow-x:auto;padding:0 2em">{_table(content)}</div>')
            items = "".join(f"<li>{escape_xml(item)}</li>" for item in content if isinstance(item, str))
            if items:
                parts.append(f"<ul>{items}</ul>")
        return f'<div class="explanation">{"".join(parts)}</div>'

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _table(content: Sequence[Equation | str]) -> str:
    """The equations among these as one table of MathML."""
    return math_of(table(row for item in content if isinstance(item, Equation) for row in item.mathml()))


@contextmanager
def _progress(nodes: int, total: int) -> Iterator[Callable[[Any], Any]]:
    """A progress bar for a large graph; yields a function that advances it by one of ``total`` steps."""
    if nodes < LARGE or not seen():
        yield lambda result: result
        return
    what = translate("explaining {nodes:,} nodes").format(nodes=nodes)
    with bar(what=what, total=total, delay=PATIENCE) as steps:

        def advance(result: Any) -> Any:
            steps.update()
            return result

        yield advance


def _order_of_size(n: int) -> str:
    """A number of paths: exact if it is short enough to read, else its order of magnitude."""
    if n < 10**40:
        return f"{n:,}"
    return translate("about 10^{power}").format(power=int(n.bit_length() * math.log10(2.0)))


_MARKDOWN = {c: "\\" + c for c in r"\`*_{}[]#|$~!"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _escaped(text: str) -> str:
    return "".join(_MARKDOWN.get(c, c) for c in printable(text))


def explain(
    output: Value,
    wrt: Value | str,
    *,
    expand: bool = False,
    digits: int = 6,
    paths: int = 5,
    lang: str | None = None,
) -> Explanation:
    """Write out the derivative of a recorded computation, step by step, as in a textbook.

    It shows the chain rule from ``wrt`` to ``output`` with its numbers, a sum wherever paths separate, the local rule
    behind each factor and the paths with the largest products. If the derivative is unusual, for example 0 or not
    finite, it gives the reason. The tutorials on the 0.05/0.10 → 0.01/0.99 example write the same equations.

    Args:
        output: the node that is differentiated.
        wrt: with respect to which node: the Value or its name.
        expand: write every edge as a factor; by default unnamed nodes between two named ones fold into one factor.
        digits: significant digits of the numbers.
        paths: how many paths to list.
        lang: the language of the texts, ``"en"`` or ``"zh"``; by default the one in force when they are shown.

    Raises:
        InputError: if ``output`` is not a Value.
        ArgumentError: if digits or paths is no whole number from 1 on.
        GraphError: if ``output`` does not depend on ``wrt``.

    >>> a, b = Value(2.0, name="a"), Value(1.0, name="b")
    >>> c = a + b; c.name = "c"
    >>> d = b + 1; d.name = "d"
    >>> e = c * d; e.name = "e"
    >>> print(str(explain(e, wrt=b)).splitlines()[3])
      ∂e/∂b = ∂e/∂c · ∂c/∂b + ∂e/∂d · ∂d/∂b = 2 · 1 + 3 · 1 = 2 + 3 = 5
    """
    if not isinstance(output, Value):
        raise InputError(f"explain takes the Value that was computed, not {type(output).__name__}")
    whole("digits", digits, most=MOST_DIGITS)
    whole("paths", paths)
    order = topological(output)
    return Explanation(output, _find(order, wrt), order, expand, digits, paths, None if lang is None else checked(lang))


def _find(order: list[Value], wrt: Value | str) -> Value:
    if isinstance(wrt, Value):
        if wrt in set(order):
            return wrt
        raise GraphError(
            f"{describe(order[-1])} does not depend on {describe(wrt)}: no path leads there, so the derivative is 0. "
            "Was the value taken out of the graph on the way, by .data, float(), detach() or no_grad()?"
        )
    if not isinstance(wrt, str):
        raise InputError(f"wrt is a Value or the name of one, not {shown(wrt)}")
    found = [node for node in order if node.name == wrt]
    if len(found) == 1:
        return found[0]
    if found:
        raise GraphError(f"{len(found)} nodes are called {wrt!r}; give the Value itself")
    known = [node.name for node in order if node.name is not None]
    near = get_close_matches(wrt, known, n=1)
    listed = ", ".join(map(tidy, known[:12])) or "none"
    hint = f"did you mean {near[0]!r}?" if near else f"its named nodes are: {listed}"
    raise GraphError(f"{describe(order[-1])} depends on no node called {wrt!r}; {hint}")
