"""Compilation: a function of scalars, recorded once, becomes a native function over rows of arrays.

A call, one file for each step: ``function`` is the public interface, ``settings`` its options, and ``calling`` how a
call goes; ``call`` reads the arguments and builds the results in ``buffers``, ``memory`` keeps what was ``prepared``
for them, ``checking`` finds the row that failed. A call that was made before has an ``entry``, which does all of that
natively: ``entry_code`` works with its ``record`` on Python's and NumPy's ``objects``. A ``c_function`` can be called
from anywhere.

The preparation, one file for each stage: ``trace`` records ``traced`` Values in a ``recording``, with operations of the
user's own ``adapted``; ``derive`` sweeps for what is in ``want``, ``write`` makes a ``program`` in ``instructions`` of
it, by rules on ``symbols``, ``simplify`` and ``lowering``, with ``mathematics``, rewrite it, ``order`` and ``schedule``
put it in order, its ``sums`` too, as a ``plan``; ``emit``, ``kernels`` and ``transposing`` turn it into LLVM's language
with ``assembly`` (``emit_stretches`` writes its functions, ``emit_body`` their instructions, ``emit_module`` holds what
they share), and what is too long for LLVM into tables for the ``interpreter``, ``native`` into machine code, which the
``cache`` keeps (``replay`` runs it on NumPy where that is impossible), ``executable`` runs that in a ``workspace`` on
``threads``, and ``task`` is a program made ready. ``steps`` makes many steps of a training in one native call, from a
loss's program and an update's.

Loops: ``loops`` records them, ``loop_rules`` sweeps through them, ``liveness`` finds what of them is needed,
``emit_loops`` writes their code. ``roots`` records the solutions of equations.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or find_spec("numpy"):
    from .function import Compiled, compile
else:  # so that ``from autograd import *`` works without the extra

    class Compiled:
        """Raises an error that names the extra to install."""

        def __init__(self, *args: Any, **options: Any) -> None:
            from ..errors import MissingExtraError

            raise MissingExtraError("numpy", "compile", "autograd.compile")

    compile = Compiled

__all__ = ["Compiled", "compile"]
