import { readdir, readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Datum, type Engine, local, type Precision } from "whetstone";
import type { BenchModel } from "./model.ts";
import { hasNativeBf16 } from "./native.ts";
import { median, type Row } from "./row.ts";

const gigabyte = 1e9;

export interface MemoryBench {
  readonly model: BenchModel;
  readonly logFolder: string;
}

interface Case {
  readonly work: string;
  readonly setting: string;
  readonly most: number;
  /** The most is asked only of processors that multiply bf16 as fast as they read it: others keep fp32 beside it. */
  readonly native?: boolean;
  readonly run: (engine: Engine, path: string) => Promise<void>;
}

const cases: readonly Case[] = [
  {
    work: "memory of training all weights in fp32",
    setting: "2,048 tokens a step, 5 steps",
    most: 5,
    run: train,
  },
  {
    work: "memory of sampling in bf16",
    setting: "64 prompts of 40 tokens, 512 new ones each",
    most: 2,
    native: true,
    run: (engine, path) => sample(engine, path, "bf16"),
  },
  {
    work: "memory of sampling in fp32",
    setting: "64 prompts of 40 tokens, 512 new ones each",
    most: 3,
    run: (engine, path) => sample(engine, path, "fp32"),
  },
];

/** The most that the workers ever had in memory, each case on workers of its own: how many times it goes into what it may be. */
export async function memoryRows({ model, logFolder }: MemoryBench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { work, setting, most, native = false, run } of cases) {
    await using engine = await local({ workers: 1 }).open({ logFolder });
    await run(engine, model.path);
    const used = (await bytesOfWorkers("VmHWM")) / gigabyte;
    rows.push({
      work,
      against: `${most} GB`,
      setting: `${model.label}; ${setting}: ${used.toFixed(2)} GB at most`,
      ratio: most / used,
      bar: native && !hasNativeBf16() ? null : 1,
    });
  }
  return rows;
}

async function train(engine: Engine, path: string): Promise<void> {
  await using model = await engine.createModel({ source: { kind: "folder", path } });
  for (let step = 0; step < 5; step++) {
    await model.forwardBackward(linesOf(8, 256, 9000), {
      loss: { name: "cross_entropy" },
      logprobs: "none",
    });
    await model.optimStep({ learningRate: 1e-5, gradientClipNorm: 1 });
  }
}

async function sample(engine: Engine, path: string, precision: Precision): Promise<void> {
  await using sampler = await engine.loadSampler({ source: { kind: "folder", path }, precision });
  const requests = linesOf(64, 40, 9000).map(({ tokens }, seed) => ({
    prompt: tokens,
    samples: 1,
    seed,
    parameters: { maxTokens: 512 },
  }));
  await sampler.sample(requests);
}

/**
 * Steps of a small model, with a snapshot that is drawn from every ten: memory after a tenth of them against memory at the end, of
 * the workers and what this process holds, so that what either of them keeps is seen.
 */
export async function soakRows({ model, logFolder }: MemoryBench, steps: number): Promise<Row[]> {
  await using engine = await local({ workers: 1 }).open({ logFolder });
  await using trained = await engine.createModel({ source: { kind: "folder", path: model.path } });
  const samples: { readonly workers: number; readonly brain: number }[] = [];
  const held = bytesHeld();
  const often = Math.max(1, Math.floor(steps / 100));
  for (let step = 1; step <= steps; step++) {
    const data = linesOf(16, 8 + (step % 24), 13);
    await Promise.all([
      trained.forwardBackward(data, { loss: { name: "cross_entropy" } }),
      trained.optimStep({ learningRate: 1e-4 }),
    ]);
    if (step % 10 === 0) {
      await using sampler = await trained.snapshot();
      const prompts = data.slice(0, 4).map(({ tokens }, seed) => ({
        prompt: tokens,
        samples: 2,
        seed,
        parameters: { maxTokens: 8 },
      }));
      await Promise.all([sampler.sample(prompts), sampler.logprobs(data.map(({ tokens }) => tokens))]);
    }
    if (step % often === 0) samples.push({ workers: await bytesOfWorkers("VmRSS"), brain: held() });
  }
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const middle = (some: typeof samples) => ({
    workers: median(some.map(({ workers }) => workers)),
    brain: median(some.map(({ brain }) => brain)),
  });
  const [early, late] = [middle(samples.slice(tenth, 2 * tenth)), middle(samples.slice(-tenth))];
  const told = ({ workers, brain }: ReturnType<typeof middle>): string =>
    `${(workers / 1e6).toFixed(1)} MB in workers and ${(brain / 1e6).toFixed(1)} held by Node`;
  const sum = ({ workers, brain }: ReturnType<typeof middle>): number => workers + brain;
  return [
    {
      work: `memory after ${steps} steps of the small model`,
      against: "memory after a tenth of them",
      setting: `${model.label}; a snapshot drawn from every 10 steps: ${told(early)}, then ${told(late)}`,
      ratio: sum(early) / sum(late),
      // A hundredth is what allocators move by.
      bar: 0.99,
    },
  ];
}

/** Of this process, what is left once what nobody holds is collected: when that is given back to the machine is V8's affair. */
function bytesHeld(): () => number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
}

function linesOf(count: number, length: number, vocabulary: number): Datum[] {
  const lowest = Math.min(10, vocabulary >> 1);
  return Array.from({ length: count }, (_, row) => {
    const line = Int32Array.from(
      { length: length + 1 },
      (_, place) => lowest + ((row * 97 + place * 31) % (vocabulary - lowest)),
    );
    const weights = new Float32Array(length).fill(1 / (count * length));
    return { tokens: line.subarray(0, -1), targets: line.subarray(1), weights };
  });
}

/** Of this process's workers together, as Linux counts it. */
async function bytesOfWorkers(what: "VmHWM" | "VmRSS"): Promise<number> {
  let kibibytes = 0;
  for (const task of await readdir("/proc/self/task"))
    for (const child of (await readFile(`/proc/self/task/${task}/children`, "utf8"))
      .split(" ")
      .filter(Boolean)) {
      const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
      if (!command.includes("whetstone_engine")) continue;
      const status = await readFile(`/proc/${child}/status`, "utf8");
      kibibytes += Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0);
    }
  if (kibibytes === 0) throw new Error("this process has no worker that /proc knows");
  return 1024 * kibibytes;
}
