import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type Scalar, WhetstoneError } from "../../../foundation/base/index.ts";
import type { Precision } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import type { Environment } from "./cache-folder.ts";
import type { Device } from "./device.ts";
import {
  encodeFrame,
  type Frame,
  type FrameArrays,
  type FrameHead,
  type FrameInput,
  FrameReader,
} from "./frames.ts";
import type { Arithmetic } from "./tolerance.ts";
import { lastLines } from "./worker-log.ts";

export interface WorkerOptions {
  /** The interpreter of the virtual environment. */
  readonly python: string;
  /** The folder that holds the Python package. */
  readonly packageFolder: string;
  readonly threads: number;
  /** Processes that compute parts of its large passes beside it, where it has one thread; none if left out. */
  readonly helpers?: number;
  /** What it is asked to compute on; the CPU where it is left out. */
  readonly device?: Device;
  /** What the machine was found to have; without it the worker's own limits hold. */
  readonly memory?: MemoryShare;
  readonly log: { readonly path: string; readonly descriptor: number };
  readonly environment: Environment;
  /** How long it may take to answer with nothing to do; default 30 s, which a machine that swaps may need. */
  readonly silenceMs?: number;
}

/** Of the memory that was recorded for this machine, once. */
export interface MemoryShare {
  /** Most bytes of data of the process: beyond, an allocation fails by name, and nothing else does. */
  readonly memoryBytes: number;
  /** Most bytes that a pass keeps for its gradients. */
  readonly passBytes: number;
}

export interface Hello {
  /** What it computes on: `cpu` or `cuda`. */
  readonly device: string;
  readonly architectures: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** What a large model of each precision is computed in on this processor. */
  readonly arithmetic: Readonly<Record<Precision, Arithmetic>>;
}

export interface Reply {
  readonly head: FrameHead;
  readonly arrays: FrameArrays;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: WhetstoneError) => void;
}

const protocol = 1;
const patienceMs = 2000;
const longestSilenceMs = 30_000;

