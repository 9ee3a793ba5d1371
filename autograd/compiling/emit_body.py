"""The instructions of a function in LLVM's assembly language: arithmetic, conditions, calls of functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from .assembly import Block, Builder
from .emit_loops import Results, Stack, emit_loop, emit_pack, load_element
from .emit_module import Module
from .instructions import CONDITIONS, INPUTS, OF_LOOPS, OPCODES, REACH, Opcode
from .kernels import vector_function
from .mathematics import FUNCTIONS, alone
from .program import ROW, Program


class Body:
    """The instructions of a stretch, of a loop's body, or of another program.

    Args:
        module: what else it holds.
        f: the function that is written.
        address: writes the pointer to a number that is kept.
        locate: writes the pointer to a slot, or to a parameter where all rows share the numbers.
        stride: the bytes from one to the next.
        program: the program, if it is not the module's.
    """

    def __init__(
        self,
        module: Module,
        f: Builder,
        address: Callable[[int], str],
        locate: Callable[[int], str],
        stride: int,
        program: Program | None = None,
    ) -> None:
        self.module, self.f, self.block, self.address = module, f, f.block, address
        self.locate, self.stride = locate, stride
        self.program: Program = module.program if program is None else program
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
            self.module.need(name, declaration)

    # Loops.

    def inner(self, program: Program) -> Body:
        """The body of a loop."""
        return Body(self.module, self.f, self.address, self.locate, self.stride, program)

    def is_stack(self, i: int) -> bool:
        """Whether an instruction makes a stack."""
        return i in self.stacks or self.program.code[i].op in ("stack", "pack")

    def stack(self, i: int) -> Stack:
        """Where a stack is."""
        if i not in self.stacks:
            if self.program is not self.module.program:
                number = self.module.inner[id(self.program), i]
                self.stacks[i] = Stack(self.locate(number), self.stride, False)
            elif self.program.level[i] == ROW:
                self.stacks[i] = Stack(self.address(i), self.stride, False)
            else:
                size = self.block.item_bytes
                self.stacks[i] = Stack(self.f.at("%params", self.module.number(i) * size), size, True)
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
        library = self.module.library(op, lanes) if lanes <= self.block.widest else None
        if library is None:
            return False
        item = self.block.item
        v = f"<{lanes} x {item}>"
        self.module.need(library, f"declare {v} @{library}({v})")
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
        elif op == "const" and (self.block.lanes == 1 or constant == 0.0 or self.program is not self.module.program):
            found = self.block.constant(constant)
        elif self.program.level[i] == ROW:
            found = self.f.load_vector(self.address(i))
        else:
            found = self.f.spread(self.f.at("%params", self.module.number(i) * self.block.item_bytes))
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
        module, block, v = self.module, self.block, self.block.vector
        op, strict = row.name, self.program.strict
        library = None if strict or not vector or not row.libm else module.library(op, block.lanes)
        if library is not None:
            module.need(library, f"declare {v} @{library}({', '.join([v] * len(names))})")
            return f"call {v} @{library}({', '.join(f'{v} {x}' for x in names)})"
        if vector and block.fuses and block.lanes > 1 and not strict and op in FUNCTIONS:
            _write_function(module, op, len(names), block)
            return f"call {v} @{op}_{block.lanes}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})"
        slot = None
        if not row.libm or (strict and row.strict_in_python):
            if op not in module.calls:
                module.calls.append(op)
            slot = module.calls.index(op)
        if block.lanes == 1 and slot is None:
            scalar = f"@{row.libm}" + ("f" if block.item == "float" else "")
            module.need(scalar, f"declare {v} {scalar}({', '.join([v] * len(names))})")
            return f"call {v} {scalar}({', '.join(f'{v} {x}' for x in names)})"
        label = f"python{slot}" if slot is not None else op
        full = f"@each_{label}_{block.lanes}"
        if full not in module.globals:
            text, (name, declaration) = vector_function(full, row.libm, len(names), block, slot)
            module.need(full, text)
            if name:
                module.need(name, declaration)
        return f"call {v} {full}(ptr %calls, {', '.join(f'{v} {x}' for x in names)})"


def _write_function(module: Module, op: str, count: int, block: Block) -> None:
    """A function of ``mathematics`` on vectors, for programs that are too long to have it written out."""
    name = f"{op}_{block.lanes}"
    if name in module.globals:
        return
    program = alone(op, count, block.item == "float", block.vector_bytes == 64)
    v = block.vector
    f = Builder(block, f"define internal {v} @{name}(ptr %calls, {', '.join(f'{v} %x{k}' for k in range(count))})")
    body = Body(module, f, lambda i: "", lambda i: "", 0, program)
    for i in program.needed():
        opcode, operands, _ = program.code[i]
        if opcode == "row":
            body.names[i] = f"%x{operands[0]}"
        elif opcode not in INPUTS and opcode not in CONDITIONS:
            body.instruction(i, ())
    f.finish(f"ret {v} {body.names[program.results[0]]}")
    for declared, text in f.declared.items():
        module.need(declared, text)
    module.need(name, f.text())
