import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Clock, isLocked, tryLockFile, userError } from "../base/index.ts";
import { naming } from "./faults.ts";

const holderSchema = z.object({ processId: z.number(), startedAt: z.number(), bootId: z.string() });
/** Who holds a folder. For messages only: what holds it is the kernel's lock, which a death frees. */
export type Holder = z.infer<typeof holderSchema>;

/** How long a lock is waited for that somebody merely looks at. */
const patienceMs = 300;

const lockPath = (folder: string): string => join(folder, "owner.lock");
const holderPath = (folder: string): string => join(folder, "owner.json");

/** Takes the folder for this process. Throws a user error `folder-in-use` that says who holds it. */
export function takeFolder(folder: string, clock: Clock): Disposable {
  const lock = naming(folder, () => tryLockFile(lockPath(folder), patienceMs));
  if (lock === undefined) {
    const holder = readHolder(folder);
    const who =
      holder === undefined ? "Another process" : `Process ${holder.processId}, since ${timeOf(holder)},`;
    throw userError(
      "folder-in-use",
      `${who} runs in this folder; one folder has one run at a time. Wait for it or end it, or use another folder.`,
      holder === undefined ? {} : { processId: holder.processId, startedAt: holder.startedAt },
    );
  }
  const holder: Holder = { processId: process.pid, startedAt: clock.now(), bootId: bootId() };
  try {
    naming(folder, () => writeFileSync(holderPath(folder), JSON.stringify(holder)));
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Who runs in the folder now; undefined when nobody does, whatever a dead process left behind. */
export function holderOf(folder: string): Holder | undefined {
  if (!existsSync(lockPath(folder)) || !isLocked(lockPath(folder))) return undefined;
  return readHolder(folder) ?? { processId: 0, startedAt: 0, bootId: "" };
}

function readHolder(folder: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(holderPath(folder), "utf8")));
  } catch {
    return undefined;
  }
}

function timeOf({ startedAt }: Holder): string {
  return new Date(startedAt).toISOString().replace("T", " ").slice(0, 16);
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
