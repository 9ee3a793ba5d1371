"""The operation table as JavaScript, so that a web page can compute values and partials again.

The rules of the table run on a carrier that writes expressions. Values are written with the functions of ``python`` in
``javascript.js``, which throw where Python's ``math`` raises; partials with those of ``ieee``, because recording falls
back to IEEE 754 there. A rule over any number of operands is written once, for arrays: of the operand ``*xs`` the rule
is given one expression, which stands for each of its elements. The steps of optimisers are written in the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from types import SimpleNamespace
from typing import Any

from . import special
from .ops import TABLE, Op
from .value import domain_sentence

# The functions in javascript.js; the table's rules make all others from these.
_FUNCTIONS = (
    *("abs", "sqrt", "cbrt", "exp", "expm1", "log", "log2", "log10", "log1p"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    *("floor", "ceil", "trunc", "round", "pow", "hypot", "copysign", "fmod"),
    *("erf", "erfc", "erfcx"),
)

_MISSING = {"gamma", "lgamma", *special.FUNCTIONS} - {*_FUNCTIONS}

# How strongly JavaScript's operators bind. An operand that binds less than its place asks for stands in parentheses.
_CHOICE, _OR, _AND, _ORDER, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)
_ARRAY = -1  # the place of a whole array


class MissingFunctionError(AttributeError):
    """A rule needs a function that javascript.js does not have."""


class _Functions(SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        raise MissingFunctionError(f"javascript.js has no function {name}")


class Expression:
    """A JavaScript expression, with arithmetic that writes larger ones.

    Attributes:
        template: its text, with ``{0}``, ``{1}`` … for the operands.
        binds: how strongly it binds, and how strongly each of its operands has to.
        operands: expressions and numbers.
        each: whether it stands for each element of an array; its text is that of element ``i``.
        block: the block in which it is computed.
        uses: how often it is used; a use in an inner block counts twice.
        name: the constant or parameter that holds it.
    """

    __slots__ = ("binds", "block", "each", "name", "operands", "template", "uses", "writer")

    def __init__(
        self,
        writer: _Writer,
        template: str,
        binds: Sequence[int] = (_ATOM,),
        operands: Sequence[Any] = (),
        each: bool = False,
        name: str = "",
    ) -> None:
        self.writer, self.template, self.binds, self.operands = writer, template, binds, operands
        self.each, self.name, self.block, self.uses = each, name, writer.block, 0

    # fmt: off
    def __add__(self, y: Any) -> Any: return self.writer.infix("+", _SUM, self, y)
    def __radd__(self, x: Any) -> Any: return self.writer.infix("+", _SUM, x, self)
    def __sub__(self, y: Any) -> Any: return self.writer.infix("-", _SUM, self, y)
    def __rsub__(self, x: Any) -> Any: return self.writer.infix("-", _SUM, x, self)
    def __mul__(self, y: Any) -> Any: return self.writer.infix("*", _PRODUCT, self, y)
    def __rmul__(self, x: Any) -> Any: return self.writer.infix("*", _PRODUCT, x, self)
    def __truediv__(self, y: Any) -> Any: return self.writer.divide(self, y)
    def __rtruediv__(self, x: Any) -> Any: return self.writer.divide(x, self)
    def __mod__(self, y: Any) -> Any: return self.writer.call("mod", self, y)
    def __neg__(self) -> Any: return self.writer.write("-{0}", (_SIGN, _ATOM), self)
    def __lt__(self, y: Any) -> Any: return self.writer.infix("<", _ORDER, self, y)
    def __le__(self, y: Any) -> Any: return self.writer.infix("<=", _ORDER, self, y)
    def __gt__(self, y: Any) -> Any: return self.writer.infix(">", _ORDER, self, y)
    def __ge__(self, y: Any) -> Any: return self.writer.infix(">=", _ORDER, self, y)
    def __and__(self, y: Any) -> Any: return self.writer.infix("&&", _AND, self, y)
    def __or__(self, y: Any) -> Any: return self.writer.infix("||", _OR, self, y)
    def __rpow__(self, x: Any) -> Any: return self.writer.call("pow", x, self)
    def __abs__(self) -> Any: return self.writer.call("abs", self)
    def __eq__(self, y: object) -> bool: return self.writer.is_first_step()
    __hash__ = object.__hash__
    # fmt: on

    def sqrt(self) -> Any:
        """The root, as optimisers take it."""
        return self.writer.call("sqrt", self)

    def max(self, y: Any) -> Any:
        """Python's ``max(x, y)``."""
        return self.writer.select(self < y, y, self)

    def __bool__(self) -> bool:
        raise TypeError("a rule branched on a number that is not known; in the table use m.where or m.choose")

    def spelled(self) -> tuple[str, int]:
        """Its text, and how strongly that binds."""
        places = zip(self.operands, self.binds[1:], strict=True)
        return self.template.format(*[self.writer.placed(x, binds) for x, binds in places]), self.binds[0]


