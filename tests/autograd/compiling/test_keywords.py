"""Arguments given by keyword, and what they are called."""

import numpy as np
import pytest

import autograd as ag
from autograd import InputError, Value

X = np.linspace(0.5, 2.0, 7)


def scaled(x, scale=2.0, *, shift=0.0):
    return x * scale + shift


def test_arguments_go_to_their_parameters():
    f = ag.compile(lambda x, y: x - 2.0 * y)
    expected = f(X, X[::-1])
    assert f(X, y=X[::-1]).tolist() == f(y=X[::-1], x=X).tolist() == expected.tolist()
    assert f.grad(y=X, x=X, argnums=1).tolist() == [-2.0] * 7
    value, slopes = f.value_and_grad(X, y=X, argnums=(0, 1))
    assert value.tolist() == (-X).tolist()
    assert len(slopes) == 2
    assert f.hessian(x=X, y=X).shape == f.jacobian(x=X, y=X).shape == (7,)
    w = Value(3.0)
    g = ag.compile(lambda x, y: w * x * y, reduce="sum")
    assert g.backward(y=X, x=X) == g.leaf_gradients(X, y=X)[0] == pytest.approx(3.0 * float(X @ X))


def test_axes_belong_to_parameters():
    f = ag.compile(scaled, in_axes=(0, None))
    assert f(scale=3.0, x=X).tolist() == (3.0 * X).tolist()


def test_values_given_by_keyword_are_one_row():
    y = Value(3.0)
    assert ag.compile(lambda x, y: x * y)(2.0, y=y).data == 6.0


@pytest.mark.parametrize("wrong", [{"z": X}, {"x": X}])
def test_wrong_keywords(wrong):
    with pytest.raises(InputError, match="argument"):
        ag.compile(lambda x, y: x * y)(X, **wrong)


def test_parameters_by_keyword_only_are_bound_before():
    with pytest.raises(InputError, match=r"shift by keyword only.*functools\.partial"):
        ag.compile(scaled)(X, X, shift=X)
