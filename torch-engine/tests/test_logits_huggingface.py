"""Logits and gradients equal those of Hugging Face transformers for the architectures that the engine
names."""

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

from support.data import packed, random_sequences
from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.packing import Packing
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

SHAPE = {
    "vocab_size": 31,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64}
CASES = {
    "llama": LlamaConfig(**SHAPE),
    "llama, grouped queries": LlamaConfig(**{**SHAPE, "num_key_value_heads": 2}),
    "llama, one key head, wide heads": LlamaConfig(**{**SHAPE, "num_key_value_heads": 1, "head_dim": 12}),
    "llama, tied": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "llama, biases": LlamaConfig(**SHAPE, attention_bias=True),
    "llama, another base": LlamaConfig(
        **SHAPE, rope_parameters={"rope_type": "default", "rope_theta": 500.0}
    ),
    "llama3 scaling": LlamaConfig(**SHAPE, rope_parameters=LLAMA3),
    "linear scaling": LlamaConfig(
        **SHAPE, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    ),
    "yarn scaling": Qwen2Config(**SHAPE, rope_parameters=YARN),
    "yarn scaling, its ramp and magnitude": LlamaConfig(
        **SHAPE,
        rope_parameters={**YARN, "beta_fast": 8, "mscale": 0.7, "mscale_all_dim": 0.4, "truncate": False},
    ),
    "yarn scaling, no ramp": LlamaConfig(
        **SHAPE, rope_parameters={**YARN, "original_max_position_embeddings": 4, "attention_factor": 1.3}
    ),
    "dynamic scaling, as far as it goes": LlamaConfig(
        **SHAPE, rope_parameters={"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    ),
    "mistral": MistralConfig(**{**SHAPE, "num_key_value_heads": 2}, sliding_window=None, head_dim=8),
    "mistral, window": MistralConfig(**SHAPE, sliding_window=100),
    "qwen2": Qwen2Config(**{**SHAPE, "num_key_value_heads": 2}),
    "qwen2, tied": Qwen2Config(**SHAPE, tie_word_embeddings=True),
    "qwen3": Qwen3Config(**{**SHAPE, "num_key_value_heads": 2}, head_dim=16),
    "smollm3": SmolLM3Config(
        **{**SHAPE, "num_hidden_layers": 5, "num_key_value_heads": 2}, pad_token_id=None
    ),
    "smollm3, biases, untied": SmolLM3Config(
        **SHAPE,
        no_rope_layers=[0, 1, 0],
        attention_bias=True,
        tie_word_embeddings=False,
        pad_token_id=None,
    ),
    "qwen3, biases": Qwen3Config(**SHAPE, head_dim=8, attention_bias=True),
}
LENGTHS = [3, 14, 15, 16, 17, 40, 64, 70]


@pytest.fixture(params=CASES, scope="module")
def twins(request, tmp_path_factory):
    """A model of transformers, every parameter drawn at random, and the engine's reading of what it saved."""
    torch.manual_seed(7)
    theirs = (
        AutoModelForCausalLM.from_config(CASES[request.param], attn_implementation="eager").float().eval()
    )
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.normal_(1 if "norm" in name else 0, 0.2)
    folder = tmp_path_factory.mktemp("twins")
    theirs.save_pretrained(folder)
    return theirs, Trainer(read_model({"kind": "folder", "path": str(folder)}, "fp32"))


def test_logits(twins):
    theirs, trainer = twins
    architecture = trainer.architecture
    sequences = random_sequences(0, LENGTHS, 31)
    with torch.no_grad():
        hidden = architecture.decoder.hidden(
            trainer.leaves, torch.tensor(np.concatenate(sequences)), Packing(np.array(LENGTHS))
        )
        ours = architecture.decoder.logits(trainer.leaves, hidden).split(LENGTHS)
        for sequence, logits in zip(sequences, ours, strict=True):
            expected = theirs(torch.tensor([sequence])).logits[0]
            assert (logits - expected).abs().max() < 1e-5 * max(1, expected.abs().max())


def test_gradients(twins):
    theirs, trainer = twins
    sequences = random_sequences(1, LENGTHS, 31)
    weights = torch.rand(sum(LENGTHS) - len(LENGTHS)).sub(0.3)
    weights[::3] = 0
    trainer.run(packed(sequences, weights=weights), {"name": "cross_entropy"}, "none", backward=True)
    theirs.zero_grad()
    rest = weights
    for sequence in sequences:
        logprobs = theirs(torch.tensor([sequence[:-1]])).logits[0].log_softmax(-1)
        chosen = logprobs[torch.arange(len(sequence) - 1), sequence[1:]]
        (-(rest[: len(chosen)] * chosen).sum()).backward()
        rest = rest[len(chosen) :]
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    ours = tensors_of(trainer.architecture.slots, trainer.grad)
    assert set(ours) == set(expected)
    for name, gradient in ours.items():
        assert (gradient - expected[name]).abs().max() < 2e-5 * max(1, expected[name].abs().max()), name
    trainer.grad.zero_()
