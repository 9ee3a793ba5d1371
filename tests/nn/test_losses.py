"""Losses and activations, against PyTorch's own numbers and gradcheck."""

import json
from pathlib import Path

import pytest

import autograd as ag
import nn
from autograd import ArgumentError, Value, gradcheck

GOLDEN = json.loads((Path(__file__).parent / "torch_golden.json").read_text())
LOSSES = {**nn.LOSSES, "softmax_cross_entropy": nn.softmax_cross_entropy}


@pytest.mark.parametrize("name", GOLDEN["losses"])
def test_values_and_gradients(name):
    row = GOLDEN["losses"][name]
    outputs = [Value(x) for x in row["outputs"]]
    loss = LOSSES[name](outputs, row["targets"])
    loss.backward()
    assert loss.data == pytest.approx(row["value"], rel=1e-12)
    assert [o.grad for o in outputs] == pytest.approx(row["gradient"], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_gradcheck(name):
    targets = {"hinge": [1.0, -1.0, 1.0], "softmax_cross_entropy": 1}.get(name, [0.2, 0.9, 0.0])
    outputs = [0.7, 0.3, 0.1] if name == "binary_cross_entropy" else [0.7, -1.3, 2.4]
    gradcheck(lambda xs: LOSSES[name](xs, targets), outputs, order=2).check()


def test_half_the_squared_error():
    outputs = [Value(3.0), Value(-1.0)]
    loss = nn.half_squared_error(outputs, [1.0, 2.0], names=["E1", "E2"])
    loss.backward()
    assert (loss.data, [o.grad for o in outputs]) == (0.5 * (2.0**2 + 3.0**2), [2.0, -3.0])
    assert [node.name for node in loss.inputs] == ["E1", "E2"]


def test_penalties():
    ps = [Value(2.0), Value(-3.0)]
    assert nn.l2(ps, 0.1).data == pytest.approx(0.65)
    assert nn.l1(ps, 0.1).data == pytest.approx(0.5)
    gradcheck(lambda xs: nn.l2(xs, 0.3) + nn.l1(xs, 0.2), [2.0, -3.0]).check()


def test_the_fused_gradient_of_softmax_and_cross_entropy_is_shown_as_y_minus_t():
    z = [Value(x, name=f"z{k}") for k, x in enumerate((1.0, 2.0, -0.5), 1)]
    loss = nn.softmax_cross_entropy(z, 1)
    loss.name = "L"
    y = ag.softmax([v.data for v in z])
    assert loss.partials == pytest.approx([y[0], y[1] - 1.0, y[2]], rel=1e-15)
    assert "∂L/∂z2 = y2 − 1 = " in str(ag.explain(loss, "z2"))
    assert ag.size(loss).nodes == 4


def test_hinge_by_hand():
    """1 − 0.5 = 0.5; beyond the margin 0; on the wrong side 1 + 2 = 3; and 1 − 0.25 for the class −1."""
    outputs = [Value(x) for x in (0.5, 3.0, -2.0, -0.25)]
    loss = nn.hinge(outputs, [1, 1, 1, -1])
    assert loss.data == (0.5 + 0.0 + 3.0 + 0.75) / 4.0
    loss.backward()
    assert [o.grad for o in outputs] == [-0.25, 0.0, -0.25, 0.25]


def test_losses_are_stable():
    assert nn.bce_with_logits([Value(1000.0)], [0.0]).data == 1000.0
    assert nn.softmax_cross_entropy([Value(1000.0), Value(-1000.0)], 1).data == 2000.0
    sure = Value(1.0)
    loss = nn.binary_cross_entropy([sure], [1.0])
    loss.backward()
    assert loss.data == pytest.approx(0.0, abs=1e-14)
    assert sure.grad == 0.0


NAMES = {"logsigmoid": "log_sigmoid"}


@pytest.mark.parametrize("name", [n for n in GOLDEN["activations"] if n != "points"])
def test_activations(name):
    row = GOLDEN["activations"][name]
    function = getattr(ag, NAMES.get(name, name))
    for x, value, slope in zip(GOLDEN["activations"]["points"], row["values"], row["slopes"], strict=True):
        node = function(Value(x))
        assert node.data == pytest.approx(value, rel=1e-12, abs=1e-15)
        rounded = 1e-7 if name == "hardsigmoid" else 1e-12  # PyTorch holds this one's 1/6 in single precision
        assert node.partials[0] == pytest.approx(slope, rel=rounded, abs=1e-15), x


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        (lambda: nn.mse([Value(1.0)], [1.0, 2.0]), ["1 outputs, 2 targets"]),
        (lambda: nn.hinge([Value(1.0)], [0.0]), ["-1 and 1", "0"]),
        (lambda: nn.bce_with_logits([Value(1.0)], [2.0]), ["between 0 and 1", "2"]),
        (lambda: nn.softmax_cross_entropy([Value(1.0), Value(2.0)], 2), ["class 2", "0 … 1"]),
        (lambda: nn.softmax_cross_entropy([Value(1.0), Value(2.0)], 0.5), ["class 0.5"]),
        (lambda: nn.softmax_cross_entropy([Value(1.0), Value(2.0)], [1.0, 1.0]), ["add up to 1"]),
        (lambda: nn.binary_cross_entropy([Value(1.5)], [1.0]), ["outputs between 0 and 1"]),
        (lambda: nn.huber([Value(1.0)], [1.0], delta=0.0), ["delta"]),
    ],
)
def test_what_is_refused(call, fragments):
    with pytest.raises(ArgumentError) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("outputs", "targets"), [(1, 2), (3, 2)])
def test_every_loss_needs_a_target_for_each_output(name, outputs, targets):
    ones = [1.0] + [0.0] * (targets - 1) if name != "hinge" else [1.0] * targets
    with pytest.raises(ArgumentError, match=f"{outputs} outputs, {targets} targets"):
        LOSSES[name]([Value(0.5)] * outputs, ones)


def test_the_loss_of_one_output_has_no_sum_of_one_term():
    for loss in (nn.mse, nn.half_squared_error, nn.hinge):
        order = ag.topological(loss([Value(0.5, name="o")], [1.0]))
        assert "sum" not in [node.op.name for node in order if node.op is not None]
