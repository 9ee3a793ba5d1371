"""Operations that users define: recorded through their rules where possible, otherwise left to Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ..carriers import FLOATS
from ..errors import TraceError
from ..higher import Linear
from ..ops import Op
from ..value import Value
from .traced import Traced

# What a rule for numbers raises when it is given a Value without a number, or a constant outside its domain. Where the
# rule itself is wrong, it raises the same again when native code calls it with numbers.
_NOT_FOR_VALUES = (TypeError, AttributeError, ArithmeticError, ValueError)


def inlined(op: Op, operands: Sequence[Linear]) -> Linear | None:
    """The recorded operations inside an operation of the user, or None if its rule is for numbers only."""
    try:
        result = op.value(FLOATS)(*operands)
        return result if isinstance(result, Value) else float(result)
    except _NOT_FOR_VALUES:
        return None


def adapted(op: Op) -> Op:
    """The row of ``_with_recorded_slopes``, made once and kept as long as the operation."""
    found = op.bound.get("adapted")
    if found is None:
        op.bound["adapted"] = found = _with_recorded_slopes(op)
    return found


def _with_recorded_slopes(op: Op) -> Op:
    """An operation of the user's own whose slopes can be recorded: what is written for numbers is left to Python."""

    def slope(k: int) -> Callable[[Any], Callable[..., Any]]:
        rule = op.df[k]
        in_python = _like(
            op, f"{op.name}_slope{k}", ("z", *op.operands), rule, [_no_slope(op)] * (1 + len(op.operands))
        )

        def on_any(*operands: Any) -> Any:
            try:
                return rule(*operands)
            except _NoSlopeError:
                raise
            except _NOT_FOR_VALUES:
                traced = [x for x in operands if isinstance(x, Traced)]
                if not traced:
                    raise
                return traced[0].recording.record(in_python, operands)

        return lambda m: on_any

    return _like(op, op.name, op.operands, op.f, [slope(k) for k in range(len(op.operands))])


def _like(
    op: Op,
    name: str,
    operands: tuple[str, ...],
    value: Callable[..., Any],
    partials: Sequence[Callable[[Any], Callable[..., Any]]],
) -> Op:
    return Op(
        name,
        " ".join(operands),
        op.formula,
        (),
        lambda m: value,
        *partials,
        kink=op.kink,
        convention=op.convention,
        note=op.note,
        finite=op.finite,
    )


class _NoSlopeError(TraceError):
    """These slopes cannot be differentiated."""


def _no_slope(op: Op) -> Callable[[Any], Callable[..., Any]]:
    def rule(*operands: Any) -> NoReturn:
        raise _NoSlopeError(
            f"the slopes of the operation {op.name!r} are written for numbers, so they have no derivatives themselves; "
            "write its rules with autograd's functions instead of math's"
        )

    return lambda m: rule
