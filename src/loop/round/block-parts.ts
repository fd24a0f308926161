import { userError } from "../../foundation/base/index.ts";
import type { Stratum, Task } from "../../foundation/contract/index.ts";
import { itemsInSplit } from "../../world/task/index.ts";

/** Strata with fewer decision items than this are measured, but stand outside the gate: their items could not stay fresh. */
const fewestDecisionItems = 10_000;
/** Items of one block at most, when weights are turned into whole numbers. */
const mostInBlock = 256;

/** A stratum of the gate, and how many of its items each block holds. */
export interface BlockPart {
  readonly stratum: Stratum;
  readonly count: number;
}

/** What every block holds, or why no block can be made. */
export type BlockPlan =
  | { readonly parts: readonly BlockPart[] }
  | { readonly obstacle: string; readonly advice: string };

/** Of each stratum that weighs and has enough fresh items a number in proportion to its weight, within a cap of pairs. */
export function planBlocks(task: Task, cap: number): BlockPlan {
  const strata = task.strata.filter(
    (stratum) => stratum.weight > 0 && itemsInSplit(stratum, "decision") >= fewestDecisionItems,
  );
  if (strata.length === 0)
    return {
      obstacle: `${task.name} has no ${task.difficulty.unit} of the target distribution with ${fewestDecisionItems.toLocaleString("en-US")} decision items, so nothing can be proven`,
      advice: 'raise its difficulty, or let the gate observe with gate: { mode: "observe" }',
    };
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
    return { parts: strata.map((stratum, index) => ({ stratum, count: Math.round(counts[index] ?? 0) })) };
  }
  return {
    obstacle: `the weights of ${task.name}'s strata have no common measure that fits a block of ${mostInBlock} items`,
    advice: "use whole numbers such as 1, 2 and 5",
  };
}

/** Whose decision items a gate uses up: openings count on while these stay the same. */
export function decisionItemsOf({ name, version }: Pick<Task, "name" | "version">): string {
  return `${name}@${version}`;
}

/** As {@link planBlocks}; an obstacle is thrown as a user error `gate-cannot-open`. */
export function blockParts(task: Task, cap: number): readonly BlockPart[] {
  const plan = planBlocks(task, cap);
  if ("obstacle" in plan)
    throw userError("gate-cannot-open", `${plan.obstacle}: ${plan.advice}.`, { task: task.name });
  return plan.parts;
}
