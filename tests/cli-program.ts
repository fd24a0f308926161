import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, vi } from "vitest";

export const root = join(import.meta.dirname, "..");
export const program = join(root, "bin", "whetstone.js");

// Processes wait for each other on a busy machine; a limit that is seldom reached tells nothing about them.
vi.setConfig({ testTimeout: 180_000 });

/** What a test file leaves behind, to be cleared when all of it is done: tests may run at once. */
const left: (() => void)[] = [];
afterAll(() => {
  for (const clear of left) clear();
});

/** Without colours, and as if nothing had started it: not npx, which runs these tests. */
const plain = { NO_COLOR: "1", FORCE_COLOR: undefined, LC_ALL: "C.UTF-8", npm_command: undefined };

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly folder?: string;
  /** Added to this process's own; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A program and its first arguments in front of the command's own; default this Node. */
  readonly through?: readonly string[];
  /** Whether it is to be written to; default not. */
  readonly stdin?: boolean;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first line of standard output that fits; rejects when the program ends without one. */
  line(fits: (line: string) => boolean): Promise<string>;
  /** The same, on standard error. */
  note(fits: (line: string) => boolean): Promise<string>;
  /** Resolves once standard output holds a text, lines ended or not. */
  shown(text: string): Promise<void>;
}

/** Starts the command as a user does, without a terminal. It is killed when the file's tests end. */
export function start(commandLine: readonly string[], options: StartOptions = {}): Started {
  const { folder = tmpdir(), environment = {}, through = [process.execPath], stdin = false } = options;
  const [command = "", ...before] = through;
  const child = spawn(command, [...before, program, ...commandLine], {
    cwd: folder,
    env: { ...process.env, ...plain, ...environment },
    stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  left.push(() => void child.kill("SIGKILL"));
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout: stdout.text(), stderr: stderr.text() }),
    );
  });
  const unless = <T>(waited: Promise<T>): Promise<T> =>
    Promise.race([
      waited,
      ended.then((end) => Promise.reject(new Error(`it ended before: ${JSON.stringify(end)}`))),
    ]);
  return {
    child,
    ended,
    line: (fits) => unless(stdout.line(fits)),
    note: (fits) => unless(stderr.line(fits)),
    shown: (text) => unless(stdout.shown(text)),
  };
}

/** Runs the command to its end. */
export function whetstone(commandLine: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(commandLine, options).ended;
}

/** A folder that is gone when the file's tests end; with a config in it, when one is given. */
export function temporaryFolder(config?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "whetstone-cli-"));
  left.push(() => rmSync(folder, { recursive: true, force: true }));
  if (config !== undefined) writeFileSync(join(folder, "whetstone.config.ts"), config);
  return folder;
}

/** What stands on the lines of a `--json` answer. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The event type of a line of `run --json`. */
export function isEvent(
  type: string,
  members: Readonly<Record<string, unknown>> = {},
): (line: string) => boolean {
  return (line) => {
    const { event } = JSON.parse(line) as { readonly event?: Record<string, unknown> };
    return event?.type === type && Object.entries(members).every(([name, value]) => event[name] === value);
  };
}

/** A selector for a config: its stage takes as long as there is a file `hold` in the folder where the command runs. */
const holdingSelector = `{
    name: "hold",
    description: {},
    select: async (items) => {
      const { existsSync } = await import("node:fs");
      while (existsSync("hold")) await new Promise((resolve) => setTimeout(resolve, 10));
      return items;
    },
  }`;

/** `select` of a config that waits in the stage "select" of every round, until the hold is taken away. */
export const holding = `select: [${holdingSelector}],`;

/** Runs that are {@link holding} wait until the returned function is called. */
export function hold(folder: string): () => void {
  const path = join(folder, "hold");
  writeFileSync(path, "");
  return () => rmSync(path);
}

/** A run of a second or two that needs no Python. */
export function quickConfig({ rounds = 1, options = "" } = {}): string {
  return `import { defineRun, demonstrations, procedural, reverse, supervised, tabular } from "whetstone";

export default defineRun({
  name: "quick",
  engine: tabular(),
  task: reverse({ lengths: [1, 2], growTo: 3, measureTo: 3 }),
  prepare: supervised({ on: demonstrations(), steps: 20, learningRate: 0.3 }),
  acquire: [demonstrations({ items: 64 }), procedural({ items: 64 })],
  evaluate: { perStratum: 16, auditPerStratum: 8, finalAuditPerStratum: 8 },
  gate: { mode: "observe" },
  budget: { rounds: ${rounds} },
  ${options}
});
`;
}

interface Gathered {
  text(): string;
  line(fits: (line: string) => boolean): Promise<string>;
  shown(text: string): Promise<void>;
}

function gather(stream: NodeJS.ReadableStream | null): Gathered {
  if (stream === null) throw new Error("the stream is not piped");
  const seen: string[] = [];
  let text = "";
  let look: (() => void)[] = [];
  const until = <T>(found: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const check = (): void => {
        const value = found();
        if (value === undefined) look.push(check);
        else resolve(value);
      };
      check();
    });
  const lookAgain = (): void => {
    const waiting = look;
    look = [];
    for (const check of waiting) check();
  };
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    lookAgain();
  });
  createInterface({ input: stream }).on("line", (line) => {
    seen.push(line);
    lookAgain();
  });
  return {
    text: () => text,
    line: (fits) => until(() => seen.find(fits)),
    shown: async (wanted) => void (await until(() => (text.includes(wanted) ? true : undefined))),
  };
}
