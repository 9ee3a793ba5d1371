"""Calls on several threads, Ctrl-C while they run, and processes that fork while another thread compiles."""

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest

import autograd as ag
from autograd import Value, operation
from autograd.compiling import arrays, locks, threads

X = np.linspace(0.5, 2.0, 7)


def test_every_piece_is_done_once():
    for workers in (1, 2, 3, 7):
        done = []
        threads.run(done.extend, 20, workers)
        assert sorted(done) == list(range(20))


# Ctrl-C and errors ---------------------------------------------------------------------------------------------------


class Pieces:
    """Work that counts what is done by this thread and by the others."""

    def __init__(self):
        self.main = threading.get_ident()
        self.done = {True: 0, False: 0}
        self.waiting = threading.Event()

    def __call__(self, share):
        mine = threading.get_ident() == self.main
        for k in share:
            self.piece(k, mine)
            self.done[mine] += 1

    def piece(self, k, mine):
        raise NotImplementedError


def test_ctrl_c_stops_the_other_threads_after_the_piece_they_are_doing():
    class Interrupted(Pieces):
        def piece(self, k, mine):
            if mine:
                self.waiting.wait()  # until another thread is within a piece
                signal.raise_signal(signal.SIGINT)
            self.waiting.set()
            time.sleep(0.05)

    work = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        threads.run(work, 1000, 2)
    assert work.done[True] == 0
    assert work.done[False] < 100
    after = dict(work.done)
    time.sleep(0.1)
    assert work.done == after  # nothing goes on in the background


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows sends no signal to a thread")
def test_ctrl_c_while_this_thread_waits_for_the_others():
    class Interrupted(Pieces):
        def piece(self, k, mine):
            if mine:
                return
            while self.done[True] < 500:  # this thread's own share is done: it waits
                time.sleep(0.001)
            if not self.done[False]:
                time.sleep(0.05)
                signal.pthread_kill(self.main, signal.SIGINT)
            time.sleep(0.02)

    work = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        threads.run(work, 1000, 2)
    assert work.done[False] < 250


def test_an_error_in_one_thread_stops_the_others():
    class Failing(Pieces):
        def piece(self, k, mine):
            if not mine:
                raise KeyError(k)
            time.sleep(0.01)

    work = Failing()
    with pytest.raises(KeyError):
        threads.run(work, 1000, 2)
    assert work.done[True] < 250
    done = []
    threads.run(done.extend, 20, 2)  # the threads are there for the next call
    assert sorted(done) == list(range(20))


def test_ctrl_c_in_a_compiled_call():
    calls = {True: 0, False: 0}
    main, begun = threading.get_ident(), threading.Event()

    def slow(x):
        mine = threading.get_ident() == main
        calls[mine] += 1
        if mine:
            begun.wait()
            signal.raise_signal(signal.SIGINT)
        begun.set()
        return 2.0 * x

    count = 64 * 4096
    f = ag.compile(operation("slow", lambda x: slow(float(x)), lambda z, x: 2.0), threads=2)
    with pytest.raises(KeyboardInterrupt):
        f(np.ones(count))
    assert calls[True] == 1  # not once for each row of its piece
    assert calls[False] < count // 4
    main = None
    assert f(X).tolist() == (2.0 * X).tolist()  # nothing of it is left for the next call


def test_a_second_ctrl_c_leaves_nothing_for_the_next_call(monkeypatch):
    from autograd.compiling.callbacks import Callbacks

    def interrupted(self):
        raise KeyboardInterrupt

    def once(x):
        if not asked:
            asked.append(x)
            raise KeyError(x)
        return 2.0 * x

    asked = []
    f = ag.compile(operation("once", lambda x: once(float(x)), lambda z, x: 2.0))
    monkeypatch.setattr(Callbacks, "reraise", interrupted)  # pressed before the first error was raised again
    with pytest.raises(KeyboardInterrupt):
        f(X)
    monkeypatch.undo()
    assert f(X).tolist() == (2.0 * X).tolist()


def test_results_do_not_depend_on_threads():
    w = Value(0.3)
    rows = np.random.default_rng(0).normal(size=100_003)
    found = []
    for count in (1, 2, 3):
        w.grad = 0.0
        found.append((ag.compile(lambda x: ag.sin(w * x) ** 2, reduce="mean", threads=count).backward(rows), w.grad))
    assert found[0] == found[1] == found[2]


