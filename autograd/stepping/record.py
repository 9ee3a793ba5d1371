"""Writes a log as JSON and reads it again; everything in a file is checked before it is used.

    {"format": "autograd-log", "version": 1, "digits": 6, "optimizer": {"kind": "SGD", "lr": 0.5}, "losses": [0.298],
     "root": 26, "nodes": [
      {"label": "w1", "name": "w1", "op": null, "inputs": [], "operands": [], "partials": [], "data": 0.15, …},
      {"label": "net_h1", "name": "net_h1", "op": "dot", "inputs": [0, 3], "constants": {"1": 2.0}, "operands": […],
       "partials": […], "data": 0.3775, "scope": ["hidden layer", "h1"], "formula": "w1·i1 + …"}, …],
     "graphs": [{"root": …, "nodes": […]}, …],
     "updates": [{"number": 1, "graph": 0, "loss": 0.298, "leaves": {"0": 0.15}, "operands": {}, "check": "…", "events":
      [["f", node, result],
       ["b", node, position of the input, adjoint, partial, contribution, running total],
       ["u", node, old, gradient, new, formula, numbers, {terms}, rule, check], …]}, …],
     "digest": "…"}

A node is named by its index in ``nodes``; its inputs come before it, and the constants among its operands are listed by
position. Operands, partials and data are those of the first training step. ``graphs`` holds further graphs, if not all
steps recorded the same one. A step's ``operands`` are those of nodes whose leaves were changed before the sweep. A
trace that is written by hand needs no labels, formulas, names, scopes, checks or digest.

Numbers that JSON does not have are the texts "nan", "inf" and "-inf". What no rule of the table determines (names,
settings, an optimiser's terms) carries a checksum, so that ``Log.verify`` finds a change there too.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ..context import Surrounding
from ..errors import ArgumentError
from ..files import as_path, write_atomically
from ..graph import topological
from ..language import Message
from ..notation import Piece, label
from ..row import TABLE, Op
from ..text import shown
from ..value import Value, node
from .iteration import Graph, Iteration, Move, written_update
from .progress import watched
from .verify import Difference, same

if TYPE_CHECKING:
    from .log import Log

FORMAT, VERSION = "autograd-log", 1
LARGEST = 2**27  # bytes, enough for about a million events; reading takes about ten times as much memory
LONGEST_RULE = 200  # characters of an optimiser's formula
PLAIN_RULE = "w - lr * g"  # of an update that names no rule

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode
_canonical = json.JSONEncoder(allow_nan=False, sort_keys=True, separators=(",", ":")).encode


# Writing --------------------------------------------------------------------------------------------------------------


def save(log: Log, path: str | os.PathLike[str]) -> Path:
    """Write a log to a file; ``Log.save`` describes it."""
    path = as_path(path)
    if path.suffix.lower() != ".json":
        raise ArgumentError(f"cannot tell what to write from {path.name!r}; end it with .html or .json")
    lines, size = [], 0
    nodes = sum(len(graph.order) for graph in {x.graph for x in log.updates})
    for line in watched(written(log), nodes + len(log), "log: lines"):
        lines.append(line.encode())
        size += len(lines[-1]) + 1
        if size > LARGEST:
            raise ArgumentError(
                f"this log of {len(log):,} events needs more than {LARGEST:,} bytes, the most that is written and read "
                "again; log fewer samples or fewer updates"
            )
    write_atomically(path, b"\n".join(lines) + b"\n")
    return path


def written(log: Log) -> Iterator[str]:
    """The lines of a log as JSON: one for each node and each event."""
    graphs: list[Graph] = []
    firsts: list[Iteration] = []  # the first step of each graph gives the numbers of its nodes
    for x in log.updates:
        if not any(x.graph is graph for graph in graphs):
            graphs.append(x.graph)
            firsts.append(x)
    place = {id(graph): k for k, graph in enumerate(graphs)}
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "digits": log.digits}
    if log.optimizer is not None:
        head["optimizer"] = {k: _plain(x) for k, x in log.optimizer.items()}
    if len(log.losses) > 1:
        head["losses"] = [_number(x) for x in log.losses]
    yield "{" + _line(head)[1:-1] + ","
    digest = sha256(_canonical(head).encode())
    for k, first in enumerate(firsts):
        if k == 1:
            yield '"graphs": ['
        root = len(first.order) - 1
        digest.update(_canonical({"root": root}).encode())
        yield ("{" if k else "") + f'"root": {root}, "nodes": ['
        for at in range(root + 1):
            entry = _node(first, at)
            digest.update(_canonical(entry).encode())
            yield _line(entry) + "," * (at < root)
        yield "]" if k == 0 else "]}" + "," * (k < len(firsts) - 1)
        if k == 0 or k == len(firsts) - 1:
            yield "]," if k else ","
    yield '"updates": ['
    for k, x in enumerate(log.updates):
        about = _about(x, place[id(x.graph)])
        yield _line({**about, "check": _check(about)})[:-1] + ', "events": ['
        for event in range(len(x)):
            yield _line(_event(x, event)) + "," * (event < len(x) - 1)
        yield "]}" + "," * (k < len(log.updates) - 1)
    yield "],"
    yield f'"digest": "{digest.hexdigest()}"}}'


def _line(x: Any) -> str:
    text = _encode(x)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate in a name
        return _encode_ascii(x)
    return text


def _number(x: float) -> float | str:
    return x if math.isfinite(x) else repr(x)


def _plain(x: Any) -> Any:
    return [_plain(y) for y in x] if isinstance(x, list) else _number(x) if isinstance(x, float) else x


def _check(x: Any) -> str:
    return f"{crc32(_canonical(x).encode()):08x}"


def _node(first: Iteration, at: int) -> dict[str, Any]:
    graph = first.graph
    x = graph.order[at]
    index = first.graph.index
    constants = {str(k): _number(y) for k, y in enumerate(x.operands) if isinstance(y, float)}
    return {
        "label": graph.label(at),
        "name": x.name,
        "op": None if x.op is None else x.op.name,
        "inputs": [index[y] for y in x.inputs],
        **({"constants": constants} if constants else {}),
        "operands": [_number(y) for y in first.operands_of(at)],
        "partials": [_number(y) for y in x.partials],
        "data": _number(first.values[at]),
        "scope": list(x.scope),
        "formula": None if x.op is None else graph.names.formula(x).text,
    }


def _about(x: Iteration, graph: int) -> dict[str, Any]:
    """A training step without its events."""
    leaves = {str(k): _number(x.values[k]) for k, leaf in enumerate(x.order) if leaf.op is None}
    about = {"number": x.number, "graph": graph, "loss": _number(x.loss), "leaves": leaves}
    other = {str(k): [_number(y) for y in x.operands_of(k)] for k in x.computed if _has_other_operands(x, k)}
    return {**about, "operands": other} if other else about


def _has_other_operands(x: Iteration, k: int) -> bool:
    """Whether a node was computed from other numbers than those that its inputs have: a leaf was changed since."""
    return any(not same(y, z) for y, z in zip(x.operands_of(k), _operands(x, k), strict=True))


def _operands(x: Iteration, k: int) -> list[float]:
    """The operands of a node, as its inputs and constants give them."""
    return [y if isinstance(y, float) else x.values[x.graph.index[y]] for y in x.order[k].operands]


def _event(x: Iteration, event: int) -> list[Any]:
    kind, at, *rest = x.entry(event)
    if kind != "u":
        return [kind, at, *[_number(y) if isinstance(y, float) else y for y in rest]]
    old, gradient, new, rule, terms = rest
    formula, numbers = written_update(rule, _name(x.graph, at), terms, x.graph.digits)
    content = [
        at,
        *map(_number, (old, gradient, new)),
        formula,
        numbers,
        {k: _number(y) for k, y in terms.items()},
        rule,
    ]
    return [kind, *content, _check(content)]


def _name(graph: Graph, at: int | str) -> Piece:
    return label(at) if isinstance(at, str) else graph.names.label(graph.order[at])


# Reading --------------------------------------------------------------------------------------------------------------


class _FileError(Exception):
    """Something in a file is not as it must be."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(place, what)
        self.place, self.what = place, what


