"""What TRL's DPOTrainer and KTOTrainer make of the tiny decoder in three optimiser steps on fixed responses,
against a reference that is another model. Writes dpo.json and kto.json into fixtures. Run it in the
environment of bench/engine/requirements.txt."""

from __future__ import annotations

import tempfile

import numpy as np
import torch
import trl
from datasets import Dataset
from small import END, LONGEST, RATE, Kept, adamw, line, settings, start_model, tokenizer, words, write
from transformers import LlamaForCausalLM
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

COUNT, BETA = 6, 0.3
# Warm-up, stable and decay of three steps.
FACTORS = (1.0, 1.0, 0.01)
random = np.random.default_rng(11)


def response() -> list[int]:
    return [*line(random, int(random.integers(1, LONGEST))), END]


prompts = [line(random, length) for length in (2, 4, 3, 5, 2, 3)]
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


def references_of(*responses: list[list[int]]) -> list[list[list[float]]]:
    """Of each prompt what the reference makes of its responses, one of each list."""
    model = reference_model()
    return [
        [logprobs_of(model, prompt, answer) for answer in pair]
        for prompt, *pair in zip(prompts, *responses, strict=True)
    ]


def logprobs_of(model: LlamaForCausalLM, prompt: list[int], answer: list[int]) -> list[float]:
    """[len(answer)]: of each of its tokens."""
    ids = torch.tensor([[*prompt, *answer]])
    with torch.no_grad():
        logprobs_TV = model(ids).logits[0].log_softmax(-1)
    first = len(prompt) - 1
    return [float(f"{logprobs_TV[first + place, token].item():.9g}") for place, token in enumerate(answer)]


def steps_of(kind: type, config: type, data: dict[str, list]) -> list[dict[str, list[float]]]:
    model, kept = start_model(), Kept()
    optimizer = adamw(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: FACTORS[min(step, len(FACTORS) - 1)])
    with tempfile.TemporaryDirectory() as folder:
        kind(
            model=model,
            ref_model=reference_model(),
            args=config(**settings(folder, COUNT, len(FACTORS)), beta=BETA, max_length=None),
            train_dataset=Dataset.from_dict(data),
            processing_class=tokenizer(),
            callbacks=[kept],
            optimizers=(optimizer, schedule),
        ).train()
    return kept.steps


def completions(responses: list[list[int]]) -> list[str]:
    return [f" {words(answer)}" for answer in responses]


if __name__ == "__main__":
    shared = {"learningRate": RATE, "beta": BETA, "prompts": prompts}
    asked = [words(prompt) for prompt in prompts]
    pairs = {"prompt": asked, "chosen": completions(chosen), "rejected": completions(rejected)}
    write(
        "dpo",
        {
            "source": f"TRL {trl.__version__} DPOTrainer, loss_type sigmoid",
            **shared,
            "chosen": chosen,
            "rejected": rejected,
            "references": references_of(chosen, rejected),
            "steps": steps_of(DPOTrainer, DPOConfig, pairs),
        },
    )
    # Each prompt with the response of the one before it, as the trainer pairs them.
    mismatched = [chosen[-1], *chosen[:-1]]
    labelled = {"prompt": asked, "completion": completions(chosen), "label": wanted}
    write(
        "kto",
        {
            "source": f"TRL {trl.__version__} KTOTrainer, loss_type kto",
            **shared,
            "responses": chosen,
            "wanted": wanted,
            "references": references_of(chosen, mismatched),
            "steps": steps_of(KTOTrainer, KTOConfig, labelled),
        },
    )
