"""Adapters over models of the plain path: what `peft` computes, trains, reads and writes."""

import gc
import json

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from support.data import packed, random_sequences, requested
from support.plain import LENGTHS, VOCABULARY, config_of, saved, their_logprobs
from support.sampling import logprobs_of, rows_of, sample
from whetstone_engine.adapters import adapter_of
from whetstone_engine.base import Bases
from whetstone_engine.choice import Parameters
from whetstone_engine.config import PLAIN_ARCHITECTURES
from whetstone_engine.errors import EngineError
from whetstone_engine.features import gradient_features, project
from whetstone_engine.merge import merge
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(1, LENGTHS, VOCABULARY)
WEIGHTS = np.random.default_rng(0).normal(size=sum(LENGTHS) - len(LENGTHS)).astype(np.float32)
ARRAYS = packed(SEQUENCES, weights=WEIGHTS)
ADAPTERS = "adapter_model.safetensors"


def new(folder, *, bases=None, precision="fp32", recompute=False, moved=True, **lora) -> Trainer:
    """Adapters, some noise away from doing nothing."""
    source = {"kind": "folder", "path": str(folder)}
    model = adapter_of(
        source, {"rank": 3, "alpha": 8, **lora}, precision, Bases() if bases is None else bases
    )
    if moved:
        generator = torch.Generator().manual_seed(lora.get("seed", 0))
        model.flat.add_(torch.empty_like(model.flat).normal_(0, 0.05, generator=generator))
    return Trainer(model, recompute=recompute)


def read(folder, *, optimizer=True, **source) -> Trainer:
    given = {"kind": "checkpoint", "path": str(folder), "optimizer": optimizer, **source}
    return Trainer(adapter_of(given, None, "fp32", Bases()))


def learn(trainer: Trainer) -> None:
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    trainer.optim_step({"learningRate": 1e-2})


def ours(trainer: Trainer) -> torch.Tensor:
    return torch.from_numpy(trainer.run(ARRAYS, LOSS, "all", backward=False)[1]["logprobs"])


def bare(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture
def made(tmp_path):
    """The folder of a model of some kind."""

    def make(kind: str, **members):
        folder = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}"
        config = config_of(kind)
        for name, value in members.items():
            setattr(config, name, value)
        saved(config, folder)
        return folder

    return make


@pytest.mark.parametrize("kind", PLAIN_ARCHITECTURES)
def test_peft_computes_and_trains_what_the_engine_does(made, tmp_path, kind):
    folder = made(kind)
    bases = Bases()
    try:
        trainer = new(folder, bases=bases, modules=["attention", "mlp", "unembed"])
    except EngineError as refused:
        assert (refused.code, refused.category) == ("adapter-unsupported", "user")
        assert "name the modules attention, unembed only" in str(refused)
        trainer = new(folder, bases=bases, modules=["attention", "unembed"])
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    theirs = PeftModel.from_pretrained(bare(folder), tmp_path / "saved", is_trainable=True).eval()
    expected = their_logprobs(theirs, SEQUENCES)
    logprobs = ours(trainer)
    assert (logprobs - expected.detach()).abs().max() < 2e-5
    with torch.no_grad():
        assert (their_logprobs(bare(folder), SEQUENCES) - logprobs).abs().max() > 1e-2
    (-(torch.from_numpy(WEIGHTS) * expected).sum()).backward()
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    given = {
        name.replace(".default", ""): parameter.grad
        for name, parameter in theirs.named_parameters()
        if parameter.requires_grad
    }
    gradients = trainer.frame.files(trainer.grad)[ADAPTERS]
    assert set(gradients) == set(given)
    for name, gradient in gradients.items():
        assert float(gradient.abs().max()) > 0, name
        assert torch.allclose(gradient, given[name], atol=1e-4, rtol=1e-3), name
    # And so does the model that needs no library of adapters.
    merge(tmp_path / "saved", str(tmp_path / "merged"))
    with torch.no_grad():
        assert (their_logprobs(bare(tmp_path / "merged"), SEQUENCES) - logprobs).abs().max() < 2e-5
    whole = Trainer(read_model({"kind": "folder", "path": str(tmp_path / "merged")}, "fp32"))
    assert (ours(whole) - logprobs).abs().max() < 2e-5


