"""Weights on disk: Hugging Face folders, read and written; a folder that exists is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .checksums import MEMBER, sum_of, unchanged
from .config import read_json
from .errors import EngineError, no_space, of_exception
from .layout import EMBEDDING, HEAD, Slot
from .request import whole

FORMAT = 1
"""Of `whetstone.json` and what lies beside it."""
WEIGHTS, INDEX, OPTIMIZER = "model.safetensors", "model.safetensors.index.json", "optimizer.safetensors"
KEPT = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
)
"""Files of a model folder that its checkpoints need too."""


@dataclass(frozen=True)
class Facts:
    """What `whetstone.json` says: optimiser steps of the weights, those that the moments have seen, and all
    of it."""

    step: int
    moment_steps: int
    raw: dict[str, Any]


def read_facts(folder: Path) -> Facts:
    """A folder without the file is of step 0. Raises config-invalid for what a newer version wrote."""
    path = folder / "whetstone.json"
    raw = read_json(path) if path.is_file() else {}
    if raw.get("format", FORMAT) != FORMAT:
        raise EngineError("config-invalid", "user", f"{path}: a newer version wrote this checkpoint")
    step = whole(raw, "step", 0)
    return Facts(step, whole(raw, "momentSteps", step), raw)


def has_weights(folder: Path) -> bool:
    return (folder / WEIGHTS).is_file() or (folder / INDEX).is_file()


def keep_files(folder: Path) -> dict[str, bytes]:
    """The small files of a folder, as they were when its model was made."""
    return {name: (folder / name).read_bytes() for name in KEPT if (folder / name).is_file()}


def read_weights(folder: Path, slots: list[Slot], flat: torch.Tensor) -> None:
    """Fills the flat buffer; raises weights-missing, -truncated, -shape, -missing-tensor,
    -unexpected-tensor."""
    read_tensors(weight_files(folder), slots, flat)


def weight_files(folder: Path) -> list[Path]:
    """A folder's files of weights, which are safetensors by name. Raises weights-missing, -truncated."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    index = folder / INDEX
    try:
        shards = sorted({str(name) for name in read_json(index)["weight_map"].values()})
    except (EngineError, KeyError, AttributeError) as error:
        raise EngineError(
            "weights-truncated", "user", f"{index} is no index of weights: download it again"
        ) from error
    for name in shards:
        if not (folder / name).is_file():
            raise EngineError("weights-missing", "user", f"{index} names {name}, which is not there")
        if not name.endswith(".safetensors"):
            # A library that is given another file may unpickle it, and a pickle is a program.
            raise EngineError(
                "weights-truncated",
                "user",
                f"{index} names {name}, which is no safetensors file: nothing else is read",
            )
    return [folder / name for name in shards]


