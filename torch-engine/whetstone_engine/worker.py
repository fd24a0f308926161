"""The verbs. One worker holds models and samplers and runs one request after another."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from . import __version__
from .adapters import Adapters, adapter_of
from .base import Bases
from .choice import Parameters
from .config import ARCHITECTURES, PLAIN_ARCHITECTURES
from .errors import EngineError, bad_request, of_exception
from .frames import Arrays, Head
from .limits import limit_memory
from .lora import Lora
from .merge import merge
from .plain.library import use_packages
from .plain.sampling import sample_plain
from .precision import native_bf16
from .request import array, members, text, whole
from .sampler import Rows, logprobs_of, rows_of, sample
from .trainer import MICRO_BYTES, Snapshot, Trainer
from .weights import read_model

REMEMBERED = 64
Reply = tuple[Head, Arrays]


class HeldModel:
    """A trainer, its sequence, and its last replies: a call that is made again is answered, not run again."""

    def __init__(self, trainer: Trainer, token_bytes: list[bytes] | None) -> None:
        self.trainer, self.token_bytes = trainer, token_bytes
        self.sequence = 0
        self.replies: OrderedDict[int, Reply] = OrderedDict()

    def once(self, sequence: int, run: Callable[[], Reply]) -> Reply:
        if sequence <= self.sequence:
            if sequence in self.replies:
                return self.replies[sequence]
            raise EngineError("sequence-forgotten", "engine", f"call {sequence} was applied and is forgotten")
        if sequence != self.sequence + 1:
            raise EngineError("sequence-gap", "engine", f"call {sequence} came after call {self.sequence}")
        head, arrays = run()
        self.sequence = sequence
        self.replies[sequence] = ({**head, "sequence": sequence}, arrays)
        while len(self.replies) > REMEMBERED:
            self.replies.popitem(last=False)
        return self.replies[sequence]


class Worker:
    """State and verbs of one process."""

    def __init__(self) -> None:
        self.incarnation = uuid4().hex[:12]
        self.busy = 0.0
        self.models: dict[str, HeldModel] = {}
        self.samplers: dict[str, tuple[Snapshot, list[bytes] | None]] = {}
        self.bases = Bases()
        self.pass_bytes = MICRO_BYTES
        self.counts = {"tokensSampled": 0, "tokensTrained": 0, "optimizerSteps": 0}

    def answer(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        """Replies to requests that are one request, or several `sample` requests to run as one batch."""
        begun = time.perf_counter()
        try:
            results = self._run(requests)
        except Exception as error:
            self.busy += time.perf_counter() - begun
            if len(requests) > 1:
                # What is wrong with one of them is not the others' fault.
                return [self.answer([request])[0] for request in requests]
            named = of_exception(error)
            if named.category == "internal":
                sys.excepthook(*sys.exc_info())
            fault = {
                "code": named.code,
                "category": named.category,
                "message": str(named),
                "details": named.details,
            }
            return [self._head(requests[0][0], {"ok": False, "error": fault}, {})]
        self.busy += time.perf_counter() - begun
        return [
            self._head(head, {"ok": True, **result}, out)
            for (head, _), (result, out) in zip(requests, results, strict=True)
        ]

    def _run(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        head, arrays = requests[0]
        if head.get("verb") == "sample":
            return self._sample(requests)
        verb = VERBS.get(str(head.get("verb")))
        if verb is None:
            raise bad_request(f"there is no verb {head.get('verb')!r}")
        return [verb(self, head, arrays)]

    def _head(self, request: Head, result: Head, arrays: Arrays) -> Reply:
        stamp = {"id": request.get("id"), "incarnation": self.incarnation, "busySeconds": self.busy}
        return {**stamp, **result}, arrays

    def hello(self, head: Head, _: Arrays) -> Reply:
        if head.get("protocol") != 1:
            raise bad_request(f"this worker speaks protocol 1, not {head.get('protocol')!r}")
        torch.set_num_threads(max(1, whole(head, "threads", 1)))
        torch.set_flush_denormal(True)
        self.pass_bytes = min(MICRO_BYTES, whole(head, "passBytes", MICRO_BYTES))
        limit_memory(whole(head, "memoryBytes", 0))
        rounded = "bf16" if native_bf16() else "fp32"
        versions = {"torch": torch.__version__, "python": platform.python_version(), "package": __version__}
        return {
            "protocol": 1,
            "versions": versions,
            "device": "cpu",
            "architectures": [*ARCHITECTURES, *PLAIN_ARCHITECTURES],
            "arithmetic": {"fp32": "fp32", "mixed": rounded, "bf16": rounded},
        }, {}

    def create_model(self, head: Head, arrays: Arrays) -> Reply:
        name = _unused(self.models, text(head, "model"))
        token_bytes = _token_bytes(arrays)
        source, precision = members(head, "source"), str(head.get("precision") or "fp32")
        use_packages(head.get("packages"))
        model = adapter_of(source, _lora(head), precision, self.bases) or read_model(source, precision)
        recompute = head.get("gradientCheckpointing") is True
        trainer = Trainer(model, recompute=recompute, pass_bytes=self.pass_bytes)
        self.models[name] = HeldModel(trainer, token_bytes)
        return model.facts(), {}

    def load_sampler(self, head: Head, arrays: Arrays) -> Reply:
        name = _unused(self.samplers, text(head, "sampler"))
        token_bytes = _token_bytes(arrays)
        source = {**members(head, "source"), "optimizer": False}
        use_packages(head.get("packages"))
        snapshot, facts = self._loaded(source, _lora(head), str(head.get("precision") or "fp32"))
        self.samplers[name] = snapshot, token_bytes
        return facts, {}

    def _loaded(
        self, source: dict[str, Any], lora: dict[str, Any] | None, precision: str
    ) -> tuple[Snapshot, Head]:
        """Weights to sample from; those of a base that is here already are shared."""
        model = adapter_of(source, lora, precision, self.bases)
        if model is not None:
            return Snapshot(model.frame, model.compute_buffer(), model.step), model.facts()
        base = self.bases.find(source, precision)
        if base is not None:
            bare = Adapters(base, Lora(1, 1, ()))
            return Snapshot(bare, torch.empty(0), base.step), base.facts()
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
            result, out = held.trainer.run(arrays, members(head, "loss"), wanted, backward=backward)
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
            self.samplers[name] = snapshot, held.token_bytes
            return {"step": snapshot.step}, {}

        return held.once(whole(head, "sequence"), run)

    def merge(self, head: Head, _: Arrays) -> Reply:
        path, source = text(head, "path"), members(head, "source")
        return {"path": path, "bytes": merge(Path(text(source, "path")), path, source.get("base"))}, {}

    def _sample(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        snapshot, token_bytes = self._sampler(requests[0][0])
        parameters = Parameters.read(requests[0][0])
        parts = [rows_of(arrays, snapshot) for _, arrays in requests]
        write = sample_plain if snapshot.architecture.plain else sample
        samples = write(snapshot, Rows.joined(parts), parameters, token_bytes)
        replies: list[Reply] = []
        start = 0
        for part in parts:
            rows = slice(start, start + len(part.prompts))
            start = rows.stop
            out: Arrays = {
                "lengths": np.array([len(row) for row in samples.tokens[rows]], dtype=np.int32),
                "reasons": (~samples.stopped[rows]).astype(np.uint8),
                "tokens": np.concatenate(samples.tokens[rows]),
                "logprobs": np.concatenate(samples.logprobs[rows]),
            }
            self.counts["tokensSampled"] += len(out["tokens"])
            replies.append(({}, out))
        return replies

    def logprobs(self, head: Head, arrays: Arrays) -> Reply:
        return {}, {"logprobs": logprobs_of(self._sampler(head)[0], arrays)}

    def unload(self, head: Head, _: Arrays) -> Reply:
        if head.get("model") is not None:
            self._model(head)
            del self.models[head["model"]]
        else:
            snapshot, _bytes = self._sampler(head)
            del self.samplers[head["sampler"]]
            for held in self.models.values():
                held.trainer.release(snapshot)
        return {}, {}

    def stats(self, _head: Head, _: Arrays) -> Reply:
        return {**self.counts, "residentBytes": _resident_bytes()}, {}

    def _model(self, head: Head) -> HeldModel:
        held = self.models.get(text(head, "model"))
        if held is None:
            raise EngineError("unknown-model", "engine", f"this worker holds no model {head['model']!r}")
        return held

    def _sampler(self, head: Head) -> tuple[Snapshot, list[bytes] | None]:
        held = self.samplers.get(text(head, "sampler"))
        if held is None:
            raise EngineError(
                "unknown-sampler", "engine", f"this worker holds no sampler {head['sampler']!r}"
            )
        return held


VERBS: dict[str, Callable[[Worker, Head, Arrays], Reply]] = {
    "hello": Worker.hello,
    "create_model": Worker.create_model,
    "load_sampler": Worker.load_sampler,
    "forward": Worker.forward,
    "forward_backward": Worker.forward,
    "optim_step": Worker.optim_step,
    "save": Worker.save,
    "snapshot": Worker.snapshot,
    "logprobs": Worker.logprobs,
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
