"""Compilation: a function of scalars, recorded once, becomes a native function over rows of arrays.

A call, one step a file: ``function`` is what people call, ``settings`` what they chose; ``call`` reads the arguments
and puts results together, ``memory`` keeps what was ``prepared`` for them, and ``checking`` finds the row that failed.

What is prepared, one stage a file: ``trace`` records, ``derive`` sweeps for what is in ``want``, ``symbols`` writes the
``program`` in ``instructions``, ``simplify`` and ``schedule`` put it in order, ``emit`` and ``kernels`` turn it into
LLVM's language with ``assembly``, ``native`` into machine code, which the ``cache`` keeps (``replay`` runs it on NumPy
where that cannot be), ``executable`` runs that in a ``workspace`` on ``threads``, and ``task`` is a program made ready.
"""

from . import rows as _rows  # noqa: F401  (says which extra to install where NumPy is missing)
from .function import Compiled, compile

__all__ = ["Compiled", "compile"]
