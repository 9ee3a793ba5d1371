"""Logs in files, their verification, and logs of several training steps."""

import json
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import ArgumentError, InputError, Log, Value, steps
from autograd.language import language
from autograd.stepping import record
from demos.worked_example import RATE, network, recorded
from nn import optim

from ..expressions import build, programs


@pytest.fixture
def log():
    model = network(names=True)
    return steps(recorded(model), optim.SGD(model.parameters(), lr=RATE))


@pytest.fixture
def saved(log, tmp_path):
    """The log of the worked example as a dict, and a function that loads it again after changes."""
    content = json.loads(log.save(tmp_path / "run.json").read_text(encoding="utf-8"))

    def load() -> Log:
        (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
        return Log.load(tmp_path / "run.json")

    return content, load


def reloaded(log: Log, path) -> Log:
    return Log.load(log.save(path / "again.json"))


# A file and back ------------------------------------------------------------------------------------------------------


def test_a_loaded_log_is_the_log(log, tmp_path):
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert list(again) == list(log)
    assert again.optimizer == log.optimizer
    assert again.verify()
    assert "\n".join(record.written(again)) == "\n".join(record.written(log))
    root = again.order[-1]
    assert [x.name for x in ag.topological(root)] == [x.name for x in log.order]
    assert ag.draw(root).source.count("grad") == ag.draw(log.order[-1]).source.count("grad")
    assert str(ag.explain(root, wrt="w1")).count("\n") > 5


def test_the_file_is_as_documented(saved):
    content, _ = saved
    assert content["format"] == "autograd-log"
    assert content["root"] == 26
    assert content["optimizer"]["kind"] == "SGD"
    assert content["optimizer"]["lr"] == RATE
    net = content["nodes"][7]
    assert net["label"] == net["name"] == "net_h1"
    assert (net["op"], net["inputs"], net["scope"]) == ("dot", [2, 3, 4, 5, 6], ["hidden layer", "h1"])
    assert net["operands"] == [0.15, 0.2, 0.05, 0.1, 0.35]
    assert content["nodes"][16]["constants"] == {"0": 0.01}
    (update,) = content["updates"]
    assert update["leaves"]["2"] == 0.15
    assert update["events"][0] == ["f", 7, 0.3775]
    assert update["events"][15] == ["b", 26, 0, 1.0, 1.0, 1.0, 1.0]
    assert update["events"][-1][:2] == ["u", 20]


def test_numbers_that_json_lacks(tmp_path):
    a, b = Value(math.inf, name="a"), Value(math.nan, name="b")
    log = steps(ag.sqrt(Value(0.0, name="c")) + a * -1.0 + b * 2.0)
    text = log.save(tmp_path / "run.json").read_text(encoding="utf-8")
    assert '"inf"' in text
    assert '"-inf"' in text
    assert '"nan"' in text
    json.loads(text, parse_constant=pytest.fail)
    assert str(reloaded(log, tmp_path)) == str(log)
    assert log.verify()
    assert reloaded(log, tmp_path).verify()


def test_names_of_all_kinds(tmp_path):
    names = ["", "</script>", 'a"b\\', "重量", "\u202eabc", "\ud800", "\n", "x" * 10_000, "\x00"]
    y = ag.sum([Value(float(k), name=name) for k, name in enumerate(names)])
    log = steps(y)
    again = reloaded(log, tmp_path)
    assert [x.name for x in again.order[:-1]] == names
    assert str(again) == str(log)
    assert again.verify()


def test_a_leaf_that_was_changed_after_it_was_used(tmp_path):
    x, w = Value(2.0, name="x"), Value(3.0, name="w")
    y = x * w
    x.data = 5.0
    log = steps(y)
    assert "= 2·3 = 6" in str(log)
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert log.verify()
    assert again.verify()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs())
def test_random_programs_return_and_verify(tmp_path, program):
    log = steps(build(program)[1])
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert not log.verify().differences
    assert not again.verify().differences


def test_every_row_of_the_table_returns_and_verifies(tmp_path):
    for op in ag.TABLE.values():
        for numbers in op.samples:
            y = ag.value.record(op, [Value(x) for x in numbers])
            again = reloaded(steps(y), tmp_path)
            assert again.verify(), (op, again.verify())
            assert repr([x.partials for x in again.order]) == repr([x.partials for x in ag.topological(y)])


