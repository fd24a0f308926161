import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Another process that works with a ledger, and is killed at the end of the test. */
export interface LedgerChild extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Lines that it has printed so far. */
  readonly lines: readonly string[];
  /** Waits until it has printed a line like this. */
  printed(text: string): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Runs a script that finds `openLedger`, `readLedger` and `folder` in scope, and `say(line)`, which returns once the line
 * is in the pipe. `through` puts a program before it, such as a shell that sets limits.
 */
export function ledgerChild(folder: string, script: string, through: readonly string[] = []): LedgerChild {
  const module = new URL("../ledger.ts", import.meta.url).href;
  const whole = `import { writeSync } from "node:fs";
    import { flushCompileCache } from "node:module";
    const { openLedger, readLedger } = await import(${JSON.stringify(module)});
    flushCompileCache();
    const folder = ${JSON.stringify(folder)};
    const say = (line) => writeSync(1, line + "\\n");
    ${script}`;
  const command = [...through, process.execPath, "--disable-warning=ExperimentalWarning"];
  const [program = "", ...rest] = [...command, "--input-type=module", "--eval", whole];
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(line));
  const gone = once(child, "close");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  return {
    process: child,
    lines,
    printed: async (text) => {
      while (!lines.some((line) => line.includes(text))) {
        const more = await Promise.race([once(reader, "line"), gone.then(() => undefined)]);
        if (more === undefined && !lines.some((line) => line.includes(text)))
          throw new Error(`the process ended before it printed ${text}`);
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
