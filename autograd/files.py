"""Writes files atomically: completely or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from .errors import InputError
from .text import shown

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

_ENDING = ".autograd-tmp"


def as_path(path: Any) -> Path:
    """The path of a file, from text or a path.

    Raises:
        InputError: for anything else.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"the path of a file is text or a pathlib.Path, not {shown(path)}")
    return Path(path)


def write_atomically(path: str | os.PathLike[str], content: bytes, mode: int = 0o666) -> None:
    """Write a file so that a reader sees the old content or the new, never a part, even after an interruption.

    The content goes to a temporary file in the same folder, is flushed to the disk and then takes the name in one
    step. A symbolic link stays a link: the file that it points to is written. A file that exists keeps its permissions.
    What a killed process left behind is removed by the next write to the same file; while a process writes, it holds a
    lock on its temporary file, so that no other process removes it.

    Args:
        path: the file; its folder must exist.
        content: all of its bytes.
        mode: the permissions of a new file, minus those that the umask removes.

    Raises:
        OSError: if the file cannot be written, or is not a regular file; no temporary file remains.
    """
    target = Path(os.path.realpath(path))
    temporary, file = None, None
    try:
        permissions = _permissions(target)
        _remove_leftovers(target)
        first_mode = mode if permissions is None else 0o600
        while True:
            temporary = target.with_name(f"{_prefix(target)}{os.urandom(8).hex()}{_ENDING}")
            opener = lambda name, flags: os.open(name, flags, first_mode)
            file = open(temporary, "xb", buffering=0, opener=opener)  # noqa: SIM115  (closed below)
            if _lock(file):
                break
            file.close()  # another process removed it as a leftover before it was locked: try again
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
        if permissions is not None:
            os.chmod(temporary, permissions)
        if fcntl is None:
            file.close()  # Windows does not rename open files
        os.replace(temporary, target)  # elsewhere under the lock
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None:  # name the file asked for
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        if file is not None:
            file.close()


def _permissions(target: Path) -> int | None:
    """The permissions of the file that is replaced; None if there is none."""
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(found.st_mode):  # only a link that leads to itself is left unresolved
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "this is no ordinary file")
    return stat.S_IMODE(found.st_mode)


def _prefix(target: Path) -> str:
    return f".{target.name[:40]}."


def _lock(file: FileIO) -> bool:
    """Lock a new file; False if another process was about to remove it, or did."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks, where no file is treated as a leftover
        return True
    return os.fstat(file.fileno()).st_nlink > 0


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of this target that no process holds a lock on: their writers were killed."""
    if fcntl is None:
        return
    own = re.compile(re.escape(_prefix(target)) + "[0-9a-f]{16}" + re.escape(_ENDING))
    try:
        names = os.listdir(target.parent)
    except OSError:  # a folder may allow writing without reading
        return
    for name in names:
        if own.fullmatch(name):
            leftover = target.parent / name
            with suppress(OSError):  # locked, already gone, or another user's
                handle = os.open(leftover, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(leftover)
                finally:
                    os.close(handle)
