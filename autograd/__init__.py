"""Scalar automatic differentiation that can be read, seen and used.

``Value`` records the computation graph; ``backward()`` walks it once and gives every derivative. The table's operations
are functions here that take numbers and Values alike: ``autograd.exp``, ``autograd.where``, ``autograd.dot`` …

>>> import autograd as ag
>>> x, y = ag.Value(2.0, name="x"), ag.Value(0.5, name="y")
>>> z = ag.sin(x * y) + x ** 2
>>> z.backward()
>>> print(f"{z:.6f} {x.grad:.6f} {y.grad:.6f}")
4.841471 4.270151 1.080605
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import functions, methods
from .context import no_grad, scope
from .errors import (
    ArgumentError,
    AutogradError,
    ConvergenceError,
    DomainError,
    GraphError,
    InputError,
    LayoutError,
    MissingExtraError,
    TraceError,
)
from .functions import *  # noqa: F403  (the table's operations, named in functions.__all__)
from .graph import leaves, size, topological
from .linear import affine
from .namesakes import warn_of_namesake
from .ops import TABLE
from .sweep import forward as forward_sweep
from .sweep import reverse as reverse_sweep
from .value import Value

if TYPE_CHECKING:
    from .check import GradcheckError as GradcheckError
    from .check import gradcheck as gradcheck
    from .compiling import Compiled as Compiled
    from .compiling import compile as compile
    from .custom import operation as operation
    from .derivatives import grad as grad
    from .derivatives import hessian as hessian
    from .derivatives import hvp as hvp
    from .derivatives import jacobian as jacobian
    from .derivatives import jvp as jvp
    from .derivatives import value_and_grad as value_and_grad
    from .derivatives import vjp as vjp
    from .drawing import Drawing as Drawing
    from .drawing import draw as draw
    from .explaining import Explanation as Explanation
    from .explaining import explain as explain
    from .implicit import root as root
    from .loops import scan as scan
    from .loops import while_loop as while_loop
    from .stepping import Log as Log
    from .stepping import steps as steps

__version__ = "0.1.0"

methods.document()
warn_of_namesake(__file__)

# Names whose modules are imported at their first use, so that importing the engine stays quick.
_LAZY = {
    "gradcheck": "check",
    "GradcheckError": "check",
    "compile": "compiling",
    "Compiled": "compiling",
    "operation": "custom",
    **dict.fromkeys(("grad", "value_and_grad", "jvp", "vjp", "jacobian", "hessian", "hvp"), "derivatives"),
    **dict.fromkeys(("scan", "while_loop"), "loops"),
    "root": "implicit",
    "draw": "drawing",
    "Drawing": "drawing",
    "explain": "explaining",
    "Explanation": "explaining",
    "steps": "stepping",
    "Log": "stepping",
}

__all__ = [
    "TABLE",
    "ArgumentError",
    "AutogradError",
    "ConvergenceError",
    "DomainError",
    "GraphError",
    "InputError",
    "LayoutError",
    "MissingExtraError",
    "TraceError",
    "Value",
    "affine",
    "forward_sweep",
    "leaves",
    "no_grad",
    "reverse_sweep",
    "scope",
    "size",
    "topological",
    *_LAZY,
    *functions.__all__,
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
