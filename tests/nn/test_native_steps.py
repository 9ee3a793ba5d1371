"""Training in native code: the numbers of eager steps, whole steps only, and programs that models share."""

import functools
import math
import threading
from contextlib import contextmanager

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.compiling import prepared, steps, threads
from nn import compiled, optim, programs

RNG = np.random.default_rng(11)
ROWS = RNG.normal(size=(45, 4))
NUMBERS = RNG.normal(size=(45, 3))
CLASSES = RNG.integers(3, size=45)

OPTIMIZERS = {
    "sgd": lambda ps: optim.SGD(ps, 0.05),
    "momentum": lambda ps: optim.SGD(ps, 0.02, momentum=0.9, dampening=0.1, weight_decay=1e-3),
    "nesterov": lambda ps: optim.SGD(ps, 0.02, momentum=0.9, nesterov=True),
    "adagrad": lambda ps: optim.Adagrad(ps, 0.05, lr_decay=0.1, initial_accumulator_value=0.2),
    "adadelta": optim.Adadelta,
    "rmsprop": lambda ps: optim.RMSprop(ps, momentum=0.5, centered=True),
    "adam": lambda ps: optim.Adam(ps, 0.02, weight_decay=1e-2),
    "adamw": lambda ps: optim.AdamW(ps, 0.02),
    "adamax": optim.Adamax,
}


@pytest.fixture(autouse=True)
def no_programs(monkeypatch):
    """Nothing is known from other tests."""
    monkeypatch.setattr(programs, "_kept", {})


@pytest.fixture
def made_without(monkeypatch):
    """A list that gets an entry for every step of compiled training that native code did not make."""
    found = []
    step = compiled.CompiledSteps._step

    def counted(self, batch):
        found.append(len(batch[0]))
        return step(self, batch)

    monkeypatch.setattr(compiled.CompiledSteps, "_step", counted)
    return found


def network(seed=2, activation="tanh", sizes=(6, 3), **settings):
    return nn.MLP(4, list(sizes), activation, rng=seed, **settings)


def train(model, opt, compiled, **settings):
    given = {"epochs": 8, "batch_size": 8, "compiled": compiled, "progress": False, **settings}
    return nn.fit(model, ROWS, given.pop("targets", NUMBERS), optimizer=opt, **given)


def assert_agree(make, tolerance=1e-10, slopes=True, **settings):
    """Native and eager training give the same numbers; ``make`` makes a model and its optimiser."""
    (model, opt), (twin, other) = make(), make()
    history, expected = train(model, opt, True, **settings), train(twin, other, False, **settings)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=tolerance)
    np.testing.assert_allclose(history.val_loss, expected.val_loss, rtol=tolerance)
    assert (history.stopped, opt.steps, opt.lr) == (expected.stopped, other.steps, other.lr)
    for (path, a), (_, b) in zip(model.named_values(), twin.named_values(), strict=True):
        assert a.data == pytest.approx(b.data, rel=tolerance, abs=1e-12), path
        assert not slopes or a.grad == pytest.approx(b.grad, rel=100 * tolerance, abs=1e-11), path
    for s, t in zip(opt.state, other.state, strict=True):
        assert s == pytest.approx(t, rel=100 * tolerance, abs=1e-13)
    return model, opt


@pytest.mark.parametrize("penalty", [None, nn.l1, nn.l2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_with_every_penalty(optimizer, penalty, made_without):
    model = network()
    opt = OPTIMIZERS[optimizer](model.parameters())
    twin = network()
    other = OPTIMIZERS[optimizer](twin.parameters())
    for m, o, native in ((model, opt, True), (twin, other, False)):
        weights = m.parameters()[:20]
        term = None if penalty is None else functools.partial(penalty, [*weights, weights[0]], 1e-2)
        train(m, o, native, penalty=term)
    assert made_without == [8]  # the first step only
    tolerance = 1e-8 if optimizer == "rmsprop" else 1e-10
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=tolerance, abs=1e-12)
        assert p.grad == pytest.approx(q.grad, rel=100 * tolerance, abs=1e-12)


def test_adam_stays_with_eager_steps_over_many(made_without):
    def make():
        model = network()
        return model, optim.Adam(model.parameters(), 0.01)

    _, opt = assert_agree(make, epochs=100, batch_size=9)
    assert opt.steps == 500
    assert len(made_without) == 1


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.4, 1e3])
def test_clipped_gradients(limit, made_without):
    """Some steps are within the limit 0.4 and some are not; the penalty counts too."""

    def make():
        model = network()
        return model, optim.Adam(model.parameters()[2:], 0.02)

    (model, opt), (twin, other) = make(), make()
    norms = []
    for m, o, native in ((model, opt, True), (twin, other, False)):

        def measure(epoch, history, o=o):
            norms.append(math.hypot(*(p.grad for p in o.params)))

        penalty = functools.partial(nn.l2, m.parameters()[2:], 0.1)
        train(m, o, native, clip_norm=limit, penalty=penalty, epochs=20, callbacks=[measure])
    assert len(made_without) == 1
    assert max(norms) <= limit * (1.0 + 1e-9)
    assert norms[:20] == pytest.approx(norms[20:], rel=1e-8)
    if limit == 0.4:
        assert len({math.isclose(norm, limit, rel_tol=1e-4) for norm in norms}) == 2
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=1e-10, abs=1e-12)
        assert p.grad == pytest.approx(q.grad, rel=1e-8, abs=1e-12)