def read_optimizer(folder: Path, slots: list[Slot], flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both moments of the optimiser, laid out and kept like the weights."""
    path = folder / OPTIMIZER
    if not path.is_file():
        raise EngineError(
            "optimizer-missing", "user", f"{path} is not there: it was saved without its optimiser"
        )
    size = len(flat)
    both = torch.empty(2 * size, dtype=flat.dtype)
    firsts = [replace(slot, name=f"first.{slot.name}") for slot in slots]
    seconds = [replace(slot, name=f"second.{slot.name}", offset=slot.offset + size) for slot in slots]
    read_tensors([path], [*firsts, *seconds], both)
    both = both.to(flat.device)
    return both[:size], both[size:]


def read_tensors(
    files: list[Path],
    slots: list[Slot],
    flat: torch.Tensor,
    known: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Fills the flat buffer. Tensors that are `known` may be stored once more, but only as they are. Raises
    checkpoint-damaged beside what the tensors are wrong in."""
    with unchanged(files, read_facts(files[0].parent).raw):
        _read_tensors(files, slots, flat, known)


def _read_tensors(
    files: list[Path],
    slots: list[Slot],
    flat: torch.Tensor,
    known: Mapping[str, torch.Tensor] | None,
) -> None:
    wanted = {slot.name: slot for slot in slots}
    copies: list[tuple[Path, torch.Tensor]] = []
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118
                    slot = wanted.pop(name, None)
                    if slot is not None:
                        _place(path, slot, file.get_tensor(name), flat)
                    elif known is not None and name in known:
                        if not same(file.get_tensor(name), known[name]):
                            raise _unexpected(path, name)
                    elif name == HEAD:
                        copies.append((path, file.get_tensor(name)))
                    elif not name.endswith("rotary_emb.inv_freq"):
                        raise _unexpected(path, name)
        except SafetensorError as error:
            raise EngineError(
                "weights-truncated", "user", f"{path} is not a whole safetensors file ({error})"
            ) from error
    if wanted:
        others = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
        raise EngineError("weights-missing-tensor", "user", f"{files[0]} lacks {next(iter(wanted))}{others}")
    for path, head in copies:
        # A tied head may be stored once more, but only as what it is tied to.
        if not torch.equal(head.to(flat.dtype), tensors_of(slots, flat)[EMBEDDING]):
            raise _unexpected(path, HEAD)


def same(stored: torch.Tensor, held: torch.Tensor) -> bool:
    """Whether a tensor is what is held of it, which may have been rounded to bf16."""
    if stored.shape != held.shape:
        return False
    held = held.to(stored.device)
    return torch.equal(stored.float(), held.float()) or torch.equal(stored.bfloat16().float(), held.float())


def _unexpected(path: Path, name: str) -> EngineError:
    return EngineError("weights-unexpected-tensor", "user", f"{path} holds {name}, unknown to config.json")


def _place(path: Path, slot: Slot, tensor: torch.Tensor, flat: torch.Tensor) -> None:
    if tuple(tensor.shape) != slot.shape:
        raise EngineError(
            "weights-shape",
            "user",
            f"{path}: {slot.name} has shape {list(tensor.shape)}, but config.json says {list(slot.shape)}",
        )
    if not tensor.is_floating_point():
        raise EngineError(
            "weights-shape",
            "user",
            f"{path}: {slot.name} is of {str(tensor.dtype).removeprefix('torch.')}, and weights are floating "
            "point: what is quantised must be turned into that first",
        )
    flat.narrow(0, slot.offset, slot.size).copy_(tensor.reshape(-1))


def tensors_of(slots: list[Slot], flat: torch.Tensor, prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors by their names in a file, as views."""
    return {prefix + slot.name: flat.narrow(0, slot.offset, slot.size).view(slot.shape) for slot in slots}


def write_checkpoint(
    path: Path,
    small: dict[str, bytes],
    files: dict[str, dict[str, torch.Tensor]],
    facts: dict[str, Any],
    *,
    lasting: bool = True,
) -> int:
    """Writes a checkpoint folder under a temporary name, syncs it and renames it; what need not last is not
    synced, and has no checksums. Returns its bytes."""
    if path.exists():
        raise EngineError("save-exists", "user", f"{path} exists already")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        # What a process of the same number left when it was killed.
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, content in small.items():
            (temporary / name).write_bytes(content)
        facts_file, sums = temporary / "whetstone.json", {}
        facts_file.touch()
        with ThreadPoolExecutor(1) as beside:
            for name, tensors in files.items():
                file = temporary / name
                save_file(tensors, file, metadata={"format": "pt"})
                # It writes for its owner alone; the other files are for whom the user's mask lets read.
                file.chmod(facts_file.stat().st_mode)
                if lasting:
                    total = beside.submit(sum_of, file)
                    _sync(file)
                    sums[name] = total.result()
        told = {MEMBER: sums} if lasting else {}
        facts_file.write_text(json.dumps({"format": FORMAT, **facts, **told}))
        size = 0
        for file in temporary.iterdir():
            size += file.stat().st_size
            if lasting:
                _sync(file)
        if lasting:
            _sync(temporary)
        temporary.rename(path)
        if lasting:
            _sync(path.parent)
        return size
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        full = ("No space", "File too large", "quota")
        if isinstance(error, SafetensorError):
            named = no_space() if any(sign in str(error) for sign in full) else None
            raise named or EngineError("file-unreadable", "environment", str(error)) from error
        if isinstance(error, Exception):
            raise of_exception(error) from error
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
