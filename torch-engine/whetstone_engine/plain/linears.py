"""Which layers of a model of transformers may have adapters, and what these add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from ..lora import Adapted, Lora, Part, Site
from .library import transformers


class PlainLinears:
    """Linear layers by their paths in the module, and what `peft` calls them."""

    def __init__(self, module: Any, places: dict[str, list[tuple[nn.Module, str]]]) -> None:
        """`places` are the parameters by name, with all the places where each stands."""
        names = {(owner, attribute): name for name, stands in places.items() for owner, attribute in stands}
        head, embedding = module.get_output_embeddings(), module.get_input_embeddings()
        self.paths = dict(module.named_modules())
        self.parts: dict[str, tuple[Part, int]] = {}
        """By path: the layer's adapter, and its inputs."""
        kinds: dict[str, list[str]] = {"attention": [], "mlp": [], "unembed": []}
        self.copies: dict[str, str] = {}
        experts = False
        for path, owner in self.paths.items():
            kind = "unembed" if owner is head else _kind(path)
            if kind == "mlp":
                experts |= any(one.dim() > 2 for one in owner.parameters(recurse=False))
            if kind is not None and _is_linear(owner):
                outputs, inputs = owner.weight.shape
                transposed = not isinstance(owner, nn.Linear)
                if transposed:
                    outputs, inputs = inputs, outputs
                self.parts[path] = (
                    Part(path, 0, outputs, names[owner, "weight"], transposed),
                    inputs,
                )
                kinds[kind].append(path)
            if owner is head or owner is embedding:
                for stored in ("base_layer.weight", "weight") if owner is head else ("weight",):
                    self.copies[f"base_model.model.{path}.{stored}"] = names[owner, "weight"]
        if experts:
            # What tokens are sent to is not made of linear layers.
            for path in kinds["mlp"]:
                del self.parts[path]
            kinds["mlp"] = []
        self.modules = {name: tuple(paths) for name, paths in kinds.items()}

    def sites(self, lora: Lora) -> tuple[list[Site], int]:
        sites: list[Site] = []
        offset = 0
        for path in lora.linears:
            part, inputs = self.parts[path]
            sites.append(Site(path, part.weight, inputs, (part,), offset))
            offset += lora.rank * (inputs + part.outputs)
        return sites, offset

    def called(self, path: str) -> str | None:
        return path if path in self.parts else None

    def targets(self, lora: Lora) -> list[str]:
        """Of each path the shortest end that none but layers with adapters have."""
        found: dict[str, None] = {}
        for path in lora.linears:
            words = path.split(".")
            ends = (".".join(words[first:]) for first in range(len(words) - 1, -1, -1))
            for end in ends:
                meant = [one for one in self.paths if one == end or one.endswith(f".{end}")]
                if all(one in lora.linears for one in meant):
                    found[end] = None
                    break
        return list(found)


def adapting(layer: nn.Module, adapted: Adapted) -> Callable[[Tensor], Tensor]:
    """A layer's forward pass, with what its adapter adds."""
    alone = type(layer).forward

    def forward(x: Tensor) -> Tensor:
        low = linear(x, adapted.down_RI)
        return torch.add(alone(layer, x), linear(low, adapted.ups[0]), alpha=adapted.scale)

    return forward


def _kind(path: str) -> str | None:
    """The module of a layer that a path names; None outside the layers."""
    words = path.split(".")
    if not any(word.isdecimal() for word in words):
        return None
    mixes = any("attn" in word or "attention" in word or word == "conv" for word in words)
    return "attention" if mixes else "mlp"


def _is_linear(layer: nn.Module) -> bool:
    """Routers are built on linear layers too, and return more than outputs."""
    kinds = (nn.Linear, transformers().pytorch_utils.Conv1D)
    return isinstance(layer, kinds) and "Router" not in type(layer).__name__
