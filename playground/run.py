"""Runs a person's program, and describes what it made as JSON: the lesson, explanations, the check, files.

In the page it runs in a web worker. What is shown is the last expression of the program if it is a Value or a Log, else
the Value or Log that was assigned last.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from autograd import Explanation, Log, Value, explain, gradcheck, steps
from autograd.check import Report
from autograd.language import language, translated
from autograd.lesson import page
from autograd.lesson.data import copied
from autograd.naming import Names
from autograd.notation import show
from autograd.ops import Op
from autograd.value import as_float, evaluate, record

NAME = "program.py"  # the program in tracebacks
FOLDER = Path.home() / "work"  # where it runs; emptied before each run
MOST_FILES = 50


class Shown:
    """What is shown of a program's result.

    Attributes:
        log: the events, which the lesson shows.
        order: the graph as it was computed, with nodes of its own, in topological order; the result is the last.
        names: the labels of these nodes.
        leaves: the numbers of the leaves in ``order``.
    """

    def __init__(self, result: Value | Log) -> None:
        self.log = steps(result) if isinstance(result, Value) else result
        first = self.log.updates[0]
        self.order = copied(first.order, first.values)
        self.names = Names(self.order, self.log.digits)
        self.leaves = [k for k, node in enumerate(self.order) if node.op is None]


class Program:
    """The last program that ran, and what it left to be shown.

    Attributes:
        shown: the result.
        report: a Report of gradcheck that is the last expression, else what gradcheck finds when somebody asks.
        explanation: an Explanation that is the last expression.
    """

    def __init__(self) -> None:
        self.shown: Shown | None = None
        self.report: Report | None = None
        self.explanation: Explanation | None = None
        self._checked: list[str] = []  # the leaves that the report is about, if the program did not make it

    def run(self, source: str, lang: str) -> str:
        """Run a program.

        Args:
            source: its text.
            lang: the language of what is shown.

        Returns:
            JSON: ``error`` (``text``, ``line``) or null; what the ``last`` expression is; the ``name`` of what is shown
            and the ``line`` where it was assigned; its ``leaves`` and its ``lesson``; the ``files`` that were written.
        """
        self.shown = self.report = self.explanation = None
        self._checked = []
        told: dict[str, Any] = {"error": None, "last": "none", "name": None, "line": None, "leaves": [], "lesson": None}
        try:
            with language(lang):
                told |= self._show(*_executed(source))
                if self.shown is not None:
                    self.shown.log.source = source  # the lesson exports it
                told |= self._described()
        except SystemExit:
            pass
        except BaseException as error:  # noqa: BLE001  (whatever a program raises is told)
            told["error"] = _failure(error)
        sys.stdout.flush()
        sys.stderr.flush()
        return json.dumps(told | {"files": _files()})

    def describe(self, lang: str) -> str:
        """What is shown, once more, in another language."""
        with language(lang):
            return json.dumps(self._described())

    def explain(self, leaf: int, lang: str) -> str:
        """The derivative with respect to a leaf as HTML; for −1 the Explanation that the program made."""
        with language(lang):
            if leaf < 0:
                return "" if self.explanation is None else self.explanation.html()
            assert self.shown is not None
            order = self.shown.order
            return explain(order[-1], order[leaf]).html()

    def check(self, lang: str) -> str:
        """What gradcheck says of the program's Report, else of the derivatives of what is shown, as JSON."""
        if self.report is None and self.shown is not None:
            order = self.shown.order
            self.report = gradcheck(_again(order), *(order[k].data for k in self.shown.leaves))
            if len(self.report.comparisons) == len(self.shown.leaves):  # not random directions, for there are many
                self._checked = _leaf_names(self.shown)
        if self.report is None:
            return json.dumps(None)
        with language(lang):
            rows = [
                {
                    "what": self._checked[k] if self._checked else translated(c.what),
                    "claimed": show(c.claimed, 8),
                    "measured": show(c.measured, 8),
                    "error": f"{c.error:.1e}",
                    "verdict": c.verdict,
                    "note": translated(c.note),
                }
                for k, c in enumerate(self.report.comparisons)
            ]
            return json.dumps({"verdict": self.report.verdict, "blame": translated(self.report.blame), "rows": rows})

    def _show(self, last: Any, assigned: tuple[Any, int] | None) -> dict[str, Any]:
        """Keep what there is to show; say what it is."""
        kinds: dict[type, str] = {Value: "shown", Log: "shown", Report: "report", Explanation: "explanation"}
        kind = next((name for sort, name in kinds.items() if isinstance(last, sort)), "none")
        line = None
        if kind == "shown":
            self.shown = Shown(last)
        else:
            if kind == "report":
                self.report = last
            elif kind == "explanation":
                self.explanation = last
            elif last is not None:
                print(repr(last))
            if assigned is not None:
                result, line = assigned
                self.shown = Shown(result)
        return {"last": kind, "line": line}

    def _described(self) -> dict[str, Any]:
        if self.shown is None:
            return {}
        shown = self.shown
        leaves = [{"node": k, "label": name} for k, name in zip(shown.leaves, _leaf_names(shown), strict=True)]
        name = shown.names.label(shown.order[-1]).text
        return {"name": name, "leaves": leaves, "lesson": page(shown.log)}


