import { userError } from "../../../foundation/base/index.ts";
import { readLedger } from "../../../foundation/ledger/index.ts";
import { closingWords, tellRun } from "../../report/index.ts";
import { answer, processOutput } from "../output.ts";
import { projectFolder } from "../project-folder.ts";

export interface StatusFlags {
  readonly json: boolean;
}

/** What a folder's runs have come to, and who runs now. Never takes the folder's lock. */
export default async function statusCommand(flags: StatusFlags, where = "."): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    using ledger = readLedger({ folder: projectFolder(where) });
    const record = ledger?.runs().at(-1);
    if (ledger === undefined || record === undefined)
      throw userError("no-run", "There is no run here yet: start one with `whetstone run`.");
    const story = tellRun(ledger.events(record.id));
    const holder = ledger.holder();
    if (flags.json) output.json({ runs: ledger.runs(), running: holder ?? null, story });
    else {
      output.line(holder === undefined ? "Nobody runs here now." : `Running now: process ${holder.processId}, since ${new Date(holder.startedAt).toLocaleString()}.`);
      for (const line of closingWords(story, {})) output.line(line);
    }
    return 0;
  });
}
