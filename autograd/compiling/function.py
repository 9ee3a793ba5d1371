"""``compile`` and the array functions that it returns."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import context
from ..arguments import Argnums, called, indices, parameters
from ..errors import ArgumentError, InputError
from ..structure import cut, holds_values
from ..value import Value
from . import derive, locks, native, rows
from .checking import arrays_in, first_bad_row, run_eagerly
from .listing import recorded
from .simplify import share_divisions
from .symbols import write_program
from .task import Task
from .trace import Trace, Traced
from .want import Pick, Want, size

MANY_CALLS = 1000  # shapes of arguments that are remembered
_OF_ARGUMENTS = frozenset(
    {"value_and_grad", "grad", "jacobian", "value_and_jacobian", "hessian", "value_grad_and_hessian"}
)


class Stats(NamedTuple):
    """What a compiled function comes to.

    Attributes:
        recorded: operations in the recorded graph of the last call, derivatives included.
        operations: operations that are done for each row, after simplification; a dot of n counts as n.
        bytes_a_row: workspace that each row of a block takes.
        seconds: what recording and compiling took, in all calls so far.
        was_cached: whether the machine code came out of the cache.
    """

    recorded: int
    operations: int
    bytes_a_row: int
    seconds: float
    was_cached: bool


def compile(
    f: Callable[..., Any],
    in_axes: int | Sequence[int | None] | None = 0,
    reduce: str | None = None,
    threads: int | None = None,
    *,
    dtype: Any = "float64",
    strict: bool = False,
    check: bool = False,
) -> Compiled:
    """Turn a function of scalars into a native function over arrays, with its derivatives.

    The function is run once on Values that record what it does; branching on them is an error (use ``where``). Leaf
    Values that it closes over are read afresh at each call.

    Args:
        f: a function of numbers, or of nested lists of numbers, written with Python's operators and this library's
            functions. It returns a number, nested lists of numbers, or tuples or dicts of such.
        in_axes: for each argument the axis along which its rows lie, or None for an argument that all rows share; one
            for all arguments, or a sequence. An argument's other axes reach ``f`` as nested lists.
        reduce: ``"sum"`` or ``"mean"`` over the rows; the value is then one number. None keeps a value a row.
        threads: how many to use at most; by default as many as there are processors where that is worth it. Results
            do not depend on it.
        dtype: ``"float64"`` or ``"float32"``.
        strict: do every operation exactly as an eager run does, one after the other and rounded the same: what each
            row gives agrees bit for bit, and takes several times longer. By default it agrees to about 1e-12.
        check: look for results that are not finite, and run ``f`` again eagerly on the first such row, so that the
            error names the operation and its operands.

    Returns:
        a function of arrays: see ``Compiled``.

    Raises:
        InputError, ArgumentError: if a setting is outside its range.
        MissingExtraError: without NumPy. Without llvmlite compiled functions run on NumPy, slower.

    >>> import numpy as np
    >>> from autograd import compile, sin
    >>> f = compile(lambda x, y: x * sin(y))
    >>> f(np.array([1.0, 2.0]), np.array([0.0, 0.5]))
    array([0.        , 0.95885108])
    >>> f.grad(np.array([1.0, 2.0]), np.array([0.0, 0.5]), argnums=(0, 1))
    (array([0.        , 0.47942554]), array([1.        , 1.75516512]))
    """
    return Compiled(f, in_axes, reduce, threads, dtype=dtype, strict=strict, check=check)


class _Recipe(NamedTuple):
    """What a task is made from: the question, the trace, the arguments, jvp's seeds, the places of row inputs."""

    kind: str
    argnums: tuple[int, ...] | int
    trace: Trace
    given: Sequence[rows.Argument]
    seeds: list[list[Traced]]
    arrays: list[list[int]]


class _Call(NamedTuple):
    """What is known of calls with arguments of certain shapes.

    Attributes:
        ready: what runs.
        height: how many rows there are.
        has_rows: whether any argument has rows.
        rows, shared: which arguments (tangents after them) have rows, and which do not.
        before_leaves: how many shared arguments come before the leaves that the function closes over.
    """

    ready: _Ready
    height: int
    has_rows: bool
    rows: list[int]
    shared: list[int]
    before_leaves: int


class _Ready(NamedTuple):
    """A trace and a task for one kind of question about arguments of certain shapes."""

    trace: Trace
    want: Want
    build: Pick
    task: Task
    recorded: int
    leaves: list[Value]


