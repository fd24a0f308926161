import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoraOptions, Precision } from "../../../foundation/contract/index.ts";
import { conformanceChecks } from "../conformance/index.ts";
import { local } from "./index.ts";
import { EngineHome } from "./testing/engine-home.ts";

const vocabularySize = 12;
/** With a table of positions that makes it large: it gets every thread, reads its weights in lanes, and keeps what it has read. */
const manyPositions = 150_000;
const shape = {
  model_type: "llama",
  vocab_size: vocabularySize,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  position_embedding_type: "learned",
};

const home = new EngineHome({ workers: 2, deterministic: true });
beforeAll(() => home.begin(), 600_000);
afterAll(() => home.end());
beforeAll(async () => {
  for (const positions of [64, manyPositions])
    await home.model(String(positions), { ...shape, max_position_embeddings: positions });
});

const checks = conformanceChecks().filter(({ name }) => /same bits/.test(name));
const cases: readonly { precision: Precision; positions: number; lora?: LoraOptions }[] = [
  { precision: "fp32", positions: 64 },
  { precision: "bf16", positions: 64 },
  { precision: "fp32", positions: 64, lora: { rank: 4 } },
  { precision: "fp32", positions: manyPositions },
];

describe.each(cases)("deterministic: $precision, $positions positions, adapters: $lora", (one) => {
  const { precision, positions, lora } = one;
  test.each(checks)("$name", async ({ name, run }) => {
    const result = await run({
      engine: home.engine,
      another: home.open,
      modelFolder: join(home.folder, String(positions)),
      vocabularySize,
      precision,
      ...(lora === undefined ? {} : { lora }),
    });
    // Another composition of a batch may round otherwise, and is not promised to be alike.
    expect(result.outcome).toBe(/in its call/.test(name) ? "not-applicable" : "passed");
  });
});

test("a call gives the same bits whichever calls its sampler answered before: a run that goes on makes fewer", async () => {
  const path = join(home.folder, String(manyPositions));
  const load = () => home.engine.loadSampler({ source: { kind: "folder", path, seed: 5 } });
  const beginning = Array.from({ length: 40 }, (_, at) => at % vocabularySize);
  const asked = (last: number) => ({
    prompt: Int32Array.from([...beginning, last]),
    samples: 2,
    seed: last,
    parameters: { maxTokens: 6, temperature: 1 },
  });
  await using first = await load();
  await first.sample([asked(1), asked(2)]);
  await using second = await load();
  const [after, alone] = [await first.sample([asked(3)]), await second.sample([asked(3)])];
  expect(after).toEqual(alone);
  expect(after[0]?.[0]?.promptCacheHitTokens).toBeUndefined();
});

test("weights to sample from have the same bits whether or not a worker holds adapters over them", async () => {
  const source = { kind: "folder", path: join(home.folder, "64"), seed: 6 } as const;
  const asked = Array.from({ length: 6 }, (_, row) =>
    Int32Array.from({ length: 9 + row }, (_, at) => (at * at + row) % vocabularySize),
  );
  await using before = await home.engine.loadSampler({ source });
  await using _adapters = await home.engine.createModel({ source, lora: { rank: 2 } });
  await using after = await home.engine.loadSampler({ source });
  expect(await after.logprobs(asked)).toEqual(await before.logprobs(asked));
});

test("nothing of the kind is claimed unless it was asked for", async () => {
  expect(local().abilities?.deterministic).toBeUndefined();
  const asked = local({ deterministic: true });
  expect(asked.abilities?.deterministic).toEqual(["calls", "engines"]);
  expect(asked.description).toMatchObject({ deterministic: true });
  const { deterministic, untested } = await home.engine.capabilities();
  expect(deterministic).toEqual(["calls", "engines"]);
  expect(untested.join()).toContain("equal bits of large models");
});
