"""The verbs. One worker holds models and samplers. Requests to sample join what is sampled, a token at a
time; every other request runs by itself, between two tokens."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from . import __version__
from .adapters import Adapters, adapter_of
from .base import Bases
from .choice import read_top
from .config import ARCHITECTURES, PLAIN_ARCHITECTURES
from .device import choose_device, device, on_host, pass_bytes, use_device
from .errors import EngineError, bad_request, of_exception
from .features import gradient_features
from .frames import UNREAD, Arrays, Head
from .held_model import HeldModel, Reply
from .helpers import THERE, Helper
from .limits import limit_memory
from .lora import Lora
from .merge import merge
from .passes import MICRO_BYTES
from .plain.library import use_packages
from .precision import native_bf16
from .request import answerable, array, members, text, whole
from .rows import Request, parameters_of
from .sampler import Sampler
from .scores import certainty, embed, score
from .snapshot import Snapshot
from .trainer import Trainer
from .weights import read_model


class Worker:
    """State and verbs of one process."""

    def __init__(self) -> None:
        self.incarnation = uuid4().hex[:12]
        self.busy = 0.0
        self.models: dict[str, HeldModel] = {}
        self.samplers: dict[str, Sampler] = {}
        self.sampling: dict[int, tuple[Head, Request, Sampler]] = {}
        """Requests that are sampled, in the order in which they came."""
        self.bases = Bases()
        self.pass_bytes = MICRO_BYTES
        self.helpers: list[Helper] = []
        self.counts = {"tokensSampled": 0, "tokensTrained": 0, "optimizerSteps": 0}

    def answer(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        """Replies to requests, whatever they wait for."""
        replies = list(self.receive(requests))
        while self.busy_sampling:
            replies += self.step()
        order = [head.get("id") for head, _ in requests]
        return sorted(replies, key=lambda reply: order.index(reply[0]["id"]))

    def receive(self, requests: list[tuple[Head, Arrays]]) -> Iterator[Reply]:
        """Runs requests; those to sample are answered by `step`."""
        joining: dict[int, tuple[Sampler, list[Request]]] = {}
        for head, arrays in requests:
            begun = time.perf_counter()
            try:
                if UNREAD in head:
                    raise MemoryError
                if head.get("verb") == "sample":
                    sampler, request = self._request(head, arrays)
                    self.sampling[id(request)] = head, request, sampler
                    joining.setdefault(id(sampler), (sampler, []))[1].append(request)
                    continue
                verb = VERBS.get(str(head.get("verb")))
                if verb is None:
                    raise bad_request(f"there is no verb {head.get('verb')!r}")
                result, out = verb(self, head, arrays)
                answerable(out)
            except Exception as error:
                yield self._fault(head, error, begun)
            else:
                yield self._reply(head, result, out, begun)
        for sampler, together in joining.values():
            sampler.enqueue(together)

    @property
    def busy_sampling(self) -> bool:
        return bool(self.sampling)

    def step(self) -> list[Reply]:
        """One token of everything that is sampled; replies to the requests that are done."""
        replies: list[Reply] = []
        for sampler in self._writing():
            others = sum(other.bytes for other in self._caches() if other is not sampler)
            begun = time.perf_counter()
            done = sampler.step(others)
            self.busy += time.perf_counter() - begun
            for request in done:
                head, _, _ = self.sampling.pop(id(request))
                if head.get("forget") is True:
                    sampler.prefixes.shrink(0)
                begun = time.perf_counter()
                try:
                    out = answerable(request.arrays())
                except Exception as error:
                    replies.append(self._fault(head, error, begun))
                else:
                    self.counts["tokensSampled"] += len(out["tokens"])
                    replies.append(self._reply(head, {}, out, begun))
            self._release(sampler)
        return replies

    def _writing(self) -> list[Sampler]:
        """The samplers whose turn it is: all that are asked; but where the first request is not to depend on
        what others have of the memory for keys and values, its sampler alone."""
        asked = list({id(sampler): sampler for _, _, sampler in self.sampling.values()}.values())
        head, _, _ = next(iter(self.sampling.values()))
        return asked[:1] if head.get("forget") is True else asked

    def _caches(self) -> list[Sampler]:
        held = [*self.samplers.values(), *(sampler for _, _, sampler in self.sampling.values())]
        return list({id(sampler): sampler for sampler in held}.values())

    def _release(self, sampler: Sampler) -> None:
        """Its snapshot needs its trainer's memory no longer, once nobody can sample from it or does."""
        if all(sampler is not other for other in self._caches()):
            for held in self.models.values():
                held.trainer.release(sampler.snapshot)

    def _request(self, head: Head, arrays: Arrays) -> tuple[Sampler, Request]:
        sampler = self._sampler(head)
        parameters = parameters_of(head, sampler.snapshot.architecture.config.vocabulary)
        if sampler.token_bytes is None and any(one.stop_strings for one in parameters):
            raise bad_request("stop strings need the tokens' bytes, which the model was created without")
        if head.get("forget") is True:
            sampler.prefixes.shrink(0)
        return sampler, Request(arrays, parameters, sampler.snapshot)

    def _fault(self, head: Head, error: Exception, begun: float) -> Reply:
        named = of_exception(error)
        if named.category == "internal":
            sys.excepthook(type(error), error, error.__traceback__)
        fault = {
            "code": named.code,
            "category": named.category,
            "message": str(named),
            "details": named.details,
        }
        return self._reply(head, {"error": fault}, {}, begun, ok=False)

    def _reply(self, request: Head, result: Head, arrays: Arrays, begun: float, *, ok: bool = True) -> Reply:
        self.busy += time.perf_counter() - begun
        return {
            "id": request.get("id"),
            "incarnation": self.incarnation,
            "busySeconds": self.busy,
            "ok": ok,
            **result,
        }, arrays

    def hello(self, head: Head, _: Arrays) -> Reply:
        if head.get("protocol") != 1:
            raise bad_request(f"this worker speaks protocol 1, not {head.get('protocol')!r}")
        chosen = self._chosen(str(head.get("device") or "auto"))
        torch.set_num_threads(max(1, whole(head, "threads", 1)))
        torch.set_flush_denormal(True)
        self.pass_bytes = pass_bytes(min(MICRO_BYTES, whole(head, "passBytes", MICRO_BYTES)))
        # A driver of GPUs reserves far more of the process's memory than it uses.
        limit_memory(whole(head, "memoryBytes", 0) if on_host() else 0)
        self._be_helped(whole(head, "helpers", 0))
        rounded = "bf16" if native_bf16() else "fp32"
        versions = {"torch": torch.__version__, "python": platform.python_version(), "package": __version__}
        return {
            "protocol": 1,
            "versions": versions,
            "device": chosen.type,
            "architectures": [*ARCHITECTURES, *PLAIN_ARCHITECTURES],
            "arithmetic": {"fp32": "fp32", "mixed": rounded, "bf16": rounded},
        }, {}

    def _be_helped(self, count: int) -> None:
        """Starts helpers anew: they have the limits of this process. Threads do not outlive becoming two."""
        for helper in self.helpers:
            helper.stop()
        alone = not THERE or not on_host() or torch.get_num_threads() > 1
        self.helpers = [] if alone else [Helper() for _ in range(count)]

    def _chosen(self, wanted: str) -> torch.device:
        """What is computed on from now on. Raises bad-request where what is held lies elsewhere."""
        before = device()
        chosen = choose_device(wanted)
        if chosen != before and (self.models or self.samplers):
            use_device(before)
            raise bad_request(f"what this worker holds lies on {before.type}, and cannot go to {chosen.type}")
        return chosen

    def create_model(self, head: Head, arrays: Arrays) -> Reply:
        name = _unused(self.models, text(head, "model"))
        token_bytes = _token_bytes(arrays)
        source, precision = members(head, "source"), str(head.get("precision") or "fp32")
        use_packages(head.get("packages"))
        model = adapter_of(source, _lora(head), precision, self.bases) or read_model(source, precision)
        recompute = head.get("gradientCheckpointing") is True
        trainer = Trainer(model, recompute=recompute, pass_bytes=self.pass_bytes, helpers=self.helpers)
        self.models[name] = HeldModel(trainer, token_bytes)
        return model.facts(), {}

    def load_sampler(self, head: Head, arrays: Arrays) -> Reply:
        name = _unused(self.samplers, text(head, "sampler"))
        token_bytes = _token_bytes(arrays)
        source = {**members(head, "source"), "optimizer": False}
        use_packages(head.get("packages"))
        precision, apart = str(head.get("precision") or "fp32"), head.get("apart") is True
        snapshot, facts = self._loaded(source, _lora(head), precision, apart=apart)
        self.samplers[name] = Sampler(snapshot, token_bytes)
        return facts, {}

    def _loaded(
        self, source: dict[str, Any], lora: dict[str, Any] | None, precision: str, *, apart: bool
    ) -> tuple[Snapshot, Head]:
        """Weights to sample from; those of a base that is here already are shared, except where they are to
        lie as they would without it."""
        model = adapter_of(source, lora, precision, self.bases)
        if model is not None:
            return Snapshot(model.frame, model.compute_buffer(), model.step), model.facts()
        base = None if apart else self.bases.find(source, precision)
        if base is not None:
            bare = Adapters(base, Lora(1, 1, ()))
            return Snapshot(bare, torch.empty(0), base.step), base.facts
        # What is not trained is kept as passes read it fastest.
        fastest = "mixed" if precision == "bf16" and not native_bf16() else precision
        whole_model = read_model(source, fastest)
        buffer = whole_model.compute_buffer(keep=False)
        return Snapshot(whole_model.frame, buffer, whole_model.step), whole_model.facts()

    def forward(self, head: Head, arrays: Arrays) -> Reply:
        held = self._model(head)
        backward = head["verb"] == "forward_backward"

        def run() -> Reply:
            wanted = head.get("logprobs") or "all"
            helped = head.get("helped") is not False
            result, out = held.trainer.run(
                arrays, members(head, "loss"), wanted, backward=backward, helped=helped
            )
            if backward:
                self.counts["tokensTrained"] += result["positions"]
            return result, out

        return held.once(whole(head, "sequence"), run)

    def optim_step(self, head: Head, _: Arrays) -> Reply:
        held = self._model(head)

        def run() -> Reply:
            result = held.trainer.optim_step(head)
            self.counts["optimizerSteps"] += 1
            return result, {}

        return held.once(whole(head, "sequence"), run)

    def save(self, head: Head, _: Arrays) -> Reply:
        held, path = self._model(head), text(head, "path")

        def run() -> Reply:
            return {
                "path": path,
                "bytes": held.trainer.save(path, optimizer=head.get("optimizer") is not False),
            }, {}

        return held.once(whole(head, "sequence"), run)

    def snapshot(self, head: Head, _: Arrays) -> Reply:
        held, name = self._model(head), text(head, "sampler")

        def run() -> Reply:
            _unused(self.samplers, name)
            snapshot = held.trainer.snapshot()
            self.samplers[name] = Sampler(snapshot, held.token_bytes)
            return {"step": snapshot.step}, {}

        return held.once(whole(head, "sequence"), run)

    def copy(self, head: Head, _: Arrays) -> Reply:
        path = text(head, "path")
        return {"bytes": self._model(head).trainer.save(path, optimizer=False, lasting=False)}, {}

    def merge(self, head: Head, _: Arrays) -> Reply:
        path, source = text(head, "path"), members(head, "source")
        use_packages(head.get("packages"))
        return {"path": path, "bytes": merge(Path(text(source, "path")), path, source.get("base"))}, {}

    def gradient_features(self, head: Head, arrays: Arrays) -> Reply:
        dimensions, seed = whole(head, "dimensions"), whole(head, "seed")
        trainer, loss = self._model(head).trainer, members(head, "loss")
        return {}, {"features": gradient_features(trainer, arrays, loss, dimensions, seed)}

    def logprobs(self, head: Head, arrays: Arrays) -> Reply:
        snapshot = self._sampler(head).snapshot
        return {}, score(snapshot, arrays, read_top(head, "top", snapshot.architecture.config.vocabulary))

    def certainty(self, head: Head, arrays: Arrays) -> Reply:
        return {}, certainty(self._sampler(head).snapshot, arrays)

    def embed(self, head: Head, arrays: Arrays) -> Reply:
        width, embeddings = embed(self._sampler(head).snapshot, arrays, text(head, "pooling"))
        return {"width": width}, {"embeddings": embeddings}

    def unload(self, head: Head, _: Arrays) -> Reply:
        if head.get("model") is not None:
            self._model(head)
            del self.models[head["model"]]
        else:
            sampler = self._sampler(head)
            del self.samplers[head["sampler"]]
            self._release(sampler)
        return {}, {}

    def stats(self, _head: Head, _: Arrays) -> Reply:
        return {**self.counts, "residentBytes": _resident_bytes()}, {}

    def _model(self, head: Head) -> HeldModel:
        held = self.models.get(text(head, "model"))
        if held is None:
            raise EngineError("unknown-model", "engine", f"this worker holds no model {head['model']!r}")
        return held

    def _sampler(self, head: Head) -> Sampler:
        held = self.samplers.get(text(head, "sampler"))
        if held is None:
            raise EngineError(
                "unknown-sampler", "engine", f"this worker holds no sampler {head['sampler']!r}"
            )
        return held


