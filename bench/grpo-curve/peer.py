"""TRL's GRPOTrainer on given prompts, a batch of them a step, rewarded by the last number of a complete
answer. Reads a JSON file of settings; prints as JSON each step's completions, rewards and seconds. Called by
grpo-curve.ts."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def last_number(text: str) -> float | None:
    found = NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


class Stopwatch(TrainerCallback):
    """Seconds of each optimiser step with all that comes before it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = 0.0

    def on_step_begin(self, *_: object, **__: object) -> None:
        self.begun = self.begun or time.perf_counter()

    def on_step_end(self, *_: object, **__: object) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.begun)
        self.begun = now


def main() -> None:
    asked: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(asked["threads"])
    tokenizer = AutoTokenizer.from_pretrained(asked["model"], padding_side="left")
    prompts: list[str] = []
    for ids in asked["prompts"]:
        text = tokenizer.decode(ids)
        if tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
            raise SystemExit(f"{text!r} is not tokenized as it was")
        prompts.append(text)
    steps: list[dict[str, Any]] = []

    def reward(
        completions: list[str], completion_ids: list[list[int]], answer: list[str], **_: object
    ) -> list[float]:
        ended = [bool(ids) and ids[-1] == tokenizer.eos_token_id for ids in completion_ids]
        rewards = [
            float(whole and last_number(text) == float(right))
            for text, right, whole in zip(completions, answer, ended, strict=True)
        ]
        steps.append({"rewards": rewards, "completions": completions, "ended": ended})
        return rewards

    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32),
            reward_funcs=reward,
            args=GRPOConfig(
                output_dir=folder,
                use_cpu=True,
                bf16=False,
                seed=asked["seed"],
                per_device_train_batch_size=asked["items"] * asked["samples"],
                num_generations=asked["samples"],
                max_completion_length=asked["tokens"],
                temperature=1.0,
                top_p=1.0,
                top_k=0,
                beta=0.0,
                shuffle_dataset=False,
                gradient_checkpointing=False,
                max_steps=asked["steps"],
                learning_rate=asked["learningRate"],
                lr_scheduler_type="constant",
                warmup_steps=0,
                adam_beta1=0.9,
                adam_beta2=0.98,
                weight_decay=0.01,
                max_grad_norm=1.0,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_dict({"prompt": prompts, "answer": asked["answers"]}),
            processing_class=tokenizer,
            callbacks=[stopwatch],
        ).train()
    print(json.dumps({"steps": steps, "seconds": stopwatch.seconds}))


if __name__ == "__main__":
    main()
