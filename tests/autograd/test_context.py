"""The state of recording: it nests, it ends with its block, also after an interrupt."""

import asyncio
import contextvars
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager

import pytest

import autograd as ag
from autograd import InputError, Value, context, no_grad, scope


def is_ordinary():
    """Whether operations are recorded as they are outside all blocks."""
    x = Value(2.0)
    y = x * x
    return y.inputs == (x, x) and x.scope == y.scope == () and context.state().outer is None


def test_nothing_is_active_after_nesting_and_exceptions():
    assert not context.active
    with no_grad(), scope("a"), no_grad():
        assert len(context.active) == 3
    assert not context.active
    with pytest.raises(ZeroDivisionError), scope("a"), no_grad():
        1 / 0  # noqa: B018
    assert not context.active
    assert ag.grad(ag.grad(lambda x: x**3))(2.0) == 12.0
    with pytest.raises(ag.DomainError):
        ag.grad(lambda x: ag.log(-x))(1.0)
    with pytest.raises(ag.TraceError):
        ag.compile(lambda x: x if x > 0 else -x)([1.0, 2.0])
    assert not context.active
    assert is_ordinary()


def test_a_block_changes_only_what_it_is_for():
    with scope("a"), no_grad():
        silent = Value(1.0) * 2
        with scope("b"):
            deeper = Value(1.0) * 2
        assert ag.grad(lambda x: x * x)(3.0) == 6.0
    assert (silent.inputs, silent.scope, deeper.inputs, deeper.scope) == ((), ("a",), (), ("a", "b"))


def test_one_object_may_be_entered_again_and_by_several_threads():
    silent = no_grad()
    with silent:
        with silent:
            assert not (Value(1.0) * 2).inputs
        assert not (Value(1.0) * 2).inputs
    assert is_ordinary()
    entered, release = threading.Barrier(2), threading.Event()
    seen = []

    def hold():
        with silent:
            entered.wait()
            release.wait()
            seen.append((Value(1.0) * 2).inputs)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    with silent:
        pass
    assert is_ordinary()
    release.set()
    thread.join()
    assert seen == [()]
    assert not context.active


def test_blocks_that_end_out_of_order_end_each_on_its_own():
    first, second = no_grad(), scope("s")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    y = Value(1.0) * 2
    assert (len(y.inputs), y.scope) == (1, ("s",))
    second.__exit__(None, None, None)
    assert is_ordinary()


def test_an_exit_stack_and_a_decorated_generator_work():
    @contextmanager
    def silent():
        with no_grad(), scope("s"):
            yield

    with ExitStack() as stack:
        stack.enter_context(silent())
        stack.enter_context(scope("t"))
        y = Value(1.0) * 2
        assert (y.inputs, y.scope) == ((), ("s", "t"))
    assert is_ordinary()


def test_a_generator_closed_in_another_context_changes_nothing_there():
    def silent():
        with no_grad():
            yield

    running = silent()
    contextvars.copy_context().run(next, running)
    with scope("s"):
        running.close()
        y = Value(1.0) * 2
        assert (len(y.inputs), y.scope) == (1, ("s",))
    assert is_ordinary()


def test_a_task_started_in_a_block_keeps_it():
    x = Value(2.0)

    async def later(gate):
        await gate.wait()
        return (x * x).inputs

    async def both():
        gate = asyncio.Event()
        with no_grad():
            task = asyncio.create_task(later(gate))
            await asyncio.sleep(0)
        outside = (x * x).inputs
        gate.set()
        return await task, outside

    assert asyncio.run(both()) == ((), (x, x))
    assert not context.active


def _interrupted(work, at):
    """Raise KeyboardInterrupt at one of the opcodes that ``context.py`` runs for ``work``; False if it has fewer."""
    left = at

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename != context.__file__:
            return None
        frame.f_trace_opcodes = True
        left -= event in ("call", "opcode")
        if left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def _nested():
    with no_grad(), scope("s"):
        Value(1.0)


def _derived():
    ag.grad(lambda x: x * x)(3.0)


@pytest.mark.parametrize("work", [_nested, _derived])
def test_an_interrupt_at_any_opcode_leaves_nothing_behind(work):
    at = 0
    while _interrupted(work, at):
        assert is_ordinary(), f"opcode {at}"
        assert not context.active, f"opcode {at}"
        at += 1
    assert at > 50


def test_the_state_outside_a_block_survives_an_interrupt_inside():
    at = 0
    with scope("outer"):
        while _interrupted(_nested, at):
            y = Value(1.0) * 2
            assert (len(y.inputs), y.scope, len(context.active)) == (1, ("outer",), 1), f"opcode {at}"
            at += 1
    assert is_ordinary()


def test_many_interrupts_at_random_moments_leave_nothing_behind():
    count = 0

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4 + 1e-7 * k)
                while True:
                    _nested()
            except KeyboardInterrupt:
                count += 1
            assert is_ordinary()
            assert not context.active
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert count == 300


def test_no_grad_as_a_decorator():
    @no_grad
    def plain(x):
        """Its text."""
        return x * x if x.data > 0.0 else plain(x + 4.0)

    @no_grad()
    def called(x):
        return x * x

    x = Value(-3.0)
    assert (plain(x).data, plain(x).inputs, called(x).inputs) == (1.0, (), ())
    assert (plain.__name__, plain.__doc__) == ("plain", "Its text.")
    assert len((x * x).inputs) == 2

    def generator():
        yield 1

    async def coroutine(): ...

    for wrong in (generator, coroutine):
        with pytest.raises(InputError, match="to their end at once"):
            no_grad(wrong)
    with pytest.raises(InputError, match="not 3"):
        no_grad(3)
