import { type Datum, type EngineModel, local, type Precision } from "whetstone";
import { chance } from "./chance.ts";
import type { EngineBench } from "./engine-bench.ts";
import { hasNativeBf16 } from "./native.ts";
import { fastest, pairedRatio } from "./paired.ts";
import {
  firstTurn,
  leftOut,
  Peer,
  type PeerDevice,
  PeerEnded,
  processesOn,
  threadsOf,
  where,
} from "./peer.ts";
import type { Row } from "./row.ts";

/** Neither side is in memory while the other is measured: some settings of the other fill the machine's. */
export interface SupervisedBench extends Omit<EngineBench, "engine"> {
  readonly logFolder: string;
}

interface Supervised {
  readonly work: string;
  readonly shortest: number;
  readonly longest: number;
  readonly vocabulary: number;
  readonly batches: readonly number[];
  readonly device: PeerDevice;
  /** Of each side, at the start of each of its turns. */
  readonly warmSteps: number;
  readonly stepsATurn: number;
  /** The Trainer's own two ways of making batches, and what is to be reached against each. */
  readonly bars: readonly (readonly ["group_by_length" | "random", number | null])[];
}

interface Setting {
  readonly precision: "bf16" | "fp32";
  readonly processes: number;
  readonly sampling: "group_by_length" | "random";
  readonly batch: number;
}

const small: Supervised = {
  work: "supervised training of the small model",
  shortest: 4,
  longest: 34,
  vocabulary: 13,
  batches: [64, 256],
  device: "cpu",
  warmSteps: 20,
  stepsATurn: 20,
  bars: [
    ["group_by_length", 1.1],
    ["random", 1.6],
  ],
};

const pretrained: Supervised = {
  work: "supervised step of all weights",
  shortest: 20,
  longest: 400,
  vocabulary: 49_152,
  batches: [8, 16, 32],
  device: "cpu",
  // A step takes up to half a minute on two cores, and after the first it is as fast as it will be.
  warmSteps: 1,
  stepsATurn: 4,
  bars: [["group_by_length", 1.3]],
};

const onGpu: Supervised = {
  ...pretrained,
  batches: [64],
  device: "cuda",
  warmSteps: 20,
  stepsATurn: 10,
  bars: [["group_by_length", null]],
};

export const smallTrainingRows = (bench: SupervisedBench): Promise<Row[]> => rowsOf(small, "fp32", bench);
export const gpuSupervisedRows = (bench: SupervisedBench): Promise<Row[]> => rowsOf(onGpu, "mixed", bench);
/** In fp32, and where the processor has bf16 in mixed precision too. */
export async function supervisedRows(bench: SupervisedBench): Promise<Row[]> {
  const rows = await rowsOf(pretrained, "fp32", bench);
  return hasNativeBf16() ? [...rows, ...(await rowsOf(pretrained, "mixed", bench))] : rows;
}

