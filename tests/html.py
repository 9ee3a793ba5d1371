"""Reads HTML strictly, for tests of what notebooks show."""

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser


class _Scripts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag == "script" or any(name.startswith("on") for name, _ in attributes):
            self.found.append(tag)


def text_of(html):
    """The text in a piece of HTML, in which every tag must be closed and nothing may run."""
    scripts = _Scripts()
    scripts.feed(html)
    assert scripts.found == []
    return " ".join("".join(f"{x} " for x in ElementTree.fromstring(html).itertext()).split())
