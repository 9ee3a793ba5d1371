"""Files are written atomically: interrupts and kills at every line, links, permissions, leftovers."""

import contextlib
import inspect
import itertools
import os
import signal
import stat
import subprocess
import sys

import pytest

import autograd
from autograd import files
from autograd.files import write_atomically


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_no_public_name():
    assert "write_atomically" not in autograd.__all__
    assert not hasattr(autograd, "write_atomically")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


def test_a_new_file_obeys_the_umask_which_is_left_alone(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.delattr(os, "umask")  # the mask belongs to all threads of the process
            write_atomically(tmp_path / "a", b"1")
            write_atomically(tmp_path / "b", b"2", mode=0o600)
    finally:
        assert os.umask(before) == 0o027
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "b")) == (0o640, 0o600)


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_bytes(b"old")
    for name, goal in (("link", "far/file"), ("dangling", "far/other"), ("twice", "link")):
        (tmp_path / name).symlink_to(goal)
        write_atomically(tmp_path / name, name.encode())
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).resolve().parent == tmp_path / "far"
        assert (tmp_path / name).read_bytes() == name.encode()
    assert sorted(os.listdir(tmp_path)) == ["dangling", "far", "link", "twice"]
    assert sorted(os.listdir(tmp_path / "far")) == ["file", "other"]


def test_what_is_no_ordinary_file_is_refused_and_named(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("loop", "pipe", "folder", "nowhere/file", "folder/x\n" + 300 * "y"):
        with pytest.raises(OSError, match=name[:6]) as error:
            write_atomically(tmp_path / name, b"x")
        assert error.value.filename == str(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["folder", "loop", "pipe"]
    assert os.listdir(tmp_path / "folder") == []


def at_line(number, act):
    """A trace function that acts before the line of that number, counted over all that files.py runs."""
    left = [number]

    def trace(frame, event, argument):
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                act()
        return trace

    return trace


def interrupt():
    raise KeyboardInterrupt


# An interrupt just before the file is closed leaves closing to Python, which then warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_leaves_one_whole_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen, number = [], 0
    while True:
        number += 1
        sys.settrace(at_line(number, interrupt))
        try:
            write_atomically(path, b"new")
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(None)
        assert os.listdir(tmp_path) == ["file"], number
        seen.append(path.read_bytes())
        path.write_bytes(b"old")
    assert number > 20
    assert set(seen) == {b"old", b"new"}  # nothing else, and after the replacement no other error


PROGRAM = f"""
import os, signal, sys
sys.path[:0] = {sys.path!r}
from autograd import files
{inspect.getsource(at_line)}
sys.settrace(at_line(int(sys.argv[2]), lambda: os.kill(os.getpid(), int(sys.argv[3]))))
files.write_atomically(sys.argv[1], b"new")
"""


def child(path, number, sent):
    """A process that writes the file and sends itself a signal before that line."""
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), str(number), str(int(sent))])


def test_what_a_killed_process_leaves_is_removed_by_the_next_save(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    left = 0
    for number in itertools.count(10, 2):
        if child(path, number, signal.SIGKILL).wait() == 0:
            break
        left += len(os.listdir(tmp_path)) - 1
        assert path.read_bytes() in (b"old", b"new")
        write_atomically(path, b"old")
        assert os.listdir(tmp_path) == ["file"]
    assert left >= 4


def test_what_a_running_process_writes_is_left_alone(tmp_path):
    path = tmp_path / "file"
    begun = 0
    for number in itertools.count(10, 2):
        path.unlink(missing_ok=True)
        process = child(path, number, signal.SIGSTOP)
        if os.WIFEXITED(os.waitpid(process.pid, os.WUNTRACED)[1]):
            process.returncode = 0
            break
        written = [name for name in os.listdir(tmp_path) if name != "file" and (tmp_path / name).stat().st_size]
        write_atomically(path, b"ours")
        assert set(written) <= set(os.listdir(tmp_path))
        begun += len(written)
        process.send_signal(signal.SIGCONT)
        assert process.wait() == 0  # it did not miss its file, nor one that it had just made and not yet locked
        assert os.listdir(tmp_path) == ["file"]
    assert begun >= 2


def test_only_its_own_leftovers_are_removed(tmp_path):
    token = "0123456789abcdef"
    other = {f".file2.{token}.autograd-tmp", f".file.{token}.tmp", ".file.x.autograd-tmp", f"file.{token}.autograd-tmp"}
    for name in (*other, f".file.{token}.autograd-tmp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / f".file.{token[::-1]}.autograd-tmp").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_bytes(b"x")
    write_atomically(tmp_path / "file", b"new")
    assert set(os.listdir(tmp_path)) == {*other, "file", "precious", f".file.{token[::-1]}.autograd-tmp"}


def test_many_processes_may_write_the_same_file(tmp_path):
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}\nfrom autograd.files import write_atomically\n"
        "for k in range(200): write_atomically(sys.argv[1], bytes([int(sys.argv[2])]) * 5000)\n"
    )
    path = tmp_path / "file"
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path), str(k)]) for k in range(3)]
    while any(process.poll() is None for process in processes):
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            assert content == content[:1] * 5000
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert os.listdir(tmp_path) == ["file"]


def test_a_new_file_that_another_process_takes_for_a_leftover_is_made_again(tmp_path, monkeypatch):
    """Between making the temporary file and locking it, another process may lock and remove it."""
    flock, blocked = files.fcntl.flock, []

    def remove_first(file, how):
        if not blocked:
            (temporary,) = tmp_path.iterdir()
            temporary.unlink()
            blocked.append(temporary)
            raise BlockingIOError
        flock(file, how)

    monkeypatch.setattr(files.fcntl, "flock", remove_first)
    write_atomically(tmp_path / "model.json", b"new")
    assert blocked
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("model.json", b"new")]
