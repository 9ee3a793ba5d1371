"""What the lesson page needs besides the log: labels, formulas cut at their operands, and why a gradient is unusual."""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from ..context import Surrounding
from ..explaining import Explanation, explain
from ..language import language, languages
from ..markup import MARKUP, indexed, operator
from ..naming import Names
from ..notation import ATOM, Piece, piece, render
from ..value import Value, node

MOST_REASONS = 40  # leaves for which the page says why their derivative is unusual
LARGE = 2000  # nodes; of a larger graph nothing is explained beforehand
_MARK = 0xE000  # of the first operand; these characters are for private use, and names that contain one are tidied
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")


def describe(
    order: Sequence[Value], names: Names, blocked: Mapping[int, str], explained: Mapping[int, Explanation]
) -> list[dict[str, Any]]:
    """Each node of the graph as the page shows it.

    Args:
        order: the nodes in topological order.
        names: their labels.
        blocked: for each leaf that cannot be edited, the operation that stands in the way.
        explained: the derivatives of the result with respect to some leaves.
    """
    reasons = _reasons(explained)
    found = []
    for k, x in enumerate(order):
        label = names.label(x).text
        entry: dict[str, Any] = {"html": as_html(label), "math": as_math(label)}
        if (atom := names.atom(x)) != label:  # as it stands behind a ∂
            entry["atom"] = {"html": as_html(atom), "math": as_math(atom)}
        if x.op is not None:
            entry["columns"] = _columns(x, names)
            entry["slopes"] = [as_html(names.slope(x, at).text) for at in range(len(x.inputs))]
        if k in blocked:
            entry["editable"] = blocked[k]
        if k in reasons:
            entry["reason"] = reasons[k]
        found.append(entry)
    return found


def copied(order: Sequence[Value], values: Sequence[float]) -> list[Value]:
    """The same graph with its own nodes, and with these values."""
    fresh: dict[Value, Value] = {}
    with Surrounding(recording=True, tracer=None, loops=None):
        for x, value in zip(order, values, strict=True):
            inputs = tuple(fresh[y] for y in x.inputs)
            origin = tuple(fresh[y] if isinstance(y, Value) else y for y in x.origin)
            made = fresh[x] = node(value, inputs, x.partials, origin)
            made.name, made.scope = x.name, x.scope
    return list(fresh.values())


def blocked(order: Sequence[Value], known: Container[str]) -> dict[int, str]:
    """The leaves from which an operation follows that the page cannot compute, and which."""
    index = {x: k for k, x in enumerate(order)}
    missing: dict[int, str] = {}
    for k in range(len(order) - 1, -1, -1):
        op = order[k].op
        if op is not None and op.name not in known:
            missing[k] = op.name
        if k in missing:
            for x in order[k].inputs:
                missing.setdefault(index[x], missing[k])
    return {k: op for k, op in missing.items() if order[k].op is None}


def explained(order: Sequence[Value], leaves: Sequence[int]) -> dict[int, Explanation]:
    """The derivatives of the result with respect to these leaves; none for a large graph."""
    return {} if len(order) > LARGE else {k: explain(order[-1], order[k]) for k in dict.fromkeys(leaves)}


def _reasons(explained: Mapping[int, Explanation]) -> dict[int, dict[str, str]]:
    """Why the derivative of the result with respect to a leaf is zero, tiny or not a number, in each language."""
    found: dict[int, dict[str, str]] = {}
    for k, explanation in explained.items():
        for name in languages():
            with language(name):
                if notes := explanation.notes:
                    found.setdefault(k, {})[name] = " ".join(map(str, notes))
    return found


def optimizer(settings: Mapping[str, Any] | None, rule: str | None, made: int) -> dict[str, Any] | None:
    """The optimiser as the page shows it: its update as a formula cut at its terms; and how many steps it had made."""
    if settings is None or rule is None:
        return None
    terms = sorted(set(_WORD.findall(rule)) - {"sqrt", "max", "abs", "sign"})
    marked = {name: Piece(name + chr(_MARK + k)) for k, name in enumerate(terms)}
    texts, slots = _cut(render(rule, marked).text, terms)
    maths = {name: as_math({"lr": "η"}.get(name, name)) for name in terms}
    return {
        "kind": settings["kind"], "lr": settings.get("lr", 0.0), "maths": maths,
        "made": made,
        "columns": {"texts": texts, "slots": [terms[k] for k in slots]}, "settings": dict(settings),
    }  # fmt: skip


def _columns(at: Value, names: Names) -> dict[str, Any]:
    """A node's formula, cut at its operands: the texts around them, and the position of each among the inputs."""
    assert at.op is not None
    pieces: list[Piece] = []
    labels: list[str] = []
    for x in at.operands:
        if isinstance(x, Value):
            label = names.label(x)
            pieces.append(Piece(label.text + chr(_MARK + len(labels)), label.level))
            labels.append(label.text)
        else:
            pieces.append(piece(x))
    count = len(pieces)
    if count > 200:
        return {}
    written = render(at.op.formula_for(count), dict(zip(at.op.names(count), pieces, strict=True))).text
    texts, slots = _cut(written, labels)
    maths: list[str | None] = []
    for n, k in enumerate(slots):
        composite = names.label(at.inputs[k]).level < ATOM
        own = texts[n].endswith("(") and texts[n + 1].startswith(")") and composite
        if own and not texts[n][:-1].rstrip("( ").endswith(tuple(_ENDS)) and not texts[n][-2:-1].isalnum():
            texts[n], texts[n + 1] = texts[n][:-1], texts[n + 1][1:]
            maths.append(as_math(f"({labels[k]})"))
        else:
            maths.append(None)
    return {"texts": texts, "slots": slots, **({"maths": maths} if any(maths) else {})}


_ENDS = "σΦΓψ¹"  # a parenthesis after one of these is that of a function


def _cut(written: str, labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """A formula with a mark behind each label, as the texts between the labels and which label stands there."""
    texts: list[str] = []
    slots: list[int] = []
    start = 0
    for at, character in enumerate(written):
        k = ord(character) - _MARK
        if 0 <= k < len(labels):
            texts.append(written[start : at - len(labels[k])])
            slots.append(k)
            start = at + 1
    return [*texts, written[start:]], slots


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """A label in parts, and whether each is a name."""
    end = 0
    for word in _WORD.finditer(text):
        yield text[end : word.start()], False
        yield word[0], True
        end = word.end()
    yield text[end:], False


def as_html(text: str) -> str:
    """A label as HTML, with indices set as indices.

    >>> as_html("w5·out_h1 < 2")
    'w<sub>5</sub>·out<sub>h1</sub> &lt; 2'
    """
    found = []
    for part, is_name in _words(text):
        head, index = indexed(part) if is_name else (part, "")
        found.append(html.escape(head) + (f"<sub>{html.escape(index)}</sub>" if index else ""))
    return "".join(found)


def as_math(text: str) -> str:
    """A label as MathML, in one row.

    >>> as_math("w5·2")
    '<msub><mi mathvariant="normal">w</mi><mn>5</mn></msub><mo stretchy="false">·</mo><mn>2</mn>'
    """
    style = MARKUP["mathml"]
    found = []
    for part, is_name in _words(text):
        if is_name:
            found.append(style.name(part))
            continue
        for sign in re.findall(r"[\d.]+(?:e[−-]?\d+)?|[^\d.\s]|\.", part):
            found.append(style.number(sign, None) if sign[0].isdigit() else operator(sign))
    return "".join(found)
