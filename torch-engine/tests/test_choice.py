"""The next token: what filters leave is what brute force leaves, and frequencies are those of the exact
softmax."""

import numpy as np
import pytest
import torch

from whetstone_engine import choice as choice_module
from whetstone_engine.choice import Choice, Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.kernels import exponentials, target_logprobs, weights_to_draw_by
from whetstone_engine.randomness import uniforms

VOCABULARY = 13


def choose(logits: torch.Tensor, parameters: Parameters, draws: torch.Tensor | None):
    return Choice([parameters] * len(logits), logits.shape[1]).choose(logits, draws)


LOGITS = torch.tensor(np.random.default_rng(3).normal(size=VOCABULARY) * 1.5, dtype=torch.float32)
CASES = [
    {},
    {"temperature": 0.5},
    {"temperature": 3.0},
    {"top_k": 1},
    {"top_k": 4},
    {"top_k": 100},
    {"top_p": 0.6},
    {"top_p": 1e-9},
    {"top_p": 1e-60},
    {"min_p": 0.2},
    {"min_p": 1.0},
    {"temperature": 2.0, "top_k": 9, "top_p": 0.8, "min_p": 0.05},
    {"temperature": 0.7, "top_k": 3, "top_p": 0.5},
]


def exact(parameters: Parameters) -> np.ndarray:
    """The distribution after the filters, a token at a time."""
    scaled = [float(value) / parameters.temperature for value in LOGITS]
    total = sum(np.exp(value) for value in scaled)
    shares = {token: np.exp(value) / total for token, value in enumerate(scaled)}
    ranked = sorted(shares, key=lambda token: -shares[token])
    if parameters.top_k:
        ranked = ranked[: parameters.top_k]
    total = sum(shares[token] for token in ranked)
    nucleus, mass = [], 0.0
    for token in ranked:
        if mass < parameters.top_p * total:
            nucleus.append(token)
        mass += shares[token]
    kept = [token for token in nucleus if shares[token] >= parameters.min_p * shares[ranked[0]]]
    out = np.zeros(VOCABULARY)
    for token in kept:
        out[token] = shares[token] / sum(shares[other] for other in kept)
    return out


@pytest.mark.parametrize("members", CASES, ids=str)
def test_an_even_grid_of_draws_gives_the_exact_shares(members):
    parameters = Parameters(**members)
    count = 20_000
    draws = (torch.arange(count) + 0.5) / count
    tokens, _ = choose(LOGITS.expand(count, -1), parameters, draws)
    shares = np.bincount(tokens, minlength=VOCABULARY) / count
    assert np.abs(shares - exact(parameters)).max() < 2 / count


@pytest.mark.parametrize("members", [CASES[0], CASES[1], CASES[-2]], ids=str)
def test_frequencies_pass_a_chi_square_test(members):
    parameters = Parameters(**members)
    count = 40_000
    draws = torch.tensor(uniforms(np.full(count, 11), np.arange(count), 5, 1)[:, 0])
    tokens, _ = choose(LOGITS.expand(count, -1), parameters, draws)
    expected = exact(parameters)
    observed = np.bincount(tokens, minlength=VOCABULARY)
    assert observed[expected == 0].sum() == 0
    likely = expected > 0
    statistic = ((observed - count * expected)[likely] ** 2 / (count * expected)[likely]).sum()
    # The 0.9999 quantile of chi-square with 12 degrees of freedom.
    assert statistic < 39.1


@pytest.mark.parametrize("members", CASES, ids=str)
def test_logprobs_are_the_model_s_own(members):
    draws = torch.linspace(0, 0.999, 50)
    tokens, logprobs = choose(LOGITS.expand(50, -1), Parameters(**members), draws)
    assert torch.allclose(logprobs, LOGITS.log_softmax(0)[tokens], atol=1e-6)


def test_without_a_draw_the_likeliest():
    logits = torch.stack((LOGITS, -LOGITS, 1000 * LOGITS))
    tokens, logprobs = choose(logits, Parameters(temperature=0), None)
    assert torch.equal(tokens, logits.argmax(1))
    assert torch.allclose(logprobs, logits.log_softmax(1).max(1).values, atol=1e-5)


@pytest.mark.parametrize("draw", [0.0, 2**-24, 0.5, 1 - 2**-24])
@pytest.mark.parametrize("members", CASES, ids=str)
def test_what_is_impossible_is_never_drawn(members, draw):
    logits = LOGITS.clone()
    logits[[0, 1, 5, 11, 12]] = -torch.inf
    tokens, logprobs = choose(logits[None], Parameters(**members), torch.tensor([draw]))
    assert int(tokens) not in (0, 1, 5, 11, 12)
    assert torch.isfinite(logprobs).all()


