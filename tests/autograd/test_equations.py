"""The equations of an explanation: each symbol has one value, both sides agree, each is written once.

The tests check the data that the text is made from, and the text itself, parsed again.
"""

import math
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, explain
from autograd.naming import Names

OPERATIONS = [
    *(ag.sin, ag.exp, ag.tanh, ag.square, ag.abs, ag.softplus, lambda x: -x, lambda x: 3.0 - x, lambda x: x * 0.5),
    *(lambda x: x + 1.0, lambda x: x**3, lambda x: x**0.5 if x.data > 0 else x**2),
    *(lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, ag.maximum, ag.hypot, ag.atan2),
    lambda x, y: x / (2.0 + y * y),
    lambda x, y: ag.where(x > y, x * y, y),
    lambda a, b, c, d, e: ag.dot([a, b], [c, d], e),
    lambda a, b, c: ag.dot([a, b], [0.5, 1.5], c),
    lambda a, b, c, d, e, f: ag.dot([a, b, c], [d, e, f]),
    lambda a, b, c: ag.logsumexp([a, b, c]),
    lambda *xs: ag.sum(xs),
]
# Names that resemble what the explanation itself writes, and names that need parentheses.
NAMES = ["x1", "x_1", "x₁", "x", "x", "w′2", "v1", "v2", "E_o1", "exp(x)", "a + b", "sin(x)²", "∂y/∂x", "α", "x·x"]


@st.composite
def graphs(draw):
    """An output, with shared nodes, repeated operands, several ways, operations on many operands, names."""
    draw_name = st.none() | st.sampled_from(NAMES)
    values = [
        Value(x, name=draw(draw_name)) for x in draw(st.lists(st.floats(-2.0, 2.0, width=16), min_size=1, max_size=3))
    ]
    for _ in range(draw(st.integers(1, 12))):
        operation = draw(st.sampled_from(OPERATIONS))
        code = getattr(operation, "__code__", None)
        count = draw(st.integers(3, 20)) if operation is OPERATIONS[-1] else code.co_argcount
        places = draw(st.lists(st.integers(1, min(len(values), 4)), min_size=count, max_size=count))
        operands = [values[-place] for place in places]
        made = operation(*operands)
        if not abs(made.data) < 100.0:
            made = ag.tanh(operands[0])
        made.name = draw(draw_name)
        values.append(made)
    return values[-1]


def agree(a, b, scale):
    return abs(a - b) <= 1e-9 * max(scale, abs(a), abs(b))


@settings(max_examples=100)
@given(graphs(), st.booleans())
def test_in_the_data_each_symbol_has_one_value_and_both_sides_agree(output, expand):
    for wrt in ag.leaves(output):
        explanation = explain(output, wrt, expand=expand)
        values = {}
        lefts = []
        for equation in [*explanation.equations, *explanation.rules]:
            lefts.append(equation.left)
            products = [math.prod(factor.value for factor in term) for term in equation.terms]
            rest = [] if equation.rest is None else [equation.rest]
            assert agree(math.fsum(products + rest), equation.value, math.fsum(map(abs, products + rest)))
            assert values.setdefault(equation.left, equation.value) == equation.value
        for equation in explanation.equations:
            for factor in [f for term in equation.terms for f in term]:
                assert values.setdefault(factor.written, factor.value) == factor.value, factor
        assert len(lefts) == len(set(lefts))
        wrt.grad = 0.0
        output.backward()
        assert explanation.derivative == wrt.grad
        names = Names(ag.topological(output))
        labels = [names.label(node).text for node in ag.topological(output)]
        assert len(labels) == len(set(labels))


# Parsing the text ----------------------------------------------------------------------------------------------------


def sections(text):
    """The equations of chain rule and local rules in plain text, each as its sides; wrapped lines joined."""
    equations = []
    for section in text.split("\n\n")[1:]:
        heading, *lines = section.split("\n")
        if heading in ("Chain rule", "Local rules"):
            for line in lines:
                if line.startswith("   "):
                    equations[-1] += " " + line.strip()
                elif "… and more" not in line:
                    equations.append(line.strip())
    return [split(equation, (" = ", " ≈ ")) for equation in equations]


def rows(align):
    """The equations of an ``align`` with a derivative on their left side, each as its sides."""
    equations = []
    for row in align.split(" \\\\\n"):
        left, _, right = row.partition(" &") if not row.startswith("&") else ("", "", row[1:])
        if left:
            equations.append([left])
        equations[-1].append(right.removeprefix("=").removeprefix(r"\approx").strip())
    return [equation for equation in equations if r"\partial" in equation[0]]


