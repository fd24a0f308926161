import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Datum, Precision, SampleRequest } from "../../../foundation/contract/index.ts";
import { loadOn } from "./load-on.ts";
import { LocalModel } from "./model.ts";
import type { Worker } from "./worker.ts";

const vocabulary = 96;
/** Wide enough that products of matrices are divided into blocks, and gone through in milliseconds. */
const config = {
  model_type: "llama",
  vocab_size: vocabulary,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};

const lengths = [31, 17, 24, 9, 28, 13];
const sequences = lengths.map((length, which) =>
  Int32Array.from({ length }, (_, at) => (at * at + 7 * which + 3 * at) % vocabulary),
);
const data: readonly Datum[] = sequences.map((tokens) => ({
  tokens,
  targets: tokens.map((id) => (id + 1) % vocabulary),
  weights: new Float32Array(tokens.length).fill(1),
}));
const requests: readonly SampleRequest[] = sequences.slice(0, 3).map((tokens, seed) => ({
  prompt: tokens.subarray(0, 8),
  samples: 2,
  seed,
  parameters: { maxTokens: 6 },
}));

/**
 * Whether the same small story - a pass, a step, samples of what was learnt - told twice has the same bits on this worker, in
 * each of the precisions: two tenths of a second in all three.
 */
export async function hasEqualBits(worker: Worker, precisions: readonly Precision[]): Promise<boolean> {
  const path = await mkdtemp(join(tmpdir(), "whetstone-bits-"));
  try {
    await writeFile(join(path, "config.json"), JSON.stringify(config));
    for (const precision of precisions) {
      const first = await told(worker, path, precision, 1);
      if ((await told(worker, path, precision, 2)) !== first) return false;
    }
    return true;
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Every number of the story, in words that are equal where the numbers are. */
async function told(worker: Worker, path: string, precision: Precision, time: number): Promise<string> {
  const id = `bits-${precision}-${time}`;
  const source = { kind: "folder", path, seed: 1 } as const;
  const info = await loadOn(worker, "create_model", { model: id }, { source, precision });
  const lease = { worker, idle: () => [], alone: () => true, release: () => undefined };
  // It is nobody's work, and not counted as any.
  const tally = { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 };
  await using model = new LocalModel({ id, info, lease, loaded: { precision }, tally, deterministic: true });
  const [pass, step] = await Promise.all([
    model.forwardBackward(data, { loss: { name: "cross_entropy" } }),
    model.optimStep({ learningRate: 0.01 }),
  ]);
  await using sampler = await model.snapshot();
  const samples = (await sampler.sample(requests)).flat();
  return JSON.stringify([
    pass.lossSum,
    pass.logprobs.map((values) => [...values]),
    step.gradientNorm,
    samples.map(({ tokens, logprobs }) => [...tokens, ...logprobs]),
  ]);
}
