"""transformers' `generate` on rows of random prompts, a turn for every line of standard input. Called by
sampling.ts."""

from __future__ import annotations

import sys

import numpy as np
import torch
from asked import asked_of
from transformers import GenerationConfig, LlamaForCausalLM


def main() -> None:
    asked = asked_of(
        ("rows", "prompt", "tokens", "times"), reals=("temperature",), dtype=("bfloat16", "float32")
    )
    model = LlamaForCausalLM.from_pretrained(asked.model, dtype=getattr(torch, asked.dtype)).eval()
    model.to(asked.device)
    # No token ends a row: every row has as many as it may.
    model.generation_config.eos_token_id = None
    drawn = {"do_sample": True, "temperature": asked.temperature, "top_k": 0, "top_p": 1.0}
    settings = GenerationConfig(
        max_new_tokens=asked.tokens,
        eos_token_id=None,
        pad_token_id=0,
        **(drawn if asked.temperature > 0 else {"do_sample": False}),
    )
    shape = (asked.rows, asked.prompt)
    prompts = torch.from_numpy(np.random.default_rng(0).integers(10, model.config.vocab_size, shape))
    prompts = prompts.to(asked.device)
    print("ready", flush=True)
    for _ in sys.stdin:
        written = 0
        for _ in range(asked.times):
            with torch.inference_mode():
                attended = torch.ones_like(prompts)
                out = model.generate(prompts, attention_mask=attended, generation_config=settings)
            written += out.cpu().numel() - prompts.numel()
        print(written, flush=True)


if __name__ == "__main__":
    main()
