"""What a compiled function keeps: a bounded number of programs, and what goes is freed."""

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.compiling import memory

X = np.linspace(0.5, 2.0, 7)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(memory, "PROGRAMS", 3)


def counting():
    """A function of vectors, and how often it was recorded for each length."""
    recorded = {}

    def f(x):
        recorded[len(x)] = recorded.get(len(x), 0) + 1
        return ag.sum([v * v for v in x])

    return ag.compile(f), recorded


def test_the_same_question_is_answered_by_the_same_program():
    f, recorded = counting()
    for rows in (1, 2, 7, 7, 1):
        f(np.ones((rows, 4)))
    f(np.ones((2, 4)).tolist())
    assert recorded == {4: 1}
    f.grad(np.ones((2, 4)))
    assert recorded == {4: 2}


def test_arguments_that_only_look_the_same_are_read_again():
    f = ag.compile(lambda x, y: x * y)
    assert len(f.grad(X, X, argnums=(0, 1))) == 2
    for wrong in ((0, 1.0), (False, True), (0.0, 1.0)):
        with pytest.raises(ag.InputError, match="argnums"):
            f.grad(X, X, argnums=wrong)


def test_programs_that_were_not_used_for_longest_go(few):
    f, recorded = counting()
    for n in (1, 2, 3):
        f(np.ones((5, n)))
    f(np.ones((5, 1)))  # used again
    f(np.ones((5, 4)))  # takes the place of 2
    assert recorded == {1: 1, 2: 1, 3: 1, 4: 1}
    for n in (1, 3, 4):
        f(np.ones((5, n)))
    assert recorded == {1: 1, 2: 1, 3: 1, 4: 1}
    assert f(np.ones((5, 2))).tolist() == [2.0] * 5
    assert recorded == {1: 1, 2: 2, 3: 1, 4: 1}


def test_what_goes_is_freed(few):
    f, _ = counting()
    programs, machines = [], []
    for n in range(1, 9):
        f.value_and_grad(np.ones((5, n)))
        last = f._last
        programs.append(weakref.ref(last))
        machines.append(weakref.ref(last.task.code(False)))
    del last
    assert [ref() is not None for ref in machines] == [False] * 5 + [True] * 3  # native code goes at once
    gc.collect()
    assert [ref() is not None for ref in programs] == [False] * 5 + [True] * 3


def test_compile_time_counts_what_went(few):
    f, _ = counting()
    total = 0.0
    for n in range(1, 9):
        f(np.ones((5, n)))
        seconds = f.stats.seconds
        assert seconds > total
        total = seconds


def test_shapes_of_arrays_are_bounded_too(monkeypatch):
    monkeypatch.setattr(memory, "CALLS", 10)
    f, recorded = counting()
    for rows in range(1, 100):
        f(np.ones((rows, 2)))
        assert len(f._memory._calls) <= 10
    assert recorded == {2: 1}
