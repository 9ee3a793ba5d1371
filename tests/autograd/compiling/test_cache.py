"""The cache of machine code: what is kept where, what is never loaded, and that a user's own files are left alone."""

import os
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd.compiling import cache

X = np.linspace(0.5, 2.0, 7)
NAME = cache.key("some", "code")
needs_modes = pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def _each_warns_anew():
    cache._refuse.cache_clear()


@pytest.fixture
def base(tmp_path, monkeypatch):
    """The folder that AUTOGRAD_CACHE names."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("AUTOGRAD_CACHE", str(folder))
    return folder


# Where it is ---------------------------------------------------------------------------------------------------------


def test_it_is_in_a_folder_of_its_own(base):
    assert cache.directory() == base / "scalar-autograd"
    cache.save(NAME, b"code")
    assert [path.name for path in base.iterdir()] == ["scalar-autograd"]
    assert [path.name for path in cache.directory().iterdir()] == [NAME]
    assert cache.load(NAME) == b"code"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these have folders of their own")
def test_the_users_cache_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTOGRAD_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.directory() == tmp_path / "xdg" / "scalar-autograd"
    for ignored in ("relative/folder", ".", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache.directory() == tmp_path / ".cache" / "scalar-autograd"
    monkeypatch.setenv("AUTOGRAD_CACHE", "~/mine")
    assert cache.directory() == tmp_path / "mine" / "scalar-autograd"
    monkeypatch.setenv("AUTOGRAD_CACHE", "")
    assert cache.directory() is None


def test_without_a_home_nothing_is_kept(monkeypatch):
    def nowhere(*_):
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "expanduser", nowhere)
    monkeypatch.setenv("AUTOGRAD_CACHE", "~")
    assert cache.directory() is None
    cache.save(NAME, b"code")
    assert cache.load(NAME) is None


@needs_modes
def test_folders_that_are_missing_are_made_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_CACHE", str(tmp_path / "two" / "levels"))
    mask = os.umask(0o002)
    try:
        cache.save(NAME, b"code")
    finally:
        os.umask(mask)
    assert cache.load(NAME) == b"code"
    for made in (cache.directory(), cache.directory().parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE((cache.directory() / NAME).stat().st_mode) == 0o600


# What is never loaded ------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_never_loaded(base):
    cache.save(NAME, b"some machine code")
    path = cache.directory() / NAME
    whole = path.read_bytes()
    for k in range(len(whole)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        assert cache.load(NAME) is None, k
        path.write_bytes(whole[:k])
        assert cache.load(NAME) is None, k
    path.write_bytes(whole + b"\0")
    assert cache.load(NAME) is None
    path.write_bytes(whole)
    assert cache.load(NAME) == b"some machine code"


def test_code_under_another_name_is_not_loaded(base):
    cache.save(NAME, b"code")
    other = cache.key("other", "code")
    (cache.directory() / NAME).rename(cache.directory() / other)
    assert cache.load(other) is None


@needs_modes
def test_what_is_no_file_of_this_users_own_is_not_loaded(base, monkeypatch):
    cache.save(NAME, b"code")
    path = cache.directory() / NAME
    elsewhere = base / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert cache.load(NAME) is None
    path.unlink()
    os.mkfifo(path)  # opening it would wait for a writer
    assert cache.load(NAME) is None
    path.unlink()
    path.mkdir()
    assert cache.load(NAME) is None
    path.rmdir()
    elsewhere.rename(path)
    assert cache.load(NAME) == b"code"
    for mode in (0o620, 0o602, 0o666):
        path.chmod(mode)
        assert cache.load(NAME) is None, oct(mode)


@needs_modes
def test_another_users_file_is_not_loaded_even_if_it_comes_between_two_looks(base, monkeypatch):
    cache.save(NAME, b"code")
    truth = os.fstat

    def changed(handle):  # the name was looked at before; what was opened belongs to somebody else
        found = list(truth(handle))
        found[stat.ST_UID] += 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", changed)
    assert cache.load(NAME) is None


@needs_modes
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
@pytest.mark.parametrize("which", ["chosen", "own"])
def test_a_folder_that_others_can_write_is_refused_once(base, mode, which):
    cache.save(NAME, b"code")
    (base if which == "chosen" else cache.directory()).chmod(mode)
    with pytest.warns(RuntimeWarning, match="can be written by other users.*folder of your own"):
        assert cache.load(NAME) is None
    cache.save(cache.key("more"), b"code")  # says nothing more: warnings are errors here
    assert cache.load(NAME) is None
    assert [path.name for path in cache.directory().iterdir()] == [NAME]


@needs_modes
def test_another_users_folder_is_refused(base, monkeypatch):
    cache.save(NAME, b"code")
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    with pytest.warns(RuntimeWarning, match="other users"):
        assert cache.load(NAME) is None


@needs_modes
def test_a_link_in_the_folders_place_is_refused(base, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    cache.directory().symlink_to(elsewhere)
    with pytest.warns(RuntimeWarning, match="is no folder"):
        cache.save(NAME, b"code")
    assert not list(elsewhere.iterdir())


def test_a_file_in_the_folders_place_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("AUTOGRAD_CACHE", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="is not kept"):
        assert ag.compile(lambda x: x * 1.25)(X).tolist() == (X * 1.25).tolist()
    assert (tmp_path / "file").read_text() == "mine"


def test_where_nothing_can_be_written_the_function_still_runs(base, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.tempfile, "mkstemp", full)
    assert ag.compile(lambda x: x * 1.5)(X).tolist() == (X * 1.5).tolist()
    assert not list(cache.directory().iterdir())


def test_an_interrupted_write_leaves_nothing(base, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    cache.save(NAME, b"old")
    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        cache.save(NAME, b"new")
    assert [path.name for path in cache.directory().iterdir()] == [NAME]
    assert cache.load(NAME) == b"old"


def test_a_machine_without_these_flags(base, monkeypatch):
    cache.save(NAME, b"code")
    monkeypatch.delattr(os, "getuid", raising=False)
    monkeypatch.setattr(cache, "_READ", os.O_RDONLY | getattr(os, "O_BINARY", 0))
    assert cache.load(NAME) == b"code"


# What is removed -----------------------------------------------------------------------------------------------------


def test_only_its_own_files_are_removed_the_oldest_first(base, monkeypatch):
    monkeypatch.setattr(cache, "_LARGEST", 5000)
    (base / "thesis.tex").write_bytes(b"x" * 10_000)
    cache.save(NAME, b"first")
    folder = cache.directory()
    users = [folder / "notes.txt", folder / ("f" * 64), folder / f"{NAME[:-1]}"]
    for path in users:  # one of them has a name like code
        path.write_bytes(b"x" * 10_000)
        os.utime(path, (0, 0))
    names = [f"{k:x}" * 64 for k in range(1, 9)]
    for age, name in enumerate(names):
        cache.save(name, b"x" * 1000)
        os.utime(folder / name, (1000 + age, 1000 + age))
    cache.save("0" * 64, b"x" * 1000)  # makes room
    assert all(path.exists() for path in (base / "thesis.tex", *users))
    kept = [name for name in names if (folder / name).exists()]
    assert kept == names[len(names) - len(kept) :]
    assert cache.load("0" * 64) is not None


def test_room_is_made_for_no_more_than_is_needed(base, monkeypatch):
    monkeypatch.setattr(cache, "_LARGEST", 5000)
    names = [f"{k:x}" * 64 for k in range(1, 9)]
    for age, name in enumerate(names):
        cache.save(name, b"x" * 1000)
        os.utime(cache.directory() / name, (1000 + age, 1000 + age))
    cache.save("0" * 64, b"x" * 1000)
    kept = [name for name in names if cache.load(name) is not None]
    assert kept == names[5:]  # with the last one 4 files of 1080 bytes


def test_what_killed_processes_left_is_removed_after_a_while(base):
    cache.save(NAME, b"code")
    old, new = (cache.directory() / f"{NAME}.{part}.tmp" for part in ("abandoned", "working"))
    for path in (old, new, cache.directory() / "mine.tmp"):
        path.write_bytes(b"half")
    for path in (old, cache.directory() / "mine.tmp"):
        os.utime(path, (time.time() - 7200.0,) * 2)
    cache.save("0" * 64, b"code")
    assert sorted(path.name for path in cache.directory().iterdir()) == sorted([NAME, "0" * 64, new.name, "mine.tmp"])


# Processes -----------------------------------------------------------------------------------------------------------

CHILD = """
import numpy as np, autograd as ag
f = ag.compile(lambda x: ag.where(x[0] > 0, ag.tanh(0.5 * x[1]), x[0]), reduce="sum")
value, slopes = f.value_and_grad(np.linspace(-1, 1, 20).reshape(10, 2))
print(f.stats.was_cached, value.hex(), slopes.tobytes().hex())
"""


def child() -> list[str]:
    run = subprocess.run([sys.executable, "-W", "error", "-c", CHILD], capture_output=True, text=True, check=True)
    return run.stdout.split(maxsplit=1)


def test_a_second_process_starts_warm_and_damage_is_mended(base):
    first, second = child(), child()
    assert (first[0], second[0]) == ("False", "True")
    assert second[1] == first[1]
    for path in cache.directory().iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    assert child() == first
    assert child() == second


def test_nothing_is_said_about_a_cache_that_is_in_order(base):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.compile(lambda x: x * 1.75)(X)
        ag.compile(lambda x: x * 1.75)(X)
    assert list(cache.directory().iterdir())
