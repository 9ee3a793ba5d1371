"""Every demo runs from the command line, and README is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.catalogue import catalogue
from demos.__main__ import main, names

ROOT = Path(__file__).parents[2]

QUICK = {"worked_example": ["--iterations", "20"]}


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


def test_without_a_terminal_step_prints_and_ends():
    done = subprocess.run(
        [sys.executable, "-m", "demos", "sweeps", "--step"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "e → c" in done.stdout


def test_readmes_ten_lines_run(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "z.svg").exists()


def test_the_catalogue_of_operations_is_true():
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == catalogue()
