"""Rows of several columns in and out of native code: every number of columns, on vectors of any width."""

import numpy as np
import pytest

import autograd as ag
from autograd.compiling import native


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_columns_on_any_width_of_vectors(dtype, width):
    if width > native.host().vector_bytes:
        pytest.skip("this machine has no such vectors")
    rng = np.random.default_rng(0)
    for columns in (1, 2, 3, 4, 5, 7, 8, 9, 16, 31):
        f = ag.compile(lambda x: [2.0 * number + k for k, number in enumerate(x)], dtype=dtype)
        f._target = native.narrowed(width)
        for rows in (1, 7, 8, 31, 32, 33, 64, 70):
            wide = rng.integers(-9, 9, size=(rows, columns + 3)).astype(dtype)
            out = np.full((rows + 2, columns), 7.0, dtype)
            f(wide[:, 1:-2], out=out[1:-1])
            assert np.array_equal(out[1:-1], 2.0 * wide[:, 1:-2] + np.arange(columns))
            assert np.all(out[[0, -1]] == 7.0)


def test_only_some_columns_are_needed():
    wanted = [0, 1, 2, 5, 6, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19]
    x = np.random.default_rng(0).normal(size=(65, 20))
    f = ag.compile(lambda x: [x[k] for k in wanted])
    assert np.array_equal(f(x), x[:, wanted])


def test_a_number_that_is_not_finite_is_found_in_every_column():
    """Speculation failed for these rows, so they run again with comparisons."""
    f = ag.compile(lambda x: [ag.where(number > 0.0, ag.sqrt(number), 0.0) * 2.0 for number in x])
    x = np.full((64, 11), 4.0)
    for column in range(11):
        x[:, column] = 0.0
        slopes = f.jacobian(x)
        assert np.array_equal(slopes[:, column], np.zeros((64, 11)))
        x[:, column] = 4.0
