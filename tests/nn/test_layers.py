"""Neurons, layers and networks: shapes, names, state, seeds, errors."""

import json
import math
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
    seeds = [*range(50), 10**6, 2**31, 2**63]
    assert len({tuple(nn.MLP(2, [3, 1], rng=seed).state_dict().values()) for seed in seeds}) == len(seeds)
    nn.MLP(2, [1], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="seed"):
        nn.MLP(2, [1], rng=None)


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_a_generator_gives_other_weights_each_time_and_the_same_from_one_seed(make):
    rng = make(3)
    first, second = (nn.MLP(2, [3, 1], rng=rng).state_dict() for _ in range(2))
    assert first != second
    assert first == nn.MLP(2, [3, 1], rng=make(3)).state_dict()


@pytest.mark.parametrize("wrong", [random, random.random, True, 1.5, "0"])
def test_what_is_neither_a_seed_nor_a_generator_is_refused(wrong):
    with pytest.raises(InputError, match="rng is a seed"):
        nn.MLP(2, [1], rng=wrong)


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


def test_names_and_scopes_are_given_where_asked_for_and_only_there():
    (boxed,) = nn.Layer(1, 1, "tanh", name="box")([1.0])
    (named,) = nn.Layer(1, 1, "tanh", names=["h1"])([1.0])
    (plain,) = nn.Layer(1, 1, "tanh")([1.0])
    assert [(out.scope, out.name, out.inputs[0].name) for out in (boxed, named, plain)] == [
        (("box",), None, None),
        (("h1",), "out_h1", "net_h1"),
        ((), None, None),
    ]
    model = nn.MLP(2, [2, 1])
    assert {p.name for p in model.parameters()} == {None}
    assert {node.name for node in ag.topological(*model([1.0, 2.0]))} == {None}
    biases = [neuron.bias for neuron in model.layers[0].neurons]
    assert biases[0] is not biases[1]


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


def test_a_state_of_other_sizes_names_four_of_what_differs_and_counts_the_rest():
    small, large = nn.MLP(1, [1]), nn.MLP(6, [1])
    given, other = [f"layers.0.neurons.0.weights.{k}" for k in range(1, 5)], "Build the model with the same sizes"
    with pytest.raises(ArgumentError) as error:
        large.load_state_dict(small.state_dict())
    assert f"(5 names missing, 0 unknown); missing: {', '.join(given)}. {other}" in str(error.value)
    with pytest.raises(ArgumentError) as error:
        small.load_state_dict(large.state_dict())
    assert f"(0 names missing, 5 unknown); unknown: {', '.join(given)}; did you mean" in str(error.value)


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


def test_modules_and_lists_that_contain_themselves():
    model = nn.Sequential(nn.Layer(1, 1, "none", weights=[[2.0]]))
    assert len(model.parameters()) == 2
    model.layers.append(model.layers)  # a list within itself
    assert len(model.parameters()) == len(model.state_dict()) == 2
    assert len(list(model.modules())) == 3
    model.layers[1] = model
    assert len(model.parameters()) == len(model.state_dict()) == 2
    for call in (lambda: model([1.0]), lambda: nn.predict(model, [[1.0]])):
        with pytest.raises(ArgumentError, match=r"nested too deep .* contain itself"):
            call()


def test_a_list_that_is_nested_deeply_is_walked():
    model = nn.Sequential()
    inner = [Value(1.0)]
    for _ in range(100_000):
        inner = [inner]
    model.kept = inner
    assert len(model.parameters()) == 1
    while inner:  # taken apart one by one: Python frees nested lists by recursion
        inner = inner.pop() if isinstance(inner[0], list) else []


def test_zero_grad_reaches_every_value_trained_or_fixed():
    model = nn.MLP(2, [2, 1], "tanh", train_bias=False, rng=0)
    model([1.0, 2.0])[0].backward()
    assert any(value.grad for _, value in model.named_values())
    model.zero_grad()
    assert [value.grad for _, value in model.named_values()] == [0.0] * 9


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
        (lambda: nn.MLP(2, [2.5]), ArgumentError, ["nouts", "2.5"]),
        (lambda: nn.MLP(10**12, [1]), ArgumentError, ["1,000,000,000,001 weights", "10,000,000"]),
        (lambda: nn.MLP(1, [10**12]), ArgumentError, ["2,000,000,000,000 weights"]),
        (lambda: nn.MLP(1, [10**4, 10**4]), ArgumentError, ["weights", "10,000,000"]),
        (lambda: nn.Layer(10**12, 1), ArgumentError, ["1,000,000,000,001 weights", "10,000,000"]),
        (lambda: nn.Layer(10**30, 1), ArgumentError, ["more than 10³⁰ weights", "10,000,000"]),
        (lambda: nn.Layer(0, 10**12), ArgumentError, ["1,000,000,000,000 weights", "10,000,000"]),
        (lambda: nn.Neuron(10**12), ArgumentError, ["weights", "10,000,000"]),
        (lambda: nn.Neuron(1, rng={}), InputError, ["seed", "{}"]),
        (lambda: nn.Neuron(1, weights=[1.0], rng={}), InputError, ["seed", "{}"]),
        (lambda: nn.Dropout(rng={}), InputError, ["seed", "{}"]),
        (lambda: nn.MLP(1, [1], rng=-1), InputError, ["seed", "-1"]),
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


