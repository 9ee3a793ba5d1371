"""The playground as one file, opened from file:// without a network: Python really runs in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag
from autograd import naming
from demos import worked_example
from nn import optim
from playground.build import BuildError, build

from .node import missing

ROOT = Path(__file__).parents[2]
NETWORK = "2"  # the example of the network, in the menu


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    try:
        return build(folder)
    except BuildError as error:
        missing(f"the playground cannot be built here: {error}")


@pytest.fixture(scope="module")
def opened(browser, built):
    """The page with Python running in it, what it said wrong, and what it asked the network for."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    wrong, asked = [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(built.as_uri())
    wait(page)
    yield page, wrong, asked
    context.close()


@pytest.fixture
def page(opened):
    page, wrong, asked = opened
    yield page
    assert wrong == []
    assert [url for url in asked if not re.match("data:|blob:|about:|file:.*/playground.html", url)] == []


def wait(page, state="ready"):
    page.wait_for_function("state => document.documentElement.dataset.state === state", arg=state, timeout=90_000)


def run(page, source):
    page.fill("#code", source)
    page.keyboard.press("Control+Enter")
    wait(page)


def show(page, tab):
    page.click(f"#tab-{tab}")
    wait(page)


def lesson(page):
    page.click("#tab-lesson")
    frame = page.frame_locator("#lesson-page")
    frame.locator("#step").wait_for(timeout=30_000)
    return frame


def test_the_first_example_runs_by_itself(page):
    assert page.is_visible("#lesson-page")
    show(page, "output")
    assert page.inner_text("#printed").startswith("∂z/∂x = 4.27015115293407")


def test_the_lesson_of_the_worked_example_has_the_numbers_of_python(page):
    page.select_option("#examples", NETWORK)
    wait(page)
    record = json.loads(lesson(page).locator("#record").text_content())
    model = worked_example.network(names=True)
    log = ag.steps(worked_example.recorded(model), optim.SGD(model.parameters(), lr=0.5))
    assert [node["label"] for node in record["nodes"]] == [naming.Names(log.order, 6).label(x).text for x in log.order]
    [update] = record["updates"]
    computed = [event for event in update["events"] if event[0] == "f"]
    assert [event[2] for event in computed] == pytest.approx([x.data for x in log.order if x.op is not None], rel=1e-15)
    arrived = [event for event in update["events"] if event[0] == "b"]
    moved = [event for event in update["events"] if event[0] == "u"]
    given = [event for event in log if event.sweep != "forward"]
    assert [event[6] for event in arrived] == pytest.approx(
        [x.total for x in given if x.sweep == "backward"], rel=1e-14
    )
    assert [event[4] for event in moved] == pytest.approx([x.new for x in given if x.sweep == "update"], rel=1e-15)


def test_explanations_and_checks_of_the_worked_example(page):
    page.select_option("#examples", "0")
    wait(page)
    page.select_option("#examples", NETWORK)
    wait(page)
    show(page, "explain")
    page.select_option("#leaf", label="w1")
    wait(page)
    page.frame_locator("#explain-page").get_by_text("0.000438568").first.wait_for()
    show(page, "check")
    assert page.inner_text("#report .verdict") == "✓ All derivatives agree with the measured ones"
    assert page.locator("#report tbody tr").count() == 12


def test_an_error_is_shown_with_its_line_and_the_next_run_takes_it_away(page):
    run(page, "from autograd import log, Value\n\ndef f(x):\n    return log(x)\n\nprint('before')\nf(Value(-1.0))")
    assert page.get_attribute("#tab-output", "aria-selected") == "true"
    assert page.inner_text("#printed").strip() == "before"
    text = page.inner_text("#error-text")
    assert re.findall(r'File "(.*)", line (\d)', text) == [("program.py", "7"), ("program.py", "4")]
    assert "DomainError: log has no value" in text
    assert page.inner_text("#status") == "Error in line 4"
    assert page.inner_text("#numbers .wrong") == "4"
    page.click("#error-line")
    assert (
        page.evaluate(
            "(([a, b]) => document.querySelector('#code').value.slice(a, b))(((e) => [e.selectionStart, "
            "e.selectionEnd])(document.querySelector('#code')))"
        )
        == "    return log(x)"
    )
    run(page, "from autograd import Value\nx = Value(1.0)")
    assert not page.is_visible("#error")
    assert page.locator("#numbers .wrong").count() == 0


