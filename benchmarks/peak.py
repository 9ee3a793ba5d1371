"""The physical peak of one core: how many additions and multiplications a second it does on its widest vectors."""

from __future__ import annotations

import ctypes
import time
from functools import cache

import llvmlite.binding as llvm

from autograd.compiling import native
from autograd.compiling.assembly import Builder

CHAINS = 12  # sums that do not wait for each other: more than a core works on at once, fewer than it has registers
STEPS = 50_000
ROUNDS = 40


@cache
def peak(item: str = "double") -> float:
    """Operations a second on numbers of that type, ``double`` or ``float``; a fused multiply-add counts as two.

    A loop of independent fused multiply-adds in registers; the best of some rounds of less than a millisecond.
    """
    target = native.host()
    block = target.block(item, 1)
    f = Builder(block, "define void @work(ptr %numbers)")
    x = f.load_vector("%numbers", align=block.item_bytes)
    with f.loop(STEPS, *[(block.vector, block.constant(k)) for k in range(CHAINS)]) as loop:
        loop.next = [f.fma(x, x, total) for total in loop.carried]
    for total in loop.next:
        f.store_vector(total, "%numbers", align=block.item_bytes)
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, jit=True
    )
    text = "\n".join((*f.declared.values(), f.text()))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
    engine.finalize_object()
    work = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("work"))
    numbers = ctypes.create_string_buffer(block.vector_bytes)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work(ctypes.addressof(numbers))
        times.append(time.perf_counter() - start)
    return 2.0 * block.lanes * CHAINS * STEPS / min(times)


if __name__ == "__main__":
    for item in ("double", "float"):
        print(f"{item}: {peak(item) * 1e-9:.1f} GFlop/s on one core")
