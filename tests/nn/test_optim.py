"""Optimisers, schedules and clipping, against PyTorch's own numbers; parabola and Rosenbrock; state; refusals."""

import json
import math
from pathlib import Path

import pytest

import autograd as ag
import nn
from autograd import ArgumentError, InputError, Value
from nn import optim

GOLDEN = json.loads((Path(__file__).parent / "torch_golden.json").read_text())


def made(row, params):
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in row["settings"].items()}
    return getattr(optim, row["name"])(params, **settings)


def ids(row):
    return row["name"] + " " + ",".join(row["settings"])


@pytest.mark.parametrize("row", GOLDEN["optimizers"], ids=ids)
def test_25_steps_on_given_gradients(row):
    params = [Value(x) for x in GOLDEN["start"]]
    opt = made(row, params)
    for k, want in enumerate(row["trace"]):
        for p, g in zip(params, GOLDEN["gradients"][k % len(GOLDEN["gradients"])], strict=True):
            p.grad = g
        opt.step()
        assert [p.data for p in params] == pytest.approx(want, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("row", GOLDEN["optimizers"], ids=ids)
def test_25_steps_on_a_net(row):
    model = nn.MLP(
        2, [2, 2], "sigmoid", output_activation="sigmoid",
        weights=[[[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45], [0.5, 0.55]]], biases=[0.35, 0.6],
    )  # fmt: skip
    opt = made(row, model.parameters())
    for want in row["net"]["losses"]:
        opt.zero_grad()
        loss = nn.half_squared_error(model([0.05, 0.1]), [0.01, 0.99])
        assert loss.data == pytest.approx(want, rel=1e-12)
        loss.backward()
        opt.step()
    weights = [w.data for layer in model.layers for n in layer.neurons for w in n.weights]
    assert weights == pytest.approx(row["net"]["weights"], rel=1e-12)


# A new optimiser is one row: its name, and settings with which it reaches the minimum in 3000 steps.
TO_THE_BOTTOM = {
    "sgd": {"lr": 0.002, "momentum": 0.9},
    "adagrad": {"lr": 0.5},
    "adadelta": {"lr": 0.1, "eps": 1e-5},
    "rmsprop": {"lr": 0.002},
    "adam": {"lr": 0.05},
    "adamw": {"lr": 0.05, "weight_decay": 0.0},
    "adamax": {"lr": 0.05},
}


def test_every_optimiser_is_in_the_table():
    assert set(TO_THE_BOTTOM) == set(optim.OPTIMIZERS)


@pytest.mark.parametrize("name", TO_THE_BOTTOM)
@pytest.mark.parametrize(
    ("f", "start", "bottom"),
    [
        (lambda x, y: (x - 3.0) ** 2 + 2.0 * (y + 1.0) ** 2, (0.0, 0.0), (3.0, -1.0)),
        (lambda x, y: (1.0 - x) ** 2 + 10.0 * (y - x * x) ** 2, (-0.5, 0.5), (1.0, 1.0)),
    ],
    ids=["parabola", "rosenbrock"],
)
def test_it_finds_the_bottom(name, f, start, bottom):
    params = [Value(x) for x in start]
    opt = optim.by_name(name)(params, **TO_THE_BOTTOM[name])
    for _ in range(3000):
        opt.zero_grad()
        f(*params).backward()
        opt.step()
    assert [p.data for p in params] == pytest.approx(bottom, abs=0.05)


@pytest.mark.parametrize("row", GOLDEN["optimizers"], ids=ids)
def test_training_goes_on_from_a_saved_state(row):
    def step(params, opt, k):
        for p, g in zip(params, GOLDEN["gradients"][k % 4], strict=True):
            p.grad = g
        opt.step()

    first = [Value(x) for x in GOLDEN["start"]]
    opt = made(row, first)
    for k in range(7):
        step(first, opt, k)
    second = [Value(p.data) for p in first]
    other = made(row, second)
    other.load_state_dict(json.loads(json.dumps(opt.state_dict())))
    for k in range(7, 12):
        step(first, opt, k)
        step(second, other, k)
    assert [p.data for p in first] == [p.data for p in second]


@pytest.mark.parametrize("row", GOLDEN["optimizers"], ids=ids)
def test_updates_can_be_logged_and_their_formula_holds(row):
    w = Value(0.5, name="w")
    opt = made(row, [w])
    log = ag.steps(w * 3.0, opt)
    (update,) = [e for e in log if e.sweep == "update"]
    assert update.new == w.data
    assert "w ← w − η" in str(log)
    for gradient in (3.0, -1.0, 0.5):
        w.grad = gradient
        (update,) = opt.updates()
        assert (update.parameter, update.gradient) == (w, gradient)
        named = {**update.terms, "sqrt": math.sqrt}
        assert eval(update.formula, {"__builtins__": {}}, named) == pytest.approx(w.data, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (lambda w: optim.SGD([w], momentum=0.25), {"v": 2.0}),
        (lambda w: optim.Adagrad([w]), {"sum": 4.0}),
        (lambda w: optim.RMSprop([w], alpha=0.25, centered=True), {"v": 3.0, "mean": 1.5}),
        (lambda w: optim.Adam([w], betas=(0.25, 0.5)), {"m": 1.5, "v": 2.0}),
        (lambda w: optim.Adamax([w], betas=(0.25, 0.5), eps=0.5), {"m": 1.5, "u": 2.5}),
    ],
)
def test_what_is_remembered_after_one_gradient_of_2(make, state):
    w = Value(1.0)
    opt = make(w)
    w.grad = 2.0
    opt.step()
    assert opt.state == [state]


