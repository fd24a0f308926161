"""Low-rank adapters of linear layers (arXiv 2106.09685): W + (alpha/rank)·B·A. Suffixes: N positions, I
inputs, O outputs of a fused layer, R ranks of all its parts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from .config import ModelConfig
from .errors import EngineError, bad_request
from .kernels import add_product
from .layout import EMBEDDING, HEAD, Slot
from .linear import Linear, add_linear, linear
from .request import listed, number, whole

LARGEST_RANK = 512
ALPHA = 32.0
MODULES = {
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
    "unembed": ("lm_head",),
}
"""Which linear layers of the decoder a module holds, by their names in a checkpoint."""
LAYER = re.compile(r"(?:model\.layers\.\d+\.(?:self_attn|mlp)\.)?(\w+)")
FUSED = {
    "qkv": ("self_attn.", MODULES["attention"][:3]),
    "o": ("self_attn.", ("o_proj",)),
    "gate_up": ("mlp.", ("gate_proj", "up_proj")),
    "down": ("mlp.", ("down_proj",)),
}
"""The decoder's layers: where their parts lie in a checkpoint, and which they are, output after output."""


@dataclass(frozen=True)
class Lora:
    """What adapters are: their rank, their scale's alpha and the linear layers that have one."""

    rank: int
    alpha: float
    linears: tuple[str, ...]
    rank_stabilised: bool = False
    """Scaled by alpha/√rank (arXiv 2312.03732) in place of alpha/rank."""

    @property
    def scale(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilised else self.rank)

    def facts(self, linears: Linears) -> dict[str, Any]:
        modules = [name for name, ones in linears.modules.items() if any(one in self.linears for one in ones)]
        return {"rank": self.rank, "alpha": self.alpha, "modules": modules}


@dataclass(frozen=True)
class Wanted:
    """The adapters that a request asks for, of whatever model."""

    rank: int
    alpha: float
    modules: tuple[str, ...]

    @staticmethod
    def read(given: dict[str, Any]) -> Wanted:
        """Raises bad-request."""
        rank, alpha = whole(given, "rank"), number(given, "alpha", ALPHA)
        modules = ("attention", "mlp") if given.get("modules") is None else listed(given, "modules", str)
        if not 1 <= rank <= LARGEST_RANK:
            raise bad_request(f"the rank of adapters is from 1 to {LARGEST_RANK}, not {rank}")
        if alpha <= 0:
            raise bad_request(f"alpha must be above 0, not {alpha:g}")
        if not modules:
            raise bad_request(
                f"adapters lie on no modules: name at least one of {', '.join(MODULES)}, or leave modules out"
            )
        strange = [name for name in modules if name not in MODULES]
        if strange:
            raise bad_request(f"there are no modules {strange[0]!r}; there are {', '.join(MODULES)}")
        return Wanted(rank, alpha, tuple(modules))

    def of(self, linears: Linears, model: str) -> Lora:
        """As adapters of a model. Raises adapter-unsupported where it lacks one of the modules."""
        there = [name for name, ones in linears.modules.items() if ones]
        for name in self.modules:
            if name not in there:
                raise EngineError(
                    "adapter-unsupported",
                    "user",
                    f"{model}: adapters lie on linear layers, and its {name} has none (experts are kept as "
                    f"one tensor each); name the modules {', '.join(there)} only",
                )
        linear = tuple(
            one for name in linears.modules if name in self.modules for one in linears.modules[name]
        )
        return Lora(self.rank, self.alpha, linear)


@dataclass(frozen=True)
class Part:
    """The adapter of one linear layer of a checkpoint: its outputs among those of the fused layer."""

    name: str
    begin: int
    outputs: int
    weight: str
    """The tensor under it in a checkpoint: of a tied head the embeddings."""
    transposed: bool = False
    """Whether that lies as [inputs, outputs]."""


