"""Losses of the Tinker API: sums over positions, never divided by anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import bad_request
from .frames import Arrays
from .request import array, number

NEEDED = {
    "cross_entropy": ("weights",),
    "importance_sampling": ("advantages", "logprobs"),
    "ppo": ("advantages", "logprobs"),
}


def read_loss(loss: dict[str, Any], arrays: Arrays, place_N: np.ndarray) -> dict[str, Tensor]:
    """The arrays that the loss needs, fp32 [N] each in the order of `place_N`, and `counts` (bool): which
    matter."""
    name = str(loss.get("name"))
    if name not in NEEDED:
        raise bad_request(f"there is no loss {name!r}; there are {', '.join(NEEDED)}")
    total = len(place_N)
    fields = {field: torch.from_numpy(array(arrays, field, "f32", total)[place_N]) for field in NEEDED[name]}
    if name != "cross_entropy":
        given = "mask" in arrays
        fields["mask"] = (
            torch.from_numpy(array(arrays, "mask", "f32", total)[place_N]) if given else torch.ones(total)
        )
    if name == "ppo" and number(loss, "clipLow", 0.8) > number(loss, "clipHigh", 1.2):
        raise bad_request("clipLow must not be above clipHigh")
    fields["counts"] = fields["weights" if name == "cross_entropy" else "mask"] != 0
    return fields


def loss_sum(loss: dict[str, Any], logprobs: Tensor, fields: dict[str, Tensor]) -> Tensor:
    """The loss of positions that count. cross_entropy −Σ w·logp; importance_sampling −Σ mask·ρA;
    ppo −Σ mask·min(ρA, clip(ρ)A), ρ = exp(logp − behaviour logp)."""
    if loss["name"] == "cross_entropy":
        return -(fields["weights"] * logprobs).sum()
    ratio = torch.exp(logprobs - fields["logprobs"])
    gain = ratio * fields["advantages"]
    if loss["name"] == "ppo":
        clipped = ratio.clamp(number(loss, "clipLow", 0.8), number(loss, "clipHigh", 1.2))
        gain = torch.minimum(gain, clipped * fields["advantages"])
    return -(fields["mask"] * gain).sum()
