"""Symbols: the carrier on which the operation table writes a program instead of computing numbers.

Each symbol is the number of an instruction. The same operation on the same operands is the same symbol, operations on
constants are computed at once, and algebra is simplified where the result stays the same: to the last bit in a strict
program, otherwise except for rounding and the sign of a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from types import SimpleNamespace
from typing import Any

from .. import ops
from ..carriers import FLOATS, IEEE
from .instructions import COMMUTATIVE, OPCODES
from .program import CONST, ROW, SHARED, Instruction, LoopCode, Program

_instruction = tuple.__new__  # several times as quick as Instruction(…)

SHORT_DOT = (
    6  # up to this many terms, a dot is written out; if all its numbers are the rows' own, mostly longer ones too
)


class Symbol:
    """An instruction's result, with arithmetic that writes further instructions."""

    __slots__ = ("i", "op", "writer")

    def __init__(self, writer: Writer, i: int, op: str) -> None:
        self.writer, self.i, self.op = writer, i, op

    # fmt: off
    def __add__(self, y: Any) -> Any: return self.writer.add(self, y)
    def __radd__(self, x: Any) -> Any: return self.writer.add(x, self)
    def __sub__(self, y: Any) -> Any: return self.writer.sub(self, y)
    def __rsub__(self, x: Any) -> Any: return self.writer.sub(x, self)
    def __mul__(self, y: Any) -> Any: return self.writer.mul(self, y)
    def __rmul__(self, x: Any) -> Any: return self.writer.mul(x, self)
    def __truediv__(self, y: Any) -> Any: return self.writer.div(self, y)
    def __rtruediv__(self, x: Any) -> Any: return self.writer.div(x, self)
    def __mod__(self, y: Any) -> Any: return self.writer.mod(self, y)
    def __rmod__(self, x: Any) -> Any: return self.writer.mod(x, self)
    def __neg__(self) -> Any: return self.writer.neg(self)
    def __abs__(self) -> Any: return self.writer.abs(self)
    def __lt__(self, y: Any) -> Any: return self.writer.compare("lt", self, y)
    def __le__(self, y: Any) -> Any: return self.writer.compare("le", self, y)
    def __gt__(self, y: Any) -> Any: return self.writer.compare("lt", y, self)
    def __ge__(self, y: Any) -> Any: return self.writer.compare("le", y, self)
    def __and__(self, y: Any) -> Any: return self.writer.both(self, y)
    def __or__(self, y: Any) -> Any: return self.writer.either(self, y)
    __rand__, __ror__ = __and__, __or__
    # fmt: on

    def __bool__(self) -> bool:
        raise TypeError("a rule of the table branched on its operand; use m.where or m.choose in it")


