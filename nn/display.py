"""What notebooks show of a training, an optimiser and a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autograd import Value
from autograd.display import card, curves, formula, key, line, quiet, setting, table
from autograd.language import translate
from autograd.markup import Piece, escape_xml
from autograd.notation import render, show
from autograd.text import shortened, shown

from .dropout import Dropout
from .module import Module

if TYPE_CHECKING:
    from .training import History

MOST_LAYERS = 16  # rows of the table of a model
_GREEK = {"lr": "η", "eps": "ε", "momentum": "μ", "rho": "ρ", "delta": "δ", "alpha": "α", "weight_decay": "λ"}


def history(found: History) -> str:
    """The losses of a training as curves, and the numbers that count."""
    named = [(translate("loss"), found.loss)]
    if found.val_loss:
        named.append((translate("validation loss"), found.val_loss))
    numbers = [
        f"{key(k, name)} {escape_xml(show(xs[0], 4))} → <b>{escape_xml(show(xs[-1], 4))}</b>"
        for k, (name, xs) in enumerate(named)
        if xs
    ]
    epochs = len(found.loss)
    count = translate("{count} epoch", "{count} epochs", epochs).format(count=f"{epochs:,}")
    best = translate("best epoch: {number}").format(number=f"{found.best_epoch + 1:,}") if epochs else ""
    ended = "" if found.stopped == "epochs" else translate("stopped: {reason}").format(reason=_reason(found.stopped))
    told = [f"<b>{escape_xml(count)}</b>", *numbers, *(quiet(escape_xml(text)) for text in (best, ended) if text)]
    return card(line(*told), curves(named, translate("epochs")))


def _reason(stopped: str) -> str:
    reasons = {
        "early": translate("validation loss no longer falls"),
        "callback": translate("by a callback"),
        "interrupted": translate("interrupted"),
        "diverged": translate("no longer finite"),
    }
    return reasons.get(stopped, stopped)


def optimizer(kind: str, count: int, update: str, settings: Mapping[str, Any]) -> str:
    """The rule of an optimiser and its settings.

    Args:
        kind: its name.
        count: how many parameters it updates.
        update: the new value of a parameter as a formula.
        settings: by name, the learning rate first.
    """
    parameters = translate("{count} parameter", "{count} parameters", count).format(count=f"{count:,}")
    names = {name: Piece(_GREEK.get(name, name)) for name in re.findall(r"[^\W\d]\w*", update)}
    names.pop("sqrt", None)
    rule = formula(f"w ← {render(update, names).text}")
    shown_settings = [setting(_called(name), _written(x)) for name, x in settings.items()]
    return card(line(f"<b>{escape_xml(kind)}</b>", quiet(escape_xml(parameters)), rule), line(*shown_settings))


def _called(name: str) -> str:
    return escape_xml(f"{name} {_GREEK[name]}" if name == "lr" else name)


def _written(x: Any) -> str:
    return escape_xml(f"{x:g}" if isinstance(x, float) else shown(tuple(x) if isinstance(x, list) else x))


def module(model: Module) -> str:
    """The layers of a model, their shapes, and how many parameters they train."""
    seen: set[Value] = set()
    rows = []
    for path, part in _layers(model):
        trained = [value for value in part.parameters() if value not in seen]
        seen.update(trained)
        kind = repr(part) if isinstance(part, Dropout) else type(part).__name__
        cells = (path, kind, _shape(part), _activation(part))
        rows.append((*map(escape_xml, cells), f"{len(trained):,}"))
    total = len(model.parameters())
    if rows and len(seen) < total:
        rows.append(("", escape_xml(translate("others")), "", "", f"{total - len(seen):,}"))
    fixed = sum(1 for _ in model.named_values()) - total
    counts = [translate("{count} parameter", "{count} parameters", total).format(count=f"{total:,}")]
    if fixed:
        counts.append(translate("{count} fixed").format(count=f"{fixed:,}"))
    head = ("", *map(escape_xml, (translate("layer"), translate("shape"), translate("activation"))))
    many = tuple("…" for _ in range(5))
    return card(
        line(f"<b>{escape_xml(type(model).__name__)}</b>", quiet(escape_xml(", ".join(counts)))),
        table((*head, escape_xml(translate("parameters"))), shortened(rows, MOST_LAYERS, many), numbers=(4,))
        if rows
        else "",
    )


def _layers(model: Module) -> Iterator[tuple[str, Module]]:
    """The parts of a model that say their own shape or contain no other, with their paths; each once."""
    seen: set[Any] = set()
    stack: list[tuple[str, Any]] = [("", model)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, Module) and item not in seen:
            seen.add(item)
            inside = [] if hasattr(item, "nin") else [(k, x) for k, x in vars(item).items() if _holds(x)]
            if inside:
                stack += [(f"{path}.{k}" if path else k, x) for k, x in reversed(inside)]
            else:
                yield path, item
        elif isinstance(item, list | tuple) and id(item) not in seen:
            seen.add(id(item))
            stack += [(f"{path}.{k}", x) for k, x in reversed([*enumerate(item)]) if _holds(x)]


def _holds(x: Any) -> bool:
    return isinstance(x, Module | list | tuple)


def _shape(part: Module) -> str:
    if not hasattr(part, "nin"):
        return ""
    return f"{part.nin} → {getattr(part, 'nout', 1)}"


def _activation(part: Module) -> str:
    given = getattr(part, "activation", "")
    return given if isinstance(given, str) else "" if given is None else getattr(given, "__name__", shown(given))
