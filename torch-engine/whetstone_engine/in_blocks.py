"""A large model's weights in bf16, and on some processors in fp32, in blocks as their kernels read them:
turned once for a snapshot in place of once a product. Suffixes: N positions, O outputs, I inputs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .few import PRODUCTS
from .kernels import swiglu
from .linear import Linear, Weights, linear

# What PyTorch's own compiler calls; PyTorch stands in requirements.txt with its version.
_products = torch.ops.mkldnn


class Blocks:
    """A weight [O, I], of which oneDNN chose the order."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.weight = _products._reorder_linear_weight(weight_OI.contiguous())
        self.nbytes = weight_OI.nbytes

    def apply(self, x_NI: Tensor) -> Tensor:
        return _products._linear_pointwise(x_NI, self.weight, None, "none", [], "")

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Rounded once, as the product that is added where it is made."""
        sum_NO.copy_(_products._linear_pointwise.binary(x_NI, sum_NO, self.weight, None, "add"))


class GatedBlocks:
    """A weight [2·O, I] of gates and what they let through, each in blocks of its own: a product is
    lit, and multiplied with what was lit, where it is made."""

    def __init__(self, weight_OI: Tensor) -> None:
        gate_OI, up_OI = weight_OI.chunk(2)
        self.gate, self.up = Blocks(gate_OI), Blocks(up_OI)
        self.nbytes = weight_OI.nbytes

    def apply(self, x_NI: Tensor) -> Tensor:
        return torch.cat((self.gate.apply(x_NI), self.up.apply(x_NI)), 1)

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        sum_NO.add_(self.apply(x_NI))

    def lit(self, x_NI: Tensor) -> Tensor:
        """silu(x · gateᵀ) ∘ (x · upᵀ), each rounded once."""
        lit_NO = _products._linear_pointwise(x_NI, self.gate.weight, None, "swish", [], "")
        return _products._linear_pointwise.binary(x_NI, lit_NO, self.up.weight, None, "mul")


def in_blocks(weights: Mapping[str, Tensor | Linear], *, gated: bool) -> Weights:
    """The decoder's weights, in blocks those that multiply; the others are what they were. A tied head stands
    beside the embeddings, which are looked up. `gated` where nothing is added to the gates' products."""

    def laid_out(key: str, weight: Tensor | Linear) -> Tensor | Linear:
        name = key.split(".")[-1]
        if not isinstance(weight, Tensor) or name not in (*PRODUCTS, "head"):
            return weight
        return GatedBlocks(weight) if gated and name == "gate_up" else Blocks(weight)

    return {key: laid_out(key, weight) for key, weight in {"head": weights["embed"], **weights}.items()}


def light(h_NI: Tensor, gate_up: Tensor | Linear) -> Tensor:
    """silu(h · gateᵀ) ∘ (h · upᵀ), however the weight of both lies."""
    return gate_up.lit(h_NI) if isinstance(gate_up, GatedBlocks) else swiglu(linear(h_NI, gate_up))
