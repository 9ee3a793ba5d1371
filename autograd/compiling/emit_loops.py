"""LLVM's assembly language for loops: the state is in registers, stacks are in the workspace.

A stack is a run of slots, one for each step; where all rows share it, a run of parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from .assembly import Block
from .instructions import CONDITIONS, INPUTS, NO_ARITHMETIC
from .program import ROW, Program

if TYPE_CHECKING:
    from .emit_body import Body
    from .plan import Schedule

EXACT = 2**24  # numbers of steps that single precision counts
MOST_LANES = 32  # of vectors that are one
IN_REGISTERS = 48  # vectors that a loop reads: more would be stored and loaded in every step
WRITTEN_OUT = 32  # so many numbers are made into a stack one by one; more by a table


class Stack(NamedTuple):
    """Where a stack is.

    Attributes:
        pointer: its first element.
        stride: the bytes from element to element.
        is_shared: whether its elements are single numbers, which all rows share.
    """

    pointer: str
    stride: int
    is_shared: bool


class Results(NamedTuple):
    """The names of a loop's results.

    Attributes:
        last: the last numbers of its state.
        steps: how many steps it took.
    """

    last: list[str]
    steps: str


def load_element(body: Body, stack: Stack, offset: str | int) -> str:
    """An element of a stack, at a number of bytes from its first."""
    pointer = body.f.at(stack.pointer, offset)
    return body.f.spread(pointer) if stack.is_shared else body.f.load_vector(pointer)


def emit_loop(body: Body, i: int) -> Results:
    """A loop, where the code is that is being written."""
    f, block, program = body.f, body.block, body.program
    _, operands, constant = program.code[i]
    loop = program.loops[int(constant)]
    code = loop.body
    inner = body.inner(code)
    needed = code.needed()
    outer = loop.outer(operands)
    for k in needed:
        if code.code[k].op == "outer":
            x = outer[code.code[k].operands[0]]
            if body.is_stack(x):
                inner.stacks[k] = body.stack(x)
            else:
                inner.names[k] = body.number(x)
    fixed = _fixed(code, needed)
    for k in needed:
        if k in fixed and code.code[k].op not in INPUTS | CONDITIONS:
            inner.instruction(k, [])
    starts = [(block.vector, body.number(k)) for k in operands[: loop.states]]
    sources = [body.stack(k) for k in operands[loop.states : loop.states + loop.steps]]
    into = {k: body.stack(x) for k, x in program.results_of(i, "stack").items()}
    is_exact = block.item == "double" or loop.length <= EXACT
    limit = str(loop.length)
    if loop.is_counted and is_exact:
        limit = f.let(f"fptoui {block.item} {f.lane(body.number(operands[-1]), 0)} to i64")
    has_doubts = _has_reciprocals(code)
    if has_doubts:
        starts.append((block.vector, block.constant(0.0)))
    with f.steps(limit, starts, loop.is_counted) as steps:
        at = steps.index
        if loop.backward:
            at = f.let(f"sub i64 {f.let(f'sub i64 {limit}, 1')}, {steps.index}")
        offsets = {s.stride: f.let(f"mul i64 {at}, {s.stride}") for s in (*sources, *into.values())}

        def run(part: Sequence[int]) -> None:
            work = []
            for k in part:
                op, place, _ = code.code[k]
                if op == "state":
                    inner.names[k] = steps.carried[place[0]]
                elif op == "step":
                    source = sources[place[0]]
                    inner.names[k] = load_element(inner, source, offsets[source.stride])
                elif op not in INPUTS and op not in CONDITIONS:
                    work.append(k)
            for n, k in enumerate(work):
                if k not in inner.names:
                    inner.instruction(k, inner.isomorphic(work, n))

        first: list[int] = []
        if code.active is not None and is_exact:
            first = code.needed([code.active])
            run(first)
            mask = inner.condition(code.active)
            if block.lanes > 1:
                mask = f.let(f"icmp ne i{block.lanes} {f.let(f'bitcast {block.mask} {mask} to i{block.lanes}')}, 0")
            f.leave_unless(mask, steps)
        before = set(first)
        run([k for k in needed if k not in before])
        results = [inner.number(k) for k in code.results]
        for k, stack in into.items():
            f.store_vector(results[loop.states + k], f.at(stack.pointer, offsets[stack.stride]))
        steps.next = results[: loop.states]
        if has_doubts:
            steps.next.append(inner.doubt(steps.carried[-1]))
    if has_doubts:
        body.doubts.append(steps.last[-1])
    count = ""
    if program.results_of(i, "count"):
        count = f.spread_number(f.let(f"uitofp i64 {steps.count} to {block.item}"))
    return Results(steps.last, count)


def _fixed(code: Program, needed: Sequence[int]) -> set[int]:
    """The instructions of a body that are the same in every step: they are done before the first."""
    found: set[int] = set()
    for k in needed:
        op, operands, _ = code.code[k]
        if op in ("outer", "const") or (op not in INPUTS | {"loop", "pack"} and found.issuperset(operands)):
            found.add(k)
    return found


def _has_reciprocals(code: Program) -> bool:
    return bool(code.reciprocals) or any(_has_reciprocals(loop.body) for loop in code.loops)


def size(program: Program, code: Sequence[int]) -> int:
    """How many instructions there are to compile."""
    count = len(code)
    for i in code:
        if program.code[i].op == "loop":
            body = program.loops[int(program.code[i].constant)].body
            count += size(body, body.needed())
    return count


def side_by_side(program: Program, i: int, block: Block) -> Block:
    """The block for a loop: several vectors are one where the processor then waits less for one step's results.

    Only where the body has arithmetic alone and its numbers stay in registers.
    """
    op, operands, constant = program.code[i]
    if op != "loop":
        return block
    loop = program.loops[int(constant)]
    if not _is_arithmetic(loop.body):
        return block
    count = block.vectors
    held = len(operands) + loop.outs
    while count > 1 and (count * held > IN_REGISTERS or count * block.lanes > MOST_LANES):
        count //= 2
    return replace(block, lanes=block.lanes * count, vectors=block.vectors // count)


def has_gaps(plan: Schedule, block: Block) -> bool:
    """Whether some loop goes through the vectors of a block one after the other."""
    program = plan.program
    return any(side_by_side(program, i, block).vectors > 1 for i, _ in program.own_loops() if program.level[i] == ROW)


def _is_arithmetic(program: Program) -> bool:
    """Whether there are no functions in a program."""
    rows = [program.opcode(program.code[i].op) for i in program.needed() if program.code[i].op not in NO_ARITHMETIC]
    plain = all(row.name == "dot" or row.intrinsic or (row.llvm and not row.avx512 and not row.far) for row in rows)
    return plain and all(_is_arithmetic(loop.body) for loop in program.loops)


def emit_pack(body: Body, i: int) -> None:
    """Numbers made into a stack."""
    f, stack, operands = body.f, body.stack(i), body.program.code[i].operands
    slot = body.module.plan.slot
    is_outside = body.program is body.module.program
    if is_outside and i in slot and all(slot.get(x) == slot[i] + k for k, x in enumerate(operands)):
        return  # it is where the inputs are
    if not is_outside or len(operands) <= WRITTEN_OUT:
        for k, x in enumerate(operands):
            f.store_vector(body.number(x), f.at(stack.pointer, k * stack.stride))
        return
    varying = [(k, x) for k, x in enumerate(operands) if body.program.level[x] == ROW]
    shared = [(k, x) for k, x in enumerate(operands) if body.program.level[x] != ROW]
    module = body.module
    for pairs, base in ((varying, body.locate(0) if varying else ""), (shared, "%params")):
        if not pairs:
            continue
        place = module.offset if pairs is varying else lambda x: module.number(x) * body.block.item_bytes
        table = module.table([n for k, x in pairs for n in (k * stack.stride, place(x))])
        with f.loop(len(pairs)) as loop:
            first = f.let(f"shl i64 {loop.index}, 1")
            source = f.at(base, f.entry(table, f.let(f"or i64 {first}, 1")))
            number = f.load_vector(source) if pairs is varying else f.spread(source)
            f.store_vector(number, f.at(stack.pointer, f.entry(table, first)))
