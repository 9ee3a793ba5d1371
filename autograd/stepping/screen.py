"""Draws one step of a log for a terminal of any size: timeline, the column of nodes, the step, the leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ..language import Message, translate
from ..notation import show, tidy
from .events import Backward, Forward, Update
from .position import Position
from .view import View

if TYPE_CHECKING:
    from rich.console import Console

SHAPES = {"forward": "▶", "backward": "◀", "update": "◆"}
COLOURS = {"forward": "bright_blue", "backward": "red", "update": "green"}
_LINES = {"forward": ("━", "─"), "backward": ("╍", "╌"), "update": ("•", "·")}  # done, to come
_BLOCKS = "▁▂▃▄▅▆▇█"
SMALLEST = 20, 8  # the width and the height of the smallest screen that is laid out
NARROW = 64  # below this width the column of nodes is left out
WIDE = 100  # from this width on numbers have six digits
TALL = 34  # from this height on the rule of each step is said in a sentence
KEYS = (
    ("→  Enter  Space", Message("next step")),
    ("←  b", Message("previous step")),
    ("↓  n", Message("next node")),
    ("↑  p", Message("previous node")),
    ("s  Shift →", Message("next sweep")),
    ("S  Shift ←", Message("previous sweep")),
    ("Home  End", Message("first, last step")),
    ("/", Message("search a node by its name; again: its next step")),
    ("g  0–9", Message("go to a step or a node")),
    ("h  ?", Message("this list")),
    ("q", Message("quit")),
)


class Screen:
    """Makes the lines of the screen.

    Args:
        console: wraps text; its width is not used.
        position: where in the log the player is.
    """

    def __init__(self, console: Console, position: Position) -> None:
        self._console, self._position, self._log = console, position, position.log
        self._digits, self._room = 4, 10  # of the numbers in columns: significant digits, and width

    def lines(self, width: int, height: int, footer: Text, with_help: bool = False) -> list[Text]:
        """All lines of a screen of this size.

        Args:
            width, height: in characters.
            footer: the last line.
            with_help: show the list of keys instead of the step.
        """
        view, event = self._position.view, self._position.event
        asked = width, height
        width, height = max(width, SMALLEST[0]), max(height, SMALLEST[1])  # what does not fit is cut off below
        top = [self._title(view, event, width), self._timeline(view, event, width)]
        if len(self._log.losses) > 1 and height > 12:
            top.append(self._curve(view, width))
        self._digits, self._room = (min(self._log.digits, 6), 12) if width >= WIDE else (min(self._log.digits, 4), 10)
        body = height - len(top) - 2
        column = 0 if width < NARROW else min(width * 11 // 20, 86)
        right = width - column - (3 if column else 2)
        if with_help:
            panels = _help(right)
        else:
            panels = self._step(view, event, right, is_tall=height >= TALL)
            leaves, title = self._leaves(view, event, right, max(body - len(panels) - 1, min(6, body // 3)))
            panels = panels[: body - len(leaves) - 1]
            panels += [Text()] * (body - len(panels) - len(leaves) - 1)
            panels += [Text(set_cell_size(f"── {title} " + "─" * right, right + 2), "dim"), *leaves]
            rule = body - len(leaves) - 1
        panels = [*panels, *[Text()] * body][:body]
        nodes = self._nodes(view, event, column - 2, body) if column else [Text()] * body
        lines = [*top, Text("─" * column + ("┬" + "─" * (width - column - 1) if column else "─" * width), "dim")]
        for k, (node, panel) in enumerate(zip(nodes, panels, strict=True)):
            is_rule = not with_help and k == rule
            line = Text(" ")
            if column:
                line.append_text(_fitted(node, column - 1)).append("├" if is_rule else "│", "dim")
                line.append("" if is_rule else " ")
            lines.append(_fitted(line.append_text(panel), width))
        width, height = asked
        return [_fitted(line, width) for line in [*lines[: height - 1], footer]]

    def _title(self, view: View, event: int, width: int) -> Text:
        sweep = view.iteration.sweep_of(event)[0]
        steps = translate("Step {k} / {n}").format(k=self._position.at + 1, n=len(self._log))
        root = view.iteration.graph.label(len(view.iteration.order) - 1)
        right = Text(f"{SHAPES[sweep]} {sweep_name(sweep)}", f"bold {COLOURS[sweep]}").append(f"   {steps} ", "bold")
        name = set_cell_size(root, room).rstrip() if cell_len(root) > (room := max(width - 50, 10)) else root
        left = Text(" " + translate("How {E} was computed").format(E=name), "bold")
        return _apart(left, right, width)

    def _timeline(self, view: View, event: int, width: int) -> Text:
        """A line for each sweep, as long as it has events, and the place of the present one."""
        starts = view.sweeps()
        ends = [*starts[1:], len(view.iteration)]
        free = max(width - 2 * len(starts), 0)
        least = min(max(free // 8, 3), free // len(starts))
        rest = free - least * len(starts)
        line = Text(" ")
        total = len(view.iteration)
        for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
            sweep = view.iteration.sweep_of(start)[0]
            length = least + rest * end // total - rest * start // total
            done, coming = _LINES[sweep]
            colour = COLOURS[sweep]
            if k:
                line.append("  ")
            if event >= end:
                line.append(done * length, colour)
            elif event < start:
                line.append(coming * length, "dim")
            else:
                at = (event - start) * (length - 1) // max(end - start - 1, 1)
                line.append(done * at, colour).append(SHAPES[sweep], f"bold reverse {colour}")
                line.append(coming * (length - at - 1), "dim")
        return _fitted(line, width)

    def _curve(self, view: View, width: int) -> Text:
        """The losses of all training steps, as a line of bars, and the number of the present one."""
        losses = self._log.losses
        number = view.iteration.number
        words = translate("update {number} of {total} · loss {loss}").format(
            number=number, total=len(losses), loss=show(view.iteration.loss, self._log.digits)
        )
        room = max(min(width - cell_len(words) - 4, len(losses)), 1)
        known = [x for x in losses if x - x == 0.0]
        low, high = min(known, default=0.0), max(known, default=0.0)
        line = Text(f" {words}  ")
        here = (number - 1) * room // len(losses)
        for k in range(room):
            x = losses[(number - 1) if k == here else k * len(losses) // room]
            scaled = 7 if x - x != 0.0 else int(7.99 * (x - low) / (high - low)) if high > low else 0
            line.append(_BLOCKS[scaled], f"bold {COLOURS['update']}" if k == here else "dim")
        return _fitted(line, width)

    # The column of nodes ----------------------------------------------------------------------------------------------

    def _nodes(self, view: View, event: int, width: int, height: int) -> list[Text]:
        """The nodes with an operation, in the order in which they are computed, around the present one."""
        iteration = view.iteration
        kind, node, *rest = iteration.entry(event)
        inputs = [] if isinstance(node, str) else [iteration.graph.index[x] for x in iteration.order[node].inputs]
        if kind == "b":
            inputs = [inputs[rest[0]]]
        place = view.computed_at
        focus = place.get(node, len(place) - 1 if kind == "b" else 0)
        if kind == "u":
            users = [k for k, x in enumerate(iteration.computed) if _uses(view, x, node)] if len(place) < 1000 else []
            focus = users[0] if users else 0
        sources = sorted(place[x] for x in inputs if x in place) if kind != "u" else []
        room = height - 1
        first = _window(focus, len(place), room, sources[0] if sources else focus)
        shown = range(first, min(first + room, len(place)))
        values = _aligned([self._short(view.value(iteration.computed[k], event)) for k in shown], self._room)
        gradients = _aligned([self._short(view.gradient(iteration.computed[k], event)) for k in shown], self._room)
        label = width - 2 * self._room - 5
        titles = (translate("node"), translate("value"), translate("grad"))
        head = f"   {_cell(titles[0], label)} {_right(titles[1], self._room)} {_right(titles[2], self._room)}"
        lines = [Text(head, "dim")]
        colour = COLOURS[iteration.sweep_of(event)[0]]
        for k, value, gradient in zip(shown, values, gradients, strict=True):
            at = iteration.computed[k]
            is_current = kind in "fb" and k == (focus if kind == "f" else sources[0] if sources else -1)
            line = Text()
            line.append(_arc(k, focus, sources), colour)
            line.append(SHAPES["forward" if kind == "f" else "backward"] if is_current else " ", f"bold {colour}")
            line.append(" ")
            known = view.value(at, event) is not None
            style = f"bold {colour}" if is_current else "bold" if kind == "b" and k == focus else "" if known else "dim"
            line.append_text(self._named(view, at, label, style))
            line.append(" " + _right(value, self._room), style if kind == "f" or not is_current else "")
            line.append(" " + _right(gradient, self._room), f"bold {colour}" if kind == "b" and is_current else "")
            lines.append(line)
        return lines + [Text()] * (height - len(lines))

    def _named(self, view: View, at: int, width: int, style: str) -> Text:
        """A node's label, and its formula where there is room."""
        graph = view.iteration.graph
        name = graph.label(at)
        text = Text(name, style)
        room = width - cell_len(name) - 3
        formula = graph.names.formula(graph.order[at]).text
        if formula != name and (cell_len(formula) <= room or room > 20):
            text.append("  " + _shortened(formula, room), "dim")
        return _fitted(text, width) if cell_len(text.plain) <= width else Text(_cell(name, width), style)

    # The step ---------------------------------------------------------------------------------------------------------

    def _step(self, view: View, event: int, width: int, is_tall: bool) -> list[Text]:
        """The event in words: formula, numbers, result, and one or two sentences."""
        iteration = view.iteration
        made = iteration.event(event)
        colour = COLOURS[made.sweep]
        if isinstance(made, Forward):
            parts = self._forward(view, event, made, width)
        elif isinstance(made, Backward):
            parts = self._backward(view, event, made, width, is_tall)
        else:
            parts = self._update(view, event, made, width)
        scope = ""
        node = iteration.entry(event)[1]
        if not isinstance(node, str):
            scope = " › ".join(map(tidy, iteration.order[node].scope))
        head = Text(str(parts[0]), f"bold {colour}")
        lines = [_apart(head, Text(_shortened(scope, max(width - cell_len(head.plain) - 2, 0)), "dim"), width)]
        for part in parts[1:]:
            text = Text(part) if isinstance(part, str) else part
            lines += text.wrap(self._console, width) if text.plain else [Text()]
        return lines

    def _forward(self, view: View, event: int, made: Forward, width: int) -> list[str | Text]:
        iteration = view.iteration
        node = iteration.computed[event]
        x = iteration.order[node]
        names, label = iteration.names, iteration.graph.label
        lines: list[str | Text] = [made.node]
        lines.append(Text(f"= {made.formula}") if made.formula != made.node else Text())
        lines.append(Text(f"= {made.numbers}"))
        lines.append(Text(f"= {self._number(made.result)}", f"bold {COLOURS['forward']}"))
        partials = view.partials(node)
        rows = [
            (f"∂/∂{_shortened(names.label(operand).text, 14)}", names.slope(x, k).text, self._number(partials[k]))
            for k, operand in enumerate(x.inputs)
            if k in partials
        ]
        if rows:
            lines += ["", Text(translate("Kept for the way back: the partial of each input"), "dim")]
            lines += [Text(row) for row in _table(rows, width)]
        user = view.user(node)
        if user is not None:
            lines += ["", translate("Next to use it: {u}.").format(u=label(user))]
        return lines

    def _backward(self, view: View, event: int, made: Backward, width: int, is_tall: bool) -> list[str | Text]:
        iteration = view.iteration
        k = event - len(iteration.computed)
        node, position, receiver = iteration.swept[k], iteration.positions[k], view.receivers[k]
        names, graph = iteration.names, iteration.graph
        root = graph.label(len(graph.order) - 1)
        slope = names.slope(graph.order[node], position).text
        lines: list[str | Text] = [f"{made.node} → {made.input}"]
        rows = [
            (translate("adjoint"), f"∂{root}/∂{made.node}", self._number(made.adjoint)),
            ("× " + translate("partial"), slope, self._number(made.partial)),
            ("= " + translate("contribution"), "", self._number(made.contribution)),
        ]
        lines += [Text(row) for row in _table(rows, width)]
        if is_tall:
            text = translate("What reaches {n} is passed on to {x}, multiplied by the edge’s partial.")
            lines += ["", text.format(n=made.node, x=made.input)]
        arrivals = view.arrivals(receiver)
        arrived = view.arrived(receiver, event)
        if len(arrivals) > 1:
            lines += ["", Text(translate("Sum at {x} so far").format(x=made.input), "dim")]
            sums = []
            for earlier in arrivals[max(arrived - 4, 0) : arrived]:
                j = earlier - len(iteration.computed)
                source = _shortened(graph.label(iteration.swept[j]), 16)
                step = translate("from {n} · step {k}").format(n=source, k=self._position.at - event + earlier + 1)
                sums.append((step, "", self._number(iteration.sweep[4 * j + 2])))
            sums.append(("= " + translate("grad"), "", self._number(made.total)))
            lines += [Text(row) for row in _table(sums, width)]
            lines[-1] = Text(str(lines[-1]), f"bold {COLOURS['backward']}")
        is_leaf = graph.order[receiver].op is None
        if arrived < len(arrivals):
            text = translate("{i} of {k} contributions have arrived")
            lines += ["", text.format(i=arrived, k=len(arrivals))]
        elif is_leaf:
            lines += ["", translate("A leaf: the sum ends here, as its gradient.")]
        elif (passes := view.passes_on_at.get(receiver)) is not None:
            text = translate("The sum is complete; {x} passes it on at step {s}.")
            lines += ["", text.format(x=made.input, s=self._position.at - event + passes + 1)]
        return lines

    def _update(self, view: View, event: int, made: Update, width: int) -> list[str | Text]:
        terms = view.iteration.entry(event)[-1]
        lines: list[str | Text] = [f"{made.node} ← {made.formula}", Text(f"= {made.numbers}")]
        lines += [Text(f"= {self._number(made.new)}", f"bold {COLOURS['update']}"), ""]
        rows = [
            (translate("before"), "", self._number(made.old)),
            (translate("grad"), "", self._number(made.gradient)),
            *[("η" if name == "lr" else name, "", self._number(x)) for name, x in terms.items() if name not in "wg"],
            (translate("after update"), "", self._number(made.new)),
            (translate("change"), "", self._number(made.new - made.old)),
        ]
        lines += [Text(row) for row in _table(rows, width)]
        if made.gradient > 0.0 and made.new < made.old:
            text = translate("{w} moves against its gradient: the gradient is positive, so {w} becomes smaller.")
        elif made.gradient < 0.0 and made.new > made.old:
            text = translate("{w} moves against its gradient: the gradient is negative, so {w} becomes larger.")
        elif made.new == made.old:
            text = translate("{w} stays: this step is zero.")
        else:
            text = translate("{w} moves along with earlier gradients, which weigh more here than its own.")
        return [*lines, "", text.format(w=made.node)]

    # The leaves -------------------------------------------------------------------------------------------------------

    def _leaves(self, view: View, event: int, width: int, height: int) -> tuple[list[Text], str]:
        """The leaves with their values and gradients so far, around the one that changes now; and a title."""
        iteration = view.iteration
        kind, node, *_ = iteration.entry(event)
        current: set[int] = set()
        if kind == "b":
            current = {view.receivers[event - len(iteration.computed)]}
        elif kind == "u":
            current = {node} if not isinstance(node, str) else set()
        else:
            current = {iteration.graph.index[x] for x in iteration.order[node].inputs}
        leaves = view.leaves
        focus = next((k for k, at in enumerate(leaves) if at in current), 0)
        room = max(height - 1, 1)
        first = _window(focus, len(leaves), room, focus)
        shown = leaves[first : first + room]
        values = _aligned([self._short(view.value(at, event)) for at in shown], self._room)
        gradients = _aligned([self._short(view.gradient(at, event)) for at in shown], self._room)
        name = max(width - 2 * self._room - 4, 4)
        title = translate("Leaves")
        if len(shown) < len(leaves):
            title += f" {first + 1}–{first + len(shown)} / {len(leaves)}"
        head = f"  {_cell('', name)} {_right(translate('value'), self._room)} {_right(translate('grad'), self._room)}"
        lines = [Text(head, "dim")]
        sweep = iteration.sweep_of(event)[0]
        colour = COLOURS[sweep]
        for at, value, gradient in zip(shown, values, gradients, strict=True):
            is_current = at in current
            style = f"bold {colour}" if is_current else ""
            line = Text(f"{SHAPES[sweep] if is_current else ' '} ", style)
            line.append(_cell(iteration.graph.label(at), name), style)
            moved = COLOURS["update"] if view.moved(at, event) else ""
            line.append(" " + _right(value, self._room), style if kind == "u" and is_current else moved)
            line.append(" " + _right(gradient, self._room), style if kind == "b" else "")
            lines.append(line)
        return lines[:height], title

    def _number(self, x: float) -> str:
        return show(x, self._log.digits)

    def _short(self, x: float | None) -> str:
        return "" if x is None else show(x, self._digits)


