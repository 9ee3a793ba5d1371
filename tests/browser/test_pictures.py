"""Pictures as a browser shows them: every text inside its box, no line through a text, both colour schemes."""

import math

import pytest

import autograd as ag
import nn
from autograd import Value, draw
from demos.worked_example import network, recorded


def worked_example(**how):
    error = recorded(network(names=True))
    error.backward()
    return draw(error, **how)


def newton():
    a, x = Value(2.0, name="a"), Value(1.0, name="x0")
    for k in range(6):
        with ag.scope(f"step {k + 1}"):
            x = x - (x * x - a) / (2 * x)
    x.backward()
    return draw(x)


def names():
    """Names of wide letters, of other scripts, with indices, and very long ones."""
    long = "a quantity whose name nobody would write in a formula, because it does not fit " * 3
    given = [
        "WWWWWWWW",
        "MMM_WWW",
        "漢字漢字漢字",
        "名称_漢字",
        "W" * 60,
        long,
        "ﷺ",
        "👩‍👩‍👧‍👦",
        "x_1",
        "ЖЖЖЖЖЖ",
        "iiiiii",
        "ʹʹ",
        "q̈̃q̈̃",
    ]
    roots = []
    for name in given:
        x = Value(1.0, name=name)
        with ag.scope(name), ag.scope(name + name):
            y = ag.exp(x) * x + 1.5
            y.name = f"{name}_{name}"
        roots.append(y)
    y = ag.sum(roots)
    y.backward()
    return draw(y, collapse=False)


def numbers():
    """Numbers of every length, and those that are none."""
    xs = [
        Value(x, name=f"x{k}") for k, x in enumerate((-1.2345678e-123, 123456.7, math.nan, math.inf, -math.inf, 5e-324))
    ]
    y = ag.sum([x * x for x in xs] + [xs[0] * xs[1]])
    y.backward()
    return draw(y, digits=9, tangents=dict.fromkeys(xs, -1.23456789e-300))


def formulas():
    """Formulas of every length."""
    a, b = Value(0.3, name="first_argument"), Value(0.4, name="second_argument")
    y = ag.where(a > b, ag.logsumexp([a, b, a * b, a / b]), ag.normal_cdf(a)) ** 2 / ag.sqrt(a * a + b * b)
    z = ag.dot([a, b, y] * 5, [b, y, a] * 5, ag.softplus(y))
    z.backward()
    a.data = 5.0  # now a remark stands in it
    return draw(z)


def collapsed():
    model = nn.MLP(4, [16, 16, 3], rng=0, names=True)
    loss = ag.sum([y**2 for y in model([Value(0.1, name="i1"), 0.2, 0.3, 0.4])])
    loss.backward()
    return draw(loss, depth=0)


PICTURES = {
    "worked example": worked_example,
    "before backward": lambda: draw(recorded(network(names=True))),
    "unnamed": lambda: draw(recorded(network())),
    "newton": newton,
    "names": names,
    "numbers": numbers,
    "formulas": formulas,
    "collapsed": collapsed,
    "one leaf": lambda: draw(Value(1.0, name="a")),
}

# Texts that leave the rectangle of their group, and texts that lie on another text of it; measured in the picture.
MEASURE = """() => {
  const wrong = [];
  const inside = (t, r, what) => {
    if (t.x < r.x - 0.6 || t.x + t.width > r.x + r.width + 0.6 || t.y < r.y - 1 || t.y + t.height > r.y + r.height + 1)
      wrong.push([what, [t.x, t.y, t.width, t.height], [r.x, r.y, r.width, r.height]]);
  };
  for (const g of document.querySelectorAll(".node, .pill, .band, .block, .sheet")) {
    const frame = g.querySelector(":scope > .face") || g.querySelector(":scope > rect");
    const texts = [...g.querySelectorAll("text")].map(t => [t.textContent, t.getBBox()]);
    for (const [text, box] of texts) {
      inside(box, frame.getBBox(), text);
      for (const [other, b] of texts)
        if (Math.abs(box.y - b.y) < 6 && box.x < b.x && box.x + box.width > b.x) wrong.push([text, "lies on", other]);
    }
  }
  return wrong;
}"""


@pytest.mark.parametrize("name", PICTURES)
def test_every_text_fits(page, name):
    page.set_content(f"<body>{PICTURES[name]().svg()}</body>")
    assert page.evaluate("document.querySelectorAll('.node text').length") > 1
    assert page.evaluate(MEASURE) == []


def test_no_line_runs_through_a_text(page):
    """Every point of every line is outside all texts."""
    page.set_content(f"<body>{worked_example().svg()}</body>")
    crossed = page.evaluate(
        """() => {
        const found = [];
        const texts = [...document.querySelectorAll("text")].map(t => [t.textContent, t.getBBox()]);
        for (const wire of document.querySelectorAll(".wire")) {
          const length = wire.getTotalLength();
          for (let s = 0; s <= length; s += 2) {
            const p = wire.getPointAtLength(s);
            for (const [text, b] of texts)
              if (p.x > b.x && p.x < b.x + b.width && p.y > b.y + 2 && p.y < b.y + b.height - 2) found.push(text);
          }
        }
        return found;
      }"""
    )
    assert crossed == []


def test_light_and_dark(browser):
    """A picture has the colours of its surroundings, also as an image, where no page can style it."""
    for scheme, ground, ink in (
        ("light", "rgb(245, 246, 248)", "rgb(22, 27, 34)"),
        ("dark", "rgb(14, 18, 23)", "rgb(237, 241, 246)"),
    ):
        context = browser.new_context(offline=True, color_scheme=scheme)
        page = context.new_page()
        page.set_content(f"<body>{worked_example().svg()}</body>")
        fill = "q => getComputedStyle(document.querySelector(q)).fill"
        assert page.evaluate(fill, ".ground") == ground
        assert page.evaluate(fill, ".nm") == ink
        context.close()


def test_a_page_styles_a_picture_that_it_embeds(page):
    """Without its own stylesheet a picture takes the page's, which is the same file with its colours as variables."""
    error = recorded(network(names=True))
    error.backward()
    from autograd.drawing import picture
    from autograd.drawing.svg import sheet

    page.set_content(f"<style>{sheet()}</style><body>{picture([error]).svg(style=False)}</body>")
    assert page.evaluate("getComputedStyle(document.querySelector('.nm')).fill") == "rgb(22, 27, 34)"
    assert page.evaluate("document.querySelectorAll('.graph style').length") == 0
    assert page.evaluate(MEASURE) == []
