"""The messages marked in the sources, and the command that brings the catalogues of translations up to date.

``python -m tests.translations`` needs Babel (``pip install -e '.[dev]'``). It adds new messages to every
``autograd/locale/*/LC_MESSAGES/autograd.po`` and removes those that are no longer used; messages that have not been
translated yet are printed. It then compiles each ``.po`` to the ``.mo`` that is read at run time. Run it again after
translating. A new language starts as an empty ``.po`` file in a folder of its own.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("autograd", "nn", "demos", "playground")
EXAMPLES = ROOT / "playground" / "examples"  # their comments are shown in the page's language
MARKS = {"translate": 0, "Message": 0, "counted": 1}  # in Python: which argument the message is; in JavaScript it is _
CATALOGUES = sorted((ROOT / "autograd" / "locale").glob("*/LC_MESSAGES/autograd.po"))

Marked = tuple[str, str | None]  # a message, and its form for several if there is one


def marked() -> dict[Marked, str]:
    """Every message marked in the sources, and the first file that marks it."""
    found: dict[Marked, str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            reader = {".py": in_python, ".js": in_javascript}.get(path.suffix)
            if path.parent == EXAMPLES:
                reader = in_comments
            source = path.read_text(encoding="utf-8") if reader else ""
            messages = list(reader(source)) if reader else []
            if path.suffix == ".py" and package == "demos":
                messages += in_docstring(source)
            for message in messages:
                found.setdefault(message, str(path.relative_to(ROOT)))
    return found


def in_python(source: str) -> Iterator[Marked]:
    """The literal messages of calls of ``MARKS``, and the conventions of the table's rows."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        given = node.args[(at := MARKS[node.func.id]) : at + 2] if node.func.id in MARKS else []
        if node.func.id == "Op":
            given = [keyword.value for keyword in node.keywords if keyword.arg == "convention"]
        texts = [x.value for x in given if isinstance(x, ast.Constant) and isinstance(x.value, str)]
        if texts:
            yield texts[0], texts[1] if len(texts) > 1 else None


def in_docstring(source: str) -> Iterator[Marked]:
    """The paragraphs of a demo's docstring, which ``--help`` prints; a demo has a function main with arguments."""
    module = ast.parse(source)
    functions = (x for x in module.body if isinstance(x, ast.FunctionDef) and x.name == "main")
    if any(ast.unparse(function.args) == "args: argparse.Namespace" for function in functions):
        yield from ((" ".join(text.split()), None) for text in (ast.get_docstring(module) or "").split("\n\n"))


def in_comments(source: str) -> Iterator[Marked]:
    """The comments that stand on a line of their own."""
    yield from ((comment, None) for comment in re.findall(r"^ *# (.+)$", source, re.MULTILINE))


_STRING = r'("(?:[^"\\\n]|\\.)*")'
_CALL = re.compile(rf"(?<![\w$.])_\(\s*{_STRING}(?:\s*,\s*{_STRING})?")


def in_javascript(source: str) -> Iterator[Marked]:
    """The literal messages of calls of ``_``, in double quotes."""
    for one, many in _CALL.findall(source):
        yield json.loads(one), json.loads(many) if many else None


def update(path: Path) -> list[str]:
    """Bring one catalogue up to date and compile it; returns the messages that are not translated yet."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po, write_po

    class Undated(Catalog):
        """A catalogue whose header says only what is needed to read it."""

        @property
        def mime_headers(self) -> list[tuple[str, str]]:
            names = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
            return [(name, value) for name, value in super().mime_headers if name in names]

    old = read_po(io.BytesIO(path.read_bytes()), locale=path.parts[-3])
    new = Undated(locale=path.parts[-3], fuzzy=False)
    for one, many in marked():
        key = one if many is None else (one, many)
        before = old.get(one)
        new.add(key, before.string if before is not None and before.id == key else None)
    new.header_comment = f"# {new.locale.english_name}. After a change: python -m tests.translations"
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, new, width=116, sort_output=True, no_location=True)
    write_mo(compiled, new)
    path.write_bytes(text.getvalue())
    path.with_suffix(".mo").write_bytes(compiled.getvalue())
    forms = {x.id: (x.string,) if isinstance(x.string, str) else x.string or ("",) for x in new if x.id}
    return [str(key) for key, strings in forms.items() if not all(strings)]


def main() -> int:
    """Bring all catalogues up to date; returns 1 if a message has no translation yet."""
    missing = [f"{path.parts[-3]}: {message}" for path in CATALOGUES for message in update(path)]
    print("\n".join(missing) or "all messages are translated")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
