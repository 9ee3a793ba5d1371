"""A compiled function, or derivatives of it, as a function of C that any program can call by its address."""

from __future__ import annotations

import ctypes
from enum import auto
from functools import cache
from typing import Any

import numpy as np

from ..errors import ArgumentError, InputError, MissingExtraError
from ..text import shown
from . import native
from .assembly import Routine
from .call import leaf_numbers
from .prepared import Prepared
from .record import Word
from .want import size
from .workspace import address

ROOM = 2048  # bytes of working memory that a call takes from the stack; longer programs ask for memory at each call

_DOUBLES = ctypes.POINTER(ctypes.c_double)
SIGNATURES: dict[str, tuple[str, Any]] = {  # the function of the module, and its type
    "void (double *, double *)": ("row", ctypes.CFUNCTYPE(None, _DOUBLES, _DOUBLES)),
    "double (double)": ("number", ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)),
    "double (int, double *)": ("numbers", ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, _DOUBLES)),
}


class CFunction:
    """A function of C. Its machine code exists as long as this object, or a ``pointer`` of it.

    It may be called from any number of threads at once, and by code that does not hold Python's lock: it changes
    nothing but its outputs. Numbers outside the function's domain give inf or nan. Where there is no memory for its
    work, outputs are nan.

    Signatures:
        void (double *, double *): inputs are the numbers of all arguments, one after another, nested lists row by row;
            outputs those of all results likewise.
        double (double): a function of one number with one result.
        double (int, double *): a function of so many numbers with one result; nan if the count is another.

    Attributes:
        address: where it is. A bare number keeps nothing alive: do not call it after this object is gone.
        signature: its type in C, as SciPy spells it.
        inputs, outputs: how many numbers it takes and gives.
        pointer: the same as a function of ctypes, which keeps the machine code. Numba can call it too.
    """

    def __init__(self, prepared: Prepared, signature: str) -> None:
        known = SIGNATURES.get(signature) if isinstance(signature, str) else None
        if known is None:
            raise ArgumentError(f"signature is one of {', '.join(map(repr, SIGNATURES))}, not {shown(signature)}")
        name, kind = known
        takes = sum(size(shape) for shape in prepared.question.shapes)
        gives = sum(len(array.nodes) for array in prepared.want.results)
        if (name != "row" and gives != 1) or (name == "number" and takes != 1):
            raise ArgumentError(
                f"{signature!r} is for a function of {'one number' if name == 'number' else 'numbers'} with one result "
                f"and this one takes {takes} and gives {gives}: use the signature 'void (double *, double *)'"
            )
        self.signature, self.inputs, self.outputs = signature, takes, gives
        context, kept = _context(prepared, takes, gives)
        code = native.Loaded([(_text(), 2)], native.host(), ("bind", name))
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.addresses["bind"])(context)
        self.address = code.addresses[name]
        self.pointer = kind(self.address)
        self.pointer.kept = (code, kept)

    def low_level_callable(self) -> Any:
        """The function as ``scipy.LowLevelCallable``, which keeps the machine code, for example for ``quad``.

        Raises:
            MissingExtraError: without SciPy.
        """
        try:
            from scipy import LowLevelCallable
        except ImportError:
            raise MissingExtraError("scipy", "sklearn", "low_level_callable") from None
        return LowLevelCallable(self.pointer, signature=self.signature)

    def __repr__(self) -> str:
        return f"<function of C at {self.address:#x}: {self.signature}, {self.inputs} inputs, {self.outputs} outputs>"

    def __reduce__(self) -> Any:
        raise InputError(
            "a function of C is an address in this process and cannot be pickled; make it where it is used"
        )


class _Context(Word):
    """What a function works with: a table of words."""

    RUN = auto()
    PARAMETERS = auto()
    PACKED = auto()
    CALLS = auto()
    OPERANDS = auto()
    ARRAYS = auto()  # how many arrays the program reads and writes
    ARRAY_TABLE = auto()  # for each 0 if it is in the inputs, 1 if in the outputs; and its first byte there
    INPUTS = auto()
    OUTPUTS = auto()
    SLOTS = auto()  # bytes
    MEMORY = auto()  # bytes of all that a call needs: slots, the arrays' addresses, and a flag


