"""What notebooks show: HTML without scripts, in the colours of the page around it, so that it suits a dark one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from .errors import AutogradError
from .graph import topological
from .language import translate, translated
from .markup import Piece, escape_xml
from .notation import ATOM, piece, render, show, tidy
from .recorded import operand_numbers
from .value import Value

if TYPE_CHECKING:
    from .check import Report
    from .stepping import Log

MOST_OPERANDS = 8  # of a formula that is written out
MOST_SHOWN = 20_000  # events and nodes of a lesson inside a notebook, whose file keeps the page: about 8 MB
FIRST_LINES = 40  # of a log that is shown as text
MOST_POINTS = 300  # of a curve

_FONT = (
    "'Helvetica Neue',Helvetica,Arial,'Liberation Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"
)
_LINE = "rgba(128,136,148,.4)"
TINTS = {"fwd": "rgba(47,129,219,.17)", "bwd": "rgba(226,98,32,.18)", "good": "rgba(22,160,110,.18)", "": "none"}
_STROKES = ("#2f81db", "#e26220")  # seen on white and on black
_DASHES = ("", ' stroke-dasharray="5 3"')


# Parts ----------------------------------------------------------------------------------------------------------------


def card(*parts: str) -> str:
    """A frame around parts, each on a line of its own."""
    style = (
        f"display:inline-block;box-sizing:border-box;max-width:100%;overflow-x:auto;padding:8px 14px;margin:2px 0;"
        f"border:1px solid {_LINE};border-radius:8px;font:13px/1.55 {_FONT};font-variant-numeric:tabular-nums"
    )
    return f'<div style="{style}">{"".join(f"<div>{part}</div>" for part in parts if part)}</div>'


def line(*parts: str) -> str:
    """Parts beside each other, with room between them."""
    items = "".join(f"<span>{part}</span>" for part in parts if part)
    return f'<span style="display:inline-flex;flex-wrap:wrap;align-items:baseline;gap:2px 14px">{items}</span>'


def quiet(html: str) -> str:
    """A part that is less important."""
    return f'<span style="opacity:.75">{html}</span>' if html else ""


def tag(html: str, tint: str = "") -> str:
    """A short part on a coloured ground."""
    style = f"background:{TINTS[tint]};border-radius:4px;padding:1px 7px;white-space:nowrap"
    return f'<span style="{style}">{html}</span>'


def setting(name: str, x: str) -> str:
    """A name and what it is set to, both as HTML."""
    return f"{quiet(name)} {x}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of HTML cells; the columns of numbers are aligned at their right."""

    def cells(kind: str, row: Sequence[str], style: str) -> str:
        return "".join(
            f'<{kind} style="{style};padding:3px {18 if k < len(head) - 1 else 0}px 3px 0;'
            f'text-align:{"right" if k in numbers else "left"}">{cell}</{kind}>'
            for k, cell in enumerate(row)
        )

    plain = "border:0;background:none"
    top = f"{plain};font-weight:400;opacity:.75;vertical-align:bottom"
    body = f"{plain};border-top:1px solid {_LINE};vertical-align:top"
    written = "".join(f'<tr style="{plain}">{cells("td", row, body)}</tr>' for row in rows)
    return (
        '<table style="border-collapse:collapse;border:0;margin:4px 0 0;font:inherit;color:inherit;table-layout:auto">'
        f'<thead style="{plain}"><tr style="{plain}">{cells("th", head, top)}</tr></thead><tbody>{written}</tbody>'
        "</table>"
    )


def formula(text: str) -> str:
    """A formula or label as HTML, with indices set as indices."""
    from .lesson.data import as_html

    return as_html(text).replace("<sub>", '<sub style="font-size:.76em;line-height:0">')


def curves(named: Sequence[tuple[str, Sequence[float]]], unit: str) -> str:
    """Curves over 1, 2, 3 …, as a picture; where all numbers are positive and differ much, the scale is logarithmic.

    Args:
        named: what each curve is called, and its numbers; those that are not finite are left out.
        unit: what is counted from left to right.
    """
    finite = [x for _, numbers in named for x in numbers if math.isfinite(x)]
    longest = max((len(numbers) for _, numbers in named), default=0)
    if longest < 2 or not finite:
        return ""
    low, high = min(finite), max(finite)
    logarithmic = low > 0.0 and high / low > 20.0
    scale = math.log if logarithmic else float
    bottom, span = scale(low), scale(high) - scale(low) or 1.0
    left, top, width, height = 66, 12, 330, 96
    drawn = []
    for k, (_, numbers) in enumerate(named):
        path, pen = [], "M"
        for at in _chosen(numbers):
            if not math.isfinite(numbers[at]):
                pen = "M"
                continue
            x = left + width * at / (longest - 1)
            y = top + height * (1.0 - (scale(numbers[at]) - bottom) / span)
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        style = f'fill="none" stroke="{_STROKES[k]}" stroke-width="2" stroke-linejoin="round"{_DASHES[k]}'
        drawn.append(f'<path d="{"".join(path)}" {style}/>')
    base = top + height
    grid = "".join(
        f'<path d="M{left} {y}H{left + width}" stroke="currentColor" stroke-opacity=".25"/>' for y in (top, base)
    )
    texts: list[tuple[float, int, str, str]] = [
        (left - 8, top + 4, "end", show(high, 3)),
        (left - 8, base + 4, "end", show(low, 3)),
    ]
    texts += [(left, base + 19, "start", "1"), (left + width, base + 19, "end", f"{longest:,} {unit}")]
    if logarithmic:
        texts.append((left + width / 2, base + 19, "middle", translate("logarithmic scale")))
    labels = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="currentColor" fill-opacity=".75">{escape_xml(text)}</text>'
        for x, y, anchor, text in texts
    )
    title = escape_xml(", ".join(name for name, _ in named))
    return (
        f'<svg role="img" aria-label="{title}" viewBox="0 0 {left + width + 8} {base + 26}" '
        f'width="{left + width + 8}" style="max-width:100%;height:auto;display:block;font-size:11.5px">'
        f"{grid}{''.join(drawn)}{labels}</svg>"
    )


