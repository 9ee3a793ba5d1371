"""The error for an operation that a function being compiled cannot do: the user's line, and what to write instead.

A Value without a number only knows that its number was needed. What needed it, an ``if``, ``math.sin`` or an index, is
read from the source: the running frame gives the exact place, and the syntax tree the expression there.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

from .errors import TraceError
from .ops import TABLE

_LIBRARY = os.path.dirname(os.path.abspath(__file__)) + os.sep
_OTHERS = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
RECORDING = "_run_recorded"  # the library's function that calls the one that is being recorded
_LONGEST, _LONGEST_LINE = 60, 120  # characters of an expression, and of a line, that are shown

# The names of this library's functions in math and NumPy.
_ALSO = {
    **{"fabs": "abs", "fsum": "sum", "fmax": "maximum", "fmin": "minimum", "max": "maximum", "min": "minimum"},
    **{"amax": "maximum", "amin": "minimum", "clip": "clamp", "rint": "round", "ldexp": "exp2", "dist": "hypot"},
    **{name.replace("a", "arc", 1): name for name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")},
}

_CHOOSE = "write  where(condition, a, b)  of autograd, which computes both and takes one for each row"
_COMBINE = "combine conditions with & | ~ and parentheses, as in  where((0 < x) & (x < 1), a, b)"
_NEEDS = {
    "bool": "needs to know whether it is true",
    "data": "needs its number",
    "float": "needs its number",
    "int": "needs a whole number",
    "index": "needs a whole number",
    "equal": "needs to know whether it equals a number",
    "pickle": "needs its number",
}
_ADVICE = {
    "bool": _CHOOSE,
    "data": "use the Value itself, or x.detach() for one that carries no derivative",
    "float": "use the Value itself, and autograd's functions instead of those of math, which convert",
    "int": "use trunc, floor, ceil or round of autograd, whose results are Values too",
    "index": f"an index must be the same for all rows; to choose by row, {_CHOOSE}",
    "equal": "comparisons with < <= > >= give conditions: write  where((x >= 1) & (x <= 1), a, b)  for x == 1",
    "pickle": "it belongs to this run of the function and can be copied, but not pickled",
}


class Site(NamedTuple):
    """The place in the user's code where a number was needed.

    Attributes:
        file, line: the place in the user's code.
        text: the line.
        node: the expression that needed it, if the source could be read.
        parents: the syntax around it, from the inside outwards.
    """

    file: str
    line: int
    text: str
    node: ast.AST | None
    parents: tuple[ast.AST, ...]


def refused(why: str, asked: str) -> TraceError:
    """The error for an operation that needs the number of a Value while a function is compiled.

    Args:
        why: which Value, and why it has no number.
        asked: the purpose, a key of ``_NEEDS``.
    """
    site = find_site()
    done, advice = ("the function", _ADVICE[asked]) if site is None else _described(site, asked)
    return TraceError(
        f"{why}{_where(site)}\n{done[0].upper()}{done[1:]} {_NEEDS[asked]}. {advice[0].upper()}{advice[1:]}"
    )


def refused_part(name: str, part: str) -> TraceError:
    """The error for indexing or iterating over one number."""
    return TraceError(
        f"{name} is one number in each row and has no {part}{_where(find_site())}\n"
        "By default the first axis of an array holds the rows. For one vector, which all rows have in common, compile "
        "with in_axes=None; for many vectors give an array of two axes, with a vector in each row"
    )


def _where(site: Site | None) -> str:
    if site is None:
        return "."
    text = site.text
    if len(text) > _LONGEST_LINE and site.node is not None:
        text = _shown(site.node)
    return f":\n  {site.file}, line {site.line}:  {text or '(its source cannot be read)'}"


# The place in the user's code ----------------------------------------------------------------------------------------


def find_site() -> Site | None:
    """The innermost running line that is neither in this library nor in an installed package."""
    frames = list(_running())
    if not frames:
        return None
    own = [frame for frame in frames if not frame.f_code.co_filename.startswith(_OTHERS)]
    frame = own[0] if own else frames[0]
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line, frame.f_globals).strip()
    parents = _parents(frame)
    return Site(file, line, text, parents[0] if parents else None, parents[1:])


def _running() -> Iterator[FrameType]:
    """The frames of the function that is being recorded, from the innermost outwards."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        if frame.f_code.co_name == RECORDING:  # the library itself needed the number
            return
        frame = frame.f_back
    while frame is not None and not frame.f_code.co_filename.startswith(_LIBRARY):
        yield frame
        frame = frame.f_back


