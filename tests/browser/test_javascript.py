"""The operations and sweeps in JavaScript, compared with the engine."""

import itertools
import math
import random
import re

import pytest

import autograd as ag
from autograd import DomainError, Value, ops, sweep
from autograd.graph import places, topological
from autograd.javascript import rules
from autograd.value import evaluate, record
from demos import worked_example
from tests.autograd.test_table import SLOPE_TERMS, TERMS
from tests.oracle import random_operands

from .node import run

# Operations that need a function that JavaScript does not have.
MISSING = {"erfinv", "normal_quantile", "gamma", "lgamma", "digamma", "polygamma", "beta"}
ROWS = [op for op in ops.TABLE.values() if op.name not in MISSING]
EDGES = [
    *(0.0, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-16, 1e-8, 0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 1.0 - 2**-53, 1.0),
    *(1.225, 1.5, 2.0, 2.5, 3.0, 20.0, 30.0, 700.0, 709.78, 745.2, 1e8, 2.0**52 + 1, 2.0**53, 1e16, 1e100, 1e300),
    *(1.7e308, math.inf, math.nan),
]
EDGES += [-x for x in EDGES if x == x]
# Functions that are exact, or rounded once, in JavaScript and in Python.
ROUNDED = {"abs", "sqrt", "floor", "ceil", "trunc", "round", "copysign", "fmod", "mod", "div", "sum", "dot", "largest"}


def points(op):
    """Operands of a row: its samples, random ones, special numbers."""
    draw = random.Random(op.name)
    yield from op.samples
    for _ in range(300):
        yield random_operands(op, draw)
    count = len(op.operands)
    if op.nary:
        step = 2 if op.name == "cross_entropy" else 1
        for n in (step, 2 * step, 3 * step, 8):
            yield from (tuple(draw.choices(EDGES, k=n)) for _ in range(200))
    elif count == 1:
        yield from ((x,) for x in EDGES)
    else:
        yield from itertools.product(
            [0.0, -0.0, 1.0, -1.0, -0.5, 2.0, -1e300, math.inf, -math.inf, math.nan], repeat=count
        )
        yield from (tuple(draw.choices(EDGES, k=count)) for _ in range(1000))


EVALUATE = """
const main = (rows) => Object.entries(rows).map(([name, points]) => points.map((operands) => {
    const row = table[name];
    const given = row.nary ? [operands] : operands;
    const refused = row.check(...given);
    if (refused !== null) return refused;
    const z = row.value(...given);
    return [z, ...(row.nary ? row.partials[0](z, operands) : row.partials.map((f) => f(z, ...operands)))];
}));
"""


def recorded(op, operands):
    """Value and partials as the engine has them, or the text of its DomainError for plain numbers."""
    try:
        node = record(op, [Value(x) for x in operands])
    except DomainError:
        with pytest.raises(DomainError) as error:
            evaluate(op, operands)
        return str(error.value)
    return [node.data, *node.partials]


def distance(got, wanted, scale):
    """The difference in units of the last place; inf where only one is a number, or a zero has the wrong sign."""
    if math.isnan(got) or math.isnan(wanted) or got == wanted:
        same = (math.isnan(got) and math.isnan(wanted)) or math.copysign(1, got) == math.copysign(1, wanted)
        return 0.0 if same else math.inf
    return abs(got - wanted) / math.ulp(max(abs(wanted), scale)) if math.isfinite(got - wanted) else math.inf


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """For each row its points and what JavaScript has there."""
    every = {op.name: list(points(op)) for op in ROWS}
    found = run(tmp_path_factory.mktemp("node"), f"const table = {rules(ops.TABLE.values())};{EVALUATE}", every)
    return {name: list(zip(every[name], results, strict=True)) for name, results in zip(every, found, strict=True)}


def test_operations_without_a_function_in_javascript_are_left_out():
    written = re.findall(r'^  "(\w+)": rule', rules(ops.TABLE.values()), re.MULTILINE)
    assert set(written) == {op.name for op in ROWS}
    assert len(written) == len(ROWS)


def test_operations_of_users_are_left_out():
    double = ag.operation("double", lambda x: 2 * x, lambda z, x: 2.0)
    assert '"' not in rules([double(Value(1.0)).op])


