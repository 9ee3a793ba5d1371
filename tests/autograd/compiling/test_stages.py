"""The stages between a recording and native code, each by itself: instructions, programs, schedules."""

import numpy as np
import pytest

import autograd as ag
from autograd import ops
from autograd.carriers import FLOATS, IEEE
from autograd.compiling.instructions import CONDITION, NUMBER, OPCODES
from autograd.compiling.native import vector_function_name
from autograd.compiling.plan import Layer, Outer, Product, Straight, Total
from autograd.compiling.program import CONST, ROW, SHARED, Instruction, Program
from autograd.compiling.schedule import schedule
from autograd.compiling.simplify import use_reciprocals
from autograd.compiling.symbols import Writer
from benchmarks import workloads
from benchmarks.peers import ours

# The instruction set -------------------------------------------------------------------------------------------------


def test_every_function_of_the_rules_is_an_instruction():
    instructions = {row.name for row in OPCODES.values() if row.in_rules}
    for name in vars(FLOATS).keys() - instructions - {"where", "choose", "detach", "sum", "largest", "dot"}:
        assert name in ops.TABLE, name  # written as several instructions, by its own rule
    for op in ops.TABLE.values():
        Writer([], [], strict=True).rule(op)


@pytest.mark.parametrize("row", [row for row in OPCODES.values() if row.numpy and row.operands], ids=lambda r: r.name)
def test_numpy_does_what_the_instruction_says(row):
    numbers = np.array([0.25, 0.75, 0.5, 0.75] if row.name != "acosh" else [1.5])
    operands = [np.roll(numbers, k) for k in range(len(row.operands))]
    operands = [x > 0.5 if kind == CONDITION else x for x, kind in zip(operands, row.operands, strict=True)]
    result = row.numpy(*operands)
    assert (result.dtype == bool) == (row.result == CONDITION)
    if row.commutative:
        assert result.tolist() == row.numpy(*reversed(operands)).tolist()
    if hasattr(IEEE, row.name):
        expected = [getattr(IEEE, row.name)(*map(float, each)) for each in zip(*operands, strict=True)]
        np.testing.assert_allclose(result, expected, rtol=1e-15)


def test_instructions_say_how_they_are_computed():
    for row in OPCODES.values():
        if row.name in ("row", "shared", "const", "dot"):
            continue
        ways = [bool(row.llvm), bool(row.intrinsic), bool(row.libm), bool(row.far)]
        assert sum(ways) == (0 if row.numpy is None and not row.libm else 1), row.name
        assert not row.strict_in_python or row.libm
        assert not row.commutative or len(row.operands) == 2
    assert vector_function_name("add", 4, "double") is None
    assert vector_function_name("no such instruction", 4, "double") is None


# Programs that are wrong ---------------------------------------------------------------------------------------------


def small():
    """x·s + 2 and whether x < s, one of the two chosen."""
    writer = Writer(["x"], ["s"], strict=True)
    x, s = writer.input("row", 0), writer.input("shared", 0)
    y = writer.select(x < s, x * s + 2.0, s + 3.0)
    writer.program.results.append(y.i)
    return writer.program


def broken(change):
    program = small()
    change(program)
    return program


def replaced(number, **fields):
    def change(program):
        program.code[number] = program.code[number]._replace(**fields)

    return change


def append(op, operands, level=ROW, constant=0.0):
    def change(program):
        program.code.append(Instruction(op, operands, constant))
        program.level.append(level)

    return change


def test_a_program_in_order_passes():
    program = small()
    program.check()
    assert [i.op for i in program.code] == ["row", "shared", "lt", "mul", "const", "add", "const", "add", "select"]
    assert program.level == [ROW, SHARED, ROW, ROW, CONST, ROW, CONST, SHARED, ROW]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.level.pop(), "9 instructions have 8 levels"),
        (replaced(3, op="no_such"), "there is no such operation"),
        (replaced(3, operands=(0, 3)), "operand 3 is not computed before it"),
        (replaced(3, operands=(0, -1)), "operand -1 is not computed before it"),
        (replaced(3, operands=(0, 1, 1)), "takes 2 operands, not 3"),
        (replaced(3, operands=(0, 2)), "operand 2 is a condition, not a number"),
        (replaced(8, operands=(3, 5, 7)), "operand 3 is a number, not a condition"),
        (replaced(0, operands=(1,)), "there are 1 such inputs"),
        (replaced(1, operands=(1,)), "there are 1 such inputs"),
        (replaced(4, operands=(0,)), "a constant has no operands"),
        (replaced(3, constant=1.0), "only a constant has a number"),
        (lambda p: p.level.__setitem__(0, SHARED), "its level is 1, not 2"),
        (lambda p: p.level.__setitem__(3, SHARED), "its level is 1, that of its operands 2"),
        (lambda p: p.level.__setitem__(7, ROW), "its level is 2, that of its operands 1"),
        (append("add", (4, 6), CONST), "constants only"),
        (append("dot", (0, 1, 3)), "takes 4 operands, not 3"),
        (append("dot", ()), "takes 2 operands, not 0"),
        (append("dot", (0, 1, 3, 5)), "differ from row to row and some do not"),
        (append("dot", (1, 1, 3, 7)), "differ from row to row and some do not"),
        (lambda p: p.results.append(9), "result 9: there is no such instruction"),
        (lambda p: p.sums.append(-1), "sum -1: there is no such instruction"),
        (lambda p: p.sums.append(2), "sum 2 is a condition"),
        (lambda p: p.reciprocals.add(3), "reciprocal 3 is no division"),
    ],
)
def test_a_program_that_is_wrong_is_named(change, said):
    with pytest.raises(ValueError, match=said):
        broken(change).check()


