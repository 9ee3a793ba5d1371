"""The results of a trace: values and derivatives, for each row or summed over rows, and their arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ..errors import ArgumentError
from ..higher import Linear
from ..structure import cut
from . import derive
from .trace import Trace
from .traced import Traced

Pick = Callable[[list[Any], list[Any]], Any]  # from the arrays of results and of sums to what is returned


class ByRow(NamedTuple):
    """An array with the rows first.

    Attributes:
        nodes: what each row holds.
        shape: of a row.
        is_slope: whether it is divided by the number of rows when the value is a mean.
    """

    nodes: list[Linear]
    shape: tuple[int, ...]
    is_slope: bool


class Sum(NamedTuple):
    """An array of sums over the rows."""

    nodes: list[Linear]
    shape: tuple[int, ...]


class Want:
    """The wanted results; each method adds some and returns a function that takes them from the computed arrays.

    Args:
        trace: the recorded function.
        shapes: for each argument what one row of it holds.
        varies: for each argument whether it differs from row to row.
        reduced: whether values are summed over the rows.
        combine: adds up adjoints times partials.

    Attributes:
        results, sums: the arrays that were asked for.
    """

    def __init__(
        self,
        trace: Trace,
        shapes: Sequence[tuple[int, ...]],
        varies: Sequence[bool],
        reduced: bool,
        combine: derive.Combiner,
    ) -> None:
        self.trace, self.shapes, self.varies, self.reduced, self.combine = trace, shapes, varies, reduced, combine
        self.results: list[ByRow] = []
        self.sums: list[Sum] = []

    def ask(self, kind: str, argnums: tuple[int, ...] | int) -> Pick:
        """Ask for what a method of a compiled function returns.

        Args:
            kind: the method's name, or ``"value"``.
            argnums: which arguments derivatives are taken in; a single one gives no tuple.
        """
        one = isinstance(argnums, int)
        chosen = (argnums,) if isinstance(argnums, int) else argnums
        parts = {
            "value": [self.value],
            "jvp": [self.value, self.tangent],
            "backward": [self.total, self.leaf_slopes],
            "grad": [lambda: self.gradient(chosen, one)],
            "value_and_grad": [self.value, lambda: self.gradient(chosen, one)],
            "jacobian": [lambda: self.jacobian(chosen, one)],
            "value_and_jacobian": [self.value, lambda: self.jacobian(chosen, one)],
            "hessian": [lambda: self.hessian(chosen, one)],
            "value_grad_and_hessian": [
                self.value,
                lambda: self.gradient(chosen, one),
                lambda: self.hessian(chosen, one),
            ],
        }[kind]
        return _together([part() for part in parts], len(parts) == 1)

    def nodes(self) -> list[Linear]:
        """Everything that each row gives."""
        return [x for array in self.results for x in array.nodes]

    def summed(self) -> list[Linear]:
        """Everything that is summed over the rows."""
        return [x for array in self.sums for x in array.nodes]

    # The parts -------------------------------------------------------------------------------------------------------

    def value(self) -> Pick:
        """The function's own results."""
        return self._like_output(self.trace.outputs)

    def tangent(self) -> Pick:
        """The results' derivatives in the direction of the tangents that are given."""
        pairs = dict(zip(chain(*self.trace.inputs), chain(*self.trace.tangents), strict=True))
        return self._like_output(derive.tangents(self.trace.outputs, pairs, self.combine))

    def total(self) -> Pick:
        """The one number that the function returns, summed over the rows."""
        return self._array([self._number()], (), True, False)

    def leaf_slopes(self) -> Pick:
        """The gradient of that sum in the leaf Values that the function closes over."""
        leaves = [node for node, _ in self.trace.closed]
        return self._array(derive.gradient(self._number(), leaves, self.combine), (len(leaves),), True, False)

    def gradient(self, chosen: Sequence[int], one: bool) -> Pick:
        """The gradient in the chosen arguments."""
        return self._by_argument([derive.gradient(self._number(), self._inputs(chosen), self.combine)], (), chosen, one)

    def jacobian(self, chosen: Sequence[int], one: bool) -> Pick:
        """The derivatives of every result."""
        lines = derive.jacobian(self.trace.outputs, self._inputs(chosen), self.combine)
        shapes = self.trace.output.shapes
        own = cut(lines, map(size, shapes))
        parts = [self._by_argument(*of_part, chosen, one) for of_part in zip(own, shapes, strict=True)]
        return lambda results, sums: self.trace.output.rebuild([part(results, sums) for part in parts])

    def hessian(self, chosen: Sequence[int], one: bool) -> Pick:
        """The second derivatives of one number."""
        lines = derive.hessian(self._number(), self._inputs(chosen), self.combine)
        blocks = [
            self._by_argument(own, self.shapes[k], chosen, one, self.varies[k])
            for k, own in zip(chosen, cut(lines, self._sizes(chosen)), strict=True)
        ]
        return _together(blocks, one)

    # Arrays ----------------------------------------------------------------------------------------------------------

    def _array(self, nodes: Sequence[Linear], shape: tuple[int, ...], summed: bool, is_slope: bool) -> Pick:
        if summed:
            number = len(self.sums)
            self.sums.append(Sum(list(nodes), shape))
            return lambda results, sums: sums[number]
        number = len(self.results)
        self.results.append(ByRow(list(nodes), shape, is_slope))
        return lambda results, sums: results[number]

    def _like_output(self, nodes: Sequence[Linear]) -> Pick:
        """Arrays in the structure of what the function returns."""
        shapes = self.trace.output.shapes
        own = cut(nodes, map(size, shapes))
        parts = [self._array(*of_part, self.reduced, False) for of_part in zip(own, shapes, strict=True)]
        return lambda results, sums: self.trace.output.rebuild([part(results, sums) for part in parts])

    def _by_argument(
        self,
        lines: Sequence[Sequence[Linear]],
        shape: tuple[int, ...],
        chosen: Sequence[int],
        one: bool,
        by_row: bool = False,
    ) -> Pick:
        """An array for each argument; each line holds the derivatives of one number in all of them."""
        parts = []
        own = [cut(line, self._sizes(chosen)) for line in lines]
        for number, k in enumerate(chosen):
            nodes = [x for line in own for x in line[number]]
            summed = self.reduced and not self.varies[k] and not by_row
            parts.append(self._array(nodes, (*shape, *self.shapes[k]), summed, True))
        return _together(parts, one)

    def _sizes(self, chosen: Sequence[int]) -> list[int]:
        return [len(self.trace.inputs[k]) for k in chosen]

    def _inputs(self, chosen: Sequence[int]) -> list[Traced]:
        return [x for k in chosen for x in self.trace.inputs[k]]

    def _number(self) -> Linear:
        if len(self.trace.outputs) != 1:
            raise ArgumentError(
                f"this derivative is of one number, but the function returns {len(self.trace.outputs)}; use jacobian()"
            )
        return self.trace.outputs[0]


def _together(parts: Sequence[Pick], one: bool) -> Pick:
    """What builds a tuple of several results, or one result alone."""
    if one:
        return parts[0]
    return lambda results, sums: tuple([part(results, sums) for part in parts])


def size(shape: tuple[int, ...]) -> int:
    """How many numbers an array of that shape holds."""
    count = 1
    for n in shape:
        count *= n
    return count
