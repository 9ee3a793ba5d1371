"""Fixtures that all tests share."""

import signal
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="rewrite the golden files instead of comparing with them")


@pytest.fixture(autouse=True, scope="session")
def _own_surroundings(tmp_path_factory):
    """Compiled code is cached for this run only; texts are in English, whatever the machine's language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRAD_LANG", "en")
        patch.setenv("AUTOGRAD_CACHE", str(tmp_path_factory.mktemp("code")))
        yield


@pytest.fixture
def golden(request):
    """Compare a text with a golden file, or rewrite the file with ``--golden``."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{name} changed; look at it, then run pytest --golden"

    return compare


def pytest_configure(config):
    from hypothesis import settings

    # A shell that starts a program in the background makes it ignore Ctrl-C; tests of Ctrl-C, and programs that they
    # start, need it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    settings.register_profile("default", max_examples=200, deadline=None, print_blob=True)
    settings.register_profile("full", max_examples=10_000, deadline=None)
    if config.getoption("--hypothesis-profile", None) is None:
        settings.load_profile("default")
