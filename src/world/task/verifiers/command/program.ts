import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** What to start, and where. */
export interface Program {
  readonly command: readonly string[];
  /** The working folder: relative paths begin there. */
  readonly folder: string;
}

/** Why a program cannot be started; undefined where it can be, as far as one sees without starting it. */
export function whyNotStartable({ command, folder }: Program): string | undefined {
  const [name = ""] = command;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return `there is no folder ${folder}`;
  if (name === "") return "it has no name";
  const named = name.includes("/") || (process.platform === "win32" && name.includes("\\"));
  if (named) {
    const path = resolve(folder, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return `there is no file ${path}`;
    return mayRun(path)
      ? undefined
      : `${path} may not be executed (chmod +x it, or name its interpreter first)`;
  }
  const endings = process.platform === "win32" ? ["", ".exe", ".cmd", ".bat"] : [""];
  const places = (process.env.PATH ?? "").split(delimiter);
  const found = places.some((place) => endings.some((ending) => mayRun(join(place, name + ending))));
  return found ? undefined : `no program ${JSON.stringify(name)} is found in PATH`;
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The same program with a watcher beside it: a shell that holds the other end of descriptor 3 and, when we end for whatever reason,
 * a SIGKILL included, ends the program's whole process group.
 */
export function watched(command: readonly string[]): readonly [file: string, ...argv: string[]] {
  // The program's own descriptors are let go first: the substitution ends when the last of them, its output, is closed.
  const watcher = "exec </dev/null 2>/dev/null >/dev/null; read -r _ <&3; kill -9 -$$";
  const script = `: "$( (${watcher}) & )"; exec 3<&-; exec "$@"`;
  return ["/bin/sh", "-c", script, "sh", ...command];
}
