"""A program on NumPy arrays, instruction by instruction: used if no native code can be made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..carriers import FLOATS, IEEE
from ..ops import Op
from . import arrays
from .instructions import INPUTS
from .program import ROW, Program


def replay(
    program: Program,
    row_inputs: Sequence[Sequence[int]],
    results: Sequence[Sequence[int]],
    inputs: Sequence[Any],
    shared: Any,
    count: int,
    outputs: Sequence[Any],
    dtype: Any,
) -> Any:
    """Go through the rows; arguments and result are those of ``Task.run``."""
    needed = program.needed()
    functions = {op: _function(program, op) for op in {program.code[i].op for i in needed} - INPUTS}
    totals = np.zeros(len(program.sums))
    with np.errstate(all="ignore"):
        for start, stop in arrays.pieces(0, count):
            columns: dict[int, Any] = {}
            for numbered, array in zip(row_inputs, inputs, strict=True):
                part = np.asarray(array[start:stop], dtype=dtype).reshape(stop - start, len(numbered))
                columns.update(zip(numbered, part.T, strict=True))
            numbers: dict[int, Any] = {}
            for i in needed:
                op, operands, constant = program.code[i]
                if op == "row":
                    numbers[i] = columns[operands[0]]
                elif op in ("shared", "const"):
                    numbers[i] = dtype.type(shared[operands[0]] if op == "shared" else constant)
                else:
                    numbers[i] = functions[op](*[numbers[k] for k in operands])
            for wanted, out in zip(results, outputs, strict=True):
                flat = [np.broadcast_to(numbers[i], stop - start) for i in wanted]
                out[start:stop] = np.stack(flat, axis=1).reshape(out[start:stop].shape) if flat else 0.0
            for k, i in enumerate(program.sums):
                x = numbers[i]
                totals[k] += (
                    float(np.sum(x, dtype=np.float64)) if program.level[i] == ROW else float(x) * (stop - start)
                )
    return totals


def _function(program: Program, op: str) -> Callable[..., Any]:
    """An instruction on arrays: by NumPy, or if NumPy lacks it or rounds differently, by Python number by number."""
    row = program.opcode(op)
    if row.numpy is not None and not (program.strict and row.libm):
        return row.numpy
    one = python_function(op, program.own)

    def every(*operands: Any) -> Any:
        lined = np.broadcast_arrays(*operands)
        found = [one(*map(float, row)) for row in zip(*(x.ravel() for x in lined), strict=True)]
        return np.array(found, dtype=lined[0].dtype).reshape(lined[0].shape)

    return every


def python_function(name: str, own: Mapping[str, Op]) -> Callable[..., float]:
    """A function that only Python computes, on floats: inf or nan where Python's math raises."""
    plain = own[name].f if name in own else getattr(FLOATS, name)
    beyond = None if name in own else getattr(IEEE, name)

    def one(*operands: float) -> float:
        try:
            return float(plain(*operands))
        except (ArithmeticError, ValueError):
            return float(beyond(*operands)) if beyond is not None else math.nan

    return one
