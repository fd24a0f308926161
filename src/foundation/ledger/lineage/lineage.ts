import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { TrainedExample } from "../../contract/index.ts";
import type { Artifacts } from "../artifacts.ts";
import { openIndex } from "./index-schema.ts";
import { addRecord } from "./index-writer.ts";
import { type TrainingHeader, trainingRows } from "./training-record.ts";

/** The index lies beside the ledger, in a file of its own: it holds nothing that the artifacts do not. */
export function indexPath(ledgerFolder: string): string {
  return join(ledgerFolder, "lineage.sqlite");
}

/** Takes an index away; the next that is opened is empty. */
export function removeIndex(path: string): void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(`${path}${ending}`, { force: true });
}

/** Opens an index to write; one that is damaged is replaced by an empty one. Throws what SQLite and the disk do. */
export function openOrReplaceIndex(path: string): DatabaseSync {
  try {
    return openIndex(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    removeIndex(path);
    return openIndex(path);
  }
}

/** Primary result codes of SQLite: it is asked for what an index has, the file is malformed, or it is no database. */
const damage = [1, 11, 26];

/** Whether an index holds something else than was written: not where the disk is full, or another process holds the file. */
export function isDamage(error: unknown): boolean {
  const { code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number };
  if (errcode !== undefined) return damage.includes(errcode & 0xff);
  return code === undefined;
}

/** Where a run keeps what its examples came from: a record for each stretch of training, and an index over all of them. */
export class Lineage implements Disposable {
  readonly #path: string;
  readonly #artifacts: Artifacts;
  #index: DatabaseSync | undefined;
  #usable = true;

  constructor(ledgerFolder: string, artifacts: Artifacts) {
    this.#path = indexPath(ledgerFolder);
    this.#artifacts = artifacts;
  }

  /** Stores what a stretch of training learnt from, and returns the record's name. Throws what {@link Artifacts.put} does. */
  async record(header: TrainingHeader, examples: readonly TrainedExample[]): Promise<string> {
    const artifact = await this.#artifacts.put(trainingRows(header, examples));
    // The record is the truth. Where the index cannot be written, whoever reads it next brings it up to date.
    try {
      if (this.#usable) {
        this.#index ??= openOrReplaceIndex(this.#path);
        addRecord(this.#index, artifact, header, examples);
      }
    } catch {
      this.#usable = false;
      this[Symbol.dispose]();
    }
    return artifact;
  }

  [Symbol.dispose](): void {
    this.#index?.close();
    this.#index = undefined;
  }
}
