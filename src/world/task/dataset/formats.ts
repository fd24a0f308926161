import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, nearest, userError } from "../../../foundation/base/index.ts";
import { bytesOf, type DataFile } from "./bytes.ts";
import { readCsv } from "./csv.ts";
import { readJsonList } from "./json-list.ts";
import { readJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";
import type { RawRow, Read } from "./row.ts";

type Reader = (file: DataFile, wanted: readonly string[]) => AsyncIterable<Read<RawRow>>;

const lines: Reader = (file) => readJsonl(bytesOf(file));
const csv: Reader = (file) => readCsv(bytesOf(file), file);

/** By the ending of a file's name; all but Parquet may be packed with gzip too. */
const readers: Readonly<Record<string, Reader>> = {
  jsonl: lines,
  ndjson: lines,
  json: (file) => readJsonList(bytesOf(file), file),
  csv,
  tsv: csv,
  parquet: readParquet,
};

export interface OpenedFile extends DataFile {
  /** Its name without folders and endings. */
  readonly stem: string;
  rows(wanted: readonly string[]): AsyncIterable<Read<RawRow>>;
}

/** Looks at a file before it is read. Throws user errors `dataset-missing`, `dataset-empty` and `dataset-format`. */
export function openFile(where: string | URL): OpenedFile {
  const path = pathOf(where);
  const name = basename(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw userError("dataset-missing", `There is no file ${path}.`, { file: path });
  const [, stem = name, ending = "", packed] = /^(.+?)\.([^.]+?)(\.gz)?$/i.exec(name) ?? [];
  const kind = ending.toLowerCase();
  if (found.isDirectory())
    throw userError("dataset-format", `${path} is a folder; name the file with the rows.`, { file: path });
  const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  const gzip = packed !== undefined;
  if (reader === undefined || (gzip && kind === "parquet")) throw unknownFormat(path, name, kind);
  if (found.size === 0)
    throw userError("dataset-empty", `${name} is empty: write one row a line, with a prompt and an answer.`, {
      file: path,
    });
  const file = { path, name, gzip };
  return { ...file, stem, rows: (wanted) => reader(file, wanted) };
}

function unknownFormat(path: string, name: string, kind: string): Error {
  const known = Object.keys(readers);
  const meant = nearest(kind, known);
  const hint = meant === undefined ? `it is one of .${known.join(", .")}` : `did you mean .${meant}?`;
  return userError(
    "dataset-format",
    `${name} does not say its format: ${hint}${hint.endsWith("?") ? "" : "."}`,
    {
      file: path,
    },
  );
}

function pathOf(where: string | URL): string {
  if (typeof where === "string" && !where.startsWith("file:")) return resolve(where);
  try {
    return fileURLToPath(where);
  } catch (error) {
    throw userError("dataset-missing", `${String(where)} is not a file on this machine: ${messageOf(error)}`);
  }
}
