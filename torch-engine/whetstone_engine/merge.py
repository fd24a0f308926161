"""Adapters added to the weights under them: a Hugging Face folder that needs no library of adapters."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from .base import digest_of, refuse_plain
from .checkpoint import (
    EMBEDDING,
    HEAD,
    WEIGHTS,
    keep_files,
    read_facts,
    tensors_of,
    write_checkpoint,
)
from .errors import EngineError
from .lora import sites_of, slots_of
from .peft_folder import base_of, check_base, is_adapter, read_flat, read_lora
from .weights import read_model


@torch.no_grad()
def merge(folder: Path, path: str, base: str | None = None) -> int:
    """Writes the model, in fp32, that adapters and their base make together; returns its bytes. Raises
    adapter-missing, and what is wrong with the folders."""
    if not is_adapter(folder):
        raise EngineError("adapter-missing", "user", f"{folder} holds no adapters")
    lora = read_lora(folder)
    source = base_of(folder, base)
    check_base(folder, digest_of(Path(source["path"])), source["path"])
    refuse_plain(source)
    model = read_model(source, "fp32")
    architecture = model.architecture
    sites, size = sites_of(architecture.config, lora)
    slots, flat = slots_of(sites, lora.rank), torch.empty(size)
    read_flat(folder, slots, flat, architecture.leaves(model.flat))
    adapters = tensors_of(slots, flat)
    weights = tensors_of(architecture.slots, model.flat)
    files = {**model.files, **keep_files(folder)}
    if "lm_head" in lora.linears and architecture.config.tied:
        # The head is no longer what it was tied to.
        weights[HEAD] = weights[EMBEDDING].clone()
        config = json.loads(files["config.json"])
        files["config.json"] = json.dumps({**config, "tie_word_embeddings": False}, indent=2).encode() + b"\n"
    for part in (part for site in sites for part in site.parts):
        down, up = (adapters[f"base_model.model.{part.name}.lora_{one}.weight"] for one in "AB")
        weights[f"{part.name}.weight"].addmm_(up, down, alpha=lora.scale)
    return write_checkpoint(Path(path), files, {WEIGHTS: weights}, {"step": read_facts(folder).step})
