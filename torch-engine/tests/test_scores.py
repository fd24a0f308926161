"""What a snapshot says of sequences is what the reference says, in small passes and in large ones."""

import numpy as np
import pytest
import torch

from support import reference
from support.data import random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import scores as scores_module
from whetstone_engine.errors import EngineError
from whetstone_engine.scores import certainty, embed, score

SEQUENCES = [*random_sequences(5, [1, 2, 9, 17, 30]), *([7, 7, 7, 7, 7, 7, 7, 7, end] for end in range(6))]


def apart(values: np.ndarray) -> list[np.ndarray]:
    return np.split(values, np.cumsum([len(one) for one in SEQUENCES])[:-1])


@pytest.fixture(params=[16384, 20])
def limit(request, monkeypatch):
    monkeypatch.setattr(scores_module, "FORWARD_TOKENS", request.param)


@pytest.fixture(params=[None, [2, 9, 2]], ids=["all tokens", "suppressed"])
def told(request, make_folder: FolderMaker):
    """A snapshot and the logprobs of every token at every position of each sequence."""
    generation = None if request.param is None else {"suppress_tokens": request.param}
    trainer = make_folder.trainer(generation=generation)
    config = trainer.architecture.config
    weights = reference.named(trainer.architecture, trainer.flat)
    logprobs = [reference.logits(config, weights, one).log_softmax(-1).numpy() for one in SEQUENCES]
    return trainer.snapshot(), logprobs


def test_the_most_probable_tokens(told, limit):
    snapshot, logprobs = told
    out = score(snapshot, requested(SEQUENCES), 4)
    for one, rows, given, tokens, told_logprobs in zip(
        SEQUENCES,
        logprobs,
        apart(out["logprobs"]),
        apart(out["top_tokens"].reshape(-1, 4)),
        apart(out["top_logprobs"].reshape(-1, 4)),
        strict=True,
    ):
        assert np.isnan(given[0])
        assert np.isnan(told_logprobs[0]).all()
        expected = np.sort(rows[:-1])[:, :-5:-1]
        assert np.allclose(told_logprobs[1:], expected, atol=1e-5)
        assert np.allclose(np.take_along_axis(rows[:-1], tokens[1:], 1), expected, atol=1e-5)
        own = rows[np.arange(len(one) - 1), one[1:]]
        finite = np.isfinite(own)
        assert np.allclose(given[1:][finite], own[finite], atol=1e-5)


def test_certainty_is_that_of_the_distribution(told, limit):
    snapshot, logprobs = told
    out = certainty(snapshot, requested(SEQUENCES))
    for rows, entropy, self_certainty in zip(
        logprobs, apart(out["entropy"]), apart(out["self_certainty"]), strict=True
    ):
        assert np.isnan(entropy[0])
        assert np.isnan(self_certainty[0])
        for row, one, other in zip(rows[:-1], entropy[1:], self_certainty[1:], strict=True):
            possible = row[np.isfinite(row)]
            assert one == pytest.approx(-(np.exp(possible) * possible).sum(), abs=1e-5)
            assert other == pytest.approx(-np.log(len(possible)) - possible.mean(), abs=1e-5)


def test_certainty_knows_the_extremes():
    even, certain = torch.zeros(1, 50), torch.zeros(1, 50)
    certain[0, 3] = 1000.0
    for suppressed in (None, torch.tensor([7])):
        entropy, self_certainty = scores_module.certainty_of(even.clone(), suppressed)
        assert float(entropy) == pytest.approx(np.log(50 if suppressed is None else 49), abs=1e-5)
        assert float(self_certainty) == pytest.approx(0, abs=1e-5)
        entropy, self_certainty = scores_module.certainty_of(certain.clone(), suppressed)
        assert float(entropy) == pytest.approx(0, abs=1e-6)
        assert float(self_certainty) > 900


def test_certainty_of_an_infinite_logit_is_no_number():
    broken = torch.zeros(2, 50)
    broken[1, 3] = -torch.inf
    entropy, self_certainty = scores_module.certainty_of(broken, None)
    assert torch.isnan(entropy).tolist() == [False, True]
    assert torch.isfinite(self_certainty).tolist() == [True, False]


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_embeddings_are_pooled_hidden_states(make_folder: FolderMaker, limit, pooling):
    snapshot = make_folder.snapshot()
    width, out = embed(snapshot, requested(SEQUENCES), pooling)
    assert width == 16
    decoder, weights = snapshot.architecture.decoder, snapshot.weights
    for one, given in zip(SEQUENCES, out.reshape(-1, width), strict=True):
        with torch.inference_mode():
            lasts = [
                decoder.hidden(weights, torch.tensor(one[:end]), scores_module.Packing(np.array([end])))[-1]
                for end in range(1, len(one) + 1)
            ]
        expected = lasts[-1] if pooling == "last" else torch.stack(lasts).mean(0)
        assert np.allclose(given, expected.numpy(), atol=1e-5)


def test_what_makes_no_sense_is_refused(make_folder: FolderMaker):
    snapshot = make_folder.snapshot(max_position_embeddings=10)
    with pytest.raises(EngineError, match="pooling"):
        embed(snapshot, requested([[1]]), "first")
    # The last token takes a position here, where something is read at it.
    score(snapshot, requested([[1] * 11]))
    certainty(snapshot, requested([[1] * 11]))
    embed(snapshot, requested([[1] * 10]), "last")
    for call in (
        lambda: score(snapshot, requested([[1] * 12])),
        lambda: certainty(snapshot, requested([[1] * 12])),
        lambda: embed(snapshot, requested([[1] * 11]), "last"),
    ):
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.code == "too-long"


def test_broken_weights_are_named(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    trainer.flat[5] = torch.nan
    for call in (
        lambda snapshot: certainty(snapshot, requested([[0, 1, 2]])),
        lambda snapshot: embed(snapshot, requested([[0, 1, 2]]), "mean"),
        lambda snapshot: score(snapshot, requested([[0, 1, 2]]), 3),
    ):
        with pytest.raises(EngineError) as caught:
            call(trainer.snapshot())
        assert caught.value.code == "non-finite-logits"
