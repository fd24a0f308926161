import { type Verification, verifyFolder } from "../../../loop/run.ts";
import { plural } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

/** Says whether what a folder's runs stored is what was stored. Exit code 2 where it is not. */
export async function verifyCommand(this: CliContext, flags: JsonFlags, where = "."): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const verification = await verifyFolder({ folder: projectFolder(where) });
    if (flags.json) output.json(verification);
    else for (const line of linesOf(verification)) output.line(line);
    return verification.whole ? exitCodes.done : exitCodes.machine;
  });
}

function linesOf({ whole, runs, artifacts, checkpoints, gone, findings, files }: Verification): string[] {
  return [
    ...runs.map(({ run, events, hash }) =>
      hash === null
        ? `${run}: ${plural(events, "event")} can be read, and no more`
        : `${run}: ${plural(events, "event")}, ${hash}`,
    ),
    `${plural(artifacts, "artifact")} and ${plural(checkpoints, "checkpoint")} were hashed again${gone.length === 0 ? "" : `; ${plural(gone.length, "checkpoint")} that no run needs ${gone.length === 1 ? "is" : "are"} not there any more`}.`,
    ...files.flatMap(({ run, path, state }) =>
      state === "same"
        ? []
        : [`${path} ${state === "missing" ? "is not there any more" : "has changed"} since ${run} read it.`],
    ),
    ...findings.map(({ code, message }) => `${code}: ${message}`),
    whole ? "Everything is what was stored." : `Not whole: ${plural(findings.length, "finding")}.`,
  ];
}
