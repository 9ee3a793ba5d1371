"""Compilation: a function of scalars, recorded once, becomes a native function over rows of arrays.

The stages, one a file: ``trace`` records, ``derive`` sweeps for what is in ``want``, ``symbols`` writes the
``program`` in ``instructions``, ``simplify`` and ``schedule`` put it in order, ``emit`` and ``kernels`` turn it into
LLVM's language with ``assembly``, ``native`` into machine code (``replay`` runs it on NumPy where that cannot be),
``executable`` runs that in a ``workspace``, ``task`` is a program made ready, and ``function`` is what people call.
"""

from . import rows as _rows  # noqa: F401  (says which extra to install where NumPy is missing)
from .function import Compiled, compile

__all__ = ["Compiled", "compile"]
