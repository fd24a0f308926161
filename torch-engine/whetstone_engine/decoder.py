"""The forward pass. Suffixes: N packed positions, B rows, T columns, D width, H heads, V vocabulary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import ModelConfig

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Packing:
    """Rows of different lengths laid end to end; attention alone sees them as a rectangle."""

    rows: int
    columns: int
    positions_N: Tensor
    """Index of each packed position in the rectangle, or None when the rows fill it."""
    place_N: Tensor | None


def pack(lengths: list[int]) -> Packing:
    columns = max(lengths)
    positions = torch.cat([torch.arange(length) for length in lengths]) if len(lengths) > 0 else torch.empty(0)
    full = all(length == columns for length in lengths)
    starts = torch.repeat_interleave(torch.arange(len(lengths)) * columns, torch.tensor(lengths))
    return Packing(len(lengths), columns, positions, None if full else starts + positions)


class _Spread(torch.autograd.Function):
    """Packed rows into the rectangle. Places are unique, so that neither direction adds anything up."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x_ND: Tensor, place_N: Tensor, size: int) -> Tensor:
        context.save_for_backward(place_N)
        return x_ND.new_zeros(size, x_ND.shape[1]).index_copy_(0, place_N, x_ND)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        (place_N,) = context.saved_tensors
        return grad.index_select(0, place_N), None, None


