"""``compile`` and what it returns: the public functions of arrays."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from ..arguments import Argnums, called
from ..errors import ArgumentError, InputError, MissingExtraError
from ..structure import holds_values
from ..sweep import gradient_of
from ..value import Value
from . import native, settings
from .arrays import assigned, zeros_like
from .c_function import CFunction
from .calling import Calling
from .listing import recorded
from .prepared import Prepared
from .program import Program


class Stats(NamedTuple):
    """The size and compile time of a compiled function.

    Attributes:
        recorded: operations in the recorded graph of the last call, derivatives included.
        operations: operations that are done for each row, after simplification; a dot of n counts as n.
        bytes_a_row: workspace that each row of a block takes.
        seconds: what recording and compiling took, in all calls so far.
        was_cached: whether the machine code was read from the cache.
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
        threads: how many to use at most; by default as many as there are processors, if the call is long enough.
            Results do not depend on it.
        dtype: ``"float64"`` or ``"float32"``.
        strict: do every operation exactly as an eager run does, one after the other and rounded the same. In float64
            the values and first derivatives of each row then agree bit for bit, signs of zeros included (a nan agrees
            with any nan), and take several times longer. So do the second derivatives of each single operation; those
            of longer functions are sums of the same terms, which may be added in another order. By default results
            agree to about 1e-12 of the largest numbers that they are computed from; a zero may have the other sign.
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


