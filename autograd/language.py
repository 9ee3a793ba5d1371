"""The language of the texts that people read: English, or one that has a catalogue of translations.

Messages are written in English where they are used, as whole sentences with named fields; ``translate`` looks one up in
the language in force. A catalogue is ``locale/LANGUAGE/LC_MESSAGES/autograd.po``, compiled to ``.mo`` beside it, so
another language is one more file. The texts of errors are not translated: people search for them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError
from .text import shown

if TYPE_CHECKING:
    from gettext import NullTranslations

ENGLISH = "en"
LOCALE = Path(__file__).parent / "locale"
_WHOLE_NAMES = {"english": "en", "chinese": "zh"}  # as Windows calls languages

# None where nobody has chosen: the language of the surroundings.
_chosen: ContextVar[str | None] = ContextVar("language", default=None)


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are: English, and those that have a catalogue.

    >>> languages()
    ('en', 'zh')
    """
    return (ENGLISH, *sorted(path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/autograd.mo")))


def translate(message: str, many: str | None = None, count: int = 1) -> str:
    """A message in the language in force; in English if there is no translation.

    Args:
        message: the English message; its named fields are filled in afterwards, by ``format``.
        many: its form for other counts than one, if they differ.
        count: which form is wanted.

    >>> with language("zh"):
    ...     translate("{number} is left by rounding").format(number=1e-17)
    '1e-17 是舍入误差'
    """
    if not message:
        return message
    if many is None:
        return _catalogue(current()).gettext(message)
    return _catalogue(current()).ngettext(message, many, count)


class Message(str):
    """An English text that can also be shown in another language later.

    Args:
        message: as for ``translate``.
        many: the same; the field ``count`` decides between the two.
        fields: what stands for the named fields; Messages among them are translated too.

    >>> later = Message("{number} is left by rounding", number=1e-17)
    >>> with language("zh"):
    ...     later.translated()
    '1e-17 是舍入误差'
    >>> later
    '1e-17 is left by rounding'
    """

    def __new__(cls, message: str, many: str | None = None, /, **fields: Any) -> Message:
        template = message if many is None or fields["count"] == 1 else many
        self = super().__new__(cls, template.format(**fields) if fields else template)
        self._message, self._many, self._fields = message, many, fields
        return self

    _message: str
    _many: str | None
    _fields: dict[str, Any]

    def translated(self) -> str:
        """The text in the language in force."""
        template = translate(self._message, self._many, self._fields.get("count", 1))
        fields = {name: x.translated() if isinstance(x, Message) else x for name, x in self._fields.items()}
        return template.format(**fields) if fields else template


def translated(text: str) -> str:
    """A text in the language in force if it is a Message, else as it is."""
    return text.translated() if isinstance(text, Message) else text


def translations(name: str, messages: Iterable[str]) -> dict[str, str]:
    """Messages and their translations into a language, for scripts in a page, which mark their own."""
    catalogue = _catalogue(checked(name))
    return {message: catalogue.gettext(message) for message in messages}


def scope_name(name: str) -> str:
    """The name of a scope as people read it: those that ``nn`` gives are translated, other names are not.

    >>> with language("zh"):
    ...     scope_name("hidden layer 2"), scope_name("my layer")
    ('隐藏层 2', 'my layer')
    """
    if name == "hidden layer":
        return translate("hidden layer")
    if name == "output layer":
        return translate("output layer")
    words, _, number = name.rpartition(" ")
    if words == "hidden layer" and number.isdecimal():
        return translate("hidden layer {number}").format(number=number)
    return name


@contextmanager
def language(name: str | None) -> Iterator[None]:
    """Texts made inside the block are in this language, in its own thread or task only.

    Args:
        name: ``"en"`` or ``"zh"``; regions and scripts such as ``zh_CN`` and ``zh-Hans`` are taken too. None changes
            nothing.

    Raises:
        ArgumentError: if there is no such language.
    """
    before = _chosen.set(_chosen.get() if name is None else checked(name))
    try:
        yield
    finally:
        _chosen.reset(before)


def current() -> str:
    """The language in force: that of the ``language`` block, else of ``AUTOGRAD_LANG``, else of the locale."""
    return _chosen.get() or _surroundings(*map(os.environ.get, _VARIABLES))


def checked(name: str, where: str = "lang") -> str:
    """The language of that name.

    >>> checked("zh_CN.UTF-8"), checked("en-GB")
    ('zh', 'en')
    """
    found = _find(name) if isinstance(name, str) else None
    if found is None:
        listed = " or ".join(repr(x) for x in languages())
        raise ArgumentError(f"{where} is {listed}, not {shown(name)}: there are no texts in another language")
    return found


_VARIABLES = ("AUTOGRAD_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the last four as gettext reads them


@cache
def _surroundings(own: str | None, *locales: str | None) -> str:
    if own:
        return checked(own, "the environment variable AUTOGRAD_LANG")
    given = next((x for x in locales if x), None)
    if given is None:
        import locale

        given = locale.getlocale()[0] or ""
    return next((found for name in given.split(":") if (found := _find(name))), ENGLISH)


def _find(name: str) -> str | None:
    """The language that a name such as ``zh_CN.UTF-8`` or ``zh-Hans-CN`` means, if there is one."""
    words = [word.lower() for word in re.split(r"[-_]", re.split(r"[.@]", name.strip())[0])]
    words[0] = _WHOLE_NAMES.get(words[0].split(" ")[0], words[0])
    known = {x.lower().replace("-", "_"): x for x in languages()}
    return next((known[tag] for k in range(len(words), 0, -1) if (tag := "_".join(words[:k])) in known), None)


@cache
def _catalogue(name: str) -> NullTranslations:
    import gettext

    if name == ENGLISH:
        return gettext.NullTranslations()
    with open(LOCALE / name / "LC_MESSAGES" / "autograd.mo", "rb") as file:
        return gettext.GNUTranslations(file)
