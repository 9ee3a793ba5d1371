"""The largest errors of compiled mathematical functions, in units in the last place (ulp), on many points each.

``python -m benchmarks accuracy`` compares 10⁷ points for each function with the C library's functions on numbers of 80
bits, on x86 under Linux; the worst point of each range is worked out again by mpmath. ``python -m benchmarks accuracy
exp tanh`` does these functions only.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import mpmath
import numpy as np

import autograd as ag

POINTS = 10_000_000
PIECE = 250_000

# The ranges that points are taken from, where functions are hard and where they are used; first for float64. Those that
# span many powers of two and do not begin below 0 are taken evenly in the logarithm.
RANGES: dict[str, Sequence[tuple[float, float]]] = {
    "exp": [(-746.0, 710.0), (-1.0, 1.0)],
    "expm1": [(-40.0, 710.0), (-1.0, 1.0), (0.3, 0.5), (1e-300, 1.0)],
    "log": [(1e-320, 1e308), (0.5, 2.0), (0.99, 1.01), (1.4, 1.6)],
    "log1p": [(-1.0, 1.0), (-0.3, 0.6), (1e-300, 1e300), (1.0, 30.0)],
    "tanh": [(-20.0, 20.0), (-1.0, 1.0), (1e-300, 1.0)],
    "erf": [(-6.0, 6.0), (0.9, 1.1), (1e-300, 1.0)],
    "erfc": [(-6.0, 28.0), (-0.1, 0.1), (0.0, 3.0), (20.0, 27.3)],
    "normal_cdf": [(-39.0, 9.0), (-0.1, 0.1), (-5.0, 0.0), (-38.5, -30.0)],
    "sin": [(-10.0, 10.0), (-1e8, 1e8), (1e-300, 1.0), (1e5, 1e22)],
    "cos": [(-10.0, 10.0), (-1e8, 1e8), (1e5, 1e22)],
    "tan": [(-10.0, 10.0), (-1e8, 1e8), (1e-300, 1.0), (1e5, 1e22)],
    "exp2": [(-1080.0, 1024.0), (-1.0, 1.0)],
    "log2": [(1e-320, 1e308), (0.5, 2.0), (0.99, 1.01)],
    "log10": [(1e-320, 1e308), (0.5, 2.0), (0.99, 1.01)],
    "sinh": [(-711.0, 711.0), (-2.0, 2.0), (1e-300, 1.0)],
    "cosh": [(-711.0, 711.0), (-2.0, 2.0)],
    "atan": [(-5.0, 5.0), (0.9, 1.1), (1e-300, 1e300)],
    "asin": [(-1.0, 1.0), (0.45, 0.55), (1e-300, 1.0)],
    "acos": [(-1.0, 1.0), (0.45, 0.55), (0.99, 1.0)],
}
ENDS = {  # in float32
    **{"exp": (-104.0, 89.0), "expm1": (-40.0, 89.0), "exp2": (-150.0, 128.0)},
    **dict.fromkeys(("sinh", "cosh"), (-89.4, 89.4)),
    **{"erfc": (-6.0, 10.1), "normal_cdf": (-14.2, 9.0)},
}
IN_MPMATH: dict[str, Callable[[Any], Any]] = {
    "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x, 2),
    "normal_cdf": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
}


class Worst(NamedTuple):
    """The largest error on a range, and where it is."""

    ulps: float
    at: float


class Exact:
    """A function on arrays, to 64 bits: each result as the sum of two floats."""

    def __init__(self, name: str) -> None:
        before, after = "", ""
        if name == "normal_cdf":
            name = "erfc"
            before, after = (f"  %{y} = fmul x86_fp80 %{x}, 0xK{c}\n" for y, x, c in _HALVES)
        library = ctypes.CDLL(ctypes.util.find_library("m"))
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        llvm.add_symbol(f"{name}l", ctypes.cast(getattr(library, f"{name}l"), ctypes.c_void_p).value)
        machine = llvm.Target.from_default_triple().create_target_machine(opt=2, jit=True)
        text = _LOOP.replace("FUNCTION", f"{name}l")
        if before:
            text = text.replace("  %y = call", before + "  %z = call").replace("(x86_fp80 %x)", "(x86_fp80 %u)")
            text = text.replace("  %high = fptrunc", after + "  %high = fptrunc")
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
        self._engine.finalize_object()
        address = self._engine.get_function_address("work")
        self._work = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 3)(address)

    def __call__(self, x: Any) -> tuple[Any, Any]:
        x = np.ascontiguousarray(x, dtype=np.float64)
        high, low = np.empty_like(x), np.empty_like(x)
        self._work(len(x), x.ctypes.data, high.ctypes.data, low.ctypes.data)
        return high, low


# −√½ and ½ as numbers of 80 bits: Φ(x) is erfc(−√½·x)/2.
_HALVES = (("u", "x", "BFFEB504F333F9DE6484"), ("y", "z", "3FFE8000000000000000"))

_LOOP = """
declare x86_fp80 @FUNCTION(x86_fp80)

