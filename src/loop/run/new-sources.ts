import { z } from "zod";
import { type Json, userError } from "../../foundation/base/index.ts";
import type { RunRecord } from "../../foundation/ledger/index.ts";
import { questionsOf } from "../oversight/index.ts";
import { type Asking, ask } from "../round/ask.ts";
import type { RunDefinition } from "../round/definition.ts";
import { describeRun } from "./describe.ts";

const part = z.looseObject({ name: z.string() });
const described = z.looseObject({
  acquire: z.array(part).catch([]),
  prepare: z.looseObject({ on: part.nullish().catch(null) }).catch({}),
  task: z.looseObject({ name: z.string(), sha256: z.string().optional() }).nullish().catch(null),
});

/**
 * Where a run's data comes from, in words that are the same for the same source: its sources without their amounts, and the
 * file that a task is made of.
 */
export function sourcesOf(description: Json): string[] {
  const { acquire, prepare, task } = described.parse(description);
  const sources = [...acquire, ...(prepare.on == null ? [] : [prepare.on])].map(({ name, ...rest }) => {
    const kept = Object.entries(rest).filter(([, value]) => typeof value !== "number");
    const told = kept.map(([option, value]) => `${option}: ${String(value)}`).join(", ");
    return told === "" ? name : `${name} (${told})`;
  });
  const file = task?.sha256 === undefined ? [] : [`the file of ${task.name} (SHA-256 ${task.sha256})`];
  return [...new Set([...sources, ...file])];
}

/** Sources of a definition that no run of its line had; `line` is all runs of its name. */
export function newSources(definition: RunDefinition, line: readonly RunRecord[]): string[] {
  const known = new Set(line.flatMap(({ description }) => sourcesOf(description)));
  return sourcesOf({ ...describeRun(definition) }).filter((source) => !known.has(source));
}

/**
 * Asks whether a line of runs may learn from sources that it did not have before, on the record of its last run: the new one is
 * begun once that is approved. Throws a user error `source-rejected`.
 */
export async function askOfSources(
  asking: Asking,
  definition: RunDefinition,
  line: readonly RunRecord[],
): Promise<void> {
  const sources = newSources(definition, line);
  if (!definition.oversight.ask.includes("new-source") || sources.length === 0) return;
  const earlier = questionsOf(asking.run.events()).filter(({ about }) => about === "new-source");
  const same = earlier.findIndex(({ details }) => details.sources?.join("\n") === sources.join("\n"));
  const number = (same === -1 ? earlier.length : same) + 1;
  const answer = await ask(asking, {
    what: `new-source-${number}`,
    round: 0,
    about: "new-source",
    text: `learn from what the runs of “${definition.name}” did not have before: ${sources.join(", ")}`,
    details: { sources },
    step: `sources-${number}/approval`,
    stage: "set-up",
    answered: ({ answer: said, why }) => ({ result: { answer: said, why } }),
  });
  if (answer.answer === "approve") return;
  throw userError(
    "source-rejected",
    `A person has rejected a new source of data${answer.why === "" ? "" : ` (${answer.why})`}: ${sources.join(", ")}. Take it out of the config.`,
  );
}
