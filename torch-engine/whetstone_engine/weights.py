"""A model's weights in one flat buffer, and the views of it that the decoder computes with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .checkpoint import FORMAT, has_weights, keep_files, read_optimizer, read_weights
from .config import read_config, read_json
from .decoder import Decoder, Weights
from .errors import EngineError, bad_request
from .layout import initialise, layout_of, views_of
from .request import text, whole

PRECISIONS = ("fp32", "bf16")
ROUNDED_AT_ONCE = 2**16
"""Weights that are rounded together: their copy stays in the cache."""


def native_bf16() -> bool:
    """Whether this processor multiplies matrices faster in bf16 than in fp32. That takes tiles (AMX): with
    vector instructions bf16 is half as fast, and weights rounded to it are computed with in fp32."""
    return torch.cpu._is_amx_tile_supported()


def round_weights(flat: Tensor, out: Tensor) -> Tensor:
    """Weights rounded to bf16, in an fp32 buffer that may be the same."""
    for target, source in zip(out.split(ROUNDED_AT_ONCE), flat.split(ROUNDED_AT_ONCE), strict=True):
        target.copy_(source.bfloat16())
    return out


class Architecture:
    """What a folder's configuration says, and where each tensor lies in a buffer."""

    def __init__(self, folder: Path, precision: str) -> None:
        if precision not in PRECISIONS:
            raise bad_request(f"there is no precision {precision!r}; there are {', '.join(PRECISIONS)}")
        self.config = read_config(folder)
        self.rounded = precision == "bf16"
        self.dtype = torch.bfloat16 if self.rounded and native_bf16() else torch.float32
        """What passes compute in; weights are rounded to bf16 in either case where they are to be."""
        self.slots, self.fused, self.size = layout_of(self.config)
        self.decoder = Decoder(self.config)

    def views(self, buffer: Tensor) -> Weights:
        """The decoder's tensors as views of a buffer."""
        return views_of(buffer, self.fused)

    def check(self, tokens: Tensor, longest: int) -> None:
        """Raises token-out-of-range and too-long."""
        vocabulary, most = self.config.vocabulary, self.config.max_positions
        if len(tokens) and (int(tokens.min()) < 0 or int(tokens.max()) >= vocabulary):
            raise EngineError("token-out-of-range", "engine", f"a token id is outside 0…{vocabulary - 1}")
        if most and longest > most:
            raise EngineError("too-long", "engine", f"{longest} positions, and the model has {most}")


@dataclass
class Model:
    """Weights (fp32, flat), how many optimiser steps they have seen, and the small files of their folder."""

    architecture: Architecture
    flat: Tensor
    step: int
    files: dict[str, bytes]
    moments: tuple[Tensor, Tensor] | None = None
    """Optimiser steps that the moments have seen: fewer than `step` when they were not loaded with them."""
    moment_steps: int = 0

    def compute_buffer(self, *, keep: bool = True) -> Tensor:
        """The weights as the decoder computes with them: `flat` itself, or a copy where that must stay."""
        if not self.architecture.rounded or self.architecture.dtype != torch.float32:
            return self.flat.to(self.architecture.dtype)
        return round_weights(self.flat, torch.empty_like(self.flat) if keep else self.flat)

    def facts(self) -> dict[str, Any]:
        config = self.architecture.config
        return {
            "parameters": self.architecture.size,
            "vocabularySize": config.vocabulary,
            "step": self.step,
            "maxPositions": config.max_positions or None,
        }


def read_model(source: dict[str, Any], precision: str) -> Model:
    """Reads or initialises a model; raises the errors of its config and weights, and weights-missing."""
    folder, kind = Path(text(source, "path")), source.get("kind")
    if kind not in ("folder", "checkpoint"):
        raise bad_request(f"there is no kind of source {kind!r}; there are folder, checkpoint")
    architecture = Architecture(folder, precision)
    flat = torch.empty(architecture.size)
    if has_weights(folder):
        read_weights(folder, architecture.slots, flat)
    elif kind == "folder" and source.get("seed") is not None:
        initialise(architecture.slots, architecture.config, flat, whole(source, "seed"))
    else:
        raise EngineError("weights-missing", "user", f"{folder} holds no weights, and no seed was given")
    model = Model(architecture, flat, 0, keep_files(folder))
    if kind == "checkpoint":
        path = folder / "whetstone.json"
        facts = read_json(path) if path.is_file() else {}
        if facts.get("format", FORMAT) != FORMAT:
            raise EngineError("config-invalid", "user", f"{path}: a newer version wrote this checkpoint")
        model.step = whole(facts, "step", 0)
        moved = whole(facts, "momentSteps", model.step)
        if source.get("optimizer") and moved > 0:
            model.moments = read_optimizer(folder, architecture.slots, architecture.size)
            model.moment_steps = moved
    return model
