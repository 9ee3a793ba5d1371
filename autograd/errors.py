"""The exceptions: each is an AutogradError and the built-in exception that fits.

Every text says what went wrong, where (node, operation, operand values) and what to do about it.
"""

from __future__ import annotations


class AutogradError(Exception):
    """Base class of everything this library raises on purpose."""


class InputError(AutogradError, TypeError):
    """A value of the wrong kind was given: text, None, a complex number, a list where a number belongs."""


class ArgumentError(AutogradError, ValueError):
    """A value of the right kind but outside what is allowed: a wrong length, an unknown name, a negative rate."""


class DomainError(AutogradError, ArithmeticError, ValueError):
    """An operation was recorded outside its domain: log of 0, division by 0, overflow of exp."""


class GraphError(AutogradError, ValueError):
    """A question about a graph that it cannot answer: an input that the output does not depend on."""


class TraceError(AutogradError, TypeError):
    """A function cannot be compiled: it asks for the number of something that stands for every row."""


class LayoutError(AutogradError, RuntimeError):
    """No layout engine is to be had, or it could not lay out the drawing."""


class MissingExtraError(AutogradError, ImportError):
    """An optional dependency is not installed; the text names the extra that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with:  pip install 'scalar-autograd[{extra}]'"
        )
        self.package, self.extra = package, extra
