"""The lesson page in a browser: every step of the worked example, what a person can do there, and odd graphs."""

import json
import math
import random

import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.lesson import page as lesson_page
from demos import worked_example
from nn import optim


def recorded():
    model = worked_example.network(names=True)
    return ag.steps(worked_example.recorded(model), optim.SGD(model.parameters(), lr=0.5))


@pytest.fixture(scope="module")
def log():
    return recorded()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("lesson") / "lesson.html"
    assert recorded().save(path) == path
    assert path.stat().st_size < 1_000_000
    return path.as_uri()


@pytest.fixture
def shown(page, tmp_path):
    """Opens the lesson of a log."""

    def open_(log, **settings):
        path = tmp_path / "shown.html"
        path.write_text(lesson_page(log, **settings), encoding="utf-8")
        page.goto(path.as_uri())
        return page

    return open_


def state(page):
    """All that the picture, the table and the card show."""
    return page.evaluate(
        """() => [...document.querySelectorAll("svg.graph g, svg.graph text, #leaves td, #card")]
            .map((e) => `${e.getAttribute("class")} ${e.tagName === "g" ? "" : e.textContent}`)"""
    )


def wait(page, condition):
    """Wait until a condition holds in the page."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never came true: {condition}")


def slide(page, selector, value):
    """Move a slider."""
    move = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    page.locator(selector).evaluate(move, value)


def current(page):
    return page.evaluate("[...document.querySelectorAll('g.node.current')].map((g) => g.dataset.node)")


def test_every_step_forward_and_back(page, address, log):
    page.goto(address)
    index = {node: k for k, node in enumerate(log.order)}
    labels = {log.names.label(node).text: f"n{k}" for node, k in index.items()}
    assert page.evaluate("document.documentElement.dataset.steps") == str(len(log)) == "55"
    seen = []
    for k, event in enumerate(log, 1):
        assert page.evaluate("document.documentElement.dataset.step") == str(k)
        at = event.input if event.sweep == "backward" else event.node
        assert set(current(page)) == {labels[at]}
        number = event.total if event.sweep == "backward" else event.result if event.sweep == "forward" else event.new
        text = page.locator("#card .res mn").last.text_content().replace("−", "-")
        assert float(text) == pytest.approx(number, rel=1e-5)
        seen.append(state(page))
        if k < len(log):
            page.keyboard.press("ArrowRight")
    for k in range(len(log) - 1, 0, -1):
        page.keyboard.press("ArrowLeft")
        assert state(page) == seen[k - 1]


def test_what_is_not_computed_yet_is_blank(page, address, log):
    page.goto(address + "#step=3")
    operations = sum(node.op is not None for node in log.order)
    visited = page.evaluate("document.querySelectorAll('g.node.op.visited, g.node.result.visited').length")
    assert visited == 3
    blank = page.evaluate(
        "[...document.querySelectorAll('.op .val, .result .val')].filter((text) => !text.textContent).length"
    )
    assert blank == operations - 3
    assert page.evaluate("[...document.querySelectorAll('.gv')].every((t) => t.textContent === '')")
    page.goto(address + "#step=16")
    assert page.evaluate("document.querySelectorAll('.has-grad').length") == 2  # the result and one input


def test_the_order_of_arrival_at_a_fan_in(page, address):
    page.goto(address + "#step=33")
    text = page.inner_text("#card")
    assert "2 of 2 contributions have arrived" in text
    assert text.index("−0.0190491") < text.index("+ 0.0553994") < text.index("= 0.0363503")


def test_editing_a_leaf_gives_the_engines_numbers(page, address, log):
    page.goto(address + "#step=47")
    w5 = next(k for k, node in enumerate(log.order) if node.name == "w5")
    page.fill(f"#leaves input[data-node=n{w5}]", "0.5")
    page.keyboard.press("Enter")
    model = worked_example.network(names=True)
    model.layers[1].neurons[0].weights[0].data = 0.5
    error = worked_example.recorded(model)
    error.backward()
    got = page.evaluate("({values: lesson.run.values, gradients: lesson.run.gradients})")
    order = ag.topological(error)
    assert got["values"] == pytest.approx([node.data for node in order], rel=1e-15)
    assert got["gradients"] == pytest.approx([node.grad for node in order], rel=1e-14)
    assert "0.306524" in page.inner_text("#card")
    assert page.evaluate("document.querySelectorAll('g.node.changed').length") > 5
    page.click("#leaves [data-act=reset]")
    assert page.evaluate("document.querySelectorAll('g.node.changed').length") == 0


def test_the_slider_and_the_arrow_keys_edit_too(page, address):
    page.goto(address + "#step=47")
    page.click("#leaves input[data-node=n0]")
    slide(page, "#slider", 1)
    assert page.evaluate("lesson.run.values[0]") == 1
    page.focus("#leaves input[data-node=n0]")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("lesson.run.values[0]") == pytest.approx(1.1)


def test_the_slider_is_dragged_with_the_mouse(page, address):
    page.goto(address + "#step=47")
    page.click("#leaves input[data-node=n0]")
    box = page.locator("#slider").bounding_box()
    at = lambda part: (box["x"] + part * box["width"], box["y"] + box["height"] / 2)
    page.mouse.move(*at(0.6))
    page.mouse.down()
    seen = []
    for part in (0.7, 0.8, 0.9):
        page.mouse.move(*at(part))
        seen.append(page.evaluate("lesson.run.values[0]"))
    page.mouse.up()
    assert 0.4 < seen[0] < seen[1] < seen[2] < 1.4


def test_what_a_person_types_stays(page, address):
    page.goto(address + "#step=47")
    page.fill("#leaves input[data-node=n0]", "7")
    page.keyboard.press("Escape")  # the number that was there
    assert page.evaluate("lesson.run.values[0]") == 0.4
    assert page.input_value("#leaves input[data-node=n0]") == "0.4"
    page.keyboard.press("2")
    page.fill("#guess", "0.1")
    page.set_viewport_size({"width": 1280, "height": 500})  # a keyboard on the screen opens
    wait(page, "innerHeight === 500")
    assert page.input_value("#guess") == "0.1"
    assert page.evaluate("document.activeElement.id") == "guess"


def test_other_numbers_are_asked_for_again(page, address):
    page.goto(address + "#step=1")
    page.keyboard.press("2")
    page.click("[data-guess=hint]")
    page.click("[data-guess=hint]")
    assert page.inner_text("#verdict") == "0.15·0.05 + 0.2·0.1 + 0.35"
    page.click("[data-guess=show]")
    assert page.locator("#guess").count() == 0
    page.fill("#leaves input[data-node=n0]", "7")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    assert page.locator("#guess").count() == 1


def test_tooltips_say_what_is_known(page, address, log):
    page.goto(address + "#step=1")
    index = {log.names.label(node).text: k for k, node in enumerate(log.order)}
    node = page.locator(f"g#n{index['net_o1']}")
    title = lambda: node.locator("title").text_content()
    node.hover()
    assert title() == "net_o1 = w5·out_h1 + w6·out_h2 + b2"
    page.keyboard.press("End")
    page.hover("#title")
    node.hover()
    x = next(x for x in log.order if log.names.label(x).text == "net_o1")
    assert title() == f"net_o1 = w5·out_h1 + w6·out_h2 + b2 = {x.data!r}\ngradient {x.grad!r}"


def test_a_training_step_in_the_page_is_that_of_the_engine(page, address):
    page.goto(address)
    model = worked_example.network(names=True)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    for _ in range(3):
        page.click("#leaves [data-act=step]")
        optimizer.zero_grad()
        worked_example.recorded(model).backward()
        optimizer.step()
    got = page.evaluate("lesson.run.values")
    assert got == pytest.approx([node.data for node in ag.topological(worked_example.recorded(model))], rel=1e-13)
    page.click("#leaves [data-act=train]")
    wait(page, "lesson.trial.steps === 103")
    assert page.evaluate("lesson.leaves.curve.length") == 104
    assert "103" in page.inner_text("#leaves .curve")


@pytest.mark.parametrize(
    "make", [lambda p: optim.Adam(p, lr=0.1), lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)]
)
def test_optimisers_with_a_memory_go_on_in_the_page(shown, make):
    model = worked_example.network(names=True)
    optimizer = make(model.parameters())
    for _ in range(2):  # it has made steps before the log begins
        worked_example.recorded(model).backward()
        optimizer.step()
        optimizer.zero_grad()
    page = shown(ag.steps(worked_example.recorded(model), optimizer))
    for _ in range(3):
        page.click("#leaves [data-act=step]")
    for _ in range(2):
        optimizer.zero_grad()
        worked_example.recorded(model).backward()
        optimizer.step()
    wanted = [node.data for node in ag.topological(worked_example.recorded(model))]
    assert page.evaluate("lesson.run.values") == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW])
def test_the_numbers_of_an_update_lead_to_its_result(shown, kind):
    model = worked_example.network(names=True)
    page = shown(ag.steps(lambda: worked_example.recorded(model), kind(model.parameters(), lr=0.1), updates=3))
    slide(page, "#updates input", 2)
    page.keyboard.press("End")
    rows = page.locator("#card .fx").all_text_contents()
    for row in rows[:-1]:  # what is computed before
        assert row.count("=") == 3
    assert [row[:2] for row in rows[-3:-1]] == ["m̂", "v̂"]
    event = page.evaluate("lesson.run.events.at(-1)")
    texts = page.locator("#card .fx").last.locator("mtr.n mn").all_text_contents()
    w, lr, m, v, eps = (float(x.replace("−", "-").replace("×10⁻⁸", "e-8")) for x in texts)
    assert w - lr * m / (math.sqrt(v) + eps) == pytest.approx(event["result"], rel=1e-4)


def test_asking_ends_at_the_step_at_which_it_began(page, address):
    page.goto(address + "#step=5")
    page.keyboard.press("3")
    assert page.evaluate("document.documentElement.dataset.step") == "47"
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.dataset.step") == "5"
    page.keyboard.press("3")
    page.click("#card [data-ask]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.documentElement.dataset.step") == "6"


def test_asking_for_paths(page, address, log):
    page.goto(address + "#ask=w1,E")
    text = page.inner_text("#card")
    assert "2 paths" in text
    assert "0.000438568" in text
    assert "0.000668396" in text
    assert "−0.000229828" in text
    page.click("#card summary")
    for line in str(ag.explain(log.order[-1], "w1")).splitlines()[:4]:
        assert line in page.inner_text("#card pre")
    assert page.evaluate("document.querySelectorAll('g.edge.both').length") == 2  # w1 → net_h1 → out_h1
    assert page.evaluate("document.querySelectorAll('g.node.off').length") > 5
    page.keyboard.press("Escape")
    assert page.evaluate("document.querySelectorAll('g.node.off').length") == 0


def test_clicking_a_node_and_then_another(page, address, log):
    page.goto(address + "#step=47")
    w5 = next(k for k, node in enumerate(log.order) if node.name == "w5")
    page.click(f"g#n{w5} .nm")
    assert "If w5 grows by 0.001" in page.inner_text("#card").replace("\n", "")
    page.click(f"g#n{len(log.order) - 1} .nm")
    assert "1 path" in page.inner_text("#card")


def test_predicting(page, address, log):
    page.goto(address + "#step=5")
    page.keyboard.press("2")
    assert page.text_content("g.node.current .val") == "?"
    assert "1.10591" not in page.inner_text("body")
    for wrong, said in (("2", "too large"), ("0.1", "too small"), ("-1.1", "sign is wrong"), ("a", "no number")):
        page.fill("#guess", wrong)
        page.keyboard.press("Enter")
        assert said in page.inner_text("#verdict")
    page.fill("#guess", "0,4*0.59327 + 0.45*0.596884 + 0.6")
    page.click("[data-guess=check]")
    assert "Right." in page.inner_text("#card")
    assert "0 of 1 at first try" in page.inner_text("#card")
    page.keyboard.press("ArrowRight")
    page.fill("#guess", str(log[5].result))
    page.keyboard.press("Enter")
    assert "1 of 2 at first try" in page.inner_text("#card")


def test_the_language_is_switched_in_the_page(page, address):
    page.goto(address + "#step=33")
    page.click("#language")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert "E 是怎样算出来的" in page.inner_text("#title").replace("\n", "")
    card = page.inner_text("#card")
    assert "反向传播" in card
    assert "累计和" in card
    assert page.locator("#pane svg g[data-scope] > text").all_text_contents()[0] == "隐藏层"
    assert set(page.locator("#pane svg text.gl").all_text_contents()) == {"◂", "◂ 梯度"}
    page.click("#language")
    assert page.locator("#pane svg g[data-scope] > text").all_text_contents()[0] == "hidden layer"
    assert set(page.locator("#pane svg text.gl").all_text_contents()) == {"◂", "◂ grad"}
    assert "Backward" in page.inner_text("#card")


def test_a_page_can_start_in_chinese(shown, log):
    page = shown(log, lang="zh")
    assert "前向传播" in page.inner_text("#card")
    with pytest.raises(ag.ArgumentError, match="'en' or 'zh'"):
        shown(log, lang="xx")


def test_no_request_leaves_the_page(browser, address):
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    for key in ("ArrowRight", "End", "Home", "2", "3", "1"):
        page.keyboard.press(key)
    page.click("#language")
    context.close()
    assert [url for url in asked if not url.startswith(address.split("#")[0])] == []


@pytest.mark.parametrize("width", [1280, 850, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_width_and_is_accessible(browser, address, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for where in ("#step=5", "#step=33", "#step=52", "#ask=w1,E"):
        page.goto("about:blank")
        page.goto(address + where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        serious = [(x["id"], x["nodes"][0]["html"]) for x in found if x["impact"] in ("serious", "critical")]
        assert serious == []
    context.close()


def test_without_javascript_everything_is_there_as_text(browser, address, log):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    text = page.inner_text("#paper")
    for line in str(log).splitlines():
        assert line.strip() in text
    assert page.is_visible("svg.graph")
    assert not page.is_visible("#player")
    context.close()


def test_moving_by_keys_buttons_and_the_address(page, address):
    page.goto(address)
    step = lambda: page.evaluate("document.documentElement.dataset.step")
    for key, wanted in (("End", "55"), ("Home", "1"), ("Shift+ArrowRight", "16"), ("Shift+ArrowRight", "48"),
                        ("Shift+ArrowLeft", "16"), ("ArrowDown", "18"), ("ArrowUp", "16")):  # fmt: skip
        page.keyboard.press(key)
        assert step() == wanted, key
    page.keyboard.press("/")
    page.fill("#search", "net_o1")
    page.keyboard.press("Enter")
    assert step() == "5"
    assert page.evaluate("location.hash") == "#step=5"
    page.click("[data-go=next]")
    assert step() == "6"
    page.fill("#step", "40")
    page.keyboard.press("Enter")
    assert step() == "40"
    page.evaluate("location.hash = '#step=12'")
    wait(page, "document.documentElement.dataset.step === '12'")
    page.evaluate("location.hash = '#step=999'")
    wait(page, "document.documentElement.dataset.step === '55'")


def test_playing_reaches_the_end_and_stops(page, address):
    page.goto(address + "#step=53")
    for _ in range(2):
        page.click("[data-go=speed]")
    page.click("#title")
    page.keyboard.press("Space")
    wait(page, "document.documentElement.dataset.step === '55' && !document.body.classList.contains('playing')")


def test_scopes_open_and_close(page, address, log):
    page.goto(address + "#step=33")
    nodes = page.evaluate("new Set([...document.querySelectorAll('g.node')].map((g) => g.dataset.node)).size")
    assert nodes == len(log.order)
    page.click("#close")
    assert page.evaluate("document.querySelectorAll('g.sheet').length") == 4
    assert "of 27 nodes" in page.inner_text("#notice")
    page.keyboard.press("Home")
    assert page.evaluate("document.querySelectorAll('g.sheet.current').length") == 1  # net_h1 is inside of it
    page.click("g.sheet .nm")
    assert page.evaluate("document.querySelectorAll('g.sheet').length") == 0
    page.click("g.band > text")
    assert page.evaluate("document.querySelectorAll('g.sheet').length") == 2


def test_lines_and_boxes_that_stand_for_several(shown):
    rng = random.Random(1)
    leaves = [Value(rng.uniform(-1, 1), name=f"x{k}") for k in range(14)]
    y = ag.dot(leaves[:12], [rng.uniform(0.1, 1) for _ in range(12)]) * leaves[12] + leaves[13]
    page = shown(ag.steps(y))
    assert page.evaluate("document.querySelectorAll('g.sheet:not(.visited)').length") == 0
    members = page.evaluate(
        """lesson.picture.drawn.filter((one) => one.element.classList.contains("sheet")).map((one) => one.members)"""
    )
    assert members
    assert all(len(nodes) > 1 for nodes in members)
    page.keyboard.press("End")
    page.locator("g.sheet").first.click()
    texts = page.locator("g.pill text").all_text_contents()
    page.evaluate("lesson.edit(0); lesson.commit(0, '5')")
    more = [text for text in texts if text.startswith("+")]
    assert more
    assert [text for text in page.locator("g.pill text").all_text_contents() if text.startswith("+")] == more


def test_a_large_graph_begins_with_its_scopes_closed(shown):
    x, y = Value(1.1, name="x"), Value(0.0)
    for k in range(1, 101):
        with ag.scope(f"step {k}"):
            y = (y * x).tanh() + x * 0.5
    page = shown(ag.steps(y))
    assert "step 1 … step 100" in page.inner_html("svg.graph")
    page.keyboard.press("End")
    assert page.evaluate("document.querySelectorAll('g.sheet.visited').length") == 1
    assert page.inner_text("#card")


def test_a_graph_that_is_too_large_for_a_picture_has_its_log(shown):
    y = Value(0.5, name="x")
    for _ in range(2500):
        y = y.sin()
    page = shown(ag.steps(y))
    assert "2,501 nodes" in page.inner_text("#pane")
    page.keyboard.press("End")
    assert page.locator("#card .res mn").last.text_content().startswith("0.")
    page.keyboard.press("3")
    page.click("#card [data-ask]")
    assert "1 path" in page.inner_text("#card")


def test_hostile_names_are_only_text(shown):
    names = [
        "<script>alert(1)</script>",
        "\"'>&<b>",
        "a‮b⁦c",
        "</script><img src=x onerror=alert(1)>",
        "\\u003c",
        "x" * 10_000,
    ]
    y = Value(1.0, name="[[data]]")
    for k, name in enumerate(names):
        with ag.scope(name):
            y = y * Value(1.0 + k, name=name)
    page = shown(ag.steps(y))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for _ in range(len(names) + 3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelectorAll('#card img, #leaves img, svg img, #card script').length") == 0
    page.keyboard.press("3")
    page.click("g.node .nm")


def test_a_dead_relu_is_explained(shown):
    x, w = Value(-3.0, name="x"), Value(0.5, name="w")
    z = (x * w).relu() * 2
    z.name = "z"
    page = shown(ag.steps(z))
    assert page.inner_text("#leaves tbody tr:last-child .g") == ""
    page.keyboard.press("End")
    assert page.inner_text("#leaves tbody tr:last-child .g") == "0"
    page.click("g.leaf[data-node=n1] .nm")
    page.click("#card [data-ask]")
    assert "(a dead relu)" in page.inner_text("#card .warn")
    assert page.inner_text("#card .blame .x") == "0"
    page.fill("#leaves input[data-node=n1]", "-2")  # the relu is alive now
    page.keyboard.press("Enter")
    page.evaluate("lesson.askAbout(0); lesson.askAbout(lesson.graph.root)")
    assert page.locator("#card .warn, #card details").count() == 0


def test_nan_infinity_and_domains(shown):
    x, y = Value(1.0, name="x"), Value(0.0, name="y")
    z = (x * math.inf) * y
    page = shown(ag.steps(z))
    page.keyboard.press("ArrowRight")
    assert "nan" in page.inner_text("#card .res")
    assert "⚠" in page.inner_text("#card")
    x = Value(1.0, name="x")
    z = x.log() * 2
    page = shown(ag.steps(z))
    page.fill("#leaves input[data-node=n0]", "-1")
    page.keyboard.press("Enter")
    with pytest.raises(ag.DomainError) as error:
        Value(-1.0, name="x").log()
    assert str(error.value).split(" at ")[0] in page.inner_text("#refusal")
    assert page.evaluate("lesson.run.values[0]") == 1  # the last good state stays
    assert 0 < float(page.get_attribute("#slider", "min")) < 1e-5
    assert page.get_attribute("#slider", "max") == "3"


def test_a_leaf_that_cannot_be_edited_says_why(shown):
    x, y = Value(1.5, name="x"), Value(2.0, name="y")
    page = shown(ag.steps(x.gamma() * y))
    assert page.get_attribute("#leaves .lock", "title") == "No JavaScript rule for gamma."
    assert page.evaluate("document.querySelectorAll('#leaves input').length") == 1


def test_no_training_where_the_page_cannot_compute(shown):
    x, w = Value(1.5, name="x"), Value(0.7, name="w")
    page = shown(ag.steps(lambda: (x * w).gamma() + w, optim.SGD([w], lr=0.1), updates=2))
    assert page.evaluate("document.querySelectorAll('[data-act=step], [data-act=train]').length") == 0
    slide(page, "#updates input", 2)
    assert page.evaluate("document.documentElement.dataset.step") == "1"


def test_a_parameter_that_is_not_part_of_the_graph(shown):
    a, b, c = Value(1.0, name="a"), Value(2.0, name="b"), Value(3.0, name="c<d")
    log = ag.steps(a * b, optim.SGD([c, a], lr=0.1, weight_decay=0.5))
    page = shown(log)
    for k, event in enumerate(log, 1):
        assert page.evaluate("document.documentElement.dataset.step") == str(k)
        if event.sweep == "update" and event.node == "c<d":
            text = page.inner_text("#card")
            assert "c<d is not part of this graph." in text
            assert "2.85" in text
        page.keyboard.press("ArrowRight")
    page.keyboard.press("2")
    page.keyboard.press("3")


def test_a_graph_of_one_leaf(shown):
    page = shown(ag.steps(Value(2.0, name="x")))
    assert page.evaluate("document.documentElement.dataset.steps") == "0"
    for key in ("ArrowRight", "End", "Space", "2", "3", "1", "Home"):
        page.keyboard.press(key)


def test_several_updates_have_a_curve(shown):
    model = nn.MLP(2, [1], output_activation="sigmoid")
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    log = ag.steps(lambda: nn.half_squared_error(model([1.0, 0.5]), [1.0]), optimizer, updates=5)
    page = shown(log)
    slide(page, "#updates input", 4)
    assert "4 / 5" in page.inner_text("#updates output")
    assert page.evaluate("lesson.run.values").count(log.updates[3].loss) >= 1
    assert page.evaluate("lesson.run.gradients.length") == len(log.order)


def test_partials_of_a_later_update_where_the_sweep_does_not_go(shown):
    x, w, b = Value(1.0, name="x"), Value(0.4, name="w"), Value(-0.1, name="b")
    optimizer = optim.SGD([w, b], lr=0.5)
    loss = lambda: (w * x + b).relu() * w.tanh() + w * w
    page = shown(ag.steps(loss, optimizer, updates=2))
    optimizer.zero_grad()
    for value, start in ((w, 0.4), (b, -0.1)):
        value.data = start
    for _ in range(2):
        optimizer.zero_grad()
        z = loss()
        z.backward()
        wanted = [partial for node in ag.topological(z) for partial in node.partials]
        optimizer.step()
    slide(page, "#updates input", 2)
    assert page.evaluate("lesson.run.partials") == pytest.approx(wanted, rel=1e-14)


def test_labels_that_are_not_unique_have_numbers_in_the_address(shown):
    a, b = Value(2.0), Value(3.0)
    x, y = Value(1.0, name="x"), Value(1.5, name="x")
    page = shown(ag.steps(ag.maximum(a, b) * x * y))
    for k in (0, 2, 3):
        page.evaluate(f"lesson.asked = []; lesson.mode = 'watch'; lesson.askAbout({k})")
        page.evaluate("lesson.asked = []; lesson.follow()")
        assert page.evaluate("lesson.asked") == [k]


def test_paper_shows_the_finished_graph(page, address, log):
    page.goto(address + "#step=1")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('g.node:not(.visited), g.node:not(.has-grad)').length") == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('g.node.has-grad').length") == 0


def test_the_log_can_be_saved_from_the_page(page, address, tmp_path):
    page.goto(address)
    page.click("#export")
    with page.expect_download() as download:
        page.click("[data-export=json]")
    download.value.save_as(tmp_path / "run.json")
    assert ag.Log.load(tmp_path / "run.json").verify()
    with page.expect_download() as download:
        page.click("[data-export=svg]")
    download.value.save_as(tmp_path / "state.svg")
    saved = (tmp_path / "state.svg").read_text(encoding="utf-8")
    assert saved.startswith("<svg")
    assert "transform: translate" not in saved.partition(">")[0]  # the place of the picture in the page


def test_too_large_logs_are_refused_with_advice(monkeypatch, log):
    monkeypatch.setattr("autograd.lesson.MOST_EVENTS", 10)
    with pytest.raises(ag.ArgumentError, match=r"55 events.*json"):
        lesson_page(log)


def test_a_page_that_cannot_be_written(log, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        log.save(tmp_path / "nowhere" / "lesson.html")


def test_the_page_holds_the_log(log, tmp_path):
    text = lesson_page(log)
    start = text.index('id="record">') + len('id="record">')
    record = json.loads(text[start : text.index("</script>", start)])
    assert record["format"] == "autograd-log"
