"""A program on NumPy arrays, instruction by instruction: used if no native code can be made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..carriers import FLOATS, IEEE
from ..ops import Op
from . import arrays
from .instructions import INPUTS, NO_ARITHMETIC
from .program import ROW, LoopCode, Program


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
    functions = _functions(program, needed)
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
                    _instruction(program, i, numbers, functions, dtype)
            for wanted, out in zip(results, outputs, strict=True):
                flat = [np.broadcast_to(numbers[i], stop - start) for i in wanted]
                out[start:stop] = np.stack(flat, axis=1).reshape(out[start:stop].shape) if flat else 0.0
            for k, i in enumerate(program.sums):
                x = numbers[i]
                totals[k] += (
                    float(np.sum(x, dtype=np.float64)) if program.level[i] == ROW else float(x) * (stop - start)
                )
    return totals


Functions = dict[str, Callable[..., Any]]


def _functions(program: Program, needed: Sequence[int]) -> Functions:
    """The instructions that a program and its loops use, as functions of arrays."""
    found: Functions = {}
    for i in needed:
        op, _, constant = program.code[i]
        if op == "loop":
            body = program.loops[int(constant)].body
            found.update(_functions(body, body.needed()))
        elif op not in found and op not in NO_ARITHMETIC:
            found[op] = _function(program, op)
    return found


def _instruction(program: Program, i: int, numbers: dict[int, Any], functions: Functions, dtype: Any) -> None:
    """Do one instruction."""
    op, operands, constant = program.code[i]
    if op == "loop":
        numbers[i] = _loop(program.loops[int(constant)], [numbers[k] for k in operands], functions, dtype)
    elif op == "pack":
        numbers[i] = [numbers[k] for k in operands]
    elif op in ("last", "stack", "count"):
        numbers[i] = numbers[operands[0]][op][int(constant)]
    elif op == "element":
        numbers[i] = numbers[operands[0]][int(constant)]
    else:
        numbers[i] = functions[op](*[numbers[k] for k in operands])


def _loop(loop: LoopCode, operands: Sequence[Any], functions: Functions, dtype: Any) -> dict[str, list[Any]]:
    """The results of a loop, by their kinds."""
    body = loop.body
    needed = body.needed()
    given: dict[int, Any] = {}
    outer = loop.outer(operands)
    for k in needed:
        op, which, constant = body.code[k]
        if op in ("outer", "const"):
            given[k] = outer[which[0]] if op == "outer" else dtype.type(constant)
    placed = [(k, body.code[k].op, body.code[k].operands[0]) for k in needed if body.code[k].op in ("state", "step")]
    rest = [k for k in needed if body.code[k].op not in INPUTS]
    state, sources = list(operands[: loop.states]), operands[loop.states : loop.states + loop.steps]
    most = int(operands[-1]) if loop.is_counted else loop.length
    stacks: list[list[Any]] = [[dtype.type(0.0)] * loop.length for _ in range(loop.outs)]
    count = 0
    for count in range(most + 1):
        if count == most:
            break
        at = most - 1 - count if loop.backward else count
        numbers = dict(given)
        for k, op, where in placed:
            numbers[k] = state[where] if op == "state" else sources[where][at]
        for k in rest:
            _instruction(body, k, numbers, functions, dtype)
        if body.active is not None and not np.any(numbers[body.active]):
            break
        results = [numbers[k] for k in body.results]
        state = results[: loop.states]
        for stack, x in zip(stacks, results[loop.states :], strict=True):
            stack[at] = x
    return {"last": state, "stack": stacks, "count": [count]}


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
