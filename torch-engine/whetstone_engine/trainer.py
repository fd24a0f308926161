"""Trainable weights: losses, accumulated gradients, optimiser steps, snapshots."""

from __future__ import annotations

import math
import weakref
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .attention import BLOCK, SHORT
from .beginnings import shared_beginnings
from .checkpoint import OPTIMIZER, tensors_of, write_checkpoint
from .config import ModelConfig
from .device import on_host, placed
from .errors import EngineError, bad_request
from .frames import Arrays
from .kernels import target_logprobs
from .layout import Slot
from .linear import Weights
from .loss import loss_terms, not_finite, read_loss
from .optimizer import Moments, OptimizerStep, apply_step, norm_of
from .packing import Packing, reordered
from .precision import round_weights
from .request import array, sequence_lengths
from .snapshot import Frame, Snapshot

MICRO_TOKENS = 16384
"""Most positions of one pass."""
MICRO_BYTES = 9 * 2**28
"""Most bytes that one pass keeps for its gradients, where the machine has them."""
MICRO_LOGITS = 64 * 2**20
"""Most logits of one pass: 256 MiB in fp32."""
ON_GPU = 4
"""So many times the positions in a pass on a GPU, which waits for each of its calls."""
LOGITS_SHARE = 16
"""There as many logits as take, in fp32, a quarter of what a pass may keep."""


class Trainable(Protocol):
    """What is trained: a model's weights, or adapters over a base."""

    flat: Tensor
    step: int
    files: dict[str, bytes]
    moments: tuple[Tensor, Tensor] | None
    moment_steps: int

    @property
    def frame(self) -> TrainableFrame: ...

    @property
    def facts_to_save(self) -> dict[str, Any]: ...

    def compute_buffer(self, *, keep: bool = True) -> Tensor: ...


class TrainableFrame(Frame, Protocol):
    slots: list[Slot]

    def files(self, flat: Tensor) -> dict[str, dict[str, Tensor]]: ...


