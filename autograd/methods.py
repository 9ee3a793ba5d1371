"""The docstrings of Value's methods: formula, slopes and domain, from the rows of the table."""

from __future__ import annotations

import re
from typing import Any

from . import ops
from .ops import Op
from .value import Value

_OPERATORS = {
    "add": ops.ADD, "sub": ops.SUB, "mul": ops.MUL, "truediv": ops.DIV, "pow": ops.POW, "mod": ops.MOD,
    "neg": ops.NEG, "abs": ops.ABS,
}  # fmt: skip
_OTHERS = {
    "__pos__": "The Value itself.",
    "__lt__": "Whether x < y, compared as numbers; while a function is compiled, a condition for where().",
    "__le__": "Whether x <= y, compared as numbers; while a function is compiled, a condition for where().",
    "__gt__": "Whether x > y, compared as numbers; while a function is compiled, a condition for where().",
    "__ge__": "Whether x >= y, compared as numbers; while a function is compiled, a condition for where().",
    "__floordiv__": "x // y: the largest whole number that is at most x / y; slope 0.",
    "__rfloordiv__": "y // x: the largest whole number that is at most y / x; slope 0.",
    "__divmod__": "The pair x // y and x % y.",
    "__rdivmod__": "The pair y // x and y % x for a number y.",
    "__copy__": "A leaf with the same number; the Value itself while a derivative is taken.",
    "__deepcopy__": "A leaf with the same number; the Value itself while a derivative is taken.",
    "__round__": "x rounded to that many decimal places, halves to the even neighbour; slope 0.",
    "__bool__": "Whether the number is not 0.",
    "__float__": "The number; no derivative passes through it.",
    "__int__": "The number without its fraction; no derivative passes through it.",
    "item": "The number as a float; no derivative passes through it.",
}


def _summary(op: Op, formula: Any) -> str:
    """A row of the table in one line: formula, slopes, domain, convention."""
    slopes = " and ".join(op.slopes) if isinstance(op.slopes, tuple) else ""
    result = ", z the result" if re.search(r"\bz\b", slopes) else ""
    several = "s" if len(op.operands) > 1 else ""
    convention = f"; {op.convention}" if op.convention else ""
    return f"{formula}; slope{several} {slopes}{result}; for {op.conditions()}{convention}."


def document() -> None:
    """Give Value's methods their docstrings."""
    rows = {**ops.TABLE, "arctan2": ops.ATAN2, **{f"__{name}__": op for name, op in _OPERATORS.items()}}
    texts = {name: _summary(op, op.formula) for name, op in rows.items() if name in vars(Value)}
    for name, op in _OPERATORS.items():
        if f"__r{name}__" in vars(Value):
            texts[f"__r{name}__"] = f"y {op.symbol} x for a number y; see __{name}__."
    for name, text in {**texts, **_OTHERS}.items():
        method: Any = vars(Value).get(name)
        if method is not None and not method.__doc__:
            method.__doc__ = text