define void @work(i64 %n, ptr %from, ptr %highs, ptr %lows) {
entry:
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %following, %loop ]
  %at = getelementptr double, ptr %from, i64 %k
  %number = load double, ptr %at
  %x = fpext double %number to x86_fp80
  %y = call x86_fp80 @FUNCTION(x86_fp80 %x)
  %high = fptrunc x86_fp80 %y to double
  %again = fpext double %high to x86_fp80
  %rest = fsub x86_fp80 %y, %again
  %low = fptrunc x86_fp80 %rest to double
  %high_at = getelementptr double, ptr %highs, i64 %k
  %low_at = getelementptr double, ptr %lows, i64 %k
  store double %high, ptr %high_at
  store double %low, ptr %low_at
  %following = add i64 %k, 1
  %more = icmp ult i64 %following, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}
"""


def points(low: float, high: float, count: int, dtype: Any, rng: np.random.Generator) -> Any:
    """Random numbers of a range."""
    if low > 0.0 and high / low > 1000.0:
        return np.exp(rng.uniform(math.log(low), math.log(high), count)).astype(dtype)
    return rng.uniform(low, high, count).astype(dtype)


def ranges(name: str, dtype: Any) -> list[tuple[float, float]]:
    """The ranges for a function, inside what the type can hold."""
    if dtype == np.float64:
        return list(RANGES[name])
    low, high = ENDS.get(name, (-3e38, 3e38))
    inside = [(max(a, low) if a <= 0.0 else max(a, 1e-44), min(b, high)) for a, b in RANGES[name]]
    return [(a, b) for a, b in inside if a < b]


def ulps(found: Any, high: Any, low: Any) -> Any:
    """How far results are from high + low, in units in the last place of the right result."""
    with np.errstate(all="ignore"):
        right = high.astype(found.dtype)
        error = np.abs((found.astype(np.float64) - high) - low) / np.spacing(np.abs(right)).astype(np.float64)
    return np.where(np.isfinite(error), error, np.where(found == right, 0.0, np.inf))


def worst(f: Callable[[Any], Any], exact: Exact, ends: tuple[float, float], count: int, dtype: Any) -> Worst:
    """The largest error of f on random points of a range."""
    rng = np.random.default_rng(0)
    largest = Worst(0.0, ends[0])
    for start in range(0, count, PIECE):
        x = points(*ends, min(PIECE, count - start), dtype, rng)
        errors = ulps(f(x), *exact(x))
        k = int(np.argmax(errors))
        largest = max(largest, Worst(float(errors[k]), float(x[k])))
    return largest


def by_mpmath(name: str, x: float, found: float, dtype: Any) -> float:
    """The error at one point, in units in the last place, with mpmath's numbers."""
    with mpmath.workdps(60):
        right = (IN_MPMATH.get(name) or getattr(mpmath, name))(mpmath.mpf(x))
        return float(abs(mpmath.mpf(found) - right) / mpmath.mpf(float(np.spacing(dtype(abs(float(right)))))))


def main(names: Sequence[str] = (), count: int = POINTS) -> None:
    """Print the table."""
    if not sys.platform.startswith("linux") or np.finfo(np.longdouble).nmant != 63:
        sys.exit("accuracy: this needs numbers of 80 bits in the C library: x86 under Linux")
    print("| function | type | range | largest error, ulp | at | by mpmath |\n|---|---|---|---:|---:|---:|")
    for name in names or RANGES:
        exact = Exact(name)
        for dtype in (np.float64, np.float32):
            f = ag.compile(getattr(ag, name), dtype=dtype)
            for ends in ranges(name, dtype):
                error, x = worst(f, exact, ends, count // len(RANGES[name]), dtype)
                again = by_mpmath(name, x, float(f(np.full(64, x, dtype))[0]), dtype)
                said = f"{ends[0]:g} to {ends[1]:g} | {error:.2f} | {x:.17g} | {again:.2f}"
                print(f"| {name} | {np.dtype(dtype).name} | {said} |", flush=True)