# The variance of each initialiser's weights for nin inputs and nout outputs, and whether they are bounded.
VARIANCES = {
    "uniform": (lambda nin, nout: 1.0 / 3.0, True),
    "normal": (lambda nin, nout: 0.01**2, False),
    "xavier_uniform": (lambda nin, nout: 2.0 / (nin + nout), True),
    "xavier_normal": (lambda nin, nout: 2.0 / (nin + nout), False),
    "kaiming_uniform": (lambda nin, nout: 2.0 / nin, True),
    "kaiming_normal": (lambda nin, nout: 2.0 / nin, False),
}


@pytest.mark.parametrize("name", VARIANCES)
@pytest.mark.parametrize(("nin", "nout"), [(200, 100), (60, 400), (1, 20_000)])
def test_the_variance_of_initial_weights(name, nin, nout):
    weights = np.array([w.data for n in nn.Layer(nin, nout, init=name, rng=1).neurons for w in n.weights])
    variance, bounded = VARIANCES[name][0](nin, nout), VARIANCES[name][1]
    assert np.var(weights) == pytest.approx(variance, rel=0.03)  # of 20 000 draws: 3% are three standard deviations
    assert abs(np.mean(weights)) < 4.0 * math.sqrt(variance / len(weights))
    fourth = np.mean(weights**4) / np.var(weights) ** 2  # 9/5 if uniform, 3 if normal
    assert fourth == pytest.approx(1.8 if bounded else 3.0, rel=0.05)
    assert (np.abs(weights).max() <= math.sqrt(3.0 * variance)) == bounded


def test_every_initialiser_has_a_variance_or_is_a_second_name():
    names = nn.init.INITIALIZERS
    assert {id(f) for f in names.values()} == {id(names[name]) for name in [*VARIANCES, "zeros"]}
    assert {w.data for n in nn.Layer(3, 3, init="zeros").neurons for w in n.weights} == {0.0}


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("relu", "kaiming_uniform"), ("gelu", "kaiming_uniform"), ("tanh", "xavier_uniform"), (None, "xavier_uniform")],
)
def test_the_initialiser_fits_the_activation(activation, expected):
    first, second = nn.Layer(5, 4, activation, rng=7), nn.Layer(5, 4, activation, init=expected, rng=7)
    assert first.state_dict() == second.state_dict()


def test_names_count_the_hidden_layers_where_there_are_several():
    def names(*sizes):
        return {node.name for node in ag.topological(*nn.MLP(2, list(sizes), names=True)([1.0, 2.0]))}

    assert {"net_h1", "out_h1", "b_h2", "net_o1"} <= names(2, 1)
    assert {"net_h1_1", "out_h1_2", "net_h2_1", "b_h2_2", "net_o1", "net_o2"} <= names(2, 2, 2)
    assert {"net_h3_1"} <= names(1, 1, 1, 1)


def test_layers_are_boxes_in_drawings_and_count_where_there_are_several():
    def boxes(*sizes):
        nodes = ag.topological(*nn.MLP(1, list(sizes), names=True)([1.0]))
        return [node.scope[0] for node in nodes if node.name and node.name.startswith("net")]

    assert boxes(1) == ["output layer"]
    assert boxes(1, 1) == ["hidden layer", "output layer"]
    assert boxes(1, 1, 1) == ["hidden layer 1", "hidden layer 2", "output layer"]


@pytest.mark.parametrize("share_bias", [False, True])
def test_without_a_bias_the_output_is_the_weighted_sum(share_bias):
    neuron = nn.Neuron(2, "none", weights=[0.5, -2.0], bias=False)
    layer = nn.Layer(2, 2, "none", weights=[[0.5, -2.0], [1.0, 1.0]], biases=False, share_bias=share_bias)
    assert neuron([4.0, 3.0]).data == -4.0
    assert [out.data for out in layer([4.0, 3.0])] == [-4.0, 7.0]
    assert (len(neuron.parameters()), len(layer.parameters())) == (2, 4)


def test_a_bias_that_is_not_trained_counts_but_is_no_parameter():
    neuron = nn.Neuron(1, "none", weights=[2.0], bias=5.0, train_bias=False)
    assert neuron([3.0]).data == 11.0
    assert [name for name, _ in neuron.named_parameters()] == ["weights.0"]
    assert neuron.state_dict() == {"weights.0": 2.0, "bias": 5.0}


@pytest.mark.parametrize("wrong", ["nonsense", 5, ["relu"]])
def test_a_wrong_activation_is_refused_also_where_no_layer_uses_it(wrong):
    with pytest.raises(ArgumentError, match="unknown activation"):
        nn.MLP(1, [1], activation=wrong)
