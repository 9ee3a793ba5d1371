"""Arguments of the wrong kind: nn answers with errors of its own that name the argument."""

import subprocess
import sys

import numpy as np
import pytest

import nn
from autograd import ArgumentError, AutogradError, InputError, Value
from nn import optim

XS, YS = [[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0]


def small():
    return nn.MLP(1, [1], rng=0)


def fit(**settings):
    return nn.fit(small(), XS, YS, **{"epochs": 1, **settings})


def cosine(period):
    return optim.CosineAnnealingLR(optim.SGD([Value(1.0)], lr=0.1), T_max=period)


def nested(depth):
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


def take_apart(x):
    while isinstance(x, list) and x and isinstance(x[0], list):  # Python frees nested lists by recursion
        x = x.pop()


WRONG = {
    "None": None,
    "text": "x",
    "bytes": b"x",
    "a dict": {"a": 1.0},
    "an object": object(),
    "a list of None": [None],
    "a list of text": ["x"],
    "complex": 1 + 2j,
    "no numbers": np.array([]),
    "text in an array": np.array(["a"]),
    "a function": len,
    "a model": small(),
    "nan": float("nan"),
    "a negative number": -1,
}
SETTINGS = {  # with the wrong kinds that are right here
    "loss": {},
    "optimizer": {},
    "epochs": {},
    "batch_size": {"None"},
    "rng": {},
    "validation_split": {"None"},
    "validation_data": {"None"},
    "early_stopping": {"None"},
    "tol": {},
    "sample_weight": {"None"},
    "schedule": {"None"},
    "penalty": {"None"},
    "callbacks": {"None", "no numbers"},
    "progress": {"None"},
    "compiled": {"None"},
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_of_fit_is_checked_before_training(setting, wrong):
    model = small()
    before = model.state_dict()
    if wrong in SETTINGS[setting]:
        assert nn.fit(model, XS, YS, **{"epochs": 1, setting: WRONG[wrong]}).stopped == "epochs"
        return
    with pytest.raises(AutogradError):
        nn.fit(model, XS, YS, **{"epochs": 1, setting: WRONG[wrong]})
    assert model.state_dict() == before


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("call", [nn.fit, nn.mean_loss])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_data_and_models_are_checked(call, place, wrong):
    given = [small(), XS, YS]
    given[place] = WRONG[wrong]
    if place == 0 and wrong == "a model":
        call(*given)
        return
    with pytest.raises(AutogradError):
        call(*given)


@pytest.mark.parametrize("wrong", [name for name in WRONG if name not in ("nan", "a negative number")])
@pytest.mark.parametrize("name", [*nn.LOSSES, "softmax_cross_entropy"])
def test_losses_take_lists_of_numbers_only(name, wrong):
    loss, given = getattr(nn, name), WRONG[wrong]
    calls = [lambda: loss(given, [1.0]), lambda: loss([1.0], given), lambda: loss([given], [1.0])]
    for call in calls:
        with pytest.raises(AutogradError):
            call()


@pytest.mark.parametrize("penalty", [nn.l1, nn.l2])
@pytest.mark.parametrize("wrong", ["None", "text", "a list of None", "complex", "text in an array", "a function"])
def test_penalties_take_lists_of_numbers_and_a_strength(penalty, wrong):
    with pytest.raises(InputError, match="params"):
        penalty(WRONG[wrong], 0.1)
    with pytest.raises(InputError, match="strength"):
        penalty([Value(1.0)], WRONG[wrong])


def test_deep_lists_are_refused_without_recursion():
    deep = nested(100_000)
    for call in (lambda: nn.mse(deep, [1.0]), lambda: nn.mse([1.0], deep), lambda: fit(callbacks=deep)):
        with pytest.raises(InputError):
            call()
    take_apart(deep)


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: fit(validation_split="x"), InputError, ["validation_split", "'x'"]),
        (lambda: fit(callbacks=3), InputError, ["callbacks", "list", "3"]),
        (lambda: fit(callbacks=[print, "x"]), InputError, ["callback", "function", "'x'"]),
        (lambda: fit(callbacks=[lambda: None]), InputError, ["callback", "the epoch and the history"]),
        (lambda: fit(schedule="x"), InputError, ["schedule", "StepLR", "'x'"]),
        (lambda: fit(penalty="x"), InputError, ["penalty", "function", "'x'"]),
        (lambda: fit(penalty=lambda w: w), InputError, ["penalty", "no argument"]),
        (lambda: fit(penalty=lambda: None), InputError, ["the penalty returned", "None"]),
        (lambda: fit(loss=lambda out: 0.0), InputError, ["loss", "outputs and targets"]),
        (lambda: fit(loss=lambda out, t: None), InputError, ["the loss returned", "None"]),
        (lambda: fit(loss=lambda out, t: [out[0] - t[0]]), InputError, ["the loss returned", "list"]),
        *(
            (lambda c=c: fit(loss=lambda out, t: 3.0, compiled=c), InputError, ["plain number 3.0", "derivative"])
            for c in (None, False, True)
        ),
        (lambda: fit(progress="yes"), InputError, ["progress", "True or False"]),
        (lambda: fit(compiled=1), InputError, ["compiled", "True or False"]),
        (lambda: fit(rng=np.array([1.0, 2.0])), InputError, ["seed", "1."]),
        (lambda: nn.mean_loss(small(), XS, YS, loss=lambda out, t: "x"), InputError, ["the loss returned", "'x'"]),
        (lambda: nn.mse([1.0, "x"], [1.0, 2.0]), InputError, ["outputs[1]", "'x'"]),
        (lambda: nn.mse([1.0], [None]), InputError, ["targets[0]", "None"]),
        (lambda: nn.mse([], []), ArgumentError, ["no outputs"]),
        (lambda: nn.mse(np.array([]), np.array([])), ArgumentError, ["no outputs"]),
        (lambda: nn.fit(small(), np.zeros((0, 1)), []), ArgumentError, ["xs is empty"]),
        (lambda: nn.fit(small(), XS, []), ArgumentError, ["ys is empty"]),
        (lambda: nn.huber([1.0], [1.0], "x"), InputError, ["delta", "'x'"]),
        (lambda: nn.half_squared_error([Value(1.0)], [1.0], names=3), InputError, ["names", "3"]),
        (lambda: nn.softmax_cross_entropy([1.0], "x"), InputError, ["targets", "'x'"]),
        (lambda: nn.softmax_cross_entropy([1.0], None), InputError, ["class", "None"]),
        (lambda: nn.Layer(1, 1, weights=3), InputError, ["weights of a layer", "3"]),
        (lambda: nn.Layer(1, 2, names=["h1"]), ArgumentError, ["2 names, not 1"]),
        (lambda: nn.Neuron(1, name=3), InputError, ["name", "text"]),
        (lambda: nn.MLP(1, [1], biases=3), InputError, ["biases of a network", "3"]),
        (lambda: nn.Neuron(1, init=len), InputError, ["initialiser", "rng and nin and nout"]),
        (lambda: nn.Neuron(1, init=int), InputError, ["initialiser", "<class 'int'>"]),
        (lambda: fit(loss=dict), InputError, ["loss", "outputs and targets", "<class 'dict'>"]),
        (lambda: nn.MLP(1, [1], rng=np.random), InputError, ["rng", "numpy.random"]),
        (lambda: nn.MLP(1, [1], rng=np.random.RandomState), InputError, ["rng", "RandomState"]),
        (lambda: nn.MLP(1, [1], rng=np.random.Generator), InputError, ["rng", "Generator"]),
        (lambda: nn.Neuron(1, train_bias=np.array([])), InputError, ["train_bias is True or False"]),
        (lambda: nn.Neuron(1, bias=False, train_bias="x"), InputError, ["train_bias is True or False, not 'x'"]),
        (lambda: nn.Layer(1, 2, share_bias=np.array([])), InputError, ["share_bias is True or False"]),
        (lambda: nn.MLP(1, [1], share_bias=np.array([1, 0])), InputError, ["share_bias is True or False"]),
        (lambda: nn.MLP(1, [1], names=np.array([])), InputError, ["names is True or False"]),
        (lambda: nn.MLP(1, [1], names=["h1"]), InputError, ["names is True or False, not ['h1']"]),
        (lambda: cosine(10**400), ArgumentError, ["T_max", "1000"]),
        (lambda: nn.init.uniform("x"), InputError, ["bound", "'x'"]),
        (lambda: nn.init.normal("x"), InputError, ["std", "'x'"]),
        (lambda: nn.Dropout("x"), InputError, ["p:", "'x'"]),
        (lambda: nn.Dropout(0.5)(3), InputError, ["dropout", "3"]),
        (lambda: nn.Dropout(0.5)(["x"]), InputError, ["dropout[0]", "'x'"]),
        (lambda: optim.SGD([Value(1.0)], lr="x"), InputError, ["lr", "'x'"]),
        (lambda: nn.save(3, small()), InputError, ["path", "3"]),
        (lambda: nn.load(None, small()), InputError, ["path", "None"]),
        (lambda: nn.plot_history(nn.History([1.0]), ax="x"), InputError, ["Axes", "'x'"]),
        (lambda: nn.plot_decision_regions("x", [[0.0, 1.0]], [1]), InputError, ["decide", "'x'"]),
        (lambda: nn.plot_decision_regions(lambda x: None, [[0.0, 1.0]], [1]), InputError, ["decide returned", "None"]),
        (lambda: nn.plot_decision_regions(len, [[0.0, 1.0]], [1, 2]), ArgumentError, ["1 rows"]),
        (lambda: nn.plot_decision_regions(len, [[0.0, 1.0]], [1], points=1), ArgumentError, ["points", "2"]),
    ],
)
def test_what_is_refused_and_how(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)


