import type { Clock } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { engineError } from "../engine-error.ts";
import { type Environment, makeFolder } from "./cache-folder.ts";
import type { Device } from "./device.ts";
import { shareOf } from "./machine.ts";
import { type MemoryShare, Worker } from "./worker.ts";
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
  /** Processes beside each of them that compute parts of large passes; none if left out. */
  readonly helpers?: number;
  /** Threads of the one worker that holds the large models. */
  readonly largeThreads: number;
  /** What workers are asked to compute on; the CPU where it is left out. */
  readonly device?: Device;
  /** Bytes of memory that were recorded for this machine. */
  readonly memoryBytes?: number;
  /** How long a worker that has nothing to do may take to answer. */
  readonly silenceMs?: number;
  readonly onProgress?: EngineProgress;
}

/** A model's place on a worker. */
export interface Lease {
  readonly worker: Worker;
  /** Other workers for small models that hold none now, where the model is a small one. */
  readonly idle: () => readonly Worker[];
  /** Whether no other worker has anything to do now. */
  readonly alone: () => boolean;
  /** Gives the place back. */
  release(): void;
}

interface Slot {
  readonly index: number;
  readonly threads: number;
  readonly helpers: number;
  readonly memory: MemoryShare | undefined;
  /** How many adapters lie over each base. */
  readonly bases: Map<string, number>;
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
    const slot = (index: number, threads: number, helpers: number, sharers: number): Slot => ({
      index,
      threads,
      helpers,
      memory: options.memoryBytes === undefined ? undefined : shareOf(options.memoryBytes, sharers),
      bases: new Map(),
      starting: undefined,
      worker: undefined,
      models: 0,
      used: false,
    });
    this.#small = Array.from({ length: options.workers }, (_, index) =>
      slot(index, options.threads, options.helpers ?? 0, options.workers),
    );
    this.#large = slot(options.workers, options.largeThreads, 0, 1);
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
    const slots = await this.#slots(small);
    await probe(slots);
    return Promise.all(slots.map((slot) => this.#taken(slot)));
  }

  /**
   * A place for a model, on the worker with the fewest; for adapters, on one that holds their base already, if any does.
   * Where one small worker is needed, the others will be soon.
   */
  async place(small: boolean, base?: string): Promise<Lease> {
    const slots = await this.#slots(small);
    await probe(slots);
    for (const slot of slots) this.#taken(slot).catch(() => undefined);
    const holding = slots.filter(({ bases }) => base !== undefined && bases.has(base));
    const slot = (holding.length > 0 ? holding : slots).reduce((best, other) =>
      other.models < best.models ? other : best,
    );
    const count = (more: number): void => {
      slot.models += more;
      if (base === undefined) return;
      const over = (slot.bases.get(base) ?? 0) + more;
      if (over > 0) slot.bases.set(base, over);
      else slot.bases.delete(base);
    };
    count(1);
    const before = slot.starting;
    const release = (): void => {
      if (slot.starting === before) count(-1);
    };
    try {
      return {
        worker: await this.#started(slot),
        idle: () => this.#idleBeside(slot),
        alone: () => ![...this.#small, this.#large].some((other) => other !== slot && other.worker?.busy),
        release,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  #idleBeside(slot: Slot): readonly Worker[] {
    if (!this.#small.includes(slot)) return [];
    return this.#small.flatMap(({ worker, models }) =>
      worker === undefined || worker === slot.worker || models > 0 || worker.failure !== undefined
        ? []
        : [worker],
    );
  }

  /** A GPU has one worker for all models: several would share its memory, and none knows of the others'. */
  async #slots(small: boolean): Promise<readonly Slot[]> {
    const { device = "cpu" } = this.#options;
    const far = device !== "cpu" && (await this.one()).hello.device !== "cpu";
    return small && !far ? this.#small : [this.#large];
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
      slot.bases.clear();
      slot.used = false;
    }
    slot.starting ??= this.#start(slot).catch((error: unknown) => {
      slot.starting = undefined;
      slot.models = 0;
      slot.bases.clear();
      throw error;
    });
    return slot.starting;
  }

  async #start(slot: Slot): Promise<Worker> {
    const idle = slot === this.#large ? this.#giveUpFirst() : undefined;
    const worker = idle ?? (await this.#startProcess(slot));
    const { threads, helpers, memory } = slot;
    await worker.use({ threads, helpers, ...(memory === undefined ? {} : { memory }) });
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
    const { python, packageFolder, environment, logFolder, device, silenceMs, onProgress } = this.#options;
    this.#starts += 1;
    const total = this.#starts;
    const tell = (): void =>
      onProgress?.("starting the engine's workers", this.#everStarted.length, this.#starts);
    tell();
    await makeFolder(logFolder);
    const log = openWorkerLog(logFolder, this.#stamp, total);
    const { threads, helpers, memory } = slot;
    const worker = await Worker.start({
      python,
      packageFolder,
      threads,
      helpers,
      log,
      environment,
      ...(device === undefined ? {} : { device }),
      ...(memory === undefined ? {} : { memory }),
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
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

/** One that is stopped or stuck is found before a model is placed on it, which would wait for ever. */
async function probe(slots: readonly Slot[]): Promise<void> {
  await Promise.all(slots.map(({ worker }) => worker?.probe()));
}
