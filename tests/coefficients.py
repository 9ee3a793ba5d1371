"""Derives the coefficients of the functions in ``autograd/compiling/mathematics.py`` and prints them as a module.

    python -m tests.coefficients > autograd/compiling/coefficients.py

Each polynomial is the best in the mean square at Chebyshev points, weighted as the line that asks for it says, which is
within a few percent of the one with the smallest largest error. It is found with mpmath's numbers of 80 digits. Its
coefficients are rounded one after the other, the lowest first, each time with the rest derived anew (Brisebarre and
Chevillard, 2007, explain what rounding them all at once loses).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mpmath import mp, mpf

DIGITS = 80
POINTS = 200  # of the grid


class Kind(NamedTuple):
    """A type of numbers: how one is rounded, the bits of its significand, and its largest exponent."""

    name: str
    rounded: Callable[[Any], float]
    bits: int
    largest: int


def parts(x: Any, rounded: Callable[[Any], float], *bits: int, nearest: bool = True) -> tuple[float, ...]:
    """A number as a sum: numbers of so many bits, then what is left, which is positive if they are not the nearest."""
    found = []
    for count in bits:
        step = mpf(2) ** (int(mp.floor(mp.log(abs(x), 2))) + 1 - count)
        found.append(float((mp.nint if nearest else mp.floor)(x / step) * step))
        x -= found[-1]
    return (*found, rounded(x))


def single(x: Any) -> float:
    """The nearest number of float32."""
    return float(struct.unpack("f", struct.pack("f", float(x)))[0])


def least_squares(rows: Sequence[Sequence[Any]], wanted: Sequence[Any]) -> list[Any]:
    """The factors of the columns whose sum is nearest to what is wanted."""
    columns = list(zip(*rows, strict=True))
    matrix = mp.matrix([[mp.fdot(a, b) for b in columns] for a in columns])
    return list(mp.lu_solve(matrix, mp.matrix([mp.fdot(a, wanted) for a in columns])))


def polynomial(
    f: Callable[[Any], Any],
    low: Any,
    high: Any,
    degree: int,
    rounded: Callable[[Any], float],
    weight: Callable[[Any], Any] = lambda x: mpf(1),
) -> tuple[list[float], Any]:
    """Coefficients of f on an interval, lowest first, rounded; and the largest weighted error."""
    middle, half = (mpf(low) + high) / 2, (mpf(high) - low) / 2
    points = [middle - half * mp.cos(mp.pi * (k + mpf(1) / 2) / POINTS) for k in range(POINTS)]
    values, weights = [f(x) for x in points], [weight(x) for x in points]
    rows = [[w * x**p for p in range(degree + 1)] for x, w in zip(points, weights, strict=True)]
    left = [w * y for w, y in zip(weights, values, strict=True)]
    known = list[float]()
    for first in range(degree + 1):
        known.append(rounded(least_squares([row[first:] for row in rows], left)[0]))
        left = [y - known[-1] * row[first] for y, row in zip(left, rows, strict=True)]
    return known, max(map(abs, left))


# The functions -------------------------------------------------------------------------------------------------------

DOUBLE, SINGLE = Kind("DOUBLE", float, 53, 1024), Kind("SINGLE", single, 24, 128)
TINY = mpf(10) ** -12


def exp_rest(r: Any) -> Any:
    """(exp r − 1 − r)/r²."""
    return (mp.expm1(r) - r) / r**2 if abs(r) > TINY else mpf(1) / 2 + r / 6


def log_rest(z: Any) -> Any:
    """(ln((1 + s)/(1 − s))/s − 2)/z for z = s²."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def erfcx_times(k: Any) -> Callable[[Any], Any]:
    """(x + k)·exp(x²)·erfc(x) as a function of t = (x − k)/(x + k)."""

    def f(t: Any) -> Any:
        x = k * (1 + t) / (1 - t)
        return (x + k) * mp.exp(x * x) * mp.erfc(x)

    return f


def erfc_share(t: Any, k: Any) -> Any:
    """The factor by which that function becomes erfc(x)."""
    x = k * (1 + t) / (1 - t)
    return mp.exp(-x * x) / (x + k)


def tail(k: Any, slope: Any, root: Any) -> Callable[[Any], Any]:
    """(1 + slope·x)·exp((root·x)²)·erfc(root·x) − 1 as a function of t = (x − k)/(x + k)."""

    def f(t: Any) -> Any:
        x = k * (1 + t) / (1 - t)
        return (1 + slope * x) * mp.exp((root * x) ** 2) * mp.erfc(root * x) - 1

    return f


