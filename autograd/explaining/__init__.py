"""Explains a derivative: the chain rule with its numbers, the sum over paths, and why it is what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from itertools import islice

from ..errors import ArgumentError, GraphError, InputError
from ..graph import topological
from ..naming import Names
from ..notation import Style, show
from ..sweep import adjoints
from ..value import Value, describe
from .folding import Factor, Folded, between
from .paths import Path, count, largest
from .reasons import reasons
from .writing import MOST_TERMS, Equation, Writer

__all__ = ["Explanation", "Path", "explain"]

MOST_EQUATIONS = 12  # of a section that are written out


class Explanation:
    """Everything there is to say about one derivative; ``str()`` says it in plain text.

    Attributes:
        output, wrt: the nodes; the derivative is ∂output/∂wrt.
        derivative: its value.
        path_count: how many paths lead from wrt to output.
        reverse_edges: the edges that a reverse sweep visits; it gives the derivative for all leaves at once.
        forward_edges: the edges that a forward sweep from wrt visits; it gives this derivative only.
        notes: why the derivative is remarkable, one sentence each; empty for an ordinary one.
    """

    def __init__(self, output: Value, wrt: Value, order: list[Value], expand: bool, digits: int, paths: int) -> None:
        self.output, self.wrt, self._digits, self._most_paths = output, wrt, digits, paths
        self._order = order
        self._part = between(order, wrt)
        self._folded = Folded(self._part, expand)
        self._names = Names(order, digits)
        self._adjoints = adjoints(order)
        self.derivative = self._adjoints[wrt]
        self.path_count = count(self._part)
        self.reverse_edges = sum(len(node.inputs) for node in order)
        self.forward_edges = sum(len(edges) for edges in self._part.out.values())
        absolute = adjoints(order, absolute=True)[wrt]
        self.notes = reasons(order, self._part, self.derivative, absolute, self._names)

    @cached_property
    def paths(self) -> list[Path]:
        """The paths with the largest products, largest first."""
        return largest(self._part, self._most_paths)

    def _stations(self) -> Iterator[Value]:
        """Where an equation is needed: at wrt, and wherever paths part on the ways that are written out."""
        seen: set[Value] = set()
        queue = [self.wrt]
        for station in queue:  # grows while it is walked
            if station in seen:
                continue
            seen.add(station)
            yield station
            queue += [last for _, last in self._ways(station) if last is not self.output]

    def _ways(self, station: Value) -> Iterator[tuple[list[Factor], Value]]:
        """The factors of each way that an equation writes out, and where the way ends."""
        firsts = self._folded.factors(station, most=MOST_TERMS)
        for first in firsts:
            rest, last = self._folded.chain(first.target)
            yield [first, *rest], last

    def _factors(self) -> Iterator[Factor]:
        """Every factor that the equations mention, once."""
        seen: set[tuple[Value, Value, Value]] = set()
        for station in self._stations():
            for factors, _ in self._ways(station):
                for factor in factors:
                    key = (factor.source, factor.steps[0].node, factor.target)
                    if key not in seen:
                        seen.add(key)
                        yield factor

    def _sections(self, style: Style) -> Iterator[tuple[str, list[Equation | str]]]:
        writer = Writer(self._folded, self._adjoints, self._names, style, self._digits)
        yield (
            "Chain rule",
            self._some([writer.equation(s) for s in islice(self._stations(), MOST_EQUATIONS + 1)], "sums"),
        )
        yield "Local rules", self._some([writer.rule(f) for f in islice(self._factors(), MOST_EQUATIONS + 1)], "rules")
        if self.path_count != 1:
            yield (
                f"Paths: {_counted(self.path_count)} from {self._label(self.wrt)} to {self._label(self.output)}",
                self._path_lines(),
            )
        if self.notes:
            yield "Why", list(self.notes)
        leaves = sum(1 for node in self._order if not node.inputs)
        yield (
            "Cost",
            [
                f"A reverse sweep visits each of the {self.reverse_edges:,} edges once and gives the derivatives "
                f"with respect to all {leaves:,} leaves.",
                f"A forward sweep from {self._label(self.wrt)} visits {self.forward_edges:,} edges and gives this one.",
            ],
        )

    def _some(self, lines: list[Equation], what: str) -> list[Equation | str]:
        if len(lines) <= MOST_EQUATIONS:
            return list(lines)
        return [*lines[:MOST_EQUATIONS], f"… and more {what}; name fewer nodes, or explain a node in between."]

    def _path_lines(self) -> list[Equation | str]:
        lines: list[Equation | str] = []
        for path in self.paths:
            stations = [n for n in path.nodes if self._folded.is_station(n)]
            if len(stations) > 10:
                shown = [*map(self._label, stations[:5]), "…", *map(self._label, stations[-4:])]
            else:
                shown = list(map(self._label, stations))
            lines.append(f"{' → '.join(shown)}:  {show(path.product, self._digits)}")
        if not self.paths:
            lines.append("none of them carries anything")
        elif self.path_count > len(self.paths):
            lines.append(f"these are the {len(self.paths)} with the largest products")
        else:
            lines.append(f"together {show(self.derivative, self._digits)}")
        return lines

    def _label(self, node: Value) -> str:
        return self._names.label(node).text

    @property
    def title(self) -> str:
        """One line: what is derived with respect to what, and the result."""
        return f"∂{self._names.atom(self.output)}/∂{self._names.atom(self.wrt)} = {show(self.derivative, self._digits)}"

    def __str__(self) -> str:
        lines = [self.title]
        for heading, content in self._sections("text"):
            lines += ["", heading]
            for item in content:
                lines += ["  " + line for line in (item.text() if isinstance(item, Equation) else [item])]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation: {self.title}>"

    def latex(self) -> str:
        """The chain rule and the local rules as a LaTeX ``align*`` environment."""
        rows = []
        for heading, content in self._sections("latex"):
            if heading in ("Chain rule", "Local rules"):
                rows += [item.latex() for item in content if isinstance(item, Equation)]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def markdown(self) -> str:
        """Headings, equations between ``$$`` and lists, for notebooks and web pages."""
        lines = [f"### {_escaped(self.title)}"]
        for heading, content in self._sections("latex"):
            lines += ["", f"**{_escaped(heading)}**", ""]
            for item in content:
                if isinstance(item, Equation):
                    lines += ["$$\\begin{aligned}", item.latex(), "\\end{aligned}$$", ""]
                else:
                    lines.append(f"- {_escaped(item)}")
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _counted(n: int) -> str:
    """A number of paths: exactly while it can be read, else its order of magnitude."""
    return f"{n:,}" if n < 10**40 else f"about 10^{int(n.bit_length() * math.log10(2.0))}"


def _escaped(text: str) -> str:
    return "".join("\\" + c if c in r"\`*_{}[]<>#|$" else c for c in text)


def explain(output: Value, wrt: Value | str, *, expand: bool = False, digits: int = 6, paths: int = 5) -> Explanation:
    """Write out the derivative of a recorded computation as one does by hand.

    The chain rule from ``wrt`` to ``output`` with its numbers, a sum wherever paths part, the local rule behind each
    factor, the paths with the largest products, and, where the derivative is remarkable, why. The tutorials on the
    0.05/0.10 → 0.01/0.99 example write the same equations.

    Args:
        output: what is derived.
        wrt: with respect to which node: the Value or its name.
        expand: write every edge as a factor; by default unnamed nodes between two named ones fold into one factor.
        digits: significant digits of the numbers.
        paths: how many paths to list.

    Raises:
        InputError: if ``output`` is not a Value.
        GraphError: if ``wrt`` is no node that ``output`` depends on.

    >>> a, b = Value(2.0, name="a"), Value(1.0, name="b")
    >>> c = a + b; c.name = "c"
    >>> d = b + 1; d.name = "d"
    >>> e = c * d; e.name = "e"
    >>> print(str(explain(e, wrt=b)).splitlines()[3])
      ∂e/∂b = ∂e/∂c · ∂c/∂b + ∂e/∂d · ∂d/∂b = 2 · 1 + 3 · 1 = 2 + 3 = 5
    """
    if not isinstance(output, Value):
        raise InputError(f"explain takes the Value that was computed, not {type(output).__name__}")
    if paths < 1 or digits < 1:
        raise ArgumentError(f"paths and digits are at least 1, not {paths} and {digits}")
    order = topological(output)
    return Explanation(output, _find(order, wrt), order, expand, digits, paths)


def _find(order: list[Value], wrt: Value | str) -> Value:
    if isinstance(wrt, Value):
        if wrt in set(order):
            return wrt
        raise GraphError(
            f"{describe(order[-1])} does not depend on {describe(wrt)}: no path leads there, so the derivative is 0. "
            "Was the value taken out of the graph on the way, by .data, float(), detach() or no_grad()?"
        )
    if not isinstance(wrt, str):
        raise InputError(f"wrt is a Value or the name of one, not {wrt!r}")
    found = [node for node in order if node.name == wrt]
    if len(found) == 1:
        return found[0]
    if found:
        raise GraphError(f"{len(found)} nodes are called {wrt!r}; give the Value itself")
    known = [node.name for node in order if node.name is not None]
    near = get_close_matches(wrt, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"its named nodes are: {', '.join(known[:12]) or 'none'}"
    raise GraphError(f"{describe(order[-1])} depends on no node called {wrt!r}; {hint}")
