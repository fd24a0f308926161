import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { conformanceTests } from "../conformance/index.ts";
import { EngineHome } from "./testing/engine-home.ts";

const vocabularySize = 12;
const shape = {
  vocab_size: vocabularySize,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  pad_token_id: null,
  bos_token_id: 1,
  eos_token_id: 2,
};

/** Sliding windows and a tied head; fused projections; norms behind the layers. */
const models = {
  gemma3_text: {
    head_dim: 8,
    sliding_window: 8,
    layer_types: ["sliding_attention", "full_attention"],
    tie_word_embeddings: true,
    initializer_range: 0.5,
  },
  phi3: { initializer_range: 0.2 },
  olmo2: { initializer_range: 0.5 },
};

const home = new EngineHome();
beforeAll(() => home.begin(), 600_000);
afterAll(() => home.end());

describe.each([
  { kind: "gemma3_text", precision: "fp32" },
  { kind: "phi3", precision: "mixed" },
  { kind: "olmo2", precision: "fp32" },
] as const)("the plain path conforms: $kind, $precision", ({ kind, precision }) => {
  beforeAll(() => home.model(kind, { model_type: kind, ...shape, ...models[kind] }));

  const patiently = (name: string, run: () => Promise<void>) => test(name, run, 120_000);
  conformanceTests(patiently, () => {
    const { engine, folder } = home;
    return { engine, modelFolder: join(folder, kind), vocabularySize, precision };
  });
});
