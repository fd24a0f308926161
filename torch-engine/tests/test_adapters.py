"""Adapters over a frozen base: their gradients, their independence of each other, the memory they share."""

import gc
import weakref

import numpy as np
import pytest
import torch

from support import reference
from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine.adapters import AdapterModel, Adapters, new_adapters
from whetstone_engine.base import Bases
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.in_lanes import few_of
from whetstone_engine.lora import MODULES, DecoderLinears, Lora, Wanted
from whetstone_engine.snapshot import Snapshot
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(2, [9, 4, 30, 12, 17])
WEIGHTS = np.random.default_rng(0).normal(size=67)
ARRAYS = packed(SEQUENCES, weights=WEIGHTS)
SHAPES = [
    {},
    {"model_type": "qwen2", "num_key_value_heads": 1},
    {"model_type": "qwen3", "num_key_value_heads": 1, "head_dim": 12, "tie_word_embeddings": True},
    {"attention_bias": True, "position_embedding_type": "learned"},
]
ALL = ["attention", "mlp", "unembed"]


class Maker:
    """Adapters over one folder, some steps of noise away from doing nothing."""

    def __init__(self, folder, precision="fp32") -> None:
        self.source, self.precision, self.bases = (
            {"kind": "folder", "path": str(folder), "seed": 1},
            precision,
            Bases(),
        )

    def model(self, *, moved=True, **lora) -> AdapterModel:
        model = new_adapters(self.source, {"rank": 3, **lora}, self.precision, self.bases)
        if moved:
            generator = torch.Generator().manual_seed(lora.get("seed", 0))
            model.flat.add_(torch.empty_like(model.flat).normal_(0, 0.05, generator=generator))
        return model

    def trainer(self, *, recompute=False, **lora) -> Trainer:
        return Trainer(self.model(**lora), recompute=recompute)


def adapted(trainer: Trainer) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The reference's weights, double precision, with the adapters in them; and the adapters as leaves."""
    frame: AdapterModel = trainer.model.frame
    base = frame.base.plain()
    architecture = trainer.architecture
    flat = torch.empty(architecture.size)
    for key, view in architecture.leaves(flat).items():
        view.copy_(base[key])
    weights = reference.named(architecture, flat)
    if architecture.config.tied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    leaves = {}
    for name, tensor in frame.files(trainer.flat)["adapter_model.safetensors"].items():
        leaves[name] = tensor.double().clone().requires_grad_()
    for name in list(leaves):
        if name.endswith("lora_A.weight"):
            part = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            up = leaves[name.replace("lora_A", "lora_B")]
            weights[f"{part}.weight"] = weights[f"{part}.weight"] + frame.lora.scale * up @ leaves[name]
    return weights, leaves


def reference_logprobs(trainer: Trainer, weights) -> torch.Tensor:
    config = trainer.architecture.config
    if config.tied:
        from dataclasses import replace

        config = replace(config, tied=False)
    return torch.cat([reference.logprobs(config, weights, line[:-1], line[1:]) for line in SEQUENCES])


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("modules", [ALL, ["attention"], ["mlp"], ["unembed"]], ids=str)
@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_gradients_are_those_of_the_product_added_to_the_weight(make_folder, members, modules, recompute):
    trainer = Maker(make_folder(**members)).trainer(modules=modules, recompute=recompute)
    result, out = trainer.run(ARRAYS, LOSS, "all", backward=True)
    weights, leaves = adapted(trainer)
    logprobs = reference_logprobs(trainer, weights)
    value = -(torch.tensor(WEIGHTS) * logprobs).sum()
    value.backward()
    assert result["lossSum"] == pytest.approx(float(value.detach()), rel=1e-4, abs=1e-4)
    assert np.abs(out["logprobs"] - logprobs.detach().numpy()).max() < 2e-5
    gradients = trainer.frame.files(trainer.grad)["adapter_model.safetensors"]
    assert set(gradients) == set(leaves)
    for name, gradient in gradients.items():
        assert float(gradient.abs().max()) > 0, name
        assert torch.allclose(gradient.double(), leaves[name].grad, atol=1e-4, rtol=1e-3), name


