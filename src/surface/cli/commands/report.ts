import { resolve } from "node:path";
import { answer, processOutput } from "../output.ts";
import { writeReport } from "../write-report.ts";
import { projectFolder } from "../project-folder.ts";

export interface ReportFlags {
  readonly json: boolean;
  readonly output?: string;
  readonly run?: string;
}

/** Writes one self-contained HTML file about a folder's run. */
export default async function reportCommand(flags: ReportFlags, where = "."): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const target = flags.output === undefined ? undefined : resolve(flags.output);
    const path = await writeReport(projectFolder(where), flags.run, target);
    if (flags.json) output.json({ report: path });
    else output.line(`The report lies in ${path}; it opens in any browser, offline.`);
    return 0;
  });
}
