"""What every reference of the bench begins with: a tiny decoder, in fp32 and without dropout, whose weights
the first script to need them draws; how a trainer is set; and how a reference is written. Used by the scripts
beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from transformers.utils import logging

FIXTURES = Path(__file__).parent.parent / "fixtures"
START = FIXTURES / "start"
VOCABULARY = 12
PAD, END = 0, 1
LONGEST, RATE = 6, 0.02
"""Tokens of a response, and the learning rate."""

logging.set_verbosity_error()
torch.set_num_threads(1)


def start_model() -> LlamaForCausalLM:
    """The weights that every step begins with, fp32."""
    if not START.exists():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=4,
            max_position_embeddings=32,
            # Far from uniform, so that ratios and logprobs are not all alike.
            initializer_range=0.4,
            tie_word_embeddings=False,
            bos_token_id=None,
            eos_token_id=END,
            pad_token_id=PAD,
        )
        LlamaForCausalLM(config).float().save_pretrained(START)
    return LlamaForCausalLM.from_pretrained(START, dtype=torch.float32)


def tokenizer() -> PreTrainedTokenizerFast:
    """`w5` is the token 5: trainers want texts, and these stand for token ids one by one."""
    words = {f"w{token}": token for token in range(2, VOCABULARY)}
    known = Tokenizer(WordLevel({"<pad>": PAD, "<end>": END, **words}, unk_token="<pad>"))
    known.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=known, pad_token="<pad>", eos_token="<end>", padding_side="left"
    )


def line(random: np.random.Generator, length: int) -> list[int]:
    """Token ids, none of which is the end."""
    return random.integers(2, VOCABULARY, length).tolist()


def words(ids: list[int]) -> str:
    """A text that stands for token ids. The end is added by the trainer."""
    return " ".join(f"w{token}" for token in ids if token != END)


def settings(folder: str, batch: int, steps: int) -> dict:
    """What all trainers are told."""
    return {
        "output_dir": folder,
        "use_cpu": True,
        "bf16": False,
        "seed": 0,
        "per_device_train_batch_size": batch,
        "gradient_checkpointing": False,
        "max_steps": steps,
        "learning_rate": RATE,
        "max_grad_norm": 1.0,
        "disable_dropout": True,
        "logging_strategy": "no",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def adamw(model: torch.nn.Module) -> torch.optim.Optimizer:
    """As our updates step, with decay on all weights."""
    return torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)


def weights_of(model: torch.nn.Module) -> dict[str, list[float]]:
    """Every tensor, flat, each number as its shortest decimal."""
    return {
        name: [float(f"{value:.9g}") for value in tensor.flatten().tolist()]
        for name, tensor in model.state_dict().items()
    }


class Kept(TrainerCallback):
    """The weights after each optimiser step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, list[float]]] = []

    def on_step_end(self, *_: object, model: torch.nn.Module, **__: object) -> None:
        self.steps.append(weights_of(model))


def write(name: str, reference: dict) -> None:
    """One reference, a line a member."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in reference.items())
    (FIXTURES / f"{name}.json").write_text(f"{{\n{lines}\n}}\n")
