"""How fast rotary positions turn, and how far a configuration stretches them (arXiv 2104.09864)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .config import ModelConfig


def frequencies_of(config: ModelConfig) -> Tensor:
    """Radians a position, fp32 [d/2]."""
    steps = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
    frequencies = config.rotary_base**-steps
    scaling, kind = config.rotary_scaling or {}, config.rotary_kind
    if kind == "linear":
        return frequencies / float(scaling["factor"])
    if kind == "llama3":
        return _llama3(frequencies, scaling)
    if kind == "yarn":
        return _yarn(frequencies, config, scaling)
    # `dynamic` stretches only beyond max_position_embeddings, where no sequence reaches.
    return frequencies


def magnitude_of(config: ModelConfig) -> float:
    """What cosines and sines are multiplied by; other than 1 with yarn alone (arXiv 2309.00071, §3.4)."""
    scaling = config.rotary_scaling or {}
    if config.rotary_kind != "yarn":
        return 1.0
    if scaling.get("attention_factor") is not None:
        return float(scaling["attention_factor"])
    factor, one, all_dims = float(scaling["factor"]), scaling.get("mscale"), scaling.get("mscale_all_dim")
    if one and all_dims:
        return _magnitude(factor, float(one)) / _magnitude(factor, float(all_dims))
    return _magnitude(factor, 1)


def _magnitude(factor: float, weight: float) -> float:
    return 0.1 * weight * math.log(factor) + 1 if factor > 1 else 1.0


def _llama3(frequencies: Tensor, scaling: dict[str, Any]) -> Tensor:
    """Slow ones are stretched, fast ones not, with a ramp over the turns that they make in the original
    length."""
    factor, low, high = (float(scaling[name]) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    turns = float(scaling["original_max_position_embeddings"]) * frequencies / (2 * math.pi)
    blend = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - blend) * frequencies / factor + blend * frequencies


def _yarn(frequencies: Tensor, config: ModelConfig, scaling: dict[str, Any]) -> Tensor:
    """As llama3, with a ramp over the index of the frequency (arXiv 2309.00071, §3.2)."""
    original = float(scaling["original_max_position_embeddings"])

    def index_of(turns: float) -> float:
        """Of the frequency that turns so often in the original length."""
        slowness = math.log(original / (turns * 2 * math.pi))
        return config.head_width * slowness / (2 * math.log(config.rotary_base))

    first = index_of(float(scaling.get("beta_fast") or 32))
    last = index_of(float(scaling.get("beta_slow") or 1))
    if scaling.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, config.head_width - 1)
    last = last + 0.001 if last == first else last
    stretched = ((torch.arange(len(frequencies), dtype=torch.float32) - first) / (last - first)).clamp(0, 1)
    return stretched * frequencies / float(scaling["factor"]) + (1 - stretched) * frequencies
