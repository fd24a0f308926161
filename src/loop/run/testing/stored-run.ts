import { closeSync, cpSync, mkdtempSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ledgerFolder } from "../../../foundation/ledger/index.ts";

/** A copy of a project folder beside others in `root`, to do harm to. */
export function copyOf(whole: string, root: string): string {
  const folder = mkdtempSync(join(root, "copy-"));
  cpSync(whole, folder, { recursive: true });
  return folder;
}

/** A path below where a project folder stores its runs. */
export const stored = (folder: string, ...names: string[]): string => join(ledgerFolder(folder), ...names);

/** Writes over the first page of the ledger's steps. */
export function overwriteSteps(folder: string): void {
  const path = stored(folder, "ledger.sqlite");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const page = database
    .prepare("SELECT rootpage AS page FROM sqlite_master WHERE name = 'steps'")
    .get()?.page;
  database.close();
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(4096).fill(0xa5), 0, 4096, (Number(page) - 1) * 4096);
  closeSync(file);
}