def load(path: str | os.PathLike[str]) -> Log:
    """Read a log from a file; ``Log.load`` describes it."""
    path = as_path(path)
    if path.exists() and not path.is_file():
        raise ArgumentError(f"{path.name} is no ordinary file")
    size = path.stat().st_size
    if size > LARGEST:
        raise ArgumentError(f"{path.name} has {size:,} bytes; logs are read up to {LARGEST:,}")
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    respelled = False

    def number(text: str) -> float:
        nonlocal respelled
        x = float(text)
        if len(text) < 17 or repr(x) == text:
            return x
        respelled = True
        return _Respelled(text)

    try:
        text = raw.decode("utf-8-sig")
        content = json.loads(text, parse_float=number, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ArgumentError(f"{path.name} is no log: it is nested too deeply") from None
    except ValueError as error:
        raise ArgumentError(f"{path.name} is no log: it is not valid JSON: {error}") from None
    try:
        log = _log(content)
    except _FileError as error:
        where = f"{path.name}: {error.place.lstrip('.')}: " if error.place else f"{path.name}: "
        raise ArgumentError(f"{where}{error.what}") from None
    if respelled and "digest" in content:
        log.doubts += _respelled(content)
    return log


class _Respelled(float):
    """A number whose text has other digits than Python writes, although they mean the same float."""

    def __init__(self, text: str) -> None:
        self.text = text


def _no_constant(name: str) -> Any:
    raise ValueError(f'{name} is no JSON; write "nan", "inf" or "-inf"')


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"{shown(next(k for k in keys if keys.count(k) > 1))} stands twice in one object")
    return found


