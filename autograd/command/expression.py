"""Formulas as text: read as Python expressions of numbers, names and this library's functions, and computed from them.

Nothing of the text is run as Python: its syntax tree is walked, and what is not arithmetic is refused.
"""

from __future__ import annotations

import ast
import math
import operator
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from .. import functions
from ..errors import ArgumentError, AutogradError
from ..text import shown

CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}
LONGEST = 100_000  # characters

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_COMPARED: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(ArgumentError):
    """A formula cannot be read; the text shows the place."""

    def __init__(self, what: str, text: str, start: int, end: int) -> None:
        from rich.cells import cell_len  # characters may be two columns wide

        before = cell_len(text[:start])
        marks = max(1, cell_len(text[start:end]))
        left = max(0, start - 60)
        if left:  # a long formula: the part around the place
            before = cell_len("…" + text[left:start])
            text = "…" + text[left:]
        line = text if len(text) <= 120 else text[:120] + "…"
        super().__init__(f"{what}\n  {line}\n  {' ' * before}{'^' * min(marks, max(1, 120 - before))}")


class Expression:
    """A formula.

    Args:
        text: a Python expression, for example ``"x*sin(y) + y**2"``.

    Attributes:
        text: the formula in one line.
        names: its variables, in the order in which they appear first.

    Raises:
        ExpressionError: if it is no formula of numbers.

    >>> f = Expression("x*sin(y) + y**2")
    >>> f.names, round(f({"x": 2.0, "y": 0.5}), 6)
    (('x', 'y'), 1.208851)
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._bytes = self.text.encode()
        if len(self.text) > LONGEST:
            raise ArgumentError(f"a formula of {len(self.text):,} characters; at most {LONGEST:,} are read")
        self._order = self._checked(self._tree())
        names = (node.id for node in self._order if isinstance(node, ast.Name))
        self.names = tuple(dict.fromkeys(name for name in names if name not in CONSTANTS))

    def _tree(self) -> ast.expr:
        if not self.text:
            raise ArgumentError("the formula is empty; write one such as 'x*sin(y) + y**2'")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of calls of numbers, which are refused below
                return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            at = max(0, (error.offset or 1) - 1)
            end = at + 1 if error.end_offset is None else error.end_offset - 1
            raise ExpressionError(_advice(self.text, error), self.text, min(at, len(self.text)), end) from None
        except (RecursionError, MemoryError, ValueError) as error:  # ValueError: a null character
            raise ArgumentError(f"the formula cannot be read: {error}; is it nested too deep?") from None

    def _checked(self, root: ast.expr) -> list[ast.expr]:
        """The parts of the formula, each after its own parts; refuses what is no arithmetic."""
        found: list[ast.expr] = []
        stack: list[ast.expr] = [root]
        while stack:
            node = stack.pop()
            found.append(node)
            stack.extend(self._parts(node))
        return found[::-1]

    def _parts(self, node: ast.expr) -> list[ast.expr]:
        """What a part is computed from, first to last."""
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.BitXor):
                raise self._refused("^ is no power here: write **", node, node.left, node.right)
            if type(node.op) in _BINARY:
                return [node.left, node.right]
        elif isinstance(node, ast.UnaryOp):
            if type(node.op) in _UNARY:
                return [node.operand]
        elif isinstance(node, ast.Compare):
            if all(type(op) in _COMPARED for op in node.ops) and len(node.ops) == 1:
                return [node.left, *node.comparators]
            raise self._refused("a comparison here is one of < <= > >= between two numbers", node)
        elif isinstance(node, ast.Call):
            self._function(node)
            return [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.List | ast.Tuple):
            return list(node.elts)
        elif isinstance(node, ast.Name):
            if node.id in functions.__all__:
                raise self._refused(f"{node.id} is a function: write {node.id}(…)", node)
            return []
        elif isinstance(node, ast.Constant):
            if type(node.value) in (int, float):
                if abs(node.value) > sys.float_info.max:  # type: ignore[arg-type]
                    raise self._refused("this number is too large for a float", node)
                return []
            raise self._refused(f"{shown(node.value)} is no real number", node)
        elif isinstance(node, ast.IfExp):
            raise self._refused("write where(condition, x, y) for x if condition else y", node)
        raise self._refused("a formula is made of numbers, names, + − * / // % **, comparisons and functions", node)

    def _function(self, node: ast.Call) -> None:
        """Refuse calls of anything but this library's functions."""
        if not isinstance(node.func, ast.Name):
            raise self._refused("only this library's functions can be called, by their names", node.func)
        name = node.func.id
        if name not in functions.__all__:
            longer = [known for known in functions.__all__ if known.startswith(name)]
            near = longer or get_close_matches(name, functions.__all__, 1)
            advice = f"; did you mean {near[0]}?" if near else "; `autograd functions` lists them"
            raise self._refused(f"there is no function {name}{advice}", node.func)
        if any(isinstance(x, ast.Starred) for x in node.args) or any(x.arg is None for x in node.keywords):
            raise self._refused("* and ** cannot be used among arguments", node)

    def _refused(self, what: str, node: ast.expr, before: ast.expr | None = None, after: ast.expr | None = None) -> Any:
        """The error for a part, or for what stands between two parts."""
        start = node.col_offset if before is None else before.end_col_offset or 0
        end = (node.end_col_offset or start + 1) if after is None else after.col_offset
        start, end = len(self._bytes[:start].decode()), len(self._bytes[:end].decode())
        between = self.text[start:end]
        if before is not None:
            start, end = start + len(between) - len(between.lstrip()), end - len(between) + len(between.rstrip())
        return ExpressionError(what, self.text, start, end)

    def __call__(self, given: Mapping[str, Any]) -> Any:
        """The value, from numbers or Values of its names.

        Raises:
            ArgumentError: if a name is missing.
            ExpressionError: if a function does not take the arguments that it is given.
            AutogradError: what the operations raise, outside their domains.
        """
        missing = [name for name in self.names if name not in given]
        if missing:
            raise ArgumentError(f"{', '.join(missing)} in {self.text!r} needs a number: add {missing[0]}=…")
        done: dict[ast.expr, Any] = {}
        for node in self._order:
            done[node] = self._value(node, done, given)
        return done[self._order[-1]]

    def _value(self, node: ast.expr, done: Mapping[ast.expr, Any], given: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.BinOp):
            try:
                return _BINARY[type(node.op)](done[node.left], done[node.right])
            except AutogradError:
                raise
            except ArithmeticError as error:  # of two numbers, which Python computes
                raise self._refused(str(error.args[-1]), node) from None
            except TypeError:
                raise self._refused(
                    "only numbers are added, multiplied and so on; a list is for a function", node
                ) from None
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](done[node.operand])
        if isinstance(node, ast.Compare):
            return _COMPARED[type(node.ops[0])](done[node.left], done[node.comparators[0]])
        if isinstance(node, ast.List | ast.Tuple):
            return [done[x] for x in node.elts]
        if isinstance(node, ast.Name):
            return given[node.id] if node.id in given else CONSTANTS[node.id]
        if isinstance(node, ast.Constant):
            return float(node.value)  # type: ignore[arg-type]
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        keywords = {keyword.arg or "": done[keyword.value] for keyword in node.keywords}
        try:
            return getattr(functions, node.func.id)(*(done[x] for x in node.args), **keywords)
        except TypeError as error:
            raise self._refused(str(error), node) from None


def _advice(text: str, error: SyntaxError) -> str:
    at = (error.offset or 1) - 1
    if text[at : at + 1].isdigit() and text[at + 1 : at + 2].isidentifier():
        return "write * between a number and a name"
    return f"this is no formula: {(error.msg or '').partition(';')[0]}"


def unknown(names: Iterable[str], known: Iterable[str], what: str) -> ArgumentError | None:
    """The error for names that are given but not used; None if there are none."""
    known = list(known)
    extra = [name for name in names if name not in known]
    if not extra:
        return None
    near = get_close_matches(extra[0], known, 1)
    has = f"its variables are {', '.join(known)}" if known else "it has no variables"
    return ArgumentError(f"{what} has no {extra[0]}{f'; did you mean {near[0]}?' if near else f': {has}'}")
