"""Interrupts while functions are compiled, called and freed: LLVM's memory stays in order."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from autograd.compiling.interrupts import uninterrupted

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
