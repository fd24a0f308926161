import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/index.ts";
import { type Progress, stageNameSchema } from "../contract/index.ts";
import { ledgerFolder } from "./ledger.ts";

const schema = z.object({
  /** The newest stored event when it was heard: tells what it is the progress of. */
  after: z.number().int().min(0),
  progress: z.object({
    type: z.literal("progress"),
    stage: z.union([stageNameSchema, z.literal("set-up"), z.literal("engine")]),
    label: z.string(),
    done: z.number(),
    total: z.number(),
    loss: z.number().optional(),
  }),
});

/** The newest progress of whoever runs in a folder. */
export interface LatestProgress {
  /** The id of the newest stored event when it was heard; 0 before the first. */
  readonly after: number;
  readonly progress: Progress;
}

export interface ProgressFile extends Disposable {
  /** Costs a look at the clock, and at most once a second the writing of a small file. Never throws. */
  write(latest: LatestProgress): void;
}

const betweenWritesMs = 1000;

const pathIn = (folder: string): string => join(ledgerFolder(folder), "progress.json");

/**
 * Lets other processes see how far a project folder's run is within a stage. It is a word for people and no part of the ledger:
 * where it cannot be written it is not, nothing waits for the disk, and a death takes it along.
 */
export function openProgressFile({
  folder,
  clock,
}: {
  readonly folder: string;
  readonly clock: Clock;
}): ProgressFile {
  const path = pathIn(folder);
  let writtenAt = Number.NEGATIVE_INFINITY;
  let latest: LatestProgress | undefined;
  let waiting: NodeJS.Timeout | undefined;
  const write = (): void => {
    waiting = undefined;
    writtenAt = clock.monotonic();
    trying(() => {
      writeFileSync(`${path}.new`, JSON.stringify(latest));
      renameSync(`${path}.new`, path);
    });
  };
  // What a process that died has left says nothing of this one.
  trying(() => rmSync(path, { force: true }));
  return {
    write(next) {
      latest = next;
      if (waiting !== undefined) return;
      const left = betweenWritesMs - (clock.monotonic() - writtenAt);
      if (left <= 0) write();
      // The last of a burst is what holds until the next one.
      else waiting = setTimeout(write, left).unref();
    },
    [Symbol.dispose]() {
      clearTimeout(waiting);
      for (const left of [path, `${path}.new`]) trying(() => rmSync(left, { force: true }));
    },
  };
}

/** Undefined where there is none that can be read. Whoever reads it must know that somebody runs there. */
export function readProgress(folder: string): LatestProgress | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(pathIn(folder), "utf8"))) as LatestProgress;
  } catch {
    return undefined;
  }
}

/** A full disk is the run's own concern, where it stores what counts. */
function trying(work: () => void): void {
  try {
    work();
  } catch {
    // Nobody but a watcher misses it.
  }
}
