"""What transformers itself computes of a model's folder, to compare the engine with: a process of its own
that shares no weights and no pass with it. Each line of standard input asks, each line of standard output
answers: { folder, sequences: [[id]], rounded } → { logprobs: [[number]] }, of each sequence the log
probability of every token of the vocabulary after each of its tokens, one position after the other; or
{ error }."""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from .library import transformers, use_packages


@torch.inference_mode()
def logprobs_of(folder: str, sequences: list[list[int]], *, rounded: bool) -> list[list[float]]:
    """fp32, of weights as they lie, or rounded to bf16. Raises what the library raises."""
    model = transformers().AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation="eager",
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    model.eval()
    if rounded:
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16())
    logits = (model(input_ids=torch.tensor([one]), use_cache=False).logits[0] for one in sequences)
    return [logits_TV.float().log_softmax(-1).flatten().tolist() for logits_TV in logits]


def main() -> None:
    use_packages(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"logprobs": logprobs_of(asked["folder"], asked["sequences"], rounded=asked["rounded"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
