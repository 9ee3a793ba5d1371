"""Loops that copy several neighbouring columns of an array to slots or back, as they transpose them in registers.

A slot holds one column, row after row; the array holds one row after the other. They are for whole blocks of rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from .assembly import Block, Builder


def widths(block: Block) -> tuple[int, ...]:
    """How many columns are copied at once: powers of two, not more than a vector has lanes."""
    return tuple(w for w in (8, 4, 2) if w <= block.lanes)


def load_columns(f: Builder, width: int) -> None:
    """Columns of an array into slots; the table has for each its offset in the row, and its slot."""
    item = f.block.item
    with f.loop(f.block.vectors, ("ptr", "%from")) as group:
        rows = _rows(f, group.carried[0])
        at = f.let(f"mul i64 {group.index}, {f.block.vector_bytes}")
        with f.loop("%n") as loop:
            offset, slots = _columns(f, loop.index, width)
            parts = [
                f.let(f"load <{width} x {item}>, ptr {f.at(row, offset)}, align {f.block.item_bytes}")
                for row in rows[:-1]
            ]
            vectors = [_joined(f, parts[k::width], width) for k in range(width)]
            for slot, x in zip(slots, _transposed(f, vectors), strict=True):
                f.store_vector(x, f.at(slot, at))
        group.next = [rows[-1]]


def store_columns(f: Builder, width: int) -> None:
    """Slots into columns of an array; %flag is set if one of the numbers is not finite."""
    block = f.block
    with f.loop(block.vectors, ("ptr", "%from"), ("i64", "0")) as group:
        rows = _rows(f, group.carried[0])
        at = f.let(f"mul i64 {group.index}, {block.vector_bytes}")
        with f.loop("%n", ("i64", group.carried[1])) as loop:
            offset, slots = _columns(f, loop.index, width)
            bits, vectors = loop.carried[0], []
            for slot in slots:
                vectors.append(f.load_vector(f.at(slot, at)))
                bits = f.watch(vectors[-1], bits)
            for k, x in enumerate(_transposed(f, vectors)):
                for j, row in enumerate(rows[k:-1:width]):
                    part = _shuffled(f, x, x, range(j * width, (j + 1) * width))
                    f.do(f"store <{width} x {block.item}> {part}, ptr {f.at(row, offset)}, align {block.item_bytes}")
            loop.next = [bits]
        group.next = [rows[-1], loop.next[0]]
    f.raise_flag(group.next[1])


def _rows(f: Builder, first: str) -> list[str]:
    """Where the rows of a vector begin in the array, and the row after them."""
    rows = [first]
    for _ in range(f.block.lanes):
        rows.append(f.at(rows[-1], "%stride"))
    return rows


def _columns(f: Builder, index: str, width: int) -> tuple[str, list[str]]:
    """The offset of the first of so many columns in the row, and the slots of them all."""
    first = f.let(f"mul i64 {index}, {2 * width}")
    slots = [f.at("%ws", f.entry("%table", f.let(f"add i64 {first}, {2 * k + 1}"))) for k in range(width)]
    return f.entry("%table", first), slots


def _transposed(f: Builder, vectors: Sequence[str]) -> list[str]:
    """As many vectors as columns, cut into squares: in each of them, rows and columns change places."""
    found, lanes = list(vectors), f.block.lanes
    distance = 1
    while distance < len(found):
        for k in range(len(found)):
            if not k & distance:
                a, b = found[k], found[k + distance]
                first = [lane if not lane & distance else lanes + lane - distance for lane in range(lanes)]
                second = [lane + distance if not lane & distance else lanes + lane for lane in range(lanes)]
                found[k], found[k + distance] = _shuffled(f, a, b, first), _shuffled(f, a, b, second)
        distance *= 2
    return found


def _joined(f: Builder, parts: Sequence[str], width: int) -> str:
    """One vector of shorter ones, of which there are a power of two."""
    parts = list(parts)
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [_shuffled(f, a, b, range(2 * width), width) for a, b in pairs]
        width *= 2
    return parts[0]


def _shuffled(f: Builder, a: str, b: str, lanes: Sequence[int], width: int | None = None) -> str:
    """The lanes of two vectors that are as long as the block's, or have ``width`` lanes."""
    kind = f"<{width or f.block.lanes} x {f.block.item}>"
    mask = ", ".join(f"i32 {lane}" for lane in lanes)
    return f.let(f"shufflevector {kind} {a}, {kind} {b}, <{len(lanes)} x i32> <{mask}>")
