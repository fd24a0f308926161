"""transformers' Trainer on lines of mixed lengths whose first half is a prompt: some steps for every line of
standard input, answered with how many tokens had a loss. Called by supervised.ts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import numpy as np
import torch
from asked import asked_of
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import LlamaForCausalLM, Trainer, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler
from turns import Counted, Turns

EXAMPLES = 4096
MASKED = -100
GOLDEN = 0.6180339887498949


def examples(shortest: int, longest: int, vocabulary: int) -> Dataset:
    """Lengths spread evenly, in an order of chance; tokens of no meaning."""
    random = np.random.default_rng(1)
    lengths = random.integers(shortest, longest + 1, EXAMPLES)
    lines = [random.integers(min(10, vocabulary // 2), vocabulary, length).tolist() for length in lengths]
    labels = [[MASKED] * (len(line) // 2) + line[len(line) // 2 :] for line in lines]
    return Dataset.from_dict({"input_ids": lines, "labels": labels, "length": lengths.tolist()})


class Spread(Sampler):
    """A grouping sampler's batches in an order in which every few are of all lengths: it gives the longest
    first, and a turn of few steps would see those alone."""

    def __init__(self, grouped: LengthGroupedSampler, together: int, skipped: int) -> None:
        self.grouped, self.together, self.skipped = grouped, together, skipped

    def __iter__(self) -> Iterator[int]:
        order, lengths = list(self.grouped), self.grouped.lengths
        batches = [order[first : first + self.together] for first in range(0, len(order), self.together)]
        batches.sort(key=lambda batch: sum(lengths[line] for line in batch))
        # Multiples of the golden ratio lie evenly, however many are taken.
        ranks = np.argsort(np.argsort(np.arange(len(batches)) * GOLDEN % 1))
        for rank in np.roll(ranks, -self.skipped):
            yield from batches[rank]

    def __len__(self) -> int:
        return len(self.grouped)


class SpreadTrainer(Counted, Trainer):
    def __init__(self, turns: Turns, skipped: int, **given: object) -> None:
        super().__init__(turns, **given)
        self.skipped = skipped

    def tokens_in(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        return (inputs["labels"] != MASKED).sum()

    def _get_train_sampler(self, *given: Dataset) -> Sampler | None:
        sampler = super()._get_train_sampler(*given)
        if self.args.train_sampling_strategy != "group_by_length":
            return sampler
        return Spread(sampler, self.args.per_device_train_batch_size * self.args.world_size, self.skipped)


def padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def main() -> None:
    asked = asked_of(
        ("batch", "warm", "skipped", "steps", "shortest", "longest"),
        precision=("bf16", "fp32"),
        sampling=("random", "group_by_length"),
    )
    model = LlamaForCausalLM.from_pretrained(asked.model, dtype=torch.float32)
    turns = Turns(asked.warm, asked.steps)

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        tokens = [row["input_ids"] for row in rows]
        return {
            "input_ids": padded(tokens, 0),
            "attention_mask": padded([[1] * len(row) for row in tokens], 0),
            "labels": padded([row["labels"] for row in rows], MASKED),
        }

    several = "WORLD_SIZE" in os.environ
    with tempfile.TemporaryDirectory() as folder:
        SpreadTrainer(
            turns,
            asked.skipped,
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                use_cpu=asked.device == "cpu",
                ddp_find_unused_parameters=False if several else None,
                ddp_backend="gloo" if several else None,
                bf16=asked.precision == "bf16",
                per_device_train_batch_size=asked.batch,
                train_sampling_strategy=asked.sampling,
                length_column_name="length",
                max_steps=1_000_000,
                learning_rate=1e-5,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            data_collator=collate,
            train_dataset=examples(asked.shortest, asked.longest, model.config.vocab_size),
        ).train()


if __name__ == "__main__":
    main()
