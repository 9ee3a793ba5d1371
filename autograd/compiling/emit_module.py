"""What the functions of a module of LLVM's assembly language share: declarations, kernels, tables and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .assembly import Block, Builder
from .kernels import kernel
from .plan import Schedule, height
from .program import ROW
from .schedule import place_stacks


class Module:
    """What is called, read and numbered by the functions that are written for a schedule.

    Args:
        plan: the schedule.
        block: how wide vectors and blocks are.
        vector_library: gives the name of a function on so many numbers at once, or None.

    Attributes:
        globals: declarations and functions, by name.
        kernels: loops over blocks, by name.
        tables: the names of constant tables, by their numbers.
        parameter: the index of the parameter for each instruction that all rows share.
        parameters: how many parameters there are.
        constants: the values of the parameters that are known before a call, by their index.
        calls: the operations that call back into Python.
        inner: where stacks in the bodies of loops are: slots, or parameters.
    """

    def __init__(self, plan: Schedule, block: Block, vector_library: Callable[[str, int], str | None]) -> None:
        self.plan, self.program, self.block = plan, plan.program, block
        self.library = vector_library
        self.calls: list[str] = []
        self.globals: dict[str, str] = {}
        self.kernels: dict[str, str] = {}
        self.tables: dict[tuple[int, ...], str] = {}
        self.constants: dict[int, float] = {}
        inputs = len(self.program.shared_names)
        self.parameter: dict[int, int] = {}
        self.inner = dict(plan.inner)
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
            self.need(full, declaration(built))
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

    def place(self, i: int) -> int:
        """Where a number is that the step did not compute itself: in the workspace, or among the parameters."""
        return self.offset(i) if self.program.level[i] == ROW else self.number(i) * self.block.item_bytes

    def number(self, i: int) -> int:
        """The number of the parameter for what all rows share; a constant becomes a parameter."""
        if i not in self.parameter:
            self.parameter[i] = self.parameters
            self.constants[self.parameters] = self.program.code[i].constant
            self.parameters += 1
        return self.parameter[i]

    def fresh(self) -> int:
        """A further parameter."""
        self.parameters += 1
        return self.parameters - 1


def declaration(function: Builder) -> str:
    """What other modules say of a function."""
    return function.head.replace("define", "declare", 1)
