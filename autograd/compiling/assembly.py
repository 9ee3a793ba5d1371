"""LLVM's assembly language: the sizes of vectors and blocks, and a builder that writes a function line by line."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Block:
    """The rows that are computed together: ``vectors`` vectors of ``lanes`` rows.

    Attributes:
        item: ``double`` or ``float``.
        lanes: rows in a vector.
        vectors: vectors in a block.
        registers: how many vector registers there are.
        widest: the lanes of the machine's own vectors, also in code for one row at a time.
        fuses: whether a product and a sum are one instruction of the machine.
    """

    item: str
    lanes: int
    vectors: int
    registers: int
    widest: int
    fuses: bool = False

    @property
    def item_bytes(self) -> int:
        """Bytes of one number."""
        return 8 if self.item == "double" else 4

    @property
    def vector_bytes(self) -> int:
        """Bytes of one vector, to which vectors in the workspace are aligned too."""
        return self.lanes * self.item_bytes

    @property
    def alignment(self) -> int:
        """To how many bytes vectors in the workspace are aligned: as the machine's own vectors at most."""
        return min(self.lanes, self.widest) * self.item_bytes

    @property
    def rows(self) -> int:
        """Rows in a block."""
        return self.lanes * self.vectors

    @property
    def slot_bytes(self) -> int:
        """Bytes of a slot, which holds one number for every row of a block."""
        return self.rows * self.item_bytes

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
        """The suffix of the names of LLVM's functions on this vector."""
        kind = "f64" if self.item == "double" else "f32"
        return kind if self.lanes == 1 else f"v{self.lanes}{kind}"

    @property
    def bits(self) -> str:
        """The type of a vector of integers as long as its numbers."""
        item = f"i{8 * self.item_bytes}"
        return item if self.lanes == 1 else f"<{self.lanes} x {item}>"

    @property
    def named(self) -> dict[str, Any]:
        """The types and constants that instructions name (see ``Opcode``)."""
        return _named(self)

    @property
    def tiles(self) -> tuple[int, ...]:
        """How many dots of a layer are computed at once: as many as leave registers for the operands."""
        largest = max(1, (self.registers - self.vectors - 4) // self.vectors)
        return tuple(t for t in (6, 4, 2, 1) if t <= largest)

    def outer_tiles(self, first: int) -> tuple[int, ...]:
        """How many second factors are multiplied at once by so many first ones: their sums fill half the registers."""
        return tuple(t for t in (16, 8, 4, 2, 1) if t * first <= self.registers // 2)

    def scalar(self) -> Block:
        """One row at a time."""
        return Block(self.item, 1, 1, self.registers, self.widest, self.fuses)

    def constant(self, x: float) -> str:
        """A number in every lane, exactly."""
        if self.item == "float":
            try:
                x = struct.unpack("f", struct.pack("f", x))[0]
            except OverflowError:
                x = float("inf") if x > 0 else float("-inf")
        bits = "0x" + struct.pack(">d", x).hex().upper()
        return bits if self.lanes == 1 else f"<{', '.join([f'{self.item} {bits}'] * self.lanes)}>"


@cache
def _named(block: Block) -> dict[str, Any]:
    width = 8 * block.item_bytes
    mantissa, bias = (52, 1023) if block.item == "double" else (23, 127)
    integers = {
        "unit": 1,
        "mantissa": mantissa,
        "quarter": 1 << (mantissa - 1),  # from the bits of 0.75 to those of 1
        "one": bias << mantissa,  # the bits of 1
        "power": (bias + mantissa) << mantissa,  # the bits of 2^mantissa
        "exponents": -1 << mantissa,
        "sign": -1 << (width - 1),
        "second": width - 2,
    }
    power = 2.0**mantissa
    numbers = {"one": 1.0, "biased": power + bias, "twice": power + 2 * bias, "whole": 1.5 * power}

    def everywhere(x: int) -> str:
        return str(x) if block.lanes == 1 else f"<{', '.join([f'i{width} {x}'] * block.lanes)}>"

    return {
        "v": block.vector,
        "mask": block.mask,
        "true": block.all_true,
        "bits": block.bits,
        "all": f"i{block.lanes}",
        "packed": "pd" if block.item == "double" else "ps",
        "integer": {name: everywhere(x) for name, x in integers.items()},
        "number": {name: block.constant(x) for name, x in numbers.items()},
    }


@dataclass
class Loop:
    """A loop that is being written.

    Attributes:
        index: the counter's name.
        carried: the names of the values that one iteration passes to the next.
        next: the values for the next iteration, set by the body; after the loop, those of the last iteration.
    """

    index: str
    carried: list[str]
    next: list[str] = field(default_factory=list)


@dataclass
class Steps(Loop):
    """A loop that may have no steps, and may end early.

    Attributes:
        exits: the ways out: from which block, with which numbers, and after how many steps.
        last, count: after the loop, the carried values and the number of steps.
        after: the label behind the loop.
    """

    exits: list[tuple[str, list[str], str]] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    count: str = ""
    after: str = ""


class Builder:
    """Writes one function; names and labels are generated.

    Args:
        block: how wide vectors are.
        head: the definition's first line, without its brace.

    Attributes:
        declared: the functions of LLVM's that it calls, and how they are declared.
    """

    def __init__(self, block: Block, head: str) -> None:
        self.block, self.head = block, head
        self.lines = ["entry:"]
        self.declared: dict[str, str] = {}
        self._label = "entry"
        self._count = 0
        self._ended = False  # whether the current basic block has its last line

    def text(self) -> str:
        """The function."""
        return "\n".join((f"{self.head} {{", *self.lines, *([] if self._ended else ["ret void"]), "}"))

    # Lines -----------------------------------------------------------------------------------------------------------

    def do(self, line: str) -> None:
        """A line without a result."""
        self.lines.append(line)

    def let(self, line: str) -> str:
        """A line with a result; returns the result's name."""
        self._declare(line)
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"{name} = {line}")
        return name

    def _declare(self, line: str) -> None:
        """Declare the processor's function that a line calls: the types of its operands are written there."""
        if not line.startswith("call ") or "@llvm.x86." not in line:
            return
        result, rest = line.removeprefix("call ").split(" @", 1)
        name, operands = rest.rstrip(")").split("(", 1)
        types = [operand.rsplit(" ", 1)[0] for operand in operands.split(", ")]
        self.declared[f"@{name}"] = f"declare {result} @{name}({', '.join(types)})"

    def label(self) -> str:
        """A new label."""
        self._count += 1
        return f"b{self._count}"

    def begin(self, label: str) -> None:
        """Begin a basic block; the one before continues into it unless it has ended."""
        if not self._ended:
            self.lines.append(f"br label %{label}")
        self.lines.append(f"{label}:")
        self._label, self._ended = label, False

    def finish(self, line: str = "ret void") -> None:
        """The last line of a basic block."""
        self.lines.append(line)
        self._ended = True

    def branch(self, condition: str, rare: str, usual: str) -> str:
        """End a basic block with a choice of the next one; returns its own label."""
        self.finish(f'br i1 {condition}, label %{rare}, label %{usual}, !prof !{{!"branch_weights", i32 1, i32 9999}}')
        return self._label

    def unless(self, condition: str, label: str) -> None:
        """Continue here if a condition holds, else at a label."""
        here = self.label()
        self.finish(f"br i1 {condition}, label %{here}, label %{label}")
        self.begin(here)

    @contextmanager
    def loop(self, limit: str | int, *starts: tuple[str, str], step: int = 1) -> Iterator[Loop]:
        """A loop that counts from 0 up to a limit; the first iteration always runs.

        Args:
            limit: where it ends.
            starts: type and first value of each number that one iteration passes to the next.
            step: the increment.
        """
        before, again, after = self._label, self.label(), self.label()
        self.begin(again)
        count = self._count
        self._count += 1 + len(starts)
        index, *carried = (f"%v{count + k}" for k in range(1, 2 + len(starts)))
        loop, at = Loop(index, carried), len(self.lines)
        yield loop
        following = self.let(f"add i64 {index}, {step}")
        more = self.let(f"icmp ult i64 {following}, {limit}")
        kinds = zip((("i64", "0"), *starts), (index, *carried), (following, *loop.next), strict=True)
        self.lines[at:at] = [
            f"{name} = phi {kind} [ {first}, %{before} ], [ {last}, %{self._label} ]"
            for (kind, first), name, last in kinds
        ]
        self.finish(f"br i1 {more}, label %{again}, label %{after}")
        self.begin(after)

    @contextmanager
    def steps(self, limit: str, starts: Sequence[tuple[str, str]], may_be_none: bool) -> Iterator[Steps]:
        """As ``loop``, for loops that may end early.

        Args:
            limit: the number of steps.
            starts: type and first value of each number that one step passes to the next.
            may_be_none: whether the limit may be 0.
        """
        after, again = self.label(), self.label()
        count = self._count
        self._count += 1 + len(starts)
        index, *carried = (f"%v{count + k}" for k in range(1, 2 + len(starts)))
        steps = Steps(index, carried, after=after)
        before = self._label
        if may_be_none:
            steps.exits.append((before, [first for _, first in starts], "0"))
            self.finish(f"br i1 {self.let(f'icmp ugt i64 {limit}, 0')}, label %{again}, label %{after}")
        self.begin(again)
        at = len(self.lines)
        yield steps
        following = self.let(f"add i64 {index}, 1")
        more = self.let(f"icmp ult i64 {following}, {limit}")
        kinds = zip((("i64", "0"), *starts), (index, *carried), (following, *steps.next), strict=True)
        self.lines[at:at] = [
            f"{name} = phi {kind} [ {first}, %{before} ], [ {last}, %{self._label} ]"
            for (kind, first), name, last in kinds
        ]
        steps.exits.append((self._label, steps.next, following))
        self.finish(f"br i1 {more}, label %{again}, label %{after}")
        self.begin(after)

        def merged(kind: str, values: Sequence[str]) -> str:
            ways = zip(values, steps.exits, strict=True)
            return self.let(f"phi {kind} {', '.join(f'[ {x}, %{label} ]' for x, (label, _, _) in ways)}")

        steps.last = [merged(kind, [values[k] for _, values, _ in steps.exits]) for k, (kind, _) in enumerate(starts)]
        steps.count = merged("i64", [n for _, _, n in steps.exits])

    def leave_unless(self, condition: str, steps: Steps) -> None:
        """End a loop before this step unless a condition holds."""
        steps.exits.append((self._label, steps.carried, steps.index))
        self.unless(condition, steps.after)

    # Memory ----------------------------------------------------------------------------------------------------------

    def at(self, pointer: str, offset: str | int) -> str:
        """A pointer plus a number of bytes."""
        return pointer if offset == 0 else self.let(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def entry(self, table: str, index: str | int) -> str:
        """A number of a table of 64-bit integers."""
        return self.let(f"load i64, ptr {self.let(f'getelementptr i64, ptr {table}, i64 {index}')}")

    def load(self, pointer: str) -> str:
        """One number."""
        return self.let(f"load {self.block.item}, ptr {pointer}")

    def load_vector(self, pointer: str, number: int = 0, align: int = 0) -> str:
        """The vector of that number from a pointer on; as those of the workspace aligned, unless told."""
        at = self.at(pointer, number * self.block.vector_bytes)
        return self.let(f"load {self.block.vector}, ptr {at}, align {align or self.block.alignment}")

    def store_vector(self, x: str, pointer: str, number: int = 0, align: int = 0) -> None:
        """Store a vector at a pointer; aligned as for loading."""
        at = self.at(pointer, number * self.block.vector_bytes)
        self.do(f"store {self.block.vector} {x}, ptr {at}, align {align or self.block.alignment}")

    def load_slot(self, table: str, index: str) -> tuple[str, list[str]]:
        """The slot that a table names: its pointer and its vectors."""
        slot = self.at("%ws", self.entry(table, index))
        return slot, [self.load_vector(slot, p) for p in range(self.block.vectors)]

    # Vectors ---------------------------------------------------------------------------------------------------------

    def spread(self, pointer: str) -> str:
        """A number that is loaded into every lane."""
        return self.spread_number(self.load(pointer))

    def spread_number(self, x: str) -> str:
        """A number in every lane."""
        block = self.block
        if block.lanes == 1:
            return x
        one = self.let(f"insertelement {block.vector} poison, {block.item} {x}, i64 0")
        zeros = f"<{block.lanes} x i32> zeroinitializer"
        return self.let(f"shufflevector {block.vector} {one}, {block.vector} poison, {zeros}")

    def lane(self, x: str, number: int) -> str:
        """One number of a vector."""
        return x if self.block.lanes == 1 else self.let(f"extractelement {self.block.vector} {x}, i64 {number}")

    def gathered(self, numbers: Iterable[str]) -> str:
        """A vector of numbers, one for each lane."""
        vector = "poison"
        for lane, x in enumerate(numbers):
            if self.block.lanes == 1:
                return x
            vector = self.let(f"insertelement {self.block.vector} {vector}, {self.block.item} {x}, i64 {lane}")
        return vector

    def intrinsic(self, name: str, *operands: str) -> str:
        """A call of one of LLVM's own functions, as the right side of a line."""
        v = self.block.vector
        full = f"@llvm.{name}.{self.block.suffix}"
        self.declared[full] = f"declare {v} {full}({', '.join([v] * len(operands))})"
        return f"call {v} {full}({', '.join(f'{v} {x}' for x in operands)})"

    def fma(self, x: str, y: str, z: str) -> str:
        """x·y + z, rounded once."""
        return self.let(self.intrinsic("fma", x, y, z))

    # The flag --------------------------------------------------------------------------------------------------------

    def watch(self, x: str, before: str) -> str:
        """``before`` with further bits set if a vector holds inf or nan: x − x is 0 for all other numbers."""
        block = self.block
        rest = self.let(f"fsub {block.vector} {x}, {x}")
        mask = self.let(f"fcmp uno {block.vector} {rest}, {rest}")
        kind = f"i{block.lanes}"
        if block.lanes > 1:
            mask = self.let(f"bitcast {block.mask} {mask} to {kind}")
        bits = self.let(f"zext {kind} {mask} to i64")
        return self.let(f"or i64 {before}, {bits}")

    def raise_flag(self, bits: str) -> None:
        """Add bits to the flag."""
        old = self.let("load i64, ptr %flag")
        self.do(f"store i64 {self.let(f'or i64 {old}, {bits}')}, ptr %flag")


class Routine(Builder):
    """Writes a function that works on tables of 64-bit words and on numbers one by one.

    Args:
        head: its type, name and parameters.
        define: how it begins.
    """

    def __init__(self, head: str, define: str = "define internal") -> None:
        super().__init__(Block("double", 1, 1, 1, 1), f"{define} {head}")

    def get(self, kind: str, pointer: str, offset: str | int = 0) -> str:
        """What is in memory."""
        return self.let(f"load {kind}, ptr {self.at(pointer, offset)}")

    def put(self, kind: str, x: str, pointer: str, offset: str | int = 0) -> None:
        """Change memory."""
        self.do(f"store {kind} {x}, ptr {self.at(pointer, offset)}")

    def word(self, row: str, number: int) -> str:
        """A word of a row of a table."""
        return self.get("i64", row, 8 * number)

    def address(self, row: str, number: int) -> str:
        """The same as a pointer."""
        return self.get("ptr", row, 8 * number)

    def item(self, base: str, index: str, size: int | str = 8) -> str:
        """A place in a table with rows of so many bytes."""
        return self.at(base, self.let(f"mul i64 {index}, {size}"))

    def test(self, condition: str) -> str:
        """A comparison of whole numbers or pointers."""
        return self.let(f"icmp {condition}")

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """What follows is done if a condition holds."""
        after = self.label()
        self.unless(condition, after)
        yield
        self.begin(after)

    @contextmanager
    def each(self, count: str) -> Iterator[Loop]:
        """A loop, also over nothing."""
        with self.when(self.test(f"ne i64 {count}, 0")), self.loop(count) as loop:
            yield loop

    def go(self, label: str) -> None:
        """Continue at a label."""
        self.finish(f"br label %{label}")
