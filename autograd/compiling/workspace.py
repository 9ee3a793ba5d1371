"""The memory that native code works in: a thread's workspace, and how its accumulators become sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .schedule import Schedule


class Layout(NamedTuple):
    """What a workspace holds.

    Attributes:
        dtype: of its numbers.
        slots: how many numbers the slots of a block take.
        accumulators: how many sums over the rows are kept.
        lanes: how many numbers each of them has, one for each lane of a vector.
        parameters: how many numbers all rows share.
        constants: the parameters that are known.
        packed: the numbers of the parameters that loops over weights read, in their order.
    """

    dtype: Any
    slots: int
    accumulators: int
    lanes: int
    parameters: int
    constants: Mapping[int, float]
    packed: Any


class Workspace:
    """A thread's own memory, aligned as vectors are.

    Attributes:
        sums: the accumulators.
        params: what all rows share.
        flag: not 0 if native code met a number that is not finite.
        addresses: of slots, parameters, packed parameters and accumulators.
        flag_address: of the flag.
    """

    def __init__(self, layout: Layout) -> None:
        dtype, count = layout.dtype, layout.accumulators * layout.lanes
        self._slots = _aligned(layout.slots, dtype)
        sums = _aligned(count, dtype)
        self.sums = sums[:count].reshape(layout.accumulators, layout.lanes)
        self.params = _aligned(layout.parameters, dtype)
        for number, constant in layout.constants.items():
            self.params[number] = constant
        self._packed, self._order = _aligned(len(layout.packed), dtype), layout.packed
        self.flag = np.zeros(1, dtype=np.int64)
        self.addresses = tuple(address(a) for a in (self._slots, self.params, self._packed, sums))
        self.flag_address = address(self.flag)

    def pack(self) -> None:
        """Put the parameters that loops over weights read into the order in which they read them."""
        if len(self._order):
            self.params.take(self._order, out=self._packed[: len(self._order)], mode="clip")  # "clip" needs no buffer


class Sums:
    """The sums over the rows that were asked for, from accumulators: kept as arrays, so that this takes no loop.

    Args:
        plan: says of which parts each sum is made.
        shared: the number of the parameter for each instruction that all rows share.
        lanes: of an accumulator.
    """

    def __init__(self, plan: Schedule, shared: Mapping[int, int], lanes: int) -> None:
        parts = plan.parts
        self.count = len(plan.program.sums)
        self._accumulators, self._ones = plan.accumulators, np.ones(lanes)
        self._sum = np.array([part.sum for part in parts], dtype=np.intp)
        self._source = np.array([part.accumulator for part in parts], dtype=np.intp)
        self._sign = np.array([part.sign for part in parts])
        self._signed = any(part.sign != 1.0 for part in parts)
        scales = [(k, shared[part.scale]) for k, part in enumerate(parts) if part.scale is not None]
        self._scaled = np.array([k for k, _ in scales], dtype=np.intp)
        self._scale = np.array([number for _, number in scales], dtype=np.intp)
        self._one_each = len(parts) == self.count and bool(np.all(self._sum == np.arange(self.count)))

    def of(self, accumulators: Any, rows: int, params: Any) -> Any:
        """The sums after so many rows."""
        if not self.count:
            return ()
        every = np.empty(self._accumulators + 1)
        # The sum over the lanes, as a product: five times as quick as accumulators.sum(axis=1).
        np.dot(accumulators.astype(np.float64, copy=False), self._ones, out=every[:-1])
        every[-1] = rows
        parts = every[self._source]
        if self._signed:
            parts *= self._sign
        if len(self._scaled):
            parts[self._scaled] *= params[self._scale]
        if self._one_each:
            return parts
        result = np.zeros(self.count)
        np.add.at(result, self._sum, parts)
        return result


def address(array: Any) -> int:
    """Where an array begins."""
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


def _aligned(count: int, dtype: Any) -> Any:
    size = max(1, count) * dtype.itemsize
    raw = np.zeros(size + 64, dtype=np.uint8)
    skip = -address(raw) % 64
    return raw[skip : skip + size].view(dtype)
