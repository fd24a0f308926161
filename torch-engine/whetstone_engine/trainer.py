"""Trainable weights: losses, accumulated gradients, optimiser steps, snapshots."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from .checkpoint import tensors_of, write_checkpoint
from .config import ModelConfig
from .errors import EngineError, bad_request
from .frames import Arrays
from .kernels import target_logprobs
from .loss import loss_sum, read_loss
from .packing import Packing
from .panels import Weights, packed
from .request import array, number, sequence_lengths
from .weights import Architecture, Model, round_weights

MICRO_TOKENS = 16384
"""Most positions of one pass."""
MICRO_BYTES = 2 * 2**30
"""Most bytes that one pass keeps for its gradients."""
MICRO_LOGITS = 64 * 2**20
"""Most logits of one pass: 256 MiB in fp32."""
PACKED = 4_000_000
"""Parameters from which a sampler's weights do not stay in the processor's caches: their layout matters."""
OPTIMIZERS = ("adamw", "sgd")


class Snapshot:
    """Weights as they were: they share the trainer's buffer until it takes a step, or they are packed."""

    def __init__(self, architecture: Architecture, buffer: Tensor, step: int) -> None:
        self.architecture, self.step, self.packed = architecture, step, False
        self.share(buffer)

    def share(self, buffer: Tensor) -> None:
        self.weights: Weights = self.architecture.views(buffer)

    def pack(self) -> None:
        """Lays the weights out for the products of a few rows, where that is worth a copy."""
        if self.packed or self.architecture.size < PACKED or self.architecture.dtype != torch.float32:
            return
        self.weights, self.packed = packed(self.weights), True


