"""How Python and NumPy lay out their objects in memory, checked on known ones, for native code that reads them.

NumPy promises the layout of its arrays and the numbers of its C functions to extension modules. Python's objects are as
checked here on CPython. On another implementation, or where anything differs, no native code reads them.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import sysconfig
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..value import Value
from . import native

# Bytes from the beginning of an object.
TYPE = 8  # of any object
FLOAT = 16  # the number of a float
COUNT, ITEMS = 16, 24  # of a tuple: how many items it has, and the first
DATA, AXES, SHAPE, STRIDES, KIND, FLAGS = 16, 24, 32, 40, 56, 64  # of an array; KIND is its dtype
KIND_WORD = 24  # of a dtype: its kind, character, byte order, a byte of flags, and number
KIND_BITS = -1 ^ 0xFF000000  # without the flags

IS_ALIGNED, IS_WRITEABLE = 0x100, 0x400  # NumPy's flags of an array

_ABI = 0  # numbers of NumPy's C functions
_NEW_ARRAY = 94

_PYTHON = (
    *("PyFloat_FromDouble", "PyTuple_New", "PyTuple_SetItem", "Py_IncRef", "Py_DecRef", "PyErr_Clear"),
    *("PyEval_SaveThread", "PyEval_RestoreThread"),
)


class Layout(NamedTuple):
    """What native code needs besides the constants above.

    Attributes:
        data, grad: where a Value has them.
        functions: addresses of the functions of Python and NumPy that it calls, by name.
    """

    data: int
    grad: int
    functions: Mapping[str, int]


@cache
def layout() -> Layout | None:
    """The layout, if all of it is as expected here; None if native code must not read objects."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    if struct.calcsize("P") != 8 or (object.__basicsize__, float.__basicsize__, tuple.__basicsize__) != (16, 24, 24):
        return None
    if not _floats_and_tuples() or not _dtypes() or not all(map(_is_as_expected, _arrays())):
        return None
    functions = _functions()
    data, grad = (_slot(name) for name in ("data", "grad"))
    return None if functions is None or data is None or grad is None else Layout(data, grad, functions)


def kind_of(dtype: Any) -> int:
    """The word that is the same for dtypes of the same numbers, also in the order of their bytes."""
    return ctypes.c_int64.from_address(id(dtype) + KIND_WORD).value & KIND_BITS


def _words(x: Any) -> list[int]:
    """The memory of an object's fixed part, as 64-bit words."""
    return list((ctypes.c_uint64 * (type(x).__basicsize__ // 8)).from_address(id(x)))


def _dtypes() -> bool:
    """Whether a dtype's memory says which numbers it is of."""
    kinds = np.dtype(np.float64), np.dtype(np.float32)
    known = [struct.unpack("q", struct.pack("=3sxi", k.kind.encode() + k.char.encode() + b"=", k.num)) for k in kinds]
    return np.dtype.__basicsize__ >= KIND_WORD + 8 and [(kind_of(kind),) for kind in kinds] == known


def _floats_and_tuples() -> bool:
    number, pair = float("1234.5"), ("first", 2)
    words = list((ctypes.c_uint64 * 5).from_address(id(pair)))
    return (
        _words(number)[TYPE // 8] == id(float)
        and struct.unpack("d", struct.pack("Q", _words(number)[FLOAT // 8]))[0] == number
        and (words[COUNT // 8], words[ITEMS // 8 :]) == (2, list(map(id, pair)))
    )


def _arrays() -> list[Any]:
    base: Any = np.arange(24.0)
    frozen = np.zeros((2, 3), dtype=np.float32)
    frozen.flags.writeable = False
    return [base, base.reshape(2, 3, 4), base.reshape(4, 6)[1:, ::2], np.array(1.5), frozen]


def _is_as_expected(array: Any) -> bool:
    """Whether an array's memory says what its attributes say; pointers in it are followed only if all else is right."""
    if np.ndarray.__basicsize__ < FLAGS + 8:
        return False
    words, n = _words(array), array.ndim
    if (words[TYPE // 8], words[DATA // 8]) != (id(np.ndarray), array.__array_interface__["data"][0]):
        return False
    if (words[AXES // 8] & 0xFFFFFFFF, words[KIND // 8]) != (n, id(array.dtype)):
        return False
    flags = words[FLAGS // 8]
    if (bool(flags & IS_ALIGNED), bool(flags & IS_WRITEABLE)) != (array.flags.aligned, array.flags.writeable):
        return False
    if not n:
        return True
    if words[STRIDES // 8] - words[SHAPE // 8] != 8 * n:
        return False  # NumPy keeps both in one piece of memory
    found = list((ctypes.c_int64 * (2 * n)).from_address(words[SHAPE // 8]))
    return found == [*array.shape, *array.strides]


def _slot(name: str) -> int | None:
    """Where a Value keeps an attribute."""
    value = Value(0.0)
    setattr(value, name, float("4321.25"))
    words = _words(value)
    found = [8 * k for k, word in enumerate(words) if word == id(getattr(value, name))]
    return found[0] if len(found) == 1 else None


def _functions() -> dict[str, int] | None:
    """The addresses of the functions; None if there is one that this Python or NumPy does not have."""
    try:
        found = {name: native.address(getattr(ctypes.pythonapi, name)) for name in _PYTHON}
        core = import_module("numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core")
        capsule = vars(core.multiarray)["_ARRAY_API"]
    except (AttributeError, ImportError, KeyError):
        return None
    kind = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    pointer = kind(("PyCapsule_GetPointer", ctypes.pythonapi))
    table = ctypes.cast(pointer(capsule, None), ctypes.POINTER(ctypes.c_void_p))
    if ctypes.CFUNCTYPE(ctypes.c_uint)(table[_ABI])() not in (0x1000009, 0x2000000):  # NumPy 1 and 2
        return None
    return {**found, "new_array": table[_NEW_ARRAY] or 0}
