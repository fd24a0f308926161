"""Where each tensor of a model lies in one flat buffer: fused projections and optimiser steps need no
copies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .config import ModelConfig

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


@dataclass(frozen=True)
class Slot:
    """A tensor of a Hugging Face checkpoint in the flat buffer."""

    name: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Fused:
    """Neighbouring slots read as one tensor."""

    key: str
    shape: tuple[int, ...]
    offset: int


def layout_of(config: ModelConfig) -> tuple[list[Slot], list[Fused], int]:
    """The slots (by file name), the fused tensors (by the decoder's key), and the number of parameters."""
    slots: list[Slot] = []
    fused: list[Fused] = []
    offset = 0

    def add(key: str, *tensors: tuple[str, tuple[int, ...]]) -> None:
        nonlocal offset
        begin = offset
        for name, shape in tensors:
            slots.append(Slot(name, shape, offset))
            offset += math.prod(shape)
        rest = tensors[0][1][1:]
        fused.append(Fused(key, (sum(shape[0] for _, shape in tensors), *rest), begin))

    width, head = config.width, config.head_width
    queries, keys = config.heads * head, config.key_value_heads * head
    add("embed", (EMBEDDING, (config.vocabulary, width)))
    if config.positions == "learned":
        add("positions", ("model.embed_positions.weight", (config.max_positions, width)))
    for index in range(config.layers):
        prefix = f"model.layers.{index}."
        attention = prefix + "self_attn."
        add(f"{index}.norm1", (prefix + "input_layernorm.weight", (width,)))
        rows = (("q_proj", queries), ("k_proj", keys), ("v_proj", keys))
        add(f"{index}.qkv", *[(f"{attention}{name}.weight", (size, width)) for name, size in rows])
        if config.qkv_bias:
            add(f"{index}.qkv_bias", *[(f"{attention}{name}.bias", (size,)) for name, size in rows])
        if config.head_norm:
            add(f"{index}.q_norm", (attention + "q_norm.weight", (head,)))
            add(f"{index}.k_norm", (attention + "k_norm.weight", (head,)))
        add(f"{index}.o", (attention + "o_proj.weight", (width, queries)))
        if config.output_bias:
            add(f"{index}.o_bias", (attention + "o_proj.bias", (width,)))
        add(f"{index}.norm2", (prefix + "post_attention_layernorm.weight", (width,)))
        gate_up = [(f"{prefix}mlp.{name}_proj.weight", (config.hidden, width)) for name in ("gate", "up")]
        add(f"{index}.gate_up", *gate_up)
        add(f"{index}.down", (prefix + "mlp.down_proj.weight", (width, config.hidden)))
    add("norm", ("model.norm.weight", (width,)))
    if not config.tied:
        add("head", (HEAD, (config.vocabulary, width)))
    return slots, fused, offset


def views_of(flat: torch.Tensor, fused: list[Fused]) -> dict[str, torch.Tensor]:
    """The decoder's tensors as views of the flat buffer."""
    return {one.key: flat.narrow(0, one.offset, math.prod(one.shape)).view(one.shape) for one in fused}


def initialise(slots: list[Slot], config: ModelConfig, flat: torch.Tensor, seed: int) -> None:
    """Embeddings N(0, 1), linears N(0, 1/fan_in), output projections divided by √(2·layers), norms 1, biases
    0. One generator in the slots' order: a shape and a seed give the same weights."""
    generator = torch.Generator().manual_seed(seed)
    for slot in slots:
        view = flat.narrow(0, slot.offset, slot.size).view(slot.shape)
        if slot.name.endswith("norm.weight"):
            view.fill_(1)
        elif slot.name.endswith(".bias"):
            view.zero_()
        elif ".embed_" in slot.name:
            view.normal_(0, 1, generator=generator)
        else:
            deviation = slot.shape[1] ** -0.5
            if slot.name.endswith(("o_proj.weight", "down_proj.weight")):
                deviation /= math.sqrt(2 * config.layers)
            view.normal_(0, deviation, generator=generator)
