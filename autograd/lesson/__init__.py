"""Writes the lesson of a computation: one HTML page that steps through it, answers questions, and computes again."""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..drawing import picture
from ..drawing.svg import shapes
from ..errors import ArgumentError, GraphError
from ..explaining import Explanation
from ..files import write_atomically
from ..javascript import engine, update_rule
from ..javascript import rules as javascript_rules
from ..language import ENGLISH, current, language, languages, translate, translations
from ..naming import Names
from ..notation import show
from ..stepping.record import written
from ..value import Value
from . import data

if TYPE_CHECKING:
    from ..stepping import Log

__all__ = ["frame", "page", "write"]

_SCRIPTS = (
    *("words.js", "numbers.js", "run.js", "picture.js", "card.js", "trial.js"),
    *("leaves.js", "timeline.js", "curve.js", "ask.js", "predict.js", "lesson.js"),
)
MOST_NODES = 2000  # of a picture; of a larger graph scopes are closed, and if that is not enough the log stands alone
MOST_BOXES = 400  # of a picture in which scopes are closed
READABLE = 60  # boxes of the picture that the page begins with
MOST_EVENTS = 200_000
MOST_EVENTS_ON_PAPER = 5000  # that are also there as text
MOST_ON_PAPER = 30  # parameters whose derivative is written out


def write(log: Log, path: str | os.PathLike[str], lang: str | None = None) -> Path:
    """Write the lesson page of a log; ``Log.save`` describes it."""
    path = Path(path)
    write_atomically(path, page(log, lang).encode())
    return path


def page(log: Log, lang: str | None = None) -> str:
    """The lesson page of a log as HTML text.

    Args:
        log: what ``steps`` returned, or ``Log.load``.
        lang: the language that it starts in, ``"en"`` or ``"zh"``; it can be switched in the page.

    Raises:
        ArgumentError: if the log has more events than a page can step through.
    """
    if len(log) > MOST_EVENTS:
        raise ArgumentError(
            f"this log has {len(log):,} events, and a page steps through {MOST_EVENTS:,} at most: "
            "log fewer samples or updates, or save it as .json"
        )
    with language(lang):
        return _filled(log, _part("page.html"))


def frame(log: Log, height: int | None = None) -> str:
    """The page inside an iframe, for notebooks: it needs no kernel, no server and no network.

    Args:
        log: the log.
        height: of the frame, in pixels; by default as the picture of the graph needs it.
    """
    content = page(log)
    title = html.escape(translate("How {E} was computed").format(E=log.names.label(log.order[-1]).text))
    advice = html.escape(translate("The lesson is shown when this notebook is trusted."))  # in place of the frame
    style = (
        f"width:100%;height:{height or _suitable(content)}px;border:1px solid rgba(128,136,148,.4);border-radius:8px"
    )
    return (
        f'<iframe srcdoc="{html.escape(content)}" title="{title}" style="{style}" width="100%" loading="lazy">'
        f"{advice}</iframe>"
    )


_PICTURE = re.compile(r'<svg [^>]*class="graph" viewBox="\S+ \S+ \S+ ([\d.]+)"')
_AROUND = 152  # pixels above and below the picture: title, path, player
_CARD = 310  # of what stands below them


def _suitable(content: str) -> int:
    """The height at which a page shows its picture and the card of a step."""
    found = _PICTURE.search(content)
    return _AROUND + _CARD + (round(min(345.0, max(220.0, float(found[1]) + 6.0))) if found else 0)


