"""The loops over a block of rows, in LLVM's assembly language: load, store, layers, products, sums.

They are the same for every program; the operands that they work on are in tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .assembly import Block, Builder
from .transposing import load_columns, store_columns


def kernel(name: str, full: str, block: Block, *sizes: int) -> Builder:
    """A kernel under its full name."""
    parameters, write = _KERNELS[name]
    builder = Builder(block, f"define void @{full}({parameters})")
    write(builder, *sizes)
    return builder


def vector_function(full: str, libm: str, count: int, block: Block, python: int | None) -> tuple[str, tuple[str, str]]:
    """A function on vectors that calls one on numbers for each lane: libm's, or Python's, by its number in the table.

    Returns:
        its text, and the name and declaration of what it calls.
    """
    v, item = block.vector, block.item
    names = [f"%x{k}" for k in range(count)]
    f = Builder(block, f"define internal {v} {full}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})")
    kind = item
    declared = "", ""
    if python is None:
        function = f"@{libm}" + ("f" if item == "float" else "")
        declared = function, f"declare {item} {function}({', '.join([item] * count)})"
    else:  # Python computes in double precision
        function = f.let(f"load ptr, ptr {f.let(f'getelementptr ptr, ptr %calls, i64 {python}')}")
        kind = "double"

    def call(lane: int) -> str:
        operands = [f.lane(x, lane) for x in names]
        if kind != item:
            operands = [f.let(f"fpext {item} {x} to {kind}") for x in operands]
        result = f.let(f"call {kind} {function}({', '.join(f'{kind} {x}' for x in operands)})")
        return result if kind == item else f.let(f"fptrunc {kind} {result} to {item}")

    f.finish(f"ret {v} {f.gathered(map(call, range(block.lanes)))}")
    return f.text(), declared


# Rows in and out -----------------------------------------------------------------------------------------------------


def _dense(f: Builder) -> tuple[str, str, str]:
    """One dense column of a whole block is copied vector by vector, all else number by number.

    Returns:
        where the dense column is in the array and in the workspace, and the label of the other case.
    """
    one = f.let("icmp eq i64 %n, 1")
    dense = f.let(f"icmp eq i64 %stride, {f.block.item_bytes}")
    full = f.let(f"icmp eq i64 %count, {f.block.rows}")
    otherwise = f.label()
    f.unless(f.let(f"and i1 {f.let(f'and i1 {one}, {dense}')}, {full}"), otherwise)
    column, slot = _column(f, "0")
    return f.at("%from", column), f.at("%ws", slot), otherwise


def _column(f: Builder, index: str) -> tuple[str, str]:
    """A pair of the table: the offset in the row, and the slot."""
    first = f.let(f"shl i64 {index}, 1")
    return f.entry("%table", first), f.entry("%table", f.let(f"or i64 {first}, 1"))


def _lane_rows(f: Builder, vector: int) -> list[tuple[str, str]]:
    """The rows of a vector: whether there is one, and where it begins; rows beyond the last one repeat it."""
    last = f.let("sub i64 %count, 1")
    rows = []
    for row in range(vector * f.block.lanes, (vector + 1) * f.block.lanes):
        inside = f.let(f"icmp ult i64 {row}, %count")
        known = f.let(f"select i1 {inside}, i64 {row}, i64 {last}")
        rows.append((inside, f.at("%from", f.let(f"mul i64 {known}, %stride"))))
    return rows


_COPIED = "ptr noalias %ws, ptr %from, i64 %stride, i64 %count, ptr %table, i64 %n"


def _load(f: Builder) -> None:
    """Rows of an array into slots: a column of it for each pair of the table, (offset in the row, slot)."""
    block = f.block
    column, slot, otherwise = _dense(f)
    for p in range(block.vectors):
        f.store_vector(f.load_vector(column, p, block.item_bytes), slot, p)
    f.finish()
    f.begin(otherwise)
    for p in range(block.vectors):
        rows = _lane_rows(f, p)
        with f.loop("%n") as loop:
            offset, slot = _column(f, loop.index)
            f.store_vector(f.gathered(f.load(f.at(row, offset)) for _, row in rows), f.at("%ws", slot), p)


def _store(f: Builder) -> None:
    """Slots into the rows of an array; %flag is set if one of the numbers is not finite."""
    block = f.block
    column, slot, otherwise = _dense(f)
    bits = "0"
    for p in range(block.vectors):
        x = f.load_vector(slot, p)
        f.store_vector(x, column, p, block.item_bytes)
        bits = f.watch(x, bits)
    f.raise_flag(bits)
    f.finish()
    f.begin(otherwise)
    bits = "0"
    for p in range(block.vectors):
        rows = _lane_rows(f, p)
        with f.loop("%n", ("i64", bits)) as loop:
            offset, slot = _column(f, loop.index)
            x = f.load_vector(f.at("%ws", slot), p)
            bits = f.watch(x, loop.carried[0])
            done = f.label()
            for lane, (inside, row) in enumerate(rows):
                one = f.lane(x, lane)
                f.unless(inside, done)
                f.do(f"store {block.item} {one}, ptr {f.at(row, offset)}")
            f.begin(done)
            loop.next = [bits]
    f.raise_flag(bits)


def _spread(f: Builder) -> None:
    """Numbers that all rows share into the rows of an array."""
    with f.loop("%count") as rows:
        row = f.at("%from", f.let(f"mul i64 {rows.index}, %stride"))
        with f.loop("%n") as loop:
            offset, parameter = _column(f, loop.index)
            f.do(f"store {f.block.item} {f.load(f.at('%params', parameter))}, ptr {f.at(row, offset)}")


# Dots ----------------------------------------------------------------------------------------------------------------


def _layer(f: Builder, tile: int) -> None:
    """Dots with shared weights, ``tile`` of them at once; their weights stand interleaved in %packed."""
    block = f.block
    cells = tile * block.vectors
    with f.loop("%tiles", ("ptr", f.at("%packed", "%start"))) as tiles:
        zeros = [(block.vector, block.constant(0.0))] * cells
        with f.loop("%n", ("ptr", tiles.carried[0]), *zeros) as loop:
            weight, *sums = loop.carried
            _, xs = f.load_slot("%xs", loop.index)
            ws = [f.spread(f.at(weight, j * block.item_bytes)) for j in range(tile)]
            terms = [(w, x) for w in ws for x in xs]
            after = [f.fma(w, x, total) for (w, x), total in zip(terms, sums, strict=True)]
            loop.next = [f.at(weight, tile * block.item_bytes), *after]
        weight, *sums = loop.next
        first = f.let(f"mul i64 {tiles.index}, {tile}")
        for j in range(tile):
            slot = f.at("%ws", f.entry("%outs", f.let(f"add i64 {first}, {j}")))
            for p in range(block.vectors):
                f.store_vector(sums[j * block.vectors + p], slot, p)
        tiles.next = [weight]


def _product(f: Builder) -> None:
    """One dot of operands that both differ from row to row."""
    block = f.block
    with f.loop("%n", *[(block.vector, block.constant(0.0))] * block.vectors) as loop:
        _, xs = f.load_slot("%xs", loop.index)
        _, ys = f.load_slot("%ys", loop.index)
        loop.next = _fmas(f, xs, ys, loop.carried)
    out = f.at("%ws", "%out")
    for p, total in enumerate(loop.next):
        f.store_vector(total, out, p)


def _fmas(f: Builder, xs: Sequence[str], ys: Sequence[str], sums: Sequence[str]) -> list[str]:
    return [f.fma(x, y, total) for x, y, total in zip(xs, ys, sums, strict=True)]


# Sums over rows ------------------------------------------------------------------------------------------------------


def _clear(f: Builder) -> None:
    """Set the rows beyond the last one to 0 in some slots; a whole block needs nothing."""
    block = f.block
    lanes, kind = block.lanes, f"<{block.lanes} x i64>"
    end = f.label()
    f.unless(f.let(f"icmp ne i64 %count, {block.rows}"), end)
    if lanes == 1:
        masks = [f.let(f"icmp ult i64 {p}, %count") for p in range(block.vectors)]
    else:
        one = f.let(f"insertelement {kind} poison, i64 %count, i64 0")
        count = f.let(f"shufflevector {kind} {one}, {kind} poison, <{lanes} x i32> zeroinitializer")
        rows = [", ".join(f"i64 {p * lanes + lane}" for lane in range(lanes)) for p in range(block.vectors)]
        masks = [f.let(f"icmp ult {kind} <{those}>, {count}") for those in rows]
    with f.loop("%n") as loop:
        slot, xs = f.load_slot("%xs", loop.index)
        for p, (x, mask) in enumerate(zip(xs, masks, strict=True)):
            zero = f"{block.vector} {block.constant(0.0)}"
            f.store_vector(f.let(f"select {block.mask} {mask}, {block.vector} {x}, {zero}"), slot, p)
    f.begin(end)


def _total(f: Builder) -> None:
    """Add slots of some blocks to accumulators, one each."""
    v, size = f.block.vector, f.block.vector_bytes
    with f.loop("%n", ("ptr", f.at("%acc", "%start"))) as loop:
        accumulator = loop.carried[0]
        slot = f.at("%ws", f.entry("%xs", loop.index))
        with f.loop("%blocks", ("ptr", slot), (v, f.load_vector(accumulator))) as blocks:
            at, total = blocks.carried
            xs = [f.load_vector(at, p) for p in range(f.block.vectors)]
            while len(xs) > 1:  # in pairs, which do not wait for each other
                pairs = zip(xs[::2], xs[1::2], strict=True)
                xs = [f.let(f"fadd {v} {x}, {y}") for x, y in pairs]
            blocks.next = [f.at(at, "%stride"), f.let(f"fadd {v} {total}, {xs[0]}")]
        f.store_vector(blocks.next[1], accumulator)
        loop.next = [f.at(accumulator, size)]


def _outer(f: Builder, a_tile: int, b_tile: int) -> None:
    """Add every a·b of some blocks to its accumulator; a tile of the accumulators at once is kept in registers."""
    v, size = f.block.vector, f.block.vector_bytes
    with f.loop("%a_tiles", ("ptr", f.at("%acc", "%start"))) as rows:
        first = f.let(f"mul i64 {rows.index}, {a_tile}")
        a_slots = [f.at("%ws", f.entry("%as", f.let(f"add i64 {first}, {j}"))) for j in range(a_tile)]
        lines = [rows.carried[0]]
        for _ in range(a_tile):
            lines.append(f.at(lines[-1], "%line"))
        with f.loop("%b_tiles") as columns:
            first = f.let(f"mul i64 {columns.index}, {b_tile}")
            b_slots = [f.at("%ws", f.entry("%bs", f.let(f"add i64 {first}, {k}"))) for k in range(b_tile)]
            offset = f.let(f"mul i64 {first}, {size}")
            cells = [f.at(f.at(line, offset), k * size) for line in lines[:-1] for k in range(b_tile)]
            totals = [(v, f.load_vector(cell)) for cell in cells]
            with f.loop("%blocks", ("i64", "0"), *totals) as blocks:
                at, *sums = blocks.carried
                a_now, b_now = ([f.at(slot, at) for slot in slots] for slots in (a_slots, b_slots))
                for p in range(f.block.vectors):
                    every_a = [f.load_vector(slot, p) for slot in a_now]
                    every_b = [f.load_vector(slot, p) for slot in b_now]
                    pairs = [(a, b) for a in every_a for b in every_b]
                    sums = [f.fma(a, b, total) for (a, b), total in zip(pairs, sums, strict=True)]
                blocks.next = [f.let(f"add i64 {at}, %stride"), *sums]
            for cell, total in zip(cells, blocks.next[1:], strict=True):
                f.store_vector(total, cell)
        rows.next = [lines[a_tile]]


_KERNELS: dict[str, tuple[str, Callable[..., None]]] = {
    "load": (_COPIED, _load),
    "store": (f"{_COPIED}, ptr %flag", _store),
    "load_columns": (_COPIED, load_columns),
    "store_columns": (f"{_COPIED}, ptr %flag", store_columns),
    "spread": ("ptr noalias %params, ptr %from, i64 %stride, i64 %count, ptr %table, i64 %n", _spread),
    "layer": (
        "ptr noalias %ws, ptr noalias %packed, i64 %start, ptr %xs, ptr %outs, i64 %n, i64 %tiles",
        _layer,
    ),
    "product": ("ptr noalias %ws, ptr %xs, ptr %ys, i64 %out, i64 %n", _product),
    "clear": ("ptr noalias %ws, ptr %xs, i64 %n, i64 %count", _clear),
    "total": ("ptr noalias %ws, ptr %xs, i64 %n, ptr noalias %acc, i64 %start, i64 %blocks, i64 %stride", _total),
    "outer": (
        "ptr noalias %ws, ptr %as, ptr %bs, i64 %a_tiles, i64 %b_tiles, ptr noalias %acc, i64 %start, i64 %line, "
        "i64 %blocks, i64 %stride",
        _outer,
    ),
}
