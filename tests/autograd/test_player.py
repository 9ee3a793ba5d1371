"""The terminal player: positions, keys, screens of any size, and real terminals."""

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import autograd as ag
from autograd import Value, steps
from autograd.language import language
from autograd.stepping.keys import decoded
from autograd.stepping.player import Player
from autograd.stepping.position import HELP, Position
from demos.worked_example import RATE, network, recorded
from nn import optim

from ..expressions import build, programs

LIMIT = 60.0  # seconds until a terminal that shows nothing new counts as stuck


@pytest.fixture(scope="module")
def log():
    model = network(names=True)
    return steps(recorded(model), optim.SGD(model.parameters(), lr=RATE))


@pytest.fixture(scope="module")
def run():
    model = network(names=True)
    return steps(lambda: recorded(model), optim.Adam(model.parameters(), lr=RATE), updates=3)


# Positions ------------------------------------------------------------------------------------------------------------


def test_the_player_moves(log):
    position = Position(log)
    assert position.obey("") == ""
    assert position.at == 1
    assert position.obey("b") == ""
    assert position.at == 0
    assert position.obey("back") == "this is the first step"
    assert position.obey("p") == "this is the first step"
    assert position.obey("S") == "this is the first step"
    position.obey("s")
    assert log[position.at].sweep == "backward"
    assert position.at == 15
    position.obey("n")
    assert position.at == 17
    position.obey("p")
    assert position.at == 15
    position.obey("sweep")
    assert log[position.at].sweep == "update"
    position.obey("S")
    assert position.at == 15
    assert position.obey("999") == "this is the last step"
    assert position.at == len(log) - 1
    position.obey("g 3")
    assert position.at == 2
    assert HELP in position.obey("dance")
    assert position.at == 2


def test_previous_node_undoes_next_node(log, run):
    for some in (log, run):
        position = Position(some)
        starts = [0]
        while position.obey("n") == "":
            starts.append(position.at)
        position.at = starts.pop()
        while starts:
            position.obey("p")
            assert position.at == starts.pop()


def test_sweeps_of_several_training_steps(run):
    position, starts = Position(run), [0]
    while position.obey("s") == "":
        starts.append(position.at)
    assert starts[:-1] == [0, 15, 47, 55, 70, 102, 110, 125]
    assert starts[-1] == 157
    for at in reversed(starts[:-1]):
        position.obey("S")
        assert position.at == at


def test_names_are_found(log, run):
    position = Position(log)
    assert position.obey("w5") == ""
    assert log[position.at].input == "w5"
    assert position.obey("w5") == ""
    assert (log[position.at].sweep, log[position.at].node) == ("update", "w5")
    assert position.obey("g w5") == ""
    assert log[position.at].sweep == "backward"  # from the beginning again
    position.obey("1")
    for expected in (1, 3, 23, 24, 32, 33, 1):
        position.obey("/OUT_h")
        assert position.at == expected
    assert position.obey("/nothing") == "No node has 'nothing' in its name."
    assert position.obey("/") == "No node has 'nothing' in its name."
    position = Position(run)
    position.at = 60
    position.obey("E")
    assert (position.at, run[position.at].node) == (69, "E")
    position.obey("E")
    assert position.at == 124
    position.obey("E")
    assert position.at == 14


