import { availableParallelism } from "node:os";
import type { Engine, SampleRequest } from "whetstone";
import type { PeerEnvironment } from "./environment.ts";
import type { BenchModel } from "./model.ts";
import { fastest, pairedRatio } from "./paired.ts";
import { Peer } from "./peer.ts";
import type { Row } from "./row.ts";

const rows = 64;
const promptTokens = 40;
const newTokens = 64;

interface Case {
  readonly temperature: number;
  readonly dtype: "bfloat16" | "float32";
  readonly bar: number | null;
}

const cases: readonly Case[] = [
  { temperature: 1, dtype: "bfloat16", bar: 1.5 },
  { temperature: 0, dtype: "bfloat16", bar: 1.5 },
  // The same engine, which computes with bf16 weights, against the precision that `generate` may be faster in.
  { temperature: 1, dtype: "float32", bar: null },
];

/** Sampling in bf16 against transformers' `generate`: the same number of prompts, and no token ends a row. */
export async function samplingRows(
  engine: Engine,
  model: BenchModel,
  environment: PeerEnvironment,
  rounds: number,
): Promise<Row[]> {
  await using sampler = await engine.loadSampler({
    source: { kind: "folder", path: model.path },
    precision: "bf16",
  });
  const results: Row[] = [];
  const fasterBy = new Map<Case["dtype"], number>();
  for (const { temperature, dtype, bar } of cases) {
    const requests = Array.from(
      { length: rows },
      (_, index): SampleRequest => ({
        prompt: Int32Array.from(
          { length: promptTokens },
          (_, place) => 10 + ((index * 97 + place * 31) % 9000),
        ),
        samples: 1,
        seed: index,
        parameters: { maxTokens: newTokens, temperature },
      }),
    );
    const ours = async (): Promise<number> => {
      const begun = performance.now();
      const written = await sampler.sample(requests);
      const tokens = written.flat().reduce((sum, one) => sum + one.tokens.length, 0);
      if (tokens !== rows * newTokens) throw new Error(`the engine wrote ${tokens} tokens`);
      return (tokens / (performance.now() - begun)) * 1000;
    };
    const start = (processes: number): Promise<Peer> =>
      Peer.start({
        environment,
        script: "generate.py",
        processes,
        threads: Math.max(1, Math.floor(availableParallelism() / processes)),
        options: {
          model: model.path,
          dtype,
          temperature,
          rows: rows / processes,
          prompt: promptTokens,
          tokens: newTokens,
        },
      });
    const processes =
      fasterBy.get(dtype) ??
      (await fastest([1, 2], async (count) => {
        await using peer = await start(count);
        await peer.turn();
        return await peer.turn();
      }));
    fasterBy.set(dtype, processes);
    await using peer = await start(processes);
    // Both have their first turn, which is slower, before it counts.
    await peer.turn();
    await ours();
    const ratio = await pairedRatio(ours, () => peer.turn(), rounds);
    const how = temperature === 0 ? "greedy" : `temperature ${temperature}`;
    const threads = Math.max(1, Math.floor(availableParallelism() / processes));
    results.push({
      work: `sampling in bf16, ${how}`,
      against: `transformers generate in ${dtype === "bfloat16" ? "bf16" : "fp32"}`,
      setting: `${model.label}; ${rows} prompts of ${promptTokens} tokens, ${newTokens} new ones each; transformers ${environment.versions.transformers}, ${processes} × ${threads} threads (the faster of 1 and 2 processes)`,
      ratio,
      bar,
    });
  }
  return results;
}
