"""Neurons, layers and networks: shapes, names, state, seeds, errors."""

import json
import random

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ArgumentError, InputError, Value
from nn import optim


def test_a_net_input_is_one_node():
    n = nn.Neuron(3, activation="tanh", weights=[0.5, -1.0, 2.0], bias=0.25)
    out = n([1.0, 2.0, 3.0])
    (net,) = out.inputs
    assert net.op.name == "dot"
    assert net.data == 0.5 - 2.0 + 6.0 + 0.25
    assert out.op.name == "tanh"


def test_layers_and_networks_always_return_a_list():
    assert [type(x) for x in nn.Layer(2, 1)([1.0, 2.0])] == [Value]
    assert [type(x) for x in nn.MLP(2, [3, 1])([1.0, 2.0])] == [Value]


def test_the_last_layer_is_linear_unless_told():
    model = nn.MLP(1, [4, 1], activation="relu", weights=[[[1.0]] * 4, [[-1.0] * 4]])
    assert model([2.0])[0].data == -8.0
    squashed = nn.MLP(1, [1], output_activation="sigmoid", weights=[[[0.0]]])
    assert squashed([2.0])[0].data == 0.5


@pytest.mark.parametrize("rng", [3, random.Random(3)])
def test_seeds_make_weights(rng):
    first, second = nn.MLP(2, [3, 1], rng=3), nn.MLP(2, [3, 1], rng=rng)
    assert first.state_dict() == second.state_dict()
    assert first.state_dict() != nn.MLP(2, [3, 1], rng=4).state_dict()
    nn.MLP(2, [1], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="seed"):
        nn.MLP(2, [1], rng=None)


def test_parameters_have_dotted_names_and_come_once():
    model = nn.MLP(2, [2, 1], share_bias=True)
    names = [name for name, _ in model.named_parameters()]
    assert names[0] == "layers.0.neurons.0.weights.0"
    assert "layers.0.neurons.0.bias" in names
    assert "layers.0.neurons.1.bias" not in names
    assert len(model.parameters()) == 2 * 2 + 1 + 2 + 1


def test_tutorial_names():
    model = nn.MLP(2, [2, 2], activation="sigmoid", output_activation="sigmoid", share_bias=True, names=True)
    outputs = model([Value(0.1, name="i1"), Value(0.2, name="i2")])
    names = {node.name for node in ag.topological(*outputs)}
    assert {"i1", "w1", "w8", "b1", "b2", "net_h1", "out_h2", "net_o1", "out_o2"} <= names
    assert outputs[0].scope == ("output layer", "o1")


def test_state_goes_through_json_and_is_taken_all_or_none():
    model, other = nn.MLP(2, [3, 1], rng=0), nn.MLP(2, [3, 1], rng=1)
    other.load_state_dict(json.loads(json.dumps(model.state_dict())))
    assert other([0.3, 0.4])[0].data == model([0.3, 0.4])[0].data
    before = other.state_dict()
    broken = dict(before)
    broken.popitem()
    for bad, fragment in (
        (broken, "missing"),
        ({**before, "layers.0.neurons.0.bais": 1.0}, "did you mean"),
        ({**before, "layers.0.neurons.0.bias": "x"}, "'x'"),
    ):
        with pytest.raises(ag.AutogradError, match=fragment):
            other.load_state_dict(bad)
        assert other.state_dict() == before


def test_training_decreases_the_loss():
    model = nn.MLP(1, [8, 1], activation="tanh", rng=0)
    opt = optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(400):
        opt.zero_grad()
        loss = ag.sum([nn.half_squared_error(model([x]), [x * x]) for x in (-1.0, -0.5, 0.0, 0.5, 1.0)])
        loss.backward()
        opt.step()
        losses.append(loss.data)
    assert losses[-1] < 0.1 * losses[0]


def test_weights_can_be_replaced_and_modules_refer_to_each_other():
    layer = nn.Layer(1, 1, "none", weights=[[1.0]])
    layer.neurons[0].bias = Value(100.0)
    assert layer([1.0])[0].data == 101.0
    layer.neurons[0].owner = layer
    assert len(layer.parameters()) == 2
    assert len(list(layer.modules())) == 2


def test_train_and_eval_reach_every_module():
    model = nn.MLP(2, [2, 1])
    model.eval()
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: nn.Neuron(2)([1.0]), ArgumentError, ["2 inputs", "given 1"]),
        (lambda: nn.Layer(2, 3)([1.0, 2.0, 3.0]), ArgumentError, ["2 inputs", "given 3"]),
        (lambda: nn.MLP(2, [1])(1.0), InputError, ["list of 2"]),
        (lambda: nn.MLP(2, [1])(["a", 1.0]), InputError, ["'a'"]),
        (lambda: nn.Neuron(2, weights=[1.0]), ArgumentError, ["2 weights, not 1"]),
        (lambda: nn.Neuron(2, weights=3.0), ArgumentError, ["2 weights", "3.0"]),
        (lambda: nn.Neuron(1, lambda v: 1.0)([1.0]), InputError, ["activation", "1.0"]),
        (lambda: nn.Neuron(1).load_state_dict(None), InputError, ["NoneType"]),
        (lambda: optim.SGD(Value(1.0), lr=0.1), InputError, ["list of leaf Values"]),
        (lambda: nn.Layer(2, 2, weights=[[1.0, 2.0]]), ArgumentError, ["2 rows", "not 1"]),
        (lambda: nn.Layer(2, 2, biases=[1.0]), ArgumentError, ["2 biases, not 1"]),
        (lambda: nn.MLP(2, [1, 1], weights=[[[1.0, 1.0]]]), ArgumentError, ["2 layers", "not 1"]),
        (lambda: nn.MLP(2, 3), ArgumentError, ["[16, 1]"]),
        (lambda: nn.MLP(2, []), ArgumentError, ["nouts"]),
        (lambda: nn.Layer(2, 0), ArgumentError, ["nout", "0"]),
        (lambda: nn.Neuron(2, activation="rellu"), ArgumentError, ["'rellu'", "did you mean 'relu'", "sigmoid"]),
        (lambda: nn.Neuron(2, init="xavier"), ArgumentError, ["initialiser", "did you mean"]),
        (lambda: optim.SGD([], lr=0.1), ArgumentError, ["at least one parameter"]),
        (lambda: optim.SGD([Value(1.0)], lr=-0.1), ArgumentError, ["lr", "-0.1"]),
        (lambda: optim.SGD([Value(1.0)], lr=float("nan")), ArgumentError, ["lr", "nan"]),
        (lambda: optim.SGD([1.0], lr=0.1), InputError, ["leaf Values", "1.0"]),
        (lambda: optim.SGD([Value(1.0) * 2], lr=0.1), InputError, ["leaf"]),
        (lambda: optim.SGD([w := Value(1.0), w], lr=0.1), ArgumentError, ["twice"]),
        (lambda: nn.half_squared_error([Value(1.0)], [1.0, 2.0]), ArgumentError, ["1 outputs, 2 targets"]),
        (lambda: nn.half_squared_error([], []), ArgumentError, ["at least one"]),
    ],
)
def test_what_is_refused_and_how(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)