def key(k: int, name: str) -> str:
    """The name of a curve beside a piece of its line."""
    stroke = f'stroke="{_STROKES[k]}" stroke-width="2"{_DASHES[k]}'
    sample = f'<svg aria-hidden="true" width="22" height="8"><path d="M0 4H22" {stroke}/></svg>'
    return f"{sample} {escape_xml(name)}"


def _chosen(numbers: Sequence[float]) -> Iterable[int]:
    """The places of the numbers that are drawn: all, or of many the smallest and the largest of each part."""
    if len(numbers) <= MOST_POINTS:
        return range(len(numbers))
    size = -(-2 * len(numbers) // MOST_POINTS)
    found = {0, len(numbers) - 1}
    for start in range(0, len(numbers), size):
        part = range(start, min(start + size, len(numbers)))
        broken = [k for k in part if not math.isfinite(numbers[k])]
        whole = [k for k in part if math.isfinite(numbers[k])] or broken
        found |= {min(whole, key=numbers.__getitem__), max(whole, key=numbers.__getitem__), *broken[:1]}
    return sorted(found)


# What autograd shows --------------------------------------------------------------------------------------------------


def value(x: Value) -> str:
    """A Value: its name, its number, the operation that made it, and its gradient."""
    written = None if x.op is None else _operation(x)
    name = written if x.name is None else formula(tidy(x.name))
    number = f"<b>{escape_xml(show(x.data))}</b>"
    made = "" if x.name is None else written or ""
    kind = escape_xml(translate("leaf")) if x.op is None else made
    gradient = f"{escape_xml(translate('gradient'))} {escape_xml(show(x.grad))}"
    return card(line(f"{name} = {number}" if name else number, quiet(kind), tag(gradient, "bwd")))


def _operation(x: Value) -> str:
    """The formula of a node on the names of its operands, or on their numbers where they have none."""
    assert x.op is not None
    count = len(x.operands)
    if count > MOST_OPERANDS:
        return escape_xml(translate("{operation} of {count} operands").format(operation=x.op.name, count=f"{count:,}"))
    numbers, _ = operand_numbers(x)
    labels = [
        Piece(tidy(y.name), ATOM) if isinstance(y, Value) and y.name is not None else piece(number)
        for y, number in zip(x.operands, numbers, strict=True)
    ]
    return formula(render(x.op.formula_for(count), dict(zip(x.op.names(count), labels, strict=True))).text)


_SIGNS = {"pass": ("✓", "good"), "fail": ("✗", "bwd"), "inconclusive": ("?", "")}


def report(found: Report) -> str:
    """What gradcheck found: the summary, and the derivatives that need attention first."""
    from .check import MOST_TOLD, VERDICTS

    rows = []
    ranked = found.ranked()
    for c in ranked[:MOST_TOLD]:
        sign, tint = _SIGNS[c.verdict]
        verdict = tag(f"{sign} {escape_xml(VERDICTS[c.verdict].translated())}", tint)
        measured = f"{show(c.measured, 8)} ± {c.error:.1e}"
        texts = (translated(c.what), show(c.claimed, 8), measured, translated(c.note))
        rows.append((verdict, *map(escape_xml, texts)))
    head = ("", "", translate("claimed"), translate("measured"), "")
    rest = len(ranked) - MOST_TOLD
    sign, tint = _SIGNS[found.verdict]
    return card(
        line(tag(f"<b>{sign}</b>", tint), f"<b>{escape_xml(found.summary())}</b>"),
        table([*map(escape_xml, head)], rows, numbers=(2, 3)),
        escape_xml(translate("and {number} more").format(number=f"{rest:,}")) if rest > 0 else "",
        escape_xml(translated(found.blame)),
    )


def replayed(root: Value, digits: int) -> Log:
    """The log of both sweeps through a graph, made on a copy: gradients stay as they are."""
    from .lesson.data import copied
    from .stepping import steps

    order = topological(root)
    return steps(copied(order, [x.data for x in order])[-1], digits=digits)


def lesson(log: Log) -> str:
    """The lesson of a log inside a frame; where there can be none, the log's first lines as text, and why."""
    from .lesson import frame

    if len(log) + len(log.order) > MOST_SHOWN:
        reason = translate(
            "This log has {n} events, too many for a page in a notebook; save it as a page of its own: {code}"
        ).format(n=f"{len(log):,}", code='log.save("lesson.html")')
    else:
        try:
            return frame(log)
        except AutogradError as error:
            reason = translate("The lesson cannot be shown: {reason}").format(reason=error)
    lines = list(islice(log.text(), FIRST_LINES + 1))
    if len(lines) > FIRST_LINES:
        lines[FIRST_LINES:] = [translate("… of {n} events in all").format(n=f"{len(log):,}")]
    style = "font-size:12px;line-height:1.45;margin:6px 0 0;background:none;color:inherit"
    return card(escape_xml(reason), f'<pre style="{style}">{chr(10).join(map(escape_xml, lines))}</pre>')
