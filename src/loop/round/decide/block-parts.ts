import { userError } from "../../../foundation/base/index.ts";
import type { Stratum, Task } from "../../../foundation/contract/index.ts";
import { fewestPairs, spentOnReusedAt } from "../../../foundation/statistics/index.ts";
import { isEnumerated, itemsInSplit, splitShares } from "../../../world/task/index.ts";
import type { GateOptions } from "../../gate.ts";

/** A stratum with fewer decision items than this cannot give every opening fresh ones (design §8). */
export const fewestFreshItems = 10_000;
/** Items of one block at most, when weights are turned into whole numbers. */
const mostInBlock = 256;

/** What the gate takes items from, and how many of them each block holds. */
export interface BlockPart {
  /** One stratum; of a file all that it lists, since its lines stand for the target distribution as they are. */
  readonly strata: readonly Stratum[];
  readonly count: number;
}

/** What every block holds. */
export interface Blocks {
  readonly parts: readonly BlockPart[];
  /** Every opening uses all decision items again. */
  readonly reused: boolean;
  /** Most pairs of an opening. */
  readonly pairs: number;
}

/** What every block holds, or why no block can be made. */
export type BlockPlan = Blocks | { readonly obstacle: string; readonly advice: string };

/**
 * The strata that weigh and have enough fresh items make the blocks, each in proportion to its weight, within a cap of pairs.
 * Where there is none such, those that are not enumerated do, and their decision items are reused.
 */
export function planBlocks(
  task: Task,
  gate: Pick<GateOptions, "cap" | "alpha">,
  { reusedBefore = false }: { readonly reusedBefore?: boolean } = {},
): BlockPlan {
  const plan = everyBlock(task, gate.cap, reusedBefore);
  if ("obstacle" in plan || !plan.reused) return plan;
  const needed = fewestPairs(spentOnReusedAt(1, gate.alpha));
  if (plan.pairs >= needed) return plan;
  return {
    obstacle: `${task.name} has ${plan.pairs} decision items, and even a candidate that is right on all of them where the champion is wrong is shown to be better only by ${needed}`,
    advice: `give it at least ${Math.ceil(needed / splitShares.decision)} items, or let the gate observe with gate: { mode: "observe" }`,
  };
}

function everyBlock(task: Task, cap: number, reusedBefore: boolean): BlockPlan {
  const weighing = task.strata.filter((stratum) => stratum.weight > 0 && !isEnumerated(stratum));
  const fresh = reusedBefore
    ? []
    : weighing.filter((stratum) => itemsInSplit(stratum, "decision") >= fewestFreshItems);
  const reused = fresh.length === 0;
  const strata = reused ? weighing.filter((stratum) => itemsInSplit(stratum, "decision") > 0) : fresh;
  if (strata.length === 0)
    return {
      obstacle: `${task.name} has no ${task.difficulty.unit} of the target distribution with decision items, so nothing can be proven`,
      advice:
        'raise its difficulty, give a file more lines, or let the gate observe with gate: { mode: "observe" }',
    };
  if (strata.every(({ splits }) => splits !== undefined)) {
    const listed = strata.reduce((sum, stratum) => sum + itemsInSplit(stratum, "decision"), 0);
    return { parts: [{ strata, count: 1 }], reused, pairs: Math.min(cap, listed) };
  }
  return weighted(task, strata, { cap, reused });
}

function weighted(
  task: Task,
  strata: readonly Stratum[],
  { cap, reused }: { readonly cap: number; readonly reused: boolean },
): BlockPlan {
  const least = Math.min(...strata.map(({ weight }) => weight));
  for (let multiple = 1; multiple * strata.length <= mostInBlock; multiple++) {
    const counts = strata.map(({ weight }) => (weight / least) * multiple);
    const size = counts.reduce((sum, count) => sum + Math.round(count), 0);
    if (size > mostInBlock || counts.some((count) => Math.abs(count - Math.round(count)) >= 1e-9)) continue;
    if (size > cap)
      return {
        obstacle: `the gate compares ${size} items of ${task.name} at once, one for each share of its target distribution, and gate.cap allows ${cap} pairs`,
        advice: "raise gate.cap",
      };
    const parts = strata.map((stratum, index) => ({
      strata: [stratum],
      count: Math.round(counts[index] ?? 0),
    }));
    return {
      parts,
      reused,
      pairs: reused ? size * Math.min(Math.floor(cap / size), ...blocksOf(parts)) : cap,
    };
  }
  return {
    obstacle: `the weights of ${task.name}'s strata have no common measure that fits a block of ${mostInBlock} items`,
    advice: "use whole numbers such as 1, 2 and 5",
  };
}

/** Blocks that each part's decision items suffice for. */
function blocksOf(parts: readonly BlockPart[]): number[] {
  return parts.map(({ strata, count }) =>
    Math.floor(strata.reduce((sum, stratum) => sum + itemsInSplit(stratum, "decision"), 0) / count),
  );
}

/**
 * Remembers in a folder that decision items were reused. A file that grows past the limit goes on so: which of its items an
 * earlier opening used is not kept, and so none of them is known to be fresh.
 */
export function reusedFact(items: string): string {
  return `reused/${items}`;
}

/** Whose decision items a gate uses: openings count on while these stay the same. */
export function decisionItemsOf({ name, version }: Pick<Task, "name" | "version">): string {
  return `${name}@${version}`;
}

/** As {@link planBlocks}; an obstacle is thrown as a user error `gate-cannot-open`. */
export function blockParts(task: Task, gate: Pick<GateOptions, "cap" | "alpha">): readonly BlockPart[] {
  const plan = planBlocks(task, gate);
  if ("obstacle" in plan)
    throw userError("gate-cannot-open", `${plan.obstacle}: ${plan.advice}.`, { task: task.name });
  return plan.parts;
}