def test_numbers_that_are_none_and_numbers_without_end(log):
    position = Position(log)
    for command in ("²", "g²", "٣", "ggg1", "g"):
        assert HELP in position.obey(command)
        assert position.at == 0
    assert position.obey("9" * 5000) == "this is the last step"
    assert position.at == len(log) - 1


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        (b"\x1b[A\x1bOB\x1b[C\x1b[1;2D", ["up", "down", "right", "shift left"]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1bOH\x1bOF\x1b[5~\x1b[6~", ["home", "end"] * 3 + ["pageup", "pagedown"]),
        (b"\r\n \x7f\x04\x1a", ["enter", "enter", " ", "backspace", "eof", "suspend"]),
        ("aé权😀".encode(), ["a", "é", "权", "😀"]),
        (b"\x1bq", ["escape", "q"]),
        (b"\x1b[99;99Z\x1b[200~x\x00\xff", ["", "", "x", "", "�"]),
    ],
)
def test_bytes_are_keys(raw, keys):
    waiting = bytearray(raw)
    assert [decoded(waiting) for _ in keys] == keys
    assert decoded(waiting) is None
    found, waiting = [], bytearray()
    for byte in raw:  # and when they come one by one
        waiting.append(byte)
        while (key := decoded(waiting)) is not None:
            found.append(key)
    assert found == keys


@given(st.binary(max_size=30))
def test_any_bytes_end(raw):
    waiting = bytearray(raw)
    for _ in range(len(raw) + 1):
        if decoded(waiting) is None:
            break
    assert re.fullmatch(rb"(\x1b(\[[0-9;]*|O)?|[\xc0-\xff].{0,2})?", bytes(waiting), re.DOTALL)


# Screens --------------------------------------------------------------------------------------------------------------


def screen(log, at, width, height, *keys):
    player = Player(log, io.StringIO())
    player.position.at = at
    for key in keys:
        player.press(key)
    return [line.plain for line in player._screen.lines(width, height, player._footer(width), player._with_help)]


def fits(lines, width, height):
    return len(lines) == height and all(cell_len(line) == width for line in lines)


@pytest.mark.parametrize(
    ("width", "height"),
    [(80, 24), (120, 40), (64, 16), (40, 12), (20, 8), (200, 70), (300, 9), (80, 3), (7, 24), (1, 1)],
)
def test_screens_have_their_size(log, run, width, height):
    for some, step in ((log, 1), (run, 5)):
        for at in range(0, len(some), step):
            assert fits(screen(some, at, width, height), width, height), at
    for keys in ("h", "/w", "gw5", "z"):
        assert fits(screen(log, 20, width, height, *keys), width, height)


@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(1, 150), st.integers(1, 60), st.data())
def test_screens_of_random_programs(program, width, height, data):
    log = steps(build(program)[1])
    if len(log):
        at = data.draw(st.integers(0, len(log) - 1))
        assert fits(screen(log, at, width, height), width, height)


@pytest.mark.parametrize(
    "name", ["权重" * 40, "a\nb\x1b[31mred", "\u202eabc", "[bold]x[/bold]", "é" * 70, "👩‍👩‍👧", "\ud800"]
)
def test_screens_of_strange_names(name):
    x = Value(2.0, name=name)
    with ag.scope(name):
        y = ag.exp(x * x) * x
    log = steps(y, optim.SGD([x], lr=0.1))
    for at in range(len(log)):
        lines = screen(log, at, 80, 24)
        assert fits(lines, 80, 24)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", "".join(lines))


def test_nothing_is_shown_before_it_is_computed(log):
    start = "\n".join(screen(log, 0, 120, 40))
    assert "0.3775" in start
    assert "0.593270" not in start  # out_h1
    assert re.search(r"w1 +0\.15 +$", start, re.MULTILINE)
    end = "\n".join(screen(log, len(log) - 1, 120, 40))
    assert re.search(r"out_h1 .* 0\.593270 +0\.0363503", end)
    assert re.search(r"w5 +0\.358916 +0\.0821670", end)
    before = "\n".join(screen(log, 23, 120, 40))  # the first of two contributions to out_h1
    assert re.search(r"out_h1 .* 0\.593270 +−0\.0190491", before)
    assert "1 of 2 contributions have arrived" in before


def test_the_columns_say_what_the_engine_computed(log, run):
    """At every step, the gradient of each node is the last running total that the log has for it."""
    from autograd.stepping.view import View

    for some in (log, run):
        for iteration in some.updates:
            view, totals, values = View(iteration), {}, {}
            for event in range(len(iteration)):
                kind, node, *numbers = iteration.entry(event)
                if kind == "f":
                    values[node] = numbers[0]
                elif kind == "b":
                    totals[view.receivers[event - 15]] = numbers[4]
                else:
                    values[node] = numbers[2]
                for k, x in enumerate(iteration.order[:-1]):
                    assert view.gradient(k, event) == totals.get(k)
                    assert view.value(k, event) == values.get(k, iteration.values[k] if x.op is None else None)


