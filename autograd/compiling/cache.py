"""The cache of machine code, in the user's cache directory: a second process need not compile again.

Machine code is run as it is read, so files that another user could have written are never read. Each file holds its key
and a checksum beside the code; a file that does not match is ignored and the code is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_MAGIC = b"autograd code 2\n"
_FOLDER = "scalar-autograd"  # the folder of its own, below the one that is chosen
_LARGEST = 256 * 2**20  # bytes kept in total; the oldest files are removed first
_ABANDONED = 3600.0  # seconds after which a temporary file belongs to a process that was killed
_CODE = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = re.compile(r"[0-9a-f]{64}\.[^.]+\.tmp")

# Not a symbolic link, no waiting for a FIFO's writer, not for child processes; Windows lacks the first three.
_READ = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ |= getattr(os, _flag, 0)


def directory() -> Path | None:
    """Where code is kept; None if it is not kept.

    It is a folder of its own in ``AUTOGRAD_CACHE`` if that is set (if it is empty, nothing is kept), else in the
    user's cache directory.
    """
    base = _base()
    return None if base is None else base / _FOLDER


def _base() -> Path | None:
    try:
        if (chosen := os.environ.get("AUTOGRAD_CACHE")) is not None:
            return Path(chosen).expanduser() if chosen else None
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches"
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return named if named.is_absolute() else Path.home() / ".cache"  # a relative one is to be ignored
    except RuntimeError:  # no home
        return None


def key(*parts: str) -> str:
    """The name of code that depends on all these parts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """The code kept under that name, or None if there is none, or it is damaged, or others can write it."""
    folder = _usable()
    content = None if folder is None else _read(folder / name)
    if content is None:
        return None
    head = _head(name)
    body = content[len(head) + 32 :]
    if not content.startswith(head) or content[len(head) : len(head) + 32] != hashlib.sha256(body).digest():
        return None
    return body


def save(name: str, code: bytes) -> None:
    """Keep code under a name; if that is impossible, nothing is kept."""
    base = _base()
    if base is None:
        return
    with suppress(OSError):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        (base / _FOLDER).mkdir(mode=0o700, exist_ok=True)
    folder = _usable()
    if folder is None:
        return
    with suppress(OSError):
        _write(folder / name, _head(name) + hashlib.sha256(code).digest() + code)
        if name.startswith("0"):  # occasionally is enough
            _tidy(folder)


def _head(name: str) -> bytes:
    return _MAGIC + bytes.fromhex(name)


# Folders and files that nobody else can write ------------------------------------------------------------------------


def _usable() -> Path | None:
    """The folder, if it is there and nobody else can write into it."""
    base = _base()
    if base is None:
        return None
    folder = base / _FOLDER
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return _refuse(folder, "is no folder")
        if not _is_own(found):
            return _refuse(folder, "can be written by other users")
        if "AUTOGRAD_CACHE" in os.environ and _others_write(base.stat()):
            return _refuse(base, "can be written by other users")
    except FileNotFoundError:
        return None
    except OSError as error:
        return _refuse(folder, f"cannot be read ({error.strerror})")
    return folder


def _is_own(found: os.stat_result) -> bool:
    """Whether it belongs to this user, and only this user can write it."""
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not _others_write(found))


def _others_write(found: os.stat_result) -> bool:
    return hasattr(os, "getuid") and bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


@cache
def _refuse(folder: Path, why: str) -> None:
    """Say, once for each folder, that it is not used."""
    warnings.warn(
        f"compiled code is not kept: {folder} {why}. Set AUTOGRAD_CACHE to a folder of your own "
        "(chmod go-w), or to nothing",
        RuntimeWarning,
        stacklevel=2,
    )


def _read(path: Path, length: int = -1) -> bytes | None:
    """The content of a regular file of this user's own, or only its start; None for anything else.

    The opened file is examined, because its name may refer to another file at another moment.
    """
    with suppress(OSError):
        handle = os.open(path, _READ)
        try:
            found = os.fstat(handle)
            if stat.S_ISREG(found.st_mode) and _is_own(found):
                with os.fdopen(handle, "rb", closefd=False) as file:
                    return file.read(length)
        finally:
            os.close(handle)
    return None


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically; only its owner may read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


# What is kept --------------------------------------------------------------------------------------------------------


def _tidy(folder: Path) -> None:
    """Remove the oldest code beyond what is kept in all, and temporary files of killed processes; no other file."""
    codes = sorted(found for found in _files(folder, _CODE) if _is_code(found[2]))
    size = sum(bytes_ for _, bytes_, _ in codes)
    for _, bytes_, path in codes:
        if size <= _LARGEST:
            break
        with suppress(OSError):  # another process may have removed it
            path.unlink()
        size -= bytes_
    for modified, _, path in _files(folder, _TEMPORARY):
        if modified < time.time() - _ABANDONED:
            with suppress(OSError):
                path.unlink()


def _is_code(path: Path) -> bool:
    head = _head(path.name)
    return _read(path, len(head)) == head


def _files(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[float, int, Path]]:
    """When they were modified, sizes and paths of the regular files with names of that pattern."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield found.st_mtime, found.st_size, Path(entry.path)
