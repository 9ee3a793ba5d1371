"""Operations that users define: a row like the table's own, from one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .arguments import parameters, takes
from .errors import ArgumentError, InputError
from .notation import Piece, render
from .ops import Op
from .text import shown
from .value import Value, as_float, evaluate, record


def operation(
    name: str,
    value: Callable[..., Any],
    *partials: Callable[..., Any],
    formula: str | None = None,
    slopes: Sequence[str] | None = None,
    domain: str = "",
    kink: Callable[..., float] | None = None,
    convention: str = "",
    stepwise: bool = False,
    step: Callable[..., float] | None = None,
) -> Callable[..., Any]:
    """Define an operation by its value and its partial derivatives.

    Recording, sweeps in both directions, drawings and explanations treat it like the table's own operations. If the
    partial rules use this library's functions instead of ``math``'s, they also run on Values, so the operation has
    derivatives of any order.

    Args:
        name: what it is called.
        value: the value for float operands; its parameters name the operands.
        partials: one rule for each operand, called with the result and the operands: ``lambda z, x: …``.
        formula: the operation as a Python expression in the operands' names; ``name(x, …)`` if not given.
        slopes: the partials as expressions, with ``z`` for the result, for explanations.
        domain: where it is defined, in words, for error texts.
        kink: a function of the operands that changes its sign at a kink.
        convention: which slope is taken at the kink.
        stepwise: whether the value is constant between jumps.
        step: a function of the operands that identifies the piece between two jumps, where there are many jumps.

    Returns:
        a function of the operands, numbers or Values.

    Raises:
        InputError: if an argument is of the wrong type.
        ArgumentError: if the name is no identifier, or rules, slopes or formulas do not fit the operands.

    >>> from autograd import Value, cos, operation, sin
    >>> sin_squared = operation("sin_squared", lambda x: sin(x) ** 2, lambda z, x: 2 * sin(x) * cos(x))
    >>> y = sin_squared(Value(0.5))
    >>> f"{y.data:.4f} {y.partials[0]:.4f}"
    '0.2298 0.8415'
    """
    from keyword import iskeyword

    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ArgumentError(f"an operation's name is an identifier such as 'swish', not {shown(name)}")
    for rule in (value, *partials):
        if not callable(rule):
            raise InputError(f"value and partials are functions, not {shown(rule)}")
    for what, function in (("kink", kink), ("step", step)):
        if function is not None and not callable(function):
            raise InputError(f"{what} is a function of the operands, not {shown(function)}")
    for what, text in (("formula", formula), ("domain", domain), ("convention", convention)):
        if text is not None and not isinstance(text, str):
            raise InputError(f"{what} is text, not {shown(text)}")
    # A builtin function may have no signature; then the parameters of the first rule after the result are the operands.
    operands = parameters(value) or (parameters(partials[0])[1:] if partials else ())
    if len(partials) != len(operands) or not operands:
        raise ArgumentError(
            f"{name} has {len(operands)} operands ({', '.join(operands)}) and needs a partial rule for each, "
            f"not {len(partials)}: operation({name!r}, value, *partials)"
        )
    if "z" in operands:
        raise ArgumentError(f"{name} has an operand called z, which stands for the result in slopes; call it otherwise")
    listed = ", ".join(operands)
    for rule in partials:
        if not takes(rule, 1 + len(operands)):
            raise ArgumentError(f"a partial rule of {name} takes the result and the operands: lambda z, {listed}: …")
    if isinstance(slopes, str) or not (slopes is None or all(isinstance(x, str) for x in slopes)):
        raise InputError(f"slopes is a sequence of formulas, one for each operand, not {shown(slopes)}")
    if slopes is None:  # the prime sign here is a letter, so that the name stays an identifier
        slopes = [f"{name}ʹ({listed})"] if len(operands) == 1 else [f"{name}_{x}ʹ({listed})" for x in operands]
    if len(slopes) != len(operands):
        raise ArgumentError(f"{name} has {len(operands)} operands and needs as many slopes, not {len(slopes)}")

    for text in (formula or f"{name}({listed})", *slopes):
        try:
            render(text, {x: Piece(x) for x in (*operands, "z")})
        except (SyntaxError, NotImplementedError):
            raise ArgumentError(f"{text!r} is no formula: write an expression such as 'x * exp(-x)'") from None

    def on_any_carrier(rule: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
        return lambda m: rule

    op = Op(
        name,
        " ".join(operands),
        formula or f"{name}({listed})",
        tuple(slopes),
        on_any_carrier(value),
        *map(on_any_carrier, partials),
        kink=kink,
        convention=convention,
        note=domain,
        stepwise=stepwise,
        step=step,
        finite=False,
    )

    def apply(*arguments: Any) -> Any:
        if len(arguments) != len(operands):
            raise ArgumentError(f"{name} takes {len(operands)} operands ({listed}), not {len(arguments)}")
        if any(isinstance(x, Value) for x in arguments):
            return record(op, arguments)
        return evaluate(op, [as_float(x) for x in arguments])

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"The operation {name}({listed})."
    return apply
