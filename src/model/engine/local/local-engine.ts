import { resolve } from "node:path";
import { waitFor } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  LoadOptions,
  ModelInfo,
  Sampler,
  Tolerance,
} from "../../../foundation/contract/index.ts";
import type { Tally } from "../tally.ts";
import { weightVersionOf } from "../weight-version.ts";
import { abilities } from "./abilities.ts";
import { type FrameHead, type FrameInput, i32, u8 } from "./frames.ts";
import { LocalModel } from "./model.ts";
import { isSmall } from "./placement.ts";
import { type PoolOptions, WorkerPool } from "./pool.ts";
import { LocalSampler } from "./sampler.ts";
import type { Worker } from "./worker.ts";

/**
 * Models on this machine, in processes of the Python package. Small ones share the cores, one each; a large one gets all
 * of them.
 */
export class LocalEngine implements Engine {
  readonly name = "local";
  readonly #pool: WorkerPool;
  readonly #workers: number;
  readonly #tally: Tally = { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 };
  #models = 0;
  #samplers = 0;

  constructor(options: PoolOptions) {
    this.#pool = new WorkerPool(options);
    this.#workers = options.workers;
  }

  async capabilities(): Promise<EngineCapabilities> {
    const { hello } = await this.#pool.one();
    return {
      engine: `${this.name} (torch ${hello.versions.torch})`,
      device: hello.device,
      ...abilities,
      architectures: hello.architectures,
      untested: [],
      workers: this.#workers,
      tolerance: { fp32: exact, bf16: hello.arithmetic.bf16 === "fp32" ? exact : rough },
    };
  }

  createModel(options: LoadOptions): Promise<EngineModel> {
    this.#models += 1;
    return disposeIfLate(this.#create(`model-${this.#models}`, options), options.signal);
  }

  async #create(id: string, options: LoadOptions): Promise<EngineModel> {
    options.signal?.throwIfAborted();
    const lease = await this.#pool.place(await isSmall(options.source.path));
    try {
      const info = await load(lease.worker, "create_model", { model: id }, options);
      return new LocalModel({ id, info, lease, tally: this.#tally });
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  loadSampler(options: LoadOptions): Promise<Sampler> {
    this.#samplers += 1;
    return disposeIfLate(this.#load(`sampler-${this.#samplers}`, options), options.signal);
  }

  async #load(id: string, options: LoadOptions): Promise<Sampler> {
    options.signal?.throwIfAborted();
    const workers = await this.#pool.all(await isSmall(options.source.path));
    const weightVersion = weightVersionOf(options.source);
    const sampler = new LocalSampler({ id, weightVersion, workers, tally: this.#tally });
    const loads = workers.map((worker) => load(worker, "load_sampler", { sampler: id }, options));
    const failed = (await Promise.allSettled(loads)).find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") return sampler;
    await sampler[Symbol.asyncDispose]();
    throw failed.reason;
  }

  cost(): EngineCost {
    const { busySeconds, availableSeconds } = this.#pool;
    return { busySeconds, availableSeconds, ...this.#tally };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

const exact: Tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };

/**
 * Activations in bf16, on a processor that is faster with them: a batch of other shape rounds otherwise. On text of SmolLM2-135M
 * sampled and recomputed logprobs differed by 0.04 on average and 0.5 at most.
 */
const rough: Tolerance = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };

async function load(
  worker: Worker,
  verb: "create_model" | "load_sampler",
  names: FrameHead,
  { source, precision = "fp32", tokenBytes }: LoadOptions,
): Promise<ModelInfo> {
  const parameters = { ...names, source: { ...source, path: resolve(source.path) }, precision };
  const { head } = await worker.call(
    verb,
    parameters,
    tokenBytes === undefined ? {} : packTokenBytes(tokenBytes),
  );
  const info = head as unknown as Omit<ModelInfo, "maxPositions"> & { readonly maxPositions?: number | null };
  return {
    parameters: info.parameters,
    vocabularySize: info.vocabularySize,
    step: info.step,
    ...(typeof info.maxPositions === "number" ? { maxPositions: info.maxPositions } : {}),
  };
}

function packTokenBytes(tokenBytes: readonly Uint8Array[]): FrameInput {
  return {
    token_bytes: u8(...tokenBytes),
    token_byte_lengths: i32(Int32Array.from(tokenBytes, ({ length }) => length)),
  };
}

/** What is loaded when nobody waits for it any more is given back. */
async function disposeIfLate<T extends AsyncDisposable>(
  loading: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await waitFor(loading, signal);
  } catch (error) {
    loading.then((loaded) => loaded[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}