@pytest.mark.parametrize("row", GOLDEN["schedules"], ids=ids)
def test_schedules(row):
    opt = optim.SGD([Value(0.0)], lr=0.1)
    schedule = getattr(optim, row["name"])(opt, **row["settings"])
    rates = [opt.lr]
    for _ in range(len(row["rates"]) - 1):
        schedule.step()
        rates.append(opt.lr)
    if row["name"] == "CosineAnnealingLR":  # PyTorch goes up again by a recursion; the formula is the same up to T_max
        assert rates[:11] == pytest.approx(row["rates"][:11], rel=1e-12)
    else:
        assert rates == pytest.approx(row["rates"], rel=1e-12)


def test_defaults_that_pytorch_also_has():
    def rates(make, *settings):
        opt = optim.SGD([Value(0.0)])
        schedule, found = make(opt, *settings), []
        for _ in range(7):
            found.append(opt.lr)
            schedule.step()
        return found

    fifths = [(5.0 + 2.0 * k) / 15.0 * 1e-3 for k in range(5)]  # from a third of the rate to all of it
    for found, expected in (
        (rates(optim.StepLR, 2), [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5, 1e-6]),
        (rates(optim.CosineAnnealingLR, 6)[::3], [1e-3, 0.5e-3, 0.0]),
        (rates(optim.LinearLR), [*fifths, 1e-3, 1e-3]),
    ):
        assert found == pytest.approx(expected, rel=1e-14)


def test_clipping():
    for limit, want in GOLDEN["clipped"].items():
        params = [Value(x) for x in GOLDEN["start"]]
        for p, g in zip(params, GOLDEN["gradients"][0], strict=True):
            p.grad = g
        assert optim.clip_grad_norm(params, float(limit)) == pytest.approx(want["norm"], rel=1e-15)
        assert [p.grad for p in params] == pytest.approx(want["gradient"], rel=1e-12)
    optim.clip_grad_value(params, 0.5)
    assert [p.grad for p in params] == [0.3, -0.5, 0.05, 0.5]


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: optim.by_name("addam"), ArgumentError, ["'addam'", "did you mean", "'adam'"]),
        (lambda: optim.Adam([Value(1.0)], betas=(0.9, 1.0)), ArgumentError, ["betas[1]", "1.0"]),
        (lambda: optim.Adam([Value(1.0)], betas=0.9), ArgumentError, ["betas"]),
        (lambda: optim.SGD([Value(1.0)], nesterov=True), ArgumentError, ["momentum"]),
        (lambda: optim.RMSprop([Value(1.0)], eps=-1.0), ArgumentError, ["eps"]),
        (lambda: optim.SGD([Value(1.0)], lr="fast"), InputError, ["'fast'"]),
        (lambda: optim.StepLR(optim.SGD([Value(1.0)]), step_size=0), ArgumentError, ["step_size"]),
        (lambda: optim.StepLR(optim.SGD([Value(1.0)]), step_size=1.5), ArgumentError, ["step_size", "1.5"]),
        (lambda: optim.StepLR(1.5, 2), InputError, ["schedule", "1.5"]),
        (lambda: optim.ExponentialLR(Value(1.0), 0.9), InputError, ["schedule"]),
        (lambda: optim.SGD([Value(1.0)], nesterov="no", momentum=0.9), ArgumentError, ["nesterov", "'no'"]),
        (lambda: optim.clip_grad_norm([Value], 1.0), InputError, ["model.parameters()", "class"]),
        (lambda: optim.clip_grad_value([1.0], 1.0), InputError, ["model.parameters()", "1.0"]),
        (lambda: optim.Adam([Value(1.0)]).load_state_dict({}), ArgumentError, ["no optimiser"]),
        (
            lambda: optim.Adam([Value(1.0)]).load_state_dict(optim.SGD([Value(1.0)]).state_dict()),
            ArgumentError, ["SGD", "Adam"],
        ),
        (
            lambda: optim.Adam([Value(1.0)]).load_state_dict(optim.Adam([Value(1.0), Value(2.0)]).state_dict()),
            ArgumentError, ["2 parameters", "1 parameters"],
        ),
    ],
)  # fmt: skip
def test_what_is_refused(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)