def test_the_line_beside_the_nodes_joins_a_node_with_its_inputs(log):
    rows = {line[4:20].split(" ")[0]: line[1:3] for line in screen(log, 4, 80, 24)[3:]}
    assert (rows["out_h1"], rows["net_h2"], rows["out_h2"], rows["net_o1"]) == ("╭ ", "│ ", "├ ", "╰▶")
    assert rows["net_h1"] == "  "
    rows = {line[4:20].split(" ")[0]: line[1:3] for line in screen(log, 23, 80, 24)[3:]}
    assert (rows["out_h1"], rows["net_h2"], rows["net_o2"]) == ("╭◀", "│ ", "╰ ")


def test_a_large_log_shows_the_part_around_the_step():
    y = x = Value(0.5, name="x")
    for _ in range(3000):
        y = ag.sin(y * x + 1.0)
    log = steps(y)
    for at in (0, 4000, 9000, 9800, len(log) - 1):
        lines = screen(log, at, 80, 24)
        assert fits(lines, 80, 24)
        assert sum("▶" in line or "◀" in line for line in lines[3:]) >= 1


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_screens_in_chinese(run, width, height):
    with language("zh"):
        for at in range(0, len(run), 7):
            assert fits(screen(run, at, width, height), width, height)
        assert fits(screen(run, 0, width, height, "h"), width, height)
        shown = "\n".join(screen(run, 20, width, height))
        assert "反向传播   第 21 步 / 165" in shown
        assert "伴随值" in shown
        assert Position(run).obey("b") == "这是第一步"


def test_the_prompt(log):
    player = Player(log, io.StringIO())
    for key in ("/", "o", "u", "t", "_", "o", "1"):
        player.press(key)
    assert "/out_o1█   out_o1" in player._footer(80).plain
    player.press("enter")
    assert log[player.position.at].node == "out_o1"
    for key in ("1", "2", "backspace", "7", "enter"):
        player.press(key)
    assert player.position.at == 16
    for key in ("g", "w", "5", "enter"):
        player.press(key)
    assert log[player.position.at].input == "w5"
    at = player.position.at
    for key in ("/", "x", "escape"):
        assert player.press(key)
    assert player.position.at == at
    player.press("g")
    player.press("backspace")
    player.press("right")
    assert player.position.at == at + 1
    player.press("z")
    assert "'z' does nothing here" in player._footer(80).plain
    player.press("h")
    assert player.press("q")  # closes the list of keys
    assert not player.press("q")


# Real terminals -------------------------------------------------------------------------------------------------------


class Terminal:
    """A program in a pseudo-terminal of its own."""

    def __init__(self, program: str, width: int = 80, height: int = 24, term: str = "xterm-256color") -> None:
        self.main, self.other = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.other)
        environment = {k: x for k, x in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": term}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=self.other, stdout=self.other, stderr=subprocess.PIPE,
            env=environment, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.main)
        os.close(self.other)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, keys: bytes) -> None:
        self.seen = b""
        os.write(self.main, keys)

    def until(self, text: str) -> str:
        """Read until the last frame contains a text; returns this frame."""
        end = time.monotonic() + LIMIT
        while text not in (shown := self.frame()):
            assert time.monotonic() < end, f"{text!r} did not come:\n{shown}"
            if select.select([self.main], [], [], 0.1)[0]:
                self.seen += os.read(self.main, 65536)
        return shown

    def frame(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen.decode(errors="replace").split("\x1b[H")[-1])

    def ended(self) -> int:
        """Read to the end of the program; its exit code."""
        while self.process.poll() is None or select.select([self.main], [], [], 0.1)[0]:
            if select.select([self.main], [], [], 0.1)[0]:
                self.seen += os.read(self.main, 65536)
        assert termios.tcgetattr(self.other) == self.before  # as it was
        return self.process.returncode


PLAY = "import autograd as ag; x = ag.Value(2.0, 'x'); w = ag.Value(3.0, 'w'); ag.steps(w * x * ag.exp(x)).play()"
SHOWN, HIDDEN = b"\x1b[?25h\x1b[?1049l", b"\x1b[?1049h\x1b[?25l"


