"""Models written module by module: linear layers, activations, Sequential, and chained schedules."""

import math

import pytest

import autograd as ag
import nn
from autograd import ArgumentError, InputError, Value
from nn import optim


def test_a_model_of_modules_is_the_model_of_layers():
    modules = nn.Sequential(nn.Linear(2, 5, rng=3), nn.Tanh(), nn.Linear(5, 1, rng=4))
    layers = nn.Sequential(nn.Layer(2, 5, "tanh", rng=3), nn.Layer(5, 1, rng=4))
    (a,), (b,) = modules([0.3, -0.7]), layers([0.3, -0.7])
    assert a.data == b.data
    a.backward()
    b.backward()
    assert [p.grad for p in modules.parameters()] == [p.grad for p in layers.parameters()]


def test_a_layer_has_no_activation_unless_told():
    (out,) = nn.Layer(1, 1, weights=[[-2.0]])([3.0])
    assert out.data == -6.0
    assert nn.MLP(1, [2, 1]).layers[0].activation == "relu"


def test_a_linear_layer_without_bias_has_its_weights_only():
    layer = nn.Linear(3, 2, bias=False, rng=0)
    assert (len(layer.parameters()), len(nn.Linear(3, 2).parameters())) == (6, 8)
    assert (repr(layer), repr(nn.Linear(3, 2))) == ("Linear(3, 2, bias=False)", "Linear(3, 2)")
    with pytest.raises(InputError, match="bias is True or False"):
        nn.Linear(3, 2, bias=0.5)


@pytest.mark.parametrize("name", [name for name, op in ag.TABLE.items() if op.activation])
def test_every_activation_of_the_table_is_a_module(name):
    (module,) = [kind for kind in nn.activations.MODULES.values() if kind.activation == name]
    xs = [-1.5, 0.25, 2.0]
    assert module()(xs) == [getattr(ag, name)(x) for x in xs]
    assert getattr(nn, module.__name__) is module
    x = Value(0.25)
    module()([x])[0].backward()
    assert x.grad == ag.grad(getattr(ag, name))(0.25)


@pytest.mark.parametrize("name", ["Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Softplus"])
def test_the_names_are_those_of_pytorch(name):
    assert repr(getattr(nn, name)()) == f"{name}()"


def test_the_parts_of_a_sequential():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(model) == 3
    assert model[-1] is model.layers[2]
    assert list(model) == list(model.children()) == model.layers
    assert [type(x).__name__ for x in model[:2].layers] == ["Linear", "ReLU"]
    with pytest.raises(IndexError):
        model[3]


def test_training_a_model_of_modules_is_compiled():
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    from nn.compiled import is_known

    assert is_known(model)
    xs, ys = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0]
    history = nn.fit(model, xs, ys, optimizer=optim.Adam(model.parameters(), lr=0.1), epochs=200, compiled=True)
    assert history.loss[-1] < 0.01


def rates(schedule, epochs):
    found = [schedule.optimizer.lr]
    for _ in range(epochs):
        schedule.step()
        found.append(schedule.optimizer.lr)
    return found


def chained(opt):
    parts = [optim.LinearLR(opt, 0.25, total_iters=3), optim.CosineAnnealingLR(opt, 4), optim.ExponentialLR(opt, 0.5)]
    return optim.SequentialLR(opt, parts, milestones=[3, 7])


def test_schedules_one_after_the_other():
    found = rates(chained(optim.SGD([Value(1.0)], lr=2.0)), 9)
    cosine = [1.0 + math.cos(math.pi * k / 4) for k in range(4)]
    assert found == pytest.approx([0.5, 1.0, 1.5, *cosine, 2.0, 1.0, 0.5], rel=1e-15)


def test_a_schedule_continues_from_its_state():
    for make in (chained, lambda opt: optim.StepLR(opt, 2, 0.5)):
        whole = rates(make(optim.SGD([Value(1.0)], lr=2.0)), 8)
        first = make(optim.SGD([Value(1.0)], lr=2.0))
        rates(first, 5)
        second = make(optim.SGD([Value(1.0)], lr=123.0))
        second.load_state_dict(first.state_dict())
        assert rates(second, 3) == whole[5:]


@pytest.mark.parametrize("state", [{}, {"kind": "StepLR", "base": 1.0}, {"kind": "StepLR", "base": -1.0, "epoch": 0}])
def test_a_wrong_state_of_a_schedule_changes_nothing(state):
    opt = optim.SGD([Value(1.0)], lr=0.5)
    schedule = optim.StepLR(opt, 2)
    with pytest.raises((ArgumentError, InputError)):
        schedule.load_state_dict(state)
    assert (opt.lr, schedule.base, schedule.epoch) == (0.5, 0.5, 0)


def test_wrong_chains():
    opt, other = optim.SGD([Value(1.0)], lr=0.5), optim.SGD([Value(1.0)], lr=0.5)
    part = optim.ExponentialLR(opt, 0.5)
    with pytest.raises(ArgumentError, match="its own optimiser"):
        optim.SequentialLR(opt, [part, optim.ExponentialLR(other, 0.5)], [2])
    with pytest.raises(ArgumentError, match="1 milestones"):
        optim.SequentialLR(opt, [part, part], [2, 3])
    with pytest.raises(ArgumentError, match="at least one"):
        optim.SequentialLR(opt, [], [])
