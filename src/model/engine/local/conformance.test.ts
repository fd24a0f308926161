import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformanceChecks } from "../conformance/index.ts";
import { groups, pinnedTests } from "../conformance/testing/pinned-tests.ts";
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
  { positions: "rotary", precision: "mixed" },
  { positions: "rotary", precision: "bf16" },
  { positions: "rotary", precision: "bf16", lora: { rank: 4 } },
] as const)("the local engine conforms: $positions positions, $precision, adapters: $lora", (one) => {
  const { positions, precision } = one;
  const adapters = "lora" in one ? { lora: one.lora } : {};
  const name = `${positions}-${precision}${"lora" in one ? "-lora" : ""}`;
  beforeAll(() => home.model(name, { ...shape, position_embedding_type: positions, ...models[positions] }));

  pinnedTests({
    test,
    subject: () => {
      const { engine, folder } = home;
      return { engine, modelFolder: join(folder, name), vocabularySize, precision, ...adapters };
    },
    excused: async ({ engine, lora }) => {
      const { device } = await engine.capabilities();
      // What determinism.test.ts and transformers-reference.test.ts look at.
      return [
        ...groups.equalBits,
        ...groups.architectures,
        // It compares with a model without.
        ...(lora === undefined ? [] : ["an adapter begins as its base, and says what it is"]),
        ...(precision === "fp32" ? [] : ["the gradient of every weight is its finite difference"]),
        // On a processor such small models are computed in fp32, with rounded weights.
        ...(precision === "fp32" || device === "cpu" ? [] : ["clipping begins exactly at its edges"]),
      ];
    },
  });
});

// Positions reach into attention and decoding alone.
describe.each([{ positions: "learned" }, { positions: "none" }] as const)(
  "the local engine conforms in the short part: $positions positions, fp32",
  ({ positions }) => {
    beforeAll(() =>
      home.model(positions, { ...shape, position_embedding_type: positions, ...models[positions] }),
    );
    for (const { name, fast, run } of conformanceChecks())
      if (fast)
        test(name, async () => {
          const { engine, folder } = home;
          const modelFolder = join(folder, positions);
          expect(await run({ engine, modelFolder, vocabularySize, precision: "fp32" })).toMatchObject({
            outcome: "passed",
          });
        });
  },
);

test("every single weight's gradient is its finite difference, of a model with few of them", async () => {
  const modelFolder = await home.model("few", {
    ...shape,
    vocab_size: 6,
    hidden_size: 4,
    intermediate_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
  });
  const { engine } = home;
  await using model = await engine.createModel({ source: { kind: "folder", path: modelFolder, seed: 1 } });
  expect(model.info.parameters).toBe(156);
  const check = conformanceChecks().find(({ name }) => name.includes("finite difference"));
  // With more than 600 the check would take directions of many weights together.
  expect(await check?.run({ engine, modelFolder, vocabularySize: 6 })).toMatchObject({ outcome: "passed" });
});
