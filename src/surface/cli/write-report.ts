import { join } from "node:path";
import { isWhetstoneError, writeWhole } from "../../foundation/base/index.ts";
import { ledgerFolder, openLedger } from "../../foundation/ledger/index.ts";
import { meters } from "../../lifecycle/evaluate/index.ts";
import { readRun } from "../../loop/run.ts";
import { type RunStory, reportPage, tellRun } from "../report/index.ts";

export interface ReportOptions {
  /** A run's name; default the last run. */
  readonly run?: string;
  /** The file to write; default in the folder's `.whetstone`. */
  readonly path?: string;
}

/**
 * Writes the report of a run; returns its path, and the story that it tells. In its usual place it is a copy of what the ledger
 * keeps, unless somebody runs there: the ledger is theirs then. Throws `no-run`, `no-space` and `file-unwritable`.
 */
export async function writeReport(
  folder: string,
  { run, path: given }: ReportOptions = {},
): Promise<{ readonly path: string; readonly story: RunStory }> {
  const { record, events } = readRun(folder, run);
  // Before its first event a run is known by its record alone.
  const story: RunStory = { ...tellRun(events), run: record.id };
  const page = reportPage(story, {
    generatedAt: new Date(),
    definitions: meters,
    configuration: record.description,
  });
  const path = given ?? join(ledgerFolder(folder), "report.html");
  await writeWhole(path, page);
  if (given === undefined) await keep(folder, record.id, page);
  return { path, story };
}

async function keep(folder: string, run: string, page: string): Promise<void> {
  try {
    using ledger = openLedger({ folder });
    await ledger.keepReport(run, page);
  } catch (error) {
    if (!isWhetstoneError(error) || error.code !== "folder-in-use") throw error;
  }
}
