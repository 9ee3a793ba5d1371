"""Checks of arguments, shared by many modules, with texts that say what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from operator import index
from typing import Any, TypeVar

from autograd import ArgumentError
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


def whole(what: str, n: Any, least: int = 1) -> int:
    """A whole number of Python or NumPy, checked against a minimum.

    Raises:
        ArgumentError: for anything else; a bool is not a number here.
    """
    found = (
        index(n) if hasattr(type(n), "__index__") and not isinstance(n, bool) and not hasattr(n, "__len__") else None
    )
    if found is None or found < least:
        raise ArgumentError(f"{what} is a whole number from {least} on, not {shown(n)}")
    return found
