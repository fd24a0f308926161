import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";

const keptStarts = 10;
const tailBytes = 8192;
const appendToEmpty = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
const namePattern = /^worker-(\d{8}T\d{9}Z)-\d+\.log$/;

/** A name for what one engine writes, so that its workers' logs are kept and thrown away together. */
export function logStamp(now: number): string {
  return new Date(now).toISOString().replace(/[-:.]/g, "");
}

/** The log of one worker, made empty. Of all starts, only the last ten keep theirs. */
export function openWorkerLog(
  folder: string,
  stamp: string,
  slot: number,
): { readonly path: string; readonly descriptor: number } {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((name) => namePattern.test(name));
  const stamps = [...new Set([...names.map((name) => namePattern.exec(name)?.[1] ?? ""), stamp])].sort();
  const kept = new Set([...stamps.slice(-keptStarts), stamp]);
  for (const name of names)
    if (!kept.has(namePattern.exec(name)?.[1] ?? "")) rmSync(join(folder, name), { force: true });
  const path = join(folder, `worker-${stamp}-${slot}.log`);
  return { path, descriptor: openSync(path, appendToEmpty) };
}

/** The last lines of a log that say something; none where it cannot be read. */
export function lastLines(path: string, count = 12): string[] {
  try {
    const descriptor = openSync(path, "r");
    try {
      const start = Math.max(0, fstatSync(descriptor).size - tailBytes);
      const buffer = Buffer.alloc(tailBytes);
      const bytes = readSync(descriptor, buffer, 0, tailBytes, start);
      const lines = buffer.toString("utf8", 0, bytes).split("\n");
      return lines.filter((line) => line.trim() !== "").slice(-count);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return [];
  }
}
