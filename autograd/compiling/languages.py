"""The languages that programs are written out in: Python, C99 and JavaScript."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import ArgumentError
from .instructions import OPCODES
from .program import Program


class Signature(NamedTuple):
    """The function that is written.

    Attributes:
        name: of the function.
        arguments: the name and shape of each, in order; those with rows hold the numbers of one row.
        leaves: the name and number of each leaf Value that the function closes over; further arguments.
        inputs: for each argument the program's inputs, as ("row" or "shared", number), one for each number of it.
        build: makes the structure of the result from arrays; what it returns is shown as the function's result.
        results: for each of those arrays the instructions whose numbers it holds, and its shape.
        about: what is computed, in words.
    """

    name: str
    arguments: Sequence[tuple[str, tuple[int, ...]]]
    leaves: Sequence[tuple[str | None, float]]
    inputs: Sequence[Sequence[tuple[str, int]]]
    build: Callable[[list[Any]], Any]
    results: Sequence[tuple[Sequence[int], tuple[int, ...]]]
    about: str


class Language:
    """How a program is spelled; a subclass for each language."""

    name = ""
    comment = "# {}"
    line = "    {target} = {text}"
    condition = line  # of a condition
    statement = "{text}"
    mutable = counter = "{target} = {text}"  # of a variable that changes
    loop_end: tuple[str, ...] = ()
    infix: ClassVar[Mapping[str, str]] = {
        **{"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}", "fma": "{} * {} + {}"},
        **{"lt": "{} < {}", "le": "{} <= {}", "eq": "{} == {}"},
    }
    functions: ClassVar[Mapping[str, str]] = {}  # what functions are called, if not as in programs
    reserved: frozenset[str] = frozenset()

    def __init__(self, program: Program) -> None:
        self.program = program
        self.used: set[str] = set()  # the functions that are called
        self.careful = _chooses(program)  # what is not chosen may have no value

    def written(self, op: str, operands: Sequence[str]) -> str:
        """An instruction."""
        if op in self.infix:
            return self.infix[op].format(*operands)
        if op == "dot":
            n = len(operands) // 2
            return " + ".join(f"{w} * {x}" for w, x in zip(operands[:n], operands[n:], strict=True))
        self.used.add(op)
        return f"{self.function(op)}({', '.join(operands)})"

    def function(self, op: str) -> str:
        """What a function is called.

        Raises:
            ArgumentError: if the language has none.
        """
        found = self.functions.get(op)
        if found is None:
            raise ArgumentError(f"{self.name} has no function for {op}, so the program cannot be written in it")
        return found

    def number(self, x: float) -> str:
        """A constant."""
        return repr(x)

    def indented(self, line: str, depth: int) -> str:
        """A line inside of so many loops of a function; a line of an instruction has the function's indent already."""
        margin = len(self.line) - len(self.line.lstrip())
        return " " * margin * (depth + 1) + line.strip()

    def loop(self, index: str, count: str, backward: bool) -> list[str]:
        """The head of a loop over the steps."""
        raise NotImplementedError

    def leaves(self, active: str, stacks: Sequence[str]) -> list[str]:
        """What ends a loop if a condition does not hold; the stacks were made inside."""
        raise NotImplementedError

    def stack(self, name: str, length: int) -> list[str]:
        """A new array of zeros."""
        raise NotImplementedError

    def packed(self, name: str, numbers: Sequence[str]) -> list[str]:
        """An array of these numbers."""
        raise NotImplementedError

    def freed(self, stacks: Sequence[str]) -> list[str]:
        """What is to be done with arrays at the end."""
        return []

    def together(self, names: Sequence[str], values: Sequence[str]) -> list[str]:
        """Assignments that happen at once."""
        raise NotImplementedError

    def name_of(self, given: str, taken: set[str]) -> str:
        """A name that the language allows and nothing else has."""
        name = re.sub(r"\W", "_", given, flags=re.ASCII).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        while name in self.reserved or name in taken or re.fullmatch(r"[tcskni]\d+", name):
            name += "_"
        taken.add(name)
        return name

    def shaped(self, name: str, shape: tuple[int, ...]) -> Iterator[str]:
        """The numbers of an argument."""
        for index in np.ndindex(shape):
            yield name + "".join(f"[{k}]" for k in index)

    def whole(self, signature: Signature, names: Sequence[str], lines: Sequence[str], result: Sequence[Any]) -> str:
        """The whole source."""
        raise NotImplementedError


