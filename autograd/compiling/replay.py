"""A program on NumPy arrays, instruction by instruction: what runs where no native code can be made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..carriers import FLOATS, IEEE
from ..ops import Op
from . import rows
from .program import ROW, Program

_NUMPY: dict[str, Callable[..., Any]] = {
    **{"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative},
    **{"fma": lambda x, y, z: x * y + z, "select": np.where, "abs": np.abs, "copysign": np.copysign},
    **{"lt": np.less, "le": np.less_equal, "eq": np.equal},
    **{"and": np.logical_and, "or": np.logical_or, "not": np.logical_not},
    **{"sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": np.rint},
    **{name: getattr(np, name) for name in ("exp", "expm1", "exp2", "log", "log2", "log10", "log1p", "sin", "cos")},
    **{name: getattr(np, name) for name in ("tan", "sinh", "cosh", "tanh", "cbrt", "hypot", "fmod")},
    **{"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "pow": np.power},
    **{"asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh},
}


def replay(
    program: Program,
    arrays: Sequence[Sequence[int]],
    results: Sequence[Sequence[int]],
    inputs: Sequence[Any],
    shared: Any,
    count: int,
    outputs: Sequence[Any],
    dtype: Any,
) -> Any:
    """Go through the rows; arguments and result are those of ``Task.run``."""
    needed = program.needed()
    totals = np.zeros(len(program.sums))
    with np.errstate(all="ignore"):
        for start, stop in rows.pieces(0, count):
            columns: dict[int, Any] = {}
            for places, array in zip(arrays, inputs, strict=True):
                part = np.asarray(array[start:stop], dtype=dtype).reshape(stop - start, len(places))
                columns.update(zip(places, part.T, strict=True))
            numbers: dict[int, Any] = {}
            for i in needed:
                op, operands, constant = program.code[i]
                if op == "row":
                    numbers[i] = columns[operands[0]]
                elif op in ("shared", "const"):
                    numbers[i] = dtype.type(shared[operands[0]] if op == "shared" else constant)
                else:
                    numbers[i] = _done(program, op, [numbers[k] for k in operands])
            for wanted, out in zip(results, outputs, strict=True):
                flat = [np.broadcast_to(numbers[i], stop - start) for i in wanted]
                out[start:stop] = np.stack(flat, axis=1).reshape(out[start:stop].shape) if flat else 0.0
            for k, i in enumerate(program.sums):
                x = numbers[i]
                totals[k] += (
                    float(np.sum(x, dtype=np.float64)) if program.level[i] == ROW else float(x) * (stop - start)
                )
    return totals


def _done(program: Program, op: str, operands: list[Any]) -> Any:
    if op == "dot":
        n = len(operands) // 2
        total = operands[0] * operands[n]
        for w, x in zip(operands[1:n], operands[n + 1 :], strict=True):
            total = total + w * x
        return total
    if op in _NUMPY:
        return _NUMPY[op](*operands)
    return _each(program, op)(*operands)


def _each(program: Program, op: str) -> Callable[..., Any]:
    """A function of Python's, number by number."""
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
