"""Structures of numbers: nested lists, tuples, dicts, dataclasses and NumPy arrays, as a flat list and back.

Nothing here recurses: structures of any depth are traversed with a stack, and one that contains itself is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from .errors import ArgumentError, InputError
from .text import shortened, shown
from .value import Value, as_float

Rebuild = Callable[[Iterator[Any]], Any]
Shape = tuple[int, ...]
MOST_AXES = 64  # of a NumPy array
MOST_LISTS = 10**6  # that are opened without looking whether one contains itself
S = TypeVar("S", bound=Sequence[Any])


def is_array(x: Any) -> bool:
    """Whether x is a NumPy array; this does not import NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


# Walking -------------------------------------------------------------------------------------------------------------


class _Field(str):
    """The name of a field of a dataclass; other labels are indices and keys."""

    __slots__ = ()


class _Flat(int):
    """An index into a flattened array."""

    __slots__ = ()


class Container(NamedTuple):
    """A list, tuple, dict, dataclass or array in a structure.

    Attributes:
        x: the container itself.
        labels: an index, key or field name for each part.
        parts: what it holds.
        build: makes a container of this kind from new parts.
        shape: of a list or an array; None for the other kinds.
    """

    x: Any
    labels: Iterable[Any]
    parts: Sequence[Any]
    build: Callable[[list[Any]], Any]
    shape: Shape | None


class Steps(Sequence[Any]):
    """What the steps of a loop returned, while a function is compiled: a list that puts its items together when asked.

    Attributes:
        sequences: for each number of an item, what the steps returned for it.
        structure: of an item.
    """

    def __init__(self, sequences: Sequence[Sequence[Any]], structure: Structure) -> None:
        self.sequences, self.structure = sequences, structure

    def __len__(self) -> int:
        return len(self.sequences[0])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Steps([x[key] for x in self.sequences], self.structure)
        return self.structure.rebuild(iter([x[key] for x in self.sequences]))


def opened(x: Any) -> Container | None:
    """What x holds, or None if it is a leaf."""
    if type(x) is float or isinstance(x, Value):
        return None
    if isinstance(x, list | tuple):
        kind: Any = type(x)
        if hasattr(kind, "_fields"):  # a named tuple
            return Container(x, map(_Field, kind._fields), x, kind._make, None)
        return Container(x, range(len(x)), x, kind, (len(x),) if isinstance(x, list) else None)
    if isinstance(x, Mapping):
        keys = list(x)
        return Container(x, keys, [x[k] for k in keys], lambda parts: dict(zip(keys, parts, strict=True)), None)
    if isinstance(x, Steps):
        return Container(x, range(len(x)), x, list, (len(x),))
    if is_array(x):
        if x.ndim:
            return Container(x, map(_Flat, range(x.size)), x.ravel().tolist(), list, x.shape)
        return None
    if hasattr(type(x), "__dataclass_fields__"):
        from dataclasses import fields

        names = [field.name for field in fields(x)]
        parts = [getattr(x, name) for name in names]
        return Container(x, map(_Field, names), parts, lambda new: _dataclass(x, names, new), None)
    return None


def _dataclass(like: Any, names: Sequence[str], parts: Sequence[Any]) -> Any:
    """A dataclass like another with other fields; its constructor is not run: it may convert what it is given."""
    kind = type(like)
    new = object.__new__(kind)
    for name, part in [*getattr(like, "__dict__", {}).items(), *zip(names, parts, strict=True)]:
        object.__setattr__(new, name, part)
    return new


class Walk:
    """Goes through a structure and yields its leaves, and each container (a ``Container``) after what it holds.

    Args:
        x: the structure.
        what: a description for error messages.
        closed: container types that are treated as leaves.

    Raises:
        InputError: if a container contains itself.
    """

    def __init__(self, x: Any, what: str, closed: tuple[type, ...] = ()) -> None:
        self._what, self._closed = what, closed
        self._root: Any = x
        self._frames: list[_Frame] = []

    def opened(self, x: Any) -> Container | None:
        """What x holds, or None if it is a leaf."""
        return None if isinstance(x, self._closed) else opened(x)

    def __iter__(self) -> Iterator[Any]:
        self._frames = frames = [_Frame(None, (None,), (self._root,))]
        within: set[int] = set()
        while True:
            frame = frames[-1]
            for frame.label, x in frame.items:  # noqa: B020  (goes on where it stopped)
                container = None if type(x) is float else self.opened(x)
                if container is None:
                    yield x
                    continue
                if id(container.x) in within:
                    raise InputError(f"{self.place()} contains itself; give a structure of finite depth")
                within.add(id(container.x))
                frames.append(_Frame(container, container.labels, container.parts))
                break
            else:
                frames.pop()
                if frame.container is None:
                    return
                within.discard(id(frame.container.x))
                yield frame.container

    def place(self) -> str:
        """Where the walk is, as an expression."""
        labels = [_spelled(frame.label) for frame in self._frames[1:]]
        return self._what + "".join(shortened(labels, 12, "[…]"))