def _chooses(program: Program) -> bool:
    """Whether a program, or a loop of it, chooses between two numbers."""
    bodies = [program]
    for body in bodies:  # grows
        bodies += [loop.body for loop in body.loops]
    return any(i.op == "select" for body in bodies for i in body.code)


class Name(str):
    """A name that is shown without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


# Where Python raises, for programs that compute what they then do not choose.
_CAREFUL = {
    "div": """def div_(x, y):
    if y != 0.0:
        return x / y
    return math.nan if x == 0.0 or x != x else math.copysign(math.inf, x) * math.copysign(1.0, y)""",
    **{
        op: f"""def {op}_(x):
    return math.{op}(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan"""
        for op in ("log", "log2", "log10")
    },
    "log1p": """def log1p_(x):
    return math.log1p(x) if x > -1.0 else -math.inf if x == -1.0 else math.nan""",
    "sqrt": """def sqrt_(x):
    return math.sqrt(x) if x >= 0.0 else math.nan""",
    **{
        op: f"""def {op}_(x):
    try:
        return math.{op}(x)
    except OverflowError:
        return {beyond}"""
        for op, beyond in (
            *(("exp", "math.inf"), ("expm1", "math.inf"), ("exp2", "math.inf"), ("cosh", "math.inf")),
            ("sinh", "math.copysign(math.inf, x)"),
        )
    },
    **{
        op: f"""def {op}_(x):
    return math.{op}(x) if abs(x) < math.inf else math.nan"""
        for op in ("sin", "cos", "tan")
    },
    **{
        op: f"""def {op}_(x):
    return math.{op}(x) if abs(x) <= 1.0 else math.nan"""
        for op in ("asin", "acos")
    },
    "acosh": """def acosh_(x):
    return math.acosh(x) if x >= 1.0 else math.nan""",
    "atanh": """def atanh_(x):
    if abs(x) < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan""",
    "pow": """def pow_(x, y):
    try:
        return math.pow(x, y)
    except ValueError:
        if x != 0.0:
            return math.nan
        return math.copysign(math.inf, x) if math.fmod(y, 2.0) == -1.0 else math.inf
    except OverflowError:
        return -math.inf if x < 0.0 and math.fabs(math.fmod(y, 2.0)) == 1.0 else math.inf""",
    "fmod": """def fmod_(x, y):
    return math.nan if y == 0.0 or abs(x) == math.inf else math.fmod(x, y)""",
}


class Python(Language):
    """Python, with its own math: on ordinary numbers what an eager run computes."""

    name = "Python"
    infix: ClassVar[Mapping[str, str]] = {
        **Language.infix,
        **{"and": "{} and {}", "or": "{} or {}", "not": "not {}", "select": "{1} if {0} else {2}"},
    }
    functions: ClassVar[Mapping[str, str]] = {
        **{op: f"math.{op}" for op in OPCODES if hasattr(math, op)},
        **{"abs": "math.fabs", "round": "round", "floor": "math.floor", "ceil": "math.ceil", "trunc": "math.trunc"},
        "exp2": "math.exp2",
    }
    reserved = frozenset([*keyword.kwlist, "math", "round", *(f"{op}_" for op in _CAREFUL)])

    def number(self, x: float) -> str:
        return f"math.{x!r}" if x == math.inf or x != x else "-math.inf" if x == -math.inf else repr(x)

    def written(self, op: str, operands: Sequence[str]) -> str:
        if op in ("floor", "ceil", "trunc", "round"):  # whole numbers of Python have no −0
            return f"math.copysign({self.function(op)}({operands[0]}), {operands[0]})"
        if self.careful and op in _CAREFUL:
            self.used.add(op)
            return f"{op}_({', '.join(operands)})"
        return super().written(op, operands)

    def loop(self, index: str, count: str, backward: bool) -> list[str]:
        return [f"for {index} in {f'reversed(range({count}))' if backward else f'range({count})'}:"]

    def leaves(self, active: str, stacks: Sequence[str]) -> list[str]:
        return [f"if not {active}: break"]

    def stack(self, name: str, length: int) -> list[str]:
        return [f"{name} = [0.0] * {length}"]

    def packed(self, name: str, numbers: Sequence[str]) -> list[str]:
        return [f"{name} = [{', '.join(numbers)}]"]

    def together(self, names: Sequence[str], values: Sequence[str]) -> list[str]:
        return [f"{', '.join(names)} = {', '.join(values)}"] if names else []

    def whole(self, signature: Signature, names: Sequence[str], lines: Sequence[str], result: Sequence[Any]) -> str:
        helpers = [_CAREFUL[op] for op in _CAREFUL if op in self.used and self.careful]
        count = len(signature.arguments)
        defaults = [f"{n}={x!r}" for n, (_, x) in zip(names[count:], signature.leaves, strict=True)]
        head = f"def {signature.name}({', '.join([*names[:count], *defaults])}):"
        text = signature.about.replace("\\", "\\\\").replace('"""', "'''")
        body = [head, f'    """{text}"""', *lines, f"    return {signature.build(list(result))!r}"]
        return "\n\n\n".join(["import math", *helpers, "\n".join(body)]) + "\n"


_C_FUNCTIONS = """exp expm1 exp2 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
    erf erfc pow cbrt hypot fmod sqrt floor ceil trunc copysign fma lgamma""".split()  # noqa: SIM905
_C_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while out
    main j0 j1 jn y0 y1 yn gamma tgamma fabs rint round remainder scalb signgam significand""".split()  # noqa: SIM905
_JS_FUNCTIONS = """exp expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh cbrt
    sqrt floor ceil trunc abs""".split()  # noqa: SIM905
_JS_OWN = ("erf", "erfc", "erfcx", "copysign", "fmod", "hypot", "pow", "round")  # of javascript.js
_JS_WORDS = """arguments async await break case catch class const continue debugger default delete do else enum eval
    export extends false finally for function if implements import in instanceof interface let new null of package
    private protected public return static super switch this throw true try typeof undefined var void while with yield
    Math NaN Infinity autograd""".split()  # noqa: SIM905


class C(Language):
    """C99, with the functions of its mathematics library."""

    name = "C"
    comment = "/* {} */"
    line = "    const double {target} = {text};"
    condition = "    const int {target} = {text};"
    statement = "{text};"
    mutable = "double {target} = {text};"
    counter = "long {target} = {text};"
    loop_end = ("}",)
    infix: ClassVar[Mapping[str, str]] = {
        **{key: text for key, text in Language.infix.items() if key != "fma"},
        **{"and": "{} && {}", "or": "{} || {}", "not": "!{}", "select": "{} ? {} : {}"},
    }
    functions: ClassVar[Mapping[str, str]] = {
        **{op: op for op in _C_FUNCTIONS},
        **{"abs": "fabs", "round": "rint", "gamma": "tgamma"},
    }
    reserved = frozenset([*_C_WORDS, *_C_FUNCTIONS])

    def number(self, x: float) -> str:
        return "NAN" if x != x else "INFINITY" if x == math.inf else "-INFINITY" if x == -math.inf else repr(x)

    def loop(self, index: str, count: str, backward: bool) -> list[str]:
        if backward:
            return [f"for (long {index} = {count} - 1; {index} >= 0; {index}--) {{"]
        return [f"for (long {index} = 0; {index} < {count}; {index}++) {{"]

    def leaves(self, active: str, stacks: Sequence[str]) -> list[str]:
        if not stacks:
            return [f"if (!{active}) break;"]
        return [f"if (!{active}) {{ {' '.join(self.freed(stacks))} break; }}"]

    def stack(self, name: str, length: int) -> list[str]:
        self.used.add("calloc")
        return [f"double *{name} = calloc({max(1, length)}, sizeof(double));", f"if (!{name}) abort();"]

    def packed(self, name: str, numbers: Sequence[str]) -> list[str]:
        return [f"const double {name}[{max(1, len(numbers))}] = {{{', '.join(numbers) or '0.0'}}};"]

    def freed(self, stacks: Sequence[str]) -> list[str]:
        return [f"free({name});" for name in stacks]

    def together(self, names: Sequence[str], values: Sequence[str]) -> list[str]:
        lines, now = [], []
        for value in values:
            if value in names:  # it changes too
                lines.append(f"const double next_{value} = {value};")
            now.append(f"next_{value}" if value in names else value)
        return [*dict.fromkeys(lines), *(f"{a} = {b};" for a, b in zip(names, now, strict=True))]

    def shaped(self, name: str, shape: tuple[int, ...]) -> Iterator[str]:
        if not shape:
            yield name
            return
        for k in range(math.prod(shape)):
            yield f"{name}[{k}]"

    def whole(self, signature: Signature, names: Sequence[str], lines: Sequence[str], result: Sequence[Any]) -> str:
        flat = [x for part in result for x in np.asarray(part, dtype=object).ravel().tolist()]
        places = iter(range(len(flat)))
        numbered = [nested([Name(f"out[{next(places)}]") for _ in i], shape) for i, shape in signature.results]
        shapes = [shape for _, shape in signature.arguments] + [()] * len(signature.leaves)
        parameters = [
            f"const double {name}[{math.prod(shape)}]" if shape else f"double {name}"
            for name, shape in zip(names, shapes, strict=True)
        ]
        frees = [line for line in lines if line.startswith("    free(")]
        lines = [*lines[: len(lines) - len(frees)], *(f"    out[{k}] = {x};" for k, x in enumerate(flat)), *frees]
        about = f"{signature.about} It writes {signature.build(numbered)!r}."
        count = len(signature.arguments)
        known = [f"{n} = {self.number(x)}" for n, (_, x) in zip(names[count:], signature.leaves, strict=True)]
        if known:
            about += f" When this was written, {', '.join(known)}."
        body = [
            f"/* {about.replace('*/', '* /')} */",
            f"void {signature.name}({', '.join([*parameters, f'double out[{max(1, len(flat))}]'])})",
            "{",
            *lines,
            "}",
        ]
        headers = ["#include <math.h>", *(["#include <stdlib.h>"] if "calloc" in self.used else [])]
        return "\n".join([*headers, "", *body]) + "\n"


class JavaScript(Language):
    """JavaScript, with Math; erf and the like are written before it."""

    name = "JavaScript"
    comment = "// {}"
    line = "  const {target} = {text};"
    condition = line
    statement = "{text};"
    mutable = counter = "let {target} = {text};"
    loop_end = ("}",)
    infix: ClassVar[Mapping[str, str]] = {
        **Language.infix,
        **{"eq": "{} === {}", "and": "{} && {}", "or": "{} || {}", "not": "!{}", "select": "{} ? {} : {}"},
    }
    functions: ClassVar[Mapping[str, str]] = {
        **{op: f"Math.{op}" for op in _JS_FUNCTIONS},
        **{op: f"autograd.{'python' if op == 'round' else 'ieee'}.{op}" for op in _JS_OWN},
        "exp2": "2 **",
    }
    reserved = frozenset(_JS_WORDS)

    def number(self, x: float) -> str:
        return "NaN" if x != x else "Infinity" if x == math.inf else "-Infinity" if x == -math.inf else repr(x)

    def loop(self, index: str, count: str, backward: bool) -> list[str]:
        if backward:
            return [f"for (let {index} = {count} - 1; {index} >= 0; {index}--) {{"]
        return [f"for (let {index} = 0; {index} < {count}; {index}++) {{"]

    def leaves(self, active: str, stacks: Sequence[str]) -> list[str]:
        return [f"if (!{active}) break;"]

    def stack(self, name: str, length: int) -> list[str]:
        return [f"const {name} = new Float64Array({length});"]

    def packed(self, name: str, numbers: Sequence[str]) -> list[str]:
        return [f"const {name} = [{', '.join(numbers)}];"]

    def together(self, names: Sequence[str], values: Sequence[str]) -> list[str]:
        if len(names) < 2:
            return [f"{a} = {b};" for a, b in zip(names, values, strict=True)]
        return [f"[{', '.join(names)}] = [{', '.join(values)}];"]

    def written(self, op: str, operands: Sequence[str]) -> str:
        return f"2 ** {operands[0]}" if op == "exp2" else super().written(op, operands)

    def whole(self, signature: Signature, names: Sequence[str], lines: Sequence[str], result: Sequence[Any]) -> str:
        from ..javascript import engine

        count = len(signature.arguments)
        defaults = [f"{n} = {self.number(x)}" for n, (_, x) in zip(names[count:], signature.leaves, strict=True)]
        body = [
            f"/** {signature.about.replace('*/', '* /')} */",
            f"function {signature.name}({', '.join([*names[:count], *defaults])}) {{",
            *lines,
            f"  return {_javascript(signature.build(list(result)))};",
            "}",
        ]
        return "\n".join([*([engine()] if self.used & set(_JS_OWN) else []), *body]) + "\n"


def _javascript(x: Any) -> str:
    if isinstance(x, list | tuple):
        return f"[{', '.join(map(_javascript, x))}]"
    if isinstance(x, dict):
        return f"{{ {', '.join(f'{str(k)!r}: {_javascript(y)}' for k, y in x.items())} }}"
    return str(x)


def nested(names: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Names in nested lists of that shape."""
    if not shape:
        return names[0]
    size = len(names) // shape[0] if shape[0] else 0
    return [nested(names[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]


LANGUAGES: dict[str, type[Language]] = {"python": Python, "c": C, "javascript": JavaScript}
