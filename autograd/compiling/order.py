"""The order of a program's instructions: the stages between its loops, and the order within a stage.

Every number that one step computes and a later one reads is stored for a whole block of rows. The order is chosen so
that few are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .instructions import CONDITIONS, INPUTS, OF_LOOPS
from .program import ROW, Program

DELAYED = 5000  # instructions of a program at most in which arithmetic is moved to later stages
CONE = 64  # instructions that are moved together at most
LOOPS = frozenset({"dot", "loop", "pack"})  # instructions that are steps of their own
FIXED = LOOPS | OF_LOOPS | {"row", "element"}  # those that are not moved
AT_THE_END = 2**62  # the stage of what is read after all stages


def numeric_operands(program: Program, i: int) -> list[int]:
    """The operands of an instruction that are numbers; in place of a condition, the numbers that it compares."""
    code = program.code
    found: list[int] = []
    stack = [] if code[i].op in INPUTS else [*reversed(code[i].operands)]
    while stack:
        k = stack.pop()
        if code[k].op in CONDITIONS:
            stack.extend(reversed(code[k].operands))
        else:
            found.append(k)
    return found


def stages(program: Program, needed: Sequence[int], read_last: Collection[int]) -> dict[int, list[int]]:
    """The instructions of each stage: of even ones arithmetic, of odd ones loops, dots among them.

    Args:
        program: the program.
        needed: its instructions that differ from row to row, in order.
        read_last: those that are read after all stages.
    """
    code = program.code
    stage: dict[int, int] = {}
    for i in needed:
        op, operands, _ = code[i]
        if op == "row":
            stage[i] = 0
            continue
        before = [stage[k] for k in operands if k in stage]
        if op in OF_LOOPS or op == "element":
            stage[i] = before[0]
        elif op in LOOPS:
            stage[i] = max((s + 1 + s % 2 for s in before), default=1)
        else:
            stage[i] = max((s + s % 2 for s in before), default=0)
    if max(stage.values(), default=0) > 1 and len(needed) <= DELAYED:
        _delay(program, needed, frozenset(read_last), stage)
    found: dict[int, list[int]] = {}
    for i in needed:
        if code[i].op not in CONDITIONS and (code[i].op in LOOPS or code[i].op not in FIXED):
            found.setdefault(stage[i], []).append(i)
    return {number: found[number] for number in sorted(found)}


def _delay(program: Program, needed: Sequence[int], read_last: frozenset[int], stage: dict[int, int]) -> None:
    """Move arithmetic to the stage that first reads its result, if all operands are still stored then.

    So the slopes of activations, which depend on what is kept for other steps anyway, are not stored themselves.
    """
    code = program.code
    operands: dict[int, list[int]] = {}
    users: dict[int, list[int]] = {}
    for i in needed:
        if code[i].op not in CONDITIONS:
            operands[i] = [k for k in dict.fromkeys(numeric_operands(program, i)) if program.level[k] == ROW]
            for k in operands[i]:
                users.setdefault(k, []).append(i)

    latest = {k: max(stage[u] for u in found) for k, found in users.items()}  # the last stage that reads it

    def cone(root: int, later: int) -> set[int]:
        """The root and those of its operands that only it needs; empty if anything else is not stored so long."""
        inside, stack = {root}, [root]
        while stack:
            for k in operands[stack.pop()]:
                if k in inside or k in read_last or latest[k] >= later:
                    continue
                shared = len(users[k]) > CONE or not inside.issuperset(users[k])
                if shared or code[k].op in FIXED or len(inside) == CONE:
                    return set()
                inside.add(k)
                stack.append(k)
        return inside

    for i in reversed(needed):
        if code[i].op in CONDITIONS or code[i].op in FIXED or i in read_last or i not in users:
            continue
        later = min(stage[u] for u in users[i])
        later -= later % 2
        if later > stage[i]:
            for moved in cone(i, later):
                stage[moved] = later
                for k in operands[moved]:
                    latest[k] = max(latest[k], later)


def close_together(program: Program, own: Sequence[int]) -> list[int]:
    """The instructions of a stage, so ordered that results are used soon after they are computed."""
    inside = set(own)
    inner = {i: [k for k in numeric_operands(program, i) if k in inside] for i in own}
    used = {k for found in inner.values() for k in found}
    order: list[int] = []
    done: set[int] = set()
    stack = [(i, False) for i in reversed(own) if i not in used]
    while stack:
        i, ready = stack.pop()
        if ready:
            order.append(i)
        elif i not in done:
            done.add(i)
            stack.append((i, True))
            stack.extend((k, False) for k in reversed(inner[i]) if k not in done)
    orders = list(own), sums_soon(program, own), order
    return min(orders, key=lambda each: sum(_distances(each, inner)))


def sums_soon(program: Program, own: Sequence[int]) -> list[int]:
    """The instructions in the program's order, but each term of a sum is added as soon as it is computed."""
    code = program.code
    first_terms = {code[i].operands[2] for i in own if code[i].op == "fma"}
    after: dict[int, int] = {}
    for i in own:
        op, operands, _ = code[i]
        at = i
        if op == "add" or op == "fma" or (op == "mul" and i in first_terms):
            at = -1
            for k in operands:
                found = after.get(k, -1)
                if found > at:
                    at = found
            if at < 0:
                at = i
        after[i] = at
    return sorted(own, key=after.__getitem__)  # those that come after the same one stay in the program's order


def _distances(order: Sequence[int], inner: dict[int, list[int]]) -> Iterable[int]:
    """For each instruction that another one reads, how far the last one that does is."""
    position = {i: k for k, i in enumerate(order)}
    last: dict[int, int] = {}
    for i in order:
        for k in inner[i]:
            last[k] = position[i]
    return (at - position[k] for k, at in last.items())