@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_values_and_partials_are_those_of_the_engine(op, computed):
    used = set(re.findall(r"(?:python|ieee)\.(\w+)", rules([op])))
    allowed = 0.0 if used <= ROUNDED else 4.0
    numbers = 0
    for operands, got in computed[op.name]:
        wanted = recorded(op, operands)
        if isinstance(wanted, str):
            assert got == wanted
            continue
        assert not isinstance(got, str), (operands, got, wanted)
        scales = [TERMS.get(op.name, lambda *_: 0.0)(*operands)] + [SLOPE_TERMS.get(op.name, 0.0)] * len(operands)
        if allowed and 0.0 < abs(wanted[0]) < 2.0**-1022:  # it has fewer digits, and so have slopes computed from it
            got, wanted, scales = got[:1], wanted[:1], scales[:1]
        for position, (x, y, scale) in enumerate(zip(got, wanted, scales, strict=True)):
            off = distance(x, y, scale if math.isfinite(scale) else 0.0)
            assert off <= allowed, f"{position} of {op.name}{operands}: {x!r}, not {y!r}: {off} ulp"
            numbers += 1
    assert numbers > 300


def test_every_domain_is_met_from_outside(computed):
    refusing = {name for name, found in computed.items() if any(isinstance(got, str) for _, got in found)}
    bounded = {op.name for op in ROWS if op.domain != (ops.REAL,) * len(op.domain)}
    assert bounded - refusing <= {"smooth_abs", "smooth_maximum", "smooth_minimum"}  # which take any eps at most points


def test_hypot_is_as_exact_as_pythons_at_every_size(tmp_path):
    draw = random.Random(2)
    pairs = [[draw.uniform(1, 2) * 2.0 ** draw.randint(-1070, 1020) for _ in range(2)] for _ in range(3000)]
    pairs += [[x, x * draw.uniform(0.01, 1)] for x, _ in pairs]
    found = run(tmp_path, "const main = (pairs) => pairs.map(([x, y]) => autograd.ieee.hypot(x, y));", pairs)
    assert max(distance(x, math.hypot(*pair), 0.0) for x, pair in zip(found, pairs, strict=True)) <= 1.0


# Graphs ---------------------------------------------------------------------------------------------------------------

STORED = {math.inf: "inf", -math.inf: "-inf"}
SWEEP = """
const main = (graphs) => graphs.map(([nodes, leaves]) => {
    const editable = autograd.editable(table, nodes);
    try {
        const state = autograd.forward(table, nodes, leaves);
        const { grads, events } = autograd.backward(nodes, state);
        return { editable, data: state.data, grads, events: [...state.events, ...events] };
    } catch (error) {
        return { editable, error: error.message, node: error.node ?? null };
    }
});
"""


def stored(x):
    """A number as in JSON."""
    return "nan" if math.isnan(x) else STORED.get(x, x)


def saved(order):
    """A graph as a saved log has it."""
    number = {node: k for k, node in enumerate(order)}
    nodes = []
    for node in order:
        taken = set(places(node))
        constants = {str(k): stored(x) for k, x in enumerate(node.operands) if k not in taken}
        nodes.append(
            {
                **{"op": node.op and node.op.name, "name": node.name, "data": stored(node.data)},
                **{"inputs": [number[x] for x in node.inputs], "partials": [stored(x) for x in node.partials]},
                **({"constants": constants} if constants else {}),
            }
        )
    return nodes


def swept(order):
    """Data, gradients and events as the engine has them."""
    number = {node: k for k, node in enumerate(order)}
    for node in order:
        node.grad = 0.0
    events = [["f", number[node], node.data] for node in order if node.op]
    for step in sweep.reverse(order):
        numbers = [step.adjoint, step.partial, step.contribution, step.input.grad]
        events.append(["b", number[step.node], step.position, *numbers])
    return {"data": [node.data for node in order], "grads": [node.grad for node in order], "events": events}


def in_javascript(tmp_path, *graphs):
    """What JavaScript computes for graphs, each with new numbers of leaves."""
    return run(tmp_path, f"const table = {rules(ops.TABLE.values())};{SWEEP}", graphs)


def numbers(x):
    """All numbers of a nested list, each as text that tells −0 from 0."""
    return (
        [y for part in x for y in numbers(part)]
        if isinstance(x, list)
        else [x if isinstance(x, str) else repr(float(x))]
    )


def example(weight=0.40):
    """The worked example; its fifth weight may be another."""
    model = worked_example.network(names=True)
    next(p for p in model.parameters() if p.name == "w5").data = weight
    return topological(worked_example.recorded(model))


def test_the_worked_example_and_an_edit_of_w5(tmp_path):
    order, edited = example(), example(0.5)
    place = next(k for k, node in enumerate(order) if node.name == "w5")
    found = in_javascript(tmp_path, (saved(order), {}), (saved(order), {str(place): 0.5}))
    for got, wanted in zip(found, (swept(order), swept(edited)), strict=True):
        for what in ("data", "grads"):
            assert max(map(distance, got[what], wanted[what], [0.0] * len(order))) <= 2.0
        assert [event[:3] for event in got["events"] if event[0] == "b"] == [
            event[:3] for event in wanted["events"] if event[0] == "b"
        ]
    assert found[0]["editable"] == [node.op is None for node in order]


