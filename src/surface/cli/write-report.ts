import { join } from "node:path";
import { ledgerFolder } from "../../foundation/ledger/index.ts";
import { meters } from "../../lifecycle/evaluate/index.ts";
import { readRun } from "../../loop/run.ts";
import { reportPage, tellRun } from "../report/index.ts";
import { writeWhole } from "./write-whole.ts";

export interface ReportOptions {
  /** A run's name; default the last run. */
  readonly run?: string;
  /** The file to write; default in the folder's `.whetstone`. */
  readonly path?: string;
}

/** Writes the report of a run and returns its path. Throws `no-run`, `no-space` and `file-unwritable`. */
export async function writeReport(folder: string, { run, path: given }: ReportOptions = {}): Promise<string> {
  const { record, events } = readRun(folder, run);
  const page = reportPage(tellRun(events), {
    generatedAt: new Date(),
    definitions: meters,
    configuration: record.description,
  });
  const path = given ?? join(ledgerFolder(folder), "report.html");
  await writeWhole(path, page);
  return path;
}
