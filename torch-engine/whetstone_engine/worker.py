"""The verbs. One worker holds models and samplers and runs one request after another."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from . import __version__
from .config import ARCHITECTURES
from .errors import EngineError, bad_request, of_exception
from .frames import Arrays, Head
from .sampler import Parameters, logprobs_of, rows_of, sample
from .trainer import Snapshot, Trainer
from .weights import Model

REMEMBERED = 64
Reply = tuple[Head, Arrays]


class HeldModel:
    """A trainer, its sequence, and its last replies, so that a call that is made again is answered, not run again."""

    def __init__(self, trainer: Trainer, token_bytes: list[bytes] | None) -> None:
        self.trainer, self.token_bytes = trainer, token_bytes
        self.sequence = 0
        self.replies: OrderedDict[int, Reply] = OrderedDict()

    def once(self, sequence: int, run: Callable[[], Reply]) -> Reply:
        if sequence <= self.sequence:
            if sequence in self.replies:
                return self.replies[sequence]
            raise EngineError("sequence-forgotten", "engine", f"call {sequence} was applied, its reply is forgotten")
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
        self.counts = {"tokensSampled": 0, "tokensTrained": 0, "optimizerSteps": 0}

    def answer(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        """Replies to requests that are one request, or several `sample` requests to run as one batch."""
        begun = time.perf_counter()
        try:
            if requests[0][0].get("verb") == "sample":
                results = self._sample(requests)
            else:
                head, arrays = requests[0]
                verb = VERBS.get(str(head.get("verb")))
                if verb is None:
                    raise bad_request(f"there is no verb {head.get('verb')!r}")
                results = [verb(self, head, arrays)]
        except Exception as error:
            named = of_exception(error)
            if named.category == "internal":
                sys.excepthook(*sys.exc_info())
            fault = {"code": named.code, "category": named.category, "message": str(named), "details": named.details}
            self.busy += time.perf_counter() - begun
            return [self._head(head, {"ok": False, "error": fault}, {}) for head, _ in requests]
        self.busy += time.perf_counter() - begun
        return [
            self._head(head, {"ok": True, **result}, out)
            for (head, _), (result, out) in zip(requests, results, strict=True)
        ]

    def _head(self, request: Head, result: Head, arrays: Arrays) -> Reply:
        stamp = {"id": request.get("id"), "incarnation": self.incarnation, "busySeconds": self.busy}
        return {**stamp, **result}, arrays

    def hello(self, head: Head, _: Arrays) -> Reply:
        if head.get("protocol") != 1:
            raise bad_request(f"this worker speaks protocol 1, not {head.get('protocol')!r}")
        torch.set_num_threads(int(head.get("threads") or 1))
        torch.set_flush_denormal(True)
        versions = {"torch": torch.__version__, "python": platform.python_version(), "package": __version__}
        return {"protocol": 1, "versions": versions, "device": "cpu", "architectures": list(ARCHITECTURES)}, {}

    def create_model(self, head: Head, arrays: Arrays) -> Reply:
        model = Model(head["source"], head.get("precision") or "fp32")
        self.models[head["model"]] = HeldModel(Trainer(model), _token_bytes(arrays))
        return model.facts(), {}

    def load_sampler(self, head: Head, arrays: Arrays) -> Reply:
        source = {**head["source"], "optimizer": False}
        model = Model(source, head.get("precision") or "fp32")
        self.samplers[head["sampler"]] = (Snapshot(model, model.flat, model.step), _token_bytes(arrays))
        return model.facts(), {}

    def forward(self, head: Head, arrays: Arrays) -> Reply:
        held = self._model(head)
        backward = head["verb"] == "forward_backward"

        def run() -> Reply:
            result, out = held.trainer.run(
                arrays, head.get("loss") or {}, head.get("logprobs") or "all", backward=backward
            )
            if backward:
                self.counts["tokensTrained"] += result["positions"]
            return result, out

        return held.once(int(head["sequence"]), run)

    def optim_step(self, head: Head, _: Arrays) -> Reply:
        held = self._model(head)

        def run() -> Reply:
            result = held.trainer.optim_step(head)
            self.counts["optimizerSteps"] += 1
            return result, {}

        return held.once(int(head["sequence"]), run)

    def save(self, head: Head, _: Arrays) -> Reply:
        held = self._model(head)
        wanted = head.get("optimizer") is not False
        run = lambda: ({"path": head["path"], "bytes": held.trainer.save(head["path"], optimizer=wanted)}, {})  # noqa: E731
        return held.once(int(head["sequence"]), run)

    def snapshot(self, head: Head, _: Arrays) -> Reply:
        held = self._model(head)

        def run() -> Reply:
            snapshot = held.trainer.snapshot()
            self.samplers[head["sampler"]] = (snapshot, held.token_bytes)
            return {"step": snapshot.step}, {}

        return held.once(int(head["sequence"]), run)

    def _sample(self, requests: list[tuple[Head, Arrays]]) -> list[Reply]:
        snapshot, token_bytes = self._sampler(requests[0][0])
        parameters = Parameters.read(requests[0][0])
        parts = [rows_of(arrays, snapshot) for _, arrays in requests]
        sample(snapshot, [row for part in parts for row in part], parameters, token_bytes)
        replies: list[Reply] = []
        for part in parts:
            out: Arrays = {
                "lengths": np.array([len(row.tokens) for row in part], dtype=np.int32),
                "reasons": np.array([0 if row.stopped else 1 for row in part], dtype=np.uint8),
                "tokens": np.array([token for row in part for token in row.tokens], dtype=np.int32),
                "logprobs": np.array([value for row in part for value in row.logprobs], dtype=np.float32),
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
                if snapshot in held.trainer.sharing:
                    held.trainer.sharing.remove(snapshot)
        return {}, {}

    def stats(self, _head: Head, _: Arrays) -> Reply:
        return {**self.counts, "residentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}, {}

    def _model(self, head: Head) -> HeldModel:
        held = self.models.get(head.get("model", ""))
        if held is None:
            raise EngineError("unknown-model", "engine", f"this worker holds no model {head.get('model')!r}")
        return held

    def _sampler(self, head: Head) -> tuple[Snapshot, list[bytes] | None]:
        held = self.samplers.get(head.get("sampler", ""))
        if held is None:
            raise EngineError("unknown-sampler", "engine", f"this worker holds no sampler {head.get('sampler')!r}")
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
    "unload": Worker.unload,
    "stats": Worker.stats,
    "shutdown": lambda _self, _head, _arrays: ({}, {}),
}


def _token_bytes(arrays: Arrays) -> list[bytes] | None:
    if "token_bytes" not in arrays:
        return None
    text = arrays["token_bytes"].tobytes()
    ends = np.cumsum(arrays["token_byte_lengths"]).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