def read(explanation, style):
    if style == "text":
        return sections(str(explanation))
    if style == "latex":
        latex = explanation.latex()
        return rows(latex.removeprefix("\\begin{align*}\n").removesuffix("\n\\end{align*}"))
    blocks = explanation.markdown().split("$$")[1::2]
    stripped = (block.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}") for block in blocks)
    return [equation for block in stripped for equation in rows(block)]


def split(text, signs):
    """The parts between signs that stand outside of brackets."""
    parts, depth, start, k = [], 0, 0, 0
    while k < len(text):
        depth += (text[k] in "([{") - (text[k] in ")]}")
        sign = next((sign for sign in signs if depth == 0 and text.startswith(sign, k)), None)
        if sign is not None:
            parts.append(text[start:k])
            start = k = k + len(sign)
        else:
            k += 1
    return [*parts, text[start:]]


def terms(side):
    """A sum of products as its factors."""
    return [split(term, (" · ", r" \cdot ")) for term in split(side, (" + ",))]


def interval(text):
    """The numbers that are printed like this; None for what is no number."""
    if text.startswith("0 "):  # only rounding error: the number comes after the text
        text = text.partition("(")[2].partition(" is left by")[0].removesuffix(r" \text{")
    text = text.removeprefix("(").removesuffix(")").removeprefix(r"\left(").removesuffix(r"\right")
    text = text.replace(r" \times 10^{", "e").replace("}", "").replace("−", "-")
    try:
        exact = Decimal(text)
    except ArithmeticError:
        return None
    _, digits, exponent = exact.as_tuple()
    # Fewer than six digits are exact, unless they are aligned with the other terms of a sum.
    unit = Decimal(1).scaleb(exponent) if len(digits) >= 6 or exponent == -6 else abs(exact) * Decimal("1e-15")
    return float(exact - unit * Decimal("0.5001")), float(exact + unit * Decimal("0.5001"))


def value(numbers):
    """The interval of a sum of products of intervals."""
    low = high = 0.0
    for term in numbers:
        corners = [1.0]
        for a, b in term:
            corners = [min(x * y for x in corners for y in (a, b)), max(x * y for x in corners for y in (a, b))]
        low, high = low + min(corners), high + max(corners)
    return low, high


def meet(values, symbol, numbers):
    """Record the interval of a symbol; all its intervals must have a number in common."""
    low, high = values.get(symbol, (-math.inf, math.inf))
    values[symbol] = low, high = max(low, numbers[0]), min(high, numbers[1])
    assert low <= high, (symbol, numbers)


@settings(max_examples=100)
@given(graphs(), st.booleans(), st.sampled_from(["text", "latex", "markdown"]))
def test_in_what_is_printed_each_symbol_has_one_value_and_both_sides_agree(output, expand, style):
    for wrt in ag.leaves(output):
        equations = read(explain(output, wrt, expand=expand), style)
        lefts = [left for left, *_ in equations]
        assert len(lefts) == len(set(lefts))
        values = {}
        for left, *sides in equations:
            result = interval(sides[-1])
            assert result is not None, sides
            meet(values, left, result)
            symbols = []
            for side in sides[:-1]:
                written = terms(side)
                numbers = [[interval(factor) for factor in term] for term in written]
                if any(x is None for term in numbers for x in term):
                    symbols = written
                    continue
                low, high = value(numbers)
                assert low <= result[1], (left, sides)
                assert high >= result[0], (left, sides)
                if list(map(len, symbols)) == list(map(len, numbers)):
                    for symbol, x in zip(chain(*symbols), chain(*numbers), strict=True):
                        if symbol.startswith(("∂", "(∂", r"\frac{\partial", r"\left.")):
                            meet(values, symbol, x)
                symbols = []


def test_the_reader_sees_a_symbol_with_two_values():
    """What the explanation of x·exp(x) once printed: the parser must find the mistake."""
    values = {"∂z/∂x": interval("1.40963")}
    with pytest.raises(AssertionError):
        meet(values, "∂z/∂x", interval("2.01375"))
    assert interval("(−0.5)") == interval(r"\left(-0.5\right)")
    assert interval(r"1.5 \times 10^{-9}") == interval("1.5e-9")
    assert terms("∂z/∂(x + 1) · ∂y/∂x + 2") == [["∂z/∂(x + 1)", "∂y/∂x"], ["2"]]
