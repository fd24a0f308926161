"""Folders of adapters as the library `peft` writes and reads them: `adapter_config.json` and
`adapter_model.safetensors`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from .checkpoint import read_facts, read_tensors
from .config import read_json
from .errors import EngineError
from .layout import Slot
from .lora import LARGEST_RANK, Linears, Lora, Site
from .request import number, whole

CONFIG, ADAPTERS = "adapter_config.json", "adapter_model.safetensors"
TENSOR = re.compile(r"base_model\.model\.(.+)\.lora_[AB]\.weight")
UNDERSTOOD = {
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "init_lora_weights",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "target_modules",
    "task_type",
    "use_rslora",
}
"""Members that are read, or that say nothing of what the adapters compute; of any other, only what switches
it off is taken."""
KEEPS_BASE = (True, False, "gaussian", "eva", "orthogonal")
"""Ways to draw new adapters that leave the base as it is."""


def is_adapter(folder: Path) -> bool:
    return (folder / CONFIG).is_file()


@dataclass(frozen=True)
class Stored:
    """What a folder's adapters are, of whatever model."""

    folder: Path
    rank: int
    alpha: float
    rank_stabilised: bool
    names: tuple[str, ...]
    """Of its tensors."""

    def of(self, linears: Linears) -> Lora:
        """As adapters of the model that they belong to: `target_modules` may be a pattern, the tensors say it
        plainly. Raises adapter-unsupported, and weights-missing where there are none."""
        path, found = self.folder / ADAPTERS, set[str]()
        for name in (one for one in self.names if one not in linears.copies):
            match = TENSOR.fullmatch(name)
            linear = linears.called(match[1]) if match else None
            if linear is None:
                there = dict.fromkeys(
                    one.rpartition(".")[2] for ones in linears.modules.values() for one in ones
                )
                raise EngineError(
                    "adapter-unsupported",
                    "user",
                    f"{path} holds {name}; of this model the engine adapts {', '.join(there)}, nothing else",
                )
            found.add(linear)
        if not found:
            raise EngineError("weights-missing", "user", f"{path} holds no adapters")
        chosen = tuple(one for ones in linears.modules.values() for one in ones if one in found)
        return Lora(self.rank, self.alpha, chosen, self.rank_stabilised)


def read_stored(folder: Path) -> Stored:
    """Raises adapter-unsupported, with what it is that this engine lacks, weights-missing and
    weights-truncated."""
    path = folder / CONFIG
    raw = read_json(path)

    def refuse(reason: str) -> EngineError:
        return EngineError("adapter-unsupported", "user", f"{path}: {reason}")

    kind = raw.get("peft_type")
    if kind != "LORA":
        raise refuse(f"its peft_type is {kind!r}, and this engine has LORA only")
    if (raw.get("bias") or "none") != "none":
        raise refuse(f"it trains biases (bias {raw['bias']!r}), and this engine's adapters have none")
    for name in ("rank_pattern", "alpha_pattern"):
        if raw.get(name):
            raise refuse(f"its layers differ in rank or alpha ({name}), and this engine's have one of each")
    if raw.get("init_lora_weights", True) not in KEEPS_BASE:
        raise refuse(
            f"init_lora_weights {raw['init_lora_weights']!r} changed the base that it was trained on"
        )
    strange = [
        name
        for name, value in raw.items()
        if name not in UNDERSTOOD and value not in (None, False, 0, "", [], {})
    ]
    if strange:
        raise refuse(f"it sets {strange[0]} ({raw[strange[0]]!r}), which this engine does not have")
    rank, alpha = whole(raw, "r"), number(raw, "lora_alpha")
    if not 1 <= rank <= LARGEST_RANK or alpha <= 0:
        raise refuse(
            f"its rank is {rank} and its alpha {alpha:g}; ranks are 1 to {LARGEST_RANK}, alpha above 0"
        )
    return Stored(folder, rank, alpha, bool(raw.get("use_rslora")), _names(folder))


def _names(folder: Path) -> tuple[str, ...]:
    path = folder / ADAPTERS
    if not path.is_file():
        raise EngineError("weights-missing", "user", f"{folder} holds no {ADAPTERS}")
    try:
        with safe_open(path, framework="pt") as file:
            return tuple(file.keys())
    except SafetensorError as error:
        raise EngineError(
            "weights-truncated", "user", f"{path} is not a whole safetensors file ({error})"
        ) from error


def base_of(folder: Path, given: str | None) -> dict[str, Any]:
    """The source of the weights under a folder's adapters: the folder that is given, else the one that its
    config names, taken from its own place where it is relative. Raises base-missing."""
    named = given or read_json(folder / CONFIG).get("base_model_name_or_path")
    path = folder / str(named)
    if not isinstance(named, str) or not (path / "config.json").is_file():
        raise EngineError(
            "base-missing",
            "user",
            f"{folder / CONFIG} names {named!r} as its base, where no model lies: say where it does",
        )
    seed = (read_facts(folder).raw.get("base") or {}).get("seed")
    return {"kind": "folder", "path": str(path), **({} if seed is None else {"seed": seed})}


def read_flat(
    folder: Path, slots: list[Slot], flat: Tensor, base: Mapping[str, Any], copies: Mapping[str, str]
) -> None:
    """Fills the flat buffer with a folder's adapters, given the base's weights by the decoder's keys, and
    which of them may be copied there. Raises what reading tensors raises."""
    known = {name: base[key if key in base else "embed"] for name, key in copies.items()}
    read_tensors([folder / ADAPTERS], slots, flat, known)


def check_base(folder: Path, digest: str, path: str) -> None:
    """Raises base-changed where the base is not the one that a checkpoint of ours was trained on."""
    recorded = (read_facts(folder).raw.get("base") or {}).get("digest", digest)
    if recorded != digest:
        raise EngineError("base-changed", "user", f"{path} holds other weights than {folder} was trained on")


def peft_config(lora: Lora, sites: list[Site], linears: Linears, base: str) -> dict[str, bytes]:
    """What `peft` needs to know, as the file that it reads."""
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": int(lora.alpha) if lora.alpha == int(lora.alpha) else lora.alpha,
        "use_rslora": lora.rank_stabilised,
        "target_modules": linears.targets(lora),
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": any(part.transposed for site in sites for part in site.parts),
        "inference_mode": True,
        "init_lora_weights": True,
    }
    return {CONFIG: json.dumps(config, indent=2).encode() + b"\n"}
