"""The steps of optimisers in JavaScript, compared with those of nn."""

import math

import pytest

from autograd import Value
from autograd.javascript import update_rule
from nn import optim
from tests.nn.test_optim import GOLDEN, ids, made

from .node import run

TRAIN = """
const main = (runs) => runs.map(([k, start, lr, gradients]) => {
    const { memory, formula, step } = optimizers[k];
    let [w, kept] = [start, memory];
    return [formula, gradients.map((g, n) => {
        const made = step(w, g, kept, lr, n + 1);
        [w, kept] = [made.value, made.memory];
        return made;
    })];
});
"""
STEPS = 25


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """For each optimiser: the formula and all steps in JavaScript."""
    optimizers = [made(row, [Value(0.0)]) for row in GOLDEN["optimizers"]]
    script = f"const optimizers = [{', '.join(map(update_rule, optimizers))}];{TRAIN}"
    runs = [(k, GOLDEN["start"][0], x.lr, gradients()) for k, x in enumerate(optimizers)]
    return run(tmp_path_factory.mktemp("node"), script, runs)


def gradients():
    every = GOLDEN["gradients"]
    return [every[k % len(every)][0] for k in range(STEPS)]


def close(got, wanted):
    return got.keys() == wanted.keys() and all(math.isclose(got[k], x, rel_tol=1e-14) for k, x in wanted.items())


@pytest.mark.parametrize("row", range(len(GOLDEN["optimizers"])), ids=lambda k: ids(GOLDEN["optimizers"][k]))
def test_25_steps_are_those_of_nn(row, trained):
    parameter = Value(GOLDEN["start"][0])
    optimizer = made(GOLDEN["optimizers"][row], [parameter])
    formula, steps = trained[row]
    assert len(steps) == STEPS
    for got, gradient in zip(steps, gradients(), strict=True):
        parameter.grad = gradient
        (update,) = optimizer.updates()
        assert formula == update.formula
        assert close(got["terms"], update.terms)
        assert close(got["memory"], optimizer.state[0])
        assert math.isclose(got["value"], update.new, rel_tol=1e-14)


def test_gradient_descent_is_the_same_to_the_last_bit(tmp_path):
    plain, w, g = optim.SGD([Value(0.0)], lr=0.3), 0.7, 0.1
    script = f"const optimizers = [{update_rule(plain)}];{TRAIN}"
    [[_, steps]] = run(tmp_path, script, [(0, w, plain.lr, [g] * 5)])
    for step in steps:
        w = w - 0.3 * g
        assert step["value"] == w


def test_every_optimiser_was_compared():
    assert {row["name"].lower() for row in GOLDEN["optimizers"]} == set(optim.OPTIMIZERS)


def test_a_rule_that_branches_on_a_number_is_refused():
    class Clipped(optim.SGD):
        def rule(self, w, g, s):
            return super().rule(w, g if g < 1.0 else 1.0, s)

    with pytest.raises(TypeError, match="branched"):
        update_rule(Clipped([Value(1.0)], lr=0.1))
