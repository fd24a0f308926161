"""A model's weights in one flat buffer, and the views of it that the decoder computes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .checkpoint import WEIGHTS, has_weights, keep_files, read_facts, read_optimizer, read_weights, tensors_of
from .config import PLAIN_ARCHITECTURES, read_config, read_kind
from .decoder import Decoder
from .device import on_host, placed
from .errors import EngineError, bad_request
from .folded import Folded
from .in_blocks import in_blocks
from .in_lanes import in_lanes
from .lanes import LARGE
from .layout import initialise, layout_of, views_of
from .linear import Linear, Weights
from .lora import DecoderLinears, Linears
from .precision import check_precision, name_of, native_bf16, onednn_in_fp32, round_weights
from .request import text, whole


def computed_in(precision: str, size: int) -> torch.dtype:
    """What passes of a model of so many parameters compute in. On a processor a small one waits for calls and
    not for products, and computes in fp32."""
    if precision == "fp32" or (on_host() and size < LARGE) or not native_bf16():
        return torch.float32
    return torch.bfloat16


class Architecture:
    """What a folder's configuration says, and where each tensor lies in a buffer."""

    plain = False
    """Whether transformers computes it."""
    can_recompute = True
    """Whether its layers can be computed again in place of being kept."""

    def __init__(self, folder: Path, precision: str) -> None:
        self.config = read_config(folder)
        self.precision = precision
        self.kept = torch.bfloat16 if precision == "bf16" else torch.float32
        """What weights that are trained, their gradients and moments are kept in."""
        self.slots, self.fused, self.size = layout_of(self.config)
        self.dtype = computed_in(precision, self.size)
        """What passes compute in; weights are rounded to bf16 in either case where they are to be."""
        self.decoder = Decoder(self.config, self.dtype)
        self.linears: Linears = DecoderLinears(self.config)

    @property
    def architecture(self) -> Architecture:
        return self

    def leaves(self, buffer: Tensor) -> dict[str, Tensor]:
        """What is trained, as views of a buffer."""
        return views_of(buffer, self.fused)

    def weights(self, leaves: dict[str, Tensor], *, trained: bool = False) -> Weights:
        """What the decoder computes with; `trained` where gradients are wanted."""
        return dict(leaves) if trained else self.read(leaves)

    def read(self, weights: Mapping[str, Tensor | Linear]) -> Weights:
        """The same weights as products of few rows read them fastest."""
        return in_lanes(weights, self.config, self.size)

    def laid_out(self, leaves: dict[str, Tensor]) -> Weights | None:
        """A copy laid out for the products of a few rows; None where that is not worth it."""
        if self.size < LARGE and self.dtype == torch.float32 and on_host():
            return Folded(leaves, self.config)
        if not self.multiplies_blocks:
            return self.in_fp32(leaves)
        # What is no block is the trainer's still, or keeps a whole buffer.
        blocks = in_blocks(leaves, gated=True)
        return {key: one.clone() if isinstance(one, Tensor) else one for key, one in blocks.items()}

    @property
    def multiplies_blocks(self) -> bool:
        """Whether weights that are sampled from are laid out in blocks."""
        if self.plain or not on_host():
            return False
        if self.dtype == torch.bfloat16:
            return True
        return self.size >= LARGE and self.kept == torch.float32 and onednn_in_fp32()

    def in_fp32(self, weights: Mapping[str, Tensor]) -> Weights | None:
        """A copy for passes that compute in fp32; None where the weights are that, or passes are not."""
        kept = next(iter(weights.values())).dtype
        if self.dtype != torch.float32 or not on_host() or kept == torch.float32:
            return None
        return self.read({key: weight.float() for key, weight in weights.items()})

    def files(self, flat: Tensor) -> dict[str, dict[str, Tensor]]:
        """The weights' tensors by file and name, as views of a buffer."""
        return self.published(tensors_of(self.slots, flat))

    def published(self, tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
        """Tensors by the slots' names, as files of a checkpoint have them."""
        return {WEIGHTS: tensors}

    def check(self, tokens: Tensor, longest: int) -> None:
        """Raises token-out-of-range and too-long."""
        vocabulary, most = self.config.vocabulary, self.config.max_positions
        if len(tokens) and (int(tokens.min()) < 0 or int(tokens.max()) >= vocabulary):
            raise EngineError("token-out-of-range", "engine", f"a token id is outside 0…{vocabulary - 1}")
        if most and longest > most:
            raise EngineError("too-long", "engine", f"{longest} positions, and the model has {most}")


@dataclass
class Model:
    """Weights (flat, in what they are kept in), how many optimiser steps they have seen, and the small files
    of their folder."""

    architecture: Architecture
    flat: Tensor
    step: int
    files: dict[str, bytes]
    moments: tuple[Tensor, Tensor] | None = None
    """Optimiser steps that the moments have seen: fewer than `step` when they were not loaded with them."""
    moment_steps: int = 0

    def compute_buffer(self, *, keep: bool = True) -> Tensor:
        """The weights as the decoder computes with them: `flat` itself, or a copy where that must stay."""
        if self.architecture.precision != "mixed":
            return self.flat
        if self.architecture.dtype != torch.float32:
            return self.flat.to(self.architecture.dtype)
        return round_weights(self.flat, torch.empty_like(self.flat) if keep else self.flat)

    @property
    def frame(self) -> Architecture:
        return self.architecture

    @property
    def facts_to_save(self) -> dict[str, Any]:
        return {}

    def facts(self) -> dict[str, Any]:
        config = self.architecture.config
        return {
            "parameters": self.architecture.size,
            "vocabularySize": config.vocabulary,
            "step": self.step,
            "maxPositions": config.max_positions or None,
            "arithmetic": name_of(self.architecture.dtype),
        }


def _fast(folder: Path, precision: str, seed: int | None) -> tuple[Architecture, Tensor]:
    architecture = Architecture(folder, precision)
    flat = torch.empty(architecture.size, dtype=architecture.kept)
    if seed is None:
        read_weights(folder, architecture.slots, flat)
    else:
        initialise(architecture.slots, architecture.config, flat, seed)
    return architecture, placed(flat)


def _plain(folder: Path, precision: str, seed: int | None) -> tuple[Architecture, Tensor]:
    # It builds on what is here, and is loaded only where a model needs it.
    from .plain.architecture import PlainArchitecture

    architecture = PlainArchitecture(folder, precision, seed)
    return architecture, architecture.take_flat()


def read_model(source: dict[str, Any], precision: str) -> Model:
    """Reads or initialises a model; raises the errors of its config and weights, and weights-missing."""
    folder, kind = Path(text(source, "path")), source.get("kind")
    if kind not in ("folder", "checkpoint"):
        raise bad_request(f"there is no kind of source {kind!r}; there are folder, checkpoint")
    check_precision(precision)
    seed = whole(source, "seed") if kind == "folder" and source.get("seed") is not None else None
    plain = read_kind(folder)[1] in PLAIN_ARCHITECTURES
    if not has_weights(folder) and seed is None:
        raise EngineError("weights-missing", "user", f"{folder} holds no weights, and no seed was given")
    architecture, flat = (_plain if plain else _fast)(
        folder, precision, None if has_weights(folder) else seed
    )
    model = Model(architecture, flat, 0, keep_files(folder))
    if kind == "checkpoint":
        facts = read_facts(folder)
        model.step, moved = facts.step, facts.moment_steps
        if source.get("optimizer") and moved > 0:
            model.moments = read_optimizer(folder, architecture.slots, flat)
            model.moment_steps = moved
    return model
