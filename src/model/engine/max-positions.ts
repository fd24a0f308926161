import { fastArchitectures } from "./architectures.ts";

/** Whose window counts only where `use_sliding_window` says so, as in `torch-engine/whetstone_engine/config.py`. */
const usedIfSaid = ["qwen2", "qwen3", "smollm3"];

/**
 * The longest sequence of a model, in tokens, from its `config.json`; undefined where nothing bounds it. Up to its sliding
 * window, and up to the original length of positions that are stretched anew beyond it (longrope), a model computes of a
 * sequence's beginning what it computes of it alone, and no engine goes beyond.
 */
export function maxPositionsOf(config: Readonly<Record<string, unknown>>): number | undefined {
  if (config.position_embedding_type === "none") return undefined;
  const bounds = [
    config.max_position_embeddings ?? config.n_positions ?? config.max_seq_len,
    windowOf(config),
    originalOf(config),
  ].filter((bound): bound is number => typeof bound === "number" && bound > 0);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

function windowOf({ model_type: kind, ...config }: Readonly<Record<string, unknown>>): unknown {
  const among = (kinds: readonly string[]): boolean => kinds.some((one) => one === kind);
  // On the fast path nothing goes beyond a window; where transformers computes the model, windows slide.
  if (kind !== undefined && !among(fastArchitectures)) return undefined;
  return (config.use_sliding_window ?? !among(usedIfSaid)) === false ? undefined : config.sliding_window;
}

function originalOf(config: Readonly<Record<string, unknown>>): unknown {
  const scaling = (config.rope_scaling ?? config.rope_parameters) as
    | Record<string, unknown>
    | null
    | undefined;
  if ((scaling?.rope_type ?? scaling?.type) !== "longrope") return undefined;
  return config.original_max_position_embeddings ?? scaling?.original_max_position_embeddings;
}
