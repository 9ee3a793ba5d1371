"""Arguments of the wrong kind: autograd answers with errors of its own that name the argument."""

import pytest

from autograd import ArgumentError, InputError, Log, Value, draw, explain, steps


@pytest.mark.parametrize(
    ("call", "kind", "fragments"),
    [
        (lambda: Log(None), InputError, ["steps(loss)", "None"]),
        (lambda: Log([3]), InputError, ["training steps", "3"]),
        (lambda: steps(Value(1.0) * 2, 3), InputError, ["updates()", "3"]),
        (lambda: steps(Value(1.0) * 2, digits="x"), ArgumentError, ["digits", "1 to 100", "'x'"]),
        (lambda: draw(Value(1.0), digits=0), ArgumentError, ["digits", "1 to 100", "0"]),
        (lambda: draw(Value(1.0), limit=None), ArgumentError, ["limit", "None"]),
        (lambda: draw(Value(1.0), tangents=3), InputError, ["tangents", "3"]),
        (lambda: draw(Value(1.0)).save(3), InputError, ["path", "3"]),
        (lambda: explain(Value(1.0), Value(1.0), digits=None), ArgumentError, ["digits", "None"]),
        (lambda: explain(Value(1.0), Value(1.0), paths="x"), ArgumentError, ["paths", "'x'"]),
    ],
)
def test_what_is_refused_and_how(call, kind, fragments):
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value)