def test_own_operations_have_their_operands():
    program = Program(["x"], [], strict=False)
    program.own["twice"] = ag.ops.ADD
    program.code = [Instruction("row", (0,)), Instruction("twice", (0, 0))]
    program.level = [ROW, ROW]
    program.check()
    assert program.opcode("twice").operands == (NUMBER, NUMBER)
    program.code[1] = Instruction("twice", (0,))
    with pytest.raises(ValueError, match="takes 2 operands, not 1"):
        program.check()


# What simplification and schedule do ---------------------------------------------------------------------------------


def test_divisions_by_one_number_become_one_division_and_products():
    writer = Writer(["x", "y", "z"], ["s"], strict=False)
    x, y, z = (writer.input("row", k) for k in range(3))
    s = writer.input("shared", 0)
    program = writer.program
    program.results = [q.i for q in (x / z, y / z, 1.0 / z, x / s, y / s, z / x)]
    program.check()
    assert use_reciprocals(program)
    program.check()
    assert str(program).splitlines() == [
        "    %0 = x  (row)",
        "    %1 = y  (row)",
        "    %2 = z  (row)",
        "    %3 = s  (shared)",
        "    %4 = div 1.0 %2",
        "    %5 = mul %0 %4",
        "    %6 = mul %1 %4",
        "    %7 = div 1.0 %3",
        "    %8 = mul %0 %7",
        "    %9 = mul %1 %7",
        "   %10 = div %2 %0",
        "result 0: %5",
        "result 1: %6",
        "result 2: %4",
        "result 3: %8",
        "result 4: %9",
        "result 5: %10",
    ]
    assert {program.level[i] for i in program.reciprocals} == {SHARED, ROW}
    assert not use_reciprocals(small())


def layered():
    """Two dots over the same operands, a dot that differs in both, and a sum of products over the rows."""
    writer = Writer([f"x{k}" for k in range(8)], [f"w{k}" for k in range(16)], strict=False)
    xs = [writer.input("row", k) for k in range(8)]
    ws = [writer.input("shared", k) for k in range(16)]
    a, b = writer.dot(ws[:8], xs, 0.0), writer.dot(ws[8:], xs, ws[0])
    c = writer.dot([*xs[:7], a], [*xs[1:], b], 0.0)
    writer.program.results = [a.i, b.i, c.i]
    writer.program.sums = [(a * xs[0]).i, (b * xs[0]).i, writer.carrier.exp(c).i]
    return writer.program


def test_the_schedule_has_loops_where_they_pay():
    program = layered()
    program.check()
    plan = schedule(program)
    plan.check()
    assert {type(step) for step in plan.steps} == {Straight, Layer, Product, Outer, Total}
    assert [len(step.outs) for step in plan.steps if isinstance(step, Layer)] == [2]
    assert [len(step.xs) for step in plan.steps if isinstance(step, Product)] == [8]
    assert plan.accumulators == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan.steps.reverse(), "are not there"),
        (lambda plan: plan.slot.update(dict.fromkeys(plan.slot, 0)), "overwrites|are not there|not there in the end"),
        (lambda plan: plan.live.pop(), "are not there"),
        (lambda plan: plan.prepare.append(plan.live[0]), "not for all rows"),
        (lambda plan: setattr(plan, "slots", 1), "only 1 slots"),
        (lambda plan: next(s for s in plan.steps if isinstance(s, Straight)).kept.clear(), "not there"),
        (lambda plan: plan.program.results.append(10**6), "list index out of range"),
    ],
)
def test_a_schedule_that_is_wrong_is_named(change, said):
    plan = schedule(layered())
    change(plan)
    with pytest.raises((ValueError, IndexError), match=said):
        plan.check()


def test_a_stretch_out_of_order_is_named():
    writer = Writer(["x"], [], strict=False)
    x = writer.input("row", 0)
    y = writer.carrier.sin(x)
    writer.program.results = [writer.carrier.exp(y).i]
    plan = schedule(writer.program)
    plan.check()
    plan.steps[0].code.reverse()
    with pytest.raises(ValueError, match="before its operands"):
        plan.check()


# Workloads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in workloads.WORKLOADS if name not in ("west", "logistic")])
def test_workloads_pass_every_stage(name, stages):
    work = workloads.WORKLOADS[name]()
    rows = len(next(iter(work.arrays.values())))
    work = work._replace(arrays={k: a[:9] if len(a) == rows else a for k, a in work.arrays.items()})
    results = getattr(ours, name)(work)()
    assert all(np.isfinite(x).all() for x in results)
    assert stages == ["write_program", "use_reciprocals", "schedule", "emit"]
