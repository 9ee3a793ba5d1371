"""The result of a function: numbers in lists, tuples and dicts, which arrays replace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import InputError
from ..structure import Steps, apart, numbers


class Output:
    """How a function's result is built from arrays: the shapes of its parts and how they are put together.

    Nested lists and arrays become one array each; tuples, dicts and dataclasses hold several.
    """

    def __init__(self, result: Any) -> None:
        self.nodes: list[Any] = []
        self.shapes: list[tuple[int, ...]] = []
        parts, self._structure = apart(result, "the result", (list, np.ndarray, Steps))
        for part in parts:
            if part is None:
                raise InputError(
                    "the result is None; a compiled function returns numbers, or lists, tuples or dicts of them"
                )
            nodes, structure = numbers(part, "the result")
            shape = structure.shape()
            if shape is None:
                raise InputError(
                    "the result holds a list of parts of different shapes, or one nested deeper than an array can be; "
                    "return a tuple, which gives an array each"
                )
            self.nodes += nodes
            self.shapes.append(shape)

    def rebuild(self, arrays: Iterable[Any]) -> Any:
        """The structure of the result with these arrays in it, one for each shape."""
        return self._structure.rebuild(iter(arrays))
