"""Gradient features have the lengths and angles of the gradients, depend on their seed alone and leave the
trainer as it was."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine import features as features_module
from whetstone_engine.errors import EngineError
from whetstone_engine.features import gradient_features, project

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(9, [12, 5, 17, 9])
COUNT = sum(len(one) - 1 for one in SEQUENCES)
WEIGHTS = np.random.default_rng(2).normal(size=COUNT).astype(np.float32)


def matrix(parameters: int, dimensions: int, seed: int) -> torch.Tensor:
    """The projection, a parameter at a time."""
    return project(list(torch.eye(parameters)), dimensions, seed).T


@pytest.mark.parametrize("dimensions", [1, 2, 7, 64, 100])
def test_the_matrix_is_of_signs_over_the_root_of_the_dimensions(monkeypatch, dimensions):
    monkeypatch.setattr(features_module, "BLOCK", 50)
    projection = matrix(400, dimensions, 3)
    assert projection.shape == (dimensions, 400)
    assert torch.allclose(projection.abs(), torch.full_like(projection, dimensions**-0.5), rtol=1e-6)
    # Columns have unit length, and inner products as small as those of independent signs, on average.
    products = projection.T @ projection
    products.fill_diagonal_(0)
    mean_square = float(products.square().sum()) / (400 * 399)
    assert mean_square == pytest.approx(1 / dimensions, rel=0.25)
    assert abs(float(products.sum()) / (400 * 399)) < 5 / 400
    assert not torch.equal(projection, matrix(400, dimensions, 4))
    monkeypatch.setattr(features_module, "BLOCK", 2**16)
    assert torch.equal(projection, matrix(400, dimensions, 3))


def test_the_projection_is_linear():
    random = torch.Generator().manual_seed(1)
    gradients = [torch.randn(1000, generator=random) for _ in range(3)]
    projection = matrix(1000, 48, 5)
    given = project(gradients, 48, 5)
    assert torch.allclose(given, torch.stack(gradients) @ projection.T, atol=1e-4)


def test_lengths_and_angles_are_kept(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    arrays = packed(SEQUENCES, weights=WEIGHTS)
    dimensions, seeds = 256, range(40)
    gradients = []
    start = 0
    for one in SEQUENCES:
        end = start + len(one) - 1
        trainer.run(packed([one], weights=WEIGHTS[start:end]), LOSS, "none", backward=True)
        gradients.append(trainer.grad.clone())
        trainer.clear()
        start = end
    exact = torch.stack(gradients) @ torch.stack(gradients).T
    scale = exact.diagonal().sqrt()[:, None] * exact.diagonal().sqrt()
    errors = []
    for seed in seeds:
        given = torch.from_numpy(gradient_features(trainer, arrays, LOSS, dimensions, seed)).view(4, -1)
        errors.append((given @ given.T - exact) / scale)
    errors = torch.stack(errors)
    # Unbiased, with a variance of at most 2/d.
    assert float(errors.mean(0).abs().max()) < 4 * (2 / dimensions / len(seeds)) ** 0.5
    assert float(errors.square().mean(0).max()) < 2 * (2 / dimensions)


def test_what_is_accumulated_stays(make_folder: FolderMaker, monkeypatch):
    trainer = make_folder.trainer()
    arrays = packed(SEQUENCES, weights=WEIGHTS)
    first = gradient_features(trainer, arrays, LOSS, 10, 1)
    assert not trainer.accumulated
    assert float(trainer.grad.abs().max()) == 0
    trainer.run(arrays, LOSS, "none", backward=True)
    weights, gradient = trainer.flat.clone(), trainer.grad.clone()
    monkeypatch.setattr(features_module, "GRADIENT_BYTES", 1)
    assert np.allclose(gradient_features(trainer, arrays, LOSS, 10, 1), first, rtol=1e-4, atol=1e-6)
    assert torch.equal(trainer.grad, gradient)
    assert torch.equal(trainer.flat, weights)
    assert trainer.accumulated
    # Also where it fails.
    broken = {**arrays, "weights": np.where(np.arange(COUNT) == 20, np.inf, WEIGHTS).astype(np.float32)}
    with pytest.raises(EngineError) as caught:
        gradient_features(trainer, broken, LOSS, 10, 1)
    assert (caught.value.code, caught.value.details) == ("non-finite-loss", {"datum": 2})
    assert "datum 2" in str(caught.value)
    assert torch.equal(trainer.grad, gradient)


@pytest.mark.parametrize("dimensions", [0, -1, 2**16 + 1])
def test_dimensions_have_bounds(make_folder: FolderMaker, dimensions):
    with pytest.raises(EngineError, match="dimensions"):
        gradient_features(make_folder.trainer(), packed(SEQUENCES, weights=WEIGHTS), LOSS, dimensions, 1)


def test_arrays_that_do_not_fit_are_refused(make_folder: FolderMaker):
    arrays = packed(SEQUENCES, weights=WEIGHTS[:-1])
    with pytest.raises(EngineError, match="weights has"):
        gradient_features(make_folder.trainer(), arrays, LOSS, 4, 1)


def test_more_than_a_reply_holds_is_refused_beforehand(make_folder: FolderMaker):
    count = 2**29 // features_module.MOST_DIMENSIONS
    arrays = packed([[1, 2]] * count, weights=np.ones(count))
    with pytest.raises(EngineError, match="fewer data") as caught:
        gradient_features(make_folder.trainer(), arrays, LOSS, features_module.MOST_DIMENSIONS, 1)
    assert caught.value.code == "bad-request"
