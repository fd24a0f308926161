"""Models of the plain path, made on the spot by transformers with every parameter drawn at random."""

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from support.data import packed, random_sequences
from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

VOCABULARY = 31
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
EXPERTS = {
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "moe_num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_k": 2,
    "first_k_dense_replace": 1,
    "n_group": 1,
    "topk_group": 1,
}
LATENT = {
    "num_key_value_heads": 4,
    "q_lora_rank": 8,
    "kv_lora_rank": 8,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 4,
    "v_head_dim": 8,
}
GEMMA = {"head_dim": 8, "sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
"""Every second layer sees four tokens: sequences and samples go beyond."""
OWN = {
    "codegen": {"rotary_dim": 4},
    "deepseek_v2": {**EXPERTS, **LATENT},
    "deepseek_v3": {**EXPERTS, **LATENT},
    "ernie4_5_moe": EXPERTS,
    "exaone4": {"sliding_window": 4},
    "flex_olmo": EXPERTS,
    "gemma": {"head_dim": 8},
    "gemma2": GEMMA,
    "gemma3_text": GEMMA,
    "glm": {"head_dim": 8},
    "glm4": {"head_dim": 8},
    "glm4_moe": {**EXPERTS, "head_dim": 8},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 4},
    "gpt_oss": {**EXPERTS, "head_dim": 8},
    "gptj": {"rotary_dim": 4},
    "granitemoe": EXPERTS,
    "helium": {"head_dim": 8},
    "hunyuan_v1_dense": {"head_dim": 8},
    "ministral": {"head_dim": 8},
    "ministral3": {"head_dim": 8},
    "mixtral": EXPERTS,
    "olmo_hybrid": {"layer_types": ["linear_attention", "full_attention"]},
    "olmoe": EXPERTS,
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32, "dropout": 0.3},
    "phimoe": EXPERTS,
    "qwen2_moe": EXPERTS,
    "qwen3_moe": {**EXPERTS, "head_dim": 8},
    "seed_oss": {"head_dim": 8},
    "vaultgemma": GEMMA,
    "xglm": {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48},
}
LENGTHS = [3, 16, 17, 40]


def config_of(kind: str):
    return AutoConfig.for_model(kind, **{**SHAPE, **OWN.get(kind, {})})


def saved(config, folder):
    """A model with every parameter drawn, in evaluation, and the folder that it saved."""
    torch.manual_seed(7)
    theirs = AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.normal_(1 if "norm" in name and name.endswith("weight") else 0, 0.2)
    theirs.save_pretrained(folder)
    return theirs


def trainer_of(folder, precision="fp32", kind="folder", **options) -> Trainer:
    return Trainer(read_model({"kind": kind, "path": str(folder), **options}, precision))


def their_logprobs(theirs, sequences) -> torch.Tensor:
    """Of each token given those before it, one sequence at a time, end to end."""
    parts = []
    for sequence in sequences:
        logprobs = theirs(torch.tensor([sequence[:-1]])).logits[0].log_softmax(-1)
        parts.append(logprobs[torch.arange(len(sequence) - 1), sequence[1:]])
    return torch.cat(parts)


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: one.clone() for name, one in tensors_of(trainer.architecture.slots, trainer.grad).items()}


def step(trainer: Trainer) -> None:
    arrays = packed(random_sequences(3, LENGTHS, VOCABULARY), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=True)
    trainer.optim_step({"learningRate": 1e-2})
