"""What compile is told: every setting is checked at once, and the error says what it can be."""

import numpy as np
import pytest

import autograd as ag
from autograd import ArgumentError, InputError, TraceError

X = np.linspace(0.5, 2.0, 7)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"reduce": "max"}, "reduce is 'sum', 'mean' or None, not 'max'"),
        ({"reduce": ["sum"]}, "reduce is"),
        ({"reduce": np.array(["sum", "mean"])}, "reduce is"),
        ({"reduce": True}, "reduce is"),
        ({"threads": 0}, "threads is a whole number from 1 on"),
        ({"threads": -1}, "threads is"),
        ({"threads": True}, "threads is"),
        ({"threads": 2.0}, "threads is"),
        ({"threads": "2"}, "threads is"),
        ({"dtype": "int8"}, "dtype is 'float64' or 'float32', not 'int8'"),
        ({"dtype": "?!"}, "dtype is"),
        ({"dtype": None}, "dtype is"),
        ({"dtype": ">f8"}, "dtype is"),
        ({"dtype": 8}, "dtype is"),
        ({"in_axes": "x"}, "in_axes is an axis"),
        ({"in_axes": 0.5}, "in_axes is an axis"),
        ({"in_axes": np.array(0.5)}, "in_axes is an axis"),
        ({"in_axes": np.array(None)}, "in_axes is an axis"),
        ({"in_axes": [[0]]}, "in_axes holds axes"),
        ({"in_axes": np.array([])}, "in_axes is for 0 arguments"),
        ({"in_axes": {"x": 0}}, "in_axes is an axis"),
        ({"in_axes": {0}}, "in_axes is an axis"),
        ({"in_axes": False}, "in_axes is an axis"),
        ({"in_axes": (0.5,)}, "in_axes holds axes"),
        ({"in_axes": (True,)}, "in_axes holds axes"),
        ({"in_axes": ()}, "in_axes is for 0 arguments, but the function takes 1"),
        ({"in_axes": (0, None)}, "in_axes is for 2 arguments, but the function takes 1"),
        ({"strict": "no"}, "strict is True or False"),
        ({"check": 1}, "check is True or False"),
    ],
    ids=lambda x: repr(x) if isinstance(x, dict) else "",
)
def test_wrong_settings_are_refused_at_once(settings, said):
    with pytest.raises((ArgumentError, InputError), match=said):
        ag.compile(lambda x: x, **settings)


def test_what_is_no_function_is_refused_at_once():
    async def later(x):
        return x

    def several(x):
        yield x

    for wrong in (3, "x", None, later, several, ag.compile(ag.sin)):
        with pytest.raises(InputError, match="function"):
            ag.compile(wrong)


def test_a_function_that_does_not_tell_its_parameters():
    one = ag.compile(max, in_axes=(1,))  # one of Python's own
    assert one(X[None, :]).tolist() == X.tolist()
    with pytest.raises(ArgumentError, match="in_axes is for 1 arguments, but 2 were given"):
        one(X, X)
    with pytest.raises(TraceError, match="where"):
        ag.compile(max, in_axes=(0, 0))(X, X)


def test_whole_numbers_of_any_type():
    f = ag.compile(lambda x, w: x * w, in_axes=np.array([0, 1]), threads=np.int64(2), strict=np.bool_(False))
    assert (f.in_axes, f.threads, f.strict) == ((0, 1), 2, False)
    assert ag.compile(lambda x: x, in_axes=np.int8(-1)).in_axes == -1
    assert ag.compile(lambda x: x, dtype=np.float32).dtype == ag.compile(lambda x: x, dtype="f4").dtype == np.float32


def test_axes_for_parameters_with_defaults():
    def f(x, scale=2.0, *more):
        return x * scale

    assert ag.compile(f, in_axes=(0,))(X).tolist() == (2.0 * X).tolist()
    assert ag.compile(f, in_axes=(0, None, 0, 0))(X, 3.0, X, X).tolist() == (3.0 * X).tolist()
    with pytest.raises(ArgumentError, match="for 0 arguments, but the function takes at least 1"):
        ag.compile(f, in_axes=())
    with pytest.raises(ArgumentError, match="for 3 arguments, but the function takes 1 to 2"):
        ag.compile(lambda x, y=1.0: x, in_axes=(0, 0, 0))
    with pytest.raises(ArgumentError, match="in_axes is for 1 arguments, but 2 were given"):
        ag.compile(f, in_axes=(0,))(X, X)


def test_the_settings_can_be_read_back():
    f = ag.compile(lambda x, y: x * y, (0, None), "sum", 2, dtype="float32", strict=True, check=True)
    assert (f.in_axes, f.reduce, f.threads, f.dtype, f.strict, f.check) == ((0, None), "sum", 2, np.float32, True, True)
    assert repr(ag.compile(np.positive, None)) == "<compiled positive, in_axes=None, reduce=None>"
