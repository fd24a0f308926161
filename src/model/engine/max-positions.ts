/** Whose window counts only where `use_sliding_window` says so, as in `torch-engine/whetstone_engine/config.py`. */
const usedIfSaid = ["qwen2", "qwen3", "smollm3"];

/**
 * The longest sequence of a model, in tokens, from its `config.json`; undefined where nothing bounds it. Up to its sliding
 * window a model attends as others do, and no engine goes beyond.
 */
export function maxPositionsOf(config: Readonly<Record<string, unknown>>): number | undefined {
  if (config.position_embedding_type === "none") return undefined;
  const slides = config.use_sliding_window ?? !usedIfSaid.some((kind) => kind === config.model_type);
  const window = slides === false ? undefined : config.sliding_window;
  const bounds = [config.max_position_embeddings, window].filter(
    (bound): bound is number => typeof bound === "number" && bound > 0,
  );
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}