def test_a_log_inside_no_grad_is_loaded_with_its_graph(log, tmp_path):
    path = log.save(tmp_path / "run.json")
    with ag.no_grad():
        again = Log.load(path)
        assert again.verify()
    assert len(ag.topological(again.order[-1])) == 27


def test_what_cannot_be_written(log, tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match=r"end it with \.html or \.json"):
        log.save(tmp_path / "run.pickle")
    with pytest.raises(OSError, match="nowhere"):
        log.save(tmp_path / "nowhere" / "run.json")
    monkeypatch.setattr(record, "LARGEST", 1000)
    with pytest.raises(ArgumentError, match="log fewer samples or fewer updates"):
        log.save(tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []


def test_an_operation_of_the_user_is_verified_but_not_loaded(tmp_path):
    twice = ag.operation("twice", lambda x: 2.0 * x, lambda z, x: 2.0)
    log = steps(twice(Value(3.0)))
    assert log.verify()
    path = log.save(tmp_path / "run.json")
    with pytest.raises(ArgumentError, match=r"run\.json: nodes\[1\]\.op: 'twice' is not in the operation table"):
        Log.load(path)


# Hostile and damaged files --------------------------------------------------------------------------------------------

Change = Callable[[dict], object]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x: x.update(format="log"), "format: must be 'autograd-log'"),
        (lambda x: x.update(version=2), "version: must be 1, not 2"),
        (lambda x: x.update(digits=0), "digits: must be a whole number, from 1 to 17"),
        (lambda x: x.update(nodes={}), "nodes: must be a list"),
        (lambda x: x.update(nodes=[]), "root: must be a whole number, and there is none"),
        (lambda x: x.update(root=27), "root: must be a whole number, from 0 to 26"),
        (lambda x: x.update(root=True), "root: must be a whole number"),
        (lambda x: x.update(root=7), r"nodes[0]: is not part of the graph of the root, node 7"),
        (lambda x: x.update(updates=[]), "updates: must hold at least one"),
        (lambda x: x["nodes"][7].update(op="__import__"), "nodes[7].op: '__import__' is not in the operation table"),
        (lambda x: x["nodes"][7].update(op=["dot"]), "nodes[7].op: must be the name of an operation"),
        (lambda x: x["nodes"][8].update(op="mul"), "nodes[8].operands: are 1, which mul(x, y) does not take"),
        (lambda x: x["nodes"][7].update(inputs=[2, 3, 4, 5, 7]), "nodes[7].inputs[4]: must be an earlier node"),
        (lambda x: x["nodes"][7].update(inputs=[2, 3, 4, 5, -1]), "nodes[7].inputs[4]: must be an earlier node"),
        (lambda x: x["nodes"][7].update(inputs=[2, 3, 4, 5]), "nodes[7].inputs: are 4, with 0 constants"),
        (lambda x: x["nodes"][7].update(partials=[1.0]), "nodes[7].partials: are 1; each of the 5 inputs"),
        (lambda x: x["nodes"][0].update(inputs=[0]), "nodes[0].inputs[0]: must be an earlier node, and there is none"),
        (lambda x: x["nodes"][0].update(operands=[1.0]), "nodes[0]: has no operation, so it has no inputs"),
        (lambda x: x["nodes"][0].update(data="0.4"), "nodes[0].data: must be a number"),
        (lambda x: x["nodes"][0].update(data=True), "nodes[0].data: must be a number"),
        (lambda x: x["nodes"][0].update(name=5), "nodes[0].name: must be text or null, not 5"),
        (lambda x: x["nodes"][0].update(scope="ab"), "nodes[0].scope: must be a list of names"),
        (lambda x: x["nodes"][16].update(constants={"-0": 1}), "nodes[16].constants.-0: must be the number of one of"),
        (lambda x: x["updates"][0]["leaves"].pop("0"), "updates[0].leaves: must have the value of node 0"),
        (lambda x: x["updates"][0]["leaves"].update({"7": 1.0}), "updates[0].leaves.7: is no leaf"),
        (lambda x: x["updates"][0].update(graph=1), "updates[0].graph: must be a whole number, from 0 to 0"),
        (lambda x: x["updates"][0].update(number=0), "updates[0].number: must be"),
        (lambda x: x["updates"][0]["events"].pop(0), "updates[0].events: must have a forward event of node 7"),
        (lambda x: x["updates"][0]["events"].insert(1, ["f", 7, 1]), "updates[0].events[1][1]: node 7 is computed"),
        (lambda x: x["updates"][0]["events"].insert(3, ["b", 99, 0, 1, 1, 1, 1]), "events[3][1]: must be a node"),
        (lambda x: x["updates"][0]["events"].insert(3, ["b", 0, 0, 1, 1, 1, 1]), "events[3][2]: must be one of"),
        (lambda x: x["updates"][0]["events"].insert(16, ["f", 7, 1]), "events[16]: forward events come first"),
        (lambda x: x["updates"][0]["events"].insert(3, ["f", 7]), "events[3]: a 'f' event has 3 parts, not 2"),
        (lambda x: x["updates"][0]["events"].insert(3, "f"), "events[3]: must be a list that begins with"),
        (lambda x: x["updates"][0]["events"][-1].__setitem__(8, "f(" * 99), "events[54][8]: "),
        (lambda x: x["updates"][0]["events"][-1].__setitem__(8, "9" * 201), "events[54][8]: has 201 characters"),
        (lambda x: x["updates"][0]["events"][-1].__setitem__(8, "().__class__"), "is no formula"),
        (lambda x: x.update(losses=[]), "losses: must hold a number for each of 1"),
        (lambda x: x.update(optimizer={"lr": {}}), "optimizer.lr: must be a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said_with_its_place(saved, change: Change, text):
    content, load = saved
    change(content)
    with pytest.raises(ArgumentError, match=re.escape(text)) as caught:
        load()
    assert str(caught.value).startswith("run.json: ")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "not valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"\xff\xfe", "not valid JSON"),
        (b"9" * 10_000, "not valid JSON"),
        (b'{"format": NaN}', 'NaN is no JSON; write "nan"'),
        (b'{"format": 1, "format": 2}', "'format' stands twice"),
        (b"[]", "a log is an object"),
        (b'{"format": "autograd-log", "version": 1, "root": 0, "nodes": [{"data": 1e999}]}', "too large for a number"),
        (
            b'{"format": "autograd-log", "version": 1, "root": 0, "nodes": [{"data": 1' + b"0" * 400 + b"}]}",
            "too large for a number",
        ),
    ],
)
def test_files_that_are_no_logs(tmp_path, raw, text):
    path = tmp_path / "run.json"
    path.write_bytes(raw)
    with pytest.raises(ArgumentError, match=re.escape(text)):
        Log.load(path)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        Log.load(tmp_path / "none.json")
    with pytest.raises(ArgumentError, match="no ordinary file"):
        Log.load(tmp_path)
    (tmp_path / "big.json").write_bytes(b" " * 2000)
    monkeypatch.setattr(record, "LARGEST", 1000)
    with pytest.raises(ArgumentError, match="has 2,000 bytes; logs are read up to 1,000"):
        Log.load(tmp_path / "big.json")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_anything_in_any_place_is_read_or_refused(tmp_path, data):
    x = Value(2.0, name="x")
    path = steps(ag.exp(x) * x + 1.0, optim.Adam([x])).save(tmp_path / "run.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    at, key = content, data.draw(st.sampled_from(sorted(content)))
    while isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
        at = at[key]
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
    at[key] = data.draw(
        st.none() | st.booleans() | st.integers(-5, 9) | st.just(10**400) | st.text() | st.sampled_from([[], {}, "nan"])
    )
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        again = Log.load(path)
    except ArgumentError:
        return
    assert str(again)
    assert str(again.verify())


# Verification ---------------------------------------------------------------------------------------------------------


def test_every_changed_digit_is_found(log, tmp_path):
    path = log.save(tmp_path / "run.json")
    text = path.read_text(encoding="utf-8")
    places = [m.start() for m in re.finditer(r"\d", text)]
    for at in places[3::61]:
        path.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}", encoding="utf-8")
        try:
            again = Log.load(path)
        except ArgumentError:
            continue
        assert not again.verify(), text[at - 60 : at + 20]