def test_gradients_are_the_slopes_that_finite_differences_see(make_folder: FolderMaker):
    trainer = Maker(make_folder(num_key_value_heads=1)).trainer(modules=ALL)
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    frame = trainer.model.frame
    generator, step = torch.Generator().manual_seed(3), 1e-6

    def loss_at(name, way, distance):
        weights, leaves = adapted(trainer)
        part = name.removeprefix("base_model.model.").rsplit(".lora_", 1)[0]
        down, up = (leaves[f"base_model.model.{part}.lora_{one}.weight"].detach() for one in "AB")
        before = frame.lora.scale * up @ down
        if name.endswith("lora_A.weight"):
            down = down + distance * way
        else:
            up = up + distance * way
        weights[f"{part}.weight"] = weights[f"{part}.weight"].detach() - before + frame.lora.scale * up @ down
        with torch.no_grad():
            return float(-(torch.tensor(WEIGHTS) * reference_logprobs(trainer, weights)).sum())

    for name, gradient in frame.files(trainer.grad)["adapter_model.safetensors"].items():
        if ".layers.1." in name:
            continue
        way = torch.randn(gradient.shape, generator=generator).double()
        slope = (loss_at(name, way, step) - loss_at(name, way, -step)) / (2 * step)
        ours = float((gradient * way).sum())
        assert ours == pytest.approx(slope, rel=2e-3, abs=2e-4), name
        if abs(slope) > 2e-3:
            assert -ours != pytest.approx(slope, rel=2e-3, abs=2e-4), name


def test_new_adapters_do_nothing_and_are_drawn_from_their_seed(make_folder: FolderMaker):
    folder = make_folder()
    maker = Maker(folder)
    one, same, other = (maker.trainer(moved=False, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.flat, same.flat)
    assert not torch.equal(one.flat, other.flat)
    _, out = one.run(ARRAYS, LOSS, "all", backward=False)
    bare = make_folder.trainer()
    assert np.array_equal(out["logprobs"], bare.run(ARRAYS, LOSS, "all", backward=False)[1]["logprobs"])
    leaves = one.frame.files(one.flat)["adapter_model.safetensors"]
    assert all((float(leaf.abs().max()) == 0) == ("lora_B" in name) for name, leaf in leaves.items())
    first = leaves["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"]
    assert 0.2 < float(first.abs().max()) <= 16**-0.5


def test_what_is_trained_is_small_and_the_base_stays_as_it_is(make_folder: FolderMaker):
    trainer = Maker(make_folder()).trainer(modules=ALL)
    frame = trainer.model.frame
    before = {key: weight.clone() for key, weight in frame.base.plain().items()}
    rank, layers, width, hidden, vocabulary = 3, 2, 16, 24, 11
    assert trainer.flat.numel() == rank * (
        layers * (4 * 2 * width + 3 * (width + hidden)) + width + vocabulary
    )
    for buffer in (trainer.grad, trainer.moments.first, trainer.moments.second, trainer.buffer):
        assert buffer.numel() == trainer.flat.numel()
    for _ in range(3):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
        trainer.optim_step({"learningRate": 0.1})
    for key, weight in frame.base.plain().items():
        assert torch.equal(weight, before[key])
        assert weight.grad is None


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
def test_adapters_of_one_base_share_its_memory(make_folder: FolderMaker, precision):
    maker = Maker(make_folder(hidden_size=64, intermediate_size=128), precision)
    trainers = [maker.trainer(seed=seed) for seed in range(4)]
    bases = {id(trainer.model.frame.base) for trainer in trainers}
    assert len(bases) == len(maker.bases) == 1
    base = trainers[0].model.frame.base
    bytes_each = trainers[0].architecture.size * (2 if precision == "bf16" else 4)
    assert base.bytes() == bytes_each
    lowest = {trainer.weights["embed"].untyped_storage().data_ptr() for trainer in trainers}
    lowest |= {trainer.weights["0.qkv"].base.untyped_storage().data_ptr() for trainer in trainers}
    assert len(lowest) == 1
    # Another precision is another base, and what nobody holds any more is gone.
    other = Maker(maker.source["path"], "fp32" if precision != "fp32" else "mixed")
    other.bases = maker.bases
    kept = other.trainer()
    assert len(maker.bases) == 2
    del kept, trainers, base
    gc.collect()
    assert len(maker.bases) == 0


def test_a_base_keeps_no_weights_but_those_that_are_computed_with(make_folder: FolderMaker, monkeypatch):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: True)
    monkeypatch.setattr("whetstone_engine.weights.LARGE", 0)
    read = []

    def watched(source, precision):
        model = read_model(source, precision)
        read.append(weakref.ref(model))
        return model

    monkeypatch.setattr("whetstone_engine.base.read_model", watched)
    # In fp32 as it is read, in bf16 as it is computed with.
    trainer = Maker(make_folder(), "mixed").trainer()
    assert trainer.architecture.dtype == torch.bfloat16
    gc.collect()
    assert [model() for model in read] == [None]


