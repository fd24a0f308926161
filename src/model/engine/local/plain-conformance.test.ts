import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConformanceSubject, conformanceChecks } from "../conformance/index.ts";
import { groups, pinnedTests } from "../conformance/testing/pinned-tests.ts";
import { tinyShape } from "../conformance/tiny-shape.ts";
import { EngineHome } from "./testing/engine-home.ts";

const vocabularySize = 12;
const shape = tinyShape(vocabularySize);

/** Sliding windows and a tied head; fused projections. */
const models = {
  gemma3_text: {
    head_dim: 8,
    sliding_window: 8,
    layer_types: ["sliding_attention", "full_attention"],
    tie_word_embeddings: true,
    initializer_range: 0.5,
  },
  phi3: { initializer_range: 0.2 },
};

const home = new EngineHome();
beforeAll(() => home.begin(), 600_000);
afterAll(() => home.end());

const patience = 120_000;

const subjectOf = (kind: keyof typeof models, precision: "fp32" | "mixed"): ConformanceSubject => ({
  engine: home.engine,
  modelFolder: join(home.folder, kind),
  vocabularySize,
  precision,
});

describe("the plain path conforms: gemma3_text, fp32", () => {
  beforeAll(() => home.model("gemma3_text", { model_type: "gemma3_text", ...shape, ...models.gemma3_text }));
  pinnedTests({
    test,
    subject: () => subjectOf("gemma3_text", "fp32"),
    excused: () => [...groups.equalBits, ...groups.architectures],
    timeoutMs: patience,
  });
});

describe("the plain path conforms in the short part: phi3, mixed", () => {
  beforeAll(() => home.model("phi3", { model_type: "phi3", ...shape, ...models.phi3 }));
  for (const { name, fast, run } of conformanceChecks())
    if (fast)
      test(
        name,
        async () => expect(await run(subjectOf("phi3", "mixed"))).toMatchObject({ outcome: "passed" }),
        patience,
      );
});
