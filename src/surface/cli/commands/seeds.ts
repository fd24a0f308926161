import { seedSpread } from "../../../loop/run.ts";
import { seedSpreadWords } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

/** How far runs of one configuration are apart under several seeds. */
export async function seedsCommand(
  this: CliContext,
  flags: JsonFlags,
  ...folders: readonly string[]
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const spread = seedSpread({ folders: folders.map((folder) => projectFolder(folder)) });
    if (flags.json) output.json(spread);
    else for (const line of seedSpreadWords(spread)) output.line(line);
    return 0;
  });
}
