"""ADOL-C (Debian's libadolc-dev): the value's program as C++, taped once; its drivers run the tape for every row."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag

from ..workloads import GREEKS, Work, call_price, mixed, predators, projection

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_CODE = """
#include <adolc/adolc.h>
#include <cmath>
#include <vector>
static const int N = {inputs}, M = {outputs};
extern "C" void record(const double *at) {{
  adouble x[N], z[M];
  double out[M];
  trace_on(1);
  for (int k = 0; k < N; k++) x[k] <<= at[k];
  {lines}
  for (int k = 0; k < M; k++) z[k] >>= out[k];
  trace_off();
}}
extern "C" void run(const double *in, double *values, double *first, double *second, long rows) {{
  std::vector<double> h(N * N), j(M * N);
  std::vector<double *> lines(N), jacobian(M);
  for (int k = 0; k < N; k++) lines[k] = &h[k * N];
  for (long r = 0; r < rows; r++) {{
    double *x = const_cast<double *>(in + r * N);
    for (int k = 0; k < M; k++) jacobian[k] = first + (r * M + k) * N;
    ::function(1, M, N, x, values + r * M);
    if (M == 1) ::gradient(1, N, x, jacobian[0]);
    else ::jacobian(1, M, N, x, jacobian.data());
    if (second) {{
      ::hessian(1, N, x, lines.data());
      for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) second[(r * N + a) * N + b] = a >= b ? lines[a][b] : lines[b][a];
    }}
  }}
}}
"""


def _lines(program: Any) -> str:
    """A program without choices as statements of C++."""
    lines = []
    for i in program.needed():
        op, operands, constant = program.code[i]
        names = [f"v{k}" for k in operands] if op not in ("row", "const") else []
        if op == "const":
            said = repr(constant)
        elif op == "row":
            said = f"x[{operands[0]}]"
        elif op in _INFIX:
            said = f"{names[0]} {_INFIX[op]} {names[1]}"
        elif op == "neg":
            said = f"-{names[0]}"
        elif op == "fma":
            said = f"{names[0]} * {names[1]} + {names[2]}"
        elif op == "dot":
            n = len(names) // 2
            said = " + ".join(f"{a} * {b}" for a, b in zip(names[:n], names[n:], strict=True))
        else:
            said = f"{op}({', '.join(names)})"
        lines.append(f"adouble v{i} = {said};")
    return "\n  ".join([*lines, *(f"z[{k}] = v{i};" for k, i in enumerate(program.results))])


def _call(f: Callable[[Any], Any], rows: Any, second: bool = False) -> Callable[[], list[Any]]:
    """A call that gives values, first and perhaps second derivatives of every row."""
    rows = np.ascontiguousarray(rows)
    compiled = ag.compile(f)
    outputs = compiled(rows[:1]).size
    n = rows.shape[1]
    folder = Path(tempfile.mkdtemp())
    (folder / "code.cpp").write_text(_CODE.format(inputs=n, outputs=outputs, lines=_lines(compiled.program)))
    library = str(folder / "code.so")
    command = ["g++", "-O1", "-march=native", "-shared", "-fPIC", "-o", library, str(folder / "code.cpp"), "-ladolc"]
    subprocess.run(command, check=True)
    code = ctypes.CDLL(library)
    values, first = np.empty((len(rows), outputs)), np.empty((len(rows), outputs, n))
    more = np.empty((len(rows), n, n)) if second else None
    pointers = [ctypes.c_void_p(None if a is None else a.ctypes.data) for a in (rows, values, first, more)]
    code.record(pointers[0])

    def call() -> list[Any]:
        code.run(*pointers, ctypes.c_long(len(rows)))
        return [values, first] if more is None else [values, first, more]

    return call


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    run = _call(lambda x: call_price(ag, x), np.stack(list(work.arrays.values()), axis=1))

    def call() -> Any:
        values, first = run()
        return [values[:, 0], *(first[:, 0, k] for k in GREEKS)]

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    run = _call(lambda x: call_price(ag, x), work.arrays["market"], second=True)

    def call() -> Any:
        values, first, second = run()
        return [values[:, 0], first[:, 0], second]

    return call


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    inputs = np.hstack([work.arrays[k] for k in ("camera", "point", "feature")])
    run = _call(lambda x: projection(ag, x[:11], x[11:14], x[14:]), inputs)

    def call() -> Any:
        values, jacobian = run()
        return [values, jacobian[:, :, :11], jacobian[:, :, 11:14]]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    run = _call(predators, work.arrays["rates"])

    def call() -> Any:
        values, first = run()
        return [values[:, 0], first[:, 0]]

    return call


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    run = _call(lambda x: mixed(ag, x), work.arrays["x"][None])

    def call() -> Any:
        values, first = run()
        return [values[0], first[0, 0]]

    return call
