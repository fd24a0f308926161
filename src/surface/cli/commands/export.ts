import { resolve } from "node:path";
import { exportModel } from "../../../loop/run.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";
import { whichOf } from "../which.ts";

export interface ExportFlags extends JsonFlags {
  readonly which?: string;
  readonly run?: string;
  readonly adapter?: boolean;
}

/** Writes a Hugging Face folder with a run's champion, or with other weights of it. */
export async function exportCommand(
  this: CliContext,
  flags: ExportFlags,
  to: string,
  where = ".",
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { which, run, adapter } = flags;
    const exported = await exportModel({
      folder: projectFolder(where),
      to: resolve(to),
      ...(which === undefined ? {} : { which: whichOf(which) }),
      ...(run === undefined ? {} : { run }),
      ...(adapter === undefined ? {} : { adapter }),
    });
    if (flags.json) output.json(exported);
    else {
      const { path, round, bytes } = exported;
      const what = round === 0 ? "The weights of the base" : `The weights of round ${round}`;
      const size = `${(bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: 1 })} MB`;
      output.line(`${what} of ${exported.run} lie in ${path} (${size}); README.md says what was shown.`);
    }
    return 0;
  });
}
