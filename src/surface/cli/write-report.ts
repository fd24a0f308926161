import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { userError } from "../../foundation/base/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { reportPage, tellRun } from "../report/index.ts";

/** Writes the report of a run (the last one when none is named) and returns its path. Throws a user error `no-run`. */
export async function writeReport(folder: string, run?: string, path = join(folder, ".whetstone", "report.html")): Promise<string> {
  using ledger = readLedger({ folder });
  const record = run === undefined ? ledger?.runs().at(-1) : ledger?.run(run);
  if (ledger === undefined || record === undefined)
    throw userError("no-run", "There is no run here yet: start one with `whetstone run`.");
  const page = reportPage(tellRun(ledger.events(record.id)), { generatedAt: new Date() });
  await writeFile(`${path}.writing`, page);
  await rename(`${path}.writing`, path);
  return path;
}
