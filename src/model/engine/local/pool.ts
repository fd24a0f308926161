import type { Clock } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { engineError } from "../engine-error.ts";
import { type Environment, makeFolder } from "./cache-folder.ts";
import { Worker } from "./worker.ts";
import { logStamp, openWorkerLog } from "./worker-log.ts";

export interface PoolOptions {
  readonly python: string;
  readonly packageFolder: string;
  readonly environment: Environment;
  readonly logFolder: string;
  readonly clock: Clock;
  /** Workers for small models, and threads of each. */
  readonly workers: number;
  readonly threads: number;
  /** Threads of the one worker that holds the large models. */
  readonly largeThreads: number;
  readonly onProgress?: EngineProgress;
}

/** A model's place on a worker. */
export interface Lease {
  readonly worker: Worker;
  /** Gives the place back. */
  release(): void;
}

interface Slot {
  readonly index: number;
  readonly threads: number;
  starting: Promise<Worker> | undefined;
  worker: Worker | undefined;
  models: number;
  /** Something was loaded on it, or will be. */
  used: boolean;
}

/**
 * The processes of one engine: several for small models, one for large ones, each started when first needed. A dead one
 * is replaced by the next call that needs its place; what it held is lost.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #small: readonly Slot[];
  readonly #large: Slot;
  readonly #stamp: string;
  readonly #everStarted: Worker[] = [];
  #starts = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    const slot = (index: number, threads: number): Slot => ({
      index,
      threads,
      starting: undefined,
      worker: undefined,
      models: 0,
      used: false,
    });
    this.#small = Array.from({ length: options.workers }, (_, index) => slot(index, options.threads));
    this.#large = slot(options.workers, options.largeThreads);
    this.#stamp = logStamp(options.clock.now());
  }

  /** Any one worker: what it can do, all can do. */
  async one(): Promise<Worker> {
    const running = [...this.#small, this.#large].find(
      ({ worker }) => worker !== undefined && worker.failure === undefined,
    );
    return this.#started(running ?? this.#first);
  }

  get #first(): Slot {
    return this.#small[0] as Slot;
  }

  /** The workers on which a sampler of this size is loaded. */
  async all(small: boolean): Promise<Worker[]> {
    return Promise.all((small ? this.#small : [this.#large]).map((slot) => this.#taken(slot)));
  }

  /** A place for a model, on the worker with the fewest. Where one small worker is needed, the others will be soon. */
  async place(small: boolean): Promise<Lease> {
    const slots = small ? this.#small : [this.#large];
    for (const slot of slots) this.#taken(slot).catch(() => undefined);
    const slot = slots.reduce((best, other) => (other.models < best.models ? other : best));
    slot.models += 1;
    const before = slot.starting;
    const release = (): void => {
      if (slot.starting === before) slot.models -= 1;
    };
    try {
      return { worker: await this.#started(slot), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #taken(slot: Slot): Promise<Worker> {
    const worker = this.#started(slot);
    slot.used = true;
    return worker;
  }

  #started(slot: Slot): Promise<Worker> {
    if (this.#closed)
      return Promise.reject(engineError("engine-closed", "The engine is closed; open a new one."));
    if (slot.worker?.failure !== undefined) {
      slot.starting = undefined;
      slot.worker = undefined;
      slot.models = 0;
      slot.used = false;
    }
    slot.starting ??= this.#start(slot).catch((error: unknown) => {
      slot.starting = undefined;
      slot.models = 0;
      throw error;
    });
    return slot.starting;
  }

  async #start(slot: Slot): Promise<Worker> {
    const idle = slot === this.#large ? this.#giveUpFirst() : undefined;
    const worker = idle ?? (await this.#startProcess(slot));
    await worker.useThreads(slot.threads);
    slot.worker = worker;
    return worker;
  }

  /** The worker that only said what it can do becomes the large one: a second would cost seconds and memory. */
  #giveUpFirst(): Worker | undefined {
    const first = this.#first;
    const { worker, used } = first;
    if (worker === undefined || used || worker.failure !== undefined) return undefined;
    first.starting = undefined;
    first.worker = undefined;
    return worker;
  }

  async #startProcess(slot: Slot): Promise<Worker> {
    const { python, packageFolder, environment, logFolder, onProgress } = this.#options;
    this.#starts += 1;
    const total = this.#starts;
    const tell = (): void =>
      onProgress?.("starting the engine's workers", this.#everStarted.length, this.#starts);
    tell();
    await makeFolder(logFolder);
    const log = openWorkerLog(logFolder, this.#stamp, total);
    const worker = await Worker.start({ python, packageFolder, threads: slot.threads, log, environment });
    this.#everStarted.push(worker);
    tell();
    if (this.#closed) await worker[Symbol.asyncDispose]();
    return worker;
  }

  get busySeconds(): number {
    return this.#everStarted.reduce((sum, worker) => sum + worker.busySeconds, 0);
  }

  get availableSeconds(): number {
    return this.#everStarted.reduce((sum, worker) => sum + worker.availableSeconds, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const starting = [...this.#small, this.#large].map((slot) => slot.starting?.catch(() => undefined));
    await Promise.all(starting);
    await Promise.all(this.#everStarted.map((worker) => worker[Symbol.asyncDispose]()));
  }
}
