"""A model's weights in one flat buffer, and the views of it that the decoder computes with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .checkpoint import has_weights, read_tensors, read_weights
from .config import ModelConfig, read_config, read_json
from .decoder import Decoder
from .errors import EngineError, bad_request
from .layout import initialise, layout_of, views_of

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Model:
    """Weights (fp32, flat) of one architecture, with where they came from."""

    def __init__(self, source: dict[str, Any], precision: str) -> None:
        if precision not in DTYPES:
            raise bad_request(f"there is no precision {precision!r}")
        self.folder = Path(source["path"])
        self.config: ModelConfig = read_config(self.folder)
        self.dtype = DTYPES[precision]
        self.slots, self.fused, self.size = layout_of(self.config)
        self.decoder = Decoder(self.config)
        self.flat = torch.empty(self.size)
        self.step = 0
        self.moment_steps = 0
        self.moments: tuple[torch.Tensor, torch.Tensor] | None = None
        if has_weights(self.folder):
            read_weights(self.folder, self.slots, self.flat, tied=self.config.tied)
        elif source.get("kind") == "folder" and source.get("seed") is not None:
            initialise(self.slots, self.config, self.flat, int(source["seed"]))
        else:
            raise EngineError(
                "weights-missing", "user", f"{self.folder} holds no model.safetensors, and no seed was given"
            )
        if source.get("kind") == "checkpoint":
            path = self.folder / "whetstone.json"
            facts = read_json(path) if path.is_file() else {}
            self.step = int(facts.get("step", 0))
            if source.get("optimizer"):
                self.moment_steps = int(facts.get("momentSteps", self.step))
                self._read_optimizer()

    def _read_optimizer(self) -> None:
        path = self.folder / "optimizer.safetensors"
        if not path.is_file():
            raise EngineError("weights-missing", "user", f"{path} does not exist: saved without its optimiser")
        first, second = torch.empty(self.size), torch.empty(self.size)
        renamed = [
            (first, "first."),
            (second, "second."),
        ]
        for flat, prefix in renamed:
            slots = [type(slot)(prefix + slot.name, slot.shape, slot.offset) for slot in self.slots]
            read_tensors([path], slots, flat)
        self.moments = first, second

    def compute_views(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the decoder reads: the buffer itself in fp32, a copy in bf16."""
        return views_of(flat if self.dtype == torch.float32 else flat.to(self.dtype), self.fused)

    def facts(self) -> dict[str, Any]:
        return {
            "parameters": self.size,
            "vocabularySize": self.config.vocabulary,
            "step": self.step,
            "maxPositions": self.config.max_positions or None,
        }

    def check(self, tokens: torch.Tensor, longest: int) -> None:
        """Raises token-out-of-range and too-long."""
        vocabulary, most = self.config.vocabulary, self.config.max_positions
        if len(tokens) and (int(tokens.min()) < 0 or int(tokens.max()) >= vocabulary):
            raise EngineError("token-out-of-range", "engine", f"a token id is outside 0…{vocabulary - 1}")
        if most and self.config.positions != "none" and longest > most:
            raise EngineError("too-long", "engine", f"{longest} positions, and the model has {most}")