def _log(content: Any) -> Log:
    from .log import Log

    _need(content, dict, "", "a log is an object with format, version, nodes and updates")
    if content.get("format") != FORMAT:
        raise _FileError("format", f"must be {FORMAT!r}, not {shown(content.get('format'))}")
    version = content.get("version")
    if version != VERSION or isinstance(version, bool):
        raise _FileError("version", f"must be {VERSION}, not {shown(version)}; this file may come from another release")
    digits = _whole(content.get("digits", 6), "digits", 1, 18)
    doubts: list[Difference] = []
    graphs = [_Read(content, "", digits)]
    for k, x in enumerate(_need(content.get("graphs", []), list, "graphs", "must be a list")):
        graphs.append(_Read(x, f"graphs[{k}].", digits))
    updates = _need(content.get("updates"), list, "updates", "must be a list of training steps")
    if not updates:
        raise _FileError("updates", "must hold at least one training step")
    kept: list[Iteration] = []
    events = 0
    for k, x in enumerate(updates):
        try:
            _need(x, dict, "", "must be an object with loss, leaves and events")
            read = graphs[_whole(x.get("graph", 0), "graph", 0, len(graphs))]
            kept.append(read.iteration(x, kept[-1].number if kept else 0, events, doubts))
        except _FileError as error:
            raise _FileError(f"updates[{k}].{error.place}".rstrip("."), error.what) from None
        events += len(kept[-1])
    optimizer = content.get("optimizer")
    if optimizer is not None:
        _need(optimizer, dict, "optimizer", "must be an object or null")
        optimizer = {name: _setting(x, f"optimizer.{name}") for name, x in optimizer.items()}
    losses = content.get("losses")
    if losses is not None:
        losses = _numbers(losses, "losses")
        if len(losses) < kept[-1].number:
            raise _FileError("losses", f"must hold a number for each of {kept[-1].number} training steps")
    elif kept[-1].number != len(kept):
        raise _FileError("losses", "are missing; they are needed where not every training step is kept")
    if "digest" in content:
        _compare_digest(content, doubts)
    log = Log(kept, digits, optimizer, losses)
    log.doubts = doubts
    return log