def test_single_keys_in_a_terminal():
    with Terminal(PLAY + "; print('end' + 'ed')") as terminal:
        terminal.until("Step 1 / 8")
        for keys, text in (
            (b"\x1b[C", "Step 2 / 8"), (b"\r", "Step 3 / 8"), (b"\x1b[D", "Step 2 / 8"), (b"b", "Step 1 / 8"),
            (b"s", "Step 4 / 8"), (b"\x1b[B", "Step 6 / 8"), (b"\x1b[A", "Step 4 / 8"), (b"S", "Step 1 / 8"),
            (b"\x1b[F", "Step 8 / 8"), (b"\x1b[H", "Step 1 / 8"), (b"3\r", "Step 3 / 8"), (b"gw\r", "Step 7 / 8"),
            (b"/EXP\r", "Step 2 / 8"), (b"h", "this list"), (b"h", "Next to use it"),
        ):  # fmt: skip
            terminal.send(keys)
            terminal.until(text)
        terminal.send(b"q")
        assert terminal.ended() == 0
        assert SHOWN in terminal.seen
        assert b"ended" in terminal.seen.split(SHOWN)[1]
        assert terminal.process.stderr.read() == b""


def test_keys_that_were_typed_before_the_player_was_ready():
    with Terminal(PLAY) as terminal:
        terminal.send(b"\n\nbq\n")
        assert terminal.ended() == 0
        assert b"Step 3 / 8" in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", terminal.seen)


def test_the_screen_follows_the_size_of_the_terminal():
    with Terminal(PLAY) as terminal:
        assert len(terminal.until("h help  q quit").split("\r\n")) == 24
        terminal.resize(100, 30)
        terminal.seen = b""
        shown = terminal.until("h help  q quit").split("\r\n")
        assert len(shown) == 30
        assert {cell_len(line) for line in shown[:-1]} == {100}
        terminal.resize(30, 8)
        terminal.seen = b""
        assert len(terminal.until("Step 1 / 8").split("\r\n")) <= 8


def test_control_c_restores_the_terminal():
    with Terminal(PLAY) as terminal:
        terminal.until("Step 1 / 8")
        terminal.send(b"\x03")
        assert terminal.ended() != 0
        assert SHOWN in terminal.seen
        assert b"KeyboardInterrupt" in terminal.process.stderr.read()


def test_control_d_and_a_terminal_that_is_closed_end_the_player():
    with Terminal(PLAY) as terminal:
        terminal.until("Step 1 / 8")
        terminal.send(b"\x04")
        assert terminal.ended() == 0
        assert SHOWN in terminal.seen
    with Terminal("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); " + PLAY) as terminal:
        terminal.until("Step 1 / 8")
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, terminal.other)
        os.dup2(nothing, terminal.main)
        os.close(nothing)
        assert terminal.process.wait(LIMIT) == 0, terminal.process.stderr.read().decode()


def test_control_z_gives_the_terminal_back_until_the_program_goes_on():
    note = "lambda *_: print('by lines:', bool(termios.tcgetattr(0)[3] & termios.ICANON), flush=True)"
    program = f"import signal, termios; signal.signal(signal.SIGTSTP, {note}); {PLAY}"
    with Terminal(program) as terminal:
        terminal.until("Step 1 / 8")
        terminal.send(b"n")
        terminal.until("Step 2 / 8")
        terminal.send(b"\x1a")
        terminal.until("Step 2 / 8")
        assert re.search(rb"1049l.*by lines: True.*1049h", terminal.seen, re.DOTALL)
        terminal.send(b"q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_of_lines(term):
    with Terminal(PLAY, term=term) as terminal:
        terminal.until("> ")
        for line, text in (
            (b"\n", "Step 2 / 8"),
            (b"b\n", "Step 1 / 8"),
            (b"3\n", "Step 3 / 8"),
            (b"w\n", "Step 7 / 8"),
        ):
            terminal.send(line)
            terminal.until(text)
            terminal.until("> ")
        terminal.send(b"q\n")
        assert terminal.ended() == 0
        assert b"\x1b" not in terminal.seen


def test_a_pipe_gets_plain_text():
    """Also where the keys could be read: the output is a pipe, so there is nobody to watch."""
    main, other = pty.openpty()
    try:
        run = subprocess.run([sys.executable, "-c", PLAY], stdin=other, capture_output=True, check=True)
    finally:
        os.close(main)
        os.close(other)
    x, w = Value(2.0, "x"), Value(3.0, "w")
    assert run.stdout.decode() == str(steps(w * x * ag.exp(x))) + "\n"
    assert run.stderr == b""
