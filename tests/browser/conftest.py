"""Chromium for tests that look at pictures and pages as people see them; no test reaches the network."""

import shutil

import pytest

from .node import missing

CHROMIUM = "/usr/bin/chromium"
ADVICE = (
    "this test needs a browser: apt-get install -y chromium fonts-noto-cjk (Debian), and pip install playwright; "
    "without them run  pytest --ignore=tests/browser"
)


@pytest.fixture(scope="module")
def browser():
    """A running Chromium. It ends with the module, because an event loop of Playwright runs as long."""
    path = CHROMIUM if shutil.which(CHROMIUM) else shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing(ADVICE)
    if path is None:
        missing(ADVICE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """An empty page of 1280 × 800 pixels without a network; what its console and its scripts say wrong is an error."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert not wrong
