"""TRL's GRPOTrainer on prompts of random tokens: some steps for every line of standard input, answered with
how many tokens were drawn in them, by transformers or by a vLLM on the same GPU. Called by grpo.ts."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import torch
from asked import asked_of
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer
from turns import Turns

EXAMPLES = 4096


def main() -> None:
    asked = asked_of(
        ("rank", "prompts", "samples", "prompt", "tokens", "warm", "steps"),
        precision=("bf16", "fp32"),
        drawn=("transformers", "vllm"),
    )
    model = LlamaForCausalLM.from_pretrained(asked.model, dtype=torch.float32)
    words = {f"w{token}": token for token in range(2, model.config.vocab_size)}
    tokenizer = Tokenizer(WordLevel({"<pad>": 0, "<end>": 1, **words}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    random = np.random.default_rng(1)
    lines = random.integers(10, model.config.vocab_size, (EXAMPLES, asked.prompt))
    turns = Turns(asked.warm, asked.steps)

    def reward(completion_ids: list[list[int]], **_: object) -> list[float]:
        """Of no meaning, and different within a group."""
        if [len(ids) for ids in completion_ids] != [asked.tokens] * (asked.prompts * asked.samples):
            raise ValueError(f"{len(completion_ids)} completions are not as many or not as long as asked for")
        turns.tokens += sum(map(len, completion_ids))
        return [sum(ids) % 97 / 97 for ids in completion_ids]

    rank = asked.rank
    lora = LoraConfig(r=rank, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    several = "WORLD_SIZE" in os.environ
    vllm = asked.drawn == "vllm"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>", padding_side="left"
    )
    with tempfile.TemporaryDirectory() as folder:
        if vllm:
            # It reads both from a folder.
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            model.name_or_path = folder
        GRPOTrainer(
            model=model,
            reward_funcs=reward,
            args=GRPOConfig(
                output_dir=folder,
                use_cpu=asked.device == "cpu",
                ddp_find_unused_parameters=False if several else None,
                ddp_backend="gloo" if several else None,
                bf16=asked.precision == "bf16",
                per_device_train_batch_size=asked.prompts * asked.samples,
                num_generations=asked.samples,
                max_completion_length=asked.tokens,
                # No token ends a completion early: each has as many as it may.
                generation_kwargs={"ignore_eos": True} if vllm else {"min_new_tokens": asked.tokens},
                use_vllm=vllm,
                vllm_mode="colocate",
                vllm_max_model_length=asked.prompt + asked.tokens,
                top_k=0,
                beta=0.0,
                gradient_checkpointing=False,
                max_steps=1_000_000,
                learning_rate=1e-6,
                logging_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_dict(
                {"prompt": [" ".join(f"w{token}" for token in line) for line in lines]}
            ),
            processing_class=tokenizer,
            callbacks=[turns],
            peft_config=lora if rank > 0 else None,
        ).train()


if __name__ == "__main__":
    main()
