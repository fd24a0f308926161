import { type RandomStream, userError } from "../../foundation/base/index.ts";
import type { Item, Problem, Split, Stratum, Task } from "../../foundation/contract/index.ts";
import { splitOf, splitShares } from "./splits.ts";

/** Strata with at most this many distinct items are enumerated: no splits, measured whole, no claim of generalisation. */
const enumeratedAtMost = 1000;

export function isEnumerated({ distinct }: Stratum): boolean {
  return distinct <= enumeratedAtMost;
}

/** Distinct items of a stratum that belong to a split, on average. */
export function expectedItems(stratum: Stratum, split: Split): number {
  return isEnumerated(stratum) ? stratum.distinct : stratum.distinct * splitShares[split];
}

export function stratumOf(task: Task, difficulty: number): Stratum {
  const stratum = task.strata.find((one) => one.difficulty === difficulty);
  if (stratum === undefined)
    throw userError(
      "no-such-difficulty",
      `${task.name} has no ${task.difficulty.unit} ${difficulty}; it reaches from ${task.difficulty.base[0]} to ${task.difficulty.measureTo}.`,
    );
  return stratum;
}

/** A problem with its identity, stratum and split. */
export function itemOf(
  task: Task,
  problem: Problem,
  stratum: Stratum = stratumOf(task, problem.difficulty),
): Item {
  const canonical = task.canonical(problem);
  return {
    ...problem,
    canonical,
    stratum: stratum.name,
    split: isEnumerated(stratum) ? "none" : splitOf(task, canonical),
    source: `generator:${task.name}@${task.version}`,
  };
}

/** Every item of an enumerated stratum, in the task's order. */
export function enumerateItems(task: Task, difficulty: number): Item[] {
  const stratum = stratumOf(task, difficulty);
  return Array.from(task.enumerate(difficulty), (problem) => itemOf(task, problem, stratum));
}

export interface DrawRequest {
  readonly task: Task;
  readonly difficulty: number;
  readonly split: Split;
  readonly count: number;
  readonly random: RandomStream;
  /** Items that may not be drawn, such as those that were used before. */
  readonly exclude?: (canonical: string) => boolean;
  /** Each item at most once (the default); an enumerated stratum that is too small then repeats itself. */
  readonly distinct?: boolean;
}

/** Tries per item that is still missing, after which the split counts as exhausted. */
const triesPerItem = 400;

/**
 * Uniform draws from one split of one stratum. An enumerated stratum has no splits and serves every request. Throws a user
 * error `items-exhausted` when the split does not hold that many items.
 */
export function drawItems(request: DrawRequest): Item[] {
  const { task, difficulty, split, count, random, exclude, distinct = true } = request;
  const stratum = stratumOf(task, difficulty);
  const enumerated = isEnumerated(stratum);
  const drawn: Item[] = [];
  const taken = new Set<string>();
  const unique = distinct && !(enumerated && stratum.distinct < count);
  let failures = 0;
  while (drawn.length < count) {
    const item = itemOf(task, task.generate(difficulty, random), stratum);
    const wanted =
      (enumerated || item.split === split) &&
      !(unique && taken.has(item.canonical)) &&
      exclude?.(item.canonical) !== true;
    if (wanted) {
      drawn.push(item);
      taken.add(item.canonical);
      failures = 0;
    } else if (++failures > triesPerItem) {
      throw userError(
        "items-exhausted",
        `${task.name} has about ${Math.round(expectedItems(stratum, split))} ${split} items of ${task.difficulty.unit} ${difficulty}, too few unused ones for ${count} more.`,
        { difficulty, split, count },
      );
    }
  }
  return drawn;
}
