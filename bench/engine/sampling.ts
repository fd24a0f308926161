import type { Precision, SampleRequest } from "whetstone";
import { chance } from "./chance.ts";
import type { EngineBench } from "./engine-bench.ts";
import { fastest, pairedRatio } from "./paired.ts";
import { Peer, type PeerDevice, processesOn, threadsOf, where, whereFastest } from "./peer.ts";
import type { Row } from "./row.ts";

interface Case {
  readonly rows: number;
  readonly temperature: number;
  readonly dtype: "bfloat16" | "float32";
  readonly bar: number | null;
}

interface Sampling {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly precision: Precision;
  readonly vocabulary: number;
  readonly device: PeerDevice;
  /** How often a turn samples from all prompts, one time after the other: a turn of a tenth of a second says little. */
  readonly timesATurn: number;
  readonly cases: readonly Case[];
}

/** SmolLM2-135M in bf16: the same number of prompts in one batch, and no token ends a row. */
const pretrained: Sampling = {
  promptTokens: 40,
  newTokens: 64,
  precision: "bf16",
  vocabulary: 9000,
  device: "cpu",
  timesATurn: 1,
  cases: [
    { rows: 64, temperature: 1, dtype: "bfloat16", bar: 2 },
    { rows: 64, temperature: 0, dtype: "bfloat16", bar: 2 },
    // The same engine, which computes with bf16 weights, against the precision that `generate` may be faster in.
    { rows: 64, temperature: 1, dtype: "float32", bar: null },
  ],
};

/** The quickstart's decoder on its longest lines. */
const small: Sampling = {
  promptTokens: 18,
  newTokens: 17,
  precision: "fp32",
  vocabulary: 13,
  device: "cpu",
  timesATurn: 8,
  cases: [
    { rows: 256, temperature: 1, dtype: "float32", bar: 2 },
    { rows: 1024, temperature: 1, dtype: "float32", bar: 1.5 },
  ],
};

/** As many rows as a GPU is given. */
const onGpu: Sampling = {
  ...pretrained,
  newTokens: 128,
  device: "cuda",
  cases: [
    { rows: 64, temperature: 1, dtype: "bfloat16", bar: null },
    { rows: 512, temperature: 1, dtype: "bfloat16", bar: null },
  ],
};

/** The first token that prompts are made of. */
const lowest = 10;

export const samplingRows = (bench: EngineBench): Promise<Row[]> => rowsOf(pretrained, bench);
export const gpuSamplingRows = (bench: EngineBench): Promise<Row[]> => rowsOf(onGpu, bench);
export const smallSamplingRows = (bench: EngineBench): Promise<Row[]> => rowsOf(small, bench);

/** Sampling against transformers' `generate`. */
async function rowsOf(
  { promptTokens, newTokens, precision, vocabulary, device, timesATurn, cases }: Sampling,
  { engine, model, environment, rounds }: EngineBench,
): Promise<Row[]> {
  await using sampler = await engine.loadSampler({ source: { kind: "folder", path: model.path }, precision });
  const results: Row[] = [];
  const fasterBy = new Map<string, number>();
  for (const { rows, temperature, dtype, bar } of cases) {
    // Of chance: no two prompts are alike, as on the other side.
    const random = chance();
    const token = (): number => lowest + random(vocabulary - lowest);
    const requests = Array.from(
      { length: rows },
      (_, index): SampleRequest => ({
        prompt: Int32Array.from({ length: promptTokens }, token),
        samples: 1,
        seed: index,
        parameters: { maxTokens: newTokens, temperature },
      }),
    );
    const ours = async (): Promise<number> => {
      const begun = performance.now();
      let tokens = 0;
      for (let time = 0; time < timesATurn; time++) {
        const written = await sampler.sample(requests);
        tokens += written.flat().reduce((sum, one) => sum + one.tokens.length, 0);
      }
      if (tokens !== timesATurn * rows * newTokens) throw new Error(`the engine wrote ${tokens} tokens`);
      return (tokens / (performance.now() - begun)) * 1000;
    };
    const start = (processes: number): Promise<Peer> =>
      Peer.start({
        environment,
        script: "generate.py",
        processes,
        threads: threadsOf(processes),
        options: {
          model: model.path,
          dtype,
          temperature,
          rows: rows / processes,
          prompt: promptTokens,
          tokens: newTokens,
          times: timesATurn,
          device,
        },
      });
    const processes =
      fasterBy.get(`${dtype} ${rows}`) ??
      (await fastest(processesOn(device), async (count) => {
        await using peer = await start(count);
        await peer.turn();
        return await peer.turn();
      }));
    fasterBy.set(`${dtype} ${rows}`, processes);
    const how = temperature === 0 ? "greedy" : `temperature ${temperature}`;
    // A bar is asked of one batch, and of halves of it too where two processes are faster.
    for (const count of new Set(bar === null ? [processes] : [1, processes])) {
      await using peer = await start(count);
      // Both have their first turn, which is slower, before it counts.
      await peer.turn();
      await ours();
      results.push({
        work: `sampling in ${precision}, ${rows} at once, ${how}`,
        against: `transformers generate in ${dtype === "bfloat16" ? "bf16" : "fp32"}, ${count === 1 ? "one batch" : "half of the prompts in each of two processes"}`,
        setting: `${model.label}; ${rows} prompts of ${promptTokens} tokens, ${newTokens} new ones each; transformers ${environment.versions.transformers}, ${count === processes ? whereFastest(device, count) : where(device, `1 × ${threadsOf(1)} threads`)}`,
        ratio: await pairedRatio(ours, () => peer.turn(), rounds),
        bar,
      });
    }
  }
  return results;
}
