import { type Holder, readLedger } from "../../../foundation/ledger/index.ts";
import { noRun, openQuestions } from "../../../loop/run.ts";
import { closingWords, questionWords, tellRun } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

/** What a folder's runs have come to, and who runs now. Never takes the folder's lock. */
export async function statusCommand(this: CliContext, flags: JsonFlags, where = "."): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const folder = projectFolder(where);
    using ledger = readLedger({ folder });
    const runs = ledger?.runs() ?? [];
    const record = runs.at(-1);
    if (ledger === undefined || record === undefined) throw noRun();
    const story = tellRun(ledger.events(record.id));
    const holder = ledger.holder();
    const questions = openQuestions({ folder });
    if (flags.json) output.json({ runs, running: holder ?? null, questions, story });
    else {
      output.line(holderWords(holder));
      for (const line of closingWords(story, { environment, columns: output.columns, where }))
        output.line(line);
      // Other lines of runs in this folder may wait too.
      const shown = new Set(story.questions.map(({ id }) => id));
      for (const question of questions.filter(({ id }) => !shown.has(id)))
        for (const line of questionWords(question, where)) output.line(line);
    }
    return 0;
  });
}

/** Who runs in a folder now, for people. */
export function holderWords(holder: Holder | undefined): string {
  if (holder === undefined) return "Nobody runs here now.";
  if (holder.processId === 0) return "Running now, in another process.";
  return `Running now: process ${holder.processId}, since ${new Date(holder.startedAt).toLocaleString("sv-SE")}.`;
}
