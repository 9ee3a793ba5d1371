"""Sums over the rows, taken apart into sums of products of two numbers each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .instructions import INPUTS
from .plan import Outer, Part, Total
from .program import ROW, Program


class Term(NamedTuple):
    """A term of what is summed over the rows: sign·a·b·scale, without the factors that are None.

    a and b differ from row to row, scale is the same for all rows.
    """

    a: int | None
    b: int | None
    sign: float
    scale: int | None


def sums_of_products(program: Program) -> tuple[list[Part], list[Outer], list[Total], int]:
    """Take sums apart into sums of products of two numbers each; what all rows share is multiplied in afterwards.

    Returns:
        the parts of the sums, the steps that add up products and single numbers, and the number of accumulators.
    """
    if not program.sums:
        return [], [], [], 0
    needed = program.needed()
    uses = Counter(k for i in needed if program.code[i].op not in INPUTS for k in program.code[i].operands)
    uses.update(program.results)
    terms = [(k, term) for k, root in enumerate(program.sums) for term in _terms(program, root, uses)]
    negative = _negatives(program, [i for _, term in terms for i in (term.a, term.b) if i is not None])
    parts: list[Part] = []
    wanted: dict[tuple[int, int | None], list[Part]] = {}  # the parts that need the sum of a·b, or of a alone
    for number, (a, b, sign, scale) in terms:
        if a in negative:
            a, sign = negative[a], -sign
        if b in negative:
            b, sign = negative[b], -sign
        part = Part(number, -1, sign, scale)
        parts.append(part)
        if a is not None:
            wanted.setdefault((a, b), []).append(part)
    factors: dict[int, list[int]] = {}  # for each a, every b
    alone: list[int] = []
    for a, b in wanted:
        if b is None:
            alone.append(a)
        else:
            factors.setdefault(a, []).append(b)
    same_factors: dict[tuple[int, ...], list[int]] = {}  # one Outer for all a that have the same b
    for a, bs in factors.items():
        same_factors.setdefault(tuple(bs), []).append(a)
    outers, count = [], 0
    for every_b, every_a in same_factors.items():
        outers.append(Outer(every_a, list(every_b), count))
        for j, a in enumerate(every_a):
            for k, b in enumerate(every_b):
                for part in wanted[a, b]:
                    part.accumulator = count + j * len(every_b) + k
        count += len(every_a) * len(every_b)
    totals = [Total(alone, count)] if alone else []
    for k, a in enumerate(alone):
        for part in wanted[a, None]:
            part.accumulator = count + k
    return parts, outers, totals, count + len(alone)


def _negatives(program: Program, factors: Sequence[int]) -> dict[int | None, int]:
    """For each factor whose negative is computed too, that negative, so that only one of both is stored."""
    needed = program.needed([*program.results, *factors])
    return {program.code[i].operands[0]: i for i in needed if program.code[i].op == "neg" and program.level[i] == ROW}


def _terms(program: Program, root: int, uses: Counter[int]) -> list[Term]:
    """The terms of a sum; one that is the same for all rows has neither a nor b.

    Only sums of products are taken apart, and only if nothing else uses them. The difference of two sums of large
    numbers would have larger rounding errors than the sum of small differences.
    """
    code, level = program.code, program.level
    if level[root] != ROW:
        return [Term(None, None, 1.0, root)]
    whole = [Term(root, None, 1.0, None)]
    if program.strict:
        return whole
    terms: list[Term] = []
    stack: list[tuple[int, float, int | None]] = [(root, 1.0, None)]
    while stack:
        i, sign, scale = stack.pop()
        op, operands, _ = code[i]
        if level[i] != ROW:
            return whole
        if uses[i] > (i != root):  # computed anyway
            terms.append(Term(i, None, sign, scale))
        elif op == "neg":
            stack.append((operands[0], -sign, scale))
        elif op in ("mul", "dot", "fma"):
            if op == "fma":
                stack.append((operands[2], sign, scale))
                operands = operands[:2]
            n = len(operands) // 2
            for a, b in zip(reversed(operands[:n]), reversed(operands[n:]), strict=True):
                if level[a] == ROW and level[b] == ROW:
                    terms.append(Term(max(a, b), min(a, b), sign, scale))
                    continue
                factor, varying = (a, b) if level[a] != ROW else (b, a)
                if scale is not None or level[varying] != ROW:
                    return whole
                stack.append((varying, sign, factor))
        elif i == root or scale is not None:
            terms.append(Term(i, None, sign, scale))
        else:  # something else among the products
            return whole
    return terms
