import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Environment } from "./cache-folder.ts";

export interface CommandOptions {
  readonly environment: Environment;
  /** Where it runs; default where this process does. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  /** The last lines of standard output and error together. */
  readonly lines: readonly string[];
}

const keptLines = 200;

/**
 * Runs a program to its end and hands on what it prints, line by line. Rejects when it cannot be started, and with the
 * signal's reason when aborted, after the program is gone.
 */
export function runCommand(
  program: string,
  commandArguments: readonly string[],
  { environment, folder, signal, onLine }: CommandOptions,
): Promise<CommandResult> {
  signal?.throwIfAborted();
  const child = spawn(program, commandArguments, {
    env: environment,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      onLine?.(line);
    });
  }
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  return new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (signal?.aborted ? reject(signal.reason) : resolve({ code, lines })));
  }).finally(() => signal?.removeEventListener("abort", stop));
}
