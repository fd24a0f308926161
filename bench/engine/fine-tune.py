"""TRL's SFTTrainer on random sequences: some steps for every line of standard input, answered with how many
tokens they took, prompts included. Called by training.ts."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import torch
from asked import asked_of
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer
from turns import Counted, Turns

EXAMPLES = 4096


def examples(count: int, shortest: int, longest: int, answer: int, vocabulary: int) -> Dataset:
    random = np.random.default_rng(1)
    lengths = random.integers(shortest, longest + 1, count)
    return Dataset.from_dict(
        {
            "input_ids": [random.integers(10, vocabulary, length).tolist() for length in lengths],
            "completion_mask": [[0] * (length - answer) + [1] * answer for length in lengths],
        }
    )


class CountedTrainer(Counted, SFTTrainer):
    def tokens_in(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        return inputs["attention_mask"].sum()


def main() -> None:
    asked = asked_of(
        ("batch", "warm", "steps", "shortest", "longest", "answer"),
        precision=("bf16", "fp32"),
        sampling=("random", "group_by_length"),
    )
    model = LlamaForCausalLM.from_pretrained(asked.model, dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel({"<pad>": 0, "<end>": 1}, unk_token="<pad>")),
        pad_token="<pad>",
        eos_token="<end>",
    )
    turns = Turns(asked.warm, asked.steps)
    with tempfile.TemporaryDirectory() as folder:
        CountedTrainer(
            turns,
            model=model,
            args=SFTConfig(
                output_dir=folder,
                use_cpu=True,
                ddp_find_unused_parameters=False if "WORLD_SIZE" in os.environ else None,
                ddp_backend="gloo" if "WORLD_SIZE" in os.environ else None,
                bf16=asked.precision == "bf16",
                per_device_train_batch_size=asked.batch,
                train_sampling_strategy=asked.sampling,
                gradient_checkpointing=False,
                completion_only_loss=True,
                max_length=None,
                max_steps=1_000_000,
                learning_rate=1e-5,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=examples(
                EXAMPLES, asked.shortest, asked.longest, asked.answer, model.config.vocab_size
            ),
            processing_class=tokenizer,
        ).train()


if __name__ == "__main__":
    main()
