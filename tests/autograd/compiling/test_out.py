"""Results that are written into arrays of the caller's: where they go, and arrays that do not do."""

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, InputError

X = np.linspace(0.5, 2.0, 7)


def test_results_go_where_they_are_wanted(tmp_path):
    f = ag.compile(lambda x: ag.exp(x))
    out = np.empty(7)
    assert f(X, out=out) is out
    np.testing.assert_allclose(out, np.exp(X))
    wide = np.zeros((7, 3))
    f(X, out=wide[:, 1])
    np.testing.assert_allclose(wide[:, 1], np.exp(X))
    assert not wide[:, 0].any()
    long = np.linspace(0.0, 1.0, 50)
    shifted = long.copy()
    f(shifted[:-1], out=shifted[1:])
    np.testing.assert_allclose(shifted[1:], np.exp(long[:-1]))
    mapped = np.memmap(tmp_path / "x", dtype=float, mode="w+", shape=(20_000, 2))
    mapped[:] = np.random.default_rng(0).normal(size=mapped.shape)
    result = np.memmap(tmp_path / "y", dtype=float, mode="w+", shape=(20_000,))
    ag.compile(lambda x: x[0] * x[1])(mapped, out=result)
    np.testing.assert_allclose(result, mapped[:, 0] * mapped[:, 1])


@pytest.mark.parametrize(
    ("out", "error", "said"),
    [
        (np.empty(6), ArgumentError, "shape"),
        (np.empty(7, dtype=int), ArgumentError, "cannot be written"),
        (np.empty(7, dtype="U1"), ArgumentError, "cannot be written"),
        (np.empty(7, dtype="S9"), ArgumentError, "cannot be written"),
        (np.empty(7, dtype="V8"), ArgumentError, "cannot be written"),
        ([0.0] * 7, ArgumentError, "arrays"),
        ("x", InputError, "NumPy array"),
        (np.broadcast_to(0.0, 7), ArgumentError, "read-only"),
    ],
)
def test_places_for_results_that_do_not_do(out, error, said):
    with pytest.raises(error, match=said):
        ag.compile(ag.exp)(X, out=out)


def test_several_results_go_into_several_arrays():
    f = ag.compile(lambda x, y: (x * y, [x, y]))
    first, second = np.empty(7), np.empty((7, 2))
    found = f(X, X, out=(first, second))
    assert found[0] is first
    assert found[1] is second
    np.testing.assert_array_equal(second, np.stack([X, X], axis=1))
    value, slope = f.jvp([X, X], [X, 0.0 * X], out=[first, second, None, None])[0], None
    assert value[0] is first
    assert slope is None


def test_columns_of_one_array_do_not_overlap():
    table = np.zeros((7, 3))
    value, slope = ag.compile(ag.square).value_and_grad(X, out=(table[:, 0], table[:, 2]))
    np.testing.assert_allclose(table, np.stack([X * X, 0.0 * X, 2.0 * X], axis=1))
    assert np.shares_memory(value, table)
    assert np.shares_memory(slope, table)


def test_results_that_would_overwrite_each_other_are_refused():
    table = np.zeros((8, 2))
    f = ag.compile(ag.square)
    for pair in ((table[:7, 0], table[1:, 0]), (table[:7, 0], table[:7, 0])):
        with pytest.raises(ArgumentError, match="overlap"):
            f.value_and_grad(X, out=pair)
    assert not table.any()


def test_out_where_nothing_comes_by_row():
    f = ag.compile(lambda x: x, reduce="sum")
    with pytest.raises(ArgumentError, match="summed over the rows"):
        f(X, out=np.empty(7))


def test_a_number_goes_into_an_array_of_no_axis():
    out = np.empty(())
    assert ag.compile(lambda x: 3.0 * x, in_axes=None)(2.0, out=out) is out
    assert out == 6.0


def test_a_result_that_no_memory_holds():
    rows = np.broadcast_to(1.0, 2**45)
    with pytest.raises(MemoryError, match=r"np\.memmap"):
        ag.compile(lambda x: [x] * 100)(rows)
