"""C compiled by gcc, as the limit: hand-written code for networks, straight-line code that gcc vectorises for the rest.

The straight-line code is this library's program after simplification, printed as C. With ``-ffast-math``, gcc calls the
vector functions of glibc's libmvec.
"""

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

_FLAGS = ["-march=native", "-ffast-math", "-fopenmp-simd", "-shared", "-fPIC"]
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "==", "and": "&&", "or": "||"}
_NAMES = {"abs": "fabs", "copysign": "copysign"}


def _compiled(text: str, effort: str = "-O3") -> Any:
    folder = Path(tempfile.mkdtemp())
    (folder / "code.c").write_text("#include <math.h>\n" + text)
    command = ["gcc", effort, *_FLAGS, "-o", str(folder / "code.so"), str(folder / "code.c"), "-lmvec", "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "code.so"))


def _straight_line(program: Any, effort: str = "-O3") -> Callable[[Any, Any, int], None]:
    """A function of (inputs, outputs, rows) that does a program for each row."""
    lines = []
    for i in program.needed():
        op, operands, constant = program.code[i]
        names = [f"v{k}" for k in operands] if op not in ("row", "const") else []
        kind = "int" if op in ("lt", "le", "eq", "and", "or", "not") else "double"
        if op == "const":
            said = repr(constant)
        elif op == "row":
            said = f"x[{operands[0]}]"
        elif op in _INFIX:
            said = f"{names[0]} {_INFIX[op]} {names[1]}"
        elif op == "neg":
            said = f"-{names[0]}"
        elif op == "not":
            said = f"!{names[0]}"
        elif op == "fma":
            said = f"{names[0]} * {names[1]} + {names[2]}"
        elif op == "dot":
            n = len(names) // 2
            said = " + ".join(f"{a} * {b}" for a, b in zip(names[:n], names[n:], strict=True))
        elif op == "select":
            said = f"{names[0]} ? {names[1]} : {names[2]}"
        else:
            said = f"{_NAMES.get(op, op)}({', '.join(names)})"
        lines.append(f"const {kind} v{i} = {said};")
    lines += [f"z[{k}] = v{i};" for k, i in enumerate(program.results)]
    text = (
        "void run(const double *restrict in, double *restrict out, long rows) {\n#pragma omp simd\n"
        f"for (long r = 0; r < rows; r++) {{ const double *x = in + r * {len(program.row_names)};\n"
        f"double *z = out + r * {len(program.results)};\n" + "\n".join(lines) + "\n} }\n"
    )
    run = _compiled(text, effort).run

    def call(inputs: Any, outputs: Any, rows: int) -> None:
        run(inputs.ctypes.data_as(ctypes.c_void_p), outputs.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(rows))

    return call


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian."""
    inputs = np.hstack([work.arrays[k] for k in ("camera", "point", "feature")])
    f = ag.compile(lambda x: projection(ag, x[:11], x[11:14], x[14:]))
    f.value_and_jacobian(inputs[:1])
    run, out = _straight_line(f.program), np.empty((len(inputs), 34))

    def call() -> Any:
        run(inputs, out, len(inputs))
        jacobian = out[:, 2:].reshape(-1, 2, 16)
        return [out[:, :2], jacobian[:, :, :11], jacobian[:, :, 11:14]]

    return call


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    market = np.stack(list(work.arrays.values()), axis=1)
    f = ag.compile(lambda *market: call_price(ag, market))
    f.value_and_grad(*market[:1].T, argnums=GREEKS)
    run, out = _straight_line(f.program), np.empty((len(market), 1 + len(GREEKS)))

    def call() -> Any:
        run(market, out, len(market))
        return list(out.T)

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian."""
    market = work.arrays["market"]
    f = ag.compile(lambda x: call_price(ag, x))
    f.value_grad_and_hessian(market[:1])
    run, out = _straight_line(f.program), np.empty((len(market), 31))

    def call() -> Any:
        run(market, out, len(market))
        return [out[:, 0], out[:, 1:6], out[:, 6:].reshape(-1, 5, 5)]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    rates = work.arrays["rates"]
    f = ag.compile(predators)
    f.value_and_grad(rates[:1])
    run, out = _straight_line(f.program), np.empty((len(rates), 5))

    def call() -> Any:
        run(rates, out, len(rates))
        return [out[:, 0], out[:, 1:]]

    return call


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row; -O1, because -O3 takes minutes."""
    x = work.arrays["x"]
    f = ag.compile(lambda x: mixed(ag, x))
    f.value_and_grad(x[None])
    run, out = _straight_line(f.program, "-O1"), np.empty(101)

    def call() -> Any:
        run(x, out, 1)
        return [out[:1], out[1:]]

    return call


_NETWORK = """
#define B 32
static double forward(long from, long n, const double *x, const double *t, const double **w, const double **b,
                      double **dw, double **db, double scale) {{
  static const int size[] = {{ {sizes} }};
  double h[{layers} + 1][{widest}][B] __attribute__((aligned(64)));
  double g[2][{widest}][B] __attribute__((aligned(64)));
  double loss = 0;
  for (int k = 0; k < size[0]; k++) for (int r = 0; r < B; r++) h[0][k][r] = x[(from + (r < n ? r : 0)) * size[0] + k];
  for (int l = 0; l < {layers}; l++)
    for (int j = 0; j < size[l + 1]; j++) {{
      double s[B];
      for (int r = 0; r < B; r++) s[r] = b[l][j];
      for (int k = 0; k < size[l]; k++) {{
        const double v = w[l][j * size[l] + k];
        for (int r = 0; r < B; r++) s[r] += v * h[l][k][r];
      }}
      for (int r = 0; r < B; r++) h[l + 1][j][r] = l + 1 < {layers} && s[r] < 0 ? 0 : s[r];
    }}
  for (int r = 0; r < B; r++) {{
    const double m = r < n ? 1 - t[from + r] * h[{layers}][0][r] : 0;
    loss += m > 0 ? m : 0;
    g[0][0][r] = m > 0 ? -t[from + r] * scale : 0;
  }}
  int now = 0;
  for (int l = {layers} - 1; l >= 0; l--, now = !now) {{
    for (int j = 0; j < size[l + 1]; j++) {{
      double total = 0;
      for (int r = 0; r < B; r++) total += g[now][j][r];
      db[l][j] += total;
      for (int k = 0; k < size[l]; k++) {{
        double s = 0;
        for (int r = 0; r < B; r++) s += g[now][j][r] * h[l][k][r];
        dw[l][j * size[l] + k] += s;
      }}
    }}
    if (l)
      for (int k = 0; k < size[l]; k++) {{
        double s[B];
        for (int r = 0; r < B; r++) s[r] = 0;
        for (int j = 0; j < size[l + 1]; j++) {{
          const double v = w[l][j * size[l] + k];
          for (int r = 0; r < B; r++) s[r] += v * g[now][j][r];
        }}
        for (int r = 0; r < B; r++) g[!now][k][r] = h[l][k][r] > 0 ? s[r] : 0;
      }}
  }}
  return loss * scale;
}}
double run(long rows, const double *x, const double *t, const double **w, const double **b, double **dw, double **db) {{
  double loss = 0;
  for (long r = 0; r < rows; r += B)
    loss += forward(r, rows - r < B ? rows - r : B, x, t, w, b, dw, db, 1.0 / rows);
  return loss;
}}
"""


def _network(work: Work) -> Callable[[], Any]:
    sizes, layers, a = work.sizes, len(work.sizes) - 1, work.arrays
    code = _compiled(_NETWORK.format(sizes=", ".join(map(str, sizes)), layers=layers, widest=max(sizes)))
    code.run.restype = ctypes.c_double
    pointers = ctypes.c_void_p * layers

    def table(arrays: list[Any]) -> Any:
        return pointers(*[x.ctypes.data for x in arrays])

    ws, bs = [a[f"w{k}"] for k in range(layers)], [a[f"b{k}"] for k in range(layers)]

    def call() -> Any:
        dw, db = [np.zeros_like(w) for w in ws], [np.zeros_like(b) for b in bs]
        data = [ctypes.c_void_p(a[k].ctypes.data) for k in "xt"]
        value = code.run(ctypes.c_long(len(a["x"])), *data, table(ws), table(bs), table(dw), table(db))
        return [np.array([value]), *[g for pair in zip(dw, db, strict=True) for g in pair]]

    return call


moons = mlp30 = _network


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    code = _compiled("""
double run(const double *restrict x, const double *restrict t, const double *restrict w, double *restrict g,
           long rows) {
  double loss = 0, g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0, g8 = 0, g9 = 0, gb = 0;
  #pragma omp simd reduction(+: loss, g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, gb)
  for (long r = 0; r < rows; r++) {
    const double *v = x + 10 * r;
    double z = w[10];
    for (int k = 0; k < 10; k++) z += w[k] * v[k];
    const double e = exp(-fabs(z)), s = ((z >= 0 ? 1 : e) / (1 + e) - t[r]) / rows;
    loss += (z > 0 ? z : 0) + log(1 + e) - t[r] * z;
    g0 += s * v[0]; g1 += s * v[1]; g2 += s * v[2]; g3 += s * v[3]; g4 += s * v[4];
    g5 += s * v[5]; g6 += s * v[6]; g7 += s * v[7]; g8 += s * v[8]; g9 += s * v[9]; gb += s;
  }
  g[0] = g0; g[1] = g1; g[2] = g2; g[3] = g3; g[4] = g4; g[5] = g5; g[6] = g6; g[7] = g7; g[8] = g8; g[9] = g9;
  g[10] = gb;
  return loss / rows;
}
""")
    code.run.restype = ctypes.c_double
    data = [ctypes.c_void_p(work.arrays[k].ctypes.data) for k in "xtw"]

    def call() -> Any:
        gradient = np.empty(11)
        value = code.run(*data, ctypes.c_void_p(gradient.ctypes.data), ctypes.c_long(len(work.arrays["t"])))
        return [np.array([value]), gradient]

    return call
