import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  type Clock,
  inTheWay,
  messageOf,
  syncFolder,
  tryLockFile,
  userError,
  WhetstoneError,
  writeWholeSync,
} from "../../../foundation/base/index.ts";
import { loraModules } from "../lora-modules.ts";
import { checkName, parseTinkerPath, type TinkerPath, tinkerPathOf } from "../tinker/index.ts";

const recordSchema = z.strictObject({
  format: z.literal(1),
  path: z.string(),
  baseModel: z.string(),
  lora: z
    .strictObject({
      rank: z.number(),
      alpha: z.number(),
      modules: z.array(z.enum(loraModules)),
    })
    .nullable(),
  /** Whether the optimiser's moments were saved too. */
  optimizer: z.boolean(),
  step: z.number(),
  bytes: z.number(),
  /** Milliseconds since 1970, as far as dates go. */
  createdAt: z.number().max(8.64e15),
  expiresAt: z.number().max(8.64e15).nullable(),
  userMetadata: z.record(z.string(), z.string()).nullable(),
});

/** What is known of a checkpoint without reading its weights. */
export type CheckpointRecord = z.output<typeof recordSchema>;
export type CheckpointFacts = Omit<CheckpointRecord, "format" | "path" | "bytes" | "createdAt" | "expiresAt">;

interface Kept {
  readonly folder: string;
  record: CheckpointRecord;
  /** How many read its weights. */
  readers: number;
  /** It was deleted or written over, and goes with the last who reads it. */
  discarded: boolean;
}

/** A checkpoint that somebody reads. Its weights stay until it is disposed, whatever becomes of the checkpoint meanwhile. */
export interface HeldCheckpoint extends Disposable {
  readonly record: CheckpointRecord;
  /** Of the weights. */
  readonly folder: string;
}

const recordFile = "checkpoint.json";
const weightsFolder = "weights";
/** As folders of checkpoints are called. */
const ours = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The checkpoints that clients saved, one folder each in the state folder, with names of our own: what a client calls a
 * checkpoint is never a part of a file's path. A folder is one once its record is written; one of ours that is found without
 * was interrupted, and goes. What is called otherwise is somebody else's.
 */
