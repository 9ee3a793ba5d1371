"""Copies of Values under differentiation keep the derivative; operations that would lose it are errors."""

import copy
import pickle
from dataclasses import asdict, dataclass

import pytest

from autograd import AutogradError, GraphError, grad, hessian, jacobian, jvp


@dataclass
class Weights:
    w: float
    b: list


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_keep_derivatives_of_any_order(copied):
    assert grad(lambda p: copied(p)["w"] ** 2)({"w": 3.0}) == {"w": 6.0}
    assert grad(lambda x: copied(x) * x)(3.0) == 6.0
    assert hessian(lambda x: copied(x) ** 3)(2.0) == 12.0
    assert grad(grad(lambda x: copied(x) ** 3))(2.0) == 12.0
    assert jacobian(lambda x: [copied(x[0]) * x[1], copied(x)[0]])([2.0, 3.0]) == [[3.0, 2.0], [1.0, 0.0]]
    assert jvp(lambda x: copied(x) * x, (3.0,), (1.0,)) == (9.0, 6.0)
    assert grad(lambda x: grad(lambda y: copied(x) * y)(1.0) ** 2)(3.0) == 6.0


def test_dataclasses_as_dicts_keep_derivatives():
    f = lambda p: asdict(p)["w"] ** 2 * asdict(p)["b"][0]
    assert grad(f)(Weights(3.0, [2.0])) == Weights(12.0, [9.0])
    assert hessian(f)(Weights(3.0, [2.0])).w == Weights(4.0, [6.0])


@pytest.mark.parametrize("ask", [grad, hessian, jacobian, lambda f: lambda x: jvp(f, (x,), (1.0,))])
def test_what_loses_the_derivative_is_an_error(ask):
    with pytest.raises(AutogradError):
        ask(lambda x: pickle.loads(pickle.dumps(x)) * x)(3.0)
    with pytest.raises(GraphError, match="lost"):
        ask(lambda x: x.item() * x)(3.0)
    with pytest.raises(GraphError, match="lost"):
        ask(lambda x: float(x) * x)(3.0)