/** Lines of mixed lengths whose first half has no loss, against transformers' Trainer: tokens with a loss a second. */
async function rowsOf(
  { work, shortest, longest, vocabulary, batches, device, warmSteps, stepsATurn, bars }: Supervised,
  precision: Precision,
  { model, environment, rounds, logFolder }: SupervisedBench,
): Promise<Row[]> {
  const start = ({ processes, batch, ...options }: Setting, warm: number, skipped: number): Promise<Peer> =>
    Peer.start({
      environment,
      script: "trainer.py",
      processes,
      threads: threadsOf(processes),
      together: processes > 1,
      options: {
        model: model.path,
        ...options,
        batch: batch / processes,
        warm,
        skipped,
        steps: stepsATurn,
        shortest,
        longest,
        device,
      },
    });
  const against = (best: Setting): Promise<number> => {
    const batch = batchesOf(best.batch, shortest, longest, vocabulary);
    const some = (count: number): Datum[][] => Array.from({ length: count }, () => batch());
    const ours = async (): Promise<number> => {
      await using engine = await local().open({ logFolder });
      await using trained = await engine.createModel({
        source: { kind: "folder", path: model.path },
        precision,
      });
      await rateOf(trained, some(warmSteps));
      return await rateOf(trained, some(stepsATurn));
    };
    let skipped = 0;
    const theirs = async (): Promise<number> => {
      await using peer = await start(best, warmSteps, skipped);
      skipped += stepsATurn;
      return await peer.turn();
    };
    return pairedRatio(ours, theirs, rounds, (words) => console.error(`${work} in ${precision}, ${words}`));
  };
  const rows: Row[] = [];
  for (const [sampling, bar] of bars) {
    const rates = new Map<Setting, readonly number[]>();
    const probe = async (setting: Setting): Promise<number> => {
      const rate = await firstTurn(setting, () => start(setting, 1, 0));
      console.error(`${JSON.stringify(setting)}: ${rate.toFixed(0)} tokens a second`);
      rates.set(setting, [...(rates.get(setting) ?? []), rate]);
      return mean(rates.get(setting) ?? []);
    };
    const first: Omit<Setting, "batch"> = {
      precision: device === "cuda" ? "bf16" : "fp32",
      processes: 1,
      sampling,
    };
    let best = await fastest(
      processesOn(device).flatMap((processes) => batches.map((batch) => ({ ...first, processes, batch }))),
      probe,
    );
    // Of one turn alone a busy machine makes what it will: the two fastest have another.
    if (rates.size > 1) best = await fastest(byRate(rates).slice(0, 2), probe);
    // What either may compute in is the same.
    if (device === "cpu" && precision !== "fp32")
      best = await fastest([best, { ...best, precision: "bf16" }], probe);
    let ratio: number | undefined;
    while (ratio === undefined)
      try {
        ratio = await against(best);
      } catch (error) {
        if (!(error instanceof PeerEnded)) throw error;
        // One turn had room in the machine's memory, and a later one had not.
        leftOut(best, error);
        rates.delete(best);
        const [next] = byRate(rates);
        if (next === undefined) throw new Error("the other side ended in each of its settings");
        best = next;
      }
    rows.push({
      work: `${work} in ${precision}`,
      against: `transformers Trainer, ${sampling === "random" ? "as it comes" : "length-grouped"}`,
      setting: `${model.label}; ${shortest} to ${longest} tokens of which the first half has no loss, tokens with a loss a second; batch ${best.batch}; transformers ${environment.versions.transformers} in ${best.precision}, ${where(device, `${best.processes} × ${threadsOf(best.processes)} threads`)} (the fastest tried of each), after ${warmSteps} steps of each, one side in memory at a time`,
      ratio,
      bar,
    });
  }
  return rows;
}

/** Those that ran, the fastest first. */
const byRate = (rates: ReadonlyMap<Setting, readonly number[]>): Setting[] =>
  [...rates]
    .filter(([, turns]) => turns.every((rate) => rate > 0))
    .sort(([, one], [, other]) => mean(other) - mean(one))
    .map(([setting]) => setting);

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** A step of each batch: tokens with a loss a second. */
async function rateOf(trained: EngineModel, turn: readonly Datum[][]): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    turn.flatMap((data) => [
      trained.forwardBackward(data, { loss: { name: "cross_entropy" }, logprobs: "none" }),
      trained.optimStep({ learningRate: 1e-5, gradientClipNorm: 1 }),
    ]),
  );
  const seconds = (performance.now() - begun) / 1000;
  const counted = turn.flat().reduce((sum, { weights }) => sum + (weights?.filter(Boolean).length ?? 0), 0);
  return counted / seconds;
}

/** Batch after batch of lengths spread evenly, in an order of chance that is the same each time. */
function batchesOf(size: number, shortest: number, longest: number, vocabulary: number): () => Datum[] {
  const random = chance();
  const lowest = Math.min(10, Math.floor(vocabulary / 2));
  return () =>
    Array.from({ length: size }, () => {
      const length = shortest + random(longest - shortest + 1);
      const line = Int32Array.from({ length }, () => lowest + random(vocabulary - lowest));
      const weights = new Float32Array(length - 1).fill(1 / (size * longest), Math.max(0, (length >> 1) - 1));
      return { tokens: line.subarray(0, -1), targets: line.subarray(1), weights };
    });
}
