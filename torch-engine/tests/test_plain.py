"""Models of the plain path, made on the spot by transformers with every parameter drawn at random: what the
engine computes of them is what the library computes."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from support.data import packed, random_sequences, requested
from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.choice import Parameters
from whetstone_engine.config import PLAIN_ARCHITECTURES
from whetstone_engine.errors import EngineError
from whetstone_engine.features import gradient_features, project
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler, rows_of, sample
from whetstone_engine.scores import certainty, embed, logprobs_of, score
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


@pytest.fixture(params=PLAIN_ARCHITECTURES, scope="module")
def twins(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    theirs = saved(config_of(request.param), folder)
    return theirs, folder, trainer_of(folder)


@pytest.fixture(scope="module")
def phi(tmp_path_factory):
    """One of them, where one says enough."""
    folder = tmp_path_factory.mktemp("phi")
    return saved(config_of("phi"), folder), folder


def their_logprobs(theirs, sequences) -> torch.Tensor:
    """Of each token given those before it, one sequence at a time, end to end."""
    parts = []
    for sequence in sequences:
        logprobs = theirs(torch.tensor([sequence[:-1]])).logits[0].log_softmax(-1)
        parts.append(logprobs[torch.arange(len(sequence) - 1), sequence[1:]])
    return torch.cat(parts)


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: one.clone() for name, one in tensors_of(trainer.architecture.slots, trainer.grad).items()}


def test_logits_and_gradients(twins):
    theirs, _, trainer = twins
    sequences = random_sequences(1, LENGTHS, VOCABULARY)
    weights = torch.rand(sum(LENGTHS) - len(LENGTHS)).sub(0.3)
    weights[::3] = 0
    arrays = packed(sequences, weights=weights)
    _, out = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=False)
    expected = their_logprobs(theirs, sequences)
    assert (torch.from_numpy(out["logprobs"]) - expected.detach()).abs().max() < 2e-5
    trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=True)
    theirs.zero_grad()
    (-(weights * expected).sum()).backward()
    ours = gradients(trainer)
    assert set(ours) == {name for name, _ in theirs.named_parameters()}
    for name, parameter in theirs.named_parameters():
        # An expert that no token was sent to has none.
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert (ours[name] - gradient).abs().max() < 2e-5 * max(1, gradient.abs().max()), name
    trainer.grad.zero_()


def test_what_a_snapshot_says_of_sequences(twins):
    theirs, _, trainer = twins
    snapshot = trainer.snapshot()
    sequences = random_sequences(8, [5, 23, 1, 12], VOCABULARY)
    arrays = requested(sequences)
    scored, certain = score(snapshot, arrays, 3), certainty(snapshot, arrays)
    pooled = {pooling: embed(snapshot, arrays, pooling) for pooling in ("mean", "last")}
    start = 0
    for row, sequence in enumerate(sequences):
        with torch.no_grad():
            tokens = torch.tensor([sequence])
            logprobs = theirs(tokens).logits[0, :-1].log_softmax(-1).numpy()
            hidden = theirs.get_decoder()(tokens).last_hidden_state[0].numpy()
        inner = slice(start + 1, start + len(sequence))
        assert np.allclose(
            scored["logprobs"][inner], logprobs[np.arange(len(logprobs)), sequence[1:]], atol=2e-5
        )
        most = -np.sort(-logprobs)[:, :3]
        assert np.allclose(scored["top_logprobs"].reshape(-1, 3)[inner], most, atol=2e-5)
        entropy = -(np.exp(logprobs) * logprobs).sum(1)
        assert np.allclose(certain["entropy"][inner], entropy, atol=1e-4)
        divergence = -np.log(VOCABULARY) - logprobs.mean(1)
        assert np.allclose(certain["self_certainty"][inner], divergence, atol=1e-4)
        for pooling, expected in (("mean", hidden.mean(0)), ("last", hidden[-1])):
            width, embeddings = pooled[pooling]
            assert width == len(expected)
            assert np.allclose(embeddings.reshape(-1, width)[row], expected, atol=1e-4)
        start += len(sequence)


def test_gradient_features_are_the_projected_gradients(twins):
    """After passes without gradients: what these leave in a module must not be in the way."""
    _, _, trainer = twins
    sequences = random_sequences(8, [5, 23, 12], VOCABULARY)
    score(trainer.snapshot(), requested(sequences))
    loss = {"name": "cross_entropy"}
    ones = np.ones(sum(len(one) - 1 for one in sequences))
    features = gradient_features(trainer, packed(sequences, weights=ones), loss, 16, 5)
    trainer.clear()
    for sequence, given in zip(sequences, features.reshape(-1, 16), strict=True):
        trainer.run(packed([sequence], weights=np.ones(len(sequence) - 1)), loss, "none", backward=True)
        assert float(trainer.grad.abs().max()) > 0
        expected = project([trainer.grad], 16, 5)[0].numpy()
        assert np.allclose(given, expected, atol=1e-5 * max(1.0, float(np.abs(expected).max())))
        trainer.clear()


PROMPTS = [[3, 4, 5], [6], [3, 4, 5], [7, 8, 9, 10, 11, 12, 13], [14]]


def test_samples_have_the_logprobs_that_are_recomputed(twins):
    theirs, _, trainer = twins
    snapshot = trainer.snapshot()
    arrays = requested(PROMPTS, samples=3, most=12)
    samples = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    assert trainer.architecture.decoder.caches == (theirs.config.model_type != "openai-gpt")
    prompts = [prompt for prompt in PROMPTS for _ in range(3)]
    whole = [prompt + tokens.tolist() for prompt, tokens in zip(prompts, samples.tokens, strict=True)]
    scored = logprobs_of(
        snapshot,
        {
            "lengths": np.array([len(row) for row in whole], np.int32),
            "tokens": np.concatenate(whole).astype(np.int32),
        },
    )
    place = 0
    for prompt, row, logprobs in zip(prompts, whole, samples.logprobs, strict=True):
        assert len(logprobs) == 12
        assert np.isnan(scored[place])
        own = scored[place + len(prompt) : place + len(row)]
        assert np.abs(own - logprobs).max() < 2e-5
        with torch.no_grad():
            expected = their_logprobs(theirs, [row])[len(prompt) - 1 :]
        assert np.abs(expected.numpy() - logprobs).max() < 2e-5
        place += len(row)
    assert len({tokens.tobytes() for tokens in samples.tokens}) > 10


def test_a_checkpoint_is_a_folder_that_transformers_loads(twins, tmp_path):
    theirs, _, trainer = twins
    size = trainer.save(str(tmp_path / "checkpoint"), optimizer=True)
    assert size > 4 * trainer.architecture.size
    again, told = AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoint", output_loading_info=True)
    assert not any(told[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokens = torch.tensor(random_sequences(2, [30], VOCABULARY))
    with torch.no_grad():
        assert (again.float().eval()(tokens).logits - theirs(tokens).logits).abs().max() < 1e-6


def step(trainer: Trainer) -> None:
    arrays = packed(random_sequences(3, LENGTHS, VOCABULARY), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=True)
    trainer.optim_step({"learningRate": 1e-2})


def test_what_is_loaded_goes_on_as_what_was_saved(phi, tmp_path):
    _, folder = phi
    trainer = trainer_of(folder)
    step(trainer)
    trainer.save(str(tmp_path / "one"), optimizer=True)
    again = trainer_of(tmp_path / "one", kind="checkpoint", optimizer=True)
    assert again.step == 1
    assert torch.equal(again.flat, trainer.flat)
    step(trainer)
    step(again)
    assert torch.equal(again.flat, trainer.flat)


def test_a_snapshot_stays_as_it_was(phi):
    _, folder = phi
    trainer = trainer_of(folder)
    snapshot = trainer.snapshot()
    arrays = requested([[3, 4, 5]], samples=4, most=10)

    def tokens(of):
        return [row.tolist() for row in sample(of, rows_of(arrays, of), Parameters(), None).tokens]

    before = tokens(snapshot)
    for _ in range(3):
        step(trainer)
    assert tokens(snapshot) == before
    assert tokens(trainer.snapshot()) != before


@pytest.mark.parametrize("kind", ["phi", "opt"])
def test_gradients_are_the_same_when_activations_are_computed_again(kind, tmp_path):
    """Recomputed layers count as in training, and those of OPT have dropout of their own."""
    folder = tmp_path
    saved(config_of(kind), folder)
    plain, recomputing = (
        trainer_of(folder),
        Trainer(read_model({"kind": "folder", "path": str(folder)}, "fp32"), recompute=True),
    )
    arrays = packed(random_sequences(4, LENGTHS, VOCABULARY), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    for trainer in (plain, recomputing):
        trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=True)
    assert float(plain.grad.abs().max()) > 1e-3
    assert torch.allclose(plain.grad, recomputing.grad, atol=1e-6)
    layers = recomputing.architecture.decoder.body.layers
    assert all(layer.gradient_checkpointing and layer.training for layer in layers)
    assert not any(part.training for layer in layers for part in layer.children())


def test_beginnings_that_rows_share_have_the_gradient_of_all(phi):
    _, folder = phi
    start = random_sequences(5, [20], VOCABULARY)[0]
    sequences = [start + end for end in random_sequences(6, [3, 4, 5, 6], VOCABULARY)]
    together, apart = trainer_of(folder), trainer_of(folder)
    count = sum(len(sequence) - 1 for sequence in sequences)
    together.run(packed(sequences, weights=np.ones(count)), {"name": "cross_entropy"}, "none", backward=True)
    for sequence in sequences:
        ones = np.ones(len(sequence) - 1)
        apart.run(packed([sequence], weights=ones), {"name": "cross_entropy"}, "none", backward=True)
    assert torch.allclose(together.grad, apart.grad, atol=2e-5)


def test_stops_limits_filters_and_company(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    names = [bytes([97 + index]) if index < 26 else b"?" for index in range(VOCABULARY)]

    def write(prompts, parameters, **members):
        arrays = requested(prompts, **members)
        return sample(snapshot, rows_of(arrays, snapshot), parameters, names)

    most, seeds = [5, 9, 14, 3, 20], [11, 12, 13, 14, 15]
    stopping = Parameters(stop_tokens=(4, 9), stop_strings=(b"ca", b"x"))
    together = write(PROMPTS, stopping, samples=6, most=most, seeds=seeds)
    row = 0
    for prompt, longest, seed in zip(PROMPTS, most, seeds, strict=True):
        alone = write([prompt], stopping, samples=6, most=longest, seeds=[seed])
        for index in range(6):
            tokens = together.tokens[row].tolist()
            assert tokens == alone.tokens[index].tolist()
            text = b"".join(names[token] for token in tokens)
            ends = tokens[-1] in (4, 9) or text.endswith((b"ca", b"x"))
            assert together.stopped[row] == ends
            assert ends or len(tokens) == longest
            assert not any(token in (4, 9, 23) for token in tokens[:-1])
            row += 1
    assert 5 < together.stopped.sum() < 30
    greedy = write([[3, 4]], Parameters(temperature=0), samples=2, most=8)
    first = write([[3, 4]], Parameters(top_k=1), samples=2, most=8)
    assert greedy.tokens[0].tolist() == greedy.tokens[1].tolist() == first.tokens[0].tolist()


KINDS = [
    Parameters(),
    Parameters(temperature=0, top=2),
    Parameters(temperature=0.6, top_k=3, stop_tokens=(4, 9)),
    Parameters(top_p=0.7, stop_strings=(b"ca", b"x"), top=3),
    Parameters(min_p=0.2),
]
TABLE = [bytes([97 + index]) if index < 26 else b"?" for index in range(VOCABULARY)]


def finish(sampler: Sampler) -> list[Request]:
    done = []
    while sampler.busy:
        done += sampler.step()
    return done


def of_kinds(snapshot) -> list[Request]:
    return [
        Request(requested([prompt], samples=4, most=12, seeds=[70 + index]), [KINDS[index]], snapshot)
        for index, prompt in enumerate(PROMPTS)
    ]


@pytest.mark.parametrize("caches", [True, False])
def test_requests_of_every_kind_get_what_they_get_alone(phi, caches):
    """Rows of one prompt length write together, each by its own parameters; requests that come meanwhile and
    passes of others between two tokens change nothing."""
    _, folder = phi
    trainer = trainer_of(folder)
    snapshot = trainer.snapshot()
    trainer.architecture.decoder.caches = caches
    alone, together = of_kinds(snapshot), of_kinds(snapshot)
    for one in alone:
        sampler = Sampler(snapshot, TABLE)
        sampler.enqueue([one])
        assert finish(sampler) == [one]
    sampler = Sampler(snapshot, TABLE)
    sampler.enqueue(together[:2])
    done = sampler.step()
    assert {len(row.prompt) for row in sampler.batch.rows} == {1}
    # Of four rows the prompt's token, and one that was written.
    assert sampler.bytes == 4 * 2 * sampler.batch.column_bytes
    sampler.enqueue(together[2:])
    step(trainer)
    done += finish(sampler)
    assert sorted(map(id, done)) == sorted(map(id, together))
    assert sampler.bytes == 0
    for one, other in zip(together, alone, strict=True):
        a, b = one.arrays(), other.arrays()
        assert a.keys() == b.keys()
        for name in a:
            assert np.allclose(a[name], b[name], atol=2e-5), name


def test_a_request_that_fails_fails_alone(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    alone, together = of_kinds(snapshot), of_kinds(snapshot)
    sampler = Sampler(snapshot, None)
    sampler.enqueue(together)
    done = finish(sampler)
    assert sorted(map(id, done)) == sorted(map(id, together))
    with pytest.raises(EngineError, match="the tokens' bytes"):
        together[3].arrays()
    whole = Sampler(snapshot, TABLE)
    whole.enqueue(alone)
    finish(whole)
    for index in (0, 1, 2, 4):
        assert np.array_equal(together[index].arrays()["tokens"], alone[index].arrays()["tokens"])


def test_as_many_rows_write_together_as_memory_holds(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    request = rows_of(requested([[3, 4, 5], [6, 7, 8]], samples=6, most=5), snapshot)
    sampler = Sampler(snapshot, None)
    # Of prompt and answer each row has eight columns.
    sampler.most_bytes = 7 * 8 * sampler.batch.column_bytes + 1
    sampler.enqueue([request])
    sampler.step()
    assert len(sampler.batch.rows) == 7
    # What others hold is not there; one row there always is.
    assert sampler.batch.fitting(list(sampler.waiting), 0) == 0
    finish(sampler)
    assert sampler.batch.fitting(request.rows, 0) == 1
    assert all(len(row.tokens) == 5 for row in request.rows)


def test_after_activations_were_computed_again_samples_decode_from_a_cache(phi):
    """Layers that compute again give no keys and values."""
    _, folder = phi
    source = {"kind": "folder", "path": str(folder)}
    plain, recomputing = trainer_of(folder), Trainer(read_model(source, "fp32"), recompute=True)
    for trainer in (plain, recomputing):
        step(trainer)
    arrays = requested(PROMPTS, samples=2, most=9)
    expected, given = (
        sample(trainer.snapshot(), rows_of(arrays, trainer.snapshot()), Parameters(), None)
        for trainer in (plain, recomputing)
    )
    assert [row.tolist() for row in given.tokens] == [row.tolist() for row in expected.tokens]


def test_without_a_cache_that_can_be_decoded_with_samples_are_the_same(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    arrays = requested(PROMPTS, samples=2, most=[3, 9, 5, 7, 4])
    with_cache = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    snapshot.architecture.decoder.caches = False
    without = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    assert [row.tolist() for row in with_cache.tokens] == [row.tolist() for row in without.tokens]


def test_the_last_position_predicts_the_last_token(phi, tmp_path):
    config = config_of("phi")
    config.max_position_embeddings = 8
    saved(config, tmp_path)
    snapshot = trainer_of(tmp_path).snapshot()
    arrays = requested([[3, 4, 5]], most=50)
    (tokens,) = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None).tokens
    assert len(tokens) == 6
    with pytest.raises(EngineError, match="9 positions, and the model has 8"):
        snapshot.architecture.check(torch.tensor([1]), 9)


def test_a_seed_draws_the_weights_where_there_are_none(phi, tmp_path):
    config_of("phi").save_pretrained(tmp_path)
    one, same, other = (trainer_of(tmp_path, seed=seed).flat for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    with pytest.raises(EngineError) as caught:
        trainer_of(tmp_path)
    assert caught.value.code == "weights-missing"


@pytest.mark.parametrize("precision", ["mixed", "bf16"])
def test_rounded_weights(phi, precision):
    theirs, folder = phi
    trainer = trainer_of(folder, precision)
    rounded = {name: parameter.detach().bfloat16().float() for name, parameter in theirs.named_parameters()}
    sequences = random_sequences(7, LENGTHS, VOCABULARY)
    arrays = packed(sequences, weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    _, out = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=True)
    with torch.no_grad():
        expected = (
            torch.func.functional_call(theirs, rounded, (torch.tensor([sequences[3][:-1]]),))
            .logits[0]
            .log_softmax(-1)
        )
    chosen = expected[torch.arange(LENGTHS[3] - 1), sequences[3][1:]]
    ours = torch.from_numpy(out["logprobs"][-len(chosen) :])
    tolerance = 1e-4 if trainer.architecture.dtype == torch.float32 else 0.2
    assert (ours - chosen).abs().max() < tolerance
    before = float(-out["logprobs"].sum())
    for _ in range(5):
        step(trainer)
    lost, _ = trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=False)
    assert lost["lossSum"] < before
    snapshot = trainer.snapshot()
    samples = sample(snapshot, rows_of(requested([[3]], most=6), snapshot), Parameters(), None)
    assert np.isfinite(samples.logprobs[0]).all()


def test_what_is_wrong_with_a_folder_is_named(phi, tmp_path):
    theirs, _ = phi

    def refused(code, change=None, **members):
        folder = tmp_path / f"{code}-{len(list(tmp_path.iterdir()))}"
        tensors = dict(theirs.state_dict())
        if change is not None:
            change(tensors)
        theirs.save_pretrained(folder, state_dict=tensors)
        raw = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**raw, **members}))
        with pytest.raises(EngineError) as caught:
            trainer_of(folder)
        assert (caught.value.code, caught.value.category) == (code, "user")
        assert str(folder) in str(caught.value)

    last = "model.final_layernorm.weight"
    refused("weights-missing-tensor", lambda tensors: tensors.pop(last))
    refused("weights-unexpected-tensor", lambda tensors: tensors.update(strange=torch.zeros(2)))
    refused("weights-shape", vocab_size=VOCABULARY + 1)
    refused("config-invalid", num_attention_heads="many")
    cut = tmp_path / "cut"
    theirs.save_pretrained(cut)
    whole = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(whole[:-8])
    with pytest.raises(EngineError) as caught:
        trainer_of(cut)
    assert caught.value.code == "weights-truncated"


def test_a_model_that_sees_what_comes_is_refused(phi, monkeypatch):
    _, folder = phi
    from transformers.models.phi.modeling_phi import PhiModel

    forward = PhiModel.forward

    def looking_ahead(self, *args, **kwargs):
        out = forward(self, *args, **kwargs)
        out.last_hidden_state = out.last_hidden_state + out.last_hidden_state.mean(1, keepdim=True)
        return out

    monkeypatch.setattr(PhiModel, "forward", looking_ahead)
    with pytest.raises(EngineError, match="tokens that come later") as caught:
        trainer_of(folder)
    assert caught.value.code == "unsupported-architecture"


def test_a_cache_that_is_not_sound_is_not_used(phi, monkeypatch):
    from transformers.cache_utils import DynamicLayer

    _, folder = phi
    monkeypatch.setattr(DynamicLayer, "reorder_cache", lambda self, index: None)
    assert not trainer_of(folder).architecture.decoder.caches


def test_suppressed_tokens(phi, tmp_path):
    theirs, _ = phi
    theirs.save_pretrained(tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"suppress_tokens": [3, 4, 5]}))
    snapshot = trainer_of(tmp_path).snapshot()
    samples = sample(
        snapshot, rows_of(requested([[6]], samples=8, most=20), snapshot), Parameters(temperature=5.0), None
    )
    written = np.concatenate(samples.tokens)
    assert not np.isin(written, [3, 4, 5]).any()
    assert len(np.unique(written)) > 10


def test_adapters_are_refused(phi, worker):
    _, folder = phi
    head, _ = worker.answer(
        [
            (
                {
                    "id": 1,
                    "verb": "create_model",
                    "model": "one",
                    "source": {"kind": "folder", "path": str(folder)},
                    "lora": {"rank": 4},
                },
                {},
            )
        ]
    )[0]
    assert head["error"]["code"] == "adapter-unsupported"
    assert "leave lora out" in head["error"]["message"]


def test_a_worker_samples_from_both_paths_between_other_calls(phi, make_folder, worker):
    """Samplers take turns, a token each, and those of one model share its module: each has its own weights,
    whatever is trained and scored meanwhile."""
    _, folder = phi
    numbers = iter(range(1, 100))

    def head(verb, **members):
        return {"id": next(numbers), "verb": verb, **members}

    def call(verb, arrays=None, **members):
        reply, out = worker.answer([(head(verb, **members), arrays or {})])[0]
        assert reply["ok"], reply
        return out

    call("create_model", model="m", source={"kind": "folder", "path": str(folder)})
    fast = {"kind": "folder", "path": str(make_folder(vocab_size=VOCABULARY)), "seed": 1}
    call("load_sampler", sampler="fast", source=fast)
    data = packed(random_sequences(3, LENGTHS, VOCABULARY), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    training = {"model": "m", "loss": {"name": "cross_entropy"}}
    call("snapshot", model="m", sequence=1, sampler="old")
    call("forward_backward", data, sequence=2, **training)
    call("optim_step", model="m", sequence=3, optimizer="adamw", learningRate=0.05)
    call("snapshot", model="m", sequence=4, sampler="new")
    wanted = requested(PROMPTS, samples=3, most=10)
    names = ("old", "new", "fast")
    alone = [call("sample", wanted, sampler=name)["tokens"].tolist() for name in names]
    assert alone[0] != alone[1]
    heads = [head("sample", sampler=name) for name in names]
    replies = list(worker.receive([(one, wanted) for one in heads]))
    assert not replies
    # "old" is unloaded while it writes.
    between = [
        ("logprobs", {"sampler": "new"}, wanted),
        ("forward_backward", {"sequence": 5, **training}, data),
        ("optim_step", {"model": "m", "sequence": 6, "optimizer": "adamw", "learningRate": 0.05}, {}),
        ("unload", {"sampler": "old"}, {}),
    ]
    while worker.busy_sampling:
        replies += worker.step()
        if between:
            verb, members, arrays = between.pop(0)
            ((reply, _),) = worker.receive([(head(verb, **members), arrays)])
            assert reply["ok"], reply
    written = {reply["id"]: out["tokens"].tolist() for reply, out in replies}
    assert [written[one["id"]] for one in heads] == alone
