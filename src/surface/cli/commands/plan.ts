import { plan } from "../../../loop/run.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { loadConfig } from "../load-config.ts";
import type { BudgetFlags } from "../route-parts.ts";

/** What a run would do, before it does it. */
export async function planCommand(this: CliContext, flags: BudgetFlags, where = "."): Promise<void> {
  const { output, parameters } = this;
  await answer(this, flags.json, async () => {
    const { definition, folder } = await loadConfig(where, parameters);
    const planned = await plan(definition, {
      folder,
      ...(flags.budget === undefined ? {} : { budget: flags.budget }),
      // A model that has to be brought here first takes its time.
      onProgress: (label, done, total) =>
        output.passing(`${label}${total > 1 ? `: ${Math.floor((100 * done) / total)} %` : ""}`),
    });
    if (flags.json) output.json(planned);
    else for (const line of planned.lines) output.line(line);
    return 0;
  });
}