class Trainer:
    """Weights or adapters with gradients, an optimiser and a step count."""

    def __init__(self, model: Trainable, *, recompute: bool = False, pass_bytes: int = MICRO_BYTES) -> None:
        """With `recompute` a pass keeps no more than each layer's input; `pass_bytes` is what it may keep.
        Raises checkpointing-unsupported."""
        self.model, self.frame, self.architecture = model, model.frame, model.frame.architecture
        if recompute and not self.architecture.can_recompute:
            raise EngineError(
                "checkpointing-unsupported",
                "user",
                "the layers of this model cannot be computed again: leave gradientCheckpointing out",
            )
        self.flat, self.step, self.recompute = model.flat, model.step, recompute
        self.pass_bytes = pass_bytes
        logits = MICRO_LOGITS if on_host() else max(MICRO_LOGITS, pass_bytes // LOGITS_SHARE)
        self.head_limit = max(256, logits // self.architecture.config.vocabulary)
        self.grad = torch.zeros_like(self.flat)
        first, second = model.moments or (torch.zeros_like(self.flat), torch.zeros_like(self.flat))
        self.moments = Moments(
            first, second, torch.tensor(float(model.moment_steps), device=self.flat.device)
        )
        self.sharing: list[Snapshot] = []
        self.copy: Tensor | None = None
        """The weights of snapshots that a step has left behind, and who has them."""
        self.holders: list[weakref.ref[Snapshot]] = []
        self.accumulated = False
        # Leaves of autograd are views of one buffer, their gradients views of another.
        self.buffer = model.compute_buffer()
        self.leaf_grad = self.grad if self.buffer.dtype == self.grad.dtype else torch.zeros_like(self.buffer)
        gradients = self.frame.leaves(self.leaf_grad)
        self.leaves: dict[str, Tensor] = {}
        for key, view in self.frame.leaves(self.buffer).items():
            self.leaves[key] = view.detach().requires_grad_()
            self.leaves[key].grad = gradients[key]
        self.weights: Weights = self.frame.weights(self.leaves, trained=True)

    def run(
        self, arrays: Arrays, loss: dict[str, Any], wanted: str, *, backward: bool
    ) -> tuple[dict[str, Any], Arrays]:
        """forward, or forward_backward, on packed arrays; see PROTOCOL.md."""
        if wanted not in ("all", "weighted", "none"):
            raise bad_request(f"logprobs must be all, weighted or none, not {wanted!r}")
        lengths = sequence_lengths(arrays, "tokens", "targets")
        order = np.argsort(lengths, kind="stable")
        place_N = reordered(lengths, order)
        tokens_N = torch.from_numpy(array(arrays, "tokens", "i32")[place_N].astype(np.int64))
        targets_N = torch.from_numpy(array(arrays, "targets", "i32")[place_N].astype(np.int64))
        self.architecture.check(tokens_N, int(lengths.max()))
        self.architecture.check(targets_N, 0)
        fields = read_loss(loss, arrays, lengths, place_N)
        self._refuse_impossible(targets_N[fields["counts"]])
        out_N = torch.full((len(place_N),), math.nan)
        backup = self.grad.clone() if backward and self.accumulated else None
        lost = 0.0
        try:
            heads = lengths[order] if wanted == "all" else counted_of(fields["counts"], lengths[order])
            limit = self.limit(int(lengths.max()))
            for rows, span in micro_batches(lengths[order], limit, heads, self.head_limit):
                part = {name: values[span] for name, values in fields.items()}
                with torch.set_grad_enabled(backward):
                    lost += self._pass(
                        lengths[order][rows], tokens_N[span], targets_N[span], part, loss, wanted, out_N[span]
                    )
        except BaseException:
            if backward:
                self.leaf_grad.zero_()
                self.grad.zero_() if backup is None else self.grad.copy_(backup)
            raise
        self.accumulated = self.accumulated or backward
        results: Arrays = {}
        if wanted != "none":
            given_N = torch.empty_like(out_N)
            given_N[place_N] = out_N
            counts_N = torch.empty_like(fields["counts"])
            counts_N[place_N] = fields["counts"]
            results["logprobs"] = (given_N if wanted == "all" else given_N[counts_N]).numpy()
        return {"lossSum": lost, "positions": int(fields["counts"].sum())}, results

    def limit(self, longest: int) -> int:
        """Positions of one pass over rows that are at most so long."""
        config, number_bytes, most = self.architecture.config, 4, MICRO_TOKENS
        if not on_host():
            number_bytes, most = self.architecture.dtype.itemsize, ON_GPU * MICRO_TOKENS
        return micro_limit(config, longest, self.pass_bytes, self.recompute, number_bytes, most)

    def _refuse_impossible(self, targets_N: Tensor) -> None:
        suppressed = self.architecture.decoder.suppressed
        if suppressed is not None and bool(torch.isin(placed(targets_N), suppressed).any()):
            raise EngineError(
                "impossible-target", "engine", "a target that counts is suppressed: generation_config.json"
            )

    def _pass(
        self,
        lengths: np.ndarray,
        tokens_N: Tensor,
        targets_N: Tensor,
        fields: dict[str, Tensor],
        loss: dict[str, Any],
        wanted: str,
        out_N: Tensor,
    ) -> float:
        decoder, everywhere = self.architecture.decoder, wanted == "all"
        counted = placed(fields["counts"].nonzero()[:, 0])
        if len(counted) == 0 and not everywhere:
            return 0.0
        some = None if everywhere or len(counted) == len(targets_N) else counted
        packing = Packing(lengths, shared_beginnings(tokens_N.numpy(), lengths))
        computed, which = packing.wanted(some)
        hidden_ND = decoder.hidden(
            self.weights, packing.computed(placed(tokens_N)), packing, computed, recompute=self.recompute
        )
        if which is not None:
            # What several rows share predicts a target in each.
            hidden_ND = hidden_ND.index_select(0, which)
        targets_N = placed(targets_N)
        logprobs_N = target_logprobs(
            decoder.logits(self.weights, hidden_ND), targets_N if some is None else targets_N[some]
        )
        if some is None:
            out_N.copy_(logprobs_N.detach())
            logprobs_N = logprobs_N[counted]
        else:
            out_N.index_copy_(0, some.cpu(), logprobs_N.detach().cpu())
        fields = {name: placed(values)[counted] for name, values in fields.items()}
        terms = loss_terms(loss, logprobs_N, fields)
        value = terms.sum()
        lost = float(value.detach())
        if not math.isfinite(lost):
            raise not_finite(terms, fields["row"])
        if torch.is_grad_enabled() and len(counted) > 0:
            value.backward()
            if self.leaf_grad is not self.grad:
                self.grad += self.leaf_grad
                self.leaf_grad.zero_()
        return lost

    @torch.no_grad()
    def optim_step(self, head: dict[str, Any]) -> dict[str, Any]:
        """Applies the gradients and clears them; returns the step and the norm before clipping."""
        step = OptimizerStep.read(head)
        norm = norm_of(self.grad)
        if not math.isfinite(norm):
            self.clear()
            raise EngineError(
                "non-finite-gradient", "engine", "the gradient is not finite, and was not applied"
            )
        self._part_from_snapshots()
        apply_step(self.flat, self.grad, self.moments, step, norm, self.step + 1)
        self.step += 1
        self.clear()
        if self.buffer is not self.flat:
            round_weights(self.flat, self.buffer)
        return {"step": self.step, "gradientNorm": norm}

    def _part_from_snapshots(self) -> None:
        """Those that need the weights as they are get a copy: in the memory of the last one where nobody has
        that any more, since the system takes longer to give as much anew than to copy it takes."""
        sharing = [snapshot for snapshot in self.sharing if not snapshot.laid_out]
        self.sharing.clear()
        if not sharing or any(holder() is not None for holder in self.holders):
            self.copy = None
        self.holders = [weakref.ref(snapshot) for snapshot in sharing]
        if sharing:
            self.copy = torch.empty_like(self.buffer) if self.copy is None else self.copy
            self.copy.copy_(self.buffer)
            for snapshot in sharing:
                snapshot.share(self.copy)

    def clear(self) -> None:
        """No gradients."""
        self.grad.zero_()
        self.accumulated = False

    def snapshot(self) -> Snapshot:
        """The weights as they are; copied only when a step follows."""
        snapshot = Snapshot(self.frame, self.buffer, self.step)
        self.sharing.append(snapshot)
        return snapshot

    def release(self, snapshot: Snapshot) -> None:
        """A snapshot that nobody samples from needs no copy."""
        self.sharing = [other for other in self.sharing if other is not snapshot]

    def save(self, path: str, *, optimizer: bool, lasting: bool = True) -> int:
        """Writes a checkpoint; returns its bytes. Moments that no step has moved are zero: not written."""
        moments, files = self.moments, self.frame.files(self.flat.cpu())
        if optimizer and int(moments.steps) > 0:
            slots = self.frame.slots
            files[OPTIMIZER] = {
                **tensors_of(slots, moments.first.cpu(), "first."),
                **tensors_of(slots, moments.second.cpu(), "second."),
            }
        facts = {"step": self.step, "momentSteps": int(moments.steps), **self.model.facts_to_save}
        return write_checkpoint(Path(path), self.model.files, files, facts, lasting=lasting)


def counted_of(counts_N: Tensor, lengths: np.ndarray) -> np.ndarray:
    """How many positions of each row count."""
    return np.add.reduceat(counts_N.numpy(), np.cumsum(lengths) - lengths, dtype=np.int64)


def micro_limit(
    config: ModelConfig,
    longest: int = SHORT,
    pass_bytes: int = MICRO_BYTES,
    recompute: bool = False,
    number_bytes: int = 4,
    most: int = MICRO_TOKENS,
) -> int:
    """Positions of one pass: a function of the model's shape, of the longest row, of what the machine was
    found to have once, and of what is kept for the gradient, numbers of so many bytes; never of the memory of
    the moment."""
    heads = (config.heads + 2 * config.key_value_heads) * config.head_width
    # A flash kernel keeps queries, keys and values apart; else the probabilities are kept, of rows of several
    # blocks a little more than half.
    seen = min(longest, SHORT)
    attention = max(3 * heads, heads + config.heads * max(min(seen, BLOCK), (seen + BLOCK) // 2))
    layer = number_bytes * (5 * config.width + attention + 4 * config.hidden)
    kept = layer + number_bytes * config.layers * config.width if recompute else config.layers * layer
    return max(256, min(most, pass_bytes // kept))


def micro_batches(
    lengths: np.ndarray, limit: int, heads: np.ndarray | None = None, head_limit: int = MICRO_TOKENS
) -> list[tuple[slice, slice]]:
    """Sorted rows cut into no more passes than limits take, of like sizes: which rows, and which positions.
    `heads` are the positions of each row whose logits are wanted, no more than `head_limit` in a pass."""
    costs = lengths
    if heads is not None:
        costs = np.maximum(lengths, -(-heads * limit // head_limit))
    batches = _cut(costs, limit)
    least, most = -(-int(costs.sum()) // len(batches)), limit
    while least < most:
        middle = (least + most) // 2
        if len(even := _cut(costs, middle)) > len(batches):
            least = middle + 1
        else:
            batches, most = even, middle
    ends = np.concatenate(([0], np.cumsum(lengths)))
    return [(rows, slice(int(ends[rows.start]), int(ends[rows.stop]))) for rows in batches]


def _cut(costs: np.ndarray, limit: int) -> list[slice]:
    """Cut where a pass would grow beyond the limit."""
    batches: list[slice] = []
    first, total = 0, 0
    for row, cost in enumerate(costs.tolist()):
        if row > first and total + cost > limit:
            batches.append(slice(first, row))
            first, total = row, 0
        total += cost
    return [*batches, slice(first, len(costs))]
