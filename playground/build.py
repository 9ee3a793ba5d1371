"""Builds the playground: a folder for a web server, and one HTML file that needs neither a server nor a network.

``python -m playground.build`` writes both to ``dist/playground``. It needs npm, which gets Pyodide, and pip, which
makes this package's wheel.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograd.language import ENGLISH, languages, translations
from tests.translations import in_comments, in_javascript

HERE = Path(__file__).parent
PYODIDE = "pyodide@314.0.7"
INTEGRITY = "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
OWN = ("worker.js", "run.py")
SINGLE = "playground.html"


class BuildError(Exception):
    """The playground cannot be built; the text says what is missing."""


def build(folder: Path) -> Path:
    """Write the playground to a folder.

    Returns:
        the single HTML file.

    Raises:
        BuildError: if npm or pip cannot get what is needed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        files = _runtime(here) | _wheels(here) | {name: (HERE / name).read_bytes() for name in OWN}
    content = {"examples": _examples(), "messages": _messages(), "sizes": {name: len(x) for name, x in files.items()}}
    page = (HERE / "index.html").read_text("utf-8").replace("[[content]]", _safe(json.dumps(content)))
    style, script = ((HERE / name).read_text("utf-8") for name in ("playground.css", "playground.js"))

    folder.mkdir(parents=True, exist_ok=True)
    for name, written in files.items():
        (folder / name).write_bytes(written)
    (folder / "index.html").write_text(page, "utf-8")
    (folder / "playground.css").write_text(style, "utf-8")
    (folder / "playground.js").write_text(script, "utf-8")
    embedded = "".join(
        f'<script type="text/plain" id="{name}">{base64.b64encode(gzip.compress(written, mtime=0)).decode()}</script>\n'
        for name, written in files.items()
    )
    single = page
    for before, after in (
        ('<link rel="stylesheet" href="playground.css">', f"<style>\n{style}</style>"),
        ('<script src="playground.js"></script>', f"{embedded}<script>\n{script}</script>"),
    ):
        assert before in single
        single = single.replace(before, after)
    (folder / SINGLE).write_text(single, "utf-8")
    return folder / SINGLE


def _runtime(here: Path) -> dict[str, bytes]:
    """The files of Pyodide's core runtime, from npm's registry."""
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError("npm is not installed: install Node.js 18 or newer and npm")
    _run([npm, "pack", "--silent", "--prefer-offline", "--pack-destination", str(here), PYODIDE], f"getting {PYODIDE}")
    [archive] = here.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        raise BuildError(f"{PYODIDE} is not the package that was tried: its checksum is {found}, not {INTEGRITY}")
    files = {}
    with tarfile.open(archive) as tar:
        for name in RUNTIME:
            member = tar.extractfile(f"package/{name}")
            if member is None:
                raise BuildError(f"{PYODIDE} has no file {name}")
            files[name] = member.read()
    return files


def _wheels(here: Path) -> dict[str, bytes]:
    """This package and what its training imports, as wheels."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(here)]
    _run([*command, str(HERE.parent), "tqdm>=4.60"], "making the wheels")
    return {path.name: path.read_bytes() for path in sorted(here.glob("*.whl"))}


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        raise BuildError(f"{what} failed: {done.stderr.strip()[-500:]}")


def _examples() -> list[dict[str, str]]:
    """The examples in the order of their file names; the first comment of each is its title."""
    found = []
    for path in sorted((HERE / "examples").glob("*.py")):
        source = path.read_text("utf-8")
        found.append({"title": source.splitlines()[0].removeprefix("# "), "source": source})
    return found


def _messages() -> Mapping[str, Mapping[str, str]]:
    """The page's messages and the examples' comments in every other language."""
    marked = [one for one, _ in in_javascript((HERE / "playground.js").read_text("utf-8"))]
    for example in _examples():
        marked += [one for one, _ in in_comments(example["source"])]
    return {name: translations(name, marked) for name in languages() if name != ENGLISH}


def _safe(text: str) -> str:
    """JSON that can stand inside a script element: no tag can begin in it."""
    return text.replace("<", "\\u003c")


def main(arguments: list[str] | None = None) -> Any:
    """The command; returns what is wrong, or nothing."""
    parser = argparse.ArgumentParser(prog="python -m playground.build", description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=HERE.parent / "dist" / "playground", help="default: dist/playground"
    )
    folder: Path = parser.parse_args(arguments).folder
    try:
        single = build(folder)
    except BuildError as error:
        return str(error)
    print(f"{single}  {single.stat().st_size / 1e6:.1f} MB, opens without a server")
    print(f"{folder / 'index.html'}  needs a web server: python -m http.server -d {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
