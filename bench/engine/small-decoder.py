"""The engine against plain PyTorch and transformers, on a small decoder that reverses digit strings: the same
model, data, precision and optimiser, one thread, in one process and in turns. Prints JSON: tokens a CPU
second. Called by engine.ts, which knows where the packages are."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GenerationConfig, LlamaForCausalLM

from whetstone_engine.choice import Parameters
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler
from whetstone_engine.snapshot import Snapshot
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

EQUALS, BEGIN, END, VOCABULARY = 10, 11, 12, 13
WIDTH, HIDDEN, LAYERS, HEADS = 64, 168, 3, 2
STEP = {"learningRate": 1e-3, "beta2": 0.98, "gradientClipNorm": 1.0}
RANDOM = np.random.default_rng(0)
Batch = dict[str, np.ndarray]


def config(positions: str) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "position_embedding_type": positions,
    }


def prompt(length: int) -> np.ndarray:
    return np.concatenate(([BEGIN], RANDOM.integers(0, 10, length), [EQUALS]))


def batch(shortest: int, longest: int, rows: int = 64) -> Batch:
    """Strings and their reverses; the loss is on the answers."""
    lines, weights = [], []
    for length in RANDOM.integers(shortest, longest + 1, rows):
        asked = prompt(length)
        lines.append(np.concatenate((asked, asked[-2:0:-1], [END])))
        weights.append(np.arange(2 * length + 2) > length)
    answers = np.concatenate(weights).astype(np.float32)
    return {
        "lengths": np.array([len(line) - 1 for line in lines], np.int32),
        "tokens": np.concatenate([line[:-1] for line in lines]).astype(np.int32),
        "targets": np.concatenate([line[1:] for line in lines]).astype(np.int32),
        "weights": answers / answers.sum(),
    }


class PlainLayer(nn.Module):
    """A decoder layer as one writes it: separate projections, PyTorch's attention and norms."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.RMSNorm(WIDTH, eps=1e-5) for _ in range(2))
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(WIDTH, HIDDEN, bias=False) for _ in range(2))
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns, _ = x.shape
        h = self.norms[0](x)
        q, k, v = (
            part(h).view(rows, columns, HEADS, -1).transpose(1, 2) for part in (self.q, self.k, self.v)
        )
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(attended.transpose(1, 2).reshape(rows, columns, WIDTH))
        h = self.norms[1](x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Plain(nn.Module):
    """Without positions; the head is evaluated only where the loss is."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.Sequential(*[PlainLayer() for _ in range(LAYERS)])
        self.norm = nn.RMSNorm(WIDTH, eps=1e-5)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens: Tensor, counted: Tensor) -> Tensor:
        return self.head(self.norm(self.layers(self.embed(tokens))[counted]))


def padded_trainer(model: nn.Module, logits: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Batch], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)

    def step(arrays: Batch) -> None:
        lengths = arrays["lengths"]
        real = np.arange(lengths.max())[None] < lengths[:, None]
        tokens, targets = np.zeros(real.shape, np.int64), np.zeros(real.shape, np.int64)
        weights = np.zeros(real.shape, np.float32)
        tokens[real], targets[real], weights[real] = arrays["tokens"], arrays["targets"], arrays["weights"]
        counted = torch.from_numpy(weights != 0)
        losses = F.cross_entropy(
            logits(torch.from_numpy(tokens), counted), torch.from_numpy(targets)[counted], reduction="none"
        )
        optimizer.zero_grad()
        (losses * torch.from_numpy(weights)[counted]).sum().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def engine_trainer(trainer: Trainer) -> Callable[[Batch], None]:
    def step(arrays: Batch) -> None:
        trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=True)
        trainer.optim_step(STEP)

    return step


def new_trainer(folder: Path, positions: str) -> Trainer:
    path = folder / positions
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config(positions)))
    return Trainer(read_model({"kind": "folder", "path": str(path), "seed": 1}, "fp32"))


def in_turns(arms: dict[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """The best of several rounds, in which each arm has its turn; an arm returns how many tokens it did."""
    best = dict.fromkeys(arms, 0.0)
    for _ in range(rounds):
        for name, run in arms.items():
            begun = time.process_time()
            tokens = run()
            best[name] = max(best[name], tokens / (time.process_time() - begun))
    return best


def training(other: str, theirs: Callable, ours: Callable, lengths: tuple[int, int]) -> dict[str, object]:
    batches = [batch(*lengths) for _ in range(15)]
    tokens = sum(int(arrays["lengths"].sum()) for arrays in batches)

    def arm(step: Callable[[Batch], None]) -> Callable[[], int]:
        return lambda: [step(arrays) for arrays in batches] and tokens

    best = in_turns({"other": arm(theirs), "engine": arm(ours)}, 6)
    return {"case": f"training, lengths {lengths[0]} to {lengths[1]}", "against": other, **best}


def decoding(
    model: LlamaForCausalLM, snapshot: Snapshot, rows: int, length: int, heat: float
) -> dict[str, object]:
    prompts = np.stack([prompt(length) for _ in range(rows)])
    asked = {
        "lengths": np.full(rows, length + 2, np.int32),
        "tokens": prompts.reshape(-1).astype(np.int32),
        "samples": np.ones(rows, np.int32),
        "maxTokens": np.full(rows, length + 1, np.int32),
        "seeds": np.arange(rows, dtype=np.int64),
    }
    drawn = {"do_sample": True, "temperature": heat, "top_k": 0} if heat else {"do_sample": False}
    settings = GenerationConfig(max_new_tokens=length + 1, eos_token_id=END, pad_token_id=EQUALS, **drawn)

    @torch.inference_mode()
    def theirs() -> int:
        tokens = torch.from_numpy(prompts)
        out = model.generate(tokens, attention_mask=torch.ones_like(tokens), generation_config=settings)
        # What follows an end is padding.
        answers = out[:, length + 2 :]
        return int(((answers == END).cumsum(1) - (answers == END).int() == 0).sum())

    def ours() -> int:
        request = Request(asked, [Parameters(temperature=heat, stop_tokens=(END,))], snapshot)
        sampler = Sampler(snapshot, None)
        sampler.enqueue([request])
        while sampler.busy:
            sampler.step()
        return sum(len(row.tokens) for row in request.rows)

    best = in_turns({"other": theirs, "engine": ours}, max(3, 1000 // rows))
    how = f"at temperature {heat:g}" if heat else "greedily"
    return {"case": f"decoding {rows} of length {length} {how}", "against": "transformers generate", **best}


def main() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = Plain()
        plainly, freely = padded_trainer(plain, plain), engine_trainer(new_trainer(folder, "none"))
        results = [
            training("plain PyTorch", plainly, freely, lengths) for lengths in ((1, 8), (1, 16), (9, 16))
        ]
        rotary = new_trainer(folder, "rotary")
        step = engine_trainer(rotary)
        for _ in range(300):
            step(batch(1, 8))
        rotary.save(str(folder / "trained"), optimizer=False)
        model = LlamaForCausalLM.from_pretrained(folder / "trained", dtype=torch.float32)

        def logits(tokens: Tensor, counted: Tensor) -> Tensor:
            return model.lm_head(model.model(tokens, use_cache=False).last_hidden_state[counted])

        snapshot = Trainer(
            read_model({"kind": "checkpoint", "path": str(folder / "trained"), "optimizer": False}, "fp32")
        ).snapshot()
        cases = [(64, 8, 0.0), (256, 8, 0.0), (2048, 8, 0.0), (64, 16, 1.0), (256, 16, 1.0), (2048, 16, 1.0)]
        results += [decoding(model, snapshot, *case) for case in cases]
        results.append(training("transformers", padded_trainer(model, logits), step, (1, 8)))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
