"""The decoder once more, as plainly as it can be written: one sequence, double precision, no batching, no
fusing."""

import torch

from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.config import ModelConfig
from whetstone_engine.weights import Architecture


def named(architecture: Architecture, flat: torch.Tensor) -> dict[str, torch.Tensor]:
    """A flat buffer's tensors by their names in a file, in double precision."""
    return {name: value.double().clone() for name, value in tensors_of(architecture.slots, flat).items()}


def normed(x: torch.Tensor, weight: torch.Tensor, config: ModelConfig) -> torch.Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + config.epsilon) * weight


def rotated(x_Td: torch.Tensor, base: float) -> torch.Tensor:
    """Each pair (i, i + d/2) turned by position · base^(−2i/d), as a multiplication of complex numbers."""
    length, width = x_Td.shape
    angles = torch.outer(torch.arange(length).double(), base ** (-torch.arange(0, width, 2).double() / width))
    pairs = torch.complex(x_Td[:, : width // 2], x_Td[:, width // 2 :]) * torch.polar(
        torch.ones_like(angles), angles
    )
    return torch.cat((pairs.real, pairs.imag), 1)


def logits(config: ModelConfig, weights: dict[str, torch.Tensor], tokens: list[int]) -> torch.Tensor:
    """[T, V] of one sequence."""
    length, width = len(tokens), config.head_width
    x = weights["model.embed_tokens.weight"][tokens]
    if config.positions == "learned":
        x = x + weights["model.embed_positions.weight"][:length]
    for layer in range(config.layers):
        name = f"model.layers.{layer}."
        h = normed(x, weights[name + "input_layernorm.weight"], config)
        projected = {}
        for part in ("q", "k", "v"):
            bias = weights.get(f"{name}self_attn.{part}_proj.bias", torch.zeros(1).double())
            projected[part] = h @ weights[f"{name}self_attn.{part}_proj.weight"].T + bias
        heads = []
        for head in range(config.heads):
            shared = head // (config.heads // config.key_value_heads)
            q, k, v = (
                projected[part][:, index * width : (index + 1) * width]
                for part, index in (("q", head), ("k", shared), ("v", shared))
            )
            if config.head_norm:
                q = normed(q, weights[name + "self_attn.q_norm.weight"], config)
                k = normed(k, weights[name + "self_attn.k_norm.weight"], config)
            if config.positions == "rotary" and layer not in config.unrotated:
                q, k = rotated(q, config.rotary_base), rotated(k, config.rotary_base)
            scores = q @ k.T / width**0.5
            hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
            heads.append(scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v)
        x = x + torch.cat(heads, 1) @ weights[name + "self_attn.o_proj.weight"].T
        x = x + weights.get(name + "self_attn.o_proj.bias", 0)
        h = normed(x, weights[name + "post_attention_layernorm.weight"], config)
        gate, up = (h @ weights[f"{name}mlp.{part}_proj.weight"].T for part in ("gate", "up"))
        x = x + (gate * torch.sigmoid(gate) * up) @ weights[name + "mlp.down_proj.weight"].T
    head = weights["model.embed_tokens.weight" if config.tied else "lm_head.weight"]
    out = normed(x, weights["model.norm.weight"], config) @ head.T
    out[:, list(config.suppressed)] = -torch.inf
    return out


def logprobs(config: ModelConfig, weights: dict, tokens: list[int], targets: list[int]) -> torch.Tensor:
    """[T] of one sequence's targets."""
    return logits(config, weights, tokens).log_softmax(-1)[torch.arange(len(targets)), targets]