class Writer:
    """Writes a program. As ``carrier`` it is what the table's rules are given."""

    def __init__(self, row_names: Sequence[str], shared_names: Sequence[str], strict: bool) -> None:
        self.program = Program(row_names, shared_names, strict)
        self.strict = strict
        self._code, self._level = self.program.code, self.program.level
        self._known: dict[tuple[Any, ...], Symbol] = {}
        self.carrier = self._carrier()
        self._terms_written = 0  # of long dots
        # Python's operators on symbols call these.
        self._direct: dict[ops.Op, Callable[..., Any]] = {
            ops.ADD: self.add,
            ops.SUB: self.sub,
            ops.MUL: self.mul,
            ops.DIV: self.div,
            ops.NEG: self.neg,
        }

    # Instructions ----------------------------------------------------------------------------------------------------

    def write(self, op: str, *operands: Any) -> Symbol:
        """The symbol of an operation: a new instruction, unless it is there already."""
        numbers = tuple([x.i if type(x) is Symbol else self.constant(x).i for x in operands])
        if op in COMMUTATIVE and numbers[0] > numbers[1]:
            numbers = (numbers[1], numbers[0])
        key = (op, numbers)
        symbol = self._known.get(key)
        if symbol is None:
            level = self._level
            lowest = SHARED if op == "pack" else CONST
            symbol = self._known[key] = self._append(op, numbers, max([lowest, *[level[k] for k in numbers]]))
        return symbol

    def write_part(self, op: str, whole: Symbol, place: int) -> Symbol:
        """A result of a loop, or an element of a stack."""
        key = (op, whole.i, place)
        symbol = self._known.get(key)
        if symbol is None:
            symbol = self._known[key] = self._append(op, (whole.i,), self._level[whole.i], float(place))
        return symbol

    def loop(self, code: LoopCode, operands: Sequence[Any]) -> Symbol:
        """A loop."""
        numbers = tuple([x.i if type(x) is Symbol else self.constant(x).i for x in operands])
        level = max([SHARED, *(self._level[k] for k in numbers)])
        self.program.loops.append(code)
        return self._append("loop", numbers, level, float(len(self.program.loops) - 1))

    def placeholder(self, kind: str, number: int, level: int) -> Symbol:
        """An input of a loop's body: ``"state"``, ``"step"`` or ``"outer"``, and its number among those."""
        return self._append(kind, (number,), level)

    def _two(self, op: str, x: Any, y: Any, commutative: bool) -> Symbol:
        """As ``write``, for two operands."""
        a = x.i if type(x) is Symbol else self.constant(x).i
        b = y.i if type(y) is Symbol else self.constant(y).i
        key = (op, (b, a) if commutative and a > b else (a, b))
        symbol = self._known.get(key)
        if symbol is None:
            level = self._level
            symbol = self._known[key] = self._append(*key, level[a] if level[a] > level[b] else level[b])
        return symbol

    def _append(self, op: str, operands: tuple[int, ...], level: int, constant: float = 0.0) -> Symbol:
        code = self._code
        code.append(_instruction(Instruction, (op, operands, constant)))
        self._level.append(level)
        return Symbol(self, len(code) - 1, op)

    def _symbol(self, i: int) -> Symbol:
        return Symbol(self, i, self._code[i].op)

    def constant(self, x: float) -> Symbol:
        """A number that is known."""
        key = ("const", float(x).hex())  # distinguishes −0 from 0
        symbol = self._known.get(key)
        if symbol is None:
            symbol = self._known[key] = self._append("const", (), CONST, float(x))
        return symbol

    def input(self, kind: str, number: int) -> Symbol:
        """An input: ``"row"`` or ``"shared"``, and its number among those."""
        key = (kind, number)
        symbol = self._known.get(key)
        if symbol is None:
            symbol = self._known[key] = self._append(kind, (number,), ROW if kind == "row" else SHARED)
        return symbol

    def _is(self, x: Any, op: str) -> bool:
        return type(x) is Symbol and x.op == op

    def _part(self, x: Symbol, k: int) -> Any:
        """An operand of a symbol: a float if it is a constant."""
        i = self._code[x.i].operands[k]
        op, _, constant = self._code[i]
        return constant if op == "const" else Symbol(self, i, op)

    def _bit(self, x: Any) -> Symbol | None:
        """The condition whose indicator (1 or 0) x is; None if x is no indicator."""
        if type(x) is Symbol and x.op == "select" and self._part(x, 1) == 1.0 and self._part(x, 2) == 0.0:
            return self._symbol(self._code[x.i].operands[0])
        return None

    # Arithmetic ------------------------------------------------------------------------------------------------------

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        if type(x) is float:
            x, y = y, x
        if type(y) is float and y == 0.0 and math.copysign(1.0, y) < 0:  # but −0.0 + 0.0 is 0.0
            return x
        if type(y) is Symbol and y.op == "neg":
            return self.sub(x, self._part(y, 0))
        if type(x) is Symbol and x.op == "neg":
            return self.sub(y, self._part(x, 0))
        return self._two("add", x, y, True)

    def sub(self, x: Any, y: Any) -> Any:
        """x − y."""
        if type(y) is float and y == 0.0 and math.copysign(1.0, y) > 0:
            return x
        if type(x) is float and x == 0.0 and math.copysign(1.0, x) < 0:
            return self.neg(y)
        if self._is(y, "neg"):
            return self.add(x, self._part(y, 0))
        return self._two("sub", x, y, False)

    def mul(self, x: Any, y: Any) -> Any:
        """x · y."""
        if type(x) is float:
            x, y = y, x
        if type(y) is float:
            if y == 1.0:
                return x
            if y == -1.0:
                return self.neg(x)
        if type(x) is Symbol and x.op == "neg":
            return self.neg(self.mul(self._part(x, 0), y))
        if type(y) is Symbol and y.op == "neg":
            return self.neg(self.mul(x, self._part(y, 0)))
        if not self.strict:
            if type(y) is Symbol and y.op == "select" and (condition := self._bit(y)) is not None:
                return self.select(condition, x, 0.0)
            if type(x) is Symbol and x.op == "select" and (condition := self._bit(x)) is not None:
                return self.select(condition, y, 0.0)
            if type(y) is float and type(x) is Symbol and x.op == "mul":
                for k in (0, 1):
                    c = self._part(x, k)
                    if type(c) is float and _moderate(c) and _moderate(y) and _moderate(c * y):
                        return self.mul(self._part(x, 1 - k), c * y)
        return self._two("mul", x, y, True)

    def div(self, x: Any, y: Any) -> Any:
        """x / y."""
        if type(y) is float:
            if y == 1.0:
                return x
            exact = y != 0.0 and math.isfinite(y) and abs(math.frexp(y)[0]) == 0.5
            if (exact or not self.strict) and _moderate(y):
                return self.mul(x, 1.0 / y)
        if self._is(x, "neg"):
            return self.neg(self.div(self._part(x, 0), y))
        if self._is(y, "neg"):
            return self.neg(self.div(x, self._part(y, 0)))
        return self._two("div", x, y, False)

    def mod(self, x: Any, y: Any) -> Any:
        """Python's x % y: the remainder with y's sign."""
        rest = self.function("fmod", x, y)
        zero = self.compare("eq", rest, 0.0)
        other_side = self.compare("lt", self.mul(rest, self.copysign(1.0, y)), 0.0)
        return self.select(zero, self.copysign(0.0, y), self.select(other_side, self.add(rest, y), rest))

    def neg(self, x: Any) -> Any:
        """−x."""
        if type(x) is float:
            return -x
        if self._is(x, "neg"):
            return self._part(x, 0)
        if not self.strict and self._is(x, "sub"):
            return self.sub(self._part(x, 1), self._part(x, 0))
        return self.write("neg", x)

    def abs(self, x: Any) -> Any:
        """|x|."""
        if type(x) is float:
            return math.fabs(x)
        if self._is(x, "neg"):
            x = self._part(x, 0)
        return x if self._is(x, "abs") else self.write("abs", x)

    def copysign(self, x: Any, y: Any) -> Any:
        """|x| with y's sign."""
        if type(x) is float and type(y) is float:
            return math.copysign(x, y)
        return self.write("copysign", self.abs(x), y)

    def pow(self, x: Any, y: Any) -> Any:
        """x to the power y; small whole powers are products unless the program is strict."""
        if type(y) is float and not (type(x) is float or self.strict):
            if y == 0.5:  # but −inf and −0 have powers where they have no root
                return self.abs(self.write("sqrt", self.select(self.compare("eq", x, -math.inf), math.inf, x)))
            if y.is_integer() and abs(y) <= 16.0:
                return self._whole_power(x, int(y))
        if type(x) is float and x == 2.0 and not self.strict:
            return self.function("exp2", y)
        return self.function("pow", x, y)

    def _whole_power(self, x: Any, n: int) -> Any:
        if n < 0:
            return self.div(1.0, self._whole_power(x, -n))
        result: Any = 1.0
        while n:  # by squaring
            if n & 1:
                result = x if type(result) is float else self.mul(result, x)
            n >>= 1
            if n:
                x = self.mul(x, x)
        return result

    def function(self, name: str, *operands: Any) -> Any:
        """A function of the carrier by its name."""
        if all(type(x) is float for x in operands):
            return float(getattr(IEEE, name)(*operands))
        return self.write(name, *operands)

    # Choice ----------------------------------------------------------------------------------------------------------

    def compare(self, op: str, x: Any, y: Any) -> Any:
        """``lt``, ``le`` or ``eq``: a condition, or a bool if it is known."""
        x, y = (float(v) if type(v) is int else v for v in (x, y))
        if type(x) is float and type(y) is float:
            return x < y if op == "lt" else x <= y if op == "le" else x == y
        if op == "lt" and type(x) is float and x == 0.0:  # 0 < where(c, 1, 0) is c
            if (condition := self._bit(y)) is not None:
                return condition
            if self._is(y, "select") and self._part(y, 1) == 0.0 and self._part(y, 2) == 1.0:
                return self.write("not", self._symbol(self._code[y.i].operands[0]))
        return self.write(op, x, y)

    def both(self, x: Any, y: Any) -> Any:
        """The conjunction of two conditions."""
        if type(y) is bool or type(x) is bool:
            known, other = (y, x) if type(y) is bool else (x, y)
            return other if known else False
        if self._is(x, "le") and self._is(y, "le"):
            (a, b), (c, d) = self._code[x.i].operands, self._code[y.i].operands
            if (a, b) == (d, c):
                return self.write("eq", self._symbol(a), self._symbol(b))
        return x if x.i == y.i else self.write("and", x, y)

    def either(self, x: Any, y: Any) -> Any:
        """The disjunction of two conditions."""
        if type(y) is bool or type(x) is bool:
            known, other = (y, x) if type(y) is bool else (x, y)
            return True if known else other
        return x if x.i == y.i else self.write("or", x, y)

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y."""
        if type(condition) is bool:
            return x if condition else y
        x, y = (float(v) if type(v) is int else v for v in (x, y))
        if type(x) is float and type(y) is float:
            if x.hex() == y.hex():
                return x
        elif type(x) is Symbol and type(y) is Symbol and x.i == y.i:
            return x
        if self._is(condition, "not"):
            return self.select(self._symbol(self._code[condition.i].operands[0]), y, x)
        if type(x) is float and x == 1.0 and (other := self._bit(y)) is not None:
            return self.select(self.either(condition, other), 1.0, 0.0)
        if type(y) is float and y == 0.0 and (other := self._bit(x)) is not None:
            return self.select(self.both(condition, other), 1.0, 0.0)
        return self.write("select", condition, x, y)

    # Any number of operands ------------------------------------------------------------------------------------------

    def sum(self, xs: Sequence[Any]) -> Any:
        """The sum, from the left; unless the program is strict, of pairs of pairs."""
        if self.strict:
            total: Any = 0.0
            for x in xs:
                total = self._plus(total, x)
            return total
        terms = [x for x in xs if type(x) is Symbol]
        known = FLOATS.sum([x for x in xs if type(x) is not Symbol])
        while len(terms) > 1:
            paired = [self.add(a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = paired + terms[len(paired) * 2 :]
        if not terms or known == 0.0:  # the sign of a zero sum is kept in strict programs only
            return terms[0] if terms else known
        return self.add(terms[0], known)

    def _plus(self, x: Any, y: Any) -> Any:
        return x + y if type(x) is float and type(y) is float else self.add(x, y)

    def dot(self, ws: Sequence[Any], xs: Sequence[Any], bias: Any) -> Any:
        """Σ w·x + bias: written out if it is short, or the program strict; else one instruction."""
        if self.strict:
            total: Any = 0.0
            for w, x in zip(ws, xs, strict=True):
                total = self._plus(total, w * x)
            return self._plus(total, bias)
        pairs = []
        single = []
        for w, x in zip(ws, xs, strict=True):
            a, b = (w, x) if type(w) is Symbol else (x, w)
            if type(a) is not Symbol:
                bias = self._plus(bias, a * b)
            elif type(b) is float and abs(b) in (0.0, 1.0):
                if b:
                    single.append(a if b == 1.0 else self.neg(a))
            else:  # the factor that varies less comes first
                level = self._level
                first = type(b) is float or level[b.i] < level[a.i]
                pairs.append((b, a) if first else (a, b))
        # One instruction has operands of one kind: which of the two factors differ from row to row.
        kinds: dict[tuple[bool, bool], list[tuple[Any, Any]]] = {}
        for w, x in pairs:
            kinds.setdefault((self._differs(w), self._differs(x)), []).append((w, x))
        pairs = []
        for (differs, differ), kind in kinds.items():
            if len(kind) <= SHORT_DOT:
                pairs += kind
            elif differs and differ and self._written(kind):
                # Term by term as the numbers are computed, so that they need not be stored until the last one.
                single.append(self._chain(0.0, sorted(kind, key=lambda pair: max(pair[0].i, pair[1].i))))
            else:
                single.append(self.write("dot", *(w for w, _ in kind), *(x for _, x in kind)))
        return self._chain(self.sum([*single, bias]) if single else bias, pairs)

    def _chain(self, total: Any, pairs: Iterable[tuple[Any, Any]]) -> Any:
        """The total plus Σ w·x, term by term."""
        for w, x in pairs:
            plain = type(total) is float and total == 0.0
            total = self.mul(w, x) if plain else self.write("fma", w, x, total)
        return total

    def _written(self, pairs: Sequence[tuple[Symbol, Symbol]]) -> bool:
        """Whether a long dot is written out: if its factors are not given but computed, and if there is room.

        So many terms may be written out that the program becomes twice as long.
        """
        computed = sum(w.op != "row" or x.op != "row" for w, x in pairs)
        room = len(self._code) - 2 * self._terms_written
        if 2 * computed < len(pairs) or len(pairs) > room:
            return False
        self._terms_written += len(pairs)
        return True

    def _differs(self, x: Any) -> bool:
        return type(x) is Symbol and self._level[x.i] == ROW

    # The table -------------------------------------------------------------------------------------------------------

    def _carrier(self) -> Any:
        named: dict[str, Any] = {
            "where": self.select,
            "choose": lambda condition, then, otherwise: self.select(condition, then(), otherwise()),
            "detach": lambda x: x,
            "sum": self.sum,
            "largest": lambda xs: reduce(self.carrier.maximum, xs),
            "dot": self.dot,
            "abs": self.abs,
            "pow": self.pow,
            "copysign": self.copysign,
        }
        for name in [row.name for row in OPCODES.values() if row.in_rules]:
            named.setdefault(name, lambda *operands, name=name: self.function(name, *operands))
        carrier = SimpleNamespace(**named)
        for row in ops.TABLE.values():
            if not hasattr(carrier, row.name):
                setattr(carrier, row.name, row.value(carrier))
        return carrier

    def rule(self, op: ops.Op) -> Callable[..., Any]:
        """A row's value rule on symbols."""
        found = self._direct.get(op)
        return op.value(self.carrier) if found is None else found


def _moderate(x: float) -> bool:
    """Whether a constant may be combined with others: in single precision too nothing over- or underflows."""
    return 1e-30 < abs(x) < 1e30