def erf_rest(z: Any) -> Any:
    """erf(x)/x − 1 for z = x²."""
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1


def odd_rest(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """(f(x)/x − 1)/x² for z = x²: what an odd function with slope 1 at 0 has beside x."""

    def rest(z: Any) -> Any:
        x = mp.sqrt(z)
        return (f(x) / x - 1) / z

    return rest


def cos_rest(z: Any) -> Any:
    """(cos(x) − 1 + z/2)/z² for z = x²."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def table(kind: Kind) -> dict[str, tuple[float, ...]]:
    """All coefficients for one type of numbers."""
    rounded, double = kind.rounded, kind is DOUBLE
    half, quarter = mp.log(2) / 2 * mpf("1.0001"), mp.pi / 4 * mpf("1.0001")

    def fit(f: Any, low: Any, high: Any, degrees: tuple[int, int], weight: Any = lambda x: mpf(1)) -> Any:
        known, error = polynomial(f, low, high, degrees[0 if double else 1], rounded, weight)
        assert error < mpf(2) ** -kind.bits, (f, mp.log(error, 2))
        return tuple(known)

    far, near = mpf(6 if double else 4), mpf(3)
    erfcx, k = erfcx_times(near), mpf(7) / 2
    erfc, normal = tail(k, mpf(7) / 4, mpf(1)), tail(mpf(5), mpf(5) / 4, mp.sqrt(mpf(1) / 2))
    return {
        "exp": fit(exp_rest, -half, half, (9, 4), lambda r: r * r / mp.exp(r)),
        "log": fit(log_rest, TINY, mpf(1) / 25, (6, 2), lambda z: z / 2),
        "erfcx": fit(erfcx, mpf(-0.5), (far - near) / (far + near), (11, 5), lambda t: erfc_share(t, near)),
        "erfc": fit(erfc, mpf(-1), (28 - k) / (28 + k), (22, 10), lambda t: 1 / (1 + erfc(t))),
        "normal": fit(normal, mpf(-1), (39 - 5) / mpf(39 + 5), (22, 10), lambda t: 1 / (1 + normal(t))),
        "erf": fit(erf_rest, TINY, mpf(1), (11, 6), lambda z: 1 / (1 + erf_rest(z))),
        "tanh": fit(odd_rest(mp.tanh), TINY, mpf(0.3026), (9, 3), lambda z: z),
        "sinh": fit(odd_rest(mp.sinh), TINY, mpf(1.001), (6, 2), lambda z: z / (1 + z / 6)),
        "sin": fit(odd_rest(mp.sin), TINY, quarter**2, (5, 2), lambda z: z),
        "cos": fit(cos_rest, TINY, quarter**2, (5, 2), lambda z: z * z),
        "atan": fit(odd_rest(mp.atan), TINY, mpf(1), (19, 7), lambda z: z),
        "asin": fit(odd_rest(mp.asin), TINY, mpf(0.2501), (11, 4), lambda z: z),
        "half_pi": parts(mp.pi / 2, rounded, kind.bits, kind.bits),
        "two_over_pi": parts(2 / mp.pi, rounded, kind.bits),
        "ln2": parts(mp.log(2), rounded, kind.bits),
        "ln2_short": parts(mp.log(2), rounded, kind.bits - (11 if double else 8), nearest=False),
        "log2_e": parts(1 / mp.log(2), rounded, kind.bits),
        "log10_e": parts(1 / mp.log(10), rounded, kind.bits),
        "log10_2": parts(mp.log(2) / mp.log(10), rounded, kind.bits - (11 if double else 8), nearest=False),
    }


def main() -> None:
    """Print the module."""
    with mp.workdps(DIGITS):
        tables = {kind.name: table(kind) for kind in (DOUBLE, SINGLE)}
    print(
        '"""Coefficients of mathematical functions, for float64 and float32; written by ``tests/coefficients.py``."""'
    )
    print("\nfrom typing import NamedTuple\n\n\nclass Coefficients(NamedTuple):")
    print('    """Polynomials, the lowest coefficient first, and constants as sums of numbers."""\n')
    for name in tables["DOUBLE"]:
        print(f"    {name}: tuple[float, ...]")
    for kind, found in tables.items():
        print(f"\n\n{kind} = Coefficients(" if kind == "DOUBLE" else f"\n{kind} = Coefficients(")
        for name, numbers in found.items():
            print(f"    {name}=(\n" + "".join(f"        {x!r},\n" for x in numbers) + "    ),")
        print(")")


if __name__ == "__main__":
    main()
