"""The memory of results: used again when no array refers to it, never before."""

import gc

import numpy as np
import pytest

import autograd as ag
from autograd.compiling.buffers import LARGE, MOST, Buffers

SHAPE = (LARGE // 8,)


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_is_used_again_when_no_array_refers_to_it():
    buffers = Buffers()
    array = buffers.array(SHAPE, np.float64)
    assert place(array) % 64 == 0
    assert array.shape == SHAPE
    assert array.dtype == np.float64
    assert array.flags.c_contiguous
    assert array.flags.writeable
    first = place(array)
    del array
    assert place(buffers.array((SHAPE[0] // 2, 2), np.float64)) == first


@pytest.mark.parametrize(
    "kept",
    [
        lambda array: array[3:],
        lambda array: array.reshape(2, -1).T,
        lambda array: memoryview(array),
        lambda array: np.frombuffer(memoryview(array)[8:]),
        lambda array: [array.view(np.int64)],
        lambda array: np.lib.stride_tricks.as_strided(array, (3,), (8,)),
    ],
)
def test_memory_that_anything_refers_to_is_not_used_again(kept):
    buffers = Buffers()
    array = buffers.array(SHAPE, np.float64)
    first, rest = place(array), kept(array)
    del array
    assert place(buffers.array(SHAPE, np.float64)) != first
    del rest
    gc.collect()
    again = [buffers.array(SHAPE, np.float64) for _ in range(2)]
    assert first in map(place, again)


def test_little_and_much_memory_is_not_kept():
    buffers = Buffers()
    assert buffers.array((3,), np.float32).base is None
    assert buffers.array((MOST,), np.uint8).base is None
    assert buffers.array((0, 5), np.float64).shape == (0, 5)
    arrays = [buffers.array((MOST // 8 + k,), np.uint8) for k in range(20)]
    assert sum(piece.nbytes for piece in buffers._pieces) <= MOST
    assert len({place(array) for array in arrays}) == 20


def test_earlier_results_stay_as_they_are():
    f = ag.compile(lambda x: 2.0 * x)
    rows = np.arange(20_000.0)
    results = [f(rows + k) for k in range(5)]
    assert all(np.array_equal(result, 2.0 * (rows + k)) for k, result in enumerate(results))
    kept = results[3][7:9]
    del results
    for k in range(5):
        f(rows - k)
    assert kept.tolist() == [20.0, 22.0]
