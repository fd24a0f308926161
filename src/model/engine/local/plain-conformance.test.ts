import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import { conformanceTests } from "../conformance/index.ts";
import { local } from "./index.ts";

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

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-plain-conformance-"));
  engine = await local({ workers: 2 }).open({ logFolder: join(folder, "logs") });
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe.each([
  { kind: "gemma3_text", precision: "fp32" },
  { kind: "phi3", precision: "mixed" },
  { kind: "olmo2", precision: "fp32" },
] as const)("the plain path conforms: $kind, $precision", ({ kind, precision }) => {
  const modelFolder = (): string => join(folder, kind);

  beforeAll(async () => {
    await mkdir(modelFolder());
    const config = { model_type: kind, ...shape, ...models[kind] };
    await writeFile(join(modelFolder(), "config.json"), JSON.stringify(config));
  });

  const patiently = (name: string, run: () => Promise<void>) => test(name, run, 120_000);
  conformanceTests(patiently, () => ({ engine, modelFolder: modelFolder(), vocabularySize, precision }));
});
