import type { RandomStream } from "../../foundation/base/index.ts";
import type { Item, Stratum, Task } from "../../foundation/contract/index.ts";
import { drawItems, enumerateItems, isEnumerated } from "../../world/task/index.ts";

export interface EvaluationItemsRequest {
  readonly task: Task;
  readonly split: "validation" | "audit";
  /** Different items of each stratum; fewer where the split holds fewer. Enumerated strata are taken whole. */
  readonly perStratum: number;
  readonly random: RandomStream;
}

/** Items of every stratum of the task, in its order; the same stream gives the same items. */
export function evaluationItems({ task, split, perStratum, random }: EvaluationItemsRequest): Item[] {
  return task.strata.flatMap((stratum) => {
    const { difficulty } = stratum;
    if (isEnumerated(stratum)) return enumerateItems(task, difficulty);
    const stream = random.fork(stratum.name);
    return drawItems({ task, difficulty, split, count: perStratum, random: stream, orFewer: true });
  });
}

/**
 * What a claim is about: the strata that weigh in the target distribution and are not enumerated, since what is measured
 * whole generalises to nothing. Where all of them are enumerated the claim is about just those items.
 */
export function estimand(task: Pick<Task, "strata">): readonly Stratum[] {
  const weighing = task.strata.filter(({ weight }) => weight > 0);
  const sampled = weighing.filter((stratum) => !isEnumerated(stratum));
  return sampled.length > 0 ? sampled : weighing;
}
