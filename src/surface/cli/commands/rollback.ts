import { userError } from "../../../foundation/base/index.ts";
import { rollback } from "../../../loop/run.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";
import { whichOf } from "../which.ts";

export interface RollbackFlags extends JsonFlags {
  readonly to?: string;
  readonly reason?: string;
  readonly run?: string;
}

/** Takes the champion back to an earlier promotion, and records it. */
export async function rollbackCommand(this: CliContext, flags: RollbackFlags, where = "."): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { to, reason, run } = flags;
    const done = await rollback({
      folder: projectFolder(where),
      ...(to === undefined ? {} : { to: targetOf(to) }),
      ...(reason === undefined ? {} : { reason }),
      ...(run === undefined ? {} : { run }),
    });
    if (flags.json) output.json(done);
    else {
      const name = (round: number): string => (round === 0 ? "the base" : `round ${round}`);
      output.line(
        `The champion of ${done.run} is ${name(done.to.round)} again, no longer ${name(done.from.round)}.`,
      );
      if (done.givenUp)
        output.line(`Round ${done.round}, which was under way, is given up and counts as played.`);
      output.line(
        "`whetstone run` audits it, and goes on from it where rounds are left or budget.rounds is raised.",
      );
    }
    return 0;
  });
}

function targetOf(text: string): "base" | number {
  const which = whichOf(text);
  if (which === "base" || typeof which === "number") return which;
  throw userError("invalid-option", `--to is base or round-N, a round that was promoted; not ${text}.`);
}
