"""Training on compiled code: the same numbers as eager steps, and eager steps where compiling is impossible."""

import functools
import math

import numpy as np
import pytest

import autograd as ag
import nn
from nn import optim

RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(45, 4))
SIGNS = np.sign(RNG.normal(size=45))
CLASSES = RNG.integers(3, size=45)
NUMBERS = RNG.normal(size=(45, 3))
SHARES = RNG.uniform(size=(45, 3))

OPTIMIZERS = {
    "sgd": lambda ps: optim.SGD(ps, 0.05),
    "momentum": lambda ps: optim.SGD(ps, 0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adagrad": lambda ps: optim.Adagrad(ps, 0.05, lr_decay=0.1),
    "adadelta": optim.Adadelta,
    "rmsprop": lambda ps: optim.RMSprop(ps, momentum=0.5, centered=True),
    "adam": lambda ps: optim.Adam(ps, 0.02, weight_decay=1e-2),
    "adamw": lambda ps: optim.AdamW(ps, 0.02),
    "adamax": optim.Adamax,
}
LOSSES = [
    ("mse", NUMBERS, "none"),
    ("mae", NUMBERS, "none"),
    ("huber", NUMBERS, "none"),
    ("half_squared_error", NUMBERS, "none"),
    ("hinge", SIGNS, "none"),
    ("bce_with_logits", SHARES, "none"),
    ("binary_cross_entropy", SHARES, "sigmoid"),
    ("softmax_cross_entropy", CLASSES, "none"),
    ("softmax_cross_entropy", SHARES / SHARES.sum(axis=1, keepdims=True), "none"),
]


def trained(compiled, loss="mse", targets=NUMBERS, output="none", optimizer="adam", penalised=False, activation="tanh"):
    outputs = 1 if targets is SIGNS else 3
    model = nn.MLP(4, [6, outputs], activation, output_activation=output, rng=2)
    opt = OPTIMIZERS[optimizer](model.parameters())
    penalty = functools.partial(nn.l2, model.parameters(), 1e-2) if penalised else None
    history = nn.fit(
        *(model, ROWS, targets), loss=loss, optimizer=opt, epochs=12, batch_size=16, penalty=penalty, compiled=compiled
    )
    return model, opt, history


def assert_same(a, b, tolerance=1e-10):
    # Rules that divide by the size of past gradients amplify the rounding of sums that nearly cancel.
    (model, opt, history), (other, other_opt, other_history) = a, b
    np.testing.assert_allclose(history.loss, other_history.loss, rtol=tolerance)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=tolerance, abs=1e-12)
        assert p.grad == pytest.approx(q.grad, rel=100 * tolerance, abs=1e-12)
    assert opt.steps == other_opt.steps
    for s, t in zip(opt.state, other_opt.state, strict=True):
        assert s == pytest.approx(t, rel=100 * tolerance, abs=1e-13)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser(optimizer):
    tolerance = 1e-8 if optimizer == "rmsprop" else 1e-10
    assert_same(trained(True, optimizer=optimizer), trained(False, optimizer=optimizer), tolerance)


@pytest.mark.parametrize(("loss", "targets", "output"), LOSSES, ids=[f"{k}-{x[0]}" for k, x in enumerate(LOSSES)])
def test_every_loss(loss, targets, output):
    settings = {"loss": loss, "targets": targets, "output": output}
    assert_same(trained(True, **settings), trained(False, **settings), 1e-8 if loss == "mae" else 1e-10)


def test_a_penalty():
    assert_same(trained(True, penalised=True), trained(False, penalised=True))


def test_a_shared_bias_and_one_that_is_not_trained():
    def one(compiled):
        model = nn.MLP(4, [5, 3], "sigmoid", share_bias=True, train_bias=False, biases=[0.3, -0.2], rng=0)
        opt = optim.SGD(model.parameters(), 0.1)
        return model, opt, nn.fit(model, ROWS, NUMBERS, optimizer=opt, epochs=5, compiled=compiled)

    assert_same(one(True), one(False))


def test_early_stopping_and_validation_are_the_same():
    def one(compiled):
        model = nn.MLP(4, [6, 3], rng=1)
        opt = optim.Adam(model.parameters(), 0.05)
        return (
            model,
            opt,
            nn.fit(
                *(model, ROWS, NUMBERS),
                optimizer=opt,
                epochs=80,
                validation_split=0.3,
                early_stopping=3,
                compiled=compiled,
            ),
        )

    a, b = one(True), one(False)
    assert a[2].stopped == b[2].stopped == "early"
    np.testing.assert_allclose(a[2].val_loss, b[2].val_loss, rtol=1e-9)


class Noisy(nn.Module):
    """A module that is not nn's own: its behaviour is unknown."""

    def __init__(self):
        self.layer = nn.Layer(4, 3, "none", rng=0)
        self.calls = 0

    def forward(self, xs):
        self.calls += 1
        return self.layer(xs)