class Trainer:
    """A model with gradients, an optimiser and a step count."""

    def __init__(self, model: Model) -> None:
        self.model, self.architecture = model, model.architecture
        self.flat, self.step = model.flat, model.step
        size, dtype = self.architecture.size, self.architecture.dtype
        self.grad = torch.zeros(size)
        self.first, self.second = model.moments or (torch.zeros(size), torch.zeros(size))
        self.moment_steps = torch.tensor(float(model.moment_steps))
        self.sharing: list[Snapshot] = []
        self.accumulated = False
        # Leaves of autograd are views of one buffer, their gradients views of another.
        self.buffer = model.compute_buffer()
        self.leaf_grad = self.grad if dtype == torch.float32 else torch.zeros(size, dtype=dtype)
        gradients = self.architecture.views(self.leaf_grad)
        self.leaves: Weights = {}
        for key, view in self.architecture.views(self.buffer).items():
            self.leaves[key] = view.detach().requires_grad_()
            self.leaves[key].grad = gradients[key]

    def run(
        self, arrays: Arrays, loss: dict[str, Any], wanted: str, *, backward: bool
    ) -> tuple[dict[str, Any], Arrays]:
        """forward, or forward_backward, on packed arrays; see PROTOCOL.md."""
        if wanted not in ("all", "weighted", "none"):
            raise bad_request(f"logprobs must be all, weighted or none, not {wanted!r}")
        lengths = sequence_lengths(arrays, "tokens", "targets")
        order = np.argsort(lengths, kind="stable")
        place_N = places(lengths, order)
        tokens_N = torch.from_numpy(array(arrays, "tokens", "i32")[place_N].astype(np.int64))
        targets_N = torch.from_numpy(array(arrays, "targets", "i32")[place_N].astype(np.int64))
        self.architecture.check(tokens_N, int(lengths.max()))
        self.architecture.check(targets_N, 0)
        fields = read_loss(loss, arrays, place_N)
        self._refuse_impossible(targets_N[fields["counts"]])
        out_N = torch.full((len(place_N),), math.nan)
        backup = self.grad.clone() if backward and self.accumulated else None
        lost = 0.0
        try:
            for rows, span in micro_batches(lengths[order], micro_limit(self.architecture.config)):
                part = {name: values[span] for name, values in fields.items()}
                with torch.set_grad_enabled(backward):
                    lost += self._pass(
                        lengths[order][rows], tokens_N[span], targets_N[span], part, loss, wanted, out_N[span]
                    )
            if not math.isfinite(lost):
                raise EngineError(
                    "non-finite-loss", "engine", f"the loss is {lost}: weights or arrays are broken"
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

    def _refuse_impossible(self, targets_N: Tensor) -> None:
        suppressed = self.architecture.decoder.suppressed
        if suppressed is not None and bool(torch.isin(targets_N, suppressed).any()):
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
        counted = fields["counts"].nonzero()[:, 0]
        if len(counted) == 0 and not everywhere:
            return 0.0
        some = None if everywhere or len(counted) == len(targets_N) else counted
        hidden_ND = decoder.hidden(self.leaves, tokens_N, Packing(lengths), some)
        logprobs_N = target_logprobs(
            decoder.logits(self.leaves, hidden_ND), targets_N if some is None else targets_N[some]
        )
        if some is None:
            out_N.copy_(logprobs_N.detach())
            logprobs_N = logprobs_N[counted]
        else:
            out_N.index_copy_(0, some, logprobs_N.detach())
        value = loss_sum(loss, logprobs_N, {name: values[counted] for name, values in fields.items()})
        if torch.is_grad_enabled() and len(counted) > 0:
            value.backward()
            if self.leaf_grad is not self.grad:
                self.grad += self.leaf_grad
                self.leaf_grad.zero_()
        return float(value.detach())

    @torch.no_grad()
    def optim_step(self, head: dict[str, Any]) -> dict[str, Any]:
        """Applies the gradients and clears them; returns the step and the norm before clipping."""
        optimizer = head.get("optimizer") or "adamw"
        rate = number(head, "learningRate", least=0)
        beta1, beta2 = number(head, "beta1", 0.9, least=0), number(head, "beta2", 0.999, least=0)
        epsilon, decay = number(head, "epsilon", 1e-8, least=0), number(head, "weightDecay", 0.01, least=0)
        clip = number(head, "gradientClipNorm", 0, least=0)
        if optimizer not in OPTIMIZERS:
            raise bad_request(f"there is no optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}")
        if beta1 >= 1 or beta2 >= 1:
            raise bad_request("beta1 and beta2 must be below 1")
        norm = float(torch.linalg.vector_norm(self.grad))
        if not math.isfinite(norm):
            self._clear()
            raise EngineError(
                "non-finite-gradient", "engine", "the gradient is not finite, and was not applied"
            )
        sharing = [snapshot for snapshot in self.sharing if not snapshot.packed]
        if sharing:
            copy = self.buffer.clone()
            for snapshot in sharing:
                snapshot.share(copy)
        self.sharing.clear()
        excess = (norm + 1e-6) / clip if clip > 0 and norm + 1e-6 > clip else 1.0
        if optimizer == "sgd":
            self.flat.mul_(1 - rate * decay).add_(self.grad, alpha=-rate / excess)
        else:
            adamw(
                [self.flat],
                [self.grad],
                [self.first],
                [self.second],
                [],
                [self.moment_steps],
                fused=True,
                # Divides the gradient on the way.
                grad_scale=torch.tensor(excess) if excess > 1 else None,
                amsgrad=False,
                maximize=False,
                lr=rate,
                beta1=beta1,
                beta2=beta2,
                eps=epsilon,
                weight_decay=decay,
            )
        self.step += 1
        self._clear()
        if self.buffer is not self.flat:
            round_weights(self.flat, self.buffer)
        return {"step": self.step, "gradientNorm": norm}

    def _clear(self) -> None:
        self.grad.zero_()
        self.accumulated = False

    def snapshot(self) -> Snapshot:
        """The weights as they are; copied only when a step follows."""
        snapshot = Snapshot(self.architecture, self.buffer, self.step)
        self.sharing.append(snapshot)
        return snapshot

    def release(self, snapshot: Snapshot) -> None:
        """A snapshot that nobody samples from needs no copy."""
        self.sharing = [other for other in self.sharing if other is not snapshot]

    def save(self, path: str, *, optimizer: bool) -> int:
        """Writes a checkpoint; returns its bytes. Moments that no step has moved are zero: not written."""
        slots = self.architecture.slots
        files = {"model.safetensors": tensors_of(slots, self.flat)}
        if optimizer and int(self.moment_steps) > 0:
            files["optimizer.safetensors"] = {
                **tensors_of(slots, self.first, "first."),
                **tensors_of(slots, self.second, "second."),
            }
        facts = {"step": self.step, "momentSteps": int(self.moment_steps)}
        return write_checkpoint(Path(path), self.model.files, files, facts)


def places(lengths: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Index of each position in packed arrays, when the rows are taken in another order."""
    sizes = lengths[order]
    starts = (np.cumsum(lengths) - lengths)[order]
    return np.arange(sizes.sum()) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)


def micro_limit(config: ModelConfig) -> int:
    """Positions of one pass: a function of the model's shape alone."""
    heads = (config.heads + 2 * config.key_value_heads) * config.head_width
    kept = 4 * config.layers * (6 * config.width + 3 * heads + 4 * config.hidden)
    return max(256, min(MICRO_TOKENS, MICRO_BYTES // kept, MICRO_LOGITS // config.vocabulary))


def micro_batches(lengths: np.ndarray, limit: int) -> list[tuple[slice, slice]]:
    """Sorted rows cut where a pass would grow beyond the limit: which rows, and which positions."""
    batches: list[tuple[slice, slice]] = []
    first, begin, end = 0, 0, 0
    for row, length in enumerate(lengths.tolist()):
        if row > first and end + length - begin > limit:
            batches.append((slice(first, row), slice(begin, end)))
            first, begin = row, end
        end += length
    return [*batches, (slice(first, len(lengths)), slice(begin, end))]