def _compare_digest(content: dict[str, Any], doubts: list[Difference]) -> None:
    head = {k: x for k, x in content.items() if k not in ("root", "nodes", "graphs", "updates", "digest")}
    digest = sha256(_canonical(head).encode())
    for graph in (content, *content.get("graphs", ())):
        digest.update(_canonical({"root": graph["root"]}).encode())
        for entry in graph["nodes"]:
            digest.update(_canonical(entry).encode())
    if digest.hexdigest() != content["digest"]:
        what = Message("the digest of the nodes (their names, scopes and numbers) and of the settings")
        doubts.append(Difference(None, what, content["digest"], digest.hexdigest()))


def _respelled(content: dict[str, Any]) -> Iterator[Difference]:
    """The numbers whose digits were changed so little that they still mean the same float."""
    first = 0
    for k, update in enumerate(content["updates"]):
        rest = {key: x for key, x in update.items() if key != "events"}
        for number, event in (None, rest), *enumerate(update["events"], first + 1):
            what = (
                Message("{key}: a number", key=f"updates[{k}]") if number is None else Message("the text of a number")
            )
            for x in _floats(event):
                yield Difference(number, what, x.text, repr(float(x)))
        first += len(update["events"])
    for key in content.keys() - {"updates"}:
        for x in _floats(content[key]):
            yield Difference(None, Message("{key}: the text of a number", key=key), x.text, repr(float(x)))


def _floats(x: Any) -> Iterator[_Respelled]:
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, _Respelled):
            yield x
        elif isinstance(x, list | dict):
            stack += x.values() if isinstance(x, dict) else x


