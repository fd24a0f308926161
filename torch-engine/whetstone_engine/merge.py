"""Adapters added to the weights under them: a Hugging Face folder that needs no library of adapters."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from .base import digest_of
from .checkpoint import keep_files, read_facts, tensors_of, write_checkpoint
from .errors import EngineError
from .lora import slots_of
from .peft_folder import base_of, check_base, is_adapter, read_flat, read_stored
from .weights import read_model


@torch.no_grad()
def merge(folder: Path, path: str, base: str | None = None) -> int:
    """Writes the model, in fp32, that adapters and their base make together; returns its bytes. Raises
    adapter-missing, and what is wrong with the folders."""
    if not is_adapter(folder):
        raise EngineError("adapter-missing", "user", f"{folder} holds no adapters")
    stored = read_stored(folder)
    source = base_of(folder, base)
    check_base(folder, digest_of(Path(source["path"])), source["path"])
    model = read_model(source, "fp32")
    architecture, whole = model.architecture, model.flat.cpu()
    lora = stored.of(architecture.linears)
    sites, size = architecture.linears.sites(lora)
    slots, flat = slots_of(sites, lora.rank), torch.empty(size)
    read_flat(folder, slots, flat, architecture.leaves(whole), architecture.linears.copies)
    adapters = tensors_of(slots, flat)
    weights = tensors_of(architecture.slots, whole)
    files = {**model.files, **keep_files(folder)}
    for part in (part for site in sites for part in site.parts):
        name = f"{part.name}.weight"
        if name != part.weight:
            # The head is no longer what it was tied to.
            weights[name] = weights[part.weight].clone()
            config = {**json.loads(files["config.json"]), "tie_word_embeddings": False}
            files["config.json"] = json.dumps(config, indent=2).encode() + b"\n"
        down, up = (adapters[f"base_model.model.{part.name}.lora_{one}.weight"] for one in "AB")
        weight = weights[name].t() if part.transposed else weights[name]
        weight.addmm_(up, down, alpha=lora.scale)
    step = read_facts(folder).step
    return write_checkpoint(Path(path), files, architecture.published(weights), {"step": step})
