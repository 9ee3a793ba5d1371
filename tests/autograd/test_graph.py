"""Graph and sweeps: order, accumulation, depth, determinism."""

import asyncio
import gc
import math
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, no_grad
from autograd.graph import depending, is_at_kink, places
from autograd.sweep import adjoints, carried, forward, reverse, tangents

from ..expressions import build, programs
from ..work import growth


def check_topological(order):
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    for node in order:
        assert all(place[x] < place[node] for x in node.inputs)


@settings(max_examples=300)
@given(programs())
def test_inputs_come_before_the_nodes_that_use_them(program):
    leaves, output = build(program)
    order = ag.topological(output)
    check_topological(order)
    assert order[-1] is output
    assert set(ag.leaves(output)) <= set(leaves)


@settings(max_examples=300)
@given(programs())
def test_forward_and_reverse_agree(program):
    _, output = build(program)
    order = ag.topological(output)
    found = adjoints(order)
    for leaf in ag.leaves(output):
        tangents = {leaf: 1.0}
        for _ in forward(order, tangents):
            pass
        a, b = found[leaf], tangents.get(output, 0.0)
        if not all(math.isfinite(p) for n in order for p in n.partials):
            continue  # a negative base has no slope in its exponent
        assert a == pytest.approx(b, rel=1e-9, abs=1e-9 * max(abs(p) for n in order for p in n.partials or (1.0,)))


def test_diamond():
    """b = a + a; c = b·b: the example that needs a topological order."""
    a = Value(2.0)
    b = a + a
    c = b * b
    c.backward()
    assert (b.grad, a.grad) == (8.0, 16.0)


def test_self_product_has_two_edges():
    a = Value(3.0)
    (a * a).backward()
    assert a.grad == 6.0


def test_fan_out_and_shared_subgraphs():
    x = Value(0.5)
    shared = ag.exp(x)
    y = shared * 2 + shared * shared + ag.sin(shared)
    y.backward()
    e = math.exp(0.5)
    assert x.grad == pytest.approx((2 + 2 * e + math.cos(e)) * e, rel=1e-15)


def test_backward_twice_adds_on_leaves_and_never_corrupts():
    x = Value(2.0)
    middle = x * x
    y = middle * x
    y.backward()
    first = x.grad
    y.backward()
    assert x.grad == 2 * first
    assert middle.grad == 2.0
    other = middle * 10.0  # a second graph through the same interior node
    other.backward()
    assert (middle.grad, x.grad) == (10.0, 2 * first + 40.0)


def test_backward_on_a_leaf_and_with_a_gradient():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1.0
    y = x * 3
    x.grad = 0.0
    y.backward(0.5)
    assert x.grad == 1.5


def test_the_record_is_faithful_when_a_leaf_is_changed_later():
    x = Value(3.0)
    y = x * x
    x.data = 100.0
    y.backward()
    assert x.grad == 6.0


def test_the_branch_not_taken_contributes_zero():
    x = Value(0.0)
    risky = ag.sqrt(x) * 5  # slope inf at 0
    y = ag.where(x > 0, risky, x * 2)
    y.backward()
    assert x.grad == 2.0
    infinite = Value(math.inf)
    z = ag.where(True, x * infinite, ag.exp(x))
    assert math.isnan(z.data)
    w = Value(1.0)
    (ag.where(True, w, w * math.nan) * math.inf).backward()
    assert w.grad == math.inf


def test_the_branch_not_taken_contributes_zero_in_forward_mode():
    """0·inf in the forward sweep: an infinite tangent meets the zero slope of ``where``."""

    def f(x):
        return ag.where(x > 0, ag.sqrt(x) * 5, x * 2)

    assert ag.jvp(f, (0.0,), (1.0,)) == (0.0, 2.0)
    x = Value(0.0)
    tangents = {x: 1.0}
    y = f(x)
    for _ in forward(ag.topological(y), tangents):
        pass
    assert tangents[y] == 2.0


