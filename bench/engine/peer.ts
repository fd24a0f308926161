import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fairEnvironment, type PeerEnvironment } from "./environment.ts";

export interface PeerOptions {
  readonly environment: PeerEnvironment;
  readonly script: "generate.py" | "fine-tune.py" | "trainer.py" | "grpo.py" | "matmul.py";
  readonly processes: number;
  readonly threads: number;
  /** The processes train one model together. */
  readonly together?: boolean;
  readonly options: Readonly<Record<string, string | number>>;
}

/** It ended before it had done its work, as when the system took its memory. */
export class PeerEnded extends Error {}

/** Processes that do their work when it is their turn, and wait while it is another's. */
export class Peer implements AsyncDisposable {
  readonly #processes: readonly PeerProcess[];

  private constructor(processes: readonly PeerProcess[]) {
    this.#processes = processes;
  }

  /** Resolves when all are ready. */
  static async start(options: PeerOptions): Promise<Peer> {
    const port = options.together ? await freePort() : undefined;
    const peer = new Peer(
      Array.from({ length: options.processes }, (_, rank) => new PeerProcess(options, rank, port)),
    );
    try {
      await Promise.all(peer.#processes.map((one) => one.line("ready")));
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One turn: tokens that all processes did, a second. */
  async turn(): Promise<number> {
    const begun = performance.now();
    const counts = await Promise.all(this.#processes.map((one) => one.turn()));
    return (counts.reduce((sum, count) => sum + count, 0) / (performance.now() - begun)) * 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.end()));
  }
}

/** Threads of each, where so many processes share the machine. */
export const threadsOf = (processes: number): number =>
  Math.max(1, Math.floor(availableParallelism() / processes));

export type PeerDevice = "cpu" | "cuda";

/** How many processes of it are tried: on a GPU one. */
export const processesOn = (device: PeerDevice): readonly number[] => (device === "cpu" ? [1, 2] : [1]);

/** Where it ran, as a row's setting says it: on which GPU, or how on the processor. */
export function where(device: PeerDevice, onHost: string): string {
  if (device === "cpu") return onHost;
  const names = execFileSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
    encoding: "utf8",
  });
  return `on one ${names.split("\n")[0]}`;
}

/** The same of those that were tried with one process and with two. */
export const whereFastest = (device: PeerDevice, processes: number): string =>
  where(device, `${processes} × ${threadsOf(processes)} threads (the faster of 1 and 2 processes)`);

/** The rate of a setting's first turn; 0 for one that does not start, such as a batch for which there is no memory. */
export async function firstTurn(setting: object, start: () => Promise<Peer>): Promise<number> {
  try {
    await using peer = await start();
    return await peer.turn();
  } catch (error) {
    leftOut(setting, error);
    return 0;
  }
}

export const leftOut = (setting: object, error: unknown): void =>
  console.error(`left out ${JSON.stringify(setting)}: ${(error as Error).message.slice(-300)}`);

class PeerProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;
  #errors = "";

  constructor(
    { environment, script, processes, threads, options }: PeerOptions,
    rank: number,
    port?: number,
  ) {
    const flags = Object.entries({ ...options, threads }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    const group = {
      RANK: String(rank),
      LOCAL_RANK: String(rank),
      WORLD_SIZE: String(processes),
      MASTER_ADDR: "127.0.0.1",
      MASTER_PORT: String(port),
    };
    this.#child = spawn(environment.python, [join(import.meta.dirname, script), ...flags], {
      env: { ...fairEnvironment(threads), ...(port === undefined ? {} : group) },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "close").catch(() => undefined);
    // Writing to one that died fails; what it said before is what is told.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.on("data", (piece: Buffer) => {
      this.#errors = (this.#errors + piece.toString()).slice(-4000);
    });
    const output = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines = output[Symbol.asyncIterator]();
  }

  async line(wanted?: string): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new PeerEnded(`a peer of the bench ended:\n${this.#errors}`);
      if (wanted === undefined ? /^\d+$/.test(value) : value === wanted) return value;
    }
  }

  async turn(): Promise<number> {
    this.#child.stdin?.write("go\n");
    return Number(await this.line());
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await this.#exited;
    clearTimeout(patience);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
