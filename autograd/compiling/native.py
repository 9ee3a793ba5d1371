"""Native code: LLVM, through llvmlite, makes machine code of a module and hands out its functions."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from ..errors import MissingExtraError
from . import cache as store
from . import locks, progress
from .assembly import Block
from .instructions import OPCODES
from .interrupts import check, uninterrupted
from .mathematics import FUNCTIONS
from .program import Program


class Target(NamedTuple):
    """A kind of machine to make code for.

    Attributes:
        cpu: LLVM's name of the processor.
        features: LLVM's list of what it can do.
        vector_bytes: the width of its vector registers.
        registers: how many of them it has.
    """

    cpu: str
    features: str
    vector_bytes: int
    registers: int

    @property
    def fuses(self) -> bool:
        """Whether a product and a sum are one instruction."""
        return "+fma" in self.features.split(",") or "+neon" in self.features.split(",")

    def block(self, item: str, vectors: int) -> Block:
        """Vectors and blocks for numbers of that type."""
        lanes = self.vector_bytes // (8 if item == "double" else 4)
        return Block(item, lanes, vectors, self.registers, lanes, self.fuses)


@cache
def _llvm() -> Any:
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise MissingExtraError("llvmlite", "compile", "native code") from None

    def initialize() -> None:
        with locks.llvm:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()

    uninterrupted(initialize)
    return llvm


def available() -> bool:
    """Whether llvmlite is installed."""
    try:
        _llvm()
    except MissingExtraError:
        return False
    return True


@cache
def host() -> Target:
    """This machine."""
    llvm = _llvm()
    name, features = uninterrupted(lambda: (llvm.get_host_cpu_name(), llvm.get_host_cpu_features()))
    has = {name for name, on in features.items() if on}
    wide = 64 if "avx512f" in has else 32 if "avx2" in has else 16
    return Target(name, features.flatten(), wide, 32 if wide == 64 or "neon" in has else 16)


def narrowed(vector_bytes: int) -> Target:
    """This machine, without instructions that need wider registers."""
    target = host()
    without = {64: (), 32: ("avx512",), 16: ("avx", "fma", "f16c", "vaes", "vpclmul", "xop")}[vector_bytes]
    features = [
        "-" + feature[1:] if any(feature[1:].startswith(name) for name in without) else feature
        for feature in target.features.split(",")
    ]
    return Target(target.cpu, ",".join(features), vector_bytes, 16 if vector_bytes < 64 else target.registers)


# Vector mathematics --------------------------------------------------------------------------------------------------

_LIBMVEC = {64: "e", 32: "d", 16: "b"}  # glibc's libmvec: its letter for each width


@cache
def _libmvec() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libmvec.so.1")
    except OSError:
        return None


@cache
def vector_function_name(op: str, lanes: int, item: str) -> str | None:
    """glibc's function on so many numbers at once, made known to LLVM; None if there is none.

    Its results are within 4 units in the last place of the true ones.
    """
    library = _libmvec()
    letter = _LIBMVEC.get(lanes * (8 if item == "double" else 4))
    row = OPCODES.get(op)
    if library is None or letter is None or lanes == 1 or row is None or not row.libm:
        return None
    name = f"_ZGV{letter}N{lanes}{'v' * len(row.operands or ())}_{row.libm}{'f' if item == 'float' else ''}"
    try:
        function = getattr(library, name)
    except AttributeError:
        return None
    make_known({name: address(function)})
    return name


# Where glibc's functions are quicker than those of ``mathematics``, by measurement. On vectors of 64 bytes only erfc
# is; sin, cos and erf are a little, but their errors are larger than 2 units in the last place.
_ON_NARROW = frozenset(
    {"erf", "erfc", "normal_cdf", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "sinh", "atan", "asin", "acos"}
)
_QUICKER_THERE = {64: frozenset({"erfc"}), 32: _ON_NARROW, 16: _ON_NARROW}


def written_out(program: Program, target: Target, item: str) -> frozenset[str]:
    """The functions of a program that are quicker written out (see ``lowering``) than called."""
    if program.strict or not target.fuses:
        return frozenset()
    used = program.operations_used()
    if "erfc" in used:
        used = used | {"normal_cdf"}
    lanes = target.block(item, 1).lanes

    def in_library(op: str) -> bool:
        return vector_function_name("erfc" if op == "normal_cdf" else op, lanes, item) is not None

    return frozenset(FUNCTIONS) & used - {op for op in _QUICKER_THERE[target.vector_bytes] if in_library(op)}


@cache
def _libm() -> None:
    """Make the functions of the machine's libm known to LLVM under their own names."""
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else ctypes.util.find_library("m"))
    names = [name for row in OPCODES.values() if row.libm for name in (row.libm, row.libm + "f")]
    found = {name: getattr(library, name, None) for name in names}
    make_known({name: address(function) for name, function in found.items() if function is not None})