class _Read:
    """A graph of a file, with its Values made again."""

    def __init__(self, content: Any, place: str, digits: int) -> None:
        _need(content, dict, place.rstrip("."), "must be an object with root and nodes")
        self._nodes = _need(content.get("nodes"), list, f"{place}nodes", "must be a list of nodes")
        root = _whole(content.get("root"), f"{place}root", 0, len(self._nodes))
        self._values: list[Value] = []
        self._numbers: list[list[float]] = []  # the operands of each node
        try:
            with Surrounding(recording=True, tracer=None, loops=None):
                for x in self._nodes:
                    self._add(x)
        except _FileError as error:
            raise _FileError(f"{place}nodes[{len(self._values)}].{error.place}".rstrip("."), error.what) from None
        order = topological(self._values[root])
        if len(order) < len(self._values):
            used = set(order)
            lost = next(k for k, x in enumerate(self._values) if x not in used)
            raise _FileError(f"{place}nodes[{lost}]", f"is not part of the graph of the root, node {root}")
        self.graph = Graph(order, digits)
        self._place = [self.graph.index[x] for x in self._values]  # a node of the file -> its number in the order
        self._file = {x: k for k, x in enumerate(self._values)}  # … and back
        self._is_new = True

    def _add(self, x: Any) -> None:
        """Make the Value of the next node."""
        _need(x, dict, "", "must be an object with op, inputs, operands, partials and data")
        name = x.get("name")
        if name is not None:
            _need(name, str, "name", "must be text or null")
        for key in ("label", "formula"):
            if x.get(key) is not None:
                _need(x[key], str, key, "must be text")
        scope = _need(x.get("scope", []), list, "scope", "must be a list of names")
        for k, part in enumerate(scope):
            _need(part, str, f"scope[{k}]", "must be text")
        data = _number_of(x.get("data"), "data")
        inputs = [
            self._values[_whole(at, f"inputs[{k}]", 0, len(self._values), "an earlier node")]
            for k, at in enumerate(_need(x.get("inputs", []), list, "inputs", "must be a list of earlier nodes"))
        ]
        operands = _numbers(x.get("operands", []), "operands")
        partials = _numbers(x.get("partials", []), "partials")
        op = None if x.get("op") is None else _operation(x["op"])
        constants = _need(x.get("constants", {}), dict, "constants", "must be an object")
        if op is None:
            if inputs or operands or partials or constants:
                raise _FileError("", "has no operation, so it has no inputs, operands, partials or constants either")
            value = Value(data, name)
        else:
            count = len(operands)
            _check_count(op, count)
            fixed = {_position(k, count): _number_of(y, f"constants.{k}") for k, y in constants.items()}
            if not inputs or len(inputs) + len(fixed) != count:
                raise _FileError(
                    "inputs", f"are {len(inputs)}, with {len(fixed)} constants; the operation has {count} operands"
                )
            if len(partials) != len(inputs):
                raise _FileError("partials", f"are {len(partials)}; each of the {len(inputs)} inputs needs one")
            rest = iter(inputs)
            placed = tuple([fixed[k] if k in fixed else next(rest) for k in range(count)])
            origin = (op, None, (), *placed) if fixed else op.unnamed
            value = node(data, tuple(inputs), tuple(partials), origin)
        value.name, value.scope = name, tuple(scope)
        self._values.append(value)
        self._numbers.append(operands)

    def iteration(self, x: dict[str, Any], before: int, first: int, doubts: list[Difference]) -> Iteration:
        """A training step on this graph.

        Args:
            x: the step in the file.
            before: the number of the step before.
            first: how many events there are before it.
            doubts: takes what the file says twice, but not in the same way.
        """
        number = _whole(x.get("number", before + 1), "number", before + 1, 2**53)
        made = Iteration(self.graph, number)
        values: list[float | None] = [None] * len(self._values)
        leaves = _need(x.get("leaves"), dict, "leaves", "must be an object with the value of each leaf")
        for key, y in leaves.items():
            at = _position(key, len(values), "leaves")
            if self._values[at].op is not None:
                raise _FileError(f"leaves.{key}", "is no leaf")
            values[at] = _number_of(y, f"leaves.{key}")
        missing = [k for k, leaf in enumerate(self._values) if leaf.op is None and values[k] is None]
        if missing:
            raise _FileError("leaves", f"must have the value of node {missing[0]}")
        events = _need(x.get("events"), list, "events", "must be a list of events")
        moves: list[tuple[int, list[Any]]] = []
        k, stage = 0, 0
        try:
            for k, event in enumerate(events):
                if not isinstance(event, list) or not event or event[0] not in ("f", "b", "u"):
                    raise _FileError("", 'must be a list that begins with "f", "b" or "u"')
                kind = "fbu".index(event[0])
                if kind < stage:
                    raise _FileError("", "forward events come first, then backward events, then updates")
                stage = kind
                if kind == 0:
                    self._forward(event, values, made)
                elif kind == 1:
                    self._backward(event, made)
                else:
                    self._update(event, made)
                    moves.append((first + k + 1, event))
        except _FileError as error:
            raise _FileError(f"events[{k}]{error.place}", error.what) from None
        for k, y in enumerate(values):
            if y is None:
                raise _FileError("events", f"must have a forward event of node {k}")
        numbers = [y for y in values if y is not None]
        in_order = [self._file[node] for node in self.graph.order]
        made.values.extend([numbers[k] for k in in_order])
        other = self._other_operands(x)
        for k in in_order:
            made.operands.extend(other.get(k) or (self._numbers[k] if self._is_new else self._given(k, numbers)))
        self._doubt(x, made, first, other, moves, doubts)
        return made

    def _forward(self, event: list[Any], values: list[float | None], made: Iteration) -> None:
        _length(event, 3)
        at = _whole(event[1], "[1]", 0, len(values), "a node")
        if self._values[at].op is None:
            raise _FileError("[1]", f"node {at} is a leaf, which is not computed")
        if values[at] is not None:
            raise _FileError("[1]", f"node {at} is computed twice")
        values[at] = _number_of(event[2], "[2]")
        made.computed.append(self._place[at])

    def _backward(self, event: list[Any], made: Iteration) -> None:
        _length(event, 7)
        at = _whole(event[1], "[1]", 0, len(self._values), "a node")
        position = _whole(event[2], "[2]", 0, len(self._values[at].inputs), "one of the node's inputs")
        made.swept.append(self._place[at])
        made.positions.append(position)
        made.sweep.extend([_number_of(y, f"[{k}]") for k, y in enumerate(event[3:], 3)])

    def _update(self, event: list[Any], made: Iteration) -> None:
        if not 8 <= len(event) <= 10:
            _length(event, 10)
        at = event[1]
        if not isinstance(at, str):
            at = _whole(at, "[1]", 0, len(self._values), "a leaf, or the label of a parameter outside the graph")
            if self._values[at].op is not None:
                raise _FileError("[1]", f"node {at} is no leaf, so it is no parameter")
            at = self._place[at]
        old, gradient, new = (_number_of(event[k], f"[{k}]") for k in (2, 3, 4))
        for k in (5, 6):
            _need(event[k], str, f"[{k}]", "must be text")
        _need(event[7], dict, "[7]", "must be an object with the numbers of the formula")
        terms = {name: _number_of(y, f"[7].{name}") for name, y in event[7].items()}
        rule = event[8] if len(event) > 8 else PLAIN_RULE
        _need(rule, str, "[8]", "must be an expression such as 'w - lr * g'")
        if len(rule) > LONGEST_RULE:
            raise _FileError("[8]", f"has {len(rule):,} characters; a formula has at most {LONGEST_RULE}")
        try:
            written_update(rule, Piece("w"), terms, self.graph.digits)
        except (SyntaxError, ValueError, NotImplementedError, RecursionError, MemoryError):
            raise _FileError("[8]", f"{shown(rule)} is no formula; write an expression such as 'w - lr * g'") from None
        made.moves.append(Move(at, old, gradient, new, rule, terms))

    def _given(self, k: int, values: Sequence[float]) -> list[float]:
        """The operands of a node of the file, as its inputs and constants give them."""
        return [y if isinstance(y, float) else values[self._file[y]] for y in self._values[k].operands]

    def _other_operands(self, x: dict[str, Any]) -> dict[int, list[float]]:
        """The operands of the nodes that were computed from other numbers than their leaves have at the update."""
        found = {}
        for key, numbers in _need(x.get("operands", {}), dict, "operands", "must be an object").items():
            at = _position(key, len(self._values), "operands")
            found[at] = _numbers(numbers, f"operands.{key}")
            if len(found[at]) != len(self._numbers[at]):
                raise _FileError(f"operands.{key}", f"must hold {len(self._numbers[at])} numbers")
        return found

    def _doubt(
        self,
        x: dict[str, Any],
        made: Iteration,
        first: int,
        other: Mapping[int, Sequence[float]],
        moves: list[tuple[int, list[Any]]],
        doubts: list[Difference],
    ) -> None:
        """Note what the file says twice, but not in the same way, and what does not fit its checksum."""
        if self._is_new:
            self._first_step(made, first, other, doubts)
            self._is_new = False
        if "loss" in x and not same(loss := _number_of(x["loss"], "loss"), made.loss):
            root = len(self.graph.order) - 1
            at = first + 1 + made.computed.index(root) if root in made.computed else None
            doubts.append(Difference(at, Message("update {number}: the loss", number=made.number), loss, made.loss))
        if "check" in x:
            check = _check({k: y for k, y in x.items() if k not in ("check", "events")})
            if check != x["check"]:
                what = Message(
                    "update {number}: the checksum of its number, graph, loss, leaves and operands", number=made.number
                )
                doubts.append(Difference(None, what, x["check"], check))
        for (number, event), move in zip(moves, made.moves, strict=True):
            name = _name(self.graph, move.parameter)
            texts = written_update(move.rule, name, move.terms, self.graph.digits)
            for part, recorded, expected in zip(
                (
                    Message("{name}: the text of its formula", name=name.text),
                    Message("{name}: the text of its numbers", name=name.text),
                ),
                event[5:7],
                texts,
                strict=True,
            ):
                if recorded and recorded != expected:
                    doubts.append(Difference(number, part, recorded, expected))
            if len(event) > 9 and event[9] != (check := _check(event[1:9])):
                checksum = Message("{name}: the checksum of its numbers", name=name.text)
                doubts.append(Difference(number, checksum, event[9], check))

    def _first_step(
        self, made: Iteration, first: int, other: Mapping[int, Sequence[float]], doubts: list[Difference]
    ) -> None:
        """Compare the nodes with the first training step, whose numbers they have; and set their gradients."""
        graph = self.graph
        event_of = {at: first + k + 1 for k, at in enumerate(made.computed)}
        for k, (entry, value) in enumerate(zip(self._nodes, self._values, strict=True)):
            at = graph.index[value]
            name, event = graph.label(at), event_of.get(at)

            def doubt(what: Message, recorded: Any, expected: Any, event: int | None = event) -> None:
                doubts.append(Difference(event, what, recorded, expected))

            if entry.get("label", name) != name:
                doubt(Message("{name}: its label", name=name), entry["label"], name)
            if value.op is not None and entry.get("formula") is not None:
                formula = graph.names.formula(value).text
                if entry["formula"] != formula:
                    doubt(Message("{name}: its formula", name=name), entry["formula"], formula)
            if not same(value.data, made.values[at]):
                doubt(Message("{name}: its data", name=name), value.data, made.values[at])
            for x, y in zip(value.operands, made.operands_of(at), strict=True):
                if isinstance(x, float):
                    if not same(x, y):
                        doubt(Message("{name}: the constant among its operands", name=name), y, x)
                elif x.op is None and k not in other and not same(y, known := made.values[graph.index[x]]):
                    operand = graph.label(graph.index[x])
                    doubt(Message("{name}: its operand {operand}", name=name, operand=operand), y, known)
        graph.order[-1].grad = 1.0
        for k, (at, position) in enumerate(zip(made.swept, made.positions, strict=True)):
            graph.order[at].inputs[position].grad = made.sweep[4 * k + 3]