class _Frame:
    """A container that is being walked through."""

    __slots__ = ("container", "items", "label")

    def __init__(self, container: Container | None, labels: Iterable[Any], parts: Sequence[Any]) -> None:
        self.container = container
        self.items = zip(labels, parts, strict=True)
        self.label: Any = None


def _spelled(label: Any) -> str:
    if isinstance(label, _Field):
        return f".{label}"
    if isinstance(label, _Flat):
        return f".flat[{label:d}]"
    return f"[{label!r}]"


def holds_values(x: Any) -> bool:
    """Whether a structure is, or holds, a Value."""
    if is_array(x) and x.dtype.kind != "O":
        return False
    return any(
        isinstance(leaf, Value) or (is_array(leaf) and isinstance(leaf.item(), Value))
        for leaf in Walk(x, "the argument")
    )


# A flat list and back ------------------------------------------------------------------------------------------------


class _Closing(NamedTuple):
    """The part of a container that a structure keeps: the number of parts, and how to build it from new parts."""

    size: int
    build: Callable[[list[Any]], Any]
    shape: Shape | None
    is_array: bool


class Structure:
    """How leaves form a structure: the containers in the order in which they end, and runs of leaves between them."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[int | _Closing] = []  # a number of leaves, or a container of the last parts

    def leaf(self) -> None:
        """A leaf comes next."""
        steps = self._steps
        if steps and type(last := steps[-1]) is int:
            steps[-1] = last + 1
        else:
            steps.append(1)

    def close(self, container: Container) -> None:
        """All parts of this container have been added."""
        self._steps.append(_Closing(len(container.parts), container.build, container.shape, is_array(container.x)))

    def rebuild(self, leaves: Iterator[Any], inner: Shape | None = ()) -> Any:
        """The structure with other leaves, taken from an iterator.

        Args:
            leaves: as many new leaves as there are, or more.
            inner: the shape of each, if they are arrays themselves; arrays without any leaf take theirs from it.
        """
        made: list[Any] = []
        for step in self._steps:
            if isinstance(step, int):
                made.extend(islice(leaves, step))
                continue
            start = len(made) - step.size
            parts = made[start:]
            del made[start:]
            made.append(array_of(parts, step.shape or (), inner) if step.is_array else step.build(parts))
        return made[0]

    def shape(self) -> Shape | None:
        """The shape of a number, an array, or nested lists of one length each; None for anything else."""
        made: list[Shape | None] = []
        for step in self._steps:
            if isinstance(step, int):
                made.extend([()] * step)
                continue
            start = len(made) - step.size
            parts = set(made[start:])
            del made[start:]
            inner = parts.pop() if parts else ()
            fits = step.shape is not None and inner is not None and not parts and len(inner) < MOST_AXES
            made.append((step.shape or ()) + (inner or ()) if fits else None)
        return made[0]


def apart(x: Any, what: str, closed: tuple[type, ...] = ()) -> tuple[list[Any], Structure]:
    """The leaves of a structure, of any type, and how they are put together.

    Args:
        x: the structure.
        what: a description for error messages.
        closed: container types that are treated as leaves.
    """
    leaves: list[Any] = []
    structure = Structure()
    for item in Walk(x, what, closed):
        if type(item) is Container:
            structure.close(item)
        else:
            leaves.append(item)
            structure.leaf()
    return leaves, structure


def numbers(x: Any, what: str) -> tuple[list[Any], Structure]:
    """The numbers and Values inside a structure, and how they are put together.

    Args:
        x: a number, a Value, or a list, tuple, dict, dataclass or NumPy array of such things.
        what: a description for error messages.

    Raises:
        InputError: for anything else; the text names its place.
    """
    leaves: list[Any] = []
    structure = Structure()
    walk = Walk(x, what)
    for item in walk:
        if type(item) is Container:
            structure.close(item)
        else:
            leaves.append(item if type(item) is float else _number(item, walk))
            structure.leaf()
    return leaves, structure


def number_in(x: Any, what: str) -> Any:
    """The one number or Value that something is.

    Raises:
        InputError: if it is none, or holds several.
    """
    if type(x) is float or isinstance(x, Value):
        return x
    leaves, structure = numbers(x, what)
    if structure.shape() != ():
        raise InputError(f"{what} must be one number, not {shown(x)}")
    return leaves[0]


def leaves(x: Any, what: str) -> list[Any]:
    """The numbers and Values of ``numbers``, without how they are put together; quicker for nested lists."""
    found: list[Any] = []
    left, opened = [x], 0
    while left:
        part = left.pop()
        kind = type(part)
        if kind is float or isinstance(part, Value):
            found.append(part)
        elif (kind is list or kind is tuple) and opened < MOST_LISTS:
            opened += 1
            left += part[::-1]
        else:
            return numbers(x, what)[0]
    return found


def flatten(x: Any, what: str) -> tuple[list[Any], Rebuild]:
    """As ``numbers``, with the function that puts other leaves into their places."""
    leaves, structure = numbers(x, what)
    return leaves, structure.rebuild


def _number(x: Any, walk: Walk) -> Any:
    if is_array(x):  # of no dimension
        x = x.item()
    if isinstance(x, Value):
        return x
    try:
        return as_float(x)
    except InputError as error:
        raise InputError(f"{walk.place()}: {error}") from None


def array_of(items: list[Any], shape: Shape, inner: Shape | None) -> Any:
    """An array of numbers or Values; of equal arrays or lists of numbers, the array that holds them all."""
    import numpy as np

    if items:
        shapes = {item.shape if is_array(item) else _shape(item) for item in items}
        inner = shapes.pop() if len(shapes) == 1 else None
    if inner is not None:
        return np.array(items, dtype=None if items else float).reshape(shape + inner)
    result = np.empty(len(items), dtype=object)
    result[:] = items
    return result.reshape(shape)


def _shape(item: Any) -> Shape | None:
    """The shape of a number or of nested lists of numbers; None for anything else."""
    if isinstance(item, float | int):
        return ()
    if not isinstance(item, list) or not item:
        return None
    leaves, structure = apart(item, "it")
    return structure.shape() if all(isinstance(x, float | int) for x in leaves) else None


def cut(xs: S, sizes: Iterable[int]) -> list[S]:
    """A sequence in pieces of these sizes, one after the other.

    >>> cut([1, 2, 3, 4], (1, 0, 3))
    [[1], [], [2, 3, 4]]
    """
    pieces: list[Any] = []
    start = 0
    for size in sizes:
        pieces.append(xs[start : start + size])
        start += size
    return pieces


# Two structures that belong together ---------------------------------------------------------------------------------


def matched(x: Any, like: Any, what: str, same_kind: bool = False) -> list[Any]:
    """The leaves of x in the order of a structure that it must match: the same keys, lengths and shapes.

    Args:
        x: a structure of numbers and Values.
        like: what it must match.
        what: a description for error messages.
        same_kind: whether a list must be where a list was, and a tuple where a tuple was.

    Raises:
        ArgumentError: where it does not match; the text names the place.
    """
    walk = _Pairs((x, like), what, same_kind)
    return [_number(item[0], walk) for item in walk if type(item) is not Container]


class _Pairs(Walk):
    """Goes through two structures side by side; its items are pairs."""

    def __init__(self, pair: tuple[Any, Any], what: str, same_kind: bool) -> None:
        super().__init__(pair, what)
        self._same_kind = same_kind

    def opened(self, x: Any) -> Container | None:
        """The pairs that two containers hold."""
        given, like = x
        if type(given) is float and type(like) is float:
            return None
        of_given, of_like = opened(given), opened(like)
        if of_like is None:
            if of_given is not None:
                raise self._error("one number", given)
            return None
        parts = None if of_given is None else of_given.parts
        if isinstance(like, Mapping):
            if not isinstance(given, Mapping) or set(given) != set(like):
                raise self._error(f"a dict with the keys {list(like)}", given)
            parts = [given[key] for key in like]
        elif isinstance(like, list | tuple):
            kinds = (type(like),) if self._same_kind else (list, tuple)
            if not isinstance(given, kinds) or len(given) != len(like):
                what = " or ".join(kind.__name__ for kind in kinds)
                raise self._error(f"a {what} of {len(like)}", given)
        elif is_array(like):
            if not is_array(given) or given.shape != like.shape:
                raise self._error(f"an array of shape {like.shape}", given)
        elif type(given) is not type(like):
            raise self._error(f"a {type(like).__name__}", given)
        assert parts is not None
        return of_like._replace(x=like, parts=list(zip(parts, of_like.parts, strict=True)))

    def _error(self, needed: str, given: Any) -> ArgumentError:
        return ArgumentError(f"{self.place()} must be {needed}, as what it belongs to, not {_shown(given)}")


def _shown(x: Any) -> str:
    if is_array(x):
        return f"an array of shape {x.shape}"
    return f"{type(x).__name__} of {len(x)}" if isinstance(x, Mapping | list | tuple) else shown(x)