class _Branch(Expression):
    """What ``choose`` computes if its condition holds, or if it does not: a block with a result."""

    __slots__ = ("body",)

    def __init__(self, writer: _Writer, rule: Callable[[], Any]) -> None:
        around, writer.block = writer.block, []
        result = rule()
        writer.use(result)
        self.body = writer.block
        writer.block = around
        each = any(isinstance(x, Expression) and x.each for x in (result, *self.body))
        super().__init__(writer, "{0}", (_ATOM, _CHOICE), (result,), each)

    def spelled(self) -> tuple[str, int]:
        """The result; a function that is called at once, if the block has constants."""
        constants = self.writer.constants(self.body)
        text, binds = self.writer.spelled(self.operands[0])
        return (f"(() => {{ {' '.join(constants)} return {text}; }})()", _ATOM) if constants else (text, binds)


class _Writer:
    """Writes one function. Its ``carrier`` is what the table's rules are given."""

    def __init__(self, library: str) -> None:
        self.library = library
        self.block: list[Expression] = []
        self.named = 0
        self.first = ""  # the first array; all others have its length
        self.carrier: Any = _Functions(
            where=self.select,  # JavaScript computes one branch only; in no rule does the other one raise
            choose=self.choose,
            detach=lambda x: x,
            sum=lambda xs: self.over("sum", xs),
            largest=lambda xs: self.over("largest", xs),
            dot=lambda ws, xs, bias: self.over("dot", ws, xs, bias),
            **{name: lambda *operands, name=name: self.call(name, *operands) for name in _FUNCTIONS},
        )
        for row in TABLE.values():
            if row.name not in _MISSING and not hasattr(self.carrier, row.name):
                setattr(self.carrier, row.name, row.value(self.carrier))

    # Expressions ------------------------------------------------------------------------------------------------------

    def parameter(self, name: str) -> Any:
        """An operand of the rule; one of ``*xs`` stands for all."""
        if not name.startswith("*"):
            return Expression(self, name, name=name)
        self.first = self.first or name[1:]
        return (Expression(self, name[1:], each=True, name=name[1:]),)

    def write(self, template: str, binds: Sequence[int], *operands: Any, over: bool = False) -> Expression:
        """A new expression: of whole arrays if ``over``, else of each of their elements."""
        each = not over and any(x.each for x in operands if isinstance(x, Expression))
        for x in operands:
            self.use(x)
            if each and isinstance(x, Expression) and not x.each:
                x.uses += 1  # it is computed before the loop over the elements
        expression = Expression(self, template, binds, operands, each)
        self.block.append(expression)
        return expression

    def use(self, x: Any) -> None:
        """Count a use. What an inner block uses has been computed before it."""
        if isinstance(x, Expression):
            x.uses += 1 if x.block is self.block else 2

    def infix(self, sign: str, binds: int, x: Any, y: Any) -> Expression:
        """Two operands with an operator between them."""
        return self.write(f"{{0}} {sign} {{1}}", (binds, binds + (binds == _ORDER), binds + 1), x, y)

    def divide(self, x: Any, y: Any) -> Expression:
        """x / y; in a value it throws where y is 0."""
        if self.library == "python" and isinstance(y, Expression):
            return self.call("div", x, y)
        return self.infix("/", _PRODUCT, x, y)

    def call(self, name: str, *operands: Any) -> Expression:
        """A function of numbers."""
        return self.write(self._called(name, operands), (_ATOM, *[_CHOICE] * len(operands)), *operands)

    def over(self, name: str, *operands: Any) -> Expression:
        """A function of arrays and numbers, each array given as the expression of its elements."""
        binds, single = [_ATOM], []
        for x in operands:
            (element,) = x if isinstance(x, Sequence) else (x,)
            binds.append(_CHOICE if element is x else _ARRAY)
            single.append(element)
        return self.write(self._called(name, operands), binds, *single, over=True)

    def _called(self, name: str, operands: Sequence[Any]) -> str:
        return f"{self.library}.{name}({', '.join(f'{{{k}}}' for k in range(len(operands)))})"

    def select(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y."""
        if isinstance(condition, bool):
            return x if condition else y
        return self.write("{0} ? {1} : {2}", (_CHOICE, _OR, _OR, _CHOICE), condition, x, y)

    def choose(self, condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """The branch that the condition takes; the other one is not computed."""
        if isinstance(condition, bool):
            return then() if condition else otherwise()
        return self.select(condition, _Branch(self, then), _Branch(self, otherwise))

    def is_first_step(self) -> bool:
        """What ``==`` gives: an optimiser's rule asks only so whether this is the first step."""
        raise TypeError("a rule of the table compared its operand by ==; use >= and <=")

    # Text -------------------------------------------------------------------------------------------------------------

    def spelled(self, x: Any) -> tuple[str, int]:
        """The text of a number or an expression, and how strongly it binds."""
        if not isinstance(x, Expression):
            return _literal(x), _ATOM if math.copysign(1.0, x) > 0 else _SIGN
        if x.name:
            return f"{x.name}[i]" if x.each else x.name, _ATOM
        return x.spelled()

    def placed(self, x: Any, place: int) -> str:
        """An operand; in parentheses if its place needs what binds more strongly."""
        if place == _ARRAY:
            if isinstance(x, Expression) and x.each and x.name:
                return x.name
            return f"each({self.first}, (i) => {self.spelled(x)[0]})"
        text, binds = self.spelled(x)
        return text if binds >= place else f"({text})"

    def constants(self, block: Iterable[Expression]) -> list[str]:
        """The declarations of what is used more than once."""
        lines = []
        for x in block:
            if x.uses > 1:
                text = self.placed(x, _ARRAY if x.each else _CHOICE)
                self.named += 1
                x.name = f"t{self.named}"
                lines.append(f"const {x.name} = {text};")
        return lines

    def function(self, parameters: Sequence[str], result: Any) -> str:
        """The function with that result: a number, or for the partials of an n-ary row one item for each operand."""
        items = result if isinstance(result, tuple) else (result,)
        for x in items:
            self.use(x)
        constants = self.constants(self.block)
        if isinstance(result, tuple):
            places = [_ARRAY if name.startswith("*") else _CHOICE for name in parameters if name != "z"]
            parts = [self.placed(x, place) for x, place in zip(items, places, strict=True)]
            spread = ["..." * (place == _ARRAY) + part for part, place in zip(parts, places, strict=True)]
            text = parts[0] if places == [_ARRAY] else f"[{', '.join(spread)}]"
        else:
            text = self.placed(result, _CHOICE)
        head = f"({', '.join(name.lstrip('*') for name in parameters)}) => "
        return head + (f"{{ {' '.join(constants)} return {text}; }}" if constants else text)


def _literal(x: float) -> str:
    """A number as JavaScript writes it."""
    if x != x:
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return repr(float(x)).removesuffix(".0")


def _value(op: Op) -> str:
    writer = _Writer("python")
    return writer.function(op.operands, op.value(writer.carrier)(*map(writer.parameter, op.operands)))


def _partial(op: Op, rule: Callable[[Any], Callable[..., Any]]) -> str:
    writer = _Writer("ieee")
    names = ("z", *op.operands)
    return writer.function(names, rule(writer.carrier)(*map(writer.parameter, names)))


def rules(ops: Iterable[Op]) -> str:
    """The rules of operations as a JavaScript expression, an object; it needs the script ``engine()``.

    ``rules.mul.value(x, y)`` is the value, and throws where Python raises; ``.partials`` are functions of the result
    and the operands; ``.check(x, y)`` is the sentence of the DomainError, or null. An operation over any number of
    operands takes them as one array, and its only partial function returns an array. Left out are operations that need
    a function which JavaScript lacks, and those that users define.

    >>> print(rules([TABLE["log"], TABLE["gamma"]]))  # doctest: +ELLIPSIS
    (({rule, each, python, ieee}) => ({
      "log": rule("x", "log {what} at {listed}. It is defined for: x > 0. ...", (x) => python.log(x), (z, x) => 1 / x),
    }))(autograd)
    """
    lines = []
    for op in sorted({op for op in ops if op.shipped}, key=lambda op: op.name):
        try:
            functions = [_value(op), *[_partial(op, rule) for rule in op.partials]]
        except MissingFunctionError:
            continue
        sentence = json.dumps(domain_sentence(op, "{what}", "{listed}"), ensure_ascii=False)
        lines.append(f'  "{op.name}": rule("{" ".join(op.operands)}", {sentence}, {", ".join(functions)}),\n')
    return "(({rule, each, python, ieee}) => ({\n" + "".join(lines) + "}))(autograd)"


class _StepWriter(_Writer):
    """Writes an optimiser's step: the first one or a later one, where that makes a difference."""

    def __init__(self, first: bool) -> None:
        super().__init__("ieee")
        self.first_step, self.asked = first, False

    def is_first_step(self) -> bool:
        self.asked = True
        return self.first_step

    def step(self, optimizer: Any) -> str:
        """The step of one parameter, recorded by running the optimiser on expressions."""
        twin = copy(optimizer)
        twin.params = [SimpleNamespace(data=self.parameter("w"), grad=self.parameter("g"))]
        twin.state = [{name: self.parameter(f"memory.{name}") for name in optimizer.memory}]
        twin.lr, twin.steps = self.parameter("lr"), self.parameter("step") - 1.0
        (update,) = twin.updates()
        kept, terms = twin.state[0], update.terms
        for x in (update.new, *kept.values(), *terms.values()):
            self.use(x)
        lines = self.constants(self.block)
        results = {"value": self.placed(update.new, _CHOICE), "memory": self.object(kept), "terms": self.object(terms)}
        return f"{{ {' '.join([*lines, f'return {_object(results)};'])} }}"

    def object(self, named: Mapping[str, Any]) -> str:
        """An object of numbers."""
        return _object({name: self.placed(x, _CHOICE) for name, x in named.items()})


def _object(texts: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {text}" for name, text in texts.items()) + "}"


def update_rule(optimizer: Any) -> str:
    """The step of an optimiser of ``nn.optim`` as a JavaScript expression, an object; it needs the script ``engine()``.

    ``.step(w, g, memory, lr, step)`` gives for one parameter ``{value, memory, terms}``: the new value, what is
    remembered, and the numbers in ``.formula``; ``step`` counts from 1, and ``.memory`` is what to begin with. The
    optimiser's other settings are constants in it.
    """
    later = _StepWriter(first=False)
    body = later.step(optimizer)
    if later.asked:
        body = f"{{ if (step === 1) {_StepWriter(first=True).step(optimizer)} {body[2:]}"
    memory = _object({name: _literal(x) for name, x in optimizer.memory.items()})
    function = f"(w, g, memory, lr, step) => {body}"
    fields = _object({"formula": json.dumps(optimizer.formula), "memory": memory, "step": function})
    return f"(({{ieee}}) => ({fields}))(autograd)"


def engine() -> str:
    """The script that the rules need: their functions, and the sweeps over a recorded graph."""
    from importlib.resources import files  # which takes longer to import than everything else here

    return files("autograd").joinpath("javascript.js").read_text(encoding="utf-8")
