"""Formulas, numbers and names as they are printed, in plain text, in LaTeX and in MathML."""

import math
import re
from xml.etree import ElementTree

import pytest

import autograd as ag
from autograd import Value
from autograd.markup import math as math_element
from autograd.naming import Names
from autograd.notation import CHOICE, LONGEST, SUM, Piece, label, piece, render, show, tidy

X, Y = Piece("x"), Piece("y")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        ("2 * pi", "2·π", r"2 \cdot \pi"),
        ("exp(-x) / sqrt(2 * pi)", "exp(−x)/√(2·π)", r"\frac{\exp\left(-x\right)}{\sqrt{2 \cdot \pi}}"),
        ("(x + y) * (x - y)", "(x + y)·(x − y)", r"\left(x + y\right) \cdot \left(x - y\right)"),
        ("x - (y - x)", "x − (y − x)", r"x - \left(y - x\right)"),
        ("x ** (y + 1)", "x^(y + 1)", r"x^{y + 1}"),
        ("abs(x) ** 3", "|x|³", r"\left|x\right|^{3}"),
        ("x % y", "x mod y", r"x \bmod y"),
        ("1 if x <= 0 else y", "1 if x ≤ 0 else y", r"\begin{cases} 1 & x \le 0 \\ y & \text{else} \end{cases}"),
        ("x + ...", "x + …", r"x + \cdots"),
    ],
)
def test_formulas(formula, text, latex):
    names = {"x": X, "y": Y}
    assert render(formula, names).text == text
    assert render(formula, names, "latex").text == latex


@pytest.mark.parametrize(
    ("formula", "constants", "text"),
    [
        ("y * x ** (y - 1)", {"y": 2.0}, "2·x"),
        ("y * x ** (y - 1)", {"y": 3.0}, "3·x²"),
        ("y * x ** (y - 1)", {"y": 0.5}, "0.5·x^(−0.5)"),
        ("y * x ** (y - 1)", {"y": -1.0}, "−1·x^(−2)"),
        ("y * x ** (y - 1)", {"y": 1.0}, "1"),
        ("y * x ** (y - 1)", {"y": 0.0}, "0"),
        ("y * x ** (y - 1)", {"x": 2.0}, "y·2^(y − 1)"),
        ("x / y", {"y": 1.0}, "x"),
        ("1 / y", {"y": 3.0}, "1/3"),
        ("-y / x", {"y": 2.0}, "−2/x"),
        ("polygamma(y + 1, x)", {"y": 1.0}, "polygamma(2, x)"),
        ("1 if x > 0 else y", {"y": 0.01}, "1 if x > 0 else 0.01"),
    ],
)
def test_constants_simplify_a_formula(formula, constants, text):
    assert render(formula, {"x": X, "y": Y} | constants).text == text


def test_a_formula_of_up_to_four_operands_is_a_label():
    a, b, c, d, e = (Value(1.0, name=name) for name in "abcde")
    four, five = ag.sum([a, b, c, d]), ag.sum([a, b, c, d, e])
    names = Names(ag.topological(four * five))
    assert (names.label(four).text, names.label(five).text) == ("a + b + c + d", "v2")
    assert names.formula(five).text == "a + b + c + d + e"


def test_constants_have_as_many_digits_as_asked_for():
    assert render("x * y", {"x": X, "y": 1 / 3}, digits=3).text == "x·0.333"
    assert render("x * y", {"x": X, "y": 1 / 3}, "latex", digits=10).text == r"x \cdot 0.3333333333"


def test_a_formula_keeps_numbers_that_are_printed_as_they_are():
    x = Value(3.0, name="x")
    y = 0.0 * x ** (2 - 1) * 1.0
    order = ag.topological(y)
    names = Names(order)
    assert [names.formula(node).text for node in order] == ["x", "x^1", "0·x^1", "0·x^1·1"]
    assert [names.numbers(node).text for node in order] == ["x", "3^1", "0·3", "0·1"]


@pytest.mark.parametrize("count", [6, 7, 20])
def test_dots_of_many_terms_are_shortened(count):
    ws = [Value(1.0, name=f"w{k}") for k in range(1, count + 1)]
    xs = [Value(2.0, name=f"a{k}") for k in range(1, count + 1)]
    net = ag.dot(ws, xs)
    text = Names(ag.topological(net)).formula(net).text
    every = [f"w{k}·a{k}" for k in range(1, count + 1)]
    assert text == " + ".join(every if count <= 6 else [*every[:3], "…", *every[-2:]])
    assert Names(ag.topological(net)).formula(net, "latex").text.count(r"\cdots") == (count > 6)