def test_names_and_prints_are_text(page):
    run(
        page,
        "from autograd import Value\nprint('<b id=bold>')\nx = Value(1.0, name='<img src=x onerror=a>')\ny = x * 2",
    )
    assert page.locator("#bold, img").count() == 0
    show(page, "output")
    assert page.inner_text("#printed").strip() == "<b id=bold>"
    show(page, "explain")
    assert "<img" in page.inner_text("#leaf")


def test_what_needs_more_than_a_browser_says_so(page):
    run(page, "import autograd as ag\nag.draw(ag.Value(1.0) * 2).save('z.png')")
    assert "LayoutError" in page.inner_text("#error-text")
    run(page, "import autograd as ag\nag.compile(lambda x: x * 2)(1.0)")
    assert "MissingExtraError" in page.inner_text("#error-text")


def test_training_runs_and_files_can_be_saved(page):
    run(
        page,
        "import nn\nmodel = nn.MLP(2, [3, 1], rng=0)\n"
        "nn.fit(model, [[0, 1], [1, 0]], [0, 1], epochs=3)\nnn.save('net.json', model)",
    )
    assert page.locator("#error").is_hidden(), page.inner_text("#error-text")
    show(page, "output")
    with page.expect_download() as download:
        page.click("#files button")
    assert json.loads(Path(download.value.path()).read_text(encoding="utf-8"))


def test_stop_ends_an_endless_loop(page):
    page.fill("#code", "while True:\n    print('again')")
    page.click("#run")
    page.wait_for_function(
        "() => document.querySelector('#printed').textContent.includes('more was printed')", timeout=60_000
    )
    assert len(page.evaluate("document.querySelector('#printed').textContent")) < 250_000
    page.click("#stop")
    assert page.evaluate("document.documentElement.dataset.state") == "loading"
    wait(page)
    run(page, "print(6 * 7)")
    assert page.inner_text("#printed").strip() == "42"


def test_everything_changes_its_language(page):
    page.select_option("#examples", NETWORK)
    wait(page)
    lesson(page)
    page.click("#language")
    wait(page)
    assert page.inner_text("#run") == "运行"
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.input_value("#code").startswith("# 神经网络：")
    lesson(page).locator("h1", has_text="E 是怎样算出来的").wait_for()
    show(page, "explain")
    page.frame_locator("#explain-page").get_by_text("链式法则").wait_for()
    page.click("#language")
    wait(page)
    assert page.inner_text("#run") == "Run"
    lesson(page).locator("h1", has_text="How E was computed").wait_for()


def test_a_shared_program_does_not_run_before_the_person_wants(page, built):
    source = "# 你好 & <b>\nprint(1)\n"
    page.fill("#code", source)
    page.click("#share")
    page.wait_for_function("() => location.hash.length > 10")
    other = page.context.new_page()
    try:
        other.goto(page.url)
        wait(other)
        assert other.input_value("#code") == source
        assert other.inner_text("#status") == "A program from a link: read it, then press Run."
        assert not other.is_visible("#printed")
        other.goto(built.as_uri() + "#code=!!")
        other.wait_for_function("() => document.querySelector('#status').textContent.includes('damaged')")
    finally:
        other.close()


def test_the_keyboard_in_the_editor(page):
    page.fill("#code", "if x:")
    page.focus("#code")
    for key in ("End", "Enter", "y", "Tab", "z", "Home", "Shift+Tab"):
        page.keyboard.press(key)
    assert page.input_value("#code") == "if x:\ny   z"
    page.keyboard.press("Control+z")
    assert page.input_value("#code") == "if x:\n    y   z"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "code"
    page.focus("#tab-lesson")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.id") == "tab-output"


@pytest.mark.parametrize("width", [1280, 850, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_width_and_is_accessible(page, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    if page.input_value("#code") != "1 / 0":
        run(page, "1 / 0")
    for tab in ("output", "check", "explain", "lesson"):
        show(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        serious = [(x["id"], x["nodes"][0]["html"]) for x in found if x["impact"] in ("serious", "critical")]
        assert serious == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_server_can_show_the_folder(browser, built):
    command = [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(built.parent)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as server:
        try:
            address = re.search(r"http://[\d.:]+", server.stdout.readline())[0]
            page = browser.new_page()
            page.goto(f"{address}/index.html")
            wait(page)
            assert page.inner_text("#status").startswith("Done")
            page.close()
        finally:
            server.kill()
