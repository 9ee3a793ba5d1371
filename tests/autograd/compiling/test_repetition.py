"""explain() names loops of Python that were unrolled, and says nothing of what does not repeat."""

import random

import numpy as np

import autograd as ag
from autograd.compiling.repetition import MANY, Repetition, remark, repetition


def test_a_loop_is_found_between_other_operations():
    loop = ["mul", "sin", "add"] * 5000
    assert repetition(["exp", "log"] * 7 + loop + ["tanh"] * 3) == Repetition(14, 3, 5000)


def test_the_outer_of_two_loops_is_found():
    inner = ["mul", "add"] * 40 + ["sin", "exp", "sub"]
    found = repetition(inner * 200)
    assert (found.period, found.times) == (83, 200)


def test_what_does_not_repeat_or_is_short_is_no_loop():
    rng = random.Random(0)
    assert repetition([rng.choice(["mul", "add", "sin"]) for _ in range(3 * MANY)]) is None
    assert repetition(["mul", "add"] * (MANY // 2 - 1)) is None
    assert repetition(["mul", "add"] * (MANY // 2)) == Repetition(0, 2, MANY // 2)
    assert repetition([]) is None


def test_a_remark_names_a_line_inside_the_loop_only():
    loop = ["mul", "sin", "add"] * 5000
    assert "5,000 times (here.py, line 3)" in remark(loop, {0: "before.py, line 1", 1024: "here.py, line 3"})
    assert "5,000 times;" in remark([*loop, "exp"], {15_000: "after.py, line 9"})


def test_explain_says_that_scan_would_help_and_where():
    def f(x):
        a, b = x[0], x[1]
        for _ in range(3000):
            a, b = b, ag.sin(a * b) + 0.5 * a
        return a + b

    compiled = ag.compile(f)
    compiled.grad(np.ones((2, 2)))
    line = f.__code__.co_firstlineno + 3
    (said,) = [text for text in compiled.explain().splitlines() if text.startswith("unrolled:")]
    assert said == (
        f"unrolled: the same 4 operations were recorded 3,000 times ({__file__}, line {line}); autograd.scan records "
        "and compiles the body of such a loop once"
    )


def test_explain_says_nothing_of_short_functions():
    compiled = ag.compile(lambda x: ag.sin(x * x))
    compiled(np.ones(2))
    assert "unrolled" not in compiled.explain()
