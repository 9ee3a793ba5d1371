"""Garbage collection is postponed while a function is prepared, and goes on as it was afterwards."""

import gc
import os

import numpy as np
import pytest

import autograd as ag
from autograd.compiling.garbage import Postponed


def test_there_is_none_inside_and_it_goes_on_afterwards():
    assert gc.isenabled()
    with Postponed():
        assert not gc.isenabled()
        with Postponed():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    try:
        with Postponed():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_ends_it():
    with pytest.raises(ZeroDivisionError), Postponed():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_an_object_that_is_freed_ends_it():
    block = Postponed()
    block.__enter__()
    assert not gc.isenabled()
    del block
    assert gc.isenabled()


def test_objects_made_inside_are_old_and_still_collected():
    class Node:
        pass

    alive = []
    with Postponed():
        for _ in range(3):
            a, b = Node(), Node()
            a.other, b.other = b, a
            alive.append(a)
    assert any(x is alive for x in gc.get_objects(2))
    assert gc.get_freeze_count() == 0
    from weakref import ref

    seen = ref(alive[0])
    del a, b
    alive.clear()
    gc.collect()
    assert seen() is None


def test_what_the_program_froze_stays_frozen():
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        with Postponed():
            pass
        assert gc.get_freeze_count() == count
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_a_function_is_recorded_without_it():
    seen = []

    def f(x):
        seen.append(gc.isenabled())
        return x * x

    ag.compile(f).grad(np.ones(3))
    assert seen == [False]
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_child_process_collects_garbage_again():
    with Postponed():
        child = os.fork()
        if not child:
            os._exit(0 if gc.isenabled() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert gc.isenabled()
