"""LLVM's assembly language from a schedule: arithmetic on vectors of rows, a block of rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .instructions import CONDITIONS, Opcode
from .kernels import Shape, flagged, kernel, raise_flag, vector_function
from .program import ROW, Program
from .schedule import Layer, Outer, Product, Schedule, Straight, Total

Likeness = tuple[Any, list[int]]  # what stretches of a kind have in common, and the numbers of one of them
FEW = 8  # so many stretches are not looked through for likenesses
PART = 4_000_000  # characters of a module at most: about 40 000 instructions


@dataclass
class Code:
    """What ``emit`` returns.

    Attributes:
        texts: the modules with the program's own functions: one with what is called, others with long programs' parts.
        kernels: the module with the loops that it calls, which many programs have in common.
        instructions: how many instructions there are to compile; shared stretches count once.
        places: the tables of shared stretches, one after the other: where they find and leave their numbers.
        packed: places among the parameters, in the order in which the loops over weights read them.
        shared: where among the parameters each instruction is kept that all rows share.
        parameters: how many parameters there are: inputs, then what ``prepare`` computes, then constants.
        constants: the parameters that are known, and their numbers.
        calls: the operations that call back into Python, in the order of the table of pointers.
    """

    texts: list[str]
    kernels: str
    instructions: int
    places: list[int]
    packed: list[int]
    shared: dict[int, int]
    parameters: int
    constants: dict[int, float]
    calls: list[str]


class _Emitter:
    def __init__(self, plan: Schedule, shape: Shape, vector_library: Callable[[str, int], str | None]) -> None:
        self.plan, self.program, self.shape = plan, plan.program, shape
        self.library = vector_library
        self.calls: list[str] = []
        self.globals: dict[str, str] = {}
        self.kernels: dict[str, str] = {}
        self.instructions = 0
        self.tables: dict[tuple[int, ...], str] = {}
        self.functions: list[str] = []
        self.stretches: list[str] = []
        self.places: list[int] = []
        self.known: dict[Any, str] = {}
        self.packed: list[int] = []
        self.constants: dict[int, float] = {}
        inputs = len(self.program.shared)
        self.parameter: dict[int, int] = {}
        for i, (op, operands, _) in enumerate(self.program.code):
            if op == "shared":
                self.parameter[i] = operands[0]
        for i in plan.prepare:
            self.parameter[i] = inputs
            inputs += 1
        self.parameters = inputs

    # Pieces ----------------------------------------------------------------------------------------------------------

    def need(self, name: str, text: str) -> None:
        """A declaration or function that the module must have once."""
        self.globals.setdefault(name, text)

    def kernel(self, name: str, *sizes: int) -> str:
        """The name of one of the loops over blocks, which becomes part of the module of kernels."""
        full = "_".join((name, *map(str, sizes)))
        if full not in self.kernels:
            text, intrinsics = kernel(name, self.shape, *sizes)
            for declared_name, declaration in intrinsics:
                self.kernels[declared_name] = declaration
            self.kernels[full] = text
            self.need(full, text.split(" {", 1)[0].replace("define", "declare", 1))
        return f"@{full}"

    def table(self, numbers: Sequence[int]) -> str:
        """A constant table of 64-bit integers."""
        key = tuple(numbers)
        if key not in self.tables:
            self.tables[key] = f"@table{len(self.tables)}"
        return self.tables[key]

    def offset(self, i: int) -> int:
        """Where an instruction's block begins in the workspace, in bytes."""
        return self.plan.slot[i] * self.shape.block_bytes

    def offsets(self, numbers: Sequence[int]) -> str:
        """A table of those."""
        return self.table([self.offset(i) for i in numbers])

    # Stretches -------------------------------------------------------------------------------------------------------

    def stretch(self, step: Straight, likeness: Likeness | None) -> str:
        """The call of a function that does a stretch of arithmetic for every vector of a block.

        Stretches that differ only in where their numbers are kept share one function and bring a table of places.
        """
        start, name = 0, f"@stretch{len(self.stretches)}"
        if likeness is None:
            self.straight(name, step, None)
        else:
            key, places = likeness
            if key not in self.known:
                self.known[key] = name
                self.straight(name, step, {i: k for k, i in enumerate(places)})
            name, start = self.known[key], len(self.places)
            self.places.extend(self.offset(i) for i in places)
        return f"call void {name}(ptr %ws, ptr %params, ptr %calls, ptr %flag, ptr %places, i64 {start})"

    def likenesses(self) -> list[Likeness | None]:
        """For each step what it shares with another one, if there is such a step."""
        steps = self.plan.steps
        if len(steps) <= FEW:
            return [None] * len(steps)
        found = [self.likeness(step) if isinstance(step, Straight) else None for step in steps]
        count = Counter(likeness[0] for likeness in found if likeness is not None)
        return [None if likeness is None or count[likeness[0]] == 1 else likeness for likeness in found]

    def likeness(self, step: Straight) -> Likeness | None:
        """What a stretch has in common with others of its kind, and the places where it differs from them.

        None if it is of no kind: where it combines conditions.
        """
        code, level = self.program.code, self.program.level
        own: dict[int, int] = {}
        outside: dict[int, int] = {}
        said: list[Any] = []

        def operand(k: int) -> Any:
            if k in own:
                return own[k]
            if code[k].op == "const":
                return code[k].constant.hex()
            return -1 - outside.setdefault(k, len(outside)) if level[k] == ROW else ("shared", k)

        for i in step.code:
            op, operands, _ = code[i]
            said.append(op if i not in self.program.reciprocals else "watched")
            for k in operands:
                if code[k].op in CONDITIONS:
                    if any(code[j].op in CONDITIONS for j in code[k].operands):
                        return None
                    said.append((code[k].op, *map(operand, code[k].operands)))
                else:
                    said.append(operand(k))
            own[i] = len(own)
        kept = set(step.kept)
        said.append(tuple(own[i] for i in step.code if i in kept))
        return tuple(said), [*outside, *(i for i in step.code if i in kept)]

    def straight(self, name: str, step: Straight, table: dict[int, int] | None) -> None:
        """The function of a stretch; its numbers are kept in fixed places, or where the table says."""
        shape = self.shape

        def address(i: int) -> list[str]:
            if table is None:
                return [f"getelementptr i8, ptr %base, i64 {self.offset(i)}"]
            at = 4 * table[i]
            return [
                f"getelementptr i8, ptr %table, i64 {at}",
                "load i32, ptr {}",
                "zext i32 {} to i64",
                "getelementptr i8, ptr %base, i64 {}",
            ]

        body = _Body(self, shape, address)
        body.run(step.code, step.kept)
        body.watch(step.code)
        self.instructions += len(step.code)
        head = [
            f"define void {name}(ptr noalias %ws, ptr noalias %params, ptr noalias %calls, ptr noalias %flag, "
            "ptr noalias %places, i64 %start) {",
            "entry:",
            *(["%table = getelementptr i32, ptr %places, i64 %start"] if table is not None else []),
        ]
        if shape.vectors == 1:
            head += ["%base = getelementptr i8, ptr %ws, i64 0"]
            tail = ["ret void", "}"]
        else:
            head += [
                "br label %vector",
                "vector:",
                "%v = phi i64 [ 0, %entry ], [ %next, %vector ]",
                "%base = getelementptr i8, ptr %ws, i64 %v",
            ]
            tail = [
                f"%next = add i64 %v, {shape.vector_bytes}",
                f"%more = icmp ult i64 %next, {shape.block_bytes}",
                "br i1 %more, label %vector, label %end",
                "end:",
                "ret void",
                "}",
            ]
        self.stretches.append("\n".join((*head, *body.lines, *tail)))

    def prepare(self) -> None:
        """A function that computes, once a call, what all rows share."""
        shape = self.shape.scalar()
        place = self.parameter
        code = self.plan.prepare
        self.instructions += len(code)
        for number, start in enumerate(range(0, len(code), 256)):
            part = code[start : start + 256]
            body = _Body(self, shape, lambda i: [f"getelementptr i8, ptr %params, i64 {place[i] * shape.item_bytes}"])
            body.run(part, part)
            self.functions.append(
                f"define internal void @prepare{number}(ptr %params, ptr %calls) {{\n"
                + "\n".join(body.lines)
                + "\nret void\n}"
            )
        calls = [f"call void @prepare{k}(ptr %params, ptr %calls)" for k in range(-(-len(code) // 256))]
        self.functions.append(
            "define void @prepare(ptr %params, ptr %calls) {\n" + "\n".join((*calls, "ret void", "}"))
        )

    # The whole -------------------------------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Sequence[int]], results: Sequence[Sequence[int]]) -> None:
        """The function that goes through the rows block by block.

        Args:
            arrays: for each input array the places of its row inputs.
            results: for each output array the instructions it gets.
        """
        shape, plan = self.shape, self.plan
        main: list[str] = []
        slot_of = {self.program.code[i].operands[0]: i for i in plan.live}
        for k, places in enumerate(arrays):
            wanted = [(c, slot_of[p]) for c, p in enumerate(places) if p in slot_of]
            if wanted:
                table = self.table([x for c, i in wanted for x in (c * shape.item_bytes, self.offset(i))])
                self.array(main, k)
                load = self.kernel("load")
                main.append(
                    f"call void {load}(ptr %ws, ptr %p{k}, i64 %s{k}, i64 %count, ptr {table}, i64 {len(wanted)})"
                )
        cleared: set[int] = set()
        for step, likeness in zip(plan.steps, self.likenesses(), strict=True):
            if isinstance(step, Straight):
                main.append(self.stretch(step, likeness))
            elif isinstance(step, Layer):
                main.extend(self.layer(step))
            elif isinstance(step, Product):
                product = self.kernel("product")
                tables = f"ptr {self.offsets(step.xs)}, ptr {self.offsets(step.ys)}"
                main.append(f"call void {product}(ptr %ws, {tables}, i64 {self.offset(step.out)}, i64 {len(step.xs)})")
        self.stores(main, results, len(arrays))
        for step in plan.steps:
            if isinstance(step, Outer | Total):
                main.extend(self.accumulate(step, cleared))
        self.functions.append(_MAIN.format(rows=shape.rows, body="\n".join(main)))

    def array(self, main: list[str], k: int) -> None:
        """Where block by block an array begins, and the bytes from row to row."""
        main += [
            f"%t{k} = getelementptr i64, ptr %arrays, i64 {2 * k}",
            f"%b{k} = load ptr, ptr %t{k}",
            f"%u{k} = getelementptr i64, ptr %arrays, i64 {2 * k + 1}",
            f"%s{k} = load i64, ptr %u{k}",
            f"%m{k} = mul i64 %row, %s{k}",
            f"%p{k} = getelementptr i8, ptr %b{k}, i64 %m{k}",
        ]

    def stores(self, main: list[str], results: Sequence[Sequence[int]], first: int) -> None:
        """Write the results of the rows of a block to their arrays."""
        shape = self.shape
        for k, wanted in enumerate(results, first):
            if not wanted:
                continue
            self.array(main, k)
            varying = [(c, i) for c, i in enumerate(wanted) if self.program.level[i] == ROW]
            if varying:
                table = self.table([x for c, i in varying for x in (c * shape.item_bytes, self.offset(i))])
                store = self.kernel("store")
                main.append(
                    f"call void {store}(ptr %ws, ptr %p{k}, i64 %s{k}, i64 %count, ptr {table}, i64 {len(varying)}, "
                    "ptr %flag)"
                )
            same = [(c, i) for c, i in enumerate(wanted) if self.program.level[i] != ROW]
            if same:
                table = self.table(
                    [x for c, i in same for x in (c * shape.item_bytes, self.place(i) * shape.item_bytes)]
                )
                spread = self.kernel("spread")
                main.append(
                    f"call void {spread}(ptr %params, ptr %p{k}, i64 %s{k}, i64 %count, ptr {table}, i64 {len(same)})"
                )

    def place(self, i: int) -> int:
        """Where among the parameters a number is that all rows share; a constant gets a place."""
        if i not in self.parameter:
            self.parameter[i] = self.parameters
            self.constants[self.parameters] = self.program.code[i].constant
            self.parameters += 1
        return self.parameter[i]

    def layer(self, step: Layer) -> list[str]:
        """Dots over the same operands, a few at a time."""
        shape, lines, done = self.shape, [], 0
        for tile in shape.tiles:
            count = (len(step.outs) - done) // tile
            if not count:
                continue
            start = len(self.packed) * shape.item_bytes
            for first in range(done, done + count * tile, tile):
                group = step.weights[first : first + tile]
                for k in range(len(step.xs)):
                    self.packed.extend(self.place(ws[k]) for ws in group)
            outs = self.offsets(step.outs[done : done + count * tile])
            xs = self.offsets(step.xs)
            lines.append(
                f"call void {self.kernel('layer', tile)}"
                f"(ptr %ws, ptr %packed, i64 {start}, ptr {xs}, ptr {outs}, i64 {len(step.xs)}, i64 {count})"
            )
            done += count * tile
        return lines

    def accumulate(self, step: Outer | Total, cleared: set[int]) -> list[str]:
        """Add a block's numbers to the sums; rows beyond the last one are cleared first."""
        shape = self.shape
        operands = step.terms if isinstance(step, Total) else [*step.a, *step.b]
        fresh = [i for i in dict.fromkeys(operands) if i not in cleared]
        cleared.update(fresh)
        lines = []
        if fresh:
            clear = self.kernel("clear")
            lines.append(f"call void {clear}(ptr %ws, ptr {self.offsets(fresh)}, i64 {len(fresh)}, i64 %count)")
        start = step.first * shape.vector_bytes
        if isinstance(step, Total):
            total = self.kernel("total")
            return [
                *lines,
                f"call void {total}(ptr %ws, ptr {self.offsets(operands)}, i64 {len(operands)}, ptr %acc, i64 {start})",
            ]
        done = 0
        for tile in (2, 1):
            count = (len(step.a) - done) // tile
            if count:
                tables = f"ptr {self.offsets(step.a[done : done + count * tile])}, ptr {self.offsets(step.b)}"
                begin = start + done * len(step.b) * shape.vector_bytes
                lines.append(
                    f"call void {self.kernel('outer', tile)}"
                    f"(ptr %ws, {tables}, i64 {count}, i64 {len(step.b)}, ptr %acc, i64 {begin})"
                )
                done += count * tile
        return lines

    def texts(self) -> list[str]:
        """The modules: a short program is one; a long one's stretches are compiled in parts, so that memory lasts."""
        tables = [
            f"{name} = private unnamed_addr constant [{len(numbers)} x i64] [{', '.join(f'i64 {x}' for x in numbers)}]"
            for numbers, name in self.tables.items()
        ]
        parts: list[list[str]] = [[]]
        size = 0
        for stretch in self.stretches:
            size += len(stretch)
            if size > PART:
                parts.append([])
                size = len(stretch)
            parts[-1].append(stretch)
        declared = [s.split(" {", 1)[0].replace("define", "declare", 1) for part in parts[1:] for s in part]
        main = (*tables, *self.globals.values(), *parts[0], *declared, *self.functions, "")
        others = [(*self.globals.values(), *part, "") for part in parts[1:]]
        return ["\n\n".join(module) for module in (main, *others)]


_MAIN = """\
define void @run(i64 %rows, ptr %ws, ptr %params, ptr %packed, ptr %acc, ptr %calls, ptr %arrays, ptr %flag,
                 ptr %places) {{
entry:
%some = icmp ugt i64 %rows, 0
br i1 %some, label %block, label %end
block:
%row = phi i64 [ 0, %entry ], [ %next, %block ]
%left = sub i64 %rows, %row
%whole = icmp ugt i64 %left, {rows}
%count = select i1 %whole, i64 {rows}, i64 %left
{body}
%next = add i64 %row, {rows}
%more = icmp ult i64 %next, %rows
br i1 %more, label %block, label %end
end:
ret void
}}"""


class _Body:
    """The lines of one stretch; ``address`` says where a number that is kept stands."""

    def __init__(self, emitter: _Emitter, shape: Shape, address: Callable[[int], list[str]]) -> None:
        self.emitter, self.shape, self.address = emitter, shape, address
        self.program: Program = emitter.program
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.fresh = 0
        self.flags = "" if self.program.strict else "contract "

    def name(self) -> str:
        """A new name."""
        self.fresh += 1
        return f"%n{self.fresh}"

    def run(self, code: Sequence[int], kept: Sequence[int]) -> None:
        """Do the instructions in order and store those that are kept."""
        keep = set(kept)
        for k, i in enumerate(code):
            if i not in self.names:
                self.instruction(i, self.alike(code, k))
            if i in keep:
                p = self.pointer(i)
                self.lines.append(f"store {self.shape.vector} {self.names[i]}, ptr {p}, align {self.shape.align}")

    def alike(self, code: Sequence[int], k: int) -> list[int]:
        """Where one row is worked off: the calls of a function from the k-th instruction on that one call can do."""
        op, operands, _ = self.program.code[code[k]]
        if self.shape.lanes > 1 or self.program.strict or len(operands) != 1 or not self.program.opcode(op).libm:
            return []
        found = [code[k]]
        for i in code[k + 1 : k + self.shape.widest]:
            other, (x, *more), _ = self.program.code[i]
            if other != op or more or x in found:
                break
            found.append(i)
        return found if len(found) > 2 else []

    def side_by_side(self, group: Sequence[int]) -> bool:
        """Call a function of the vector library on several operations' operands at once; False if there is none."""
        op = self.program.code[group[0]].op
        lanes = 4 if len(group) <= 4 else 8 if len(group) <= 8 else 16
        library = self.emitter.library(op, lanes) if lanes <= self.shape.widest else None
        if library is None:
            return False
        item = self.shape.item
        v = f"<{lanes} x {item}>"
        self.emitter.need(library, f"declare {v} @{library}({v})")
        operands = [self.number(self.program.code[i].operands[0]) for i in group]
        vector = "poison"
        for lane in range(lanes):
            x = operands[min(lane, len(operands) - 1)]  # no lane is left to chance
            name = self.name()
            self.lines.append(f"{name} = insertelement {v} {vector}, {item} {x}, i64 {lane}")
            vector = name
        result = self.name()
        self.lines.append(f"{result} = call {v} @{library}({v} {vector})")
        for lane, i in enumerate(group):
            self.names[i] = self.name()
            self.lines.append(f"{self.names[i]} = extractelement {v} {result}, i64 {lane}")
        return True

    def watch(self, code: Sequence[int]) -> None:
        """Set the flag if a reciprocal among these is not finite."""
        before = "0"
        for i in code:
            if i in self.program.reciprocals:
                after = self.name()
                self.lines += flagged(self.shape, after, self.names[i], before)
                before = after
        if before != "0":
            self.lines += raise_flag(self.name(), before)

    def pointer(self, i: int) -> str:
        """The name of a pointer to where a number is kept."""
        name = ""
        for line in self.address(i):
            said = line.format(name)
            name = self.name()
            self.lines.append(f"{name} = {said}")
        return name

    def number(self, i: int) -> str:
        """The name of an operand: computed here, a constant, or loaded."""
        found = self.names.get(i)
        if found is not None:
            return found
        op, _, constant = self.program.code[i]
        shape = self.shape
        if op == "const":
            found = shape.constant(constant)
        elif op in CONDITIONS:
            return self.condition(i)
        else:
            found = self.name()
            if self.program.level[i] == ROW:
                p = self.pointer(i)
                self.lines.append(f"{found} = load {shape.vector}, ptr {p}, align {shape.align}")
            else:
                p = self.name()
                place = self.emitter.place(i) * shape.item_bytes
                self.lines.append(f"{p} = getelementptr i8, ptr %params, i64 {place}")
                self.lines.extend(shape.spread(found, p))
        self.names[i] = found
        return found

    def condition(self, root: int) -> str:
        """A comparison, or several combined: made where it is used, never stored."""
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
            result = self.name()
            self.lines.append(f"{result} = {self.spelled(self.program.opcode(op), names)}")
            self.names[i] = result
        return self.names[root]

    def instruction(self, i: int, group: Sequence[int]) -> None:
        """Do one instruction, or a group that can be done at once."""
        if group and self.side_by_side(group):
            return
        op, operands, _ = self.program.code[i]
        if op == "dot":  # what all rows share is written out
            self.names[i] = self.dot(operands)
            return
        names = [self.number(k) for k in operands]
        result = self.name()
        self.lines.append(f"{result} = {self.spelled(self.program.opcode(op), names)}")
        self.names[i] = result

    def spelled(self, row: Opcode, names: Sequence[str]) -> str:
        """An instruction in LLVM's language."""
        shape = self.shape
        if row.llvm:
            return row.llvm.format(*names, v=shape.vector, mask=shape.mask, true=shape.all_true, flags=self.flags)
        return self.intrinsic(row.intrinsic, names) if row.intrinsic else self.call(row, names)

    def dot(self, operands: tuple[int, ...]) -> str:
        n = len(operands) // 2
        total = self.shape.constant(0.0)
        for a, b in zip(operands[:n], operands[n:], strict=True):
            line = self.intrinsic("fma", [self.number(a), self.number(b), total])
            total = self.name()
            self.lines.append(f"{total} = {line}")
        return total

    def intrinsic(self, name: str, names: Sequence[str]) -> str:
        """A call of one of LLVM's own functions."""
        v = self.shape.vector
        full = f"@llvm.{name}.{self.shape.suffix}"
        self.emitter.need(full, f"declare {v} {full}({', '.join([v] * len(names))})")
        return f"call {v} {full}({', '.join(f'{v} {x}' for x in names)})"

    def call(self, row: Opcode, names: Sequence[str]) -> str:
        """A call of a mathematical function: of the vector library, of the machine's libm, or of Python."""
        emitter, shape, v = self.emitter, self.shape, self.shape.vector
        op, strict = row.name, self.program.strict
        library = None if strict or not row.libm else emitter.library(op, shape.lanes)
        if library is not None:
            emitter.need(library, f"declare {v} @{library}({', '.join([v] * len(names))})")
            return f"call {v} @{library}({', '.join(f'{v} {x}' for x in names)})"
        slot = None
        if not row.libm or (strict and row.strict_in_python):
            if op not in emitter.calls:
                emitter.calls.append(op)
            slot = emitter.calls.index(op)
        if shape.lanes == 1 and slot is None:
            scalar = f"@{row.libm}" + ("f" if shape.item == "float" else "")
            emitter.need(scalar, f"declare {v} {scalar}({', '.join([v] * len(names))})")
            return f"call {v} {scalar}({', '.join(f'{v} {x}' for x in names)})"
        label = f"python{slot}" if slot is not None else op
        full = f"@each_{label}_{shape.lanes}"
        if full not in emitter.globals:
            text, declared = vector_function(full, row.libm, len(names), shape, slot)
            emitter.need(full, text)
            for d in declared:
                emitter.need(*d)
        return f"call {v} {full}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})"


def emit(
    plan: Schedule,
    shape: Shape,
    arrays: Sequence[Sequence[int]],
    results: Sequence[Sequence[int]],
    vector_library: Callable[[str, int], str | None],
) -> Code:
    """The module that runs a schedule.

    Args:
        plan: the schedule.
        shape: how wide vectors and blocks are.
        arrays: for each input array the places of its row inputs.
        results: for each output array the instructions it gets.
        vector_library: gives the name of a function on so many numbers at once, or None.
    """
    emitter = _Emitter(plan, shape, vector_library)
    emitter.run(arrays, results)
    emitter.prepare()
    for share in plan.shares:
        if share.scale is not None:
            emitter.place(share.scale)
    return Code(
        texts=emitter.texts(),
        kernels="\n\n".join(sorted(emitter.kernels.values())),
        instructions=emitter.instructions,
        places=emitter.places,
        packed=emitter.packed,
        shared=emitter.parameter,
        parameters=emitter.parameters,
        constants=emitter.constants,
        calls=emitter.calls,
    )
