"""The language of texts, and that every message has a translation with the same fields."""

import ast
import asyncio
import contextvars
import copy
import gettext
import math
import pickle
import re
import subprocess
import sys
import threading
from string import Formatter

import pytest

from autograd import ArgumentError
from autograd.language import Message, checked, current, language, languages, translate, translated

from ..translations import CATALOGUES, MARKS, PACKAGES, ROOT, in_javascript, in_python, marked

ROUNDING = "{number} is left by rounding"  # a message that has a translation


def fields(message):
    return sorted(field for _, field, _, _ in Formatter().parse(message) if field is not None)


def entries(path):
    """The entries of a .po file: for each message and its plural form the translations, one for each count."""
    found, texts, key = {}, {}, ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), 'msgid ""']:
        match = re.fullmatch(r'(?:(msgid|msgid_plural|msgstr(?:\[\d\])?) )?(".*")', line)
        if match is None:
            assert not line or line.startswith("#"), line
            continue
        if match[1] == "msgid":
            if texts:
                message = texts.pop("msgid"), texts.pop("msgid_plural", None)
                assert message not in found, f"{message} stands twice in {path}"
                found[message] = list(texts.values())
            texts = {}
        key = match[1] or key
        texts[key] = texts.get(key, "") + ast.literal_eval(match[2])
    found.pop(("", None))
    return found


def compiled(path):
    with path.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_message_is_translated_and_every_translation_is_used(path):
    messages, translated = marked(), entries(path)
    update = "run python -m tests.translations, and translate what it prints"
    assert {m: where for m, where in messages.items() if m not in translated} == {}, update
    assert [m for m in translated if m not in messages] == [], update
    assert [m for m, texts in translated.items() if not all(texts)] == [], update


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_have_the_fields_of_the_originals(path):
    for (one, many), texts in entries(path).items():
        for text in texts:
            assert fields(text) == fields(many or one), one
        if many is not None:
            assert "count" in fields(many), many
            assert set(fields(one)) <= set(fields(many)), one


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_compiled_catalogue_says_what_its_source_says(path):
    of = compiled(path)
    for (one, many), texts in entries(path).items():
        read = [of.gettext(one)] if many is None else [of.ngettext(one, many, k) for k in range(1, 200)]
        assert sorted(set(read)) == sorted(set(texts))
    known = {key if isinstance(key, str) else key[0] for key in of._catalog}
    assert known - {""} == {one for one, _ in entries(path)}


def test_chinese_is_written_as_in_books():
    """Full-width punctuation; a space between Chinese and Latin letters, numbers or fields."""
    path = next(path for path in CATALOGUES if path.parts[-3] == "zh")
    han = "[\u4e00-\u9fff]"
    for texts in entries(path).values():
        for text in texts:
            assert not re.search(rf"{han}[{{A-Za-z0-9]|[}}A-Za-z0-9]{han}", text), text
            assert not re.search(rf"{han}\s*[,;:!?]|{han}\.|[(][^)]*{han}", text), text


def test_marked_messages_are_found():
    source = 'translate("a {x}" " b")\nMessage("one", "{count} of them", count=2)\nx.translate("no")\ntranslate(y)\n'
    assert list(in_python(source)) == [("a {x} b", None), ("one", "{count} of them")]
    script = 'f(_("a \\"b\\" é"));\n  _( "one",\n "more", n);\n__("no"); x._("no"); _(no)'
    assert list(in_javascript(script)) == [('a "b" é', None), ("one", "more")]


