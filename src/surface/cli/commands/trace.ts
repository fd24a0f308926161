import { trace } from "../../../loop/run.ts";
import { traceWords } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface TraceFlags extends JsonFlags {
  readonly run?: string;
}

/** Where weights, an example or an answer came from, back to the roots. */
export async function traceCommand(
  this: CliContext,
  flags: TraceFlags,
  of: string,
  where?: string,
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { run, json } = flags;
    const traced = await trace({
      folder: projectFolder(where ?? projectOf(of) ?? "."),
      of,
      ...(run === undefined ? {} : { run }),
    });
    if (json) output.json(traced);
    else for (const line of traceWords(traced)) output.line(line);
    return 0;
  });
}

/** The project that a checkpoint's path lies in; undefined for anything else. */
function projectOf(of: string): string | undefined {
  const [, folder] = /^(.*?)[/\\]?\.whetstone[/\\]checkpoints[/\\]/.exec(of) ?? [];
  return folder === "" ? "." : folder;
}