def _context(prepared: Prepared, takes: int, gives: int) -> tuple[int, Any]:
    """Where the context is, and what must be kept with it. What depends on leaves only is computed here."""
    code = prepared.task.code(one_row=True)
    entry = code.entry()
    if entry.in_python:
        own = sorted({x.op for x in prepared.task.program.code} & set(prepared.task.program.own))
        raise ArgumentError(
            f"{', '.join(own) or 'an operation'} is computed in Python here, which a function of C cannot wait for; "
            "write it with the operations of this library"
        )
    code.prepare(entry.space, leaf_numbers(prepared.leaves))
    rows = []
    for place, sizes in enumerate(
        (map(len, prepared.task.row_inputs), [len(array.nodes) for array in prepared.want.results])
    ):
        start = 0
        for count in sizes:
            rows += [place, 8 * start]
            start += count
    table = np.array([*rows, 0], dtype=np.int64)
    slots = -(-8 * entry.layout.slots // 64) * 64
    _, parameters, packed, _ = entry.space.addresses
    words = {
        _Context.RUN: entry.run,
        _Context.PARAMETERS: parameters,
        _Context.PACKED: packed,
        _Context.CALLS: entry.calls,
        _Context.OPERANDS: entry.operands,
        _Context.ARRAYS: len(rows) // 2,
        _Context.ARRAY_TABLE: address(table),
        _Context.INPUTS: takes,
        _Context.OUTPUTS: gives,
        _Context.SLOTS: slots,
        _Context.MEMORY: slots + 8 * len(rows) + 8,
    }
    context = np.array([words[word] for word in _Context], dtype=np.int64)
    return address(context), (context, table, entry)


# The machine code ----------------------------------------------------------------------------------------------------


@cache
def _text() -> str:
    """The module. It is the same for every function; ``bind`` gives it the context of this one."""
    return "\n\n".join((_DECLARED.strip(), _bind(), _work(), _row(), _number(), _numbers(), ""))


_DECLARED = """
@context = internal global ptr null
declare ptr @malloc(i64)
declare void @free(ptr)
"""


def _bind() -> str:
    f = Routine("void @bind(ptr %context)", "define")
    f.put("ptr", "%context", "@context")
    return f.text()


def _work() -> str:
    """One call, in memory that is aligned as vectors are."""
    f = Routine("void @work(ptr %memory, ptr %inputs, ptr %outputs)")
    context = f.get("ptr", "@context")
    arrays = f.at("%memory", f.word(context, _Context.SLOTS))
    count, table = f.word(context, _Context.ARRAYS), f.address(context, _Context.ARRAY_TABLE)
    flag = f.item(arrays, count, 16)
    f.put("i64", "0", flag)
    with f.each(count) as loop:
        row, place = f.item(table, loop.index, 16), f.item(arrays, loop.index, 16)
        is_input = f.test(f"eq i64 {f.word(row, 0)}, 0")
        base = f.let(f"select i1 {is_input}, ptr %inputs, ptr %outputs")
        f.put("ptr", f.at(base, f.word(row, 1)), place)
        f.put("i64", "0", place, 8)  # there is one row
    parameters, packed, calls, operands = (
        f.address(context, x) for x in (_Context.PARAMETERS, _Context.PACKED, _Context.CALLS, _Context.OPERANDS)
    )
    memory = ", ".join([f"ptr {x}" for x in ("%memory", parameters, packed, "%memory", calls, arrays, flag, operands)])
    f.do(f"call void {f.address(context, _Context.RUN)}(i64 1, {memory})")
    return f.text()


def _row() -> str:
    """void (double *, double *)"""
    f = Routine("void @row(ptr %inputs, ptr %outputs)", "define")
    own = f.let(f"alloca [{ROOM} x i8], align 64")
    context = f.get("ptr", "@context")
    size = f.word(context, _Context.MEMORY)
    with f.when(f.test(f"ule i64 {size}, {ROOM}")):
        f.do(f"call void @work(ptr {own}, ptr %inputs, ptr %outputs)")
        f.finish()
    whole = f.let(f"call ptr @malloc(i64 {f.let(f'add i64 {size}, 64')})")
    with f.when(f.test(f"eq ptr {whole}, null")):
        with f.each(f.word(context, _Context.OUTPUTS)) as loop:
            f.put("double", "0x7FF8000000000000", f.item("%outputs", loop.index))
        f.finish()
    address = f.let(f"ptrtoint ptr {f.at(whole, 63)} to i64")
    aligned = f.let(f"inttoptr i64 {f.let(f'and i64 {address}, -64')} to ptr")
    f.do(f"call void @work(ptr {aligned}, ptr %inputs, ptr %outputs)")
    f.do(f"call void @free(ptr {whole})")
    return f.text()


def _number() -> str:
    """double (double)"""
    f = Routine("double @number(double %x)", "define")
    x, y = f.let("alloca double"), f.let("alloca double")
    f.put("double", "%x", x)
    f.do(f"call void @row(ptr {x}, ptr {y})")
    f.finish(f"ret double {f.get('double', y)}")
    return f.text()


def _numbers() -> str:
    """double (int, double *)"""
    f = Routine("double @numbers(i32 %count, ptr %inputs)", "define")
    y = f.let("alloca double")
    wanted = f.word(f.get("ptr", "@context"), _Context.INPUTS)
    f.put("double", "0x7FF8000000000000", y)
    with f.when(f.test(f"eq i64 {f.let('sext i32 %count to i64')}, {wanted}")):
        f.do(f"call void @row(ptr %inputs, ptr {y})")
    f.finish(f"ret double {f.get('double', y)}")
    return f.text()
