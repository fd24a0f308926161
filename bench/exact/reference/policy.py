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
from small import END, LONGEST, RATE, Kept, adamw, line, settings, start_model, tokenizer, words, write
from trl import GRPOConfig, GRPOTrainer

PROMPTS, SAMPLES = 3, 4
random = np.random.default_rng(7)

prompts = [line(random, length) for length in (2, 4, 3)]
completions = [
    [[*line(random, int(random.integers(1, LONGEST))), END] for _ in range(SAMPLES - 1)]
    + [line(random, LONGEST)]
    for _ in prompts
]
rewards = random.uniform(0, 1, (PROMPTS, SAMPLES)).round(3).tolist()
advantages = random.normal(0, 1, (PROMPTS, SAMPLES)).round(3).tolist()


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


def tokens_of(text: str) -> tuple[int, ...]:
    """`words` undone."""
    return tuple(int(word[1:]) for word in text.split())


def by_line(scores: list[list[float]]) -> dict[tuple[int, ...], float]:
    """Of each prompt's completions, by the tokens of both."""
    return {
        (*prompt, *completion): score
        for prompt, group, given in zip(prompts, completions, scores, strict=True)
        for completion, score in zip(group, given, strict=True)
    }


def reference(name: str, loss: str, beta: float, steps: int, given: list[list[float]] | None) -> None:
    reward_of = by_line(rewards)

    def rollouts(asked: list[str], _trainer: GRPOTrainer) -> dict[str, list]:
        """Each prompt is asked for as many times as it has completions."""
        left = {tuple(prompt): list(group) for prompt, group in zip(prompts, completions, strict=True)}
        ids = [tokens_of(prompt) for prompt in asked]
        taken = [left[prompt].pop(0) for prompt in ids]
        return {
            "prompt_ids": [list(prompt) for prompt in ids],
            "completion_ids": taken,
            "logprobs": [[0.0] * len(one) for one in taken],
        }

    def reward(prompts: list[str], completion_ids: list[list[int]], **_: object) -> list[float]:
        ids = [tokens_of(prompt) for prompt in prompts]
        return [
            reward_of[(*prompt, *completion)] for prompt, completion in zip(ids, completion_ids, strict=True)
        ]

    model, kept = start_model(), Kept()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Given(
            model=model,
            reward_funcs=reward,
            args=GRPOConfig(
                **settings(folder, PROMPTS * SAMPLES, steps),
                num_generations=SAMPLES,
                num_iterations=steps,
                max_completion_length=LONGEST,
                loss_type=loss,
                beta=beta,
                epsilon=0.2,
                # The paper weighs a token's KL by beta alone; TRL by the ratio too, unless told not to.
                use_bias_correction_kl=False,
                lr_scheduler_type="constant",
            ),
            train_dataset=Dataset.from_dict({"prompt": [words(prompt) for prompt in prompts]}),
            processing_class=tokenizer(),
            rollout_func=rollouts,
            callbacks=[kept],
            optimizers=(adamw(model), None),
        )
        if given is not None:
            trainer.given = by_line(given)
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