def _operation(name: Any) -> Op:
    _need(name, str, "op", "must be the name of an operation or null")
    if name not in TABLE:
        raise _FileError(
            "op", f"{shown(name)} is not in the operation table; operations that a program defines are not in files"
        )
    return TABLE[name]


def _check_count(op: Op, count: int) -> None:
    """Check that an operation takes that many operands."""
    lists = sum(name.startswith("*") for name in op.operands)
    single = len(op.operands) - lists
    fits = count % lists <= single if lists else count == single  # the last operand of dot may be missing
    if not fits or count == 0:
        raise _FileError("operands", f"are {count}, which {op.name}({', '.join(op.operands)}) does not take")


# The checks of single things: each returns what it was given, or says what is wrong with it.


def _need(x: Any, kind: type, place: str, what: str) -> Any:
    if not isinstance(x, kind):
        raise _FileError(place, f"{what}, not {shown(x)}")
    return x


def _length(event: list[Any], count: int) -> None:
    if len(event) != count:
        raise _FileError("", f"a {event[0]!r} event has {count} parts, not {len(event)}")


def _whole(x: Any, place: str, low: int, high: int, what: str = "a whole number") -> int:
    if isinstance(x, bool) or not isinstance(x, int) or not low <= x < high:
        allowed = f"from {low} to {high - 1}" if high > low else "and there is none"
        raise _FileError(place, f"must be {what}, {allowed}, not {shown(x)}")
    return x


