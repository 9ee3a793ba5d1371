"""LLVM's assembly language from a schedule: arithmetic on vectors of rows, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from . import progress
from .assembly import Block, Builder
from .emit_module import Module, declaration
from .emit_stretches import Stretches
from .plan import Layer, Outer, Product, Schedule, Straight, Total, summands
from .program import ROW
from .transposing import widths

SPACE = 2**19  # bytes that the blocks whose numbers are summed together may take: half of a core's own cache
PART = 4_000_000  # characters of a module at most: about 40 000 instructions


@dataclass
class Code:
    """What ``emit`` returns.

    Attributes:
        texts: the modules with the program's own functions: one with what is called, others with long programs' parts.
        kernels: the module with the loops that it calls, which is the same for many programs.
        interpreters: modules with interpreters for what is not compiled.
        instructions: how many instructions there are to compile; outlined stretches count once.
        spare: how many slots the interpreter needs after those of all blocks.
        offsets: the tables of outlined and of interpreted stretches, one after the other.
        packed: indices of parameters, in the order in which the loops over weights read them.
        shared: the index of the parameter for each instruction that all rows share.
        parameters: how many parameters there are: inputs, then what ``prepare`` computes, then constants.
        constants: the values of the parameters that are known before a call, by their index.
        calls: the operations that call back into Python, in the order of the table of pointers.
        together: how many blocks are computed before their numbers are added to the sums; each has slots of its own.
    """

    texts: list[str]
    kernels: str
    interpreters: list[str]
    spare: int
    instructions: int
    offsets: list[int]
    packed: list[int]
    shared: dict[int, int]
    parameters: int
    constants: dict[int, float]
    calls: list[str]
    together: int


class _Emitter:
    """The function that goes through the rows, and all that it calls."""

    def __init__(self, module: Module) -> None:
        self.module, self.plan, self.program, self.block = module, module.plan, module.program, module.block
        self.stretches = Stretches(module)
        self.stride = self.plan.slots * self.block.slot_bytes
        self.together = _together(self.plan, self.block)
        self.functions: list[str] = []
        self.packed: list[int] = []

    def run(self, row_inputs: Sequence[Sequence[int]], results: Sequence[Sequence[int]]) -> None:
        """The function that goes through the rows block by block.

        Args:
            row_inputs: for each array that is given, which row inputs its columns are.
            results: for each output array the instructions it gets.
        """
        block, plan = self.block, self.plan
        f = Builder(
            block,
            "define void @run(i64 %rows, ptr %ws, ptr %params, ptr %packed, ptr %acc, ptr %calls, ptr %arrays, "
            "ptr %flag, ptr %operands)",
        )
        end = f.label()
        f.unless(f.let("icmp ugt i64 %rows, 0"), end)
        with f.loop("%rows", step=block.rows * self.together) as chunk:
            left = f.let(f"sub i64 %rows, {chunk.index}")
            needed = f.let(f"udiv i64 {f.let(f'add i64 {left}, {block.rows - 1}')}, {block.rows}")
            fewer = f.let(f"icmp ult i64 {needed}, {self.together}")
            blocks = f.let(f"select i1 {fewer}, i64 {needed}, i64 {self.together}")
            with f.loop(blocks) as loop:
                row = f.let(f"mul i64 {loop.index}, {block.rows}")
                left_here = f.let(f"sub i64 {left}, {row}")
                whole = f.let(f"icmp ugt i64 {left_here}, {block.rows}")
                count = f.let(f"select i1 {whole}, i64 {block.rows}, i64 {left_here}")
                space = f.at("%ws", f.let(f"mul i64 {loop.index}, {self.stride}"))
                self.block_of_rows(f, space, f.let(f"add i64 {chunk.index}, {row}"), count, row_inputs, results)
            for step in plan.steps:
                if isinstance(step, Outer | Total):
                    self.accumulate(f, step, blocks)
        f.begin(end)
        self.functions.append(f.text())

    def block_of_rows(
        self,
        f: Builder,
        space: str,
        row: str,
        count: str,
        row_inputs: Sequence[Sequence[int]],
        results: Sequence[Sequence[int]],
    ) -> None:
        """Everything for one block but the sums: ``count`` rows from ``row`` on, with the slots at ``space``."""
        plan = self.plan
        instruction = {self.program.code[i].operands[0]: i for i in plan.live}  # of each row input that is needed
        for k, inputs in enumerate(row_inputs):
            columns = [(c, self.module.offset(instruction[p])) for c, p in enumerate(inputs) if p in instruction]
            if columns:
                self.copy(f, "load", space, self.array(f, k, row), count, columns)
        stretches = self.stretches
        outlines = stretches.outlines()
        interpreted = stretches.interpreted(outlines)
        if interpreted:  # more may be the same than seems
            stretches.numbers_differ = True
            outlines = stretches.outlines()
            interpreted = stretches.interpreted(outlines)
        steps = list(zip(plan.steps, outlines, strict=True))
        for number, (step, outline) in enumerate(progress.over(steps, "writing LLVM's language")):
            if number in interpreted and isinstance(step, Straight):
                start = stretches.interpreter("rows").encode(step.code, step.kept)
                others = f"ptr %params, ptr %calls, ptr %flag, ptr %operands, i64 {start}"
                f.do(f"call void @interpret_rows(ptr {space}, {others})")
            elif isinstance(step, Straight):
                f.do(stretches.stretch(step, outline, space))
            elif isinstance(step, Layer):
                self.layer(f, step, space)
            elif isinstance(step, Product):
                tables = f"ptr {self.module.offsets(step.xs)}, ptr {self.module.offsets(step.ys)}"
                where = f"i64 {self.module.offset(step.out)}, i64 {len(step.xs)}"
                f.do(f"call void {self.module.kernel('product')}(ptr {space}, {tables}, {where})")
        for k, wanted in enumerate(results, len(row_inputs)):
            if wanted:
                self.stores(f, wanted, self.array(f, k, row), count, space)
        summed = dict.fromkeys(i for step in plan.steps if isinstance(step, Outer | Total) for i in summands(step))
        if summed:  # rows beyond the last one add nothing
            table = self.module.offsets([*summed])
            f.do(f"call void {self.module.kernel('clear')}(ptr {space}, ptr {table}, i64 {len(summed)}, i64 {count})")

    def array(self, f: Builder, k: int, row: str) -> tuple[str, str]:
        """Where a row of an array begins, and the bytes from row to row."""
        start = f.let(f"load ptr, ptr {f.at('%arrays', 16 * k)}")
        stride = f.entry("%arrays", 2 * k + 1)
        return f.at(start, f.let(f"mul i64 {row}, {stride}")), stride

    def copy(
        self, f: Builder, name: str, memory: str, array: tuple[str, str], count: str, columns: list[tuple[int, int]]
    ) -> None:
        """Copy columns of an array from or to memory, at the offset that is given with each.

        Where neighbouring columns are copied, whole blocks are transposed, and the others copied number by number.
        """
        flag = ", ptr %flag" if name == "store" else ""

        def call(kernel: str, chosen: Sequence[tuple[int, int]], many: int) -> None:
            table = self.module.table([x for c, offset in chosen for x in (c * self.block.item_bytes, offset)])
            f.do(
                f"call void {kernel}(ptr {memory}, ptr {array[0]}, i64 {array[1]}, i64 {count}, ptr {table}, "
                f"i64 {many}{flag})"
            )

        wide, rest = _neighbours(columns, widths(self.block)) if name != "spread" else ([], columns)
        if not wide:
            call(self.module.kernel(name), columns, len(columns))
            return
        partly, done = f.label(), f.label()
        f.unless(f.let(f"icmp eq i64 {count}, {self.block.rows}"), partly)
        for width, chosen in wide:
            call(self.module.kernel(f"{name}_columns", width), chosen, len(chosen) // width)
        if rest:
            call(self.module.kernel(name), rest, len(rest))
        f.finish(f"br label %{done}")
        f.begin(partly)
        call(self.module.kernel(name), columns, len(columns))
        f.begin(done)

    def stores(self, f: Builder, wanted: Sequence[int], array: tuple[str, str], count: str, space: str) -> None:
        """Write the results of the rows of a block to their array."""
        level, size = self.program.level, self.block.item_bytes
        varying = [(c, self.module.offset(i)) for c, i in enumerate(wanted) if level[i] == ROW]
        if varying:
            self.copy(f, "store", space, array, count, varying)
        same = [(c, self.module.number(i) * size) for c, i in enumerate(wanted) if level[i] != ROW]
        if same:
            self.copy(f, "spread", "%params", array, count, same)

    def layer(self, f: Builder, step: Layer, space: str) -> None:
        """Dots over the same operands, a few at a time."""
        for tile, done, count in _tiled(len(step.outs), self.block.tiles):
            start = len(self.packed) * self.block.item_bytes
            for first in range(done, done + count * tile, tile):
                group = step.weights[first : first + tile]
                for k in range(len(step.xs)):
                    self.packed.extend(self.module.number(ws[k]) for ws in group)
            outs = self.module.offsets(step.outs[done : done + count * tile])
            xs = self.module.offsets(step.xs)
            f.do(
                f"call void {self.module.kernel('layer', tile)}"
                f"(ptr {space}, ptr %packed, i64 {start}, ptr {xs}, ptr {outs}, i64 {len(step.xs)}, i64 {count})"
            )

    def accumulate(self, f: Builder, step: Outer | Total, blocks: str) -> None:
        """Add the numbers of some blocks to the sums."""
        size = self.block.vector_bytes
        many = f"i64 {blocks}, i64 {self.stride}"
        if isinstance(step, Total):
            table = f"ptr {self.module.offsets(step.terms)}, i64 {len(step.terms)}"
            f.do(
                f"call void {self.module.kernel('total')}(ptr %ws, {table}, ptr %acc, i64 {step.first * size}, {many})"
            )
            return
        line = len(step.b) * size
        for a_tile, a, a_tiles in _tiled(len(step.a), (4, 2, 1)):
            for b_tile, b, b_tiles in _tiled(len(step.b), self.block.outer_tiles(a_tile)):
                every_a = self.module.offsets(step.a[a : a + a_tiles * a_tile])
                every_b = self.module.offsets(step.b[b : b + b_tiles * b_tile])
                start = (step.first + a * len(step.b) + b) * size
                f.do(
                    f"call void {self.module.kernel('outer', a_tile, b_tile)}(ptr %ws, ptr {every_a}, ptr {every_b}, "
                    f"i64 {a_tiles}, i64 {b_tiles}, ptr %acc, i64 {start}, i64 {line}, {many})"
                )

    def texts(self) -> list[str]:
        """The modules: a short program is one; the stretches of a long one are compiled in parts, to limit memory."""
        tables = [
            f"{name} = private unnamed_addr constant [{len(numbers)} x i64] [{', '.join(f'i64 {x}' for x in numbers)}]"
            for numbers, name in self.module.tables.items()
        ]
        parts: list[list[str]] = [[]]
        declared: list[str] = []
        size = 0
        for stretch in self.stretches.written:
            text = stretch.text()
            size += len(text)
            if size > PART:
                parts.append([])
                size = len(text)
            parts[-1].append(text)
            if len(parts) > 1:
                declared.append(declaration(stretch))
        main = (
            *tables,
            *self.module.globals.values(),
            *parts[0],
            *declared,
            *self.functions,
            *self.stretches.preparing,
            "",
        )
        others = [(*self.module.globals.values(), *part, "") for part in parts[1:]]
        return ["\n\n".join(module) for module in (main, *others)]


def _together(plan: Schedule, block: Block) -> int:
    """How many blocks are computed before their numbers are added to the sums.

    The accumulators are then read and written less often, which pays where they are many; but the slots of more blocks
    must stay in a core's caches.
    """
    if not plan.accumulators or block.rows == 1:
        return 1
    limit = min(SPACE, 8 * plan.accumulators * block.vector_bytes)
    return next((k for k in (4, 2) if k * plan.slots * block.slot_bytes <= limit), 1)


def _neighbours(
    columns: Sequence[tuple[int, int]], sizes: Sequence[int]
) -> tuple[list[tuple[int, list[tuple[int, int]]]], list[tuple[int, int]]]:
    """Groups of neighbouring columns, of some sizes; for each size all of its groups. And the columns that remain."""
    found: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for end in range(1, len(columns) + 1):
        if end == len(columns) or columns[end][0] != columns[end - 1][0] + 1:
            for size, done, many in _tiled(end - start, (*sizes, 1)):
                found.setdefault(size, []).extend(columns[start + done : start + done + size * many])
            start = end
    rest = found.pop(1, [])
    return list(found.items()), rest


def _tiled(count: int, tiles: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """So many things divided into tiles, the largest first: for each size of tile the first thing, and how many."""
    done = 0
    for tile in tiles:
        many = (count - done) // tile
        if many:
            yield tile, done, many
            done += many * tile


def emit(
    plan: Schedule,
    block: Block,
    row_inputs: Sequence[Sequence[int]],
    results: Sequence[Sequence[int]],
    vector_library: Callable[[str, int], str | None],
) -> Code:
    """The module that runs a schedule.

    Args:
        plan: the schedule.
        block: how wide vectors and blocks are.
        row_inputs: for each array that is given, which row inputs its columns are.
        results: for each output array the instructions it gets.
        vector_library: gives the name of a function on so many numbers at once, or None.
    """
    module = Module(plan, block, vector_library)
    emitter = _Emitter(module)
    stretches = emitter.stretches
    emitter.run(row_inputs, results)
    stretches.prepare()
    for part in plan.parts:
        if part.scale is not None:
            module.number(part.scale)
    return Code(
        texts=emitter.texts(),
        kernels="\n\n".join(sorted(module.kernels.values())),
        interpreters=stretches.interpreter_texts(),
        spare=stretches.spare(),
        instructions=stretches.instructions,
        offsets=stretches.operands,
        packed=emitter.packed,
        shared=module.parameter,
        parameters=module.parameters,
        constants=module.constants,
        calls=module.calls,
        together=emitter.together,
    )
