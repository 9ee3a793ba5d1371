"""What ``compiled`` measured, as tables for the results and for README, and as a chart."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

from .peers import PEERS

HERE = Path(__file__).parent
BEGIN, END = "<!-- measured: python -m benchmarks compiled -->", "<!-- end -->"


def table(results: dict[str, Any]) -> str:
    """Every peer at every workload: the time of a row, how many times ours, the first result, the part of the peak."""
    lines = []
    for result in results.values():
        ours = result["peers"]["ours"]["row"]
        dense = "peak" in result
        lines += ["", f"**{result['title']}**", ""]
        if dense:
            least = result["flops"] / result["peak"]
            count, speed = f"{result['flops']:,}".replace(",", " "), result["peak"] * 1e-9
            lines += [
                f"{count} operations a row, which take {time(least)} at this core's peak of {speed:.0f} GFlop/s.",
                "",
            ]
        lines += [
            f"| | a row | of ours | {'of the peak | ' * dense}first result |",
            f"|---|---:|---:|{'---:|' * dense}---:|",
        ]
        for peer, entry in result["peers"].items():
            if "row" not in entry:
                lines.append(f"| {PEERS[peer]} | {entry['failed']} | | {'| ' * dense}|")
                continue
            part = f"{least / entry['row']:.0%} | " if dense else ""
            of_ours = _ratio(entry["row"] / ours)
            lines.append(f"| {PEERS[peer]} | {time(entry['row'])} | {of_ours} | {part}{time(entry['first'])} |")
    return "\n".join(lines).strip()


def summary(results: dict[str, Any]) -> str:
    """README's table: ours, the fastest other library, and C."""
    lines = [
        "| one processor, float64 | ours | of the peak | fastest other | of ours | C, gcc -O3 | of ours |",
        "|---|---:|---:|---|---:|---:|---:|",
    ]
    for result in results.values():
        rows = {peer: entry["row"] for peer, entry in result["peers"].items() if "row" in entry}
        ours, c = rows.pop("ours"), rows.pop("plain_c", None)
        part = f"{result['flops'] / result['peak'] / ours:.0%}" if "peak" in result else ""
        best = min(rows, key=rows.__getitem__)
        of_c = f"{time(c)} | {_ratio(c / ours)}" if c else " | "
        other = f"{PEERS[best]} {time(rows[best])} | {_ratio(rows[best] / ours)}"
        lines.append(f"| {result['title']} | {time(ours)} | {part} | {other} | {of_c} |")
    return "\n".join(lines)


def into_readme(results: dict[str, Any], path: Path = HERE.parent / "README.md") -> None:
    """Replace the table in README."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n\n{summary(results)}\n\n{END}{after}", encoding="utf-8")


def time(seconds: float, digits: int = 3) -> str:
    """A time in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.{digits}g} {unit}"
    return f"{seconds * 1e9:.{digits}g} ns"


def _ratio(x: float) -> str:
    return f"{x:.2f}" if x < 9.995 else f"{x:,.0f}".replace(",", " ")


def plot(results: dict[str, Any], path: Path) -> None:
    """A panel for each workload: the time of a row of every peer on a logarithmic axis, and the machine's limit."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator

    columns = 3
    rows = -(-len(results) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(15, 3.6 * rows), constrained_layout=True, squeeze=False)
    for axis in axes.flat[len(results) :]:
        axis.remove()
    for axis, result in zip(axes.flat, results.values(), strict=False):
        found = {PEERS[p]: e["row"] for p, e in result["peers"].items() if "row" in e}
        ours = found["ours"]
        names = sorted(found, key=found.__getitem__, reverse=True)
        times = [found[n] for n in names]
        colours = ["#c8102e" if n == "ours" else "#6b7780" if n == PEERS["plain_c"] else "#2f5f8f" for n in names]
        axis.hlines(names, ours, times, colors="#d5dbe0", zorder=1)
        axis.scatter(times, names, c=colours, s=36, zorder=2)
        for name, t in zip(names, times, strict=True):
            ratio = t / ours
            beside = (
                "" if name == "ours" else f" ({ratio:.2f}×)" if ratio < 9.95 else f" ({ratio:,.0f}×)".replace(",", " ")
            )
            axis.annotate(f"{time(t)}{beside}", (t, name), (6, 0), textcoords="offset points", va="center", fontsize=8)
        if "peak" in result:
            least = result["flops"] / result["peak"]
            axis.axvline(least, color="#888888", linestyle="--", linewidth=1)
            axis.annotate("peak", (least, 0.0), (3, 4), ("data", "axes fraction"), "offset points", fontsize=8)
            times.append(least)
        axis.set_xscale("log")
        axis.set_xlim(min(times) / 1.6, max(times) * max(6.0, (max(times) / min(times)) ** 0.45))
        axis.xaxis.set_major_locator(LogLocator(10.0))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda t, _: time(t)))
        axis.tick_params(axis="x", labelsize=8)
        axis.tick_params(axis="y", labelsize=9, length=0)
        axis.grid(axis="x", which="major", color="#e8ecef")
        axis.set_axisbelow(True)
        first, *rest = result["title"].split(", ")
        axis.set_title(f"{first}\n{fill(', '.join(rest), 60)}", fontsize=9, loc="left")
        axis.set_xlabel("time of a row", fontsize=8)
        axis.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(
        "The time of a row on one processor in float64: logarithmic scale, further left is faster; "
        "in brackets, how many times ours",
        fontsize=11,
    )
    figure.savefig(path, dpi=100)
