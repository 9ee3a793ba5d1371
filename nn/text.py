"""Checks of arguments, shared by many modules, with texts that say what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from autograd import ArgumentError, InputError, Value
from autograd.arguments import takes
from autograd.text import shown

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'relu'?"``, or nothing if no known name is similar."""
    lower = {k.lower(): k for k in known}
    found = get_close_matches(name.lower(), list(lower), n=1)
    return f"; did you mean {lower[found[0]]!r}?" if found else "."


def choose(what: str, name: str, known: Mapping[str, T]) -> T:
    """The entry of that name.

    Raises:
        ArgumentError: if there is none; the text lists all names and suggests the most similar one.
    """
    if not isinstance(name, str) or name not in known:
        near = nearest(name, known) if isinstance(name, str) else "."
        raise ArgumentError(f"unknown {what} {shown(name)}{near} Known: {', '.join(known)}")
    return known[name]


def number(what: str, x: Any) -> float:
    """A real number of Python or NumPy.

    Raises:
        InputError: for anything else; the text says what the number is for.
    """
    try:
        return Value(x).data
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def function(what: str, x: Any, *arguments: str) -> Callable[..., Any]:
    """A function that can be called with these arguments.

    Raises:
        InputError: for anything else.
    """
    if not callable(x):
        raise InputError(f"{what} is a function, not {shown(x)}")
    if not takes(x, len(arguments)):
        listed = " and ".join(arguments) or "no argument"
        raise InputError(f"{what} is called with {listed}, which {shown(x)} cannot take")
    return x  # type: ignore[no-any-return]


def sequence(what: str, x: Any) -> list[Any]:
    """The items of a list, tuple, array or other iterable; text and dicts are refused.

    Raises:
        InputError: for anything else.
    """
    try:
        items = None if isinstance(x, str | bytes | Mapping) else iter(x)
    except TypeError:  # also for an array of no dimension
        items = None
    if items is None:
        raise InputError(f"{what}: a list is needed, not {shown(x)} of type {type(x).__name__}")
    return list(items)


def numbers(what: str, xs: Any) -> list[Any]:
    """The numbers and Values of a list, plain numbers as floats; the list itself if it holds nothing else.

    Raises:
        InputError: for anything else; the text names its place.
    """
    if type(xs) is list:
        for x in xs:  # quicker than all(...)
            if type(x) is not Value and type(x) is not float:
                break
        else:
            return xs
    return [
        x if isinstance(x, Value) or type(x) is float else number(f"{what}[{k}]", x)
        for k, x in enumerate(sequence(what, xs))
    ]
