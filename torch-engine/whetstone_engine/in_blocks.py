"""A large model's weights in bf16, in blocks as the processor's kernels read them: turned once for a snapshot
in place of once a product. Suffixes: N positions, O outputs, I inputs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .few import PRODUCTS
from .linear import Linear, Weights

# What PyTorch's own compiler calls; PyTorch stands in requirements.txt with its version.
_products = torch.ops.mkldnn


class Blocks:
    """A weight [O, I] in bf16, of which oneDNN chose the order."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.weight = _products._reorder_linear_weight(weight_OI.contiguous())
        self.nbytes = weight_OI.nbytes

    def apply(self, x_NI: Tensor) -> Tensor:
        return _products._linear_pointwise(x_NI, self.weight, None, "none", [], "")

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Rounded once, as the product that is added where it is made."""
        sum_NO.copy_(_products._linear_pointwise.binary(x_NI, sum_NO, self.weight, None, "add"))


def in_blocks(weights: Mapping[str, Tensor | Linear]) -> Weights:
    """The decoder's weights, in blocks those that multiply; the others are what they were. A tied head stands
    beside the embeddings, which are looked up."""
    return {
        key: Blocks(weight)
        if isinstance(weight, Tensor) and key.split(".")[-1] in (*PRODUCTS, "head")
        else weight
        for key, weight in {"head": weights["embed"], **weights}.items()
    }
