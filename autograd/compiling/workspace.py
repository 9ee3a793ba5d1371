"""The memory that native code works in: a thread's workspace, and the sums that its accumulators give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .plan import Schedule
from .record import Field, Part


class Layout(NamedTuple):
    """The sizes and constants of a workspace.

    A parameter is a number that all rows share.

    Attributes:
        dtype: the type of its numbers.
        slots: how many numbers all slots together hold, for one block of rows.
        accumulators: how many accumulators there are, each for one sum over the rows.
        lanes: how many numbers an accumulator has, one for each lane of a vector.
        parameters: how many parameters there are.
        constants: the values of the parameters that are known before a call, by their index.
        packed: the indices of the parameters that loops over weights read, in the order in which they read them.
    """

    dtype: Any
    slots: int
    accumulators: int
    lanes: int
    parameters: int
    constants: Mapping[int, float]
    packed: Any


class Workspace:
    """The memory of one thread, aligned as vectors are.

    Attributes:
        accumulators: an array with a row for each.
        params: the parameters.
        flag: one number, which native code sets to another than 0 where a number is not finite.
        addresses: of slots, parameters, packed parameters and accumulators, as native code takes them.
        flag_address: of the flag.
    """

    def __init__(self, layout: Layout) -> None:
        dtype, count = layout.dtype, layout.accumulators * layout.lanes
        self._slots = _aligned(layout.slots, dtype)
        accumulators = _aligned(count, dtype)
        self.accumulators = accumulators[:count].reshape(layout.accumulators, layout.lanes)
        self.params = _aligned(layout.parameters, dtype)
        for index, constant in layout.constants.items():
            self.params[index] = constant
        self._packed, self._packed_indices = _aligned(len(layout.packed), dtype), layout.packed
        self.flag = np.zeros(1, dtype=np.int64)
        self.addresses = tuple(address(a) for a in (self._slots, self.params, self._packed, accumulators))
        self.flag_address = address(self.flag)

    def pack(self) -> None:
        """Copy the parameters that loops over weights read, in the order in which they read them."""
        indices = self._packed_indices
        if len(indices):
            self.params.take(indices, out=self._packed[: len(indices)], mode="clip")  # "clip" needs no buffer


class Sums:
    """Computes the sums over the rows that were asked for from the accumulators.

    Each sum has parts: an accumulator, or the number of rows, times a sign, some also times a parameter (see
    ``plan.Part``). The parts are kept as arrays with an entry for each, so that Python runs no loop over them.

    Args:
        plan: lists the parts of each sum.
        shared: the index of the parameter for each instruction that all rows share.
        lanes: how many numbers an accumulator has.

    Attributes:
        count: how many sums there are.
    """

    def __init__(self, plan: Schedule, shared: Mapping[int, int], lanes: int) -> None:
        parts = plan.parts
        self.count = len(plan.program.sums)
        self._accumulators, self._lanes = plan.accumulators, lanes
        self._sum = np.array([part.sum for part in parts], dtype=np.intp)
        self._source = np.array([part.accumulator for part in parts], dtype=np.intp)
        self._sign = np.array([part.sign for part in parts])
        self._signed = any(part.sign != 1.0 for part in parts)
        scales = [(k, shared[part.scale]) for k, part in enumerate(parts) if part.scale is not None]
        self._scaled = np.array([k for k, _ in scales], dtype=np.intp)  # which parts have a parameter,
        self._scale = np.array([index for _, index in scales], dtype=np.intp)  # and which one
        self._one_each = len(parts) == self.count and bool(np.all(self._sum == np.arange(self.count)))

    def of(self, accumulators: Any, rows: int, params: Any) -> Any:
        """The sums over so many rows, which the accumulators have added up."""
        if not self.count:
            return ()
        totals = np.empty(self._accumulators + 1)  # of each accumulator; the last entry, −1, is the number of rows
        lanes = totals[:-1]
        lanes[:] = accumulators[:, 0]
        for k in range(1, self._lanes):  # one lane after the other, as native code does it, so that the bits agree
            lanes += accumulators[:, k]
        totals[-1] = rows
        parts = totals[self._source]
        if self._signed:
            parts *= self._sign
        if len(self._scaled):
            parts[self._scaled] *= params[self._scale]
        if self._one_each:
            return parts + 0.0  # not −0.0
        result = np.zeros(self.count)
        np.add.at(result, self._sum, parts)
        return result

    def words(self) -> tuple[dict[Field, int], Any]:
        """The same for native code: the words of an entry's record, and the tables that they lead to."""
        parts = np.zeros((len(self._sum) + 1, len(Part)), dtype=np.int64)
        part = parts[:-1]
        part[:, Part.SUM], part[:, Part.TOTAL] = self._sum, self._source % (self._accumulators + 1)
        part[:, Part.SIGN] = self._sign.view(np.int64)
        part[:, Part.SCALE] = -1
        part[self._scaled, Part.SCALE] = self._scale
        totals, sums = np.zeros(self._accumulators + 2), np.zeros(self.count + 1)
        words = {
            Field.ACCUMULATOR_COUNT: self._accumulators,
            Field.LANES: self._lanes,
            Field.TOTALS: address(totals),
            Field.PARTS: len(part),
            Field.PART_TABLE: address(parts),
            Field.SUM_COUNT: self.count,
            Field.SUMS: address(sums),
        }
        return words, (parts, totals, sums)


def address(array: Any) -> int:
    """Where an array begins."""
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


def _aligned(count: int, dtype: Any) -> Any:
    size = max(1, count) * dtype.itemsize
    try:
        raw = np.zeros(size + 64, dtype=np.uint8)
    except (MemoryError, ValueError):  # too large for this machine, or for any machine
        raise MemoryError(
            f"{size} bytes of workspace do not fit into memory. A loop keeps its states for derivatives: it needs less "
            "with more steps between two that are kept (the checkpoint of scan), or with a smaller max_steps"
        ) from None
    skip = -address(raw) % 64
    return raw[skip : skip + size].view(dtype)
