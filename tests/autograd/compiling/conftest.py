"""Every program that these tests compile is looked through after each stage."""

import functools
import sys

import pytest

from autograd.compiling import emit, native, schedule, simplify, write

LONG = 2_000_000  # characters: LLVM's own check of longer modules takes too long


def checked_program(program, *arguments):
    program.check()


def checked_simplification(changed, program):
    program.check()


def checked_schedule(plan, program):
    program.check()
    plan.check()


def checked_code(code, plan, *arguments):
    plan.program.check()
    if native.available():
        import llvmlite.binding as llvm

        for text in (*code.texts, code.kernels, *code.interpreters):
            if len(text) < LONG:
                llvm.parse_assembly(text).verify()


STAGES = [
    (write.write_program, checked_program),
    (simplify.use_reciprocals, checked_simplification),
    (schedule.schedule, checked_schedule),
    (emit.emit, checked_code),
]


@pytest.fixture(autouse=True)
def stages(monkeypatch):
    """The stages that ran, by name, each with its check after it."""
    ran = []
    modules = [m for name, m in sys.modules.items() if name.startswith("autograd.compiling.")]
    for stage, check in STAGES:

        @functools.wraps(stage)
        def run(*arguments, stage=stage, check=check, **options):
            result = stage(*arguments, **options)
            check(result, *arguments)
            ran.append(stage.__name__)
            return result

        for module in modules:
            if getattr(module, stage.__name__, None) is stage:
                monkeypatch.setattr(module, stage.__name__, run)
    return ran
