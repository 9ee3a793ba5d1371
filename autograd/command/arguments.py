"""What a command computes: a formula or a function of a file, and the numbers of its variables."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..arguments import parameters, takes
from ..errors import ArgumentError, InputError
from ..value import Value
from .expression import Expression, unknown

_IN_FILE = re.compile(r"(.+\.py):(\w+)")


class Question(NamedTuple):
    """A function and where it is computed.

    Attributes:
        function: of the arguments, by position.
        names: what the arguments are called.
        numbers: the arguments: numbers, or nested lists of them.
        text: the formula, or the name of the function.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    numbers: tuple[Any, ...]
    text: str

    def recorded(self) -> tuple[Value, list[Value]]:
        """The result as a graph, and its leaves, which have the arguments' names.

        Raises:
            InputError: if the result is no number, or depends on no argument.
        """
        leaves: list[Value] = []
        arguments = [_leaves(x, name, leaves) for name, x in zip(self.names, self.numbers, strict=True)]
        result = self.function(*arguments)
        if not isinstance(result, Value):
            kind = "a number that depends on none of its arguments" if isinstance(result, float | int) else "no number"
            raise InputError(f"{self.text} is {kind}: {result}")
        return result, leaves


def _leaves(x: Any, name: str, into: list[Value]) -> Any:
    if isinstance(x, list):
        return [_leaves(item, f"{name}[{k}]", into) for k, item in enumerate(x)]
    into.append(Value(x, name))
    return into[-1]


def callable_of(what: str) -> Callable[..., Any]:
    """The function that a formula stands for, with its variables as parameters; or the one of a file."""
    in_file = _IN_FILE.fullmatch(what.strip())
    if in_file is not None:
        return _loaded(in_file[1], in_file[2])
    from inspect import Parameter, Signature

    formula = Expression(what)

    def f(*xs: Any) -> Any:
        return formula(dict(zip(formula.names, xs, strict=True)))

    listed = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in formula.names]
    setattr(f, "__signature__", Signature(listed))  # noqa: B010  (functions have no such attribute to type checkers)
    return f


def question(what: str, given: Sequence[str]) -> Question:
    """What a command's arguments ask for.

    Args:
        what: a formula, or ``path.py:function``, whose file is run.
        given: ``name=number`` for each variable; a number may be a formula without variables, such as ``pi/4``, or a
            list for a function that takes one.

    Raises:
        ArgumentError: if a variable has no number, or something is given twice or not needed.
    """
    numbers: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise ArgumentError(f"{one!r} gives no number: write NAME=NUMBER, for example x=2")
        if name in numbers:
            raise ArgumentError(f"{name} is given twice")
        value = Expression(text)
        if value.names:
            raise ArgumentError(f"{one!r}: a number is needed, but it depends on {', '.join(value.names)}")
        numbers[name] = value({})
    in_file = _IN_FILE.fullmatch(what.strip())
    if in_file is not None:
        return _function(in_file[1], in_file[2], numbers)
    formula = Expression(what)
    wrong = unknown(numbers, formula.names, repr(formula.text))
    if wrong is not None:
        raise wrong
    names = formula.names
    lists = [name for name in numbers if isinstance(numbers[name], list)]
    if lists:
        raise ArgumentError(f"{lists[0]} is a list; variables of a formula are numbers")
    if any(name not in numbers for name in names):
        formula(numbers)  # raises the error that names them
    return Question(
        lambda *xs: formula(dict(zip(names, xs, strict=True))),
        names,
        tuple(numbers[name] for name in names),
        formula.text,
    )


def _loaded(path: str, name: str) -> Callable[..., Any]:
    """A function of a file, which is run.

    Raises:
        ArgumentError: if there is no such file or function.
    """
    if not Path(path).is_file():
        raise ArgumentError(f"there is no file {path}" + ("" if os.path.isabs(path) else f" in {Path.cwd()}"))
    found = runpy.run_path(path).get(name)
    if not callable(found):
        raise ArgumentError(f"{path} has no function {name}")
    return found  # type: ignore[no-any-return]


def _function(path: str, name: str, numbers: dict[str, Any]) -> Question:
    found = _loaded(path, name)
    wrong = unknown(numbers, known := parameters(found), f"{name}()")
    if wrong is not None:
        raise wrong
    chosen = tuple(x for x in known if x in numbers)
    positional = tuple(known[: len(chosen)]) == chosen
    if not positional or not takes(found, len(chosen)):
        missing = [x for x in known if x not in numbers]
        advice = f"add {missing[0]}=…" if missing else "give others"
        raise ArgumentError(f"{name}() takes {', '.join(known)}; {advice}")
    return Question(found, chosen, tuple(numbers[x] for x in chosen), f"{name}({', '.join(chosen)})")
