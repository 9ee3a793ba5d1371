"""The peers: one file each, with a function for every workload that it takes part in.

Each function is given the workload and returns what runs it once: a call without arguments that returns the numbers, as
a list of arrays in the same order for every peer, computed anew. It may return ``Fewer(call, rows)`` to go through only
some of the rows, where all of them would take too long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Fewer(NamedTuple):
    """A call that goes through the first ``rows`` rows only."""

    call: Callable[[], Any]
    rows: int


# name -> what it is called in tables; the file is peers/<name>.py
PEERS = {
    "ours": "ours",
    "plain_c": "C (gcc -O3)",
    "plain_numpy": "NumPy by hand",
    "with_jax": "JAX jit",
    "with_torch": "PyTorch",
    "with_casadi": "CasADi VM",
    "casadi_jit": "CasADi with gcc",
    "with_hips": "HIPS autograd",
    "with_xad": "XAD",
    "with_micrograd": "micrograd",
}
