"""The loops over a block of rows, in LLVM's assembly language: load, store, layers, products, sums.

They are the same for every program; what differs, which operands they work on, is in tables. A block is ``vectors``
vectors of ``lanes`` rows; a slot holds one number for every row of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

Declaration = tuple[str, str]


@dataclass(frozen=True)
class Shape:
    """How wide vectors and blocks are.

    Attributes:
        item: ``double`` or ``float``.
        lanes: rows in a vector.
        vectors: vectors in a block.
        registers: how many vector registers there are.
        widest: the lanes of the machine's own vectors, also where one row at a time is worked off.
    """

    item: str
    lanes: int
    vectors: int
    registers: int
    widest: int

    @property
    def item_bytes(self) -> int:
        """Bytes of one number."""
        return 8 if self.item == "double" else 4

    @property
    def vector_bytes(self) -> int:
        """Bytes of one vector."""
        return self.lanes * self.item_bytes

    @property
    def rows(self) -> int:
        """Rows in a block."""
        return self.lanes * self.vectors

    @property
    def block_bytes(self) -> int:
        """Bytes of a slot."""
        return self.rows * self.item_bytes

    @property
    def align(self) -> int:
        """What vectors in the workspace are aligned to."""
        return self.vector_bytes

    @property
    def vector(self) -> str:
        """The type of a vector."""
        return self.item if self.lanes == 1 else f"<{self.lanes} x {self.item}>"

    @property
    def mask(self) -> str:
        """The type of a condition."""
        return "i1" if self.lanes == 1 else f"<{self.lanes} x i1>"

    @property
    def all_true(self) -> str:
        """The condition that holds everywhere."""
        return "true" if self.lanes == 1 else f"<{', '.join(['i1 true'] * self.lanes)}>"

    @property
    def suffix(self) -> str:
        """How LLVM's functions on this vector are called."""
        kind = "f64" if self.item == "double" else "f32"
        return kind if self.lanes == 1 else f"v{self.lanes}{kind}"

    @property
    def tiles(self) -> tuple[int, ...]:
        """How many dots of a layer are worked off at once: as many as leave registers for the operands."""
        largest = max(1, (self.registers - self.vectors - 4) // self.vectors)
        return tuple(t for t in (6, 4, 2, 1) if t <= largest)

    def scalar(self) -> Shape:
        """One row at a time."""
        return Shape(self.item, 1, 1, self.registers, self.widest)

    def constant(self, x: float) -> str:
        """A number in every lane, exactly."""
        if self.item == "float":
            try:
                x = struct.unpack("f", struct.pack("f", x))[0]
            except OverflowError:
                x = float("inf") if x > 0 else float("-inf")
        bits = "0x" + struct.pack(">d", x).hex().upper()
        return bits if self.lanes == 1 else f"<{', '.join([f'{self.item} {bits}'] * self.lanes)}>"

    def spread(self, result: str, pointer: str) -> list[str]:
        """The lines that load one number into every lane."""
        if self.lanes == 1:
            return [f"{result} = load {self.item}, ptr {pointer}"]
        return [
            f"{result}.s = load {self.item}, ptr {pointer}",
            f"{result}.i = insertelement {self.vector} poison, {self.item} {result}.s, i64 0",
            f"{result} = shufflevector {self.vector} {result}.i, {self.vector} poison, "
            f"<{self.lanes} x i32> zeroinitializer",
        ]


def kernel(name: str, shape: Shape, *sizes: int) -> tuple[str, list[Declaration]]:
    """A kernel's text, and the functions of LLVM's that it calls."""
    fma = f"@llvm.fma.{shape.suffix}"
    v = shape.vector
    lines, uses_fma = _KERNELS[name](shape, *sizes)
    return "\n".join(lines), [(fma, f"declare {v} {fma}({v}, {v}, {v})")] if uses_fma else []


def vector_function(full: str, op: str, count: int, shape: Shape, python: int | None) -> tuple[str, list[Declaration]]:
    """A function on vectors that calls one on numbers for each lane: libm's, or Python's at a place of the table."""
    v, item = shape.vector, shape.item
    names = [f"%x{k}" for k in range(count)]
    lines = [f"define internal {v} {full}(ptr %calls, {', '.join(f'{v} {x}' for x in names)}) {{", "entry:"]
    declared: list[Declaration] = []
    if python is None:
        scalar = f"@{op}" + ("f" if item == "float" else "")
        declared.append((scalar, f"declare {item} {scalar}({', '.join([item] * count)})"))
    else:
        scalar = "%function"
        lines += [f"%entry.of = getelementptr ptr, ptr %calls, i64 {python}", "%function = load ptr, ptr %entry.of"]
    last = "poison"
    for lane in range(shape.lanes):
        taken = []
        for k, x in enumerate(names):
            one = x
            if shape.lanes > 1:
                one = f"%e{lane}.{k}"
                lines.append(f"{one} = extractelement {v} {x}, i64 {lane}")
            if python is not None and item == "float":
                lines.append(f"%w{lane}.{k} = fpext float {one} to double")
                one = f"%w{lane}.{k}"
            taken.append(one)
        kind = "double" if python is not None else item
        lines.append(f"%y{lane} = call {kind} {scalar}({', '.join(f'{kind} {x}' for x in taken)})")
        result = f"%y{lane}"
        if python is not None and item == "float":
            lines.append(f"%z{lane} = fptrunc double {result} to float")
            result = f"%z{lane}"
        if shape.lanes == 1:
            last = result
        else:
            lines.append(f"%r{lane} = insertelement {v} {last}, {item} {result}, i64 {lane}")
            last = f"%r{lane}"
    lines += [f"ret {v} {last}", "}"]
    return "\n".join(lines), declared


# Rows in and out -----------------------------------------------------------------------------------------------------


def _lane_pointers(shape: Shape, p: int) -> list[str]:
    """The rows of the block's p-th vector: %q0 …; a row beyond the last is the last one once more."""
    lines = []
    for lane in range(shape.lanes):
        r = p * shape.lanes + lane
        n = f"{p}.{lane}"
        lines += [
            f"%in{n} = icmp ult i64 {r}, %count",
            f"%k{n} = select i1 %in{n}, i64 {r}, i64 %last",
            f"%d{n} = mul i64 %k{n}, %stride",
            f"%q{n} = getelementptr i8, ptr %from, i64 %d{n}",
        ]
    return lines


def _load(shape: Shape) -> tuple[list[str], bool]:
    """Rows of an array into slots: a column of it for each pair of the table, (offset in the row, slot)."""
    v, item = shape.vector, shape.item
    lines = [
        "define void @load(ptr noalias %ws, ptr %from, i64 %stride, i64 %count, ptr %table, i64 %n) {",
        *_ways(shape),
    ]
    for p in range(shape.vectors):
        lines += [
            f"%f{p} = getelementptr i8, ptr %dense.at, i64 {p * shape.vector_bytes}",
            f"%g{p} = load {v}, ptr %f{p}, align {shape.item_bytes}",
            f"%h{p} = getelementptr i8, ptr %slot.at, i64 {p * shape.vector_bytes}",
            f"store {v} %g{p}, ptr %h{p}, align {shape.align}",
        ]
    lines.append("ret void")
    for p in range(shape.vectors):
        lines += _columns(shape, p, f"col{p}")
        last = "poison"
        for lane in range(shape.lanes):
            n = f"{p}.{lane}"
            lines += [f"%a{n} = getelementptr i8, ptr %q{n}, i64 %off{p}", f"%e{n} = load {item}, ptr %a{n}"]
            if shape.lanes > 1:
                lines.append(f"%r{n} = insertelement {v} {last}, {item} %e{n}, i64 {lane}")
                last = f"%r{n}"
            else:
                last = f"%e{n}"
        lines += [f"store {v} {last}, ptr %x{p}, align {shape.align}", *_next_column(shape, p)]
    return [*lines, "end:", "ret void", "}"], False


def _ways(shape: Shape) -> list[str]:
    """The two ways: one dense column of a whole block is copied vector by vector, all else number by number."""
    return [
        "entry:",
        "%last = sub i64 %count, 1",
        "%one = icmp eq i64 %n, 1",
        f"%dense = icmp eq i64 %stride, {shape.item_bytes}",
        f"%full = icmp eq i64 %count, {shape.rows}",
        "%both = and i1 %one, %dense",
        "%quick = and i1 %both, %full",
        "br i1 %quick, label %copy, label %rows0",
        "copy:",
        "%off = load i64, ptr %table",
        "%slot.of = getelementptr i64, ptr %table, i64 1",
        "%slot = load i64, ptr %slot.of",
        "%slot.at = getelementptr i8, ptr %ws, i64 %slot",
        "%dense.at = getelementptr i8, ptr %from, i64 %off",
    ]


def _pair(p: int) -> list[str]:
    return [
        f"%t{p} = shl i64 %i{p}, 1",
        f"%c{p} = getelementptr i64, ptr %table, i64 %t{p}",
        f"%off{p} = load i64, ptr %c{p}",
        f"%b{p} = getelementptr i64, ptr %c{p}, i64 1",
        f"%slot{p} = load i64, ptr %b{p}",
    ]


def _next(p: int, again: str, after: str) -> list[str]:
    return [
        f"%j{p} = add i64 %i{p}, 1",
        f"%m{p} = icmp ult i64 %j{p}, %n",
        f"br i1 %m{p}, label %{again}, label %{after}",
    ]


def _columns(shape: Shape, p: int, latch: str, *state: str) -> list[str]:
    """The head of a loop over columns, for the rows of the block's p-th vector: %q are the rows, %x their vector."""
    return [
        f"rows{p}:",
        *_lane_pointers(shape, p),
        f"br label %col{p}",
        f"col{p}:",
        f"%i{p} = phi i64 [ 0, %rows{p} ], [ %j{p}, %{latch} ]",
        *state,
        *_pair(p),
        f"%w{p} = getelementptr i8, ptr %ws, i64 %slot{p}",
        f"%x{p} = getelementptr i8, ptr %w{p}, i64 {p * shape.vector_bytes}",
    ]


def _next_column(shape: Shape, p: int) -> list[str]:
    return _next(p, f"col{p}", f"rows{p + 1}" if p + 1 < shape.vectors else "end")


def _store(shape: Shape) -> tuple[list[str], bool]:
    """Slots into the rows of an array; %flag is set if one of the numbers is not finite."""
    v, item = shape.vector, shape.item
    lines = [
        "define void @store(ptr noalias %ws, ptr %from, i64 %stride, i64 %count, ptr %table, i64 %n, ptr %flag) {",
        *_ways(shape),
    ]
    for p in range(shape.vectors):
        lines += [
            f"%h{p} = getelementptr i8, ptr %slot.at, i64 {p * shape.vector_bytes}",
            f"%g{p} = load {v}, ptr %h{p}, align {shape.align}",
            f"%f{p} = getelementptr i8, ptr %dense.at, i64 {p * shape.vector_bytes}",
            f"store {v} %g{p}, ptr %f{p}, align {shape.item_bytes}",
            *flagged(shape, f"%k.{p}", f"%g{p}", f"%k.{p - 1}" if p else "0"),
        ]
    lines += [*raise_flag("%raised0", f"%k.{shape.vectors - 1}"), "ret void"]
    for p in range(shape.vectors):
        state = f"%l{p} = phi i64 [ {f'%z{p - 1}' if p else '0'}, %rows{p} ], [ %z{p}, %next{p} ]"
        lines += [
            *_columns(shape, p, f"next{p}", state),
            f"%v{p} = load {v}, ptr %x{p}, align {shape.align}",
            *flagged(shape, f"%z{p}", f"%v{p}", f"%l{p}"),
        ]
        for lane in range(shape.lanes):
            n = f"{p}.{lane}"
            one = f"%v{p}"
            if shape.lanes > 1:
                one = f"%e{n}"
                lines.append(f"{one} = extractelement {v} %v{p}, i64 {lane}")
            lines += [
                f"br i1 %in{n}, label %write{n}, label %next{p}",
                f"write{n}:",
                f"%a{n} = getelementptr i8, ptr %q{n}, i64 %off{p}",
                f"store {item} {one}, ptr %a{n}",
            ]
        lines += [f"br label %next{p}", f"next{p}:", *_next_column(shape, p)]
    return [*lines, "end:", *raise_flag("%raised1", f"%z{shape.vectors - 1}"), "ret void", "}"], False


def flagged(shape: Shape, result: str, number: str, before: str) -> list[str]:
    """``before`` with further bits set if a vector holds inf or nan: x − x is 0 for all other numbers."""
    test = [
        f"{result}.rest = fsub {shape.vector} {number}, {number}",
        f"{result}.nan = fcmp uno {shape.vector} {result}.rest, {result}.rest",
    ]
    if shape.lanes == 1:
        return [*test, f"{result}.bits = zext i1 {result}.nan to i64", f"{result} = or i64 {before}, {result}.bits"]
    kind = f"i{shape.lanes}"
    return [
        *test,
        f"{result}.mask = bitcast {shape.mask} {result}.nan to {kind}",
        f"{result}.bits = zext {kind} {result}.mask to i64",
        f"{result} = or i64 {before}, {result}.bits",
    ]


def raise_flag(name: str, bits: str) -> list[str]:
    """The lines that add bits to the flag."""
    return [f"{name}.old = load i64, ptr %flag", f"{name} = or i64 {name}.old, {bits}", f"store i64 {name}, ptr %flag"]


def _spread(shape: Shape) -> tuple[list[str], bool]:
    """Numbers that all rows share into the rows of an array."""
    item = shape.item
    return [
        "define void @spread(ptr noalias %params, ptr %from, i64 %stride, i64 %count, ptr %table, i64 %n) {",
        "entry:",
        "br label %row",
        "row:",
        "%r = phi i64 [ 0, %entry ], [ %r1, %rowend ]",
        "%d = mul i64 %r, %stride",
        "%q = getelementptr i8, ptr %from, i64 %d",
        "br label %col0",
        "col0:",
        "%i0 = phi i64 [ 0, %row ], [ %j0, %col0 ]",
        *_pair(0),
        "%w = getelementptr i8, ptr %params, i64 %slot0",
        f"%e = load {item}, ptr %w",
        "%a = getelementptr i8, ptr %q, i64 %off0",
        f"store {item} %e, ptr %a",
        *_next(0, "col0", "rowend"),
        "rowend:",
        "%r1 = add i64 %r, 1",
        "%more = icmp ult i64 %r1, %count",
        "br i1 %more, label %row, label %end",
        "end:",
        "ret void",
        "}",
    ], False


# Sums over operands --------------------------------------------------------------------------------------------------


def _fma(shape: Shape, result: str, x: str, y: str, z: str) -> str:
    v = shape.vector
    return f"{result} = call {v} @llvm.fma.{shape.suffix}({v} {x}, {v} {y}, {v} {z})"


def _layer(shape: Shape, tile: int) -> tuple[list[str], bool]:
    """Dots with shared weights, ``tile`` of them at once; their weights stand interleaved in %packed."""
    v, b = shape.vector, shape.item_bytes
    cells = [(j, p) for j in range(tile) for p in range(shape.vectors)]
    zero = shape.constant(0.0)
    lines = [
        f"define void @layer_{tile}"
        "(ptr noalias %ws, ptr noalias %packed, i64 %start, ptr %xs, ptr %outs, i64 %n, i64 %tiles) {",
        "entry:",
        "%first = getelementptr i8, ptr %packed, i64 %start",
        "br label %tile",
        "tile:",
        "%t = phi i64 [ 0, %entry ], [ %t1, %done ]",
        "%w = phi ptr [ %first, %entry ], [ %wk1, %done ]",
        "br label %k",
        "k:",
        "%i = phi i64 [ 0, %tile ], [ %i1, %k ]",
        "%wk = phi ptr [ %w, %tile ], [ %wk1, %k ]",
        *[f"%s{j}.{p} = phi {v} [ {zero}, %tile ], [ %n{j}.{p}, %k ]" for j, p in cells],
        "%c = getelementptr i64, ptr %xs, i64 %i",
        "%off = load i64, ptr %c",
        "%x = getelementptr i8, ptr %ws, i64 %off",
    ]
    for p in range(shape.vectors):
        lines += [
            f"%q{p} = getelementptr i8, ptr %x, i64 {p * shape.vector_bytes}",
            f"%x{p} = load {v}, ptr %q{p}, align {shape.align}",
        ]
    for j in range(tile):
        lines += [f"%a{j} = getelementptr i8, ptr %wk, i64 {j * b}", *shape.spread(f"%w{j}", f"%a{j}")]
        lines += [_fma(shape, f"%n{j}.{p}", f"%w{j}", f"%x{p}", f"%s{j}.{p}") for p in range(shape.vectors)]
    lines += [
        f"%wk1 = getelementptr i8, ptr %wk, i64 {tile * b}",
        "%i1 = add i64 %i, 1",
        "%more = icmp ult i64 %i1, %n",
        "br i1 %more, label %k, label %done",
        "done:",
        f"%t0 = mul i64 %t, {tile}",
    ]
    for j in range(tile):
        lines += [
            f"%u{j} = add i64 %t0, {j}",
            f"%y{j} = getelementptr i64, ptr %outs, i64 %u{j}",
            f"%z{j} = load i64, ptr %y{j}",
            f"%o{j} = getelementptr i8, ptr %ws, i64 %z{j}",
        ]
        for p in range(shape.vectors):
            lines += [
                f"%p{j}.{p} = getelementptr i8, ptr %o{j}, i64 {p * shape.vector_bytes}",
                f"store {v} %n{j}.{p}, ptr %p{j}.{p}, align {shape.align}",
            ]
    return [
        *lines,
        "%t1 = add i64 %t, 1",
        "%again = icmp ult i64 %t1, %tiles",
        "br i1 %again, label %tile, label %end",
        "end:",
        "ret void",
        "}",
    ], True


def _product(shape: Shape) -> tuple[list[str], bool]:
    """One dot of operands that both differ from row to row."""
    v = shape.vector
    every = range(shape.vectors)
    lines = [
        "define void @product(ptr noalias %ws, ptr %xs, ptr %ys, i64 %out, i64 %n) {",
        "entry:",
        "br label %k",
        "k:",
        "%i = phi i64 [ 0, %entry ], [ %i1, %k ]",
        *[f"%s{p} = phi {v} [ {shape.constant(0.0)}, %entry ], [ %n{p}, %k ]" for p in every],
    ]
    for name in "xy":
        lines += _operand(shape, name, f"%{name}s", "%i")
    lines += [_fma(shape, f"%n{p}", f"%x{p}", f"%y{p}", f"%s{p}") for p in every]
    lines += [
        "%i1 = add i64 %i, 1",
        "%more = icmp ult i64 %i1, %n",
        "br i1 %more, label %k, label %done",
        "done:",
        "%o = getelementptr i8, ptr %ws, i64 %out",
    ]
    for p in every:
        lines += [
            f"%p{p} = getelementptr i8, ptr %o, i64 {p * shape.vector_bytes}",
            f"store {v} %n{p}, ptr %p{p}, align {shape.align}",
        ]
    return [*lines, "ret void", "}"], True


def _operand(shape: Shape, name: str, table: str, index: str) -> list[str]:
    """Load the slot that a table names: %name0, %name1 … are its vectors."""
    lines = [
        f"%{name}.c = getelementptr i64, ptr {table}, i64 {index}",
        f"%{name}.off = load i64, ptr %{name}.c",
        f"%{name}.p = getelementptr i8, ptr %ws, i64 %{name}.off",
    ]
    for p in range(shape.vectors):
        lines += [
            f"%{name}.q{p} = getelementptr i8, ptr %{name}.p, i64 {p * shape.vector_bytes}",
            f"%{name}{p} = load {shape.vector}, ptr %{name}.q{p}, align {shape.align}",
        ]
    return lines


# Sums over rows ------------------------------------------------------------------------------------------------------


def _clear(shape: Shape) -> tuple[list[str], bool]:
    """Set the rows beyond the last one to 0 in some slots; nothing to do for a whole block."""
    v = shape.vector
    lines = [
        "define void @clear(ptr noalias %ws, ptr %xs, i64 %n, i64 %count) {",
        "entry:",
        f"%full = icmp eq i64 %count, {shape.rows}",
        "br i1 %full, label %end, label %masks",
        "masks:",
    ]
    for p in range(shape.vectors):
        if shape.lanes == 1:
            lines.append(f"%m{p} = icmp ult i64 {p}, %count")
            continue
        kind = f"<{shape.lanes} x i64>"
        if not p:
            lines += [
                f"%c.i = insertelement {kind} poison, i64 %count, i64 0",
                f"%c.v = shufflevector {kind} %c.i, {kind} poison, <{shape.lanes} x i32> zeroinitializer",
            ]
        rows = ", ".join(f"i64 {p * shape.lanes + lane}" for lane in range(shape.lanes))
        lines.append(f"%m{p} = icmp ult {kind} <{rows}>, %c.v")
    lines += ["br label %k", "k:", "%i = phi i64 [ 0, %masks ], [ %i1, %k ]", *_operand(shape, "x", "%xs", "%i")]
    for p in range(shape.vectors):
        lines += [
            f"%y{p} = select {shape.mask} %m{p}, {v} %x{p}, {v} {shape.constant(0.0)}",
            f"store {v} %y{p}, ptr %x.q{p}, align {shape.align}",
        ]
    return [
        *lines,
        "%i1 = add i64 %i, 1",
        "%more = icmp ult i64 %i1, %n",
        "br i1 %more, label %k, label %end",
        "end:",
        "ret void",
        "}",
    ], False


def _total(shape: Shape) -> tuple[list[str], bool]:
    """Add slots to accumulators, one each."""
    v = shape.vector
    lines = [
        "define void @total(ptr noalias %ws, ptr %xs, i64 %n, ptr noalias %acc, i64 %start) {",
        "entry:",
        "%a0 = getelementptr i8, ptr %acc, i64 %start",
        "br label %k",
        "k:",
        "%i = phi i64 [ 0, %entry ], [ %i1, %k ]",
        *_operand(shape, "x", "%xs", "%i"),
        f"%o = mul i64 %i, {shape.vector_bytes}",
        "%a = getelementptr i8, ptr %a0, i64 %o",
        f"%s.0 = load {v}, ptr %a, align {shape.align}",
        *[f"%s.{p + 1} = fadd {v} %s.{p}, %x{p}" for p in range(shape.vectors)],
        f"store {v} %s.{shape.vectors}, ptr %a, align {shape.align}",
        "%i1 = add i64 %i, 1",
        "%more = icmp ult i64 %i1, %n",
        "br i1 %more, label %k, label %end",
        "end:",
        "ret void",
        "}",
    ]
    return lines, False


def _outer(shape: Shape, tile: int) -> tuple[list[str], bool]:
    """Add every a·b to its accumulator, for ``tile`` of the a at once."""
    v = shape.vector
    lines = [
        f"define void @outer_{tile}"
        "(ptr noalias %ws, ptr %as, ptr %bs, i64 %tiles, i64 %n, ptr noalias %acc, i64 %start) {",
        "entry:",
        "%first = getelementptr i8, ptr %acc, i64 %start",
        f"%jump = mul i64 %n, {shape.vector_bytes}",
        "br label %tile",
        "tile:",
        "%t = phi i64 [ 0, %entry ], [ %t1, %done ]",
        "%s0 = phi ptr [ %first, %entry ], [ %after, %done ]",
        f"%t0 = mul i64 %t, {tile}",
    ]
    for j in range(tile):
        lines += [f"%u{j} = add i64 %t0, {j}", *_operand(shape, f"a{j}.", "%as", f"%u{j}")]
        if j:
            lines.append(f"%s{j} = getelementptr i8, ptr %s{j - 1}, i64 %jump")
    lines += ["br label %k", "k:", "%i = phi i64 [ 0, %tile ], [ %i1, %k ]", *_operand(shape, "b", "%bs", "%i")]
    lines.append(f"%o = mul i64 %i, {shape.vector_bytes}")
    for j in range(tile):
        lines += [
            f"%p{j} = getelementptr i8, ptr %s{j}, i64 %o",
            f"%c{j}.0 = load {v}, ptr %p{j}, align {shape.align}",
            *[_fma(shape, f"%c{j}.{p + 1}", f"%a{j}.{p}", f"%b{p}", f"%c{j}.{p}") for p in range(shape.vectors)],
            f"store {v} %c{j}.{shape.vectors}, ptr %p{j}, align {shape.align}",
        ]
    return [
        *lines,
        "%i1 = add i64 %i, 1",
        "%more = icmp ult i64 %i1, %n",
        "br i1 %more, label %k, label %done",
        "done:",
        f"%after = getelementptr i8, ptr %s{tile - 1}, i64 %jump",
        "%t1 = add i64 %t, 1",
        "%again = icmp ult i64 %t1, %tiles",
        "br i1 %again, label %tile, label %end",
        "end:",
        "ret void",
        "}",
    ], True


_KERNELS: dict[str, Callable[..., tuple[list[str], bool]]] = {
    "load": _load,
    "store": _store,
    "spread": _spread,
    "layer": _layer,
    "product": _product,
    "clear": _clear,
    "total": _total,
    "outer": _outer,
}
