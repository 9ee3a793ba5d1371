"""The training loop, dropout, files and plots."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ArgumentError, InputError, Value
from nn import optim
from nn.data import shuffled, split

XS = [[x / 10.0] for x in range(-10, 11)]
YS = [x[0] ** 2 for x in XS]


def small(seed=0):
    return nn.MLP(1, [6, 1], "tanh", rng=seed)


def test_it_learns_and_keeps_a_history():
    model = small()
    history = nn.fit(model, XS, YS, optimizer=optim.Adam(model.parameters(), 0.05), epochs=60, batch_size=7)
    assert len(history.loss) == 60
    assert history.loss[-1] < 0.1 * history.loss[0]
    assert history.stopped == "epochs"
    assert history.best_epoch == min(range(60), key=history.loss.__getitem__)
    assert nn.mean_loss(model, XS, YS) < 0.02


@pytest.mark.parametrize(("rows", "steps"), [(5, 1), (32, 1), (33, 2), (65, 3)])
def test_a_batch_has_32_rows_unless_told(rows, steps):
    model = nn.MLP(1, [1], rng=0)
    opt = optim.SGD(model.parameters())
    nn.fit(model, [[0.1]] * rows, [1.0] * rows, optimizer=opt, epochs=1, compiled=False)
    assert opt.steps == steps


def test_rows_are_held_out_at_random_each_with_its_target():
    rows, targets = [[float(k)] for k in range(20)], [[10.0 * k] for k in range(20)]
    found = [split(rows, targets, 0.3, random.Random(seed)) for seed in (0, 0, 1)]
    for training, training_targets, validation, validation_targets in found:
        assert (len(training), len(validation)) == (14, 6)
        assert sorted(training + validation) == rows
        assert (sorted(training), sorted(validation)) == (training, validation)  # in the order of the data
        assert training_targets == [[10.0 * x] for (x,) in training]
        assert validation_targets == [[10.0 * x] for (x,) in validation]
    assert found[0] == found[1] != found[2]
    assert split(rows, targets, 0.0, None) == (rows, targets, [], [])


@pytest.mark.parametrize("count", [*range(1, 20), 31, 32, 33, 255, 256, 257, 569, 1025])
def test_rows_are_shuffled_as_random_shuffles(count):
    class Own(random.Random):
        def shuffle(self, x):
            x.reverse()

    rng, other = random.Random(count), random.Random(count)
    for _ in range(3):
        rng.shuffle(expected := list(range(count)))
        assert shuffled(count, other) == expected
        assert rng.getstate() == other.getstate()
    assert shuffled(count, Own(0)) == list(reversed(range(count)))


def test_it_is_reproducible():
    runs = []
    for seed in (1, 1, 2):
        model = small()
        nn.fit(model, XS, YS, optimizer="sgd", epochs=3, batch_size=4, rng=seed)
        runs.append(model.state_dict())
    assert runs[0] == runs[1] != runs[2]


def test_validation_early_stopping_and_going_back_to_the_best():
    model = small()
    noise = random.Random(0)
    history = nn.fit(
        model, XS, [noise.random() for _ in XS], optimizer=optim.Adam(model.parameters(), 0.1), epochs=300,
        batch_size=5, validation_split=0.3, early_stopping=5, rng=3,
    )  # fmt: skip
    assert history.stopped == "early"
    assert len(history.val_loss) == len(history.loss) == history.best_epoch + 6


@pytest.mark.parametrize("compiled", [None, False])
def test_it_goes_back_to_the_best_epoch_and_no_other(compiled):
    model = nn.MLP(1, [1], rng=0, weights=[[[0.0]]])
    states = []
    history = nn.fit(
        model, XS, [3.0 * x[0] for x in XS], optimizer=optim.SGD(model.parameters(), 0.2), epochs=300, batch_size=21,
        validation_data=(XS, [1.0 * x[0] for x in XS]), early_stopping=4, compiled=compiled,
        callbacks=[lambda epoch, h: states.append(model.state_dict())],
    )  # fmt: skip
    assert history.stopped == "early"
    assert 2 <= history.best_epoch == len(history.val_loss) - 5  # it comes closer to 1 on its way to 3, then leaves
    assert model.state_dict() == states[history.best_epoch]
    assert model.state_dict() not in states[history.best_epoch + 1 :] + states[: history.best_epoch]
    assert nn.mean_loss(model, XS, [x[0] for x in XS]) == pytest.approx(min(history.val_loss), rel=1e-12)


class One(nn.Module):
    """A module that returns one Value, not a list."""

    def __init__(self):
        self.neuron = nn.Neuron(1, "none", rng=0)

    def forward(self, xs):
        return self.neuron(xs)


@pytest.mark.parametrize("make", [One, lambda: nn.Neuron(1, "none", rng=0)])
@pytest.mark.parametrize("compiled", [None, True, False])
def test_a_model_may_return_one_value(make, compiled):
    model, listed = make(), nn.Layer(1, 1, "none", rng=0)
    settings = {"optimizer": "sgd", "epochs": 3, "batch_size": 7, "validation_split": 0.2, "compiled": compiled}
    history, other = nn.fit(model, XS, YS, **settings), nn.fit(listed, XS, YS, **settings)
    np.testing.assert_allclose(history.loss + history.val_loss, other.loss + other.val_loss, rtol=1e-12)
    np.testing.assert_allclose(nn.predict(model, XS * 20), nn.predict(listed, XS * 20), rtol=1e-12)
    assert nn.mean_loss(model, XS, YS) == pytest.approx(nn.mean_loss(listed, XS, YS), rel=1e-12)


def test_a_model_that_returns_neither_is_refused():
    class Nothing(nn.Neuron):
        def forward(self, xs):
            return None

    for call in (nn.predict, lambda m, xs: nn.fit(m, xs, [1.0])):
        with pytest.raises(InputError, match=r"Nothing returned None"):
            call(Nothing(1), [[1.0]])


def test_what_is_no_module_is_refused():
    for x in (Value(1.0), None, lambda xs: xs, nn.MLP):
        for call in (nn.predict, lambda m, xs: nn.fit(m, xs, YS), lambda m, xs: nn.mean_loss(m, xs, YS)):
            with pytest.raises(InputError, match="takes a Module first"):
                call(x, XS)


DIVERGING = [
    ("relu", 1e3, lambda ps: optim.SGD(ps, 1e306)),
    ("tanh", 1e3, lambda ps: optim.SGD(ps, 1e6)),
    ("relu", 1e3, lambda ps: optim.SGD(ps, 1e150)),
    ("sigmoid", 1.0, lambda ps: optim.SGD(ps, 1e305)),
    ("relu", 1.0, lambda ps: optim.SGD(ps, 1e30, momentum=0.9)),
    ("tanh", 1.0, lambda ps: optim.Adam(ps, 1e200)),
]


@pytest.mark.parametrize(("activation", "scale", "make"), DIVERGING)
def test_weights_after_divergence_are_finite_and_the_same_compiled_or_not(activation, scale, make):
    rng = np.random.default_rng(5)
    rows, targets = scale * rng.normal(size=(45, 4)), rng.normal(size=(45, 3))
    found = []
    for compiled in (True, False):
        model = nn.MLP(4, [6, 3], activation, rng=0)
        opt = make(model.parameters())
        with pytest.warns(RuntimeWarning, match=r"training stopped in epoch \d+: (the loss|a weight) became"):
            history = nn.fit(model, rows, targets, optimizer=opt, epochs=50, compiled=compiled)
        assert history.stopped == "diverged"
        assert all(math.isfinite(x) for x in model.state_dict().values())
        assert all(math.isfinite(x) for s in opt.state for x in s.values())
        assert all(math.isfinite(x) for x in history.loss)
        found.append((len(history.loss), opt.steps, list(model.state_dict().values())))
    assert found[0][:2] == found[1][:2]
    assert found[0][2] == pytest.approx(found[1][2], rel=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("row", "biases", "became"),
    [([1e3], None, "-inf"), ([1e3], [False], "-inf"), ([-1e3, 2e3], [False], "inf"), ([1e3, -2e3], [False], "-inf")],
)
def test_a_last_step_that_overflows_is_taken_back(compiled, row, biases, became):
    """The first weight that is no longer finite is named, whether there are more of them or not."""
    model = nn.MLP(len(row), [1], rng=0, weights=[[[math.copysign(1.0, x) for x in row]]], biases=biases)
    before = model.state_dict()
    sgd = optim.SGD(model.parameters(), 1e308, momentum=0.9)
    with pytest.warns(RuntimeWarning, match=f"in epoch 0: a weight became {became}\\. Try"):
        history = nn.fit(model, [row, row], [0.0, 0.0], optimizer=sgd, epochs=1, compiled=compiled)
    assert (history.stopped, history.loss, sgd.steps) == ("diverged", [], 0)
    assert model.state_dict() == before
    assert sgd.state == [{"v": 0.0}] * len(model.parameters())


def test_callbacks_schedules_and_penalties():
    model = small()
    opt = optim.SGD(model.parameters(), lr=0.1)
    seen = []
    nn.fit(
        model, XS, YS, optimizer=opt, epochs=10, batch_size=21, schedule=optim.ExponentialLR(opt, 0.5),
        penalty=lambda: nn.l2(model.parameters(), 1e-3), callbacks=[lambda k, h: seen.append((k, opt.lr)) or k == 2],
    )  # fmt: skip
    assert [k for k, _ in seen] == [0, 1, 2]
    assert opt.lr == pytest.approx(0.1 * 0.5**3)


def test_ctrl_c_leaves_a_usable_model():
    model = small()

    def interrupt(epoch, history):
        if epoch == 2:
            raise KeyboardInterrupt

    history = nn.fit(model, XS, YS, optimizer="sgd", epochs=50, batch_size=7, callbacks=[interrupt])
    assert history.stopped == "interrupted"
    assert len(history.loss) == 3
    assert math.isfinite(nn.predict(model, XS)[0][0])
    assert not model.training


def test_ctrl_c_within_a_step_leaves_no_half_step(monkeypatch):
    model = small()
    opt = optim.Adam(model.parameters())
    rule, calls = opt.rule, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == len(opt.params) + 3:
            raise KeyboardInterrupt
        return rule(*args)

    seen = []
    monkeypatch.setattr(opt, "rule", interrupted)
    monkeypatch.setattr(opt, "zero_grad", lambda: seen.append((model.state_dict(), [dict(s) for s in opt.state])))
    history = nn.fit(model, XS, YS, optimizer=opt, epochs=50, batch_size=7, compiled=False)
    assert history.stopped == "interrupted"
    assert (model.state_dict(), opt.state) == seen[1]
    assert opt.steps == 1  # the optimiser's state is also that of complete steps


def test_diverging_training_stops_and_says_so():
    model = small()
    with pytest.warns(RuntimeWarning, match="smaller learning rate"):
        history = nn.fit(model, XS, [1e150 * y for y in YS], optimizer=optim.SGD(model.parameters(), 1e9), epochs=50)
    assert history.stopped == "diverged"


def test_targets_are_checked_before_any_weight_changes():
    model = nn.MLP(1, [2])
    before = model.state_dict()
    with pytest.raises(ArgumentError, match=r"row 5 of ys.*class 7"):
        nn.fit(model, XS, [0] * 5 + [7] + [1] * 15, loss="softmax_cross_entropy", batch_size=1)
    assert model.state_dict() == before


def test_foreign_optimisers_and_schedules_are_refused():
    model, other = small(), small(1)
    with pytest.raises(ArgumentError, match="not this model's"):
        nn.fit(model, XS, YS, optimizer=optim.SGD(other.parameters()))
    schedule = optim.ExponentialLR(optim.SGD(model.parameters()), 0.9)
    with pytest.raises(ArgumentError, match="another optimiser"):
        nn.fit(model, XS, YS, optimizer="sgd", schedule=schedule)


def test_a_damaged_optimiser_state_changes_nothing(tmp_path):
    model = small()
    opt = optim.Adam(model.parameters())
    path = nn.save(tmp_path / "m.json", model, opt)
    content = json.loads(path.read_text())
    other = small(1)
    before = other.state_dict()
    for change in ({"steps": "x"}, {"steps": None}, {"steps": -1}, {"state": 5}, {"state": ["ab"]}, {"lr": "a"}):
        path.write_text(json.dumps(content | {"optimizer": content["optimizer"] | change}))
        with pytest.raises(ag.AutogradError):
            nn.load(path, other, optim.Adam(other.parameters()))
        assert other.state_dict() == before
    model.parameters()[0].data = math.nan
    good = path.read_bytes()
    with pytest.raises(ArgumentError, match="not saved"):
        nn.save(path, model)
    assert path.read_bytes() == good


def test_settings_are_restored():
    w = Value(1.0)
    opt = optim.Adam([w], betas=(0.5, 0.6), weight_decay=0.3)
    other = optim.Adam([Value(1.0)])
    other.load_state_dict(json.loads(json.dumps(opt.state_dict())))
    assert (other.betas, other.weight_decay) == ((0.5, 0.6), 0.3)


def test_the_bar_is_shown_on_a_terminal_or_on_request(capfd):
    nn.fit(small(), XS, YS, optimizer="sgd", epochs=2, batch_size=7)
    assert capfd.readouterr() == ("", "")
    nn.fit(small(), XS, YS, optimizer="sgd", epochs=2, batch_size=7, progress=True)
    assert "training" in capfd.readouterr().err


def test_dropout_drops_in_training_only():
    drop = nn.Dropout(0.4, rng=1)
    xs = [Value(1.0) for _ in range(2000)]
    out = [x.data for x in drop(xs)]
    assert set(out) == {0.0, 1.0 / 0.6}
    assert 0.35 < out.count(0.0) / 2000 < 0.45
    assert [x.data for x in nn.Dropout(0.4, rng=1)(xs)] == out
    assert drop.eval()(xs) == xs
    model = nn.Sequential(nn.Layer(1, 3, rng=0), drop, nn.Layer(3, 1, "none", rng=1))
    assert nn.predict(model, [[1.0]]) == nn.predict(model, [[1.0]])
    assert len(model.parameters()) == 10


@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_saved_and_loaded_models_predict_bit_for_bit_the_same(tmp_path, ending):
    model, other = small(0), small(1)
    opt, rest = optim.Adam(model.parameters()), optim.Adam(other.parameters())
    nn.fit(model, XS, YS, optimizer=opt, epochs=2, batch_size=7)
    path = nn.save(tmp_path / f"model.{ending}", model, opt)
    nn.load(path, other, rest)
    assert nn.predict(other, XS) == nn.predict(model, XS)
    nn.fit(model, XS, YS, optimizer=opt, epochs=2, batch_size=7)
    nn.fit(other, XS, YS, optimizer=rest, epochs=2, batch_size=7)
    assert nn.predict(other, XS) == nn.predict(model, XS)


def damaged(path):
    raw = path.read_bytes()
    yield "empty", b""
    yield "cut", raw[: len(raw) // 2]
    yield "random", bytes(random.Random(0).randrange(256) for _ in range(500))
    yield "deep", b"[" * 100_000
    yield "another thing", b'{"a": 1}'
    yield "a huge header", (2**62).to_bytes(8, "little") + raw[8:]


@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_damaged_and_hostile_files_are_refused_and_nothing_is_lost(tmp_path, ending):
    model = small()
    path = nn.save(tmp_path / f"model.{ending}", model)
    before = model.state_dict()
    for what, raw in damaged(path):
        bad = tmp_path / f"bad.{ending}"
        bad.write_bytes(raw)
        with pytest.raises(ArgumentError, match=r"bad.*damaged"):
            nn.load(bad, model)
        assert model.state_dict() == before, what


@pytest.mark.parametrize("unit", [b"{},", b"[],", b'"a":{},'])
def test_files_that_would_fill_the_memory_are_refused_unread(tmp_path, unit):
    path = tmp_path / "bomb.json"
    path.write_bytes(b"[" + unit * (100_000_000 // len(unit)) + b"1]")
    tracemalloc.start()
    try:
        with pytest.raises(ArgumentError, match=r"bomb.json.*16,777,216 bytes.*\.safetensors"):
            nn.load(path, small())
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    path = path.rename(tmp_path / "bomb.safetensors")
    with path.open("r+b") as file:
        file.write((50_000_000).to_bytes(8, "little"))
    with pytest.raises(ArgumentError, match=r"bomb.safetensors is damaged.*16,777,216"):
        nn.load(path, small())
    with path.open("ab") as file:
        file.truncate(2**27 + 1)
    with pytest.raises(ArgumentError, match="134,217,728"):
        nn.load(path, small())


def test_nesting_is_bounded_whatever_the_recursion_limit(tmp_path):
    model = small()
    path = nn.save(tmp_path / "model.json", model)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        for deep in (b"[" * 300_000 + b"]" * 300_000, b'{"a":' * 300_000 + b"1" + b"}" * 300_000, b"[[]]" * 9 + b"{"):
            path.write_bytes(deep)
            with pytest.raises(ArgumentError, match="nested deeper than 8"):
                nn.load(path, model)
    finally:
        sys.setrecursionlimit(before)


def test_brackets_within_names_are_no_nesting(tmp_path):
    class Odd(nn.Module):
        pass

    model, other = Odd(), Odd()
    for name in ('w[[[[[[[[[[["', "{\\", "]"):
        setattr(model, name, Value(1.5))
        setattr(other, name, Value(0.0))
    for ending in ("json", "safetensors"):
        nn.load(nn.save(tmp_path / f"odd.{ending}", model), other)
        assert other.state_dict() == model.state_dict()


def test_a_model_that_could_not_be_read_again_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("nn.files.LARGEST_JSON", 1000)
    nn.save(tmp_path / "small.json", nn.MLP(1, [1]))
    with pytest.raises(ArgumentError, match=r"Save the model as \.safetensors"):
        nn.save(tmp_path / "large.json", nn.MLP(1, [9, 1]))
    assert os.listdir(tmp_path) == ["small.json"]


def test_safetensors_of_other_types_are_refused(tmp_path):
    from safetensors.numpy import save

    path = nn.save(tmp_path / "model.safetensors", nn.MLP(1, [1], rng=0))
    raw = path.read_bytes()
    metadata = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    for array in (np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.uint8), np.zeros((2, 1)), np.array(0.0)):
        path.write_bytes(save({"model": array}, metadata=metadata))
        with pytest.raises(ArgumentError, match="not float64 and 1"):
            nn.load(path, nn.MLP(1, [1]))


def test_a_safetensors_header_may_come_without_padding(tmp_path):
    """One writer pads to eight bytes, but the format does not require it."""
    model, other = nn.MLP(1, [1], rng=0), nn.MLP(1, [1], rng=1)
    raw = nn.save(tmp_path / "model.safetensors", model).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    for extra in range(8):
        header = raw[8 : 8 + size].rstrip() + b" " * extra
        path = tmp_path / "other.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header + raw[8 + size :])
        nn.load(path, other)
        assert other.state_dict() == model.state_dict()
        other = nn.MLP(1, [1], rng=1)


def test_what_is_no_model_is_neither_saved_nor_loaded(tmp_path):
    path = nn.save(tmp_path / "model.json", small())
    for call in (
        lambda: nn.save(path, None),
        lambda: nn.save(path, Value(1.0)),
        lambda: nn.save(path, small(), "adam"),
        lambda: nn.load(path, None),
        lambda: nn.load(path, small(), 3),
    ):
        with pytest.raises(InputError, match=r"Module|Optimizer"):
            call()


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = nn.save(tmp_path / "model.json", small())
    content = json.loads(path.read_text())
    for change, fragment in (
        ({"version": 99}, "version 99"),
        ({"format": "pickle"}, "does not say"),
        ({"model": {**content["model"], "layers.0.neurons.0.bias": float("inf")}}, "finite"),
        ({"model": {**content["model"], "layers.0.neurons.0.bias": "1"}}, "finite number"),
        ({"model": {"a": 1.0}}, "does not fit"),
    ):
        bad = tmp_path / "bad.json"
        bad.write_text(json.dumps(content | change))
        with pytest.raises(ArgumentError, match=fragment):
            nn.load(bad, small())
    with pytest.raises(ArgumentError, match="does not fit"):
        nn.load(path, nn.MLP(1, [7, 1]))
    model = small(1)
    before = model.state_dict()
    with pytest.raises(ArgumentError, match="without one"):
        nn.load(path, model, optim.Adam(model.parameters()))
    assert model.state_dict() == before
    with pytest.raises(ArgumentError, match=r"\.json or \.safetensors"):
        nn.save(tmp_path / "model.pkl", small())
    with pytest.raises(OSError, match="nowhere"):
        nn.save(tmp_path / "nowhere" / "model.json", small())
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none.json", small())


def test_a_save_killed_half_way_leaves_a_whole_file(tmp_path):
    """200 times: a process that saves in a loop is killed; the file always exists and is complete."""
    path = tmp_path / "model.json"
    program = (
        "import sys, nn\n"
        "a, b = nn.MLP(1, [6, 1], 'tanh', rng=0), nn.MLP(1, [6, 1], 'tanh', rng=1)\n"
        "nn.save(sys.argv[1], a); print('.', flush=True)\n"
        "while True: nn.save(sys.argv[1], a); nn.save(sys.argv[1], b)\n"
    )
    known = [small(0).state_dict(), small(1).state_dict()]
    kills = 0
    while kills < 200:
        process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        process.stdout.read(1)
        # One process is stopped many times, and its file checked, before it is killed: each stop stands for a kill.
        for _ in range(40):
            time.sleep(random.Random(kills).random() * 0.002)
            process.send_signal(signal.SIGSTOP)
            model = small(5)
            nn.load(path, model)
            assert model.state_dict() in known
            kills += 1
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()
        model = small(5)
        nn.load(path, model)
        assert model.state_dict() in known
    assert path.name in os.listdir(tmp_path)


def test_plots_are_axes():
    model = small()
    history = nn.fit(model, XS, YS, optimizer="adam", epochs=3, batch_size=7, validation_split=0.2)
    axes = nn.plot_history(history)
    assert axes.get_xlabel() == "epoch"
    assert len(axes.lines) == 2
    plane = nn.plot_decision_regions(lambda x: x[0] - x[1], [[0.0, 1.0], [1.0, 0.0]], [0, 1], points=10)
    assert plane.get_xlabel() == "x1"
    assert nn.plot_history(history, ax=plane) is plane
    for x in (3.0, history.loss, None, Value(1.0)):
        with pytest.raises(InputError, match=r"History that nn\.fit returned"):
            nn.plot_history(x)
    with pytest.raises(ArgumentError, match="two features"):
        nn.plot_decision_regions(lambda x: 1.0, [[1.0]], [0])


def test_decision_regions_reach_beyond_the_data_and_show_them_all():
    rows, labels = [[0.0, 5.0], [2.0, 5.0], [10.0, 5.0], [4.0, 5.0]], [1, -1, 1, -1]
    asked = []
    plane = nn.plot_decision_regions(lambda x: asked.append(x) or x[0] - 3.0, rows, labels, points=14)
    across, up = sorted({x for x, _ in asked}), sorted({y for _, y in asked})
    assert len(asked) == 14 * 14
    np.testing.assert_allclose(across, np.linspace(-1.5, 11.5, 14))  # 15% more on each side
    np.testing.assert_allclose(up, np.linspace(4.85, 5.15, 14), rtol=1e-12)  # around a feature that is constant
    shown = {c.get_label(): c.get_offsets().tolist() for c in plane.collections if c.get_label() in ("-1", "1")}
    assert shown == {"-1": [[2.0, 5.0], [4.0, 5.0]], "1": [[0.0, 5.0], [10.0, 5.0]]}
    (line,) = [c for c in plane.collections if np.allclose(c.get_linewidths(), 1.2)]
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 3.0)  # where the decision changes
    assert [text.get_text() for text in plane.get_legend().get_texts()] == ["-1", "1"]


def test_every_class_is_shown_with_a_look_of_its_own():
    rows = [[float(k), float(k % 3)] for k in range(7)]
    plane = nn.plot_decision_regions(lambda x: x[0] - 2.5, rows, range(7), points=5)
    shown = {c.get_label(): c for c in plane.collections if c.get_label() in "0123456"}
    assert [shown[f"{k}"].get_offsets().tolist() for k in range(7)] == [[row] for row in rows]
    assert len({(c.get_paths()[0].vertices.tobytes(), c.get_facecolor().tobytes()) for c in shown.values()}) == 7


@pytest.mark.parametrize(
    ("loss", "val_loss", "scale", "lines"),
    [([4.0, 2.0], [], "log", 1), ([4.0, 2.0], [5.0, 3.0], "log", 2), ([4.0, 2.0], [5.0, 0.0], "linear", 2),
     ([0.0, 2.0], [], "linear", 1)],
)  # fmt: skip
def test_losses_are_drawn_over_the_epochs(loss, val_loss, scale, lines):
    axes = nn.plot_history(nn.History(loss, val_loss))
    assert axes.get_yscale() == scale
    assert [line.get_ydata().tolist() for line in axes.lines] == [loss, val_loss][:lines]
    assert all(list(line.get_xdata()) == [1, 2] for line in axes.lines)
    assert (axes.get_legend() is not None) == bool(val_loss)


@pytest.mark.parametrize("level", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("distance", [-1.0, 0.0, 1.0])
def test_decisions_that_are_all_the_same_have_no_border(level, distance):
    plane = nn.plot_decision_regions(
        lambda x: level + distance, [[0.0, 1.0], [1.0, 0.0]], [0, 1], level=level, points=5
    )
    assert not any(np.allclose(c.get_linewidths(), 1.2) for c in plane.collections)
    assert len(plane.get_legend().get_texts()) == 2


@pytest.mark.parametrize(
    ("change", "kind", "fragments"),
    [
        ({"xs": []}, ArgumentError, ["xs is empty"]),
        ({"xs": [[1.0], [1.0, 2.0]], "ys": [0, 1]}, ArgumentError, ["row 1 of xs", "2 numbers", "row 0 has 1"]),
        ({"xs": [[1.0], [math.nan]], "ys": [0, 1]}, ArgumentError, ["row 1 of xs", "nan", "column 0"]),
        ({"xs": np.array([[1.0], [np.inf]]), "ys": [0, 1]}, ArgumentError, ["inf"]),
        ({"xs": [["a"]], "ys": [0]}, InputError, ["row 0 of xs", "'a'"]),
        ({"xs": 3.0}, InputError, ["xs"]),
        ({"ys": [1.0]}, ArgumentError, ["21 rows", "not 1"]),
        ({"batch_size": 22}, ArgumentError, ["batch of 22", "21 rows"]),
        ({"batch_size": 0}, ArgumentError, ["batch_size"]),
        ({"epochs": 0}, ArgumentError, ["epochs"]),
        ({"validation_split": 1.0}, ArgumentError, ["validation_split"]),
        ({"validation_split": 0.001}, ArgumentError, ["no row"]),
        ({"tol": -1.0}, ArgumentError, ["tol", "-1.0"]),
        ({"loss": "msee"}, ArgumentError, ["'msee'", "did you mean 'mse'"]),
        ({"optimizer": "adan"}, ArgumentError, ["'adan'", "did you mean"]),
        ({"loss": "softmax_cross_entropy", "ys": [5] * 21}, ArgumentError, ["class 5", "outside"]),
        ({"xs": [[1.0, 2.0]] * 21}, ArgumentError, ["1 inputs", "given 2"]),
        ({"rng": "x"}, InputError, ["seed"]),
        ({"validation_data": XS}, InputError, ["validation_data", "pair"]),
        ({"validation_data": 3.0}, InputError, ["validation_data", "pair"]),
        ({"validation_data": (XS, [1.0])}, ArgumentError, ["21 rows", "not 1"]),
        ({"validation_data": (XS, [math.nan] * 21)}, ArgumentError, ["row 0 of validation ys"]),
        ({"early_stopping": 1.5, "validation_split": 0.2}, ArgumentError, ["early_stopping", "1.5"]),
    ],
)
def test_what_is_refused(change, kind, fragments):
    arguments = {"xs": XS, "ys": YS, "optimizer": "adam", "epochs": 1, "batch_size": 5} | change
    model = small()
    before = model.state_dict()
    with pytest.raises(kind) as error:
        nn.fit(model, arguments.pop("xs"), arguments.pop("ys"), **arguments)
    for fragment in fragments:
        assert fragment in str(error.value)
    assert model.state_dict() == before


def test_dropout_refuses_what_is_no_probability():
    for p in (1.0, -0.1):
        with pytest.raises(ArgumentError, match="probability"):
            nn.Dropout(p)
    with pytest.raises(InputError, match="modules"):
        nn.Sequential(ag.relu)


def test_regions_of_many_classes():
    corners = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]]

    def scores(point):
        return [-((point[0] - x) ** 2) - (point[1] - y) ** 2 for x, y in corners]

    axes = nn.plot_decision_regions(scores, corners, [3, 5, 7, 9], points=9)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["3", "5", "7", "9"]
    drawn = {tuple(x.get_facecolor()[0]) for x in axes.collections[:8] if len(x.get_facecolor())}
    assert len(drawn) >= 4
    with pytest.raises(ArgumentError, match="4 scores for a point, but the data have 2 classes"):
        nn.plot_decision_regions(scores, corners, [0, 1, 1, 0], points=9)
    alone = nn.plot_decision_regions(lambda point: [1.0, 0.0], corners, [0, 0, 1, 1], points=9)
    assert len(alone.get_legend().get_texts()) == 2


def test_a_history_plots_itself():
    history = nn.History([3.0, 2.0], [4.0, 5.0])
    assert [list(line.get_ydata()) for line in history.plot().lines] == [[3.0, 2.0], [4.0, 5.0]]


def test_training_stops_when_its_own_loss_settles():
    model = nn.MLP(1, [1], rng=0)
    settings = {"optimizer": nn.optim.SGD(model.parameters(), 0.1), "batch_size": len(XS), "epochs": 1000}
    history = nn.fit(model, XS, [2.0 * x[0] for x in XS], early_stopping=4, tol=1e-6, **settings)
    assert history.stopped == "early"
    steps = [a - b for a, b in zip(history.loss, history.loss[1:])]  # noqa: B905
    assert max(steps[-4:]) <= 1e-6 < steps[-5]
    again = nn.fit(model, XS, [2.0 * x[0] for x in XS], epochs=7, early_stopping=10)
    assert (again.stopped, len(again.loss)) == ("epochs", 7)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("loss", ["mse", "softmax_cross_entropy"])
def test_weights_count_as_repeated_rows(compiled, loss):
    """One step over all rows: a row of weight 2 beside rows of weight 1 is that row twice."""
    xs, ys = [[0.5, 1.0], [-1.0, 0.3], [0.2, -0.7]], [1, 0, 1]
    weighted, repeated = nn.MLP(2, [4, 2], "tanh", rng=0), nn.MLP(2, [4, 2], "tanh", rng=0)
    targets = ys if loss != "mse" else [[y, 1 - y] for y in ys]
    for model, x, t, given in (
        (weighted, xs, targets, {"sample_weight": [1.0, 2.0, 1.0]}),
        (repeated, [*xs, xs[1]], [*targets, targets[1]], {}),
    ):
        optimizer = nn.optim.SGD(model.parameters(), 0.3)
        settings = {"loss": loss, "epochs": 3, "batch_size": len(x), "compiled": compiled, **given}
        assert nn.fit(model, x, t, optimizer=optimizer, **settings).stopped == "epochs"
    for a, b in zip(weighted.parameters(), repeated.parameters(), strict=True):
        assert a.data == pytest.approx(b.data, rel=1e-12, abs=1e-15)


def test_weights_with_data_held_out():
    model = nn.MLP(1, [1], rng=0)
    history = nn.fit(model, XS, YS, sample_weight=range(1, len(XS) + 1), validation_split=0.3, epochs=2)
    assert len(history.val_loss) == 2
    given = nn.fit(model, XS, YS, sample_weight=[1.0] * len(XS), validation_data=(XS, YS), epochs=1)
    assert given.val_loss[0] == pytest.approx(nn.mean_loss(model, XS, YS), rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "said"),
    [([1.0], "21 rows need as many weights, not 1"), ([-1.0] * 21, "from 0 on"), ([0.0] * 21, "above"), ("x", "x")],
)
def test_weights_that_make_no_sense(weights, said):
    with pytest.raises(ag.AutogradError, match=said):
        nn.fit(small(), XS, YS, sample_weight=weights)
