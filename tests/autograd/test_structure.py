"""Structures of numbers: any depth, the same classes again, and clear errors for other objects."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import ArgumentError, InputError, Value, compile, grad, gradcheck, hessian, jacobian, jvp, vjp
from autograd.structure import apart, flatten, holds_values, matched, numbers
from autograd.text import shortened

from ..work import growth

Point = namedtuple("Point", "x y")
DEEP = 100_000


@dataclass(frozen=True)
class Model:
    weight: float
    biases: list

    def __post_init__(self):
        assert isinstance(self.weight, float)  # its constructor takes numbers only


@dataclass
class Slotted:
    __slots__ = ("a", "b")
    a: float
    b: tuple


@dataclass
class WithDefault:
    a: float
    cache: dict = field(default_factory=dict)


def nested(depth, x):
    for _ in range(depth):
        x = [x]
    return x


def innermost(x):
    while isinstance(x, list):
        (x,) = x
    return x


floats = st.floats(-1e6, 1e6)
structures = st.recursive(
    floats,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.builds(Point, inner, inner),
        st.builds(Slotted, inner, inner),
    ),
    max_leaves=20,
)


@given(structures)
def test_a_structure_comes_apart_and_together_again(x):
    leaves, rebuild = flatten(x, "x")
    assert all(type(leaf) is float for leaf in leaves)
    assert rebuild(iter(leaves)) == x
    assert rebuild(iter(range(len(leaves)))) == rebuild(iter(map(float, range(len(leaves)))))
    assert matched(x, x, "x") == leaves
    assert not holds_values(x)
    assert holds_values(rebuild(iter([Value(leaf) for leaf in leaves]))) == bool(leaves)


@given(structures)
def test_the_order_of_leaves_is_that_of_reading(x):
    def read(x):
        if isinstance(x, float):
            return [x]
        parts = x.values() if isinstance(x, dict) else (x.a, x.b) if isinstance(x, Slotted) else x
        return [leaf for part in parts for leaf in read(part)]

    assert flatten(x, "x")[0] == read(x)


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (1.0, ()), (np.float32(1.0), ()), (np.array(1.0), ()), ([], (0,)), ([1.0, 2.0], (2,)), ([[], []], (2, 0)),
        ([[1.0, 2.0]] * 3, (3, 2)), ([[1.0], [2.0, 3.0]], None), ([1.0, [2.0]], None), ((1.0, 2.0), None), ({}, None),
        ([(1.0, 2.0)], None), (np.zeros((2, 0, 3)), (2, 0, 3)), ([np.zeros(4), np.zeros(4)], (2, 4)),
        ([np.zeros(4), np.zeros(3)], None), (nested(64, 1.0), (1,) * 64), (nested(65, 1.0), None),
    ],
)  # fmt: skip
def test_shapes(x, shape):
    assert numbers(x, "x")[1].shape() == shape


def test_named_tuples_and_dataclasses_come_back_as_their_class():
    assert grad(lambda p: p.x * p.y)(Point(2.0, 3.0)) == Point(3.0, 2.0)
    assert isinstance(grad(lambda p: p.x * p.y)(Point(2.0, 3.0)), Point)
    slope = grad(lambda m: m.weight * m.biases[1])(Model(2.0, [1.0, 3.0]))
    assert slope == Model(3.0, [0.0, 2.0])
    assert isinstance(slope, Model)
    assert grad(lambda s: s.a * s.b[0])(Slotted(2.0, (5.0,))) == Slotted(5.0, (2.0,))
    assert grad(lambda w: w.a**2)(WithDefault(3.0)) == WithDefault(6.0)
    rows = hessian(lambda p: p.x**2 * p.y)(Point(3.0, 5.0))
    assert rows == Point(Point(10.0, 6.0), Point(6.0, 0.0))
    assert jacobian(lambda x: Point(x, x * x))(3.0) == Point(1.0, 6.0)
    assert jvp(lambda p: Point(p.x * p.y, p.y), (Point(2.0, 3.0),), (Point(1.0, 0.0),))[1] == Point(3.0, 0.0)
    assert vjp(lambda p: p.x * p.y, Point(2.0, 3.0))[1](1.0) == (Point(3.0, 2.0),)
    got = compile(lambda x: Point(x, [x, x * x]))(np.array([1.0, 2.0]))
    assert isinstance(got, Point)
    assert got.y.tolist() == [[1.0, 1.0], [2.0, 4.0]]
    assert grad(lambda d: d["a"])(OrderedDict(a=1.0, b=2.0)) == {"a": 1.0, "b": 0.0}


def test_lists_nested_very_deep():
    x = nested(DEEP, 3.0)
    assert innermost(grad(lambda x: innermost(x) ** 2)(x)) == 6.0
    assert innermost(jacobian(lambda x: x)(x)) == 1.0
    assert tuple(map(innermost, jvp(lambda x: [innermost(x) ** 2], (x,), (x,)))) == (9.0, 18.0)
    assert bool(gradcheck(lambda x: innermost(x) ** 2, nested(5000, 3.0)))
    assert not holds_values(x)
    with pytest.raises(ArgumentError, match="must be a list or tuple of 1"):
        jvp(innermost, (x,), (nested(DEEP - 1, 1.0),))
    with pytest.raises(ArgumentError, match="must be one number"):
        jvp(innermost, (x,), (nested(DEEP + 1, 1.0),))
    with pytest.raises(InputError, match=r"argument 0 .*\[…\].*'a'"):
        grad(innermost)(nested(DEEP, "a"))
    for ask in ("__call__", "grad"):
        with pytest.raises(ArgumentError, match="x is ragged"):
            getattr(compile(lambda x: innermost(x), in_axes=None), ask)(x)
    with pytest.raises(InputError, match="nested deeper"):
        compile(lambda x: nested(DEEP, x))(np.ones(3))


def _ring():
    x = [1.0]
    x.append(x)
    return x


def _rings_of_two():
    x = {"a": 1.0}
    x["b"] = [x]
    return x


@pytest.mark.parametrize("make", [_ring, _rings_of_two])
def test_structures_that_contain_themselves_are_refused(make):
    x = make()
    for call in (
        lambda: grad(lambda x: 1.0)(x),
        lambda: jacobian(lambda x: make())(1.0),
        lambda: jvp(lambda x: 1.0, (x,), (x,)),
        lambda: gradcheck(lambda x: 1.0, x),
        lambda: compile(lambda x: 1.0)(x),
        lambda: compile(lambda x: make())(np.ones(3)),
        lambda: apart(x, "x"),
    ):
        with pytest.raises(InputError, match="contains itself"):
            call()


def test_one_list_in_two_places_does_not_contain_itself():
    shared = [1.0, 2.0]
    assert grad(lambda x: x[0][0] * x[1][1])([shared, shared]) == [[2.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("shape", [(0,), (0, 2), (3, 0)])
def test_empty_arrays_stay_arrays_of_floats(shape):
    x = np.zeros(shape)
    for got, wanted in (
        (grad(lambda x: 3.0)(x), shape),
        (jacobian(lambda x: x)(x), shape + shape),
        (jacobian(lambda x: x, mode="forward")(x), shape + shape),
        (jacobian(lambda x: [1.0, 2.0])(x)[1], shape),
        (jacobian(lambda y: x)(1.0), shape),
        (hessian(lambda x: 3.0)(x), shape + shape),
        (jvp(lambda x: x, (x,), (x,))[1], shape),
    ):
        assert got.dtype == np.float64
        assert got.shape == wanted


@pytest.mark.parametrize("ask", [grad, lambda f: lambda x: jvp(f, (x,), (x,))], ids=["grad", "jvp"])
def test_the_work_grows_with_the_number_of_leaves(ask):
    f = ask(lambda v: v[0][0] * v[-1][0])
    assert growth(lambda n: lambda: f([[2.0] for _ in range(n)]), 200) < 2.1


def test_places_in_error_texts():
    with pytest.raises(InputError, match=r"argument 0 of <lambda>\['a'\]\[1\].y: a real number is needed, not None"):
        grad(lambda x: 1.0)({"a": [1.0, Point(1.0, None)]})
    with pytest.raises(InputError, match=r"argument 0 of <lambda>.biases\[0\]: .*'1'"):
        grad(lambda x: 1.0)(Model(1.0, ["1"]))
    with pytest.raises(ArgumentError, match=r"tangents\[0\].biases must be a list or tuple of 1"):
        jvp(lambda m: m.weight, (Model(1.0, [1.0]),), (Model(1.0, []),))
    with pytest.raises(ArgumentError, match=r"tangents\[0\] must be a Model"):
        jvp(lambda m: m.weight, (Model(1.0, [1.0]),), ([1.0, [1.0]],))


@given(st.lists(st.integers()), st.integers(3, 20))
def test_shortened(xs, most):
    got = shortened(xs, most, "…")
    if len(xs) <= most:
        assert got == tuple(xs)
    else:
        at = got.index("…")
        assert len(got) == most
        assert list(got[:at]) == xs[:at]
        assert list(got[at + 1 :]) == xs[len(xs) - (most - at - 1) :]