def test_adapters_that_take_turns_do_not_touch_each_other(make_folder: FolderMaker):
    folder = make_folder()

    def learn(trainer, step, offset):
        data = packed(random_sequences(100 * offset + step, [9, 14]), weights=np.full(21, 0.2))
        trainer.run(data, LOSS, "none", backward=True)
        trainer.optim_step({"learningRate": 1e-2})

    alone = []
    for seed in (1, 2):
        trainer = Maker(folder).trainer(seed=seed)
        for step in range(5):
            learn(trainer, step, seed)
        alone.append(trainer)
    maker = Maker(folder)
    together = [maker.trainer(seed=seed) for seed in (1, 2)]
    for step in range(5):
        for seed, trainer in zip((1, 2), together, strict=True):
            learn(trainer, step, seed)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.flat, other.flat)
        assert torch.equal(one.moments.second, other.moments.second)
    assert not torch.equal(together[0].flat, together[1].flat)


def test_two_calls_and_a_step_are_one_call_on_both(make_folder: FolderMaker):
    maker = Maker(make_folder())
    one, two = maker.trainer(), maker.trainer()
    one.run(ARRAYS, LOSS, "none", backward=True)
    two.run(packed(SEQUENCES[:2], weights=WEIGHTS[:11]), LOSS, "none", backward=True)
    two.run(packed(SEQUENCES[2:], weights=WEIGHTS[11:]), LOSS, "none", backward=True)
    assert torch.allclose(one.grad, two.grad, atol=1e-5, rtol=1e-4)
    for trainer in (one, two):
        trainer.optim_step({"learningRate": 0.1, "optimizer": "sgd"})
    assert torch.allclose(one.flat, two.flat, atol=1e-5)


@pytest.mark.parametrize("large", [False, True], ids=["whole", "in lanes"])
@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
@pytest.mark.parametrize("members", [{}, {"tie_word_embeddings": True, "model_type": "qwen2"}], ids=str)
def test_samples_have_the_trainers_logprobs(make_folder: FolderMaker, monkeypatch, members, precision, large):
    if large:
        everything_is_large(monkeypatch)
    trainer = Maker(make_folder(**members), precision).trainer(modules=ALL)
    snapshot = trainer.snapshot()
    prompts = random_sequences(1, [3, 9, 20])
    samples = sample(snapshot, rows_of(requested(prompts, samples=3, most=20), snapshot), Parameters(), None)
    assert snapshot.laid_out == (precision == "bf16")
    written_out = few_of(snapshot.weights, len(samples.tokens)) is not None
    assert written_out == (large and members == {})
    lines = [
        [*prompt, *tokens]
        for prompt, tokens in zip(
            [prompt for prompt in prompts for _ in range(3)], samples.tokens, strict=True
        )
    ]
    arrays = packed(lines, weights=np.ones(sum(map(len, lines)) - len(lines)))
    _, out = trainer.run(arrays, LOSS, "all", backward=False)
    start = 0
    for line, tokens, sampled in zip(lines, samples.tokens, samples.logprobs, strict=True):
        end = start + len(line) - 1
        assert np.abs(out["logprobs"][end - len(tokens) : end] - sampled).max() < 1e-4
        start = end
    whole = logprobs_of(snapshot, requested(lines))
    assert np.abs(whole[~np.isnan(whole)] - out["logprobs"]).max() < 1e-4


