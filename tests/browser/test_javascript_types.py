"""The scripts are checked by TypeScript's compiler, which reads the types in their comments."""

import subprocess
from pathlib import Path

import pytest

from autograd import Value, ops
from autograd.javascript import rules, update_rule
from nn.optim import Adam

from .node import missing, program

ROOT = Path(__file__).parents[2]
COMPILER = ["exec", "--yes", "--package=typescript@7.0.2", "--", "tsc"]
OPTIONS = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"]


def compiler(*arguments):
    """Runs the compiler, which npm installs into its cache."""
    return subprocess.run([program("npm"), *COMPILER, *arguments], capture_output=True, encoding="utf-8")


def test_scripts_have_no_type_errors(tmp_path):
    if (found := compiler("--version")).returncode:
        missing(f"npm cannot install TypeScript: {found.stderr.strip()[-300:]}")
    table = f"/** @type {{Rules}} */ const rules = {rules(ops.TABLE.values())};\n"
    step = f"const update = /** @type {{UpdateRule}} */ ({update_rule(Adam([Value(0.0)]))});\n"
    (tmp_path / "rules.js").write_text(table + step, "utf-8")
    scripts = sorted((ROOT / "autograd").rglob("*.js"))
    assert scripts
    done = compiler(*OPTIONS, *map(str, [*scripts, tmp_path / "rules.js"]))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["playground.js", "worker.js"])
def test_the_scripts_of_the_playground_have_no_type_errors(name):
    if (found := compiler("--version")).returncode:
        missing(f"npm cannot install TypeScript: {found.stderr.strip()[-300:]}")
    done = compiler(*OPTIONS, str(ROOT / "playground" / name))  # each alone: they run in worlds of their own
    assert done.returncode == 0, done.stdout
