import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { LineReader } from "./line-reader.ts";
import { type Program, watched } from "./program.ts";

export interface CommandProcessOptions extends Program {
  readonly onLine: (line: string) => void;
  /** Once, with a sentence's end: `exited with code 1`. Nothing comes after it. */
  readonly onEnd: (how: string) => void;
}

/** Of a line of its output; a reply has a few dozen. */
const mostLineBytes = 2 ** 20;
const keptErrorBytes = 8192;
const patienceMs = 1000;

/**
 * One process that reads lines and writes lines. It has a process group of its own, which ends with it and with us. While nothing
 * is waited for it keeps no program from ending.
 */
export class CommandProcess {
  readonly #child: ChildProcess;
  readonly #onEnd: (how: string) => void;
  /** Resolves when nothing of it runs any more. */
  readonly exited: Promise<void>;
  #errors = "";
  #ended = false;
  #fault: string | undefined;

  constructor({ command, folder, onLine, onEnd }: CommandProcessOptions) {
    this.#onEnd = onEnd;
    const exit = Promise.withResolvers<void>();
    this.exited = exit.promise;
    const grouped = process.platform !== "win32";
    const [file = "", ...argv] = grouped ? watched(command) : command;
    this.#child = spawn(file, argv, {
      cwd: folder,
      // A script that forgets to flush its answers would otherwise seem to hang.
      env: { ...process.env, PYTHONUNBUFFERED: "1" },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: grouped,
      windowsHide: true,
    });
    const lines = new LineReader(mostLineBytes);
    this.#stdout.on("data", (piece: Buffer) => {
      if (this.#ended) return;
      const read = lines.push(piece);
      for (const line of read.lines) if (!this.#ended && line.trim() !== "") onLine(line);
      if (read.tooLong) this.end("wrote a line of more than a megabyte to its standard output");
    });
    this.#stderr.on("data", (piece: Buffer) => {
      this.#errors = (this.#errors + piece.toString("utf8")).slice(-keptErrorBytes);
    });
    this.#stdin.on("error", () => this.#closedItsInput());
    for (const stream of [this.#stdout, this.#stderr, this.#watch]) stream.on("error", () => undefined);
    this.#watch.resume();
    this.#child.on("error", (error) => {
      if (this.#child.pid !== undefined) return;
      this.#finish(`could not be started (${error.message})`);
      exit.resolve();
    });
    this.#child.once("exit", () => {
      // What it started goes with it; then its output ends, of which every byte is still read.
      this.#killGroup();
      this.#watch.destroy();
      setTimeout(() => this.#stdout.destroy() && this.#stderr.destroy(), patienceMs).unref();
    });
    this.#child.once("close", (code, signal) => {
      this.#finish(signal === null ? `exited with code ${code}` : `was ended by the signal ${signal}`);
      exit.resolve();
    });
    this.hold(false);
  }

  /** What it wrote last to its standard error. */
  get lastLines(): readonly string[] {
    return this.#errors
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-8)
      .map((line) => line.slice(0, 400));
  }

  write(line: string): void {
    if (!this.#ended) this.#stdin.write(`${line}\n`);
  }

  /** Ends it at once, and says why. */
  end(how: string): void {
    this.#killGroup();
    this.#finish(how);
  }

  /** Closes its input, which asks it to end, and ends it where it does not within a second. */
  async close(): Promise<void> {
    this.#ended = true;
    this.hold(true);
    this.#stdin.end();
    const patience = new AbortController();
    await Promise.race([
      this.exited,
      sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    this.#killGroup();
    await this.exited;
  }

  /** Keeps the program running while something is waited for. */
  hold(held: boolean): void {
    const method = held ? "ref" : "unref";
    this.#child[method]();
    for (const stream of this.#child.stdio)
      (stream as (Duplex & Record<typeof method, () => void>) | null)?.[method]();
  }

  /** Its exit, if there is one, tells more. */
  #closedItsInput(): void {
    this.#fault ??= "closed its standard input";
    setTimeout(() => this.#fault && this.end(this.#fault), 200).unref();
  }

  #finish(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hold(false);
    this.#onEnd(how);
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  }

  get #stdin(): Writable {
    return this.#child.stdio[0] as Writable;
  }
  get #stdout(): Readable {
    return this.#child.stdio[1] as Readable;
  }
  get #stderr(): Readable {
    return this.#child.stdio[2] as Readable;
  }
  get #watch(): Duplex {
    return this.#child.stdio[3] as unknown as Duplex;
  }
}