def test_a_clipped_gradient_is_what_clip_grad_norm_makes():
    model, twin = network(), network()
    opt, other = optim.SGD(model.parameters(), 0.1), optim.SGD(twin.parameters(), 0.1)
    train(model, opt, None, clip_norm=0.1, batch_size=45, epochs=1)
    (ag.sum([nn.mse(twin(x), t) for x, t in zip(ROWS.tolist(), NUMBERS.tolist(), strict=True)]) / 45.0).backward()
    assert optim.clip_grad_norm(twin.parameters(), 0.1) > 0.1
    other.step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=1e-12)


@pytest.mark.parametrize("limit", [-1.0, math.inf, math.nan, "1", True])
def test_a_limit_that_is_none_is_refused(limit):
    model = network()
    with pytest.raises((ag.ArgumentError, ag.InputError), match="clip_norm"):
        train(model, optim.SGD(model.parameters()), None, clip_norm=limit)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 44, 45])
def test_every_size_of_batches(batch_size, made_without):
    def make():
        model = network()
        return model, optim.SGD(model.parameters(), 0.02)

    assert_agree(make, batch_size=batch_size, epochs=3, loss="softmax_cross_entropy", targets=CLASSES)
    assert made_without == [batch_size]


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "gelu", "softplus", "hardtanh", "none"])
def test_activations(activation, made_without):
    def make():
        model = network(activation=activation)
        return model, optim.Adam(model.parameters(), 0.01)

    assert_agree(make)
    assert len(made_without) == 1


def test_weights_that_are_not_trained_keep_theirs_and_add_up_their_slopes(made_without):
    def make():
        model = network(train_bias=False, biases=[0.3, -0.2])
        return model, optim.SGD(model.parameters()[3:], 0.05)

    assert_agree(make)
    assert len(made_without) == 1


def test_schedules_validation_and_early_stopping(made_without):
    def one(compiled):
        model = network()
        opt = optim.Adam(model.parameters(), 0.05)
        schedule = optim.ExponentialLR(opt, 0.9)
        history = train(*(model, opt, compiled), schedule=schedule, epochs=60, validation_split=0.3, early_stopping=3)
        return history, model.state_dict()

    (a, weights), (b, expected) = one(True), one(False)
    assert a.stopped == b.stopped == "early"
    assert a.best_epoch < len(a.loss) - 1
    np.testing.assert_allclose(a.val_loss, b.val_loss, rtol=1e-9)
    assert weights == pytest.approx(expected, rel=1e-9)
    assert len(made_without) == 1


def test_callbacks_see_and_change_the_numbers():
    def one(compiled):
        model = network()
        opt = optim.Adam(model.parameters(), 0.02)
        seen = []

        def change(epoch, history):
            seen.append((model.parameters()[0].data, model.parameters()[5].grad, opt.steps, opt.state[2]["m"]))
            assert not model.training
            model.parameters()[1].data = 0.25
            opt.state[3]["m"] = 0.1
            opt.weight_decay = 0.01 * epoch
            opt.lr *= 0.9

        train(model, opt, compiled, callbacks=[change])
        return seen

    np.testing.assert_allclose(one(True), one(False), rtol=1e-9)


def test_a_schedule_of_ones_own_sees_the_numbers():
    def one(compiled):
        model = network()
        opt = optim.SGD(model.parameters(), 0.05)

        class BySize(optim.Schedule):
            def rate(self, epoch):
                return 0.1 / (1.0 + abs(model.parameters()[0].data))

        return train(model, opt, compiled, schedule=BySize(opt)).loss

    np.testing.assert_allclose(one(True), one(False), rtol=1e-10)


