"""What a model folder's `config.json` and `generation_config.json` say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EngineError

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3")


@dataclass(frozen=True)
class ModelConfig:
    """A decoder's shape: rotary, learned or no positions, RMSNorm, SwiGLU, grouped-query attention."""

    vocabulary: int
    width: int
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    head_width: int
    epsilon: float
    positions: str
    max_positions: int
    rotary_base: float
    rotary_scaling: dict[str, Any] | None
    tied: bool
    attention_bias: bool
    head_norm: bool
    suppressed: tuple[int, ...]


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise EngineError("config-invalid", "user", f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise EngineError("config-invalid", "user", f"{path} does not hold an object")
    return value


def read_config(folder: Path) -> ModelConfig:
    """Reads a folder's configuration; raises config-missing, config-invalid, unsupported-architecture."""
    path = folder / "config.json"
    if not path.is_file():
        raise EngineError("config-missing", "user", f"{folder} has no config.json: it is not a model folder")
    raw = read_json(path)
    kind = raw.get("model_type")
    if kind not in ARCHITECTURES:
        raise EngineError(
            "unsupported-architecture",
            "user",
            f"{path} says model_type {kind!r}; this engine runs {', '.join(ARCHITECTURES)}",
        )
    try:
        config = _shape(raw, kind, _suppressed(folder))
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError("config-invalid", "user", f"{path} makes no model: {error!r}") from error
    if config.heads % config.key_value_heads or config.positions not in ("rotary", "learned", "none"):
        raise EngineError("config-invalid", "user", f"{path} makes no model: heads or positions do not fit")
    return config


def _shape(raw: dict[str, Any], kind: str, suppressed: tuple[int, ...]) -> ModelConfig:
    heads = int(raw["num_attention_heads"])
    width = int(raw["hidden_size"])
    rotary = raw.get("rope_parameters") or {}
    scaling = raw.get("rope_scaling") or (rotary if rotary.get("rope_type", "default") != "default" else None)
    if scaling is not None and scaling.get("rope_type", scaling.get("type")) not in ("llama3", "linear", "default"):
        raise ValueError(f"rotary scaling {scaling!r} is not supported")
    return ModelConfig(
        vocabulary=int(raw["vocab_size"]),
        width=width,
        hidden=int(raw["intermediate_size"]),
        layers=int(raw["num_hidden_layers"]),
        heads=heads,
        key_value_heads=int(raw.get("num_key_value_heads") or heads),
        head_width=int(raw.get("head_dim") or width // heads),
        epsilon=float(raw.get("rms_norm_eps", 1e-6)),
        positions=str(raw.get("position_embedding_type", "rotary")),
        max_positions=int(raw.get("max_position_embeddings", 0)),
        rotary_base=float(raw.get("rope_theta") or rotary.get("rope_theta") or 10000.0),
        rotary_scaling=scaling,
        tied=bool(raw.get("tie_word_embeddings", False)),
        attention_bias=bool(raw.get("attention_bias", kind == "qwen2")),
        head_norm=kind == "qwen3",
        suppressed=suppressed,
    )


def _suppressed(folder: Path) -> tuple[int, ...]:
    path = folder / "generation_config.json"
    return tuple(read_json(path).get("suppress_tokens") or ()) if path.is_file() else ()