export class Catalogue implements AsyncDisposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #lock: Disposable;
  readonly #kept = new Map<string, Kept>();
  readonly #beingSaved = new Set<string>();
  readonly #removals = new Set<Promise<void>>();

  private constructor(folder: string, clock: Clock, lock: Disposable) {
    this.#folder = folder;
    this.#clock = clock;
    this.#lock = lock;
  }

  /** Throws a user error `state-folder-in-use` where another server has it, and what {@link makeStateFolder} throws. */
  static async open(stateFolder: string, clock: Clock): Promise<Catalogue> {
    const folder = await makeStateFolder(stateFolder);
    let lock: Disposable | undefined;
    try {
      lock = tryLockFile(join(stateFolder, "serve.lock"));
    } catch (error) {
      throw unusable(error, stateFolder);
    }
    if (lock === undefined)
      throw userError(
        "state-folder-in-use",
        `Another server keeps its checkpoints in ${stateFolder}: end it, or give this one a folder of its own (--state).`,
        { folder: stateFolder },
      );
    const catalogue = new Catalogue(folder, clock, lock);
    try {
      await catalogue.#scan();
    } catch (error) {
      lock[Symbol.dispose]();
      throw unusable(error, folder);
    }
    return catalogue;
  }

  async #scan(): Promise<void> {
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || !ours.test(entry.name)) continue;
      const folder = join(this.#folder, entry.name);
      const text = await readFile(join(folder, recordFile), "utf8").catch(
        ({ code }: NodeJS.ErrnoException) => (code === "ENOENT" ? undefined : ""),
      );
      if (text === undefined) {
        await removeFolder(folder);
        continue;
      }
      const record = parseRecord(text);
      // What cannot be read, or what somebody else put here, is left alone.
      if (record === undefined) continue;
      const other = this.#kept.get(record.path);
      const newer = other !== undefined && other.record.createdAt > record.createdAt;
      if (!newer) this.#kept.set(record.path, newlyKept(folder, record));
      // It was written over, and the server died before it removed it: deleting the newer one must not bring it back.
      if (other !== undefined) await removeFolder(newer ? folder : other.folder);
    }
  }

  /** Unexpired ones, the oldest first; of one model, or of all. */
  list(modelId?: string): readonly CheckpointRecord[] {
    const records = Array.from(this.#kept.values(), ({ record }) => record);
    return records
      .filter((record) => !this.#expired(record))
      .filter(({ path }) => modelId === undefined || parseTinkerPath(path).modelId === modelId)
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  /** The record and the folder of the weights. Throws user errors `invalid-path` and `unknown-checkpoint`. */
  find(path: string): { readonly record: CheckpointRecord; readonly folder: string } {
    parseTinkerPath(path);
    const kept = this.#kept.get(path);
    if (kept === undefined || this.#expired(kept.record))
      throw userError("unknown-checkpoint", `There is no checkpoint ${path}; it may have expired.`, { path });
    return { record: kept.record, folder: join(kept.folder, weightsFolder) };
  }

  /** To read its weights. Throws as {@link find}. */
  hold(path: string): HeldCheckpoint {
    const found = this.find(path);
    const kept = this.#kept.get(path) as Kept;
    kept.readers += 1;
    let held = true;
    return {
      ...found,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        kept.readers -= 1;
        if (!kept.discarded || kept.readers > 0) return;
        const removal = removeFolder(kept.folder).finally(() => this.#removals.delete(removal));
        this.#removals.add(removal);
      },
    };
  }

  #expired({ expiresAt }: CheckpointRecord): boolean {
    return expiresAt !== null && expiresAt <= this.#clock.now();
  }

  /** Where a checkpoint may be written. Throws user errors `invalid-path` and `checkpoint-exists`. */
  check({ name, ...place }: TinkerPath, overwrite: boolean): string {
    const path = tinkerPathOf({ ...place, name: checkName(name) });
    const kept = this.#kept.get(path);
    if (this.#beingSaved.has(path) || (!overwrite && kept !== undefined && !this.#expired(kept.record)))
      throw userError(
        "checkpoint-exists",
        `${path} exists already: save under another name, or overwrite it.`,
        {
          path,
        },
      );
    return path;
  }

  /**
   * Writes a checkpoint. Where one is written over, the old one stays whole until the new one is. Throws as
   * {@link check}, and what `write` throws; then nothing is left behind.
   */
  async save(
    place: TinkerPath,
    facts: CheckpointFacts,
    { overwrite, ttlSeconds }: { readonly overwrite: boolean; readonly ttlSeconds: number | undefined },
    write: (folder: string) => Promise<{ readonly bytes: number }>,
  ): Promise<CheckpointRecord> {
    const path = this.check(place, overwrite);
    const folder = join(this.#folder, randomUUID());
    this.#beingSaved.add(path);
    try {
      await mkdir(folder);
      const { bytes } = await write(join(folder, weightsFolder));
      // Later than what it takes the place of, whatever the clock says: of the two the later one is kept.
      const before = this.#kept.get(path)?.record.createdAt ?? -1;
      const createdAt = Math.max(this.#clock.now(), before + 1);
      const expiresAt = expiryOf(createdAt, ttlSeconds);
      const record: CheckpointRecord = { format: 1, path, ...facts, bytes, createdAt, expiresAt };
      writeRecord(folder, record);
      syncFolder(this.#folder);
      const old = this.#kept.get(path);
      this.#kept.set(path, newlyKept(folder, record));
      // The new one is there, whatever is left of the old: that goes when the folder is read again.
      if (old !== undefined) {
        await removeRecord(old).catch(() => undefined);
        await discard(old);
      }
      return record;
    } catch (error) {
      await removeFolder(folder);
      throw nameOf(error, path);
    } finally {
      this.#beingSaved.delete(path);
    }
  }

  /** Throws as {@link find}. */
  async delete(path: string): Promise<void> {
    this.find(path);
    await this.#remove(path);
  }

  async #remove(path: string): Promise<void> {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    // Without its record it is no checkpoint any more, however far the rest gets.
    await removeRecord(kept);
    if (this.#kept.get(path) === kept) this.#kept.delete(path);
    await discard(kept);
  }

  /** From now on; undefined keeps it for ever. Throws as {@link find}. */
  async setTtl(path: string, ttlSeconds: number | undefined): Promise<void> {
    this.find(path);
    const kept = this.#kept.get(path) as Kept;
    const record = { ...kept.record, expiresAt: expiryOf(this.#clock.now(), ttlSeconds) };
    try {
      writeRecord(kept.folder, record);
    } catch (error) {
      throw nameOf(error, `the record of ${path}`);
    }
    kept.record = record;
  }

  /** Removes what has expired. */
  async sweep(): Promise<void> {
    const expired = [...this.#kept].filter(([, { record }]) => this.#expired(record));
    // One may have been saved anew while those before it went.
    for (const [path, kept] of expired) if (this.#kept.get(path) === kept) await this.#remove(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#removals);
    this.#lock[Symbol.dispose]();
  }
}

/** Makes the folder where a server keeps its checkpoints. Throws environment errors `in-the-way` and `folder-unwritable`. */
export async function makeStateFolder(stateFolder: string): Promise<string> {
  const folder = join(stateFolder, "checkpoints");
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw unusable(error, folder);
  });
  return folder;
}

const unusable = (error: unknown, folder: string): WhetstoneError =>
  inTheWay(error, folder) ??
  new WhetstoneError({
    code: "folder-unwritable",
    category: "environment",
    message: `Checkpoints cannot be kept in ${folder} (${messageOf(error)}): mend that, or name another folder (--state).`,
    details: { path: folder },
    cause: error,
  });

const expiryOf = (now: number, ttlSeconds: number | undefined): number | null =>
  ttlSeconds === undefined ? null : now + 1000 * ttlSeconds;

function parseRecord(text: string): CheckpointRecord | undefined {
  try {
    const record = recordSchema.parse(JSON.parse(text));
    parseTinkerPath(record.path);
    return record;
  } catch {
    return undefined;
  }
}

const writeRecord = (folder: string, record: CheckpointRecord): void =>
  writeWholeSync(join(folder, recordFile), `${JSON.stringify(record, null, 2)}\n`);

const newlyKept = (folder: string, record: CheckpointRecord): Kept => ({
  folder,
  record,
  readers: 0,
  discarded: false,
});

const removeRecord = ({ folder }: Kept): Promise<void> => rm(join(folder, recordFile), { force: true });

/** The weights go now, or with the last who reads them. */
async function discard(kept: Kept): Promise<void> {
  kept.discarded = true;
  if (kept.readers === 0) await removeFolder(kept.folder);
}

/** What cannot go now is no checkpoint, or one that was written over: it goes when the state folder is read again. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

function nameOf(error: unknown, path: string): unknown {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!["ENOSPC", "EDQUOT", "EFBIG"].includes(code)) return error;
  return new WhetstoneError({
    code: "no-space",
    category: "environment",
    message: `The server's disk is full: ${path} was not saved.`,
    cause: error,
  });
}