def _filled(log: Log, template: str) -> str:
    order = _before(log)
    names = Names(order, log.digits)
    rules = javascript_rules({node.op for node in order if node.op is not None})
    known = set(re.findall(r'^  "(\w+)": rule\(', rules, re.MULTILINE))
    rule, trained = _training(log)
    leaves = [k for k, node in enumerate(order) if node.op is None]
    on_paper = (trained or leaves)[:MOST_ON_PAPER]
    explained = data.explained(order, [*on_paper, *leaves[: data.MOST_REASONS]])
    derived = {k: explained[k] for k in on_paper if k in explained}
    scripts = [_part(name) for name in _SCRIPTS]
    update, memory = _further_steps(log)
    with language(ENGLISH):  # the page translates what is in the picture
        drawn, levels = _drawn(order)
    content = {
        "nodes": data.describe(order, names, data.blocked(order, known), explained),
        "optimizer": data.optimizer(log.optimizer, rule, 0 if log.trainer is None else log.trainer.optimizer.steps),
        "trained": trained,
        "memory": memory,
        "source": log.source,
    }
    marked = _marked("".join(scripts))
    messages = {name: translations(name, marked) for name in languages() if name != ENGLISH}
    return _insert(
        template,
        {
            "title": html.escape(translate("How {E} was computed").format(E=names.label(order[-1]).text)),
            "style": shapes() + _part("lesson.css"),
            "picture": drawn,
            "levels": levels,
            "paper": "".join(_paper(log, name, derived) for name in languages()),
            "record": _safe("".join(written(log))),
            "data": _safe(json.dumps({"page": content, "messages": messages, "language": current()})),
            "script": "\n".join([engine(), f"const rules = {rules};", f"const update = {update};", *scripts]),
        },
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _insert(template: str, parts: Mapping[str, str]) -> str:
    """The template with each ``[[name]]`` replaced; what is inserted is not looked at again."""
    pieces = re.split(r"\[\[(\w+)\]\]", template)
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def _safe(text: str) -> str:
    """JSON that can stand inside a script element: no tag can begin in it."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _training(log: Log) -> tuple[str | None, list[int]]:
    """The rule of the optimiser's updates, and the parameters that it moves."""
    moves = [move for move in log.updates[0].moves if isinstance(move.parameter, int)]
    return (moves[0].rule if moves else None), [move.parameter for move in moves if isinstance(move.parameter, int)]


def _further_steps(log: Log) -> tuple[str, dict[int, dict[str, float]]]:
    """The optimiser's step as JavaScript, and what it remembers of each parameter before the first one."""
    if log.trainer is None:
        return "null", {}
    pairs = zip(log.updates[0].moves, log.trainer.state, strict=True)
    memory = {move.parameter: state for move, state in pairs if isinstance(move.parameter, int)}
    return update_rule(log.trainer.optimizer), memory


def _marked(script: str) -> list[str]:
    """The messages that a script marks with ``_``."""
    marked = re.findall(r'(?<![\w$.])_\(\s*("(?:[^"\\\n]|\\.)*")', script)
    return [json.loads(message) for message in marked]


def _before(log: Log) -> list[Value]:
    """A copy of the graph as it was before the update, with its gradients; the log's own nodes are left alone."""
    order = data.copied(log.order, log.updates[0].values)
    for k, gradient in _gradients(log):
        order[k].grad = gradient
    order[-1].grad = 1.0
    return order


class _Level(NamedTuple):
    """The graph drawn with its scopes open to some depth."""

    depth: int
    svg: str
    boxes: int
    nodes: int


def _levels(order: Sequence[Value]) -> list[_Level]:
    """The graph with all scopes closed, with the outermost open, and so on; without the levels that are too large."""
    deepest = max(len(node.scope) for node in order)
    found: list[_Level] = []
    for depth in range(deepest + 1):
        limit = MOST_NODES if depth == deepest else MOST_BOXES
        if depth == deepest and len(order) > limit:
            break
        try:
            drawn = picture([order[-1]], limit=limit, width=math.inf, tags=True,
                            depth=None if depth == deepest else depth,
                            collapse=False if depth == deepest else None).svg(style=False)  # fmt: skip
        except GraphError:  # too many boxes, and a deeper level has more
            break
        found.append(_Level(depth, drawn, len(re.findall(r'<g class="(?:node|sheet)', drawn)),
                            len(set(re.findall(r'data-node="(\w+)"', drawn)))))  # fmt: skip
    return found


def _drawn(order: Sequence[Value]) -> tuple[str, str]:
    """The picture that the page begins with, and the other levels, as templates."""
    levels = _levels(order)
    if not levels:
        message = translate("The picture is too large to draw: {n} nodes. Steps are shown without it.")
        return f'<p class="too-large">{html.escape(message.format(n=f"{len(order):,}"))}</p>', ""
    first = next((level for level in reversed(levels) if level.boxes <= READABLE), levels[0])
    others = [x for x in levels if x is not first]
    return (
        f'<div class="drawing" data-level="{first.depth}" data-nodes="{first.nodes}">{first.svg}</div>',
        "\n".join(f'<template data-level="{x.depth}" data-nodes="{x.nodes}">{x.svg}</template>' for x in others),
    )


# On paper -------------------------------------------------------------------------------------------------------------


def _paper(log: Log, name: str, explained: Mapping[int, Explanation]) -> str:
    """The whole derivation as text, in one language: for paper, and for browsers without JavaScript."""
    with language(name):
        tag = {"zh": "zh-Hans"}.get(name, name)
        parts = [f'<div lang="{tag}">', _heading(translate("Step by step")), _pre(_lines(log))]
        parts += [_heading(translate("Leaves")), _table(log)]
        if explained:
            parts.append(_heading(translate("Why each gradient is what it is")))
        for k, explanation in explained.items():
            parts.append(_pre(str(explanation).splitlines(), f' data-derivation="n{k}"'))
        return "\n".join([*parts, "</div>"])


def _heading(text: str) -> str:
    return f"<h2>{html.escape(text)}</h2>"


def _pre(lines: Sequence[str], attribute: str = "") -> str:
    return f"<pre{attribute}>{html.escape(chr(10).join(lines))}</pre>"


def _lines(log: Log) -> list[str]:
    lines = list(islice(log.text(), 3 * MOST_EVENTS_ON_PAPER))
    if len(log) > MOST_EVENTS_ON_PAPER:
        lines.append(translate("… of {n} events in all").format(n=f"{len(log):,}"))
    return lines


def _table(log: Log) -> str:
    first = log.updates[0]
    gradients = dict(_gradients(log))
    after = {move.parameter: move.new for move in first.moves}
    heads = [translate("leaf"), translate("value"), translate("gradient"), translate("after update")]
    rows = []
    for k, node in enumerate(log.order):
        if node.op is None:
            cells = [show(first.values[k]), show(gradients.get(k, 0.0)), show(after[k]) if k in after else ""]
            label = data.as_html(log.names.label(node).text)
            rows.append(f"<tr><th>{label}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _gradients(log: Log) -> Iterator[tuple[int, float]]:
    """The running total of each input, after each edge of the sweep; the last one of an input is its gradient."""
    first = log.updates[0]
    index = first.graph.index
    for at, (node, position) in enumerate(zip(first.swept, first.positions, strict=True)):
        yield index[first.order[node].inputs[position]], first.sweep[4 * at + 3]
