"""Weights in blocks compute what whole ones do, in bf16 and in fp32."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine import kernels
from whetstone_engine.adapters import new_adapters
from whetstone_engine.base import Bases
from whetstone_engine.choice import Parameters
from whetstone_engine.in_blocks import Blocks, GatedBlocks, light
from whetstone_engine.kernels import multiply
from whetstone_engine.linear import add_linear, linear
from whetstone_engine.precision import native_bf16, onednn_in_fp32
from whetstone_engine.trainer import Trainer

SHAPES = [
    {},
    {"tie_word_embeddings": False, "num_key_value_heads": 1},
    {"model_type": "llama", "attention_bias": True, "position_embedding_type": "learned"},
    {"model_type": "qwen3", "head_dim": 16},
]


DTYPES = [(torch.bfloat16, 0.02, 0.05), (torch.float32, 1e-5, 1e-5)]


@pytest.mark.parametrize(("dtype", "relative", "absolute"), DTYPES)
@pytest.mark.parametrize("rows", [1, 3, 64, 300])
@pytest.mark.parametrize("outputs", [1, 17, 960])
@torch.inference_mode()
def test_products_are_those_of_the_whole_weight(outputs, rows, dtype, relative, absolute):
    def of(*shape: int) -> torch.Tensor:
        return torch.randn(shape).to(dtype)

    weight, bias, x, total = of(outputs, 40), of(outputs), of(rows, 40), of(rows, outputs)
    blocks = Blocks(weight)
    for one in (None, bias):
        made, whole = linear(x, blocks, one), linear(x, weight, one)
        assert torch.allclose(made, whole, rtol=relative, atol=absolute)
        exact = total.float() + x.float() @ weight.float().t() + (0 if one is None else one.float())
        added = add_linear(total.clone(), x, blocks, one)
        assert added.dtype == dtype
        assert torch.allclose(added.float(), exact, rtol=relative, atol=absolute)


@pytest.mark.parametrize(("dtype", "relative", "absolute"), DTYPES)
@pytest.mark.parametrize("rows", [1, 3, 64, 300])
@torch.inference_mode()
def test_gates_are_lit_where_their_products_are_made(rows, dtype, relative, absolute):
    shapes = ((74, 40), (rows, 40), (rows, 74))
    weight, x, total = (torch.randn(shape).to(dtype) for shape in shapes)
    gated = GatedBlocks(weight)
    gate, up = (x.float() @ weight.float().t()).chunk(2, 1)
    lit = light(x, gated)
    assert lit.dtype == dtype

    def close(one: torch.Tensor, other: torch.Tensor) -> bool:
        return torch.allclose(one, other, rtol=relative, atol=2 * absolute)

    assert close(lit.float(), torch.nn.functional.silu(gate) * up)
    assert close(light(x, Blocks(weight)), light(x, weight))
    assert close(linear(x, gated), linear(x, weight))
    assert close(add_linear(total.clone(), x, gated), add_linear(total.clone(), x, weight))


@pytest.mark.parametrize(("precision", "many"), [("mixed", 1), ("bf16", 10_000)])
@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_samples_are_close_to_what_the_trainer_computes(
    make_folder: FolderMaker, monkeypatch, members, precision, many
):
    monkeypatch.setattr("whetstone_engine.cache.MANY", many)
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: True)
    everything_is_large(monkeypatch)
    trainer = make_folder.trainer(precision=precision, **members)
    snapshot = trainer.snapshot()
    prompts = random_sequences(1, [3, 9, 20])
    samples = sample(snapshot, rows_of(requested(prompts, most=30), snapshot), Parameters(), None)
    assert isinstance(snapshot.weights["0.qkv"], Blocks)
    assert isinstance(snapshot.weights["0.gate_up"], GatedBlocks)
    assert isinstance(snapshot.weights["head"], Blocks)
    whole = [[*prompt, *tokens] for prompt, tokens in zip(prompts, samples.tokens, strict=True)]
    asked = requested(whole)
    here, there = logprobs_of(snapshot, asked), logprobs_of(trainer.snapshot(), asked)
    # The first token of a line has none.
    assert np.nanmean(np.abs(here - there)) < 0.03
    ends = np.cumsum([len(line) for line in whole])
    for end, logprobs in zip(ends, samples.logprobs, strict=True):
        assert np.abs(logprobs - there[end - len(logprobs) : end]).mean() < 0.05


@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_in_fp32_samples_are_what_the_trainer_computes(make_folder: FolderMaker, monkeypatch, members):
    everything_is_large(monkeypatch, blocks=True)
    trainer = make_folder.trainer(**members)
    snapshot = trainer.snapshot()
    prompts = random_sequences(1, [3, 9, 20])
    samples = sample(snapshot, rows_of(requested(prompts, most=30), snapshot), Parameters(), None)
    assert isinstance(snapshot.weights["head"], Blocks)
    whole = requested([[*prompt, *tokens] for prompt, tokens in zip(prompts, samples.tokens, strict=True)])
    here, there = logprobs_of(snapshot, whole), logprobs_of(trainer.snapshot(), whole)
    assert np.allclose(here, there, atol=1e-4, equal_nan=True)
    everything_is_large(monkeypatch)
    plain = logprobs_of(trainer.snapshot(), whole)
    assert np.allclose(here, plain, atol=1e-4, equal_nan=True)
    lengths = [len(prompt) + len(tokens) for prompt, tokens in zip(prompts, samples.tokens, strict=True)]
    for end, logprobs in zip(np.cumsum(lengths), samples.logprobs, strict=True):
        assert np.allclose(logprobs, plain[end - len(logprobs) : end], atol=1e-4)


@pytest.mark.parametrize("frozen", [False, True])
def test_either_library_multiplies_to_the_same_gradients(monkeypatch, frozen):
    weight, x, grad = torch.randn(96, 64), torch.randn(50, 64), torch.randn(50, 96)

    def gradients() -> tuple[torch.Tensor, ...]:
        wanted_x, wanted_weight = x.clone().requires_grad_(), weight.clone().requires_grad_(not frozen)
        wanted_weight.gradient = None if frozen else torch.zeros_like(weight)
        wanted_weight.turn = nullcontext()
        out = multiply(wanted_x, wanted_weight)
        out.backward(grad)
        assert wanted_x.grad is not None
        return out.detach(), wanted_x.grad, *(() if frozen else (wanted_weight.gradient,))

    monkeypatch.setattr(kernels, "WIDE", 0)
    made = []
    for faster in (False, True):
        monkeypatch.setattr(kernels, "onednn_in_fp32", lambda faster=faster: faster)
        made.append(gradients())
    exact = (x @ weight.t(), grad @ weight, grad.t() @ x)
    for one, other, third in zip(*made, exact, strict=not frozen):
        assert torch.allclose(one, third, atol=1e-4)
        assert torch.allclose(other, third, atol=1e-4)


@pytest.mark.parametrize(
    ("maker", "vectors", "blocks"),
    [("AuthenticAMD", True, True), ("AuthenticAMD", False, False), ("GenuineIntel", True, False)],
)
def test_where_fp32_is_faster_in_blocks(monkeypatch, maker, vectors, blocks):
    monkeypatch.setattr("whetstone_engine.precision._made_by_amd", lambda: maker == "AuthenticAMD")
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: vectors)
    assert onednn_in_fp32() is blocks


def test_adapters_sample_over_one_base_in_blocks(make_folder: FolderMaker, monkeypatch):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: True)
    everything_is_large(monkeypatch)
    bases, folder = Bases(), make_folder()
    source = {"kind": "folder", "path": str(folder), "seed": 1}
    one, other = (Trainer(new_adapters(source, {"rank": 2, "seed": seed}, "mixed", bases)) for seed in (1, 2))
    for trainer in (one, other):
        trainer.buffer.normal_(0, 0.3)
    snapshots = [one.snapshot(), other.snapshot()]
    asked = requested(random_sequences(1, [12, 5]))
    before = [logprobs_of(snapshot, asked) for snapshot in snapshots]
    for snapshot in snapshots:
        snapshot.lay_out()
    blocks = [snapshot.weights["0.qkv"].base for snapshot in snapshots]
    assert isinstance(blocks[0], Blocks)
    assert blocks[0] is blocks[1]
    after = [logprobs_of(snapshot, asked) for snapshot in snapshots]
    for was, now in zip(before, after, strict=True):
        assert np.nanmean(np.abs(was - now)) < 0.03
    assert np.nanmean(np.abs(after[0] - after[1])) > 0.1
    base = one.model.frame.base
    assert base.bytes() > sum(part.nbytes for part in base.plain().values()) / 2


@pytest.mark.parametrize("precision", ["mixed", "fp32"])
def test_a_snapshot_in_blocks_is_its_own_when_its_trainer_steps(
    make_folder: FolderMaker, monkeypatch, precision
):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: True)
    everything_is_large(monkeypatch, blocks=True)
    trainer = make_folder.trainer(precision=precision)
    snapshot = trainer.snapshot()
    snapshot.lay_out()
    assert isinstance(snapshot.weights["0.qkv"], Blocks)
    asked = requested(random_sequences(1, [12]))
    before = logprobs_of(snapshot, asked)
    trainer.buffer.zero_()
    assert np.array_equal(logprobs_of(snapshot, asked), before, equal_nan=True)


@pytest.mark.parametrize(
    ("maker", "vectors", "tiles", "native"),
    [
        ("AuthenticAMD", True, False, True),
        ("AuthenticAMD", False, False, False),
        ("GenuineIntel", True, False, False),
        ("GenuineIntel", True, True, True),
    ],
)
def test_which_processors_are_faster_in_bf16(monkeypatch, maker, vectors, tiles, native):
    monkeypatch.setattr("whetstone_engine.precision._made_by_amd", lambda: maker == "AuthenticAMD")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert native_bf16() is native


@pytest.mark.parametrize(
    ("native", "large", "told"), [(True, True, "bf16"), (True, False, "fp32"), (False, True, "fp32")]
)
def test_each_model_says_what_it_computes_in(make_folder: FolderMaker, monkeypatch, native, large, told):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: native)
    if large:
        everything_is_large(monkeypatch)
    for precision in ("mixed", "bf16"):
        assert make_folder.trainer(precision=precision).model.facts()["arithmetic"] == told
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    assert new_adapters(source, {"rank": 2}, "mixed", Bases()).facts()["arithmetic"] == told
    assert make_folder.trainer().model.facts()["arithmetic"] == "fp32"
