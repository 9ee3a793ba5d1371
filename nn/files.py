"""Saves and loads models and optimisers: safetensors or JSON, never pickle; a file is whole or untouched."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from autograd import ArgumentError, AutogradError, MissingExtraError, write_atomically

from .module import Module
from .optim import Optimizer

FORMAT, VERSION = "scalar-autograd model", 1
LARGEST = 2**30  # bytes of a file that is read


def save(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> Path:
    """Write a model's numbers, and an optimiser's memory, to a file.

    Args:
        path: ends with ``.json`` or ``.safetensors`` (the extra ``safetensors``).
        model: its ``state_dict`` is saved.
        optimizer: saved too if given, to go on training later.

    Returns:
        the path written. A reader sees the old file or the new one, never a part.

    Raises:
        ArgumentError: for another ending.
        OSError: if the file cannot be written.
    """
    path = Path(path)
    state = model.state_dict()
    for name, x in state.items():
        if not math.isfinite(x):
            raise ArgumentError(f"{name} is {x!r}; a model that is not finite is not saved over one that may be")
    memory = None if optimizer is None else optimizer.state_dict()
    if path.suffix == ".json":
        content = {"format": FORMAT, "version": VERSION, "model": state, "optimizer": memory}
        write_atomically(path, json.dumps(content, indent=1).encode())
    elif path.suffix == ".safetensors":
        write_atomically(path, _to_safetensors(state, memory))
    else:
        raise ArgumentError(f"cannot tell the format from {path.name!r}; end it with .json or .safetensors")
    return path


def load(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> None:
    """Read a file that ``save`` wrote into a model, and an optimiser, of the same shape; all or nothing.

    Raises:
        ArgumentError: if the file is damaged, of another kind or version, or does not fit; nothing is changed then.
        OSError: if it cannot be read.
    """
    path = Path(path)
    if path.suffix not in (".json", ".safetensors"):
        raise ArgumentError(f"cannot tell the format from {path.name!r}; it ends with neither .json nor .safetensors")
    if path.exists() and not path.is_file():
        raise ArgumentError(f"{path.name} is no ordinary file")
    if path.stat().st_size > LARGEST:
        raise ArgumentError(f"{path.name} has {path.stat().st_size:,} bytes; no model of scalars is that large")
    raw = path.read_bytes()
    try:
        content = json.loads(raw) if path.suffix == ".json" else _from_safetensors(raw)
        state, memory = _checked(content)
    except MissingExtraError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, IndexError) as error:
        raise ArgumentError(f"{path.name} is damaged or no model file: {error}") from None
    except Exception as error:  # the safetensors library's own kind
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


def _checked(content: Any) -> tuple[dict[str, float], Any]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it does not say {FORMAT!r}")
    if content.get("version") != VERSION:
        raise ValueError(f"it has version {content.get('version')!r}, this library reads version {VERSION}")
    state = content["model"]
    if not isinstance(state, dict):
        raise ValueError("its model is no list of numbers by name")
    for name, x in state.items():
        if type(x) not in (int, float) or not math.isfinite(x):
            raise ValueError(f"{name} is {x!r}, not a finite number")
    return state, content.get("optimizer")


# safetensors: one array of the model's numbers and one for each thing the optimiser remembers; names in the header.


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
    _, _, load_bytes = _library()
    arrays = {name: array.tolist() for name, array in load_bytes(raw).items()}
    size = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + size]).get("__metadata__", {})
    described = json.loads(metadata["content"])
    memory = described.get("optimizer")
    if memory is not None:
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
