"""What notebooks show of trainings, optimisers and models; their short texts."""

import math

import pytest

import nn
from autograd import Value
from autograd.language import language
from nn import optim
from tests.html import text_of


def shown(x):
    return text_of(x._repr_html_())


def test_a_history_is_one_line():
    history = nn.History([0.5 / (k + 1) for k in range(300)], [0.75] * 299 + [0.25], "early")
    assert repr(history) == "<History, 300 epochs, loss 0.5 → 0.001667, val_loss 0.75 → 0.25, stopped: early>"
    assert str(history) == repr(history)
    assert repr(nn.History()) == "<History, 0 epochs, stopped: epochs>"
    text = shown(history)
    assert text.startswith("300 epochs loss 0.5 → 0.001667 validation loss 0.75 → 0.25 best epoch: 300")
    assert "stopped: validation loss no longer falls" in text
    with language("zh"):
        assert shown(history).startswith("300 轮 损失 0.5 → 0.001667 验证损失 0.75 → 0.25 最佳：第 300 轮")


@pytest.mark.parametrize("losses", [[], [0.5], [math.nan, math.nan], [0.5, math.inf]])
def test_histories_that_are_short_or_not_finite_are_shown(losses):
    epochs = len(losses)
    assert shown(nn.History(losses, [], "diverged")).startswith(f"{epochs} epoch" + "s" * (epochs != 1))


def test_a_long_history_stays_small():
    history = nn.History([1.0 / (k + 1) for k in range(100_000)], [2.0 / (k + 1) for k in range(100_000)])
    assert len(history._repr_html_()) < 20_000
    assert len(repr(history)) < 120


def test_an_optimiser_shows_its_rule_and_settings():
    w = [Value(1.0), Value(2.0)]
    assert repr(optim.SGD(w, lr=0.5)).startswith("SGD(2 parameters, lr=0.5, weight_decay=0.0, momentum=0.0")
    assert repr(optim.Adam(w[:1])).startswith("Adam(1 parameter, lr=0.001")
    assert shown(optim.SGD(w, lr=0.5)) == (
        "SGD 2 parameters w ← w − η·g lr η 0.5 weight_decay 0 momentum 0 dampening 0 nesterov False"
    )
    assert "betas (0.9, 0.999)" in shown(optim.Adam(w))


@pytest.mark.parametrize("kind", ["SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "AdamW", "Adamax"])
def test_every_optimiser_is_shown_before_and_after_a_step(kind):
    w = Value(1.0)
    optimizer = getattr(optim, kind)([w])
    before = optimizer._repr_html_()
    assert f"{kind} 1 parameter w ← w − " in text_of(before)
    w.grad = 1.0
    optimizer.step()
    assert optimizer._repr_html_() == before


def test_a_model_shows_its_layers_shapes_and_parameters():
    assert shown(nn.MLP(2, [8, 1], activation="tanh")) == (
        "MLP 33 parameters layer shape activation parameters layers.0 Layer 2 → 8 tanh 24 layers.1 Layer 8 → 1 none 9"
    )
    model = nn.Sequential(nn.Layer(2, 3), nn.Dropout(0.1), nn.Layer(3, 1, math.tanh))
    assert "layers.1 Dropout(0.1) 0 layers.2 Layer 3 → 1 tanh 4" in shown(model)
    assert "Neuron 4 parameters" in shown(nn.Neuron(3))
    with language("zh"):
        assert shown(nn.Neuron(3)).startswith("Neuron 4 个参数 层 形状 激活函数 参数")


def test_parameters_that_are_shared_count_once():
    model = nn.MLP(2, [3, 3], share_bias=True)
    assert shown(model).startswith(f"MLP {len(model.parameters())} parameters")
    assert "layers.0 Layer 2 → 3 relu 7" in shown(model)
    fixed = nn.MLP(2, [3, 3], train_bias=False)
    assert shown(fixed).startswith("MLP 15 parameters, 6 fixed")


def test_a_model_of_the_user():
    class Own(nn.Module):
        def __init__(self):
            self.first = nn.Layer(2, 3, "relu")
            self.gain = Value(1.0)
            self.rest = [nn.Sequential(nn.Layer(3, 1, None)), "text"]
            self.me = self
            self.rest.append(self.rest)

    text = shown(Own())
    assert text.startswith("Own 14 parameters")
    assert "first Layer 2 → 3 relu 9" in text
    assert "rest.0.layers.0 Layer 3 → 1 4" in text
    assert text.endswith("others 1")

    class Empty(nn.Module):
        pass

    assert shown(Empty()).startswith("Empty 0 parameters")


def test_many_layers_and_deep_ones_are_shortened():
    html = nn.MLP(1, [1] * 200)._repr_html_()
    assert len(html) < 20_000
    assert "…" in text_of(html)
    assert "layers.199" in text_of(html)
    model = nn.Neuron(1)
    for _ in range(3000):
        model = nn.Sequential(model)
    assert "Neuron 1 → 1 relu 2" in shown(model)


def test_what_a_model_is_called_is_escaped():
    def named(x):
        return x

    named.__name__ = "<b>"
    assert "<b>" in shown(nn.Neuron(1, named))