# Invalid settings by name, for a constructor and for a state that is loaded.
IMPOSSIBLE = {
    "lr": [-0.1, float("nan"), float("inf"), "fast", None, True],
    "weight_decay": [-1.0, float("nan"), "a"],
    "momentum": [-0.5, float("nan"), float("inf")],
    "dampening": [float("nan"), float("inf")],
    "nesterov": ["yes", None],
    "centered": ["yes", None],
    "lr_decay": [-1.0, float("nan")],
    "eps": [0.0, -1e-8, float("nan"), float("inf"), "a"],
    "rho": [1.0, -0.1, float("nan")],
    "alpha": [1.0, -0.1, float("nan")],
    "betas": [[0.9], [0.9, 1.0], [-0.1, 0.9], [0.9, 0.9, 0.9], [float("nan"), 0.9], 0.9, "ab", ["a", "b"]],
}


@pytest.mark.parametrize("kind", optim.OPTIMIZERS.values(), ids=optim.OPTIMIZERS)
def test_impossible_settings_are_refused_wherever_they_come_from(kind):
    w = Value(1.0)
    opt = kind([w], lr=0.25)
    before = opt.state_dict()
    names = ["lr", "weight_decay", *opt.checks]
    for name in names:
        argument = "weight_decay" if name == "decay" else name
        for x in IMPOSSIBLE[argument]:
            with pytest.raises(ag.AutogradError):
                kind([w], **({"lr": 0.1} | {argument: x}))
            bad = before | ({"lr": x} if name == "lr" else {"settings": before["settings"] | {name: x}})
            with pytest.raises(ag.AutogradError):
                opt.load_state_dict(bad)
            assert opt.state_dict() == before
    assert set(before["settings"]) == {*names} - {"lr"}  # every setting is in the table


def test_settings_that_do_not_go_together_are_refused_when_loaded():
    opt = optim.SGD([Value(1.0)], lr=0.1)
    state = opt.state_dict()
    with pytest.raises(ArgumentError, match="nesterov"):
        opt.load_state_dict(state | {"settings": state["settings"] | {"nesterov": True}})
    assert opt.state_dict() == state
    with pytest.raises(ArgumentError, match="with v are needed"):
        opt.load_state_dict(state | {"settings": state["settings"] | {"momentum": 0.9}})
    assert opt.state_dict() == state


def test_a_state_brings_its_memory_and_formula_along():
    w = Value(1.0)
    first, second = optim.RMSprop([w], momentum=0.9, centered=True), optim.RMSprop([Value(1.0)])
    w.grad = 1.0
    first.step()
    second.load_state_dict(first.state_dict())
    assert (second.formula, second.memory, second.state) == (first.formula, first.memory, first.state)
    second.step()


@pytest.mark.parametrize("kind", optim.OPTIMIZERS.values(), ids=optim.OPTIMIZERS)
def test_a_state_that_could_not_be_is_refused(kind):
    """The means of squared gradients are never negative, because the next step takes their root."""
    opt = kind([Value(1.0)], lr=0.25)
    before = opt.state_dict()
    for steps in (-1, 2**53 + 1, 10**400, 0.5, float("nan"), float("inf"), "1", None):
        with pytest.raises(ArgumentError, match="damaged"):
            opt.load_state_dict(before | {"steps": steps})
    for name in opt.memory:
        good, bad = dict.fromkeys(opt.memory, 0.0), [float("nan"), float("inf")]
        for x in [*bad, -1.0] if name in opt.squares else bad:
            with pytest.raises(ArgumentError, match=f"damaged: it remembers {name} = "):
                opt.load_state_dict(before | {"state": [good | {name: x}]})
        assert opt.state_dict() == before
        if name not in opt.squares:
            opt.load_state_dict(before | {"state": [good | {name: -1.0}]})
            opt.step()
            opt.load_state_dict(before)


def test_the_names_of_squares_are_those_that_a_root_or_a_division_takes():
    assert {name: set(kind.squares) for name, kind in optim.OPTIMIZERS.items()} == {
        "sgd": set(), "adagrad": {"sum"}, "adadelta": {"v", "delta"}, "rmsprop": {"v"},
        "adam": {"v"}, "adamw": {"v"}, "adamax": {"u"},
    }  # fmt: skip