def test_none_means_none():
    plain = fit().loss
    assert fit(validation_split=None, callbacks=None, schedule=None, penalty=None).loss == plain


def test_a_flag_of_numpy_is_a_flag():
    shared = nn.MLP(2, [3], share_bias=np.True_, train_bias=np.bool_(False), names=np.True_)
    assert shared.state_dict() == nn.MLP(2, [3], share_bias=True, train_bias=False, names=True).state_dict()
    assert len(shared.parameters()) == 6


def test_losses_and_dropout_leave_the_lists_that_they_are_given():
    outputs, targets = [Value(1.0), 2.0], [3, 4.0]
    nn.mse(outputs, targets)
    assert (outputs[1], targets) == (2.0, [3, 4.0])
    drop = nn.Dropout(0.5).eval()
    assert drop(outputs) == outputs
    assert drop(outputs) is not outputs


def test_probabilities_may_be_an_array():
    assert nn.softmax_cross_entropy([1.0, 2.0], np.array([0.0, 1.0])) == nn.softmax_cross_entropy([1.0, 2.0], 1)


WITHOUT_SKLEARN = """
import sys
sys.modules["sklearn"] = sys.modules["matplotlib"] = None
from nn import *
assert fit and plot_history and Layer
import nn
assert "MLPClassifier" in dir(nn)
try:
    nn.MLPClassifier
except ImportError as error:
    print(error)
"""


def test_everything_can_be_imported_without_optional_packages():
    done = subprocess.run([sys.executable, "-c", WITHOUT_SKLEARN], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip().endswith("pip install 'scalar-autograd[sklearn]'")
