import { resolve } from "node:path";
import {
  canOpen,
  type DatasetOptions,
  type ReadDataset,
  readDataset,
  showableGain,
} from "../../../world/task/index.ts";
import type { ModelChoice } from "./answers.ts";
import { besides } from "./read-answers.ts";

export type NamedColumns = NonNullable<DatasetOptions["columns"]>;

/** A file of rows, as `init` found it. */
export interface DataFound extends ReadDataset {
  /** As the config names it: relative to its folder. */
  readonly path: string;
  /** Those that the file calls otherwise. */
  readonly columns: NamedColumns;
  /** Wrong rows may be left out. */
  readonly skip: boolean;
  /** The smallest gains that can be shown at the first opening of the gate and at the fourth; null where none can. */
  readonly gains: { readonly first: number | null; readonly fourth: number | null };
  /** Whether the gate can open at all. */
  readonly gated: boolean;
}

export interface DataAnswers {
  readonly data: DataFound;
  readonly model: ModelChoice;
  readonly rounds: number;
}

export interface DataRequest {
  readonly file: string;
  /** The config's. */
  readonly folder: string;
  readonly skip: boolean;
  readonly columns: NamedColumns;
}

/** Reads the file before anything is asked or written. Throws what `dataset()` throws. */
export async function findData({ file, folder, skip, columns }: DataRequest): Promise<DataFound> {
  const found = await readDataset({ file, skipInvalid: skip, columns });
  const { decision } = found.splits;
  return {
    ...found,
    path: besides(folder, resolve(file)),
    columns,
    skip: skip && found.skipped > 0,
    gains: { first: showableGain(decision, 1), fourth: showableGain(decision, 4) },
    gated: canOpen(decision),
  };
}
