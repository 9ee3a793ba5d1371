"""LLVM's assembly language from a schedule: arithmetic on vectors of rows, a block of rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from . import progress
from .assembly import Block, Builder
from .emit_loops import Results, Stack, emit_loop, emit_pack, load_element, side_by_side, size
from .instructions import CONDITIONS, INPUTS, OF_LOOPS, OPCODES, REACH, Opcode
from .interpreter import Interpreter, Places
from .kernels import kernel, vector_function
from .mathematics import FUNCTIONS, alone
from .order import LOOPS
from .program import ROW, Program
from .schedule import (
    COMPILED as COMPILED,
)
from .schedule import (
    INTERPRETED,
    Layer,
    Outer,
    Product,
    Schedule,
    Straight,
    Total,
    height,
    place_stacks,
    summands,
)
from .transposing import widths

Outline = tuple[Any, list[int]]  # the common part of identical stretches, and the operands that differ
FEW = 8  # with this many stretches or fewer, no identical ones are searched for
SPACE = 2**19  # bytes that the blocks whose numbers are summed together may take: half of a core's own cache
SIMPLE = frozenset({0.0, 0.5, 1.0, -1.0, 2.0})  # constants that are better known while code is made
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
    def __init__(self, plan: Schedule, block: Block, vector_library: Callable[[str, int], str | None]) -> None:
        self.plan, self.program, self.block = plan, plan.program, block
        self.library = vector_library
        self.stride = plan.slots * block.slot_bytes
        self.together = _together(plan, block)
        self.calls: list[str] = []
        self.globals: dict[str, str] = {}
        self.kernels: dict[str, str] = {}
        self.instructions = 0
        self.tables: dict[tuple[int, ...], str] = {}
        self.functions: list[str] = []
        self.stretches: list[Builder] = []
        self.operands: list[int] = []
        self.outlined: dict[Any, str] = {}
        self.packed: list[int] = []
        self.constants: dict[int, float] = {}
        inputs = len(self.program.shared_names)
        self.parameter: dict[int, int] = {}
        self.inner = dict(plan.inner)  # where stacks in the bodies of loops are: slots, or parameters
        for i, (op, operands, _) in enumerate(self.program.code):
            if op == "shared":
                self.parameter[i] = operands[0]
        for i in plan.prepare:
            op, operands, constant = self.program.code[i]
            if op == "loop":
                inputs = place_stacks(self.program.loops[int(constant)].body, inputs, self.inner)
                continue
            if op == "element":
                self.parameter[i] = self.parameter[operands[0]] + int(constant)
                continue
            self.parameter[i] = inputs
            inputs += height(self.program, i) if op in ("stack", "pack") else 1
        self.parameters = inputs
        self._interpreters: dict[str, Interpreter] = {}
        self.numbers_differ = False  # whether stretches are the same though they have other constants

    # Pieces ----------------------------------------------------------------------------------------------------------

    def need(self, name: str, text: str) -> None:
        """Add a declaration or function to the module, unless it is there already."""
        self.globals.setdefault(name, text)

    def kernel(self, name: str, *sizes: int) -> str:
        """The name of one of the loops over blocks, which becomes part of the module of kernels."""
        full = "_".join((name, *map(str, sizes)))
        if full not in self.kernels:
            built = kernel(name, full, self.block, *sizes)
            self.kernels.update(built.declared)
            self.kernels[full] = built.text()
            self.need(full, _declaration(built))
        return f"@{full}"

    def table(self, numbers: Sequence[int]) -> str:
        """A constant table of 64-bit integers."""
        key = tuple(numbers)
        if key not in self.tables:
            self.tables[key] = f"@table{len(self.tables)}"
        return self.tables[key]

    def offset(self, i: int) -> int:
        """Where an instruction's block begins in the workspace, in bytes."""
        return self.plan.slot[i] * self.block.slot_bytes

    def offsets(self, numbers: Sequence[int]) -> str:
        """A table of those."""
        return self.table([self.offset(i) for i in numbers])

    # Stretches -------------------------------------------------------------------------------------------------------

    def interpreted(self, outlines: Sequence[Outline | None]) -> set[int]:
        """The steps that an interpreter runs: in a long program, all stretches but those that repeat most."""
        same: dict[Any, list[int]] = {}
        for number, (step, outline) in enumerate(zip(self.plan.steps, outlines, strict=True)):
            if isinstance(step, Straight) and self.program.code[step.code[0]].op not in LOOPS:
                same.setdefault(number if outline is None else outline[0], []).append(number)
        size = {key: len(self.plan.steps[numbers[0]].code) for key, numbers in same.items()}  # type: ignore[union-attr]
        if sum(size.values()) <= COMPILED:
            return set()
        found: set[int] = set()
        left = COMPILED
        for key in sorted(same, key=lambda key: -len(same[key])):
            step = self.plan.steps[same[key][0]]
            if len(same[key]) > 1 and size[key] <= left:
                left -= size[key]
            elif isinstance(step, Straight) and not self.branches(step):
                found.update(same[key])
        return found

    def branches(self, step: Straight) -> bool:
        """Whether a stretch has instructions with branches, which the interpreter has not; only short programs do."""
        return any(self.program.opcode(op).far for op in {self.program.code[i].op for i in step.code})

    def interpreter(self, name: str) -> Interpreter:
        """The interpreter of that name: ``rows`` for steps, ``once`` for what all rows share."""
        found = self._interpreters.get(name)
        if found is None:
            block = self.block
            if name == "rows":
                slots = self.plan.slots
                places = Places(self.offset, self.place, lambda k: (slots + k) * block.slot_bytes, True)
            else:
                block = block.scalar()
                places = Places(self.place, self.place, lambda k: self.fresh() * block.item_bytes, False)
            full = f"interpret_{name}"
            found = Interpreter(self.program, block, full, places, self.library, self.operands)
            self._interpreters[name] = found
            self.need(f"@{full}", f"declare void @{full}(ptr, ptr, ptr, ptr, ptr, i64)")
        return found

    def place(self, i: int) -> int:
        """Where a number is that the step did not compute itself: in the workspace, or among the parameters."""
        return self.offset(i) if self.program.level[i] == ROW else self.number(i) * self.block.item_bytes

    def fresh(self) -> int:
        """A further parameter."""
        self.parameters += 1
        return self.parameters - 1

    def stretch(self, step: Straight, outline: Outline | None, space: str) -> str:
        """The call of a function that does a stretch of arithmetic for every vector of a block.

        Identical stretches are outlined: they share one function, and each has a table of its operands' offsets.
        """
        start, name = 0, f"@stretch{len(self.stretches)}"
        if outline is None:
            self.straight(name, step, None)
        else:
            key, numbers = outline
            if key not in self.outlined:
                self.outlined[key] = name
                self.straight(name, step, {i: k for k, i in enumerate(numbers)})
            name, start = self.outlined[key], len(self.operands)
            self.operands.extend(map(self.place, numbers))
        return f"call void {name}(ptr {space}, ptr %params, ptr %calls, ptr %flag, ptr %operands, i64 {start})"

    def outlines(self) -> list[Outline | None]:
        """For each step its outline, if another step has the same."""
        steps = self.plan.steps
        if len(steps) <= FEW:
            return [None] * len(steps)
        found = [self.outline(step) if isinstance(step, Straight) and step.may_repeat else None for step in steps]
        count = Counter(outline[0] for outline in found if outline is not None)
        return [None if outline is None or count[outline[0]] == 1 else outline for outline in found]

    def outline(self, step: Straight) -> Outline | None:
        """The common part of a stretch and identical ones, and the operands and results that differ."""
        code, level = self.program.code, self.program.level
        own: dict[int, int] = {}
        outside: dict[int, int] = {}
        said: list[Any] = []

        def operand(k: int) -> Any:
            if k in own:
                return own[k]
            if code[k].op == "const" and (not self.numbers_differ or code[k].constant in SIMPLE):
                return code[k].constant.hex()
            if level[k] == ROW or self.numbers_differ:
                return (-1 - outside.setdefault(k, len(outside)), level[k] == ROW)
            return ("shared", k)

        if code[step.code[0]].op in ("loop", "pack"):
            return None
        for i in step.code:
            op, operands, _ = code[i]
            said.append(op if i not in self.program.reciprocals else "watched")
            stack = [*reversed(operands)]
            while stack:  # conditions are not stored: they are said, once, with all that they are made of
                k = stack.pop()
                if code[k].op in CONDITIONS and k not in own:
                    own[k] = len(own)
                    said.append(code[k].op)
                    stack.extend(reversed(code[k].operands))
                else:
                    said.append(operand(k))
            own[i] = len(own)
        kept = set(step.kept)
        said.append(tuple(own[i] for i in step.code if i in kept))
        return tuple(said), [*outside, *(i for i in step.code if i in kept)]

    def straight(self, name: str, step: Straight, table: dict[int, int] | None) -> None:
        """The function of a stretch; the offsets of its operands are fixed, or in a table at these indices."""
        block = side_by_side(self.program, step.code[0], self.block)
        f = Builder(
            block,
            f"define void {name}(ptr noalias %ws, ptr noalias %params, ptr noalias %calls, ptr noalias %flag, "
            "ptr noalias %operands, i64 %start)",
        )
        base = "%ws"
        first = f.let("getelementptr i32, ptr %operands, i64 %start") if table is not None else ""
        level = self.program.level

        def address(i: int) -> str:
            if table is None:
                return f.at(base, self.offset(i))
            return f.at(base if level[i] == ROW else "%params", entry(table[i]))

        def entry(k: int) -> str:
            return f.let(f"zext i32 {f.let(f'load i32, ptr {f.at(first, 4 * k)}')} to i64")

        body = Body(self, f, address, lambda slot: f.at(base, slot * block.slot_bytes), block.slot_bytes)
        body.tabled = {i for i in table or () if level[i] != ROW}
        if block.vectors == 1:
            body.run(step.code, step.kept)
        else:
            with f.loop(block.slot_bytes, step=block.vector_bytes) as loop:
                base = f.at("%ws", loop.index)
                body.run(step.code, step.kept)
        self.instructions += size(self.program, step.code)
        self.stretches.append(f)

    def prepare(self) -> None:
        """A function that computes, once a call, what all rows share; a few instructions in a function each."""
        block = self.block.scalar()
        code = [i for i in self.plan.prepare if self.program.code[i].op != "element"]
        whole = Builder(block, "define void @prepare(ptr %params, ptr %calls, ptr %operands)")
        if len(code) > COMPILED and not any(self.program.code[i].op in LOOPS for i in code):
            for first in progress.over(range(0, len(code), INTERPRETED), "writing tables"):
                part = code[first : first + INTERPRETED]
                start = self.interpreter("once").encode(part, part, watched=False)
                whole.do(
                    "call void @interpret_once"
                    f"(ptr %params, ptr %params, ptr %calls, ptr null, ptr %operands, i64 {start})"
                )
            self.functions.append(whole.text())
            return
        self.instructions += size(self.program, code)
        for number, part in enumerate(self.parts_of_prepare(code)):
            f = Builder(block, f"define internal void @prepare{number}(ptr %params, ptr %calls)")

            def address(i: int, f: Builder = f) -> str:
                return f.at("%params", self.parameter[i] * block.item_bytes)

            def locate(number: int, f: Builder = f) -> str:
                return f.at("%params", number * block.item_bytes)

            Body(self, f, address, locate, block.item_bytes).run(part, part, watched=False)
            self.functions.append(f.text())
            whole.do(f"call void @prepare{number}(ptr %params, ptr %calls)")
        self.functions.append(whole.text())

    def own(self, op: str, count: int, block: Block) -> None:
        """A function of ``mathematics`` on vectors, for programs that are too long to have it written out."""
        name = f"{op}_{block.lanes}"
        if name in self.globals:
            return
        program = alone(op, count, block.item == "float", block.vector_bytes == 64)
        v = block.vector
        f = Builder(block, f"define internal {v} @{name}(ptr %calls, {', '.join(f'{v} %x{k}' for k in range(count))})")
        body = Body(self, f, lambda i: "", lambda i: "", 0, program)
        for i in program.needed():
            opcode, operands, _ = program.code[i]
            if opcode == "row":
                body.names[i] = f"%x{operands[0]}"
            elif opcode not in INPUTS and opcode not in CONDITIONS:
                body.instruction(i, ())
        f.finish(f"ret {v} {body.names[program.results[0]]}")
        for declared, text in f.declared.items():
            self.need(declared, text)
        self.need(name, f.text())

    def parts_of_prepare(self, code: Sequence[int]) -> list[list[int]]:
        """A few instructions each; a loop and its results are in one part."""
        parts: list[list[int]] = []
        results: dict[int, list[int]] = {}
        for i in code:
            op, operands, _ = self.program.code[i]
            if op in OF_LOOPS:
                results[operands[0]].append(i)
                continue
            if not parts or len(parts[-1]) >= 256:
                parts.append([])
            parts[-1].append(i)
            if op == "loop":
                results[i] = parts[-1]
        return parts

    # The whole -------------------------------------------------------------------------------------------------------

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
            columns = [(c, self.offset(instruction[p])) for c, p in enumerate(inputs) if p in instruction]
            if columns:
                self.copy(f, "load", space, self.array(f, k, row), count, columns)
        outlines = self.outlines()
        interpreted = self.interpreted(outlines)
        if interpreted:  # more may be the same than seems
            self.numbers_differ = True
            outlines = self.outlines()
            interpreted = self.interpreted(outlines)
        steps = list(zip(plan.steps, outlines, strict=True))
        for number, (step, outline) in enumerate(progress.over(steps, "writing LLVM's language")):
            if number in interpreted and isinstance(step, Straight):
                start = self.interpreter("rows").encode(step.code, step.kept)
                others = f"ptr %params, ptr %calls, ptr %flag, ptr %operands, i64 {start}"
                f.do(f"call void @interpret_rows(ptr {space}, {others})")
            elif isinstance(step, Straight):
                f.do(self.stretch(step, outline, space))
            elif isinstance(step, Layer):
                self.layer(f, step, space)
            elif isinstance(step, Product):
                tables = f"ptr {self.offsets(step.xs)}, ptr {self.offsets(step.ys)}"
                where = f"i64 {self.offset(step.out)}, i64 {len(step.xs)}"
                f.do(f"call void {self.kernel('product')}(ptr {space}, {tables}, {where})")
        for k, wanted in enumerate(results, len(row_inputs)):
            if wanted:
                self.stores(f, wanted, self.array(f, k, row), count, space)
        summed = dict.fromkeys(i for step in plan.steps if isinstance(step, Outer | Total) for i in summands(step))
        if summed:  # rows beyond the last one add nothing
            table = self.offsets([*summed])
            f.do(f"call void {self.kernel('clear')}(ptr {space}, ptr {table}, i64 {len(summed)}, i64 {count})")

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
            table = self.table([x for c, offset in chosen for x in (c * self.block.item_bytes, offset)])
            f.do(
                f"call void {kernel}(ptr {memory}, ptr {array[0]}, i64 {array[1]}, i64 {count}, ptr {table}, "
                f"i64 {many}{flag})"
            )

        wide, rest = _neighbours(columns, widths(self.block)) if name != "spread" else ([], columns)
        if not wide:
            call(self.kernel(name), columns, len(columns))
            return
        partly, done = f.label(), f.label()
        f.unless(f.let(f"icmp eq i64 {count}, {self.block.rows}"), partly)
        for width, chosen in wide:
            call(self.kernel(f"{name}_columns", width), chosen, len(chosen) // width)
        if rest:
            call(self.kernel(name), rest, len(rest))
        f.finish(f"br label %{done}")
        f.begin(partly)
        call(self.kernel(name), columns, len(columns))
        f.begin(done)

    def stores(self, f: Builder, wanted: Sequence[int], array: tuple[str, str], count: str, space: str) -> None:
        """Write the results of the rows of a block to their array."""
        level, size = self.program.level, self.block.item_bytes
        varying = [(c, self.offset(i)) for c, i in enumerate(wanted) if level[i] == ROW]
        if varying:
            self.copy(f, "store", space, array, count, varying)
        same = [(c, self.number(i) * size) for c, i in enumerate(wanted) if level[i] != ROW]
        if same:
            self.copy(f, "spread", "%params", array, count, same)

    def number(self, i: int) -> int:
        """The number of the parameter for what all rows share; a constant becomes a parameter."""
        if i not in self.parameter:
            self.parameter[i] = self.parameters
            self.constants[self.parameters] = self.program.code[i].constant
            self.parameters += 1
        return self.parameter[i]

    def layer(self, f: Builder, step: Layer, space: str) -> None:
        """Dots over the same operands, a few at a time."""
        for tile, done, count in _tiled(len(step.outs), self.block.tiles):
            start = len(self.packed) * self.block.item_bytes
            for first in range(done, done + count * tile, tile):
                group = step.weights[first : first + tile]
                for k in range(len(step.xs)):
                    self.packed.extend(self.number(ws[k]) for ws in group)
            outs = self.offsets(step.outs[done : done + count * tile])
            xs = self.offsets(step.xs)
            f.do(
                f"call void {self.kernel('layer', tile)}"
                f"(ptr {space}, ptr %packed, i64 {start}, ptr {xs}, ptr {outs}, i64 {len(step.xs)}, i64 {count})"
            )

    def accumulate(self, f: Builder, step: Outer | Total, blocks: str) -> None:
        """Add the numbers of some blocks to the sums."""
        size = self.block.vector_bytes
        many = f"i64 {blocks}, i64 {self.stride}"
        if isinstance(step, Total):
            table = f"ptr {self.offsets(step.terms)}, i64 {len(step.terms)}"
            f.do(f"call void {self.kernel('total')}(ptr %ws, {table}, ptr %acc, i64 {step.first * size}, {many})")
            return
        line = len(step.b) * size
        for a_tile, a, a_tiles in _tiled(len(step.a), (4, 2, 1)):
            for b_tile, b, b_tiles in _tiled(len(step.b), self.block.outer_tiles(a_tile)):
                every_a = self.offsets(step.a[a : a + a_tiles * a_tile])
                every_b = self.offsets(step.b[b : b + b_tiles * b_tile])
                start = (step.first + a * len(step.b) + b) * size
                f.do(
                    f"call void {self.kernel('outer', a_tile, b_tile)}(ptr %ws, ptr {every_a}, ptr {every_b}, "
                    f"i64 {a_tiles}, i64 {b_tiles}, ptr %acc, i64 {start}, i64 {line}, {many})"
                )

    def interpreter_texts(self) -> list[str]:
        """A module for each interpreter."""
        texts = []
        for interpreter in self._interpreters.values():
            apart = copy(self)  # what its module needs is declared there
            apart.globals = {}

            def spelled(f: Builder, row: Opcode, names: list[str], apart: _Emitter = apart) -> str:
                return Body(apart, f, str, str, 0).spelled(row, names)

            function = interpreter.write(spelled)
            texts.append("\n\n".join((*apart.globals.values(), function, "")))
        return texts

    def spare(self) -> int:
        """How many slots the interpreter needs besides those of the schedule."""
        found = self._interpreters.get("rows")
        return 0 if found is None else found.spare

    def texts(self) -> list[str]:
        """The modules: a short program is one; the stretches of a long one are compiled in parts, to limit memory."""
        tables = [
            f"{name} = private unnamed_addr constant [{len(numbers)} x i64] [{', '.join(f'i64 {x}' for x in numbers)}]"
            for numbers, name in self.tables.items()
        ]
        parts: list[list[str]] = [[]]
        declared: list[str] = []
        size = 0
        for stretch in self.stretches:
            text = stretch.text()
            size += len(text)
            if size > PART:
                parts.append([])
                size = len(text)
            parts[-1].append(text)
            if len(parts) > 1:
                declared.append(_declaration(stretch))
        main = (*tables, *self.globals.values(), *parts[0], *declared, *self.functions, "")
        others = [(*self.globals.values(), *part, "") for part in parts[1:]]
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


def _declaration(function: Builder) -> str:
    return function.head.replace("define", "declare", 1)


class Body:
    """The instructions of a stretch, of a loop's body, or of another program.

    Args:
        emitter: what else the module holds.
        f: the function that is written.
        address: writes the pointer to a number that is kept.
        locate: writes the pointer to a slot, or to a parameter where all rows share the numbers.
        stride: the bytes from one to the next.
        program: the program, if it is not the emitter's.
    """

    def __init__(
        self,
        emitter: _Emitter,
        f: Builder,
        address: Callable[[int], str],
        locate: Callable[[int], str],
        stride: int,
        program: Program | None = None,
    ) -> None:
        self.emitter, self.f, self.block, self.address = emitter, f, f.block, address
        self.locate, self.stride = locate, stride
        self.program: Program = emitter.program if program is None else program
        self.names: dict[int, str] = {}
        self.stacks: dict[int, Stack] = {}
        self.results: dict[int, Results] = {}  # of loops
        self.tabled: Collection[int] = ()  # numbers that all rows share, whose address is not the same everywhere
        self.doubts: list[str] = []  # of loops: not finite if a reciprocal was not
        self.flags = "" if self.program.strict else "contract "

    def run(self, code: Sequence[int], kept: Sequence[int], watched: bool = True) -> None:
        """Do the instructions in order and store those that are kept; the flag is set if a reciprocal is not finite."""
        keep = set(kept)
        for k, i in enumerate(code):
            if i not in self.names:
                self.instruction(i, self.isomorphic(code, k))
            if i in keep and i in self.names:
                self.f.store_vector(self.names[i], self.address(i))
        bits = "0"
        for i in code:
            if watched and i in self.program.reciprocals:
                bits = self.f.watch(self.names[i], bits)
        for x in self.doubts:
            bits = self.f.watch(x, bits)
        if bits != "0":
            self.f.raise_flag(bits)
        for name, declaration in self.f.declared.items():
            self.emitter.need(name, declaration)

    # Loops.

    def inner(self, program: Program) -> Body:
        """The body of a loop."""
        return Body(self.emitter, self.f, self.address, self.locate, self.stride, program)

    def is_stack(self, i: int) -> bool:
        """Whether an instruction makes a stack."""
        return i in self.stacks or self.program.code[i].op in ("stack", "pack")

    def stack(self, i: int) -> Stack:
        """Where a stack is."""
        if i not in self.stacks:
            if self.program is not self.emitter.program:
                number = self.emitter.inner[id(self.program), i]
                self.stacks[i] = Stack(self.locate(number), self.stride, False)
            elif self.program.level[i] == ROW:
                self.stacks[i] = Stack(self.address(i), self.stride, False)
            else:
                size = self.block.item_bytes
                self.stacks[i] = Stack(self.f.at("%params", self.emitter.number(i) * size), size, True)
        return self.stacks[i]

    def doubt(self, before: str) -> str:
        """A number that is not finite if the one before is not, or a reciprocal here."""
        f, v = self.f, self.block.vector
        for x in [*(self.names[i] for i in sorted(self.program.reciprocals) if i in self.names), *self.doubts]:
            before = f.let(f"fadd {v} {before}, {f.let(f'fsub {v} {x}, {x}')}")
        return before

    # Superword-level parallelism: in code for one row at a time, consecutive independent calls of one function
    # become one call of the vector library.

    def isomorphic(self, code: Sequence[int], k: int) -> list[int]:
        """The calls of one function from the k-th instruction on that do not depend on each other."""
        op, operands, _ = self.program.code[code[k]]
        if self.block.lanes > 1 or self.program.strict or len(operands) != 1 or not self.program.opcode(op).libm:
            return []
        found = [code[k]]
        for i in code[k + 1 : k + self.block.widest]:
            other, operands, _ = self.program.code[i]
            if other != op or operands[0] in found:
                break
            found.append(i)
        return found if len(found) > 2 else []

    def superword(self, group: Sequence[int]) -> bool:
        """One call for a group of isomorphic instructions; False if the vector library has no such function."""
        f, op = self.f, self.program.code[group[0]].op
        lanes = 4 if len(group) <= 4 else 8 if len(group) <= 8 else 16
        library = self.emitter.library(op, lanes) if lanes <= self.block.widest else None
        if library is None:
            return False
        item = self.block.item
        v = f"<{lanes} x {item}>"
        self.emitter.need(library, f"declare {v} @{library}({v})")
        operands = [self.number(self.program.code[i].operands[0]) for i in group]
        vector = "poison"
        for lane in range(lanes):  # every lane gets a number; unused lanes get the last one
            x = operands[min(lane, len(operands) - 1)]
            vector = f.let(f"insertelement {v} {vector}, {item} {x}, i64 {lane}")
        result = f.let(f"call {v} @{library}({v} {vector})")
        for lane, i in enumerate(group):
            self.names[i] = f.let(f"extractelement {v} {result}, i64 {lane}")
        return True

    # Instructions ----------------------------------------------------------------------------------------------------

    def number(self, i: int) -> str:
        """The name of an operand: computed here, a constant, or loaded."""
        found = self.names.get(i)
        if found is not None:
            return found
        op, _, constant = self.program.code[i]
        if op in CONDITIONS:
            return self.condition(i)
        if i in self.tabled:
            found = self.f.spread(self.address(i))
        elif op == "const" and (self.block.lanes == 1 or constant == 0.0 or self.program is not self.emitter.program):
            found = self.block.constant(constant)
        elif self.program.level[i] == ROW:
            found = self.f.load_vector(self.address(i))
        else:
            found = self.f.spread(self.f.at("%params", self.emitter.number(i) * self.block.item_bytes))
        self.names[i] = found
        return found

    def condition(self, root: int) -> str:
        """A comparison, or several combined: computed where it is used, never stored."""
        stack = [root]
        while stack:
            i = stack[-1]
            op, operands, _ = self.program.code[i]
            if i in self.names:
                stack.pop()
                continue
            inner = [k for k in operands if self.program.code[k].op in CONDITIONS and k not in self.names]
            if inner:
                stack.extend(inner)
                continue
            stack.pop()
            names = [self.number(k) for k in operands]
            self.names[i] = self.f.let(self.spelled(self.program.opcode(op), names))
        return self.names[root]

    def instruction(self, i: int, group: Sequence[int]) -> None:
        """Do one instruction, or a group of isomorphic ones at once."""
        if group and self.superword(group):
            return
        op, operands, constant = self.program.code[i]
        if op == "loop":
            self.results[i] = emit_loop(self, i)
            return
        if op == "pack":
            emit_pack(self, i)
            return
        if op in OF_LOOPS:
            if op != "stack":
                found = self.results[operands[0]]
                self.names[i] = found.last[int(constant)] if op == "last" else found.steps
            return
        if op == "element":
            stack = self.stack(operands[0])
            self.names[i] = load_element(self, stack, int(constant) * stack.stride)
            return
        names = [self.number(k) for k in operands]
        row = self.program.opcode(op)
        if row.far:
            self.names[i] = self.far(row, *names)
        elif op == "dot":  # of operands that all rows share: written out
            n = len(names) // 2
            total = self.block.constant(0.0)
            for a, b in zip(names[:n], names[n:], strict=True):
                total = self.f.fma(a, b, total)
            self.names[i] = total
        else:
            self.names[i] = self.f.let(self.spelled(row, names))

    def far(self, row: Opcode, x: str, near: str) -> str:
        """The near result, or where x is beyond reach libm's."""
        f, block = self.f, self.block
        v, mask = block.vector, block.mask
        beyond = f.let(f"fcmp ogt {v} {f.let(f.intrinsic('fabs', x))}, {block.constant(REACH[block.item])}")
        some = beyond
        if block.lanes > 1:
            some = f.let(f"icmp ne i{block.lanes} {f.let(f'bitcast {mask} {beyond} to i{block.lanes}')}, 0")
        slow, done = f.label(), f.label()
        before = f.branch(some, slow, done)
        f.begin(slow)
        called = f.let(self.call(OPCODES[row.far], [x], vector=False))
        chosen = f.let(f"select {mask} {beyond}, {v} {called}, {v} {near}")
        f.begin(done)
        return f.let(f"phi {v} [ {near}, %{before} ], [ {chosen}, %{slow} ]")

    def spelled(self, row: Opcode, names: Sequence[str]) -> str:
        """An instruction in LLVM's language."""
        block = self.block
        if row.llvm:
            text = row.avx512 if row.avx512 and block.vector_bytes == 64 else row.llvm
            *lines, last = text.split("; ")
            results: list[str] = []
            for line in lines:
                results.append(self.f.let(line.format(*names, **block.named, flags=self.flags, r=results)))
            return last.format(*names, **block.named, flags=self.flags, r=results)
        return self.f.intrinsic(row.intrinsic, *names) if row.intrinsic else self.call(row, names)

    def call(self, row: Opcode, names: Sequence[str], vector: bool = True) -> str:
        """A call of a mathematical function: of the vector library if allowed, of the machine's libm, or of Python."""
        emitter, block, v = self.emitter, self.block, self.block.vector
        op, strict = row.name, self.program.strict
        library = None if strict or not vector or not row.libm else emitter.library(op, block.lanes)
        if library is not None:
            emitter.need(library, f"declare {v} @{library}({', '.join([v] * len(names))})")
            return f"call {v} @{library}({', '.join(f'{v} {x}' for x in names)})"
        if vector and block.fuses and block.lanes > 1 and not strict and op in FUNCTIONS:
            self.emitter.own(op, len(names), block)
            return f"call {v} @{op}_{block.lanes}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})"
        slot = None
        if not row.libm or (strict and row.strict_in_python):
            if op not in emitter.calls:
                emitter.calls.append(op)
            slot = emitter.calls.index(op)
        if block.lanes == 1 and slot is None:
            scalar = f"@{row.libm}" + ("f" if block.item == "float" else "")
            emitter.need(scalar, f"declare {v} {scalar}({', '.join([v] * len(names))})")
            return f"call {v} {scalar}({', '.join(f'{v} {x}' for x in names)})"
        label = f"python{slot}" if slot is not None else op
        full = f"@each_{label}_{block.lanes}"
        if full not in emitter.globals:
            text, (name, declaration) = vector_function(full, row.libm, len(names), block, slot)
            emitter.need(full, text)
            if name:
                emitter.need(name, declaration)
        return f"call {v} {full}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})"


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
    emitter = _Emitter(plan, block, vector_library)
    emitter.run(row_inputs, results)
    emitter.prepare()
    for part in plan.parts:
        if part.scale is not None:
            emitter.number(part.scale)
    return Code(
        texts=emitter.texts(),
        kernels="\n\n".join(sorted(emitter.kernels.values())),
        interpreters=emitter.interpreter_texts(),
        spare=emitter.spare(),
        instructions=emitter.instructions,
        offsets=emitter.operands,
        packed=emitter.packed,
        shared=emitter.parameter,
        parameters=emitter.parameters,
        constants=emitter.constants,
        calls=emitter.calls,
        together=emitter.together,
    )
