"""The exceptions: each is an AutogradError and the built-in exception that fits.

Every text says what went wrong, where (node, operation, operand values) and what to do about it.
"""

from __future__ import annotations


class AutogradError(Exception):
    """Base class of everything this library raises on purpose."""


class InputError(AutogradError, TypeError):
    """A value of the wrong type was given: text, None, a complex number, or a list instead of a number."""


class ArgumentError(AutogradError, ValueError):
    """A value of the right type but outside its range: a wrong length, an unknown name, a negative rate."""


class DomainError(AutogradError, ArithmeticError, ValueError):
    """An operation was recorded outside its domain: log of 0, division by 0, overflow of exp."""


class ConvergenceError(AutogradError, ArithmeticError):
    """An iteration did not come to its end: a loop took all the steps that it may take, or no root was found."""


class GraphError(AutogradError, ValueError):
    """The graph does not contain what was asked for, such as an input that the output does not depend on."""


class TraceError(AutogradError, TypeError):
    """A function cannot be compiled: it needs the number of a Value that stands for every row."""


class LayoutError(AutogradError, RuntimeError):
    """Graphviz, which makes PNG and PDF, is not installed, or it could not draw the graph."""


class MissingExtraError(AutogradError, ImportError):
    """An optional dependency is not installed; the text names the extra that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with:  pip install 'scalar-autograd[{extra}]'"
        )
        self.package, self.extra = package, extra
