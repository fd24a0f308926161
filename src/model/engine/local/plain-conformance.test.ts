import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { conformanceTests } from "../conformance/index.ts";
import { tinyShape } from "../conformance/tiny-shape.ts";
import { EngineHome } from "./testing/engine-home.ts";

const vocabularySize = 12;
const shape = tinyShape(vocabularySize);

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
