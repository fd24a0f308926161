import { resolve } from "node:path";
import { isWhetstoneError, waitFor } from "../../../foundation/base/index.ts";
import type {
  Determinism,
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  LoadOptions,
  Sampler,
} from "../../../foundation/contract/index.ts";
import type { Tally } from "../tally.ts";
import { weightVersionOf } from "../weight-version.ts";
import { abilities, promised, untestedBits } from "./abilities.ts";
import { hasEqualBits } from "./equal-bits.ts";
import type { FrameHead } from "./frames.ts";
import { loadOn } from "./load-on.ts";
import { LocalModel } from "./model.ts";
import { isSmall, placeOf } from "./placement.ts";
import { type PoolOptions, WorkerPool } from "./pool.ts";
import { LocalSampler } from "./sampler.ts";
import { toleranceOf } from "./tolerance.ts";
import type { Worker } from "./worker.ts";

export interface LocalEngineOptions extends PoolOptions {
  /** What is sampled together depends on the calls alone, never on when they arrive. */
  readonly deterministic?: boolean;
  /** Brings the packages that models of the plain path need, and says in which folder they are; called when one is loaded. */
  readonly plainPackages?: (signal: AbortSignal | undefined) => Promise<string>;
}

/**
 * Models on this machine, in processes of the Python package. Small ones share the cores, one each; a large one gets all
 * of them.
 */
export class LocalEngine implements Engine {
  readonly name = "local";
  readonly #pool: WorkerPool;
  readonly #workers: number;
  readonly #deterministic: boolean;
  readonly #plainPackages: LocalEngineOptions["plainPackages"];
  readonly #tally: Tally = { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 };
  #models = 0;
  #samplers = 0;
  #proof: Promise<readonly Determinism[]> | undefined;

  constructor({ plainPackages, deterministic = false, ...options }: LocalEngineOptions) {
    this.#deterministic = deterministic;
    this.#pool = new WorkerPool(options);
    this.#plainPackages = plainPackages;
    this.#workers = options.workers;
  }

  async capabilities(): Promise<EngineCapabilities> {
    const deterministic = await this.#proven();
    const { hello } = await this.#pool.one();
    return {
      engine: `${this.name} (torch ${hello.versions.torch})`,
      device: hello.device,
      ...abilities,
      ...(deterministic.length > 0 ? { deterministic } : {}),
      architectures: hello.architectures,
      untested: [
        "published weights of the architectures that transformers computes: tiny models of each were compared",
        ...(deterministic.length > 0 ? untestedBits : []),
        ...(hello.device === "cpu" ? [] : ["CUDA on anything but one H100 with PyTorch 2.11"]),
      ],
      workers: hello.device === "cpu" ? this.#workers : 1,
      tolerance: {
        fp32: toleranceOf("fp32", hello.arithmetic.fp32),
        mixed: toleranceOf("mixed", hello.arithmetic.mixed),
        bf16: toleranceOf("bf16", hello.arithmetic.bf16),
      },
    };
  }

  get #shared(): { readonly tally: Tally; readonly deterministic: boolean } {
    return { tally: this.#tally, deterministic: this.#deterministic };
  }

  /** Which equal bits it has: what was promised where a first worker was seen to keep it, before anything is loaded. */
  #proven(): Promise<readonly Determinism[]> {
    if (!this.#deterministic) return Promise.resolve([]);
    const prove = async (): Promise<readonly Determinism[]> =>
      (await hasEqualBits(await this.#pool.one(), abilities.precisions)) ? promised : [];
    this.#proof ??= prove().catch((error: unknown) => {
      this.#proof = undefined;
      throw error;
    });
    return this.#proof;
  }

  /** Whether a model is small. Workers for small ones may start meanwhile; a large one's place changes how the first computes. */
  async #smallOrProven(folder: string): Promise<boolean> {
    const small = await isSmall(folder);
    if (!small) await this.#proven();
    return small;
  }

  createModel(options: LoadOptions): Promise<EngineModel> {
    this.#models += 1;
    return disposeIfLate(this.#create(`model-${this.#models}`, options), options.signal);
  }

  async #create(id: string, options: LoadOptions): Promise<EngineModel> {
    options.signal?.throwIfAborted();
    const { folder, base } = await placeOf(options);
    const small = await this.#smallOrProven(folder);
    const lease = await this.#pool.place(small, base);
    try {
      await this.#proven();
      const info = await this.#withPackages(
        (brought) => loadOn(lease.worker, "create_model", { model: id, ...brought }, options),
        options.signal,
      );
      return new LocalModel({ id, info, lease, loaded: loadedAs(options), ...this.#shared });
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
    const { folder } = await placeOf(options);
    const workers = await this.#pool.all(await this.#smallOrProven(folder));
    await this.#proven();
    const weightVersion = weightVersionOf(options.source);
    const sampler = new LocalSampler({ id, weightVersion, workers, ...this.#shared });
    // A base that adapters share is computed with otherwise, and whether one is there is others' affair.
    const alone = this.#deterministic ? { apart: true } : {};
    const loads = workers.map((worker) =>
      this.#withPackages(
        (brought) => loadOn(worker, "load_sampler", { sampler: id, ...alone, ...brought }, options),
        options.signal,
      ),
    );
    const failed = (await Promise.allSettled(loads)).find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") return sampler;
    await sampler[Symbol.asyncDispose]();
    throw failed.reason;
  }

  /** A worker says itself whether a model needs packages that it lacks; they are brought, and it is asked again. */
  async #withPackages<T>(ask: (brought: FrameHead) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await ask({});
    } catch (error) {
      const bring = this.#plainPackages;
      if (bring === undefined || !isWhetstoneError(error) || error.code !== "packages-missing") throw error;
      return await ask({ packages: await bring(signal) });
    }
  }

  /**
   * Writes the whole model, in fp32, that adapters and the weights under them make together. Throws user errors
   * `adapter-missing`, `adapter-unsupported`, `base-missing`, `base-changed` and `save-exists`.
   */
  async mergeAdapters({ from, to, base }: MergeOptions): Promise<{ readonly bytes: number }> {
    const source = {
      kind: "checkpoint",
      path: resolve(from),
      optimizer: false,
      ...(base === undefined ? {} : { base: resolve(base) }),
    } as const;
    const { folder } = await placeOf({ source });
    const [worker] = await this.#pool.all(await isSmall(folder));
    const { head } = await this.#withPackages((brought) =>
      (worker as Worker).call("merge", { source, path: resolve(to), ...brought }),
    );
    return { bytes: head.bytes as number };
  }

  cost(): EngineCost {
    const { busySeconds, availableSeconds } = this.#pool;
    return { busySeconds, availableSeconds, ...this.#tally };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function loadedAs({ precision, tokenBytes }: LoadOptions): Pick<LoadOptions, "precision" | "tokenBytes"> {
  return {
    ...(precision === undefined ? {} : { precision }),
    ...(tokenBytes === undefined ? {} : { tokenBytes }),
  };
}

export interface MergeOptions {
  /** A PEFT folder. */
  readonly from: string;
  /** The folder to write; it must not exist. */
  readonly to: string;
  /** Where the weights under the adapters lie, if not where their config says. */
  readonly base?: string;
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