@dataclass(frozen=True)
class Site:
    """A fused layer of the decoder that has adapters."""

    key: str
    base: str
    """The key of the weight under it: of a tied head the embeddings'."""
    inputs: int
    parts: tuple[Part, ...]
    offset: int
    """Where they begin in the flat buffer: every part's A [rank, I], then every part's B [outputs, rank]."""


class Linears(Protocol):
    """The linear layers of a model that may have adapters."""

    modules: Mapping[str, tuple[str, ...]]
    """Which they are, by the module that they belong to."""
    copies: Mapping[str, str]
    """Tensors of the base that `peft` writes once more where the head is adapted, by the decoder's keys."""

    def sites(self, lora: Lora) -> tuple[list[Site], int]:
        """Where adapters lie, and the number of their parameters."""
        ...

    def called(self, path: str) -> str | None:
        """The one at a path in the model; None where none is."""
        ...

    def targets(self, lora: Lora) -> list[str]:
        """The ones with adapters, as `peft` is told of them."""
        ...


class DecoderLinears:
    """Of the decoder that is written out here: alike in all layers, and named as in each of these."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.modules = MODULES
        self.copies = {
            "base_model.model.lm_head.base_layer.weight": "head",
            "base_model.model.lm_head.weight": "head",
            "base_model.model.model.embed_tokens.weight": "embed",
        }

    def sites(self, lora: Lora) -> tuple[list[Site], int]:
        return sites_of(self.config, lora)

    def called(self, path: str) -> str | None:
        match = LAYER.fullmatch(path)
        return match[1] if match and any(match[1] in ones for ones in MODULES.values()) else None

    def targets(self, lora: Lora) -> list[str]:
        return list(lora.linears)


def sites_of(config: ModelConfig, lora: Lora) -> tuple[list[Site], int]:
    """Where adapters lie, and the number of their parameters."""
    head = config.head_width
    rows = {
        "q_proj": config.heads * head,
        "k_proj": config.key_value_heads * head,
        "v_proj": config.key_value_heads * head,
        "o_proj": config.width,
        "gate_proj": config.hidden,
        "up_proj": config.hidden,
        "down_proj": config.width,
    }
    inputs = {"qkv": config.width, "o": config.heads * head, "gate_up": config.width, "down": config.hidden}
    sites: list[Site] = []
    offset = 0

    def add(
        key: str, base: str, columns: int, names: list[tuple[str, int, bool]], weight: str | None = None
    ) -> None:
        nonlocal offset
        parts, begin = [], 0
        for name, outputs, adapted in names:
            if adapted:
                parts.append(Part(name, begin, outputs, weight or f"{name}.weight"))
            begin += outputs
        if parts:
            sites.append(Site(key, base, columns, tuple(parts), offset))
            offset += lora.rank * sum(columns + part.outputs for part in parts)

    for layer in range(config.layers):
        for key, (prefix, names) in FUSED.items():
            full = [
                (f"model.layers.{layer}.{prefix}{name}", rows[name], name in lora.linears) for name in names
            ]
            add(f"{layer}.{key}", f"{layer}.{key}", inputs[key], full)
    head = [("lm_head", config.vocabulary, "lm_head" in lora.linears)]
    add("head", "embed" if config.tied else "head", config.width, head, EMBEDDING if config.tied else HEAD)
    return sites, offset


def slots_of(sites: list[Site], rank: int) -> list[Slot]:
    """The adapters' tensors by the names that PEFT gives them, in the order of the flat buffer."""
    slots: list[Slot] = []
    for site in sites:
        offset = site.offset
        for part in site.parts:
            slots.append(Slot(f"base_model.model.{part.name}.lora_A.weight", (rank, site.inputs), offset))
            offset += rank * site.inputs
        for part in site.parts:
            slots.append(Slot(f"base_model.model.{part.name}.lora_B.weight", (part.outputs, rank), offset))
            offset += rank * part.outputs
    return slots


