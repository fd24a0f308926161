"""A model of transformers in one flat buffer: what trainer, samplers and checkpoints ask of an
architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from ..checkpoint import WEIGHTS, read_facts, tensors_of, weight_files
from ..checksums import unchanged
from ..config import ModelShape, suppressed_of
from ..device import placed
from ..errors import EngineError
from ..layout import Fused, Slot
from ..linear import Linear, Weights
from ..weights import Architecture, computed_in
from .decoder import PlainDecoder
from .library import transformers
from .linears import PlainLinears
from .soundness import check_soundness


class PlainArchitecture(Architecture):
    """Names and shapes are the module's own; it is made, with its weights, when it is read."""

    plain = True

    def __init__(self, folder: Path, precision: str, seed: int | None) -> None:
        """With a seed weights are drawn, as the library draws them. Raises packages-missing, config-invalid,
        unsupported-architecture, and what is wrong with the weights."""
        self.precision = precision
        self.kept = torch.bfloat16 if precision == "bf16" else torch.float32
        config = _read_config(folder)
        self.config = _shape(folder, config.get_text_config())
        module = _drawn(config, seed) if seed is not None else _loaded(folder, config)
        self.slots: list[Slot] = []
        offset = 0
        parameters = dict(module.named_parameters())
        for name, parameter in parameters.items():
            self.slots.append(Slot(name, tuple(parameter.shape), offset))
            offset += parameter.numel()
        self.size = offset
        self.dtype = computed_in(precision, self.size)
        self.fused = [Fused(slot.name, slot.shape, slot.offset) for slot in self.slots]
        flat = torch.empty(self.size, dtype=self.kept)
        self.decoder = PlainDecoder(module, self.config.suppressed, self.dtype)
        self.can_recompute = bool(self.decoder.layers)
        self.linears = PlainLinears(module, self.decoder.places)
        for name, view in tensors_of(self.slots, flat).items():
            view.copy_(parameters.pop(name).detach())
            # Given back one by one: both never lie in memory whole.
            self.decoder.drop(name)
        stored = module.state_dict()
        self.constants = {name: one.clone() for name, one in module.named_buffers() if name in stored}
        flat = placed(flat)
        self.decoder.place()
        check_soundness(self.decoder, self.weights(self.leaves(flat)), self.config, str(folder))
        self._flat: Tensor | None = flat

    def take_flat(self) -> Tensor:
        """The weights as they were read, once: they belong to the model from then on."""
        flat, self._flat = self._flat, None
        assert flat is not None
        return flat

    def read(self, weights: Mapping[str, Tensor | Linear]) -> Weights:
        return {**weights}

    def laid_out(self, leaves: dict[str, Tensor]) -> Weights | None:
        """A copy in what passes compute in, where the weights lie in something else: what lies in that is
        the trainer's, and moves with its next step."""
        if next(iter(leaves.values())).dtype == self.dtype:
            return None
        return {name: leaf.to(self.dtype) for name, leaf in leaves.items()}

    def published(self, tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
        """By the names that published checkpoints of this architecture have."""
        tensors = {**tensors, **self.constants}
        named = transformers().core_model_loading.revert_weight_conversion(self.decoder.module, tensors)
        return {WEIGHTS: {name: tensor.contiguous() for name, tensor in named.items()}}


def _read_config(folder: Path) -> Any:
    library = transformers()
    try:
        return library.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise EngineError(
            "config-invalid", "user", f"{folder / 'config.json'} makes no model: {error}"
        ) from error


def _shape(folder: Path, config: Any) -> ModelShape:
    heads = _number(config, 1, "num_attention_heads")
    width = _number(config, 1, "hidden_size")
    vocabulary = _number(config, 1, "vocab_size")
    try:
        suppressed = suppressed_of(folder, vocabulary)
    except (TypeError, ValueError) as error:
        raise EngineError("config-invalid", "user", f"{folder} makes no model: {error}") from error
    return ModelShape(
        vocabulary=vocabulary,
        width=width,
        hidden=_number(config, 4 * width, "intermediate_size", "ffn_dim"),
        layers=_number(config, 1, "num_hidden_layers"),
        heads=heads,
        key_value_heads=_number(config, heads, "num_key_value_heads"),
        head_width=_number(config, max(1, width // heads), "head_dim"),
        max_positions=_reach(config),
        tied=bool(getattr(config, "tie_word_embeddings", False)),
        suppressed=suppressed,
    )


def _reach(config: Any) -> int:
    """0 where nothing bounds it. Rotary positions of longrope change for all of a sequence when it passes the
    original length: up to there a prefix computes what it computes in any longer one."""
    most = _number(config, 0, "max_position_embeddings", "max_seq_len")
    rotary = getattr(config, "rope_parameters", None) or {}
    kinds = rotary.values() if any(isinstance(one, dict) for one in rotary.values()) else [rotary]
    originals = [
        int(one["original_max_position_embeddings"])
        for one in kinds
        if isinstance(one, dict) and one.get("rope_type") == "longrope"
    ]
    return min([most, *originals]) if most else min(originals, default=0)


def _number(config: Any, otherwise: int, *names: str) -> int:
    """Of the first member that is one; of layers that differ, the most."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, list | tuple) and value:
            value = max(value)
        if isinstance(value, int) and value > 0:
            return value
    return otherwise


def _drawn(config: Any, seed: int) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers().AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )


def _loaded(folder: Path, config: Any) -> Any:
    """In fp32, whatever is kept of it: what a module computes once, as Gemma's scale of embeddings, would be
    rounded with its weights, and not be what a module that is drawn computes with."""
    files = weight_files(folder)
    try:
        with unchanged(files, read_facts(folder).raw):
            module, told = transformers().AutoModelForCausalLM.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except SafetensorError as error:
        raise EngineError(
            "weights-truncated", "user", f"{folder}: its safetensors file is not whole ({error})"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EngineError(
            "config-invalid", "user", f"{folder / 'config.json'} makes no model: {error}"
        ) from error
    for told_as, code, text in (
        ("mismatched_keys", "weights-shape", "has another shape than config.json says:"),
        ("missing_keys", "weights-missing-tensor", "lacks"),
        ("unexpected_keys", "weights-unexpected-tensor", "holds, unknown to config.json,"),
    ):
        names = sorted(str(one[0] if isinstance(one, tuple) else one) for one in told[told_as])
        if names:
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise EngineError(code, "user", f"{folder} {text} {names[0]}{others}")
    return module
