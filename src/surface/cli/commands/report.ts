import { resolve } from "node:path";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";
import { writeReport } from "../write-report.ts";

export interface ReportFlags extends JsonFlags {
  readonly output?: string;
  readonly run?: string;
}

/** Writes one self-contained HTML file about a folder's run. */
export async function reportCommand(this: CliContext, flags: ReportFlags, where = "."): Promise<void> {
  await answer(this, flags.json, async () => {
    const { run, output: given } = flags;
    const { path, story } = await writeReport(projectFolder(where), {
      ...(run === undefined ? {} : { run }),
      ...(given === undefined ? {} : { path: resolve(given) }),
    });
    if (flags.json) this.output.json({ report: path, story });
    else this.output.line(`The report lies in ${path}; it opens in any browser, offline.`);
    return 0;
  });
}
