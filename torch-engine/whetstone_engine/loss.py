"""Losses of the Tinker API: sums over positions, never divided by anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import EngineError, bad_request
from .frames import Arrays
from .request import array, number

POLICY = ("importance_sampling", "ppo", "cispo", "dro", "gspo")
CLIPS = {"ppo": (0.8, 1.2), "cispo": (0.0, 4.0), "gspo": (0.8, 1.2)}
"""Losses with bounds of the ratio, and the bounds where none are given."""
BETA = 0.05
LOSSES = ("cross_entropy", *POLICY)
LARGEST = 88.0
"""Of a ratio's logarithm: the exponential of a little more is beyond fp32."""


def read_loss(
    loss: dict[str, Any], arrays: Arrays, lengths: np.ndarray, place_N: np.ndarray
) -> dict[str, Tensor]:
    """The arrays that the loss needs, fp32 [N] each in the order of `place_N`; `counts` (bool): which matter;
    `row`: whose position each is, counted in the given order. Raises bad-request for a loss or a member that
    there is not."""
    name = str(loss.get("name"))
    if name not in LOSSES:
        raise bad_request(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    known = ["name", *(["clipLow", "clipHigh"] if name in CLIPS else ["beta"] if name == "dro" else [])]
    strange = [member for member in loss if member not in known]
    if strange:
        raise bad_request(f"{name} has no {strange[0]!r}; it has {', '.join(known)}")
    total = len(place_N)

    def given(field: str) -> Tensor:
        return torch.from_numpy(array(arrays, field, "f32", total)[place_N])

    fields = {"row": torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)[place_N])}
    if name == "cross_entropy":
        fields["weights"] = given("weights")
        fields["counts"] = _is_not_zero(fields["weights"])
        return fields
    fields["advantages"], fields["logprobs"] = given("advantages"), given("logprobs")
    fields["mask"] = given("mask") if "mask" in arrays else torch.ones(total)
    fields["counts"] = _is_not_zero(fields["mask"])
    if name in CLIPS:
        low, high = (
            number(loss, member, most)
            for member, most in zip(("clipLow", "clipHigh"), CLIPS[name], strict=True)
        )
        fields["low"] = given("clip_low") if "clip_low" in arrays else torch.full((total,), low)
        fields["high"] = given("clip_high") if "clip_high" in arrays else torch.full((total,), high)
        if not bool((fields["low"] <= fields["high"]).all()):
            raise bad_request("clipLow must not be above clipHigh")
    elif "clip_low" in arrays or "clip_high" in arrays:
        raise bad_request(f"{name} clips nothing, and bounds of a ratio were given")
    if name == "dro":
        number(loss, "beta", BETA)
    return fields


def _is_not_zero(values_N: Tensor) -> Tensor:
    """By the bits: compared as a number, one that is too small to be computed with is 0 here, and is not to
    who asked."""
    return values_N.view(torch.int32) << 1 != 0


def loss_terms(loss: dict[str, Any], logprobs: Tensor, fields: dict[str, Tensor]) -> Tensor:
    """The loss at each position that counts, ρ being exp(logp − behaviour logp):
    cross_entropy −w·logp; importance_sampling −mask·ρA; ppo −mask·min(ρA, clip(ρ)A) (arXiv 1707.06347,
    equation 7); cispo −mask·[clip(ρ)]·A·logp (arXiv 2506.13585, equation 4), [·] without a gradient;
    dro −mask·(A·logp − ½β(logp − behaviour)²) (arXiv 2405.19107); gspo as ppo with the sequence's ratio
    (arXiv 2507.18071, equation 14). Positions of one sequence are all here: a pass never cuts one."""
    name = loss["name"]
    if name == "cross_entropy":
        return -fields["weights"] * logprobs
    away, advantages = logprobs - fields["logprobs"], fields["advantages"]
    if name == "dro":
        gain = advantages * logprobs - 0.5 * number(loss, "beta", BETA) * away.square()
    elif name == "cispo":
        gain = away.detach().exp().clamp(fields["low"], fields["high"]) * advantages * logprobs
    else:
        if name == "gspo":
            # Its value is the sequence's ratio, its derivative at each position that value.
            away = logprobs - logprobs.detach() + sequence_means(away.detach(), fields["mask"], fields["row"])
        if name in CLIPS:
            # Where a gain is clipped from above it is constant: its derivative is 0, and not 0 · ∞.
            away = away.masked_fill((away > LARGEST) & (advantages >= 0) & (fields["high"] < 1e38), LARGEST)
        ratio = away.exp()
        gain = ratio * advantages
        if name in CLIPS:
            gain = torch.minimum(gain, ratio.clamp(fields["low"], fields["high"]) * advantages)
    return -fields["mask"] * gain


def sequence_means(values: Tensor, mask: Tensor, row: Tensor) -> Tensor:
    """At each position the mean over its sequence, weighed by the mask."""
    count = int(row.max()) + 1 if len(row) > 0 else 0
    sums, weights = (
        row.new_zeros(count, dtype=torch.float64).index_add_(0, row, one.double())
        for one in (mask * values, mask)
    )
    return (sums / weights)[row].to(values.dtype)


def not_finite(terms: Tensor, row: Tensor) -> EngineError:
    """Names the first sequence whose loss is no number."""
    wrong = row[~torch.isfinite(terms.detach())]
    datum = int(wrong.min()) if len(wrong) > 0 else None
    where = "" if datum is None else f" at datum {datum}"
    return EngineError(
        "non-finite-loss",
        "engine",
        f"the loss is no finite number{where}: weights or arrays are broken",
        **({} if datum is None else {"datum": datum}),
    )
