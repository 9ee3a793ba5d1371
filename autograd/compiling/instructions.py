"""The instruction set of programs: one row has all properties of an instruction.

The writer of programs, their check, NumPy's replay and the generator of native code read it. To add an instruction,
add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

Kind = Literal["number", "condition", "stack", "loop"]
NUMBER: Kind = "number"
CONDITION: Kind = "condition"
STACK: Kind = "stack"  # the numbers of a loop's steps
LOOP: Kind = "loop"  # all results of a loop together


class Opcode(NamedTuple):
    """One row of the table. An instruction without ``llvm``, ``intrinsic`` and ``libm`` is computed by Python.

    Attributes:
        name: what programs call it.
        operands: the kinds of its operands; None for any number of them.
        result: the kind of its result.
        commutative: whether its two operands may be exchanged.
        numpy: the same on arrays; None where Python computes it, number by number.
        llvm: LLVM's instruction, with ``{0}``, ``{1}`` … for the operands, ``{v}`` for the type of a vector of numbers,
            ``{mask}`` for that of conditions, ``{true}`` for the condition that holds everywhere and ``{flags}`` for
            what LLVM may do besides rounding each operation. Several are separated by ``; ``, with ``{r[0]}``,
            ``{r[1]}`` … for the results of those before, ``{bits}`` for the type of a vector of integers, and
            ``{integer[mantissa]}``, ``{number[whole]}`` for the constants that ``Block`` names.
        avx512: the same for vectors of 64 bytes, where processors have an instruction for it.
        intrinsic: LLVM's function, where it has one.
        libm: the C library's function on numbers. The vector library is searched for the same name.
        far: the C library's function for first operands that are larger than ``REACH``; the result for all others is
            the second operand. Native code goes there only if a vector has such an operand.
        in_rules: whether rules of the operation table call it by this name; others only the writer uses.
        strict_in_python: Python's own function differs from the C library's in the last place; strict programs call it.
    """

    name: str
    operands: tuple[Kind, ...] | None
    result: Kind = NUMBER
    commutative: bool = False
    numpy: Callable[..., Any] | None = None
    llvm: str = ""
    avx512: str = ""
    intrinsic: str = ""
    libm: str = ""
    far: str = ""
    in_rules: bool = False
    strict_in_python: bool = False


# Numbers as bits. The magnitude that is added to a whole number moves it into the lowest bits.


def _exponent(x: Any) -> Any:
    fraction, exponent = np.frexp(x)
    return np.where(fraction < 0.75, exponent - 1, exponent).astype(x.dtype)


def _significand(x: Any) -> Any:
    fraction, _ = np.frexp(x)
    return np.where(fraction < 0.75, 2 * fraction, fraction).astype(x.dtype)


def _scale(x: Any, k: Any) -> Any:
    return np.ldexp(x, np.asarray(k).astype(np.int32))


def _odd(k: Any) -> Any:
    return np.mod(k, 2) == 1


def _turn(x: Any, k: Any) -> Any:
    return np.where(np.mod(k, 4) >= 2, np.negative(x), x)


_EXPONENT = (
    "bitcast {v} {0} to {bits}; add {bits} {r[0]}, {integer[quarter]}; lshr {bits} {r[1]}, {integer[mantissa]}; "
    "or {bits} {r[2]}, {integer[power]}; bitcast {bits} {r[3]} to {v}; fsub {v} {r[4]}, {number[biased]}"
)
_SIGNIFICAND = (
    "bitcast {v} {0} to {bits}; add {bits} {r[0]}, {integer[quarter]}; and {bits} {r[1]}, {integer[exponents]}; "
    "sub {bits} {r[0]}, {r[2]}; add {bits} {r[3]}, {integer[one]}; bitcast {bits} {r[4]} to {v}"
)
_SCALE = (  # by two factors, because one may not be a number: 2 to half of k rounded down, then to the rest
    "fadd {v} {1}, {number[twice]}; bitcast {v} {r[0]} to {bits}; lshr {bits} {r[1]}, {integer[unit]}; "
    "sub {bits} {r[1]}, {r[2]}; shl {bits} {r[2]}, {integer[mantissa]}; shl {bits} {r[3]}, {integer[mantissa]}; "
    "bitcast {bits} {r[4]} to {v}; bitcast {bits} {r[5]} to {v}; fmul {v} {0}, {r[7]}; fmul {v} {r[8]}, {r[6]}"
)
_ON_AVX512 = "call {v} @llvm.x86.avx512.mask."
_NO_MASK = "{v} zeroinitializer, {all} -1, i32 4)"
_GETEXP = _ON_AVX512 + "getexp.{packed}.512({v} {0}, " + _NO_MASK
_GETMANT = _ON_AVX512 + "getmant.{packed}.512({v} {0}, i32 15, " + _NO_MASK  # from 0.75 to 1.5; nan of negative numbers
_SCALEF = _ON_AVX512 + "scalef.{packed}.512({v} {0}, {v} {1}, " + _NO_MASK
_GETEXP_NEAR = (
    f"{_GETMANT}; fcmp olt {{v}} {{r[0]}}, {{number[one]}}; {_GETEXP}; fadd {{v}} {{r[2]}}, {{number[one]}}; "
    "select {mask} {r[1]}, {v} {r[3]}, {v} {r[2]}"
)
_ODD = "fadd {v} {0}, {number[whole]}; bitcast {v} {r[0]} to {bits}; trunc {bits} {r[1]} to {mask}"
_TURN = (
    "fadd {v} {1}, {number[whole]}; bitcast {v} {r[0]} to {bits}; shl {bits} {r[1]}, {integer[second]}; "
    "and {bits} {r[2]}, {integer[sign]}; bitcast {v} {0} to {bits}; xor {bits} {r[4]}, {r[3]}; "
    "bitcast {bits} {r[5]} to {v}"
)


REACH = {"double": 2.0**27, "float": 2.0**15}  # how large an angle may be that is reduced by its distance to k·π/2


def _far(name: str, function: Callable[..., Any]) -> Opcode:
    def either(x: Any, near: Any) -> Any:
        return np.where(np.abs(x) > REACH["double" if x.dtype == np.float64 else "float"], function(x), near)

    return Opcode(f"{name}_far", (NUMBER, NUMBER), numpy=either, far=name)


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
    # In a loop's body: a number of the state, the element of a stack at a step, a number or stack from outside.
    _input("state"),
    _input("step"),
    _input("outer"),
    # A loop, whose code is another program; its results by their numbers: a last number of the state, a stack, and how
    # many steps it took. A stack is also made of single numbers, and has elements.
    Opcode("loop", None, LOOP),
    Opcode("last", (LOOP,)),
    Opcode("stack", (LOOP,), STACK),
    Opcode("count", (LOOP,)),
    Opcode("pack", None, STACK),
    Opcode("element", (STACK,)),
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
    # What functions are made of (see ``mathematics``): sums that are never fused with a product, and a number's bits.
    Opcode("add_unfused", (NUMBER, NUMBER), NUMBER, True, np.add, "fadd {v} {0}, {1}"),
    Opcode("sub_unfused", (NUMBER, NUMBER), numpy=np.subtract, llvm="fsub {v} {0}, {1}"),
    # x = significand·2^exponent with a significand from 0.75 to 1.5, for normal x > 0 (on AVX-512 for
    # every x, as IEEE 754 defines logB: the exponents of 0 and inf are -inf and inf, the significand of x < 0 is nan).
    Opcode("exponent", (NUMBER,), numpy=_exponent, llvm=_EXPONENT, avx512=_GETEXP_NEAR),
    Opcode("significand", (NUMBER,), numpy=_significand, llvm=_SIGNIFICAND, avx512=_GETMANT),
    # x·2^k for whole k; x is from 2^-60 to 2^60, and |k| is at most twice the largest exponent.
    Opcode("scale", (NUMBER, NUMBER), numpy=_scale, llvm=_SCALE, avx512=_SCALEF),
    # Whether the whole number k is odd; −x where k modulo 4 is 2 or 3, else x. |k| is below 2^50, or 2^21 in float32.
    Opcode("odd", (NUMBER,), CONDITION, numpy=_odd, llvm=_ODD),
    Opcode("turn", (NUMBER, NUMBER), numpy=_turn, llvm=_TURN),
    _far("sin", np.sin),
    _far("cos", np.cos),
    _far("tan", np.tan),
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
INPUTS = frozenset({"row", "shared", "const", "state", "step", "outer"})
LOOP_INPUTS = frozenset({"state", "step", "outer"})
OF_LOOPS = frozenset({"last", "stack", "count"})  # a loop's results
NO_ARITHMETIC = INPUTS | OF_LOOPS | {"loop", "pack", "element"}
CONDITIONS = frozenset(row.name for row in _ROWS if row.result == CONDITION)
COMMUTATIVE = frozenset(row.name for row in _ROWS if row.commutative)
