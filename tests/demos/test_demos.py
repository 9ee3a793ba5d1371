"""Every demo runs from the command line, and the statements of README are true."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.catalogue import catalogue
from demos.__main__ import main, names
from demos.tutorials import FIGURES, printed

ROOT = Path(__file__).parents[2]

QUICK = {
    "worked_example": ["--iterations", "20"],
    "xor": ["--iterations", "200", "--seeds", "2"],
    "moons": ["--iterations", "3"],
    "breast_cancer": ["--epochs", "1"],
    "two_layer_net": ["--epochs", "1", "--check", "5"],
}


@pytest.mark.parametrize("name", names())
def test_it_runs_and_says_where_its_pictures_are(name, tmp_path, capsys):
    assert main([name, "--out", str(tmp_path), *QUICK.get(name, [])]) == 0
    said = capsys.readouterr().out
    for path in re.findall(r"picture: (\S+)", said):
        assert Path(path).stat().st_size > 500
    assert "picture:" in said


def test_the_list(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in names():
        assert name in said


def said_by(name, tmp_path, capsys, *more):
    assert main([name, "--out", str(tmp_path), *more]) == 0
    return capsys.readouterr().out


CLAIM = re.compile(r"tutorial (\d\d\d): (\S+) +([✓✗])")


@pytest.mark.parametrize("name", names())
def test_every_figure_that_is_claimed_is_one_that_a_tutorial_prints(name, tmp_path, capsys):
    said = said_by(name, tmp_path, capsys, *QUICK.get(name, []))
    known = {(found.tutorial, found.text) for found in FIGURES}
    claims = CLAIM.findall(said)
    assert {(tutorial, text) for tutorial, text, _ in claims} <= known
    assert len(claims) == said.count("✓") + said.count("✗")  # no mark without a claim
    assert "tutorial:" not in said


def test_a_claim_that_no_tutorial_makes_is_refused():
    assert printed("000", "0.3775").line == 50
    for tutorial, text in (("004", "715"), ("000", "0.377"), ("003", "0.593269992"), ("002", "60.000000585837824")):
        with pytest.raises(LookupError, match="prints no"):
            printed(tutorial, text)


def test_every_figure_of_the_tutorials_is_shown_by_some_demo(tmp_path, capsys):
    shown = set()
    for name in ("worked_example", "linear_2_3_1", "layers"):
        shown |= {(tutorial, text) for tutorial, text, _ in CLAIM.findall(said_by(name, tmp_path, capsys))}
    assert {(found.tutorial, found.text) for found in FIGURES} - shown == {("002", "120"), ("003", "5")}


def test_the_worked_example_says_both_update_orders(tmp_path, capsys):
    said = said_by("worked_example", tmp_path, capsys)
    for figure in ("3.510187782978859e-05", "3.5084786296312774e-05", "0.291027924", "simultaneous", "sequential"):
        assert figure in said
    wrong = [text for _, text, mark in CLAIM.findall(said) if mark == "✗"]
    simultaneous = ["0.291027924", "0.000035085", "0.015912196", "0.984065734"]
    assert wrong == ["0.75136079", "-0.019049119", "0.3589164795", *simultaneous]
    assert said.count("cut off, not rounded") == 8
    code = said[said.index("towards 0.01 and 0.09") :]
    assert "0.496045683002102" in code
    assert "1.81024473635113" in code
    assert not CLAIM.search(code)
    assert "4.4186" in said  # net_o1 with 6 in the place of w6


def test_the_linear_nets_figures():
    from demos.linear_2_3_1 import in_pytorch, in_single_precision, trajectory

    right, single = trajectory(), in_single_precision()
    assert right[:2] == pytest.approx([180.0, 140.3136], rel=1e-14)
    assert 0.5 * (60 - right[1]) ** 2 == pytest.approx(3225.13717248, rel=1e-12)
    assert right[100] == pytest.approx(60.000000585837824, rel=1e-14)
    assert trajectory(1, first_layer_learns=False)[1] == pytest.approx(167.04)
    assert single == pytest.approx(right, rel=1e-6)
    assert single[100] == in_single_precision(400)[400] == 60.0000114440918
    torch = pytest.importorskip("torch")
    assert torch
    assert in_pytorch(dtype="float64") == pytest.approx(right, rel=1e-12)
    assert in_pytorch() == pytest.approx(single, rel=1e-6)


def test_the_simple_version_that_writes_z_1_three_times():
    from demos.linear_2_3_1 import INPUTS, network, overwritten
    from nn import half_squared_error, optim

    model = network()
    half_squared_error(model(INPUTS), [60.0]).backward()
    optim.SGD(model.parameters(), lr=1e-5).step()
    # The tutorial's lines, unchanged.
    z_1 = z_2 = z_3 = 40.0 * 0.5 + 80.0 * 0.5
    for _ in range(3):
        z_1 = 40.0 * 0.452 + 80.0 * 0.404
    assert overwritten(model) == pytest.approx(0.928 * (z_1 + z_2 + z_3), rel=1e-14)
    assert overwritten(model) == pytest.approx(158.1312, rel=1e-14)


def test_the_price_and_its_gradients():
    import autograd as ag
    from demos.apples import add_layer, recorded

    price = recorded()
    price.backward()
    assert price.data == 715.0000000000001
    found = {leaf.name: leaf.grad for leaf in ag.leaves(price)}
    want = {"apple": 2.2, "apples": 110.0, "orange": 3.3, "oranges": 165.0, "tax": 650.0}
    assert found == pytest.approx(want, rel=1e-15)
    slip = recorded(add_layer)
    slip.backward()
    assert slip.data == pytest.approx(99000.0, rel=1e-15)
    assert {leaf.name: leaf.grad for leaf in ag.leaves(slip)} == pytest.approx(want | {"tax": 90000.0}, rel=1e-15)
    assert not ag.gradcheck(add_layer, 200.0, 450.0)


def test_nine_paths():
    from demos.paths import paths, recorded

    x, z = recorded()
    z.backward()
    assert list(paths()) == ["αδ", "αε", "αζ", "βδ", "βε", "βζ", "γδ", "γε", "γζ"]
    assert sum(paths().values()) == x.grad == (2 + 3 + 5) * (7 + 11 + 13)


def test_the_layers():
    from demos.layers import bias_gradient, relu_mask, square_of_sum

    z = square_of_sum()
    z.backward()
    t = z.inputs[0]
    assert (z.data, [x.grad for x in t.inputs]) == (9.0, [6.0, 6.0])
    mask, values, slopes = relu_mask()
    assert mask == [[False, True], [True, False]]
    assert values == [[1.0, 0.0], [0.0, 3.0]]
    assert slopes == [[1.0, 0.0], [0.0, 1.0]]
    assert bias_gradient() == [5.0, 7.0, 9.0]


def test_the_formulas():
    import math

    import autograd as ag
    from demos.formulas import TutorialAdamax, composed, moved, tutorial_mae, tutorial_sigmoid
    from nn import optim

    f = composed()
    f.backward()
    (x,) = ag.leaves(f)
    assert x.grad == pytest.approx(2 * 0.5 * math.cos(0.5**2 + 2), rel=1e-15)
    assert not ag.gradcheck(lambda p: tutorial_mae(p, 3.0), 2.5)
    assert not ag.gradcheck(tutorial_sigmoid, 0.3775)
    assert moved(optim.Adamax) == pytest.approx([-0.002, -0.002], rel=1e-4)
    assert moved(TutorialAdamax) == pytest.approx([-2.0, -0.002], rel=1e-4)


def test_the_net_of_the_numpy_tutorial_has_no_biases():
    from demos.breast_cancer import network

    assert len(network(0).parameters()) == 30 * 64 + 64 * 32 + 32
    assert len(network(0, bias=True).parameters()) == 30 * 64 + 64 + 64 * 32 + 32 + 32 + 1


def test_the_two_layer_nets_gradient_check():
    from demos.two_layer_net import check_gradients, digits, network

    train, _ = digits(0)
    differences = check_gradients(network(64, 0), (train[0][:3], train[1][:3]), 20, 0)
    assert set(differences) == {"W1", "b1", "W2", "b2"}
    assert all(d < 1e-8 for d in differences.values())


def idx(directory, name, magic, sizes, body):
    raw = magic.to_bytes(4, "big") + b"".join(s.to_bytes(4, "big") for s in sizes) + body
    (directory / name).write_bytes(raw)


def test_mnists_files_are_read_and_checked(tmp_path):
    from autograd import ArgumentError
    from demos.two_layer_net import read_mnist

    with pytest.raises(ArgumentError, match="neither train-images"):
        read_mnist(tmp_path, "train", 10)
    idx(tmp_path, "train-images-idx3-ubyte", 2051, (2, 2, 2), bytes(range(8)))
    idx(tmp_path, "train-labels-idx1-ubyte", 2049, (2,), bytes([7, 3]))
    rows, labels = read_mnist(tmp_path, "train", 10)
    assert (len(rows), rows[1][0], labels) == (2, 4 / 255, [7, 3])
    assert read_mnist(tmp_path, "train", 1)[1] == [7]
    for magic, sizes, body, fragment in (
        (1234, (2,), b"12", "1234"),
        (2049, (3,), b"12", "whole"),
        (2049, (1,), b"1", "2 images but 1 labels"),
        (2051, (1, 1, 2), b"12", "images, not labels"),
    ):
        idx(tmp_path, "train-labels-idx1-ubyte", magic, sizes, body)
        with pytest.raises(ArgumentError, match=fragment):
            read_mnist(tmp_path, "train", 10)


def test_steps_for_pipes(tmp_path, capsys):
    assert main(["worked_example", "--steps", "all", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "── update" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["nonesuch"], ["worked_example", "--iterations", "0"]])
def test_wrong_arguments_end_with_a_message(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize("name", names())
def test_a_directory_that_cannot_be_made_is_said_before_anything_else(name, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([name, "--out", str(tmp_path / "file" / "dir")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{name}: pictures cannot be saved in {tmp_path}" in said.err
    assert "--out" in said.err


@pytest.mark.parametrize("name", names())
def test_every_demo_has_steps(name, tmp_path, capsys):
    assert main([name, "--steps", "all", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "── forward" in said
    assert "── backward" in said
    assert list(tmp_path.iterdir()) == []


def test_lessons_are_saved_beside_the_pictures(tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert main(["worked_example", "--html", "--iterations", "1", "--out", str(tmp_path)]) == 0
    names = {"worked_example.html", "worked_example_output_first_1.html", "worked_example_output_first_2.html"}
    assert {path.name for path in tmp_path.glob("*.html")} == names
    assert "Forward pass and error" in capsys.readouterr().out  # the demo itself ran too
    assert main(["paths", "--open", "--lang", "zh", "--out", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "paths.html").as_uri()]
    assert '"language": "zh"' in (tmp_path / "paths.html").read_text(encoding="utf-8")


def test_without_a_terminal_step_prints_and_ends():
    done = subprocess.run(
        [sys.executable, "-m", "demos", "sweeps", "--step"], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "e → c" in done.stdout


def test_readmes_code_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", readme, re.S):
        exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "z.svg").exists()
    assert (tmp_path / "xor.json").exists()


def test_the_catalogue_of_operations_is_true():
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == catalogue()


def test_a_demo_in_chinese(tmp_path, capsys):
    english, chinese = (said_by("sweeps", tmp_path, capsys, "--lang", lang) for lang in ("en", "zh-CN"))
    assert "3. Reverse from e: how e depends on everything" in english
    assert "3. 从 e 出发反向扫描：e 怎样依赖各节点" in chinese
    assert re.findall(r"[\d,.]+\d", chinese) == re.findall(r"[\d,.]+\d", english)
    # Columns are aligned where a Chinese character takes two of them.
    from autograd.text import columns

    table = [line for line in chinese.splitlines() if re.match(r" +(n|\d+)   ", line)]
    assert len(table) == 5
    assert len({columns(line) for line in table}) == 1


@pytest.mark.parametrize("name", names())
def test_no_sentence_of_a_demo_stays_english(name, tmp_path, capsys):
    said = said_by(name, tmp_path, capsys, "--lang", "zh", *QUICK.get(name, []))
    assert re.search("[\u4e00-\u9fff]", said)
    for line in said.replace(str(tmp_path), "").splitlines():
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", line), line


def test_help_and_the_list_are_in_the_language(capsys, monkeypatch):
    with pytest.raises(SystemExit):
        main(["xor", "--lang", "zh", "--help"])
    said = capsys.readouterr().out
    assert "尝试多少个种子（默认：10）" in said
    assert "本演示说明为什么需要隐藏层" in said
    monkeypatch.setenv("AUTOGRAD_LANG", "zh")
    assert main([]) == 0
    assert "九条路径" in capsys.readouterr().out
    assert main(["--lang", "en"]) == 0
    assert "Nine paths" in capsys.readouterr().out


def test_an_unknown_language_is_refused(capsys):
    assert main(["sweeps", "--lang", "fr"]) == 2
    assert capsys.readouterr().err == "demos: lang is 'en' or 'zh', not 'fr': there are no texts in another language\n"


def test_keplers_equation_and_its_derivatives():
    from autograd import grad, hessian
    from demos.kepler import anomaly, by_steps, recorded

    mean, e, z = recorded()
    z.backward()
    assert z.data - 0.5 * math.sin(z.data) == pytest.approx(1.0, rel=1e-15)
    along = 1.0 / (1.0 - 0.5 * math.cos(z.data))
    assert (mean.grad, e.grad) == pytest.approx((along, math.sin(z.data) * along), rel=1e-14)
    assert hessian(anomaly)(1.0, 0.5) == pytest.approx(-0.5 * math.sin(z.data) * along**3, rel=1e-13)
    assert grad(by_steps)(1.0, 0.5) == pytest.approx(along, rel=1e-13)


def test_the_animals_of_lotka_and_volterra():
    from autograd import grad
    from demos.lotka_volterra import RATES, animals

    rates = list(RATES.values())
    hares, lynxes = 10.0, 10.0
    for _ in range(1000):
        met = hares * lynxes
        hares, lynxes = hares + 0.01 * (1.1 * hares - 0.4 * met), lynxes + 0.01 * (0.1 * met - 0.4 * lynxes)
    assert animals(rates, 1000, 10.0) == pytest.approx((hares, lynxes), rel=1e-12)
    for k, slope in enumerate(grad(lambda rates: animals(rates, 1000, 10.0)[0])(rates)):
        moved = [[x + h * (i == k) for i, x in enumerate(rates)] for h in (-1e-6, 1e-6)]
        low, high = (animals(x, 1000, 10.0)[0] for x in moved)
        assert slope == pytest.approx((high - low) / 2e-6, rel=1e-6)
