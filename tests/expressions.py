"""Random computations for property tests: programs that build the same graph each time they are run."""

import math

from hypothesis import strategies as st

import autograd as ag
from autograd import Value

UNARY = [
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "exp",
    "relu",
    "abs",
    "square",
    "softplus",
    "atan",
    "neg",
    "gelu",
    "log1p",
]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "hypot", "logaddexp", "pow", "atan2"]


@st.composite
def programs(draw, max_nodes=50, max_inputs=4):
    """Inputs and a list of steps (operation, operand places)."""
    count = draw(st.integers(1, max_inputs))
    numbers = draw(st.lists(st.floats(-2.0, 2.0, width=32), min_size=count, max_size=count))
    steps = []
    for place in range(count, count + draw(st.integers(1, max_nodes))):
        names = draw(st.sampled_from(UNARY + BINARY + ["dot"]))
        arity = 1 if names in UNARY else 2 if names in BINARY else 3
        # Mostly recent nodes, so that the graph gets deep.
        places = [max(0, place - 1 - draw(st.integers(0, 5))) for _ in range(arity)]
        steps.append((names, tuple(places)))
    return numbers, steps


def run(inputs, steps):
    """The last number of the program on these inputs; steps that leave a domain or grow too large are damped."""
    values = list(inputs)
    for name, places in steps:
        operands = [values[p] for p in places]
        try:
            result = getattr(ag, name)(*([operands[:1], operands[1:2], operands[2]] if name == "dot" else operands))
        except ag.DomainError:
            result = ag.tanh(operands[0])
        if not abs(float(getattr(result, "data", result))) < 50.0:
            result = ag.sin(operands[0])
        values.append(result)
    return values[-1]


def build(program):
    """The leaves and the last node."""
    numbers, steps = program
    leaves = [Value(x, name=f"x{i}") for i, x in enumerate(numbers)]
    output = run(leaves, steps)
    assert math.isfinite(output.data)
    return leaves, output