def _parents(frame: FrameType) -> tuple[ast.AST, ...]:
    """The syntax that is running, and what it is part of, from the inside outwards; nothing if it cannot be read."""
    place = _place(frame.f_code, frame.f_lasti)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    if place is None or not lines:
        return ()
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # a notebook's magic commands, or a file that has changed since
        return ()
    path: list[ast.AST] = []
    node: ast.AST | None = tree
    while node is not None:
        path.append(node)
        node = next((child for child in _children(node) if _contains(child, place)), None)
    return tuple(reversed(path))


def _place(code: CodeType, instruction: int) -> tuple[int, int, int, int] | None:
    """First and last line, first and last column of the instruction that is running."""
    for k, (first, last, start, end) in enumerate(code.co_positions()):
        if 2 * k == instruction:
            if first is None or last is None or start is None or end is None:
                return None
            return first, last, start, end
    return None


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from getattr(child, "decorator_list", ())  # which stand above the lines of what they decorate
        if hasattr(child, "lineno"):
            yield child
        else:  # a comprehension or a function's arguments have no place themselves, but their parts do
            yield from _children(child)


def _contains(node: ast.AST, place: tuple[int, int, int, int]) -> bool:
    first, last, start, end = place
    n: ast.expr = node  # type: ignore[assignment]
    return (n.lineno, n.col_offset) <= (first, start) and (n.end_lineno or 0, n.end_col_offset or 0) >= (last, end)


# What was done there -------------------------------------------------------------------------------------------------


def _described(site: Site, asked: str) -> tuple[str, str]:
    """The expression that needed the number, as in the source, and what to write instead."""
    node = site.node
    if node is None:
        return "this line", _ADVICE[asked]
    if isinstance(node, ast.Call):
        return _called(node, asked)
    if asked == "bool":
        return _branched(site)
    if asked == "index" and isinstance(node, ast.Subscript):
        return "an index", _ADVICE["index"]
    if asked in ("data", "equal"):
        return f"`{_shown(node)}`", _ADVICE[asked]
    return "this line", _ADVICE[asked]


def _called(node: ast.Call, asked: str) -> tuple[str, str]:
    """A call: of a function of math's or NumPy's, which has one here, or of one of Python's own."""
    path = _shown(node.func)
    name = path.rpartition(".")[2]
    name = _ALSO.get(name, name)
    done = f"`{path}(…)`"
    if name == "where":
        return done, _CHOOSE
    if path in ("any", "all"):
        return done, _COMBINE
    if path == "range":
        return done, "how often a loop runs must be the same for all rows: use a constant"
    if path in ("sorted", "list.sort") or name == "sort":
        return done, "an order must be the same for all rows: sort the arrays before the call, or use maximum, minimum"
    if path in ("float", "int", "round", "bool"):
        return done, _ADVICE[asked]
    if name == "item":
        return done, _ADVICE["data"]
    if name == "pow":
        return done, "use  x ** y"
    if name in TABLE and path not in TABLE:
        return done, f"use  autograd.{name}"
    return done, _ADVICE[asked]


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _branched(site: Site) -> tuple[str, str]:
    """A condition: of a statement, an expression, a comprehension, or of Python's ``and``, ``or`` and ``not``."""
    inner: ast.AST | None = site.node
    combined = isinstance(inner, ast.Compare) and len(inner.ops) > 1
    word = "a comparison of three or more" if combined else ""
    for outer in (inner, *site.parents):
        if isinstance(outer, ast.BoolOp) and not word:
            combined, word = True, "`and`" if isinstance(outer.op, ast.And) else "`or`"
        if isinstance(outer, ast.UnaryOp) and isinstance(outer.op, ast.Not) and not word:
            combined, word = True, "`not`"
        if isinstance(outer, ast.While):
            return "a `while`", (
                "how often a loop runs must be the same for all rows: use a `for` over a constant range, with where() "
                "for the rows that are done earlier"
            )
        if isinstance(outer, ast.Assert):
            return "an `assert`", "leave it out; check=True finds rows whose results are not finite"
        if isinstance(outer, ast.If | ast.IfExp) and inner is outer.test:
            return word or "an `if`", f"{_CHOOSE}; {_COMBINE}" if combined else _CHOOSE
        if isinstance(outer, _COMPREHENSIONS) and any(inner is test for part in outer.generators for test in part.ifs):
            return "the `if` of a comprehension", (
                "how many items there are must be the same for all rows: keep all, with where(condition, a, 0) for "
                "those that do not count"
            )
        if isinstance(outer, ast.stmt | ast.Lambda):
            break
        inner = outer
    return (word, _COMBINE) if combined else ("a condition", _CHOOSE)


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
