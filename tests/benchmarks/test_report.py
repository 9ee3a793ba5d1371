"""What README and the results say is what was measured."""

import json
from pathlib import Path

import pytest

from benchmarks import compiled, report
from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def measured():
    return json.loads((ROOT / "benchmarks/results/compiled.json").read_text())


def test_tables_in_the_repository_show_what_was_measured(measured):
    assert report.summary(measured) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "benchmarks/results/compiled.md").read_text(encoding="utf-8") == report.table(measured) + "\n"
    assert set(measured) <= set(WORKLOADS)
    assert {peer for result in measured.values() for peer in result["peers"]} <= set(PEERS)


RESULTS = {
    "moons": {
        "title": "a network, 10 rows",
        "flops": 1000,
        "peak": 1e11,
        "peers": {
            "ours": {"row": 2e-8, "first": 0.1},
            "plain_c": {"row": 4e-8, "first": 0.2},
            "with_jax": {"row": 1e-8, "first": 1.0},
            "with_torch": {"row": 3e-3, "first": 2.0},
            "with_xad": {"failed": "no result within 300 s"},
        },
    },
    "lotka": {
        "title": "a loop",
        "peers": {"ours": {"row": 1e-6, "first": 0.1}, "with_jax": {"row": 4e-6, "first": 1.0}},
    },
}


def test_the_table_has_every_peer_with_its_part_of_the_peak():
    lines = report.table(RESULTS).splitlines()
    assert lines[2] == "1 000 operations a row, which take 10 ns at this core's peak of 100 GFlop/s."
    assert lines[6:11] == [
        "| ours | 20 ns | 1.00 | 50% | 100 ms |",
        "| C (gcc -O3) | 40 ns | 2.00 | 25% | 200 ms |",
        "| JAX jit | 10 ns | 0.50 | 100% | 1 s |",
        "| PyTorch | 3 ms | 150 000 | 0% | 2 s |",
        "| XAD | no result within 300 s | | | |",
    ]
    assert lines[-2:] == ["| ours | 1 µs | 1.00 | 100 ms |", "| JAX jit | 4 µs | 4.00 | 1 s |"]


def test_the_summary_names_the_fastest_other_also_where_it_is_faster():
    assert report.summary(RESULTS).splitlines()[2:] == [
        "| a network, 10 rows | 20 ns | 50% | JAX jit 10 ns | 0.50 | 40 ns | 2.00 |",
        "| a loop | 1 µs |  | JAX jit 4 µs | 4.00 |  |  |",
    ]


def test_the_table_in_readme_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.into_readme(RESULTS, path)
    assert path.read_text() == f"before\n{report.BEGIN}\n\n{report.summary(RESULTS)}\n\n{report.END}\nafter\n"


def test_the_chart_has_an_axis_with_units(tmp_path, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    drawn = []
    monkeypatch.setattr(plt.Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    report.plot(RESULTS, tmp_path / "chart.png")
    (figure,) = drawn
    for axes in figure.axes:
        assert axes.get_xscale() == "log"
        assert axes.xaxis.get_visible()
        assert axes.get_xlabel() == "time of a row"
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["JAX jit", "ours"]
    assert "peak" in [text.get_text() for text in figure.axes[0].texts]
    assert "peak" not in [text.get_text() for text in figure.axes[1].texts]
    plt.close(figure)


def test_unknown_names_are_refused():
    with pytest.raises(SystemExit, match=r"unknown: jax; .* with_jax"):
        compiled.main(["moons", "jax"])
