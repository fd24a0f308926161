"""What a model folder's `config.json` and `generation_config.json` say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EngineError

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
"""On the fast path: the decoder that is written out here."""
# fmt: off
PLAIN_ARCHITECTURES = (
    "apertus", "arcee", "bloom", "codegen", "cohere", "cohere2", "deepseek_v2", "deepseek_v3", "ernie4_5",
    "ernie4_5_moe", "exaone4", "falcon", "flex_olmo", "gemma", "gemma2", "gemma3_text", "glm", "glm4",
    "glm4_moe", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "gptj", "granite", "granitemoe",
    "helium", "hunyuan_v1_dense", "lfm2", "ministral", "ministral3", "mixtral", "mpt", "nanochat",
    "nemotron", "olmo", "olmo2", "olmo3", "olmo_hybrid", "olmoe", "openai-gpt", "opt", "persimmon", "phi",
    "phi3", "phimoe", "qwen2_moe", "qwen3_moe", "seed_oss", "stablelm", "starcoder2", "vaultgemma", "xglm",
)
# fmt: on
"""On the plain path, through transformers: those whose logits, gradients, samples and checkpoints the tests
compare."""
USED_IF_SAID = ("qwen2", "qwen3", "smollm3")
"""Whose `sliding_window` counts only with `use_sliding_window`."""
BASES = {"smollm3": 2_000_000.0}
"""Of rotary positions, where a configuration names none, as transformers has it; 10,000 of the others."""
POSITIONS = ("rotary", "learned", "none")
SCALINGS: dict[str, tuple[str, ...]] = {
    "default": (),
    "dynamic": (),
    "linear": ("factor",),
    "yarn": ("factor", "original_max_position_embeddings"),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}
"""Ways to stretch rotary positions, with the members of a configuration that they need."""


@dataclass(frozen=True)
class ModelShape:
    """What passes are cut by, and what a request is checked against."""

    vocabulary: int
    width: int
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    head_width: int
    max_positions: int
    tied: bool
    suppressed: tuple[int, ...]

    @property
    def layer_weights(self) -> int:
        """How many weights of a layer multiply."""
        attention = self.head_width * (2 * self.heads + 2 * self.key_value_heads)
        return self.width * (attention + 3 * self.hidden)


@dataclass(frozen=True)
class ModelConfig(ModelShape):
    """A decoder's shape: rotary, learned or no positions, RMSNorm, SwiGLU, grouped-query attention."""

    epsilon: float
    positions: str
    rotary_base: float
    rotary_scaling: dict[str, Any] | None
    qkv_bias: bool
    output_bias: bool
    head_norm: bool
    unrotated: frozenset[int] = frozenset()
    """Layers without positions, where the others have rotary ones (arXiv 2501.18795)."""

    @property
    def rotary_kind(self) -> str:
        scaling = self.rotary_scaling or {}
        return str(scaling.get("rope_type", scaling.get("type", "default")))


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise EngineError("config-invalid", "user", f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise EngineError("config-invalid", "user", f"{path} does not hold an object")
    return value


def read_kind(folder: Path) -> tuple[dict[str, Any], str]:
    """A folder's configuration and its architecture; raises config-missing, config-invalid,
    unsupported-architecture."""
    path = folder / "config.json"
    if not path.is_file():
        raise EngineError("config-missing", "user", f"{folder} has no config.json: it is not a model folder")
    raw = read_json(path)
    kind = raw.get("model_type")
    if kind not in ARCHITECTURES and kind not in PLAIN_ARCHITECTURES:
        raise EngineError(
            "unsupported-architecture",
            "user",
            f"{path} says model_type {kind!r}; this engine runs {', '.join(ARCHITECTURES)}, and more slowly "
            f"{', '.join(PLAIN_ARCHITECTURES)}",
        )
    return raw, str(kind)


def read_config(folder: Path) -> ModelConfig:
    """Reads the configuration of a model of the fast path; raises what read_kind raises."""
    path = folder / "config.json"
    raw, kind = read_kind(folder)
    try:
        config = _shape(raw, kind, suppressed_of(folder, int(raw["vocab_size"])))
        _refuse_nonsense(raw, config)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise EngineError("config-invalid", "user", f"{path} makes no model: {reason}") from error
    return config


def _shape(raw: dict[str, Any], kind: str, suppressed: tuple[int, ...]) -> ModelConfig:
    heads = int(raw["num_attention_heads"])
    width = int(raw["hidden_size"])
    rotary = raw.get("rope_parameters") or {}
    positions = str(raw.get("position_embedding_type") or "rotary")
    bias = bool(raw.get("attention_bias"))
    return ModelConfig(
        vocabulary=int(raw["vocab_size"]),
        width=width,
        hidden=int(raw["intermediate_size"]),
        layers=int(raw["num_hidden_layers"]),
        heads=heads,
        key_value_heads=int(raw.get("num_key_value_heads") or heads),
        head_width=int(raw.get("head_dim") or width // heads),
        epsilon=float(raw.get("rms_norm_eps", 1e-6)),
        positions=positions,
        max_positions=0 if positions == "none" else _max_positions(raw),
        rotary_base=float(raw.get("rope_theta") or rotary.get("rope_theta") or BASES.get(kind, 10000.0)),
        rotary_scaling=_scaling(raw, raw.get("rope_scaling") or rotary),
        tied=bool(raw.get("tie_word_embeddings", kind == "smollm3")),
        qkv_bias=kind == "qwen2" or (bias and kind != "mistral"),
        output_bias=bias and kind in ("llama", "qwen3", "smollm3"),
        head_norm=kind == "qwen3",
        suppressed=suppressed,
        unrotated=_unrotated(raw) if kind == "smollm3" else frozenset(),
    )


def _scaling(raw: dict[str, Any], scaling: dict[str, Any]) -> dict[str, Any] | None:
    """A length before stretching that is not given is that of the configuration, as transformers has it."""
    if not scaling:
        return None
    original = scaling.get("original_max_position_embeddings") or raw.get("original_max_position_embeddings")
    return {**scaling, "original_max_position_embeddings": original or raw.get("max_position_embeddings")}


def _unrotated(raw: dict[str, Any]) -> frozenset[int]:
    """`no_rope_layers` holds 0 for a layer without positions; left out, each fourth is one."""
    layers, interval = int(raw["num_hidden_layers"]), int(raw.get("no_rope_layer_interval") or 4)
    rotated = raw.get("no_rope_layers") or [(layer + 1) % interval for layer in range(layers)]
    if len(rotated) != layers:
        raise ValueError(f"its no_rope_layers names {len(rotated)} layers, and it has {layers}")
    return frozenset(layer for layer, turns in enumerate(rotated) if not turns)


def _max_positions(raw: dict[str, Any]) -> int:
    """0 where nothing bounds it. Up to its sliding window a model attends as others do; beyond is not
    built."""
    most = int(raw.get("max_position_embeddings") or 0)
    slides = raw.get("use_sliding_window", raw.get("model_type") not in USED_IF_SAID)
    window = int(raw.get("sliding_window") or 0) if slides else 0
    return min(most or window, window or most)


def _refuse_nonsense(raw: dict[str, Any], config: ModelConfig) -> None:
    """Raises ValueError where the decoder would fail, or would silently compute another model."""
    for name in ("vocabulary", "width", "hidden", "layers", "heads", "key_value_heads", "head_width"):
        if getattr(config, name) < 1:
            raise ValueError(f"its {name} is {getattr(config, name)}")
    if config.heads % config.key_value_heads:
        raise ValueError(f"{config.heads} heads cannot share {config.key_value_heads} key-value heads")
    if config.positions not in POSITIONS:
        raise ValueError(f"there are no {config.positions!r} positions; there are {', '.join(POSITIONS)}")
    if config.positions == "learned" and config.max_positions < 1:
        raise ValueError("learned positions need max_position_embeddings")
    if config.positions == "rotary":
        needed = SCALINGS.get(config.rotary_kind)
        if needed is None:
            raise ValueError(f"rotary scaling {config.rotary_scaling!r} is not supported")
        for name in needed:
            float((config.rotary_scaling or {})[name])
        if config.head_width % 2 or float(raw.get("partial_rotary_factor") or 1) != 1:
            raise ValueError("rotary positions turn whole heads of even width")
    if (raw.get("hidden_act") or "silu") != "silu" or raw.get("mlp_bias"):
        raise ValueError("its feed-forward part must be SwiGLU without biases")


def suppressed_of(folder: Path, vocabulary: int) -> tuple[int, ...]:
    """Ids that are impossible, each once. Raises TypeError and ValueError where some are no ids."""
    path = folder / "generation_config.json"
    told = read_json(path).get("suppress_tokens") or () if path.is_file() else ()
    suppressed = tuple(dict.fromkeys(told))
    if any(not isinstance(token, int) or not 0 <= token < vocabulary for token in suppressed):
        raise ValueError("suppress_tokens of generation_config.json are no ids of its vocabulary")
    if suppressed and len(suppressed) == vocabulary:
        raise ValueError("generation_config.json suppresses every token")
    return suppressed
