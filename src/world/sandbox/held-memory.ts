import { readdirSync, readFileSync } from "node:fs";

/** Bytes of memory that a process and all that it and its threads started hold now, what was swapped out included. */
export function heldBy(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
    return childrenOf(pid).reduce(
      (sum, child) => sum + heldBy(child),
      (kilobytes("VmRSS") + kilobytes("VmSwap")) * 1024,
    );
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** A child belongs to the thread that started it. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
      return children === "" ? [] : children.split(" ").map(Number);
    } catch {
      // The thread has ended meanwhile.
      return [];
    }
  });
}
