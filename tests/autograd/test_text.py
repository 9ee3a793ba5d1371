"""What error texts say of any object: short, at once, and never an error of its own."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.text import shown


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


def _deep() -> list:
    inner: list = []
    for _ in range(100_000):
        inner = [inner]
    return inner


def _cyclic() -> list:
    x: list = []
    x.append(x)
    return x


HOSTILE = (_deep, _cyclic, Unprintable, lambda: 10**5000, lambda: "x" * 100_000, lambda: np.zeros(10_000))


@pytest.mark.parametrize("make", HOSTILE)
def test_any_object_is_shown_in_a_few_characters(make):
    assert 0 < len(shown(make())) <= 60


def test_what_is_short_is_shown_as_it_is():
    assert [shown(x) for x in (1.5, "a", [1, "b"], None, {})] == ["1.5", "'a'", "[1, 'b']", "None", "{}"]


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize(
    "call",
    [
        ag.Value, ag.leaves, lambda x: ag.softmax([x]), lambda x: ag.dot([x], [x]),
        lambda x: ag.explain(ag.Value(1.0) * 2, wrt=[x]), lambda x: ag.Value(1.0, name=[x]),
        lambda x: ag.grad(lambda a: a, argnums=[x])(1.0), lambda x: ag.compile(lambda a: a, dtype=[x]),
        lambda x: ag.gradcheck(lambda a: a, 1.0, directions=[x]),
        lambda x: nn.MLP(1, [[x]]), lambda x: nn.MLP(1, [2, 1], activation=[x]), lambda x: nn.MLP(1, [1], rng=[x]),
        lambda x: nn.predict(x, [[1.0]]), lambda x: nn.save("model.json", x), lambda x: nn.optim.SGD([x]),
        lambda x: nn.fit(nn.MLP(1, [1], rng=0), [[[x]]], [1.0]),
        lambda x: nn.fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss=[x]),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_at_once_whatever_they_are(call, make):
    with pytest.raises(ag.AutogradError) as caught:
        call(make())
    assert len(str(caught.value)) < 500


def test_numbers_that_python_does_not_write_are_refused_with_a_short_text():
    for call in (lambda n: nn.MLP(n, [1]), lambda n: ag.grad(lambda a: a, argnums=n)(1.0)):
        with pytest.raises(ag.AutogradError) as caught:
            call(10**5000)
        assert len(str(caught.value)) < 200