def _leaf_names(shown: Shown) -> list[str]:
    return [shown.names.label(shown.order[k]).text for k in shown.leaves]


def _executed(source: str) -> tuple[Any, tuple[Any, int] | None]:
    """Run a program; its last expression, and the Value or Log assigned last with the line where that stands."""
    linecache.cache[NAME] = (len(source), None, source.splitlines(keepends=True), NAME)
    tree = ast.parse(source, NAME)
    _empty_folder()
    module = sys.modules["__main__"] = ModuleType("__main__")
    body, last = tree.body, None
    closing = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    _execute(compile(tree, NAME, "exec"), module)
    if isinstance(closing, ast.Expr):
        last = _evaluate(compile(ast.Expression(closing.value), NAME, "eval"), module)
    for name, line in sorted(_assigned(body), key=lambda found: found[1], reverse=True):
        found = vars(module).get(name)
        if isinstance(found, Value | Log):
            return last, (found, line)
    return last, None


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, vars(module))


def _evaluate(code: CodeType, module: ModuleType) -> Any:
    return eval(code, vars(module))


_OWN_NAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """The names that the program itself assigns, not its functions and classes, and the lines where they stand."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif not isinstance(node, (*_OWN_NAMES, *_COMPREHENSIONS)):
            waiting.extend(ast.iter_child_nodes(node))


def _again(order: list[Value]) -> Callable[..., Any]:
    """The recorded computation as a function of its leaves."""

    def f(*numbers: Any) -> Any:
        given = iter(numbers)
        found: dict[Value, Any] = {}
        for node in order:
            if node.op is not None:
                found[node] = _applied(node.op, node, found)
                continue
            leaf = found[node] = next(given)
            if isinstance(leaf, Value):
                leaf.name = node.name  # the report calls it so
        return found[order[-1]]

    return f


def _applied(op: Op, node: Value, found: dict[Value, Any]) -> Any:
    operands = [found[x] if isinstance(x, Value) else x for x in node.operands]
    if any(isinstance(x, Value) for x in operands):
        return record(op, operands)
    return evaluate(op, [as_float(x) for x in operands])


def _failure(error: BaseException) -> dict[str, Any]:
    """The traceback of an error, with the lines of the program only, and the last of these lines."""
    told = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = told
    while part is not None:
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if frame.filename == NAME])
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    lines = list(told.format() if told.stack else told.format_exception_only())
    if isinstance(error, SyntaxError) and error.filename == NAME:
        line = error.lineno
    else:
        line = told.stack[-1].lineno if told.stack else None
    return {"text": "".join(lines).rstrip(), "line": line}


def _empty_folder() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.chdir(FOLDER)
    for path in FOLDER.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _files() -> list[dict[str, Any]]:
    """The files that the program wrote into its folder."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    return [{"name": str(p.relative_to(FOLDER)), "size": p.stat().st_size} for p in paths[:MOST_FILES]]


program = Program()
