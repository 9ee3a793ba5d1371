"""Functions of straight-line code: stretches of a block's arithmetic, and what is computed once for all rows.

Identical stretches share one function. What is too long for LLVM is written into tables for an interpreter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import copy
from typing import Any

from . import progress
from .assembly import Builder
from .emit_body import Body
from .emit_loops import side_by_side, size
from .emit_module import Module
from .instructions import CONDITIONS, OF_LOOPS, Opcode
from .interpreter import Interpreter, Places
from .order import LOOPS
from .plan import Straight
from .program import ROW
from .schedule import COMPILED as COMPILED
from .schedule import INTERPRETED

Outline = tuple[Any, list[int]]  # the common part of identical stretches, and the operands that differ
FEW = 8  # with this many stretches or fewer, no identical ones are searched for
SIMPLE = frozenset({0.0, 0.5, 1.0, -1.0, 2.0})  # constants that are better known while code is made


class Stretches:
    """The stretches of a schedule, and what prepares them.

    Args:
        module: what its functions share.

    Attributes:
        written: the functions of stretches.
        preparing: those of ``prepare``.
        operands: the tables of outlined and of interpreted stretches, one after the other.
        instructions: how many instructions there are to compile; outlined stretches count once.
    """

    def __init__(self, module: Module) -> None:
        self.module, self.plan, self.program, self.block = module, module.plan, module.program, module.block
        self.written: list[Builder] = []
        self.preparing: list[str] = []
        self.operands: list[int] = []
        self.instructions = 0
        self.outlined: dict[Any, str] = {}
        self.numbers_differ = False  # whether stretches are the same though they have other constants
        self._interpreters: dict[str, Interpreter] = {}

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
                places = Places(self.module.offset, self.module.place, lambda k: (slots + k) * block.slot_bytes, True)
            else:
                block = block.scalar()
                places = Places(
                    self.module.place, self.module.place, lambda k: self.module.fresh() * block.item_bytes, False
                )
            full = f"interpret_{name}"
            found = Interpreter(self.program, block, full, places, self.module.library, self.operands)
            self._interpreters[name] = found
            self.module.need(f"@{full}", f"declare void @{full}(ptr, ptr, ptr, ptr, ptr, i64)")
        return found

    def stretch(self, step: Straight, outline: Outline | None, space: str) -> str:
        """The call of a function that does a stretch of arithmetic for every vector of a block.

        Identical stretches are outlined: they share one function, and each has a table of its operands' offsets.
        """
        start, name = 0, f"@stretch{len(self.written)}"
        if outline is None:
            self.straight(name, step, None)
        else:
            key, numbers = outline
            if key not in self.outlined:
                self.outlined[key] = name
                self.straight(name, step, {i: k for k, i in enumerate(numbers)})
            name, start = self.outlined[key], len(self.operands)
            self.operands.extend(map(self.module.place, numbers))
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
                return f.at(base, self.module.offset(i))
            return f.at(base if level[i] == ROW else "%params", entry(table[i]))

        def entry(k: int) -> str:
            return f.let(f"zext i32 {f.let(f'load i32, ptr {f.at(first, 4 * k)}')} to i64")

        body = Body(self.module, f, address, lambda slot: f.at(base, slot * block.slot_bytes), block.slot_bytes)
        body.tabled = {i for i in table or () if level[i] != ROW}
        if block.vectors == 1:
            body.run(step.code, step.kept)
        else:
            with f.loop(block.slot_bytes, step=block.vector_bytes) as loop:
                base = f.at("%ws", loop.index)
                body.run(step.code, step.kept)
        self.instructions += size(self.program, step.code)
        self.written.append(f)

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
            self.preparing.append(whole.text())
            return
        self.instructions += size(self.program, code)
        for number, part in enumerate(self.parts_of_prepare(code)):
            f = Builder(block, f"define internal void @prepare{number}(ptr %params, ptr %calls)")

            def address(i: int, f: Builder = f) -> str:
                return f.at("%params", self.module.parameter[i] * block.item_bytes)

            def locate(number: int, f: Builder = f) -> str:
                return f.at("%params", number * block.item_bytes)

            Body(self.module, f, address, locate, block.item_bytes).run(part, part, watched=False)
            self.preparing.append(f.text())
            whole.do(f"call void @prepare{number}(ptr %params, ptr %calls)")
        self.preparing.append(whole.text())

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

    def interpreter_texts(self) -> list[str]:
        """A module for each interpreter."""
        texts = []
        for interpreter in self._interpreters.values():
            apart = copy(self.module)  # what its module needs is declared there
            apart.globals = {}

            def spelled(f: Builder, row: Opcode, names: list[str], apart: Module = apart) -> str:
                return Body(apart, f, str, str, 0).spelled(row, names)

            function = interpreter.write(spelled)
            texts.append("\n\n".join((*apart.globals.values(), function, "")))
        return texts

    def spare(self) -> int:
        """How many slots the interpreter needs besides those of the schedule."""
        found = self._interpreters.get("rows")
        return 0 if found is None else found.spare