ARITHMETIC = {
    "add": 2,
    "sub": 2,
    "mul": 2,
    "div": 2,
    "square": 1,
    "relu": 1,
    "abs": 1,
    "maximum": 2,
    "sqrt": 1,
    "where": 3,
}


def random_graph(draw):
    """A graph of exact operations with constants, repeated inputs, zeros and infinities."""
    special = [0.0, -0.0, math.inf, -math.inf, math.nan]
    values = [Value(draw.choice([draw.uniform(-3, 3), draw.choice(special)])) for _ in range(3)]
    for _ in range(25):
        operand = lambda: draw.choice([draw.choice(values), draw.choice(values[-4:]), draw.uniform(-2, 2)])
        name = draw.choice([*ARITHMETIC, "sum", "dot"])
        count = ARITHMETIC.get(name) or draw.randrange(1, 8)
        try:
            values.append(record(ops.TABLE[name], [values[-1], *[operand() for _ in range(count - 1)]]))
        except DomainError:
            continue
    return topological(values[-1])


def test_random_graphs_to_the_last_bit(tmp_path):
    draw = random.Random(6)
    orders = [random_graph(draw) for _ in range(200)]
    found = in_javascript(tmp_path, *[(saved(order), {}) for order in orders])
    zeros = 0
    for order, got in zip(orders, found, strict=True):
        wanted = swept(order)
        for what, expected in wanted.items():
            assert numbers(got[what]) == numbers(expected)
        zeros += sum(
            event[0] == "b" and event[5] == 0.0 and not math.isfinite(event[3] * event[4]) for event in wanted["events"]
        )
    assert zeros > 10  # edges where an exact zero meets inf or nan


def test_outside_a_domain_the_text_is_that_of_the_domain_error(tmp_path):
    def f(x, y):
        return ag.log(x) + ag.pow(-3.0, y) + ag.sqrt(2.0 - x)

    cases = [(1.0, 4.0, -1.0, 2.0), (1.0, 4.0, 1.0, 0.5), (1.0, 4.0, 1.0, 1e4), (1.0, 4.0, 3.0, 2.0)]
    graphs, texts = [], []
    for a, b, x, y in cases:
        order = topological(f(Value(a, "it's\n\u202e“x”"), Value(b)))
        graphs.append((saved(order), {"0": x, str(next(k for k, n in enumerate(order) if n.data == b)): y}))
        with pytest.raises(DomainError) as error:
            f(Value(x, "it's\n\u202e“x”"), Value(y))
        texts.append(str(error.value))
    found = in_javascript(tmp_path, *graphs)
    assert [got["error"] for got in found] == texts
    assert all(graph[got["node"]]["op"] in got["error"] for got, (graph, _) in zip(found, graphs, strict=True))


def test_a_leaf_behind_an_operation_without_a_rule_cannot_be_edited(tmp_path):
    x, y = Value(2.5), Value(3.0)
    order = topological(ag.lgamma(x * 2.0) * y)
    there = {node: k for k, node in enumerate(order)}
    nodes = saved(order)
    other, refused = in_javascript(tmp_path, (nodes, {str(there[y]): 4.0}), (nodes, {str(there[x]): 4.0}))
    assert [order[k] for k, free in enumerate(other["editable"]) if free] == [y]
    assert other["data"][-1] == ag.lgamma(5.0) * 4.0
    assert refused["error"] == "no JavaScript rule for lgamma"
    assert refused["node"] is None


def test_an_operation_of_a_user_has_no_rule_whatever_it_is_called(tmp_path):
    """Also if every object of JavaScript has something of that name."""
    x = Value(2.0)
    twice = ag.operation("constructor", lambda x: 2.0 * x, lambda z, x: 2.0)
    (found,) = in_javascript(tmp_path, (saved(topological(twice(x) + 1.0)), {}))
    assert found["editable"] == [False, False, False]
    assert found["data"] == [2.0, 4.0, 5.0]
    assert found["grads"] == [2.0, 1.0, 1.0]


def test_numbers_are_written_as_python_writes_them(tmp_path):
    draw = random.Random(1)
    every = [draw.choice((-1, 1)) * 10.0 ** draw.uniform(-30, 30) for _ in range(500)]
    every += [*EDGES, 1e-4, 9.999e-5, 1e15, 1e16, 123456789012345680.0, 1e21, 1e22, 5.0, 0.1]
    assert run(tmp_path, "const main = (xs) => xs.map(autograd.written);", every) == [repr(x) for x in every]
