import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import { conformanceTests } from "../conformance/index.ts";
import { local } from "./index.ts";

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

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-conformance-"));
  engine = await local({ workers: 2 }).open({ logFolder: join(folder, "logs") });
}, 600_000);

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

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
  const modelFolder = (): string => join(folder, `${positions}-${precision}`);

  beforeAll(async () => {
    await mkdir(modelFolder());
    const config = { ...shape, position_embedding_type: positions, ...models[positions] };
    await writeFile(join(modelFolder(), "config.json"), JSON.stringify(config));
  });

  conformanceTests(test, () => ({ engine, modelFolder: modelFolder(), vocabularySize, precision }));
});
