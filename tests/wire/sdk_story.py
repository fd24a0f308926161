"""
The unmodified Tinker SDK against a server: `sdk_story.py URL KEY MODEL short|full FACTS`. Prints one line a
part, `told` at the end, and a traceback where the server breaks its promise. FACTS is a JSON object with the
engine's `topLogprobs` and `loraRank`; with `silence` and `poll`, the server's times in seconds; and with
`slow` and `broken`, the clips of a gradient at which a step takes several polls, and at which an engine dies.
"""

import asyncio
import json
import math
import sys
import time
from collections.abc import Callable

import numpy as np
import tinker
import torch
from sdk_visit import BASE, TOLERANCE, Visit, datum, logprobs_of, refused, weighted
from tinker import types


class Story(Visit):
    def capabilities(self) -> None:
        models = tinker.RestClient(base_url=self.url, api_key=self.key).get_server_capabilities().result()
        models = models.supported_models
        assert [one.model_name for one in models] == [self.model], models
        assert models[0].max_context_length == 256

    def create(self) -> None:
        self.client = self.service.create_lora_training_client(self.model, rank=0, seed=3).result()
        info = self.client.get_info()
        assert info.is_lora is False, info
        assert info.model_name == self.model
        text = "hello 42."
        tokenizer = self.client.get_tokenizer()
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text

    def passes(self) -> None:
        data = [weighted(text) for text in self.texts]
        forward = self.client.forward(data, "cross_entropy").result()
        sums = [-float(values.sum()) for values in logprobs_of(forward)]
        assert [len(values) for values in logprobs_of(forward)] == [5, 2, 3]
        assert math.isclose(forward.metrics["loss:sum"], sum(sums), rel_tol=1e-4)
        backward = self.client.forward_backward(data, "cross_entropy").result()
        assert math.isclose(backward.metrics["loss:sum"], forward.metrics["loss:sum"], rel_tol=1e-4)
        self.client.optim_step(types.AdamParams(learning_rate=1e-9)).result()
        losses = self.train(self.client, 5)
        assert losses[-1] < losses[0], losses

    def chunks(self) -> None:
        """More examples than one request holds: chunks are sent at once, the first of them last."""
        data = [weighted(self.texts[index % 3]) for index in range(1500)]
        result = self.client.forward(data, "cross_entropy").result()
        assert len(result.loss_fn_outputs) == 1500
        one = self.client.forward(data[:3], "cross_entropy").result()
        assert math.isclose(result.metrics["loss:sum"], 500 * one.metrics["loss:sum"], rel_tol=1e-4)

    def custom(self) -> None:
        """A loss of the client's own equals the named one."""

        def negative(
            _: list[types.Datum], logprobs: list[torch.Tensor]
        ) -> tuple[torch.Tensor, dict[str, float]]:
            loss = -torch.stack([values.sum() for values in logprobs]).sum()
            return loss, {"mine:sum": float(loss)}

        data = [weighted(text) for text in self.texts]
        own = self.client.forward_backward_custom(data, negative).result()
        by_own = self.client.optim_step(types.AdamParams(learning_rate=0.0)).result()
        named = self.client.forward_backward(data, "cross_entropy").result()
        by_name = self.client.optim_step(types.AdamParams(learning_rate=0.0)).result()
        assert own.metrics["mine:sum"] > 0
        assert math.isclose(own.metrics["loss:sum"], named.metrics["loss:sum"], rel_tol=1e-4)
        assert math.isclose(by_own.metrics["grad_norm:mean"], by_name.metrics["grad_norm:mean"], rel_tol=1e-3)

    def policy_losses(self) -> None:
        text = self.texts[0]
        [old] = logprobs_of(self.client.forward([weighted(text)], "cross_entropy").result())
        advantages = [1.0, -1.0, 0.5, 0.0, 2.0]
        one = datum(text, logprobs=old.tolist(), advantages=advantages)
        # Where the policy is still the one that sampled, all have one gradient, and values of two kinds.
        surrogate = -sum(advantages)
        weighed = -sum(advantage * logprob for advantage, logprob in zip(advantages, old, strict=True))
        losses = {
            "importance_sampling": (None, surrogate),
            "ppo": ({"clip_low_threshold": 0.9}, surrogate),
            "cispo": ({"clip_high_threshold": 2.0}, weighed),
            "dro": ({"beta": 0.1}, weighed),
            "gspo": ({"clip_low_threshold": 0.9, "clip_high_threshold": 1.1}, surrogate),
        }
        norms = []
        for loss, (config, expected) in losses.items():
            result = self.client.forward_backward([one], loss, config).result()
            found = result.metrics["loss:sum"]
            assert math.isclose(found, expected, rel_tol=1e-3, abs_tol=1e-2), (loss, found, expected)
            adam = types.AdamParams(learning_rate=0.0, grad_clip_norm=1.0)
            norms.append(self.client.optim_step(adam).result().metrics["grad_norm:mean"])
        assert norms[0] > 0 and np.allclose(norms, norms[0], rtol=1e-3), dict(zip(losses, norms, strict=True))

    def inflight(self) -> None:
        """All samplers of that kind have the newest weights that were published."""
        text = self.texts[0]
        prompt = types.ModelInput.from_ints(text)

        def trained() -> np.ndarray:
            return logprobs_of(self.client.forward([weighted(text)], "cross_entropy").result())[0]

        first = self.client.save_weights_and_get_sampling_client(kind="inflight").result()
        before = trained()
        assert np.allclose(first.compute_logprobs(prompt).result()[1:], before, atol=TOLERANCE)
        self.train(self.client, 1)
        second = self.client.save_weights_and_get_sampling_client(kind="inflight").result()
        after = trained()
        assert not np.allclose(after, before, atol=TOLERANCE)
        for sampler in (first, second):
            assert np.allclose(sampler.compute_logprobs(prompt).result()[1:], after, atol=TOLERANCE)

    def samplers(self) -> None:
        named = self.client.save_weights_for_sampler("named").result()
        assert named.path.endswith("/sampler_weights/named"), named.path
        by_path = self.service.create_sampling_client(model_path=named.path).result()
        ephemeral = self.client.save_weights_and_get_sampling_client().result()
        text = self.texts[0]
        [trainer] = logprobs_of(self.client.forward([weighted(text)], "cross_entropy").result())
        for sampler in (by_path, ephemeral):
            prompt = types.ModelInput.from_ints(text)
            scored = sampler.compute_logprobs(prompt).result()
            assert scored[0] is None or math.isnan(scored[0])
            assert np.allclose(scored[1:], trainer, atol=TOLERANCE), (scored, trainer)
        self.sampler = ephemeral
        self.train(self.client, 1)
        still = ephemeral.compute_logprobs(types.ModelInput.from_ints(text)).result()
        assert np.allclose(still[1:], trainer, atol=TOLERANCE), "a snapshot moved"
        self.copies(ephemeral)
        base = self.service.create_sampling_client(base_model=self.model).result()
        assert base.sample(types.ModelInput.from_ints(text), 1, types.SamplingParams(max_tokens=2)).result()

    def sampling(self) -> None:
        prompt = types.ModelInput.from_ints(self.texts[0][:3])

        def draw(samples: int = 1, **settings: object) -> list[types.SampledSequence]:
            parameters = types.SamplingParams(**{"max_tokens": 12, "stop": [], **settings})
            return self.sampler.sample(prompt, samples, parameters).result().sequences

        free = draw(3, seed=7)
        assert [len(one.tokens) for one in free] == [12, 12, 12]
        assert all(one.stop_reason == "length" and len(one.logprobs) == 12 for one in free)
        assert [one.tokens for one in draw(3, seed=7)] == [one.tokens for one in free]
        assert [one.tokens for one in draw(3, seed=8)] != [one.tokens for one in free]
        # A sharp model says its favourite a third of the time.
        unseeded = {tuple(draw()[0].tokens) for _ in range(16)}
        assert len(unseeded) > 1, "without a seed samples are equal"
        stop = free[0].tokens[4]
        [stopped] = draw(1, seed=7, stop=[stop])
        assert stopped.tokens == free[0].tokens[: free[0].tokens.index(stop) + 1]
        assert stopped.stop_reason == "stop"
        tokenizer = self.client.get_tokenizer()
        letters = [token for token in free[0].tokens if token >= BASE]
        text = tokenizer.decode(letters[2:4])
        for form in (text, [text]):
            [by_text] = draw(1, seed=7, stop=form)
            assert by_text.stop_reason == "stop"
            assert tokenizer.decode(by_text.tokens, skip_special_tokens=True).endswith(text)
        greedy = [draw(1, temperature=0.0, seed=seed)[0].tokens for seed in (1, 2)]
        assert greedy[0] == greedy[1]
        assert draw(1, top_k=1, seed=5)[0].tokens == greedy[0]
        assert draw(1, top_p=1e-6, seed=5)[0].tokens == greedy[0]
        # The longest there is: its last token has no position of its own.
        [scored] = draw(1, seed=9, max_tokens=None)
        assert len(scored.tokens) == 256 - 3 + 1
        whole = types.ModelInput.from_ints(self.texts[0][:3] + scored.tokens)
        again = self.sampler.compute_logprobs(whole).result()[3:]
        assert np.allclose(scored.logprobs, again, atol=TOLERANCE), "sampled and recomputed logprobs differ"

    def at_once(self) -> None:
        async def all_of_them() -> list[types.SampleResponse]:
            prompts = [types.ModelInput.from_ints([3 + index % 40]) for index in range(64)]
            settings = types.SamplingParams(max_tokens=4, seed=1, stop=[])
            return await asyncio.gather(*(self.sampler.sample(one, 2, settings) for one in prompts))

        assert all(len(response.sequences) == 2 for response in asyncio.run(all_of_them()))

    def top(self, has: bool) -> None:
        prompt = types.ModelInput.from_ints(self.texts[0])
        settings = types.SamplingParams(max_tokens=2, seed=1, stop=[])

        def ask() -> types.SampleResponse:
            return self.sampler.sample(
                prompt, 1, settings, include_prompt_logprobs=True, topk_prompt_logprobs=5
            ).result()

        if not has:
            said = refused("the most probable tokens", "user", ask)
            assert "most probable" in said, said
            return
        response = ask()
        found = response.topk_prompt_logprobs
        assert len(found) == len(self.texts[0])
        assert found[0] is None
        for place in range(1, len(found)):
            rows = found[place]
            assert len(rows) == 5
            values = [logprob for _, logprob in rows]
            assert values == sorted(values, reverse=True)
            for token, logprob in rows:
                if token == self.texts[0][place]:
                    assert math.isclose(logprob, response.prompt_logprobs[place], abs_tol=TOLERANCE)

        end = self.sampler.sample(
            prompt,
            1,
            settings,
            include_prompt_logprobs=True,
            topk_prompt_logprobs=5,
            topk_sample_logprobs=3,
            prompt_logprobs_last_n=2,
        ).result()
        unasked = len(self.texts[0]) - 2
        assert end.prompt_logprobs[:unasked] == [None] * unasked
        assert end.topk_prompt_logprobs[:unasked] == [None] * unasked, end.topk_prompt_logprobs
        assert np.allclose(end.prompt_logprobs[unasked:], response.prompt_logprobs[unasked:], atol=TOLERANCE)
        assert np.allclose(end.topk_prompt_logprobs[unasked:], found[unasked:], atol=TOLERANCE)
        [drawn] = end.sequences
        assert len(drawn.tokens) == len(drawn.topk_logprobs) == 2
        for token, logprob, rows in zip(drawn.tokens, drawn.logprobs, drawn.topk_logprobs, strict=True):
            assert len(rows) == 3
            assert rows[0][1] >= rows[1][1] >= rows[2][1]
            assert logprob <= rows[0][1] + TOLERANCE
            if token in dict(rows):
                assert math.isclose(dict(rows)[token], logprob, abs_tol=TOLERANCE)

    def checkpoints(self) -> None:
        saved = self.client.save_state("first", ttl_seconds=3600).result()
        assert saved.path.endswith("/weights/first"), saved.path
        text = weighted(self.texts[0])
        before = logprobs_of(self.client.forward([text], "cross_entropy").result())[0]
        whole = self.service.create_training_client_from_state_with_optimizer(saved.path).result()
        fresh = self.service.create_training_client_from_state(saved.path).result()
        # As older programs do it, into a client that there is.
        replaced = self.service.create_lora_training_client(self.model, rank=0, seed=9).result()
        replaced.load_state_with_optimizer(saved.path).result()
        for client in (whole, fresh, replaced):
            assert np.allclose(
                logprobs_of(client.forward([text], "cross_entropy").result())[0], before, atol=1e-5
            )
        moved = []
        for client in (self.client, whole, fresh, replaced):
            client.optim_step(types.AdamParams(learning_rate=0.05, eps=1e-2)).result()
            moved.append(logprobs_of(client.forward([text], "cross_entropy").result())[0])
        for one in (moved[1], moved[3]):
            assert np.allclose(moved[0], one, atol=TOLERANCE), "the optimiser was not loaded"
        assert np.allclose(moved[2], before, atol=1e-5), "a step without a gradient or moments moved weights"
        assert not np.allclose(moved[0], before, atol=TOLERANCE)

        rest = tinker.RestClient(base_url=self.url, api_key=self.key)
        run = self.client.model_id
        info = rest.get_weights_info_by_tinker_path(saved.path).result()
        assert (info.base_model, info.is_lora) == (self.model, False)
        listed = {one.tinker_path: one for one in rest.list_checkpoints(run).result().checkpoints}
        assert saved.path in listed, listed
        assert listed[saved.path].checkpoint_type == "training"
        assert listed[saved.path].size_bytes > 0
        assert listed[saved.path].expires_at is not None
        everything = rest.list_user_checkpoints().result()
        assert saved.path in [one.tinker_path for one in everything.checkpoints]
        assert rest.get_training_run(run).result().base_model == self.model
        assert run in [one.training_run_id for one in rest.list_training_runs().result().training_runs]
        refused("a name that is taken", "user", lambda: self.client.save_state("first").result())
        refused("a path for a name", "user", lambda: self.client.save_state("../../up").result())
        again = self.client.save_state("first", overwrite=True).result()
        assert again.path == saved.path
        rest.set_checkpoint_ttl_from_tinker_path(saved.path, 1).result()
        deadline = time.monotonic() + 20
        while saved.path in [one.tinker_path for one in rest.list_checkpoints(run).result().checkpoints]:
            assert time.monotonic() < deadline, "a checkpoint outlives its time"
            time.sleep(0.2)
        gone = self.client.save_state("second").result()
        rest.delete_checkpoint_from_tinker_path(gone.path).result()
        refused(
            "a deleted checkpoint",
            "user",
            lambda: self.service.create_training_client_from_state(gone.path).result(),
        )
        refused(
            "its deletion again", "user", lambda: rest.delete_checkpoint_from_tinker_path(gone.path).result()
        )

    def refusals(self) -> None:
        good = self.texts[0]
        cases = {
            "an unknown loss": lambda: self.client.forward_backward([weighted(good)], "stable_reinforce"),
            "an unknown setting": lambda: self.client.forward_backward(
                [weighted(good)], "ppo", {"clip": 1.0}
            ),
            "weights that are too few": lambda: self.client.forward_backward(
                [datum(good, weights=[1.0])], "cross_entropy"
            ),
            "a token outside the vocabulary": lambda: self.client.forward_backward(
                [weighted([3, 4, 5000])], "cross_entropy"
            ),
            "advantages that are missing": lambda: self.client.forward_backward(
                [datum(good, logprobs=[0.0] * 5)], "importance_sampling"
            ),
            "integers for weights": lambda: self.client.forward_backward(
                [datum(good, weights=np.ones(5, dtype=np.int64))], "cross_entropy"
            ),
            "a rate that is negative": lambda: self.client.optim_step(types.AdamParams(learning_rate=-1.0)),
        }
        for what, call in cases.items():
            said = refused(what, "user", lambda call=call: call().result())
            assert len(said) > 20, said
        refused(
            "an unknown model",
            "user",
            lambda: self.service.create_lora_training_client("org/none", rank=0).result(),
        )
        refused(
            "an unknown path",
            "user",
            lambda: self.service.create_sampling_client(
                model_path="tinker://none/sampler_weights/none"
            ).result(),
        )
        rest = tinker.RestClient(base_url=self.url, api_key=self.key)
        named = self.client.save_state("for-nobody").result().path
        for what, call in {
            "what it cost": lambda: rest.get_billing_usage("2026-01-01", "2026-02-01"),
            "a copy in a project": lambda: rest.copy_weights(named, "project"),
        }.items():
            assert "This server" in refused(what, "user", lambda call=call: call().result())
        # What failed used its numbers up, and nothing else.
        assert self.train(self.client, 1)
        try:
            tinker.RestClient(base_url=self.url, api_key="tml-wrong").get_server_capabilities().result()
        except tinker.AuthenticationError:
            pass
        else:
            raise AssertionError("a wrong key was taken")

    def adapters(self, rank: int) -> None:
        if rank == 0:
            said = refused(
                "adapters",
                "user",
                lambda: self.service.create_lora_training_client(self.model, rank=8).result(),
            )
            assert "rank 0" in said, said
            return
        client = self.service.create_lora_training_client(self.model, rank=8, seed=1).result()
        info = client.get_info()
        assert (info.is_lora, info.lora_rank) == (True, 8)
        losses = self.train(client, 4)
        assert losses[-1] < losses[0]
        saved = client.save_state("adapter").result()
        assert self.service.create_training_client_from_state(saved.path).result().get_info().lora_rank == 8

    def close(self) -> None:
        """Programs end so; what they held is freed, and asked for again it is gone."""
        self.service.close("success").result()
        rest = tinker.RestClient(base_url=self.url, api_key=self.key)
        sessions = rest.list_sessions().result().sessions
        assert self.client.model_id.split(":")[0] not in sessions, sessions


def main() -> None:
    url, key, model, length, facts = sys.argv[1:]
    known = json.loads(facts)
    story = Story(url, key, model)
    parts: list[tuple[str, Callable[[], None]]] = [
        ("capabilities", story.capabilities),
        ("create", story.create),
        ("passes", story.passes),
        ("custom", story.custom),
        ("waiting", lambda: story.waiting(known["poll"], known["slow"])),
        ("broken", lambda: story.broken(known["broken"])),
        ("samplers", story.samplers),
        ("inflight", story.inflight),
        ("sampling", story.sampling),
        ("top", lambda: story.top(known["topLogprobs"] > 0)),
        ("checkpoints", story.checkpoints),
        ("adapters", lambda: story.adapters(known["loraRank"])),
        ("chunks", story.chunks),
        ("policy losses", story.policy_losses),
    ]
    if length == "full":
        parts.insert(0, ("idle", story.idle))
        parts += [
            ("at once", story.at_once),
            ("refusals", story.refusals),
            ("still there", lambda: story.still_there(known["silence"])),
        ]
    parts.append(("close", story.close))
    for name, part in parts:
        begun = time.monotonic()
        part()
        print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)
    print("told")


main()