def sweep_name(sweep: str) -> str:
    """The name of a sweep for people."""
    names = {"forward": translate("Forward"), "backward": translate("Backward"), "update": translate("Update")}
    return names[sweep]


def _uses(view: View, user: int, node: int | str) -> bool:
    return any(view.iteration.graph.index[x] == node for x in view.iteration.order[user].inputs)


def _window(focus: int, count: int, room: int, other: int) -> int:
    """The first of ``room`` rows, so that the focus is among them, and the other row if it is near."""
    if count <= room:
        return 0
    first = focus - room // 2
    if other < first and focus - other < room - 1:
        first = other - (room - 1 - (focus - other)) // 2
    return min(max(first, 0), count - room)


def _arc(k: int, focus: int, sources: Sequence[int]) -> str:
    """A part of the line beside the nodes that joins a node with its inputs above it."""
    if not sources or not sources[0] <= k <= focus:
        return " "
    if k == focus:
        return "╰"
    if k in sources:
        return "╭" if k == sources[0] else "├"
    return "│"


def _help(width: int) -> list[Text]:
    texts = [(keys, what.translated()) for keys, what in KEYS]
    left = max(cell_len(keys) for keys, _ in texts) + 2
    lines = [Text(translate("Keys"), "bold"), Text()]
    for keys, what in texts:
        room = width - left
        for k, part in enumerate(_wrapped(what, room)):
            lines.append(Text(_cell(keys if k == 0 else "", left), "bold").append(part, "not bold"))
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(width, 4)) if cell_len(text) > width else [text]


