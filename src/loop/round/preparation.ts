import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hashOf, type Json, userError } from "../../foundation/base/index.ts";
import type { Demonstration, Task } from "../../foundation/contract/index.ts";
import { exampleOfDemonstration } from "../../gro/rollout/index.ts";
import { type Batch, imitation, type SupervisedUpdate, supervised } from "../../gro/update/index.ts";
import { demonstrations } from "../../lifecycle/acquire/index.ts";
import { trainedItems } from "../../lifecycle/evaluate/index.ts";
import type { PreparedModel } from "../../model/engine/index.ts";
import { type RoundContext, streamOf } from "./context.ts";
import type { RunDefinition } from "./definition.ts";

/** What round 0 trains; null when the model is taken as it is. */
export function preparationOf({ prepare }: RunDefinition, fromScratch: boolean): SupervisedUpdate | null {
  if (prepare !== null) return prepare;
  return fromScratch ? supervised({ on: demonstrations(), steps: 1500, learningRate: 3e-3 }) : null;
}

/** Preparation learns from a source, whatever it holds, for as many steps as it says. */
export function preparationSteps(update: SupervisedUpdate): number {
  return update.steps({ newest: 0, base: 0 });
}

/** Two preparations of one key make the same weights: a run that is compared with another begins where that one did. */
export function preparationKey(
  definition: RunDefinition,
  role: string,
  update: SupervisedUpdate | null,
  { path, fromScratch }: PreparedModel,
): string {
  const { task, engine, model, precision, gradientCheckpointing, lora, seed } = definition;
  const source = update?.on;
  const learnt = update === null ? null : { ...update.description, on: source?.name, ...source?.description };
  const key = {
    role,
    model: { name: model.name, ...model.description },
    task: { name: task.name, version: task.version, ...task.options },
    learnt,
    engine: { name: engine.name, ...engine.description },
    precision,
    // What is recomputed is cut into other passes, whose sums round otherwise.
    ...(gradientCheckpointing ? { gradientCheckpointing } : {}),
    lora,
    seed,
    weights: fromScratch ? null : fingerprintOf(path),
  };
  return `prepared/${hashOf(JSON.parse(JSON.stringify(key)) as Json)}`;
}

/** Changes when the files of a folder do: weights under the same path may be others than they were. */
function fingerprintOf(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    });
}

/**
 * Batches of demonstrations: drawn anew each step from an endless source, else picked from what the source has. Throws user
 * errors `no-demonstrations` when it has none, and `foreign-items`, then or from the batch, for items of another split.
 */
export async function preparationBatches(
  context: RoundContext,
  role: string,
  { on = demonstrations(), batch }: SupervisedUpdate,
): Promise<(step: number) => Batch | undefined> {
  const { definition, tokenizer } = context;
  const { task } = definition;
  const random = streamOf(context, 0, `prepare/${role}`);
  const batchOf = (drawn: readonly Demonstration[]): Batch | undefined =>
    imitation(drawn.map((one) => exampleOfDemonstration(tokenizer, one)));
  const { draw } = on;
  if (draw !== undefined)
    return (step) => {
      const drawn = draw(task, batch, random.fork(step));
      refuseForeign(task, on.name, drawn);
      return batchOf(drawn);
    };
  const pool = await on.acquire({
    task,
    round: 0,
    random: streamOf(context, 0, "prepare"),
    trainedTo: task.difficulty.base[1],
    frontier: null,
  });
  if (pool.demonstrations.length === 0)
    throw userError(
      "no-demonstrations",
      `"prepare" learns from ${on.name}, which brings no demonstrations: use supervised({ on: demonstrations(), … }).`,
    );
  refuseForeign(task, on.name, pool.demonstrations);
  const count = Math.min(batch, pool.demonstrations.length);
  return (step) => {
    const picks = random.fork(step);
    return batchOf(Array.from({ length: count }, () => picks.pick(pool.demonstrations)));
  };
}

/** Round 0 comes before guards speak, and no gate would notice: it learns from training items whatever guards a run has. */
function refuseForeign(task: Task, source: string, learnt: readonly Demonstration[]): void {
  const { items, foreign } = trainedItems(task, [], learnt);
  const named = Object.entries(foreign).filter(([, count]) => count > 0);
  if (named.length === 0) return;
  const which = named.map(([split, count]) => `${count} of the ${split} split`).join(", ");
  throw userError(
    "foreign-items",
    `"prepare" learns from ${source}, where of ${items} items ${which}: give it items of the training split alone, as demonstrations() does. A prompt of another role names the item that it was made of as "about".`,
    { source, ...foreign },
  );
}
