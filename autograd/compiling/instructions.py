"""The instruction set of programs: one row has all properties of an instruction.

The writer of programs, their check, NumPy's replay and the generator of native code read it. To add an instruction,
add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

Kind = Literal["number", "condition"]
NUMBER: Kind = "number"
CONDITION: Kind = "condition"


class Opcode(NamedTuple):
    """One row of the table. An instruction without ``llvm``, ``intrinsic`` and ``libm`` is computed by Python.

    Attributes:
        name: what programs call it.
        operands: the kinds of its operands; None for any even number of numbers.
        result: the kind of its result.
        commutative: whether its two operands may be exchanged.
        numpy: the same on arrays; None where Python computes it, number by number.
        llvm: LLVM's instruction, with ``{0}``, ``{1}`` … for the operands, ``{v}`` for the type of a vector of numbers,
            ``{mask}`` for that of conditions, ``{true}`` for the condition that holds everywhere and ``{flags}`` for
            what LLVM may do besides rounding each operation.
        intrinsic: LLVM's function, where it has one.
        libm: the C library's function on numbers. The vector library is searched for the same name.
        in_rules: whether rules of the operation table call it by this name; others only the writer uses.
        strict_in_python: Python's own function differs from the C library's in the last place; strict programs call it.
    """

    name: str
    operands: tuple[Kind, ...] | None
    result: Kind = NUMBER
    commutative: bool = False
    numpy: Callable[..., Any] | None = None
    llvm: str = ""
    intrinsic: str = ""
    libm: str = ""
    in_rules: bool = False
    strict_in_python: bool = False


def _input(name: str) -> Opcode:
    return Opcode(name, ())


def _arithmetic(name: str, numpy: Callable[..., Any], llvm: str, commutative: bool = False) -> Opcode:
    line = f"{llvm} {{flags}}{{v}} {{0}}, {{1}}"
    return Opcode(name, (NUMBER, NUMBER), commutative=commutative, numpy=numpy, llvm=line)


def _comparison(name: str, numpy: Callable[..., Any], llvm: str, commutative: bool = False) -> Opcode:
    line = f"fcmp {llvm} {{v}} {{0}}, {{1}}"
    return Opcode(name, (NUMBER, NUMBER), CONDITION, commutative, numpy, line)


def _intrinsic(name: str, numpy: Callable[..., Any], intrinsic: str, operands: int = 1) -> Opcode:
    return Opcode(name, (NUMBER,) * operands, numpy=numpy, intrinsic=intrinsic, in_rules=True)


def _function(name: str, numpy: Callable[..., Any], operands: int = 1, strict_in_python: bool = False) -> Opcode:
    return Opcode(name, (NUMBER,) * operands, numpy=numpy, libm=name, in_rules=True, strict_in_python=strict_in_python)


def _in_python(name: str, operands: int = 1) -> Opcode:
    return Opcode(name, (NUMBER,) * operands, in_rules=True)


def _fma(x: Any, y: Any, z: Any) -> Any:
    return x * y + z


def _dot(*operands: Any) -> Any:
    n = len(operands) // 2
    total = operands[0] * operands[n]
    for w, x in zip(operands[1:n], operands[n + 1 :], strict=True):
        total = total + w * x
    return total


_ROWS = (
    # What exists before the first operation: an input's operand is its number among the inputs, not an instruction's.
    _input("row"),
    _input("shared"),
    _input("const"),
    _arithmetic("add", np.add, "fadd", commutative=True),
    _arithmetic("sub", np.subtract, "fsub"),
    _arithmetic("mul", np.multiply, "fmul", commutative=True),
    _arithmetic("div", np.divide, "fdiv"),
    Opcode("neg", (NUMBER,), numpy=np.negative, llvm="fneg {v} {0}"),
    Opcode("fma", (NUMBER, NUMBER, NUMBER), numpy=_fma, intrinsic="fma"),
    # n weights and n others: Σ weight·other. How it is done depends on which of them differ from row to row.
    Opcode("dot", None, numpy=_dot),
    # Conditions and choice.
    _comparison("lt", np.less, "olt"),
    _comparison("le", np.less_equal, "ole"),
    _comparison("eq", np.equal, "oeq", commutative=True),
    Opcode("and", (CONDITION, CONDITION), CONDITION, True, np.logical_and, "and {mask} {0}, {1}"),
    Opcode("or", (CONDITION, CONDITION), CONDITION, True, np.logical_or, "or {mask} {0}, {1}"),
    Opcode("not", (CONDITION,), CONDITION, False, np.logical_not, "xor {mask} {0}, {true}"),
    Opcode(*("select", (CONDITION, NUMBER, NUMBER)), numpy=np.where, llvm="select {mask} {0}, {v} {1}, {v} {2}"),
    # Operations that processors round exactly.
    _intrinsic("abs", np.abs, "fabs"),
    _intrinsic("sqrt", np.sqrt, "sqrt"),
    _intrinsic("floor", np.floor, "floor"),
    _intrinsic("ceil", np.ceil, "ceil"),
    _intrinsic("trunc", np.trunc, "trunc"),
    _intrinsic("round", np.rint, "roundeven"),
    _intrinsic("copysign", np.copysign, "copysign", 2),
    # Functions of the C library.
    _function("exp", np.exp),
    _function("expm1", np.expm1),
    Opcode("exp2", (NUMBER,), numpy=np.exp2, libm="exp2"),  # eager runs compute pow(2, x)
    _function("log", np.log),
    _function("log2", np.log2),
    _function("log10", np.log10),
    _function("log1p", np.log1p),
    _function("sin", np.sin),
    _function("cos", np.cos),
    _function("tan", np.tan),
    _function("asin", np.arcsin),
    _function("acos", np.arccos),
    _function("atan", np.arctan),
    _function("atan2", np.arctan2, 2),
    _function("sinh", np.sinh),
    _function("cosh", np.cosh),
    _function("tanh", np.tanh),
    _function("asinh", np.arcsinh),
    _function("acosh", np.arccosh),
    _function("atanh", np.arctanh),
    Opcode("erf", (NUMBER,), libm="erf", in_rules=True),  # NumPy has neither erf nor erfc
    Opcode("erfc", (NUMBER,), libm="erfc", in_rules=True),
    _function("pow", np.power, 2),
    _function("cbrt", np.cbrt),
    _function("hypot", np.hypot, 2, strict_in_python=True),
    _function("fmod", np.fmod, 2),
    # Functions that no library of vector mathematics has.
    _in_python("gamma"),
    _in_python("lgamma"),
    _in_python("digamma"),
    _in_python("polygamma", 2),
    _in_python("erfinv"),
    _in_python("erfcx"),
    _in_python("normal_quantile"),
    _in_python("beta", 2),
)

OPCODES = {row.name: row for row in _ROWS}
INPUTS = frozenset({"row", "shared", "const"})
CONDITIONS = frozenset(row.name for row in _ROWS if row.result == CONDITION)
COMMUTATIVE = frozenset(row.name for row in _ROWS if row.commutative)
