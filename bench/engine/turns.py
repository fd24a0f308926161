"""How trainers of Hugging Face take turns: some steps for every line of standard input, then a count."""

from __future__ import annotations

import os
import sys

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Turns(TrainerCallback):
    """Waits before the first step after the warm ones, and after every turn of steps."""

    def __init__(self, warm: int, steps: int) -> None:
        self.warm, self.steps, self.tokens = warm, steps, 0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        done = state.global_step - self.warm
        if done < 0 or done % self.steps:
            return
        print("ready" if done == 0 else self.tokens, flush=True)
        if not sys.stdin.readline():
            # Whoever took turns with it has gone.
            os._exit(0)
        self.tokens = 0


class Counted:
    """Of a Trainer: counts the tokens of each step that it takes; its batches are made one ahead."""

    def __init__(self, turns: Turns, **given: object) -> None:
        super().__init__(callbacks=[turns], **given)
        self.turns = turns

    def tokens_in(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """How many tokens of a batch count."""
        raise NotImplementedError

    def training_step(self, model: torch.nn.Module, inputs: dict, *given: object) -> torch.Tensor:
        self.turns.tokens += int(self.tokens_in(inputs))
        return super().training_step(model, inputs, *given)
