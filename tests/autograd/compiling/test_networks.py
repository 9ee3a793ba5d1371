"""Networks over rows: layers, slopes of activations, and sums of outer products, against matrix products of NumPy."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd.compiling import native
from autograd.compiling.order import close_together
from autograd.compiling.plan import Product, Straight
from autograd.compiling.schedule import schedule
from autograd.compiling.symbols import Writer


def loss(x, t, *parameters, activations=(ag.relu, ag.tanh)):
    """A hinge loss; the hidden layers take the activations in turn."""
    for k, (w, b) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        x = ag.affine(w, x, b)
        if 2 * k + 2 < len(parameters):
            x = [activations[k % 2](net) for net in x]
    return ag.relu(1.0 - t * x[0])


def expected(x, t, *parameters):
    """The sum of the losses and its gradient, with matrices."""
    inputs, slopes = [x], []
    for k, (w, b) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        net = inputs[-1] @ w.T + b
        last = 2 * k + 2 == len(parameters)
        inputs.append(net if last else np.tanh(net) if k % 2 else np.maximum(net, 0.0))
        slopes.append(1.0 if last else 1.0 - np.tanh(net) ** 2 if k % 2 else net > 0)
    losses = 1.0 - t * inputs.pop()[:, 0]
    adjoint = (-t * (losses > 0))[:, None]
    gradient = []
    for w, inner, slope in zip(parameters[-2::-2], reversed(inputs), reversed([1.0, *slopes[:-1]]), strict=True):
        gradient[:0] = [adjoint.T @ inner, adjoint.sum(axis=0)]
        adjoint = adjoint @ w * slope
    return np.maximum(losses, 0.0).sum(), gradient


def network(sizes, rows, dtype="float64"):
    rng = np.random.default_rng(0)
    parameters = []
    for n, m in pairwise(sizes):
        parameters += [rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m) * 0.1]
    data = [rng.normal(size=(rows, sizes[0])), np.sign(rng.normal(size=rows)), *parameters]
    return [a.astype(dtype) for a in data]


def compiled(arguments, f=loss, **options):
    wanted = tuple(range(2, len(arguments)))
    f = ag.compile(f, in_axes=(0, 0, *(None for _ in wanted)), reduce="sum", **options)
    return f, wanted


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", [(7, 1), (3, 9, 1), (2, 16, 16, 1), (11, 7, 5, 1), (30, 33, 18, 6, 1)])
def test_gradients_of_networks(sizes, dtype, width):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    arguments = network(sizes, 300, dtype)
    f, wanted = compiled(arguments, dtype=dtype)
    f._target = native.narrowed(width)
    close = {"rtol": 1e-11, "atol": 1e-11} if dtype == "float64" else {"rtol": 1e-3, "atol": 2e-3}
    for rows in (1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257, 300):
        some = [arguments[0][:rows], arguments[1][:rows], *arguments[2:]]
        value, gradient = f.value_and_grad(*some, argnums=wanted)
        total, slopes = expected(*[a.astype("float64") for a in some])
        np.testing.assert_allclose(value, total, **close)
        for got, exact in zip(gradient, slopes, strict=True):
            np.testing.assert_allclose(got, exact, **close)


def test_any_number_of_threads_gives_the_same_numbers():
    arguments = network((5, 12, 3, 1), 20_011)
    f, wanted = compiled(arguments, threads=1)
    one = f.value_and_grad(*arguments, argnums=wanted)
    for threads in (2, 3, 5):
        f, wanted = compiled(arguments, threads=threads)
        value, gradient = f.value_and_grad(*arguments, argnums=wanted)
        assert value == one[0]
        assert all(np.array_equal(a, b) for a, b in zip(gradient, one[1], strict=True))


# The schedule --------------------------------------------------------------------------------------------------------


def test_only_outputs_of_layers_and_their_adjoints_are_stored():
    """Not the slopes of activations, and of an adjoint and its negative only one."""
    arguments = network((4, 12, 10, 1), 9)
    f, wanted = compiled(arguments, partial(loss, activations=(ag.relu, ag.relu)))
    f.value_and_grad(*arguments, argnums=wanted)
    plan = schedule(f._last.task.program)
    kept = [i for step in plan.steps if isinstance(step, Straight) for i in step.kept]
    assert len(kept) == (12 + 10) + (12 + 10 + 1) + 1  # the last one is the loss


def test_what_a_later_loop_makes_necessary_is_not_moved_behind_it():
    writer = Writer([f"x{k}" for k in range(8)], [f"w{k}" for k in range(8)], strict=False)
    xs = [writer.input("row", k) for k in range(8)]
    ws = [writer.input("shared", k) for k in range(8)]
    m = writer.carrier
    early = m.exp(xs[0])  # its operand is stored to the end, so it can wait for the second loop
    needed = m.exp(xs[1])  # the first loop reads it
    first = writer.dot(ws, [needed, *xs[1:]], 0.0)
    waits = m.sin(m.sin(xs[2]))  # so do these two together
    between = m.sin(first)  # the second loop reads it
    second = writer.dot(ws, [between, *xs[1:]], 0.0)
    stays = m.cos(between)  # its operand is not stored after the second loop, so nothing would be gained
    writer.program.results = [(second * early * waits * stays).i]
    writer.program.sums = [x.i for x in xs]
    plan = schedule(writer.program)
    plan.check()
    code = [[writer.program.code[i].op for i in step.code] for step in plan.steps if isinstance(step, Straight)]
    assert [sorted(set(ops) & {"exp", "sin", "cos"}) for ops in code] == [["exp"], ["cos", "sin"], ["exp", "sin"]]
    assert [ops.count("sin") for ops in code] == [0, 1, 2]


def test_results_are_used_soon_after_they_are_computed():
    writer = Writer([f"x{k}" for k in range(5)], [], strict=False)
    m = writer.carrier
    numbers = [writer.input("row", k) for k in range(5)]
    for function in (m.exp, m.sin, m.cos):
        numbers = [function(x) for x in numbers]
    program = writer.program
    own = [i for i, instruction in enumerate(program.code) if instruction.op != "row"]
    order = close_together(program, own)
    assert sorted(order) == own
    assert [program.code[i].op for i in order] == ["exp", "sin", "cos"] * 5
    assert close_together(program, order) == order


@pytest.mark.parametrize("count", [300, 3000])  # short and long programs are cut differently
def test_terms_of_a_long_sum_are_added_as_they_are_computed_and_not_stored(count):
    writer = Writer(["x"], [], strict=False)
    x = writer.input("row", 0)
    factors, others = [], []
    for _ in range(count):
        x = writer.carrier.sin(x)
        factors.append(x)
        others.append(writer.carrier.cos(x))
    writer.program.results = [writer.dot(factors, others, 0.0).i]
    plan = schedule(writer.program)
    plan.check()
    assert len(plan.steps) > 1
    assert plan.slots < 10


def test_sums_over_given_numbers_stay_loops():
    writer = Writer([f"x{k}" for k in range(900)], [], strict=False)
    xs = [writer.input("row", k) for k in range(900)]
    products = [writer.dot(xs[k : k + 30], xs[n : n + 30], 0.0) for k in range(0, 900, 30) for n in range(0, 900, 30)]
    writer.program.results = [x.i for x in products]
    assert all(isinstance(step, Product) for step in schedule(writer.program).steps)
