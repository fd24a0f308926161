"""Adapters over a frozen base: what a trainer trains in place of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .base import Base, Bases
from .checkpoint import keep_files, read_facts, read_optimizer, tensors_of
from .device import placed
from .errors import EngineError, bad_request
from .in_lanes import InLanes
from .linear import Weights
from .lora import Adapted, Lora, Wanted, draw, leaves_of, slots_of
from .peft_folder import ADAPTERS, base_of, check_base, is_adapter, peft_config, read_flat, read_stored
from .precision import name_of
from .request import text, whole
from .weights import Architecture


class Adapters:
    """Where the adapters of a shape lie in a buffer, over which base."""

    def __init__(self, base: Base, lora: Lora) -> None:
        self.base, self.lora = base, lora
        self.sites, self.size = base.architecture.linears.sites(lora)
        self.slots = slots_of(self.sites, lora.rank)

    @property
    def architecture(self) -> Architecture:
        return self.base.architecture

    def leaves(self, buffer: Tensor) -> dict[str, Tensor]:
        return leaves_of(buffer, self.sites, self.lora.rank)

    def weights(self, leaves: dict[str, Tensor], *, trained: bool = False) -> Weights:
        frozen = self.base.plain() if trained else self.base.there()
        return self.base.over(frozen, self._over(frozen if trained else self.base.read(frozen), leaves))

    def laid_out(self, leaves: dict[str, Tensor]) -> Weights | None:
        """They stay beside the base, which is laid out once for all of them: merged, each step would cost a
        copy of the base, and in bf16 another rounding than the trainer's."""
        laid_out = self.base.laid_out()
        if laid_out is None:
            return None
        return self._over(laid_out, {key: leaf.clone() for key, leaf in leaves.items()})

    def _over(self, frozen: Weights, leaves: dict[str, Tensor]) -> Weights:
        weights = {**frozen}
        for site in self.sites:
            # In lanes a tied head stands beside the embeddings.
            base = weights.get(site.key, weights[site.base])
            ups = [leaves[f"{site.key}.up{index}"] for index in range(len(site.parts))]
            places = [slice(part.begin, part.begin + part.outputs) for part in site.parts]
            weights[site.key] = Adapted(base, leaves[f"{site.key}.down"], ups, places, self.lora.scale)
        return InLanes(weights, self.architecture.config) if isinstance(frozen, InLanes) else weights

    def files(self, flat: Tensor) -> dict[str, dict[str, Tensor]]:
        return {ADAPTERS: tensors_of(self.slots, flat)}


class AdapterModel:
    """Adapters (fp32, flat, in every precision: they take next to nothing), and what a checkpoint of them
    holds beside."""

    def __init__(self, frame: Adapters, flat: Tensor, base: Path, own: dict[str, bytes]) -> None:
        """`base` is the folder that was named: equal weights that are held already may lie in another one,
        beside another tokenizer. `own` files take the place of the base's."""
        self.frame, self.flat, self.base = frame, flat, str(base.resolve())
        config = peft_config(frame.lora, frame.sites, frame.architecture.linears, self.base)
        self.files = {**keep_files(base), **own, **config}
        self.step = self.moment_steps = 0
        self.moments: tuple[Tensor, Tensor] | None = None

    @property
    def architecture(self) -> Architecture:
        return self.frame.architecture

    def compute_buffer(self, *, keep: bool = True) -> Tensor:
        return self.flat.to(self.architecture.dtype)

    @property
    def facts_to_save(self) -> dict[str, Any]:
        base = self.frame.base
        return {"base": {"path": self.base, "seed": base.seed, "digest": base.digest}}

    def facts(self) -> dict[str, Any]:
        config = self.architecture.config
        return {
            "parameters": self.architecture.size,
            "vocabularySize": config.vocabulary,
            "step": self.step,
            "maxPositions": config.max_positions or None,
            "arithmetic": name_of(self.architecture.dtype),
            "lora": self.frame.lora.facts(self.architecture.linears),
        }


def adapter_of(
    source: dict[str, Any], lora: dict[str, Any] | None, precision: str, bases: Bases
) -> AdapterModel | None:
    """The adapters that are asked for: new ones where `lora` says what they are, those of a checkpoint where
    the source is one; None where the source is a whole model and `lora` is not given."""
    folder = Path(text(source, "path"))
    if is_adapter(folder):
        if lora is not None:
            raise bad_request(f"{folder} holds adapters and says what they are: leave lora out")
        return read_adapters(folder, source, precision, bases)
    return None if lora is None else new_adapters(source, lora, precision, bases)


def new_adapters(source: dict[str, Any], given: dict[str, Any], precision: str, bases: Bases) -> AdapterModel:
    wanted, seed = Wanted.read(given), whole(given, "seed", 0)
    if source.get("optimizer"):
        raise EngineError(
            "optimizer-missing", "user", f"{text(source, 'path')} holds no moments of adapters: they are new"
        )
    base = bases.load(source, precision)
    folder = Path(text(source, "path"))
    frame = Adapters(base, wanted.of(base.architecture.linears, str(folder)))
    flat = torch.empty(frame.size)
    draw(flat, frame.slots, seed)
    return AdapterModel(frame, placed(flat), folder, {})


def read_adapters(folder: Path, source: dict[str, Any], precision: str, bases: Bases) -> AdapterModel:
    """Of a PEFT folder. Raises what its config, its base and its files are wrong in."""
    stored = read_stored(folder)
    under = base_of(folder, source.get("base"))
    base = bases.load(under, precision)
    facts = read_facts(folder)
    check_base(folder, base.digest, under["path"])
    linears = base.architecture.linears
    frame = Adapters(base, stored.of(linears))
    flat = torch.empty(frame.size)
    read_flat(folder, frame.slots, flat, base.plain(), linears.copies)
    model = AdapterModel(frame, placed(flat), Path(under["path"]), keep_files(folder))
    if source.get("kind") == "checkpoint":
        model.step = facts.step
        if source.get("optimizer") and facts.moment_steps > 0:
            model.moments = read_optimizer(folder, frame.slots, model.flat)
            model.moment_steps = facts.moment_steps
    return model
