import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { WhetstoneError } from "../../foundation/base/index.ts";
import { begun, confinement } from "./confinement.ts";
import { freePlace } from "./free-place.ts";
import type { SandboxRequest } from "./request.ts";
import { pathOf, sandboxMissing } from "./tools.ts";

/** `limit`: the program's own doing, as a wrong answer is; never a fault of the sandbox. */
export type SandboxResult =
  | { readonly outcome: "ended"; readonly code: number; readonly output: string; readonly errors: string }
  | { readonly outcome: "limit"; readonly limit: SandboxLimit };

export type SandboxLimit = "time" | "memory" | "output";

const watchMilliseconds = 25;
const pageBytes = 4096;

/**
 * Runs an untrusted program in namespaces of its own: no network, no files but the system's libraries (read only) and an empty `/tmp`
 * of a few megabytes, no other processes, no privileges, few processes (64 where root runs it, each sandbox as a user of its own), as
 * a user who owns nothing. Killed with all that it started when its time is over.
 *
 * Throws an environment error `sandbox-missing` where this machine cannot do that: untrusted code is then never run.
 *
 * @example
 * await runSandboxed({ interpreter: process.execPath, arguments: ["-e", "console.log(1 + 1)"], seconds: 5, megabytes: 256 });
 */
export async function runSandboxed(request: SandboxRequest): Promise<SandboxResult> {
  const missing = sandboxMissing();
  if (missing !== undefined)
    throw fault("sandbox-missing", `Untrusted programs are never run outside of a sandbox, and ${missing}.`);
  const { seconds, megabytes, outputBytes = 1e6, input = "", signal } = request;
  using _place = await freePlace();
  signal?.throwIfAborted();
  const child = spawn(pathOf("bwrap", process.env) ?? "bwrap", confinement(request), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: {},
  });
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
    const read = { output: "", errors: "" };
    for (const [name, stream] of [
      ["output", child.stdout],
      ["errors", child.stderr],
    ] as const)
      stream.setEncoding("utf8").on("data", (text: string) => {
        read[name] += text;
        if (read[name].length > outputBytes) end("output");
      });
    child.on("error", reject);
    // A program that does not read its input is no fault.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("close", (code, killedBy) => {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener("abort", abort);
      if (signal?.aborted) return reject(signal.reason);
      if (limit !== undefined) return resolve({ outcome: "limit", limit });
      if (!read.errors.startsWith(begun))
        return reject(
          fault(
            "sandbox-failed",
            `The sandbox could not begin: ${read.errors.trim() || `exit code ${code}`}.`,
          ),
        );
      const errors = read.errors.slice(begun.length + 1);
      resolve({ outcome: "ended", code: code ?? (killedBy === null ? 1 : 128), output: read.output, errors });
    });
  });
}

/** Bytes of memory that a process and all that it started hold now. */
function heldBy(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const [, resident = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    const held = children.filter((child) => child.trim() !== "").map((child) => heldBy(Number(child)));
    return held.reduce((sum, bytes) => sum + bytes, Number(resident) * pageBytes);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
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
