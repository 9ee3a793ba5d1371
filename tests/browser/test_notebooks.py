"""A notebook is run, made into a page, and looked at in a browser without a network."""

import warnings
from ast import literal_eval
from textwrap import dedent

import pytest

from autograd import Value, lesson, steps

from .node import missing

SETUP = """
    import sys
    sys.modules["ipywidgets"] = None  # as where it is not installed
    import autograd as ag
    import nn
    from autograd import Value, draw, explain, gradcheck, steps
    from autograd.bars import bar
    from nn import optim
"""
CELLS = {
    "lesson": """
        from demos import worked_example
        model = worked_example.network(names=True)
        loss = worked_example.recorded(model)
        optimizer = optim.SGD(model.parameters(), lr=0.5)
        steps(loss, optimizer)
    """,
    "value": "loss",
    "model": "model",
    "optimizer": "optimizer",
    "interactive": """
        x, y = Value(2.0, name="x"), Value(0.5, name="y")
        z = ag.sin(x * y) + x**2
        z.name = "z"
        z.backward(3.0)
        drawing = draw(z, interactive=True)
        drawing
    """,
    "gradients": "x.grad / z.grad, y.grad / z.grad, z.grad",
    "picture": "draw(z)",
    "explanation": "explain(z, x)",
    "history": """
        points = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        model = nn.MLP(2, [4, 1], activation="tanh")
        nn.fit(model, *points, loss="bce_with_logits", epochs=300, compiled=False, progress=False)
    """,
    "gradcheck": "gradcheck(lambda a: ag.log(a) / a, 2.0)",
    "progress": """
        for _ in bar(range(3), "counting"):
            pass
    """,
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook as it is after all of its cells ran; by name the cells."""
    try:
        with warnings.catch_warnings():  # nbclient parses a date when it is imported
            warnings.filterwarnings("ignore", "Parsing dates involving a day of month without a year")
            import nbclient
        from nbformat import v4
    except ImportError:
        missing("this test needs Jupyter's packages: pip install -e '.[notebook]'")
    folder = tmp_path_factory.mktemp("notebook")
    book = v4.new_notebook(cells=[v4.new_code_cell(dedent(cell).strip()) for cell in (SETUP, *CELLS.values())])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / name))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(book, timeout=120, kernel_name="python3", resources=resources).execute()
    return book


@pytest.fixture(scope="module", params=["light", "dark"])
def address(notebook, request, tmp_path_factory):
    """The notebook as a page, in Jupyter's light and dark colours; Jupyter's own scripts from the network left out."""
    from nbconvert import HTMLExporter

    scripts = {f"{name}_url": "" for name in ("mathjax", "require_js", "jquery", "mermaid_js")}
    written, _ = HTMLExporter(theme=request.param, **scripts).from_notebook_node(notebook)
    path = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    path.write_text(written, encoding="utf-8")
    return request.param, path.as_uri()


@pytest.fixture
def shown(page, address):
    """The page, opened; and each cell's output in it."""
    theme, uri = address
    page.emulate_media(color_scheme=theme)
    page.goto(uri)
    cells = page.locator(".jp-CodeCell").all()
    return page, dict(zip(("setup", *CELLS), cells, strict=True))


def outputs(notebook, name):
    return notebook.cells[1 + list(CELLS).index(name)].outputs


def frame(cell):
    """The document inside the iframe of a cell."""
    element = cell.locator("iframe")
    element.scroll_into_view_if_needed()
    inside = element.element_handle().content_frame()
    inside.wait_for_selector("html[data-step='1']", state="attached")
    return inside


def test_the_lesson_steps_with_the_keyboard(shown):
    page, cells = shown
    for name, count in (("lesson", "55"), ("interactive", "10")):
        inside = frame(cells[name])
        assert inside.evaluate("document.documentElement.dataset.steps") == count
        inside.locator("#card").click()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        assert inside.evaluate("document.documentElement.dataset.step") == "3"
        page.keyboard.press("End")
        assert inside.evaluate("document.documentElement.dataset.step") == count


def test_the_frame_shows_the_picture_and_the_whole_card(shown):
    page, cells = shown
    for width in (1280, 1000):
        page.set_viewport_size({"width": width, "height": 800})
        for name in ("lesson", "interactive"):
            inside = frame(cells[name])
            bottom = inside.evaluate("document.querySelector('#card').getBoundingClientRect().bottom")
            height = inside.evaluate("innerHeight")
            assert height - 130 < bottom < height


GROUND = {"light": "rgb(245, 246, 248)", "dark": "rgb(14, 18, 23)"}


@pytest.mark.parametrize("machine", ["light", "dark"])
def test_the_lesson_has_the_colours_of_the_notebook_whatever_those_of_the_machine_are(page, address, machine):
    theme, uri = address
    page.emulate_media(color_scheme=machine)
    page.goto(uri)
    ground = frame(page.locator(".jp-CodeCell").nth(1)).evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == GROUND[theme]


@pytest.mark.parametrize(
    ("ink", "ground"), [("oklch(0.95 0.01 200)", "dark"), ("color(srgb 0.1 0.1 0.1)", "light"), ("#ddd", "dark")]
)
def test_the_colour_of_the_text_around_may_be_in_any_notation(page, ink, ground):
    x = Value(3.0, name="x")
    page.set_content(f'<body style="color: {ink}">{lesson.frame(steps(x * x))}')
    inside = frame(page.locator("body"))
    assert inside.evaluate("getComputedStyle(document.body).backgroundColor") == GROUND[ground]


def test_drawing_interactively_changes_no_gradient(notebook):
    (result,) = outputs(notebook, "gradients")
    by_x, by_y, by_z = literal_eval(result["data"]["text/plain"])
    assert (by_x, by_y) == pytest.approx((4.270151152934, 1.080604611736))
    assert by_z == 3.0
    data = outputs(notebook, "interactive")[0]["data"]
    assert set(data) == {"text/html", "image/svg+xml", "text/plain"}


def test_every_result_is_shown(shown):
    _, cells = shown
    result = ".jp-OutputArea-output.jp-OutputArea-executeResult"
    seen = {name: cells[name].locator(result).inner_text() for name in CELLS if name != "progress"}
    assert seen["value"].split() == ["E", "=", "0.298371", "Eo1", "+", "Eo2", "gradient", "1"]
    for text in ("MLP", "8 parameters, 2 fixed", "2 → 2", "sigmoid"):
        assert text in seen["model"]
    for text in ("SGD", "8 parameters", "w ← w − η·g", "lr η 0.5"):
        assert text in seen["optimizer"]
    assert "300 epochs" in seen["history"]
    assert "✓ gradcheck: pass" in " ".join(seen["gradcheck"].split())
    assert "Chain rule" in seen["explanation"]
    assert cells["explanation"].locator("math").count() > 0
    for name in ("history", "picture"):
        box = cells[name].locator(".jp-OutputArea-output :is(svg, img)").last.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 80


def test_texts_can_be_read_on_light_and_on_dark_ground(shown):
    """The contrast of every text with what is behind it is that of WCAG's level AA, 4.5."""
    _, cells = shown
    for name in ("value", "model", "optimizer", "history", "gradcheck"):
        for element in cells[name].locator(".jp-OutputArea-output span, .jp-OutputArea-output td").all():
            assert element.evaluate(CONTRAST) >= 4.5, (name, element.inner_text())


CONTRAST = """(element) => {
    const parsed = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const mixed = (over, share, under) => over.slice(0, 3).map((x, k) => share * x + (1 - share) * under[k]);
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at));
    let ground = [255, 255, 255], opacity = 1;
    for (const style of chain) {
        const [r, g, b, share = 1] = parsed(style.backgroundColor);
        ground = mixed([r, g, b], share, ground);
        opacity *= Number(style.opacity);
    }
    const ink = mixed(parsed(getComputedStyle(element).color), opacity, ground);
    const light = (rgb) => {
        const [r, g, b] = rgb.map((x) => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [high, low] = [light(ink), light(ground)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
}"""


def test_a_progress_bar_in_a_notebook_needs_no_ipywidgets_and_warns_of_nothing(notebook):
    said = "".join(output["text"] for output in outputs(notebook, "progress"))
    assert "counting" in said
    assert "Warning" not in said
    assert "ipywidgets" not in str([cell.outputs for cell in notebook.cells])
