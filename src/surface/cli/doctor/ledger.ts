import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { existingFolder, messageOf } from "../../../foundation/base/index.ts";
import { openLedger, readLedger } from "../../../foundation/ledger/index.ts";
import { holderWords } from "../commands/status.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Whether a ledger can be made, locked and read back on the disk of a folder: network disks often cannot lock. */
export async function sqliteCheck(folder: string): Promise<Check> {
  try {
    const probe = await mkdtemp(join(await existingFolder(folder), ".whetstone-doctor-"));
    try {
      using ledger = openLedger({ folder: probe });
      ledger.setFact("probe", true);
      if (ledger.getFact("probe") !== true) throw new Error("what was written is not read back");
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
    return ok("SQLite", "ledgers can be written and locked here");
  } catch (error) {
    return fail("SQLite", messageOf(error), "Use a folder on a local disk that is yours.");
  }
}

/** The folder's ledger, and who holds it. */
export function ledgerCheck(folder: string): Check {
  try {
    using ledger = readLedger({ folder });
    if (ledger === undefined) return ok("ledger", "no run here yet");
    const runs = ledger.runs();
    const events = runs.reduce((sum, { id }) => sum + ledger.events(id).length, 0);
    const holder = ledger.holder();
    const found = `${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${events} events`;
    return holder === undefined
      ? ok("ledger", found)
      : warn(
          "ledger",
          `${found}. ${holderWords(holder)}`,
          "A run that is started here now is refused until that one ends.",
        );
  } catch (error) {
    return fail("ledger", "cannot be read", messageOf(error));
  }
}
