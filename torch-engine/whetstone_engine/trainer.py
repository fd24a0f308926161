"""Trainable weights: losses, accumulated gradients, optimiser steps, snapshots."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .abreast import Abreast
from .beside import Beside
from .checkpoint import OPTIMIZER, tensors_of, write_checkpoint
from .device import placed
from .errors import EngineError, bad_request
from .frames import Arrays
from .helpers import Helper
from .layout import Slot
from .loss import read_loss
from .optimizer import Moments, OptimizerStep, apply_step, norm_of
from .overflow import not_finite_gradient
from .packing import reordered
from .passes import MICRO_BYTES, Passes, Rows
from .precision import round_weights
from .request import array, sequence_lengths
from .snapshot import Frame, Snapshot


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


class Trainer(Passes):
    """Weights or adapters with gradients, an optimiser and a step count."""

    def __init__(
        self,
        model: Trainable,
        *,
        recompute: bool = False,
        pass_bytes: int = MICRO_BYTES,
        helpers: Sequence[Helper] = (),
    ) -> None:
        """As `Passes`; `helpers` may compute parts of large ones."""
        buffer, grad = model.compute_buffer(), torch.zeros_like(model.flat)
        super().__init__(model.frame, buffer, grad, recompute=recompute, pass_bytes=pass_bytes)
        self.model, self.frame = model, model.frame
        self.flat, self.step = model.flat, model.step
        first, second = model.moments or (torch.zeros_like(self.flat), torch.zeros_like(self.flat))
        self.moments = Moments(
            first, second, torch.tensor(float(model.moment_steps), device=self.flat.device)
        )
        self.sharing: list[Snapshot] = []
        self.copy: Tensor | None = None
        """The weights of snapshots that a step has left behind, and who has them."""
        self.holders: list[weakref.ref[Snapshot]] = []
        self.accumulated, self.norm = False, 0.0
        """Of the gradient: whether there is one, and its norm, which is finite."""
        self.beside = Beside.of(model.frame, self, helpers) or Abreast.of(model.frame, self)

    def run(
        self, arrays: Arrays, loss: dict[str, Any], wanted: str, *, backward: bool, helped: bool = True
    ) -> tuple[dict[str, Any], Arrays]:
        """forward, or forward_backward, on packed arrays; see PROTOCOL.md."""
        if wanted not in ("all", "weighted", "none"):
            raise bad_request(f"logprobs must be all, weighted or none, not {wanted!r}")
        lengths = sequence_lengths(arrays, "tokens", "targets")
        part_n = np.zeros(len(lengths), dtype=np.int64)
        if self.beside is not None:
            part_n = self.beside.parts_of(lengths, self.architecture.config, helped=helped)
        order = np.lexsort((lengths, part_n))
        place_N = reordered(lengths, order)
        tokens_N = torch.from_numpy(array(arrays, "tokens", "i32")[place_N].astype(np.int64))
        targets_N = torch.from_numpy(array(arrays, "targets", "i32")[place_N].astype(np.int64))
        self.architecture.check(tokens_N, int(lengths.max()))
        self.architecture.check(targets_N, 0)
        fields = read_loss(loss, arrays, lengths, place_N)
        self._refuse_impossible(targets_N[fields["counts"]])
        rows = Rows(lengths[order], tokens_N, targets_N, fields)
        parts = rows.split(np.bincount(part_n))
        backup = self.grad.clone() if backward and self.accumulated else None
        try:
            if self.beside is None or len(parts) == 1:
                lost, out_N = self.over(parts[0], loss, wanted, backward=backward)
            else:
                lost, out_N = self.beside.over(self, self.step, parts, loss, wanted, backward=backward)
            norm = norm_of(self.grad) if backward else self.norm
            if not math.isfinite(norm):
                raise not_finite_gradient(self, rows, loss)
        except BaseException:
            if backward:
                self.drop_aside()
                self.grad.zero_() if backup is None else self.grad.copy_(backup)
            raise
        self.accumulated, self.norm = self.accumulated or backward, norm
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
        if suppressed is not None and bool(torch.isin(placed(targets_N), suppressed).any()):
            raise EngineError(
                "impossible-target", "engine", "a target that counts is suppressed: generation_config.json"
            )

    @torch.no_grad()
    def optim_step(self, head: dict[str, Any]) -> dict[str, Any]:
        """Applies the gradients and clears them; returns the step and the norm before clipping."""
        step, norm = OptimizerStep.read(head), self.norm
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
        if not sharing or any(holder() is not None for holder in self.holders):
            self.copy = None
        if sharing:
            self.copy = torch.empty_like(self.buffer) if self.copy is None else self.copy
            self.copy.copy_(self.buffer)
            for snapshot in sharing:
                snapshot.share(self.copy)
        # Only now: where there was no memory for a copy, they share still.
        self.holders = [weakref.ref(snapshot) for snapshot in sharing]
        self.sharing.clear()

    def clear(self) -> None:
        """No gradients."""
        self.grad.zero_()
        self.accumulated, self.norm = False, 0.0

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
