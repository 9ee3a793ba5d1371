"""Packages and files of the same names are named at import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.namesakes import warn_of_namesake

ROOT = Path(__file__).parents[2]


def imported(module, first):
    """What importing a module prints as its error, with another folder first on the path."""
    path = os.pathsep.join([str(first), str(ROOT)])
    found = subprocess.run(
        [sys.executable, "-P", "-c", f"import {module}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=first,
    )
    return found.stderr


@pytest.mark.parametrize("file", ["nn.py", "nn/__init__.py", "nn/other.py"])
def test_a_file_that_hides_nn_is_named(tmp_path, file):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    error = imported("demos", tmp_path)
    if file == "nn/other.py":  # a folder without __init__ hides no package
        assert error == ""
    else:
        assert str(tmp_path / file) in error.splitlines()[-1]
        assert "rename it" in error


def test_another_autograd_in_place_of_ours_is_named(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd/__init__.py").write_text("")
    error = imported("nn", tmp_path)
    assert "HIPS autograd" in error.splitlines()[-1]
    assert str(tmp_path) in error


def test_files_of_hips_autograd_beside_ours_are_said(tmp_path, recwarn):
    warn_of_namesake(str(tmp_path / "__init__.py"))
    assert not recwarn.list
    (tmp_path / "tracer.py").write_text("")
    with pytest.warns(RuntimeWarning, match="pip uninstall autograd scalar-autograd"):
        warn_of_namesake(str(tmp_path / "__init__.py"))