@pytest.mark.parametrize("optimizer", [optim.SGD, optim.Adam, optim.RMSprop])
def test_a_changed_digit_of_an_event_is_named(tmp_path, optimizer):
    """One number of an event is changed in its last digit or another one: the report names this event and no other."""
    model = network(names=True)
    log = steps(recorded(model), optimizer(model.parameters(), lr=0.01))
    path = log.save(tmp_path / "run.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    events = content["updates"][0]["events"]
    for number, event in enumerate(events, 1):
        first = {"f": 2, "b": 3, "u": 2}[event[0]]
        for k in range(first, len(event)):
            if not isinstance(event[k], float):
                continue
            for changed in (math.nextafter(event[k], 9.0), event[k] * 1.1 + 1e-4):
                right, event[k] = event[k], changed
                path.write_text(json.dumps(content), encoding="utf-8")
                event[k] = right
                differences = Log.load(path).verify().differences
                assert {x.event for x in differences} == {number}, (event, k)


def test_a_report_says_what_it_should_be(saved):
    content, load = saved
    content["updates"][0]["events"][21][4] = 0.5832699921071872
    report = load().verify()
    assert not report
    assert str(report) == (
        "not verified: 1 difference in 55 events\n"
        "  event 22, net_o2 → w7: the partial is recorded as 0.5832699921071872, but should be 0.5932699921071872"
    )

    with language("zh"):
        assert str(report) == (
            "验证未通过：55 个事件中有 1 处不同\n"
            "  事件 22，net_o2 → w7 的偏导数：记录的是 0.5832699921071872，应为 0.5932699921071872"
        )
        assert report.differences[0].what == "net_o2 → w7: the partial"  # data are in English
    del content["updates"][0]["events"][21]
    with language("zh"):
        assert not re.search("[a-z]{2,} [a-z]{2,} ", str(load().verify()))


def test_a_gradient_that_is_passed_on_too_early_twice_or_not_at_all(saved):
    content, load = saved
    events = content["updates"][0]["events"]
    lost = events.pop(17)
    assert "E_o2: the number of inputs that its gradient reaches is recorded as 0, but should be 1" in str(
        load().verify()
    )
    events.insert(17, lost)
    events.insert(18, lost)
    twice = "E_o2 → (0.99 − out_o2)²: the edge is recorded as processed twice, but should be processed once"
    for number in (18, 19):
        assert f"event {number}, {twice}" in str(load().verify())
    del events[18]
    early = events.pop(39)
    events.insert(20, early)
    assert [str(x) for x in load().verify().differences] == [
        "event 21, net_h2 → i2: the adjoint is recorded as 0.009954254705217198, but should be 0.0",
        "event 37, out_h2 → net_h2: the place is recorded as here, but should be before net_h2 → …",
    ]


def test_a_trace_written_by_hand(tmp_path):
    """Nodes in another order, four digits, integers, no checksums and no texts."""
    content = {
        "format": "autograd-log", "version": 1, "root": 3,
        "nodes": [
            {"name": "w", "data": 0.5}, {"name": "x", "data": 1.25},
            {"op": "mul", "inputs": [0, 1], "operands": [0.5, 1.25], "partials": [1.25, 0.5], "data": 0.625},
            {"op": "sigmoid", "inputs": [2], "operands": [0.625], "partials": [0.2271], "data": 0.6514},
        ],
        "updates": [{"leaves": {"0": 0.5, "1": 1.25}, "events": [
            ["f", 2, 0.625], ["f", 3, 0.6514],
            ["b", 3, 0, 1, 0.2271, 0.2271, 0.2271],
            ["b", 2, 1, 0.2271, 0.5, 0.1135, 0.1135],
            ["b", 2, 0, 0.2271, 1.25, 0.2839, 0.2839],
            ["u", 0, 0.5, 0.2839, 0.4716, "", "", {"w": 0.5, "lr": 0.1, "g": 0.2839}],
        ]}],
    }  # fmt: skip
    path = tmp_path / "hand.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    log = Log.load(path)
    assert log[1].result == 0.6514
    assert log[-1].formula == "w − η·grad"
    assert not log.verify()
    assert log.verify(relative=1e-3)
    content["updates"][0]["events"][3][3] = 0.2721
    path.write_text(json.dumps(content), encoding="utf-8")
    assert [str(x) for x in Log.load(path).verify(relative=1e-3).differences] == [
        "event 4, w·x → x: the adjoint is recorded as 0.2721, but should be 0.2271",
    ]


def test_relative_is_a_number():
    log = steps(Value(1.0) * 2.0)
    for wrong in (-1.0, 1.0, math.nan, True, "1"):
        with pytest.raises(ArgumentError, match="relative is a number"):
            log.verify(relative=wrong)


# Several training steps -----------------------------------------------------------------------------------------------


def test_one_update_of_a_function_is_the_log_of_its_value(log):
    model = network(names=True)
    again = steps(lambda: recorded(model), optim.SGD(model.parameters(), lr=RATE))
    assert str(again) == str(log)
    assert list(again.losses) == [0.2983711087600027]


@pytest.mark.parametrize("kind", optim.OPTIMIZERS.values())
def test_a_run_does_what_training_does(kind, tmp_path):
    model, twin = network(names=True), network(names=True)
    log = steps(lambda: recorded(model), kind(model.parameters(), lr=RATE), updates=4)
    optimizer = kind(twin.parameters(), lr=RATE)
    for k in range(4):
        before = {p.name: p.data for p in twin.parameters()}
        assert before.items() <= log.updates[k].leaves.items()
        optimizer.zero_grad()
        loss = recorded(twin)
        loss.backward()
        optimizer.step()
        assert loss.data == log.losses[k] == log.updates[k].loss
        assert [e.gradient for e in log.updates[k].events[-8:]] == [p.grad for p in twin.parameters()]
    assert [p.data for p in model.parameters()] == [p.data for p in twin.parameters()]
    assert len(log) == 4 * 55
    assert log[55:110] == list(log.updates[1].events)
    assert log.updates[0].graph is log.updates[3].graph
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert log.verify()
    assert again.verify()
    assert "══ update 4 of 4 · loss " in str(log)


def test_graphs_may_differ_from_update_to_update(tmp_path):
    w = Value(2.0, name="w")
    turn = iter([1.0, 0.0, 3.0, 1.0])

    def loss():
        factor = next(turn)
        return ag.exp(w) + w * factor if factor else w * w

    log = steps(loss, optim.SGD([w], lr=0.1), updates=4)
    assert log.updates[3].graph is log.updates[0].graph
    assert len({x.graph for x in log.updates}) == 3
    assert log.verify()
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert again.verify()
    assert "\n".join(record.written(again)) == "\n".join(record.written(log))


def test_a_parameter_that_only_some_updates_use(tmp_path):
    a, b = Value(2.0, name="a"), Value(3.0)
    turn = iter(range(3))
    log = steps(lambda: b * b if next(turn) == 0 else a * a, optim.SGD([a, b], lr=0.1), updates=3)
    assert (b.data, b.grad) == (2.4, 0.0)  # its gradient of the first update is not used again
    assert [e.node for e in log if e.sweep == "update"] == ["a", "v1", "a", "parameter 2", "a", "parameter 2"]
    assert str(reloaded(log, tmp_path)) == str(log)
    assert reloaded(log, tmp_path).verify()


def test_a_long_run_is_thinned_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("autograd.stepping.log.MOST_EVENTS", 55 * 10)
    model, twin = network(names=True), network(names=True)
    log = steps(lambda: recorded(model), optim.SGD(model.parameters(), lr=RATE), updates=50)
    assert [x.number for x in log.updates] == [1, 9, 17, 25, 33, 41, 49, 50]
    assert len(log.losses) == 50
    assert str(log).startswith("kept of 50 updates: 1, 9, 17, 25, 33, 41, 49, 50\n══ update 1 of 50 · loss 0.298371")
    optimizer = optim.SGD(twin.parameters(), lr=RATE)
    for _ in range(50):
        optimizer.zero_grad()
        recorded(twin).backward()
        optimizer.step()
    assert [p.data for p in model.parameters()] == [p.data for p in twin.parameters()]
    again = reloaded(log, tmp_path)
    assert str(again) == str(log)
    assert list(again.losses) == list(log.losses)
    assert again.verify()


def test_what_several_updates_need():
    x = Value(1.0)
    optimizer = optim.SGD([x], lr=0.1)
    with pytest.raises(ArgumentError, match="need a function that records the loss again"):
        steps(x * x, optimizer, updates=2)
    with pytest.raises(ArgumentError, match="2 updates need an optimiser"):
        steps(lambda: x * x, updates=2)
    for wrong in (0, -1, True, 1.5, "2"):
        with pytest.raises(ArgumentError, match="updates is a whole number from 1 on"):
            steps(lambda: x * x, optimizer, updates=wrong)
    with pytest.raises(InputError, match=r"must return the Value that it computed, not 2\.0"):
        steps(lambda: 2.0, optimizer)
    assert x.data == 1.0
