import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { encodeFrame } from "../../src/model/engine/local/frames.ts";
import { installEngine, packageFolder } from "../../src/model/engine/local/index.ts";
import { Worker } from "../../src/model/engine/local/worker.ts";
import { fairEnvironment } from "./environment.ts";
import { pairedRatio } from "./paired.ts";
import { roundTripBar, roundTrips } from "./round-trips.ts";
import type { Row } from "./row.ts";

const trips = 250;
/** Short turns and many of them, so that what else the machine does meets both sides alike. */
const pairsPerRound = 8;

/**
 * TypeScript → worker → a call that does nothing → back, against a bare round trip of as many bytes to a Python process
 * over the same kind of socket.
 */
export async function doorRows(rounds: number): Promise<Row[]> {
  const { python } = await installEngine();
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-door-"));
  const allowed = await allowedCores();
  // Where two that take turns sleep on cores of their own, waking them takes longer than what either does.
  const alone = keepOn(allowed.split(/[-,]/)[0] ?? "0");
  try {
    const path = join(folder, "worker.log");
    await using worker = await Worker.start({
      python,
      packageFolder,
      threads: 1,
      log: { path, descriptor: openSync(path, "a") },
      environment: fairEnvironment(1),
    });
    await using echo = await Echo.start(python);
    const request = encodeFrame({ id: trips, verb: "ping" });
    const ours = roundTrips(trips, () => worker.call("ping", {}));
    const theirs = roundTrips(trips, () => echo.trip(request));
    for (let turn = 0; turn < pairsPerRound; turn++) for (const side of [ours, theirs]) await side();
    return [
      {
        work: "the door: a call that does nothing, there and back",
        against: "a bare round trip over the same kind of socket",
        setting: `Node and Python, ${request.length} bytes there, one round trip after the other, ${trips} a turn${alone ? ", all on one core" : ""}`,
        ratio: await pairedRatio(ours, theirs, pairsPerRound * rounds),
        bar: roundTripBar,
      },
    ];
  } finally {
    if (alone) keepOn(allowed);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The cores that this process may run on, as `taskset` takes them. */
async function allowedCores(): Promise<string> {
  const status = await readFile("/proc/self/status", "utf8");
  return /^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1] ?? "0";
}

/** This process and those that it starts run on these cores from now on; false where the system has no `taskset`. */
function keepOn(cores: string): boolean {
  return spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores, `${process.pid}`]).status === 0;
}

/** A Python process that sends back what it gets. */
class Echo implements AsyncDisposable {
  readonly #socket: Duplex;
  readonly #exited: Promise<unknown>;
  #wanted = 0;
  #arrived: () => void = () => {};

  private constructor(python: string) {
    const child = spawn(python, [join(import.meta.dirname, "echo.py")], {
      env: fairEnvironment(1),
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    this.#socket = child.stdio[3] as unknown as Duplex;
    this.#exited = once(child, "close");
    this.#socket.on("data", (piece: Buffer) => {
      this.#wanted -= piece.length;
      if (this.#wanted === 0) this.#arrived();
    });
  }

  static async start(python: string): Promise<Echo> {
    const echo = new Echo(python);
    await echo.trip(new Uint8Array(1));
    return echo;
  }

  trip(bytes: Uint8Array): Promise<void> {
    this.#wanted = bytes.length;
    return new Promise((resolve) => {
      this.#arrived = resolve;
      this.#socket.write(bytes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    await this.#exited;
  }
}
