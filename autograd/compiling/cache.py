"""The cache of machine code, in the user's cache directory: a second process need not compile again.

Each file holds its key and a checksum beside the code; whatever does not match is ignored and made anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

from ..files import write_atomically

_MAGIC = b"autograd code 1\n"
_LARGEST = 256 * 2**20  # bytes kept in all; the oldest files go first


def directory() -> Path | None:
    """Where code is kept: ``AUTOGRAD_CACHE`` if it is set (empty for nowhere), else in the user's cache directory."""
    if (chosen := os.environ.get("AUTOGRAD_CACHE")) is not None:
        return Path(chosen) if chosen else None
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no home
        return None
    return base / "scalar-autograd"


def key(*parts: str) -> str:
    """The name of what depends on all these parts."""
    from .. import __version__

    digest = hashlib.sha256()
    for part in (__version__, *parts):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """The code kept under that name, or None if there is none, or it is damaged, or not this user's."""
    folder = directory()
    if folder is None:
        return None
    path = folder / name
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None
        content = path.read_bytes()
    except OSError:
        return None
    head = _MAGIC + bytes.fromhex(name)
    body = content[len(head) + 32 :]
    if not content.startswith(head) or content[len(head) : len(head) + 32] != hashlib.sha256(body).digest():
        return None
    return body


def save(name: str, code: bytes) -> None:
    """Keep code under a name; where that cannot be, nothing is kept."""
    folder = directory()
    if folder is None:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(folder / name, _MAGIC + bytes.fromhex(name) + hashlib.sha256(code).digest() + code)
        if name.startswith("0"):  # now and then is enough
            _tidy(folder)


def _tidy(folder: Path) -> None:
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # another process may just have taken it away
                files.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    size = sum(s for _, s, _ in files)
    for _, bytes_, path in sorted(files):
        if size <= _LARGEST:
            break
        with suppress(OSError):
            os.unlink(path)
        size -= bytes_
