"""Trainable weights: losses, accumulated gradients, optimiser steps, snapshots."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from .checkpoint import tensors_of, write_checkpoint
from .decoder import pack
from .errors import EngineError, bad_request
from .frames import Arrays
from .loss import loss_sum, read_loss
from .weights import Model

MICRO_TOKENS = 16384
"""Most positions of one pass through the decoder."""
MICRO_LOGITS = 64 * 2**20
"""Most logits of one pass through the head: 256 MiB in fp32."""


def number(head: dict[str, Any], name: str, default: float) -> float:
    value = head.get(name)
    return default if value is None else float(value)


class Snapshot:
    """Weights as they were: they share the trainer's buffer until it takes a step."""

    def __init__(self, model: Model, flat: torch.Tensor, step: int) -> None:
        self.model, self.flat, self.step = model, flat, step
        self._views: dict[str, torch.Tensor] | None = None

    @property
    def views(self) -> dict[str, torch.Tensor]:
        if self._views is None:
            self._views = self.model.compute_views(self.flat)
        return self._views

    def detach(self) -> None:
        """Takes a copy of its own, before the trainer changes the buffer."""
        self.flat, self._views = self.flat.clone(), None


class Trainer:
    """A model with gradients, an optimiser and a step count."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.step = model.step
        self.grad = torch.zeros(model.size)
        self.moments = model.moments or (torch.zeros(model.size), torch.zeros(model.size))
        """Optimiser steps that the moments have seen: less than `step` when they were not loaded with the weights."""
        self.moment_steps = model.moment_steps
        self.sharing: list[Snapshot] = []
        self._bind()
        self._accumulated = False

    def _bind(self) -> None:
        """Leaves of autograd are views of the flat weights, their gradients views of the flat gradient."""
        model = self.model
        self._leaf_grad = self.grad if model.dtype == torch.float32 else torch.zeros(model.size, dtype=model.dtype)
        leaves = model.compute_views(model.flat)
        begin = {one.key: one.offset for one in model.fused}
        self.leaves = {}
        for key, view in leaves.items():
            leaf = view.detach().requires_grad_()
            leaf.grad = self._leaf_grad.narrow(0, begin[key], leaf.numel()).view(leaf.shape)
            self.leaves[key] = leaf

    def run(self, arrays: Arrays, loss: dict[str, Any], wanted: str, *, backward: bool) -> tuple[dict[str, Any], Arrays]:
        """forward, or forward_backward, on packed arrays; see PROTOCOL.md."""
        lengths = arrays["lengths"].tolist()
        total = int(sum(lengths))
        tokens = torch.from_numpy(arrays["tokens"].astype(np.int64))
        targets = torch.from_numpy(arrays["targets"].astype(np.int64))
        if len(tokens) != total or len(targets) != total or not lengths or min(lengths) < 1:
            raise bad_request("tokens, targets and lengths do not fit together")
        self.model.check(tokens, max(lengths))
        self.model.check(targets, 0)
        fields = read_loss(loss, arrays, total)
        out = torch.full((total,), math.nan)
        backup = self.grad.clone() if backward and self._accumulated else None
        try:
            lost = 0.0
            for indices, place in self._micro_batches(lengths):
                lost += self._pass(indices, place, lengths, tokens, targets, fields, loss, wanted, out, backward)
        except BaseException:
            if backward:
                self.grad.zero_() if backup is None else self.grad.copy_(backup)
            raise
        if backward:
            self._accumulated = True
        counts = fields["counts"]
        logprobs: Arrays = {}
        if wanted == "all":
            logprobs["logprobs"] = out.numpy()
        elif wanted == "weighted":
            logprobs["logprobs"] = out[counts].numpy()
        return {"lossSum": lost, "positions": int(counts.sum())}, logprobs

    def _micro_batches(self, lengths: list[int]) -> list[tuple[list[int], torch.Tensor]]:
        """Rows sorted by length, cut where the pass would grow too large: a function of the lengths alone."""
        most = max(256, min(MICRO_TOKENS, MICRO_LOGITS // self.model.config.vocabulary))
        starts = np.concatenate(([0], np.cumsum(lengths)))
        batches: list[tuple[list[int], torch.Tensor]] = []
        rows: list[int] = []
        size = 0
        for index in sorted(range(len(lengths)), key=lengths.__getitem__):
            if rows and size + lengths[index] > most:
                batches.append(_batch(rows, starts))
                rows, size = [], 0
            rows.append(index)
            size += lengths[index]
        return [*batches, _batch(rows, starts)]

    def _pass(
        self,
        rows: list[int],
        place_N: torch.Tensor,
        lengths: list[int],
        tokens: torch.Tensor,
        targets: torch.Tensor,
        fields: dict[str, torch.Tensor],
        loss: dict[str, Any],
        wanted: str,
        out: torch.Tensor,
        backward: bool,
    ) -> float:
        decoder = self.model.decoder
        mine = {name: values[place_N] for name, values in fields.items()}
        counts_N = mine["counts"]
        if not bool(counts_N.any()) and wanted != "all":
            return 0.0
        with torch.set_grad_enabled(backward):
            hidden_ND = decoder.hidden(self.leaves, tokens[place_N], pack([lengths[row] for row in rows]))
            if wanted != "all":
                # The head is the widest product of a small model: only where a weight asks for it.
                hidden_ND = hidden_ND[counts_N]
                place_N = place_N[counts_N]
                mine = {name: values[counts_N] for name, values in mine.items()}
            logprobs_N = -F.cross_entropy(decoder.logits(self.leaves, hidden_ND), targets[place_N], reduction="none")
            out[place_N] = logprobs_N.detach()
            if wanted == "all":
                logprobs_N = logprobs_N[counts_N]
                mine = {name: values[counts_N] for name, values in mine.items()}
            value = loss_sum(loss, logprobs_N, mine)
            if backward and len(logprobs_N):
                value.backward()
                if self._leaf_grad is not self.grad:
                    self.grad += self._leaf_grad
                    self._leaf_grad.zero_()
        return float(value.detach())

    @torch.no_grad()
    def optim_step(self, head: dict[str, Any]) -> dict[str, Any]:
        """Applies the gradients and clears them; returns the step and the norm before clipping."""
        norm = float(torch.linalg.vector_norm(self.grad))
        if not math.isfinite(norm):
            self.grad.zero_()
            self._accumulated = False
            raise EngineError(
                "non-finite-gradient", "engine", "the gradient is not finite; the step was not applied: lower the rate"
            )
        for snapshot in self.sharing:
            snapshot.detach()
        self.sharing.clear()
        rate = float(head["learningRate"])
        clip = number(head, "gradientClipNorm", 0)
        if clip and norm > clip:
            self.grad.mul_(clip / (norm + 1e-6))
        self.step += 1
        flat = self.model.flat
        flat.mul_(1 - rate * number(head, "weightDecay", 0.01))
        if (head.get("optimizer") or "adamw") == "sgd":
            flat.add_(self.grad, alpha=-rate)
        else:
            beta1, beta2 = number(head, "beta1", 0.9), number(head, "beta2", 0.999)
            self.moment_steps += 1
            first, second = self.moments
            first.lerp_(self.grad, 1 - beta1)
            second.mul_(beta2).addcmul_(self.grad, self.grad, value=1 - beta2)
            scale = math.sqrt(1 - beta2**self.moment_steps)
            bottom = second.sqrt().div_(scale).add_(number(head, "epsilon", 1e-8))
            flat.addcdiv_(first, bottom, value=-rate / (1 - beta1 ** self.moment_steps))
        self.grad.zero_()
        self._accumulated = False
        if self.model.dtype != torch.float32:
            self._bind()
        return {"step": self.step, "gradientNorm": norm}

    def snapshot(self) -> Snapshot:
        snapshot = Snapshot(self.model, self.model.flat, self.step)
        self.sharing.append(snapshot)
        return snapshot

    def save(self, path: str, *, optimizer: bool) -> int:
        """Writes a checkpoint; returns its bytes."""
        slots = self.model.slots
        weights = tensors_of(slots, self.model.flat)
        if self.model.config.tied:
            weights.pop("lm_head.weight", None)
        files = {"model.safetensors": weights}
        if optimizer:
            first, second = (tensors_of(slots, moment) for moment in self.moments)
            files["optimizer.safetensors"] = {
                **{f"first.{name}": tensor for name, tensor in first.items()},
                **{f"second.{name}": tensor for name, tensor in second.items()},
            }
        return write_checkpoint(Path(path), self.model.folder, files, {"step": self.step, "momentSteps": self.moment_steps})


def _batch(rows: list[int], starts: np.ndarray) -> tuple[list[int], torch.Tensor]:
    place = np.concatenate([np.arange(starts[row], starts[row + 1]) for row in rows])
    return rows, torch.from_numpy(place)