def address(function: Any) -> int:
    """Where a function of ctypes is in memory."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def make_known(addresses: Mapping[str, int]) -> None:
    """Tell LLVM the addresses of functions."""
    llvm = _llvm()

    def add() -> None:
        for name, where in addresses.items():
            llvm.add_symbol(name, where)

    uninterrupted(add)


# Compiling -----------------------------------------------------------------------------------------------------------

# The programs' functions; ``entry_code``, ``c_function`` and ``steps`` call them too.
_RUN = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 8)  # releases the interpreter's lock
_PREPARE = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)


_engines: dict[int, Any] = {}  # LLVM's owners of machine code, by address
_unused: deque[int] = deque()  # those that are to be disposed of


class _Code:
    """Machine code, which is freed with this object: never in the main thread, where an interrupt may come.

    Args:
        engine: LLVM's owner of the code.
        names: of its functions.

    Attributes:
        addresses: of these functions, by name.
    """

    def __init__(self, engine: Any, names: Sequence[str]) -> None:
        self.addresses: dict[str, int] = {name: engine.get_function_address(name) for name in names}
        self._key = id(engine)
        _engines[self._key] = engine

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        _unused.append(self._key)
        if not is_finalizing():
            # Without waiting: this may run anywhere, even while LLVM is at work in this thread.
            threading.Thread(target=_dispose).start()


def _dispose() -> None:
    with locks.llvm:
        while _unused:
            del _engines[_unused.popleft()]


class Loaded:
    """Machine code of modules, which exists as long as this object.

    Args:
        modules: for each its text, and its optimisation level: 0 to 3.
        target: the machine to make code for.
        names: the functions to call.

    Attributes:
        addresses: of these functions, by name.
        was_cached: whether the code was read from the cache.
    """

    def __init__(self, modules: Sequence[tuple[str, int]], target: Target, names: Sequence[str]) -> None:
        def make() -> _Code:
            with locks.llvm:
                return self._make(modules, target, names)

        self._code = uninterrupted(make)
        self.addresses = self._code.addresses

    def _make(self, modules: Sequence[tuple[str, int]], target: Target, names: Sequence[str]) -> _Code:
        llvm = _llvm()
        _libm()
        self.was_cached = True
        engine: Any = None
        for text, effort in progress.over(modules, "making machine code"):
            check()
            machine = llvm.Target.from_default_triple().create_target_machine(
                cpu=target.cpu, features=target.features, opt=effort, jit=True
            )
            if engine is None:
                engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
            engine.add_object_file(llvm.ObjectFileRef.from_data(self._compiled(llvm, machine, text, target, effort)))
        engine.finalize_object()
        return _Code(engine, names)

    def _compiled(self, llvm: Any, machine: Any, text: str, target: Target, effort: int) -> bytes:
        """A module's machine code, from the cache if it is there."""
        key = store.key(text, target.cpu, target.features, str(effort), ".".join(map(str, llvm.llvm_version_info)))
        found = store.load(key)
        if found is None:
            self.was_cached = False
            found = machine.emit_object(llvm.parse_assembly(text))
            store.save(key, found)
        return found


class Machine(Loaded):
    """Machine code of a program.

    Args:
        modules, target: as for any code.

    Attributes:
        run: goes through rows.
        prepare: computes what all rows share.
    """

    run: Callable[..., None]
    prepare: Callable[..., None]

    def __init__(self, modules: Sequence[tuple[str, int]], target: Target) -> None:
        super().__init__(modules, target, ("run", "prepare"))
        self.run, self.prepare = _RUN(self.addresses["run"]), _PREPARE(self.addresses["prepare"])