@settings(max_examples=200)
@given(programs(), st.sampled_from([1.0, -2.5, math.inf, math.nan, 0.0]))
def test_watched_sweeps_compute_what_the_others_compute(program, seed):
    """``backward``, ``adjoints`` and ``tangents`` are written for speed; the sweeps with events must agree."""
    _, output = build(program)
    order = ag.topological(output)
    for node in order:
        node.grad = 0.0
    output.backward(seed)
    fast = [node.grad for node in order]
    for node in order:
        node.grad = 0.0
    sums = dict.fromkeys(order, 0.0)
    sums[output] = seed
    for step in reverse(order, seed):
        assert step.partial is step.node.partials[step.position]
        assert step.adjoint is step.node.grad
        np.testing.assert_equal(step.contribution, carried(step.adjoint, step.partial))
        sums[step.input] += step.contribution
    np.testing.assert_array_equal([node.grad for node in order], fast)
    np.testing.assert_array_equal([sums[node] for node in order], fast)
    if seed == 1.0:
        np.testing.assert_array_equal(list(adjoints(order).values()), fast)
    given = dict.fromkeys(ag.leaves(output)[:1], seed)
    watched = dict(given)
    sums = dict.fromkeys(order, 0.0)
    for step in forward(order, watched):
        assert step.partial is step.node.partials[step.position]
        np.testing.assert_equal(step.tangent, watched.get(step.input, 0.0))
        sums[step.node] += step.contribution
    plain = tangents(order, given)
    np.testing.assert_array_equal([watched.get(node, 0.0) for node in order], [plain.get(node, 0.0) for node in order])
    np.testing.assert_array_equal([given.get(node, sums[node]) for node in order], [plain[node] for node in order])


def test_a_zero_contributes_zero():
    for other in (1.0, math.inf, -math.inf, math.nan):
        assert (carried(0.0, other), carried(other, 0.0), carried(-0.0, other)) == (0.0, 0.0, 0.0)
    assert carried(2.0, math.inf) == math.inf
    assert math.isnan(carried(2.0, math.nan))


def test_absolute_adjoints_are_the_sums_over_paths_without_signs():
    x = Value(3.0)
    y = x * 2 - x * 5 + ag.where(False, x * math.inf, x)
    found = adjoints(ag.topological(y), absolute=True)
    assert (found[x], adjoints(ag.topological(y))[x]) == (8.0, -2.0)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: ag.topological(3.0), "not at 3.0 of type float"),
        (lambda: ag.leaves(3.0), "not at 3.0 of type float"),
        (lambda: ag.size("y"), "not at 'y' of type str"),
        (lambda: ag.leaves([Value(1.0)]), "star"),
        (lambda: ag.reverse_sweep([]), "topological"),
    ],
)
def test_what_has_no_graph_is_refused_at_once(call, fragment):
    with pytest.raises(ag.AutogradError, match=fragment):
        call()


def test_the_tutorials_graph_both_sweeps():
    """FIGURES §3, exactly."""
    a, b = Value(2.0), Value(1.0)
    c, d = a + b, b + 1
    e = c * d
    assert (c.data, d.data, e.data) == (3.0, 2.0, 6.0)
    assert (c.partials, d.partials, e.partials) == ((1.0, 1.0), (1.0,), (2.0, 3.0))
    tangents = {b: 1.0}
    for _ in forward(ag.topological(e), tangents):
        pass
    assert (tangents[c], tangents[d], tangents[e]) == (1.0, 1.0, 5.0)
    for _ in reverse(ag.topological(e)):
        pass
    assert (c.grad, d.grad, a.grad, b.grad) == (2.0, 3.0, 2.0, 5.0)


def test_nine_paths_are_three_times_three():
    x = Value(1.0)
    y = ag.dot([2.0, 3.0, 4.0], [x, x, x])
    z = ag.dot([5.0, 6.0, 7.0], [y, y, y])
    z.backward()
    assert x.grad == (2 + 3 + 4) * (5 + 6 + 7)


