"""Saves and loads models and optimisers as safetensors or JSON, never pickle; files are replaced atomically."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from autograd import ArgumentError, AutogradError, InputError, MissingExtraError
from autograd.files import as_path, write_atomically
from autograd.text import shown

from .module import Module
from .optim import Optimizer

FORMAT, VERSION = "scalar-autograd model", 1

# Limits of what is read, so that a damaged or hostile file cannot fill the memory. Reading JSON needs up to 30 times
# its size in memory, about 0.5 GB; 16 MiB are enough for about 100 000 parameters with Adam's state.
LARGEST_JSON = 2**24  # bytes
DEEPEST_JSON = 8  # nesting depth of lists and objects; a model needs 4
LARGEST = 2**27  # bytes of a .safetensors file


def save(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> Path:
    """Write a model's numbers, and an optimiser's state, to a file.

    Args:
        path: ends with ``.json`` or ``.safetensors`` (the extra ``safetensors``).
        model: its ``state_dict`` is saved.
        optimizer: saved too if given, so that training can continue later.

    Returns:
        the path written. A reader sees the old file or the new one, never an incomplete one.

    Raises:
        ArgumentError: for another ending, a number that is not finite, or a model too large for the format.
        InputError: if the model is no Module, or the optimiser no Optimizer.
        OSError: if the file cannot be written.
    """
    path, ending = _path(path)
    _check_kinds(model, optimizer)
    state = model.state_dict()
    for name, x in state.items():
        if not math.isfinite(x):
            raise ArgumentError(f"{name} is {x!r}; a model that is not finite is not saved over one that may be")
    memory = None if optimizer is None else optimizer.state_dict()
    if ending == ".json":
        content = {"format": FORMAT, "version": VERSION, "model": state, "optimizer": memory}
        raw = json.dumps(content, indent=1).encode()
    else:
        raw = _to_safetensors(state, memory)
    _check_size(path, len(raw))
    write_atomically(path, raw)
    return path


def load(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> None:
    """Read a file that ``save`` wrote into a model, and an optimiser, of the same shape; all or nothing.

    JSON of more than 16 MiB and safetensors of more than 128 MiB are rejected without reading, and JSON that is nested
    deeper than any model is rejected too, so that reading a file never takes more than about 1 GB of memory.

    Raises:
        ArgumentError: if the file is damaged, too large, of another format or version, or does not fit; nothing is
            changed then.
        InputError: if the model is no Module, or the optimiser no Optimizer.
        OSError: if it cannot be read.
    """
    path, ending = _path(path)
    _check_kinds(model, optimizer)
    if path.exists() and not path.is_file():
        raise ArgumentError(f"{path.name} is no ordinary file")
    _check_size(path, path.stat().st_size)
    raw = path.read_bytes()
    try:
        content = _from_json(raw) if ending == ".json" else _from_safetensors(raw)
        state, memory = _checked(content)
    except MissingExtraError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, IndexError, OverflowError) as error:
        raise ArgumentError(f"{path.name} is damaged or no model file: {error}") from None
    before = model.state_dict()
    model.load_state_dict(state)
    if optimizer is not None:
        try:
            if memory is None:
                raise ArgumentError(f"{path.name} holds no optimiser's memory; it was saved without one")
            optimizer.load_state_dict(memory)
        except AutogradError:
            model.load_state_dict(before)
            raise


def _path(path: str | os.PathLike[str]) -> tuple[Path, str]:
    path = as_path(path)
    if path.suffix not in (".json", ".safetensors"):
        raise ArgumentError(f"cannot tell the format from {path.name!r}; end it with .json or .safetensors")
    return path, path.suffix


def _check_kinds(model: Any, optimizer: Any) -> None:
    if not isinstance(model, Module):
        raise InputError(f"a model file holds the numbers of a Module, not of {shown(model)}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise InputError(f"the optimiser is an Optimizer of nn.optim or None, not {shown(optimizer)}")


def _check_size(path: Path, size: int) -> None:
    if path.suffix == ".json" and size > LARGEST_JSON:
        raise ArgumentError(
            f"{path.name} would need {size:,} bytes; JSON is written and read up to {LARGEST_JSON:,} bytes, because "
            "reading it takes up to 30 times as much memory. Save the model as .safetensors instead"
        )
    if size > LARGEST:
        raise ArgumentError(f"{path.name} would need {size:,} bytes; models are written and read up to {LARGEST:,}")


_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TEXT_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)


def _is_shallow(brackets: bytes) -> bool:
    for _ in range(DEEPEST_JSON):  # each iteration removes the innermost pairs
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _from_json(raw: bytes) -> Any:
    """JSON of bounded size and depth."""
    if len(raw) > LARGEST_JSON:
        raise ValueError(f"it holds {len(raw):,} bytes of JSON, more than {LARGEST_JSON:,}")
    if not _is_shallow(raw.translate(None, _NO_BRACKETS)) and not _is_shallow(  # brackets within names do not count
        b"".join(found.group() for found in _TEXT_OR_BRACKET.finditer(raw) if found.group() in b"[]{}")
    ):
        raise ValueError(f"its brackets do not match, or are nested deeper than {DEEPEST_JSON}")
    return json.loads(raw)


def _checked(content: Any) -> tuple[dict[str, float], Any]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it does not say {FORMAT!r}")
    if content.get("version") != VERSION:
        raise ValueError(f"it has version {shown(content.get('version'))}, this library reads version {VERSION}")
    state = content["model"]
    if not isinstance(state, dict):
        raise ValueError("its model is no list of numbers by name")
    for name, x in state.items():
        if type(x) not in (int, float) or not math.isfinite(x):
            raise ValueError(f"{name} is {shown(x)}, not a finite number")
    return state, content.get("optimizer")


# safetensors: one array of the model's numbers and one for each quantity in the optimiser's state; names in the header.


def _to_safetensors(state: dict[str, float], memory: dict[str, Any] | None) -> bytes:
    numpy, save_bytes, _ = _library()
    arrays = {"model": numpy.array(list(state.values()), dtype=numpy.float64)}
    described: dict[str, Any] = {"names": list(state)}
    if memory is not None:
        rows = memory["state"]
        kept = list(rows[0]) if rows else []
        for name in kept:
            arrays[f"optimizer.{name}"] = numpy.array([row[name] for row in rows], dtype=numpy.float64)
        described["optimizer"] = {**{k: v for k, v in memory.items() if k != "state"}, "kept": kept, "count": len(rows)}
    metadata = {"format": FORMAT, "version": str(VERSION), "content": json.dumps(described)}
    return bytes(save_bytes(arrays, metadata=metadata))


def _from_safetensors(raw: bytes) -> dict[str, Any]:
    numpy, _, load_bytes = _library()
    from safetensors import SafetensorError

    metadata = _from_json(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    described = _from_json(str(metadata["content"]).encode())
    try:
        loaded = load_bytes(raw)
    except SafetensorError as error:
        raise ValueError(error) from None
    for name, array in loaded.items():
        if array.dtype != numpy.float64 or array.ndim != 1:
            raise ValueError(f"{name} has the type {array.dtype} and {array.ndim} axes, not float64 and 1")
    arrays = {name: array.tolist() for name, array in loaded.items()}
    memory = described.get("optimizer") if isinstance(described, dict) else None
    if isinstance(memory, dict):
        kept, count = memory.pop("kept"), memory.pop("count")
        if not 0 <= count <= len(described["names"]) or any(len(arrays[f"optimizer.{k}"]) != count for k in kept):
            raise ValueError("the optimiser's memory does not fit the model")
        memory["state"] = [{name: arrays[f"optimizer.{name}"][i] for name in kept} for i in range(count)]
    state = dict(zip(described["names"], arrays["model"], strict=True))
    version = int(metadata["version"])
    return {"format": metadata["format"], "version": version, "model": state, "optimizer": memory}


def _library() -> tuple[Any, Any, Any]:
    try:
        import numpy
        from safetensors.numpy import load, save
    except ImportError:
        raise MissingExtraError("safetensors", "safetensors", "a .safetensors file") from None
    return numpy, save, load
