import { readdirSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../../foundation/base/index.ts";
import type {
  Datum,
  Engine,
  EngineModel,
  Precision,
  SampleRequest,
  SamplingParameters,
} from "../../../../foundation/contract/index.ts";
import { installEngine, packageFolder } from "../installation.ts";
import { LocalEngine, type LocalEngineOptions } from "../local-engine.ts";

export const vocabulary = 12;
export const config = {
  model_type: "llama",
  vocab_size: vocabulary,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

/** A folder with a small model's configuration, and engines on it. */
export class SmallEngines implements AsyncDisposable {
  readonly folder: string;
  readonly modelFolder: string;
  readonly python: string;

  private constructor(folder: string, modelFolder: string, python: string) {
    this.folder = folder;
    this.modelFolder = modelFolder;
    this.python = python;
  }

  static async make(): Promise<SmallEngines> {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-local-"));
    const modelFolder = join(folder, "model");
    await mkdir(modelFolder);
    await writeFile(join(modelFolder, "config.json"), JSON.stringify(config));
    const { python } = await installEngine();
    return new SmallEngines(folder, modelFolder, python);
  }

  open(
    workers: number,
    logFolder = join(this.folder, "logs"),
    largeThreads = 1,
    silenceMs?: number,
    helpers = 0,
  ): LocalEngine {
    return this.#engine({
      logFolder,
      workers,
      largeThreads,
      helpers,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
  }

  /** An engine of two workers whose Python runs something of the test's first, and the folder of their logs. */
  async openWith(
    name: string,
    first: string,
    options: Pick<LocalEngineOptions, "device" | "deterministic">,
  ): Promise<{ readonly engine: LocalEngine; readonly logFolder: string }> {
    const place = join(this.folder, name);
    const logFolder = join(place, "logs");
    await mkdir(place);
    await symlink(join(packageFolder, "whetstone_engine"), join(place, "whetstone_engine"));
    await writeFile(join(place, "sitecustomize.py"), first);
    return { engine: this.#engine({ packageFolder: place, logFolder, ...options }), logFolder };
  }

  #engine(options: Partial<LocalEngineOptions> & Pick<LocalEngineOptions, "logFolder">): LocalEngine {
    return new LocalEngine({
      python: this.python,
      packageFolder,
      environment: process.env,
      clock: systemClock,
      workers: 2,
      threads: 1,
      largeThreads: 1,
      ...options,
    });
  }

  newModel(seed: number, on: Engine, precision: Precision = "fp32"): Promise<EngineModel> {
    return on.createModel({ source: { kind: "folder", path: this.modelFolder, seed }, precision });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

/** Counts upwards from a start: something that is quickly learnt. */
export function counting(count: number): Datum[] {
  return Array.from({ length: count }, (_, start) => {
    const line = Int32Array.from({ length: 9 }, (_, index) => (start + index) % vocabulary);
    return { tokens: line.subarray(0, 8), targets: line.subarray(1), weights: new Float32Array(8).fill(1) };
  });
}

export async function train(model: EngineModel, steps: number): Promise<number[]> {
  const data = counting(vocabulary);
  const passes = Array.from({ length: steps }, () => {
    const pass = model.forwardBackward(data, { loss: { name: "cross_entropy" }, logprobs: "none" });
    const step = model.optimStep({ learningRate: 1e-2 });
    return Promise.all([pass, step]);
  });
  return (await Promise.all(passes)).map(([{ lossSum, positions }]) => lossSum / positions);
}

export function requestsOf(count: number, parameters: Partial<SamplingParameters> = {}): SampleRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    prompt: Int32Array.from({ length: 1 + (index % 7) }, (_, place) => (index + place) % vocabulary),
    samples: 1 + (index % 3),
    seed: 2 ** 47 + 977 * index,
    parameters: { maxTokens: 4 + (index % 9), ...parameters },
  }));
}

/** The process of a log folder's n-th worker: the one whose standard output that log is. */
export function processOfWorker(logFolder: string, number: number): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const output = readlinkSync(`/proc/${pid}/fd/1`);
      if (output.startsWith(logFolder) && output.endsWith(`-${number}.log`)) return Number(pid);
    } catch {
      // Gone, or not ours to look at.
    }
  }
  throw new Error(`no process writes log ${number} of ${logFolder}`);
}
