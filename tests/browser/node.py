"""Runs JavaScript in Node.js."""

import json
import os
import shutil
import subprocess

import pytest

from autograd.javascript import engine

# JSON as Python reads and writes it: with NaN, Infinity and −0.0, which JavaScript understands as source text.
_WRITE = """
const write = (x) => {
    if (Array.isArray(x)) return `[${x.map(write)}]`;
    if (typeof x === "number") return Object.is(x, -0) ? "-0.0" : String(x);
    if (x === null || typeof x !== "object") return JSON.stringify(x) ?? "null";
    return `{${Object.entries(x).map(([name, value]) => `${JSON.stringify(name)}: ${write(value)}`)}}`;
};
"""


def missing(what):
    """Skip a test that needs what is missing; in CI it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def program(name):
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed: install Node.js 18 or newer and npm, for example  apt install nodejs npm")
    return path


def run(folder, script, given):
    """The result of ``main``, a function that the script defines, for what is given."""
    file = folder / "script.cjs"
    call = f"process.stdout.write(write(main({json.dumps(given)})));\n"
    file.write_text("\n".join([engine(), script, _WRITE, call]), encoding="utf-8")
    done = subprocess.run([program("node"), str(file)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
