"""FIGURES §1: every float64 figure of the worked example, and every figure as the tutorials print it."""

import math

import pytest

import autograd as ag
import nn
from demos.common import agrees
from demos.worked_example import CODE_TARGETS, RATE, TARGETS, network, recorded, sequential, simultaneous, train
from nn import optim

from ..work import work

FORWARD = {
    "net_h1": 0.3775, "net_h2": 0.39249999999999996, "out_h1": 0.5932699921071872, "out_h2": 0.596884378259767,
    "net_o1": 1.10590596705977, "out_o1": 0.7513650695523157, "out_o2": 0.7729284653214625,
    "E_o1": 0.274811083176155, "E_o2": 0.023560025583847746, "E": 0.2983711087600027,
}  # fmt: skip
GRADIENTS = [
    0.0004385677344743465, 0.000877135468948693, 0.0004977127352608599, 0.0009954254705217198,
    0.08216704056423077, 0.08266762784753325, -0.02260254047747507, -0.022740242215978222,
]  # fmt: skip
WEIGHTS = [
    0.1497807161327628, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915,
    0.35891647971788465, 0.4086661860762334, 0.5113012702387375, 0.5613701211079891,
]  # fmt: skip


def within_2_ulp(got, want):
    return abs(got - want) <= 2 * math.ulp(want)


@pytest.fixture
def example():
    model = network(names=True)
    return model, recorded(model)


def test_forward_pass(example):
    nodes = {node.name: node.data for node in ag.topological(example[1])}
    for name, want in FORWARD.items():
        assert within_2_ulp(nodes[name], want), name


def test_gradients_and_one_step(example):
    model, error = example
    error.backward()
    parameters = model.parameters()
    assert [p.name for p in parameters] == [f"w{k}" for k in range(1, 9)]
    for p, want in zip(parameters, GRADIENTS, strict=True):
        assert within_2_ulp(p.grad, want), p.name
    optim.SGD(parameters, lr=RATE).step()
    for p, want in zip(parameters, WEIGHTS, strict=True):
        assert within_2_ulp(p.data, want), p.name


def test_the_terms_of_the_hidden_layer(example):
    _, error = example
    error.backward()
    nodes = {node.name: node for node in ag.topological(error)}
    through_o1 = nodes["net_o1"].grad * 0.40
    through_o2 = nodes["net_o2"].grad * 0.50
    assert round(through_o1, 9) == 0.055399425
    assert abs(through_o2 - -0.019049119) < 1e-9  # the tutorial multiplies rounded factors
    assert round(nodes["out_h1"].grad, 9) == 0.036350306


@pytest.mark.parametrize(
    ("order", "after_one", "after_all", "outputs"),
    [
        (simultaneous, 0.29102777369359933, 3.510187782978859e-05, (0.01591362044355068, 0.9840642735146238)),
        (sequential, 0.29102792390544197, 3.5084786296312774e-05, (0.0159121963260343, 0.9840657344856291)),
    ],
)
def test_both_update_orders(order, after_one, after_all, outputs):
    one, all_, outs = train(order, 10_000)
    assert one == pytest.approx(after_one, rel=1e-10)
    assert all_ == pytest.approx(after_all, rel=1e-10)
    assert outs == pytest.approx(outputs, rel=1e-10)


@pytest.mark.parametrize(
    ("x", "printed"),
    [
        (FORWARD["net_h1"], "0.3775"), (FORWARD["out_h1"], "0.593269992"), (FORWARD["out_h2"], "0.596884378"),
        (FORWARD["net_o1"], "1.105905967"), (FORWARD["out_o1"], "0.75136507"), (FORWARD["out_o2"], "0.772928465"),
        (FORWARD["E_o1"], "0.274811083"), (FORWARD["E_o2"], "0.023560026"), (FORWARD["E"], "0.298371109"),
        (GRADIENTS[0], "0.000438568"), (GRADIENTS[4], "0.082167041"), (WEIGHTS[1], "0.19956143"),
        (WEIGHTS[5], "0.408666186"), (WEIGHTS[6], "0.511301270"), (WEIGHTS[7], "0.561370121"),
        (0.29102792390544197, "0.291027924"), (3.5084786296312774e-05, "0.000035085"),
        (0.0159121963260343, "0.015912196"),
    ],
)  # fmt: skip
def test_printed_figures_agree_to_their_last_digit(x, printed):
    assert agrees(x, printed) == "✓"


def test_the_mark_tells_cut_off_and_wrong():
    assert agrees(0.1497807161327628, "0.14978071") == "✓ (cut off, not rounded)"
    assert agrees(0.29102777369359933, "0.291027924") == "✗"


def test_the_explanations_read_as_the_tutorial_writes_them(example):
    _, error = example
    w5 = str(ag.explain(error, wrt="w5"))
    assert "∂E/∂w5 = ∂E/∂out_o1 · ∂out_o1/∂net_o1 · ∂net_o1/∂w5 = 0.741365 · 0.186816 · 0.593270 = 0.0821670" in w5
    w1 = str(ag.explain(error, wrt="w1"))
    assert "0.055399 + (−0.019049) = 0.036350" in w1
    assert "∂E/∂w1 = ∂E/∂out_h1 · ∂out_h1/∂net_h1 · ∂net_h1/∂w1 = 0.0363503 · 0.241301 · 0.05 = 0.000438568" in w1


def test_every_step_is_the_same_little_work():
    step = simultaneous(network())
    step()
    few = work(lambda: [step() for _ in range(10)])
    assert few < 10 * 2500
    assert work(lambda: [step() for _ in range(100)]) < 10.1 * few


def test_the_tutorials_code_trains_towards_another_target():
    one, all_, outs = train(simultaneous, 10_000, CODE_TARGETS)
    assert CODE_TARGETS == (0.01, 0.09)
    assert one == pytest.approx(0.496046, abs=5e-7)
    assert all_ == pytest.approx(1.81e-05, abs=5e-8)
    assert outs == pytest.approx([0.016, 0.09], abs=5e-4)


def test_biases_are_fixed_and_shared():
    model = network(names=True)
    assert len(model.parameters()) == 8
    assert model.layers[0].neurons[0].bias is model.layers[0].neurons[1].bias
    assert len(model.state_dict()) == 10
    loss = nn.half_squared_error(model([0.05, 0.1]), TARGETS)
    loss.backward()
    assert model.layers[0].neurons[0].bias.grad != 0.0
