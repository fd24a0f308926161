import { expect, test } from "vitest";
import { maxPositionsOf } from "./max-positions.ts";

test.each([
  ["none", { position_embedding_type: "none", max_position_embeddings: 64 }, undefined],
  ["nothing said", { model_type: "llama" }, undefined],
  ["plain positions", { model_type: "llama", max_position_embeddings: 64 }, 64],
  ["a window", { model_type: "mistral", max_position_embeddings: 64, sliding_window: 16 }, 16],
  [
    "a window that is not switched on",
    { model_type: "qwen2", max_position_embeddings: 64, sliding_window: 16 },
    64,
  ],
  [
    "one that is",
    { model_type: "qwen3", max_position_embeddings: 64, sliding_window: 16, use_sliding_window: true },
    16,
  ],
  [
    "a window that slides",
    { model_type: "gemma3_text", max_position_embeddings: 64, sliding_window: 16 },
    64,
  ],
  ["another name", { model_type: "gpt2", n_positions: 32 }, 32],
  [
    "positions that are stretched anew",
    {
      model_type: "phi3",
      max_position_embeddings: 4096,
      original_max_position_embeddings: 64,
      rope_scaling: { type: "longrope" },
    },
    64,
  ],
])("how far a model reaches: %s", (_, config, expected) => {
  expect(maxPositionsOf(config)).toBe(expected);
});