def _position(key: str, count: int, place: str = "constants") -> int:
    if not (key.isascii() and key.isdigit() and len(key) < 20 and str(int(key)) == key and int(key) < count):
        raise _FileError(f"{place}.{key[:20]}", f"must be the number of one of {count}, counted from 0")
    return int(key)


def _number_of(x: Any, place: str) -> float:
    if isinstance(x, float):
        if math.isfinite(x):
            return x if type(x) is float else float(x)
        raise _FileError(place, 'is too large for a number; write "inf" if that is meant')
    if isinstance(x, str) and x in ("nan", "inf", "-inf"):
        return float(x)
    if isinstance(x, int) and not isinstance(x, bool):
        try:
            return float(x)
        except OverflowError:
            raise _FileError(place, "is too large for a number") from None
    raise _FileError(place, f'must be a number, or "nan", "inf" or "-inf", not {shown(x)}')


def _numbers(x: Any, place: str) -> list[float]:
    _need(x, list, place, "must be a list of numbers")
    return [_number_of(y, f"{place}[{k}]") for k, y in enumerate(x)]


def _setting(x: Any, place: str) -> Any:
    if isinstance(x, bool) or (isinstance(x, str) and x not in ("nan", "inf", "-inf")):
        return x
    return _numbers(x, place) if isinstance(x, list) else x if isinstance(x, int) else _number_of(x, place)
