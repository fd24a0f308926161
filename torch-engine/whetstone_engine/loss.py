"""Losses of the Tinker API: sums over positions, never divided by anything."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .errors import bad_request
from .frames import Arrays

NEEDED = {
    "cross_entropy": ("weights",),
    "importance_sampling": ("advantages", "logprobs"),
    "ppo": ("advantages", "logprobs"),
}


def read_loss(loss: dict[str, Any], arrays: Arrays, total: int) -> dict[str, Tensor]:
    """The arrays that the loss needs, [Σ] fp32 each, with `counts` (bool) saying which positions matter."""
    name = loss.get("name")
    if name not in NEEDED:
        raise bad_request(f"there is no loss {name!r}")
    fields: dict[str, Tensor] = {}
    for field in NEEDED[name]:
        if field not in arrays:
            raise bad_request(f"{name} needs {field}")
        fields[field] = torch.from_numpy(arrays[field].copy())
    if name == "cross_entropy":
        fields["counts"] = fields["weights"] != 0
    else:
        mask = arrays.get("mask")
        fields["mask"] = torch.ones(total) if mask is None else torch.from_numpy(mask.copy())
        fields["counts"] = fields["mask"] != 0
    for field, values in fields.items():
        if len(values) != total:
            raise bad_request(f"{field} has {len(values)} values for {total} positions")
    return fields


def loss_sum(loss: dict[str, Any], logprobs: Tensor, fields: dict[str, Tensor]) -> Tensor:
    """The loss of positions that count. cross_entropy −Σ w·logp; importance_sampling −Σ mask·ρA;
    ppo −Σ mask·min(ρA, clip(ρ)A), ρ = exp(logp − behaviour logp)."""
    if loss["name"] == "cross_entropy":
        return -(fields["weights"] * logprobs).sum()
    ratio = torch.exp(logprobs - fields["logprobs"])
    gain = ratio * fields["advantages"]
    if loss["name"] == "ppo":
        low, high = loss.get("clipLow"), loss.get("clipHigh")
        clipped = ratio.clamp(0.8 if low is None else low, 1.2 if high is None else high)
        gain = torch.minimum(gain, clipped * fields["advantages"])
    return -(fields["mask"] * gain).sum()