def leaves_of(flat: Tensor, sites: list[Site], rank: int) -> dict[str, Tensor]:
    """Views of the flat buffer: `<key>.down` [R, I], which is every part's A, and `<key>.up0` [outputs, rank]
    …"""
    leaves: dict[str, Tensor] = {}
    for site in sites:
        ranks, offset = rank * len(site.parts), site.offset
        leaves[f"{site.key}.down"] = flat.narrow(0, offset, ranks * site.inputs).view(ranks, site.inputs)
        offset += ranks * site.inputs
        for index, part in enumerate(site.parts):
            leaves[f"{site.key}.up{index}"] = flat.narrow(0, offset, part.outputs * rank).view(
                part.outputs, rank
            )
            offset += part.outputs * rank
    return leaves


def draw(flat: Tensor, slots: list[Slot], seed: int) -> None:
    """A uniform within ±1/√inputs, as PEFT draws it, B zero. One generator in the slots' order: a shape and a
    seed give the same adapters."""
    generator = torch.Generator().manual_seed(seed)
    for slot in slots:
        view = flat.narrow(0, slot.offset, slot.size)
        if slot.name.endswith("lora_A.weight"):
            bound = slot.shape[1] ** -0.5
            view.uniform_(-bound, bound, generator=generator)
        else:
            view.zero_()


class Adapted:
    """A frozen linear layer with adapters on parts of its outputs."""

    def __init__(
        self, base: Tensor | Linear, down_RI: Tensor, ups: list[Tensor], places: list[slice], scale: float
    ) -> None:
        self.base, self.down_RI, self.ups, self.places, self.scale = base, down_RI, ups, places, scale

    def apply(self, x_NI: Tensor) -> Tensor:
        out_NO = linear(x_NI, self.base)
        if torch.is_grad_enabled():
            return _AddLowRank.apply(out_NO, x_NI, self, self.down_RI, *self.ups)
        self._add(out_NO, x_NI.mm(self.down_RI.t()))
        return out_NO

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        add_linear(sum_NO, x_NI, self.base)
        self._add(sum_NO, x_NI.mm(self.down_RI.t()))

    def _add(self, sum_NO: Tensor, low_NR: Tensor) -> None:
        for place, part, up in zip(self.places, low_NR.split(self.ups[0].shape[1], 1), self.ups, strict=True):
            sum_NO[:, place].addmm_(part, up.t(), alpha=self.scale)


class _AddLowRank(Function):
    """Adds what the adapters make to the frozen layer's outputs, in place: nothing else has seen them."""

    @staticmethod
    def forward(context: FunctionCtx, out_NO: Tensor, x_NI: Tensor, layer: Adapted, *_: Tensor) -> Tensor:
        low_NR = x_NI.mm(layer.down_RI.t())
        context.save_for_backward(x_NI, low_NR)
        context.layer = layer
        context.mark_dirty(out_NO)
        layer._add(out_NO, low_NR)
        return out_NO

    @staticmethod
    def backward(context: FunctionCtx, grad_NO: Tensor) -> tuple[Tensor | None, ...]:
        x_NI, low_NR = context.saved_tensors
        layer: Adapted = context.layer
        rank, scale = layer.ups[0].shape[1], layer.scale
        grad_NR = torch.empty_like(low_NR)
        pieces = zip(layer.places, low_NR.split(rank, 1), grad_NR.split(rank, 1), layer.ups, strict=True)
        for place, low, grad_low, up in pieces:
            grad = grad_NO[:, place]
            add_product(up.gradient, grad.t(), low, scale)
            torch.mm(grad, up, out=grad_low)
        grad_NR.mul_(scale)
        add_product(layer.down_RI.gradient, grad_NR.t(), x_NI)
        _, x_wanted, *_rest = context.needs_input_grad
        grad_x = grad_NR.mm(layer.down_RI) if x_wanted else None
        return (grad_NO, grad_x, None, None, *[None] * len(layer.ups))
