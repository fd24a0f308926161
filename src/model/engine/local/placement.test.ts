import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { footprintOf, samplesOnEachCore } from "./placement.ts";

const smollm = {
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  tie_word_embeddings: true,
};
const gibibyte = 2 ** 30;
const laptop = { workers: 2, threads: 1, largeThreads: 2, memory: 24 * gibibyte };

async function footprint(config: unknown): Promise<Awaited<ReturnType<typeof footprintOf>>> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-placement-"));
  try {
    if (config !== undefined) await writeFile(join(folder, "config.json"), JSON.stringify(config));
    return await footprintOf(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a small model shares the machine, a large one does not", async () => {
  expect(await footprint({ ...smollm, vocab_size: 100, num_hidden_layers: 2 })).toMatchObject({
    small: true,
  });
  expect(await footprint(smollm)).toEqual({ small: false, samplerBytes: 9 * 134_515_008 });
});

test("a folder that says nothing is left to a worker", async () => {
  expect(await footprint(undefined)).toEqual({ small: true, samplerBytes: 0 });
  expect(await footprint([])).toMatchObject({ small: true });
});

test("a large model's sampler is on each core where copies fit and no core is left out", async () => {
  const large = await footprint(smollm);
  expect(samplesOnEachCore(large, laptop)).toBe(true);
  expect(samplesOnEachCore(large, { ...laptop, memory: 8 * gibibyte })).toBe(false);
  expect(samplesOnEachCore(large, { ...laptop, workers: 1 })).toBe(false);
  expect(samplesOnEachCore({ ...large, small: true }, { ...laptop, workers: 1 })).toBe(true);
});
