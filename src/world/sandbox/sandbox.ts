import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { WhetstoneError } from "../../foundation/base/index.ts";
import { checkRequest } from "./check-request.ts";
import { begun, confinement } from "./confinement.ts";
import { forbiddenCalls } from "./forbidden-calls.ts";
import { freePlace } from "./free-place.ts";
import { heldBy } from "./held-memory.ts";
import type { SandboxRequest } from "./request.ts";
import { pathOf, sandboxMissing } from "./tools.ts";

/** `limit`: the program's own doing, as a wrong answer is; never a fault of the sandbox. */
export type SandboxResult =
  | { readonly outcome: "ended"; readonly code: number; readonly output: string; readonly errors: string }
  | { readonly outcome: "limit"; readonly limit: SandboxLimit };

export type SandboxLimit = "time" | "memory" | "output";

const watchMilliseconds = 25;
/** The sandbox's own line, before the program's errors. */
const said = `${begun}\n`;

/**
 * Runs an untrusted program in namespaces of its own: no network, no files but `/usr` (read only) and an empty `/tmp`
 * of a few megabytes, no other processes, no privileges, few processes (64 where root runs it, each sandbox as a user of its own), as
 * a user who owns nothing. Killed with all that it started when its time is over. What it can read of this machine, and which calls are
 * closed to it: docs/sandbox.md.
 *
 * Throws a user error `sandbox-request` where no sandbox could run what is asked (an interpreter that is not there, limits that are no
 * numbers, arguments longer than Linux takes).
 * Throws an environment error `sandbox-missing` where this machine cannot do that: untrusted code is then never run.
 *
 * @example
 * await runSandboxed({ interpreter: process.execPath, arguments: ["-e", "console.log(1 + 1)"], seconds: 5, megabytes: 256 });
 */
export async function runSandboxed(request: SandboxRequest): Promise<SandboxResult> {
  const missing = sandboxMissing();
  if (missing !== undefined)
    throw fault("sandbox-missing", `Untrusted programs are never run outside of a sandbox, and ${missing}.`);
  checkRequest(request);
  const { seconds, megabytes, outputBytes = 1e6, input = "", signal } = request;
  using _place = await freePlace();
  signal?.throwIfAborted();
  const child = spawn(pathOf("bwrap", process.env) ?? "bwrap", confinement(request), {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true,
    env: {},
  });
  const [stdin, stdout, stderr, filter] = child.stdio as unknown as [Writable, Readable, Readable, Writable];
  return await new Promise<SandboxResult>((resolve, reject) => {
    let limit: SandboxLimit | undefined;
    const end = (reached: SandboxLimit): void => {
      limit ??= reached;
      killAll(child);
    };
    const timer = setTimeout(() => end("time"), seconds * 1000);
    const watch = setInterval(() => {
      if (heldBy(child.pid) > megabytes * 2 ** 20) end("memory");
    }, watchMilliseconds);
    const abort = (): void => killAll(child);
    signal?.addEventListener("abort", abort, { once: true });
    const output = collect(stdout, outputBytes, () => end("output"));
    const errors = collect(stderr, outputBytes + said.length, () => end("output"));
    child.on("error", reject);
    // A program that does not read its input is no fault; a sandbox that does not read its filter says so itself.
    for (const stream of [stdin, filter]) stream.on("error", () => {});
    stdin.end(input);
    filter.end(forbiddenCalls());
    child.on("close", (code, killedBy) => {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener("abort", abort);
      if (signal?.aborted) return reject(signal.reason);
      if (limit !== undefined) return resolve({ outcome: "limit", limit });
      const allErrors = errors();
      if (!allErrors.startsWith(said))
        return reject(
          fault("sandbox-failed", `The sandbox could not begin: ${allErrors.trim() || `exit code ${code}`}.`),
        );
      resolve({
        outcome: "ended",
        code: code ?? (killedBy === null ? 1 : 128),
        output: output(),
        errors: allErrors.slice(said.length),
      });
    });
  });
}

/** Reads a stream up to a number of bytes; what is given returns the text. */
function collect(stream: Readable, most: number, over: () => void): () => string {
  const parts: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > most) over();
    else parts.push(part);
  });
  return () => Buffer.concat(parts).toString("utf8");
}

/** The sandbox ends with its first process, and all within with it. */
function killAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function fault(code: string, message: string): WhetstoneError {
  return new WhetstoneError({ code, category: "environment", message });
}