def test_what_cannot_be_compiled_runs_eagerly():
    model = Noisy()
    nn.fit(model, ROWS, NUMBERS, epochs=2)
    assert model.calls > 90  # for every row of every epoch
    before = model.calls
    nn.fit(model, ROWS, NUMBERS, epochs=2, compiled=True)  # on request it is, and then recorded once
    assert model.calls < before + 10
    with pytest.raises(ag.ArgumentError, match="cannot be compiled"):
        nn.fit(model, ROWS, NUMBERS, epochs=2, compiled=True, penalty=lambda: nn.l2(model.parameters(), 0.1))


def fit_again(caplog):
    """Train twice; what was logged."""
    caplog.clear()
    with caplog.at_level("WARNING", logger="nn"):
        for seed in (0, 1):
            nn.fit(nn.MLP(4, [3], rng=seed), ROWS, NUMBERS, optimizer="sgd", epochs=1)
    return [record.message for record in caplog.records]


def test_a_package_that_is_missing_is_said_once_and_training_goes_on(monkeypatch, caplog):
    import nn.compiled

    real = nn.compiled.find_spec
    monkeypatch.setattr(nn.compiled, "_said", set())
    monkeypatch.setattr(nn.compiled, "find_spec", lambda name: None if name == "llvmlite" else real(name))
    (said,) = fit_again(caplog)
    assert "pip install 'scalar-autograd[compile]'" in said
    assert "slower" in said
    caplog.clear()
    with caplog.at_level("WARNING", logger="nn"):
        for _ in range(2):
            nn.predict(nn.MLP(4, [3]), np.ones((300, 4)))
    assert len(caplog.records) == 1
    with pytest.raises(ag.MissingExtraError, match="llvmlite"):
        nn.fit(nn.MLP(4, [3]), ROWS, NUMBERS, compiled=True)


def test_a_refusal_is_said_once_and_training_goes_on(monkeypatch, caplog):
    import nn.compiled

    def refusing(*args, **settings):
        raise ag.TraceError("line 7 branches")

    monkeypatch.setattr(nn.compiled, "_said", set())
    monkeypatch.setattr(nn.programs, "_kept", {})
    monkeypatch.setattr(ag, "compile", refusing, raising=False)
    (said,) = fit_again(caplog)
    assert "line 7 branches" in said


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, IndexError, ag.ArgumentError, AssertionError])
def test_a_mistake_within_the_compiler_is_no_reason_to_train_slowly(monkeypatch, kind):
    def broken(*args, **settings):
        raise kind("a mistake")

    monkeypatch.setattr(nn.programs, "_kept", {})
    monkeypatch.setattr(ag, "compile", broken, raising=False)
    with pytest.raises(kind, match="a mistake"):
        nn.fit(nn.MLP(4, [3]), ROWS, NUMBERS, optimizer="sgd", epochs=1)
    with pytest.raises(kind, match="a mistake"):
        nn.predict(nn.MLP(4, [3]), np.ones((300, 4)))


def test_ordinary_training_logs_nothing(monkeypatch, caplog):
    import nn.compiled

    monkeypatch.setattr(nn.compiled, "_said", set())
    assert fit_again(caplog) == []


@pytest.mark.parametrize("compiled", [None, False])
def test_losses_of_ones_own_may_do_as_they_like(compiled):
    factor, leaf, weights = [1.0], ag.Value(1.0), {-1.0: 1.0, 1.0: 5.0}
    losses = []

    def loss(outputs, targets):
        return factor[0] * weights[targets[0]] * ag.square(outputs[0] * leaf - targets[0])

    def after(epoch, history):
        factor[0] *= 0.5
        leaf.data -= 0.01 * leaf.grad
        leaf.grad = 0.0

    model = nn.MLP(4, [3, 1], rng=0)
    losses = nn.fit(model, ROWS, SIGNS, loss=loss, optimizer="sgd", epochs=3, callbacks=[after], compiled=compiled).loss
    assert losses[1] < 0.6 * losses[0]
    assert leaf.data != 1.0


def test_leaves_that_the_optimiser_lacks_keep_their_gradients():
    def one(compiled):
        model = nn.MLP(4, [5, 3], "tanh", rng=1)
        opt = optim.SGD(model.parameters()[:3], 0.1)
        nn.fit(model, ROWS, NUMBERS, optimizer=opt, epochs=3, compiled=compiled)
        return [p.grad for p in model.parameters()]

    np.testing.assert_allclose(one(True), one(False), rtol=1e-10)


def test_callbacks_may_change_the_model():
    def one(compiled):
        drop = nn.Dropout(0.0, rng=3)
        model = nn.Sequential(nn.Layer(4, 6, "tanh", rng=0), drop, nn.Layer(6, 3, "none", rng=1))

        def change(epoch, history):
            drop.p = 0.5
            if epoch == 1:
                model.layers[0].neurons[0].weights[0] = ag.Value(0.7)

        opt = optim.SGD(model.parameters(), 0.05)
        return nn.fit(model, ROWS, NUMBERS, optimizer=opt, epochs=4, callbacks=[change], compiled=compiled).loss

    np.testing.assert_allclose(one(None), one(False), rtol=1e-10)


