"""The forward pass of a model of transformers. Suffixes as in decoder.py; a body makes hidden states of
tokens, a head makes logits of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..device import device, on_host, placed
from ..linear import Weights
from ..lora import Adapted
from ..packing import Packing, gather
from .library import transformers
from .linears import adapting


class BodyOutput:
    """What a body returns, as far as a head asks for it: hidden states [1, N, D], and nothing else."""

    def __init__(self, last_hidden_state: Tensor) -> None:
        self.last_hidden_state = last_hidden_state

    def __getitem__(self, index: int) -> Tensor:
        return (self.last_hidden_state,)[index]

    def __getattr__(self, name: str) -> None:
        return None


class PlainDecoder:
    """A module without weights of its own: trainer and samplers pass theirs in, as to the written-out
    decoder."""

    def __init__(self, module: Any, suppressed: tuple[int, ...], dtype: torch.dtype) -> None:
        self.module, self.dtype = module.eval(), dtype
        self.stream = dtype
        """As of `Decoder`: the library's modules add in what they compute in."""
        self.suppressed = torch.tensor(suppressed, dtype=torch.long, device=device()) if suppressed else None
        self.body = module.get_decoder()
        # What a policy is trained on is what it sampled: nothing is dropped out, in training neither.
        for part in module.modules():
            for name, value in vars(part).items():
                if "dropout" in name and isinstance(value, float):
                    setattr(part, name, 0.0)
        self.places = places_of(module)
        self.adapted: list[nn.Module] = []
        """Layers that compute with an adapter now."""
        layer_kind = transformers().modeling_layers.GradientCheckpointingLayer
        self.layers = [part for part in module.modules() if isinstance(part, layer_kind)]
        """Those that can recompute what they do."""
        self.recomputes = False
        self.caches = True
        """Whether decoding goes on from keys and values; else it computes each prefix anew."""

    def place(self) -> None:
        """Constants of the module (tables of positions, masks) go where passes compute, buffers or not."""
        if on_host():
            return
        for part in self.module.modules():
            for kept in (part._buffers, vars(part)):
                for name, value in list(kept.items()):
                    if isinstance(value, Tensor):
                        kept[name] = placed(value)

    def bind(self, weights: Weights) -> None:
        """By the parameters' names; what has the path of a layer is an adapter beside it."""
        self._forget_adapters()
        for path, adapted in weights.items():
            if isinstance(adapted, Adapted):
                layer = self.module.get_submodule(path)
                layer.forward = adapting(layer, adapted)
                self.adapted.append(layer)
        for name, places in self.places.items():
            weight = weights[name]
            weight = weight if weight.dtype == self.dtype else weight.to(self.dtype)
            for owner, attribute in places:
                owner._parameters[attribute] = weight

    def unbind(self) -> None:
        """Weights that nobody else holds are not kept."""
        self._forget_adapters()
        for name in self.places:
            self.drop(name)

    def _forget_adapters(self) -> None:
        for layer in self.adapted:
            del layer.forward
        self.adapted.clear()

    def drop(self, name: str) -> None:
        """The module keeps the parameter's shape alone."""
        for owner, attribute in self.places[name]:
            shape = owner._parameters[attribute].shape
            owner._parameters[attribute] = nn.Parameter(torch.empty(shape, device="meta"), False)

    def hidden(
        self,
        weights: Weights,
        tokens_N: Tensor,
        packing: Packing,
        wanted_N: Tensor | None = None,
        see: Callable[[int, Tensor], None] | None = None,
        recompute: bool = False,
    ) -> Tensor:
        """Hidden states before the head, [N, D], of packed rows; of the wanted positions only, where these
        are given. Nothing comes before a row and its padding after it, so no mask is needed. With `recompute`
        no more than each layer's input is kept; the weights then stay bound until the next pass."""
        tokens_N = packing.at_places(tokens_N)
        checkpointed = recompute and torch.is_grad_enabled()
        self._recompute(checkpointed)
        self.bind(weights)
        parts: list[Tensor] = []
        start = 0
        for bucket in packing.buckets:
            tokens = tokens_N[start : start + bucket.positions]
            start += bucket.positions
            if bucket.place_N is not None:
                tokens = tokens.new_zeros(bucket.rows * bucket.columns).index_copy_(0, bucket.place_N, tokens)
            out = self.body(input_ids=tokens.view(bucket.rows, bucket.columns), use_cache=False)
            parts.append(gather(out.last_hidden_state.flatten(0, 1), bucket.place_N))
        if not checkpointed:
            self.unbind()
        hidden_ND = parts[0] if len(parts) == 1 else torch.cat(parts)
        if packing.shared is not None:
            # Of a beginning that rows share one copy counts: its gradient is that of all of them.
            hidden_ND = hidden_ND.index_select(0, packing.shared.at_U)
        return gather(hidden_ND, wanted_N)

    def logits(self, weights: Weights, hidden_ND: Tensor, *, exact: bool = True) -> Tensor:
        """As `Decoder.logits`. What the module does between its body and its logits (scales, caps) it does
        here too: its body is replaced by one that returns the states."""
        self.bind(weights)
        self.body.forward = lambda *_, **__: BodyOutput(hidden_ND[None])
        try:
            tokens = torch.zeros(1, len(hidden_ND), dtype=torch.long, device=device())
            logits_NV = self.module(input_ids=tokens, use_cache=False).logits[0]
            logits_NV = logits_NV.float() if exact else logits_NV
        finally:
            del self.body.forward
            if not torch.is_grad_enabled():
                self.unbind()
        return logits_NV if self.suppressed is None else logits_NV.index_fill_(1, self.suppressed, -torch.inf)

    def step(self, tokens_BT: Tensor, cache: Any = None) -> tuple[Tensor, Any]:
        """Hidden states [B, D] after rows of one length, which go on from a cache if one is given, and the
        cache. Weights are bound already."""
        self._recompute(False)
        out = self.body(input_ids=tokens_BT, past_key_values=cache, use_cache=self.caches)
        return out.last_hidden_state[:, -1], out.past_key_values if self.caches else None

    def _recompute(self, wanted: bool) -> None:
        """Layers recompute where they are in training; those that do have no cache."""
        if wanted == self.recomputes:
            return
        self.recomputes = wanted
        if wanted and not self.module.is_activation_checkpointing:
            self.module.activation_checkpointing_enable({"use_reentrant": False})
        for layer in self.layers:
            layer.training = wanted


def places_of(module: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """Each parameter by its name, and everywhere that it stands: a tied head stands in two places."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    places: dict[str, list[tuple[nn.Module, str]]] = {name: [] for name in names.values()}
    for owner in module.modules():
        for attribute, parameter in owner._parameters.items():
            if parameter is not None:
                places[names[id(parameter)]].append((owner, attribute))
    return places
