import { type Collected, collectGarbage } from "../../../loop/run.ts";
import { plural } from "../../report/index.ts";
import { answer } from "../answer.ts";
import { size } from "../bytes.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface GcFlags extends JsonFlags {
  readonly yes?: boolean;
}

/** Says what nothing refers to any more, and removes it where that was asked. */
export async function gcCommand(this: CliContext, flags: GcFlags, where = "."): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const collected = collectGarbage({ folder: projectFolder(where), remove: flags.yes ?? false });
    if (flags.json) output.json(collected);
    else for (const line of linesOf(collected)) output.line(line);
    return 0;
  });
}

function linesOf({ removed, bytes, garbage, kept, strays }: Collected): string[] {
  const others = strays.map(
    ({ path, bytes: own }) => `${"stray".padEnd(10)}  ${size(own).padStart(8)}  ${path}`,
  );
  const last =
    others.length === 0 ? [] : [...others, "No run has named what strays: it is never removed from here."];
  return [...collectedLines({ removed, bytes, garbage, kept }), ...last];
}

function collectedLines({ removed, bytes, garbage, kept }: Omit<Collected, "strays">): string[] {
  const stays = `${plural(kept, "checkpoint")} ${kept === 1 ? "stays" : "stay"}: bases, what was promoted, and what a run goes on from.`;
  if (garbage.length === 0) return [`Something refers to everything here; nothing can be removed. ${stays}`];
  const words = garbage.map(
    ({ of, name, bytes: own }) => `${of.padEnd(10)}  ${size(own).padStart(8)}  ${name}`,
  );
  const last = removed
    ? `Removed: ${size(bytes)} are free again.`
    : `Nothing was removed. \`whetstone gc --yes\` frees ${size(bytes)}.`;
  return [...words, stays, last];
}
