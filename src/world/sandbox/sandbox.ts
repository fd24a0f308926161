import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { WhetstoneError } from "../../foundation/base/index.ts";

/** An untrusted program, and what it may take. */
export interface SandboxRequest {
  /** The interpreter that runs it, a path on this machine: nothing else of the machine is there but system libraries, read only. */
  readonly interpreter: string;
  readonly arguments: readonly string[];
  readonly input?: string;
  /** Wall-clock time. */
  readonly seconds: number;
  /** Memory that its processes may hold together. */
  readonly megabytes: number;
  /** Bytes of output that are read; more is a limit reached. Default a million. */
  readonly outputBytes?: number;
  readonly signal?: AbortSignal;
}

/** `limit`: the program's own doing, as a wrong answer is; never a fault of the sandbox. */
export type SandboxResult =
  | { readonly outcome: "ended"; readonly code: number; readonly output: string; readonly errors: string }
  | { readonly outcome: "limit"; readonly limit: SandboxLimit };

export type SandboxLimit = "time" | "memory" | "output";

const tools = ["bwrap", "prlimit", "setpriv"] as const;
/** Processes and threads of one sandbox; an interpreter such as Node has a dozen. */
const processes = 64;
/** The kernel counts by user, over the whole machine: who is root runs each sandbox as a user of its own, who owns nothing. */
const strangers = [100_000, 2_000_000_000] as const;
/** The program's name for its interpreter, and its exit code where the sandbox itself could not begin. */
const inside = "/interpreter";
const begun = "sandbox-begun";
const watchMilliseconds = 25;
const pageBytes = 4096;

/**
 * What is missing to run untrusted programs here, in words; undefined where nothing is. They need Linux, bubblewrap, and prlimit and
 * setpriv of util-linux.
 */
export function sandboxMissing(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (process.platform !== "linux") return "untrusted programs run on Linux alone";
  const missing = tools.filter((tool) => pathOf(tool, environment) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not installed here (Debian: apt-get install bubblewrap util-linux)`;
}

/**
 * Runs an untrusted program in namespaces of its own: no network, no files but the system's libraries (read only) and an empty `/tmp`
 * of a few megabytes, no other processes, no privileges, few processes (64 where root runs it, each sandbox as a user of its own), as a user who owns nothing. Killed with all that it
 * started when its time is over.
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
  const child = spawn(pathOf("bwrap", process.env) ?? "bwrap", argumentsOf(request), {
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

let free = availableParallelism();
const waiting: (() => void)[] = [];

/** As many run at once as there are processors; the others wait, and their time has not begun. */
async function freePlace(): Promise<Disposable> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  return {
    [Symbol.dispose]: () => {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}

function argumentsOf({ interpreter, arguments: given, seconds, megabytes }: SandboxRequest): string[] {
  // A watcher ends what holds too much; this alone stops what would be quicker. Interpreters reserve a gigabyte that they never touch.
  const bytes = String((2 * megabytes + 2048) * 2 ** 20);
  const root = process.getuid?.() === 0;
  const stranger = String(randomInt(...strangers));
  const limits = [
    "/usr/bin/prlimit",
    `--data=${bytes}`,
    // An ordinary user's sandboxes share the count with all else that is theirs.
    `--nproc=${root ? processes : 4096}`,
    `--fsize=${8 * 2 ** 20}`,
    `--cpu=${Math.ceil(seconds) + 1}`,
    "--nofile=64",
    "--core=0",
    "--",
  ];
  // Limits on processes hold for nobody but root: who is root becomes nobody, and within a user's own namespace nobody is root.
  const lower = root
    ? [
        "/usr/bin/setpriv",
        "--reuid",
        stranger,
        "--regid",
        stranger,
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set",
        "-all",
        "--",
      ]
    : [];
  const privileges = root
    ? ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    : ["--unshare-user"];
  return [
    "--die-with-parent",
    "--new-session",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    ...privileges,
    "--ro-bind",
    "/usr",
    "/usr",
    ...["bin", "sbin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    "--ro-bind",
    realpathSync(interpreter),
    inside,
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--size",
    String(8 * 2 ** 20),
    "--perms",
    "1777",
    "--tmpfs",
    "/tmp",
    "--chdir",
    "/tmp",
    "--clearenv",
    "--setenv",
    "PATH",
    "/usr/bin:/bin",
    "--",
    ...lower,
    ...limits,
    // Said once everything stands: what is said before it is the sandbox's own.
    "/bin/sh",
    "-c",
    `echo ${begun} >&2; exec "$0" "$@"`,
    inside,
    ...given,
  ];
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

function pathOf(tool: string, { PATH = "/usr/bin:/bin" }: NodeJS.ProcessEnv): string | undefined {
  return PATH.split(delimiter)
    .map((folder) => join(folder, tool))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function fault(code: string, message: string): WhetstoneError {
  return new WhetstoneError({ code, category: "environment", message });
}
