"""Every demo runs from the command line, and README is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.catalogue import catalogue
from demos.__main__ import main, names

ROOT = Path(__file__).parents[2]

QUICK = {
    "worked_example": ["--iterations", "20"],
    "xor": ["--iterations", "200", "--seeds", "2"],
    "moons": ["--iterations", "3"],
    "breast_cancer": ["--epochs", "1"],
    "two_layer_net": ["--epochs", "1", "--check", "5"],
}


@pytest.mark.parametrize("name", names())
def test_it_runs_and_says_where_its_pictures_are(name, tmp_path, capsys):
    assert main([name, "--out", str(tmp_path), *QUICK.get(name, [])]) == 0
    said = capsys.readouterr().out
    for path in re.findall(r"picture: (\S+)", said):
        assert Path(path).stat().st_size > 500
    assert "picture:" in said


def test_the_list(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in names():
        assert name in said


def test_the_worked_example_says_both_update_orders(tmp_path, capsys):
    main(["worked_example", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    for figure in ("3.510187782978859e-05", "3.5084786296312774e-05", "0.291027924", "simultaneous", "sequential"):
        assert figure in said
    assert said.count("✗") >= 5
    assert said.count("✓") >= 20


def test_the_linear_nets_figures():
    from demos.linear_2_3_1 import trajectory

    right = trajectory()
    assert right[:2] == pytest.approx([180.0, 140.3136], rel=1e-14)
    assert 0.5 * (60 - right[1]) ** 2 == pytest.approx(3225.13717248, rel=1e-12)
    assert right[100] == pytest.approx(60.000000585837824, rel=1e-14)
    assert trajectory(1, first_layer_learns=False)[1] == pytest.approx(167.04)
    torch = pytest.importorskip("torch")
    assert torch
    from demos.linear_2_3_1 import in_pytorch

    assert in_pytorch() == pytest.approx(right, rel=1e-12)


def test_the_price_and_its_gradients():
    import autograd as ag
    from demos.apples import recorded

    price = recorded()
    price.backward()
    assert price.data == 715.0000000000001
    found = {leaf.name: leaf.grad for leaf in ag.leaves(price)}
    want = {"apple": 2.2, "apples": 110.0, "orange": 3.3, "oranges": 165.0, "tax": 650.0}
    assert found == pytest.approx(want, rel=1e-15)


def test_the_two_layer_nets_gradient_check():
    from demos.two_layer_net import check_gradients, digits, network

    train, _ = digits(0)
    differences = check_gradients(network(64, 0), (train[0][:3], train[1][:3]), 20, 0)
    assert set(differences) == {"W1", "b1", "W2", "b2"}
    assert all(d < 1e-8 for d in differences.values())


def idx(directory, name, magic, sizes, body):
    raw = magic.to_bytes(4, "big") + b"".join(s.to_bytes(4, "big") for s in sizes) + body
    (directory / name).write_bytes(raw)


def test_mnists_files_are_read_and_checked(tmp_path):
    from autograd import ArgumentError
    from demos.two_layer_net import read_mnist

    with pytest.raises(ArgumentError, match="neither train-images"):
        read_mnist(tmp_path, "train", 10)
    idx(tmp_path, "train-images-idx3-ubyte", 2051, (2, 2, 2), bytes(range(8)))
    idx(tmp_path, "train-labels-idx1-ubyte", 2049, (2,), bytes([7, 3]))
    rows, labels = read_mnist(tmp_path, "train", 10)
    assert (len(rows), rows[1][0], labels) == (2, 4 / 255, [7, 3])
    assert read_mnist(tmp_path, "train", 1)[1] == [7]
    for magic, sizes, body, fragment in (
        (1234, (2,), b"12", "1234"),
        (2049, (3,), b"12", "whole"),
        (2049, (1,), b"1", "2 images but 1 labels"),
        (2051, (1, 1, 2), b"12", "images, not labels"),
    ):
        idx(tmp_path, "train-labels-idx1-ubyte", magic, sizes, body)
        with pytest.raises(ArgumentError, match=fragment):
            read_mnist(tmp_path, "train", 10)


def test_steps_for_pipes(tmp_path, capsys):
    assert main(["worked_example", "--steps", "all", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "── update" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["nonesuch"], ["worked_example", "--iterations", "0"]])
def test_wrong_arguments_end_with_a_message(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_an_error_not_a_traceback(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["sweeps", "--out", str(tmp_path / "file" / "dir")]) == 1
    assert "sweeps:" in capsys.readouterr().err


@pytest.mark.parametrize("name", names())
def test_every_demo_has_steps(name, tmp_path, capsys):
    assert main([name, "--steps", "all", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "── forward" in said
    assert "── backward" in said
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_step_prints_and_ends():
    done = subprocess.run(
        [sys.executable, "-m", "demos", "sweeps", "--step"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "e → c" in done.stdout


def test_readmes_code_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", readme, re.S):
        exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "z.svg").exists()
    assert (tmp_path / "xor.json").exists()


def test_the_catalogue_of_operations_is_true():
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == catalogue()