MADE = {
    "gpt2": {"target_modules": ["c_attn", "mlp.c_proj"]},
    "gemma2": {"target_modules": "all-linear"},
    "gemma3_text": {"target_modules": ["q_proj", "lm_head"]},
    "mixtral": {"target_modules": ["q_proj", "v_proj"]},
    "phi3": {"target_modules": ["qkv_proj", "down_proj"], "use_rslora": True},
    "olmo2": {"target_modules": r".*\.1\.(mlp|self_attn)\.(up|k)_proj", "lora_dropout": 0.1},
}


@pytest.mark.parametrize("kind", MADE)
def test_what_peft_made_is_read(made, tmp_path, kind):
    folder = made(kind)
    torch.manual_seed(3)
    theirs = get_peft_model(bare(folder), LoraConfig(r=4, lora_alpha=6, task_type="CAUSAL_LM", **MADE[kind]))
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.1)
        theirs.eval().save_pretrained(tmp_path / "made")
        trainer = read(tmp_path / "made")
        expected = their_logprobs(theirs, SEQUENCES)
        assert (ours(trainer) - expected).abs().max() < 2e-5
        trainer.save(str(tmp_path / "again"), optimizer=False)
        back = PeftModel.from_pretrained(bare(folder), tmp_path / "again").eval()
        assert (their_logprobs(back, SEQUENCES) - expected).abs().max() < 2e-5


def test_targets_name_no_other_layer(made, tmp_path):
    """Of GPT-2 both parts of a layer have a c_proj."""
    folder = made("gpt2")

    def targets(**lora) -> set[str]:
        model = new(folder, **lora).model
        return set(json.loads(model.files["adapter_config.json"])["target_modules"])

    assert targets(modules=["attention"]) == {"c_attn", "attn.c_proj"}
    assert targets(modules=["attention", "mlp"]) == {"c_attn", "c_proj", "c_fc"}
    assert targets(modules=["unembed"]) == {"lm_head"}
    chosen = LoraConfig(r=2, target_modules=["h.1.attn.c_attn"])
    get_peft_model(bare(folder), chosen).save_pretrained(tmp_path / "one")
    config = json.loads(read(tmp_path / "one").model.files["adapter_config.json"])
    assert config["target_modules"] == ["1.attn.c_attn"]
    assert config["fan_in_fan_out"] is True


def test_what_is_no_layer_of_it_is_refused(made, tmp_path):
    folder = made("mixtral")
    with pytest.raises(EngineError, match="its mlp has none") as caught:
        new(folder, modules=["mlp"])
    assert (caught.value.code, caught.value.category) == ("adapter-unsupported", "user")
    new(made("olmo2"), modules=["mlp"]).save(str(tmp_path / "saved"), optimizer=False)
    # As if `peft` had written it, which does not say over which weights.
    (tmp_path / "saved" / "whetstone.json").unlink()
    for other in (made("phi"), folder):
        with pytest.raises(EngineError, match=r"mlp\.\w+\.lora_A.*the engine adapts q_proj") as caught:
            read(tmp_path / "saved", optimizer=False, base=str(other))
        assert caught.value.code == "adapter-unsupported"


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
def test_adapters_of_one_base_share_it_and_touch_neither_each_other_nor_it(made, precision):
    folder = made("olmo2")
    bases = Bases()

    def learned(seeds, bases):
        trainers = [new(folder, bases=bases, precision=precision, seed=seed) for seed in seeds]
        for _ in range(3):
            for trainer in trainers:
                learn(trainer)
        return trainers

    alone = [learned([seed], Bases())[0] for seed in (1, 2)]
    together = learned([1, 2], bases)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one.flat, other.flat)
    assert not torch.equal(together[0].flat, together[1].flat)
    assert len(bases) == 1
    base = together[0].model.frame.base
    untouched = read_model({"kind": "folder", "path": str(folder)}, precision).compute_buffer()
    for key, weight in together[0].architecture.leaves(untouched).items():
        assert torch.equal(weight, base.plain()[key])
    assert base.bytes() == together[0].architecture.size * (2 if precision == "bf16" else 4)
    # What is sampled from is laid out once for all of them.
    snapshots = [trainer.snapshot() for trainer in together]
    for snapshot in snapshots:
        sample(snapshot, rows_of(requested([[3, 4]], most=3), snapshot), Parameters(), None)
    name = "model.embed_tokens.weight"
    assert len({snapshot.weights[name].untyped_storage().data_ptr() for snapshot in snapshots}) == 1
    del alone, together, base, snapshots, snapshot, one, other
    gc.collect()
    assert len(bases) == 0


