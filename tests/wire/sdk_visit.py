"""What the SDK's story is told with, and its parts in which somebody waits, is idle, or dies."""

import time
from collections.abc import Callable

import numpy as np
import tinker
from tinker import types

BASE = 3  # the first id that is a letter
TOLERANCE = 2e-4


def datum(tokens: list[int], **inputs: object) -> types.Datum:
    """Each token predicts the next one; inputs are as long as the predictions."""
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={"target_tokens": tokens[1:], **inputs},
    )


def weighted(tokens: list[int], weight: float = 1.0) -> types.Datum:
    return datum(tokens, weights=[weight] * (len(tokens) - 1))


def logprobs_of(result: types.ForwardBackwardOutput) -> list[np.ndarray]:
    return [np.asarray(output["logprobs"].data) for output in result.loss_fn_outputs]


def refused(what: str, category: str, call: Callable[[], object]) -> str:
    """The operation fails with that category; returns what was said."""
    try:
        call()
    except tinker.RequestFailedError as error:
        assert error.category.value.lower() == category, f"{what}: {error.category} instead of {category}"
        return str(error)
    except (tinker.BadRequestError, tinker.NotFoundError) as error:
        assert category == "user", f"{what}: {error}"
        return str(error)
    raise AssertionError(f"{what} was not refused")


class Visit:
    """A client of the server, and what it trains on."""

    client: tinker.TrainingClient

    def __init__(self, url: str, key: str, model: str) -> None:
        self.url, self.key, self.model = url, key, model
        self.service = tinker.ServiceClient(base_url=url, api_key=key)
        self.texts = [[3, 7, 11, 4, 9, 30], [5, 5, 8], [20, 21, 22, 23]]

    def train(self, client: tinker.TrainingClient, steps: int, rate: float = 0.05) -> list[float]:
        losses = []
        for _ in range(steps):
            passed = client.forward_backward([weighted(text) for text in self.texts], "cross_entropy")
            stepped = client.optim_step(types.AdamParams(learning_rate=rate))
            losses.append(passed.result().metrics["loss:sum"])
            assert stepped.result().metrics["grad_norm:mean"] > 0
        return losses

    def idle(self) -> None:
        """A client of another session that nobody uses from now on: only the SDK's heartbeat is heard."""
        said = {"try": 1}
        service = tinker.ServiceClient(base_url=self.url, api_key=self.key, user_metadata=said)
        self.idler = service.create_lora_training_client(
            self.model, rank=0, seed=3, user_metadata=said
        ).result()
        # The SDK reads texts alone, and would refuse the whole answer; that of all runs too, later on.
        rest = tinker.RestClient(base_url=self.url, api_key=self.key)
        session = rest.get_session(self.idler.model_id.split(":")[0]).result()
        assert session.user_metadata == {"try": "1"}, session
        self.idle_since = time.monotonic()

    def copies(self, sampler: tinker.SamplingClient) -> None:
        """Of a sampler, as other processes are handed them: they count their draws beyond 2^53."""
        prompt = types.ModelInput.from_ints(self.texts[0])
        expected = sampler.compute_logprobs(prompt).result()[1:]
        copy = tinker.SamplingClient.from_sampler_handle(sampler.get_sampler_handle(), api_key=self.key)
        draws = [copy.compute_logprobs(prompt) for _ in range(2)]
        for draw in draws:
            assert np.allclose(draw.result()[1:], expected, atol=TOLERANCE)

    def still_there(self, silence: float) -> None:
        """Longer than the server waits for who says nothing."""
        time.sleep(max(0.0, silence + 1.5 - (time.monotonic() - self.idle_since)))
        assert self.train(self.idler, 1)

    def waiting(self, poll: float, clip: float) -> None:
        """The server holds a poll for a while and says 408; the SDK asks again until the step is done."""
        begun = time.monotonic()
        slow = self.client.optim_step(types.AdamParams(learning_rate=0.0, grad_clip_norm=clip))
        behind = self.client.forward([weighted(self.texts[0])], "cross_entropy")
        assert slow.result().metrics["step:max"] > 0
        assert time.monotonic() - begun > 2 * poll, "the step took less than two polls"
        assert behind.result().metrics["loss:sum"] > 0

    def broken(self, clip: float) -> None:
        """What is the server's fault is said, and what comes after it runs."""
        said = refused(
            "a step whose engine died",
            "server",
            lambda: self.client.optim_step(types.AdamParams(learning_rate=0.0, grad_clip_norm=clip)).result(),
        )
        assert "died" in said, said
        assert self.train(self.client, 1)
