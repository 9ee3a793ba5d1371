"""The peers: one file each, with a function for every workload that it supports.

Each function takes the workload and returns a function without arguments that runs it once. That function returns the
numbers, computed anew, as a list of arrays in the same order for every peer. If all rows would take too long, it is
``Fewer(call, rows)``, which computes only some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Fewer(NamedTuple):
    """A call that computes the first ``rows`` rows only."""

    call: Callable[[], Any]
    rows: int


# name -> its title in tables; the file is peers/<name>.py
PEERS = {
    "ours": "ours",
    "plain_c": "C (gcc -O3)",
    "plain_numpy": "NumPy by hand",
    "with_numba": "numba by hand",
    "with_jax": "JAX jit",
    "with_drjit": "Dr.Jit, frozen",
    "with_heyoka": "heyoka",
    "with_symengine": "SymEngine, LLVM",
    "with_torch": "PyTorch",
    "with_casadi": "CasADi VM",
    "casadi_jit": "CasADi with gcc",
    "with_adolc": "ADOL-C",
    "with_hips": "HIPS autograd",
    "with_xad": "XAD",
    "with_micrograd": "micrograd",
}
