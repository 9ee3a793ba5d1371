"""An interpreter in native code: it runs arithmetic that is too long, and repeats too little, to be compiled itself.

The instructions of a stretch become a table of 32-bit numbers, made of runs: an operation, how many times it is done,
and for each time where its result and its operands are. The interpreter has a loop for each operation in use, written
from the table of instructions, and jumps from one to the next.

Instructions that do not depend on each other are put in the order of their operations, so that runs are long. In code
for one row at a time, several calls of one mathematical function are one call of the vector library.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from .assembly import Block, Builder
from .instructions import CONDITION, CONDITIONS, OPCODES, Opcode
from .program import ROW, Program


class Handler(NamedTuple):
    """What the interpreter has a loop for.

    Attributes:
        op: the operation; empty for the end of a stretch.
        kinds: for each operand ``r`` if it is in the workspace, ``p`` if it is a parameter.
        watched: whether the flag is set where a result is not finite.
        lanes: how many are done at once, by the vector library; 1 for one after the other.
    """

    op: str
    kinds: str
    watched: bool = False
    lanes: int = 1


END = Handler("", "")
_HANDLERS = 4096  # more than there are in a stretch
_CHOOSING = frozenset(row.name for row in OPCODES.values() if CONDITION in (row.operands or ()))


class Places:
    """Where numbers are, in bytes from the beginning of the workspace or of the parameters.

    Args:
        result: gives the place of a result that is stored for others, by the instruction.
        operand: gives the place of a result that another stretch stored, or of a parameter.
        spare: gives the place of the k-th result that only its own stretch reads.
        is_parameter: whether an operand that all rows share is a parameter.
    """

    def __init__(
        self,
        result: Callable[[int], int],
        operand: Callable[[int], int],
        spare: Callable[[int], int],
        is_parameter: bool,
    ) -> None:
        self.result, self.operand, self.spare, self.is_parameter = result, operand, spare, is_parameter


class Interpreter:
    """Encodes stretches, and writes the interpreter for them.

    Args:
        program: the program.
        block: how wide vectors and blocks are.
        name: of its function.
        places: where numbers are.
        vector_library: gives the name of a function on so many numbers at once, or None.
        table: what encoded stretches are appended to.

    Attributes:
        spare: how many results at most only their own stretch reads, at the same time.
    """

    def __init__(
        self,
        program: Program,
        block: Block,
        name: str,
        places: Places,
        vector_library: Callable[[str, int], str | None],
        table: list[int],
    ) -> None:
        self.program, self.block, self.name, self.places, self.table = program, block, name, places, table
        self._library, self.spare = vector_library, 0
        self._uses: dict[Handler, list[int]] = {}  # where in the table the number of each handler will be
        self._lanes: dict[str, int] = {}
        self._last: tuple[Handler, int] = END, 0  # the handler of the last run, and where in the table its length is

    # Stretches -------------------------------------------------------------------------------------------------------

    def encode(self, code: Sequence[int], kept: Sequence[int], watched: bool = True) -> int:
        """Append a stretch to the table.

        Args:
            code: its instructions.
            kept: those whose results others read.
            watched: whether the flag is set where a reciprocal is not finite.

        Returns:
            where it begins in the table.
        """
        start = len(self.table)
        items, keys, handlers = self._keyed(code, watched)
        self._append(items, keys, handlers, set(kept))
        self._begin(END)
        return start

    def _keyed(self, code: Sequence[int], watched: bool) -> tuple[list[int], list[int], list[Handler]]:
        """The instructions and the conditions that they need.

        Returns:
            them; for each a number by which they are sorted, by depth and then by handler; the handlers by the rest of
            that number's division by ``_HANDLERS``.
        """
        instructions, level, shared = self.program.code, self.program.level, self.places.is_parameter
        reciprocals = self.program.reciprocals if watched else frozenset()
        depth: dict[int, int] = {}
        keys: list[int] = []
        known: dict[tuple[str, str, bool], int] = {}
        for root in code:
            # Conditions are stored by no step: they are computed before the first instruction that needs them.
            missing = (root,) if instructions[root].op not in _CHOOSING else self._with_conditions(root, depth)
            for i in missing:
                op, operands, _ = instructions[i]
                deepest, kinds = 0, ""
                for k in operands:
                    found = depth.get(k)
                    if found is None:
                        kinds += "p" if shared and level[k] != ROW else "r"
                    else:
                        kinds += "r"
                        if found > deepest:
                            deepest = found
                depth[i] = deepest + 1
                number = known.setdefault((op, "" if op == "dot" else kinds, i in reciprocals), len(known))
                keys.append(deepest * _HANDLERS + number)
        return list(depth), keys, [Handler(*each) for each in known]

    def _with_conditions(self, root: int, done: Container[int]) -> list[int]:
        """An instruction after the conditions that it needs and that are not done yet."""
        instructions = self.program.code
        order: dict[int, None] = {}
        stack = [root]
        while stack:
            i = stack[-1]
            missing = [
                k
                for k in instructions[i].operands
                if instructions[k].op in CONDITIONS and k not in done and k not in order
            ]
            if missing:
                stack += missing
            else:
                order[stack.pop()] = None
        return list(order)

    def _append(self, items: list[int], keys: list[int], handlers: list[Handler], kept: set[int]) -> None:
        """Append the instructions in the order of their keys, as runs; independent ones with one handler are one."""
        instructions, places = self.program.code, self.places
        operand, result = places.operand, places.result
        order = sorted(range(len(items)), key=keys.__getitem__)
        last: dict[int, int] = {}  # when each number is read last
        for number in order:
            for k in instructions[items[number]].operands:
                last[k] = number
        where: dict[int, int] = {}
        spare: dict[int, int] = {}  # of the results that only this stretch reads
        free: list[int] = []
        count = 0
        run: list[int] = []
        before = -1
        for number in order:
            if keys[number] != before:
                if run:
                    self._run(handlers[before % _HANDLERS], run)
                    run = []
                before = keys[number]
            i = items[number]
            operands = instructions[i].operands
            at = len(run)
            run.append(0)
            for k in operands:
                place = where.get(k)
                if place is None:
                    place = where[k] = operand(k)
                run.append(place)
            for k in operands:
                if last[k] == number and k in spare:
                    free.append(spare.pop(k))
            if i in kept:
                run[at] = where[i] = result(i)
            else:
                if not free:
                    free.append(places.spare(count))
                    count += 1
                run[at] = where[i] = spare[i] = free.pop()
            if handlers[before % _HANDLERS].op == "dot":
                self._begin(Handler("dot", ""))
                self.table += (len(operands) // 2, *run)
                run = []
        if run:
            self._run(handlers[before % _HANDLERS], run)
        self.spare = max(self.spare, count)

    def _run(self, handler: Handler, run: list[int]) -> None:
        """Append a run of independent instructions with one handler."""
        size = 1 + len(handler.kinds)
        lanes = self._at_once(handler.op)
        while lanes > 1 and len(run) > 2 * size:
            group, run = run[: lanes * size], run[lanes * size :]
            group += group[-size:] * (lanes - len(group) // size)  # the last one again, in unused lanes
            self._begin(handler._replace(lanes=lanes))
            self.table += (1, *group)
        if not run:
            return
        if self._last[0] == handler:
            self.table[self._last[1]] += len(run) // size
        else:
            self._begin(handler)
            self.table.append(len(run) // size)
        self.table += run

    def _begin(self, handler: Handler) -> None:
        self._uses.setdefault(handler, []).append(len(self.table))
        self._last = handler, len(self.table) + 1
        self.table.append(0)

    def _at_once(self, op: str) -> int:
        """How many calls of a function are one call of the vector library, in code for one row at a time."""
        found = self._lanes.get(op)
        if found is None:
            row, widest = self.program.opcode(op), self.block.widest
            alone = self.block.lanes > 1 or self.program.strict or not row.libm or len(row.operands or ()) != 1
            found = self._lanes[op] = 1 if alone or self._library(op, widest) is None else widest
        return found

    # The interpreter -------------------------------------------------------------------------------------------------

    def write(self, spelled: Callable[[Builder, Opcode, list[str]], str]) -> str:
        """The interpreter's function; the numbers of the handlers are written into the table.

        Args:
            spelled: writes an instruction in LLVM's language, given the names of its operands.
        """
        handlers = sorted(self._uses)
        for k, handler in enumerate(handlers):
            for place in self._uses[handler]:
                self.table[place] = k
        f = Builder(
            self.block,
            f"define void @{self.name}(ptr %ws, ptr %params, ptr %calls, ptr %flag, ptr noalias %operands, i64 %start)",
        )
        first = f.let("getelementptr i32, ptr %operands, i64 %start")
        f.begin("next")
        at, (pc,) = len(f.lines), _names(f, 1)
        labels = [f"handler{k}" for k in range(len(handlers))]
        number = f.let(f"zext i32 {f.let(f'load i32, ptr {pc}')} to i64")
        target = f.let(f"load ptr, ptr {f.let(f'getelementptr ptr, ptr @{self.name}_handlers, i64 {number}')}")
        f.finish(f"indirectbr ptr {target}, [{', '.join(f'label %{label}' for label in labels)}]")
        arrivals = [f"[ {first}, %entry ]"]
        for label, handler in zip(labels, handlers, strict=True):
            f.begin(label)
            if handler == END:
                f.finish()
                continue
            count = f.let(f"zext i32 {f.let(f'load i32, ptr {f.at(pc, 4)}')} to i64")
            write = self._dot if handler.op == "dot" else self._loop
            following, end = write(f, handler, count, f.at(pc, 8), label, spelled)
            f.finish("br label %next")
            arrivals.append(f"[ {following}, %{end} ]")
        f.lines.insert(at, f"{pc} = phi ptr {', '.join(arrivals)}")
        addresses = ", ".join(f"ptr blockaddress(@{self.name}, %{label})" for label in labels)
        table = f"@{self.name}_handlers = private constant [{len(labels)} x ptr] [{addresses}]"
        return "\n\n".join((*f.declared.values(), table, f.text()))

    def _place(self, f: Builder, entry: str, k: int) -> str:
        return f.let(f"zext i32 {f.let(f'load i32, ptr {f.at(entry, 4 * k)}')} to i64")

    def _loop(
        self,
        f: Builder,
        handler: Handler,
        count: str,
        entries: str,
        before: str,
        spelled: Callable[[Builder, Opcode, list[str]], str],
    ) -> tuple[str, str]:
        """A handler's loop; returns what follows in the table, and the label of the block that ends it."""
        row = self.program.opcode(handler.op)
        again, after = f.label(), f.label()
        f.begin(again)
        at, (left, entry) = len(f.lines), _names(f, 2)
        size = 4 * (1 + len(handler.kinds))
        if handler.lanes > 1:
            self._wide(f, handler, entry, size)
        else:
            out = f.at("%ws", self._place(f, entry, 0))
            places = [
                f.at("%ws" if kind == "r" else "%params", self._place(f, entry, k))
                for k, kind in enumerate(handler.kinds, 1)
            ]
            parameters = {p: f.spread(p) for p, kind in zip(places, handler.kinds, strict=True) if kind == "p"}
            bits = "0"
            for vector in range(self.block.vectors):
                names = [parameters[p] if p in parameters else f.load_vector(p, vector) for p in places]
                for k, kind in enumerate(row.operands or ()):
                    if kind == CONDITION:
                        names[k] = f.let(f"fcmp une {self.block.vector} {names[k]}, {self.block.constant(0.0)}")
                result = f.let(spelled(f, row, names))
                if row.result == CONDITION:
                    result = f.let(f"uitofp {self.block.mask} {result} to {self.block.vector}")
                f.store_vector(result, out, vector)
                if handler.watched:
                    bits = f.watch(result, bits)
            if handler.watched:
                f.raise_flag(bits)
        following = f.at(entry, size * handler.lanes)
        less = f.let(f"sub i64 {left}, 1")
        more = f.let(f"icmp ne i64 {less}, 0")
        f.lines[at:at] = [
            f"{left} = phi i64 [ {count}, %{before} ], [ {less}, %{again} ]",
            f"{entry} = phi ptr [ {entries}, %{before} ], [ {following}, %{again} ]",
        ]
        f.finish(f"br i1 {more}, label %{again}, label %{after}")
        f.begin(after)
        return following, after

    def _wide(self, f: Builder, handler: Handler, entry: str, size: int) -> None:
        """Several calls of one function by one call of the vector library."""
        item, lanes = self.block.item, handler.lanes
        name, v = self._library(handler.op, lanes), f"<{lanes} x {item}>"
        f.declared[str(name)] = f"declare {v} @{name}({v})"
        base = "%ws" if handler.kinds == "r" else "%params"
        vector = "poison"
        for lane in range(lanes):
            x = f.load(f.at(base, self._place(f, entry, lane * size // 4 + 1)))
            vector = f.let(f"insertelement {v} {vector}, {item} {x}, i64 {lane}")
        result = f.let(f"call {v} @{name}({v} {vector})")
        for lane in range(lanes):
            out = f.at("%ws", self._place(f, entry, lane * size // 4))
            f.do(f"store {item} {f.let(f'extractelement {v} {result}, i64 {lane}')}, ptr {out}")

    def _dot(
        self,
        f: Builder,
        handler: Handler,
        count: str,
        entries: str,
        before: str,
        spelled: Callable[[Builder, Opcode, list[str]], str],
    ) -> tuple[str, str]:
        """A dot of numbers in the workspace: count is the number of its terms."""
        v = self.block.vector
        out = f.at("%ws", self._place(f, entries, 0))
        again, after = f.label(), f.label()
        f.begin(again)
        at, (left, entry, total) = len(f.lines), _names(f, 3)
        other = f.let(f"getelementptr i32, ptr {entry}, i64 {count}")
        x, y = (f.load_vector(f.at("%ws", self._place(f, p, 1))) for p in (entry, other))
        added = f.fma(x, y, total)
        following = f.at(entry, 4)
        less = f.let(f"sub i64 {left}, 1")
        more = f.let(f"icmp ne i64 {less}, 0")
        f.lines[at:at] = [
            f"{left} = phi i64 [ {count}, %{before} ], [ {less}, %{again} ]",
            f"{entry} = phi ptr [ {entries}, %{before} ], [ {following}, %{again} ]",
            f"{total} = phi {v} [ {self.block.constant(0.0)}, %{before} ], [ {added}, %{again} ]",
        ]
        f.finish(f"br i1 {more}, label %{again}, label %{after}")
        f.begin(after)
        f.store_vector(added, out)
        size = f.let(f"shl i64 {count}, 1")
        return f.at(f.let(f"getelementptr i32, ptr {entries}, i64 {size}"), 4), after


def _names(f: Builder, count: int) -> list[str]:
    """Names for values whose lines are written later."""
    names = [f.let("") for _ in range(count)]
    del f.lines[-count:]
    return names