# Pieces of lines ------------------------------------------------------------------------------------------------------


def _cell(text: str, width: int) -> str:
    """The text in exactly that many columns, shortened with an ellipsis if it is longer."""
    return set_cell_size(_shortened(text, width), max(width, 0))


def _shortened(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return "" if width < 1 else set_cell_size(text, width - 1).rstrip() + "…"


def _right(text: str, width: int) -> str:
    text = _shortened(text, width)
    return " " * (width - cell_len(text)) + text


def _fitted(text: Text, width: int) -> Text:
    """The text in exactly that many columns."""
    text = text.copy()
    text.no_wrap = True
    text.truncate(max(width, 0), overflow="ellipsis", pad=True)
    return text


def _apart(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of a line."""
    room = width - cell_len(right.plain) - 1
    if room < cell_len(left.plain):
        left = _fitted(left, room) if room > 8 else Text()
    gap = width - cell_len(left.plain) - cell_len(right.plain)
    return _fitted(Text().append_text(left).append(" " * gap).append_text(right), width)


def _aligned(numbers: Sequence[str], room: int) -> list[str]:
    """Numbers with their decimal points in one column, except those that would be longer than ``room``."""
    after = [len(x) - _point(x) for x in numbers]
    most = max((a for x, a in zip(numbers, after, strict=True) if x), default=0)
    padded = [x + " " * (most - a) if x else x for x, a in zip(numbers, after, strict=True)]
    return [x if len(x) <= room else x.strip() for x in padded]


def _point(number: str) -> int:
    """Where the decimal point of a number is, or would be."""
    return next((k for k, c in enumerate(number) if c in ".e"), len(number))


def _table(rows: Iterable[tuple[str, str, str]], width: int) -> list[str]:
    """Rows of a name, a formula and a number; the formula is left out where there is no room."""
    rows = list(rows)
    numbers = _aligned([number for _, _, number in rows], width)
    widest = max((len(x) for x in numbers), default=0)
    names = max((cell_len(name) for name, _, _ in rows), default=0)
    names = min(names, width - widest - 1)
    room = width - names - widest - 4
    lines = []
    for (name, formula, _), number in zip(rows, numbers, strict=True):
        middle = _cell(formula, room) if room >= 6 and cell_len(formula) <= room else " " * max(room, 0)
        line = _cell(name, names) + "  " + middle + "  " + _right(number, widest)
        lines.append(
            line if cell_len(line) <= width else _cell(name, width - widest - 1) + " " + _right(number, widest)
        )
    return lines