@pytest.mark.parametrize("limit", [1, 2000, 10**9])
def test_calls_of_any_length_are_the_same_training(monkeypatch, limit):
    """Long epochs are several native calls, so that Ctrl-C need not wait for all of them."""

    def weights():
        model = network()
        train(model, optim.Adam(model.parameters(), 0.02), True)
        return [p.data for p in model.parameters()]

    expected = weights()
    monkeypatch.setattr(steps, "MOST", limit)
    assert weights() == expected


def test_an_interrupt_leaves_whole_steps(monkeypatch):
    """It comes after a native call, before Python has noted anything."""
    model = network()
    opt = optim.Adam(model.parameters(), 0.02)
    call, calls = steps.Steps._call, []

    def interrupted(self, *args):
        result = call(self, *args)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(steps.Steps, "_call", interrupted)
    history = train(model, opt, True, epochs=50)
    assert (history.stopped, opt.steps, len(history.loss)) == ("interrupted", 18, 2)
    monkeypatch.undo()
    twin = network()
    other = optim.Adam(twin.parameters(), 0.02)
    train(twin, other, False, epochs=3)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, rel=1e-11)
        assert p.grad == pytest.approx(q.grad, rel=1e-9)
    assert opt.state[4] == pytest.approx(other.state[4], rel=1e-9)


@pytest.mark.parametrize("rate", [1e3, 1e200])
def test_divergence_stops_at_the_same_step_with_the_same_weights(rate):
    def make():
        model = network(activation="none")
        return model, optim.SGD(model.parameters(), rate)

    with pytest.warns(RuntimeWarning, match="training stopped in epoch"):
        assert_agree(make, epochs=60, tolerance=1e-6, slopes=False)


def test_steps_that_native_code_leaves_alone_are_made_all_the_same(made_without):
    """The slopes are so large that Adagrad's sum of squares overflows; loss and weights stay finite."""

    def one(compiled):
        model = network(activation="none", sizes=(3,))
        opt = optim.Adagrad(model.parameters(), 1e-3)
        settings = {"loss": "mae", "epochs": 3, "batch_size": 5, "compiled": compiled}
        history = nn.fit(model, ROWS * 1e160, NUMBERS, optimizer=opt, **settings)
        assert (history.stopped, opt.state[0]) == ("epochs", {"sum": math.inf})
        return [*history.loss, *model.state_dict().values()]

    np.testing.assert_allclose(one(True), one(False), rtol=1e-10)
    assert made_without == [5] * 27


def test_rows_without_numbers(made_without):
    """Only the biases of the first layer count."""

    def one(compiled):
        model = nn.MLP(0, [3, 1], "tanh", rng=0)
        opt = optim.SGD(model.parameters(), 0.05)
        return nn.fit(model, [[]] * 10, NUMBERS[:10, 0], optimizer=opt, epochs=4, batch_size=4, compiled=compiled).loss

    np.testing.assert_allclose(one(True), one(False), rtol=1e-12)
    assert made_without == [4]


def test_a_loss_that_python_computes(made_without):
    """Every step then calls Python, so none is made by native code alone."""

    def loss(outputs, targets):
        return ag.lgamma(2.0 + ag.square(outputs[0] - targets[0]))

    def make():
        model = network()
        return model, optim.SGD(model.parameters(), 0.01)

    assert_agree(make, loss=loss, epochs=2, batch_size=9)
    assert made_without == [9] * 10


def test_large_batches_give_the_same_numbers():
    rows = RNG.normal(size=(9000, 4))
    targets = np.sin(rows[:, 0])

    def one(batch_size, compiled):
        model = network(sizes=(3, 1))
        opt = optim.SGD(model.parameters(), 0.1)
        nn.fit(model, rows, targets, optimizer=opt, epochs=1, batch_size=batch_size, compiled=compiled)
        return [p.data for p in model.parameters()]

    assert one(4500, True) == pytest.approx(one(4500, False), rel=1e-10)
    assert one(4000, True) == pytest.approx(one(4000, False), rel=1e-10)


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    rows = RNG.normal(size=(9000, 4))

    def one(batch_size, count):
        monkeypatch.setattr(threads, "how_many", lambda wanted, pieces, operations: min(count, pieces))
        model = network(sizes=(3, 1))
        opt = optim.Adam(model.parameters(), 0.1)
        nn.fit(model, rows, rows[:, 0], optimizer=opt, epochs=2, batch_size=batch_size, compiled=True)
        return [p.data for p in model.parameters()]

    for batch_size in (4500, 300):
        assert one(batch_size, 1) == one(batch_size, 2)


# Programs that models share ------------------------------------------------------------------------------------------


