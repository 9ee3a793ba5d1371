"""Initial weights, from an explicit seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from operator import index
from types import ModuleType
from typing import Any

from autograd import InputError
from autograd.text import shown

from .text import choose, function, number

Initializer = Callable[[random.Random, int, int], float]  # generator, inputs, outputs -> one weight


def as_rng(rng: Any) -> random.Random:
    """A generator from a seed, or a generator of Python or NumPy, which advances when it is used.

    Args:
        rng: a whole number from 0 on, ``random.Random``, ``numpy.random.Generator`` or ``numpy.random.RandomState``.

    Raises:
        InputError: for anything else; there is no unseeded default.

    >>> as_rng(3).random() == as_rng(3).random()
    True
    """
    if isinstance(rng, random.Random):
        return rng
    if hasattr(rng, "__index__") and not isinstance(rng, bool):
        try:
            seed = index(rng)
        except TypeError:  # an array of several numbers
            seed = -1
        if seed < 0:  # Python's generator drops the sign: -1 would be the seed 1
            raise InputError(f"a seed is a whole number from 0 on, not {shown(rng)}")
        return random.Random(seed)
    if not isinstance(rng, type | ModuleType):  # the module numpy.random would use its global state
        if hasattr(rng, "integers"):  # numpy.random.Generator
            return random.Random(int(rng.integers(2**63)))
        if hasattr(rng, "randint") and hasattr(rng, "random_sample"):  # numpy.random.RandomState
            return random.Random(int(rng.randint(2**31)))
    raise InputError(f"rng is a seed (an int) or a random generator, not {shown(rng)}")


def uniform(bound: float = 1.0) -> Initializer:
    """Uniform on [−bound, bound]."""
    bound = number("bound", bound)
    return lambda rng, nin, nout: rng.uniform(-bound, bound)


def normal(std: float = 0.01) -> Initializer:
    """Normal with mean 0."""
    std = number("std", std)
    return lambda rng, nin, nout: rng.gauss(0.0, std)


def xavier_uniform(rng: random.Random, nin: int, nout: int) -> float:
    """Uniform, variance 2/(nin + nout): keeps signal variance through tanh and sigmoid (Glorot & Bengio 2010)."""
    bound = math.sqrt(6.0 / (nin + nout))
    return rng.uniform(-bound, bound)


def xavier_normal(rng: random.Random, nin: int, nout: int) -> float:
    """Normal, variance 2/(nin + nout) (Glorot & Bengio 2010)."""
    return rng.gauss(0.0, math.sqrt(2.0 / (nin + nout)))


def kaiming_uniform(rng: random.Random, nin: int, nout: int) -> float:
    """Uniform, variance 2/nin: keeps signal variance through relu (He et al. 2015)."""
    bound = math.sqrt(6.0 / max(nin, 1))
    return rng.uniform(-bound, bound)


def kaiming_normal(rng: random.Random, nin: int, nout: int) -> float:
    """Normal, variance 2/nin (He et al. 2015)."""
    return rng.gauss(0.0, math.sqrt(2.0 / max(nin, 1)))


INITIALIZERS: dict[str, Initializer] = {
    "uniform": uniform(),
    "normal": normal(),
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "kaiming_uniform": kaiming_uniform,
    "kaiming_normal": kaiming_normal,
    "zeros": lambda rng, nin, nout: 0.0,
}
_ALIASES = {"glorot_uniform": "xavier_uniform", "glorot_normal": "xavier_normal"}
_ALIASES |= {"he_uniform": "kaiming_uniform", "he_normal": "kaiming_normal"}
INITIALIZERS |= {alias: INITIALIZERS[name] for alias, name in _ALIASES.items()}


def initializer(init: str | Initializer) -> Initializer:
    """An initialiser by name, or the one given."""
    if callable(init):
        return function("an initialiser", init, "rng", "nin", "nout")
    return choose("initialiser", init, INITIALIZERS)
