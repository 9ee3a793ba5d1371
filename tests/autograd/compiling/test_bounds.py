"""Native code stays inside the arrays that it is given: they end, or begin, at a page without access rights."""

import ctypes
import mmap
import sys

import numpy as np
import pytest

import autograd as ag

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages as Linux does")
PAGE = mmap.PAGESIZE


class Guarded:
    """Memory between two pages without any access."""

    def __init__(self, count, dtype):
        self.dtype = np.dtype(dtype)
        self.bytes = count * self.dtype.itemsize
        self.pages = max(1, -(-self.bytes // PAGE))
        self.memory = mmap.mmap(-1, (self.pages + 2) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        for at in (start, start + (self.pages + 1) * PAGE):
            assert protect(at, PAGE, 0) == 0

    def array(self, shape, at_the_end):
        """An array that touches one of the guards."""
        offset = PAGE + (self.pages * PAGE - self.bytes if at_the_end else 0)
        return np.frombuffer(self.memory, self.dtype, int(np.prod(shape)), offset).reshape(shape)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_nothing_outside_is_touched(dtype, at_the_end):
    w = [ag.Value(0.1 * k) for k in range(9)]

    def f(x, y):
        return [ag.tanh(ag.dot(w[: len(x)], x)) * y, ag.dot(x, x) - y, 3.0]

    compiled = ag.compile(f, dtype=dtype)
    total = ag.compile(lambda x, y: f(x, y)[0], reduce="sum", dtype=dtype)
    for width in (1, 2, 8, 9):
        for rows in (1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65):
            x = Guarded(rows * width, dtype).array((rows, width), at_the_end)
            y = Guarded(rows, dtype).array((rows,), at_the_end)
            out = Guarded(rows * 3, dtype).array((rows, 3), at_the_end)
            slopes = Guarded(rows * width * 3, dtype).array((rows, 3, width), at_the_end)
            x[:], y[:] = 0.5, 2.0
            compiled.value_and_jacobian(x, y, out=(out, slopes))
            total.backward(x, y)
            assert np.all(out[:, 2] == 3.0)
            assert np.all(np.isfinite(slopes))
            backwards = x[::-1]
            np.testing.assert_array_equal(compiled(backwards, y), out)


@pytest.mark.parametrize("at_the_end", [True, False])
def test_loops_touch_nothing_outside(at_the_end):
    def f(x):
        s, ys = ag.scan(lambda s, k: (s * k + x[0], ag.sin(s)), x[0], [x[1], x[2], 0.5])
        return [s + ys[1], ag.while_loop(lambda t: t > 1.0, lambda t: t * 0.5, s * 9.0, 20)]

    compiled = ag.compile(f)
    for rows in (1, 7, 8, 9, 31, 32, 33):
        x = Guarded(rows * 3, "float64").array((rows, 3), at_the_end)
        out = Guarded(rows * 2, "float64").array((rows, 2), at_the_end)
        slopes = Guarded(rows * 6, "float64").array((rows, 2, 3), at_the_end)
        x[:] = np.linspace(0.3, 0.9, rows * 3).reshape(rows, 3)
        compiled.value_and_jacobian(x, out=(out, slopes))
        for row, value, slope in zip(x.tolist(), out, slopes, strict=True):
            np.testing.assert_allclose(value, [y.data for y in f([ag.Value(k) for k in row])], rtol=1e-12)
            np.testing.assert_allclose(slope, ag.jacobian(f)(row), rtol=1e-10, atol=1e-12)