/**
 * One process of the Python package and the calls that wait for it. Calls are written in the order in which they are
 * made and answered in that order. While nothing waits, the process keeps no program from ending; its socket's end
 * is its own.
 */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #socket: Duplex & { ref(): void; unref(): void };
  readonly #logPath: string;
  readonly #silenceMs: number;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  readonly #device: Device;
  #threads: number;
  #helpers: number;
  #memory: MemoryShare | undefined;
  #lastId = 0;
  #incarnation: unknown;
  #closing = false;
  #busySeconds = 0;
  #hello: Hello | undefined;
  #failure: WhetstoneError | undefined;
  #readyAt: number | undefined;
  #endedAt: number | undefined;

  private constructor({
    python,
    packageFolder,
    device = "cpu",
    threads,
    helpers = 0,
    memory,
    log,
    environment,
    silenceMs = longestSilenceMs,
  }: WorkerOptions) {
    this.#logPath = log.path;
    this.#silenceMs = silenceMs;
    this.#device = device;
    this.#threads = threads;
    this.#helpers = helpers;
    this.#memory = memory;
    this.#child = spawn(python, ["-m", "whetstone_engine"], {
      cwd: packageFolder,
      env: workerEnvironment(environment, packageFolder, threads),
      stdio: ["ignore", log.descriptor, log.descriptor, "pipe"],
      // In a session of its own no key of the terminal reaches it: it ends when its work or its parent ends.
      detached: true,
    });
    closeSync(log.descriptor);
    this.#socket = this.#child.stdio[3] as unknown as Duplex & { ref(): void; unref(): void };
    const exit = Promise.withResolvers<void>();
    this.#exited = exit.promise;
    this.#child.on("error", (error) => {
      if (this.#child.pid !== undefined) return;
      this.#fail(notStarted(python, error));
      exit.resolve();
    });
    // Comes after the last byte of the socket, so that an answer given before a death still counts.
    this.#child.once("close", (code, signal) => {
      this.#fail(this.#deathOf(code, signal));
      exit.resolve();
    });
    this.#socket.on("data", (piece: Buffer) => this.#receive(piece));
    this.#socket.on("error", () => undefined);
    this.#socket.once("close", () => {
      // What waits for an answer is told by the end of the process that there is none.
      if (this.#pending.size > 0) this.#child.ref();
      setTimeout(() => this.#kill(), patienceMs).unref();
    });
    this.#child.unref();
    this.#socket.unref();
  }

  /** Starts a process and waits until it answers. Throws `worker-died` or `worker-not-started`. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options);
    worker.#hello = (await worker.#greet()) as unknown as Hello;
    worker.#readyAt = performance.now();
    return worker;
  }

  /**
   * Resolves when it has answered, which one that has nothing to do does at once; one that does not, because it is stopped or
   * stuck, fails with `worker-silent` and is ended. One that computes is not asked.
   */
  async probe(): Promise<void> {
    if (this.#failure !== undefined || this.#pending.size > 0) return;
    const patience = new AbortController();
    let answered = false;
    const answer = this.call("ping", {}).then(
      () => {
        answered = true;
      },
      () => undefined,
    );
    // After a stop of this program itself the time is up before what came meanwhile has been read.
    const tired = sleep(this.#silenceMs, undefined, { signal: patience.signal }).then(() => nextTurn());
    await Promise.race([answer, tired.catch(() => undefined)]);
    patience.abort();
    if (answered || this.#failure !== undefined) return;
    this.#fail(silent(this.#silenceMs, this.#logPath));
    this.#kill();
  }

  /** Computes with so many threads and helpers, in so much memory, from now on. */
  async use({
    threads,
    helpers = 0,
    memory,
  }: Pick<WorkerOptions, "threads" | "helpers" | "memory">): Promise<void> {
    const same = threads === this.#threads && helpers === this.#helpers;
    if (same && memory?.memoryBytes === this.#memory?.memoryBytes) return;
    this.#threads = threads;
    this.#helpers = helpers;
    this.#memory = memory;
    await this.#greet();
  }

  async #greet(): Promise<FrameHead> {
    const { head } = await this.call("hello", {
      protocol,
      device: this.#device,
      threads: this.#threads,
      helpers: this.#helpers,
      ...this.#memory,
    });
    return head;
  }

  get hello(): Hello {
    if (this.#hello === undefined) throw engineError("worker-not-ready", "The worker has not answered yet.");
    return this.#hello;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** Why it takes no more calls; undefined while it does. */
  get failure(): WhetstoneError | undefined {
    return this.#failure;
  }

  /** Whether calls wait for their answer. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /** Seconds of computing, as of its last answer. */
  get busySeconds(): number {
    return this.#busySeconds;
  }

  /** Wall seconds since it was ready, until now or its end. */
  get availableSeconds(): number {
    if (this.#readyAt === undefined) return 0;
    return ((this.#endedAt ?? performance.now()) - this.#readyAt) / 1000;
  }

  /** Writes one verb at once and resolves with its reply. Arrays are copied; the caller may change them afterwards. */
  call(verb: string, parameters: FrameHead, arrays?: FrameInput): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    try {
      this.#lastId += 1;
      this.#socket.write(encodeFrame({ id: this.#lastId, verb, ...parameters }, arrays));
      if (this.#pending.size === 0) this.#hold(true);
      this.#pending.set(this.#lastId, { resolve, reject });
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  #receive(piece: Buffer): void {
    try {
      for (const frame of this.#reader.push(piece)) this.#answer(frame);
    } catch (error) {
      this.#fail(error as WhetstoneError);
      this.#kill();
    }
  }

  #answer({ head, arrays }: Frame): void {
    this.#incarnation ??= head.incarnation;
    const waiting = this.#pending.get(head.id as number);
    if (waiting === undefined || head.incarnation !== this.#incarnation)
      throw engineError("broken-frame", "The engine's worker answered a call that was not made to it.");
    this.#pending.delete(head.id as number);
    if (this.#pending.size === 0) this.#hold(false);
    this.#busySeconds = head.busySeconds as number;
    if (head.ok === true) waiting.resolve({ head, arrays });
    else waiting.reject(errorOf(head.error));
  }

  /** Keeps the program running while something is waited for: an answer, or at last the end of the process. */
  #hold(held: boolean): void {
    if (held || this.#closing) this.#socket.ref();
    else this.#socket.unref();
  }

  #deathOf(code: number | null, signal: NodeJS.Signals | null): WhetstoneError {
    if (this.#closing) return closed();
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const lines = lastLines(this.#logPath);
    const said =
      lines.length === 0 ? "Its log is empty" : `The last lines of its log:\n${lines.join("\n")}\n`;
    return new WhetstoneError({
      code: "worker-died",
      category: "engine",
      message: `A worker of the engine died (${how}). ${said}(${this.#logPath})`,
      details: { exitCode: code, signal, log: this.#logPath },
    });
  }

  /** The first reason counts: what was made known is not told otherwise later. */
  #fail(reason: WhetstoneError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#endedAt = performance.now();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#hold(false);
    this.#socket.destroy();
  }

  #kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Asks it to end, and ends it where it does not within two seconds. What it had not answered fails with `engine-closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#hold(true);
    this.#child.ref();
    if (this.#failure === undefined) this.call("shutdown", {}).catch(() => undefined);
    const patience = new AbortController();
    const tired = sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.#exited, tired]);
    patience.abort();
    this.#fail(closed());
    this.#kill();
    await this.#exited;
  }
}

function closed(): WhetstoneError {
  return engineError("engine-closed", "The engine was closed while a call waited for its answer.");
}

function silent(silenceMs: number, log: string): WhetstoneError {
  return new WhetstoneError({
    code: "worker-silent",
    category: "engine",
    message: `A worker of the engine had nothing to do and did not answer for ${silenceMs / 1000} s, so it was ended, and what it held is lost; the next call that needs its place starts another. (${log})`,
    details: { silenceMs, log },
  });
}

function notStarted(python: string, cause: Error): WhetstoneError {
  return new WhetstoneError({
    code: "worker-not-started",
    category: "environment",
    message: `The engine's Python ${python} cannot be started (${cause.message}): run \`whetstone engine remove\`, then \`whetstone engine install\`.`,
    cause,
  });
}

const categories = ["user", "environment", "engine", "internal"] as const;

function errorOf(described: unknown): WhetstoneError {
  const { code, category, message, details } = described as Record<string, unknown>;
  return new WhetstoneError({
    code: String(code),
    category: categories.find((known) => known === category) ?? "engine",
    message: String(message),
    details: (details ?? {}) as Record<string, Scalar>,
  });
}

/** One worker uses the threads that it was given, and sees no Python settings of the user's. */
export function workerEnvironment(
  environment: Environment,
  packageFolder: string,
  threads: number,
): Environment {
  // Where Python keeps nothing of what it compiles, as in many containers, each worker would compile its sources anew.
  const { PYTHONHOME, PYTHONSTARTUP, PYTHONDONTWRITEBYTECODE, ...rest } = environment;
  const count = String(threads);
  return {
    ...rest,
    PYTHONPATH: packageFolder,
    PYTHONUNBUFFERED: "1",
    PYTHONNOUSERSITE: "1",
    PYTHONUTF8: "1",
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    // Threads that wait do so awake for a moment only: on a busy machine they would keep the one that works from its core.
    GOMP_SPINCOUNT: "10000",
    // Otherwise glibc gives each large block back after use and pays for its pages anew: a tenth of training's time.
    MALLOC_MMAP_THRESHOLD_: String(2 ** 28),
    MALLOC_TRIM_THRESHOLD_: String(2 ** 29),
    // Large blocks lie in large pages: 2 to 3 % of training's time.
    GLIBC_TUNABLES: [rest.GLIBC_TUNABLES, "glibc.malloc.hugetlb=1"].filter(Boolean).join(":"),
  };
}