@pytest.mark.parametrize(
    ("x", "digits", "text", "latex"),
    [
        (0.5932699921071872, 6, "0.593270", "0.593270"),
        (-0.05, 6, "−0.05", "-0.05"),
        (-1.5e-9, 6, "−1.5e-9", r"-1.5 \times 10^{-9}"),
        (123456789.0, 6, "1.23457e8", r"1.23457 \times 10^{8}"),
        (math.inf, 6, "∞", r"\infty"),
        (-math.inf, 6, "−∞", r"-\infty"),
        (math.nan, 6, "nan", r"\mathrm{nan}"),
        (-0.0, 6, "0", "0"),
        (1 / 3, 2, "0.33", "0.33"),
    ],
)
def test_numbers(x, digits, text, latex):
    assert show(x, digits) == text
    assert show(x, digits, "latex") == latex


def test_labels():
    assert label("net_o1", "latex").text == r"\mathrm{net}_{o1}"
    assert label("w12", "latex").text == "w_{12}"
    assert label("a + b") == ("a + b", CHOICE)
    assert label("  two\nlines ").text == "two lines"
    assert label("").text == "''"
    assert render("x * y", {"x": Piece("a + b", SUM), "y": label("p q")}).text == "(a + b)·(p q)"


def test_a_long_name_has_a_gap():
    name = tidy("begin" + "x" * 10_000 + "end")
    assert len(name) == LONGEST
    assert name.startswith("begin")
    assert name.endswith("end")
    assert "…" in name
    assert tidy("y" * LONGEST) == "y" * LONGEST


def test_what_has_no_place_in_a_line_becomes_a_space():
    assert tidy("a\x00b\x1b[31mc\ud800d") == "a b [31mc d"
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF, 0x2028):
        assert tidy(f"a{chr(code)}b") == "a b"
    assert tidy("نمی\u200cخواهم") == "نمی\u200cخواهم"  # a joiner that Persian is misspelt without


def test_no_two_nodes_are_called_alike():
    x = Value(0.5, name="x")
    nodes = [
        Value(1.0, name=name)
        for name in ("x", "x", "x1", "x_1", "x′2", "exp(x)", "v1", "a\nb", "a b", "w" * 99, "w" * 98)
    ]
    made = [ag.exp(x), ag.exp(x), Value(3.0), Value(3.0)]
    order = ag.topological(ag.sum([x, *nodes, *made]))
    names = Names(order)
    for style in ("text", "latex", "mathml"):
        labels = [names.label(node, style).text for node in order]
        assert len(set(labels)) == len(labels), labels


def test_names_in_other_scripts_are_text_in_latex():
    assert label("权重", "latex").text == r"\text{权重}"
    assert label("权重_1", "latex").text == r"\text{权重}_{1}"
    assert label("w_隐藏", "latex").text == r"w_{\text{隐藏}}"
    assert label("loss损失", "latex").text == r"\mathrm{loss\text{损失}}"
    assert label("η", "latex").text == "η"
    for name in ("权重", "w_隐藏", "σ_1"):
        assert label(name).text == name


# MathML --------------------------------------------------------------------------------------------------------------

ELEMENTS = {"math", "mi", "mn", "mo", "mrow", "mfrac", "msub", "msup", "msqrt", "mtable", "mtr", "mtd"}
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2}


def elements(mathml):
    """The elements of a formula, which is well formed and stays within what all browsers draw alike."""
    root = ElementTree.fromstring(math_element(mathml))
    for element in root.iter():
        assert element.tag in ELEMENTS, element.tag
        if element.tag in ("mi", "mn", "mo"):
            assert element.text
            assert len(element) == 0
        else:
            assert not element.text
        assert not element.tail
        assert len(element) == CHILDREN.get(element.tag, len(element))
        assert element.tag != "mo" or element.get("stretchy") == "false"
        assert element.tag != "mi" or element.get("mathvariant") == "normal"
    return root