class _Gather(torch.autograd.Function):
    """The rectangle's used places back into packed rows."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x: Tensor, place_N: Tensor) -> Tensor:
        context.save_for_backward(place_N)
        context.size = x.shape[0]
        return x.index_select(0, place_N)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        (place_N,) = context.saved_tensors
        return grad.new_zeros(context.size, grad.shape[1]).index_copy_(0, place_N, grad), None


class Decoder:
    """Shapes and tables of an architecture; the weights are passed in, so that trainer and samplers share the code."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.suppressed = torch.tensor(config.suppressed, dtype=torch.long) if config.suppressed else None
        self._tables: tuple[Tensor, Tensor] | None = None

    def embed(self, weights: Weights, tokens_N: Tensor, positions_N: Tensor) -> Tensor:
        x_ND = F.embedding(tokens_N, weights["embed"])
        if self.config.positions == "learned":
            x_ND = x_ND + F.embedding(positions_N, weights["positions"])
        return x_ND

    def qkv(self, weights: Weights, layer: int, x_ND: Tensor, positions_N: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [N, H·d], keys and values [N, K·d], rotated where the architecture rotates."""
        config = self.config
        h_ND = F.rms_norm(x_ND, (config.width,), weights[f"{layer}.norm1"], config.epsilon)
        qkv_N = F.linear(h_ND, weights[f"{layer}.qkv"], weights.get(f"{layer}.qkv_bias"))
        size = config.key_value_heads * config.head_width
        if config.positions != "rotary" and not config.head_norm:
            q, k, v = qkv_N.split([config.heads * config.head_width, size, size], dim=1)
            return q, k, v
        heads_NHd = qkv_N.view(len(x_ND), -1, config.head_width)
        q_NHd, k_NKd, v_NKd = heads_NHd.split([config.heads, config.key_value_heads, config.key_value_heads], dim=1)
        if config.head_norm:
            shape = (config.head_width,)
            q_NHd = F.rms_norm(q_NHd, shape, weights[f"{layer}.q_norm"], config.epsilon)
            k_NKd = F.rms_norm(k_NKd, shape, weights[f"{layer}.k_norm"], config.epsilon)
        if config.positions == "rotary":
            q_NHd, k_NKd = self.rotate(q_NHd, positions_N), self.rotate(k_NKd, positions_N)
        return q_NHd.flatten(1), k_NKd.flatten(1), v_NKd.flatten(1)

    def finish(self, weights: Weights, layer: int, x_ND: Tensor, attended_N: Tensor) -> Tensor:
        """The rest of a layer after attention."""
        config = self.config
        x_ND = x_ND + F.linear(attended_N, weights[f"{layer}.o"])
        h_ND = F.rms_norm(x_ND, (config.width,), weights[f"{layer}.norm2"], config.epsilon)
        gate_N, up_N = F.linear(h_ND, weights[f"{layer}.gate_up"]).split(config.hidden, dim=1)
        return x_ND + F.linear(F.silu(gate_N) * up_N, weights[f"{layer}.down"])

    def hidden(self, weights: Weights, tokens_N: Tensor, packing: Packing) -> Tensor:
        """Hidden states before the head, [N, D], of packed rows."""
        x_ND = self.embed(weights, tokens_N, packing.positions_N)
        for layer in range(self.config.layers):
            q, k, v = self.qkv(weights, layer, x_ND, packing.positions_N)
            x_ND = self.finish(weights, layer, x_ND, self._attend(q, k, v, packing))
        return F.rms_norm(x_ND, (self.config.width,), weights["norm"], self.config.epsilon)

    def logits(self, weights: Weights, hidden_ND: Tensor) -> Tensor:
        """Logits in fp32, [N, V]; suppressed tokens are impossible."""
        head = weights["embed"] if self.config.tied else weights["head"]
        logits_NV = F.linear(hidden_ND, head).float()
        if self.suppressed is not None:
            logits_NV = logits_NV.index_fill(1, self.suppressed, -torch.inf)
        return logits_NV

    def rectangle(self, x_N: Tensor, packing: Packing, heads: int) -> Tensor:
        """Packed [N, heads·d] as [B, heads, T, d]."""
        if packing.place_N is not None:
            x_N = _Spread.apply(x_N, packing.place_N, packing.rows * packing.columns)
        return x_N.view(packing.rows, packing.columns, heads, self.config.head_width).transpose(1, 2)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, packing: Packing) -> Tensor:
        config = self.config
        grouped = config.heads != config.key_value_heads
        attended = F.scaled_dot_product_attention(
            self.rectangle(q, packing, config.heads),
            self.rectangle(k, packing, config.key_value_heads),
            self.rectangle(v, packing, config.key_value_heads),
            is_causal=True,
            enable_gqa=grouped,
        )
        flat = attended.transpose(1, 2).reshape(packing.rows * packing.columns, -1)
        return flat if packing.place_N is None else _Gather.apply(flat, packing.place_N)

    def rotate(self, x_NHd: Tensor, positions_N: Tensor) -> Tensor:
        """Rotary positions (arXiv 2104.09864) with the halves convention of Hugging Face."""
        cosine, sine = self._rotary_tables(int(positions_N.max()) + 1 if len(positions_N) else 1)
        cosine_N1d = cosine[positions_N].unsqueeze(1).to(x_NHd.dtype)
        sine_N1d = sine[positions_N].unsqueeze(1).to(x_NHd.dtype)
        first, second = x_NHd.chunk(2, dim=-1)
        return torch.cat(
            (first * cosine_N1d - second * sine_N1d, second * cosine_N1d + first * sine_N1d), dim=-1
        )

    def _rotary_tables(self, length: int) -> tuple[Tensor, Tensor]:
        if self._tables is None or len(self._tables[0]) < length:
            angles = torch.outer(torch.arange(max(length, 256), dtype=torch.float32), self._frequencies())
            self._tables = angles.cos(), angles.sin()
        return self._tables

    def _frequencies(self) -> Tensor:
        config = self.config
        steps = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
        frequencies = config.rotary_base**-steps
        scaling = config.rotary_scaling
        kind = scaling and scaling.get("rope_type", scaling.get("type"))
        if not scaling or kind == "default":
            return frequencies
        factor = float(scaling["factor"])
        if kind == "linear":
            return frequencies / factor
        low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
        turns = float(scaling["original_max_position_embeddings"]) * frequencies / (2 * math.pi)
        blend = ((turns - low) / (high - low)).clamp(0, 1)
        return (1 - blend) * frequencies / factor + blend * frequencies
