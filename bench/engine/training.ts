import type { Datum } from "whetstone";
import type { EngineBench } from "./engine-bench.ts";
import { fastest, pairedRatio } from "./paired.ts";
import { firstTurn, Peer, threadsOf } from "./peer.ts";
import type { Row } from "./row.ts";

const shortest = 34;
const longest = 46;
const answer = 6;
const warmSteps = 20;
const stepsATurn = 4;

interface Setting {
  readonly precision: "bf16" | "fp32";
  readonly processes: number;
  readonly sampling: "random" | "group_by_length";
  readonly batch: number;
}

/** Supervised full fine-tuning in mixed precision against TRL's SFTTrainer, which has the fastest of its settings. */
export async function trainingRows({ engine, model, environment, rounds }: EngineBench): Promise<Row[]> {
  const start = ({ processes, batch, ...options }: Setting, warm: number, steps: number): Promise<Peer> =>
    Peer.start({
      environment,
      script: "fine-tune.py",
      processes,
      threads: threadsOf(processes),
      together: processes > 1,
      options: {
        model: model.path,
        ...options,
        batch: batch / processes,
        warm,
        steps,
        shortest,
        longest,
        answer,
      },
    });
  const probe = (setting: Setting): Promise<number> => firstTurn(setting, () => start(setting, 1, 2));
  // One thing after another: all of them at once would take an hour.
  let best: Setting = { precision: "bf16", processes: 1, sampling: "group_by_length", batch: 8 };
  best = await fastest([best, { ...best, precision: "fp32" }], probe);
  best = await fastest(
    [8, 16, 32, 64].map((batch) => ({ ...best, batch })),
    probe,
  );
  best = await fastest([best, { ...best, processes: 2 }], probe);
  best = await fastest([best, { ...best, sampling: "random" }], probe);

  await using trained = await engine.createModel({
    source: { kind: "folder", path: model.path },
    precision: "mixed",
  });
  const ours = async (): Promise<number> => {
    const batches = Array.from({ length: stepsATurn }, (_, step) => batchOf(best.batch, step));
    const begun = performance.now();
    await Promise.all(
      batches.flatMap((data) => [
        trained.forwardBackward(data, { loss: { name: "cross_entropy" }, logprobs: "none" }),
        trained.optimStep({ learningRate: 1e-5, gradientClipNorm: 1 }),
      ]),
    );
    const tokens = batches.flat().reduce((sum, datum) => sum + datum.tokens.length + 1, 0);
    return (tokens / (performance.now() - begun)) * 1000;
  };
  await ours();
  await using peer = await start(best, warmSteps, stepsATurn);
  const ratio = await pairedRatio(ours, () => peer.turn(), rounds);
  const { trl, transformers } = environment.versions;
  return [
    {
      work: "supervised full fine-tuning in mixed precision",
      against: "TRL SFTTrainer",
      setting: `${model.label}; batch ${best.batch}, ${shortest} to ${longest} tokens of which the last ${answer} are learned, prompts ${shortest - answer} to ${longest - answer}, no β; trl ${trl}, transformers ${transformers} in ${best.precision}, ${best.processes} × ${threadsOf(best.processes)} threads, ${best.sampling === "random" ? "no length grouping" : "length grouping"} (the fastest tried of each), after ${warmSteps} steps`,
      ratio,
      bar: null,
    },
  ];
}

/** Lengths that are spread evenly from the shortest to the longest, and tokens of no meaning. */
function batchOf(size: number, step: number): Datum[] {
  return Array.from({ length: size }, (_, row) => {
    const length = shortest + ((row * 5 + step * 3) % (longest - shortest + 1));
    const whole = Int32Array.from(
      { length },
      (_, place) => 10 + ((step * 499 + row * 97 + place * 31) % 9000),
    );
    const weights = new Float32Array(length - 1).fill(1 / (size * answer), length - 1 - answer);
    return { tokens: whole.subarray(0, -1), targets: whole.subarray(1), weights };
  });
}