@pytest.mark.parametrize("compiled", [None, False])
@pytest.mark.parametrize(("loss", "target"), [("softmax_cross_entropy", 7), ("hinge", 0.0), ("bce_with_logits", 3.0)])
def test_validation_targets_are_checked(compiled, loss, target):
    outputs = 3 if loss == "softmax_cross_entropy" else 1
    model = nn.MLP(4, [outputs], rng=0)
    good = np.ones(45)
    with pytest.raises(ag.ArgumentError, match="row 1 of the validation ys"):
        nn.fit(model, ROWS, good, loss=loss, validation_data=(ROWS[:2], [1.0, target]), compiled=compiled)


@pytest.mark.parametrize("hidden", [[], [3]])
def test_outputs_that_leave_their_domain_are_named(hidden):
    """They are found during training, whatever the hidden layers are: each output starts within (0, 1)."""
    model = nn.MLP(4, [*hidden, 1], "sigmoid", rng=0, biases=[0.0] * len(hidden) + [0.5])
    for w in model.layers[-1].neurons[0].weights:
        w.data = 0.01
    assert all(0.0 < out < 1.0 for (out,) in nn.predict(model, ROWS))
    with pytest.raises(ag.ArgumentError, match="between 0 and 1"):
        nn.fit(
            *(model, ROWS, (SIGNS > 0).astype(float)),
            loss="binary_cross_entropy",
            optimizer=optim.SGD(model.parameters(), 1.0),
            epochs=60,
        )


def test_a_neuron_alone_learns_probabilities():
    model, layer = nn.Neuron(4, "sigmoid", rng=0), nn.Layer(4, 1, "sigmoid", rng=0)
    settings = {"loss": "binary_cross_entropy", "optimizer": "sgd", "epochs": 3}
    losses = [nn.fit(m, ROWS, (SIGNS > 0).astype(float), **settings).loss for m in (model, layer)]
    np.testing.assert_allclose(*losses, rtol=1e-12)


def test_dropout_drops_the_same():
    def one(compiled):
        from random import Random

        shared = Random(9)
        model = nn.Sequential(
            *(
                nn.Layer(4, 8, "tanh", rng=0),
                nn.Dropout(0.5, rng=1),
                nn.Layer(8, 6, rng=2),
                nn.Dropout(0.2, rng=shared),
            ),
            *(nn.Layer(6, 5, rng=3), nn.Dropout(0.3, rng=shared), nn.Layer(5, 3, "none", rng=4)),
        )
        opt = optim.SGD(model.parameters(), 0.05)
        data = (ROWS[:10], NUMBERS[:10])
        history = nn.fit(
            *(model, ROWS, NUMBERS), optimizer=opt, epochs=6, batch_size=10, validation_data=data, compiled=compiled
        )
        assert not model.training
        return model, opt, history

    a, b = one(True), one(False)
    assert_same(a, b)
    np.testing.assert_allclose(a[2].val_loss, b[2].val_loss, rtol=1e-10)


def test_an_interrupted_epoch_leaves_whole_steps(monkeypatch):
    model = nn.MLP(4, [3, 3], rng=0)
    opt = optim.Adam(model.parameters())
    rule, calls = opt.rule, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return rule(*args)

    monkeypatch.setattr(opt, "rule", interrupted)
    history = nn.fit(model, ROWS, NUMBERS, optimizer=opt, batch_size=10, compiled=True)
    assert (history.stopped, opt.steps) == ("interrupted", 2)
    twin = nn.MLP(4, [3, 3], rng=0)
    other = optim.Adam(twin.parameters())
    order = list(range(45))
    from random import Random

    Random(0).shuffle(order)
    for start in (0, 10):
        batch = order[start : start + 10]
        other.zero_grad()
        (ag.sum([nn.mse(twin(ROWS[i].tolist()), NUMBERS[i].tolist()) for i in batch]) / 10.0).backward()
        other.step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=1e-11)


def test_divergence_is_detected():
    model = nn.MLP(4, [6, 3], rng=0)
    with pytest.warns(RuntimeWarning, match="training stopped"):
        history = nn.fit(
            model, ROWS * 1e3, NUMBERS, optimizer=optim.SGD(model.parameters(), 1e6), epochs=50, compiled=True
        )
    assert history.stopped == "diverged"


def test_many_predictions_are_compiled_ones():
    model = nn.MLP(4, [6, 3], "gelu", rng=0)
    rows = np.random.default_rng(0).normal(size=(300, 4))
    found = nn.predict(model, rows)
    for row, outputs in zip(rows[::37].tolist(), found[::37], strict=True):
        assert [out.data for out in model(row)] == pytest.approx(outputs, rel=1e-12)
    assert all(math.isfinite(x) for row in found for x in row)
