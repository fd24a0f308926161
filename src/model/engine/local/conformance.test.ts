import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { conformanceTests } from "../conformance/index.ts";
import { EngineHome } from "./testing/engine-home.ts";

const vocabularySize = 12;
const shape = {
  model_type: "llama",
  vocab_size: vocabularySize,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};

const home = new EngineHome();
beforeAll(() => home.begin(), 600_000);
afterAll(() => home.end());

const models = {
  rotary: { num_key_value_heads: 2, tie_word_embeddings: true },
  learned: {},
  none: {},
};

describe.each([
  { positions: "rotary", precision: "fp32" },
  { positions: "learned", precision: "fp32" },
  { positions: "none", precision: "fp32" },
  { positions: "rotary", precision: "mixed" },
  { positions: "rotary", precision: "bf16" },
] as const)("the local engine conforms: $positions positions, $precision", ({ positions, precision }) => {
  const name = `${positions}-${precision}`;
  beforeAll(() => home.model(name, { ...shape, position_embedding_type: positions, ...models[positions] }));

  conformanceTests(test, () => {
    const { engine, folder } = home;
    return { engine, modelFolder: join(folder, name), vocabularySize, precision };
  });
});
