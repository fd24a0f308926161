import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, nearest, userError, WhetstoneError } from "../../foundation/base/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { meters } from "../../lifecycle/evaluate/index.ts";
import { reportPage, tellRun } from "../report/index.ts";
import { noRun } from "./project-folder.ts";

export interface ReportOptions {
  /** A run's name; default the last run. */
  readonly run?: string;
  /** The file to write; default in the folder's `.whetstone`. */
  readonly path?: string;
}

/** Writes the report of a run and returns its path. Throws `no-run`, `no-space` and `file-unwritable`. */
export async function writeReport(folder: string, { run, path: given }: ReportOptions = {}): Promise<string> {
  using ledger = readLedger({ folder });
  const runs = ledger?.runs() ?? [];
  const record = run === undefined ? runs.at(-1) : runs.find(({ id }) => id === run);
  if (ledger === undefined || record === undefined) throw run === undefined ? noRun() : unknownRun(run, runs);
  const page = reportPage(tellRun(ledger.events(record.id)), {
    generatedAt: new Date(),
    definitions: meters,
    configuration: record.description,
  });
  const path = given ?? join(ledgerFolder(folder), "report.html");
  await writeWhole(path, page);
  return path;
}

function unknownRun(run: string, runs: readonly { readonly id: string }[]): WhetstoneError {
  const names = runs.map(({ id }) => id);
  const meant = nearest(run, names) ?? names.at(-1);
  const hint = meant === undefined ? "there is no run yet." : `did you mean ${meant}?`;
  return userError("no-run", `There is no run ${run} here; ${hint}`, { run });
}

/** A file that exists is whole, also where the disk is full or two write it at once. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.writing`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileFault(error, path);
  }
}

/** Says why a file cannot be written. */
export function fileFault(error: unknown, path: string): WhetstoneError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  return new WhetstoneError({
    code: full ? "no-space" : "file-unwritable",
    category: full ? "environment" : "user",
    message: full
      ? `No space is left on the disk of ${path}: free some and run the same command again.`
      : `Cannot write ${path} (${messageOf(error)}): choose a file in a folder that is there and yours.`,
    details: { path },
    cause: error,
  });
}
