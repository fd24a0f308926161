"""bf16 computes with rounded weights, in the arithmetic that is faster on the processor, and
learns in fp32."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(2, [12, 17, 70, 3])
ARRAYS = packed(SEQUENCES, weights=np.full(98, 1 / 98))
SHAPES = [
    {},
    {"model_type": "qwen3", "num_key_value_heads": 1, "head_dim": 16},
    {"position_embedding_type": "learned"},
]


@pytest.fixture(params=[True, False], ids=["native", "fp32"], autouse=True)
def native(request, monkeypatch):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: request.param)
    if request.param:
        everything_is_large(monkeypatch)
    return request.param


@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_close_to_fp32(make_folder: FolderMaker, members):
    exact, rough = make_folder.trainer(**members), make_folder.trainer(precision="mixed", **members)
    assert torch.equal(exact.flat, rough.flat)
    one, expected = exact.run(ARRAYS, LOSS, "all", backward=True)
    other, out = rough.run(ARRAYS, LOSS, "all", backward=True)
    assert other["lossSum"] == pytest.approx(one["lossSum"], rel=0.02)
    assert np.abs(out["logprobs"] - expected["logprobs"]).mean() < 0.03
    assert not np.array_equal(out["logprobs"], expected["logprobs"])
    assert torch.nn.functional.cosine_similarity(exact.grad, rough.grad, dim=0) > 0.999
    for key, leaf in rough.leaves.items():
        both = exact.leaves[key].gradient.flatten(), leaf.gradient.flatten()
        assert torch.nn.functional.cosine_similarity(*both, dim=0) > 0.99, key


def test_what_layers_hand_on_is_not_rounded(make_folder: FolderMaker, native: bool):
    """In a deep model the roundings of each sum would count more than those of each product."""
    members = {"num_hidden_layers": 24, "hidden_size": 32, "intermediate_size": 48, "vocab_size": 64}
    sequences = random_sequences(3, [40] * 8, 64)
    exact = make_folder.trainer(**members)
    exact.flat.copy_(exact.flat.bfloat16())
    expected = logprobs_of(exact.snapshot(), requested(sequences))

    def apart(stream: torch.dtype) -> tuple[float, float]:
        """How far logprobs of a sampler and of training are off on average."""
        rough = make_folder.trainer(precision="mixed", **members)
        rough.architecture.decoder.stream = stream
        sampled = logprobs_of(rough.snapshot(), requested(sequences))
        arrays = packed(sequences, weights=np.ones(8 * 39))
        _, out = rough.run(arrays, LOSS, "all", backward=False)
        trained = np.concatenate([[np.nan, *row] for row in np.split(out["logprobs"], 8)])
        return tuple(float(np.nanmean(np.abs(one - expected))) for one in (sampled, trained))

    kept = apart(torch.float32)
    if not native:
        assert max(kept) < 1e-4
        return
    assert all(one < 0.5 * other for one, other in zip(kept, apart(torch.bfloat16), strict=True))


def test_it_learns_with_steps_smaller_than_its_rounding(make_folder: FolderMaker):
    trainer = make_folder.trainer(precision="mixed")
    losses = []
    for _ in range(60):
        result, _ = trainer.run(ARRAYS, LOSS, "none", backward=True)
        trainer.optim_step({"learningRate": 1e-2})
        losses.append(result["lossSum"])
    assert losses[-1] < losses[0] / 2
    weights, rounded = trainer.flat.clone(), trainer.buffer.clone()
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    trainer.optim_step({"learningRate": 1e-4, "weightDecay": 0})
    assert float((trainer.flat != weights).float().mean()) > 0.8
    assert float((trainer.buffer != rounded).float().mean()) < 0.5
    assert torch.equal(trainer.buffer.bfloat16(), trainer.flat.bfloat16())
    assert torch.equal(trainer.buffer.float(), trainer.flat.bfloat16().float())


def test_sampled_logprobs_are_close_to_recomputed_ones(make_folder: FolderMaker, native: bool):
    snapshot = make_folder.snapshot(precision="mixed", num_key_value_heads=1)
    prompts = random_sequences(1, [3, 9, 20])
    samples = sample(snapshot, rows_of(requested(prompts, samples=4, most=30), snapshot), Parameters(), None)
    owners = [prompt for prompt in prompts for _ in range(4)]
    whole = [[*prompt, *tokens] for prompt, tokens in zip(owners, samples.tokens, strict=True)]
    recomputed = logprobs_of(snapshot, requested(whole))
    start, gaps = 0, []
    for prompt, line, sampled in zip(owners, whole, samples.logprobs, strict=True):
        gaps.append(recomputed[start + len(prompt) : start + len(line)] - sampled)
        start += len(line)
    assert np.abs(np.concatenate(gaps)).mean() < (0.03 if native else 1e-5)