class Compiled(Calling):
    """A function over rows of arrays, and its derivatives. Made by ``compile``.

    Calling it gives the values: an array with the rows first, or with ``reduce`` their sum or mean. Lists that the
    function returns become further axes; tuples and dicts stay, with an array in each place. Where no
    argument has rows, as with ``in_axes=None``, results have no axis for them, and a number is a float.

    What is compiled depends on the shapes of one row's arguments and on the kind of result (values, gradients, ...).
    The last 64 such programs are kept, each of which takes about a megabyte; the least recently used ones are freed.

    It can be called from several threads at once, releases the interpreter's lock while it computes, can be used in
    forked processes, and can be pickled if the function can.
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
        if isinstance(f, Compiled):
            raise InputError("this function is compiled already")
        super().__init__(f, settings.checked(f, in_axes, reduce, threads, dtype, strict, check))
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """The values.

        Given Values instead of arrays, it is the function itself, for one row.

        Args:
            args, kwargs: arrays of numbers, with their rows along ``in_axes``.
            out: an array, or a tuple of them, to write the values into.

        Returns:
            for a function that returns a number an array of shape ``(rows,)``; for lists the shape of the lists after
            the rows; for tuples and dicts the same with an array in each place. With ``reduce`` the sum or mean over
            the rows, without the axis of rows.

        Raises:
            InputError: if an argument does not hold real numbers.
            ArgumentError: if the shapes of the arguments, or of ``out``, do not fit.
            TraceError: if the function cannot be compiled; the text names the line.
        """
        found = None if kwargs else self._known("value", args, (), out)
        if found is not None:
            return found
        given = (*args, *kwargs.values())
        if any(holds_values(a) for a in given if type(a) is not np.ndarray or a.dtype.kind == "O"):
            if self.reduce is not None:
                raise InputError(
                    "a compiled function with reduce takes arrays of numbers; on Values call its .function"
                )
            return self.function(*args, **kwargs)
        return self._result("value", args, kwargs, (), out)

    @overload
    def value_and_grad(self, *args: Any, argnums: int = 0, out: Any = None, **kwargs: Any) -> tuple[Any, Any]: ...
    @overload
    def value_and_grad(
        self, *args: Any, argnums: Sequence[int], out: Any = None, **kwargs: Any
    ) -> tuple[Any, tuple[Any, ...]]: ...

    def value_and_grad(self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        """The values, and the gradients in one or several arguments: what calling it and ``grad`` give.

        >>> import numpy as np
        >>> from autograd import compile
        >>> value, slope = compile(lambda x: x * x).value_and_grad(np.array([1.0, 2.0]))
        >>> value, slope
        (array([1., 4.]), array([2., 4.]))
        """
        return self._result("value_and_grad", args, kwargs, argnums, out)  # type: ignore[no-any-return]

    @overload
    def grad(self, *args: Any, argnums: int = 0, out: Any = None, **kwargs: Any) -> Any: ...
    @overload
    def grad(self, *args: Any, argnums: Sequence[int], out: Any = None, **kwargs: Any) -> tuple[Any, ...]: ...

    def grad(self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any) -> Any:
        """The gradients, each in the shape of its argument with the rows first.

        Args:
            args, kwargs: arrays of numbers.
            argnums: which argument, or a sequence of several, which gives a tuple.
            out: an array, or a tuple of them, to write the gradients into that come row by row.

        Returns:
            one gradient a row; with ``reduce``, those of shared arguments are summed (or averaged) over the rows.

        Raises:
            ArgumentError: if the function returns more than one number.

        >>> import numpy as np
        >>> from autograd import compile
        >>> loss = compile(lambda x, w: (w * x - 1.0) ** 2, in_axes=(0, None), reduce="mean")
        >>> loss.grad(np.array([1.0, 3.0]), 0.5, argnums=1)
        1.0
        """
        return self._result("grad", args, kwargs, argnums, out)

    def jacobian(self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any) -> Any:
        """The derivatives of everything that the function returns.

        Returns:
            the structure of what the function returns; each array has the rows first, then the result's own axes,
            then those of the argument. Several ``argnums`` give a tuple in each place.

        >>> import numpy as np
        >>> from autograd import compile
        >>> compile(lambda x: [x[0] * x[1], x[0]]).jacobian(np.array([[2.0, 3.0]]))
        array([[[3., 2.],
                [1., 0.]]])
        """
        return self._result("jacobian", args, kwargs, argnums, out)

    @overload
    def hessian(self, *args: Any, argnums: int = 0, out: Any = None, **kwargs: Any) -> Any: ...
    @overload
    def hessian(
        self, *args: Any, argnums: Sequence[int], out: Any = None, **kwargs: Any
    ) -> tuple[tuple[Any, ...], ...]: ...

    def hessian(self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any) -> Any:
        """The second derivatives of a function that returns one number.

        Returns:
            an array with the rows first, then the argument's own axes twice; for several ``argnums`` a tuple of
            tuples of such, the block of arguments i and j at ``[i][j]``.

        Raises:
            ArgumentError: if the function returns more than one number.
        """
        return self._result("hessian", args, kwargs, argnums, out)

    def value_and_jacobian(self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        """The values and the Jacobian together, as least-squares solvers need them."""
        return self._result("value_and_jacobian", args, kwargs, argnums, out)  # type: ignore[no-any-return]

    def value_grad_and_hessian(
        self, *args: Any, argnums: Argnums = 0, out: Any = None, **kwargs: Any
    ) -> tuple[Any, Any, Any]:
        """The values, gradients and second derivatives together: in finance, the price and all its Greeks."""
        return self._result("value_grad_and_hessian", args, kwargs, argnums, out)  # type: ignore[no-any-return]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], out: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        """The values, and their derivatives in the direction of the tangents.

        Args:
            primals: the arguments.
            tangents: for each an array of the same shape.
            out: arrays to write both into.
            kwargs: further arguments, by keyword; they are held fixed.

        >>> import numpy as np
        >>> from autograd import compile
        >>> compile(lambda x: x * x).jvp([np.array([1.0, 2.0])], [np.array([1.0, 10.0])])
        (array([1., 4.]), array([ 2., 40.]))
        """
        if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
            raise InputError("jvp takes a list or tuple of primals and one of tangents")
        if not primals:
            raise ArgumentError("jvp needs at least one primal: the arguments in which the derivative is taken")
        if len(primals) != len(tangents):
            raise ArgumentError(f"{len(primals)} primals need as many tangents, not {len(tangents)}")
        if kwargs:
            placed = self._positional(primals, kwargs)
            fixed = enumerate(placed[len(primals) :], len(primals))
            names = self._called_by(len(placed))
            primals, tangents = placed, [*tangents, *(zeros_like(x, names[k]) for k, x in fixed)]
        return self._result("jvp", primals, {}, (), out, tangents)  # type: ignore[no-any-return]

    def backward(self, *args: Any, **kwargs: Any) -> float:
        """Add to ``grad`` of every leaf Value that the function closes over, and return the value.

        As ``backward()`` of an eager loss does, so that a training loop looks the same.

        Raises:
            ArgumentError: without ``reduce``, or if the function returns more than one number.
            InputError: if the ``grad`` or the ``data`` of a leaf was set to something that is no number.
        """
        if kwargs:
            args = tuple(self._positional(args, kwargs))
        if (found := self._known("backward", args)) is not None:
            return found  # type: ignore[no-any-return]
        value, leaves, slopes = self._total(args, None, "backward")
        before = assigned(leaves, [leaf.grad for leaf in leaves], gradient_of)
        for leaf, total in zip(leaves, (before + slopes).tolist(), strict=True):
            leaf.grad = total
        return value

    def leaf_gradients(
        self, *args: Any, data: Any = None, **kwargs: Any
    ) -> tuple[float, list[Value], np.ndarray[Any, np.dtype[np.float64]]]:
        """The value, the leaf Values that the function closes over, and an array of their gradients.

        As ``backward``, but the leaves do not change; for loops that keep their numbers in an array.

        Args:
            args, kwargs: arrays of numbers.
            data: numbers to use for the leaves instead of their own, in the order in which they are returned.
        """
        if kwargs:
            args = tuple(self._positional(args, kwargs))
        if data is None and (found := self._known("leaf_gradients", args)) is not None:
            return found  # type: ignore[no-any-return]
        return self._total(args, data, "leaf_gradients")

    @property
    def program(self) -> Program:
        """The program of the last call: ``str()`` lists it."""
        return self._called().task.program

    @property
    def stats(self) -> Stats:
        """Operations, workspace and compile time of the last call's program."""
        last = self._called()
        task = last.task
        operations = task.program.operations()
        return Stats(last.recorded, operations, task.bytes_a_row, self._memory.seconds(), task.was_cached)

    def explain(self) -> str:
        """The program of the last call before and after simplification, numbered, with its size and compile time."""
        last = self._called()
        before = recorded(last.want.nodes() + last.want.summed())
        stats = self.stats
        return "\n".join(
            (
                f"recorded: {stats.recorded} operations",
                before,
                *last.remarks(),
                "",
                f"program: {stats.operations} operations a row, {stats.bytes_a_row} bytes of workspace a row, "
                f"compiled in {stats.seconds:.3f} s{' (from the cache)' if stats.was_cached else ''}",
                str(last.task.program),
            )
        )

    def source(
        self, language: str, *args: Any, kind: str = "value_and_grad", argnums: Argnums = 0, **kwargs: Any
    ) -> str:
        """The program for one row as source code that needs nothing of this library.

        Each line has the formula that it computes beside it. Python computes what the program computes, C99 and
        JavaScript the same except for the last digits of their functions; with ``strict`` Python's numbers are the
        same to the last bit.

        Args:
            language: ``"python"``, ``"c"`` or ``"javascript"``.
            args, kwargs: arguments as for a call, whose shapes are used; by default those of the last call, or a
                number for each parameter.
            kind: the method whose program it is: ``"value"``, ``"grad"``, ``"value_and_grad"``, ``"jacobian"``,
                ``"value_and_jacobian"``, ``"hessian"`` or ``"value_grad_and_hessian"``.
            argnums: which arguments derivatives are taken in.

        Raises:
            ArgumentError: for another language or kind, or an operation that the language does not have.

        >>> from autograd import compile
        >>> print(compile(lambda x, y: x * y + x).source("c"))
        #include <math.h>
        <BLANKLINE>
        /* The value and the gradient of f in x, written by scalar-autograd. It writes (out[0], out[1]). */
        void f_value_and_grad(double x, double y, double out[2])
        {
            const double t1 = x * y;    /* x·y */
            const double t2 = x + t1;   /* x + x·y */
            const double t3 = y + 1.0;  /* y + 1 */
            out[0] = t2;
            out[1] = t3;
        }
        <BLANKLINE>
        """
        from .source import of_compiled

        prepared = self._memory.program(self._question(kind, args, kwargs, argnums))
        return of_compiled(language, prepared, called(self.function), self._names)

    def c_address(
        self,
        kind: str = "value_and_grad",
        *args: Any,
        argnums: Argnums = 0,
        signature: str = "void (double *, double *)",
        **kwargs: Any,
    ) -> CFunction:
        """One row's values or derivatives as a function of C, for SciPy, Numba, ctypes and other languages.

        It works in double precision. ``reduce`` makes no difference. Leaf Values that the function closes over keep the
        numbers that they have now.

        Args:
            kind: the method: ``"value"``, ``"grad"``, ``"value_and_grad"``, ``"jacobian"``, ``"value_and_jacobian"``,
                ``"hessian"`` or ``"value_grad_and_hessian"``.
            args, kwargs: arguments as for a call, whose shapes are used; by default those of the last call, or a
                number for each parameter.
            argnums: which arguments derivatives are taken in.
            signature: its type in C: see ``CFunction``.

        Returns:
            an object with its ``address``, which keeps the machine code in memory.

        Raises:
            ArgumentError: for another kind or signature, or a function that only Python can compute.
            MissingExtraError: without llvmlite.

        >>> import ctypes
        >>> from autograd import compile, sin
        >>> f = compile(lambda x, y: x * sin(y)).c_address("value_and_grad", argnums=(0, 1))
        >>> inputs, outputs = (ctypes.c_double * 2)(2.0, 0.5), (ctypes.c_double * 3)()
        >>> f.pointer(inputs, outputs)
        >>> [round(x, 6) for x in outputs]
        [0.958851, 0.479426, 1.755165]
        """
        if not native.available():
            raise MissingExtraError("llvmlite", "compile", "c_address")
        question = self._question(kind, args, kwargs, argnums)
        question = question._replace(varies=(True,) * len(question.shapes))
        chosen = self._settings._replace(in_axes=0, reduce=None, dtype=np.dtype(np.float64), check=False)
        names = self._called_by(len(question.shapes))
        return CFunction(Prepared(question, self.function, names, chosen, self._target, speculate=False), signature)

    def __repr__(self) -> str:
        name = getattr(self, "__qualname__", None) or called(self.function)
        return f"<compiled {name}, in_axes={self.in_axes!r}, reduce={self.reduce!r}>"

    def __reduce__(self) -> Any:
        module = sys.modules.get(getattr(self, "__module__", ""), None)
        name = getattr(self, "__qualname__", "")
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:  # used as a decorator: it goes by its name
            return name
        chosen: dict[str, Any] = {"dtype": self.dtype.name, "strict": self.strict, "check": self.check}
        make = functools.partial(Compiled, **chosen)
        return make, (self.function, self.in_axes, self.reduce, self.threads)
