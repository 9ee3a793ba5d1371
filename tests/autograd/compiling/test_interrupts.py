"""Interrupts while functions are compiled, called and freed: LLVM's memory stays in order."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from autograd.compiling.interrupts import Abandoned, check, uninterrupted

STORM = """
import random, signal
import numpy as np
import autograd as ag

xs, rng, interrupted = np.linspace(0.1, 1.0, 8), random.Random(0), 0

def attempt(k):
    ag.compile(lambda x: ag.sin(x) * float(k + 1) + x)(xs)

def interrupt(number, frame):
    while frame is not None:
        if frame.f_code is attempt.__code__:
            raise KeyboardInterrupt
        frame = frame.f_back

ag.compile(lambda x: x * x)(xs)
signal.signal(signal.SIGALRM, interrupt)
for k in range(60):
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.0005, 0.03), 0.002)
    try:
        attempt(k)
    except KeyboardInterrupt:
        interrupted += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert interrupted > 5, interrupted
print(*ag.compile(lambda x: x + 1.0)(xs[:1]))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no such timers")
def test_a_storm_of_interrupts_ends_cleanly():
    environment = os.environ | {"AUTOGRAD_CACHE": ""}
    done = subprocess.run(
        [sys.executable, "-c", STORM], capture_output=True, text=True, env=environment, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1.1"


WATCHED = """
import gc, sys
import numpy as np
import autograd as ag

ag.compile(lambda x: x * x)(np.ones(3))  # loads everything
used = set()

def watch(frame, event, argument):
    if "llvmlite" in frame.f_code.co_filename:
        used.add(frame.f_code.co_name)

sys.setprofile(watch)  # of the main thread
f = ag.compile(lambda x: ag.sinh(x) + 1.0)
print(*f(np.zeros(1)))
del f
gc.collect()
sys.setprofile(None)
assert not used, used
"""


def test_llvm_is_never_used_in_the_main_thread_where_interrupts_come():
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1.0\n", "")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no signals to a thread")
def test_work_ends_though_the_caller_is_interrupted():
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert may_end.wait(10.0)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        uninterrupted(work)
    assert began.is_set()
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(10.0)


def test_what_the_work_raises_and_returns_reaches_the_caller():
    assert uninterrupted(lambda: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(ZeroDivisionError):
        uninterrupted(lambda: 1 // 0)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no signals to a thread")
def test_work_that_nobody_waits_for_ends_at_its_next_check():
    began, interrupted, ended = threading.Event(), threading.Event(), []

    def work():
        check()  # somebody waits
        began.set()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert interrupted.wait(10.0)
        try:
            check()
        finally:
            ended.append(threading.current_thread())

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        uninterrupted(work)
    threads = set(threading.enumerate()) - before
    interrupted.set()
    for thread in threads:
        thread.join(10.0)
    assert began.is_set()
    assert len(ended) == 1


def test_work_goes_on_while_somebody_waits():
    check()
    assert uninterrupted(lambda: check() or 3) == 3
    with pytest.raises(Abandoned):
        uninterrupted(lambda: (_ for _ in ()).throw(Abandoned))


LONG = """
import os, signal, sys, threading, time
import numpy as np
import autograd as ag
from autograd.compiling import {module}

def long(x):
    a, b = x[0], x[1]
    for k in range(3000):
        a, b = b, ag.sin(a * b) + 0.5 * a
    return a + b

original = {module}.{name}

def and_interrupt(*arguments, **options):
    signal.raise_signal(signal.SIGINT)
    return original(*arguments, **options)

f = ag.compile(long)
{module}.{name} = and_interrupt
try:
    f.grad(np.ones((1, 2)))
except KeyboardInterrupt:
    {module}.{name} = original
    import gc
    assert gc.isenabled()
    print(*f.grad(np.zeros((1, 2)))[0])
"""
STAGES = [
    ("trace", "_run_recorded"),
    ("derive", "gradient"),
    ("write", "reachable"),
    ("prepared", "use_reciprocals"),
    ("task", "schedule"),
    ("executable", "emit"),
    ("native", "uninterrupted"),
]


@pytest.mark.parametrize(("module", "name"), STAGES, ids=[module for module, _ in STAGES])
def test_after_an_interrupt_in_any_stage_the_function_can_be_compiled_again(module, name):
    program = LONG.format(module=module, name=name)
    environment = os.environ | {"AUTOGRAD_CACHE": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2


def test_two_interrupts_while_a_thread_starts_are_one(monkeypatch):
    def start(thread):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("release unlocked lock")  # noqa: B904  (as Python's own lock does)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        uninterrupted(lambda: 1)

    def fail(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError, match="new thread"):
        uninterrupted(lambda: 1)