def test_the_module_keeps_no_adapter(made):
    """The base alone, and other adapters, compute with the same module in between."""
    folder = made("phi")
    bases = Bases()
    trainer, other = new(folder, bases=bases), new(folder, bases=bases, seed=5, modules=["mlp"])
    expected, others = ours(trainer), ours(other)
    learn(trainer)
    assert torch.equal(ours(other), others)
    kept = [layer for layer in trainer.architecture.decoder.module.modules() if "forward" in vars(layer)]
    assert kept == []
    assert not torch.equal(ours(trainer), expected)


def test_new_ones_learn_on_what_a_sampler_alone_has_kept(made):
    bases = Bases()
    snapshot = new(made("phi"), bases=bases, precision="bf16").snapshot()
    logprobs_of(snapshot, requested([[3, 4, 5]]))
    gc.collect()
    assert len(bases) == 1
    back, fresh = (new(made("phi"), bases=one, precision="bf16") for one in (bases, Bases()))
    for trainer in (back, fresh):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert torch.equal(back.grad, fresh.grad)


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
@pytest.mark.parametrize("kind", ["gemma3_text", "gpt2"])
def test_samples_have_the_trainers_logprobs_and_snapshots_stay(made, kind, precision):
    trainer = new(made(kind), precision=precision, modules=["attention", "mlp", "unembed"])
    snapshot = trainer.snapshot()
    prompts = random_sequences(1, [3, 9, 20], VOCABULARY)
    arrays = requested(prompts, samples=3, most=12)
    samples = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    lines = [
        [*prompt, *tokens]
        for prompt, tokens in zip(
            [prompt for prompt in prompts for _ in range(3)], samples.tokens, strict=True
        )
    ]
    data = packed(lines, weights=np.ones(sum(map(len, lines)) - len(lines)))
    _, out = trainer.run(data, LOSS, "all", backward=False)
    tolerance = 1e-4 if trainer.architecture.dtype == torch.float32 else 0.5
    start = 0
    for line, tokens, sampled in zip(lines, samples.tokens, samples.logprobs, strict=True):
        end = start + len(line) - 1
        assert np.abs(out["logprobs"][end - len(tokens) : end] - sampled).max() < tolerance
        start = end
    before = logprobs_of(snapshot, requested(lines))
    assert np.abs(before[~np.isnan(before)] - out["logprobs"]).max() < tolerance
    for _ in range(3):
        learn(trainer)
    assert np.array_equal(logprobs_of(snapshot, requested(lines)), before, equal_nan=True)
    again = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    assert all(map(np.array_equal, samples.tokens, again.tokens))
    assert not np.array_equal(logprobs_of(trainer.snapshot(), requested(lines)), before, equal_nan=True)


def test_it_goes_on_as_if_it_had_never_stopped(made, tmp_path):
    trainer = new(made("gemma3_text"))
    learn(trainer)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    again = read(tmp_path / "saved")
    assert again.step == 1
    assert again.model.facts()["lora"] == {"rank": 3, "alpha": 8, "modules": ["attention", "mlp"]}
    for one in (trainer, again):
        learn(one)
    assert torch.equal(trainer.flat, again.flat)
    assert torch.equal(trainer.moments.second, again.moments.second)


@pytest.mark.parametrize("kind", ["phi3", "gpt2", "opt"])
def test_gradients_are_the_same_when_activations_are_computed_again(made, kind):
    folder = made(kind)
    kept, again = new(folder), new(folder, recompute=True)
    for trainer in (kept, again):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert float(kept.grad.abs().max()) > 1e-3
    assert torch.allclose(kept.grad, again.grad, atol=1e-6)


def test_gradient_features_are_the_projected_gradients(made):
    trainer = new(made("phi3"))
    features = gradient_features(trainer, ARRAYS, LOSS, 16, 5).reshape(-1, 16)
    start = 0
    for sequence, given in zip(SEQUENCES, features, strict=True):
        end = start + len(sequence) - 1
        trainer.run(packed([sequence], weights=WEIGHTS[start:end]), LOSS, "none", backward=True)
        expected = project([trainer.grad], 16, 5)[0].numpy()
        assert np.allclose(given, expected, atol=1e-5 * max(1.0, float(np.abs(expected).max())))
        trainer.clear()
        start = end


def test_new_adapters_do_nothing(made):
    folder = made("olmo2")
    one, same = (new(folder, moved=False, seed=1, modules=["attention", "unembed"]) for _ in range(2))
    assert torch.equal(one.flat, same.flat)
    whole = Trainer(read_model({"kind": "folder", "path": str(folder)}, "fp32"))
    assert torch.equal(ours(one), ours(whole))
