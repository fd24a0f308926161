import { plan } from "../../../loop/run.ts";
import { loadConfig } from "../load-config.ts";
import { answer, processOutput } from "../output.ts";

export interface PlanFlags {
  readonly json: boolean;
}

/** What a run would do, before it does it. */
export default async function planCommand(flags: PlanFlags, where = "."): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const { definition, folder } = await loadConfig(where);
    const planned = await plan(definition, { folder });
    if (flags.json) output.json(planned);
    else for (const line of planned.lines) output.line(line);
    return 0;
  });
}