@pytest.mark.parametrize(
    "members",
    [{"temperature": 1e-30}, {"temperature": 1e-40}, {"temperature": 5e-324}, {"top_p": 1e-46}],
    ids=str,
)
def test_what_is_tiny_is_nearly_greedy(members):
    draws = torch.linspace(0, 0.999, 50)
    # As workers compute.
    torch.set_flush_denormal(True)
    try:
        tokens, logprobs = choose(LOGITS.expand(50, -1), Parameters(**members), draws)
    finally:
        torch.set_flush_denormal(False)
    assert set(tokens.tolist()) == {int(LOGITS.argmax())}
    assert torch.isfinite(logprobs).all()


def test_a_temperature_beyond_single_precision_is_even_over_what_is_possible():
    logits = LOGITS.clone()
    logits[[0, 12]] = -torch.inf
    tokens, logprobs = choose(
        logits.expand(50, -1), Parameters(temperature=1e300), torch.linspace(0, 0.999, 50)
    )
    assert set(tokens.tolist()) == set(range(1, 12))
    assert torch.isfinite(logprobs).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"topK": -1},
        {"topK": 1.5},
        {"topP": 0},
        {"topP": 1.1},
        {"minP": 2},
        {"stopTokens": [1.5]},
        {"stopTokens": [-1]},
        {"stopTokens": 3},
        {"stopStrings": [""]},
        {"stopStrings": ["a", 1]},
        {"topLogprobs": VOCABULARY + 1},
        {"topLogprobs": -1},
        {"topLogprobs": "2"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_a_bad_request(wrong):
    with pytest.raises(EngineError) as caught:
        Parameters.read(wrong, VOCABULARY)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize("vocabulary", [1024, 1025, 1279, 1536, 5000])
def test_a_large_vocabulary_is_inverted_exactly(vocabulary):
    random = np.random.default_rng(vocabulary)
    logits = torch.tensor(random.normal(size=vocabulary) * 4, dtype=torch.float32)
    logits[random.integers(0, vocabulary, vocabulary // 3)] = -torch.inf
    sums = np.cumsum(np.exp(logits.double().numpy()))
    draws = np.concatenate(([0.0, 1 - 2**-24], random.random(2000))).astype(np.float32)
    tokens, logprobs = choose(logits.expand(len(draws), -1), Parameters(), torch.from_numpy(draws))
    expected = np.searchsorted(sums, draws.astype(np.float64) * sums[-1], side="right")
    # Single precision puts a draw on the other side of a boundary now and then, and never on what is
    # impossible.
    edges = sums[np.minimum(tokens.numpy(), expected)]
    near = np.abs(edges / sums[-1] - draws) < 1e-6
    assert ((tokens.numpy() == expected) | near).all()
    assert (tokens.numpy() == expected).mean() > 0.99
    assert torch.isfinite(logprobs).all()
    assert np.allclose(logprobs, logits.log_softmax(0)[tokens], atol=1e-5)


@pytest.mark.parametrize("vocabulary", [13, 1023, 1024, 1025, 1279, 49152])
def test_the_likeliest_of_many_is_the_first_of_the_highest(vocabulary):
    random = np.random.default_rng(vocabulary)
    # Whole numbers: many are equal.
    logits = torch.tensor(random.integers(-30, 4, (40, vocabulary)), dtype=torch.float32)
    logits[0] = -torch.inf
    logits[0, -1] = 1
    tokens, logprobs = choose(logits, Parameters(temperature=0), None)
    assert np.array_equal(tokens, logits.numpy().argmax(1))
    assert torch.allclose(logprobs, logits.log_softmax(1).amax(1), atol=1e-5)


@pytest.mark.parametrize("vocabulary", [13, 1300])
def test_what_weighs_nothing_at_the_end_is_never_chosen(vocabulary):
    logits = torch.full((1, vocabulary), -torch.inf)
    logits[0, 2:7] = torch.tensor([0.3, 0.1, 0.2, 0.7, 0.9])
    for parameters in (Parameters(), Parameters(temperature=0.5)):
        # The largest draw that there is.
        tokens, _ = choose(logits, parameters, torch.tensor([1 - 2**-24]))
        assert int(tokens) == 6


def test_no_more_of_the_most_probable_are_told_than_there_are_or_than_it_tells():
    assert Parameters.read({"topLogprobs": 13}, 13).top == 13
    assert Parameters.read({"topLogprobs": 64}, 1000).top == 64
    with pytest.raises(EngineError, match="at most 64"):
        Parameters.read({"topLogprobs": 65}, 1000)


@pytest.mark.parametrize("vocabulary", [VOCABULARY, 1300])
@pytest.mark.parametrize("temperatures", [(0, 0, 0), (1, 1, 1), (0, 1, 0.3)])
def test_of_logits_in_bf16_it_chooses_and_tells_what_it_does_of_their_fp32(
    monkeypatch, vocabulary, temperatures
):
    monkeypatch.setattr(choice_module, "TOGETHER", 2 * vocabulary)
    monkeypatch.setattr(choice_module, "GREEDY_IN_BF16", 2 * vocabulary)
    generator = torch.Generator().manual_seed(vocabulary)
    logits = (torch.randn(3, vocabulary, generator=generator) * 4).bfloat16()
    before, draws = logits.clone(), torch.rand(3, generator=generator)
    choice = Choice([Parameters(temperature=one) for one in temperatures], vocabulary)
    tokens, logprobs = choice.choose(logits, draws)
    expected_tokens, expected = choice.choose(logits.float(), draws)
    assert torch.equal(tokens, expected_tokens)
    assert logprobs.dtype == torch.float32
    torch.testing.assert_close(logprobs, expected, rtol=0, atol=2e-6)
    exact = logits.double().log_softmax(1).gather(1, tokens[:, None])[:, 0]
    torch.testing.assert_close(logprobs.double(), exact, rtol=0, atol=1e-5)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("few", [1, 3, 64])
@pytest.mark.parametrize("together", [1, 5 * VOCABULARY, 2**18])
def test_filters_of_every_kind_in_one_batch_choose_as_alone(monkeypatch, few, together):
    monkeypatch.setattr(choice_module, "FEW", few)
    monkeypatch.setattr(choice_module, "TOGETHER", together)
    kinds = [Parameters(**members) for members in CASES] + [Parameters(temperature=0)]
    random = np.random.default_rng(5)
    logits = torch.tensor(random.normal(size=(20 * len(kinds), VOCABULARY)) * 2, dtype=torch.float32)
    draws = torch.tensor(random.random(len(logits)), dtype=torch.float32)
    mixed = [kinds[row % len(kinds)] for row in range(len(logits))]
    tokens, logprobs = Choice(mixed, VOCABULARY).choose(logits, draws)
    for row, parameters in enumerate(mixed):
        draw = draws[row : row + 1] if parameters.temperature > 0 else None
        token, logprob = choose(logits[row : row + 1], parameters, draw)
        assert (int(token), float(logprob)) == (
            int(tokens[row]),
            pytest.approx(float(logprobs[row]), abs=1e-6),
        )


def test_a_draw_at_the_edge_of_a_block_is_not_put_on_what_weighs_nothing():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        weights = torch.rand(1, 2048, generator=generator)
        weights[:, :: choice_module.BLOCK] = 0
        blocks = weights.unflatten(1, (-1, choice_module.BLOCK)).sum(2).cumsum(1)
        edges = (blocks[:, :-1] / blocks[:, -1:] * 2**24).round()
        draws = torch.cat([edges + away for away in range(-3, 4)], 1).view(-1, 1) * 2**-24
        tokens = choice_module._invert(weights.expand(len(draws), -1), draws)
        assert float(weights[0, tokens[:, 0]].min()) > 0


def test_what_is_far_below_the_likeliest_weighs_nothing_and_keeps_its_logprob():
    logits = torch.tensor([[0.0, -86.0, -88.0, -300.0, -torch.inf]])
    weights = weights_to_draw_by(exponentials(logits.clone()))
    assert (weights > 0).tolist() == [[True, True, False, False, False]]
    assert target_logprobs(logits.clone(), torch.tensor([3])).tolist() == [-300.0]
    spread = torch.full((1, 2048), -300.0)
    spread[0, 0], spread[0, -1], spread[0, 1000] = -torch.inf, -torch.inf, 0
    for parameters in (Parameters(), Parameters(temperature=0.01)):
        for draw in (0.0, 1 - 2.0**-24):
            tokens, logprobs = choose(spread, parameters, torch.tensor([draw]))
            assert (tokens.tolist(), logprobs.tolist()) == ([1000], [0.0])