def test_every_message_is_marked_where_it_is_written():
    """A message that is put together from pieces, or comes from elsewhere, would not be found in the sources."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
            for call in calls:
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                if len(call.args) > MARKS.get(name, math.inf) and path.name != "language.py":
                    message = call.args[MARKS[name]]
                    written = ast.unparse(message)
                    # Of a row of the table, of a demo's docstring, or where ``counted`` is called.
                    elsewhere = written.split(".")[-1] in ("convention", "paragraph", "one")
                    known = elsewhere or isinstance(message, ast.Constant)
                    assert known, f"{path}, line {call.lineno}: {written}"
        for path in (ROOT / package).rglob("*.js"):
            script = path.read_text(encoding="utf-8")
            calls = re.findall(r"(?<![\w$.])(?<!function )_\(", script)
            assert len(calls) == len(list(in_javascript(script))), f"{path} has a message that is not in double quotes"
    for message, many in marked():
        assert message.strip() == message != ""
        assert many != message


# Choosing a language --------------------------------------------------------------------------------------------------


def test_a_block_has_its_language():
    chinese = "舍入"
    assert translate(ROUNDING) == ROUNDING
    with language("zh"):
        assert chinese in translate(ROUNDING)
        with language("en"):
            assert translate(ROUNDING) == ROUNDING
        with language(None):
            assert chinese in translate(ROUNDING)
        assert translate("a message that nobody has translated") == "a message that nobody has translated"
        assert translate("") == ""
    assert translate(ROUNDING) == ROUNDING


def test_a_block_that_fails_restores_the_language():
    with pytest.raises(ZeroDivisionError), language("zh"):
        raise ZeroDivisionError
    assert current() == "en"


def test_a_message_is_english_and_can_be_translated_later():
    inner = Message(ROUNDING, number="1e-17")
    outer = Message(ROUNDING, number=inner)
    assert outer == "1e-17 is left by rounding is left by rounding"
    assert outer.translated() == outer
    for message in (outer, copy.deepcopy(outer), pickle.loads(pickle.dumps(outer))):
        with language("zh"):
            assert message == "1e-17 is left by rounding is left by rounding"
            assert translated(message) == "1e-17 是舍入误差 是舍入误差"
            assert translated("plain {text}") == "plain {text}"
    assert Message("{not a field}") == "{not a field}"
    assert Message("{not a field}").translated() == "{not a field}"


def test_threads_and_tasks_have_their_own_language():
    seen = {}

    def run(name):
        with language(name):
            barrier.wait()
            seen[name] = translate(ROUNDING)
            barrier.wait()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=run, args=(name,)) for name in ("en", "zh")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen["en"] == ROUNDING
    assert "舍入" in seen["zh"]

    async def task(name):
        with language(name):
            await asyncio.sleep(0)
            return current()

    async def both():
        return await asyncio.gather(task("zh"), task("en"), task("zh"))

    assert asyncio.run(both()) == ["zh", "en", "zh"]
    assert contextvars.Context().run(current) == "en"


@pytest.mark.parametrize("name", ["zh", "ZH", "zh_CN", "zh-CN", "zh-Hans", "zh_Hans_CN", "zh_CN.UTF-8", " zh_TW@x "])
def test_regions_and_scripts_of_chinese_are_taken(name):
    assert checked(name) == "zh"


@pytest.mark.parametrize("name", ["fr", "", "zhongwen", "e", "中文", "../zh", "zh/..", "x" * 10_000, 3, None, "C"])
def test_what_is_no_language_is_refused(name):
    with pytest.raises(ArgumentError, match=r"^lang is 'en' or 'zh', not ") as caught:
        checked(name)
    assert len(str(caught.value)) < 200


def test_languages_are_those_that_have_a_catalogue():
    assert languages() == ("en", *(path.parts[-3] for path in CATALOGUES))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"AUTOGRAD_LANG": "zh"}, "zh"),
        ({"AUTOGRAD_LANG": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"AUTOGRAD_LANG": "en_GB", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANGUAGE": "fr:zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "fr:en:zh", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
    ],
)
def test_the_surroundings_choose_where_nobody_else_does(monkeypatch, variables, expected):
    for name in ("AUTOGRAD_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert current() == expected
    with language("zh"):
        assert current() == "zh"


def test_a_wrong_variable_is_named(monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LANG", "klingon")
    with pytest.raises(ArgumentError, match=r"AUTOGRAD_LANG is 'en' or 'zh', not 'klingon'"):
        translate(ROUNDING)


def test_importing_autograd_loads_no_catalogue():
    code = "import sys, autograd; print(*sorted({'gettext', 'locale', 'autograd.language'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
