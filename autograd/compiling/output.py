"""What a function returns: numbers in lists, tuples and dicts, and how arrays take their places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..errors import InputError
from ..value import Value, as_float


class Output:
    """How a function's result is built from arrays: the shapes of its parts and how they are put together."""

    def __init__(self, result: Any) -> None:
        self.nodes: list[Any] = []
        self.shapes: list[tuple[int, ...]] = []
        self._build = self._read(result, "the result")

    def rebuild(self, arrays: Iterable[Any]) -> Any:
        """The structure of the result with these arrays in it, one for each shape."""
        return self._build(iter(arrays))

    def _read(self, x: Any, what: str) -> Callable[[Iterator[Any]], Any]:
        if isinstance(x, tuple):
            parts = [self._read(item, f"{what}[{i}]") for i, item in enumerate(x)]
            kind: Any = type(x)
            if hasattr(kind, "_fields"):
                return lambda new: kind(*[part(new) for part in parts])
            return lambda new: tuple(part(new) for part in parts)
        if isinstance(x, Mapping):
            keys = list(x)
            parts = [self._read(x[key], f"{what}[{key!r}]") for key in keys]
            return lambda new: dict(zip(keys, [part(new) for part in parts], strict=True))
        nodes: list[Any] = []
        self.shapes.append(_nested(x, what, nodes))
        self.nodes.extend(nodes)
        return next


def _nested(x: Any, what: str, nodes: list[Any]) -> tuple[int, ...]:
    """The shape of nested lists; their items are added to ``nodes``."""
    if hasattr(x, "tolist") and not isinstance(x, Value):
        x = x.tolist()
    if isinstance(x, list):
        shapes = {_nested(item, f"{what}[{i}]", nodes) for i, item in enumerate(x)}
        if len(shapes) > 1:
            raise InputError(
                f"{what} is a list of parts of different shapes; return a tuple, which gives an array each"
            )
        return (len(x), *(shapes.pop() if shapes else ()))
    if x is None:
        raise InputError(f"{what} is None; a compiled function returns numbers, or lists, tuples or dicts of them")
    nodes.append(x if isinstance(x, Value) else as_float(x))
    return ()
