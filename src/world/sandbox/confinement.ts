import { randomInt } from "node:crypto";
import { lstatSync, realpathSync } from "node:fs";
import type { SandboxRequest } from "./request.ts";

/** Processes and threads of one sandbox; an interpreter such as Node has a dozen. */
const processes = 64;
/** The kernel counts by user, over the whole machine: who is root runs each sandbox as a user of its own, who owns nothing. */
const strangers = [100_000, 2_000_000_000] as const;
/** The program's name for its interpreter. */
const inside = "/interpreter";
/** What people installed themselves on this machine: not there for a program, unless its interpreter is one of them. */
const ownInstalled = "/usr/local";
/** The first line of errors once everything stands: what is said without it is the sandbox's own. */
export const begun = "sandbox-begun";

/** Arguments of `bwrap` with which it runs a program that sees nothing of this machine, and takes no more than it may. */
export function confinement({ interpreter, arguments: given, seconds, megabytes }: SandboxRequest): string[] {
  // A watcher ends what holds too much; this alone stops what would be quicker. Interpreters reserve a gigabyte that they never touch.
  const bytes = String(Math.ceil((2 * megabytes + 2048) * 2 ** 20));
  const executable = realpathSync(interpreter);
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
    ? [
        "--cap-drop",
        "ALL",
        // With these three the program's user is lowered, and what it could ever regain is emptied; then they are gone.
        ...["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"].flatMap((name) => ["--cap-add", name]),
      ]
    : ["--unshare-user", "--cap-drop", "ALL"];
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
    executable,
    inside,
    ...(executable.startsWith(`${ownInstalled}/`) || !isFolder(ownInstalled)
      ? []
      : ["--size", "4096", "--tmpfs", ownInstalled, "--remount-ro", ownInstalled]),
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
    // Both are memory that has no limit: where the sandbox's user owns them, files there would be held by no process.
    ...["/dev", "/"].flatMap((path) => ["--remount-ro", path]),
    "--seccomp",
    "3",
    "--chdir",
    "/tmp",
    "--clearenv",
    "--setenv",
    "PATH",
    "/usr/bin:/bin",
    "--",
    ...lower,
    ...limits,
    "/bin/sh",
    "-c",
    `echo ${begun} >&2; exec "$0" "$@"`,
    inside,
    ...given,
  ];
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