def both_sweeps(n):
    """A task: record a chain of n operations, and sweep over it in both directions."""

    def task():
        x = Value(1.0)
        y = x
        for _ in range(n // 2):
            y = y * 0.5 + 0.5
        y.backward()
        order = ag.topological(y)
        assert len(order) == n + 1
        tangents = {x: 1.0}
        for _ in forward(order, tangents):
            pass
        assert tangents[y] == x.grad == 0.5 ** (n // 2)

    return task


def test_a_million_deep():
    both_sweeps(1_000_000)()
    gc.collect()
    assert growth(both_sweeps, 2000) < 2.1


@pytest.mark.parametrize(
    "step",
    [
        lambda y, x: y * x,
        lambda y, x: y * y + y,  # the number of paths doubles
        lambda y, x: ag.dot([y, x, x], [x, y, 0.5]),
    ],
)
@pytest.mark.parametrize(
    "sweep",
    [
        lambda y, x: y.backward(),
        lambda y, x: adjoints(ag.topological(y)),
        lambda y, x: tangents(ag.topological(y), {x: 1.0}),
        lambda y, x: sum(1 for _ in reverse(ag.topological(y))),
    ],
)
def test_the_work_grows_with_the_number_of_edges(step, sweep):
    def grown(n):
        x = y = Value(0.5)
        for _ in range(n):
            y = step(y, x)
        return lambda: sweep(y, x)

    assert growth(grown, 200) < 2.1


def test_it_is_deterministic_across_processes_and_hash_seeds():
    program = (
        "import autograd as ag, random\n"
        "r = random.Random(3)\n"
        "xs = [ag.Value(r.uniform(-1, 1)) for _ in range(20)]\n"
        "for _ in range(200): xs.append(r.choice(xs) * r.choice(xs) + ag.sin(r.choice(xs)))\n"
        "y = ag.sum(xs); y.backward()\n"
        "print([x.grad for x in xs[:20]], ag.draw(y, limit=10**4).source)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


def test_importing_the_engine_is_light():
    program = "import sys; import autograd; print(*(m for m in sys.modules if m.split('.')[0] in sys.argv[1:]))"
    heavy = ["numpy", "graphviz", "pygraphviz", "rich", "tqdm", "mpmath", "llvmlite", "dataclasses", "inspect"]
    done = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_grad_records_nothing_in_its_own_thread_or_task_only():
    x = Value(2.0)
    inside, outside = threading.Event(), threading.Event()
    seen = {}

    def paused():
        with no_grad():
            inside.set()
            outside.wait()
            seen["paused"] = (x * x).inputs

    thread = threading.Thread(target=paused)
    thread.start()
    inside.wait()
    seen["running"] = (x * x).inputs
    outside.set()
    thread.join()
    assert seen == {"paused": (), "running": (x, x)}

    async def silent():
        with no_grad():
            await asyncio.sleep(0)
            return (x * x).inputs

    async def recording():
        await asyncio.sleep(0)
        return (x * x).inputs

    async def both():
        return await asyncio.gather(silent(), recording())

    assert asyncio.run(both()) == [(), (x, x)]
    assert (x * x).inputs == (x, x)


def test_scopes_nest():
    with ag.scope("model"):
        a = Value(1.0)
        with ag.scope("layer"):
            b = a * 2
        c = b + 1
    assert (a.scope, b.scope, c.scope, (c * 2).scope) == (("model",), ("model", "layer"), ("model",), ())


def test_a_kink_is_at_one_point_only():
    at = {x: is_at_kink(ag.relu(Value(x))) for x in (0.0, 3.0, -3.0, math.inf, math.nan)}
    assert list(at.values()) == [True, False, False, False, False]
    assert not is_at_kink(Value(0.0))
    assert not is_at_kink(Value(0.0) * 2)


def test_which_operands_are_inputs():
    x, y = Value(2.0), Value(5.0)
    assert [places(z) for z in (x * 3.0, 3.0 - x, x / y, x)] == [[0], [1], [0, 1], []]
    assert places(ag.where(x > 0, 1.0, y)) == [2]


def test_what_depends_on_what():
    x, y = Value(2.0), Value(5.0)
    a, b = x * y, y + 1.0
    c = a - b
    order = ag.topological(c)
    assert depending(order, [x]) == {x, a, c}
    assert depending(order, [y]) == {y, a, b, c}
    assert depending(order, [Value(1.0)]).isdisjoint(order)


def test_a_gradient_that_was_assigned_is_summed_in_double_precision():
    for sweep in (lambda y: y.backward(), lambda y: list(ag.reverse_sweep(ag.topological(y)))):
        x = Value(3.0)
        x.grad = np.float32(0.1)
        sweep(x * 3.3)
        assert type(x.grad) is float
        assert x.grad == float(np.float32(0.1)) + 3.3