def read(mathml):
    """A formula as one line: fractions as (a)/(b), indices after _, exponents after ^."""

    def text(e):
        inner = [text(child) for child in e]
        match e.tag:
            case "mfrac":
                return f"({inner[0]})/({inner[1]})"
            case "msub":
                return f"{inner[0]}_{inner[1]}"
            case "msup":
                return f"{inner[0]}^({inner[1]})"
            case "msqrt":
                return f"√({''.join(inner)})"
        return (e.text or "") + "".join(inner)

    return text(elements(mathml))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("2 * pi", "2·π"),
        ("exp(-x) / sqrt(2 * pi)", "(exp(−x))/(√(2·π))"),
        ("(x + y) * (x - y)", "(x+y)·(x−y)"),
        ("x - (y - x)", "x−(y−x)"),
        ("x - -y", "x−(−y)"),
        ("x ** (y + 1)", "x^(y+1)"),
        ("(x + y) ** 2", "(x+y)^(2)"),
        ("(-x) ** 2", "(−x)^(2)"),
        ("abs(x) ** 3", "|x|^(3)"),
        ("x % y", "xmody"),
        ("log2(x) + log10(y)", "log_2(x)+log_10(y)"),
        ("normal_quantile(x)", "Φ^(−1)(x)"),
        ("1 if x <= 0 else y", "1ifx≤0elsey"),
        ("x + ...", "x+…"),
        ("where(x < y, 1, 0)", "where(x<y,1,0)"),
    ],
)
def test_formulas_in_mathml(formula, expected):
    assert read(render(formula, {"x": label("x", "mathml"), "y": label("y", "mathml")}, "mathml").text) == expected


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (0.5932699921071872, "0.593270"),
        (-0.05, "−0.05"),
        (-1.5e-9, "−1.5×10^(−9)"),
        (123456789.0, "1.23457×10^(8)"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
        (-0.0, "0"),
    ],
)
def test_numbers_in_mathml(x, expected):
    assert read(show(x, 6, "mathml")) == expected
    assert read(render("y * x", {"x": piece(x, style="mathml"), "y": label("y", "mathml")}, "mathml").text) == (
        f"y·({expected})" if x < 0 or "×" in expected else f"y·{expected}"
    )


def test_a_negative_number_is_no_subtraction():
    """The sign is in a row of its own, where browsers set it without the space of a subtraction."""
    root = elements(render("x * y", {"x": piece(-2.0, style="mathml"), "y": label("y", "mathml")}, "mathml").text)
    assert [e.tag for e in root] == ["mrow", "mo", "mi"]
    assert [e.tag for e in root[0]] == ["mo", "mn"]


def test_indices_in_mathml():
    for name, expected in {
        **{"w1": "w_1", "w_1": "w_1", "w12": "w_12", "net_h1": "net_h1", "权重_1": "权重_1", "a_b_c": "a_b_c"},
        **{"x": "x", "loss": "loss", "x_": "x_", "_x": "_x", "net1": "net1", "1": "1", "_": "_"},
    }.items():
        assert read(label(name, "mathml").text) == expected
    with_index = [
        name for name in ("w1", "w_1", "net_h1", "a_b_c") if elements(label(name, "mathml").text)[0].tag == "msub"
    ]
    assert with_index == ["w1", "w_1", "net_h1", "a_b_c"]
    for name in ("x", "loss", "x_", "_x", "net1", "_"):
        assert elements(label(name, "mathml").text)[0].tag == "mi"


ODD = [
    *("</math><script>", "&lt;", "\"'", "a < b & c > d", "\x00\x1b", "\ud800", "\uffff", "\u202eevil", "]]>", "<!--"),
    *("", " ", "_", "__", "1e5", "y" * 10_000),
]


@pytest.mark.parametrize("name", ODD)
def test_no_name_breaks_out_of_mathml(name):
    x = Value(2.0, name=name)
    y = ag.exp(x * x) / x
    y.name = name
    names = Names(ag.topological(y))
    for node in ag.topological(y):
        for written in (names.label(node, "mathml"), names.formula(node, "mathml"), names.numbers(node, "mathml")):
            elements(written.text)


TOKEN = re.compile(r"[^\W\d_]+|[\d.]+")
SMALL = str.maketrans("⁰¹²³₀₁₂₃", "01230123")


@pytest.mark.parametrize("op", ag.TABLE.values(), ids=lambda op: op.name)
def test_every_row_of_the_table_in_mathml(op):
    """The same names, functions and numbers in the same order as in plain text."""
    count = len(op.operands) if not op.nary else len(op.samples[0])
    names = op.names(count)
    for formula in (op.formula_for(count), *(op.slope_for(place, count) for place in range(count))):
        for of in (label, lambda _, style: piece(-1.5, style=style)):
            text = render(formula, {name: of(name, "text") for name in (*names, "z")}).text
            mathml = render(formula, {name: of(name, "mathml") for name in (*names, "z")}, "mathml").text
            assert TOKEN.findall(" ".join(elements(mathml).itertext())) == TOKEN.findall(text.translate(SMALL))