@contextmanager
def recordings(monkeypatch):
    """How many functions are recorded."""
    count = []
    init = prepared.Prepared.__init__

    def counted(self, *args):
        count.append(1)
        init(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(prepared.Prepared, "__init__", counted)
        yield count


def fit_once(model, **settings):
    opt = optim.Adam(model.parameters(), 0.02)
    penalty = functools.partial(nn.l2, model.parameters(), 1e-3)
    return train(model, opt, None, penalty=penalty, epochs=2, **settings)


def test_a_second_training_of_the_same_structure_records_nothing(monkeypatch):
    fit_once(network(seed=1), validation_split=0.2)
    with recordings(monkeypatch) as count:
        fit_once(network(seed=2), validation_split=0.2)
        fit_once(network(seed=3), batch_size=32)
    assert count == []
    with recordings(monkeypatch) as count:
        fit_once(network(seed=3, sizes=(5, 3)))
    assert count == [1]


def test_predictions_of_the_same_structure_record_nothing(monkeypatch):
    rows = RNG.normal(size=(300, 4))
    first, second = network(seed=1), network(seed=2)
    expected = [[out.data for out in second(row)] for row in rows.tolist()]
    nn.predict(first, rows)
    with recordings(monkeypatch) as count:
        np.testing.assert_allclose(nn.predict(second, rows), expected, rtol=1e-12, atol=1e-15)
    assert count == []
    second.layers[1].neurons[2].bias.data += 1.0
    assert nn.predict(second, rows)[0][2] == pytest.approx(expected[0][2] + 1.0, rel=1e-12)


def test_programs_of_large_models_are_not_kept(monkeypatch):
    monkeypatch.setattr(programs, "LARGEST", 30)
    fit_once(network())
    fit_once(network(sizes=(2, 3)))
    assert len(programs._kept) == 1


SHAPES = {
    "plain": lambda: network(),
    "relu": lambda: network(activation="relu"),
    "wider": lambda: network(sizes=(7, 3)),
    "shared bias": lambda: network(share_bias=True),
    "fixed bias": lambda: network(train_bias=False, biases=[0.1, 0.2]),
    "named": lambda: network(names=True),
    "dropping": lambda: nn.Sequential(nn.Layer(4, 6, "tanh", rng=0), nn.Dropout(0.5, rng=1), nn.Layer(6, 3, rng=2)),
    "kept": lambda: nn.Sequential(nn.Layer(4, 6, "tanh", rng=0), nn.Dropout(0.0, rng=1), nn.Layer(6, 3, rng=2)),
    "one weight twice": lambda: twice(),
}


def twice():
    model = network()
    weights = model.layers[0].neurons[0].weights
    weights[1] = weights[0]
    return model


def test_models_of_similar_structures_are_not_mixed_up():
    expected = {}
    for kept in (False, True):  # with programs of their own, then with those of all before
        for name, make in SHAPES.items():
            if not kept:
                programs._kept.clear()
            losses = fit_once(make(), validation_split=0.2)
            assert expected.setdefault(name, (losses.loss, losses.val_loss)) == (losses.loss, losses.val_loss), name


def test_a_model_may_change_after_its_program_was_kept():
    first = network(seed=1)
    expected = fit_once(network(seed=2), validation_split=0.2).val_loss
    programs._kept.clear()
    fit_once(first)
    first.layers[0].activation_function = first.layers[1].activation_function
    first.layers[1].neurons.pop()
    assert fit_once(network(seed=2), validation_split=0.2).val_loss == expected


def test_what_is_not_known_has_a_program_of_its_own():
    assert programs.structure(network()) == programs.structure(network(seed=9))
    model = network()
    model.note = {"a": 1}
    assert programs.structure(model) is None
    model = network()
    model.layers[0].neurons[0].weights[0] = ag.Value(1.0) * 2.0  # not a leaf
    assert programs.structure(model) is None


def test_few_programs_are_kept():
    for k in range(programs.KEPT + 3):
        fit_once(network(sizes=(k + 1, 3)))
    assert len(programs._kept) == programs.KEPT


def test_several_threads_train_at_once():
    def one(seed):
        return fit_once(network(seed=seed), validation_split=0.2).loss

    expected = [one(seed) for seed in range(4)]
    programs._kept.clear()
    found = {}
    workers = [threading.Thread(target=lambda k=k: found.update({k: one(k)})) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [found[k] for k in range(4)] == expected


def test_a_rule_that_was_replaced_is_used():
    model = network()
    opt = optim.SGD(model.parameters(), 0.05)
    opt.rule = lambda w, g, s: (w, {})
    before = [p.data for p in model.parameters()]
    train(model, opt, True)
    assert [p.data for p in model.parameters()] == before
    assert all(math.isfinite(p.grad) and p.grad != 0.0 for p in model.parameters())
