"""Frozen weights that the adapters of one worker share."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checkpoint import INDEX, WEIGHTS
from .config import read_json
from .in_blocks import Blocks, in_blocks
from .in_lanes import Read
from .lanes import as_it_lies
from .linear import Weights
from .request import text
from .weights import Model, read_model

SAMPLED_BYTES, SAMPLES = 2**16, 16
"""Of a file of weights the digest reads pieces: the whole would take longer than loading it."""


class Laid(Read):
    """Weights in one layout, which others may know without keeping them; `over` are those that these keep,
    and `read` the same as `Base.read` gives them."""

    def __init__(self, weights: Mapping[str, Any], over: Laid | None = None) -> None:
        super().__init__(weights)
        self.few = weights.few if isinstance(weights, Read) else None
        self.over = over
        self.read: Weights | None = None


class Base:
    """A model's weights as the decoder computes with them. They go when the last adapter, trainer or sampler,
    of theirs goes."""

    def __init__(self, model: Model, source: dict[str, Any], digest: str) -> None:
        # Not the model itself, whose weights may be wider than those that are computed with.
        self.architecture, self.step, self.facts = model.architecture, model.step, model.facts()
        self.seed, self.digest = source.get("seed"), digest
        plain = Laid(self.architecture.leaves(model.compute_buffer(keep=False)))
        self._plain: weakref.ref[Laid] = weakref.ref(plain)
        self._laid_out: Weights | None = None
        self._kept: Laid | None = None
        """The weights that cannot be had back from those that are laid out."""
        self.fresh: Laid | None = plain
        """Held until the first adapters hold them."""

    def plain(self) -> Laid:
        """The weights for passes over many positions."""
        plain = self._plain()
        if plain is None:
            kept = {key: as_it_lies(one) for key, one in (self._laid_out or {}).items()}
            if self.architecture.config.tied:
                # A second name of the embeddings; the plain path has none.
                kept.pop("head", None)
            plain = Laid(kept)
            self._plain = weakref.ref(plain)
        return plain

    def there(self) -> Laid:
        """The weights in the layout that there is, to sample from."""
        return self._plain() or (self.plain() if self._laid_out is None else Laid(self._laid_out))

    def read(self, frozen: Laid) -> Weights:
        """The same, as products of few rows read them: once for all adapters."""
        if frozen.read is None:
            frozen.read = self.architecture.read(frozen)
        return frozen.read

    def over(self, frozen: Laid, weights: Weights) -> Laid:
        """Weights that keep the frozen ones, some of which are in them; nobody else needs to from now on."""
        self.fresh = None
        return Laid(weights, frozen)

    def laid_out(self) -> Weights | None:
        """The weights to sample from, one copy for all; None where the others are as good."""
        if self._laid_out is None and self.architecture.multiplies_blocks:
            self._kept = self.plain()
            self._laid_out = in_blocks(self._kept, gated=False)
        elif self._laid_out is None:
            self._laid_out = self.architecture.in_fp32(self.plain())
        return self._laid_out

    def bytes(self) -> int:
        """What the weights take, in all layouts that there are."""
        held = [*(self._plain() or {}).values(), *(self._laid_out or {}).values()]
        tensors = [as_it_lies(one) for one in held if not isinstance(one, Blocks)]
        # Several of them lie in one buffer.
        storages = {part.untyped_storage().data_ptr(): part.untyped_storage().nbytes() for part in tensors}
        return sum(storages.values()) + sum(one.nbytes for one in held if isinstance(one, Blocks))


class Bases:
    """The bases of a worker: equal content, seed and precision are one."""

    def __init__(self) -> None:
        self._held: weakref.WeakValueDictionary[tuple[str, Any, str], Base] = weakref.WeakValueDictionary()

    def find(self, source: dict[str, Any], precision: str) -> Base | None:
        return self._held.get(_key(source, precision))

    def load(self, source: dict[str, Any], precision: str) -> Base:
        """Raises what reading a model raises."""
        key = _key(source, precision)
        base = self._held.get(key)
        if base is None:
            base = Base(read_model({**source, "optimizer": False}, precision), source, key[0])
            self._held[key] = base
        return base

    def __len__(self) -> int:
        return len(self._held)


def _key(source: dict[str, Any], precision: str) -> tuple[str, Any, str]:
    return digest_of(Path(text(source, "path"))), source.get("seed"), precision


def digest_of(folder: Path) -> str:
    """Of a model folder's content: its configuration, and of each file of weights its size and pieces of it.
    A folder that holds nothing has one too."""
    digest = hashlib.sha256()
    for path in [folder / "config.json", folder / "generation_config.json", *_weights(folder)]:
        size = path.stat().st_size if path.is_file() else -1
        digest.update(f"{path.name} {size}\n".encode())
        if size < 0:
            continue
        with path.open("rb") as file:
            for sample in range(SAMPLES):
                file.seek(sample * max(0, size - SAMPLED_BYTES) // (SAMPLES - 1))
                digest.update(file.read(SAMPLED_BYTES))
    return digest.hexdigest()


def _weights(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file() or not (folder / INDEX).is_file():
        return [folder / WEIGHTS]
    try:
        return [
            folder / name
            for name in sorted({str(one) for one in read_json(folder / INDEX)["weight_map"].values()})
        ]
    except Exception:
        # What is wrong with it is said when it is read.
        return [folder / INDEX]
