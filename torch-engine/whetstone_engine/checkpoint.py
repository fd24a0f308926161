"""Weights on disk: Hugging Face folders, read and written; a folder that exists is whole."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .errors import EngineError, of_exception
from .layout import Slot

COPIED = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


def has_weights(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("model.safetensors", "model.safetensors.index.json"))


def read_weights(folder: Path, slots: list[Slot], flat: torch.Tensor, *, tied: bool) -> None:
    """Fills the flat buffer; raises weights-missing-tensor, weights-shape, weights-truncated."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    else:
        names = json.loads(index.read_text("utf-8"))["weight_map"].values()
        files = [folder / name for name in sorted(set(names))]
    read_tensors(files, slots, flat, optional=("lm_head.weight",) if tied else ())


def read_tensors(files: list[Path], slots: list[Slot], flat: torch.Tensor, optional: tuple[str, ...] = ()) -> None:
    wanted = {slot.name: slot for slot in slots}
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118
                    if name in wanted:
                        _place(path, wanted.pop(name), file.get_tensor(name), flat)
        except SafetensorError as error:
            raise EngineError(
                "weights-truncated", "user", f"{path} is not a whole safetensors file ({error}); download it again"
            ) from error
    missing = [name for name in wanted if name not in optional]
    if missing:
        raise EngineError(
            "weights-missing-tensor",
            "user",
            f"{files[0]} lacks {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
        )


def _place(path: Path, slot: Slot, tensor: torch.Tensor, flat: torch.Tensor) -> None:
    if tuple(tensor.shape) != slot.shape:
        raise EngineError(
            "weights-shape",
            "user",
            f"{path}: {slot.name} has shape {list(tensor.shape)}, but config.json says {list(slot.shape)}",
        )
    flat.narrow(0, slot.offset, slot.size).copy_(tensor.reshape(-1))


def tensors_of(slots: list[Slot], flat: torch.Tensor) -> dict[str, torch.Tensor]:
    return {slot.name: flat.narrow(0, slot.offset, slot.size).view(slot.shape).contiguous() for slot in slots}


def write_checkpoint(
    path: Path, source: Path, files: dict[str, dict[str, torch.Tensor]], facts: dict[str, Any]
) -> int:
    """Writes a checkpoint folder under a temporary name, syncs it and renames it. Returns its bytes."""
    if path.exists():
        raise EngineError("save-exists", "user", f"{path} exists already")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        temporary.mkdir(parents=True)
        for name in COPIED:
            if (source / name).is_file():
                shutil.copyfile(source / name, temporary / name)
        for name, tensors in files.items():
            save_file(tensors, temporary / name, metadata={"format": "pt"})
        (temporary / "whetstone.json").write_text(json.dumps({"format": 1, **facts}), "utf-8")
        size = 0
        for file in temporary.iterdir():
            size += file.stat().st_size
            _sync(file)
        _sync(temporary)
        temporary.rename(path)
        _sync(path.parent)
        return size
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        full = isinstance(error, SafetensorError) and any(
            text in str(error) for text in ("No space", "File too large", "quota")
        )
        if full:
            raise EngineError("no-space", "environment", "the disk is full: free some space and run it again") from error
        raise of_exception(error) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