VERBS: dict[str, Callable[[Worker, Head, Arrays], Reply]] = {
    "hello": Worker.hello,
    "ping": lambda _self, _head, _arrays: ({}, {}),
    "create_model": Worker.create_model,
    "load_sampler": Worker.load_sampler,
    "forward": Worker.forward,
    "forward_backward": Worker.forward,
    "optim_step": Worker.optim_step,
    "save": Worker.save,
    "snapshot": Worker.snapshot,
    "copy": Worker.copy,
    "logprobs": Worker.logprobs,
    "certainty": Worker.certainty,
    "embed": Worker.embed,
    "gradient_features": Worker.gradient_features,
    "merge": Worker.merge,
    "unload": Worker.unload,
    "stats": Worker.stats,
    "shutdown": lambda _self, _head, _arrays: ({}, {}),
}


def _unused(held: dict[str, Any], name: str) -> str:
    if name in held:
        raise bad_request(f"this worker holds {name} already")
    return name


def _lora(head: Head) -> dict[str, Any] | None:
    return None if head.get("lora") is None else members(head, "lora")


def _token_bytes(arrays: Arrays) -> list[bytes] | None:
    if "token_bytes" not in arrays:
        return None
    written = array(arrays, "token_bytes", "u8").tobytes()
    lengths = array(arrays, "token_byte_lengths", "i32")
    if lengths.min(initial=0) < 0 or lengths.sum() != len(written):
        raise bad_request("token_byte_lengths do not fit token_bytes")
    ends = np.cumsum(lengths).tolist()
    return [written[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    # The most there ever was, in bytes on macOS, where there is no better number.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