@pytest.mark.parametrize(
    "linears",
    [(), ("o_proj", "down_proj"), ("q_proj", "v_proj", "up_proj"), (*MODULES["attention"], *MODULES["mlp"])],
    ids=str,
)
def test_a_written_out_pass_adds_what_adapters_do_layer_by_layer(
    make_folder: FolderMaker, monkeypatch, linears
):
    everything_is_large(monkeypatch)
    maker = Maker(make_folder())
    base = maker.model().frame.base
    frame = Adapters(base, Lora(3, 8, linears))
    weights = Snapshot(frame, torch.empty(frame.size).normal_(0, 0.3), 0).weights
    plain = Snapshot(Adapters(base, Lora(1, 1, ())), torch.empty(0), 0).weights
    decoder, config = base.architecture.decoder, base.architecture.config
    tokens_N, positions_N = torch.arange(9), torch.arange(9) * 3

    def attend(_layer, heads_NHd):
        """Of no meaning, and of all heads."""
        return (heads_NHd[:, : config.heads] + heads_NHd.sum(1, keepdim=True)).flatten(1)

    with torch.inference_mode():
        together, bare = (decoder.run(one, tokens_N, positions_N, attend) for one in (weights, plain))
        for one in (weights, plain):
            assert few_of(one, 9) is not None
            monkeypatch.setattr(one, "few", None)
        apart = decoder.run(weights, tokens_N, positions_N, attend)
        assert torch.allclose(together, apart, atol=1e-5)
        assert torch.allclose(bare, decoder.run(plain, tokens_N, positions_N, attend), atol=1e-5)
        assert torch.allclose(together, bare, atol=1e-3) == (linears == ())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_snapshot_stays_what_it_was_and_shares_the_base(make_folder: FolderMaker, monkeypatch, precision):
    everything_is_large(monkeypatch)
    maker = Maker(make_folder(), precision)
    trainer = maker.trainer()
    rows = requested(random_sequences(1, [5]), samples=2, most=20)
    first, second = trainer.snapshot(), trainer.snapshot()
    expected = sample(first, rows_of(rows, first), Parameters(), None)
    before = logprobs_of(second, requested([[1, 2, 3, 4]]))
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    trainer.optim_step({"learningRate": 0.5})
    again = sample(first, rows_of(rows, first), Parameters(), None)
    assert all(map(np.array_equal, expected.tokens, again.tokens))
    assert np.array_equal(logprobs_of(second, requested([[1, 2, 3, 4]])), before, equal_nan=True)
    later = trainer.snapshot()
    assert not np.array_equal(logprobs_of(later, requested([[1, 2, 3, 4]])), before, equal_nan=True)
    base = trainer.model.frame.base
    twice = base.bytes()
    for snapshot in (second, later):
        sample(snapshot, rows_of(rows, snapshot), Parameters(), None)
    assert base.bytes() == twice
    # In bf16 what is sampled from is a copy in fp32. The trainer goes, and what only it needed; the samplers'
    # weights serve when it is needed again.
    size = trainer.architecture.size
    assert twice == size * (4 if precision == "fp32" else 6)
    del trainer
    gc.collect()
    assert base.bytes() == size * 4
    back = maker.trainer()
    assert base.bytes() <= twice
    assert torch.equal(back.flat, maker.trainer().flat)
    fresh, other = Maker(maker.source["path"], precision).trainer(), maker.trainer()
    _, out = other.run(ARRAYS, LOSS, "all", backward=False)
    assert np.array_equal(out["logprobs"], fresh.run(ARRAYS, LOSS, "all", backward=False)[1]["logprobs"])


def test_new_adapters_learn_on_what_a_sampler_alone_has_kept(make_folder: FolderMaker):
    maker = Maker(make_folder(), "bf16")
    snapshot = maker.trainer().snapshot()
    said = logprobs_of(snapshot, requested([[1, 2, 3, 4]]))
    gc.collect()
    assert snapshot.laid_out
    assert len(maker.bases) == 1
    back, fresh = maker.trainer(), Maker(maker.source["path"], "bf16").trainer()
    for trainer in (back, fresh):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert torch.equal(back.grad, fresh.grad)
    assert np.array_equal(logprobs_of(snapshot, requested([[1, 2, 3, 4]])), said, equal_nan=True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"rank": 0},
        {"rank": 513},
        {"rank": 1.5},
        {"rank": 4, "alpha": 0},
        {"rank": 4, "alpha": "much"},
        {"rank": 4, "modules": ["embed"]},
        {"rank": 4, "modules": "attention"},
        {"rank": 4, "modules": []},
        {"rank": 4, "seed": -1},
    ],
    ids=str,
)
def test_what_makes_no_adapters_is_refused(make_folder: FolderMaker, given):
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    with pytest.raises(EngineError) as caught:
        new_adapters(source, given, "fp32", Bases())
    assert caught.value.code == "bad-request"


def test_defaults(make_folder: FolderMaker):
    linears = DecoderLinears(make_folder.model().architecture.config)
    lora = Wanted.read({"rank": 4}).of(linears, "a model")
    assert lora.scale == 8
    assert lora.facts(linears) == {"rank": 4, "alpha": 32, "modules": ["attention", "mlp"]}
