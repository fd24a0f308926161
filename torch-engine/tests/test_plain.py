"""Models of the plain path, made on the spot by transformers with every parameter drawn at random: what the
engine computes of them is what the library computes."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from support.data import packed, random_sequences, requested
from support.plain import (
    LENGTHS,
    VOCABULARY,
    config_of,
    gradients,
    saved,
    step,
    their_logprobs,
    trainer_of,
)
from support.sampling import logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.config import PLAIN_ARCHITECTURES
from whetstone_engine.errors import EngineError
from whetstone_engine.features import gradient_features, project
from whetstone_engine.scores import certainty, embed, score
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model


@pytest.fixture(params=PLAIN_ARCHITECTURES, scope="module")
def twins(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    theirs = saved(config_of(request.param), folder)
    return theirs, folder, trainer_of(folder)


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


@pytest.mark.parametrize("kind", [kind for kind in PLAIN_ARCHITECTURES if kind != "openai-gpt"])
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
    layers = recomputing.architecture.decoder.layers
    assert len(layers) == 2
    assert all(layer.gradient_checkpointing and layer.training for layer in layers)
    assert not any(part.training for layer in layers for part in layer.children())


def test_a_model_whose_layers_cannot_recompute_is_refused(tmp_path):
    saved(config_of("openai-gpt"), tmp_path)
    model = read_model({"kind": "folder", "path": str(tmp_path)}, "fp32")
    with pytest.raises(EngineError, match="leave gradientCheckpointing out") as caught:
        Trainer(model, recompute=True)
    assert (caught.value.code, caught.value.category) == ("checkpointing-unsupported", "user")


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


@pytest.mark.parametrize("precision", ["mixed", "bf16"])
@pytest.mark.parametrize("kind", ["phi", "gemma3_text"])
def test_rounded_weights(kind, precision, tmp_path):
    """Nothing but the weights: Gemma scales its embeddings by a number that is no weight."""
    folder = tmp_path / "model"
    theirs = saved(config_of(kind), folder)
    trainer = trainer_of(folder, precision)
    rounded = {name: parameter.detach().bfloat16().float() for name, parameter in theirs.named_parameters()}
    sequences = random_sequences(7, LENGTHS, VOCABULARY)
    arrays = packed(sequences, weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    _, out = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=True)
    with torch.no_grad():
        expected = (
            torch.func.functional_call(
                theirs, rounded, (torch.tensor([sequences[3][:-1]]),), {"use_cache": False}
            )
            .logits[0]
            .log_softmax(-1)
        )
    chosen = expected[torch.arange(LENGTHS[3] - 1), sequences[3][1:]]
    ours = torch.from_numpy(out["logprobs"][-len(chosen) :])
    tolerance = 1e-4 if trainer.architecture.dtype == torch.float32 else 0.2
    assert (ours - chosen).abs().max() < tolerance
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    again = trainer_of(tmp_path / "saved", precision, kind="checkpoint")
    assert np.array_equal(
        again.run(arrays, {"name": "cross_entropy"}, "all", backward=False)[1]["logprobs"],
        trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=False)[1]["logprobs"],
    )
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


def test_a_byte_that_was_flipped_in_a_checkpoint_is_noticed(phi, tmp_path):
    trainer_of(phi[1]).save(str(tmp_path / "saved"), optimizer=False)
    path = tmp_path / "saved" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(EngineError, match=r"model\.safetensors") as caught:
        trainer_of(tmp_path / "saved", kind="checkpoint")
    assert caught.value.code == "checkpoint-damaged"


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
    (tmp_path / "generation_config.json").write_text(json.dumps({"suppress_tokens": [31]}))
    with pytest.raises(EngineError, match="suppress_tokens") as caught:
        trainer_of(tmp_path)
    assert caught.value.code == "config-invalid"
