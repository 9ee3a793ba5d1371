"""Which arguments derivatives are taken in: by index, by keyword, and the same for eager and compiled functions."""

import functools

import numpy as np
import pytest

from autograd import ArgumentError, InputError, compile, grad, hessian, jacobian, value_and_grad
from autograd.arguments import by_position, parameters


def product(x, y=2.0, *, scale=1.0):
    return scale * x * y**2


@pytest.mark.parametrize("argnums", [1, -1, np.int64(1), np.array(1), np.uint8(1)])
def test_one_argument(argnums):
    assert grad(product, argnums)(3.0, 5.0) == 30.0
    got = compile(lambda x, y: product(x, y)).grad(np.array([3.0]), np.array([5.0]), argnums=argnums)
    assert got.tolist() == [30.0]


@pytest.mark.parametrize("argnums", [(1,), [1], range(1, 2), np.array([1]), (np.int64(-1),)])
def test_a_sequence_gives_a_tuple(argnums):
    assert grad(product, argnums)(3.0, 5.0) == (30.0,)
    (got,) = compile(lambda x, y: product(x, y)).grad(np.array([3.0]), np.array([5.0]), argnums=argnums)
    assert got.tolist() == [30.0]


@pytest.mark.parametrize(
    ("argnums", "kind", "said"),
    [
        ((), ArgumentError, "names no argument"),
        ((0, -2), ArgumentError, "twice"),
        (2, ArgumentError, "argument 2, but f was called with 2 arguments"),
        ((0, -3), ArgumentError, "argument -3, but f was called with 2 arguments"),
        (True, InputError, "not True"),
        (1.0, InputError, r"not 1\.0"),
        ("x", InputError, "not 'x'"),
        (None, InputError, "not None"),
        ((0, "x"), InputError, "not 'x'"),
    ],
)
def test_what_is_no_index_is_refused_in_the_same_words(argnums, kind, said):
    def f(x, y):
        return x * y

    x = np.ones(2)
    for call in (
        lambda: grad(f, argnums)(1.0, 2.0),
        lambda: jacobian(f, argnums)(1.0, 2.0),
        lambda: hessian(f, argnums)(1.0, 2.0),
        lambda: compile(f).grad(x, x, argnums=argnums),
        lambda: compile(f).hessian(x, x, argnums=argnums),
    ):
        with pytest.raises(kind, match=said):
            call()


def test_arguments_given_by_keyword():
    assert grad(product)(x=3.0) == 4.0
    assert grad(product, 1)(3.0, y=5.0, scale=2.0) == 60.0
    assert grad(product, (0, 1))(y=5.0, x=3.0) == (25.0, 30.0)
    assert grad(product, -1)(x=3.0, y=5.0) == 30.0
    assert value_and_grad(product)(x=3.0, scale=2.0) == (24.0, 8.0)
    assert jacobian(product, 1)(y=5.0, x=3.0) == 30.0
    assert hessian(product, (0, 1))(y=5.0, x=3.0) == ((0.0, 10.0), (10.0, 6.0))
    assert grad(grad(product, 1), 1)(x=3.0, y=5.0) == 6.0
    assert grad(lambda x, **more: x * more["k"])(x=3.0, k=5.0) == 5.0


def test_defaults_fill_the_gap_before_a_keyword():
    f = lambda x, y=2.0, z=3.0: x * y * z
    assert grad(f, 2)(5.0, z=7.0) == 10.0
    assert grad(f, 1)(5.0, z=7.0) == 35.0
    assert by_position(f, (5.0,), {"z": 7.0}) == ((5.0, 2.0, 7.0), {})
    assert by_position(f, (5.0,), {"y": 7.0}) == ((5.0, 7.0), {})


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [({"z": 1.0}, "product: .*'z'"), ({"x": 1.0}, "product: .*'x'")],
)
def test_calls_that_do_not_fit(kwargs, said):
    with pytest.raises(InputError, match=said):
        grad(product)(1.0, **kwargs)


def test_a_missing_argument():
    with pytest.raises(InputError, match="'x'"):
        grad(product)(y=1.0)
    with pytest.raises(ArgumentError, match="product was called with 0 arguments"):
        grad(product)()


class _Line:
    def __init__(self, slope):
        self.slope = slope

    def at(self, x, /, offset=0.0):
        return self.slope * x + offset

    def __call__(self, x, offset):
        return self.at(x, offset)


def test_parameters_of_any_callable():
    assert parameters(product) == ("x", "y")
    assert parameters(_Line(2.0).at) == ("x", "offset")
    assert parameters(_Line(2.0)) == ("x", "offset")
    assert parameters(functools.partial(product, 3.0)) == ("y",)
    assert parameters(grad(product)) == ("x", "y")
    assert parameters(compile(product)) == ("x", "y")
    assert parameters(max) == ()
    assert grad(_Line(2.0).at)(1.0, offset=3.0) == 2.0
    assert grad(_Line(2.0).at, 1)(1.0, offset=3.0) == 1.0