class Compiled:
    """A function over rows of arrays, and its derivatives. Made by ``compile``.

    Calling it gives the values: an array with the rows first, or with ``reduce`` what they add up to. Lists that the
    function returns become further axes; tuples and dicts stay what they are, with an array in each place.

    It can be called from several threads at once, releases the interpreter's lock while it computes, and can be pickled
    if the function can.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        in_axes: int | Sequence[int | None] | None = 0,
        reduce: str | None = None,
        threads: int | None = None,
        *,
        dtype: Any = "float64",
        strict: bool = False,
        check: bool = False,
    ) -> None:
        if not callable(f):
            raise InputError(f"compile takes a function, not {f!r}")
        if isinstance(f, Compiled):
            raise InputError("this function is compiled already")
        if reduce not in (None, "sum", "mean"):
            raise ArgumentError(f"reduce is 'sum', 'mean' or None, not {reduce!r}")
        if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
            raise ArgumentError(f"threads is a whole number from 1 on, or None, not {threads!r}")
        try:
            self.dtype = np.dtype(dtype)
        except TypeError:
            raise ArgumentError(f"dtype is 'float64' or 'float32', not {dtype!r}") from None
        if self.dtype not in (np.float64, np.float32):
            raise ArgumentError(f"dtype is 'float64' or 'float32', not {dtype!r}")
        if not (in_axes is None or _is_axis(in_axes)):
            if not isinstance(in_axes, Iterable) or isinstance(in_axes, str):
                raise ArgumentError(f"in_axes is an axis, None, or a sequence of those, not {in_axes!r}")
            in_axes = tuple(in_axes)
            for axis in in_axes:
                if not (axis is None or _is_axis(axis)):
                    raise ArgumentError(f"in_axes holds axes (whole numbers) and None, not {axis!r}")
        self.in_axes: int | tuple[int | None, ...] | None = in_axes  # type: ignore[assignment]
        self.reduce, self.threads = reduce, threads
        listed = self.in_axes if isinstance(self.in_axes, tuple) else (self.in_axes,)
        self._rows_first = all(axis is None or axis == 0 for axis in listed)
        self.strict, self.check = bool(strict), bool(check)
        functools.update_wrapper(self, f, updated=())
        self.function = f
        self._names = parameters(f)
        self._target: native.Target | None = None
        self._ready: dict[Any, _Ready] = {}
        self._known: dict[Any, _Call] = {}
        self._lock = threading.RLock()
        locks.renew_after_fork(self)
        self._seconds = 0.0
        self._last: _Ready | None = None

    # What people call ------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, out: Any = None) -> Any:
        """The values. Given Values instead of arrays, it is the function itself, for one row.

        Args:
            args: arrays of numbers, with their rows along ``in_axes``.
            out: an array, or a tuple of them, to write the values into.
        """
        if any(map(holds_values, args)):
            if self.reduce is not None:
                raise InputError(
                    "a compiled function with reduce takes arrays of numbers; on Values call its .function"
                )
            return self.function(*args)
        return self._run("value", args, (), out)

    def value_and_grad(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> tuple[Any, Any]:
        """The values, and the gradients in one or several arguments; see ``grad``."""
        return self._run("value_and_grad", args, argnums, out)  # type: ignore[no-any-return]

    def grad(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> Any:
        """The gradients, each in the shape of its argument with the rows first.

        Args:
            args: arrays of numbers.
            argnums: which argument, or a sequence of several, which gives a tuple.
            out: an array, or a tuple of them, to write the gradients into that come row by row.

        Returns:
            one gradient a row; with ``reduce``, those of shared arguments are summed (or averaged) over the rows.

        Raises:
            ArgumentError: if the function returns more than one number.
        """
        return self._run("grad", args, argnums, out)

    def jacobian(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> Any:
        """The derivative of everything that the function returns, with its axes before those of the argument."""
        return self._run("jacobian", args, argnums, out)

    def hessian(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> Any:
        """The second derivatives of a function that returns one number; for several arguments a tuple of tuples."""
        return self._run("hessian", args, argnums, out)

    def value_and_jacobian(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> tuple[Any, Any]:
        """The values and the Jacobian together, as least-squares solvers need them."""
        return self._run("value_and_jacobian", args, argnums, out)  # type: ignore[no-any-return]

    def value_grad_and_hessian(self, *args: Any, argnums: Argnums = 0, out: Any = None) -> tuple[Any, Any, Any]:
        """The values, gradients and second derivatives together: in finance, the price and all its Greeks."""
        return self._run("value_grad_and_hessian", args, argnums, out)  # type: ignore[no-any-return]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], out: Any = None) -> tuple[Any, Any]:
        """The values, and their derivatives in the direction of the tangents.

        Args:
            primals: the arguments.
            tangents: for each an array of the same shape.
            out: arrays to write both into.
        """
        if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
            raise InputError("jvp takes a list or tuple of primals and one of tangents")
        if len(primals) != len(tangents):
            raise ArgumentError(f"{len(primals)} primals need as many tangents, not {len(tangents)}")
        return self._run("jvp", primals, (), out, tangents)  # type: ignore[no-any-return]

    def backward(self, *args: Any) -> float:
        """Add to ``grad`` of every leaf Value that the function closes over, and return the value.

        As ``backward()`` of an eager loss does, so that a training loop looks the same.

        Raises:
            ArgumentError: without ``reduce``, or if the function returns more than one number.
        """
        value, leaves, slopes = self.leaf_gradients(*args)
        for leaf, slope in zip(leaves, slopes.tolist(), strict=True):
            leaf.grad += slope
        return value

    def leaf_gradients(self, *args: Any, data: Any = None) -> tuple[float, list[Value], Any]:
        """The value, the leaf Values that the function closes over, and an array of their gradients.

        As ``backward``, but nothing is written into the leaves: for loops that keep their numbers in an array.

        Args:
            args: arrays of numbers.
            data: numbers to use for the leaves instead of their own, in the order in which they are returned.
        """
        if self.reduce is None:
            raise ArgumentError("backward() needs one number: compile the function with reduce='mean' or reduce='sum'")
        ready, (value, slopes) = self._run_ready("backward", args, (), None, (), data)
        return value, ready.leaves, slopes

    @property
    def program(self) -> Any:
        """The program of the last call: ``str()`` lists it."""
        return self._called().task.program

    @property
    def stats(self) -> Stats:
        """Operations, workspace and compile time of the last call's program."""
        last = self._called()
        task = last.task
        seconds = self._seconds + sum(ready.task.seconds for ready in self._ready.values())
        return Stats(last.recorded, task.program.operations(), task.bytes_a_row, seconds, task.was_cached)

    def explain(self) -> str:
        """The program of the last call before and after simplification, numbered, with what it comes to."""
        last = self._called()
        before = recorded(last.want.nodes() + last.want.summed())
        stats = self.stats
        return "\n".join(
            (
                f"recorded: {stats.recorded} operations",
                before,
                "",
                f"program: {stats.operations} operations a row, {stats.bytes_a_row} bytes of workspace a row, "
                f"compiled in {stats.seconds:.3f} s{' (from the cache)' if stats.was_cached else ''}",
                str(last.task.program),
            )
        )

    def _called(self) -> _Ready:
        if self._last is None:
            raise ArgumentError(
                "the function has not been called yet: what is compiled depends on the arguments' shapes"
            )
        return self._last

    def __repr__(self) -> str:
        name = getattr(self, "__qualname__", repr(self.function))
        return f"<compiled {name}, in_axes={self.in_axes!r}, reduce={self.reduce!r}>"

    def __reduce__(self) -> Any:
        module = sys.modules.get(getattr(self, "__module__", ""), None)
        name = getattr(self, "__qualname__", "")
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:  # used as a decorator: it goes by its name
            return name
        settings = {"dtype": self.dtype.name, "strict": self.strict, "check": self.check}
        make = functools.partial(Compiled, **settings)
        return make, (self.function, self.in_axes, self.reduce, self.threads)

    # How it runs -----------------------------------------------------------------------------------------------------

    def _called_by(self, count: int) -> list[str]:
        """What so many arguments are called."""
        return [self._names[k] if k < len(self._names) else f"argument {k}" for k in range(count)]

    def _axes(self, count: int) -> tuple[int | None, ...]:
        if self.in_axes is None or isinstance(self.in_axes, int):
            return (self.in_axes,) * count
        if len(self.in_axes) != count:
            raise ArgumentError(f"in_axes is for {len(self.in_axes)} arguments, {count} were given")
        return self.in_axes

    def _run(self, kind: str, args: Sequence[Any], argnums: Argnums, out: Any, tangents: Sequence[Any] = ()) -> Any:
        return self._run_ready(kind, args, argnums, out, tangents, None)[1]

    def _run_ready(
        self, kind: str, args: Sequence[Any], argnums: Argnums, out: Any, tangents: Sequence[Any], data: Any
    ) -> tuple[_Ready, Any]:
        """Find or make the task for these arguments, and run it."""
        key = self._key(kind, args, argnums, tangents)
        call = None if key is None else self._known.get(key)
        given: Sequence[Any] = args
        if call is None:
            call, given = self._read(kind, args, argnums, tangents)
            if key is not None:
                self._known[key] = call
            if len(self._known) > MANY_CALLS:
                self._known.clear()
        self._last = call.ready
        inputs, shared = [given[k] for k in call.rows], [given[k].ravel() for k in call.shared]
        return call.ready, self._filled(call, inputs, shared, out, data, args)

    def _key(self, kind: str, args: Sequence[Any], argnums: Argnums, tangents: Sequence[Any]) -> Any:
        """What a call has in common with an earlier one that was checked; only plain arrays of floats have that."""
        if tangents or not self._rows_first:
            return None
        for a in args:
            if type(a) is not np.ndarray or a.dtype.kind != "f":
                return None
        if type(argnums) is not int and type(argnums) is not tuple:
            return None
        return kind, argnums, tuple([a.shape for a in args]), tuple([a.itemsize for a in args])

    def _read(
        self, kind: str, args: Sequence[Any], argnums: Argnums, tangents: Sequence[Any]
    ) -> tuple[_Call, list[Any]]:
        """Check arguments, and find or make the task for them; returns their arrays, rows first."""
        places = indices(argnums, len(args), called(self.function)) if kind in _OF_ARGUMENTS else ()
        names = self._called_by(len(args))
        axes = self._axes(len(args))
        given = [rows.read(a, axis, name) for a, axis, name in zip(args, axes, names, strict=True)]
        for a, axis, name in zip(tangents, axes, names, strict=False):
            given.append(rows.read(a, axis, f"the tangent of {name}"))
            primal = given[len(given) - 1 - len(args)].array
            if given[-1].array.shape != primal.shape:
                raise ArgumentError(
                    f"the tangent of {name} must have its shape {primal.shape}, not {given[-1].array.shape}"
                )
        count = rows.count(given, [*names, *names][: len(given)])
        if self.reduce == "mean" and not count:
            raise ArgumentError("the mean over no rows has no value; give at least one row, or use reduce='sum'")
        key = (kind, places, tuple((a.shape, a.axis is None) for a in given))
        ready = self._ready.get(key)
        if ready is None:
            with self._lock:
                start = time.perf_counter()
                ready = self._ready.get(key) or self._prepare(kind, places, given[: len(args)], names, bool(tangents))
                self._ready[key] = ready
                self._seconds += time.perf_counter() - start
        numbered = list(enumerate(given))
        shared = [k for k, a in numbered if a.axis is None]
        call = _Call(
            ready,
            count,
            any(axis is not None for axis in axes),
            [k for k, a in numbered if a.axis is not None and size(a.shape)],
            shared,
            sum(1 for k in shared if k < len(args)),
        )
        return call, [a.array for a in given]

    def _prepare(
        self, kind: str, argnums: tuple[int, ...] | int, given: Sequence[rows.Argument], names: list[str], jvp: bool
    ) -> _Ready:
        given = [a._replace(array=None) for a in given]  # only their shapes are kept
        is_row = [a.axis is not None for a in given]
        trace = Trace(self.function, [a.shape for a in given], is_row, names)
        recording = trace.recording
        arrays = [
            [n.place[1] for n in nodes if n.place]
            for nodes, row in zip(trace.inputs, is_row, strict=True)
            if row and nodes
        ]
        seeds: list[list[Traced]] = []
        if jvp:
            for nodes, row, name in zip(trace.inputs, is_row, names, strict=True):
                seeds.append([recording.input("row" if row else "shared", f"d{n.name or name}") for n in nodes])
                if row and nodes:
                    arrays.append([n.place[1] for n in seeds[-1] if n.place])
        recipe = _Recipe(kind, argnums, trace, given, seeds, arrays)
        want, build, task = self._task(recipe, self.strict)
        operations = recording.count - len(recording.rows) - len(recording.shared)
        return _Ready(trace, want, build, task, operations, [leaf for _, leaf in trace.closed])

    def _task(self, recipe: _Recipe, careful: bool) -> tuple[Want, Pick, Task]:
        trace, given = recipe.trace, recipe.given
        combine = derive.Combiner(careful)
        shapes, is_row = [a.shape for a in given], [a.axis is not None for a in given]
        want = Want(trace, shapes, is_row, self.reduce is not None, combine)
        with context.Surrounding(context.recording, True):
            build = want.ask(recipe.kind, recipe.argnums, recipe.seeds)
        program = write_program(
            want.nodes(),
            want.summed(),
            [n.name or f"x{k}" for k, n in enumerate(trace.recording.rows)],
            [n.name or f"shared {k}" for k, n in enumerate(trace.recording.shared)],
            self.strict,
        )
        dared = not careful and (share_divisions(program) or combine.dared)
        results = cut(program.results, [len(array.nodes) for array in want.results])

        def again() -> Task:
            with self._lock:
                return self._task(recipe, True)[2]

        return want, build, Task(program, recipe.arrays, results, self.dtype, self._target, again if dared else None)

    def _filled(
        self, call: _Call, inputs: list[Any], arguments: list[Any], out: Any, data: Any, args: Sequence[Any]
    ) -> Any:
        """Run a task on arguments and put its arrays together."""
        ready, count, has_rows = call.ready, call.height, call.has_rows
        want, task = ready.want, ready.task
        if ready.leaves:  # they stand between the arguments and their tangents
            leaves = np.array([leaf.data for leaf in ready.leaves] if data is None else data, dtype=np.float64)
            if leaves.shape != (len(ready.leaves),):
                raise ArgumentError(f"data needs {len(ready.leaves)} numbers, one for each leaf, not {leaves.shape}")
            arguments.insert(call.before_leaves, leaves)
        shared = np.concatenate(arguments) if arguments else ()  # a copy: results may be written over an argument
        outs = _given(out, len(want.results))
        arrays = [
            rows.output(o, (count, *shape) if has_rows else shape, self.dtype, "the result")
            for o, (_, shape, _) in zip(outs, want.results, strict=True)
        ]
        written = [a if has_rows else a.reshape(1, *a.shape) for a in arrays]
        overlap = any(np.may_share_memory(a, b) for a in written for b in inputs) if out is not None else False
        direct = [np.empty(a.shape, self.dtype) for a in written] if overlap else written
        with np.errstate(all="ignore"):
            sums = task.run(inputs, shared, count, direct, self.threads)
        if overlap:
            for a, b in zip(written, direct, strict=True):
                a[...] = b
        if self.reduce == "mean":
            sums = sums / count
            for a, array in zip(written, want.results, strict=True):
                if array.is_slope:
                    a /= count
        parts = [
            part.reshape(shape) if shape else float(part[0])
            for part, (_, shape) in zip(cut(sums, [len(nodes) for nodes, _ in want.sums]), want.sums, strict=True)
        ]
        if self.check:
            self._check(args, written, sums, count)
        shown = [a if a.ndim or out is not None else float(a) for a in arrays]
        return ready.build(shown, parts)

    def _check(self, args: Sequence[Any], arrays: Sequence[Any], sums: Any, count: int) -> None:
        """Run the function eagerly on the first row with a result that is not finite, so that it raises there."""
        row = first_bad_row(arrays, count)
        if row is None and not np.all(np.isfinite(sums)):
            one_by_one = Compiled(self.function, self.in_axes, None, self.threads, dtype=self.dtype, strict=self.strict)
            row = first_bad_row([np.reshape(a, (count, -1)) for a in arrays_in(one_by_one(*args))], count)
            row = 0 if row is None and count else row
        if row is not None:
            given = [rows.read(a, axis, "") for a, axis in zip(args, self._axes(len(args)), strict=True)]
            numbers = [a.array if a.axis is None else a.array[row] for a in given]
            run_eagerly(self.function, numbers, self._called_by(len(args)), row)


def _given(out: Any, count: int) -> Sequence[Any]:
    if out is None:
        return (None,) * count
    outs = tuple(out) if isinstance(out, list | tuple) else (out,)
    if len(outs) != count:
        raise ArgumentError(f"out needs {count} arrays, one for each array of results by row, not {len(outs)}")
    return outs


def _is_axis(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)
