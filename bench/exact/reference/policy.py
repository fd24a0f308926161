"""What TRL's GRPOTrainer makes of the tiny decoder in a few optimiser steps on fixed completions: GRPO from
their rewards, and PPO's clipped policy step from advantages that are given to it (this TRL has no PPOTrainer
any more). Writes grpo.json and ppo.json into fixtures. Run it in the environment of
bench/engine/requirements.txt."""

from __future__ import annotations

import tempfile

import numpy as np
import torch
import trl
from datasets import Dataset
from small import END, VOCABULARY, adamw, start_model, tokenizer, weights_of, write
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

PROMPTS, SAMPLES, LONGEST, RATE = 3, 4, 6, 0.02
random = np.random.default_rng(7)


def line(length: int) -> list[int]:
    return random.integers(2, VOCABULARY, length).tolist()


prompts = [line(length) for length in (2, 4, 3)]
completions = [
    [[*line(int(random.integers(1, LONGEST))), END] for _ in range(SAMPLES - 1)] + [line(LONGEST)]
    for _ in prompts
]
rewards = random.uniform(0, 1, (PROMPTS, SAMPLES)).round(3).tolist()
advantages = random.normal(0, 1, (PROMPTS, SAMPLES)).round(3).tolist()


class Kept(TrainerCallback):
    """The weights after each optimiser step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, list[float]]] = []

    def on_step_end(self, *_: object, model: torch.nn.Module, **__: object) -> None:
        self.steps.append(weights_of(model))


class Given(GRPOTrainer):
    """Notes the logprobs that the step is told; `given` replaces the advantages that rewards would make."""

    given: dict[tuple[int, ...], float] | None = None
    noted: list[list[list[float]]] | None = None

    def _generate_and_score_completions(self, inputs: list[dict]) -> dict:
        batch = super()._generate_and_score_completions(inputs)
        whole = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
        mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1).bool()
        lines = [tuple(row[seen].tolist()) for row, seen in zip(whole, mask, strict=True)]
        if self.given is not None:
            batch["advantages"] = torch.tensor([self.given[one] for one in lines])
        logprobs = {
            one: [float(f"{value:.9g}") for value in row[seen.bool()].tolist()]
            for one, row, seen in zip(
                lines, batch["old_per_token_logps"], batch["completion_mask"], strict=True
            )
        }
        self.noted = [
            [logprobs[(*prompt, *completion)] for completion in group]
            for prompt, group in zip(prompts, completions, strict=True)
        ]
        return batch


def reference(name: str, loss: str, beta: float, steps: int, given: list[list[float]] | None) -> None:
    pairs = [
        (tuple(prompt), completion, reward)
        for prompt, group, scores in zip(prompts, completions, rewards, strict=True)
        for completion, reward in zip(group, scores, strict=True)
    ]
    reward_of = {(prompt, tuple(completion)): reward for prompt, completion, reward in pairs}

    def rollouts(asked: list[str], _trainer: GRPOTrainer) -> dict[str, list]:
        """Each prompt is asked for as many times as it has completions."""
        left = {tuple(prompt): list(group) for prompt, group in zip(prompts, completions, strict=True)}
        ids = [tuple(int(word[1:]) for word in prompt.split()) for prompt in asked]
        taken = [left[prompt].pop(0) for prompt in ids]
        return {
            "prompt_ids": [list(prompt) for prompt in ids],
            "completion_ids": taken,
            "logprobs": [[0.0] * len(one) for one in taken],
        }

    def reward(prompts: list[str], completion_ids: list[list[int]], **_: object) -> list[float]:
        ids = [tuple(int(word[1:]) for word in prompt.split()) for prompt in prompts]
        return [
            reward_of[prompt, tuple(completion)]
            for prompt, completion in zip(ids, completion_ids, strict=True)
        ]

    model, kept = start_model(), Kept()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Given(
            model=model,
            reward_funcs=reward,
            args=GRPOConfig(
                output_dir=folder,
                use_cpu=True,
                bf16=False,
                seed=0,
                per_device_train_batch_size=PROMPTS * SAMPLES,
                num_generations=SAMPLES,
                num_iterations=steps,
                max_completion_length=LONGEST,
                loss_type=loss,
                beta=beta,
                epsilon=0.2,
                # The paper weighs a token's KL by beta alone; TRL by the ratio too, unless told not to.
                use_bias_correction_kl=False,
                gradient_checkpointing=False,
                max_steps=steps,
                learning_rate=RATE,
                lr_scheduler_type="constant",
                max_grad_norm=1.0,
                disable_dropout=True,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_dict(
                {"prompt": [" ".join(f"w{token}" for token in prompt) for prompt in prompts]}
            ),
            processing_class=tokenizer(),
            rollout_func=rollouts,
            callbacks=[kept],
            optimizers=(adamw(model, RATE), None),
        )
        if given is not None:
            trainer.given = {
                (*prompt, *completion): advantage
                for prompt, group, scores in zip(prompts, completions, given, strict=True)
                for completion, advantage in zip(group, scores, strict=True)
            }
        trainer.train()
    write(
        name,
        {
            "source": f"TRL {trl.__version__} GRPOTrainer, loss_type {loss}, beta {beta}",
            "learningRate": RATE,
            "longest": LONGEST,
            "prompts": prompts,
            "completions": completions,
            "rewards": rewards if given is None else given,
            "logprobs": trainer.noted,
            "steps": kept.steps,
        },
    )


if __name__ == "__main__":
    # The mean of each sequence's mean, and the KL to the start in the loss, as GRPO's paper has both.
    reference("grpo", "grpo", 0.04, 2, None)
    # The mean over all tokens, and nothing but the clipped ratio.
    reference("ppo", "bnpo", 0.0, 3, advantages)
