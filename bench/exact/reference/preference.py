"""What TRL's DPOTrainer and KTOTrainer make of the tiny decoder in three optimiser steps on fixed responses,
against a reference that is another model. Writes dpo.json and kto.json into fixtures. Run it in the
environment of bench/engine/requirements.txt."""

from __future__ import annotations

import tempfile

import numpy as np
import torch
import trl
from datasets import Dataset
from small import END, VOCABULARY, adamw, start_model, tokenizer, weights_of, write
from transformers import LlamaForCausalLM, TrainerCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

COUNT, LONGEST, RATE, BETA = 6, 6, 0.02, 0.3
# Warm-up, stable and decay of three steps.
FACTORS = (1.0, 1.0, 0.01)
random = np.random.default_rng(11)


def line(length: int) -> list[int]:
    return random.integers(2, VOCABULARY, length).tolist()


def response() -> list[int]:
    return [*line(int(random.integers(1, LONGEST))), END]


prompts = [line(length) for length in (2, 4, 3, 5, 2, 3)]
chosen = [response() for _ in prompts]
rejected = [response() for _ in prompts]
wanted = [True, False, True, True, False, False]


def reference_model() -> LlamaForCausalLM:
    """Not the weights that are trained, so that log ratios are not 0."""
    model = start_model()
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.mul_(1.3)
    return model


def logprobs_of(model: LlamaForCausalLM, prompt: list[int], answer: list[int]) -> list[float]:
    """[len(answer)]: of each of its tokens."""
    ids = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        logprobs_TV = model(ids).logits[0].log_softmax(-1)
    first = len(prompt) - 1
    return [float(f"{logprobs_TV[first + place, token].item():.9g}") for place, token in enumerate(answer)]


def words(ids: list[int]) -> str:
    """The end is added by the trainer."""
    return " ".join(f"w{token}" for token in ids if token != END)


class Kept(TrainerCallback):
    """The weights after each optimiser step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, list[float]]] = []

    def on_step_end(self, *_: object, model: torch.nn.Module, **__: object) -> None:
        self.steps.append(weights_of(model))


def settings(folder: str) -> dict:
    return {
        "output_dir": folder,
        "use_cpu": True,
        "bf16": False,
        "seed": 0,
        "beta": BETA,
        "per_device_train_batch_size": COUNT,
        "max_length": None,
        "gradient_checkpointing": False,
        "max_steps": len(FACTORS),
        "learning_rate": RATE,
        "max_grad_norm": 1.0,
        "disable_dropout": True,
        "logging_strategy": "no",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def steps_of(kind: type, config: type, data: dict[str, list]) -> list[dict[str, list[float]]]:
    model, kept = start_model(), Kept()
    optimizer = adamw(model, RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: FACTORS[min(step, len(FACTORS) - 1)])
    with tempfile.TemporaryDirectory() as folder:
        kind(
            model=model,
            ref_model=reference_model(),
            args=config(**settings(folder)),
            train_dataset=Dataset.from_dict(data),
            processing_class=tokenizer(),
            callbacks=[kept],
            optimizers=(optimizer, schedule),
        ).train()
    return kept.steps


if __name__ == "__main__":
    reference = reference_model()
    shared = {"learningRate": RATE, "beta": BETA, "prompts": prompts}
    asked = [words(prompt) for prompt in prompts]
    write(
        "dpo",
        {
            "source": f"TRL {trl.__version__} DPOTrainer, loss_type sigmoid",
            **shared,
            "chosen": chosen,
            "rejected": rejected,
            "references": [
                [logprobs_of(reference, prompt, answer) for answer in pair]
                for prompt, *pair in zip(prompts, chosen, rejected, strict=True)
            ],
            "steps": steps_of(
                DPOTrainer,
                DPOConfig,
                {
                    "prompt": asked,
                    "chosen": [f" {words(answer)}" for answer in chosen],
                    "rejected": [f" {words(answer)}" for answer in rejected],
                },
            ),
        },
    )
    # Each prompt with the response of the one before it, as the trainer pairs them.
    mismatched = [chosen[-1], *chosen[:-1]]
    write(
        "kto",
        {
            "source": f"TRL {trl.__version__} KTOTrainer, loss_type kto",
            **shared,
            "responses": chosen,
            "wanted": wanted,
            "references": [
                [logprobs_of(reference, prompt, answer) for answer in pair]
                for prompt, *pair in zip(prompts, chosen, mismatched, strict=True)
            ],
            "steps": steps_of(
                KTOTrainer,
                KTOConfig,
                {
                    "prompt": asked,
                    "completion": [f" {words(answer)}" for answer in chosen],
                    "label": wanted,
                },
            ),
        },
    )