def test_runs_of_rows():
    for rows in (0, 1, 31, 32, 33, 1000, 4096, 4097, 50_000, 10**6):
        for operations in (1, 40, 10_000, 10**6):
            runs = arrays.runs(rows, 32, operations)
            assert [start for start, _ in runs] == [0, *(stop for _, stop in runs[:-1])]
            assert runs[-1][1] == rows
            assert all((stop - start) % 32 == 0 for start, stop in runs[:-1])
            assert len(runs) <= 64
    assert len(arrays.runs(1000, 32, 10)) == 1
    assert len(arrays.runs(1000, 32, 10**6)) == 16  # few rows with much work are worth several threads


def test_few_rows_of_a_long_program_run_on_several_threads(monkeypatch):
    w, used = Value(0.3), []
    run = threads.run
    monkeypatch.setattr(arrays, "WORTH_A_RUN", 2**16)
    monkeypatch.setattr(threads, "run", lambda work, pieces, count: (used.append(count), run(work, pieces, count)))

    def f(x):
        for _ in range(100):
            x = x + w * x * 0.01
        return x

    rows = np.random.default_rng(0).normal(size=1001)
    found = []
    for count in (1, 2, 3):
        w.grad = 0.0
        found.append((ag.compile(f, reduce="sum", threads=count).backward(rows), w.grad))
    assert found[0] == found[1] == found[2]
    assert used == [1, 2, 3]


def test_rows_whose_results_are_not_finite_run_again_whatever_the_number_of_threads():
    rows = np.random.default_rng(0).uniform(1.0, 2.0, size=30_000)
    rows[[5, 9_000, 29_999]] = 0.0
    for count in (1, 2, 3):
        f = ag.compile(lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0) ** 2, threads=count)
        value, slope = f.value_and_grad(rows)
        np.testing.assert_allclose(value, rows, rtol=1e-15)
        assert slope[[5, 9_000, 29_999]].tolist() == [0.0, 0.0, 0.0]
        np.testing.assert_allclose(slope[rows > 0.0], 1.0, rtol=1e-15)


# Fork ----------------------------------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_a_fork(function) -> object:
    """What a function gives in a forked child; the child is ended if it hangs."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=lambda: theirs.send(function()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # from 3.12 on a fork beside threads gives a warning
        child.start()
    try:
        assert ours.poll(60.0), "the child hangs"
        return ours.recv()
    finally:
        child.kill()
        child.join()


@needs_fork
def test_a_fork_while_another_thread_records():
    recording, go_on = threading.Event(), threading.Event()

    def slow(x):
        if threading.current_thread() is worker:
            recording.set()
            go_on.wait()
        return 3.0 * x

    f = ag.compile(slow)
    worker = threading.Thread(target=f, args=(X,))
    worker.start()
    recording.wait()
    try:
        assert in_a_fork(lambda: f(X).tolist()) == (3.0 * X).tolist()
    finally:
        go_on.set()
        worker.join()


@needs_fork
def test_a_fork_while_another_thread_makes_machine_code():
    f = ag.compile(lambda x: 5.0 * x)
    f(X)
    prepared = f._last
    held, go_on = threading.Event(), threading.Event()

    def hold():
        with prepared.task._lock:
            held.set()
            go_on.wait()

    worker = threading.Thread(target=hold)
    worker.start()
    held.wait()
    try:
        assert in_a_fork(lambda: f(X[:1]).tolist()) == [2.5]  # one row needs other code
    finally:
        go_on.set()
        worker.join()


@needs_fork
def test_a_fork_waits_until_llvm_is_done():
    held, forked = threading.Event(), []

    def hold():
        with locks.llvm:
            held.set()
            time.sleep(0.3)
            forked.append("not yet")

    worker = threading.Thread(target=hold)
    worker.start()
    held.wait()
    f = ag.compile(lambda x: 7.0 * x)
    assert in_a_fork(lambda: (list(forked), f(X).tolist())) == (["not yet"], (7.0 * X).tolist())
    worker.join()
    assert f(X).tolist() == (7.0 * X).tolist()


@needs_fork
def test_a_child_has_threads_of_its_own():
    f = ag.compile(lambda x: ag.sin(x), threads=2)
    rows = np.linspace(0.0, 1.0, 20_000)
    expected = f(rows)
    assert in_a_fork(lambda: f(rows).tolist()) == expected.tolist()
